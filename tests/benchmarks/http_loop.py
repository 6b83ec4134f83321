# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A single-threaded HTTP/1.1 server based on epoll, with prebuilt responses and non-blocking latency."""

from __future__ import annotations

import collections
import dataclasses
import heapq
import itertools
import select
import socket
import ssl
import time
import typing as t

_RECEIVE = 64 * 1024
# Bytes passed to TLS at a time: a partial write must be repeated with the same data.
_TLS_PIECE = 64 * 1024
_WANTS = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError)


Body = t.Union[bytes, memoryview]
Answer = t.Sequence[Body]


@dataclasses.dataclass(frozen=True)
class HttpRequest:
    """The parts of a request that a route needs.

    :param base: scheme, host and port that received the request.
    """

    method: str
    target: str
    base: str


class _Connection:
    """One client, with its unanswered input and its unsent output."""

    def __init__(self, sock: socket.socket, base: str) -> None:
        self.sock = sock
        self.base = base
        self.is_tls = isinstance(sock, ssl.SSLSocket)
        self.is_shaking = self.is_tls
        self.incoming = b""
        self.outgoing: collections.deque[memoryview] = collections.deque()
        # the next request waits while a response is due or being sent
        self.is_busy = False
        self.is_last = False
        self.is_open = True
        self.events = select.EPOLLIN

    def push(self, answer: Answer) -> None:
        """Queue the parts of a response."""
        if self.is_tls and len(answer[-1]) < _TLS_PIECE:
            answer = [b"".join(answer)]
        self.outgoing.extend(memoryview(part) for part in answer)

    def flush(self) -> None:
        """Send as much as the client accepts.

        :raises BlockingIOError: if the client accepts no more for now; TLS raises its own exception instead.
        """
        while self.outgoing:
            if self.is_tls:
                self._drop(self.sock.send(self.outgoing[0][:_TLS_PIECE]))
            else:
                self._drop(self.sock.sendmsg(self.outgoing))

    def _drop(self, count: int) -> None:
        """Drop this number of sent bytes."""
        while count:
            part = self.outgoing[0]
            if count < len(part):
                self.outgoing[0] = part[count:]
                return
            count -= len(part)
            self.outgoing.popleft()


class HttpLoop:
    """Serves many clients at once.

    :param answer: returns the response to a request; it must be fast.
    """

    def __init__(self, answer: t.Callable[[HttpRequest], Answer]) -> None:
        self.latency_seconds = 0.0
        self._answer = answer
        self._epoll = select.epoll()
        self._listeners: dict[int, tuple[socket.socket, ssl.SSLContext | None, str]] = {}
        self._connections: dict[int, _Connection] = {}
        self._due: list[tuple[float, int, _Connection, HttpRequest]] = []
        self._number = itertools.count()

    def listen(self, context: ssl.SSLContext | None = None) -> str:
        """Listen on a free local port and return the address."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        listener.setblocking(False)
        base = f"{'https' if context else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        self._listeners[listener.fileno()] = (listener, context, base)
        self._epoll.register(listener.fileno(), select.EPOLLIN)
        return base

    def run(self, *, until_closed: int) -> None:
        """Serve until the other end of this descriptor is closed or sends anything."""
        self._epoll.register(until_closed, select.EPOLLIN)
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else -1
            for descriptor, event in self._epoll.poll(wait):
                if descriptor in self._listeners:
                    self._accept(descriptor)
                elif descriptor in self._connections:
                    self._serve(self._connections[descriptor], event)
                elif descriptor == until_closed:
                    return
            while self._due and self._due[0][0] <= time.monotonic():
                _due, _number, connection, request = heapq.heappop(self._due)
                if connection.is_open:
                    self._respond(connection, request)

    def _accept(self, descriptor: int) -> None:
        listener, context, base = self._listeners[descriptor]
        try:
            sock, _address = listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._connections[sock.fileno()] = _Connection(sock, base)
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def _serve(self, connection: _Connection, event: int) -> None:
        try:
            if connection.is_shaking:
                t.cast(ssl.SSLSocket, connection.sock).do_handshake()
                connection.is_shaking = False
            if connection.outgoing and event & select.EPOLLOUT:
                self._flush(connection)
            if event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                self._receive(connection)
        except _WANTS as exc:
            is_writing = isinstance(exc, ssl.SSLWantWriteError)
            self._watch(connection, select.EPOLLIN | (select.EPOLLOUT if is_writing else 0))
        except OSError:  # the client disconnected, or does not use TLS
            self._close(connection)

    def _receive(self, connection: _Connection) -> None:
        while True:
            data = connection.sock.recv(_RECEIVE)
            if not data:
                self._close(connection)
                return
            connection.incoming += data
            self._next_request(connection)
            # epoll does not report data that TLS has already decrypted
            if not (connection.is_open and connection.is_tls and t.cast(ssl.SSLSocket, connection.sock).pending()):
                return

    def _next_request(self, connection: _Connection) -> None:
        """Answer the next request, now or after the latency, once it is complete."""
        while not connection.is_busy and connection.is_open:
            end = connection.incoming.find(b"\r\n\r\n")
            if end < 0:
                return
            head = connection.incoming[:end]
            line, _separator, fields = head.partition(b"\r\n")
            fields = fields.lower()
            end += 4
            if not line.startswith(b"GET "):
                end += _content_length(fields)
                if len(connection.incoming) < end:
                    return
            connection.incoming = connection.incoming[end:]
            method, _space, rest = line.decode("latin-1").partition(" ")
            target, _space, protocol = rest.rpartition(" ")
            connection.is_last = b"connection: close" in fields or protocol == "HTTP/1.0"
            request = HttpRequest(method, target, connection.base)
            connection.is_busy = True
            if self.latency_seconds and not target.startswith("/-/"):
                due = time.monotonic() + self.latency_seconds
                heapq.heappush(self._due, (due, next(self._number), connection, request))
            else:
                self._respond(connection, request)

    def _respond(self, connection: _Connection, request: HttpRequest) -> None:
        connection.push(self._answer(request))
        try:
            self._flush(connection)
        except OSError:
            self._close(connection)

    def _flush(self, connection: _Connection) -> None:
        try:
            connection.flush()
        except _WANTS:
            self._watch(connection, select.EPOLLIN | select.EPOLLOUT)
            return
        self._watch(connection, select.EPOLLIN)
        connection.is_busy = False
        if connection.is_last:
            self._close(connection)
        elif connection.incoming:
            self._next_request(connection)

    def _watch(self, connection: _Connection, events: int) -> None:
        if connection.is_open and connection.events != events:
            connection.events = events
            self._epoll.modify(connection.sock.fileno(), events)

    def _close(self, connection: _Connection) -> None:
        if connection.is_open:
            connection.is_open = False
            descriptor = connection.sock.fileno()
            self._connections.pop(descriptor, None)
            self._epoll.unregister(descriptor)
            connection.sock.close()


def _content_length(fields: bytes) -> int:
    """Return the length of the body from the lowercase header fields."""
    for line in fields.split(b"\r\n"):
        name, _colon, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0
