# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The transport against a server on the loopback interface: one origin, no second credential, errors by certainty."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.direct_transport import DirectTransport, tls_error
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.requests_transport import RequestsTransport
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.transport import RoutedTransport

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
SECRET = "glpat-0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch, tmp_path):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("HOME", str(tmp_path))


class LoopbackServer:
    """Sends these bytes, one answer a connection, and keeps what it received."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.received = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exc):
        # wakes a server that still waits for a connection
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            pass
        self._thread.join(5)
        self._socket.close()

    def _serve(self):
        for answer in self._answers:
            connection, _address = self._socket.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                self.received.append(_read_request(connection))
                if answer is None:
                    # a reset instead of an orderly end
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                else:
                    connection.sendall(answer)

    def headers(self, index=0):
        """Return the headers of a request, names in lower case."""
        head = self.received[index].split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in head)}


def _read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
        if data.startswith(b"\x16"):  # TLS
            return data
    head, _blank, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


WAY = {"kind": DirectTransport}


@pytest.fixture(autouse=True, params=[DirectTransport, RequestsTransport], ids=["direct", "requests"])
def _way(request, monkeypatch):
    monkeypatch.setitem(WAY, "kind", request.param)


def transport_for(url, credential=None, **settings):
    credential = {"PRIVATE-TOKEN": SECRET} if credential is None else credential
    return WAY["kind"](ConnectionSettings(api_url=url + "/api/v4", credential=credential, **settings))


def send(transport, url, method="GET", body=None, timeout=5.0):
    return transport.send(Request(method, url, headers={"Accept": "x"}, body=body), timeout_seconds=timeout)


def test_an_answer_is_read_whole_with_names_in_lower_case():
    answer = b"HTTP/1.1 404 Nope\r\nX-Request-Id: 01AB\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    with LoopbackServer(answer) as server:
        response = send(transport_for(server.url), server.url + "/api/v4/x?a=b")
    assert (response.status, response.body, response.header("X-Request-Id")) == (404, b"hello", "01AB")
    assert response.url == server.url + "/api/v4/x?a=b"
    assert server.received[0].startswith(b"GET /api/v4/x?a=b HTTP/1.1\r\n")
    assert server.headers()["private-token"] == SECRET
    assert server.headers()["user-agent"].startswith("jobgate.gitlab/")


def test_a_quoted_path_and_a_body_are_sent_as_they_are():
    with LoopbackServer(OK) as server:
        send(transport_for(server.url), server.url + "/api/v4/projects/a%2Fb", "POST", b'{"a": 1}')
    assert server.received[0].startswith(b"POST /api/v4/projects/a%2Fb HTTP/1.1")
    assert server.received[0].endswith(b'\r\n\r\n{"a": 1}')


@pytest.mark.parametrize(
    "credential", [{"PRIVATE-TOKEN": SECRET}, {"Authorization": "Bearer " + SECRET}, {"JOB-TOKEN": SECRET}]
)
def test_a_credential_goes_to_its_own_origin_only(credential):
    with LoopbackServer(OK) as own, LoopbackServer(OK) as other:
        transport = transport_for(own.url, credential)
        send(transport, own.url + "/api/v4/x")
        send(transport, other.url + "/api/v4/x")
    (name, value), *_none = credential.items()
    assert own.headers()[name.lower()] == value
    assert SECRET.encode() not in other.received[0]


@pytest.mark.parametrize("credential", [{}, {"PRIVATE-TOKEN": SECRET}])
def test_netrc_is_not_used(credential, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
    with LoopbackServer(OK) as server:
        send(transport_for(server.url, credential), server.url + "/api/v4/x")
    assert "authorization" not in server.headers()


def test_cookies_are_not_kept():
    cookie = OK.replace(b"Connection:", b"Set-Cookie: _gitlab_session=abc; path=/\r\nConnection:")
    with LoopbackServer(cookie, OK) as server:
        transport = transport_for(server.url)
        send(transport, server.url + "/api/v4/x")
        send(transport, server.url + "/api/v4/x")
    assert "cookie" not in server.headers(1)


def test_redirects_are_left_to_others():
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with LoopbackServer(answer) as server:
        response = send(transport_for(server.url), server.url + "/api/v4/x")
    assert (response.status, response.header("location")) == (302, "http://127.0.0.1:1/x")


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"Content-Length: 2", b"Content-Length: 20"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        OK.replace(b"Content-Length: 2", b"Content-Length: 2, 20"),
        b"nonsense\r\n\r\n",
        b"",
        None,
    ],
    ids=["length", "chunk", "two lengths", "nonsense", "nothing", "reset"],
)
def test_a_cut_answer_is_lost(answer):
    with LoopbackServer(answer) as server:
        with pytest.raises(errors.LostAnswerError) as caught:
            send(transport_for(server.url), server.url + "/api/v4/x?token=" + SECRET, "POST", b"{}")
    assert (caught.value.method, caught.value.url) == ("POST", server.url + "/api/v4/x")
    assert SECRET not in str(caught.value)
    assert len(server.received) == 1


def test_a_server_that_does_not_answer_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(errors.LostAnswerError, match="no answer within 0.05 s"):
            send(transport_for(url), url + "/api/v4/x", timeout=0.05)


def test_a_refused_connection_is_certainly_not_executed():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with pytest.raises(errors.ConnectError, match=f"127.0.0.1:{port} refuses the connection") as caught:
        send(transport_for(url), url + "/api/v4/x", "POST")
    assert not isinstance(caught.value, errors.TrustError)
    assert not caught.value.is_permanent


def test_tls_to_a_plain_port_is_a_matter_of_trust():
    with LoopbackServer(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(errors.TrustError, match="TLS failed: the server does not speak TLS") as caught:
            send(transport_for(url), url + "/api/v4/x")
    assert "ca_path" in caught.value.advice


@pytest.mark.parametrize(
    ("failure", "is_permanent"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), True),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), False),
    ],
)
def test_an_unknown_host(monkeypatch, failure, is_permanent):
    def resolve(*_args, **_kwargs):
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    url = "https://gitlab.invalid"
    with pytest.raises(errors.ConnectError, match="the host name gitlab.invalid is unknown") as caught:
        send(transport_for(url), url + "/api/v4/x")
    assert caught.value.is_permanent is is_permanent


def test_a_proxy_that_is_not_there(monkeypatch):
    monkeypatch.setitem(WAY, "kind", RoutedTransport)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTP_PROXY", f"http://user:pass@127.0.0.1:{port}")
    with pytest.raises(errors.ConnectError, match="the proxy could not be reached") as caught:
        send(transport_for("http://gitlab.invalid"), "http://gitlab.invalid/api/v4/x")
    assert "pass@" not in str(caught.value)


def test_a_ca_path_that_is_not_there(tmp_path):
    url = "https://127.0.0.1:1"
    with pytest.raises(errors.UsageError, match="ca_path .* does not name a readable file"):
        send(transport_for(url, ca_path=str(tmp_path / "none.pem")), url + "/api/v4/x")


@pytest.mark.parametrize("token", [SECRET + "\n", SECRET + "\u20ac"])
def test_a_token_that_is_no_header_value(token):
    # an extension may have read it from a file
    url = "http://127.0.0.1:1"
    with pytest.raises(errors.UsageError, match="check api_url and the token") as caught:
        send(transport_for(url, {"PRIVATE-TOKEN": token}), url + "/api/v4/x")
    assert SECRET not in str(caught.value)


# ----- bodies as they come -----


def stream(server, path="/api/v4/x", timeout=5.0):
    request = Request("GET", server.url + path)
    return transport_for(server.url).stream(request, timeout_seconds=timeout)


def read_all(body, size=4):
    """Return what comes, piece by piece, as a download takes it."""
    buffer = memoryview(bytearray(size))
    content = b""
    while True:
        count = body.readinto(buffer)
        if not count:
            return content
        content += bytes(buffer[:count])


def test_a_body_comes_in_pieces_and_uncompressed():
    answer = b"HTTP/1.1 200 OK\r\nX-Name: Value\r\nContent-Length: 11\r\nConnection: close\r\n\r\nhello world"
    with LoopbackServer(answer) as server:
        with contextlib.closing(stream(server)) as body:
            assert (body.status, body.header("x-NAME"), body.header("none")) == (200, "Value", "")
            assert body.read(5) == b"hello"
            assert read_all(body) == b" world"
            assert body.url == server.url + "/api/v4/x"
    assert server.headers()["accept-encoding"] == "identity"
    assert server.headers()["private-token"] == SECRET


def test_a_body_of_no_known_length_ends_with_the_connection():
    with LoopbackServer(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello") as server:
        with contextlib.closing(stream(server)) as body:
            assert read_all(body) == b"hello"


def compressed(content):
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    return head.encode() + content


def test_a_server_that_compresses_nevertheless_is_understood():
    with LoopbackServer(compressed(gzip.compress(b"hello world" * 100))) as server:
        with contextlib.closing(stream(server)) as body:
            assert read_all(body, 64) == b"hello world" * 100


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"Content-Length: 2", b"Content-Length: 20"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        compressed(b"no gzip at all"),
    ],
    ids=["length", "chunk", "no gzip"],
)
def test_a_body_that_breaks_off_is_lost_and_says_where(answer):
    with LoopbackServer(answer) as server:
        with contextlib.closing(stream(server, "/api/v4/x?token=" + SECRET)) as body:
            with pytest.raises((errors.LostAnswerError, errors.BadAnswerError)) as caught:
                read_all(body)
    assert (caught.value.method, caught.value.url) == ("GET", server.url + "/api/v4/x")
    assert SECRET not in str(caught.value)


def test_a_server_that_stops_in_the_middle_of_a_body():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        taken = []

        def serve():
            connection, _address = silent.accept()
            taken.append(connection)
            _read_request(connection)
            connection.sendall(OK.replace(b"Content-Length: 2", b"Content-Length: 20"))

        thread = threading.Thread(target=serve)
        thread.start()
        request = Request("GET", url + "/api/v4/x")
        with contextlib.closing(transport_for(url).stream(request, timeout_seconds=0.2)) as body:
            with pytest.raises(errors.LostAnswerError, match="no answer within 0.2 s|the connection broke"):
                read_all(body)
        thread.join(5)
        taken[0].close()


# ----- connections that cannot be made -----


def test_a_server_that_takes_no_connection_in_time(monkeypatch):
    def connect(_socket, _address):
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", connect, raising=False)
    url = "http://127.0.0.1:1"
    with pytest.raises(errors.ConnectError, match="no connection to 127.0.0.1:1 within 3 s") as caught:
        send(transport_for(url), url + "/api/v4/x", timeout=3.0)
    assert not caught.value.is_permanent


def test_an_address_that_no_host_can_have():
    url = "http://a" + "b" * 70 + ".example"
    with pytest.raises(errors.UsageError, match="the connection options cannot be used: .*; check api_url"):
        send(transport_for(url), url + "/api/v4/x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)",
            "TLS failed: certificate verify failed: self-signed certificate. Give the CA certificate",
        ),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "the server does not speak TLS on this port"),
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert", "TLS failed: no secure connection could be made"),
    ],
)
def test_what_openssl_says_in_words_for_the_user(text, words):
    error = tls_error(text)
    assert words in str(error)
    assert "_ssl" not in str(error)
    assert error.is_permanent
