# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The approvals in the record of a deployment. GitLab returns them only for a single deployment, and only with Premium.

Source: https://docs.gitlab.com/api/deployments/
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..fields import id_of, int_of, record_in, records_in, status_of
from ..jobs.query import listed

STATUSES = ("created", "running", "success", "failed", "canceled", "skipped", "blocked")
# The status of a deployment whose job is manual, whether or not it requires approvals.
BLOCKED = "blocked"


@dataclasses.dataclass(frozen=True)
class FoundDeployment:
    """A deployment, and the project it was found in.

    :param project: numeric id or path, for requests.
    :param is_whole: whether it was read alone, with its approvals, and not from a list.
    """

    record: Record
    project: str
    is_whole: bool = False

    @property
    def id(self) -> int:
        return id_of(self.record)

    @property
    def job_id(self) -> int:
        """Return the id of the job that deploys, 0 if there is none or GitLab does not return it."""
        return id_of(record_in(self.record, "deployable"))

    @property
    def environment(self) -> str:
        return str(record_in(self.record, "environment").get("name") or "")

    @property
    def called(self) -> str:
        return f"deployment {self.id} to {self.environment!r}"

    @property
    def details(self) -> str:
        """Return what helps a person to identify it, in addition to its id."""
        job = record_in(self.record, "deployable")
        known = [f"{name} {self.record[name]}" for name in ("ref", "status") if self.record.get(name)]
        return ", ".join([*known, f"job {job['name']}"] if job.get("name") else known)


def shows_approvals(deployment: Record) -> bool:
    """Return whether the server has deployment approvals: a server without them omits their keys."""
    return "pending_approval_count" in deployment


def approvals_of(deployment: Record) -> list[Record]:
    """Return the approvals and rejections of a deployment."""
    return records_in(deployment, "approvals")


def rules_of(deployment: Record) -> list[Record]:
    """Return the approval rules of a deployment; none with the old setting, which is only a number."""
    return records_in(record_in(deployment, "approval_summary"), "rules")


def approvals_under(rule: Record) -> list[Record]:
    """Return the approvals and rejections that count for a rule."""
    return records_in(rule, "deployment_approvals")


def rule_name(rule: Record) -> str:
    """Return who can approve under a rule, in GitLab's words."""
    described = rule.get("access_level_description")
    if described:
        return str(described)
    named = next((name for name in ("user_id", "group_id", "access_level") if rule.get(name)), "")
    return f"{named.replace('_', ' ')} {rule[named]}" if named else f"rule {id_of(rule)}"


def missing_approvals(deployment: Record) -> list[Record]:
    """Return how many approvals each rule still lacks; an entry without a rule is for all who may deploy."""
    left = int_of(deployment, "pending_approval_count")
    if not left:
        return []
    found = []
    for rule in rules_of(deployment):
        required, given = int_of(rule, "required_approvals"), _approved(approvals_under(rule))
        if required > given:
            found.append({"rule": rule_name(rule), "required": required, "missing": required - given})
    given = _approved(approvals_of(deployment))
    return found or [{"rule": None, "required": left + given, "missing": left}]


def missing_text(deployment: Record) -> str:
    """Return who still has to approve, as part of a sentence; empty if no approval is missing."""
    texts = [f"{row['missing']} of {row['rule'] or 'those who may deploy'}" for row in missing_approvals(deployment)]
    return listed(texts, "and") if texts else ""


def is_waiting(deployment: Record) -> bool:
    """Return whether it can be approved now; `blocked` is not enough, because every manual job's deployment has it."""
    return status_of(deployment) == BLOCKED and bool(missing_approvals(deployment))


def username_of(approval: Record) -> str:
    user = record_in(approval, "user")
    return str(user.get("username") or user.get("name") or "somebody")


def _approved(approvals: t.Sequence[Record]) -> int:
    return sum(status_of(approval) == "approved" for approval in approvals)
