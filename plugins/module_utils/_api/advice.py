# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a user can do about an error status, and about an exchange that brought no answer: the first fitting row wins.

A refusal that has its reasons in what was to be done has no row here: who sends the request knows them.
"""

from __future__ import annotations

import dataclasses
import re

from .connection import TOKEN_VARIABLES, ConnectionSettings, TokenKind
from .errors import StatusError

CLIENT_ADVICE = "Give a client certificate that this server accepts with client_cert and client_key"


@dataclasses.dataclass(frozen=True)
class _Row:
    """A row fits when everything that it names fits; the first fitting one wins.

    :param status: 0 for any.
    :param words: of GitLab's own text, or of the title of a web page, in small letters; one of several between bars.
        The text may repeat what a user has called a job, so they are as many as only GitLab says.
    :param endpoint: how the names of the endpoints begin that it is about.
    :param is_mere: whether it fits only when GitLab gives no reason of its own.
    """

    status: int
    advice: str
    words: str = ""
    writes: bool | None = None
    token: TokenKind | None = None
    missing_endpoint: bool | None = None
    endpoint: str = ""
    is_mere: bool = False


_UNSET = [name for names in TOKEN_VARIABLES.values() for name in names]
_ANONYMOUS = (
    f"No token was sent, because no option gives one and {', '.join(_UNSET[:-1])} and {_UNSET[-1]} are not set: give "
    "api_token, or set one of them"
)
_BUSY = "GitLab is busy with this job or its project: try again in a moment"
_FINE_GRAINED = "fine-grained personal access|lacks the required permissions"
_NARROW = "The token is fine-grained: give it this permission, or use a token with the scope"

_ROWS: tuple[_Row, ...] = (
    # what GitLab says of the server, whatever the status
    _Row(0, "This server is a read-only copy (Geo): set api_url to the primary site", words="read-only instance"),
    _Row(503, "The server is in maintenance mode: reading works, acting on jobs does not", words="maintenance"),
    # what it says of the user
    _Row(0, "An administrator of GitLab has to approve the user of the token", words="account is pending approval"),
    _Row(0, "An administrator of GitLab has to unblock the user of the token", words="account has been blocked"),
    _Row(0, "The user of the token has to sign in to GitLab once", words="account has been deactivated"),
    _Row(0, "The user of the token has to sign in to GitLab and accept the terms", words="accept the terms of service"),
    _Row(0, "The user of the token has to sign in to GitLab and set a new password", words="your password expired"),
    _Row(0, "The user of the token has to confirm the email address", words="email address is not confirmed"),
    # of the token
    _Row(
        0,
        "Use a token that is not fine-grained, with the scope api",
        words="support fine-grained|tokens are not yet supported",
    ),
    _Row(0, f"{_NARROW} api", words=_FINE_GRAINED, writes=True),
    _Row(0, f"{_NARROW} read_api", words=_FINE_GRAINED),
    _Row(401, "The token has expired: make a new one", words="expired"),
    _Row(401, "The token was revoked: make a new one", words="revoked"),
    _Row(403, "The token may only read: it needs the scope api to act on jobs", words="higher privileges", writes=True),
    _Row(403, "The token lacks a scope: it needs read_api or api", words="higher privileges"),
    _Row(
        403,
        "Add this permission to the entry for the project of the job token in the job token allowlist",
        words="token permission is required",
    ),
    _Row(
        403,
        "Add the project of the CI job to the job token allowlist of the other project; without an entry there, a job "
        "token gets no more than artifacts, deployments and environments of public and internal projects",
        words="job token",
    ),
    # of the project
    _Row(
        0, "Unarchive the project: an archived project can only be read", words="project is archived|archived project"
    ),
    # and where it says nothing
    _Row(
        404,
        "This server has no such address: check that api_url is the address of GitLab, and that no proxy before it "
        "decodes %2F; an older GitLab, or another edition, may lack it, too",
        missing_endpoint=True,
    ),
    _Row(401, _ANONYMOUS, token=""),
    _Row(403, _ANONYMOUS, token=""),
    _Row(404, _ANONYMOUS, token=""),
    _Row(
        401,
        "The job token is not valid here: it works only while its job is running, and not for every endpoint; a job "
        "token can never play, retry or cancel",
        token="api_job_token",
        is_mere=True,
    ),
    _Row(401, "Check the token, and that api_url is the server it belongs to", is_mere=True),
    _Row(
        403,
        "The user of the token may not read this log: that of a job in debug mode takes the Developer role",
        endpoint="get_job_log",
        is_mere=True,
    ),
    _Row(
        403,
        "The user of the token may not read these artifacts: look at artifacts:access of the job in its configuration",
        endpoint="download_artifact",
        is_mere=True,
    ),
    _Row(
        403,
        "The user of the token needs the Maintainer role in the project, or must have started the pipeline",
        endpoint="get_pipeline_variables",
        is_mere=True,
    ),
    _Row(
        403,
        "The user of the token needs at least the Reporter role in the project, and CI/CD must be enabled there",
        writes=False,
        is_mere=True,
    ),
    _Row(
        404,
        "The project does not exist, or the token may not see it: before GitLab 18 no job token can list jobs, and "
        "before GitLab 19.2 none can read pipelines and trigger jobs",
        words="project not found",
        token="api_job_token",
    ),
    _Row(
        404,
        "The project does not exist, or the token may not see it: check project and the token",
        words="project not found",
    ),
    _Row(400, CLIENT_ADVICE, words="ssl certificate"),
    _Row(405, "Give the project's new path, or its numeric id", words="moved"),
    _Row(405, "This GitLab is too old for this request: update GitLab", words="405 not allowed"),
    _Row(405, "Too many records for pages by number: choose a pipeline, or give a limit", words="offset"),
    _Row(409, _BUSY, words="resource lock|stats refresh"),
    _Row(409, _BUSY, is_mere=True),
    _Row(429, "Too many requests: wait a minute, and set api_requests_per_minute, or lower api_concurrency"),
    _Row(500, "The server failed: its administrator finds the reason in its logs"),
    _Row(502, "The server behind the proxy does not answer; it may be starting or being upgraded"),
    _Row(503, "The server is overloaded or being upgraded"),
    _Row(504, "The server took too long"),
)

# Words in the title of a web page that comes instead of GitLab's answer, and what to do.
_PAGES: tuple[tuple[str, str], ...] = (
    (
        "just a moment|attention required|cloudflare",
        "Cloudflare answers instead of GitLab and asks for a browser: let requests to the API pass there, or set "
        "api_url to an address behind it",
    ),
    ("maintenance", "The server is in maintenance: try again later"),
    ("deploy in progress", "The server is being upgraded: try again later"),
    ("plain http request was sent to https", "The server speaks TLS on this port: give api_url with https"),
    (
        "sign in|sign-in|signin|log in|login|single sign-on|saml",
        "A login page answers instead of GitLab: requests with a token have to pass it, at least those to /api/v4",
    ),
)

_BEFORE_GITLAB = (
    "GitLab's API sends no web pages, so something before it answers: have it let requests to /api/v4 pass, or give "
    "what it asks for with http_headers"
)

_BETWEEN_WORDS = re.compile(r"[^\w-]+")

# How GitLab begins its tokens unless its administrator has chosen otherwise, where such a token belongs, what it is.
_NOT_TAKEN = "which GitLab's API does not take: give a personal, project or group access token"
_TOKEN_PREFIXES: tuple[tuple[str, tuple[TokenKind, ...], str], ...] = (
    ("gldt-", (), f"a deploy token, {_NOT_TAKEN}"),
    ("glrt-", (), f"the token of a runner, {_NOT_TAKEN}"),
    ("glptt-", (), "a trigger token, which can only start pipelines: give a personal, project or group access token"),
    ("glft-", (), f"a feed token, {_NOT_TAKEN}"),
    ("glcbt-", ("api_job_token",), "the token of a CI job: give it as api_job_token"),
    ("glpat-", ("api_token", "api_oauth_token", "extension"), "an access token: give it as api_token"),
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
    """Return what to do about an error status, empty when there is nothing better than GitLab's own words.

    :param endpoint: its name.
    :param title: of the web page that came instead of these words.
    """
    status, has_reason = error.status, error.has_reason
    text = (error.server_text or title).lower()
    found = page_advice(title)
    # GitLab takes no notice of some tokens, and hides private projects then
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
            and not (row.is_mere and has_reason)
        ):
            return row.advice
    return found or (_BEFORE_GITLAB if error.is_foreign else "")


def page_advice(title: str) -> str:
    """Return what to do about a web page that came instead of an answer, empty when its title does not tell."""
    return next((advice for words, advice in _PAGES if has_words(title.lower(), words)), "")


def has_words(text: str, words: str) -> bool:
    """Return whether one of the words between bars is in a text; no words are in all."""
    spaced = f" {_BETWEEN_WORDS.sub(' ', text)} "
    return not words or any(f" {each} " in spaced for each in words.split("|"))


def _misplaced_token(kind: TokenKind, token: str) -> str:
    """Return what is wrong with the kind of a token, as far as its beginning tells."""
    for prefix, kinds, what in _TOKEN_PREFIXES:
        if token.startswith(prefix) and kind not in kinds:
            return f"{kind} holds {what}"
    return ""
