# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of deployments as GitLab returns them."""

from __future__ import annotations

import typing as t

from ....harness import job

Record = dict[str, t.Any]
ALICE, BOB, CAROL = ({"id": number, "username": name} for number, name in ((2, "alice"), (3, "bob"), (4, "carol")))


def approval(user: Record, status: str = "approved", comment: str | None = None) -> Record:
    return {"user": user, "status": status, "created_at": "2026-01-01T00:00:00.000Z", "comment": comment}


def rule(name: str | None = "Maintainers", required: int = 1, *given: Record, **whom: t.Any) -> Record:
    """Return an approval rule, by default for the Maintainer role."""
    whom = whom or {"access_level": 40}
    return {
        "id": 1,
        "user_id": None,
        "group_id": None,
        "access_level": None,
        "access_level_description": name,
        "required_approvals": required,
        "deployment_approvals": list(given),
        **whom,
    }


def listed(deployment_id: int = 5, status: str = "blocked", job_id: int = 42, **fields: t.Any) -> Record:
    """Return a deployment as lists contain it."""
    return {
        "id": deployment_id,
        "iid": 1,
        "ref": "main",
        "sha": "f" * 40,
        "status": status,
        "user": BOB,
        "environment": {"id": 1, "name": "production"},
        "deployable": job(job_id, "manual", user=BOB),
        **fields,
    }


def deployment(*rules: Record, pending: int = 1, approvals: t.Sequence[Record] = (), **fields: t.Any) -> Record:
    """Return a deployment with its approvals, as GitLab Premium returns a single one."""
    return {
        **listed(**fields),
        "pending_approval_count": pending,
        "approvals": list(approvals),
        "approval_summary": {"rules": list(rules)},
    }
