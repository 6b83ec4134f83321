# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Polls: reads that may be put off, and that may share recent answers.

A context variable marks the reads of a poll, because a poll makes many nested calls.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import threading
import typing as t

from .clock import Clock

T = t.TypeVar("T")

# Maximum age of an answer that polls share.
SHARED_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class _Poll:
    """An active poll.

    :param since: when the previous poll ended.
    :param seen: keys of the reads so far; a repeated read needs a new answer.
    """

    since: float
    seen: set[t.Hashable] = dataclasses.field(default_factory=set)


_POLL: contextvars.ContextVar[_Poll | None] = contextvars.ContextVar("poll", default=None)


@contextlib.contextmanager
def polling(since: float | None) -> t.Iterator[None]:
    """Make all reads within part of one poll.

    :param since: when the previous poll ended, because older answers are not new to this one; None if the reads are not
        part of a poll.
    """
    token = _POLL.set(None if since is None else _Poll(since))
    try:
        yield
    finally:
        _POLL.reset(token)


def is_polling() -> bool:
    return _POLL.get() is not None


class RecentReads:
    """The recent answers that polls share; other reads always send a request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # key of a read -> when it was sent, when the answer came, and the answer
        self._kept: dict[t.Hashable, tuple[float, float, t.Any]] = {}
        self._changed_at = float("-inf")

    def read(self, key: t.Hashable, read: t.Callable[[], T]) -> T:
        """Return the result of a read, or a recent result with the same key."""
        poll = _POLL.get()
        if poll is None:
            return read()
        now = self._clock.monotonic()
        with self._lock:
            self._kept = {key: kept for key, kept in self._kept.items() if now - kept[1] <= SHARED_SECONDS}
            kept = self._kept.get(key)
        is_first = key not in poll.seen
        poll.seen.add(key)
        if kept and kept[0] > poll.since and is_first:
            return t.cast(T, kept[2])
        answer = read()
        with self._lock:
            if now > self._changed_at:
                self._kept[key] = (now, self._clock.monotonic(), answer)
        return answer

    def forget(self) -> None:
        """Forget every answer, because something has changed or may have changed."""
        with self._lock:
            self._kept.clear()
            self._changed_at = self._clock.monotonic()
