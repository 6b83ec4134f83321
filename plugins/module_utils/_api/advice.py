# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Advice for the user about error statuses and web pages; the first matching row wins.

Reasons that depend on the action are not listed here: the code that sends the request knows them.
"""

from __future__ import annotations

import dataclasses
import re

from .connection import TOKEN_VARIABLES, ConnectionSettings, TokenKind
from .errors import StatusError

CLIENT_ADVICE = "Set client_cert and client_key to a client certificate that this server accepts"


@dataclasses.dataclass(frozen=True)
class _Row:
    """Advice for answers that match every condition of the row; the first matching row wins.

    :param status: 0 for any.
    :param words: phrases from GitLab's text or the title of a web page, in lower case and separated by bars; one must
        match. The text may repeat the name of a job, so each phrase is long enough that only GitLab uses it.
    :param endpoint: the beginnings of the names of the endpoints that the row applies to.
    :param only_without_reason: whether the row matches only if GitLab gives no reason of its own.
    """

    status: int
    advice: str
    words: str = ""
    writes: bool | None = None
    token: TokenKind | None = None
    missing_endpoint: bool | None = None
    endpoint: tuple[str, ...] = ("",)
    only_without_reason: bool = False


_UNSET = [name for names in TOKEN_VARIABLES.values() for name in names]
_ANONYMOUS = (
    f"No token was sent, because no option sets one and {', '.join(_UNSET[:-1])} and {_UNSET[-1]} are not set: set "
    "api_token, or one of these variables"
)
_BUSY = "GitLab is busy with this job or its project: try again in a moment"
_FINE_GRAINED = "fine-grained personal access|lacks the required permissions"
_NARROW = "The token is fine-grained: add this permission to it, or use a token with the scope"

_ROWS: tuple[_Row, ...] = (
    # about the server, with any status
    _Row(0, "This server is a read-only copy (Geo): set api_url to the primary site", words="read-only instance"),
    _Row(503, "The server is in maintenance mode: it can be read, but not changed", words="maintenance"),
    # about the user
    _Row(0, "An administrator of GitLab has to approve the user of the token", words="account is pending approval"),
    _Row(0, "An administrator of GitLab has to unblock the user of the token", words="account has been blocked"),
    _Row(0, "The user of the token has to sign in to GitLab once", words="account has been deactivated"),
    _Row(0, "The user of the token has to sign in to GitLab and accept the terms", words="accept the terms of service"),
    _Row(0, "The user of the token has to sign in to GitLab and set a new password", words="your password expired"),
    _Row(0, "The user of the token has to confirm the email address", words="email address is not confirmed"),
    # about the token
    _Row(
        0,
        "Use a token that is not fine-grained, with the scope api",
        words="support fine-grained|tokens are not yet supported",
    ),
    _Row(0, f"{_NARROW} api", words=_FINE_GRAINED, writes=True),
    _Row(0, f"{_NARROW} read_api", words=_FINE_GRAINED),
    _Row(401, "The token has expired: make a new one", words="expired"),
    _Row(401, "The token was revoked: make a new one", words="revoked"),
    _Row(403, "The token may only read: changes need the scope api", words="higher privileges", writes=True),
    _Row(403, "The token lacks a scope: it needs read_api or api", words="higher privileges"),
    _Row(
        403,
        "Add this permission to the entry for the project of the job token in the job token allowlist",
        words="token permission is required",
    ),
    _Row(
        403,
        "Add the project of the CI job to the job token allowlist of the other project; otherwise, a job token can "
        "only access artifacts, deployments and environments of public and internal projects",
        words="job token",
    ),
    # about the project
    _Row(
        0, "Unarchive the project: an archived project can only be read", words="project is archived|archived project"
    ),
    # about the request
    _Row(
        404,
        "This server does not have this endpoint: check that api_url is the address of GitLab, and that no proxy in "
        "front of it decodes %2F; older versions and other editions of GitLab may lack the endpoint",
        missing_endpoint=True,
    ),
    _Row(401, _ANONYMOUS, token=""),
    _Row(403, _ANONYMOUS, token=""),
    _Row(404, _ANONYMOUS, token=""),
    _Row(
        401,
        "The job token is not valid here: it works only while its job is running, and only for some endpoints; a job "
        "token cannot play, retry or cancel jobs",
        token="api_job_token",
        only_without_reason=True,
    ),
    _Row(401, "Check the token, and that api_url is the server it belongs to", only_without_reason=True),
    _Row(
        403,
        "The user of the token cannot read this log: the log of a job in debug mode requires the Developer role",
        endpoint=("get_job_log",),
        only_without_reason=True,
    ),
    _Row(
        403,
        "The user of the token cannot read these artifacts: check artifacts:access in the configuration of the job",
        endpoint=("download_artifact", "list_artifact"),
        only_without_reason=True,
    ),
    _Row(
        403,
        "The user of the token needs the Maintainer role in the project, or must have started the pipeline",
        endpoint=("get_pipeline_variables",),
        only_without_reason=True,
    ),
    _Row(
        403,
        "The user of the token needs at least the Reporter role in the project, and CI/CD must be enabled there",
        writes=False,
        only_without_reason=True,
    ),
    _Row(
        404,
        "The project does not exist, or the token cannot access it: before GitLab 18, a job token cannot list jobs; "
        "before GitLab 19.2, it cannot read pipelines and trigger jobs",
        words="project not found",
        token="api_job_token",
    ),
    _Row(
        404,
        "The project does not exist, or the token cannot access it: check project and the token",
        words="project not found",
    ),
    _Row(400, CLIENT_ADVICE, words="ssl certificate"),
    _Row(405, "Set project to the new path of the project, or to its numeric id", words="moved"),
    _Row(405, "This GitLab is too old for this request: update GitLab", words="405 not allowed"),
    _Row(405, "Too many records for offset pagination: select a pipeline, or set limit", words="offset"),
    _Row(409, _BUSY, words="resource lock|stats refresh"),
    _Row(409, _BUSY, only_without_reason=True),
    _Row(429, "Too many requests: try again later, and set api_requests_per_minute, or lower api_concurrency"),
    _Row(500, "The server failed: its administrator can find the reason in its logs"),
    _Row(502, "The server behind the proxy does not answer; it may be starting or being upgraded"),
    _Row(503, "The server is overloaded or being upgraded"),
    _Row(504, "The server took too long"),
)

# Phrases in the title of a web page that replaces GitLab's answer, and the advice for each.
_PAGES: tuple[tuple[str, str], ...] = (
    (
        "just a moment|attention required|cloudflare",
        "Cloudflare answers instead of GitLab and requires a browser: let it pass requests to the API, or set api_url "
        "to an address behind it",
    ),
    ("maintenance", "The server is in maintenance: try again later"),
    ("deploy in progress", "The server is being upgraded: try again later"),
    ("plain http request was sent to https", "The server speaks TLS on this port: use https in api_url"),
    (
        "sign in|sign-in|signin|log in|login|single sign-on|saml",
        "A login page answers instead of GitLab: have it let requests with a token pass, at least those to /api/v4",
    ),
)

_BEFORE_GITLAB = (
    "GitLab's API does not send web pages, so something in front of it answers: have it let requests to /api/v4 pass, "
    "or set the headers that it requires in http_headers"
)

_BETWEEN_WORDS = re.compile(r"[^\w-]+")

_NOT_ACCEPTED = "which GitLab's API does not accept: use a personal, project or group access token"
# GitLab's default prefixes of tokens, the options that accept such a token, and what the token is.
_TOKEN_PREFIXES: tuple[tuple[str, tuple[TokenKind, ...], str], ...] = (
    ("gldt-", (), f"a deploy token, {_NOT_ACCEPTED}"),
    ("glrt-", (), f"a runner token, {_NOT_ACCEPTED}"),
    ("glptt-", (), "a trigger token, which can only start pipelines: use a personal, project or group access token"),
    ("glft-", (), f"a feed token, {_NOT_ACCEPTED}"),
    ("glcbt-", ("api_job_token",), "the token of a CI job: set it as api_job_token"),
    ("glpat-", ("api_token", "api_oauth_token", "extension"), "an access token: set it as api_token"),
)


def advice_for(
    error: StatusError,
    settings: ConnectionSettings,
    *,
    endpoint: str,
    is_write: bool,
    is_missing_endpoint: bool,
    title: str,
) -> str:
    """Return the advice about an error status; empty if GitLab's own words are all there is.

    :param endpoint: the name of the endpoint.
    :param title: the title of the web page that replaced GitLab's answer.
    """
    status, has_reason = error.status, error.has_reason
    text = (error.server_text or title).lower()
    found = page_advice(title)
    # GitLab ignores some kinds of tokens, and then hides private projects
    if not found and ((status == 401 and not has_reason) or has_words(text, "project not found")):
        found = _misplaced_token(settings.token_kind, settings.token)
    for row in () if found else _ROWS:
        if (
            row.status in (0, status)
            and has_words(text, row.words)
            and row.writes in (None, is_write)
            and row.token in (None, settings.token_kind)
            and row.missing_endpoint in (None, is_missing_endpoint)
            and endpoint.startswith(row.endpoint)
            and not (row.only_without_reason and has_reason)
        ):
            return row.advice
    return found or (_BEFORE_GITLAB if error.is_foreign else "")


def page_advice(title: str) -> str:
    """Return the advice about a web page that replaced an answer; empty if its title is not known."""
    return next((advice for words, advice in _PAGES if has_words(title.lower(), words)), "")


def has_words(text: str, words: str) -> bool:
    """Return whether a text contains one of the phrases, which are separated by bars; true if there are none."""
    spaced = f" {_BETWEEN_WORDS.sub(' ', text)} "
    return not words or any(f" {each} " in spaced for each in words.split("|"))


def _misplaced_token(kind: TokenKind, token: str) -> str:
    """Return the advice about a token whose prefix does not match its option, else an empty string."""
    for prefix, kinds, what in _TOKEN_PREFIXES:
        if token.startswith(prefix) and kind not in kinds:
            return f"{kind} holds {what}"
    return ""
