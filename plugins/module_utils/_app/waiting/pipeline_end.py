# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Following a pipeline with its jobs until it has ended, or waits for a manual job."""

from __future__ import annotations

import dataclasses

from ..._api.decoding import Record
from ..._api.errors import RequestError
from ..fields import id_of, pipeline_of, project_id_of, status_of
from ..jobs.attempts import newest_jobs, read_pipeline_jobs
from ..jobs.bridges import PipelineNode, list_bridges, trigger_jobs
from ..jobs.query import FoundJob, sentences
from ..jobs.statuses import failure_reason, is_active, is_finished, is_optional, phase_of
from ..pipelines.find import read_pipeline, whole_pipeline
from ..session import Session
from .blockers import MAX_SINGLE_LINES, is_blocking
from .loop import MAX_COUNTS, MAX_COUNTS_SHOWN, SMALL_PIPELINE_JOBS, Wait
from .options import end_problem, time_problem
from .schedule import Steps

# A pipeline whose jobs were just restarted can still have its old end status. If none of its jobs is active, but some
# are still created, its end counts only after this many polls.
POLLS_TO_CONFIRM_END = 3


@dataclasses.dataclass
class PipelineState:
    """A pipeline as it was read last.

    :param jobs: the newest attempt of each of its jobs, newest first, without trigger jobs.
    :param attempts: every attempt of its jobs, and its trigger jobs if these were requested.
    :param problem: why the task fails, empty if it does not.
    :param failed: failed jobs, here and downstream, each with the tail of its log if it was read.
    :param downstream: the downstream pipelines, None if these were not read.
    """

    pipeline: Record
    jobs: list[FoundJob] = dataclasses.field(default_factory=list)
    attempts: list[Record] = dataclasses.field(default_factory=list)
    problem: str = ""
    has_timed_out: bool = False
    failed: list[tuple[FoundJob, list[str] | None]] = dataclasses.field(default_factory=list)
    downstream: list[PipelineNode] | None = None

    @property
    def status(self) -> str:
        return status_of(self.pipeline)


def read_state(session: Session, project: str, pipeline_id: int, *, with_trigger_jobs: bool = False) -> PipelineState:
    """Return a pipeline with every attempt of its jobs, which are read after it and may be newer.

    :param with_trigger_jobs: whether to read trigger jobs as well, which needs one more request.
    """
    pipeline = whole_pipeline(session, project, {"id": pipeline_id})
    attempts = session.client.list_all(
        "list_pipeline_jobs", project=project, pipeline_id=pipeline_id, include_retried=True
    )
    jobs = newest_jobs(attempts, project, pipeline_id)
    bridges = list_bridges(session, project, pipeline_id) if with_trigger_jobs else []
    return PipelineState(pipeline, jobs, [*attempts, *bridges])


class Following:
    """One followed pipeline.

    Between two lists of its jobs, only the pipeline itself is read, because its record is small.

    :param project: the project for requests if the record of the pipeline does not contain it.
    :param known: the pipeline and its known jobs.
    :param wait: how to wait; its targets are those of a pipeline.
    :ivar pipeline: as it was read last.
    """

    def __init__(self, session: Session, project: str, known: PipelineState, wait: Wait) -> None:
        self._session = session
        self.pipeline = known.pipeline
        self._project = project_id_of(self.pipeline, project)
        self._id = id_of(self.pipeline)
        self._options = wait.options
        self._wait = wait
        self._polls_at_end = 0
        # the id of the newest known job
        self._newest = _newest(known)
        # how many jobs were left in the last list, and how many polls there were since
        self._left = self._checks = 0

    def run(self) -> Steps[PipelineState]:
        """Return the pipeline with its jobs; with `wait` as soon as it has reached its target, or never will."""
        self._wait.begin()
        before = PipelineState(self.pipeline) if status_of(self.pipeline) else None
        if before and self._wait.is_active:
            self._note_remaining([])
        waited = yield from self._wait.until(self._read, self._is_settled, before=before)
        state = waited.value
        if state.status == "failed" and all(map(may_fail, failed_jobs(state))):
            # no job explains the failure
            state.jobs = [*state.jobs, *self._failed_trigger_jobs()]
        state.has_timed_out = waited.has_timed_out
        state.problem = self._problem(state)
        return state

    def _read(self) -> PipelineState:
        state = PipelineState(self.pipeline, read_pipeline_jobs(self._session, self._project, self._id))
        # a job usually contains the pipeline
        shown = (pipeline_of(state.jobs[0].record) if state.jobs else None) or {}
        if status_of(shown) in ("", "manual") or is_finished(status_of(shown)):
            # its own record is more complete, and decides
            shown = {**shown, **read_pipeline(self._session, self._project, {"id": self._id})}
        state.pipeline = self.pipeline = {**self.pipeline, **shown}
        if self._wait.is_active:
            left = [job for job in state.jobs if not (is_finished(job.status) or is_optional(job.record))]
            self._wait.seen(state.jobs, left)
            self._note_remaining(left)
            self._wait.timeline.observe(_observed(self._project, state.pipeline))
            self._left, self._checks = len(left), 0
            self._wait.pace(len(left), self._check if self._may_check(state) else None)
        return state

    def _check(self) -> int | None:
        """Read the pipeline; return how many jobs are left, None if they must be listed to know more."""
        record = self._session.client.call("get_pipeline", project=self._project, pipeline_id=self._id)
        self._checks += 1
        maximum = MAX_COUNTS_SHOWN if self._session.progress.is_shown else MAX_COUNTS
        needs_list = status_of(record) != status_of(self.pipeline) or self._checks >= maximum
        return None if needs_list else self._left

    def _note_remaining(self, left: list[FoundJob]) -> None:
        """Note what continues in GitLab if the task is interrupted: the jobs, or the pipeline if none is known."""
        is_over = is_finished(status_of(self.pipeline))
        self._wait.timeline.note_remaining(left or ([] if is_over else [_observed(self._project, self.pipeline)]))

    def _failed_trigger_jobs(self) -> list[FoundJob]:
        """Return the failed trigger jobs, if the token may read them."""
        try:
            found = trigger_jobs(self._session.best_effort(), self._project, self._id)
        except RequestError as exc:
            self._session.warn(f"The trigger jobs of the pipeline cannot be read: {exc}")
            return []
        return [job for job in found if job.status == "failed"]

    def _may_check(self, state: PipelineState) -> bool:
        """Return whether the status of the pipeline is enough for a while; if it has stopped, jobs must be read."""
        is_big = len(state.jobs) > SMALL_PIPELINE_JOBS
        is_moving = not is_finished(state.status) and state.status != "manual"
        return is_big and is_moving and self._options.pending_seconds is None and self._session.limits.reads_pipelines

    def _is_settled(self, state: PipelineState) -> bool:
        if "created" in self._options.targets or self._queue_problem(state):
            return True
        # a database replica that is behind can show the end before the last retry
        newest = _newest(state)
        is_behind, self._newest = newest < self._newest, max(newest, self._newest)
        stands_still = state.status == "manual" or is_finished(state.status)
        if not stands_still or is_behind or any(map(_is_at_work, state.jobs)):
            self._polls_at_end = 0
            return False
        self._polls_at_end += 1
        is_quiet = all(job.status != "created" for job in state.jobs) or state.status == "manual"
        is_over = is_quiet or self._polls_at_end >= POLLS_TO_CONFIRM_END
        return is_over and all(map(self._wait.is_confirmed, state.jobs))

    def _queue_problem(self, state: PipelineState) -> str:
        problems = ((job, self._wait.queue_problem(job)) for job in state.jobs)
        return next((f"{job.called} {problem}" for job, problem in problems if problem), "")

    def _problem(self, state: PipelineState) -> str:
        if "created" in self._options.targets:
            return ""
        if state.has_timed_out:
            return time_problem(self._options, pipeline_late(state))
        queued = self._queue_problem(state)
        if queued:
            return queued
        if self._wait.is_active and state.status == "manual" and "manual" not in self._options.targets:
            return blocked_text(state)
        problem = end_problem(state.pipeline, self._options, check_targets=self._wait.is_active)
        return f"pipeline {self._id} {problem}{why_it_failed(state)}" if problem else ""


def blocked_text(state: PipelineState) -> str:
    """Return which manual jobs block a pipeline, and what to do."""
    return (
        f"pipeline {id_of(state.pipeline)} waits for {_manual(state)} to be played; play or cancel it with "
        "gitlab_job_action, or add manual to wait_for"
    )


def pipeline_late(state: PipelineState) -> str:
    """Return the state of a pipeline that has not ended before the timeout."""
    busy = [f"{job.called} is {job.status}" for job in state.jobs if _is_at_work(job)]
    text = f"pipeline {id_of(state.pipeline)} is still {state.status}"
    return f"{text}; {sentences(busy, limit=MAX_SINGLE_LINES)}" if busy else text


def why_it_failed(state: PipelineState) -> str:
    """Return why a pipeline has failed, as far as known, to continue a sentence about it."""
    if state.pipeline.get("yaml_errors"):
        return f": {state.pipeline['yaml_errors']}"
    texts = [f"{job.called} of stage {job.stage} failed{failure_reason(job.record)}" for job in failed_jobs(state)]
    if state.status == "skipped":
        manual = [f"{job.called} is manual and was not played" for job in state.jobs if is_optional(job.record)]
        texts = manual if state.jobs else ["it has no jobs"]
    return f": {sentences(texts, limit=MAX_SINGLE_LINES)}" if texts else ""


def failed_jobs(state: PipelineState) -> list[FoundJob]:
    """Return the failed jobs: first those that may not fail, then those that may, oldest first."""
    failed = [job for job in state.jobs if job.status == "failed"]
    return sorted(failed, key=lambda job: (may_fail(job), job.id))


def may_fail(job: FoundJob) -> bool:
    """Return whether a pipeline can succeed without a job."""
    return bool(job.record.get("allow_failure"))


def _newest(state: PipelineState) -> int:
    return state.jobs[0].id if state.jobs else 0


def _manual(state: PipelineState) -> str:
    manual = sorted(filter(is_blocking, state.jobs), key=lambda job: job.id)
    names = " and ".join(job.called for job in manual[:MAX_SINGLE_LINES])
    return f"{names} (manual)" if names else "a manual job"


def _is_at_work(job: FoundJob) -> bool:
    status = job.status
    return is_active(status) or phase_of(status) == "ending"


def _observed(project: str, pipeline: Record) -> FoundJob:
    """Return a pipeline in the form of a job, so that the timeline can note its changes."""
    return FoundJob({**pipeline, "name": f"pipeline {id_of(pipeline)}"}, project, id_of(pipeline))
