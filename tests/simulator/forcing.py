# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Force jobs into a state, at the start of a scenario or during a test."""

from __future__ import annotations

import typing as t

from . import bridges, leftovers
from .model import BRIDGE, BUILD, COMPLETE, Job

if t.TYPE_CHECKING:
    from .engine import Engine


def force(engine: Engine, job: Job, status: str, *, finished_at: float | None = None) -> None:
    """Force a job into a status, with matching time stamps."""
    plan = job.plan
    present = engine.time
    is_active = status in ("running", "canceling")
    # A running job has just started, so that its log, its duration and its end match.
    end = present if finished_at is None or is_active else finished_at
    ran = engine.world.statuses[status] in ("running", "canceling", "success", "failed", "canceled")
    if ran:
        length = 0 if is_active else plan.duration
        started_at = job.started_at if job.started_at is not None else max(job.created_at, end - length)
        started: float | None = started_at
        job.queued_at = job.queued_at if job.queued_at is not None else max(job.created_at, started_at - 1)
        if job.kind == BUILD:
            job.runner = job.runner or engine.runner_for(job)
            job.has_log = job.spec.log != ""
    else:
        started = None
        job.queued_at = job.runner = None
        job.has_log = False
    if job.kind == BRIDGE and ran and job.downstream is None:
        bridges.create_downstream(engine, job)
    if status not in ("success", "failed", "canceled"):
        job.finished_at = None
    engine.time = end if status in COMPLETE else present
    if status in ("success", "failed", "canceled") and not job.has_archive:
        leftovers.upload(job, status, now=engine.time)
    engine.move(job, status, reason=plan.failure_reason)
    engine.time = present
    job.started_at = started
    job.held = status == "created"


def unschedule(engine: Engine, job: Job) -> Job:
    """Remove the timer of a delayed job, as the web page can, but not the API."""
    if job.status == "scheduled":
        engine.move(job, "manual")
    return job
