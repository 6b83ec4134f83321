# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that sends raw bytes, and a proxy in front of it, both on the loopback interface."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
RESET = None


class Listener:
    """Accepts connections on its own port, each in a thread, until it is stopped."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._lock = threading.Lock()
        self._open = []
        self.is_stopped = threading.Event()
        # released once for each connection that this side has closed
        self.closed = threading.Semaphore(0)
        self.port = self._socket.getsockname()[1]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exc):
        self.is_stopped.set()
        # wakes the thread that waits for a connection
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=60):
            pass
        self._thread.join(60)
        self._socket.close()
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while True:
            connection, _address = self._socket.accept()
            if self.is_stopped.is_set():
                connection.close()
                return
            connection.settimeout(5)
            with self._lock:
                self._open.append(connection)
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection):
        with contextlib.suppress(OSError), self.wrapped(connection) as wrapped:
            self.serve(wrapped)
        with self._lock:
            self._open.remove(connection)
        self.closed.release()

    def wrapped(self, connection):
        """Return the connection to use and to close."""
        return connection

    def serve(self, connection):
        raise NotImplementedError


class LoopbackServer(Listener):
    """Sends one answer per connection, repeats the last one, and keeps what it received.

    :param answers: bytes, RESET, or a function that returns pieces to send one by one while the client listens.
    :param context: TLS context, None without TLS.
    :param per_connection: maximum number of requests answered on one connection.
    """

    def __init__(self, *answers, context=None, per_connection=1):
        super().__init__()
        self._answers = list(answers)
        self._context = context
        self._per_connection = per_connection
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self.received = []
        self.connections = 0

    def wrapped(self, connection):
        if not self._context:
            return connection
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)

    def serve(self, connection):
        self.connections += 1
        if self._context:
            try:
                connection.do_handshake()
            except ssl.SSLError:
                # closing a connection with unread data sends a reset, which may arrive before the alert
                while socket.socket.recv(connection, 65536):
                    pass
                return
        for _number in range(self._per_connection):
            request = read_request(connection)
            if not request:
                return
            with self._lock:
                self.received.append(request)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            if answer is RESET:
                # a reset instead of an orderly close
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                return
            for piece in [answer] if isinstance(answer, bytes) else answer(self.is_stopped):
                connection.sendall(piece)

    def headers(self, index=0):
        """Return the headers of a request, with names in lower case."""
        head = self.received[index].split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in head)}

    def line(self, index=0):
        """Return the first line of a request."""
        return self.received[index].split(b"\r\n")[0].decode()


class LoopbackProxy(Listener):
    """Forwards what is sent to one server: unread after CONNECT, otherwise request by request.

    :param answer: bytes to answer with instead of forwarding.
    """

    def __init__(self, answer=b""):
        super().__init__()
        self._answer = answer
        self.url = f"http://127.0.0.1:{self.port}"
        self.asked = []

    def serve(self, connection):
        request = read_request(connection)
        if not request:
            return
        if self._answer:
            self._note(request)
            connection.sendall(self._answer)
            return
        method, target, _version = request.split(b"\r\n")[0].decode().split(" ")
        host, _colon, port = target.split("/")[2].partition(":") if "://" in target else target.partition(":")
        with socket.create_connection((host, int(port or 80)), timeout=60) as server:
            with self._lock:
                self._open.append(server)
            if method == "CONNECT":
                self._note(request)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                _pass_on_both_ways(connection, server)
                return
            other = threading.Thread(target=_pass_on, args=(server, connection), daemon=True)
            other.start()
            while request:
                self._note(request)
                # a server expects only the path, without the host
                server.sendall(request.replace(f"http://{host}:{port}".encode(), b"", 1))
                request = read_request(connection)
            other.join(60)

    def _note(self, request):
        with self._lock:
            self.asked.append(request.decode("latin-1"))


class TlsProxy(LoopbackProxy):
    """A proxy that is itself reached over TLS."""

    def __init__(self, context):
        super().__init__()
        self._context = context
        self.url = self.url.replace("http:", "https:")

    def wrapped(self, connection):
        return self._context.wrap_socket(connection, server_side=True)


def _pass_on(source, target):
    with contextlib.suppress(OSError):
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _pass_on_both_ways(one, other):
    """Forward data between two connections in one thread: TLS connections must not be read and written concurrently."""
    targets = {one: other, other: one}
    with contextlib.suppress(OSError):
        while targets:
            for source in select.select(list(targets), [], [])[0]:
                data = source.recv(65536)
                if data:
                    targets[source].sendall(data)
                else:
                    targets.pop(source).shutdown(socket.SHUT_WR)


def read_head(connection):
    """Return a request up to its empty line, and any data that arrives with it."""
    data = b""
    while b"\r\n\r\n" not in data and not data.startswith(b"\x16"):  # a TLS handshake
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
    return data


def read_request(connection):
    """Return a request with its body."""
    data = read_head(connection)
    head, _blank, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += connection.recv(65536)
    return data if not head else head + b"\r\n\r\n" + body


def answer_of(body, *headers, status="200 OK"):
    """Return an answer with these headers and a Content-Length."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
