# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What requests leaves open: TLS contexts made before, time limits, and sockets whose reads come to an end."""

from __future__ import annotations

import contextlib
import contextvars
import http.client
import io
import socket
import threading
import typing as t

from ..connection import ConnectionSettings, tls_context
from ..http import parse_address
from ..libraries import HTTPAdapter, urllib3
from .exchange import UNDER_WAY, Exchange


def _shut_down(sock: t.Any) -> None:
    with contextlib.suppress(OSError):  # the other side may have been faster
        sock.shutdown(socket.SHUT_RDWR)


class _BoundedFile(io.RawIOBase):
    """Reads from a socket; no read takes longer than the time-out, nor than what is left of the time."""

    def __init__(self, sock: t.Any, exchange: Exchange) -> None:
        # the file that the socket makes keeps it open until the answer was read
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
        raise socket.timeout("the time for the whole answer is over")

    @contextlib.contextmanager
    def _ended_after(self, seconds: float) -> t.Iterator[None]:
        """End a read of TLS within TLS, which may read any number of times from the socket of a proxy."""
        timer = threading.Timer(seconds, _shut_down, (self._socket.socket,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        # what is left in the last record of TLS would be taken for the next answer
        if getattr(self._socket, "pending", int)():
            _shut_down(self._socket)
        self._file.close()
        super().close()

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what `http.client` reads an answer from; it takes this for a socket."""
        return io.BufferedReader(self)


class _BoundedAnswer(http.client.HTTPResponse):
    """An answer whose reads come to an end, and whose head has come to its own."""

    def __init__(self, sock: t.Any, exchange: Exchange, *args: t.Any, **kwargs: t.Any) -> None:
        self._source = _BoundedFile(sock, exchange)
        super().__init__(t.cast(t.Any, self._source), *args, **kwargs)

    def begin(self) -> None:
        """Read the head, and pass over interim ones before it, of which `http.client` knows only 100.

        The answer would be left on the connection, and be taken for that to the next request.

        :raises http.client.IncompleteRead: for a part of one, which `http.client` takes for a whole one.
        """
        super().begin()
        while self.status < 200:
            # so that it begins again
            self.headers = t.cast(t.Any, None)
            super().begin()
        if self._source.has_ended:
            raise http.client.IncompleteRead(b"")


def _bounded_pools(pools: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return urllib3's classes of connection pools, with connections that keep to the time of an exchange."""
    return {scheme: _bounded_pool(pool) for scheme, pool in pools.items()}


def _bounded_pool(pool_class: t.Any) -> t.Any:
    class BoundedConnection(pool_class.ConnectionCls):  # type: ignore[misc]
        def connect(self) -> None:
            exchange = UNDER_WAY.get()
            if exchange:
                exchange.is_connecting = exchange.is_fresh = True
                self._connect_within(exchange)
                exchange.is_connecting = False
            else:
                super().connect()
            # no warning on the terminal for what `validate_certs: false` asks for
            self.is_verified = True

        def _connect_within(self, exchange: Exchange) -> None:
            """Connect in another thread, which is left alone when the time is over.

            What looks up names, tries all addresses of a name and agrees with proxies takes no time-out for the whole.
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

            thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
            thread.start()
            thread.join(exchange.left())
            if thread.is_alive():
                is_late.set()
                raise urllib3.exceptions.ConnectTimeoutError(self, "the time for the whole answer is over")
            if failures:
                raise failures[0]

        def send(self, data: t.Any) -> None:
            super().send(data)
            exchange = UNDER_WAY.get()
            if exchange and not exchange.is_connecting:
                exchange.has_sent = True

        def response_class(self, sock: t.Any, *args: t.Any, **kwargs: t.Any) -> http.client.HTTPResponse:
            # without an exchange, the session is used by an extension for something else
            exchange = UNDER_WAY.get()
            if exchange:
                return _BoundedAnswer(sock, exchange, *args, **kwargs)
            return http.client.HTTPResponse(sock, *args, **kwargs)

    class BoundedPool(pool_class):  # type: ignore[misc]
        ConnectionCls = BoundedConnection

    return BoundedPool


class Adapter(HTTPAdapter):  # type: ignore[misc]
    """What requests leaves open: TLS contexts made before, nothing repeated, the size of pools, and time limits."""

    def __init__(self, settings: ConnectionSettings, *, with_client_cert: bool = False) -> None:
        self._context = tls_context(settings, with_client_cert=with_client_cert)
        # for proxies that are themselves reached by TLS; they get no client certificate
        self._proxy_context = tls_context(settings, is_for_proxy=True)
        # what is sent to the own origin, with a slash: whatever begins with it has this origin
        self._own = ""
        if settings.client_cert and not with_client_cert:
            self._own = f"{parse_address(settings.api_url).origin_url}/"
            self._certified = Adapter(settings, with_client_cert=True)
        super().__init__(pool_connections=4, pool_maxsize=settings.concurrency, max_retries=0)

    def send(self, request: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        """Return the answer to a request; the client certificate is shown to the own origin only."""
        if self._own and request.url.startswith(self._own):
            return self._certified.send(request, *args, **kwargs)
        return super().send(request, *args, **kwargs)

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Make the pools for servers that are reached directly."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _bounded_pools(self.poolmanager.pool_classes_by_scheme)

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        """Return the pools for servers that are reached by a proxy."""
        if proxy in self.proxy_manager:
            return self.proxy_manager[proxy]
        if proxy.lower().startswith("https:"):
            kwargs["proxy_ssl_context"] = self._proxy_context
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = _bounded_pools(manager.pool_classes_by_scheme)
        return manager

    def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:
        """Leave the authorities to the context; requests would add its own to them."""
        if cert:
            conn.cert_file, conn.key_file = (cert, None) if isinstance(cert, str) else cert

    def build_connection_pool_key_attributes(self, request: t.Any, verify: t.Any, cert: t.Any = None) -> t.Any:
        """Return what tells pools apart, without the authorities, as above."""
        host, tls = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {name: tls[name] for name in ("cert_file", "key_file") if name in tls}
