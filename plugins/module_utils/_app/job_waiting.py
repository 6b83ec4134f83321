# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Reading jobs again and again until they are where they should be."""

from __future__ import annotations

from .._api.errors import RequestError
from .job_reading import JobReport, late_text, report_of, whole_pipeline
from .log_following import LogFollower, check_followable
from .looks import CountedLooks
from .queries import JobQuery
from .selection import JobFinder, Selection
from .session import Session
from .statuses import status_of
from .wait_options import WaitOptions, end_problem, is_there
from .waiting import Pauses, queue_problem
from .watching import Watch


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
