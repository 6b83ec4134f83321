# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Normalize and check addresses, headers, tokens and projects; list what each kind of token may do."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._api.connection import TokenKind
from .._api.endpoints import to_text
from .._api.errors import UsageError
from .._api.http import parse_address
from .._api.masking import MASK

DEFAULT_URL = "https://gitlab.com"

_API_SUFFIX = "/api/v4"
_AUTHORITY_END = re.compile("[/?#]")
_AFTER_PATH = re.compile("[?#]")
_OTHER_API = re.compile(r"/api(/v\d+)?$")
_GIT_REMOTE = re.compile(r"[^/@:]+@[^/@:]+:(?P<path>.+?)(\.git)?")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[ -~\t]*")
# Headers set here, by requests or for a proxy, in lower case. http_headers must not change the credential, the
# destination or the framing of a request.
_OWN_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "job-token",
        "keep-alive",
        "private-token",
        "proxy-authorization",
        "proxy-connection",
        "sudo",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclasses.dataclass(frozen=True)
class TokenLimits:
    """The permissions of a kind of token; GitLab decides about everything else.

    :param acts: whether it may play, retry, cancel or erase jobs.
    :param reads_single_jobs: whether it may read a job by its id; otherwise, it may still list jobs.
    :param reads_logs: whether it may read logs.
    :param reads_pipelines: whether it certainly may read the record of a pipeline.
    :param may_read: whether it may read anything beyond the downloads of artifacts.
    """

    acts: bool = True
    reads_single_jobs: bool = True
    reads_logs: bool = True
    reads_pipelines: bool = True
    may_read: bool = True


# Source: https://docs.gitlab.com/ci/jobs/ci_job_token/#job-token-access
LIMITS: t.Mapping[TokenKind, TokenLimits] = {
    "api_token": TokenLimits(),
    "api_oauth_token": TokenLimits(),
    "api_job_token": TokenLimits(
        acts=False, reads_single_jobs=False, reads_logs=False, reads_pipelines=False, may_read=False
    ),
    "extension": TokenLimits(),
    # anonymous
    "": TokenLimits(may_read=False),
}


def api_base_url(url: str, origin: str = "api_url") -> str:
    """Return the base URL of the REST API for the address of a GitLab server, however it is written.

    :param origin: the option or variable that sets it.
    :raises UsageError: if it is not an http or https address, or contains a user name.
    """
    text = url.strip()
    if not text:
        raise UsageError(f"{origin} is empty; set it to the address of the server, or omit it")
    authority = _AUTHORITY_END.split(text.partition("://")[2], maxsplit=1)[0]
    if "@" in authority:
        raise UsageError(f"{origin} contains a user name; remove it and set api_token")
    if _AFTER_PATH.search(text):
        raise UsageError(
            f"{origin} {_shown(url)!r} contains a query or a fragment; write it like https://gitlab.example.com"
        )
    try:
        address = parse_address(text)
    except ValueError:
        form = "https://gitlab.example.com" if text.isascii() else "https://xn--bcher-kva.example, in ASCII only"
        raise UsageError(f"{origin} {_shown(url)!r} is not a web address; write it like {form}") from None
    path = address.path.rstrip("/")
    if not path.endswith(_API_SUFFIX):
        if _OTHER_API.search(path):
            raise UsageError(f"{origin} {_shown(url)!r} refers to another API than {_API_SUFFIX}; remove the part /api")
        path += _API_SUFFIX
    return address.origin_url + path


def are_headers(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str)
        and isinstance(text, str)
        and _HEADER_NAME.fullmatch(name)
        and _HEADER_VALUE.fullmatch(text)
        and text == text.strip()
        for name, text in value.items()
    )


def further_headers(headers: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the headers of the option `http_headers` as they are sent.

    :raises UsageError: if one is invalid or must not be changed.
    """
    found = {}
    for name, value in headers.items():
        text = to_text(value) if isinstance(value, (str, int, float)) else "\n"
        # the value may be a secret, and so may an invalid name: show neither
        if not are_headers({str(name): text}):
            raise UsageError(
                "http_headers contains an invalid header: use letters, digits and hyphens in names, and "
                "single-line strings as values"
            )
        if name.lower() in _OWN_HEADERS:
            raise UsageError(f"http_headers cannot set {name}; remove it, and set a token with api_token")
        found[str(name)] = text
    return found


def token_value(origin: str, token: str) -> str:
    """Return a token as it is sent.

    :param origin: the option or variable that sets it.
    :raises UsageError: if it is empty or cannot be sent.
    """
    value = token.strip()
    if not value:
        raise UsageError(f"{origin} is empty; set it to a token, or omit it to use the environment")
    if _CONTROL.search(value) or not value.isascii() or MASK in value:
        raise UsageError(f"{origin} contains spaces, line breaks or other characters that tokens cannot have")
    return value


def project_path(project: str, api_url: str, origin: str = "api_url") -> str:
    """Return the id or path of a project; accept the web address of one of its pages, too.

    :param api_url: base URL of the REST API.
    :param origin: the option or variable that sets it.
    :raises UsageError: if the page is on another server, or if GitLab would not find the path.
    """
    given, project = project, project.strip()
    if "://" in project:
        project = _path_of_page(project, api_url, origin)
    project = project.strip("/")
    if not project:
        raise UsageError(f"project is {given!r}; set it to the numeric id or the full path, like group/project")
    if "%2f" in project.lower():
        raise UsageError(f"project {project!r} is URL-encoded; use the plain path, like group/project")
    if project[0] in "[{":
        raise UsageError(f"project is {project!r}; set it to one project, not a list or a mapping")
    remote = _GIT_REMOTE.fullmatch(project)
    if remote:
        raise UsageError(f"project {project!r} is the address of a Git repository; use the path, like {remote['path']}")
    if "@" in project:
        # anything before it may be a password
        raise UsageError(f"project {_shown(project)!r} is an address; use the path of the project, like group/project")
    if not project.isdigit() and "/" not in project:
        raise UsageError(
            f"project {project!r} has no slash: GitLab finds a project only by its numeric id or its full path, like "
            f"group/{project}"
        )
    # no project path ends with .git, but repository addresses do
    return project.removesuffix(".git")


def _path_of_page(page: str, api_url: str, origin: str) -> str:
    server = parse_address(api_url)
    base = server.path.removesuffix(_API_SUFFIX)
    where = server.origin_url + base
    try:
        address = parse_address(page.partition("#")[0])
    except ValueError:
        raise UsageError(
            f"project {_shown(page)!r} is not a web address; use the path of the project, like group/project"
        ) from None
    if address.origin != server.origin or not f"{address.path}/".startswith(f"{base}/"):
        raise UsageError(
            f"project {_shown(page)!r} belongs to another server than {origin}, {where}; use the path of a project "
            "there, or set api_url"
        )
    return address.path[len(base) :].partition("/-/")[0]


def _shown(url: str) -> str:
    """Return an address for a message: shortened, without user information and query."""
    # anything before an @ may be a password, especially in an address that cannot be parsed
    return _AFTER_PATH.split(url.rpartition("@")[2], maxsplit=1)[0][:100]
