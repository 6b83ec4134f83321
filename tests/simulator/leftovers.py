# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create artifacts when a job ends, and remove them some time after they expire."""

from __future__ import annotations

import typing as t

from .model import Job
from .scenario import World

if t.TYPE_CHECKING:
    from .engine import Engine


def is_locked(world: World, job: Job) -> bool:
    """Return whether the job's artifacts are kept after expiry, like those of a ref's latest successful pipeline."""
    return bool(world.features.has("artifacts_locked") and job.spec.artifacts and job.spec.artifacts["locked"])


def upload(job: Job, outcome: str, *, now: float) -> None:
    """Create the artifacts of a finished job, and its reports even if it failed."""
    artifacts = job.spec.artifacts
    if artifacts is None:
        return
    is_kept = artifacts["when"] == "always" or (artifacts["when"] == "on_success") is (outcome == "success")
    job.has_archive = is_kept and bool(artifacts["files"] or artifacts["size"])
    job.has_reports = bool(artifacts["reports"])
    if artifacts["expire_in"] is not None:
        job.artifacts_expire_at = now + artifacts["expire_in"]


class Cleaner:
    """Removes unlocked artifacts some time after they expire, if the scenario enables this."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._expiring: set[Job] = set()

    def watch(self, job: Job) -> None:
        """Register a changed job."""
        if job.artifacts_expire_at is not None and self._engine.world.artifacts_cleanup is not None:
            self._expiring.add(job)

    def clean(self) -> None:
        world = self._engine.world
        for job in list(self._expiring):
            if job.artifacts_expire_at is None or not (job.has_archive or job.has_reports):
                self._expiring.discard(job)
            elif job.artifacts_expire_at + (world.artifacts_cleanup or 0) < self._engine.time:
                if not is_locked(world, job):
                    job.has_archive = job.has_reports = False
                    self._engine.touch(job)
