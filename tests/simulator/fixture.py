# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator in a test process: a server in its own thread, and fixtures for the tests of this project.

If you install it with `pip install 'jobgate-gitlab[simulator]'`, the fixture is `gitlab_simulator`, see plugin.py.
Without pytest, use `Simulator` as a context manager, or the program `jobgate-gitlab-simulator`.
"""

from __future__ import annotations

import asyncio
import collections.abc as c
import copy
import dataclasses
import pathlib
import threading
import types
import typing as t

import pytest

from .additions import Routes, Statuses
from .scenario import Loadable
from .second import SecondOrigin
from .server import Server
from .simulation import Simulation
from .versions import DEFAULT_VERSION

Row = dict[str, t.Any]
Result = t.TypeVar("Result")


class Simulator:
    """A simulator server. Use it as a context manager, or use the fixture `simulator`."""

    def __init__(
        self,
        scenario: Loadable = None,
        *,
        version: str = DEFAULT_VERSION,
        clock: str = "stepped",
        tls: str | None = None,
    ) -> None:
        """Prepare a server.

        :param tls: a kind of certificate (see tls_url); sets `url` to the TLS address.
        """
        self.url = ""
        self._tls = tls
        self._version = version
        self._clock = clock
        self._simulation = Simulation()
        self._thread: threading.Thread | None = None
        self._server: Server | None = None
        self._second: Second | None = None
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
        if not listening.wait(timeout=60) or not self.url:
            raise RuntimeError("the simulator did not start to listen")

    async def _serve(self, listening: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        server = self._server = Server(self._simulation)
        try:
            url = await server.start()
            self.url = await server.tls_url(self._tls) if self._tls else url
        finally:
            listening.set()
        await self._ended.wait()
        await server.stop()

    def stop(self) -> None:
        if self._thread is not None and self._loop is not None and self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(timeout=60)
            self._thread = None
            self._server = None

    def load(self, scenario: Loadable, *, version: str | None = None, clock: str | None = None) -> None:
        """Replace the whole world, clear logs and faults, and bring the server up if it is down."""
        self._simulation.load(scenario, version=version or self._version, clock_name=clock or self._clock)
        if self._server is not None:
            self._call(self._server.open())
            self._server.second.clear()

    def reset(self) -> None:
        """Reset everything, including added routes and statuses."""
        self.routes.clear()
        self.statuses.clear()
        self.load(None, version=DEFAULT_VERSION, clock="stepped")

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._simulation.advance(seconds)

    @property
    def now(self) -> float:
        """Seconds since the start of the scenario."""
        return self._simulation.engine.clock.now()

    def requests(self) -> list[Row]:
        """Return all requests in order, with masked credentials."""
        with self._simulation.lock:
            return copy.deepcopy(self._simulation.requests)

    def writes(self) -> list[Row]:
        """Return all requests except GET and HEAD."""
        return [row for row in self.requests() if row["method"] not in ("GET", "HEAD")]

    def effects(self) -> list[Row]:
        """Return the effects of actions on the server, in order."""
        with self._simulation.lock:
            return copy.deepcopy(self._simulation.effects.rows)

    def add_hook(self, url: str, **row: t.Any) -> None:
        """Send hooks to this address from now on; the other arguments are keys of a scenario's hook."""
        self._simulation.add_hook(url=url, **row)

    def hooks(self) -> list[Row]:
        """Wait until all hooks that are due have arrived, and return all sent hooks in order."""
        self.drain_hooks()
        with self._simulation.lock:
            return copy.deepcopy(self._simulation.outbox.log)

    def drain_hooks(self) -> None:
        """Wait until all hooks that are due have arrived; return immediately if there are no receivers."""
        if self._simulation.outbox.hooks:
            # A receiver that does not answer takes some seconds per hook.
            self._call(self._running.sender.drain())

    def notes(self) -> list[str]:
        """Return the unsupported parts of the projects' `.gitlab-ci.yml`, with file and lines."""
        with self._simulation.lock:
            return list(self._simulation.engine.world.notes)

    def clear_logs(self) -> None:
        self._simulation.clear_logs()

    def job(self, name_or_id: str | int, *, pipeline_id: int | None = None) -> Row:
        """Return the newest attempt of a name, or the job with an id, as the engine sees it.

        :raises KeyError: if there is no such job.
        """
        with self._simulation.lock:
            self._simulation.engine.advance()
            found = self._simulation.find_job(name_or_id, pipeline_id=pipeline_id)
            return copy.deepcopy(self._simulation.view(found))

    def pipeline(self, pipeline_id: int) -> Row:
        """Return a pipeline as the engine sees it.

        :raises KeyError: if there is no such pipeline.
        """
        with self._simulation.lock:
            self._simulation.engine.advance()
            return copy.deepcopy(self._simulation.view_pipeline(pipeline_id))

    def sha256(self, name_or_id: str | int, content: str = "archive") -> str:
        """Return the SHA-256 of a job's `archive`, whole `log`, a report, or a file of its archive, without a request.

        :raises KeyError: if there is no such job or file.
        """
        return self._simulation.sha256(name_or_id, content)

    def set_job(self, name_or_id: str | int, **fields: t.Any) -> Row:
        """Force fields of a job, such as its status."""
        with self._simulation.lock:
            return copy.deepcopy(self._simulation.view(self._simulation.set_job(name_or_id, fields)))

    def act_as_somebody_else(self, action: str, name_or_id: str | int) -> Row:
        """Act on a job as another user. This is not a request, but can be an effect."""
        with self._simulation.lock:
            return copy.deepcopy(self._simulation.view(self._simulation.act(action, name_or_id)))

    def create_pipeline(self, ref: str, **more: t.Any) -> int:
        """Create a pipeline as another user, and return its id; see Simulation.create_pipeline."""
        return self._simulation.create_pipeline(ref, **more)

    def set_ref(
        self, name: str, sha: str | bool | None = None, *, project: str | int | None = None, tag: bool = False
    ) -> str | None:
        """Move a branch or tag to a commit, and return the commit. None generates a commit, False removes the ref."""
        return self._simulation.set_ref(name, sha, project=project, tag=tag)

    def inject(self, preset: str | None = None, *, seed: int | None = None, **rule: t.Any) -> None:
        """Add a fault rule; see faults.RULE for its keys, and fault_presets.PRESETS for rules by name."""
        with self._simulation.lock:
            self._simulation.faults.add(preset=preset, seed=seed, **rule)

    def faults(self) -> Row:
        """Return the seed and the rules, with the numbers of requests they have seen and struck."""
        with self._simulation.lock:
            return self._simulation.faults.describe()

    def clear_faults(self) -> None:
        with self._simulation.lock:
            self._simulation.faults.rules.clear()

    @property
    def routes(self) -> Routes:
        """Return the endpoints; `routes.add()` adds one until `routes.clear()`."""
        return self._simulation.routes

    @property
    def statuses(self) -> Statuses:
        """Return the job statuses; `statuses.add()` adds one for scenarios that are loaded afterwards."""
        return self._simulation.statuses

    def jump_clock(self, seconds: float) -> None:
        """Move the server's wall clock forward or back: its Date headers, and time stamps from now on."""
        self._simulation.jump_clock(seconds)

    # -- sockets ---------------------------------------------------------------------------------------------------

    def _call(self, work: c.Coroutine[t.Any, t.Any, Result]) -> Result:
        """Run a coroutine in the server's event loop."""
        if self._loop is None:
            work.close()
            raise RuntimeError("the simulator is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("the simulator is not running")
        return self._server

    def refuse(self, seconds: float) -> None:
        """Refuse connections for this time, and close idle ones; return immediately."""
        self._call(self._running.refuse(seconds))

    def refuse_next(self, times: int = 1) -> None:
        """Reset the next connections before a byte is read."""
        self.inject(kind="refuse", times=times)

    def restart(self, down_seconds: float = 0.2) -> None:
        """Reset all connections, then serve the same world on the same port again; return when the server is down."""
        self._call(self._running.restart(down_seconds))

    def come_back(self) -> None:
        """Stop refusing connections."""
        self._call(self._running.open())

    @property
    def http_url(self) -> str:
        return self._running.url

    def tls_url(self, kind: str = "valid") -> str:
        """Return the address of the same world over TLS; see certificates.TLS_KINDS."""
        return self._call(self._running.tls_url(kind))

    @property
    def ca_path(self) -> pathlib.Path:
        """Return the file of the authority that signs the certificates. It is removed with the server."""
        return self._running.authority.ca_path

    @property
    def second(self) -> Second:
        """Return the second server, which must never receive credentials."""
        running = self._running
        if self._second is None or self._second.origin is not running.second:
            urls = self._call(running.second.url()), self._call(running.second.tls_url())
            self._second = Second(running.second, *urls)
        return self._second


@dataclasses.dataclass(frozen=True)
class Second:
    """The second origin, as tests see it."""

    origin: SecondOrigin
    url: str
    tls_url: str

    def requests(self) -> list[Row]:
        """Return all requests, with every header as received."""
        return self.origin.requests()

    def clear(self) -> None:
        self.origin.clear()


@pytest.fixture
def simulator(gitlab_simulator: Simulator) -> Simulator:
    """Return the fixture of the plugin, under its name in the tests of this project."""
    return gitlab_simulator
