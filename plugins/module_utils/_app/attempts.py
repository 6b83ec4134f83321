# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Reading jobs again: the newest attempt of each, with one list per pipeline however many there are."""

from __future__ import annotations

import dataclasses
import typing as t

from .bridges import list_bridges
from .concurrency import run_all
from .naming import FoundJob
from .session import Session
from .statuses import Record, can_be_superseded, newest_per_name, status_of

_PipelineKey = tuple[str, int]


def newest_attempts(session: Session, jobs: t.Sequence[FoundJob]) -> list[FoundJob]:
    """Return the newest attempt of each job, in the given order.

    A single job is read by its id as long as it cannot have been retried; anything else by the list of its pipeline.
    """
    groups: dict[_PipelineKey, list[FoundJob]] = {}
    for job in jobs:
        groups.setdefault((job.project, job.pipeline_id), []).append(job)
    found: dict[t.Any, FoundJob] = {}
    for listed in run_all(
        lambda group: _read_group(session, group),
        list(groups.values()),
        most_at_once=session.client.settings.concurrency,
    ):
        found.update(listed)
    return [found.get(job.key, job) for job in jobs]


def count_attempts(session: Session, job: FoundJob) -> int:
    """Return how many attempts a job has had in its pipeline, the present one included."""
    if job.is_bridge or not job.pipeline_id:
        return 1
    records = session.client.iterate(
        "list_pipeline_jobs", project=job.project, pipeline_id=job.pipeline_id, include_retried=True
    )
    return max(1, sum(1 for record in records if record.get("name") == job.name))


def _read_group(session: Session, jobs: t.Sequence[FoundJob]) -> dict[t.Any, FoundJob]:
    """Return the newest attempts of jobs of one pipeline by their key."""
    project, pipeline_id = jobs[0].project, jobs[0].pipeline_id
    builds = [job for job in jobs if not job.is_bridge]
    records: list[Record] = []
    if len(builds) == 1:
        records.append(session.client.call("get_job", project=project, job_id=builds[0].id))
        if pipeline_id and can_be_superseded(status_of(records[0])):
            records += session.client.list_all("list_pipeline_jobs", project=project, pipeline_id=pipeline_id)
    elif builds:
        records += session.client.list_all("list_pipeline_jobs", project=project, pipeline_id=pipeline_id)
    if len(builds) < len(jobs):
        records += list_bridges(session, project, pipeline_id)
    newest = {str(record.get("name")): record for record in newest_per_name(records)}
    return {job.key: dataclasses.replace(job, record=newest[job.name]) for job in jobs if job.name in newest}
