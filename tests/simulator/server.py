# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP server. It uses aiohttp without its router because the simulated server does its own routing."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from . import admin, controls, wire
from .call import Reply, Request
from .certificates import Authority
from .hooks.sender import Sender
from .listener import Listener, reset
from .second import SecondOrigin
from .simulation import Simulation

# Placeholders in the headers of a fault, for addresses and times that are only known later.
_NAMED = re.compile(r"\{(second|second_tls|self|self_http|self_tls|path|date|unix)([+-]\d+)?\}")


class Server:
    """Serves a simulation in a running event loop: on one port, and on one more per kind of certificate."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.authority = Authority()
        self.second = SecondOrigin(self.authority, host="127.0.0.1", storage=self._answer_from_storage)
        self.sender = Sender(simulation)
        self._host = ""
        self._http: web.Server | None = None
        # By kind of certificate; the plain one has the empty name.
        self._listeners: dict[str, Listener] = {}
        self._busy: set[asyncio.BaseTransport] = set()
        self._reopening: asyncio.TimerHandle | None = None

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the URL; port 0 selects a free port."""
        self._host = host
        self._http = web.Server(self._handle, access_log=None)
        self._listen("", port=port)
        self.simulation.listens_at(self.url)
        self.sender.start()
        return self.url

    async def stop(self) -> None:
        await self.sender.stop()
        if self._reopening is not None:
            self._reopening.cancel()
        for listener in self._listeners.values():
            await listener.end()
        if self._http is not None:
            await self._http.shutdown(0.1)
        await self.second.stop()
        self.authority.stop()

    @property
    def url(self) -> str:
        return self._listeners[""].url

    async def tls_url(self, kind: str) -> str:
        """Return the URL of the same world over TLS.

        :raises ValueError: if there is no such kind of certificate.
        """
        if kind not in self._listeners:
            self._listen(kind)
        return self._listeners[kind].url

    def _listen(self, kind: str, *, port: int = 0) -> None:
        assert self._http is not None
        context = self.authority.context(kind) if kind else None
        listener = Listener(self._http, host=self._host, port=port, context=context, refuses=self._refuses)
        listener.open()
        self._listeners[kind] = listener

    def _refuses(self) -> bool:
        with self.simulation.lock:
            return self.simulation.faults.find_for_connection() is not None

    # -- being away ------------------------------------------------------------------------------------------------

    async def refuse(self, seconds: float) -> None:
        """Refuse connections for a while. Idle ones end now, active ones after the answer to their request."""
        await self._close(seconds)
        for handler in self._http.connections if self._http else ():
            if handler.transport is None:
                continue
            if handler.transport in self._busy:
                handler.close()
            else:
                handler.transport.close()

    async def restart(self, down_seconds: float, *, spare: asyncio.BaseTransport | None = None) -> None:
        """Reset all connections, even active ones, and refuse new ones for a while.

        :param spare: a connection that ends only after its request is answered.
        """
        await self._close(down_seconds)
        for handler in self._http.connections if self._http else ():
            if handler.transport is not None and handler.transport is spare:
                handler.close()
            else:
                reset(handler.transport)

    async def _close(self, seconds: float) -> None:
        if self._reopening is not None:
            self._reopening.cancel()
        for listener in self._listeners.values():
            await listener.close()
        self._reopening = asyncio.get_running_loop().call_later(seconds, self._open)

    async def open(self) -> None:
        """Listen again immediately."""
        self._open()

    def _open(self) -> None:
        if self._reopening is not None:
            self._reopening.cancel()
            self._reopening = None
        for listener in self._listeners.values():
            listener.open()

    # -- requests --------------------------------------------------------------------------------------------------

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
        transport = incoming.transport
        if transport is not None:
            self._busy.add(transport)
        try:
            if raw_path.startswith(admin.PREFIX):
                reply = await controls.answer(self, request, transport)
                return wire.response(reply or admin.answer(self.simulation, request))
            return await self._answer(incoming, request)
        except ConnectionError:
            return wire.closed(incoming, Reply(200))  # the client has disconnected, which is normal
        finally:
            if transport is not None:
                self._busy.discard(transport)

    async def _answer(self, incoming: web.BaseRequest, request: Request) -> web.StreamResponse:
        reply, rule = self.simulation.answer(request)
        reply.headers.setdefault("Date", self.simulation.http_date(self.simulation.wall_time()))
        await self._name(reply, request)
        if rule is None:
            return await wire.send(incoming, reply)
        if rule.kind == "refuse":
            # First, so that the client's next connection is refused.
            await self.refuse(rule.seconds)
        return await wire.commit(incoming, reply, rule)

    async def _answer_from_storage(self, incoming: web.BaseRequest, request: Request) -> web.StreamResponse:
        """Answer a request to the object storage, which is on the second origin."""
        reply, rule = self.simulation.answer_from_storage(request)
        if rule is None:
            return await wire.send(incoming, reply)
        await self._name(reply, request)
        return await wire.commit(incoming, reply, rule)

    async def _name(self, reply: Reply, request: Request) -> None:
        """Replace the placeholders for addresses and times in the headers."""
        for header, text in reply.headers.items():
            if "{" not in text:
                continue
            known = {match[0]: await self._named(match, request) for match in _NAMED.finditer(text)}
            for name, value in known.items():
                text = text.replace(name, value)
            reply.headers[header] = text

    async def _named(self, match: re.Match[str], request: Request) -> str:
        name, later = match[1], int(match[2] or 0)
        if name == "second":
            return await self.second.url()
        if name == "second_tls":
            return await self.second.tls_url()
        if name == "self_http":
            return self.url
        if name == "self_tls":
            return await self.tls_url("valid")
        if name == "self":
            return request.base_url
        if name == "path":
            return f"{request.raw_path}?{request.query}" if request.query else request.raw_path
        moment = self.simulation.wall_time() + later
        # Times are rounded up, because "in a second" must not be earlier.
        return self.simulation.http_date(-(-moment // 1)) if name == "date" else str(int(-(-moment // 1)))
