# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the admin path that controls sockets instead of the world."""

from __future__ import annotations

import asyncio
import collections.abc as c
import json
import typing as t

from . import admin
from .call import Reply, Request, json_reply
from .schema import REQUIRED, ScenarioError, fill

if t.TYPE_CHECKING:
    from .server import Server

Handler = c.Callable[["Server", t.Any, asyncio.BaseTransport | None], c.Awaitable[Reply]]


async def answer(server: Server, request: Request, transport: asyncio.BaseTransport | None) -> Reply | None:
    """Return the answer to a request below the admin path; None if another part of the admin path handles it.

    The request takes effect before its answer, so that it applies to whatever the client does next.
    """
    path = request.raw_path[len(admin.PREFIX) :].rstrip("/")
    handler = _ROUTES.get((request.method, path))
    if handler is None:
        return None
    try:
        return await handler(server, json.loads(request.body or b"{}"), transport)
    except KeyError as error:
        return json_reply({"error": f"not found: {error.args[0]}"}, status=404)
    except (ScenarioError, ValueError, TypeError) as error:
        return json_reply({"error": str(error)}, status=400)


def _seconds(value: t.Any) -> float:
    if not isinstance(value, (int, float)) or value < 0:
        raise ScenarioError("seconds: must be a number from 0")
    return value


async def _refuse(server: Server, data: t.Any, transport: asyncio.BaseTransport | None) -> Reply:
    row = fill(data, {"seconds": None, "times": None}, kind="refuse", place="refuse")
    if (row["seconds"] is None) == (row["times"] is None):
        raise ScenarioError("refuse: set either seconds or times")
    if row["times"] is None:
        await server.refuse(_seconds(row["seconds"]))
    else:
        with server.simulation.lock:
            server.simulation.faults.add(kind="refuse", times=row["times"])
    return json_reply(row)


async def _restart(server: Server, data: t.Any, transport: asyncio.BaseTransport | None) -> Reply:
    row = fill(data, {"down_seconds": 0.2}, kind="restart", place="restart")
    await server.restart(_seconds(row["down_seconds"]), spare=transport)
    return json_reply(row)


async def _second(server: Server, data: t.Any, transport: asyncio.BaseTransport | None) -> Reply:
    return json_reply({"url": await server.second.url(), "tls_url": await server.second.tls_url()})


async def _second_requests(server: Server, data: t.Any, transport: asyncio.BaseTransport | None) -> Reply:
    return json_reply(server.second.requests())


async def _clear_second(server: Server, data: t.Any, transport: asyncio.BaseTransport | None) -> Reply:
    server.second.clear()
    return Reply(204, content_type=None)


async def _hooks(server: Server, data: t.Any, transport: asyncio.BaseTransport | None) -> Reply:
    await server.sender.drain()
    with server.simulation.lock:
        return json_reply(server.simulation.outbox.log)


async def _sha256(server: Server, data: t.Any, transport: asyncio.BaseTransport | None) -> Reply:
    row = fill(data, {"job": REQUIRED, "content": "archive"}, kind="sha256", place="sha256")
    # For a gigabyte, this takes a second, during which the server must continue.
    digest = await asyncio.to_thread(server.simulation.sha256, row["job"], row["content"])
    return json_reply({"sha256": digest})


async def _tls(server: Server, data: t.Any, transport: asyncio.BaseTransport | None) -> Reply:
    row = fill(data, {"kind": "valid"}, kind="tls", place="tls")
    url = await server.tls_url(row["kind"])
    return json_reply({"url": url, "ca_path": str(server.authority.ca_path)})


_ROUTES: dict[tuple[str, str], Handler] = {
    ("POST", "/refuse"): _refuse,
    ("POST", "/restart"): _restart,
    ("GET", "/second"): _second,
    ("GET", "/second/requests"): _second_requests,
    ("DELETE", "/second/requests"): _clear_second,
    ("GET", "/hooks"): _hooks,
    ("POST", "/tls"): _tls,
    ("POST", "/sha256"): _sha256,
}
