# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What blocks a job: a person, a runner, a resource group, or an earlier job."""

from __future__ import annotations

import typing as t

from ..._api.errors import RequestError
from ..fields import record_in
from ..jobs.attempts import read_pipeline_jobs
from ..jobs.query import FoundJob, shortened
from ..jobs.statuses import STATUSES, is_finished, is_optional, needed_runner, still_text
from ..session import Session

# If more jobs than this wait for the same thing, they share one line.
MAX_SINGLE_LINES = 3


class Blockers:
    """Finds out what blocks jobs."""

    def __init__(self, session: Session) -> None:
        self._session = session
        # the manual jobs of pipelines in status manual, read once each time a pipeline gets this status
        self._manual: dict[tuple[str, int], list[FoundJob]] = {}

    def of(self, job: FoundJob, jobs: t.Sequence[FoundJob]) -> str:
        """Return what blocks a job, to continue a sentence after its name; empty if it only needs time.

        :param jobs: the other known jobs of its pipeline.
        """
        status = job.status
        if "stage" not in job.record:  # a pipeline
            return "waits for a manual job to be played" if status == "manual" else ""
        row = STATUSES.get(status)
        if row is None:
            return ""
        if row.waits_for == "jobs":
            return self._before(job, jobs)
        if row.waits_for == "runner":
            return "" if job.is_bridge else f"waits for {needed_runner(job.record)}"
        return row.blocker

    def _before(self, job: FoundJob, jobs: t.Sequence[FoundJob]) -> str:
        """Return which manual jobs of earlier stages a job waits for.

        The status of the pipeline is manual if no other job can run.
        """
        key = (job.project, job.pipeline_id)
        if record_in(job.record, "pipeline").get("status") != "manual":
            self._manual.pop(key, None)
            return ""
        manual = [other for other in jobs if other.key[:2] == key and is_blocking(other)]
        manual = manual or self._read_manual(job)
        before = sorted((other for other in manual if _is_before(other, job)), key=lambda other: other.id)
        names = [f"job {other.path} (manual) of stage {other.stage}" for other in before[:MAX_SINGLE_LINES]]
        return f"waits for {' and '.join(names)} to be played" if names else ""

    def _read_manual(self, job: FoundJob) -> list[FoundJob]:
        key = (job.project, job.pipeline_id)
        if key not in self._manual:
            try:
                records = self._session.best_effort().client.list_all(
                    "list_pipeline_jobs", project=job.project, pipeline_id=job.pipeline_id, scope=["manual"]
                )
            except RequestError:
                records = []  # only needed for display
            found = [FoundJob(record, *key, job.below) for record in records]
            self._manual[key] = [other for other in found if is_blocking(other)]
        return self._manual[key]


def why_late(jobs: t.Iterable[FoundJob], pipeline_jobs: t.Callable[[FoundJob], t.Iterable[FoundJob]]) -> str:
    """Return which jobs must end, or be played, before the first `created` one of some jobs can start; may be empty.

    :param pipeline_jobs: returns all jobs of the pipeline of a job.
    """
    late = next((job for job in jobs if job.status == "created"), None)
    if late is None:
        return ""
    before = [
        other
        for other in pipeline_jobs(late)
        if _is_before(other, late) and not is_finished(other.status) and not is_optional(other.record)
    ]
    manual = sorted(other.path for other in before if is_blocking(other))
    if manual:
        return f"its pipeline waits for manual jobs to be played: {shortened(manual)}"
    at_work = [other for other in before if other.status != "created"]
    texts = [
        f"{other.called} of stage {other.stage!r} {still_text(other.record)}" for other in at_work[:MAX_SINGLE_LINES]
    ]
    return f"before it, {'; '.join(texts)}" if texts else ""


def jobs_in_same_pipeline(session: Session, job: FoundJob) -> list[FoundJob]:
    """Return the jobs of the pipeline of a job; none if they cannot be read, because they are only shown."""
    try:
        return read_pipeline_jobs(session.best_effort(), job.project, job.pipeline_id)
    except RequestError:
        return []


def _is_before(other: FoundJob, job: FoundJob) -> bool:
    """Return whether a job belongs to an earlier stage of the same pipeline; GitLab creates these jobs first."""
    return other.key[:2] == job.key[:2] and other.id < job.id and other.stage != job.stage


def is_blocking(job: FoundJob) -> bool:
    """Return whether a job keeps its pipeline in status manual until it is played."""
    return job.status == "manual" and not job.record.get("allow_failure")
