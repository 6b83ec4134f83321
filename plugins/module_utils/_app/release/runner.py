# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Runs the gates of a release against GitLab, each with the time that it has, in the pipeline of its project."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from ..._api.errors import GitLabError, SelectionError, TimedOutError
from ..actions.actions import ACTIONS
from ..fields import id_of
from ..pipelines.find import read_pipeline, warn_of_namesake
from ..session import Session, StoppedError
from ..slow_work import SlowWork
from ..waiting.loop import Wait
from ..waiting.options import timed_out_text
from ..waiting.pipelines import await_pipeline
from ..waiting.schedule import Steps, sits_out
from ..writes.roles import refuse_job_token
from .gates import GateRun, to_come
from .names import check_gates_to_come
from .plan import Gate, ReleasePlan
from .run import GateResult, ProjectResult
from .starting import PipelineStarter, is_to_be_started

OpenSession = t.Callable[[ProjectResult, Gate, t.Callable[[], str]], Session]


class GateRunner:
    """Runs the gates of a release, and tells how many are done.

    :param open_session: returns a session for a gate, which has the time that the gate has.
    :param work: tells it, now and then.
    :param log_lines: how much of the log of a failed job is kept.
    """

    def __init__(self, plan: ReleasePlan, open_session: OpenSession, work: SlowWork, *, log_lines: int) -> None:
        self._open_session = open_session
        self._work = work
        self._log_lines = log_lines
        self._starter = PipelineStarter(plan)
        # the projects are worked on side by side
        self._lock = threading.Lock()
        self._total = sum(len(project.gates) for project in plan.projects)
        self._waiting = self._done = 0

    def __call__(self, project: ProjectResult, gate: Gate, stop: t.Callable[[], str]) -> Steps[GateResult]:
        """Return what became of a gate.

        :param stop: returns why nothing new may be begun any more.
        """
        with self._lock:
            self._waiting += 1
        try:
            return (yield from self._run(project, gate, stop))
        finally:
            with self._lock:
                self._waiting -= 1
                self._done += 1
                self._work.tell(lambda _seconds: f"{self._done} of {self._total} gates, {self._waiting} waiting")

    def _run(self, project: ProjectResult, gate: Gate, stop: t.Callable[[], str]) -> Steps[GateResult]:
        session = self._open_session(project, gate, stop)
        started = session.clock.time()
        try:
            if gate.start is not None:
                result = yield from self._starter.start(session, gate, gate.start)
            else:
                result = yield from run_gate(session, project, gate, self._log_lines)
        except GitLabError as exc:
            result = yield from _broken_off(session, gate, exc)
        return dataclasses.replace(
            result, started_at=started, finished_at=session.clock.time(), elapsed=session.elapsed()
        )


def _broken_off(session: Session, gate: Gate, exc: GitLabError) -> Steps[GateResult]:
    """Return what became of a gate that an error has ended.

    It was not reached if nothing new may be begun any more, and has timed out if the server was away until the end.
    """
    if isinstance(exc, StoppedError):
        return GateResult(gate, reason=str(exc))
    reason = str(exc)
    is_late = yield from sits_out(session, exc)
    if is_late:
        reason = f"{timed_out_text(gate.waiting)}: {reason}"
    if is_late or isinstance(exc, TimedOutError):
        return GateResult(gate, outcome="timed out", reason=reason, has_timed_out=True)
    return GateResult(gate, outcome="failed", reason=reason)


def run_gate(session: Session, project: ProjectResult, gate: Gate, log_lines: int) -> Steps[GateResult]:
    """Return what became of a gate about jobs.

    :param project: what is known of its project: its plan, and the gates before this one.
    :raises StoppedError: when nothing new may be begun any more, and there is no pipeline yet.
    :raises GitLabError: when GitLab cannot be asked for the pipeline, or has none.
    """
    if gate.action in ACTIONS:
        refuse_job_token(session, gate.action)
    pipeline = project.pipeline
    is_first = pipeline is None
    if pipeline is None:
        if is_to_be_started(project.gates):
            return to_come(gate)
        # a gate that verifies looks at what is there
        options = dataclasses.replace(gate.waiting, wait=gate.action != "verify")
        try:
            found = yield from await_pipeline(session, project.plan.pipeline, Wait(session, options), warns=False)
        except SelectionError:
            if session.check_mode and project.plan.needs:
                return to_come(gate)
            raise
        pipeline = read_pipeline(session, project.plan.pipeline.project, found)
    if session.watch:
        session.watch.looks_into(id_of(pipeline))
    try:
        if gate is project.plan.first_about_jobs:
            check_gates_to_come(session, project, gate, pipeline)
        result = yield from GateRun(session, project, gate, pipeline, log_lines).run()
        if is_first:
            # not before, since it is a warning: the first minute of a large release has enough to ask for
            warn_of_namesake(session, project.plan.pipeline, pipeline)
    except GitLabError as exc:
        result = yield from _broken_off(session, gate, exc)
    return dataclasses.replace(result, pipeline=pipeline)
