# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Read the job that a job token belongs to, and the agents that it may use."""

from __future__ import annotations

import contextlib
import typing as t

from ..._api.decoding import Record
from ..._api.errors import NotAuthorizedError, NotFoundError, SelectionError
from ..session import Session


def read_token(session: Session, *, with_agents: bool) -> tuple[Record, Record]:
    """Return the job of a job token, and, with `with_agents`, the record of the agents that it may use.

    :raises SelectionError: if no job belongs to the token.
    """
    with _explained("the job of a token: this requires GitLab 13.10"):
        job = session.client.call("get_token_job")
    with _explained("the agents of a token: this requires GitLab 13.11"):
        return job, session.client.call("get_allowed_agents") if with_agents else {}


@contextlib.contextmanager
def _explained(what: str) -> t.Iterator[None]:
    """Explain why no job belongs to a token.

    :param what: what older servers cannot show, and the required version.
    """
    try:
        yield
    except NotAuthorizedError as exc:
        if exc.status != 401 or exc.is_foreign:
            raise
        raise SelectionError(
            f"the server does not know this job token: {exc.problem}. A job token is valid only while its job is "
            f"running ({', '.join(exc.facts)})"
        ) from exc
    except NotFoundError as exc:
        if exc.is_foreign:
            raise
        if exc.is_missing_endpoint:
            raise SelectionError(f"this server cannot show {what} ({exc})") from exc
        raise SelectionError(f"no job belongs to this token: it is not a CI job token ({exc})") from exc
