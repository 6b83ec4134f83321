# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock of tasks that run in a worker process of Ansible."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import typing as t

from ..module_utils._api.pace.clock import LONGEST_SECONDS, Clock

T = t.TypeVar("T")


class WorkerClock(Clock):
    """A clock that ends the process at the start of a task or after a pause, if Ansible's main process was killed.

    The main process ends its workers when it gets SIGINT or SIGTERM, but not when it gets SIGHUP or SIGKILL. A worker
    would then continue a release that the user believes to have stopped.
    """

    def __init__(self) -> None:
        main = multiprocessing.parent_process()
        self._parent = main.pid if main else os.getppid()
        # it may have been killed during an earlier item of a loop, or before another attempt of the task
        self._end_with_parent()

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._end_with_parent()

    def next_of(self, items: queue.Queue[T], seconds: float) -> T | None:
        item = super().next_of(items, seconds)
        self._end_with_parent()
        return item

    def _end_with_parent(self) -> None:
        if os.getppid() != self._parent:
            os.kill(os.getpid(), signal.SIGTERM)
            # only the main thread handles signals, so any other thread must not do anything until then
            super().sleep(LONGEST_SECONDS)
