# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Whether there is something to approve, and what the reasons against it are, in words.

GitLab has the last word: who may approve stands in settings that not everybody may read.
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
    tells_approvals,
)

STATES = ("approved", "rejected")

NO_FEATURE = "this server has no deployment approvals, which need GitLab 14.8 with Premium"
OWN = (
    "the user of the token has started it, and nobody may approve their own deployment; let somebody else approve it, "
    "or allow it in the settings of the protected environment"
)
_NOT_PROTECTED = "its environment asks for no approvals, or the server has no Premium licence"


@dataclasses.dataclass(frozen=True)
class ApprovalRequest:
    """What a user asked for.

    :param state: one of STATES.
    :param represented_as: name of the user, group or role in whose place the approval is given; None for any.
    """

    state: str
    comment: str | None = None
    represented_as: str | None = None


def decide_approval(deployment: Record, user_id: int | None, request: ApprovalRequest) -> Decision:
    """Return whether to send an approval.

    :param user_id: of the user of the token, None where GitLab does not tell.
    """
    if not tells_approvals(deployment):
        return Decision("refuse", NO_FEATURE)
    if has_given(deployment, user_id, request):
        return Decision("same", f"the user of the token has {request.state} it already")
    if is_waiting(deployment):
        return Decision("act")
    return Decision("refuse", _why_nothing(deployment))


def has_given(deployment: Record, user_id: int | None, request: ApprovalRequest) -> bool:
    """Return whether the user has said the same before, whatever the comment: GitLab keeps the first one."""
    given, rules = approvals_of(deployment), rules_of(deployment)
    # without rules, as with the old setting, GitLab takes no notice of what is named; older servers do not tell them
    if request.represented_as and (rules or "approval_summary" not in deployment):
        named = [rule for rule in rules if request.represented_as in rule_name(rule)]
        given = [approval for rule in named for approval in approvals_under(rule)]
    return user_id is not None and any(
        user_id_of(approval) == user_id and status_of(approval) == request.state for approval in given
    )


def foreseen_refusal(deployment: Record, user_id: int | None, project: Record, request: ApprovalRequest) -> str:
    """Return why GitLab will refuse an approval, as far as that can be known before it is sent."""
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
    """Return what GitLab means by a refusal; empty when its own words have to do."""
    text = server_text.lower()
    reasons = {
        "environment is not protected": f"there is nothing to approve: {_NOT_PROTECTED}",
        "approve your own": OWN,
        "same user can not approve": OWN,
        "approvals is not configured": "there is nothing to approve: its environment asks for no approvals",
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
    return f"represented_as {request.represented_as!r} names no approval rule that is for the user of the token{known}"


def _why_nothing(deployment: Record) -> str:
    status, missing = status_of(deployment), missing_approvals(deployment)
    if missing and status == "created":
        return f"there is nothing to approve yet: it is {status}, since the turn of its job has not come"
    if not (missing or rules_of(deployment) or approvals_of(deployment)):
        return f"there is nothing to approve: it is {status}, and {_NOT_PROTECTED}"
    return f"there is nothing to approve: it is {status}, and waits for no approvals"


def _may_fit(rule: Record, user_id: int, level: int) -> bool:
    """Return whether a rule may be for a user; who is in a group is not known.

    :param level: access level of the user in the project, 0 where it is not known.
    """
    if rule.get("user_id"):
        return int_of(rule, "user_id") == user_id
    return not level or int_of(rule, "access_level") <= level
