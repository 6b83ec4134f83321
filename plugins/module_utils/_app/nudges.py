# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Nudges: lines in a file that identify changed pipelines, so that waits need not poll in vain.

The event source `jobgate.gitlab.job_events` writes them from GitLab's hooks. A nudge is only a hint: it ends a long
pause early, but not before a wait without nudges would poll, and only the response to that poll counts. A lost, late,
repeated, forged or invalid nudge costs time or a request, nothing else.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat

from .._api.pace.clock import Clock

# The interval between two reads of the file.
READ_SECONDS = 1.0
# The event source writes no longer lines, and keeps the file below the first limit.
MAX_BYTES = 1024 * 1024
MAX_LINE_BYTES = 1024

# The ids of the pipeline in a line and of the pipeline that started it; the path and id of its project.
_Nudge = tuple[set[int], set[str]]


def _nudge_of(line: bytes) -> _Nudge:
    """Return the pipelines and projects in a line; invalid lines contain none."""
    try:
        nudge = json.loads(line) if len(line) <= MAX_LINE_BYTES else None
    except (ValueError, RecursionError):
        nudge = None
    if not isinstance(nudge, dict):
        return set(), set()
    ids = [nudge.get(name) for name in ("pipeline_id", "source_pipeline_id")]
    projects = {str(nudge.get(name)).lower() for name in ("project", "project_id") if nudge.get(name)}
    return {value for value in ids if isinstance(value, int)}, projects


def _is_locked(handle: int) -> bool:
    """Return whether a running event source has locked the file, or the file system does not support locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


class Watch:
    """The nudges for one wait.

    :param project: id or path. Its nudges count until a pipeline is known, and later if they contain no pipeline, as
        those of deployments.
    :param nudges: the source of the nudges.
    """

    def __init__(self, project: str, nudges: Nudges) -> None:
        self._project = project.lower()
        self._pipelines: set[int] = set()
        self.nudges = nudges
        self.is_nudged = False

    def add_pipeline(self, pipeline_id: int) -> None:
        self._pipelines.add(pipeline_id)

    def matches(self, nudge: _Nudge) -> bool:
        pipelines, projects = nudge
        if self._pipelines and pipelines:
            return not self._pipelines.isdisjoint(pipelines)
        return self._project in projects


class Nudges:
    """The file of nudges, read as it grows.

    :param path: need not exist. While no event source writes the file, waits behave as without nudges.
    """

    def __init__(self, path: str, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._watches: list[Watch] = []
        self._next_read = clock.monotonic() + READ_SECONDS
        # device and inode of the file, and the position up to which it was read
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self.is_written = False
        # skip the lines that exist already
        with contextlib.suppress(OSError):
            self._read()

    def watch(self, project: str) -> Watch:
        watch = Watch(project, self)
        self._watches.append(watch)
        return watch

    def update(self) -> bool:
        """Mark the watches that new lines refer to; return whether it was time to read them.

        If lines were lost, for example because the file was replaced, mark all watches, so that each polls once.
        """
        now = self._clock.monotonic()
        if now < self._next_read:
            return False
        self._next_read = now + READ_SECONDS
        try:
            lines = self._read()
        except OSError:
            # for example on a network file system; until it can be read again, it counts as missing
            lines, self._identity, self.is_written = None, None, False
        nudges = [_nudge_of(line) for line in lines or ()]
        for watch in self._watches:
            if lines is None or any(map(watch.matches, nudges)):
                watch.is_nudged = True
        return True

    def _read(self) -> list[bytes] | None:
        """Return the lines added since the last read, None if some are lost."""
        before, self._identity = self._identity, None
        was_written, self.is_written = self.is_written, False
        try:
            # another file may have replaced it, even one on which open would block
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
        if not begin <= end <= begin + MAX_BYTES:
            return None
        whole, _end, rest = os.pread(handle, end - begin, begin).rpartition(b"\n")
        # read an incomplete line again later, unless it is too long
        self._offset -= len(rest) if len(rest) <= MAX_LINE_BYTES else 0
        return whole.splitlines()
