# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Looks at what is waited for: reads that may be put off, and that may share answers of a moment ago.

What belongs to a look is told from everything else by where it is called, for a look is many calls deep and wide.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import threading
import typing as t

from .clock import Clock

T = t.TypeVar("T")

# How long ago an answer may have come that another look has got.
SHARED_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class _Look:
    """A look that is under way.

    :param since: when the one before it was over.
    :param asked: what it has read: what it reads once more, it wants to know anew.
    """

    since: float
    asked: set[t.Hashable] = dataclasses.field(default_factory=set)


_LOOK: contextvars.ContextVar[_Look | None] = contextvars.ContextVar("look", default=None)


@contextlib.contextmanager
def looking(since: float | None) -> t.Iterator[None]:
    """Have everything that is called within be part of a look.

    :param since: when the look before it was over, so that it learns nothing from an answer which that one has seen;
        None for what is no look.
    """
    token = _LOOK.set(None if since is None else _Look(since))
    try:
        yield
    finally:
        _LOOK.reset(token)


def is_look() -> bool:
    return _LOOK.get() is not None


class RecentReads:
    """The answers that looks at the same things share; everything else reads for itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # by what was read: when it was asked for, when it came, and the answer
        self._kept: dict[t.Hashable, tuple[float, float, t.Any]] = {}
        self._changed_at = float("-inf")

    def read(self, key: t.Hashable, read: t.Callable[[], T]) -> T:
        """Return what a read returns, or what one with this key has returned a moment ago."""
        look = _LOOK.get()
        if look is None:
            return read()
        now = self._clock.monotonic()
        with self._lock:
            self._kept = {key: kept for key, kept in self._kept.items() if now - kept[1] <= SHARED_SECONDS}
            kept = self._kept.get(key)
        is_first = key not in look.asked
        look.asked.add(key)
        if kept and kept[0] > look.since and is_first:
            return t.cast(T, kept[2])
        answer = read()
        with self._lock:
            if now > self._changed_at:
                self._kept[key] = (now, self._clock.monotonic(), answer)
        return answer

    def forget(self) -> None:
        """Forget every answer: something was changed, or may have been."""
        with self._lock:
            self._kept.clear()
            self._changed_at = self._clock.monotonic()
