# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Converts the options and the environment of a task to the settings of a connection: server and token."""

from __future__ import annotations

import typing as t

from ..._api.connection import TOKEN_VARIABLES, ConnectionSettings, TokenKind
from ..._api.errors import UsageError
from ..._app.settings import api_base_url, further_headers, token_value
from .arguments import Options

Environment = t.Mapping[str, str]
TokenVariables = t.Mapping[TokenKind, t.Sequence[str]]

# The first variable that is set wins.
URL_VARIABLES = (
    "GITLAB_API_URL",
    "GITLAB_URL",
    "GITLAB_SERVER_URL",
    "GITLAB_HOST",
    "GL_HOST",
    "CI_SERVER_URL",
)
# These can contain a host name without a scheme.
_HOST_VARIABLES = ("GITLAB_HOST", "GL_HOST")
EXTENSION_VARIABLES = ("JOBGATE_EXTENSIONS",)

# Longer than any wait for a job. Somewhere above it, a timeout is too long for sockets.
_MAX = 1_000_000
# The field for each number option, with its minimum and maximum.
Numbers = t.Mapping[str, tuple[str, float, float]]
_NUMBERS: Numbers = {
    "api_timeout": ("timeout_seconds", 0.001, _MAX),
    "api_retries": ("retries", 0, _MAX),
    "api_concurrency": ("concurrency", 1, 1000),
    "api_requests_per_minute": ("requests_per_minute", 1, _MAX),
}


def connection_settings(
    options: Options, environ: Environment, *, token_variables: TokenVariables | None = None
) -> ConnectionSettings:
    """Return the connection that the options describe.

    :param options: validated options, of which only the connection options are read.
    :param environ: contains the token if no option sets it.
    :param token_variables: the variables that can contain it, None for the usual ones.
    :raises UsageError: if the options cannot be used.
    """
    kind, token_name, token = choose_token(options, environ, variables=token_variables)
    server = url_name(options, environ)
    if options.get("client_key") and not options.get("client_cert"):
        raise UsageError("client_key is set without client_cert; set client_cert to the certificate of the key")
    return ConnectionSettings(
        api_url=api_base_url(str(options["api_url"]), server),
        token_kind=kind,
        token=token,
        ca_path=options.get("ca_path"),
        validate_certs=options.get("validate_certs") is not False,
        extensions=tuple(map(str.strip, options.get("extensions") or ())),
        client_cert=options.get("client_cert"),
        client_key=options.get("client_key"),
        http_headers=further_headers(options.get("http_headers") or {}),
        variables={
            what: name for what, name in (("api_url", server), ("token", token_name)) if name not in ("api_url", kind)
        },
        **number_fields(_NUMBERS, options),
    )


def environment_url(environ: Environment) -> str:
    """Return the address of the server from the environment, empty if it is not set there."""
    name = first_set(environ, URL_VARIABLES)
    value = environ.get(name, "").strip()
    return f"https://{value}" if name in _HOST_VARIABLES and "://" not in value else value


def url_name(options: Options, environ: Environment) -> str:
    """Return the source of the server's address: the variable if its value is used, else `api_url`."""
    name = first_set(environ, URL_VARIABLES)
    return name if name and options["api_url"] == environment_url(environ) else "api_url"


def environment_extensions(environ: Environment) -> list[str]:
    names = [name.strip() for name in environ.get(first_set(environ, EXTENSION_VARIABLES), "").split(",")]
    return [name for name in names if name]


def choose_token(
    options: Options, environ: Environment, *, variables: TokenVariables | None = None
) -> tuple[TokenKind, str, str]:
    """Return the kind of the token to use, the option or variable that sets it, and its value; all empty without one.

    :raises UsageError: if several are set, or one is empty or cannot be sent.
    """
    kinds = [kind for kind in TOKEN_VARIABLES if options.get(kind) is not None]
    given: list[tuple[TokenKind, str, str]] = [(kind, kind, str(options[kind])) for kind in kinds]
    if not given:
        found = [(kind, first_set(environ, names)) for kind, names in (variables or TOKEN_VARIABLES).items()]
        given = [(kind, name, environ[name]) for kind, name in found if name]
    if len(given) > 1:
        origins = ", ".join(name for _kind, name, _token in given)
        raise UsageError(f"several tokens are set: {origins}; set only one")
    for kind, name, token in given:
        return kind, name, token_value(name, token)
    return "", "", ""


def first_set(environ: Environment, names: t.Iterable[str]) -> str:
    """Return the name of the first variable that is set and not blank, else an empty string."""
    return next((name for name in names if environ.get(name, "").strip()), "")


def number_fields(numbers: Numbers, options: Options) -> dict[str, t.Any]:
    """Return the numbers that are set, by field.

    :raises UsageError: for numbers that are too small or too large.
    """
    found: dict[str, t.Any] = {}
    for name, (field, minimum, maximum) in numbers.items():
        value = options.get(name)
        if value is None:
            continue
        is_ = f"{name} is {f'{value:g}' if isinstance(value, float) else value}"
        if not value >= minimum:
            raise UsageError(f"{is_}; use {minimum:g} or more")
        if value > maximum:
            raise UsageError(f"{is_}; use {maximum:,} or less")
        found[field] = value
    return found
