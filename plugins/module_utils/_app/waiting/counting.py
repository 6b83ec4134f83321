# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Cheap looks at a pipeline: how many of its jobs still have to be waited for, which one small page tells.

A list of 200 jobs is half a megabyte, a count of them is three kilobytes. The jobs are listed when the count says that
it may be over, when something has to be decided or told, and now and then, for a count is only a number.
"""

from __future__ import annotations

import typing as t

from ..._api.errors import StatusError
from ..jobs.query import FoundJob
from ..jobs.statuses import STATUSES, phase_of
from ..session import Session
from .loop import FEWEST_JOBS, MOST_COUNTS, MOST_COUNTS_OF_SOME, MOST_COUNTS_TOLD, Look
from .options import WaitOptions, end_problem, is_there


class Counting:
    """Looks at one pipeline between two listings of its jobs.

    :param job: one of its jobs.
    :param ends_at_failure: whether a job that ends badly is to be seen before all have ended.
    :param is_whole: whether everything there is in the pipeline is waited for.
    """

    def __init__(
        self, session: Session, options: WaitOptions, job: FoundJob, *, ends_at_failure: bool, is_whole: bool
    ) -> None:
        self._session = session
        self._job = job
        self._waiting = [status for status in STATUSES if not is_there({"status": status}, options)]
        self._bad = [status for status in STATUSES if ends_at_failure and end_problem({"status": status}, options)]
        # whether counts say anything here; a queue is seen by listing it
        self._is_usable = bool(self._waiting) and options.pending_seconds is None
        self._is_whole = is_whole
        self._last: int | None = None
        self._last_bad = 0
        # at this count the jobs waited for may all be where they should be; None before there is anything to go by
        self._enough: int | None = None
        self._counts = 0
        # whether jobs may become optional ones, which are counted all the same, and whether anything has changed since
        self._may_be_optional = self._has_moved = False

    def listed(self, jobs: t.Sequence[FoundJob], left: t.Sequence[FoundJob], *, size: int) -> Look | None:
        """Take note of a listing; return how to look until the next one, None when a count tells nothing now.

        :param jobs: what is waited for.
        :param left: those of them that are not yet where they should be.
        :param size: how many jobs the pipeline has.
        """
        counted = self._counted(left)
        # whether something is waited for that the count does not see, or the list is as cheap
        is_blind = counted < len(left) or size <= FEWEST_JOBS
        self._counts, self._has_moved = 0, False
        self._may_be_optional = any(
            job.record.get("allow_failure") and phase_of(job.status) == "waiting" for job in left
        )
        if self._is_whole:
            # a job that need not come anywhere is counted as long as it is there
            self._last = self._counted(jobs)
            self._enough = self._last - counted
            self._last_bad = max(self._last_bad, sum(job.status in self._bad for job in jobs))
        elif self._last is not None:
            # The count was taken before the list. Jobs are done only by lowering it, each by one.
            self._enough = max(0, self._last - counted)
        return self._look if self._is_usable and not is_blind else None

    def _counted(self, jobs: t.Sequence[FoundJob]) -> int:
        """Return how many jobs a count would see."""
        scope = self._scope(self._waiting)
        return sum(job.status in scope for job in jobs)

    def _look(self) -> int | None:
        """Look at the pipeline; return how many are left, None when its jobs have to be listed to know more."""
        count = self._count(self._waiting)
        if count is None:
            self._is_usable = False
            return None
        if self._enough is None or count <= self._enough:
            self._last = count
            return None
        is_shown = self._session.progress.is_shown
        has_moved = count != self._last
        # new jobs, or retries, hide how many of the others have ended
        has_risen = self._last is not None and count > self._last and not self._is_whole
        self._counts = 0 if has_moved and self._is_whole else self._counts + 1
        self._has_moved = self._has_moved or has_moved
        most = MOST_COUNTS if self._is_whole else MOST_COUNTS_OF_SOME
        if is_shown or (self._is_whole and self._has_moved and self._may_be_optional):
            most = MOST_COUNTS_TOLD
        is_time = has_risen or self._counts >= most
        needs_listing = is_time or (has_moved and (is_shown or self._has_new_failures()))
        # not before: a look that an error breaks off is made again
        self._last = count
        return None if needs_listing else count - self._enough

    def _has_new_failures(self) -> bool:
        if not self._bad:
            return False
        count = self._count(self._bad)
        if count is None:
            self._is_usable = False
            return True
        before, self._last_bad = self._last_bad, count
        return count != before

    def _scope(self, statuses: t.Sequence[str]) -> list[str]:
        refuses = self._session.facts.refuses_young_statuses
        return [status for status in statuses if not (refuses and STATUSES[status].is_young)]

    def _count(self, statuses: t.Sequence[str]) -> int | None:
        """Return how many jobs have one of the statuses, None where the server does not tell."""
        # others may find out meanwhile
        was_refused = self._session.facts.refuses_young_statuses
        project, pipeline_id, scope = self._job.project, self._job.pipeline_id, self._scope(statuses)
        if not scope:
            return None
        try:
            return self._session.client.count(
                "list_pipeline_jobs", project=project, pipeline_id=pipeline_id, scope=scope
            )
        except StatusError as exc:
            # a server answers so to a status that it does not know as scope, and has no such jobs
            if exc.status != 400:
                raise
            if was_refused:
                return None
        self._session.facts.refuses_young_statuses = True
        return self._count(statuses)
