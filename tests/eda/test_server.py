# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source on a real port: what only a connection shows."""

from __future__ import annotations

import asyncio
import collections
import collections.abc as c
import contextlib
import gzip
import logging
import re
import ssl
import threading
import typing as t
import urllib.parse
import urllib.request

import pytest
from jobgate_gitlab_events import server
from jobgate_gitlab_events.backlog import Backlog
from jobgate_gitlab_events.options import Options, read_options
from jobgate_gitlab_events.receiver import Receiver
from multidict import CIMultiDict

from tests.simulator.certificates import Authority

from .support import JOB, NOW, OTHER_SIGNING, PUSH, SECRETS, SIGNING, TOKEN, changed, encoded, signed

BODY = encoded(JOB)


@contextlib.asynccontextmanager
async def source(queue: t.Any = None, **args: t.Any) -> t.AsyncIterator[tuple[str, Backlog]]:
    """Run the server with these options; yields its URL and the backlog."""
    patience = server.Patience(**{"rest": 0.1, **args.pop("patience", {})})
    backlog = args.pop("backlog", None) or Backlog()
    options: Options = read_options({"port": 0, "path": "/gitlab", "signing_token": SIGNING, **args})
    receiver = Receiver(options, backlog, clock=lambda: NOW)
    async with server.listening(options, receiver, backlog, patience) as url:
        task = asyncio.create_task(server.pass_on(backlog, queue)) if queue is not None else None
        yield url, backlog
        if task is not None:
            task.cancel()


def head(headers: CIMultiDict[str], length: int | None, path: str = "/gitlab") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: h", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


async def exchange(url: str, *parts: bytes, tls: ssl.SSLContext | None = None) -> bytes:
    """Send these bytes, and return all that comes back until the connection is closed."""
    address = urllib.parse.urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, ssl=tls)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 30)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def deliver(url: str, headers: CIMultiDict[str], body: bytes, **more: t.Any) -> int:
    """Return the status of the answer; 0 when there is none."""
    answer = await exchange(url, head(headers, len(body)) + body, **more)
    return int(answer.split()[1]) if answer else 0


def test_a_delivery_becomes_an_event() -> None:
    async def scene() -> None:
        queue: asyncio.Queue[t.Any] = asyncio.Queue()
        async with source(queue) as (url, backlog):
            assert await deliver(url, signed(BODY), BODY) == 200
            event = await queue.get()
            assert event["payload"] == JOB and event["gitlab"]["name"] == "deploy:prod"
            assert await deliver(url, signed(BODY), BODY) == 200
            assert await deliver(url, signed(BODY, "two"), BODY) == 200
            assert (await queue.get())["meta"]["uuid"] == "two"
        assert queue.empty() and backlog.events == backlog.bytes == 0

    asyncio.run(scene())


def test_the_answer_is_out_before_the_rules_have_the_event() -> None:
    """The queue holds up the whole loop until the client has its answer."""
    answered = threading.Event()
    order: list[str] = []

    class Rules:
        async def put(self, event: dict[str, t.Any]) -> None:
            order.append("rule" if answered.wait(20) else "rule without answer")

    def client(url: str) -> None:
        request = urllib.request.Request(url, data=BODY, headers=dict(signed(BODY)))
        with urllib.request.urlopen(request, timeout=20) as answer:
            answer.read()
        order.append("answer")
        answered.set()

    async def scene() -> None:
        async with source(Rules()) as (url, backlog):
            await asyncio.to_thread(client, url)
            while len(order) < 2:
                await asyncio.sleep(0)

    asyncio.run(scene())
    assert order == ["answer", "rule"]


def test_a_filter_that_fails_costs_one_event(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        taken: asyncio.Queue[t.Any] = asyncio.Queue()

        class Rules:
            async def put(self, event: dict[str, t.Any]) -> None:
                if event["meta"]["uuid"] == "bad":
                    raise KeyError("a secret of a filter")
                await taken.put(event)

        async with source(Rules()) as (url, backlog):
            assert await deliver(url, signed(BODY, "bad"), BODY) == 200
            assert await deliver(url, signed(BODY, "good"), BODY) == 200
            assert (await taken.get())["meta"]["uuid"] == "good"
            assert backlog.events == backlog.bytes == 0

    asyncio.run(scene())
    assert "job 1977 (failed) is lost: a filter of the rulebook failed with KeyError" in caplog.text
    assert "a secret of a filter" not in caplog.text


CHUNKED = CIMultiDict({"Transfer-Encoding": "chunked"})


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize(("length", "status"), [(2048, 400), (2049, 413), (10_000_000, 413)])
@pytest.mark.parametrize("said", [True, False], ids=["length", "chunks"])
def test_long_bodies(length: int, status: int, said: bool) -> None:
    async def scene() -> None:
        async with source(max_body=2048) as (url, backlog):
            body = b"x" * length
            headers = signed(body)
            if said:
                # what is too long is refused before it is sent
                sent = head(headers, length) + (body if status != 413 else b"")
            else:
                headers.update(CHUNKED)
                sent = head(headers, None) + chunked(body)
            answer = await exchange(url, sent)
            assert answer.split()[1] == b"%d" % status
            assert backlog.events == backlog.bytes == 0

    asyncio.run(scene())


def test_a_compressed_body_is_not_unpacked() -> None:
    async def scene() -> None:
        async with source(max_body=65536) as (url, backlog):
            body = gzip.compress(b" " * 50_000_000)
            assert len(body) < 65536
            headers = signed(body)
            headers["Content-Encoding"] = "gzip"
            assert await deliver(url, headers, body) == 400

    asyncio.run(scene())


@pytest.mark.parametrize("end", ["slow", "cut"])
def test_a_body_that_does_not_end(end: str) -> None:
    """It costs its sender the connection and nobody else anything; the others are served meanwhile."""

    async def scene() -> None:
        queue: asyncio.Queue[t.Any] = asyncio.Queue()
        async with source(queue, patience={"body": 0.2 if end == "slow" else 30}) as (url, backlog):
            address = urllib.parse.urlsplit(url)
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(head(signed(BODY), len(BODY)) + BODY[:100])
            while not backlog.bytes:
                await asyncio.sleep(0)
            assert await deliver(url, signed(BODY, "other"), BODY) == 200
            if end == "slow":
                assert (await reader.read()).split()[1] == b"408"
            writer.close()
            assert (await queue.get())["meta"]["uuid"] == "other"
            while backlog.bytes:
                await asyncio.sleep(0)
            # the whole of it may still come
            assert await deliver(url, signed(BODY), BODY) == 200
            assert (await queue.get())["meta"]["uuid"] == "delivery-1"

    asyncio.run(asyncio.wait_for(scene(), 30))


def test_headers_that_do_not_end() -> None:
    async def scene() -> None:
        async with source(patience={"headers": 0.2}) as (url, backlog):
            assert await exchange(url, head(signed(BODY), len(BODY))[:-3]) == b""
            assert await exchange(url) == b""

    asyncio.run(scene())


@pytest.mark.parametrize(
    "more",
    [
        {"X-Big": "x" * 100_000},
        {f"X-{number}": "x" for number in range(1000)},
        {f"X-{number}": "x" * 8000 for number in range(999)},
    ],
    ids=["long", "many", "both"],
)
def test_huge_headers(more: dict[str, str]) -> None:
    async def scene() -> None:
        queue: asyncio.Queue[t.Any] = asyncio.Queue()
        async with source(queue) as (url, backlog):
            headers = signed(BODY)
            headers.update(more)
            # it may be refused before all of it is sent
            assert await deliver(url, headers, BODY) in (0, 400)
            assert await deliver(url, signed(BODY), BODY) == 200
            assert await queue.get() and queue.empty()

    asyncio.run(scene())


def test_bodies_that_are_being_read_count_as_well() -> None:
    """Who only sends, and knows no secret, cannot fill the memory."""

    async def scene() -> None:
        async with source(backlog=Backlog(most_bytes=5000), max_body=4096) as (url, backlog):
            address = urllib.parse.urlsplit(url)
            writers = []
            for number in range(2):
                _reader, writer = await asyncio.open_connection(address.hostname, address.port)
                writer.write(head(signed(BODY, signing_token=OTHER_SIGNING), 4096) + b"x" * 2000)
                writers.append(writer)
                while backlog.bytes < 2000 * (number + 1):
                    await asyncio.sleep(0)
            body = encoded(changed(JOB, x="x" * 2000))
            assert await deliver(url, signed(body), body) == 503
            for writer in writers:
                writer.close()
            while backlog.bytes:
                await asyncio.sleep(0)
            assert await deliver(url, signed(body), body) == 200

    asyncio.run(asyncio.wait_for(scene(), 30))


def test_many_at_a_time() -> None:
    """Honest ones among others, fifty at a time: each has its answer, and each honest one makes one event."""

    async def scene() -> None:
        queue: asyncio.Queue[t.Any] = asyncio.Queue()
        async with source(queue) as (url, backlog):
            limit = asyncio.Semaphore(50)
            push = encoded(PUSH)

            async def one(headers: CIMultiDict[str], body: bytes) -> int:
                async with limit:
                    return await deliver(url, headers, body)

            sent = []
            for number in range(100):
                body = encoded(changed(JOB, build_id=number))
                sent += [
                    one(signed(body, f"{number}"), body),
                    one(signed(body, f"{number}"), body),
                    one(signed(body, f"x{number}", signing_token=OTHER_SIGNING), body),
                    one(signed(push, f"push{number}"), push),
                ]
            statuses = collections.Counter(await asyncio.gather(*sent))
            assert statuses == {200: 300, 401: 100}
            while backlog.events:
                await asyncio.sleep(0)
        events = []
        while not queue.empty():
            events.append(queue.get_nowait()["gitlab"]["id"])
        assert sorted(events) == list(range(100))

    asyncio.run(asyncio.wait_for(scene(), 60))


@pytest.fixture
def authority() -> c.Iterator[Authority]:
    made = Authority()
    yield made
    made.stop()


def test_https(authority: Authority) -> None:
    async def scene() -> None:
        certificate, key = authority.client_files()
        queue: asyncio.Queue[t.Any] = asyncio.Queue()
        async with source(queue, certfile=str(certificate), keyfile=str(key)) as (url, backlog):
            assert url.startswith("https://127.0.0.1:")
            trusting = ssl.create_default_context(cafile=str(authority.ca_path))
            assert await deliver(url, signed(BODY), BODY, tls=trusting) == 200
            assert await queue.get()
            # and nothing without
            assert await deliver(url, signed(BODY, "plain"), BODY) == 0
            assert queue.empty()

    asyncio.run(scene())


BAD_REQUESTS = [
    head(CIMultiDict({"X-Gitlab-Token": TOKEN, "X\x00": TOKEN}), 0),
    head(CIMultiDict({"X-Gitlab-Token": TOKEN + "\x00"}), 0),
    head(CIMultiDict({"X-Gitlab-Token": TOKEN, "Content-Length": "x"}), 0),
    head(CIMultiDict({"X-Gitlab-Token": TOKEN * 1000}), 0),
    head(CIMultiDict({"X-Gitlab-Token": TOKEN}), 0, path=f"/{TOKEN}?token={TOKEN}"),
    head(CIMultiDict({"X-Gitlab-Token": TOKEN}), 0, path=f"http://[{TOKEN}"),
    TOKEN.encode() * 1000,
    b"\x16\x03\x01\x02\x00" + TOKEN.encode() + b"\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", BAD_REQUESTS, ids=range(len(BAD_REQUESTS)))
def test_no_secret_is_in_the_log(request_bytes: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def scene() -> None:
        async with source(token=TOKEN) as (url, backlog):
            await exchange(url, request_bytes)
            good = signed(BODY, X_Gitlab_Token=TOKEN)
            assert await deliver(url, good, BODY) == 200
            assert await deliver(url, good, BODY + b" ") == 401

    asyncio.run(scene())
    assert "401: the signature is wrong" in caplog.text
    assert not [secret for secret in SECRETS if secret in caplog.text]
    assert not re.search("v1,|whsec_", caplog.text)
