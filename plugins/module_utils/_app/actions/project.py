# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Deleting the artifacts of all jobs of a project, which GitLab does later and in its own time."""

from __future__ import annotations

from ..._api.errors import NotFoundError, RequestError, StatusError
from ..session import Session
from ..writes.decision import may_be_done
from ..writes.roles import explain_forbidden, reason_of_project
from .actions import ACTIONS


def delete_project_artifacts(session: Session, project: str) -> str:
    """Delete the artifacts of all jobs of a project, and return why that failed, empty when it did not.

    In check mode it is only found out whether there is such a project. GitLab does not tell
    whether anything was left to delete, so that every run counts as a change.

    :raises RequestError: when the project cannot be read.
    """
    action = ACTIONS["delete_artifacts"]
    session.client.call("get_project", project=project)
    if session.check_mode:
        return ""
    try:
        session.client.call("delete_project_artifacts", project=project)
    except RequestError as exc:
        if may_be_done(exc):
            # no later read shows whether it was done, but doing it twice is the same as doing it once
            return f"{exc}. Whether it was done is unknown; it is safe to run the task again"
        if isinstance(exc, NotFoundError) and exc.is_missing_endpoint:
            return f"this server is too old for it ({exc})"
        if isinstance(exc, StatusError):
            explain_forbidden(exc, lambda: reason_of_project(session, project, action.role))
            action.advise(exc)
        return str(exc)
    return ""
