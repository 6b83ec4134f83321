# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every answer ends, however slow, long or compressed it is, directly and through a proxy."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import json
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from unittest import mock

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors, requester
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.wire import exchange as exchange_file
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.wire import requests_transport as transport_file
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.wire.exchange import Exchange, error_of_reading
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.wire.requests_transport import RequestsTransport
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_action

from tests.simulator.certificates import Authority

from ....harness import FakeClock, job, with_defaults
from ..loopback import Listener, LoopbackProxy, LoopbackServer, TlsProxy, answer_of, read_head

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
# Long enough to connect on a busy machine, without and with TLS.
SECONDS = 1.0
TLS_SECONDS = 3.0
# An unacceptable wait; far above the limit, for busy machines.
TOO_LONG = 5.0
VERY_LONG = 600.0


def transport_for(url, **settings):
    return RequestsTransport(ConnectionSettings(api_url=url + "/api/v4", **settings), lambda session: None)


def ask(url, method="GET", *, total=SECONDS, max_bytes=None, timeout=TOO_LONG, **settings):
    request = Request(method, url + "/x", total_seconds=total, max_bytes=max_bytes)
    return transport_for(url, **settings).send(request, timeout_seconds=timeout)


@contextlib.contextmanager
def ends_soon():
    started = time.monotonic()
    yield
    # anything that does not end by itself takes longer than this on any machine
    assert time.monotonic() - started < VERY_LONG


def drip(before, text):
    """Send something at once, and then one byte after the other, slowly."""

    def pieces(is_stopped):
        yield before
        for number in range(len(text)):
            if is_stopped.wait(0.02):
                return
            yield text[number : number + 1]

    return pieces


def endless(before, piece):
    """Send something, and then the same piece again and again, as fast as it is read."""

    def pieces(is_stopped):
        yield before
        while not is_stopped.is_set():
            yield piece

    return pieces


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SLOW = {
    "status line": drip(b"", b"HTTP/1.1 200 OK" + b" " * 1000),
    "headers": drip(HEAD, b"X-Name: value\r\n" * 90),
    "body": drip(HEAD + b"Content-Length: 5000\r\n\r\n", b"x" * 5000),
    "chunk": drip(CHUNKED + b"1000\r\n", b"x" * 5000),
    "size of a chunk": drip(CHUNKED, b"0" * 5000),
    "after the last chunk": drip(CHUNKED + b"0\r\n", b"X-Name: value\r\n" * 100),
    "100 Continue": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunks of one byte": endless(CHUNKED, b"1\r\nx\r\n"),
    "without a length": endless(HEAD + b"\r\n", b"x"),
    "error": drip(b"HTTP/1.1 500 Oops\r\nContent-Length: 5000\r\n\r\n", b"x" * 5000),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW)
def test_endless_answer_is_a_lost_answer(route, answer, method):
    with LoopbackServer(answer) as server, ends_soon():
        with pytest.raises(errors.LostAnswerError, match="the answer was not complete within 1 s") as caught:
            ask(server.url, method)
    assert (caught.value.method, caught.value.url) == (method, server.url + "/x")


@pytest.fixture(name="short_limit")
def short_limit_fixture(monkeypatch):
    """A short time limit for whole answers; each read may take longer, for busy machines."""
    assert exchange_file.SLOWEST_ANSWER == 10
    for file in (exchange_file, requester):
        monkeypatch.setattr(file, "SLOWEST_ANSWER", SECONDS / TOO_LONG)


def test_answer_without_a_total_limit_ends_at_a_multiple_of_timeout(route, short_limit):
    with LoopbackServer(SLOW["body"]) as server, ends_soon():
        with pytest.raises(errors.LostAnswerError, match="the answer was not complete within 1 s"):
            ask(server.url, total=None)


@pytest.mark.parametrize(
    ("seconds", "words"), [(2.99977, "3 s"), (0.99621, "1 s"), (0.0512, "0.051 s"), (12.34, "12.3 s")]
)
def test_time_limit_is_rounded_in_messages(seconds, words):
    exchange = Exchange(Request("GET", "http://127.0.0.1/x"), seconds)
    assert str(error_of_reading(TimeoutError(), exchange)).startswith(f"no answer within {words}. ")


def test_total_limit_of_zero_fails_at_once(route):
    with LoopbackServer(SLOW["body"]) as server:
        with pytest.raises((errors.LostAnswerError, errors.ConnectError)):
            ask(server.url, total=0.0)


class DrippingHandshake(Listener):
    """Answers the beginning of a TLS handshake byte by byte."""

    def serve(self, connection):
        read_head(connection)
        for piece in drip(b"", b"\x16\x03\x03\x40\x00" + b"\x02" * 5000)(self.is_stopped):
            connection.sendall(piece)


def test_endless_tls_handshake_is_a_connect_error(route):
    with DrippingHandshake() as server, ends_soon():
        with pytest.raises(errors.ConnectError):
            ask(f"https://127.0.0.1:{server.port}", "POST")


class DrippingProxy(LoopbackProxy):
    """Answers CONNECT byte by byte."""

    def serve(self, connection):
        read_head(connection)
        for piece in drip(b"", b"HTTP/1.1 200 OK\r\n" + b"X-Name: value\r\n" * 90)(self.is_stopped):
            connection.sendall(piece)


def test_endless_proxy_answer_is_a_connect_error(no_proxy, monkeypatch):
    monkeypatch.delenv("NO_PROXY")
    with DrippingProxy() as proxy, ends_soon():
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(errors.ConnectError, match="the proxy of HTTPS_PROXY"):
            ask("https://gitlab.invalid", "POST")


@contextlib.contextmanager
def blocked_name_lookups():
    """Block name lookups until the yielded event is set. Lookups and attempts at several addresses have no timeout."""
    is_over, getaddrinfo = threading.Event(), socket.getaddrinfo

    def look_up(*args, **kwargs):
        is_over.wait(VERY_LONG)
        return getaddrinfo(*args, **kwargs)

    with mock.patch.object(socket, "getaddrinfo", look_up):
        try:
            yield is_over
        finally:
            is_over.set()


def test_blocked_name_lookup_ends_at_the_time_limit(route):
    words = "the proxy of HTTP_PROXY cannot be reached" if route.is_proxy else "no connection to 127.0.0.1:1 within 1 s"
    with ends_soon(), blocked_name_lookups(), pytest.raises(errors.ConnectError, match=words):
        ask("http://127.0.0.1:1", "POST")


class CloseDetectingServer(LoopbackServer):
    """Waits until the client closes a connection on which it sent nothing."""

    def __init__(self):
        super().__init__()
        self.is_closed_by_client = threading.Event()

    def serve(self, connection):
        if not connection.recv(65536):
            self.is_closed_by_client.set()


def test_late_connection_is_closed(no_proxy):
    with CloseDetectingServer() as server:
        with blocked_name_lookups(), pytest.raises(errors.ConnectError):
            ask(server.url, "POST")
        assert server.is_closed_by_client.wait(VERY_LONG)


class ShortWrites:
    """A transport with a short limit for answers to writes, and a long one for everything else."""

    def __init__(self, transport):
        self._transport = transport

    def send(self, request, *, timeout_seconds):
        if request.method == "POST":
            request = dataclasses.replace(request, total_seconds=SECONDS)
        return self._transport.send(request, timeout_seconds=timeout_seconds)


def test_job_is_read_again_after_an_endless_answer_to_a_post(route):
    """GitLab executed the request, so the job is read again to learn its state."""
    before, after = (answer_of(json.dumps(job(status=status)).encode()) for status in ("manual", "pending"))
    with LoopbackServer(before, SLOW["body"], after) as server, ends_soon():
        options = {"action": "play", "job_id": 42, "api_url": server.url, "api_timeout": VERY_LONG, "api_retries": 0}
        task = gitlab_job_action.TASK
        context = TaskContext(environ={}, transport=lambda _settings, make: ShortWrites(make()))
        outcome = task.run(with_defaults(task, options), context)
    assert [server.line(number).split()[0] for number in range(len(server.received))] == ["GET", "POST", "GET"]
    assert outcome.changed and outcome.failure is None


# ----- streams -----


def stream_of(url, *, total=None, timeout=TOO_LONG):
    return transport_for(url).stream(Request("GET", url + "/x", total_seconds=total), timeout_seconds=timeout)


def read_all(body):
    size = 0
    while True:
        piece = body.read(64 * 1024)
        if not piece:
            return size
        size += len(piece)


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW)
def test_slow_download_is_a_lost_answer(route, answer):
    """The timeout allows each read to be slow, but not thousands of reads for 64 KiB."""
    with LoopbackServer(answer) as server, ends_soon():
        with pytest.raises(errors.LostAnswerError, match="the answer was not complete"):
            with contextlib.closing(stream_of(server.url, total=SECONDS)) as body:
                read_all(body)


def test_each_piece_of_a_download_has_a_time_limit(route, short_limit):
    with LoopbackServer(SLOW["body"]) as server, ends_soon():
        with contextlib.closing(stream_of(server.url)) as body:
            with pytest.raises(errors.LostAnswerError, match="the answer was not complete within 1 s"):
                read_all(body)


def test_long_download_continues_while_pieces_arrive(route, monkeypatch):
    """Each piece takes most of its allowed time, on a clock that the server sets."""
    longest = exchange_file.SLOWEST_ANSWER * VERY_LONG
    clock, is_asked = FakeClock(), threading.Semaphore(0)
    monkeypatch.setattr(exchange_file, "time", clock)
    piece = b"x" * 64 * 1024

    def slowly(is_stopped):
        yield HEAD + b"Content-Length: %d\r\n\r\n" % (8 * len(piece))
        for _number in range(8):
            is_asked.acquire(timeout=VERY_LONG)
            clock.sleep(0.9 * longest)
            yield piece

    with LoopbackServer(slowly) as server:
        with contextlib.closing(stream_of(server.url, timeout=VERY_LONG)) as body:
            for _number in range(8):
                is_asked.release()
                rest = len(piece)
                while rest:
                    rest -= len(body.read(rest))
            assert body.read(1) == b""


# ----- sizes -----

MIB = 1024 * 1024


BOMBS = {
    "gzip": answer_of(gzip.compress(bytes(64 * MIB)), "Content-Encoding: gzip"),
    "gzip in many members": answer_of(gzip.compress(bytes(MIB)) * 64, "Content-Encoding: gzip"),
    "deflate": answer_of(zlib.compress(bytes(64 * MIB)), "Content-Encoding: deflate"),
    "deflate without a wrapper": answer_of(zlib.compress(bytes(64 * MIB))[2:-4], "Content-Encoding: deflate"),
    "plain": answer_of(bytes(16 * MIB)),
}


@pytest.mark.parametrize(("method", "error"), [("GET", errors.BadAnswerError), ("POST", errors.LostAnswerError)])
@pytest.mark.parametrize("answer", BOMBS.values(), ids=BOMBS)
def test_answer_above_the_size_limit_uses_little_memory(no_proxy, answer, method, error):
    with LoopbackServer(answer) as server:
        transport = transport_for(server.url)
        request = Request(method, server.url + "/x", max_bytes=2 * MIB)
        tracemalloc.start()
        try:
            with pytest.raises(error, match="the answer is longer than 2,097,152 bytes") as caught:
                transport.send(request, timeout_seconds=TOO_LONG)
            assert tracemalloc.get_traced_memory()[1] < 4 * MIB
        finally:
            tracemalloc.stop()
    assert caught.type is error and caught.value.is_permanent
    assert (caught.value.method, caught.value.url) == (method, server.url + "/x")


def test_answer_of_exactly_the_size_limit_is_accepted(route):
    with LoopbackServer(answer_of(gzip.compress(bytes(1000)), "Content-Encoding: gzip")) as server:
        assert len(ask(server.url, total=TOO_LONG, max_bytes=1000).body) == 1000
        with pytest.raises(errors.BadAnswerError):
            ask(server.url, total=TOO_LONG, max_bytes=999)


def test_long_error_answer_is_cut(route):
    answer = answer_of(gzip.compress(b"sorry " * MIB), "Content-Encoding: gzip", status="403 No")
    with LoopbackServer(answer) as server:
        response = ask(server.url, "POST", total=TOO_LONG, max_bytes=1000)
    assert response.status == 403
    assert response.body.startswith(b"sorry sorry") and len(response.body) == transport_file.LONGEST_ERROR_BYTES


def test_compressed_download_uses_little_memory(no_proxy):
    with LoopbackServer(BOMBS["gzip"]) as server:
        tracemalloc.start()
        try:
            with contextlib.closing(stream_of(server.url)) as body:
                assert read_all(body) == 64 * MIB
            assert tracemalloc.get_traced_memory()[1] < 2 * MIB
        finally:
            tracemalloc.stop()


# ----- compressed bodies -----


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "x"])
@pytest.mark.parametrize(("method", "error"), [("GET", errors.BadAnswerError), ("POST", errors.LostAnswerError)])
def test_unrequested_content_encoding_is_an_error(route, encoding, method, error):
    with LoopbackServer(answer_of(b"[]", f"Content-Encoding: {encoding}")) as server:
        with pytest.raises(error, match="a Content-Encoding that was not requested"):
            ask(server.url, method, total=TOO_LONG)


@pytest.mark.parametrize("encoding", ["Identity", "GZIP", "x-gzip"])
def test_content_encoding_aliases_are_accepted(route, encoding):
    body = gzip.compress(b"[]") if "zip" in encoding.lower() else b"[]"
    with LoopbackServer(answer_of(body, f"Content-Encoding: {encoding}")) as server:
        assert ask(server.url, total=TOO_LONG).body == b"[]"


@pytest.mark.parametrize("encoding", ["gzip, chunked", "chunked, chunked", "xchunked", "identity"])
def test_unknown_transfer_encoding_is_an_error(route, encoding):
    answer = HEAD + f"Transfer-Encoding: {encoding}\r\nContent-Length: 2\r\n\r\n[]".encode()
    with LoopbackServer(answer) as server:
        with pytest.raises(errors.BadAnswerError, match="a Transfer-Encoding that was not requested"):
            ask(server.url, total=TOO_LONG)


@pytest.mark.parametrize("framing", ["length", "chunks", "end of connection"])
def test_truncated_compressed_download_is_a_lost_answer(route, framing):
    """It looks complete to clients that do not decode it to the end."""
    body = gzip.compress(b"hello world" * 100)[:-9]
    head = HEAD + b"Content-Encoding: gzip\r\n"
    answer = {
        "length": head + b"Content-Length: %d\r\n\r\n" % len(body) + body,
        "chunks": head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n",
        "end of connection": head + b"\r\n" + body,
    }[framing]
    with LoopbackServer(answer) as server:
        with contextlib.closing(stream_of(server.url)) as stream:
            with pytest.raises(errors.LostAnswerError, match="the compressed answer was cut"):
                read_all(stream)
        with pytest.raises(errors.LostAnswerError, match="the compressed answer was cut"):
            ask(server.url, total=TOO_LONG)


def test_unrequested_gzip_stream_is_decoded(route):
    with LoopbackServer(answer_of(gzip.compress(b"hello world" * 100), "Content-Encoding: gzip")) as server:
        with contextlib.closing(stream_of(server.url)) as body:
            assert b"".join(iter(lambda: body.read(64), b"")) == b"hello world" * 100


# ----- slow answers over TLS -----


def test_slow_answer_over_tls_is_a_lost_answer(route):
    authority = Authority()
    with LoopbackServer(SLOW["body"], context=authority.context("valid")) as server, ends_soon():
        with pytest.raises(errors.LostAnswerError, match="the answer was not complete within 3 s"):
            ask(server.url, total=TLS_SECONDS, ca_path=str(authority.ca_path))
    authority.stop()


class DrippingRecord(Listener):
    """Sends its answer in one TLS record, byte by byte."""

    def __init__(self, context, answer):
        super().__init__()
        self._context = context
        self._answer = answer
        self.url = f"https://127.0.0.1:{self.port}"

    def serve(self, connection):
        received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(received, to_send, server_side=True)
        for step in (tls.do_handshake, tls.read):
            while True:
                try:
                    step()
                    break
                except ssl.SSLWantReadError:
                    connection.sendall(to_send.read())
                    received.write(connection.recv(65536))
        tls.write(self._answer)
        for byte in to_send.read():
            if self.is_stopped.wait(0.02):
                return
            connection.sendall(bytes([byte]))


@pytest.mark.parametrize("has_length", [True, False])
@pytest.mark.parametrize("scheme", ["", "http", "https"])
def test_slow_tls_record_is_a_lost_answer(no_proxy, monkeypatch, scheme, has_length):
    authority = Authority()
    context = authority.context("valid")
    answer = answer_of(b"x" * 9000) if has_length else HEAD + b"\r\n" + b"x" * 9000
    with (
        DrippingRecord(context, answer) as server,
        LoopbackProxy() if scheme == "http" else TlsProxy(context) as proxy,
        ends_soon(),
    ):
        if scheme:
            monkeypatch.delenv("NO_PROXY")
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(errors.LostAnswerError, match="the answer was not complete within 3 s"):
            ask(server.url, total=TLS_SECONDS, ca_path=str(authority.ca_path))
    authority.stop()
