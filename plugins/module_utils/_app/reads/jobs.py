# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Reading jobs, once or until they are where they should be."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import RequestError
from ..jobs.find import JobFinder, Selection
from ..jobs.query import FoundJob, JobQuery
from ..jobs.statuses import status_of
from ..pipelines.query import read_pipeline
from ..session import Session
from ..waiting.counting import CountedLooks
from ..waiting.logs import LogFollower, check_followable
from ..waiting.options import WaitOptions, end_problem, is_there
from ..waiting.pauses import Pauses, queue_problem
from ..waiting.timeline import Watch


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

        return JobWait(session, query, options).run()
    finder = JobFinder(session, query)
    selection = finder.find()
    report = report_of(query, selection)
    if options.fail_on:
        problems = ((job, end_problem(job.record, options, check_targets=False)) for job in report.jobs)
        report.problems = [(job, problem) for job, problem in problems if problem]
    if options.log_follow:
        from ..waiting.logs import check_followable

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


# ----- waiting -----


class JobWait:
    """Waits for the jobs of a query, with all the looks that it takes."""

    def __init__(self, session: Session, query: JobQuery, options: WaitOptions) -> None:
        self._session = session
        self._query = query
        self._options = options
        self._finder = JobFinder(session, query)
        self._watch = Watch(session)
        self._follower = LogFollower(session, self._watch) if options.log_follow else None
        meanwhile = self._follower.read if self._follower and session.progress.is_shown else None
        self._pauses = Pauses(session, options.interval_seconds, meanwhile=meanwhile)
        self._counts: CountedLooks | None = None
        self._is_counted = False

    def run(self) -> JobReport:
        """Return what there is in the end.

        :raises SelectionError: when a pipeline or a name is not there.
        :raises UsageError: when the log of several jobs would have to be followed.
        :raises RequestError: when GitLab cannot be asked.
        """
        selection, report = self._look()
        has_waited = is_blind = False
        while not self._is_over(selection, report):
            try:
                if not self._wait_for_news():
                    report.has_timed_out = True
                    break
                has_waited = True
                selection, report = self._look()
            except RequestError as exc:
                if not self._session.deadline.has_passed():
                    raise
                # the last look is lost, and not what was known before
                self._session.warn(f"When the time was up, GitLab could not be asked again: {exc}")
                report.has_timed_out = is_blind = True
                break
        if self._follower:
            self._follower.end()
        self._finder.require(selection)
        if report.has_timed_out:
            _note_late(self._session, report, self._options)
        # jobs of one pipeline tell how it is now
        is_old = has_waited and self._query.include_downstream
        report.pipeline = (
            selection.pipeline if is_blind else whole_pipeline(self._session, self._query, selection, is_old=is_old)
        )
        return report

    def _look(self) -> tuple[Selection, JobReport]:
        """Return what fits now, and take note of it."""
        options = self._options
        selection = self._finder.find()
        report = report_of(self._query, selection)
        report.timeline = self._watch.timeline
        problems = [(job, end_problem(job.record, options)) for job in report.jobs]
        if options.log_follow:
            check_followable(self._session, selection.jobs)
        self._take_note(selection)
        problems += [(job, queue_problem(self._watch, job, options)) for job in report.jobs]
        report.problems = [(job, problem) for job, problem in problems if problem]
        return selection, report

    def _take_note(self, selection: Selection) -> None:
        jobs = selection.jobs
        left = [job for job in jobs if not is_there(job.record, self._options)]
        if self._watch.looked(jobs, left):
            self._pauses.restart()
        self._pauses.expect(len(left))
        if self._follower and jobs:
            self._follower.follow(jobs[0])
        query = self._query
        if query.job_id is None and not query.include_downstream and jobs and not selection.missing:
            if self._counts is None:
                self._counts = CountedLooks(
                    self._session,
                    self._options,
                    project=jobs[0].project,
                    pipeline_id=jobs[0].pipeline_id,
                    ends_at_failure=True,
                )
            is_whole = not (query.names or query.stages or query.scope)
            self._counts.listed(jobs, size=len(selection.known), is_whole=is_whole)
        self._is_counted = False

    def _is_over(self, selection: Selection, report: JobReport) -> bool:
        if report.problems or (selection.missing and selection.is_complete):
            return True
        return _is_done(selection, self._options)

    def _wait_for_news(self) -> bool:
        """Pause until a listing may show something new; return whether there is time for one.

        When the time is up, what was only counted is listed once more.
        """
        while self._pauses.pause():
            self._session.check_stop()
            if self._counts is None or self._counts.needs_listing():
                return True
            self._is_counted = True
            self._pauses.expect(self._counts.left)
            self._watch.beat(self._counts.left)
        return self._is_counted


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
