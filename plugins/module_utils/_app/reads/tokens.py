# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The job that a job token belongs to, and the agents it may use."""

from __future__ import annotations

import contextlib
import typing as t

from ..._api.decoding import Record
from ..._api.errors import NotAuthorizedError, NotFoundError, SelectionError
from ..session import Session


def read_token(session: Session, *, with_agents: bool) -> tuple[Record, Record]:
    """Return the job of a job token, and what an agent is told about it where that is asked for.

    :raises SelectionError: when no job belongs to the token, with the reason.
    """
    with _explained("the job of a token: that needs GitLab 13.10"):
        job = session.client.call("get_token_job")
    with _explained("the agents of a token: that needs GitLab 13.11"):
        return job, session.client.call("get_allowed_agents") if with_agents else {}


@contextlib.contextmanager
def _explained(what: str) -> t.Iterator[None]:
    """Give the reason why no job belongs to a token.

    :param what: what a server that is too old cannot tell.
    """
    try:
        yield
    except NotAuthorizedError as exc:
        if exc.status != 401 or exc.is_foreign:
            raise
        raise SelectionError(
            f"the server does not know this job token: {exc.problem}. A job token is good only while its job is "
            f"running ({', '.join(exc.facts)})"
        ) from exc
    except NotFoundError as exc:
        if exc.is_foreign:
            raise
        if exc.is_missing_endpoint:
            raise SelectionError(f"this server cannot tell {what} ({exc})") from exc
        raise SelectionError(f"no job belongs to this token: it is no CI job token ({exc})") from exc
