# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What a user can do about an error status: one table, first fitting row wins."""

from __future__ import annotations

import dataclasses

from .connection import TokenKind

_WRITES = frozenset(
    {
        "play_job",
        "retry_job",
        "cancel_job",
        "erase_job",
        "keep_artifacts",
        "delete_artifacts",
        "delete_project_artifacts",
    },
)


@dataclasses.dataclass(frozen=True)
class _Row:
    """A row fits when everything that it names fits."""

    status: int
    advice: str
    words: str = ""
    writes: bool | None = None
    token: TokenKind | None = None
    endpoint: str = ""


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
    _Row(403, "The job cannot be retried: it never ran, is still running, or was superseded", words="not retryable"),
    _Row(403, "Only a finished job that still has a log or artifacts can be erased", words="not erasable"),
    _Row(
        403,
        "The usual reasons: the user of the token has no Developer role in the project, the ref or the environment of "
        "the job is protected and does not admit this user, the deployment is outdated, the job is archived, or, when "
        "job_variables are given, the project restricts who may set pipeline variables",
        endpoint="play_job",
    ),
    _Row(
        403,
        "The usual reasons: the user of the token needs the role Maintainer, or must have started the job",
        endpoint="erase_job",
    ),
    _Row(403, "The user of the token needs the role Maintainer in the project", endpoint="delete_artifacts"),
    _Row(403, "The user of the token needs the role Maintainer in the project", endpoint="delete_project_artifacts"),
    _Row(
        403,
        "The usual reasons: the user of the token has no Developer role in the project, or the ref or the environment "
        "of the job is protected and does not admit this user",
        writes=True,
    ),
    _Row(403, "The user of the token needs at least the role Reporter in the project, and CI/CD must be enabled there"),
    _Row(
        404,
        "The project does not exist, or the token may not see it: check project and the token",
        words="project not found",
    ),
    _Row(
        404,
        "This server has no such address: check that api_url is the address of GitLab, and that no proxy before it "
        "decodes %2F",
        endpoint="<missing endpoint>",
    ),
    _Row(
        400, "The job is not manual, is already under way, or waits for the approval of its deployment", words="unplay"
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
    *, status: int, server_text: str, endpoint: str, token_kind: TokenKind, is_missing_endpoint: bool = False
) -> str:
    """Return what to do about an error status, empty when there is nothing better than GitLab's own words."""
    text = server_text.lower()
    for row in _ROWS:
        if (
            row.status == status
            and row.words in text
            and row.writes in (None, endpoint in _WRITES)
            and row.token in (None, token_kind)
            and _fits_endpoint(row.endpoint, endpoint, is_missing_endpoint)
        ):
            return row.advice
    return ""


def _fits_endpoint(wanted: str, endpoint: str, is_missing_endpoint: bool) -> bool:
    if wanted == "<missing endpoint>":
        return is_missing_endpoint
    return wanted in ("", endpoint)
