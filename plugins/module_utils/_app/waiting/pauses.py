# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The pauses between two polls, on a monotonic clock, within one deadline."""

from __future__ import annotations

import random
import typing as t

from ..session import Session

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

    :param interval_seconds: the longest pause that no nudge can end.
    :param may_be_nudged: whether pauses are longer where the session has a watch, and there is what may nudge it.
    """

    def __init__(
        self,
        session: Session,
        interval_seconds: float,
        *,
        may_be_nudged: bool = False,
        jitter: t.Callable[[], float] = random.random,
    ) -> None:
        self._session = session
        self.watch = session.watch if may_be_nudged else None
        self._longest = interval_seconds
        self._shortest = min(FIRST_PAUSE_SECONDS, interval_seconds * SHORTEST_SHARE)
        self._jitter = jitter
        self._next_rest = FIRST_REST_SECONDS
        self.begin()
        # before the first look there is none
        self._has_news = False

    def begin(self) -> None:
        """Start anew: from now on it is waited for something else."""
        self._most = self._left = 0
        self._began = self._session.clock.monotonic()
        self.restart()

    def next_seconds(self) -> tuple[float, float] | None:
        """Return how long to pause, and how much longer as long as there is no nudge; None when the time is up."""
        remaining = self._session.deadline.remaining()
        if remaining <= 0:
            return None
        seconds = min(self._seconds() * (1.0 - PAUSE_JITTER * self._jitter()), remaining)
        return seconds, max(0.0, min(self._rest_seconds(), remaining) - seconds)

    def restart(self) -> None:
        """Look more often again: something has just changed."""
        self._next = min(FIRST_PAUSE_SECONDS, self._longest)
        self._moved = self._session.clock.monotonic()
        self._has_news = True

    def expect(self, left: int) -> None:
        """Take note of how much is still waited for."""
        if left != self._left:
            self._moved = self._session.clock.monotonic()
        self._left = left
        self._most = max(self._most, left)

    def heed_nudge(self) -> bool:
        """Return whether there was a nudge, at the end of a pause: the look that follows sees what it was about."""
        if self.watch is None or not self.watch.is_nudged:
            return False
        self.watch.is_nudged = False
        self._has_news = True
        return True

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

    def _rest_seconds(self) -> float:
        """Return how long to pause where a nudge would tell of anything new.

        News can run ahead of what GitLab tells, and a failure is looked at twice. So one pause after a nudge, and after
        a look that showed something new, is as long as it is without nudges.
        """
        if self.watch is None or not self.watch.nudges.is_written:
            return 0.0
        if self._has_news:
            self._has_news, self._next_rest = False, FIRST_REST_SECONDS
            return 0.0
        seconds, self._next_rest = self._next_rest, min(self._next_rest * PAUSE_GROWTH, LONGEST_REST_SECONDS)
        return seconds
