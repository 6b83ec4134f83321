# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Reading jobs, once or until they are where they should be."""

from __future__ import annotations

import dataclasses
import typing as t

from .naming import FoundJob
from .queries import JobQuery
from .selection import JobFinder, Selection, read_pipeline
from .session import Session
from .statuses import Record, status_of
from .waiting import Pauses, WaitOptions, Watch, end_problem, is_there, queue_problem


@dataclasses.dataclass
class JobReport:
    """What was read.

    :param problems: why the task fails, by job; without a job for the whole.
    """

    jobs: list[FoundJob]
    pipeline: Record | None = None
    is_truncated: bool = False
    has_timed_out: bool = False
    timeline: list[Record] = dataclasses.field(default_factory=list)
    problems: list[tuple[FoundJob | None, str]] = dataclasses.field(default_factory=list)

    @property
    def summary(self) -> dict[str, int]:
        """Return how many jobs have each status."""
        return count_statuses(job.record for job in self.jobs)


def read_jobs(session: Session, query: JobQuery, options: WaitOptions) -> JobReport:
    """Return the jobs of a query; with `wait` as soon as all are where they should be, or one never will.

    :raises SelectionError: when a pipeline or a name is not there.
    :raises RequestError: when GitLab cannot be asked.
    """
    finder = JobFinder(session, query)
    watch = Watch(session)
    is_waiting = options.wait and not session.check_mode
    pauses = Pauses(session, options.interval_seconds)
    while True:
        selection = finder.find()
        report = _report(query, selection, watch)
        report.problems = [(job, end_problem(job.record, options, check_targets=is_waiting)) for job in report.jobs]
        if is_waiting:
            changes = [watch.observe(job) for job in selection.jobs]
            report.problems += [(job, queue_problem(watch, job, options)) for job in report.jobs]
            if any(changes):
                pauses.restart()
        report.problems = [(job, problem) for job, problem in report.problems if problem]
        if not is_waiting or report.problems or _is_done(selection, options):
            break
        if selection.missing and selection.is_complete:
            break
        if not pauses.pause():
            report.has_timed_out = True
            break
    finder.require(selection)
    if report.has_timed_out:
        _note_late(session, report, options)
    report.pipeline = _whole_pipeline(session, query, selection)
    return report


def count_statuses(records: t.Iterable[Record]) -> dict[str, int]:
    """Return how many records have each status."""
    counts: dict[str, int] = {}
    for record in records:
        status = status_of(record)
        counts[status] = counts.get(status, 0) + 1
    return counts


def _report(query: JobQuery, selection: Selection, watch: Watch) -> JobReport:
    jobs = selection.jobs
    limit = query.limit
    return JobReport(
        jobs=jobs[:limit] if limit else jobs,
        is_truncated=bool(limit) and len(jobs) > limit,
        timeline=watch.timeline,
    )


def _is_done(selection: Selection, options: WaitOptions) -> bool:
    return (
        selection.is_complete and not selection.missing and all(is_there(job.record, options) for job in selection.jobs)
    )


def _note_late(session: Session, report: JobReport, options: WaitOptions) -> None:
    """Note what was not there in time, unless `on_timeout` says to go on."""
    if options.on_timeout == "continue":
        return
    late = [job for job in report.jobs if not is_there(job.record, options)]
    report.problems += [(job, late_text(session, status_of(job.record))) for job in late]
    if not late:
        seconds = f"{session.elapsed():.0f} s, which is all that wait_timeout allows"
        report.problems.append((None, f"the pipeline may still create jobs that fit after {seconds}"))


def late_text(session: Session, status: str) -> str:
    """Return that something did not change in time, going on where its name stops."""
    return f"is still {status} after {session.elapsed():.0f} s, which is all that wait_timeout allows"


def _whole_pipeline(session: Session, query: JobQuery, selection: Selection) -> Record | None:
    if selection.pipeline is None or not query.pipeline.is_given:
        return selection.pipeline
    return read_pipeline(session, query.pipeline, selection.pipeline)
