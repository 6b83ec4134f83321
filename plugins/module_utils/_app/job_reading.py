# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Reading jobs, once or until they are where they should be."""

from __future__ import annotations

import typing as t

from .naming import FoundJob
from .queries import JobQuery
from .selection import JobFinder, Selection, read_pipeline
from .session import Session
from .statuses import Record, status_of
from .wait_options import WaitOptions, end_problem


class JobReport:
    """What was read; `problems` says why the task fails, by job, and without a job for the whole."""

    def __init__(self, jobs: list[FoundJob], *, is_truncated: bool) -> None:
        self.jobs = jobs
        self.is_truncated = is_truncated
        self.pipeline: Record | None = None
        self.has_timed_out = False
        self.timeline: list[Record] = []
        self.problems: list[tuple[FoundJob | None, str]] = []

    @property
    def summary(self) -> dict[str, int]:
        """Return how many jobs have each status."""
        return count_statuses(job.record for job in self.jobs)


def read_jobs(session: Session, query: JobQuery, options: WaitOptions) -> JobReport:
    """Return the jobs of a query; with `wait` as soon as all are where they should be, or one never will.

    :raises SelectionError: when a pipeline or a name is not there.
    :raises UsageError: when the log of several jobs would have to be followed.
    :raises RequestError: when GitLab cannot be asked.
    """
    if options.wait and not session.check_mode:
        # here, for most tasks wait for nothing
        from .job_waiting import JobWait

        return JobWait(session, query, options).run()
    finder = JobFinder(session, query)
    selection = finder.find()
    report = report_of(query, selection)
    if options.fail_on:
        problems = ((job, end_problem(job.record, options, check_targets=False)) for job in report.jobs)
        report.problems = [(job, problem) for job, problem in problems if problem]
    if options.log_follow:
        from .log_following import check_followable

        check_followable(session, selection.jobs)
    finder.require(selection)
    report.pipeline = whole_pipeline(session, query, selection)
    return report


def count_statuses(records: t.Iterable[Record]) -> dict[str, int]:
    """Return how many records have each status."""
    counts: dict[str, int] = {}
    for record in records:
        status = status_of(record)
        counts[status] = counts.get(status, 0) + 1
    return counts


def report_of(query: JobQuery, selection: Selection) -> JobReport:
    """Return the jobs of a selection, as many as are wanted."""
    jobs, limit = selection.jobs, query.limit
    return JobReport(jobs=jobs[:limit] if limit else jobs, is_truncated=bool(limit) and len(jobs) > limit)


def late_text(session: Session, status: str) -> str:
    """Return that something did not change in time, going on where its name stops."""
    return f"is still {status} after {session.elapsed():.0f} s, which is all that wait_timeout allows"


def whole_pipeline(session: Session, query: JobQuery, selection: Selection, *, is_old: bool = False) -> Record | None:
    """Return the whole record of the pipeline that a query names; that of a job by its id as the job tells it.

    :param is_old: whether the pipeline was found some time before its jobs were read.
    """
    if selection.pipeline is None or not query.pipeline.is_given:
        return selection.pipeline
    return read_pipeline(session, query.pipeline, selection.pipeline, is_old=is_old)
