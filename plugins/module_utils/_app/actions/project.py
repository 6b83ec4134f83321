# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Deleting the artifacts of all jobs of a project, which GitLab does later and in its own time."""

from __future__ import annotations

import dataclasses

from ..._api.errors import BadAnswerError, LostAnswerError, NotFoundError, RequestError, ServerError, StatusError
from ..session import Session
from .actions import ACTIONS


@dataclasses.dataclass(frozen=True)
class ProjectResult:
    """What became of it; `outcome` is applied or failed."""

    outcome: str
    reason: str = ""
    has_changed: bool = False


def delete_project_artifacts(session: Session, project: str) -> ProjectResult:
    """Return what became of the request; in check mode only whether there is such a project.

    GitLab does not tell whether anything was left to delete, so that every run counts as a change.

    :raises RequestError: when the project cannot be read.
    """
    session.client.call("get_project", project=project)
    if session.check_mode:
        return ProjectResult("applied", has_changed=True)
    try:
        session.client.call("delete_project_artifacts", project=project)
    except NotFoundError as exc:
        if exc.is_missing_endpoint:
            return ProjectResult("failed", f"this server is too old for it ({exc})")
        return ProjectResult("failed", str(exc))
    except (LostAnswerError, BadAnswerError, ServerError) as exc:
        # no later read shows whether it was done, but doing it twice is the same as doing it once
        return ProjectResult("failed", f"{exc}. Whether it was done is unknown; it is safe to run the task again")
    except StatusError as exc:
        ACTIONS["delete_artifacts"].advise(exc)
        return ProjectResult("failed", str(exc))
    except RequestError as exc:
        return ProjectResult("failed", str(exc))
    return ProjectResult("applied", has_changed=True)
