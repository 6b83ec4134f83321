# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the event source in the same process as a task: it receives the simulator's hooks and writes nudges."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import sys
import threading
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "extensions" / "eda" / "lib"))

from jobgate_gitlab_events import nudges as writer  # noqa: E402
from jobgate_gitlab_events import server  # noqa: E402
from jobgate_gitlab_events.backlog import Backlog  # noqa: E402
from jobgate_gitlab_events.options import read_options  # noqa: E402
from jobgate_gitlab_events.receiver import Receiver  # noqa: E402

__all__ = ["HOOK_TOKEN", "event_source", "nudged", "writer"]

HOOK_TOKEN = "hook-token-0123456789"


class _IdleRules:
    """Rules that accept every event and do nothing."""

    async def put(self, event: dict[str, t.Any]) -> None:
        pass


@contextlib.contextmanager
def event_source(nudges: pathlib.Path, **options: t.Any) -> t.Iterator[str]:
    """Run the event source in its own thread, and yield the URL of the hook."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    backlog = Backlog()
    read = read_options({"port": 0, "token": HOOK_TOKEN, "nudges": str(nudges), **options})
    listening = server.listening(read, Receiver(read, backlog), backlog)

    def call(steps: t.Coroutine[t.Any, t.Any, t.Any]) -> t.Any:
        return asyncio.run_coroutine_threadsafe(steps, loop).result(30)

    url = call(listening.__aenter__())
    passing_on = asyncio.run_coroutine_threadsafe(server.pass_on(backlog, _IdleRules()), loop)
    try:
        yield url
    finally:
        passing_on.cancel()
        call(listening.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


@contextlib.contextmanager
def nudged(simulator: t.Any, nudges: pathlib.Path, **hook: t.Any) -> t.Iterator[None]:
    """Let the simulator send its hooks to an event source, which writes nudges."""
    with event_source(nudges) as url:
        simulator.add_hook(url, token=HOOK_TOKEN, **hook)
        yield
