# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Clocks, which tests can replace, and deadlines."""

from __future__ import annotations

import dataclasses
import queue
import time
import typing as t

T = t.TypeVar("T")

# How long active requests may continue past the deadline of a task.
GRACE_SECONDS = 1.0
# This long past the deadline, no write starts: the machine was suspended, or the process was stopped.
LATE_SECONDS = 10.0
# About thirty years. Python's locks wait for at most 292 years, so infinity has to be a number.
LONGEST_SECONDS = 1e9


class Clock:
    """The system clock, which another clock may replace."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; unlike the wall clock, they never go back."""
        return time.monotonic()

    def time(self) -> float:
        """Return Unix time, only for timestamps and HTTP dates."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def next_of(self, items: queue.Queue[T], seconds: float) -> T | None:
        """Return the next item that another thread puts into a queue, None if none comes within `seconds`."""
        try:
            return items.get(timeout=seconds)
        except queue.Empty:
            return None


class YieldingClock(Clock):
    """A clock that enters a context while it sleeps, so that other threads can work in the meantime.

    :param asleep: the context that is active while the clock sleeps.
    """

    def __init__(self, clock: Clock, asleep: t.ContextManager[None]) -> None:
        self._clock = clock
        self._asleep = asleep

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def time(self) -> float:
        return self._clock.time()

    def sleep(self, seconds: float) -> None:
        with self._asleep:
            self._clock.sleep(seconds)


@dataclasses.dataclass(frozen=True)
class Deadline:
    """A point on the monotonic clock by which a task must be done."""

    clock: Clock
    at: float

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> Deadline:
        """Return the deadline `seconds` from now, or after the longest possible wait."""
        return cls(clock=clock, at=clock.monotonic() + min(seconds, LONGEST_SECONDS))

    def remaining(self) -> float:
        """Return the seconds left, at least 0."""
        return max(0.0, self.at - self.clock.monotonic())

    def has_passed(self) -> bool:
        return self.remaining() <= 0.0
