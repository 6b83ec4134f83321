# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Runs the gates of a release against GitLab, each within its own timeout and in the pipeline of its project."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from ..._api.decoding import Record
from ..._api.errors import DeniedError, GitLabError, RequestError, SelectionError, TimedOutError
from ..._api.pace.polls import polling
from ..fields import id_of
from ..jobs.find import JobFinder
from ..jobs.mistaken import explained_missing
from ..outcome import SlowWork
from ..pipelines.find import read_pipeline, warn_of_namesake
from ..pipelines.query import RunRequest, describe
from ..pipelines.run import run_pipeline
from ..session import Session, StoppedError
from ..waiting.loop import Wait, await_pipeline
from ..waiting.options import timed_out_text
from ..waiting.schedule import Pause, Steps, wait_out
from ..writes.roles import refuse_job_token
from .gates import GateRun, jobs_of, not_created_yet
from .plan import Gate, ReleasePlan
from .run import GateResult, ProjectResult

# The pause between two checks whether another gate has finished starting a pipeline of the same ref.
TURN_SECONDS = 0.5

OpenSession = t.Callable[[ProjectResult, Gate, t.Callable[[], str]], Session]


class GateRunner:
    """The runner of the gates of a release, which reports how many are done.

    :param open_session: returns a session with the timeout of a gate.
    :param work: reports the progress from time to time.
    """

    def __init__(self, plan: ReleasePlan, open_session: OpenSession, work: SlowWork) -> None:
        self._open_session = open_session
        self._work = work
        self._starter = PipelineStarter(plan)
        # projects run side by side
        self._lock = threading.Lock()
        self._total = sum(len(project.gates) for project in plan.projects)
        self._waiting = self._done = 0
        # the newest attempts that gates have seen, because several projects of a plan can share a pipeline
        self._seen: dict[t.Any, int] = {}

    def __call__(self, project: ProjectResult, gate: Gate, stop: t.Callable[[], str]) -> Steps[GateResult]:
        """Run a gate, and return its result.

        :param stop: returns why nothing new may start, empty while it may.
        """
        session = self._open_session(project, gate, stop)
        # the first reads of a release show whether the token is valid
        session.is_established = not session.check_mode and (project.pipeline is not None or bool(project.plan.needs))
        started = session.clock.time()
        pipeline: Record | None = None
        with self._lock:
            self._waiting += 1
        try:
            if gate.acts:
                refuse_job_token(session, gate.action)
            if gate.start is not None:
                result = yield from self._starter.start(session, gate, gate.start)
                pipeline = result.pipeline
            else:
                pipeline = yield from _pipeline_of(session, project, gate)
                result = not_created_yet(gate)
                if pipeline is not None:
                    result = yield from run_gate(session, project, gate, pipeline, self._seen)
        except GitLabError as exc:
            result = yield from _ended_by_error(session, gate, exc)
        finally:
            with self._lock:
                self._waiting -= 1
                self._done += 1
                self._work.show(lambda _seconds: f"{self._done} of {self._total} gates, {self._waiting} waiting")
        return dataclasses.replace(
            result,
            pipeline=pipeline,
            started_at=started,
            # the wall clock may have been set back meanwhile
            finished_at=max(started, session.clock.time()),
            elapsed=session.elapsed(),
        )


def _ended_by_error(session: Session, gate: Gate, exc: GitLabError) -> Steps[GateResult]:
    """Return the result of a gate that an error ended.

    It is not reached if nothing new may start, and timed out if the server was unreachable until the deadline.
    """
    if isinstance(exc, StoppedError):
        return GateResult(gate, reason=str(exc))
    is_late = yield from wait_out(session, exc)
    if not (is_late or isinstance(exc, TimedOutError)):
        return GateResult(gate, outcome="failed", reason=str(exc))
    reason = f"{timed_out_text(gate.waiting)}: {exc}" if is_late else str(exc)
    return GateResult(gate, outcome="timed out", reason=reason, has_timed_out=True)


def _pipeline_of(session: Session, project: ProjectResult, gate: Gate) -> Steps[Record | None]:
    """Wait for the pipeline of a gate, and return it; None in check mode if it may still be created.

    :raises SelectionError: if there is none.
    """
    if project.pipeline is not None:
        return project.pipeline
    if any(earlier.outcome == "would start" for earlier in project.gates):
        return None
    # a gate that verifies does not wait
    options = dataclasses.replace(gate.waiting, wait=gate.action != "verify")
    try:
        found = yield from await_pipeline(session, project.plan.pipeline, Wait(session, options), is_of_gate=True)
    except SelectionError:
        if session.check_mode and project.plan.needs:
            return None
        raise
    project_id = project.plan.pipeline.project
    with explained_missing(session, project.plan.pipeline):
        return (yield from Wait(session, options).once(lambda: read_pipeline(session, project_id, found)))


def run_gate(
    session: Session, project: ProjectResult, gate: Gate, pipeline: Record, seen: dict[t.Any, int]
) -> Steps[GateResult]:
    """Run a gate on jobs, and return its result.

    :param project: the plan of its project, and the results of the gates before this one.
    :param seen: the newest attempts that gates have seen, by job key; this gate adds its own.
    :raises GitLabError: if its jobs do not exist or cannot be read.
    """
    if session.watch:
        session.watch.add_pipeline(id_of(pipeline))
    about_jobs = [each for each in project.plan.gates if each.start is None]
    if gate is about_jobs[0]:
        _check_jobs(session, project, about_jobs, pipeline)
    result = yield from GateRun(session, project, gate, pipeline, seen).run()
    seen.update({job.key: job.id for job in result.jobs if job.id > seen.get(job.key, 0)})
    if project.pipeline is None:
        # not earlier: it is only a warning, and the first minute of a large release already needs many requests
        warn_of_namesake(session, project.plan.pipeline, pipeline)
    return result


def _check_jobs(session: Session, project: ProjectResult, gates: t.Sequence[Gate], pipeline: Record) -> None:
    """Check that the pipeline has the jobs of these gates.

    A pipeline has all its jobs from the start, except those in downstream pipelines, so a misspelled name is found
    before anything is done. The first poll of the first gate reuses the list of jobs.

    :raises SelectionError: if a job is missing, with what there is instead.
    """
    for gate in gates:
        if gate.is_optional or gate.include_downstream:
            continue
        finder = JobFinder(session, jobs_of(session, project, gate, pipeline))
        try:
            with polling(float("-inf")):
                selection = finder.find()
            problem = finder.problem(selection) if selection.is_complete else ""
        except RequestError:
            return  # the gate itself gets the same error, and has time to try again
        except SelectionError as exc:
            problem = str(exc)
        if problem:
            is_first = gate is gates[0]
            raise SelectionError(problem if is_first else f"the later {gate.called} could not open: {problem}")


# ----- starting a pipeline -----


@dataclasses.dataclass
class _Ref:
    """The pipelines of one ref that a release started.

    :param turn: held by the gate that searches for a pipeline and starts it, until the new pipeline is known.
    :param started: the request that started each pipeline, by pipeline id.
    :param predicted: the requests that check mode predicted.
    """

    turn: threading.Lock = dataclasses.field(default_factory=threading.Lock)
    started: dict[int, RunRequest] = dataclasses.field(default_factory=dict)
    predicted: list[RunRequest] = dataclasses.field(default_factory=list)


class PipelineStarter:
    """The starter of the pipelines of a release, which starts those of one ref one after the other.

    If several gates request the same pipeline at once, the first one starts it and the others find it.

    :param plan: shows which refs belong to projects that are given by path.
    """

    def __init__(self, plan: ReleasePlan) -> None:
        self._refs: dict[tuple[str, str], _Ref] = {}
        starts = [gate.start for project in plan.projects for gate in project.gates if gate.start]
        self._refs_by_path = {start.ref for start in starts if not start.project.isdigit()}

    def start(self, session: Session, gate: Gate, request: RunRequest) -> Steps[GateResult]:
        """Start the pipeline of a project, and return the result.

        :raises StoppedError: if nothing new may start.
        :raises GitLabError: if GitLab refuses the request or is unreachable.
        """
        ref = self._refs.setdefault((self._project(session, request), request.ref), _Ref())
        while not ref.turn.acquire(blocking=False):
            session.check_stop()
            if session.deadline.has_passed():
                reason = f"{timed_out_text(gate.waiting)}: another gate is still starting a pipeline of {request.ref}"
                return GateResult(gate, outcome="timed out", reason=reason, has_timed_out=True)
            # urgent, because it is followed by a check without a request
            yield Pause(TURN_SECONDS, session.deadline, is_urgent=True)
        try:
            return _start(session, gate, request, ref)
        finally:
            ref.turn.release()

    def _project(self, session: Session, request: RunRequest) -> str:
        """Return the path of the project, or its id if no project with this ref is given by path."""
        project = request.project
        if project.isdigit() and request.ref in self._refs_by_path:
            try:
                record = session.retrying_denials(lambda: session.client.call("get_project", project=request.project))
                project = str(record.get("path_with_namespace") or project)
            except DeniedError:
                pass  # starting the pipeline fails with advice
        # paths are case-insensitive
        return project.lower()


def _start(session: Session, gate: Gate, request: RunRequest, ref: _Ref) -> GateResult:
    result = run_pipeline(session, request, ref.started)
    if result.has_changed and result.after:
        ref.started[id_of(result.after)] = request
    reason = result.problem or (describe(result.after) if result.after else "")
    has_changed = result.has_changed
    if result.problem:
        outcome = "failed"
    elif not result.has_changed:
        outcome = "already done"
    elif not session.check_mode:
        outcome = "started"
    else:
        outcome = "would start"
        if request.reuse != "never" and any(map(request.is_like, ref.predicted)):
            has_changed, reason = False, "another gate would start it"
        ref.predicted.append(request)
    return GateResult(gate, outcome=outcome, reason=reason, has_changed=has_changed, pipeline=result.after)
