# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Actions that are possible on a job in its current state (topics: predicates for builds, predicates for bridges)."""

from __future__ import annotations

from .engine import Engine
from .leftovers import is_locked
from .model import ACTIVE, BRIDGE, COMPLETE, Job

# A cancel through the API changes jobs with these statuses, which are more than on the web page.
CANCELABLE = frozenset({"created", *ACTIVE, "scheduled", "manual"})
_RETRYABLE = frozenset({"success", "failed", "canceled", "canceling"})
_BRIDGE_DEAD_ENDS = frozenset({"pipeline_loop_detected", "reached_max_descendant_pipelines_depth"})


def is_retryable(job: Job) -> bool:
    if job.superseded or job.archived or job.approval == "rejected" or job.like not in _RETRYABLE:
        return False
    return not (job.kind == BRIDGE and job.failure_reason in _BRIDGE_DEAD_ENDS)


def is_playable(job: Job) -> bool:
    if job.archived or job.approval == "waiting":
        return False
    if job.kind == BRIDGE:
        return job.when == "manual" and job.like == "manual"
    if job.when not in ("manual", "delayed"):
        return False
    return job.like in ("manual", "scheduled") or is_retryable(job)


def is_expired(engine: Engine, job: Job) -> bool:
    return job.artifacts_expire_at is not None and job.artifacts_expire_at <= engine.time


def has_artifacts(engine: Engine, job: Job) -> bool:
    return job.has_archive and not is_expired(engine, job)


def has_available_artifacts(engine: Engine, job: Job) -> bool:
    return job.has_archive and (not is_expired(engine, job) or is_locked(engine.world, job))


def is_erasable(engine: Engine, job: Job) -> bool:
    leftovers = has_artifacts(engine, job) or job.has_archive or job.has_reports or job.has_log
    return job.like in COMPLETE and leftovers


def is_outdated(job: Job) -> bool:
    """Return whether the job would deploy something older than the current deployment (topic: outdated deployments)."""
    return bool(job.spec.environment) and job.spec.older_than_last and job.project.forbid_outdated_deployments
