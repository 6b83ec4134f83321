# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""An adapter for requests with our own TLS contexts, and with time limits for connections and answers."""

from __future__ import annotations

import contextlib
import contextvars
import http.client
import io
import socket
import threading
import typing as t

from ..connection import ConnectionSettings, tls_context
from ..errors import ConnectError
from ..http import number_in, parse_address
from ..libraries import HTTPAdapter, urllib3
from ..pace.threads import started
from .exchange import CURRENT, Exchange


def _shut_down(sock: t.Any) -> None:
    with contextlib.suppress(OSError):  # the other side may already have closed it
        sock.shutdown(socket.SHUT_RDWR)


class _BoundedFile(io.RawIOBase):
    """A file that reads from a socket, within the time-out and the time left for the exchange."""

    def __init__(self, sock: t.Any, exchange: Exchange) -> None:
        # the file keeps the socket open until the answer was read
        self._file = sock.makefile("rb", buffering=0)
        self._socket = sock
        self._timeout_seconds = sock.gettimeout()
        self._exchange = exchange
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        left = self._exchange.left()
        if left:
            self._socket.settimeout(left if self._timeout_seconds is None else min(self._timeout_seconds, left))
            with contextlib.nullcontext() if isinstance(self._socket, socket.socket) else self._ended_after(left):
                length = t.cast("int | None", self._file.readinto(buffer))
            if length or self._exchange.left():
                self.has_ended = length == 0
                return length
        raise socket.timeout("the time limit for the whole answer has expired")

    @contextlib.contextmanager
    def _ended_after(self, seconds: float) -> t.Iterator[None]:
        """Limit the time of a read of TLS within TLS, which may read from the proxy's socket any number of times."""
        timer = threading.Timer(seconds, _shut_down, (self._socket.socket,))
        timer.daemon = True
        with contextlib.suppress(RuntimeError):  # the system allows no more threads
            timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        # the rest of the last TLS record would be mistaken for the next answer
        if getattr(self._socket, "pending", int)():
            _shut_down(self._socket)
        self._file.close()
        super().close()

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a file for `http.client`, which uses this object as a socket."""
        return io.BufferedReader(self)


class _BoundedAnswer(http.client.HTTPResponse):
    """An answer with a time limit for reads and a complete head."""

    def __init__(self, sock: t.Any, exchange: Exchange, *args: t.Any, **kwargs: t.Any) -> None:
        self._source = _BoundedFile(sock, exchange)
        super().__init__(t.cast(t.Any, self._source), *args, **kwargs)

    def begin(self) -> None:
        """Read the head, after skipping all interim answers; `http.client` itself skips only status 100.

        Otherwise, the final answer would stay on the connection and be mistaken for the answer to the next request.

        :raises http.client.IncompleteRead: if the head is incomplete, which `http.client` does not notice.
        """
        super().begin()
        while self.status < 200 and self.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
            # otherwise `begin` does nothing
            self.headers = t.cast(t.Any, None)
            super().begin()
        # nobody asked for another protocol, so what follows is not an answer
        self.will_close = self.will_close or self.status < 200
        if self._source.has_ended:
            raise http.client.IncompleteRead(b"")
        if self.length is None and not self.chunked:
            # `http.client` ignores a length that is repeated in one header, and would read until the connection ends
            self.length = number_in(self.headers.get("content-length", ""))


def _bounded_pools(pools: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return urllib3's classes of connection pools, with connections that have the time limits of an exchange."""
    return {scheme: _bounded_pool(pool) for scheme, pool in pools.items()}


def _bounded_pool(pool_class: t.Any) -> t.Any:
    class BoundedConnection(pool_class.ConnectionCls):  # type: ignore[misc]
        def connect(self) -> None:
            exchange = CURRENT.get()
            if exchange:
                exchange.is_connecting = exchange.is_fresh = True
                self._connect_within(exchange)
                exchange.is_connecting = False
            else:
                super().connect()
            # so that urllib3 does not warn about `validate_certs: false`
            self.is_verified = True

        def _connect_within(self, exchange: Exchange) -> None:
            """Connect in another thread, which is abandoned when the time limit expires.

            Name resolution, attempts on all addresses and proxy handshakes have no common time-out.
            """
            failures: list[BaseException] = []
            is_late = threading.Event()
            connect = super().connect

            def work() -> None:
                try:
                    connect()
                except BaseException as exc:
                    failures.append(exc)
                if is_late.is_set():
                    self.close()

            thread = started(contextvars.copy_context().run, work)
            if thread is None:
                raise ConnectError(
                    "no connection was made, because the system allows no more threads",
                    advice="Raise its limit of processes, or lower forks and api_concurrency",
                )
            thread.join(exchange.left())
            if thread.is_alive():
                is_late.set()
                raise urllib3.exceptions.ConnectTimeoutError(self, "the time limit for the whole answer has expired")
            if failures:
                raise failures[0]

        def send(self, data: t.Any) -> None:
            super().send(data)
            exchange = CURRENT.get()
            if exchange and not exchange.is_connecting:
                exchange.has_sent = True

        def response_class(self, sock: t.Any, *args: t.Any, **kwargs: t.Any) -> http.client.HTTPResponse:
            # without an exchange, an extension uses the session for its own requests
            exchange = CURRENT.get()
            if exchange:
                return _BoundedAnswer(sock, exchange, *args, **kwargs)
            return http.client.HTTPResponse(sock, *args, **kwargs)

    class BoundedPool(pool_class):  # type: ignore[misc]
        ConnectionCls = BoundedConnection

    return BoundedPool


class Adapter(HTTPAdapter):  # type: ignore[misc]
    """An adapter for requests with our own TLS contexts, time limits and pool sizes, and without retries."""

    def __init__(self, settings: ConnectionSettings, *, with_client_cert: bool = False) -> None:
        self._context = tls_context(settings, with_client_cert=with_client_cert)
        # for proxies with an https address, which get no client certificate
        self._proxy_context = tls_context(settings, is_for_proxy=True)
        # the configured origin with a trailing slash; URLs that start with it have this origin
        self._own = ""
        if settings.client_cert and not with_client_cert:
            self._own = f"{parse_address(settings.api_url).origin_url}/"
            self._certified = Adapter(settings, with_client_cert=True)
        super().__init__(pool_connections=4, pool_maxsize=settings.concurrency, max_retries=0)

    def send(self, request: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """Return the answer to a request; only the configured origin gets the client certificate."""
        if self._own and request.url.startswith(self._own):
            return self._certified.send(request, *args, **kwargs)
        return super().send(request, *args, **kwargs)

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Create the pools for direct connections."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _bounded_pools(self.poolmanager.pool_classes_by_scheme)

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        """Return the pools for connections through a proxy."""
        if proxy in self.proxy_manager:
            return self.proxy_manager[proxy]
        if proxy.lower().startswith("https:"):
            kwargs["proxy_ssl_context"] = self._proxy_context
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = _bounded_pools(manager.pool_classes_by_scheme)
        return manager

    def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:
        """Leave CA certificates to the context; requests would add its own bundle."""
        if cert:
            conn.cert_file, conn.key_file = (cert, None) if isinstance(cert, str) else cert

    def build_connection_pool_key_attributes(self, request: t.Any, verify: t.Any, cert: t.Any = None) -> t.Any:
        """Return the key of a pool without CA certificates, which the context has."""
        host, tls = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {name: tls[name] for name in ("cert_file", "key_file") if name in tls}
