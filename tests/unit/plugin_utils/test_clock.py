# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock of a worker, which ends the worker after the end of Ansible's main process."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._clock import WorkerClock

PAUSES: dict[str, t.Callable[[WorkerClock], object]] = {
    "a pause": lambda clock: clock.sleep(0.0),
    "waiting for other threads": lambda clock: clock.next_of(queue.Queue(), 0.0),
}


def _end(pid: int, number: int) -> None:
    raise SystemExit(f"{pid} {number}")


@pytest.mark.parametrize("pause", PAUSES)
def test_worker_ends_with_its_parent(pause: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", _end)
    clock = WorkerClock()
    PAUSES[pause](clock)
    monkeypatch.setattr(os, "getppid", lambda: 1)
    with pytest.raises(SystemExit, match=f"^{os.getpid()} {signal.SIGTERM.value}$"):
        PAUSES[pause](clock)


def test_worker_ends_at_the_start_of_a_task_without_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent was killed during an earlier item of a loop."""

    class Parent:
        pid = os.getppid() + 1

    monkeypatch.setattr(os, "kill", _end)
    monkeypatch.setattr(multiprocessing, "parent_process", Parent)
    with pytest.raises(SystemExit, match=f"^{os.getpid()} {signal.SIGTERM.value}$"):
        WorkerClock()


def test_items_of_other_threads_are_passed_on() -> None:
    items: queue.Queue[str] = queue.Queue()
    items.put("done")
    assert WorkerClock().next_of(items, 1.0) == "done"
