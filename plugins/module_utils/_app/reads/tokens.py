# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The job that a job token belongs to, and the agents it may use."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import NotAuthorizedError, NotFoundError, SelectionError
from ..session import Session

# By the endpoint what it tells, and since when.
_TOLD: t.Mapping[str, str] = {
    "get_token_job": "the job of a token: that needs GitLab 13.10",
    "get_allowed_agents": "the agents of a token: that needs GitLab 13.11",
}


def told_of_token(session: Session, endpoint: str) -> Record:
    """Return what GitLab tells about a job token: its job, or what an agent is told about it.

    :raises SelectionError: when no job belongs to the token, with the reason.
    """
    try:
        return t.cast(Record, session.client.call(endpoint))
    except NotAuthorizedError as exc:
        if exc.status != 401:
            raise
        raise SelectionError(
            f"the server does not know this job token: {exc.problem}. A job token is good only while its job is "
            f"running ({', '.join(exc.facts)})"
        ) from exc
    except NotFoundError as exc:
        if exc.is_missing_endpoint:
            raise SelectionError(f"this server cannot tell {_TOLD[endpoint]} ({exc})") from exc
        raise SelectionError(f"no job belongs to this token: it is no CI job token ({exc})") from exc
