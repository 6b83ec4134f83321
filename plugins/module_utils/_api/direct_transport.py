# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The transport without anything in between: connections of the standard library, kept open and shared by threads.

It costs a fifth of what a call through `requests.Session` does, and nothing has to be imported for it that Ansible has
not loaded anyway. Where a proxy is configured, requests does the work.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import select
import socket
import ssl
import threading
import typing as t
from urllib.parse import urlsplit

from .compression import ACCEPTED, Decoder
from .connection import USER_AGENT, ConnectionSettings
from .errors import ConnectError, LostAnswerError, RequestError, TrustError, UsageError
from .http import Request, Response, lower_case, origin_of
from .tls import context_for

Origin = tuple[str, str, t.Optional[int]]

# What http.client raises before a byte was sent, for a header or an address that cannot be written down.
_UNSENDABLE = (http.client.InvalidURL, http.client.CannotSendRequest, ValueError)
# What may happen to a connection that was there.
_BROKEN = (OSError, http.client.HTTPException, ValueError)
_NO_BODY = (204, 304)


class DirectTransport:
    """Sends through connections of its own, one request at a time on each."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._origin = settings.origin
        self._lock = threading.Lock()
        self._idle: dict[Origin, list[http.client.HTTPConnection]] = {}

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        """Return the answer to one request."""
        with _located(request):
            connection, answer = self._exchange(request, timeout_seconds, ACCEPTED)
            with _closed_unless_whole(connection), _read_errors(timeout_seconds):
                headers = lower_case(answer.headers.items())
                declared = _declared_length(request, answer, headers)
                decoder = Decoder(headers.get("content-encoding", ""))
                content = answer.read()
                _check_length(len(content), declared)
                content = decoder.decode(content)
                decoder.finish()
            self._keep(connection, answer)
            return Response(status=answer.status, headers=headers, body=content, url=request.url)

    def stream(self, request: Request, *, timeout_seconds: float) -> DirectStream:
        """Return the answer to one request, its body unread."""
        with _located(request):
            # compressed content that ends early looks whole when the length fits, and artifacts are compressed already
            connection, answer = self._exchange(request, timeout_seconds, "identity")
            with _closed_unless_whole(connection):
                headers = lower_case(answer.headers.items())
                return DirectStream(request, connection, answer, headers, timeout_seconds)

    # ----- one exchange -----

    def _exchange(
        self, request: Request, timeout_seconds: float, encodings: str
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Return the connection that was used, and the beginning of the answer."""
        parts = urlsplit(request.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = self._connection(origin_of(request.url), timeout_seconds)
        with _closed_unless_whole(connection):
            try:
                connection.putrequest(request.method, target, skip_accept_encoding=True)
                for name, value in self._headers(request, encodings).items():
                    connection.putheader(name, value)
            except _UNSENDABLE as exc:
                raise UsageError(
                    f"the connection options cannot be used: {type(exc).__name__}; check api_url and the token"
                ) from None
            # only now, when it is certain that the request can be written down
            if connection.sock is None:
                _connect(connection, timeout_seconds)
            with _read_errors(timeout_seconds):
                connection.endheaders(request.body)
                return connection, connection.getresponse()

    def _headers(self, request: Request, encodings: str) -> dict[str, str]:
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": encodings, **request.headers}
        if request.body is not None or request.method not in ("GET", "HEAD"):
            headers["Content-Length"] = str(len(request.body or b""))
        if origin_of(request.url) == self._origin:
            headers.update(self._settings.credential)
        return headers

    # ----- connections -----

    def _connection(self, origin: Origin, timeout_seconds: float) -> http.client.HTTPConnection:
        """Return a connection that was used before, or a new one, not yet made."""
        while True:
            with self._lock:
                idle = self._idle.get(origin)
                connection = idle.pop() if idle else None
            if connection is None:
                return self._new_connection(origin, timeout_seconds)
            if _is_usable(connection):
                connection.sock.settimeout(timeout_seconds)
                return connection
            connection.close()

    def _keep(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
        """Keep a connection for the next request, unless the server is to close it."""
        if answer.will_close or connection.sock is None:
            connection.close()
            return
        origin = (
            "https" if isinstance(connection, http.client.HTTPSConnection) else "http",
            connection.host.lower(),
            connection.port,
        )
        with self._lock:
            self._idle.setdefault(origin, []).append(connection)

    def _new_connection(self, origin: Origin, timeout_seconds: float) -> http.client.HTTPConnection:
        scheme, host, port = origin
        if scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=timeout_seconds)
        settings = self._settings
        context = context_for(validate_certs=settings.validate_certs, ca_path=settings.ca_path, environ=os.environ)
        return http.client.HTTPSConnection(host, port, timeout=timeout_seconds, context=context)


def _connect(connection: http.client.HTTPConnection, timeout_seconds: float) -> None:
    """Make a connection.

    :raises ConnectError: when the server is not reached.
    """
    try:
        connection.connect()
    except Exception as exc:
        error = _connect_error(exc, connection, timeout_seconds)
        if error is None:
            raise
        # `from None`: nobody needs the traceback of a library
        raise error from None


class DirectStream:
    """A body as it comes."""

    def __init__(
        self,
        request: Request,
        connection: http.client.HTTPConnection,
        answer: http.client.HTTPResponse,
        headers: t.Mapping[str, str],
        timeout_seconds: float,
    ) -> None:
        self.status = answer.status
        self.headers = headers
        self.url = request.url
        self._request = request
        self._connection = connection
        self._answer = answer
        self._timeout_seconds = timeout_seconds
        self._declared = _declared_length(request, answer, headers)
        self._received = 0
        self._decoder = Decoder(headers.get("content-encoding", ""))
        self._decoded = b""

    def header(self, name: str) -> str:
        """Return a header's value, empty when the header is absent."""
        return self.headers.get(name.lower(), "")

    def read(self, size: int) -> bytes:
        """Return up to so many bytes, decoded if the server has encoded them although it was not asked to."""
        buffer = bytearray(size)
        return bytes(buffer[: self.readinto(memoryview(buffer))])

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer with the next bytes, at its beginning; return how many there are, 0 at the end."""
        if self._decoder.is_plain:
            return self._receive(buffer)
        while not self._decoded:
            count = self._receive(buffer)
            if not count:
                with _located(self._request):
                    self._decoder.finish()
                return 0
            with _located(self._request):
                self._decoded = self._decoder.decode(bytes(buffer[:count]))
        count = min(len(buffer), len(self._decoded))
        buffer[:count] = self._decoded[:count]
        self._decoded = self._decoded[count:]
        return count

    def _receive(self, buffer: memoryview) -> int:
        with _located(self._request), _read_errors(self._timeout_seconds):
            count = self._answer.readinto(buffer)
            self._received += count
            if not count:
                _check_length(self._received, self._declared)
            return count

    def close(self) -> None:
        """Let go of the connection: the rest of a body may be long, so it is not kept."""
        self._answer.close()
        self._connection.close()


# ----- lengths -----


def _declared_length(request: Request, answer: http.client.HTTPResponse, headers: t.Mapping[str, str]) -> int | None:
    """Return how long the body is to be, None when that is not said.

    :raises LostAnswerError: when it is said in several ways, so that the end cannot be known.
    """
    if answer.chunked or request.method == "HEAD" or answer.status in _NO_BODY:
        return None
    values = {value.strip() for value in answer.headers.get_all("content-length", [])}
    if not values:
        return None
    length = values.pop()
    if values or not (length.isascii() and length.isdecimal()):
        raise LostAnswerError("the answer says no length that can be believed")
    return int(length)


def _check_length(received: int, declared: int | None) -> None:
    if declared is not None and received != declared:
        raise LostAnswerError(f"the answer was cut after {received} of {declared} bytes")


# ----- errors -----


@contextlib.contextmanager
def _located(request: Request) -> t.Iterator[None]:
    """Fill in method and address of an error."""
    try:
        yield
    except RequestError as exc:
        exc.method, exc.url = request.method, request.display_url
        raise


@contextlib.contextmanager
def _closed_unless_whole(connection: http.client.HTTPConnection) -> t.Iterator[None]:
    """Close the connection when an exchange on it does not come to its end: what follows on it would be of this one."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


@contextlib.contextmanager
def _read_errors(timeout_seconds: float) -> t.Iterator[None]:
    """Turn what goes wrong after the connection was made into an error that leaves open what has happened."""
    try:
        yield
    except (TimeoutError, socket.timeout):
        raise LostAnswerError(
            f"no answer within {timeout_seconds:g} s", advice="Raise api_timeout if this is normal"
        ) from None
    except http.client.IncompleteRead as exc:
        expected = "" if exc.expected is None else f" of {len(exc.partial) + exc.expected} bytes"
        raise LostAnswerError(f"the answer was cut after {len(exc.partial)}{expected or ' bytes'}") from None
    except _BROKEN:
        raise LostAnswerError("the connection broke before the whole answer was there") from None


def _connect_error(
    exc: Exception, connection: http.client.HTTPConnection, timeout_seconds: float
) -> RequestError | UsageError | None:
    """Return our error for a connection that could not be made, None when it is none of these."""
    host, where = connection.host, f"{connection.host}:{connection.port}"
    if isinstance(exc, ssl.SSLError) and not isinstance(exc, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return tls_error(str(exc))
    if isinstance(exc, socket.gaierror):
        error = ConnectError(f"the host name {host} is unknown", advice="Check api_url")
        # EAI_AGAIN is a name server that is away for the moment; any other says that there is no such name
        error.is_permanent = exc.errno != socket.EAI_AGAIN
        return error
    if isinstance(exc, (TimeoutError, socket.timeout)):
        return ConnectError(
            f"no connection to {where} within {timeout_seconds:g} s", advice="Check api_url and the network"
        )
    if isinstance(exc, OSError):
        return ConnectError(f"{where} refuses the connection or cannot be reached", advice="Check api_url")
    if isinstance(exc, (ValueError, http.client.InvalidURL)):
        return UsageError(f"the connection options cannot be used: {type(exc).__name__}; check api_url and the token")
    return None


def tls_error(text: str) -> TrustError:
    """Return the error for what OpenSSL says."""
    if "certificate verify failed" in text:
        rest = text.split("certificate verify failed", 1)[1]
        reason = "certificate verify failed" + rest.split("(_ssl")[0].rstrip(" (")
    elif "WRONG_VERSION_NUMBER" in text or "record layer" in text:
        reason = "the server does not speak TLS on this port"
    else:
        reason = "no secure connection could be made"
    return TrustError(
        f"TLS failed: {reason}",
        advice="Give the CA certificate of this server with ca_path; or check that api_url has the right scheme, "
        "host name and port",
    )


def _is_usable(connection: http.client.HTTPConnection) -> bool:
    """Return whether a connection that was idle is still there: the server has neither closed it nor sent anything."""
    if connection.sock is None:
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)
