# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator inside a test process: a server in its own thread, and pytest fixtures."""

from __future__ import annotations

import asyncio
import collections.abc as c
import copy
import threading
import types
import typing as t

import pytest

from .scenario import Loadable
from .server import Server
from .simulation import Simulation
from .versions import DEFAULT_VERSION

Row = dict[str, t.Any]


class Simulator:
    """A running server. Use it as a context manager, or the fixture `simulator`."""

    def __init__(self, scenario: Loadable = None, *, version: str = DEFAULT_VERSION, clock: str = "stepped") -> None:
        self.url = ""
        self._version = version
        self._clock = clock
        self._simulation = Simulation()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self.load(scenario)

    def __enter__(self) -> t.Self:
        self.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: types.TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Listen on a free port of the loopback address."""
        listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(listening)), daemon=True)
        self._thread.start()
        if not listening.wait(timeout=10) or not self.url:
            raise RuntimeError("the simulator does not listen")

    async def _serve(self, listening: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        server = Server(self._simulation)
        try:
            self.url = await server.start()
        finally:
            listening.set()
        await self._ended.wait()
        await server.stop()

    def stop(self) -> None:
        if self._thread is not None and self._loop is not None and self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(timeout=10)
            self._thread = None

    def load(self, scenario: Loadable, *, version: str | None = None, clock: str | None = None) -> None:
        """Replace the whole world; logs and faults are cleared."""
        self._simulation.load(scenario, version=version or self._version, clock_name=clock or self._clock)

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._simulation.advance(seconds)

    @property
    def now(self) -> float:
        """Seconds since the scenario began."""
        return self._simulation.engine.clock.now()

    def requests(self) -> list[Row]:
        """Return the requests so far, in order, credentials masked."""
        with self._simulation.lock:
            return copy.deepcopy(self._simulation.requests)

    def writes(self) -> list[Row]:
        """Return the requests that could have changed something."""
        return [row for row in self.requests() if row["method"] not in ("GET", "HEAD")]

    def effects(self) -> list[Row]:
        """Return what really changed on the server by actions, in order."""
        with self._simulation.lock:
            return copy.deepcopy(self._simulation.effects.rows)

    def clear_logs(self) -> None:
        self._simulation.clear_logs()

    def job(self, name_or_id: str | int, *, pipeline_id: int | None = None) -> Row:
        """Return the newest attempt of that name, or the job of that id, as the engine sees it.

        :raises KeyError: there is none.
        """
        with self._simulation.lock:
            self._simulation.engine.advance()
            found = self._simulation.find_job(name_or_id, pipeline_id=pipeline_id)
            return copy.deepcopy(self._simulation.view(found))

    def set_job(self, name_or_id: str | int, **fields: t.Any) -> Row:
        """Force fields of a job, above all its status."""
        with self._simulation.lock:
            return copy.deepcopy(self._simulation.view(self._simulation.set_job(name_or_id, fields)))

    def act_as_somebody_else(self, action: str, name_or_id: str | int) -> Row:
        """Let another user do something, which appears among the effects but not among the requests."""
        with self._simulation.lock:
            return copy.deepcopy(self._simulation.view(self._simulation.act(action, name_or_id)))

    def inject(self, **rule: t.Any) -> None:
        """Add a fault rule; see faults.RULE for its keys."""
        with self._simulation.lock:
            self._simulation.faults.add(**rule)

    def clear_faults(self) -> None:
        with self._simulation.lock:
            self._simulation.faults.rules.clear()


@pytest.fixture(scope="session")
def simulator_server() -> c.Iterator[Simulator]:
    """One server for all tests of a process."""
    with Simulator() as running:
        yield running


@pytest.fixture
def simulator(simulator_server: Simulator) -> Simulator:
    """Return the server with an empty world; a test loads its own scenario."""
    simulator_server.load(None, version=DEFAULT_VERSION, clock="stepped")
    return simulator_server
