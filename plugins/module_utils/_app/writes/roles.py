# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why no user, or not this user, may act in a project: because of the token, or of what the project's record shows."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import RequestError, StatusError, UsageError
from ..fields import int_of, record_in
from ..session import Session

# Source: https://docs.gitlab.com/api/access_requests/
_LEVELS = {"Minimal Access": 5, "Guest": 10, "Planner": 15, "Reporter": 20, "Developer": 30, "Maintainer": 40}

NO_CI = "CI/CD is switched off in the project: switch it on in its settings"


def refuse_job_token(session: Session, action: str) -> None:
    """Refuse job tokens, which GitLab does not accept for actions, before any request.

    :raises UsageError: if the token is a job token.
    """
    if not session.limits.acts:
        raise UsageError(
            f"api_job_token cannot be used for action {action} because GitLab does not accept job tokens for it; set "
            "api_token to a personal or project access token instead"
        )


def explain_forbidden(exc: StatusError, reason: t.Callable[[], str]) -> None:
    """Add the likely reason to a 403 for which GitLab gives none.

    :param reason: returns it.
    """
    if exc.status == 403 and not exc.has_reason and not exc.advice:
        exc.advice = reason()


def why_forbidden(session: Session, project: str, usual: t.Sequence[str], needed: str = "Developer") -> str:
    """Return why the user of the token may not act on jobs or pipelines of a project, or the usual reasons.

    :param usual: the usual reasons, in addition to a role that is too low.
    :param needed: the lowest role that may act.
    """
    try:
        record: Record = session.best_effort().client.call("get_project", project=project)
    except RequestError:
        return usual_reasons(usual, needed)  # advice is not worth another error
    if record.get("archived") is True:
        return "The project is archived, and an archived project can only be read: unarchive it"
    if record.get("builds_access_level") == "disabled" or record.get("jobs_enabled") is False:
        return NO_CI
    level = access_level(record)
    role = next((role for role in _LEVELS if _LEVELS[role] == level < _LEVELS[needed]), "")
    if role:
        return f"The user of the token has the {role} role in the project, but needs {needed}"
    return usual_reasons(usual, "" if level >= _LEVELS[needed] else needed)


def usual_reasons(reasons: t.Sequence[str], needed: str) -> str:
    """Return the usual reasons for a refusal as a sentence, empty if there are none.

    :param needed: the role that the user may lack, empty if the user is known to have it.
    """
    if needed and not reasons:
        return f"The user of the token needs the {needed} role in the project"
    every = [*reasons, *([f"the user does not have the {needed} role in the project"] if needed else [])]
    if len(every) < 2:
        return f"The usual reason: {every[0]}" if every else ""
    return f"The usual reasons: {', '.join(every[:-1])}, or {every[-1]}"


def access_level(project: Record) -> int:
    """Return the access level of the user of the token in a project, 0 if its record does not contain it."""
    permissions = record_in(project, "permissions")
    return max((int_of(record_in(permissions, name), "access_level") for name in permissions), default=0)
