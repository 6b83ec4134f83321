# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client that exposes everything it receives over the connection."""

from __future__ import annotations

import dataclasses
import http.client
import ssl
import typing as t
import urllib.parse

from .support import PROJECT

# Short enough for responses that never come.
SHORT_TIMEOUT = 0.25
# For responses that do come: longer than any machine needs.
LONG_TIMEOUT = 600.0
PLAY = f"/api/v4/projects/{PROJECT}/jobs/1000/play"
JOB = f"/api/v4/projects/{PROJECT}/jobs/1000"
JOBS = f"/api/v4/projects/{PROJECT}/jobs"


@dataclasses.dataclass
class Answer:
    """A response, or the start of one and the error that ended it."""

    status: int | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""
    error: Exception | None = None

    @property
    def is_complete(self) -> bool:
        return self.status is not None and self.error is None


def connect(
    url: str, *, context: ssl.SSLContext | None = None, timeout: float = LONG_TIMEOUT
) -> http.client.HTTPConnection:
    parts = urllib.parse.urlsplit(url)
    assert parts.hostname is not None
    if parts.scheme == "https":
        return http.client.HTTPSConnection(parts.hostname, parts.port, context=context, timeout=timeout)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    sent: t.Callable[[], object] = lambda: None,
) -> Answer:
    """Send a request over a connection and return the response.

    :param sent: called after sending and before waiting for the response.
    """
    answer = Answer()
    try:
        connection.request(method, path, body=body, headers={"PRIVATE-TOKEN": "mia-token", **(headers or {})})
        sent()
        response = connection.getresponse()
        answer.status = response.status
        answer.headers = dict(response.getheaders())
        try:
            answer.body = response.read()
        except http.client.IncompleteRead as error:
            answer.body = error.partial
            raise
    except (OSError, http.client.HTTPException) as error:
        answer.error = error
    return answer


def call(
    url: str,
    method: str,
    path: str,
    *,
    timeout: float = LONG_TIMEOUT,
    context: ssl.SSLContext | None = None,
    **how: t.Any,
) -> Answer:
    """Send a request over a new connection."""
    connection = connect(url, context=context, timeout=timeout)
    try:
        return exchange(connection, method, path, **how)
    finally:
        connection.close()
