# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send the deliveries of the outbox, in the event loop of the server."""

from __future__ import annotations

import asyncio
import contextlib
import typing as t

import aiohttp

from .config import Hook
from .delivery import Delivery, masked
from .health import Health

if t.TYPE_CHECKING:
    from ..simulation import Simulation
    from .outbox import Outbox

# Most clocks advance by themselves, so they have to be polled.
_TICK_SECONDS: t.Final = 0.02
_TIMEOUT_SECONDS: t.Final = 10.0


class Sender:
    """Sends deliveries one at a time, so that tests can rely on their order."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._task: asyncio.Task[None] | None = None
        # What others overtake, and until when by the clock of the scenario.
        self._behind: list[tuple[float, Outbox, Delivery]] = []
        self._health: dict[Hook, Health] = {}
        self._is_busy = False

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def drain(self) -> None:
        """Wait until all deliveries that are due have been sent."""
        while True:
            with self._simulation.lock:
                self._simulation.engine.advance()
                due = self._due(self._simulation.engine.time)
                is_done = not (self._simulation.outbox.waiting or self._is_busy or due)
            if is_done:
                return
            await asyncio.sleep(_TICK_SECONDS)

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                await self._send_waiting(session)
                await asyncio.sleep(_TICK_SECONDS)

    async def _send_waiting(self, session: aiohttp.ClientSession) -> None:
        simulation = self._simulation
        with simulation.lock:
            outbox = simulation.outbox
            if outbox.hooks:
                simulation.engine.advance()
            now = simulation.engine.time
        # Deliveries of a replaced world are dropped.
        self._behind = [row for row in self._behind if row[1] is outbox]
        # Until this ends, deliveries that left the queue may still be in transit.
        self._is_busy = True
        try:
            while outbox.waiting:
                await self._take(session, outbox, outbox.waiting.popleft())
            await self._release(session, self._due(now))
        finally:
            self._is_busy = False

    async def _take(self, session: aiohttp.ClientSession, outbox: Outbox, delivery: Delivery) -> None:
        """Send a delivery, or apply its fault."""
        overtaken = [row for row in self._behind if row[2].kind == "out_of_order"]
        if delivery.kind == "late" or (delivery.kind == "out_of_order" and not overtaken):
            self._behind.append((delivery.at + delivery.delay, outbox, delivery))
        elif delivery.kind == "lost":
            _note(outbox, delivery, {}, at=self._simulation.engine.time, error="lost")
        else:
            for _time in range(2 if delivery.kind == "twice" else 1):
                await self._send(session, outbox, delivery)
            await self._release(session, overtaken)

    def _due(self, now: float) -> list[tuple[float, Outbox, Delivery]]:
        return [row for row in self._behind if row[0] <= now]

    async def _release(self, session: aiohttp.ClientSession, rows: list[tuple[float, Outbox, Delivery]]) -> None:
        for row in rows:
            self._behind.remove(row)
            await self._send(session, *row[1:])

    async def _send(self, session: aiohttp.ClientSession, outbox: Outbox, delivery: Delivery) -> None:
        hook, now = delivery.hook, self._simulation.engine.time
        health = self._health.setdefault(hook, Health())
        if hook.auto_disable and not health.may_send(now):
            _note(outbox, delivery, {}, at=now, error="disabled")
            return
        headers = delivery.headers()
        status, error = None, None
        try:
            async with session.post(
                hook.url,
                data=delivery.body,
                headers=headers,
                allow_redirects=False,
                ssl=hook.ssl_verification,
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as failure:
            error = str(failure) or type(failure).__name__
        health.count(status, delivery.features, now=now)
        _note(outbox, delivery, headers, at=now, answer=status, error=error)


def _note(
    outbox: Outbox,
    delivery: Delivery,
    headers: dict[str, str],
    *,
    at: float,
    answer: int | None = None,
    error: str | None = None,
) -> None:
    outbox.log.append(
        {
            "event": delivery.event,
            "id": delivery.subject,
            "status": delivery.status,
            "url": delivery.hook.url,
            "headers": masked(headers),
            "fault": delivery.kind,
            "answer": answer,
            "error": error,
            "at": at,
        }
    )
