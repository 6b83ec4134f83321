# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Actions on pipelines: retry, cancel, delete, rename (topics: P9 retry, P10 cancel, P11 delete)."""

from __future__ import annotations

from . import actions, predicates, roles
from .actions import Effects
from .engine import Engine
from .model import BUILD, Pipeline, User

# Canceling a pipeline does not change its manual jobs, but canceling a manual job does.
_CANCELABLE = predicates.CANCELABLE - {"manual"}


class PipelineActions:
    """The writes to pipelines. The endpoints check roles."""

    def __init__(self, engine: Engine, effects: Effects) -> None:
        self._engine = engine
        self._effects = effects

    def retry(self, pipeline: Pipeline, user: User | None) -> None:
        """Run failed and canceled jobs again; it is not an error if there are none."""
        engine = self._engine
        wanted = {"failed", "canceled"}
        if engine.world.features.has("pipelines.retry_canceling"):
            wanted.add("canceling")
        again = [
            job
            for job in pipeline.latest()
            if job.kind == BUILD
            and job.like in wanted
            and predicates.is_retryable(job)
            and not predicates.is_outdated(job)
            and roles.may_write_job(user, job, "retry")
        ]
        for job in again:
            engine.renew(job, user=user, at_once=False)
        if again:
            self._effects.note_pipeline(engine, "retry_pipeline", pipeline, user)

    def cancel(self, pipeline: Pipeline, user: User | None) -> None:
        """Cancel the jobs now, and those of child pipelines after the answer; without any, do nothing."""
        if pipeline.source == "external":
            return
        if self._cancel_jobs(pipeline):
            self._effects.note_pipeline(self._engine, "cancel_pipeline", pipeline, user)
            self._engine.plan_call(lambda: self._cancel_children(pipeline))

    def _cancel_jobs(self, pipeline: Pipeline) -> bool:
        found = [job for job in pipeline.latest() if job.like in _CANCELABLE]
        for job in found:
            graceful = job.status == "running" and job.runner is not None and job.runner.graceful_cancel
            graceful = graceful and self._engine.world.features.has("canceling")
            self._engine.move(job, "canceling" if graceful else "canceled")
        return bool(found)

    def _cancel_children(self, pipeline: Pipeline) -> None:
        for job in pipeline.latest():
            if job.downstream is not None and job.downstream.project is pipeline.project:
                self._cancel_jobs(job.downstream)
                self._cancel_children(job.downstream)

    def delete(self, pipeline: Pipeline, user: User | None) -> None:
        """Delete a pipeline with its jobs."""
        actions.check_stats_refresh(pipeline.project)
        self._effects.note_pipeline(self._engine, "delete_pipeline", pipeline, user)
        self._engine.remove_pipeline(pipeline)

    def rename(self, pipeline: Pipeline, name: str, user: User | None) -> None:
        if pipeline.name != name:
            pipeline.name = name
            pipeline.rev += 1
            pipeline.updated_at = self._engine.time
            self._effects.note_pipeline(self._engine, "rename_pipeline", pipeline, user)
