# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Read the newest attempt of jobs, or all attempts, with one list per pipeline."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import BadAnswerError
from ..fields import status_of
from ..session import Session
from .bridges import list_bridges
from .query import FoundJob
from .statuses import can_be_superseded, newest_per_name

# How often a list is read that lacks a job known to exist, or its newest attempt, before that is an error: a database
# replica may lag.
READS_FOR_MISSING = 3


def newest_attempts(session: Session, jobs: t.Sequence[FoundJob]) -> list[FoundJob]:
    """Return the newest attempt of each job, in the given order.

    :raises BadAnswerError: if GitLab repeatedly omits one.
    """
    for attempt in range(1, READS_FOR_MISSING + 1):
        shown = shown_attempts(session, jobs)
        missing = [job for job in jobs if job.key not in shown]
        if not missing:
            return [shown[job.key] for job in jobs]
        if not session.client.retrier.pause(attempt):
            break
    called = f"job {missing[0].path!r} (id {missing[0].id})"
    raise BadAnswerError(f"GitLab's list of jobs of pipeline {missing[0].pipeline_id} lacks its {called}")


def shown_attempts(session: Session, jobs: t.Sequence[FoundJob]) -> dict[t.Any, FoundJob]:
    """Return the newest attempts of jobs by key, read once; omit attempts that are older than the given ones.

    For a single job of a pipeline, the list of the pipeline is read only if the job may have been retried.
    """
    groups: dict[tuple[str, int], list[FoundJob]] = {}
    for job in jobs:
        groups.setdefault((job.project, job.pipeline_id), []).append(job)
    found: dict[t.Any, FoundJob] = {}
    for listed in session.run_all(lambda group: _read_group(session, group), list(groups.values())):
        found.update(listed)
    return {job.key: found[job.key] for job in jobs if job.key in found and found[job.key].id >= job.id}


def read_pipeline_jobs(session: Session, project: str, pipeline_id: int) -> list[FoundJob]:
    records = session.client.list_all("list_pipeline_jobs", project=project, pipeline_id=pipeline_id)
    return newest_jobs(records, project, pipeline_id)


def newest_jobs(records: t.Iterable[Record], project: str, pipeline_id: int) -> list[FoundJob]:
    """Return the newest attempt of each job among the records of a pipeline, newest first."""
    return [FoundJob(record, project, pipeline_id) for record in newest_per_name(records)]


def attempts_of(
    session: Session, jobs: t.Sequence[FoundJob], *, scope: t.Sequence[str] | None = None
) -> list[list[Record]]:
    """Return all attempts of each job in its pipeline; none for trigger jobs, whose attempts GitLab does not list.

    :param scope: the statuses of the attempts to read; None for all.
    """
    wanted: dict[tuple[str, int], dict[str, list[Record]]] = {}
    for job in jobs:
        if job.pipeline_id and not job.is_bridge:
            wanted.setdefault(job.key[:2], {})[job.name] = []

    def read(pipeline: tuple[str, int]) -> None:
        project, pipeline_id = pipeline
        for record in session.client.iterate(
            "list_pipeline_jobs", project=project, pipeline_id=pipeline_id, scope=scope, include_retried=True
        ):
            wanted[pipeline].get(str(record.get("name")), []).append(record)

    session.run_all(read, list(wanted))
    return [[] if job.is_bridge else wanted.get(job.key[:2], {}).get(job.name, []) for job in jobs]


class AttemptCounts:
    """The number of attempts of each job, counted again only when there is a newer attempt.

    :param is_wanted: whether the numbers are needed; otherwise they are 1, and nothing is read.
    """

    def __init__(self, session: Session, *, is_wanted: bool) -> None:
        self._session = session
        self._is_wanted = is_wanted
        # by job key: the id of the newest attempt, and the number of attempts
        self._counted: dict[t.Any, tuple[int, int]] = {}

    def count(self, jobs: t.Iterable[FoundJob]) -> None:
        """Count the attempts of jobs that may have more than one, with one list per pipeline."""
        if not self._is_wanted:
            return
        new = [job for job in jobs if can_be_superseded(job.status) and self._counted.get(job.key, (0, 0))[0] != job.id]
        for job, attempts in zip(new, attempts_of(self._session, new)):
            self.note(job, len(attempts))

    def note(self, job: FoundJob, at_least: int) -> None:
        """Record a minimum number of attempts, because GitLab does not list those of trigger jobs."""
        self._counted[job.key] = (job.id, max(self.of(job), at_least))

    def of(self, job: FoundJob) -> int:
        """Return the last known number of attempts of a job."""
        return self._counted.get(job.key, (0, 1))[1]


def _read_group(session: Session, jobs: t.Sequence[FoundJob]) -> dict[t.Any, FoundJob]:
    """Return the newest attempts of jobs of one pipeline by key."""
    project, pipeline_id = jobs[0].project, jobs[0].pipeline_id
    builds = [job for job in jobs if not job.is_bridge]
    records: list[Record] = []
    is_listed = bool(builds)
    # job tokens can list jobs, but cannot read single ones
    if len(builds) == 1 and session.limits.reads_single_jobs:
        records = [session.client.call("get_job", project=project, job_id=builds[0].id)]
        # only the list shows which attempt is the newest; if the job is missing there, its record proves nothing
        is_listed = bool(pipeline_id) and can_be_superseded(status_of(records[0]))
    if is_listed:
        records = session.client.list_all("list_pipeline_jobs", project=project, pipeline_id=pipeline_id)
    if len(builds) < len(jobs):
        records += list_bridges(session, project, pipeline_id)
    newest = {str(record.get("name")): record for record in newest_per_name(records)}
    return {job.key: job.with_record(newest[job.name]) for job in jobs if job.name in newest}
