# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The pauses between two polls, on a monotonic clock, within one deadline."""

from __future__ import annotations

import random
import typing as t

from ..session import Session

if t.TYPE_CHECKING:
    from ..nudges import Watch

FIRST_PAUSE_SECONDS = 1.0
PAUSE_GROWTH = 1.5
# Of a pause, so much is left to chance: many playbooks started together must not ask together for ever.
PAUSE_JITTER = 0.2
# The shortest pause, as a share of the longest one.
SHORTEST_SHARE = 0.1
# How long a pause is that no nudge ends, while nothing changes: at first, and at most.
FIRST_REST_SECONDS = 30.0
LONGEST_REST_SECONDS = 300.0


class Pauses:
    """The pauses between two looks, with jitter, never past the deadline.

    While nothing is known about the end, they are 1 s at first and grow by half. When some of what is waited for has
    ended, the next look comes at half the time that the rest will take at this rate.

    :param interval_seconds: the longest pause.
    """

    def __init__(
        self,
        session: Session,
        interval_seconds: float,
        jitter: t.Callable[[], float] = random.random,
    ) -> None:
        self._session = session
        self._longest = interval_seconds
        self._shortest = min(FIRST_PAUSE_SECONDS, interval_seconds * SHORTEST_SHARE)
        self._jitter = jitter
        self.begin()

    def begin(self) -> None:
        """Start anew: from now on it is waited for something else."""
        self._most = self._left = 0
        self._began = self._session.clock.monotonic()
        self.restart()

    def next_seconds(self) -> float | None:
        """Return how long to pause before the next look; None when there is no time for another one."""
        remaining = self._session.deadline.remaining()
        if remaining <= 0:
            return None
        return min(self._seconds() * (1.0 - PAUSE_JITTER * self._jitter()), remaining)

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


class Patience:
    """How long a wait pauses unless it is nudged.

    News can run ahead of what GitLab tells, and a failure is looked at twice. So one pause after a nudge, and after a
    look that showed something new, is as long as it is without nudges.
    """

    def __init__(self, watch: Watch | None) -> None:
        self.watch = watch
        self._is_stirred = False
        self._next = FIRST_REST_SECONDS

    def longest(self, seconds: float) -> float:
        """Return how long the next pause is if no nudge ends it.

        :param seconds: how long it is without nudges.
        """
        if self.watch is None or not self.watch.nudges.is_there:
            return seconds
        if self._is_stirred:
            self._is_stirred, self._next = False, FIRST_REST_SECONDS
            return seconds
        longest, self._next = self._next, min(self._next * PAUSE_GROWTH, LONGEST_REST_SECONDS)
        return max(longest, seconds)

    def stir(self, *, by_news: bool = True) -> None:
        """Take note of whether the last look showed something new."""
        self._is_stirred = by_news

    def wake(self) -> bool:
        """Return whether there was a nudge, at the end of a pause: the look that follows sees what it was about."""
        if self.watch is None or not self.watch.is_nudged:
            return False
        self.watch.is_nudged = False
        self._is_stirred = True
        return True
