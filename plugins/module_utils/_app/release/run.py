# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Running a release: projects side by side as far as their needs allow, the gates of each in order.

Nothing here knows GitLab: one gate is run by a function that is given.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.pace.clock import Deadline
from ..fields import as_told
from ..jobs.query import FoundJob, sentences, shortened
from ..pipelines.query import with_pipeline
from ..waiting.schedule import Pause, Scheduler, Steps
from .plan import Gate, ProjectPlan, ReleasePlan

# With fail_fast, a project acts only when all others that have begun were looked at, which may show that one has failed
# already; a project that cannot be looked at for so long does not hold up the others.
FIRST_LOOKS_SECONDS = 30.0
# How long it sleeps at first and at the longest before it sees whether that is so.
_LOOK_ROUND_SECONDS = (0.05, 1.0)
# With these outcomes a gate does not open, unless it is optional.
FAILURES = ("failed", "refused", "timed out")
_PASSED = ("passed", "would pass")


@dataclasses.dataclass(frozen=True)
class GateResult:
    """What became of a gate.

    :param outcome: `passed` when the jobs are as required, `played` or `retried` when the gate saw to that, `started`
        when it has started the pipeline, `already done` when somebody else or an earlier run did, one of `FAILURES`,
        or `not reached`; in check mode also
        `would be played`, `would be retried`, `would be waited for`, `would be verified` and `would start`.
    :param reason: why, in words for people; empty when there is nothing to say.
    :param pipeline: the pipeline it looked into, None when it found none.
    """

    gate: Gate
    outcome: str = "not reached"
    reason: str = ""
    has_changed: bool = False
    has_timed_out: bool = False
    started_at: float | None = None
    finished_at: float | None = None
    elapsed: float = 0.0
    jobs: tuple[FoundJob, ...] = ()
    timeline: tuple[Record, ...] = ()
    log_tail: tuple[str, ...] = ()
    pipeline: Record | None = None

    @property
    def has_failed(self) -> bool:
        """Return whether it stops its project."""
        return self.outcome in FAILURES and not self.gate.is_optional


@dataclasses.dataclass
class ProjectResult:
    """What became of a project; its gates that were not reached are in it, too."""

    plan: ProjectPlan
    gates: list[GateResult]

    @property
    def pipeline(self) -> Record | None:
        """Return the pipeline that the gates look into, as the jobs of the last of them have told it."""
        last = next((gate for gate in reversed(self.gates) if gate.pipeline), None)
        return as_told(last.pipeline, [job.record for job in last.jobs]) if last else None

    @property
    def failed_gate(self) -> GateResult | None:
        return next((gate for gate in self.gates if gate.has_failed), None)

    @property
    def outcome(self) -> str:
        """Return `passed`, `failed` or `not reached`; in check mode `would pass` as far as that can be told."""
        if self.failed_gate:
            return "failed"
        if any(gate.outcome == "not reached" for gate in self.gates):
            return "not reached"
        return "would pass" if any(gate.outcome.startswith("would") for gate in self.gates) else "passed"


RunGate = t.Callable[[ProjectResult, Gate, t.Callable[[], str]], Steps[GateResult]]


class ReleaseRun:
    """One run of a plan."""

    def __init__(self, plan: ReleasePlan, run_gate: RunGate, scheduler: Scheduler) -> None:
        self._plan = plan
        self._run_gate = run_gate
        self._scheduler = scheduler
        # why nothing new is begun any more, empty while it is
        self._stopped = ""
        self._has_woken = False
        self._waiting = list(plan.projects)
        # those that have finished so; of others the gates change in their threads while somebody looks at them
        self._passed: set[str] = set()
        # projects that have begun and were not looked at yet, and how long others wait for that
        self._unseen: dict[str, Deadline] = {}
        self.results = {
            project.name: ProjectResult(project, [GateResult(gate) for gate in project.gates])
            for project in plan.projects
        }

    def run(self) -> list[ProjectResult]:
        """Return what became of every project, in the order of the plan."""
        self._begin_what_can()
        self._scheduler.run()
        for project in self._waiting:
            self._skip(self.results[project.name])
        return [self.results[project.name] for project in self._plan.projects]

    def _begin_what_can(self) -> None:
        """Begin the projects whose needs have passed."""
        for project in list(self._waiting):
            if not self._stopped and self._passed.issuperset(project.needs):
                self._waiting.remove(project)
                self._unseen[project.name] = Deadline.after(FIRST_LOOKS_SECONDS, self._scheduler.clock)
                self._scheduler.add(self._run_project(self.results[project.name]), self._take)

    def _take(self, done: ProjectResult) -> None:
        if done.outcome in _PASSED:
            self._passed.add(done.plan.name)
        if self._stopped and not self._has_woken:
            self._has_woken = True
            self._scheduler.wake()
        self._begin_what_can()

    def _run_project(self, result: ProjectResult) -> Steps[ProjectResult]:
        """Run the gates of a project one after the other, until one of them fails."""
        for number, gate in enumerate(result.plan.gates):
            if result.failed_gate:
                reason = f"{result.failed_gate.gate.called}, which comes before it, has failed"
                result.gates[number] = GateResult(gate, reason=reason)
                continue
            if gate.acts and self._plan.strategy == "fail_fast":
                yield from self._see_others(result.plan.name)
            if self._stopped:
                result.gates[number] = GateResult(gate, reason=self._stopped)
            else:
                result.gates[number] = yield from self._run_one(result, gate)
        self._unseen.pop(result.plan.name, None)
        return result

    def _see_others(self, name: str) -> Steps[None]:
        """Pause until every project that has begun was looked at."""
        self._unseen.pop(name, None)
        seconds, longest = _LOOK_ROUND_SECONDS
        while not self._stopped:
            last = max(list(self._unseen.values()), key=Deadline.remaining, default=None)
            if last is None or last.has_passed():
                return
            yield Pause(seconds, last, is_urgent=True)
            seconds = min(seconds * 2, longest)

    def _run_one(self, result: ProjectResult, gate: Gate) -> Steps[GateResult]:
        try:
            done = yield from self._seen(result.plan.name, self._run_gate(result, gate, lambda: self._stopped))
        except Exception as exc:  # a mistake of ours must not hide the other projects
            reason = f"unexpected {type(exc).__name__}, please report it: {exc}"
            done = GateResult(gate, outcome="failed", reason=reason)
        if done.has_failed and self._plan.strategy == "fail_fast" and not self._stopped:
            self._stopped = (
                f"{gate.called} of project {result.plan.name!r} has failed, and strategy fail_fast begins nothing more"
            )
        return done

    def _seen(self, name: str, steps: Steps[GateResult]) -> Steps[GateResult]:
        """Run a gate, and take note of its first pause."""
        try:
            first = next(steps)
        except StopIteration as end:
            return t.cast(GateResult, end.value)
        self._unseen.pop(name, None)
        yield first
        return (yield from steps)

    def _skip(self, result: ProjectResult) -> None:
        blocked = [need for need in result.plan.needs if self.results[need].outcome not in _PASSED]
        reason = f"project {blocked[0]!r}, which it needs, has not passed" if blocked else self._stopped
        result.gates = [GateResult(gate, reason=reason) for gate in result.plan.gates]


def failure_text(results: t.Sequence[ProjectResult]) -> str | None:
    """Return why the release does not pass, naming each gate that failed; None when it passes."""
    texts = [
        with_pipeline(
            f"{failed.gate.called} of project {result.plan.name!r} did not open: {failed.reason}",
            result.plan.pipeline,
            result.pipeline,
        )
        for result in results
        if (failed := result.failed_gate)
    ]
    if not texts:
        return None
    text = texts[0] if len(texts) == 1 else f"{len(texts)} of {len(results)} projects failed: " + sentences(texts)
    missed = [result.plan.name for result in results if result.outcome == "not reached"]
    if missed:
        text = text.rstrip(".") + f". Not reached: {shortened(missed)}"
    return text
