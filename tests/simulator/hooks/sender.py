# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends what is in the outbox, beside the server and in its event loop."""

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

# Time goes on by itself on most clocks, so something has to look at it.
_TICK_SECONDS: t.Final = 0.02
_TIMEOUT_SECONDS: t.Final = 10.0
# So long one that is out of order waits for another one to overtake it.
_PATIENCE_SECONDS: t.Final = 1.0


class Sender:
    """Sends one delivery after the other; only late ones go beside, so that a test knows what comes in which order."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._task: asyncio.Task[None] | None = None
        self._late: set[asyncio.Task[None]] = set()
        self._held: list[tuple[Outbox, Delivery]] = []
        self._held_since = 0.0
        self._health: dict[Hook, Health] = {}
        self._is_busy = False

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        tasks = [*self._late, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def drain(self) -> None:
        """Return when everything that has happened so far has been sent, late ones included."""
        while True:
            self._held_since = float("-inf")
            with self._simulation.lock:
                self._simulation.engine.advance()
                is_done = not (self._simulation.outbox.waiting or self._is_busy or self._late or self._held)
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
        now = asyncio.get_running_loop().time()
        # Until this is over, what is neither waiting nor held any more may still be under way.
        self._is_busy = True
        try:
            while outbox.waiting:
                await self._take(session, outbox, outbox.waiting.popleft())
            if self._held and now - self._held_since >= _PATIENCE_SECONDS:
                await self._release(session)
        finally:
            self._is_busy = False

    async def _take(self, session: aiohttp.ClientSession, outbox: Outbox, delivery: Delivery) -> None:
        """Send a delivery, or do to it what its fault says."""
        fault = delivery.fault
        if fault is None or fault.kind in ("old", "wrong_signature", "wrong_token"):
            await self._send(session, outbox, delivery)
        elif fault.kind == "twice":
            await self._send(session, outbox, delivery)
            await self._send(session, outbox, delivery)
        elif fault.kind == "lost":
            _note(outbox, delivery, {}, at=self._simulation.engine.time, error="lost")
        elif fault.kind == "late":
            late = asyncio.get_running_loop().create_task(self._send_later(session, outbox, delivery, fault.seconds))
            self._late.add(late)
            late.add_done_callback(self._late.discard)
        elif not self._held:
            self._held, self._held_since = [(outbox, delivery)], asyncio.get_running_loop().time()
            return
        else:
            await self._send(session, outbox, delivery)
        await self._release(session)

    async def _release(self, session: aiohttp.ClientSession) -> None:
        """Send what had to wait to be overtaken."""
        held, self._held = self._held, []
        for outbox, delivery in held:
            await self._send(session, outbox, delivery)

    async def _send_later(
        self, session: aiohttp.ClientSession, outbox: Outbox, delivery: Delivery, seconds: float
    ) -> None:
        await asyncio.sleep(seconds)
        await self._send(session, outbox, delivery)

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
            "fault": delivery.fault.kind if delivery.fault else None,
            "answer": answer,
            "error": error,
            "at": at,
        }
    )
