# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""From options and environment to a connection: addresses made regular, one token chosen, mistakes explained."""

from __future__ import annotations

import re
import typing as t

from .._api.connection import ConnectionSettings, TokenKind
from .._api.endpoints import to_text
from .._api.errors import UsageError
from .._api.http import parse_address

DEFAULT_URL = "https://gitlab.com"

# The first variable that is set wins. A CI job token is never picked up silently: it would act as somebody else.
URL_VARIABLES = ("GITLAB_API_URL", "GITLAB_URL", "GITLAB_SERVER_URL", "CI_SERVER_URL")
EXTENSION_VARIABLES = ("JOBGATE_EXTENSIONS",)
TOKEN_VARIABLES: t.Mapping[TokenKind, tuple[str, ...]] = {
    "api_token": ("GITLAB_API_TOKEN", "GITLAB_TOKEN", "GITLAB_PRIVATE_TOKEN"),
    "api_oauth_token": ("GITLAB_OAUTH_TOKEN",),
    "api_job_token": (),
}

_API_SUFFIX = "/api/v4"
# More than the longest wait for a job; what sockets can take ends somewhere beyond it.
_LONGEST_TIMEOUT_SECONDS = 1e6
_AUTHORITY_END = re.compile("[/?#]")
_AFTER_PATH = re.compile("[?#]")
_OTHER_API = re.compile(r"/api(/v\d+)?$")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[ -~\t]*")
# Headers that are made here, by requests or for a proxy, in lower case. http_headers must not change who we are, where
# a request goes, or where it ends.
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


def connection_settings(options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> ConnectionSettings:
    """Return the connection that the options describe.

    :param options: as validated; only the connection options are read.
    :param environ: for the fall-backs of options that are not given.
    :raises UsageError: when they cannot be used.
    """
    kind, token = choose_token(options, environ)
    client_cert, client_key = options.get("client_cert"), options.get("client_key")
    if client_key and not client_cert:
        raise UsageError("client_key is given without client_cert; give the certificate that belongs to the key")
    retries, concurrency = int(options.get("api_retries", 5)), int(options.get("api_concurrency", 8))
    timeout_seconds = float(options.get("api_timeout", 30.0))
    for name, value, least in (
        ("api_retries", retries, 0),
        ("api_concurrency", concurrency, 1),
        ("api_timeout", timeout_seconds, 0.001),
    ):
        if not value >= least:
            raise UsageError(f"{name} is {value:g}, which is too small: give {least:g} or more")
    if timeout_seconds > _LONGEST_TIMEOUT_SECONDS:
        raise UsageError(f"api_timeout is {timeout_seconds:g}; give {_LONGEST_TIMEOUT_SECONDS:g} seconds or less")
    url = options.get("api_url") or first_set(environ, URL_VARIABLES) or DEFAULT_URL
    extensions = options.get("extensions")
    if extensions is None:
        extensions = first_set(environ, EXTENSION_VARIABLES).split(",")
    return ConnectionSettings(
        api_url=api_base_url(str(url)),
        token_kind=kind,
        token=token,
        ca_path=options.get("ca_path"),
        validate_certs=bool(options.get("validate_certs", True)),
        timeout_seconds=timeout_seconds,
        retries=retries,
        concurrency=concurrency,
        extensions=tuple(name.strip() for name in extensions if name.strip()),
        client_cert=client_cert,
        client_key=client_key,
        http_headers=further_headers(options.get("http_headers") or {}),
    )


def api_base_url(url: str) -> str:
    """Return the base address of the REST API for any way people write the address of a GitLab server.

    :raises UsageError: when it is no http or https address, or carries a user name.
    """
    text = url.strip()
    authority = _AUTHORITY_END.split(text.partition("://")[2], maxsplit=1)[0]
    if "@" in authority:
        raise UsageError("api_url carries a user name; leave it out and give a token with api_token")
    if _AFTER_PATH.search(text):
        raise UsageError(
            f"api_url {_shown(url)!r} carries a query or a fragment; write it like https://gitlab.example.com"
        )
    try:
        address = parse_address(text)
    except ValueError:
        raise UsageError(
            f"api_url {_shown(url)!r} is no web address; write it like https://gitlab.example.com"
        ) from None
    path = address.path.rstrip("/")
    if not path.endswith(_API_SUFFIX):
        if _OTHER_API.search(path):
            raise UsageError(f"api_url {_shown(url)!r} names another API than {_API_SUFFIX}; leave the part /api out")
        path += _API_SUFFIX
    return address.origin_url + path


def further_headers(headers: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the headers of the option `http_headers` as they are sent.

    :raises UsageError: for one that cannot be sent, or must not be changed.
    """
    found = {}
    for name, value in headers.items():
        text = to_text(value) if isinstance(value, (str, int, float)) else "\n"
        # the value may be a secret, and what is no name may be one as well
        if not _HEADER_NAME.fullmatch(str(name)) or not _HEADER_VALUE.fullmatch(text) or text != text.strip():
            raise UsageError(
                "http_headers holds something that is no header: give names of letters, digits and hyphens, and values "
                "that are text in one line"
            )
        if name.lower() in _OWN_HEADERS:
            raise UsageError(f"http_headers cannot set {name}; leave it out, and give a token with api_token")
        found[str(name)] = text
    return found


def choose_token(options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> tuple[TokenKind, str]:
    """Return the kind and value of the one token to use; both are empty for anonymous access.

    :raises UsageError: when there are several, or one that cannot be sent.
    """
    given = {kind: str(options[kind]).strip() for kind in TOKEN_VARIABLES if options.get(kind)}
    source = "given"
    if not given:
        source = "set in the environment"
        found = {kind: first_set(environ, names).strip() for kind, names in TOKEN_VARIABLES.items()}
        given = {kind: value for kind, value in found.items() if value}
    if len(given) > 1:
        raise UsageError(f"several tokens are {source}: {', '.join(given)}; give exactly one")
    for kind, token in given.items():
        if _CONTROL.search(token) or not token.isascii():
            raise UsageError(f"{kind} holds blanks, line breaks or other characters that no token has")
        return kind, token
    return "", ""


def first_set(environ: t.Mapping[str, str], names: t.Iterable[str]) -> str:
    """Return the value of the first variable that is set and not empty, else an empty string."""
    return next((environ[name] for name in names if environ.get(name)), "")


def project_of(options: t.Mapping[str, t.Any]) -> str:
    """Return the project as GitLab takes it.

    :raises UsageError: for a path that GitLab would not find.
    """
    project = str(options.get("project") or "").strip().strip("/")
    if not project:
        raise UsageError("project is empty; give the numeric id or the full path, like group/project")
    if "%2f" in project.lower():
        raise UsageError(f"project {project!r} is URL-encoded; give the plain path, like group/project")
    if "://" in project:
        raise UsageError(f"project {project!r} is a web address; give only the path, like group/project")
    if not project.isdigit() and "/" not in project:
        raise UsageError(
            f"project {project!r} has no slash: GitLab finds a project only by its numeric id or its full path, like "
            f"group/{project}"
        )
    return project


def _shown(url: str) -> str:
    """Return an address as it may stand in a message: without user information and query, and short."""
    # whatever stands before an @ may be a password, in an address that cannot be taken apart most of all
    return _AFTER_PATH.split(url.rpartition("@")[2], maxsplit=1)[0][:100]


def with_credential(settings: ConnectionSettings, credential: t.Mapping[str, str]) -> ConnectionSettings:
    """Return the settings with what the authentication hook said."""
    kind: TokenKind = settings.token_kind or ("extension" if credential else "")
    return settings._replace(token_kind=kind, credential=dict(credential))
