# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state machine of jobs and pipelines, driven by events in chronological order.

Source: topic "statuses and state machine" of the reference, especially its table of transitions.
"""

from __future__ import annotations

import bisect
import collections.abc as c
import heapq
import itertools
import operator
import typing as t

from . import bridges, creation, deployments, leftovers, processing, templates
from .clock import Clock
from .model import BRIDGE, BUILD, COMPLETE, Job, Pipeline, User
from .scenario import World

_BY_ID = operator.attrgetter("id")
# Jobs with one of these statuses hold the resource of a resource group.
_HOLDING = frozenset({"preparing", "pending", "running", "canceling", "waiting_for_callback"})
Action = c.Callable[[], None]


class Watcher(t.Protocol):
    """Observer of the engine."""

    def job_added(self, job: Job) -> None:
        """Handle a new job."""

    def job_moved(self, job: Job) -> None:
        """Handle a job with a new status."""

    def pipeline_processed(self, pipeline: Pipeline) -> None:
        """Handle a pipeline whose jobs were processed."""


class Engine:
    """A running world. Every caller must advance() it to the present first."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world = world
        self.clock = clock
        self.time = 0.0
        self.watchers: list[Watcher] = []
        self._events: list[tuple[float, int, Job | None, int, Action]] = []
        self._sequence = itertools.count()
        self._cleaner = leftovers.Cleaner(self)
        self._entering: dict[str, c.Callable[[Job], None]] = {
            "waiting_for_resource": lambda job: self._plan(0, self.offer_resource, job),
            "preparing": self._entered_preparing,
            "pending": self._entered_pending,
            "running": self._entered_running,
            "canceling": lambda job: self._plan(job.spec.cancel_duration, lambda j: self.move(j, "canceled"), job),
            "scheduled": self._entered_scheduled,
        }
        for row, place in world.pipeline_rows:
            creation.check(world, row, place=place)
        for project in world.projects.values():
            for ref, template in project.new_pipelines.items():
                place = f"project {project.path}: new_pipelines.{ref}"
                creation.check(world, templates.row(template, project, place=place), place=place)
        for row, place in world.pipeline_rows:
            creation.create_pipeline(self, row, creation.project_of(world, row, place=place), place=place)

    # -- time ------------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Run everything that is due."""
        now = self.clock.now()
        while self._events and self._events[0][0] <= now:
            at, _sequence, job, turn, action = heapq.heappop(self._events)
            if job is None or job.turn == turn:
                self.time = at
                action()
        self.time = now
        self._cleaner.clean()

    def _plan(self, delay: float, action: c.Callable[[Job], None], job: Job) -> None:
        """Run `action` on `job` after `delay`, unless its status changes before."""
        event = (self.time + delay, next(self._sequence), job, job.turn, lambda: action(job))
        heapq.heappush(self._events, event)

    def plan_processing(self, pipeline: Pipeline) -> None:
        """Process the pipeline again after the request that changed it was answered."""
        if not pipeline.processing_planned:
            pipeline.processing_planned = True
            self.plan_call(lambda: self.process(pipeline))

    # -- creation --------------------------------------------------------------------------------------------------

    def add_pipeline(self, pipeline: Pipeline) -> None:
        self.world.pipelines[pipeline.id] = pipeline
        bisect.insort(pipeline.project.pipelines, pipeline, key=_BY_ID)

    def remove_pipeline(self, pipeline: Pipeline) -> None:
        """Delete a pipeline with all its jobs, but not its child pipelines."""
        for job in pipeline.jobs:
            # Cancels everything that is planned for it.
            job.turn += 1
            del self.world.jobs[job.id]
            if job.kind == BUILD:
                pipeline.project.builds.remove(job)
            if job.deployment is not None:
                del self.world.deployments[job.deployment.id]
        pipeline.jobs.clear()
        pipeline.waiting = 0
        pipeline.project.pipelines.remove(pipeline)
        del self.world.pipelines[pipeline.id]
        if pipeline.source_bridge is not None:
            pipeline.source_bridge.downstream = None

    def plan_call(self, action: Action) -> None:
        """Run something after the current request was answered."""
        heapq.heappush(self._events, (self.time, next(self._sequence), None, 0, action))

    def add(self, job: Job) -> None:
        self.world.jobs[job.id] = job
        jobs = job.pipeline.jobs
        if jobs and jobs[-1].id > job.id:
            bisect.insort(jobs, job, key=_BY_ID)
        else:
            jobs.append(job)
        job.pipeline.waiting += 1
        if job.kind == BUILD:
            builds = job.project.builds
            if builds and builds[-1].id > job.id:
                bisect.insort(builds, job, key=_BY_ID)
            else:
                builds.append(job)
            deployments.begin(self, job)
        for watcher in self.watchers:
            watcher.job_added(job)

    def renew(
        self, old: Job, *, user: User | None, inputs: dict[str, t.Any] | None = None, at_once: bool = True
    ) -> Job:
        """Replace `old` by a new attempt of the same job, and return it (topic: retry).

        :param at_once: whether it starts in any stage; otherwise it waits like a job of a new pipeline.
        """
        job = Job(
            id=self.world.job_ids.take(None, place="retry"),
            name=old.name,
            pipeline=old.pipeline,
            spec=old.spec,
            kind=old.kind,
            user=user,
            when=old.when,
            allow_failure=old.allow_failure,
            created_at=self.time,
            attempt=old.attempt + 1,
            variables=list(old.variables),
            inputs={**old.inputs, **(inputs or {})},
        )
        old.superseded = True
        old.rev += 1
        self.add(job)
        if at_once:
            self.enqueue(job)
        else:
            self.touch(job)
        self.process_again_after(job)
        return job

    def process_again_after(self, job: Job) -> None:
        """Reopen the jobs that were skipped because of `job`, also in upstream pipelines."""
        for other in processing.skipped_because_of(job):
            self.move(other, "created")
        self.plan_processing(job.pipeline)
        bridge = job.pipeline.source_bridge
        if bridge and bridge.spec.strategy != "none" and bridge.status in COMPLETE and not bridge.superseded:
            bridge.finished_at = None
            self.move(bridge, "running")
            self.process_again_after(bridge)

    # -- transitions -----------------------------------------------------------------------------------------------

    def move(self, job: Job, status: str, *, reason: str | None = None) -> None:
        """Change the status of a job, with its time stamps and all consequences."""
        before, job.status = job.status, status
        job.like = self.world.statuses[status]
        job.pipeline.waiting += (status == "created") - (before == "created")
        job.turn += 1
        job.held = False
        job.failure_reason = reason if status == "failed" else None
        if before == "scheduled":
            job.scheduled_at = None
        if status == "pending":
            job.queued_at = self.time
        elif status == "running":
            job.started_at = self.time
        elif status in ("success", "failed", "canceled"):
            job.finished_at = self.time
        self.touch(job)
        deployments.follow(self, job)
        for watcher in self.watchers:
            watcher.job_moved(job)
        if status in self._entering:
            self._entering[status](job)
        if status not in _HOLDING and before in _HOLDING and job.spec.resource_group:
            self._next_for_resource(job)
        self.plan_processing(job.pipeline)

    def touch(self, job: Job) -> None:
        job.rev += 1
        job.pipeline.rev += 1
        job.pipeline.updated_at = max(job.pipeline.updated_at, self.time)
        self._cleaner.watch(job)

    def enqueue(self, job: Job) -> None:
        """Start a job as far as possible: resource group, prerequisites, then the queue of the runners."""
        if job.approval == "rejected":
            self.move(job, "failed", reason="deployment_rejected")
        elif job.spec.resource_group:
            self.move(job, "waiting_for_resource")
        else:
            self._after_resource(job)

    def _after_resource(self, job: Job) -> None:
        self.move(job, "preparing" if job.spec.prepare else "pending")

    def offer_resource(self, job: Job) -> None:
        """Give a waiting job the resource of its group, if it is free and no older job waits for it."""
        group = job.spec.resource_group
        if group is None:
            return
        rivals = [
            other
            for pipeline in job.project.pipelines
            for other in pipeline.jobs
            if other.spec.resource_group == group and other is not job
        ]
        if any(other.status in _HOLDING for other in rivals):
            return
        if not any(other.status == "waiting_for_resource" and other.id < job.id for other in rivals):
            self._after_resource(job)

    def _next_for_resource(self, job: Job) -> None:
        for pipeline in job.project.pipelines:
            for other in pipeline.jobs:
                if other.status == "waiting_for_resource" and other.spec.resource_group == job.spec.resource_group:
                    self._plan(0, self.offer_resource, other)

    def _entered_preparing(self, job: Job) -> None:
        # A state forced on a job that has nothing to prepare stays.
        if job.spec.prepare:
            self._plan(job.spec.prepare, lambda prepared: self.move(prepared, "pending"), job)

    def _entered_pending(self, job: Job) -> None:
        if job.spec.queue is None:
            return
        if job.kind == BRIDGE:
            self._plan(0, lambda bridge: bridges.start(self, bridge), job)
        elif self.runner_for(job):
            self._plan(job.spec.queue, self._start, job)

    def runner_for(self, job: Job) -> t.Any:
        wanted = set(job.spec.tags)
        return next((r for r in self.world.runners if not r.paused and wanted <= r.tags), None)

    def _start(self, job: Job) -> None:
        job.runner = self.runner_for(job)
        job.has_log = job.spec.log != ""
        self.move(job, "running")

    def _entered_running(self, job: Job) -> None:
        plan = job.plan
        if job.kind == BUILD and plan.outcome != "hang":
            self._plan(plan.duration, self._finish, job)

    def _entered_scheduled(self, job: Job) -> None:
        job.scheduled_at = self.time + job.spec.start_in
        self._plan(job.spec.start_in, self.enqueue, job)

    def replan(self, job: Job) -> None:
        """Plan the end of a running job again, from its start."""
        job.turn += 1
        plan = job.plan
        if plan.outcome != "hang" and job.started_at is not None:
            self._plan(max(0.0, job.started_at + plan.duration - self.time), self._finish, job)

    def _finish(self, job: Job) -> None:
        plan = job.plan
        leftovers.upload(job, plan.outcome, now=self.time)
        self.move(job, plan.outcome, reason=plan.failure_reason)
        is_retried = not job.spec.retry_when or plan.failure_reason in job.spec.retry_when
        if plan.outcome == "failed" and job.attempt <= job.spec.retry and is_retried:
            # The server does this itself, so it is not an effect.
            self.renew(job, user=job.user)

    def wipe(self, job: Job) -> None:
        """Delete the log and all artifacts."""
        job.has_archive = job.has_reports = job.has_log = False
        job.artifacts_expire_at = None
        self.touch(job)

    # -- pipelines -------------------------------------------------------------------------------------------------

    def status(self, pipeline: Pipeline) -> str:
        """Return the status of the pipeline from its jobs."""
        if pipeline.cached_status is None or pipeline.cached_status[0] != pipeline.rev:
            pipeline.cached_status = (pipeline.rev, self._composite(pipeline))
        return pipeline.cached_status[1]

    def _composite(self, pipeline: Pipeline) -> str:
        return processing.composite(pipeline.latest()) or pipeline.own_status or "created"

    def process(self, pipeline: Pipeline) -> None:
        """Start or skip every created job that no longer waits, and report the status to the upstream pipeline."""
        progress = bool(pipeline.waiting)
        while progress:
            progress = False
            latest = pipeline.latest()
            by_stage: dict[int, str | None] = {}
            for job in latest:
                if job.status != "created" or job.held:
                    continue
                verdict = processing.verdict(job, latest, by_stage)
                if verdict is None:
                    continue
                self._take_turn(job, verdict)
                progress = True
        # The moves above need no further processing: the loop ended because none changes anything.
        pipeline.processing_planned = False
        bridges.update_bridge(self, pipeline)
        for watcher in self.watchers:
            watcher.pipeline_processed(pipeline)

    def _take_turn(self, job: Job, verdict: str) -> None:
        if verdict == "skip":
            self.move(job, "skipped")
        elif job.when == "manual" or job.approval == "waiting":
            # A job that waits for approvals is manual from now on: a user may have to play it afterwards.
            job.when = "manual"
            self.move(job, "manual")
        elif job.when == "delayed":
            self.move(job, "scheduled")
        else:
            self.enqueue(job)
