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


def read_token_job(session: Session) -> Record:
    """Return the job of the token.

    :raises SelectionError: when no job belongs to the token, with the reason.
    """
    return _explained(lambda: session.client.call("get_token_job"), "the job of a token: that needs GitLab 13.10")


def read_allowed_agents(session: Session) -> Record:
    """Return what an agent is told about the job of the token.

    :raises SelectionError: when no job belongs to the token, with the reason.
    """
    return _explained(
        lambda: session.client.call("get_allowed_agents"), "the agents of a token: that needs GitLab 13.11"
    )


def _explained(read: t.Callable[[], t.Any], what: str) -> Record:
    """Return what GitLab tells about a token; what it answers to one that it does not take becomes the reason.

    :param what: what a server that is too old cannot tell.
    """
    try:
        return t.cast(Record, read())
    except NotAuthorizedError as exc:
        if exc.status != 401 or exc.is_foreign:
            raise
        raise SelectionError(
            f'GitLab does not know this job token, and says "{exc.server_text}". A job token is good only while its '
            f"job is running ({', '.join(exc.facts)})"
        ) from exc
    except NotFoundError as exc:
        if exc.is_foreign:
            raise
        if exc.is_missing_endpoint:
            raise SelectionError(f"this server cannot tell {what} ({exc})") from exc
        raise SelectionError(f"no job belongs to this token: it is no CI job token ({exc})") from exc
