# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local proxy that forwards bytes for clients that send CONNECT, as they do for https."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import typing as t

_RECEIVE = 64 * 1024


class Proxy:
    """Listens on a free port, in threads of this process."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Tunnel)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def environment(self) -> dict[str, str]:
        """Return the environment variables that send every request through the proxy."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {"HTTP_PROXY": url, "HTTPS_PROXY": url, "NO_PROXY": "", "no_proxy": ""}

    @property
    def tunnels(self) -> int:
        """Return the number of forwarded connections."""
        return self._server.tunnels


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128
    tunnels = 0


class _Tunnel(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Connect to the server that the client requests, and forward bytes until one side closes."""
        client: socket.socket = self.request
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(_RECEIVE)
            if not data:
                return
            head += data
        method, target, _version = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
        if method != "CONNECT":
            client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        host, _colon, port = target.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as server:
            for one in (client, server):
                one.settimeout(None)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            t.cast(_Server, self.server).tunnels += 1
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            _pass_on(client, server)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_RECEIVE):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
