# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP side: aiohttp's plain server, as its router would decide what the simulated server has to decide itself."""

from __future__ import annotations

import asyncio

from aiohttp import web

from . import admin
from .call import Reply, Request
from .faults import Rule
from .simulation import Simulation


class Server:
    """Serves a simulation on one address, inside a running event loop."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self._runner: web.ServerRunner | None = None

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the URL; port 0 takes a free one."""
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, reuse_address=True)
        await site.start()
        address = self._runner.addresses[0]
        return f"http://{host}:{address[1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        raw_path, _mark, query = incoming.raw_path.partition("?")
        request = Request(
            method=incoming.method,
            raw_path=raw_path,
            query=query,
            headers={name.lower(): value for name, value in incoming.headers.items()},
            body=await incoming.content.read(),
            base_url=f"{incoming.scheme}://{incoming.host}",
            peer=incoming.remote or "",
        )
        if raw_path.startswith(admin.PREFIX):
            return _response(admin.answer(self.simulation, request))
        reply, rule = self.simulation.answer(request)
        if rule is None:
            return _response(reply)
        return await self._respond_with_fault(incoming, reply, rule)

    async def _respond_with_fault(self, incoming: web.BaseRequest, reply: Reply, rule: Rule) -> web.StreamResponse:
        if rule.seconds:
            await asyncio.sleep(rule.seconds)
        if rule.kind in ("reset_before", "reset_after"):
            _abort(incoming)
        if rule.kind != "truncate":
            return _response(reply)
        # Promise the whole body, send its beginning, and hang up.
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        response.content_type = reply.content_type or "application/octet-stream"
        response.content_length = len(reply.body)
        await response.prepare(incoming)
        await response.write(reply.body[: rule.bytes])
        if incoming.transport is not None:
            incoming.transport.close()
        return response


def _abort(incoming: web.BaseRequest) -> None:
    if incoming.transport is not None:
        incoming.transport.abort()


def _response(reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.content_type is not None:
        headers["Content-Type"] = reply.content_type
    return web.Response(status=reply.status, body=reply.body, headers=headers)
