# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Time limits and user-friendly errors for one request and its answer."""

from __future__ import annotations

import contextlib
import contextvars
import http.client
import re
import socket
import time
import typing as t

from ..advice import CLIENT_ADVICE, has_words
from ..errors import ConnectError, GitLabError, LostAnswerError, RequestError, TrustError, UsageError
from ..http import SLOWEST_ANSWER, STORAGE_ADVICE, Request, parse_address
from ..libraries import requests_library


class Exchange:
    """The state of one request and its answer that time limits and errors need.

    The time-out of a socket is not enough, because each byte that a slow server sends resets it.

    :param timeout_seconds: time limit for connecting and for each read.
    """

    def __init__(self, request: Request, timeout_seconds: float) -> None:
        self.request = request
        self.timeout_seconds = timeout_seconds
        self._total = float("inf") if request.total_seconds is None else request.total_seconds
        self._end = time.monotonic() + self._total
        self.begin_piece()
        # whether it is still connecting, so that the request was certainly not executed
        self.is_connecting = False
        # whether the connection was made for this exchange
        self.is_fresh = False
        # whether the request, or a part of it, was sent
        self.has_sent = False
        # the environment variable that sets the proxy, empty without a proxy
        self.proxy_name = ""
        # whether the server is the configured one instead of an object storage
        self.is_own = True

    def left(self) -> float:
        """Return the seconds left, at least 0."""
        return max(0.0, self._at - time.monotonic())

    def begin_piece(self) -> None:
        """Start the time limit for the next piece of the answer, within the total time."""
        piece_seconds = SLOWEST_ANSWER * self.timeout_seconds
        at = time.monotonic() + piece_seconds
        # errors show the seconds
        self._at, self.seconds = (at, piece_seconds) if at < self._end else (self._end, self._total)

    @contextlib.contextmanager
    def as_current(self) -> t.Iterator[None]:
        """Apply the time limits of this exchange to connections and answers that are used within."""
        token = CURRENT.set(self)
        try:
            yield
        finally:
            CURRENT.reset(token)

    @contextlib.contextmanager
    def errors(self, make_error: t.Callable[[Exception, Exchange], GitLabError]) -> t.Iterator[None]:
        """Turn exceptions of requests, urllib3 and the standard library into our errors, with method and address.

        :param make_error: `error_of_opening` before there is an answer, `error_of_reading` while its body is read.
        """
        try:
            yield
        except Exception as exc:
            if not isinstance(exc, GitLabError) and not _is_of_libraries(exc):
                raise
            error = exc if isinstance(exc, GitLabError) else make_error(exc, self)
            if isinstance(error, RequestError):
                error.method, error.url = self.request.method, self.request.display_url
            # messages of the library requests may contain the query, so the cause is not shown
            raise error from None


# The exchange that is being opened.
CURRENT: contextvars.ContextVar[Exchange | None] = contextvars.ContextVar("exchange", default=None)


def conflicting_length() -> LostAnswerError:
    return LostAnswerError("the answer has invalid or conflicting Content-Length headers")


def _is_of_libraries(exc: Exception) -> bool:
    """Return whether requests, urllib3 or network code of the standard library raised an exception."""
    library = type(exc).__module__.partition(".")[0]
    return isinstance(exc, (OSError, ValueError, http.client.HTTPException)) or library in ("urllib3", "socks")


def _usage_error(exc: Exception, exchange: Exchange) -> UsageError | None:
    """Return the error for a request that could not be built, so that nothing was sent; None for other exceptions."""
    # before sending, requests and http.client raise ValueError for addresses and headers; afterwards, for answers
    if not isinstance(exc, ValueError) or exchange.has_sent:
        return None
    if exchange.proxy_name and "SOCKS support" in str(exc):
        return UsageError(
            f"{exchange.proxy_name} is set to a SOCKS proxy, which needs the Python library PySocks; install it with "
            "pip"
        )
    return UsageError(
        f"the connection options cannot be used: {type(exc).__name__}; check api_url, the token, and the extensions"
    )


def error_of_opening(exc: Exception, exchange: Exchange) -> GitLabError:
    """Return the error for an exchange without an answer; its class says whether the request may have been executed."""
    unsendable = _usage_error(exc, exchange)
    if unsendable:
        return unsendable
    errors = requests_library().exceptions
    text = " ".join(map(_safe_text_of, _causes(exc)))
    is_connecting = exchange.is_connecting or isinstance(exc, errors.ConnectTimeout)
    is_connecting = is_connecting or "NewConnectionError" in text or "Tunnel connection failed" in text
    trust_error = tls_error(text, is_connecting=is_connecting)
    if trust_error:
        if "ProxyError" in text:
            # the proxy has not received the address of the server
            trust_error.problem = trust_error.problem.replace("TLS", f"TLS with the proxy of {exchange.proxy_name}", 1)
            trust_error.advice = "Set ca_path to the CA certificate of the proxy, or check its address"
        return trust_error
    address = parse_address(exchange.request.url)
    if not is_connecting:
        error = error_of_reading(exc, exchange)
        is_fresh_tls = address.scheme == "https" and exchange.is_fresh
        if is_fresh_tls and exchange.is_own and not error.advice:
            # with TLS 1.3, a server sends this alert later, and its reset may arrive first
            error.advice = f"If it happens every time, the server may require a client certificate. {CLIENT_ADVICE}"
        return error
    if exchange.proxy_name:
        status = re.search(r"Tunnel connection failed: (\d{3})", text)
        return proxy_error(exchange.proxy_name, int(status.group(1)) if status else 0)
    where = f"{address.host}:{address.port}"
    advice = "Check api_url and the network" if exchange.is_own else STORAGE_ADVICE
    if "NameResolutionError" in text or "gaierror" in text:
        unknown = ConnectError(f"the host name {address.host} is unknown", advice=advice)
        # EAI_AGAIN: the name server is temporarily unavailable
        unknown.is_permanent = all(getattr(cause, "errno", 0) != socket.EAI_AGAIN for cause in _causes(exc))
        return unknown
    if isinstance(exc, errors.Timeout):
        seconds = exchange.timeout_seconds if exchange.left() else exchange.seconds
        return ConnectError(f"no connection to {where} within {_seconds(seconds)}", advice=advice)
    return ConnectError(f"{where} refuses the connection or cannot be reached", advice=advice)


def error_of_reading(exc: Exception, exchange: Exchange) -> RequestError:
    """Return the error for an answer that is incomplete."""
    text = " ".join(type(cause).__name__ for cause in _causes(exc))
    if not exchange.left():
        return LostAnswerError(
            f"the answer was not complete within {_seconds(exchange.seconds)}",
            advice="The server sends too slowly; raise api_timeout, or wait_timeout if the task waits",
        )
    if "timeout" in text.lower():
        return LostAnswerError(
            f"no answer within {_seconds(exchange.timeout_seconds)}", advice="Raise api_timeout if this is normal"
        )
    if "InvalidHeader" in text:
        return conflicting_length()
    return LostAnswerError("the connection broke before the answer was complete")


def _seconds(value: float) -> str:
    """Return a rounded time limit for a message: near the deadline of a task, the value has many digits."""
    return f"{round(value, 1):g} s" if value >= 1 else f"{value:.2g} s"


def _safe_text_of(cause: BaseException) -> str:
    """Return the class of an error, and its text if the network or OpenSSL wrote it: others may contain server text."""
    is_of_system = isinstance(cause, OSError) and type(cause).__module__ in ("builtins", "socket", "ssl")
    return f"{type(cause).__name__}: {cause}" if is_of_system else type(cause).__name__


def _causes(exc: BaseException) -> t.Iterator[BaseException]:
    """Yield an error and the errors wrapped in it, such as those of urllib3 and the socket."""
    seen: set[int] = set()
    queue: list[t.Any] = [exc]
    while queue:
        current = queue.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        queue.extend((*current.args, getattr(current, "reason", None), current.__cause__, current.__context__))


# Phrases in OpenSSL's error, the reason for the user, and the advice. The first matching row wins.
_TLS_ADVICE = (
    "Set ca_path to the CA certificate of this server, or check that api_url has the right scheme, host name and port"
)
_TLS_REASONS: tuple[tuple[str, str, str], ...] = (
    ("certificateerror", "certificate verify failed: host name mismatch", _TLS_ADVICE),
    ("alert certificate required", "the server requires a client certificate", CLIENT_ADVICE),
    (
        "alert handshake failure",
        "the server refuses the TLS handshake; it may require a client certificate",
        CLIENT_ADVICE,
    ),
    (
        "alert bad certificate|alert unknown ca|alert certificate",
        "the server does not accept the client certificate",
        CLIENT_ADVICE,
    ),
)


def tls_error(text: str, *, is_connecting: bool) -> TrustError | None:
    """Return the error for OpenSSL's error text, None if it is not about trust.

    :param is_connecting: whether the error happened before the request was sent.
    """
    if "certificate verify failed" in text:
        reason = text.partition("certificate verify failed")[2].partition("(_ssl")[0].rstrip(" .")
        is_of_time = "has expired" in reason or "not yet valid" in reason
        advice = "Have the certificate renewed, or check the clock of this machine" if is_of_time else _TLS_ADVICE
        return TrustError(f"TLS failed: certificate verify failed{reason}", advice=advice)
    words = re.sub(r"[\W_]+", " ", text).lower()
    for known, reason, advice in _TLS_REASONS:
        if has_words(words, known):
            return TrustError(f"TLS failed: {reason}", advice=advice)
    # a server that closed the connection may soon be back, and a modified answer is a lost answer
    if is_connecting and "ssl" in words and "eof" not in words and "timed out" not in words:
        if has_words(words, "wrong version number|record layer failure"):
            advice = "Check scheme, host name and port of api_url"
            return TrustError("TLS failed: the server does not speak TLS on this port", advice=advice)
        return TrustError("TLS failed: no secure connection could be made", advice=_TLS_ADVICE)
    return None


def proxy_error(proxy_name: str, status: int) -> ConnectError:
    """Return the error for a proxy that does not forward the request.

    :param status: the status that it answered with, 0 if it did not answer.
    """
    if status == 407:
        problem, advice = "requires a user name and password (status 407)", "Add them to the address of the proxy"
    elif status:
        problem, advice = f"refuses the connection to this server (status {status})", "Check the proxy, and NO_PROXY"
    else:
        problem, advice = "cannot be reached, or cannot connect", "Check its address, and NO_PROXY"
    error = ConnectError(f"the proxy of {proxy_name} {problem}", advice=advice)
    error.is_permanent = status == 407
    return error
