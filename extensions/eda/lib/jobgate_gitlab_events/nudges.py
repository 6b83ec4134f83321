# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file with a line for each hook, which tells waiting release gates what to poll.

Gates read it in `plugins/module_utils/_app/nudges.py`, which uses the same format.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import stat
import typing as t

from .hooks import Record
from .options import OptionError

# The file is emptied before it exceeds this size; a longer line is not written.
MAX_BYTES = 1024 * 1024
MAX_LINE_BYTES = 1024

logger = logging.getLogger("jobgate.gitlab.job_events")


class Nudges:
    """The file, which is opened for each line, because other sources may write to it or remove it.

    A lock shows gates that a source writes the file. It ends with the process, even if a signal kills it.

    :param path: None to write nothing.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._has_failed = False
        self._locked: int | None = None

    def begin(self) -> None:
        """Create the file if it does not exist, and lock it.

        :raises OptionError: if it cannot be created, or is another kind of file.
        """
        if self._path is None:
            return
        try:
            with _opened(self._path) as handle:
                if os.fstat(handle).st_size and not _has_nudges(handle):
                    raise OSError("it contains something else")
                self._lock(handle)
        except OSError as error:
            raise OptionError(
                f"nudges {self._path!r} cannot be used ({_reason(error)}): set a path that does not exist yet, in a "
                "folder that only you can write to"
            ) from None

    def put(self, nudge: Record) -> None:
        """Add a line. Without it, gates still poll, only later."""
        if self._path is None:
            return
        line = json.dumps(nudge).encode() + b"\n"
        if len(line) > MAX_LINE_BYTES:
            return
        try:
            with _opened(self._path) as handle:
                self._lock(handle)
                if os.fstat(handle).st_size + len(line) > MAX_BYTES:
                    os.ftruncate(handle, 0)
                os.write(handle, line)
            self._has_failed = False
        except OSError as error:
            if not self._has_failed:
                logger.error("nudges %r cannot be written: %s", self._path, _reason(error))
            self._has_failed = True

    def end(self) -> None:
        """Remove the file: from now on, gates poll as without nudges."""
        if self._path is None:
            return
        with contextlib.suppress(OSError):
            with _opened(self._path):
                os.unlink(self._path)
        self._unlock()

    def _lock(self, handle: int) -> None:
        """Lock the current file, unless another source has locked it."""
        if self._locked is not None and os.path.sameopenfile(self._locked, handle):
            return
        self._unlock()
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._locked = os.dup(handle)

    def _unlock(self) -> None:
        locked, self._locked = self._locked, None
        if locked is not None:
            os.close(locked)


@contextlib.contextmanager
def _opened(path: str) -> t.Iterator[int]:
    """Open the file for appending, and create it if it does not exist.

    :raises OSError: if it cannot be opened, is a link or not a regular file, or belongs to another user.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(path, flags, 0o600)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise OSError("it is not a regular file, or has another hard link")
        if found.st_uid != os.geteuid():
            raise OSError("it belongs to another user")
        if stat.S_IMODE(found.st_mode) != 0o600:
            os.fchmod(handle, 0o600)
        yield handle
    finally:
        os.close(handle)


def _has_nudges(handle: int) -> bool:
    first = os.pread(handle, MAX_LINE_BYTES, 0).partition(b"\n")[0]
    try:
        return "pipeline_id" in json.loads(first)
    except (ValueError, TypeError, RecursionError):
        return False


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
