# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Waiting until jobs are where they should be: one look after the other, on a monotonic clock, within one deadline."""

from __future__ import annotations

import dataclasses
import math
import random
import typing as t

from .._api.errors import UsageError
from .naming import FoundJob
from .session import Session
from .statuses import (
    STATUSES,
    WAIT_TARGETS,
    Record,
    has_reached,
    is_finished,
    is_queued,
    runner_wish,
    status_of,
)
from .watching import Watch

FIRST_PAUSE_SECONDS = 1.0
PAUSE_GROWTH = 1.5
# Of a pause, so much is left to chance: many playbooks started together must not ask together for ever.
PAUSE_JITTER = 0.2
# The shortest pause, as a share of the longest one.
SHORTEST_SHARE = 0.1
# A log that is followed is read so often, however long a pause is.
MEANWHILE_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class WaitOptions:
    """How to wait.

    :param interval_seconds: the longest pause between two looks.
    :param pending_seconds: how long a job may sit in the queue, None for any time.
    :param targets: what to wait for; see `statuses.has_reached`.
    :param fail_on: end statuses that fail the task.
    :param log_follow: whether the log of the one job is shown as it grows.
    """

    wait: bool = False
    targets: tuple[str, ...] = ("finished",)
    interval_seconds: float = 10.0
    pending_seconds: float | None = None
    on_timeout: str = "fail"
    fail_on: tuple[str, ...] = ()
    ignore_allowed_failures: bool = False
    log_lines: int = 0
    log_follow: bool = False

    @classmethod
    def of(cls, options: t.Mapping[str, t.Any]) -> WaitOptions:
        """Return the waiting options of a task.

        :raises UsageError: for values that cannot be used.
        """
        targets = tuple(options.get("wait_for") or ("finished",))
        for name, values, known in (
            ("wait_for", targets, (*WAIT_TARGETS, *STATUSES)),
            ("fail_on", tuple(options.get("fail_on") or ()), tuple(STATUSES)),
        ):
            unknown = [value for value in values if value not in known]
            if unknown:
                raise UsageError(f"{name} holds {unknown[0]!r}, which is none of {', '.join(dict.fromkeys(known))}")
        interval = options.get("wait_interval")
        interval = 10.0 if interval is None else float(interval)
        if not interval > 0:
            raise UsageError(f"wait_interval is {interval:g}; give more than 0 seconds")
        pending = options.get("pending_timeout")
        log_lines = int(options.get("log_lines") or 0)
        if options.get("log_follow") and not options.get("wait"):
            raise UsageError("log_follow needs wait: true, since a log is followed while the job is waited for")
        for name, value in (("pending_timeout", pending), ("log_lines", log_lines)):
            if value is not None and (value < 0 or math.isnan(value)):
                raise UsageError(f"{name} is {value:g}; give 0 or more")
        return cls(
            wait=bool(options.get("wait")),
            targets=targets,
            interval_seconds=interval,
            pending_seconds=None if pending is None else float(pending),
            on_timeout=str(options.get("on_timeout") or "fail"),
            fail_on=tuple(options.get("fail_on") or ()),
            ignore_allowed_failures=bool(options.get("ignore_allowed_failures")),
            log_lines=log_lines,
            log_follow=bool(options.get("log_follow")),
        )


class Pauses:
    """The pauses between two looks, with jitter, never past the deadline.

    While nothing is known about the end, they are 1 s at first and grow by half. When some of what is waited for has
    ended, the next look comes at half the time that the rest will take at this rate.

    :param interval_seconds: the longest pause.
    :param meanwhile: called now and then during a pause.
    """

    def __init__(
        self,
        session: Session,
        interval_seconds: float,
        jitter: t.Callable[[], float] = random.random,
        meanwhile: t.Callable[[], None] | None = None,
    ) -> None:
        self._session = session
        self._longest = interval_seconds
        self._shortest = min(FIRST_PAUSE_SECONDS, interval_seconds * SHORTEST_SHARE)
        self._next = min(FIRST_PAUSE_SECONDS, interval_seconds)
        self._jitter = jitter
        self._meanwhile = meanwhile
        self._began = self._moved = session.clock.monotonic()
        self._most = self._left = 0

    def begin(self) -> None:
        """Start anew: from now on it is waited for something else."""
        self._most = self._left = 0
        self._began = self._session.clock.monotonic()
        self.restart()

    def pause(self) -> bool:
        """Sleep until the next look; return whether there is time for another one."""
        remaining = self._session.deadline.remaining()
        if remaining <= 0:
            return False
        seconds = self._seconds() * (1.0 - PAUSE_JITTER * self._jitter())
        self._sleep(min(seconds, remaining))
        return True

    def restart(self) -> None:
        """Look more often again: something has just changed."""
        self._next = min(FIRST_PAUSE_SECONDS, self._longest)
        self._moved = self._session.clock.monotonic()

    def expect(self, left: int) -> None:
        """Take note of how much is still waited for."""
        if left != self._left:
            self._moved = self._session.clock.monotonic()
        self._left = left
        self._most = max(self._most, left)

    def _seconds(self) -> float:
        done = self._most - self._left
        if not self._left or not done:
            seconds = self._next
            self._next = min(self._next * PAUSE_GROWTH, self._longest)
            return seconds
        now = self._session.clock.monotonic()
        so_far = now - self._began
        # early on an estimate is worth little, hence never more than half of what it stands on
        seconds = min(so_far * self._left / done, so_far) / 2
        return min(max(seconds, self._shortest, (now - self._moved) / 10), self._longest)

    def _sleep(self, seconds: float) -> None:
        clock = self._session.clock
        end = clock.monotonic() + seconds
        while self._meanwhile and seconds > MEANWHILE_SECONDS:
            clock.sleep(MEANWHILE_SECONDS)
            self._meanwhile()
            seconds = end - clock.monotonic()
        if seconds > 0:
            clock.sleep(seconds)


def queue_problem(watch: Watch, job: FoundJob, options: WaitOptions) -> str:
    """Return that a job has been in the queue for longer than allowed, naming its runner tags; else nothing."""
    if options.pending_seconds is None or not is_queued(status_of(job.record)):
        return ""
    seconds = watch.queued_seconds(job)
    if seconds < options.pending_seconds:
        return ""
    return (
        f"has been pending for {seconds:.0f} s, longer than pending_timeout allows; {runner_wish(job.record)}. Check "
        "the runners of the project"
    )


def is_there(record: Record, options: WaitOptions) -> bool:
    """Return whether a job, bridge or pipeline needs no more waiting: it has reached a target, or it has ended."""
    status = status_of(record)
    return has_reached(status, options.targets) or is_finished(status)


def end_problem(record: Record, options: WaitOptions, *, check_targets: bool = True) -> str:
    """Return why the state of a job fails the task, empty when it does not.

    :param check_targets: whether having ended elsewhere than at a target is a failure.
    """
    status = status_of(record)
    if not is_finished(status):
        return ""
    reason = record.get("failure_reason")
    ended = f"ended as {status}" + (f" ({reason})" if reason and status == "failed" else "")
    if status in options.fail_on:
        if record.get("allow_failure") and options.ignore_allowed_failures:
            return ""
        return ended
    if check_targets and options.wait and not has_reached(status, options.targets):
        return f"{ended} and can no longer become {' or '.join(options.targets)}"
    return ""
