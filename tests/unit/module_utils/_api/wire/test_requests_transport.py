# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The transport against a server on the loopback interface, directly and through a proxy: one origin, no other
credentials, errors by certainty, and reuse of connections."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import warnings

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors, libraries
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.wire import exchange
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.wire.requests_transport import RequestsTransport
from cryptography.hazmat.primitives import serialization
from requests.adapters import BaseAdapter

from tests.simulator.certificates import Authority

from ..loopback import OK, RESET, LoopbackProxy, LoopbackServer, TlsProxy, answer_of, read_request

SECRET = "glpat-0123456789abcdef"


@pytest.fixture(name="authority", scope="module")
def authority_fixture():
    authority = Authority()
    yield authority
    authority.stop()


def transport_for(url, credential=None, prepare=lambda session: None, **settings):
    credential = {"PRIVATE-TOKEN": SECRET} if credential is None else credential
    return RequestsTransport(ConnectionSettings(api_url=url + "/api/v4", credential=credential, **settings), prepare)


def send(transport, url, method="GET", body=None, timeout=60.0):
    return transport.send(Request(method, url, headers={"Accept": "x"}, body=body), timeout_seconds=timeout)


def test_answer_is_read_completely_with_lower_case_header_names(route):
    answer = b"HTTP/1.1 404 Nope\r\nX-Request-Id: 01AB\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    with LoopbackServer(answer) as server:
        response = send(transport_for(server.url), server.url + "/api/v4/x?a=b")
    assert (response.status, response.body, response.header("X-Request-Id")) == (404, b"hello", "01AB")
    assert response.url == server.url + "/api/v4/x?a=b"
    assert server.line() == "GET /api/v4/x?a=b HTTP/1.1"
    assert server.headers()["private-token"] == SECRET
    assert server.headers()["user-agent"].startswith("jobgate.gitlab/")
    assert server.headers()["accept-encoding"] == "gzip, deflate"
    assert len(route.asked) == (1 if route.is_proxy else 0)


def test_quoted_path_and_body_are_sent_unchanged(route):
    with LoopbackServer(OK) as server:
        send(transport_for(server.url), server.url + "/api/v4/projects/a%2Fb", "POST", b'{"a": 1}')
    assert server.line() == "POST /api/v4/projects/a%2Fb HTTP/1.1"
    assert server.received[0].endswith(b'\r\n\r\n{"a": 1}')


def test_url_without_a_path_requests_the_root(route):
    with LoopbackServer(OK) as server:
        send(transport_for(server.url), server.url + "?a=b")
    assert server.line() == "GET /?a=b HTTP/1.1"


@pytest.mark.parametrize(
    "credential", [{"PRIVATE-TOKEN": SECRET}, {"Authorization": "Bearer " + SECRET}, {"JOB-TOKEN": SECRET}]
)
def test_credential_is_sent_to_its_own_origin_only(route, credential):
    with LoopbackServer(OK) as own, LoopbackServer(OK) as other:
        transport = transport_for(own.url, credential, http_headers={"X-Pass": "hunter2-pass"})
        send(transport, own.url + "/api/v4/x")
        send(transport, other.url + "/api/v4/x")
    (name, value), *_none = credential.items()
    assert own.headers()[name.lower()] == value
    assert own.headers()["x-pass"] == "hunter2-pass"
    assert SECRET.encode() not in other.received[0]
    assert b"hunter2" not in other.received[0]


def test_http_headers_do_not_replace_credential_or_request_headers(route):
    with LoopbackServer(OK) as server:
        transport = transport_for(server.url, http_headers={"private-token": "x", "Accept": "y", "User-Agent": "me"})
        send(transport, server.url + "/api/v4/x")
    assert server.headers()["accept"] == "x"
    assert server.received[0].lower().count(b"private-token:") == 1
    assert server.headers()["private-token"] == SECRET
    assert server.headers()["user-agent"] == "me"


@pytest.mark.parametrize("credential", [{}, {"PRIVATE-TOKEN": SECRET}])
@pytest.mark.parametrize("trust_env", [True, False])
def test_netrc_is_not_used(route, credential, trust_env, tmp_path, monkeypatch):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with LoopbackServer(OK) as server:
        # not even if an extension enables it
        transport = transport_for(server.url, credential, lambda session: setattr(session, "trust_env", trust_env))
        send(transport, server.url + "/api/v4/x")
    assert "authorization" not in server.headers()


def test_cookies_are_not_kept(route):
    cookie = OK.replace(b"Connection:", b"Set-Cookie: _gitlab_session=abc; path=/\r\nConnection:")
    with LoopbackServer(cookie, OK) as server:
        transport = transport_for(server.url)
        send(transport, server.url + "/api/v4/x")
        send(transport, server.url + "/api/v4/x")
    assert "cookie" not in server.headers(1)


def test_transport_does_not_follow_redirects(route):
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with LoopbackServer(answer) as server:
        response = send(transport_for(server.url), server.url + "/api/v4/x")
    assert (response.status, response.header("location")) == (302, "http://127.0.0.1:1/x")


def test_session_is_prepared_once_after_its_setup(route):
    prepared = []

    def prepare(session):
        prepared.append(session)
        assert session.get_adapter("https://x").max_retries.total == 0
        session.headers["X-Gateway"] = "pass"

    with LoopbackServer(OK) as server:
        transport = transport_for(server.url, prepare=prepare)
        send(transport, server.url + "/api/v4/x")
        send(transport, server.url + "/api/v4/x")
    assert len(prepared) == 1
    assert server.headers(1)["x-gateway"] == "pass"


def test_session_used_by_an_extension_sends_no_credential(route):
    sessions = []
    with LoopbackServer(OK) as server, LoopbackServer(OK) as other:
        transport = transport_for(server.url, prepare=sessions.append)
        send(transport, server.url + "/x")
        proxies = {"http": route.url} if route.is_proxy else {}
        assert sessions[0].get(other.url + "/y", proxies=proxies).content == b"[]"
        assert SECRET.encode() not in other.received[0]


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"Content-Length: 2", b"Content-Length: 20"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"nonsense\r\n\r\n",
        b"",
        RESET,
    ],
    ids=["length", "chunk", "nonsense", "nothing", "reset"],
)
def test_truncated_answer_is_a_lost_answer(route, answer):
    with LoopbackServer(answer) as server:
        with pytest.raises(errors.LostAnswerError) as caught:
            send(transport_for(server.url), server.url + "/api/v4/x?token=" + SECRET, "POST", b"{}")
    assert (caught.value.method, caught.value.url) == ("POST", server.url + "/api/v4/x")
    assert SECRET not in str(caught.value)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "answer", ["{}\r\n\r\n", "HTTP/1.1 {}\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5, {}\r\n\r\n"]
)
@pytest.mark.parametrize(
    "words", ["NewConnectionError", "Tunnel connection failed: 502", "certificate verify failed: nonsense"]
)
def test_text_of_the_server_does_not_hide_a_lost_answer(route, words, answer):
    with LoopbackServer(answer.format(words).encode()) as server:
        with pytest.raises(errors.LostAnswerError, match="the connection broke|conflicting Content-Length"):
            send(transport_for(server.url), server.url + "/x", "POST")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "lengths", [["-5"], ["+100"], ["9" * 6000], ["2, 20"], ["2", "3"], ["2", "+2"], ["0x2"], ["2_0"], ["\xb2"]]
)
def test_conflicting_content_length_is_a_lost_answer(route, method, lengths):
    headers = "".join(f"Content-Length: {length}\r\n" for length in lengths)
    answer = f"HTTP/1.1 200 OK\r\n{headers}Connection: close\r\n\r\n[]".encode("latin-1")
    with LoopbackServer(answer) as server:
        for read in (send, stream_of):
            with pytest.raises(errors.LostAnswerError, match="conflicting Content-Length headers") as caught:
                read(transport_for(server.url), server.url + "/api/v4/x?a=b", method)
            assert (caught.value.method, caught.value.url) == (method, server.url + "/api/v4/x")
            assert len(str(caught.value)) < 300


def test_repeated_content_length_header_is_accepted(route):
    with LoopbackServer(OK.replace(b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 2")) as server:
        assert send(transport_for(server.url), server.url + "/x").body == b"[]"


@pytest.mark.parametrize("body", [b"[]", b""])
def test_repeated_length_in_one_header_is_accepted(route, body):
    def left_open(is_stopped):
        yield b"HTTP/1.1 200 OK\r\nContent-Length: %d, %d\r\n\r\n%b" % (len(body), len(body), body)
        is_stopped.wait(5)

    with LoopbackServer(left_open) as server:
        assert send(transport_for(server.url), server.url + "/x", timeout=2).body == body


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints", "199 Soon"])
def test_final_answer_after_interim_answers_is_returned(route, status):
    def later(is_stopped):
        yield f"HTTP/1.1 {status}\r\nLink: </x>; rel=preload\r\n\r\n".encode() * 2
        is_stopped.wait(0.2)
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"

    second = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"
    with LoopbackServer(later, second, per_connection=2) as server:
        transport = transport_for(server.url)
        # an unread answer on a connection would be taken for the answer to the next request
        assert [send(transport, server.url + "/x", "POST").body, send(transport, server.url + "/x").body] == [
            b"first",
            b"second",
        ]


def test_switching_protocols_ends_the_connection(route):
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n\0\0\x12\x04"

    def left_open(is_stopped):
        yield switch
        is_stopped.wait(5)

    with LoopbackServer(left_open, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", per_connection=2) as server:
        transport = transport_for(server.url)
        answers = [send(transport, server.url + "/x", method, timeout=2) for method in ("POST", "GET")]
    assert [(answer.status, answer.body) for answer in answers] == [(101, b""), (200, b"[]")]


def test_unanswered_request_is_a_lost_answer(route):
    def send_nothing(is_stopped):
        is_stopped.wait(5)
        yield b""

    with LoopbackServer(send_nothing) as server:
        with pytest.raises(errors.LostAnswerError, match="no answer within 0.05 s"):
            send(transport_for(server.url), server.url + "/api/v4/x", timeout=0.05)


# ----- connections -----


def kept_alive(body, *headers):
    return answer_of(body, *headers).replace(b"Connection: close\r\n", b"")


def test_connection_is_reused(route, authority):
    answers = [kept_alive(b"x" * 300_000), b"HTTP/1.1 204 No Content\r\n\r\n", kept_alive(b"[]"), kept_alive(b"{}")]
    with LoopbackServer(*answers, per_connection=10, context=authority.context("valid")) as server:
        transport = transport_for(server.url, ca_path=str(authority.ca_path))
        assert [send(transport, server.url + "/x").status for _number in range(3)] == [200, 204, 200]
        assert send(transport, server.url + "/x", "POST").body == b"{}"
        assert server.connections == 1


def test_connection_closed_by_the_server_is_not_reused(no_proxy):
    with LoopbackServer(kept_alive(b"[]")) as server:
        transport = transport_for(server.url)
        for _number in range(3):
            assert send(transport, server.url + "/x").body == b"[]"
            assert server.closed.acquire(timeout=60)
        assert server.connections == 3


def test_unread_rest_of_a_stream_does_not_reach_the_next_request(route):
    with LoopbackServer(kept_alive(b"x" * 300_000), kept_alive(b"[]"), per_connection=10) as server:
        transport = transport_for(server.url)
        with contextlib.closing(stream_of(transport, server.url + "/x")) as body:
            assert body.read(10) == b"x" * 10
        assert send(transport, server.url + "/x").body == b"[]"
        assert server.connections == 2


@pytest.mark.parametrize("end", [b"", b"x" * 3000], ids=["more", "much more"])
def test_data_after_an_answer_is_not_the_next_answer(route, authority, end):
    # the answer ends where a read ends, and all of it arrives in one TLS record
    first = kept_alive(b"x" * (8192 - len(kept_alive(b"x" * 8000)) + 8000))
    with LoopbackServer(
        first + kept_alive(b"[1]") + end, kept_alive(b"[2]"), per_connection=10, context=authority.context("valid")
    ) as server:
        transport = transport_for(server.url, ca_path=str(authority.ca_path))
        assert len(first) == 8192 and send(transport, server.url + "/x").status == 200
        assert send(transport, server.url + "/x", "POST").body == b"[2]"
        assert server.connections == 2


def test_concurrent_threads_use_separate_connections(route):
    barrier = threading.Barrier(4, timeout=60)
    bodies = []

    def work():
        barrier.wait()
        bodies.append(send(transport, server.url + "/x").body)

    with LoopbackServer(kept_alive(b"[]"), per_connection=10) as server:
        transport = transport_for(server.url)
        threads = [threading.Thread(target=work) for _number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert bodies == [b"[]"] * 4
        assert 1 <= server.connections <= 4


def test_refused_connection_is_a_connect_error(no_proxy):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with pytest.raises(errors.ConnectError, match=f"127.0.0.1:{port} refuses the connection") as caught:
        send(transport_for(url), url + "/api/v4/x", "POST")
    assert not isinstance(caught.value, errors.TrustError)
    assert not caught.value.is_permanent


@pytest.mark.parametrize(
    ("failure", "is_permanent"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), True),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), False),
        # the wording of musl
        (socket.gaierror(socket.EAI_AGAIN, "Try again"), False),
    ],
)
def test_unknown_host_is_a_connect_error(no_proxy, monkeypatch, failure, is_permanent):
    def resolve(*_args, **_kwargs):
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    url = "https://gitlab.invalid"
    with pytest.raises(errors.ConnectError, match="the host name gitlab.invalid is unknown") as caught:
        send(transport_for(url), url + "/api/v4/x")
    assert caught.value.is_permanent is is_permanent


def test_unreachable_storage_gets_its_own_advice(no_proxy, monkeypatch):
    def resolve(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    transport = transport_for("https://gitlab.invalid")
    for host, advice in (("gitlab", "Check api_url"), ("minio", "GitLab redirects the download there")):
        with pytest.raises(errors.ConnectError, match=f"the host name {host}.invalid is unknown. {advice}"):
            stream_of(transport, f"https://{host}.invalid/x")


def test_connection_timeout_is_a_connect_error(no_proxy, monkeypatch):
    def connect(_socket, _address):
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", connect, raising=False)
    url = "http://127.0.0.1:1"
    with pytest.raises(errors.ConnectError, match="no connection to 127.0.0.1:1 within 3 s") as caught:
        send(transport_for(url), url + "/api/v4/x", timeout=3.0)
    assert not caught.value.is_permanent


def test_impossible_host_name_is_a_usage_error(no_proxy):
    url = "http://a" + "b" * 70 + ".example"
    with pytest.raises(errors.UsageError, match="the connection options cannot be used: .*; check api_url"):
        send(transport_for(url), url + "/api/v4/x")


@pytest.mark.parametrize("token", [SECRET + "\n", SECRET + "\u20ac"])
def test_token_that_headers_cannot_contain_is_a_usage_error(route, token):
    # an extension may have read it from a file
    url = "http://127.0.0.1:1"
    with pytest.raises(errors.UsageError, match="check api_url, the token, and the extensions") as caught:
        send(transport_for(url, {"PRIVATE-TOKEN": token}), url + "/api/v4/x")
    assert SECRET not in str(caught.value)


# ----- streamed bodies -----


def stream_of(transport, url, method="GET", timeout=60.0):
    return transport.stream(Request(method, url), timeout_seconds=timeout)


def stream(server, path="/api/v4/x", timeout=60.0):
    return stream_of(transport_for(server.url), server.url + path, timeout=timeout)


def read_all(body, size=4):
    """Return a body read piece by piece, as downloads do."""
    content = b""
    while True:
        piece = body.read(size)
        if not piece:
            return content
        assert len(piece) <= size
        content += piece


def test_streamed_body_is_read_in_pieces_without_compression(route):
    answer = b"HTTP/1.1 200 OK\r\nX-Name: Value\r\nContent-Length: 11\r\nConnection: close\r\n\r\nhello world"
    with LoopbackServer(answer) as server:
        with contextlib.closing(stream(server)) as body:
            assert (body.status, body.header("x-NAME"), body.header("none")) == (200, "Value", "")
            assert body.read(5) == b"hello"
            assert read_all(body) == b" world"
            assert body.url == server.url + "/api/v4/x"
    assert server.headers()["accept-encoding"] == "identity"
    assert server.headers()["private-token"] == SECRET


def test_body_of_unknown_length_ends_with_the_connection(route):
    with LoopbackServer(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello") as server:
        with contextlib.closing(stream(server)) as body:
            assert read_all(body) == b"hello"


def test_chunked_body_is_read(route):
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
    with LoopbackServer(answer) as server:
        assert send(transport_for(server.url), server.url + "/x").body == b"hello!"
        with contextlib.closing(stream(server)) as body:
            assert read_all(body) == b"hello!"


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"Content-Length: 2", b"Content-Length: 20"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        answer_of(b"no gzip at all", "Content-Encoding: gzip"),
    ],
    ids=["length", "chunk", "no gzip"],
)
def test_truncated_stream_is_a_lost_answer_with_method_and_url(route, answer):
    with LoopbackServer(answer) as server:
        with contextlib.closing(stream(server, "/api/v4/x?token=" + SECRET)) as body:
            with pytest.raises(errors.LostAnswerError) as caught:
                read_all(body)
    assert (caught.value.method, caught.value.url) == ("GET", server.url + "/api/v4/x")
    assert SECRET not in str(caught.value)


def test_answer_truncated_in_its_headers_is_a_lost_answer(route):
    """Without the header for its length, it looks like an answer with an empty body."""
    head = OK.partition(b"\r\n\r\n")[0] + b"\r\n"
    for length in (*range(9, len(head), 5), len(head)):
        with LoopbackServer(head[:length]) as server:
            with pytest.raises(errors.LostAnswerError, match="the connection broke"):
                send(transport_for(server.url), server.url + "/x", "POST")
            with pytest.raises(errors.LostAnswerError, match="the connection broke"):
                stream(server)


def test_stalled_stream_is_a_lost_answer(route):
    def stop(is_stopped):
        yield OK.replace(b"Content-Length: 2", b"Content-Length: 20")
        is_stopped.wait(5)

    with LoopbackServer(stop) as server:
        # long enough for the head of the answer on a busy machine
        with contextlib.closing(stream(server, timeout=0.5)) as body:
            with pytest.raises(errors.LostAnswerError, match="no answer within 0.5 s"):
                read_all(body)


# ----- TLS -----


def test_tls_to_a_plain_port_is_a_trust_error(route):
    with LoopbackServer(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(errors.TrustError, match="TLS failed: the server does not speak TLS") as caught:
            send(transport_for(url), url + "/api/v4/x")
    # no certificate makes a plain port speak TLS
    assert caught.value.advice == "Check scheme, host name and port of api_url"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("self_signed", "certificate verify failed: self"),
        ("expired", "certificate verify failed: certificate has expired. Have the certificate renewed, or check"),
        ("wrong_host", "certificate verify failed: (IP address|host name) mismatch"),
    ],
)
def test_untrusted_certificate_is_a_trust_error_unless_disabled(route, authority, kind, words):
    with LoopbackServer(OK, context=authority.context(kind)) as server:
        with pytest.raises(errors.TrustError, match=words) as caught:
            send(transport_for(server.url, ca_path=str(authority.ca_path)), server.url + "/api/v4/x")
        assert "_ssl" not in str(caught.value)
        assert server.received == []
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # no warning, because the user disabled the check
            response = send(transport_for(server.url, validate_certs=False), server.url + "/api/v4/x")
    assert response.body == b"[]"


def test_ca_path_replaces_the_authorities_of_requests(route, authority, monkeypatch):
    monkeypatch.setattr(libraries.requests_library().certs, "where", lambda: str(authority.ca_path))
    with LoopbackServer(OK, context=authority.context("valid")) as server:
        assert send(transport_for(server.url), server.url + "/x").body == b"[]"
        other = Authority()
        with pytest.raises(errors.TrustError):
            send(transport_for(server.url, ca_path=str(other.ca_path)), server.url + "/x")
        other.stop()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_authorities_are_read_from_the_environment(route, authority, monkeypatch, name):
    monkeypatch.setenv(name, str(authority.ca_path))
    with LoopbackServer(OK, context=authority.context("valid")) as server:
        assert send(transport_for(server.url), server.url + "/x").body == b"[]"


def test_missing_ca_path_is_a_usage_error(tmp_path):
    url = "https://127.0.0.1:1"
    with pytest.raises(errors.UsageError, match="ca_path does not name a readable file"):
        send(transport_for(url, ca_path=str(tmp_path / "none.pem")), url + "/api/v4/x")


# One TLS version fails in the handshake, the other when the answer is read.
VERSIONS = pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])


@VERSIONS
def test_client_certificate_is_sent_to_its_own_origin_only(route, authority, version):
    context = client_certificate_context(authority, version)
    certificate, key = map(str, authority.client_files())
    trusted = {"ca_path": str(authority.ca_path), "client_cert": certificate, "client_key": key}
    with LoopbackServer(OK, context=context) as own, LoopbackServer(OK, context=context) as other:
        transport = transport_for(own.url, **trusted)
        assert send(transport, own.url + "/x").body == b"[]"
        with pytest.raises(errors.RequestError):
            send(transport, other.url + "/x")
        assert other.received == []


class DelegatingAdapter(BaseAdapter):
    """Delegates to another adapter."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.seen = []

    def send(self, request, **options):
        self.seen.append(request.url)
        return self.inner.send(request, **options)


def test_adapter_of_an_extension_keeps_the_client_certificate(route, authority):
    made = []

    def prepare(session):
        made.append(DelegatingAdapter(session.get_adapter(server.url + "/api/v4")))
        session.mount(server.url + "/api/v4", made[0])

    certificate, key = map(str, authority.client_files())
    trusted = {"ca_path": str(authority.ca_path), "client_cert": certificate, "client_key": key}
    with LoopbackServer(OK, context=authority.demanding_context()) as server:
        transport = transport_for(server.url, prepare=prepare, **trusted)
        # below the API, and at an address to which a redirect may lead
        assert [send(transport, server.url + path).body for path in ("/api/v4/x", "/x")] == [b"[]"] * 2
        assert made[0].seen == [server.url + "/api/v4/x"]


@pytest.mark.parametrize("prefix", ["https://", "https://127", "{url}", "{url}/"])
def test_adapter_for_every_server_also_serves_the_own_server(route, authority, prefix):
    made = []

    def prepare(session):
        made.append(DelegatingAdapter(session.get_adapter("https://")))
        session.mount(prefix.format(url=server.url), made[0])

    certificate, key = map(str, authority.client_files())
    trusted = {"ca_path": str(authority.ca_path), "client_cert": certificate, "client_key": key}
    with LoopbackServer(OK, context=authority.demanding_context()) as server:
        assert send(transport_for(server.url, prepare=prepare, **trusted), server.url + "/x").body == b"[]"
        assert made[0].seen == [server.url + "/x"]


@VERSIONS
def test_missing_client_certificate_is_a_trust_error(route, authority, version):
    with LoopbackServer(OK, context=client_certificate_context(authority, version)) as server:
        with pytest.raises(errors.TrustError, match="client certificate.*client_cert") as caught:
            send(transport_for(server.url, ca_path=str(authority.ca_path)), server.url + "/x")
    assert caught.value.is_permanent
    assert server.received == []


def test_only_a_reset_by_the_own_server_suggests_a_client_certificate(route, authority):
    context = authority.context("valid")
    with LoopbackServer(RESET, context=context) as own, LoopbackServer(RESET, context=context) as other:
        transport = transport_for(own.url, ca_path=str(authority.ca_path))
        for server, is_own in ((own, True), (other, False)):
            with pytest.raises(errors.LostAnswerError, match="the connection broke") as caught:
                stream_of(transport, server.url + "/x")
            assert ("may require a client certificate" in caught.value.advice) is is_own


def client_certificate_context(authority, version):
    context = authority.demanding_context()
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    return context


def test_unreadable_client_certificate_is_a_usage_error(tmp_path, authority):
    certificate, _key = map(str, authority.client_files())
    for files in ((str(tmp_path / "none"), None), (certificate, None), (certificate, certificate)):
        with pytest.raises(errors.UsageError, match="client_cert and client_key are not readable PEM files"):
            transport_for("https://gitlab.example.com", client_cert=files[0], client_key=files[1])


def test_encrypted_client_key_is_an_error_without_a_prompt(tmp_path, authority):
    certificate, key_file = authority.client_files()
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    locked = tmp_path / "locked.key"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    locked.write_bytes(key.private_bytes(*form, serialization.BestAvailableEncryption(b"secret")))
    with pytest.raises(errors.UsageError, match="unencrypted"):
        transport_for("https://gitlab.example.com", client_cert=str(certificate), client_key=str(locked))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)",
            "TLS failed: certificate verify failed: self-signed certificate. Set ca_path to the CA certificate",
        ),
        (
            "certificate verify failed: Hostname mismatch, certificate is not valid for 'expired.example.com'.",
            "certificate is not valid for 'expired.example.com'. Set ca_path to the CA",
        ),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "the server does not speak TLS on this port"),
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert", "TLS failed: no secure connection could be made"),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required", "requires a client certificate"),
        ("[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] ssl/tls alert handshake failure", "may require a client certificate"),
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca", "does not accept the client certificate"),
    ],
)
def test_tls_errors_are_translated_for_users(text, words):
    error = exchange.tls_error(f"SSLError: {text}", is_connecting=True)
    assert words in str(error)
    assert "_ssl" not in str(error)
    assert error.is_permanent


@pytest.mark.parametrize(
    ("text", "is_connecting"),
    [
        ("SSLError: [SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad record mac", False),
        ("SSLError: [SSL] record layer failure (_ssl.c:2580)", False),
        ("SSLEOFError: EOF occurred in violation of protocol", True),
        ("ConnectionResetError: [Errno 104]", True),
    ],
)
def test_other_tls_errors_are_not_trust_errors(text, is_connecting):
    assert exchange.tls_error(text, is_connecting=is_connecting) is None


class CorruptingServer(LoopbackServer):
    """Reads a request and answers with bytes that are not TLS, as if the answer had been altered on its way."""

    def serve(self, connection):
        connection.do_handshake()
        self.received.append(read_request(connection))
        socket.socket.sendall(connection, self._answers[0])


@VERSIONS
@pytest.mark.parametrize(
    "corrupted", [b"HTTP/1.1 200 OK\r\n\r\n", b"\x17\x03\x03\x00\x20" + b"x" * 32], ids=["plain", "record"]
)
def test_corrupted_tls_answer_is_a_lost_answer(route, authority, version, corrupted):
    context = authority.context("valid")
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    with CorruptingServer(corrupted, context=context) as server:
        with pytest.raises(errors.LostAnswerError, match="the connection broke"):
            send(transport_for(server.url, ca_path=str(authority.ca_path)), server.url + "/x", "POST")
        assert len(server.received) == 1


# ----- proxies -----


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_unreachable_proxy_is_a_connect_error(no_proxy, monkeypatch, scheme):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    variable = f"{scheme.upper()}_PROXY"
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv(variable, f"http://user:pass@127.0.0.1:{port}")
    url = f"{scheme}://gitlab.invalid"
    with pytest.raises(errors.ConnectError, match=f"the proxy of {variable} cannot be reached") as caught:
        send(transport_for(url), url + "/api/v4/x", "POST")
    assert "pass@" not in str(caught.value)
    assert not caught.value.is_permanent


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("valid", ""),
        ("self_signed", "certificate verify failed: self-signed certificate"),
        ("wrong_host", "certificate verify failed: IP address mismatch, certificate is not valid for '127.0.0.1'"),
    ],
)
def test_proxy_is_reached_over_tls(no_proxy, monkeypatch, authority, scheme, kind, reason):
    monkeypatch.delenv("NO_PROXY")
    variable = f"{scheme.upper()}_PROXY"
    context = authority.context("valid") if scheme == "https" else None
    with LoopbackServer(OK, context=context) as server, TlsProxy(authority.context(kind)) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        transport = transport_for(server.url, ca_path=str(authority.ca_path))
        if not reason:
            assert send(transport, server.url + "/x").body == b"[]" and len(proxy.asked) == 1
            return
        with pytest.raises(errors.TrustError) as caught:
            send(transport, server.url + "/x")
        assert f"TLS with the proxy of {variable} failed: {reason}. Set ca_path to the CA" in str(caught.value)


# Without CONNECT, only status 407 distinguishes answers of the proxy from those of the server.
@pytest.mark.parametrize(
    ("scheme", "status", "words", "is_permanent"),
    [
        ("http", "407 Proxy Authentication Required", "requires a user name and password", True),
        ("https", "407 Proxy Authentication Required", "requires a user name and password", True),
        ("https", "403 No", "refuses the connection to this server (status 403)", False),
    ],
)
def test_proxy_that_refuses_is_a_connect_error(no_proxy, monkeypatch, scheme, status, words, is_permanent):
    monkeypatch.delenv("NO_PROXY")
    with LoopbackProxy(answer_of(b"no", status=status)) as proxy:
        monkeypatch.setenv("all_proxy", proxy.url.replace("//", "//user:secret-word@"))
        url = f"{scheme}://gitlab.invalid"
        with pytest.raises(errors.ConnectError, match="the proxy of all_proxy") as caught:
            send(transport_for(url), url + "/api/v4/x", "POST")
    assert words in str(caught.value)
    assert "secret-word" not in str(caught.value)
    assert caught.value.is_permanent is is_permanent
    assert SECRET not in "".join(proxy.asked) or scheme == "http"


def test_status_407_of_the_server_is_an_answer(no_proxy):
    with LoopbackServer(answer_of(b"no", status="407 X")) as server:
        assert send(transport_for(server.url), server.url + "/x").status == 407


@pytest.mark.parametrize(
    "address",
    [
        "http://",
        "http://[::1",
        "http://a b:3128",
        "ftp://proxy:21",
        "http://proxy:99999",
        "proxy:port",
        "http://a/b",
        "http://a..b",
        # characters that another parser could take for the end of the host
        *(f"http://12{character}@127.0.0.1:1" for character in "#?\\/"),
        "user:secret-word@127.0.0.1:1",
    ],
)
def test_invalid_proxy_url_is_a_usage_error(no_proxy, monkeypatch, address):
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTPS_PROXY", address.replace("//", "//user:secret-word@"))
    with pytest.raises(errors.UsageError, match="HTTPS_PROXY is not the address of a proxy") as caught:
        send(transport_for("https://gitlab.invalid"), "https://gitlab.invalid/x")
    assert "secret-word" not in str(caught.value)


def test_socks_proxy_without_its_library_is_a_usage_error(no_proxy, monkeypatch):
    def missing(*_args, **_kwargs):
        raise libraries.requests_library().exceptions.InvalidSchema("Missing dependencies for SOCKS support.")

    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTPS_PROXY", "socks5h://user:secret-word@127.0.0.1:1")
    monkeypatch.setattr(libraries.requests_library().adapters, "SOCKSProxyManager", missing)
    with pytest.raises(errors.UsageError, match="HTTPS_PROXY is set to a SOCKS proxy.*PySocks") as caught:
        send(transport_for("https://gitlab.invalid"), "https://gitlab.invalid/x")
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize("excluded", ["127.0.0.1", "*", "127.0.0.0/8", "example.com, 127.0.0.1"])
def test_hosts_in_no_proxy_are_reached_directly(no_proxy, monkeypatch, excluded):
    with LoopbackServer(OK) as server, LoopbackProxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", excluded)
        assert send(transport_for(server.url), server.url + "/x").body == b"[]"
        assert proxy.asked == []
        monkeypatch.setenv("NO_PROXY", "example.com")
        assert send(transport_for(server.url), server.url + "/x").body == b"[]"
        assert len(proxy.asked) == 1


def test_proxy_of_an_extension_takes_precedence(no_proxy, monkeypatch):
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with LoopbackServer(OK) as server, LoopbackProxy() as proxy:
        transport = transport_for(server.url, prepare=lambda session: session.proxies.update(http=proxy.url))
        assert send(transport, server.url + "/x").body == b"[]"
        assert len(proxy.asked) == 1


def test_proxy_does_not_see_the_credential_over_https(no_proxy, monkeypatch, authority):
    monkeypatch.delenv("NO_PROXY")
    with LoopbackServer(OK, context=authority.context("valid")) as server, LoopbackProxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//user:secret-word@"))
        transport = transport_for(server.url, ca_path=str(authority.ca_path), http_headers={"X-Pass": "hunter2"})
        send(transport, server.url + "/x")
    [asked] = proxy.asked
    assert "Proxy-Authorization: Basic" in asked
    assert SECRET not in asked and "hunter2" not in asked
    assert b"secret-word" not in server.received[0] and b"Proxy-Authorization" not in server.received[0]
