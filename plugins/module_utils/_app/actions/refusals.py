# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What GitLab never lets a job token do, and why it has refused an action without a reason."""

from __future__ import annotations

from ..._api.errors import StatusError, UsageError
from ..jobs.query import FoundJob
from ..session import Session
from ..writes.roles import reason_of_project
from .action import Action


def refuse_job_token(session: Session, action: str) -> None:
    """Return unless the token is one that GitLab never lets act.

    :raises UsageError: before any request was made.
    """
    if not session.limits.acts:
        raise UsageError(
            f"GitLab never lets a job token do {action}; give api_token, of a user or of a bot of the project, instead "
            "of api_job_token"
        )


def explain(session: Session, action: Action, job: FoundJob, exc: StatusError) -> None:
    """Say in an error what to do about it, unless it says so already."""
    if exc.status == 403 and not exc.has_reason and not exc.advice:
        exc.advice = reason_of_project(session, job.project, action.role)
    elif exc.status == 404 and job.is_bridge:
        exc.advice = f"Trigger jobs can be {action.participle} from GitLab {action.trigger_jobs_since} on"
    action.advise(exc)
