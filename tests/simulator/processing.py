# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which jobs of a pipeline may start, and the status of a set of jobs."""

from __future__ import annotations

import collections.abc as c

from .model import COMPLETE, Job

# A failed job that may fail counts as successful, and it is ignored while it waits for a user.
_DONE = frozenset({"success", "skipped", "warned", "ignored"})

# Rows of (statuses that may occur, result); the first row that contains all statuses wins.
_ONLY: list[tuple[frozenset[str], str]] = [
    (frozenset({"skipped", "ignored"}), "skipped"),
    (_DONE, "success"),
    (frozenset({"created", "warned", "ignored"}), "created"),
    (frozenset({"preparing", "warned", "ignored"}), "preparing"),
    (_DONE | {"canceled"}, "canceled"),
    (frozenset({"pending", "created", "skipped", "warned", "ignored"}), "pending"),
]
# Rows of (a status, result); the first one that occurs wins.
_ANY: list[tuple[str, str]] = [
    ("canceling", "canceling"),
    ("running", "running"),
    ("pending", "running"),
    ("waiting_for_resource", "waiting_for_resource"),
    ("waiting_for_callback", "waiting_for_callback"),
    ("manual", "manual"),
    ("scheduled", "scheduled"),
    ("preparing", "preparing"),
    ("created", "running"),
]
# `when` -> results of the earlier jobs that let the job start. Needs are stricter about skipped jobs.
_GO: dict[str, frozenset[str]] = {
    "on_success": frozenset({"success", "skipped"}),
    "manual": frozenset({"success", "skipped"}),
    "delayed": frozenset({"success", "skipped"}),
    "on_failure": frozenset({"failed"}),
    "always": frozenset({"success", "failed", "skipped"}),
}


def _counted(job: Job) -> str:
    if job.allow_failure and job.like in ("failed", "canceled"):
        return "warned"
    if job.allow_failure and job.like == "manual":
        return "ignored"
    return job.like


def composite(jobs: c.Iterable[Job]) -> str | None:
    """Return the combined status of `jobs`; None if there are none."""
    found = {_counted(job) for job in jobs}
    if not found:
        return None
    for allowed, result in _ONLY:
        if found <= allowed:
            return result
    for status, result in _ANY:
        if status in found:
            return result
    return "failed"


def composite_of_needs(jobs: c.Iterable[Job]) -> str:
    """Return the status of the jobs another one needs: a skipped one skips it, and it waits for unfinished ones."""
    found = {_counted(job) for job in jobs}
    if not found:
        return "success"
    if found & {"skipped", "canceled"}:
        return "skipped"
    if not found <= {"success", "failed", "warned"}:
        return "pending"
    return "failed" if "failed" in found else "success"


def verdict(job: Job, latest: list[Job], by_stage: dict[int, str | None]) -> str | None:
    """Return start or skip for a created job, or None if it has to wait.

    :param by_stage: filled as needed: stage index -> status of all stages before it.
    """
    if job.spec.needs is not None:
        needed = set(job.spec.needs)
        before: str | None = composite_of_needs(other for other in latest if other.name in needed)
        go = _GO[job.when] - {"skipped"} if job.when != "always" else _GO["always"]
    else:
        stage = job.pipeline.stage_index(job)
        if stage not in by_stage:
            stages = job.pipeline.stages[:stage]
            by_stage[stage] = composite(other for other in latest if other.spec.stage in stages)
        before = by_stage[stage] or "success"
        go = _GO[job.when]
    if before not in COMPLETE:
        return None
    return "start" if before in go else "skip"


def skipped_because_of(job: Job) -> list[Job]:
    """Return the skipped jobs that are to be processed again after `job` was retried or played."""
    latest = job.pipeline.latest()
    stage = job.pipeline.stage_index(job)
    names = {job.name}
    again: list[Job] = []
    changed = True
    while changed:
        changed = False
        for other in latest:
            if other.status != "skipped" or other in again:
                continue
            needs = other.spec.needs
            follows = other.pipeline.stage_index(other) > stage if needs is None else bool(names & set(needs))
            if follows:
                again.append(other)
                names.add(other.name)
                changed = True
    return again
