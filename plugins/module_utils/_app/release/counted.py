# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Says how many gates of a release are done, while its projects are worked on side by side."""

from __future__ import annotations

import threading
import typing as t

from ..slow_work import SlowWork
from ..waiting.schedule import Steps
from .plan import Gate, ReleasePlan
from .run import GateResult, ProjectResult, RunGate


class CountedGates:
    """Runs gates, and tells how many are done and how many are being waited for.

    :param run_gate: runs one gate; the projects are worked on side by side.
    """

    def __init__(self, plan: ReleasePlan, run_gate: RunGate, work: SlowWork) -> None:
        self._total = sum(len(project.gates) for project in plan.projects)
        self._run_gate = run_gate
        self._work = work
        self._lock = threading.Lock()
        self._waiting = self._done = 0

    def __call__(self, project: ProjectResult, gate: Gate, stop: t.Callable[[], str]) -> Steps[GateResult]:
        """Return what became of a gate."""
        with self._lock:
            self._waiting += 1
        try:
            return (yield from self._run_gate(project, gate, stop))
        finally:
            with self._lock:
                self._waiting -= 1
                self._done += 1
                self._work.tell(lambda _seconds: f"{self._done} of {self._total} gates, {self._waiting} waiting")
