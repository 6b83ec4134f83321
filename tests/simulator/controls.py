# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the admin path that concerns sockets rather than the world."""

from __future__ import annotations

import collections.abc as c
import json
import typing as t

from . import admin
from .call import Reply, Request, json_reply
from .schema import ScenarioError, fill

if t.TYPE_CHECKING:
    from .server import Server

# An answer, and what is to be done when it has been sent.
Handled = tuple[Reply, c.Callable[[], c.Awaitable[None]] | None]


async def answer(server: Server, request: Request) -> Handled | None:
    """Return the answer to a request below the admin path, None when it is for the rest of the admin path."""
    path = request.raw_path[len(admin.PREFIX) :].rstrip("/")
    handler = _ROUTES.get((request.method, path))
    if handler is None:
        return None
    try:
        return await handler(server, json.loads(request.body or b"{}"))
    except (ScenarioError, ValueError, TypeError) as error:
        return json_reply({"error": str(error)}, status=400), None


def _seconds(value: t.Any) -> float:
    if not isinstance(value, (int, float)) or value < 0:
        raise ScenarioError("seconds: a number from 0 is needed")
    return value


async def _refuse(server: Server, data: t.Any) -> Handled:
    row = fill(data, {"seconds": None, "times": None}, kind="refuse", place="refuse")
    if (row["seconds"] is None) == (row["times"] is None):
        raise ScenarioError("refuse: either seconds or times is needed")
    if row["times"] is not None:
        with server.simulation.lock:
            server.simulation.faults.add(kind="refuse", times=row["times"])
        return json_reply(row, status=202), None
    seconds = _seconds(row["seconds"])
    return json_reply(row, status=202), lambda: server.refuse(seconds)


async def _restart(server: Server, data: t.Any) -> Handled:
    row = fill(data, {"down_seconds": 0.2}, kind="restart", place="restart")
    seconds = _seconds(row["down_seconds"])
    return json_reply(row, status=202), lambda: server.restart(seconds)


async def _second(server: Server, data: t.Any) -> Handled:
    return json_reply({"url": await server.second.url(), "tls_url": await server.second.tls_url()}), None


async def _second_requests(server: Server, data: t.Any) -> Handled:
    return json_reply(server.second.requests()), None


async def _clear_second(server: Server, data: t.Any) -> Handled:
    server.second.clear()
    return Reply(204, content_type=None), None


async def _tls(server: Server, data: t.Any) -> Handled:
    row = fill(data, {"kind": "valid"}, kind="tls", place="tls")
    url = await server.tls_url(row["kind"])
    return json_reply({"url": url, "ca_path": str(server.authority.ca_path)}), None


_ROUTES: dict[tuple[str, str], c.Callable[[Server, t.Any], c.Awaitable[Handled]]] = {
    ("POST", "/refuse"): _refuse,
    ("POST", "/restart"): _restart,
    ("GET", "/second"): _second,
    ("GET", "/second/requests"): _second_requests,
    ("DELETE", "/second/requests"): _clear_second,
    ("POST", "/tls"): _tls,
}
