# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

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
    """Return whether this is called within a look."""
    return _LOOK.get() is not None


# What is read: the project, and what of it.
Key = tuple[str, t.Hashable, t.Hashable]


class RecentReads:
    """The answers that looks at the same things share; everything else reads for itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # by what was read: when it was asked for, when it came, and the answer
        self._kept: dict[Key, tuple[float, float, t.Any]] = {}
        # when a project was changed last
        self._changed: dict[str, float] = {}

    def read(self, key: Key, read: t.Callable[[], T]) -> T:
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
            if all(now > at for project, at in self._changed.items() if _may_be_same(project, key[0])):
                self._kept[key] = (now, self._clock.monotonic(), answer)
        return answer

    def forget(self, project: str) -> None:
        """Forget the answers about a project: something was changed in it, or may have been."""
        with self._lock:
            self._kept = {key: kept for key, kept in self._kept.items() if not _may_be_same(key[0], project)}
            self._changed[project] = self._clock.monotonic()


def _may_be_same(project: str, other: str) -> bool:
    """Return whether two projects, each given by its id or its path, may be one."""
    return project == other or not (project.isdigit() and other.isdigit())
