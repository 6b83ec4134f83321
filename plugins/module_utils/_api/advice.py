# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What a user can do about an error status, as far as HTTP and GitLab in general tell: the first fitting row wins.

A refusal that has its reasons in what was to be done has no row here: who sends the request knows them.
"""

from __future__ import annotations

import dataclasses

from .connection import TokenKind


@dataclasses.dataclass(frozen=True)
class _Row:
    """A row fits when everything that it names fits."""

    status: int
    advice: str
    words: str = ""
    writes: bool | None = None
    token: TokenKind | None = None
    missing_endpoint: bool | None = None


_ROWS: tuple[_Row, ...] = (
    _Row(401, "Give api_token, api_oauth_token or api_job_token: this cannot be read anonymously", token=""),
    _Row(401, "The token has expired: make a new one", words="expired"),
    _Row(401, "The token was revoked: make a new one", words="revoked"),
    _Row(
        401,
        "The job token is not valid here: it works only while its job is running, and not for every endpoint; a job "
        "token can never play, retry or cancel",
        token="api_job_token",
    ),
    _Row(401, "Check the token, and that api_url is the server it belongs to"),
    _Row(
        403,
        "The token may only read: it needs the scope api to act on jobs",
        words="higher privileges",
        writes=True,
    ),
    _Row(403, "The token lacks a scope: it needs read_api or api", words="higher privileges"),
    _Row(403, "Add this project to the job token allow-list of the project", words="job token"),
    _Row(
        403,
        "The user of the token needs at least the role Reporter in the project, and CI/CD must be enabled there",
        writes=False,
    ),
    _Row(
        404,
        "The project does not exist, or the token may not see it: check project and the token",
        words="project not found",
    ),
    _Row(
        404,
        "This server has no such address: check that api_url is the address of GitLab, and that no proxy before it "
        "decodes %2F",
        missing_endpoint=True,
    ),
    _Row(405, "Give the project's new path, or its numeric id", words="moved"),
    _Row(405, "Too many records for pages by number: choose a pipeline, or give a limit", words="offset"),
    _Row(409, "GitLab is busy with this job or its project: try again in a moment"),
    _Row(429, "Too many requests: wait a minute, and lower api_concurrency"),
    _Row(503, "The server is in maintenance mode: reading works, acting on jobs does not", words="maintenance"),
    _Row(500, "The server failed: its administrator can look up the request id"),
    _Row(502, "The server behind the proxy does not answer; it may be starting or being upgraded"),
    _Row(503, "The server is overloaded or being upgraded"),
    _Row(504, "The server took too long"),
)


def advice_for(
    *, status: int, server_text: str, is_write: bool, token_kind: TokenKind, is_missing_endpoint: bool = False
) -> str:
    """Return what to do about an error status, empty when there is nothing better than GitLab's own words."""
    text = server_text.lower()
    for row in _ROWS:
        if (
            row.status == status
            and row.words in text
            and row.writes in (None, is_write)
            and row.token in (None, token_kind)
            and row.missing_endpoint in (None, is_missing_endpoint)
        ):
            return row.advice
    return ""
