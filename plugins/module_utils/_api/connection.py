# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Settings, credentials and TLS of a connection to a GitLab server."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import functools
import os
import re
import ssl
import typing as t
from urllib.parse import unquote
from urllib.request import getproxies_environment

from .errors import UsageError
from .http import Origin, parse_address
from .libraries import does_urllib3_check_names, requests_library

# pluggy's name for the project, and the group of entry points of extensions.
PROJECT_NAME = "jobgate.gitlab"
USER_AGENT = "jobgate.gitlab/0.1.0 (Ansible collection)"

TokenKind = t.Literal["api_token", "api_oauth_token", "api_job_token", "extension", ""]

# Variables to read a token from if no option sets one; for each kind, the first variable that is set wins. A CI job
# token is never picked up silently: the task would act as another user.
TOKEN_VARIABLES: t.Mapping[TokenKind, tuple[str, ...]] = {
    "api_token": ("GITLAB_API_TOKEN", "GITLAB_TOKEN", "GITLAB_PRIVATE_TOKEN"),
    "api_oauth_token": ("GITLAB_OAUTH_TOKEN",),
    "api_job_token": (),
}


@dataclasses.dataclass(frozen=True)
class ConnectionSettings:
    """The address of the server and how to connect to it; hooks receive it to build transports and credentials.

    :param api_url: base address of the REST API, ending in `/api/v4`.
    :param token_kind: the option that set the token, or `extension`; empty for anonymous access.
    :param credential: header names and values for this origin only; set by `gitlab_authenticate`.
    :param ca_path: file or folder of CA certificates, None for the one set in the environment.
    :param client_cert: file with the client certificate for this origin, None for none.
    :param client_key: file with its private key, None if `client_cert` contains it.
    :param http_headers: additional headers for this origin only.
    :param timeout_seconds: time limit for connecting and for each read.
    :param retries: how often to repeat a request that is safe to repeat.
    :param concurrency: maximum number of simultaneous requests of a task.
    :param requests_per_minute: maximum number of requests of a task in a minute, None for what the server allows.
    :param variables: the environment variables that set the address (`api_url`) and the token (`token`), if any do.
    """

    api_url: str
    token_kind: TokenKind = ""
    token: str = ""
    credential: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    ca_path: str | None = None
    validate_certs: bool = True
    timeout_seconds: float = 30.0
    retries: int = 5
    concurrency: int = 8
    extensions: tuple[str, ...] = ()
    client_cert: str | None = None
    client_key: str | None = None
    http_headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    requests_per_minute: int | None = None
    variables: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __repr__(self) -> str:
        # extensions may print or log the settings, which must not show a token
        return f"<ConnectionSettings of {self.api_url}>"

    @property
    def origin(self) -> Origin:
        """Return scheme, host and port that the credential belongs to."""
        return parse_address(self.api_url).origin

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every value that must not be shown anywhere."""
        bare = (value.rpartition(" ")[2] for value in self.credential.values())
        # short values of headers, and short parts of them, may be ordinary words
        values = (*self.http_headers.values(), *self.credential.values())
        parts = (part for value in values for part in _header_parts(value))
        headers = (part for part in parts if len(part) >= SHORTEST_SECRET_HEADER)
        found = (self.token, *self.credential.values(), *bare, *headers, *_proxy_passwords())
        return tuple(dict.fromkeys(secret for secret in found if secret))


SHORTEST_SECRET_HEADER = 8


def _header_parts(value: str) -> t.Iterator[str]:
    """Yield the parts of a header that a server may repeat: all of it, its words, and the password of Basic."""
    yield value
    for word in re.split(r"[\s;,]+", value):
        yield word
        yield word.partition("=")[2].strip("=\"'")
    scheme, _blank, encoded = value.partition(" ")
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            yield base64.b64decode(encoded).decode("utf-8").partition(":")[2]


def _proxy_passwords() -> t.Iterator[str]:
    """Yield the passwords in proxy addresses, which a proxy may repeat."""
    for proxy in getproxies_environment().values():
        password = proxy.rpartition("@")[0].rpartition("://")[2].partition(":")[2]
        yield password
        yield unquote(password)


# ----- TLS -----

# Variables that set a file or folder of CA certificates for OpenSSL, curl and requests; the first one that is set wins.
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def ca_source(ca_path: str | None) -> tuple[str, str]:
    """Return the file or folder of CA certificates, and the option or variable that sets it.

    The default is the bundle of requests, or an empty path for the certificates that the system trusts.
    """
    if ca_path:
        return ca_path, "ca_path"
    for name in CA_VARIABLES:
        if os.environ.get(name):
            return os.environ[name], name
    bundle = str(requests_library().certs.where())
    return (bundle, "the library requests") if os.path.exists(bundle) else ("", "")


def tls_context(
    settings: ConnectionSettings, *, with_client_cert: bool = False, is_for_proxy: bool = False
) -> ssl.SSLContext:
    """Return a TLS context for these settings; the same settings share one context, which child processes inherit.

    :param is_for_proxy: whether it is for connections to a proxy instead of a server.
    :raises UsageError: if a file cannot be used.
    """
    path, source = ca_source(settings.ca_path) if settings.validate_certs else ("", "")
    files = (settings.client_cert, settings.client_key) if with_client_cert else (None, None)
    # an extension may load more certificates into its context
    make = _new_context if settings.extensions else _kept_context
    # urllib3 1 can connect to an IP address only if it checks host names itself, which it does for servers
    checks_names = settings.validate_certs and (is_for_proxy or not does_urllib3_check_names())
    modes = (settings.validate_certs, checks_names)
    return make(modes, path, source, files, tuple(map(_changed_at, (path, *files))))


def _changed_at(path: str | None) -> float:
    try:
        return os.stat(path).st_mtime if path else 0.0
    except (OSError, ValueError):
        return 0.0


def _new_context(
    modes: tuple[bool, bool],
    path: str,
    source: str,
    client_files: tuple[str | None, str | None],
    _changed: tuple[float, ...],
) -> ssl.SSLContext:
    """Return a new TLS context.

    :param modes: whether to verify certificates, and whether OpenSSL checks the host names in them.
    :param path: a bundle, or a folder whose files are named by hashes and read on demand.
    :param _changed: modification times of the files, so that `_kept_context` reads changed files again.
    """
    try:
        if path and any(os.path.isdir(folder) for folder in path.split(os.pathsep)):
            context = ssl.create_default_context(capath=path)
        else:
            context = ssl.create_default_context(cafile=path or None)
    except (OSError, ValueError):
        raise UsageError(f"{source} does not name a readable file or folder of CA certificates") from None
    validate_certs, context.check_hostname = modes
    if not validate_certs:
        context.verify_mode = ssl.CERT_NONE
    certificate, key = client_files
    if certificate:
        try:
            # with an empty password, because OpenSSL would ask for one on the terminal
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ValueError):
            raise UsageError(
                "client_cert and client_key are not readable PEM files with a certificate and its unencrypted private "
                "key"
            ) from None
    return context


# Reading a bundle of CA certificates takes as long as a whole Ansible task.
_kept_context = functools.lru_cache(maxsize=8)(_new_context)
