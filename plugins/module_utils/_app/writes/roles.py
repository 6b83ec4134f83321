# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why nobody, or not this user, may act in a project: by the kind of token, or as far as its record tells."""

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
    """Return unless the token is one that GitLab never lets act.

    :raises UsageError: before any request was made.
    """
    if not session.limits.acts:
        raise UsageError(
            f"GitLab never lets a job token do {action}; give api_token, of a user or of a bot of the project, instead "
            "of api_job_token"
        )


def explain_forbidden(exc: StatusError, reason: t.Callable[[], str]) -> None:
    """Say in a 403 for which GitLab gives no reason what else tells of it."""
    if exc.status == 403 and not exc.has_reason and not exc.advice:
        exc.advice = reason()


def why_forbidden(session: Session, project: str, usual: t.Sequence[str], needed: str = "Developer") -> str:
    """Return why nobody, or not this user, may act on jobs or pipelines of a project, as far as it tells; else why not.

    :param usual: the usual reasons, besides a role that is too low.
    :param needed: the lowest role that may.
    """
    try:
        record: Record = session.in_passing().client.call("get_project", project=project)
    except RequestError:
        return usual_reasons(usual, needed)  # the reason is not worth another error
    if record.get("archived") is True:
        return "The project is archived, and an archived project can only be read: unarchive it"
    if record.get("builds_access_level") == "disabled" or record.get("jobs_enabled") is False:
        return NO_CI
    level = access_level(record)
    role = next((role for role in _LEVELS if _LEVELS[role] == level < _LEVELS[needed]), "")
    if role:
        return f"The user of the token has the {role} role in the project, and needs {needed}"
    return usual_reasons(usual, "" if level >= _LEVELS[needed] else needed)


def usual_reasons(reasons: t.Sequence[str], needed: str) -> str:
    """Return the usual reasons of a refusal as a sentence, empty when there are none.

    :param needed: the role that the user may lack, empty when it is known to have it.
    """
    if needed and not reasons:
        return f"The user of the token needs the {needed} role in the project"
    told = [*reasons, *([f"this user has no {needed} role in the project"] if needed else [])]
    if len(told) < 2:
        return f"The usual reason: {told[0]}" if told else ""
    return f"The usual reasons: {', '.join(told[:-1])}, or {told[-1]}"


def access_level(project: Record) -> int:
    """Return the access level of the user of the token in a project, 0 when its record does not tell."""
    permissions = record_in(project, "permissions")
    return max((int_of(record_in(permissions, name), "access_level") for name in permissions), default=0)
