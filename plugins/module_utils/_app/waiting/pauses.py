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
# This share of each pause is random, so that playbooks that start together do not send their requests together.
PAUSE_JITTER = 0.2
# The shortest pause, as a share of the longest one.
SHORTEST_SHARE = 0.1
# How long a pause lasts without a nudge while nothing changes: the first one, and at most.
FIRST_REST_SECONDS = 30.0
LONGEST_REST_SECONDS = 300.0


class Pauses:
    """The pauses between two polls, with jitter, never past the deadline.

    While nothing has ended, they start at 1 s and grow by half. Once some jobs have ended, the next poll comes after
    half the time that the others will take at this rate.

    :param interval_seconds: the longest pause that a nudge does not shorten.
    :param may_be_nudged: whether pauses are longer if the session has a watch and an event source can nudge it.
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
        # there is no news before the first poll
        self._has_news = False

    def begin(self) -> None:
        """Start again, because the wait is now for something else."""
        self._total = self._left = 0
        self._began = self._session.clock.monotonic()
        self.restart()

    def next_seconds(self) -> tuple[float, float] | None:
        """Return how long to pause, and how much longer without a nudge; None after the timeout."""
        remaining = self._session.deadline.remaining()
        if remaining <= 0:
            return None
        seconds = min(self._seconds() * (1.0 - PAUSE_JITTER * self._jitter()), remaining)
        return seconds, max(0.0, min(self._rest_seconds(), remaining) - seconds)

    def restart(self) -> None:
        """Poll more often again, because something has just changed."""
        self._next = min(FIRST_PAUSE_SECONDS, self._longest)
        self._changed_at = self._session.clock.monotonic()
        self._has_news = True

    def expect(self, left: int) -> None:
        """Note how many jobs are left."""
        if left != self._left:
            self._changed_at = self._session.clock.monotonic()
        self._left = left
        self._total = max(self._total, left)

    def take_nudge(self) -> bool:
        """Return whether a nudge came during the pause, and forget it, because the next poll shows its cause."""
        if self.watch is None or not self.watch.is_nudged:
            return False
        self.watch.is_nudged = False
        self._has_news = True
        return True

    def _seconds(self) -> float:
        done = self._total - self._left
        if not self._left or not done:
            seconds = self._next
            self._next = min(self._next * PAUSE_GROWTH, self._longest)
            return seconds
        now = self._session.clock.monotonic()
        so_far = now - self._began
        # an early estimate is unreliable, so the pause is at most half of the time it is based on
        seconds = min(so_far * self._left / done, so_far) / 2
        return min(max(seconds, self._shortest, (now - self._changed_at) / 10), self._longest)

    def _rest_seconds(self) -> float:
        """Return how long to pause if a nudge would announce any news, 0 for no longer than without nudges.

        A nudge can arrive before the API shows the change, and a failure is read twice. So after a nudge, and after a
        poll that showed a change, one pause is as long as without nudges.
        """
        if self.watch is None or not self.watch.nudges.is_written:
            return 0.0
        if self._has_news:
            self._has_news, self._next_rest = False, FIRST_REST_SECONDS
            return 0.0
        seconds, self._next_rest = self._next_rest, min(self._next_rest * PAUSE_GROWTH, LONGEST_REST_SECONDS)
        return seconds
