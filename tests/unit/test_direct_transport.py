# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that are kept: used again as long as they are there, and only for their own server."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import socket
import threading

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.direct_transport import DirectTransport
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import LostAnswerError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.requests_transport import RequestsTransport
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.transport import RoutedTransport, may_have_proxy

BODY = b"x" * 300_000


class KeepingServer(http.server.ThreadingHTTPServer):
    """Keeps connections open, and counts them."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections = 0
        self.targets = []
        self.sockets = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def close_idle(self):
        for each in self.sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections += 1
        self.server.sockets.append(self.connection)

    def do_GET(self):
        self.server.targets.append(self.path)
        content = {"/gzip": gzip.compress(BODY), "/head": b""}.get(self.path, BODY)
        self.send_response(204 if self.path == "/nothing" else 200)
        if self.path == "/gzip":
            self.send_header("Content-Encoding", "gzip")
        if self.path != "/nothing":
            self.send_header("Content-Length", str(len(content)))
        if self.path == "/close":
            self.send_header("Connection", "close")
        self.end_headers()
        if self.path != "/nothing":
            self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_args):
        """Say nothing."""


@pytest.fixture(name="server")
def server_fixture():
    with KeepingServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


@pytest.fixture(name="transport")
def transport_fixture(server):
    return DirectTransport(ConnectionSettings(api_url=server.url + "/api/v4"))


def send(transport, server, target="/", method="GET"):
    return transport.send(Request(method, server.url + target), timeout_seconds=5.0)


def stream(transport, server, target="/"):
    return transport.stream(Request("GET", server.url + target), timeout_seconds=5.0)


def test_a_connection_is_used_again(transport, server):
    assert [send(transport, server, target).status for target in ("/", "/gzip", "/nothing", "/")] == [
        200,
        200,
        204,
        200,
    ]
    assert send(transport, server, "/", "POST").body == BODY
    assert server.connections == 1


def test_a_connection_that_the_server_has_closed_is_not(transport, server):
    send(transport, server)
    server.close_idle()
    assert send(transport, server).body == BODY
    assert server.connections == 2


def test_a_connection_that_the_server_is_to_close_is_not(transport, server):
    send(transport, server, "/close")
    send(transport, server)
    assert server.connections == 2


def test_several_threads_have_a_connection_each(transport, server):
    barrier = threading.Barrier(4, timeout=5)

    def work():
        barrier.wait()
        assert send(transport, server).body == BODY

    threads = [threading.Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert 1 <= server.connections <= 4
    send(transport, server)
    assert server.connections <= 4


def test_an_address_without_a_path(transport, server):
    transport.send(Request("GET", server.url + "?a=b"), timeout_seconds=5.0)
    assert server.targets == ["/?a=b"]


@pytest.mark.parametrize("target", ["/", "/gzip"])
def test_a_body_in_pieces(transport, server, target):
    answer = stream(transport, server, target)
    buffer = memoryview(bytearray(10_000))
    pieces = []
    while True:
        count = answer.readinto(buffer)
        if not count:
            break
        pieces.append(bytes(buffer[:count]))
    answer.close()
    assert b"".join(pieces) == BODY
    assert answer.header("Content-Type") == ""


def test_a_stream_that_is_left_leaves_nothing_to_the_next_request(transport, server):
    answer = stream(transport, server)
    assert answer.read(10) == b"x" * 10
    answer.close()
    assert send(transport, server).body == BODY
    assert server.connections == 2


def test_lengths_that_contradict_each_other():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def serve():
            connection, _address = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(LostAnswerError, match="no length that can be believed") as caught:
            DirectTransport(ConnectionSettings(api_url=url)).send(Request("GET", url + "/x?a=b"), timeout_seconds=5.0)
        thread.join(5)
    assert (caught.value.method, caught.value.url) == ("GET", url + "/x")


# ----- the way -----

PROXY = "http://127.0.0.1:3128"


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        ("https://gitlab.example.com/api", {}, False),
        ("https://gitlab.example.com/api", {"HTTPS_PROXY": PROXY}, True),
        ("https://gitlab.example.com/api", {"https_proxy": PROXY}, True),
        ("https://gitlab.example.com/api", {"ALL_PROXY": PROXY}, True),
        ("https://gitlab.example.com/api", {"HTTP_PROXY": PROXY}, False),
        ("https://gitlab.example.com/api", {"HTTPS_PROXY": ""}, False),
        ("http://gitlab.example.com/api", {"HTTP_PROXY": PROXY}, True),
        ("https://gitlab.example.com/api", {"HTTPS_PROXY": PROXY, "NO_PROXY": "example.com"}, False),
        ("https://gitlab.example.com:8443/api", {"HTTPS_PROXY": PROXY, "no_proxy": ".example.com"}, False),
        ("https://gitlab.example.com/api", {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, False),
        ("https://gitlab.example.com/api", {"HTTPS_PROXY": PROXY, "NO_PROXY": "example.org"}, True),
        # requests knows more forms than the standard library, and decides then
        ("https://10.1.2.3/api", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8"}, True),
    ],
)
def test_whether_there_may_be_a_proxy(url, environ, expected):
    assert may_have_proxy(url, environ) is expected


def test_each_server_has_its_way(monkeypatch):
    for name in ("ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "gitlab.example.com")
    transport = RoutedTransport(ConnectionSettings(api_url="https://gitlab.example.com/api/v4"))
    assert isinstance(transport._way_to("https://gitlab.example.com/api/v4/x"), DirectTransport)
    assert isinstance(transport._way_to("https://storage.example.com/x"), RequestsTransport)
