# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Nudges: lines in a file that say which pipelines have news, so that a wait need not look on the chance of it.

The event source `jobgate.gitlab.job_events` writes them from GitLab's hooks. A nudge is a hint and no more: it brings a
look forward, at the earliest to when there would be one without nudges, and what the look shows is GitLab's word. So a
nudge that is lost, late, repeated, forged or no nudge at all costs time or a request, and never anything else.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat

from .._api.pace.clock import Clock

# The file is looked at so often.
READ_SECONDS = 1.0
# What is longer was not written by the event source. It keeps the file below the first of them.
MOST_BYTES = 1024 * 1024
MOST_LINE_BYTES = 1024

# The pipelines that a line names, with those that have started them, and its project by path and id.
_Nudge = tuple[set[int], set[str]]


def _nudge_of(line: bytes) -> _Nudge:
    """Return what a line names; what is no nudge names nothing."""
    try:
        nudge = json.loads(line) if len(line) <= MOST_LINE_BYTES else None
    except (ValueError, RecursionError):
        nudge = None
    if not isinstance(nudge, dict):
        return set(), set()
    ids = [nudge.get(name) for name in ("pipeline_id", "source_pipeline_id")]
    projects = {str(nudge.get(name)).lower() for name in ("project", "project_id") if nudge.get(name)}
    return {value for value in ids if isinstance(value, int)}, projects


def _is_locked(handle: int) -> bool:
    """Return whether an event source that is alive writes a file, also where a file system cannot tell."""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


class Watch:
    """What one wait is nudged for.

    :param project: id or path. As long as no pipeline is known, all that happens in the project counts.
    :param nudges: where the nudges come from.
    """

    def __init__(self, project: str, nudges: Nudges) -> None:
        self._project = project.lower()
        self._pipelines: set[int] = set()
        self.nudges = nudges
        self.is_nudged = False

    def looks_into(self, pipeline_id: int) -> None:
        self._pipelines.add(pipeline_id)

    def wants(self, nudge: _Nudge) -> bool:
        pipelines, projects = nudge
        if self._pipelines and pipelines:
            return not self._pipelines.isdisjoint(pipelines)
        return self._project in projects


class Nudges:
    """The file with the nudges, read as it grows.

    :param path: it need not exist. As long as no event source writes it, everything is as if there were no nudges.
    """

    def __init__(self, path: str, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._watches: list[Watch] = []
        self._next_read = clock.monotonic() + READ_SECONDS
        # which file it is, and up to where it was read
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self.is_written = False
        # what is there already is no news
        with contextlib.suppress(OSError):
            self._read()

    def watch(self, project: str) -> Watch:
        watch = Watch(project, self)
        self._watches.append(watch)
        return watch

    def heed(self) -> bool:
        """Mark the watches that new lines name; return whether it was time to read them.

        After a loss, such as when the file was begun anew, all are marked: each of them looks once.
        """
        now = self._clock.monotonic()
        if now < self._next_read:
            return False
        self._next_read = now + READ_SECONDS
        try:
            lines = self._read()
        except OSError:
            # such as that of a network file system; it counts as no file until it can be read again
            lines, self._identity, self.is_written = None, None, False
        nudges = [_nudge_of(line) for line in lines or ()]
        for watch in self._watches:
            if lines is None or any(map(watch.wants, nudges)):
                watch.is_nudged = True
        return True

    def _read(self) -> list[bytes] | None:
        """Return the lines that have come since the last time, None when some are lost."""
        before, self._identity = self._identity, None
        was_written, self.is_written = self.is_written, False
        try:
            # another file may have taken its place, even one on which opening would wait
            handle = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None if before else []
        try:
            lines = self._read_from(handle, before)
        finally:
            os.close(handle)
        return None if was_written and not self.is_written else lines

    def _read_from(self, handle: int, before: tuple[int, int] | None) -> list[bytes] | None:
        found = os.fstat(handle)
        is_file = stat.S_ISREG(found.st_mode)
        self._identity = (found.st_dev, found.st_ino) if is_file else None
        self.is_written = is_file and _is_locked(handle)
        if self._identity != before:
            self._offset = 0
            if before is not None:
                return None
        if not is_file:
            return []
        begin, end = self._offset, found.st_size
        self._offset = end
        if not begin <= end <= begin + MOST_BYTES:
            return None
        whole, _end, rest = os.pread(handle, end - begin, begin).rpartition(b"\n")
        # the rest of a line comes later, if it is one
        self._offset -= len(rest) if len(rest) <= MOST_LINE_BYTES else 0
        return whole.splitlines()
