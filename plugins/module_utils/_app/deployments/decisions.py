# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Whether there is something to approve, and the reasons if there is not.

GitLab decides in the end, because not every user can read the settings that define who may approve.
"""

from __future__ import annotations

import dataclasses

from ..._api.decoding import Record
from ..fields import int_of, record_in, status_of, user_id_of, users_of
from ..jobs.query import shortened
from ..writes.decision import Decision
from ..writes.roles import access_level
from .records import (
    approvals_of,
    approvals_under,
    is_waiting,
    missing_approvals,
    missing_text,
    rule_name,
    rules_of,
    shows_approvals,
)

STATES = ("approved", "rejected")

NO_FEATURE = "this server has no deployment approvals, which require GitLab 14.8 with Premium"
OWN = (
    "the user of the token has started it, and nobody may approve their own deployment; let another user approve it, "
    "or allow it in the settings of the protected environment"
)
_NOT_PROTECTED = "its environment requires no approvals, or the server has no Premium licence"


@dataclasses.dataclass(frozen=True)
class ApprovalRequest:
    """The requested approval.

    :param state: one of STATES.
    :param represented_as: name of the user, group or role whose rule the approval is for; None for any.
    """

    state: str
    comment: str | None = None
    represented_as: str | None = None


def decide_approval(deployment: Record, user_id: int | None, request: ApprovalRequest) -> Decision:
    """Return whether to send an approval.

    :param user_id: the id of the user of the token, None if GitLab does not report it.
    """
    if not shows_approvals(deployment):
        return Decision("refuse", NO_FEATURE)
    if has_given(deployment, user_id, request):
        return Decision("same", f"the user of the token has already {request.state} it")
    if is_waiting(deployment):
        return Decision("act")
    return Decision("refuse", _why_nothing(deployment))


def has_given(deployment: Record, user_id: int | None, request: ApprovalRequest) -> bool:
    """Return whether the user has given the same approval before; comments may differ: GitLab keeps the first one."""
    given, rules = approvals_of(deployment), rules_of(deployment)
    # without rules, as with the old setting, GitLab ignores represented_as; older servers do not return the rules
    if request.represented_as and (rules or "approval_summary" not in deployment):
        named = [rule for rule in rules if request.represented_as in rule_name(rule)]
        given = [approval for rule in named for approval in approvals_under(rule)]
    return user_id is not None and any(
        user_id_of(approval) == user_id and status_of(approval) == request.state for approval in given
    )


def predicted_refusal(deployment: Record, user_id: int | None, project: Record, request: ApprovalRequest) -> str:
    """Return why GitLab will refuse an approval, as far as that is known before it is sent."""
    if user_id is None:
        return ""
    starters = users_of([deployment, record_in(deployment, "deployable")])
    is_own = request.state == "approved" and user_id in starters
    if is_own and project.get("allow_pipeline_trigger_approve_deployment") is not True:
        return OWN
    rules = rules_of(deployment)
    fitting = [rule for rule in rules if _may_fit(rule, user_id, access_level(project))]
    if rules and not fitting:
        return no_rule(deployment)
    if rules and request.represented_as and not any(request.represented_as in rule_name(rule) for rule in fitting):
        return no_such_rule(deployment, request)
    return ""


def explained_refusal(server_text: str, deployment: Record, request: ApprovalRequest) -> str:
    """Return the meaning of a refusal by GitLab; empty if only GitLab's own words are known."""
    text = server_text.lower()
    reasons = {
        "environment is not protected": f"there is nothing to approve: {_NOT_PROTECTED}",
        "approve your own": OWN,
        "same user can not approve": OWN,
        "approvals is not configured": "there is nothing to approve: its environment requires no approvals",
        "not waiting for approvals": _why_nothing(deployment),
        "permission to approve": no_rule(deployment),
        "approval rules for the given": no_such_rule(deployment, request),
    }
    return next((reason for words, reason in reasons.items() if words in text), "")


def no_rule(deployment: Record) -> str:
    waits = missing_text(deployment)
    return "no approval rule of its environment is for the user of the token" + (
        f"; it waits for {waits}" if waits else ""
    )


def no_such_rule(deployment: Record, request: ApprovalRequest) -> str:
    names = shortened([rule_name(rule) for rule in rules_of(deployment)])
    known = f"; the rules of its environment are {names}" if names else ""
    return f"represented_as {request.represented_as!r} matches no approval rule for the user of the token{known}"


def _why_nothing(deployment: Record) -> str:
    status, missing = status_of(deployment), missing_approvals(deployment)
    if missing and status == "created":
        return f"there is nothing to approve yet: its status is {status} because its job cannot be played yet"
    if not (missing or rules_of(deployment) or approvals_of(deployment)):
        return f"there is nothing to approve: its status is {status}, and {_NOT_PROTECTED}"
    return f"there is nothing to approve: its status is {status}, and it does not wait for approvals"


def _may_fit(rule: Record, user_id: int, level: int) -> bool:
    """Return whether a rule may apply to a user; the members of groups are not known.

    :param level: access level of the user in the project, 0 if unknown.
    """
    if rule.get("user_id"):
        return int_of(rule, "user_id") == user_id
    return not level or int_of(rule, "access_level") <= level
