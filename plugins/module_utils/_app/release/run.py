# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Runs a release: projects side by side as far as their needs allow, and the gates of each project in order.

This module does not know GitLab: it receives the function that runs one gate.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import with_sentence
from ..._api.pace.clock import Deadline
from ..fields import updated_from_jobs
from ..jobs.query import FoundJob, sentences, shortened
from ..pipelines.query import with_pipeline
from ..waiting.schedule import Pause, Scheduler, Steps
from .plan import Gate, ProjectPlan, ReleasePlan

# With fail_fast, a project acts only after all started projects were read once, because one may already have failed.
# A project whose first read takes longer than this does not delay the others.
FIRST_READS_SECONDS = 30.0
# The first and the longest pause between two checks whether they were read.
_FIRST_READ_CHECK_SECONDS = (0.05, 1.0)
# With these outcomes a gate does not open.
FAILURES = ("failed", "refused", "timed out")
_PASSED = ("passed", "would pass")


@dataclasses.dataclass(frozen=True)
class GateResult:
    """The result of a gate.

    :param outcome: `passed` if the jobs are as required, `played` or `retried` if the gate did that to them, `started`
        if it started the pipeline, `already done` if another client or an earlier run did, one of `FAILURES`, or
        `not reached`; in check mode also `would be played`, `would be retried`, `would be waited for`,
        `would be verified` and `would start`.
    :param reason: why, as text for users; empty if there is nothing to add.
    :param pipeline: the pipeline that the gate read or started, None if there is none.
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
        """Return whether the gate stops its project."""
        return self.outcome in FAILURES and not self.gate.is_optional

    @property
    def is_prediction(self) -> bool:
        """Return whether check mode predicts that a real run would act, wait or verify here."""
        return self.outcome.startswith("would")


@dataclasses.dataclass
class ProjectResult:
    """The result of a project, including gates that were not reached."""

    plan: ProjectPlan
    gates: list[GateResult]

    @property
    def pipeline(self) -> Record | None:
        """Return the pipeline of the gates, as the jobs of the last gate show it."""
        last = next((gate for gate in reversed(self.gates) if gate.pipeline), None)
        return updated_from_jobs(last.pipeline, [job.record for job in last.jobs]) if last else None

    @property
    def failed_gate(self) -> GateResult | None:
        return next((gate for gate in self.gates if gate.has_failed), None)

    @property
    def outcome(self) -> str:
        """Return `passed`, `failed` or `not reached`; in check mode also `would pass`."""
        if self.failed_gate:
            return "failed"
        if any(gate.outcome == "not reached" for gate in self.gates):
            return "not reached"
        return "would pass" if any(gate.is_prediction for gate in self.gates) else "passed"


RunGate = t.Callable[[ProjectResult, Gate, t.Callable[[], str]], Steps[GateResult]]


class ReleaseRun:
    """One run of a plan."""

    def __init__(self, plan: ReleasePlan, run_gate: RunGate, scheduler: Scheduler) -> None:
        self._plan = plan
        self._run_gate = run_gate
        self._scheduler = scheduler
        # why nothing new may start, empty while it may
        self._stopped = ""
        self._has_woken = False
        self._waiting = list(plan.projects)
        # finished projects that passed; the gates of other projects may change in their threads while they are read
        self._passed: set[str] = set()
        # started projects that were not read yet, and how long others wait for them
        self._unseen: dict[str, Deadline] = {}
        self.results = {
            project.name: ProjectResult(project, [GateResult(gate) for gate in project.gates])
            for project in plan.projects
        }

    def run(self) -> list[ProjectResult]:
        """Run all projects, and return their results in the order of the plan."""
        self._start_ready_projects()
        self._scheduler.run()
        for project in self._waiting:
            self._skip(self.results[project.name])
        return [self.results[project.name] for project in self._plan.projects]

    def _start_ready_projects(self) -> None:
        """Start the projects whose needs have passed."""
        for project in list(self._waiting):
            if not self._stopped and self._passed.issuperset(project.needs):
                self._waiting.remove(project)
                self._unseen[project.name] = Deadline.after(FIRST_READS_SECONDS, self._scheduler.clock)
                self._scheduler.add(self._run_project(self.results[project.name]), self._note_finished)

    def _note_finished(self, done: ProjectResult) -> None:
        if done.outcome in _PASSED:
            self._passed.add(done.plan.name)
        if self._stopped and not self._has_woken:
            self._has_woken = True
            self._scheduler.wake()
        self._start_ready_projects()

    def _run_project(self, result: ProjectResult) -> Steps[ProjectResult]:
        """Run the gates of a project one after the other, until one of them fails."""
        for number, gate in enumerate(result.plan.gates):
            if result.failed_gate:
                reason = f"the earlier {result.failed_gate.gate.called} failed"
                result.gates[number] = GateResult(gate, reason=reason)
                continue
            if gate.acts and self._plan.strategy == "fail_fast":
                yield from self._await_first_reads(result.plan.name)
            if self._stopped:
                result.gates[number] = GateResult(gate, reason=self._stopped)
            else:
                result.gates[number] = yield from self._run_one(result, gate)
        self._unseen.pop(result.plan.name, None)
        return result

    def _await_first_reads(self, name: str) -> Steps[None]:
        """Pause until every started project was read, at most until its deadline."""
        self._unseen.pop(name, None)
        seconds, longest = _FIRST_READ_CHECK_SECONDS
        while not self._stopped:
            last = max(list(self._unseen.values()), key=Deadline.remaining, default=None)
            if last is None or last.has_passed():
                return
            yield Pause(seconds, last, is_urgent=True)
            seconds = min(seconds * 2, longest)

    def _run_one(self, result: ProjectResult, gate: Gate) -> Steps[GateResult]:
        try:
            done = yield from self._seen(result.plan.name, self._run_gate(result, gate, lambda: self._stopped))
        except Exception as exc:  # a bug must not hide the results of the other projects
            reason = f"unexpected {type(exc).__name__}, please report it: {exc}"
            done = GateResult(gate, outcome="failed", reason=reason)
        if done.has_failed and self._plan.strategy == "fail_fast" and not self._stopped:
            self._stopped = (
                f"{gate.called} of project {result.plan.name!r} failed, and strategy fail_fast starts nothing else"
            )
        return done

    def _seen(self, name: str, steps: Steps[GateResult]) -> Steps[GateResult]:
        """Run a gate, and mark its project as read at the first pause."""
        try:
            first = next(steps)
        except StopIteration as end:
            return t.cast(GateResult, end.value)
        self._unseen.pop(name, None)
        yield first
        return (yield from steps)

    def _skip(self, result: ProjectResult) -> None:
        blocked = [need for need in result.plan.needs if self.results[need].outcome not in _PASSED]
        reason = f"it needs project {blocked[0]!r}, which did not pass" if blocked else self._stopped
        result.gates = [GateResult(gate, reason=reason) for gate in result.plan.gates]


def failure_text(results: t.Sequence[ProjectResult]) -> str | None:
    """Return why the release did not pass, with each failed gate; None if it passed."""
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
        text = with_sentence(text, f"Not reached: {shortened(missed)}")
    return text
