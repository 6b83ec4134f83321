# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test the event source on a real port: the parts that need a connection."""

from __future__ import annotations

import asyncio
import collections
import gzip
import logging
import re
import runpy
import socket
import threading
import typing as t
import urllib.parse
import urllib.request

import pytest
from jobgate_gitlab_events.backlog import Backlog
from jobgate_gitlab_events.options import OptionError, read_options
from jobgate_gitlab_events.server import run
from multidict import CIMultiDict

from .port import deliver, exchange, head, source
from .support import EDA, JOB, OTHER_SIGNING, PUSH, TOKEN, changed, encoded, signed, with_token

BODY = encoded(JOB)


def test_delivery_becomes_an_event() -> None:
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


def test_answer_is_sent_before_the_rules_get_the_event() -> None:
    """The queue blocks the whole loop until the client has its response."""
    answered = threading.Event()
    order: list[str] = []

    class Rules:
        async def put(self, event: dict[str, t.Any]) -> None:
            order.append("rule" if answered.wait(60) else "rule without answer")

    def client(url: str) -> None:
        request = urllib.request.Request(url, data=BODY, headers=dict(signed(BODY)))
        with urllib.request.urlopen(request, timeout=60) as answer:
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


def test_plugin_runs_until_canceled_and_frees_its_port(caplog: pytest.LogCaptureFixture) -> None:
    """The plugin is loaded by path. It ends when it is cancelled, and its port is free then."""
    caplog.set_level(logging.INFO)
    main = runpy.run_path(str(EDA / "plugins" / "event_source" / "job_events.py"))["main"]

    async def scene() -> None:
        queue: asyncio.Queue[t.Any] = asyncio.Queue()
        task = asyncio.create_task(main(queue, {"port": "0", "path": "/gitlab", "token": TOKEN}))
        while not (found := re.search(r"waiting for GitLab's hooks on (\S+)", caplog.text)):
            await asyncio.sleep(0)
        assert await deliver(found[1], with_token(), BODY) == 200
        assert (await queue.get())["gitlab"]["id"] == 1977
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(ConnectionRefusedError):
            await deliver(found[1], with_token("two"), BODY)

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_insecure_source_logs_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    main = runpy.run_path(str(EDA / "plugins" / "event_source" / "job_events.py"))["main"]

    async def scene() -> None:
        task = asyncio.create_task(main(asyncio.Queue(), {"port": 0, "insecure": True}))
        while "insecure" not in caplog.text and not task.done():
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(asyncio.wait_for(scene(), 60))
    assert re.search(r"insecure: anyone who can reach http://127.0.0.1:\d+/ can trigger the rules", caplog.text)


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_unavailable_address_prevents_the_start(host: str) -> None:
    async def scene() -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            sentence = rf"cannot listen on host '{host}' and port {port} \(.+\): set an address of this machine"
            with pytest.raises(OptionError, match=sentence):
                await run(asyncio.Queue(), read_options({"host": host, "port": port, "insecure": True}))

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_failing_filter_loses_only_one_event(caplog: pytest.LogCaptureFixture) -> None:
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
    assert "job 1977 (failed) was lost: a filter of the rulebook failed with KeyError" in caplog.text
    assert "a secret of a filter" not in caplog.text


CHUNKED = CIMultiDict({"Transfer-Encoding": "chunked"})


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize(("length", "status"), [(2048, 400), (2049, 413), (10_000_000, 413)])
@pytest.mark.parametrize("has_length", [True, False], ids=["length", "chunks"])
def test_body_above_max_body_is_refused(length: int, status: int, has_length: bool) -> None:
    async def scene() -> None:
        async with source(max_body=2048) as (url, backlog):
            body = b"x" * length
            headers = signed(body)
            if has_length:
                # bodies that are too long are refused before they are sent
                sent = head(headers, length) + (body if status != 413 else b"")
            else:
                headers.update(CHUNKED)
                sent = head(headers, None) + chunked(body)
            answer = await exchange(url, sent)
            assert answer.split()[1] == b"%d" % status
            assert backlog.events == backlog.bytes == 0

    asyncio.run(scene())


def test_compressed_body_is_not_decompressed() -> None:
    async def scene() -> None:
        async with source(max_body=65536) as (url, backlog):
            body = gzip.compress(b" " * 50_000_000)
            assert len(body) < 65536
            headers = signed(body)
            headers["Content-Encoding"] = "gzip"
            assert await deliver(url, headers, body) == 400

    asyncio.run(scene())


@pytest.mark.parametrize("end", ["slow", "cut"])
def test_incomplete_body_does_not_affect_other_clients(end: str) -> None:
    async def scene() -> None:
        queue: asyncio.Queue[t.Any] = asyncio.Queue()
        async with source(queue, seconds={"BODY_SECONDS": 0.2 if end == "slow" else 30}) as (url, backlog):
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
            # the complete delivery may still arrive
            assert await deliver(url, signed(BODY), BODY) == 200
            assert (await queue.get())["meta"]["uuid"] == "delivery-1"

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_incomplete_headers_close_the_connection() -> None:
    async def scene() -> None:
        async with source(seconds={"HEADER_SECONDS": 0.2}) as (url, backlog):
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
def test_huge_headers_are_refused(more: dict[str, str]) -> None:
    async def scene() -> None:
        queue: asyncio.Queue[t.Any] = asyncio.Queue()
        async with source(queue) as (url, backlog):
            headers = signed(BODY)
            headers.update(more)
            # the source may refuse it before everything is sent
            assert await deliver(url, headers, BODY) in (0, 400)
            assert await deliver(url, signed(BODY), BODY) == 200
            assert await queue.get() and queue.empty()

    asyncio.run(scene())


def test_bodies_being_read_count_toward_the_limit() -> None:
    """A client without a secret cannot fill the memory by sending."""

    async def scene() -> None:
        async with source(backlog=Backlog(max_bytes=5000), max_body=4096) as (url, backlog):
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

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_simultaneous_deliveries_each_get_an_answer() -> None:
    """Fifty clients send at once. Each gets its response, and each genuine delivery makes one event."""

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
