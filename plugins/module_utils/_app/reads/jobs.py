# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Read jobs, once or until they have reached the targets of a wait."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..jobs.find import JobFinder
from ..jobs.query import FoundJob, JobQuery, sentences
from ..jobs.selection import Selection, failed_before, lacks_any
from ..jobs.statuses import is_optional, still_text
from ..pipelines.find import read_pipeline
from ..session import Session
from ..waiting.blockers import why_late
from ..waiting.counting import Counting
from ..waiting.logs import check_followable
from ..waiting.loop import QuickCheck, Wait
from ..waiting.options import WaitOptions, end_problem, ends_wait, timed_out_text
from ..waiting.schedule import Steps

MAY_GROW = "the pipeline may still create matching jobs"


@dataclasses.dataclass
class JobReport:
    """The result of a reading.

    :param problems: why the task fails: the problems of jobs, and, without a job, of the whole task.
    :param known_fields: the field names of a whole record.
    :param selection: the selection that starts with these jobs; incomplete if more of them may still be created.
    """

    jobs: list[FoundJob]
    pipeline: Record | None
    has_timed_out: bool
    timeline: list[Record]
    problems: list[tuple[FoundJob | None, str]]
    known_fields: frozenset[str]
    selection: Selection


class JobReading:
    """One reading of the jobs of a query, with all polls that it needs.

    :param is_judged: whether the result depends on all jobs, as with `wait`, so that all must be readable.
    :param with_pipeline: whether to read the whole record of the pipeline; ignored for a job by its id.
    """

    def __init__(
        self,
        session: Session,
        query: JobQuery,
        options: WaitOptions,
        *,
        is_judged: bool = False,
        with_pipeline: bool = False,
    ) -> None:
        self._session = session
        self._is_judged = is_judged or options.wait
        self._with_pipeline = with_pipeline and query.pipeline.is_given
        self._query = query
        self._options = options
        self._finder = JobFinder(session, query)
        self._wait = Wait(session, options)
        self._counting: Counting | None = None
        self._polls = 0

    def run(self) -> Steps[JobReport]:
        """Return the jobs; with `wait`, as soon as all have reached a target, or one never will.

        :raises SelectionError: if a pipeline or a name does not exist.
        :raises UsageError: if the logs of several jobs would have to be followed.
        """
        waited = yield from self._wait.until(self._read, self._is_settled)
        self._wait.end()
        selection = waited.value
        if not waited.has_timed_out:
            self._require(selection)
        wanted = self._wanted(selection.jobs)
        report = JobReport(
            list(wanted),
            has_timed_out=waited.has_timed_out,
            timeline=self._wait.timeline.entries,
            problems=self._problems(selection.jobs),
            selection=selection,
            pipeline=selection.pipeline,
            known_fields=self._finder.known_fields or frozenset(wanted[0].record if wanted else ()),
        )
        if waited.has_timed_out:
            self._note_late(report)
        if self._wait.is_active and "success" in self._options.targets:
            report.problems += [(None, text) for text in selection.never_started]
        if self._with_pipeline and report.pipeline is not None and not waited.is_stale:
            # job records contain the current state of their pipeline, but the root record of a tree may be old
            is_old = self._polls > 1 and self._query.include_downstream
            pipeline, project = report.pipeline, self._query.pipeline.project
            report.pipeline = yield from self._wait.once(
                lambda: read_pipeline(self._session, project, pipeline, is_old=is_old)
            )
        return report

    def _require(self, selection: Selection) -> None:
        self._finder.require(selection, may_wait=not self._options.wait)
        if self._wait.is_active:
            self._finder.require_jobs(selection)
        self._finder.check_readable(selection, warns=not self._is_judged)

    def _read(self) -> Selection:
        self._polls += 1
        selection = self._finder.find()
        jobs = selection.jobs
        if self._options.log_follow:
            check_followable(self._session, jobs)
        if not jobs and not selection.is_complete:
            self._wait.show_awaited(self._query.describe() if selection.pipeline else self._query.pipeline.called)
        if not self._wait.is_active:
            return selection
        left = [job for job in jobs if not self._ends_wait(job)]
        self._wait.seen(jobs, left)
        self._wait.pace(len(left), self._counting_of(selection, left))
        return selection

    def _counting_of(self, selection: Selection, left: t.Sequence[FoundJob]) -> QuickCheck | None:
        """Return a check that detects by counting whether jobs of one pipeline have changed, None if impossible.

        :param left: the jobs that have not reached a target yet.
        """
        query, jobs = self._query, selection.jobs
        if query.include_downstream or not jobs or selection.lacks or not all(map(self._wait.is_confirmed, jobs)):
            return None
        if any(job.is_bridge for job in jobs):
            return None  # counts do not include trigger jobs
        if self._counting is None:
            is_whole = query.is_whole
            self._counting = Counting(self._session, self._options, jobs[0], ends_at_failure=True, is_whole=is_whole)
        return self._counting.listed(jobs, left, size=len(selection.known))

    def _ends_wait(self, job: FoundJob) -> bool:
        """Return whether the wait for a job is over.

        No one has to play an optional manual job, so a wait for a whole pipeline ignores it.
        """
        return ends_wait(job.record, self._options) or (is_optional(job.record) and self._query.is_whole)

    def _is_settled(self, selection: Selection) -> bool:
        """Return whether the wait is over: all jobs have reached a target, or one never will."""
        if self._problems(selection.jobs):
            return True
        if not selection.is_complete:
            return False
        if lacks_any(self._query, selection):
            return True
        return all(self._ends_wait(job) and self._wait.is_confirmed(job) for job in selection.jobs)

    def _problems(self, jobs: t.Sequence[FoundJob]) -> list[tuple[FoundJob | None, str]]:
        """Return the problems that fail the task; those of finished jobs come first."""
        # in a project, only the returned jobs count; in a pipeline, all jobs do
        judged = jobs if self._query.pipeline.is_given else self._wanted(jobs)
        confirmed = filter(self._wait.is_confirmed, judged)
        ends = [(job, end_problem(job.record, self._options, check_targets=self._wait.is_active)) for job in confirmed]
        queued = [(job, self._wait.queue_problem(job)) for job in judged]
        return [(job, problem) for job, problem in [*ends, *queued] if problem]

    def _wanted(self, jobs: t.Sequence[FoundJob]) -> t.Sequence[FoundJob]:
        return jobs[: self._query.limit or None]

    def _note_late(self, report: JobReport) -> None:
        """Add the problems of late jobs, unless `on_timeout` is `continue`."""
        if self._options.on_timeout == "continue":
            return
        late = [job for job in report.selection.jobs if not self._ends_wait(job)]
        report.problems += [(job, still_text(job.record)) for job in late]
        why = why_late(late, lambda _job: report.selection.all_jobs.jobs)
        report.problems += [(None, why)] if why else []
        if not late and not report.problems:
            missing = self._finder.problem(report.selection) or MAY_GROW
            report.problems.append((None, missing))


def failure_of(report: JobReport, options: WaitOptions) -> str:
    """Return why the jobs fail the task, or an empty string."""
    texts, mentioned, failed = [], {""}, report.selection.all_jobs.blocking_failures
    for job, problem in report.problems:
        before = ", ".join(failed_before(job, failed)) if job else ""
        if job:
            # thousands of jobs may be skipped because of the same few
            after = "" if before in mentioned else f"; failed or canceled before it: {before}"
            texts.append(f"{job.called} {problem}{after}")
            mentioned.add(before)
    others = sentences([problem for job, problem in report.problems if not job])
    begin = f"{timed_out_text(options)}: " if report.problems and report.has_timed_out else ""
    return begin + "; ".join(filter(None, (sentences(texts), others)))
