# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The poll loop: read, report changes, and pause, until everything is settled or the task times out.

Pauses are yielded so that many waits can take turns; see `schedule`.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import GitLabError, RequestError, SelectionError
from ..._api.pace.polls import polling
from ..jobs.query import FoundJob
from ..jobs.statuses import is_queued, needed_runner
from ..pipelines.find import find_pipeline
from ..pipelines.query import PipelineQuery, missing_pipeline
from ..session import DENIAL_PAUSES_SECONDS, Session
from .logs import LogFollower
from .options import WaitOptions, is_late, timed_out
from .pauses import Pauses
from .schedule import Pause, Steps
from .timeline import Timeline

T = t.TypeVar("T")
# Returns with a small request how many jobs are left; None if the jobs must be listed to know more.
QuickCheck = t.Callable[[], t.Optional[int]]
# Listing this many jobs is as cheap as counting them: it is GitLab's default page size.
SMALL_PIPELINE_JOBS = 20
# The jobs are listed after this many unchanged counts, because the count stays the same if one job ends while another
# one is retried. This matters more if the task waits for only some of the jobs, and most if it shows progress, because
# started jobs do not change the count, or if the remaining jobs may be optional.
MAX_COUNTS = 30
MAX_COUNTS_OF_SOME = 10
MAX_COUNTS_SHOWN = 3

# How often a job must be read as failed before the failure counts.
POLLS_TO_CONFIRM_FAILURE = 2
# A followed log is read this often, also during longer pauses.
LOG_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class Waited(t.Generic[T]):
    """The end of a wait.

    :param value: what was read last.
    :param has_timed_out: whether the wait timed out before everything was settled.
    :param is_stale: whether the read at the timeout failed, so `value` may be outdated.
    """

    value: T
    has_timed_out: bool = False
    is_stale: bool = False


class Wait:
    """One wait of a task. Without `wait`, and in check mode, everything is read once.

    :param ends_at_stop: whether to end as soon as nothing new may be started; started jobs are followed to their end.
    """

    def __init__(self, session: Session, options: WaitOptions, *, ends_at_stop: bool = True) -> None:
        self.is_active = options.wait and not session.check_mode
        self.ends_at_stop = ends_at_stop
        self.timeline = Timeline(session)
        self._session = session
        self.options = options
        is_followed = options.log_follow and self.is_active and session.progress.is_shown
        self._follower = LogFollower(session, self.timeline) if is_followed else None
        # no hook reports that a job is in the queue for long, or that a deployment was approved
        may_be_nudged = options.pending_seconds is None and not options.wait_for_approval
        self._pauses = Pauses(session, options.interval_seconds, may_be_nudged=may_be_nudged)
        self._is_urgent = False
        self._polled_at = float("-inf")
        # the pipeline of the jobs that the wait reads, None for several
        self._pipeline: tuple[str, int] | None = None
        self._quick_check: QuickCheck | None = None
        # whether a read has succeeded before
        self._is_established = False
        # the jobs that were read; how often each attempt was read as failed
        self._noted: set[t.Any] = set()
        self._failures: collections.Counter[int] = collections.Counter()

    def until(
        self, read: t.Callable[[], T], is_settled: t.Callable[[T], bool], *, before: T | None = None
    ) -> Steps[Waited[T]]:
        """Return the first settled value, or the last one before the timeout; pauses are yielded.

        :param read: returns the present value; it calls `seen` with the jobs in it.
        :param before: the value that is known before the first read; it is returned if the server is unreachable until
            the timeout. A wait that has one repeats denied reads.
        :raises StoppedError: if nothing new may be started any more.
        """
        value, is_known = t.cast(T, before), before is not None
        self._is_established = self.is_active and is_known
        try:
            value = yield from self.once(read)
            is_known = True
            self._is_established = self.is_active
            while self.is_active and not is_settled(value):
                if not (yield from self._pause()):
                    return Waited(value, has_timed_out=True)
                value = yield from self.once(read)
        except RequestError as exc:
            if not is_known or not is_late(self._session, exc):
                raise
            yield from self._sleep(self._session.deadline.remaining())
            self._session.warn(f"Could not refresh the state before the timeout; returning the last known state: {exc}")
            return Waited(value, has_timed_out=True, is_stale=True)
        return Waited(value)

    def once(self, read: t.Callable[[], T]) -> Steps[T]:
        """Return the present value; repeat a denied read if reading has succeeded before."""
        asks_again = self._is_established or self._session.is_established
        for seconds in DENIAL_PAUSES_SECONDS if asks_again else ():
            try:
                return (yield from self._read(read))
            except GitLabError as exc:
                if not self._session.may_be_temporary(exc):
                    raise
                yield from self._sleep(seconds)
        return (yield from self._read(read))

    def seen(self, jobs: t.Sequence[FoundJob], left: t.Sequence[FoundJob]) -> None:
        """Note what was read, and report changes.

        :param left: the jobs that have not reached their target yet.
        """
        if not self.is_active:
            return
        self.note(jobs)
        self.timeline.note_remaining(left)
        follower = self._follower if jobs else None
        if follower:
            follower.catch_up(jobs[0])
        if self.timeline.update(jobs, left):
            self._pauses.restart()
        if follower:
            follower.follow(jobs[0])

    def is_confirmed(self, job: FoundJob) -> bool:
        """Return whether a failed job will not be retried by GitLab.

        GitLab automatically retries jobs with `retry` in their configuration, and their record does not show this. So a
        job that fails during the wait is read once more; by then a new attempt exists.
        """
        if job.status != "failed" or not self.is_active or self._session.deadline.has_passed():
            return True
        return self._failures[job.id] >= POLLS_TO_CONFIRM_FAILURE

    def note(self, jobs: t.Sequence[FoundJob]) -> None:
        """Note which jobs have failed, for `is_confirmed`, and their pipeline."""
        pipelines = {(job.project, job.pipeline_id) for job in jobs}
        self._pipeline = pipelines.pop() if len(pipelines) == 1 else None
        for job in jobs:
            if job.status == "failed":
                # a job that had failed before the wait is not read again
                self._failures[job.id] += 1 if job.key in self._noted else POLLS_TO_CONFIRM_FAILURE
            self._noted.add(job.key)
            if self._session.watch:
                self._session.watch.add_pipeline(job.pipeline_id)

    def pace(self, left: int, quick_check: QuickCheck | None = None) -> None:
        """Set the pace by the number of jobs that are left.

        :param quick_check: a small request between two reads that shows whether anything may be new; None for none.
        """
        self._pauses.expect(left)
        self._quick_check = quick_check

    def show_awaited(self, what: str) -> None:
        """Show once what the wait waits for if it does not exist yet."""
        if self.is_active:
            self.timeline.show_awaited(what)

    def begin(self) -> None:
        """Restart the pace, because an action was executed and the wait is now for its effect."""
        self._pauses.begin()
        self._is_urgent = True

    def end(self) -> None:
        if self._follower:
            self._follower.end()

    def queue_problem(self, job: FoundJob) -> str:
        """Return an error if a job has been in the queue longer than `pending_timeout`, else an empty string."""
        longest = self.options.pending_seconds
        if not self.is_active or longest is None or not is_queued(job.status):
            return ""
        seconds = self.timeline.queued_seconds(job)
        if seconds < longest:
            return ""
        return (
            f"has been pending for {seconds:.0f} s, longer than pending_timeout ({longest:.12g} s); "
            f"it requires {needed_runner(job.record)}. Check the runners of the project"
        )

    def _pause(self) -> Steps[bool]:
        """Pause until a read may show something new; return whether there is time for one.

        At the timeout, jobs that were only counted are read once more.
        """
        was_counted = False
        while True:
            pause = self._pauses.next_seconds()
            if pause is None:
                return was_counted
            yield from self._sleep(*pause)
            # after a long pause a count could miss what has happened in the meantime
            was_long = not self._pauses.take_nudge() and pause[1] > 0
            if self.ends_at_stop:
                self._session.check_stop()
            left = None if self._quick_check is None or was_long else (yield from self.once(self._quick_check))
            if left is None:
                return True
            was_counted = True
            self._pauses.expect(left)
            self.timeline.heartbeat(left)

    def _sleep(self, seconds: float, more: float = 0.0) -> Steps[None]:
        """Pause for this long, or until the timeout, and read a followed log in the meantime.

        :param more: by how much the pause is longer without a nudge.
        """
        clock, deadline = self._session.clock, self._session.deadline
        seconds = min(seconds, deadline.remaining())
        end = clock.monotonic() + seconds
        while self._follower and seconds > LOG_SECONDS:
            yield Pause(LOG_SECONDS, deadline, is_urgent=True)
            self._follower.read()
            seconds = end - clock.monotonic()
        if seconds > 0:
            yield Pause(
                seconds + more,
                deadline,
                is_urgent=self._is_urgent,
                soonest=seconds,
                watch=self._pauses.watch,
                subject=self._pipeline if self._session.client.recent else None,
            )
            self._is_urgent = False

    def _read(self, read: t.Callable[[], T]) -> Steps[T]:
        """Return the present value; if the server is unreachable and many others wait for it, read it later."""
        attempt, seconds = 0, 0.0
        while True:
            try:
                with polling(self._polled_at):
                    return read()
            except RequestError as exc:
                if not exc.is_postponed:
                    raise
                attempt += 1
                seconds = self._session.client.retrier.seconds_before_next(attempt, exc)
            finally:
                self._polled_at = self._session.clock.monotonic()
            yield from self._sleep(seconds)
            if self.ends_at_stop:
                self._session.check_stop()


def await_pipeline(session: Session, query: PipelineQuery, wait: Wait, *, is_of_gate: bool = False) -> Steps[Record]:
    """Return the pipeline that a query selects, with `wait` as soon as it exists.

    :param is_of_gate: whether it is for a gate, which has no option `wait` and warns about a namesake at its end.
    :raises SelectionError: if there is none and the task does not wait.
    :raises TimedOutError: if there was none before the timeout.
    """

    def read() -> Record | None:
        pipeline = find_pipeline(session, query, warns=not is_of_gate)
        if pipeline is None:
            wait.show_awaited(query.called)
        return pipeline

    waited = yield from wait.until(read, lambda pipeline: pipeline is not None)
    if waited.value is not None:
        return waited.value
    if waited.has_timed_out:
        raise timed_out(wait.options, f": {missing_pipeline(query)}")
    raise SelectionError(missing_pipeline(query, may_wait=not (is_of_gate or wait.options.wait)))
