# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn changes in the engine into deliveries, and queue them."""

from __future__ import annotations

import collections
import json
import typing as t

from ..model import BUILD, Job, Pipeline
from ..render import Renderer
from .bodies import Bodies
from .config import Hook
from .delivery import Delivery

if t.TYPE_CHECKING:
    from ..engine import Engine

# Entering another status of a job (manual, scheduled, skipped and others) sends nothing.
_OF_JOBS: t.Final = frozenset({"pending", "running", "success", "failed", "canceled"})
_OF_DEPLOYMENTS: t.Final = frozenset({"running", "success", "failed", "canceled"})


class Outbox:
    """Queue of deliveries. It observes an engine from the first hook on; earlier events send nothing."""

    def __init__(self, engine: Engine) -> None:
        self.hooks: list[Hook] = []
        self.waiting: collections.deque[Delivery] = collections.deque()
        # The sent deliveries in order, for tests.
        self.log: list[dict[str, t.Any]] = []
        # Where the server listens, once it does.
        self.server_url = ""
        self._engine = engine
        self._bodies: Bodies | None = None
        # The last reported state of each pipeline by id.
        self._statuses: dict[int, str] = {}

    def add(self, hook: Hook) -> None:
        if not self.hooks:
            world = self._engine.world
            self._statuses = {number: self._engine.status(one) for number, one in world.pipelines.items()}
            # Only now, because checking the status of a large pipeline after each step is slow.
            self._engine.watchers.append(self)
        self.hooks.append(hook)

    def job_added(self, job: Job) -> None:
        if job.kind == BUILD and job.like == "created":
            self._send_job(job)

    def job_moved(self, job: Job) -> None:
        if job.kind == BUILD and job.like in _OF_JOBS:
            self._send_job(job)
        deployment = job.deployment
        if deployment is not None and job.like in _OF_DEPLOYMENTS and not _is_blocked(job):
            self._put("deployment", job, deployment.status, deployment.id, lambda b: b.deployment(deployment))

    def pipeline_processed(self, pipeline: Pipeline) -> None:
        status = self._engine.status(pipeline)
        # A new pipeline was not reported yet.
        if status == self._statuses.get(pipeline.id, "created"):
            return
        self._statuses[pipeline.id] = status
        if pipeline.user is None or pipeline.user.state != "blocked":
            self._put("pipeline", pipeline, status, pipeline.id, lambda bodies: bodies.pipeline(pipeline))

    def _send_job(self, job: Job) -> None:
        if not _is_blocked(job):
            self._put("job", job, job.status, job.id, lambda bodies: bodies.job(job))

    def _put(
        self, event: str, subject: Job | Pipeline, status: str, number: int, write: t.Callable[[Bodies], t.Any]
    ) -> None:
        hooks = [h for h in self.hooks if event in h.events and h.project in (None, subject.project.path)]
        if not hooks:
            return
        instance = self._engine.world.external_url or self.server_url
        if self._bodies is None:
            self._bodies = Bodies(Renderer(self._engine, instance))
        body = json.dumps(write(self._bodies)).encode()
        features = self._engine.world.features
        for hook in hooks:
            fault = hook.fault(event, status)
            self.waiting.append(
                Delivery(hook, event, status, number, body, instance, features, fault, self._engine.time)
            )


def _is_blocked(job: Job) -> bool:
    return job.user is not None and job.user.state == "blocked"
