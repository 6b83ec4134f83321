# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What one connection to a GitLab server is made of: settings, TLS, and sockets whose reads come to an end."""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import os
import socket
import ssl
import threading
import time
import types
import typing as t

from .errors import UsageError
from .http import Origin, origin_of
from .libraries import HTTPAdapter, does_urllib3_check_names, requests_library

# pluggy's name for the project, and the group of entry points of extensions.
PROJECT_NAME = "jobgate.gitlab"
USER_AGENT = "jobgate.gitlab/0.1.0 (Ansible collection)"

TokenKind = t.Literal["api_token", "api_oauth_token", "api_job_token", "extension", ""]

# Where a token is looked for when no option gives one; of a kind, the first variable that is set wins. A CI job token
# is never picked up silently: it would act as somebody else.
TOKEN_VARIABLES: t.Mapping[TokenKind, tuple[str, ...]] = {
    "api_token": ("GITLAB_API_TOKEN", "GITLAB_TOKEN", "GITLAB_PRIVATE_TOKEN"),
    "api_oauth_token": ("GITLAB_OAUTH_TOKEN",),
    "api_job_token": (),
}


class ConnectionSettings(t.NamedTuple):
    """Where the server is and how to talk to it; what hooks that build a transport or a credential are given.

    :param api_url: base address of the REST API, ending in `/api/v4`.
    :param token_kind: which option the token came from, or that it came from an extension; empty for anonymous access.
    :param credential: header names and values to send to this origin, and to no other; filled by `gitlab_authenticate`.
    :param ca_path: file or folder of CA certificates, None for what the environment names.
    :param client_cert: file with the client certificate for this origin, None for none.
    :param client_key: file with its private key, None when `client_cert` holds it.
    :param http_headers: further headers to send to this origin, and to no other.
    :param timeout_seconds: for connecting, and for each read.
    :param retries: how often a request that is safe to repeat is repeated.
    :param concurrency: most simultaneous requests of one task.
    :param requests_per_minute: most requests of one task in a minute, None for what the server allows.
    """

    api_url: str
    token_kind: TokenKind = ""
    token: str = ""
    credential: t.Mapping[str, str] = types.MappingProxyType({})
    ca_path: str | None = None
    validate_certs: bool = True
    timeout_seconds: float = 30.0
    retries: int = 5
    concurrency: int = 8
    extensions: tuple[str, ...] = ()
    client_cert: str | None = None
    client_key: str | None = None
    http_headers: t.Mapping[str, str] = types.MappingProxyType({})
    requests_per_minute: int | None = None

    def __repr__(self) -> str:
        # what extensions print or log must not hold a token
        return f"<ConnectionSettings of {self.api_url}>"

    @property
    def origin(self) -> Origin:
        """Return scheme, host and port that the credential belongs to."""
        return origin_of(self.api_url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every value that must appear nowhere."""
        bare = (value.rpartition(" ")[2] for value in self.credential.values())
        # a short value of a header is a word like any other
        headers = (value for value in self.http_headers.values() if len(value) >= _SHORTEST_SECRET_HEADER)
        found = (self.token, *self.credential.values(), *bare, *headers)
        return tuple(dict.fromkeys(secret for secret in found if secret))


_SHORTEST_SECRET_HEADER = 8

# ----- TLS -----

# Where users of OpenSSL, curl and requests name a file or folder of certificate authorities; the first one counts.
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def ca_source(ca_path: str | None, environ: t.Mapping[str, str]) -> tuple[str, str]:
    """Return the file or folder of CA certificates, and the option or variable that names it.

    Without any of them it is the bundle of requests, or none for what the system trusts.
    """
    if ca_path:
        return ca_path, "ca_path"
    for name in CA_VARIABLES:
        if environ.get(name):
            return environ[name], name
    bundle = str(requests_library().certs.where())
    return (bundle, "the library requests") if os.path.exists(bundle) else ("", "")


def tls_context(
    settings: ConnectionSettings,
    environ: t.Mapping[str, str],
    *,
    with_client_cert: bool = False,
    is_for_proxy: bool = False,
) -> ssl.SSLContext:
    """Return a context for these settings; the same settings get the same context, in child processes as well.

    :param is_for_proxy: whether it is for connections to a proxy, and not for those to servers.
    :raises UsageError: when a file cannot be used.
    """
    path, source = ca_source(settings.ca_path, environ) if settings.validate_certs else ("", "")
    files = (settings.client_cert, settings.client_key) if with_client_cert else (None, None)
    # an extension may load further certificates into its context
    make = _new_context if settings.extensions else _kept_context
    # urllib3 1 can connect to an address without a name only when it compares the names, which it does for servers
    checks_names = settings.validate_certs and (is_for_proxy or not does_urllib3_check_names())
    modes = (settings.validate_certs, checks_names)
    return make(modes, path, source, files, tuple(map(_changed_at, (path, *files))))


def _changed_at(path: str | None) -> float:
    try:
        return os.stat(path).st_mtime if path else 0.0
    except OSError:
        return 0.0


def _new_context(
    modes: tuple[bool, bool],
    path: str,
    source: str,
    client_files: tuple[str | None, str | None],
    _changed: tuple[float, ...],
) -> ssl.SSLContext:
    """Return a context.

    :param modes: whether certificates are verified, and whether OpenSSL compares the names in them.
    :param path: of a bundle, or of a folder whose files are named by hashes and read when they are needed.
    :param _changed: when the files were changed: others are read again.
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
            # with a password that is none: OpenSSL would ask for one on the terminal
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ValueError):
            raise UsageError(
                "client_cert and client_key do not name readable PEM files with a certificate and its private key, "
                "not encrypted"
            ) from None
    return context


# Reading a bundle of authorities takes as long as a task of Ansible.
_kept_context = functools.lru_cache(maxsize=8)(_new_context)


# ----- exchanges that come to an end -----


class TimeLimit:
    """Until when an exchange may take; a server that sends byte after byte resets the time-out of a socket each time.

    :param seconds: from now on.
    """

    def __init__(self, seconds: float) -> None:
        # for errors: how long what comes now may take
        self.seconds = self._total = seconds
        self._end = self._at = time.monotonic() + seconds
        # whether the connection is not there yet, so that the request was certainly not executed
        self.is_connecting = False
        # whether the connection was made for this exchange
        self.is_fresh = False

    def left(self) -> float:
        """Return the seconds left, 0 at the least."""
        return max(0.0, self._at - time.monotonic())

    def narrow(self, seconds: float) -> None:
        """Let what comes now take so many seconds, of those that are left."""
        at = time.monotonic() + seconds
        self._at, self.seconds = (at, seconds) if at < self._end else (self._end, self._total)


class _BoundedFile(io.RawIOBase):
    """Reads from a socket; no read takes longer than the time-out, nor than what is left of the limit."""

    def __init__(self, sock: t.Any, limit: TimeLimit) -> None:
        # the file that the socket makes keeps it open until the answer was read
        self._file = sock.makefile("rb", buffering=0)
        self._socket = sock
        self._timeout_seconds = sock.gettimeout()
        self._limit = limit

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        """Fill a buffer with what comes next."""
        left = self._limit.left()
        if not left:
            raise socket.timeout("the time for the whole answer is over")
        self._socket.settimeout(left if self._timeout_seconds is None else min(self._timeout_seconds, left))
        return t.cast("int | None", self._file.readinto(buffer))

    def close(self) -> None:
        """Let go of the socket."""
        self._file.close()
        super().close()


class _BoundedSocket:
    """What `http.client` needs of a socket to read an answer from it."""

    def __init__(self, sock: t.Any, limit: TimeLimit) -> None:
        self._socket = sock
        self._limit = limit

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the file that the answer is read from."""
        return io.BufferedReader(_BoundedFile(self._socket, self._limit))


class CurrentLimit(threading.local):
    """The limit of the exchange that the present thread has begun."""

    limit: TimeLimit | None = None

    @contextlib.contextmanager
    def set(self, limit: TimeLimit) -> t.Iterator[None]:
        """Let connections and answers of this thread keep to a limit."""
        self.limit = limit
        try:
            yield
        finally:
            self.limit = None


def _bounded_pools(pools: t.Mapping[str, t.Any], current: CurrentLimit) -> dict[str, t.Any]:
    """Return urllib3's classes of connection pools, with connections that keep to the limit."""
    return {scheme: _bounded_pool(pool, current) for scheme, pool in pools.items()}


def _bounded_pool(pool_class: t.Any, current: CurrentLimit) -> t.Any:
    class BoundedConnection(pool_class.ConnectionCls):  # type: ignore[misc]
        def connect(self) -> None:
            limit = current.limit or TimeLimit(float("inf"))
            limit.is_connecting = limit.is_fresh = True
            super().connect()
            limit.is_connecting = False
            # no warning on the terminal for what `validate_certs: false` asks for
            self.is_verified = True

        def response_class(self, sock: t.Any, *args: t.Any, **kwargs: t.Any) -> http.client.HTTPResponse:
            # without a limit, the session is used by an extension for something else
            source: t.Any = _BoundedSocket(sock, current.limit) if current.limit else sock
            return http.client.HTTPResponse(source, *args, **kwargs)

    class BoundedPool(pool_class):  # type: ignore[misc]
        ConnectionCls = BoundedConnection

    return BoundedPool


class Adapter(HTTPAdapter):  # type: ignore[misc]
    """What requests leaves open: a TLS context made before, nothing repeated, a pool of this size, and time limits.

    :param context: for servers.
    :param proxy_context: for proxies that are themselves reached by TLS; they get no client certificate.
    """

    def __init__(
        self, context: ssl.SSLContext, proxy_context: ssl.SSLContext, *, pool_size: int, current: CurrentLimit
    ) -> None:
        self._context = context
        self._proxy_context = proxy_context
        self._current = current
        super().__init__(pool_connections=4, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Make the pools for servers that are reached directly."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _bounded_pools(self.poolmanager.pool_classes_by_scheme, self._current)

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        """Return the pools for servers that are reached by a proxy."""
        if proxy in self.proxy_manager:
            return self.proxy_manager[proxy]
        if proxy.lower().startswith("https:"):
            kwargs["proxy_ssl_context"] = self._proxy_context
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = _bounded_pools(manager.pool_classes_by_scheme, self._current)
        return manager

    def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:
        """Leave the authorities to the context; requests would add its own to them."""
        if cert:
            conn.cert_file, conn.key_file = (cert, None) if isinstance(cert, str) else cert

    def build_connection_pool_key_attributes(self, request: t.Any, verify: t.Any, cert: t.Any = None) -> t.Any:
        """Return what tells pools apart, without the authorities, as above."""
        host, tls = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {name: tls[name] for name in ("cert_file", "key_file") if name in tls}
