# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Counts unfinished jobs with a one-row request instead of listing them.

A list of 200 jobs is half a megabyte, a count of them is three kilobytes. The jobs are listed if the count shows that
the wait may be over, if something must be decided or reported, and from time to time, because a count is only a number.
"""

from __future__ import annotations

import typing as t

from ..._api.errors import StatusError
from ..jobs.query import FoundJob
from ..jobs.statuses import STATUSES, phase_of
from ..session import Session
from .loop import MAX_COUNTS, MAX_COUNTS_OF_SOME, MAX_COUNTS_SHOWN, SMALL_PIPELINE_JOBS, QuickCheck
from .options import WaitOptions, end_problem, ends_wait


class Counting:
    """Polls one pipeline between two lists of its jobs.

    :param job: one of its jobs.
    :param ends_at_failure: whether an unsuccessful end of a job must be noticed before all jobs have ended.
    :param is_whole: whether the task waits for all jobs of the pipeline.
    """

    def __init__(
        self, session: Session, options: WaitOptions, job: FoundJob, *, ends_at_failure: bool, is_whole: bool
    ) -> None:
        self._session = session
        self._job = job
        self._waiting = [status for status in STATUSES if not ends_wait({"status": status}, options)]
        self._failing = [status for status in STATUSES if ends_at_failure and end_problem({"status": status}, options)]
        # whether counts help; `pending_timeout` needs a list
        self._is_usable = bool(self._waiting) and options.pending_seconds is None
        self._is_whole = is_whole
        self._last: int | None = None
        self._last_failures = 0
        # at this count, all jobs may have reached their target; None as long as it is unknown
        self._settled_count: int | None = None
        self._counts = 0
        # whether jobs may become optional, which are counted anyway, and whether anything has changed since
        self._may_be_optional = self._has_moved = False

    def listed(self, jobs: t.Sequence[FoundJob], left: t.Sequence[FoundJob], *, size: int) -> QuickCheck | None:
        """Note a list of jobs; return how to poll until the next one, None if counts do not help.

        :param jobs: the jobs that the task waits for.
        :param left: those of them that have not reached their target.
        :param size: how many jobs the pipeline has.
        """
        counted = self._counted(left)
        # whether the count misses some of these jobs, or a list is as cheap
        needs_list = counted < len(left) or size <= SMALL_PIPELINE_JOBS
        self._counts, self._has_moved = 0, False
        self._may_be_optional = any(
            job.record.get("allow_failure") and phase_of(job.status) == "waiting" for job in left
        )
        if self._is_whole:
            # optional manual jobs are counted as well
            self._last = self._counted(jobs)
            self._settled_count = self._last - counted
            self._last_failures = max(self._last_failures, sum(job.status in self._failing for job in jobs))
        elif self._last is not None:
            # The count is older than the list. Each job that reaches its target lowers it by one.
            self._settled_count = max(0, self._last - counted)
        return self._quick_check if self._is_usable and not needs_list else None

    def _counted(self, jobs: t.Sequence[FoundJob]) -> int:
        """Return how many jobs a count would see."""
        scope = self._scope(self._waiting)
        return sum(job.status in scope for job in jobs)

    def _quick_check(self) -> int | None:
        """Return how many jobs are left, None if the jobs must be listed to know more."""
        count = self._count(self._waiting)
        if count is None:
            self._is_usable = False
            return None
        if self._settled_count is None or count <= self._settled_count:
            self._last = count
            return None
        is_shown = self._session.progress.is_shown
        has_moved = count != self._last
        # new jobs, or retries, hide how many of the others have ended
        has_risen = self._last is not None and count > self._last and not self._is_whole
        self._counts = 0 if has_moved and self._is_whole else self._counts + 1
        self._has_moved = self._has_moved or has_moved
        maximum = MAX_COUNTS if self._is_whole else MAX_COUNTS_OF_SOME
        if is_shown or (self._is_whole and self._has_moved and self._may_be_optional):
            maximum = MAX_COUNTS_SHOWN
        is_due = has_risen or self._counts >= maximum
        needs_listing = is_due or (has_moved and (is_shown or self._has_new_failures()))
        # only now, because a poll that ends in an error is repeated
        self._last = count
        return None if needs_listing else count - self._settled_count

    def _has_new_failures(self) -> bool:
        if not self._failing:
            return False
        count = self._count(self._failing)
        if count is None:
            self._is_usable = False
            return True
        before, self._last_failures = self._last_failures, count
        return count != before

    def _scope(self, statuses: t.Sequence[str]) -> list[str]:
        refuses = self._session.facts.refuses_young_statuses
        return [status for status in statuses if not (refuses and STATUSES[status].is_young)]

    def _count(self, statuses: t.Sequence[str]) -> int | None:
        """Return how many jobs have one of the statuses, None if the server does not support it."""
        # another thread may set it during the request
        was_refused = self._session.facts.refuses_young_statuses
        project, pipeline_id, scope = self._job.project, self._job.pipeline_id, self._scope(statuses)
        if not scope:
            return None
        try:
            return self._session.client.count(
                "list_pipeline_jobs", project=project, pipeline_id=pipeline_id, scope=scope
            )
        except StatusError as exc:
            # a server answers 400 if the scope contains a status that it does not know, and has no such jobs
            if exc.status != 400:
                raise
            if was_refused:
                return None
        self._session.facts.refuses_young_statuses = True
        return self._count(statuses)
