# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source on a port, and a client that sends bytes to it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import typing as t
import urllib.parse
from unittest import mock

from jobgate_gitlab_events import server
from jobgate_gitlab_events.backlog import Backlog
from jobgate_gitlab_events.options import Options, read_options
from jobgate_gitlab_events.receiver import Receiver
from multidict import CIMultiDict

from .support import NOW, SIGNING


@contextlib.asynccontextmanager
async def source(queue: t.Any = None, **args: t.Any) -> t.AsyncIterator[tuple[str, Backlog]]:
    """Run the server with these options and constants in seconds; yield its URL and the backlog."""
    seconds = {"REST_SECONDS": 0.1, **args.pop("seconds", {})}
    backlog = args.pop("backlog", None) or Backlog()
    options: Options = read_options({"port": 0, "path": "/gitlab", "signing_token": SIGNING, **args})
    receiver = Receiver(options, backlog, clock=lambda: NOW)
    with mock.patch.multiple(server, **seconds):
        async with server.listening(options, receiver, backlog) as url:
            task = asyncio.create_task(server.pass_on(backlog, queue)) if queue is not None else None
            yield url, backlog
            if task is not None:
                task.cancel()


def head(headers: CIMultiDict[str], length: int | None, path: str = "/gitlab") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: h", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


async def exchange(url: str, *parts: bytes, tls: ssl.SSLContext | None = None) -> bytes:
    """Send these bytes, and return everything that is received until the connection is closed."""
    address = urllib.parse.urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, ssl=tls)
    # read while sending: a response may arrive early, and be lost when the connection is closed
    receiving = asyncio.create_task(_received(reader))
    try:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                writer.write(part)
                await writer.drain()
        return await asyncio.wait_for(receiving, 30)
    finally:
        receiving.cancel()
        writer.close()


async def _received(reader: asyncio.StreamReader) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(65536):
            received += part
    return received


async def deliver(url: str, headers: CIMultiDict[str], body: bytes, **more: t.Any) -> int:
    """Return the status of the response; 0 if there is none."""
    answer = await exchange(url, head(headers, len(body)) + body, **more)
    return int(answer.split()[1]) if answer else 0
