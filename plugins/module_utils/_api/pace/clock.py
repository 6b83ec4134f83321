# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Time as a value that tests can replace: monotonic seconds, pauses, and deadlines made of them."""

from __future__ import annotations

import dataclasses
import queue
import time
import typing as t

T = t.TypeVar("T")

# How long past the deadline of a task may last what is under way then.
GRACE_SECONDS = 1.0
# So long past it nothing is begun any more: the machine has slept meanwhile, or the process was stopped.
LATE_SECONDS = 10.0
# Some thirty years. Python's locks wait for no longer than 292, so "no end" has to be a number.
LONGEST_SECONDS = 1e9


class Clock:
    """The system's clock; another one may stand for it."""

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start, never going back, whatever happens to the wall clock."""
        return time.monotonic()

    def time(self) -> float:
        """Return Unix time, for time stamps and HTTP dates only."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def next_of(self, items: queue.Queue[T], seconds: float) -> T | None:
        """Return the next item that another thread puts into a queue, None when none comes in so many seconds."""
        try:
            return items.get(timeout=seconds)
        except queue.Empty:
            return None


class AsideClock(Clock):
    """A clock that tells when somebody sleeps, so that others can work meanwhile.

    :param asleep: entered for as long as a sleep lasts.
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
        """Return the deadline that lies `seconds` from now, or as far away as can be waited for."""
        return cls(clock=clock, at=clock.monotonic() + min(seconds, LONGEST_SECONDS))

    def remaining(self) -> float:
        """Return the seconds left, never less than 0."""
        return max(0.0, self.at - self.clock.monotonic())

    def has_passed(self) -> bool:
        return self.remaining() <= 0.0
