# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Where downloads go: a file beside the target, memory, or nowhere, always with size and digest."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import stat
import tempfile

from ..._api.errors import UsageError

_BLOCK = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Content:
    """Size and digest of some content; None of a file that does not exist."""

    size: int
    sha256: str


def content_of(path: str) -> Content | None:
    """Return size and digest of a file, None when there is none.

    :raises UsageError: when it cannot be read, or is not a file.
    """
    if not os.path.lexists(path):
        return None
    digest = hashlib.sha256()
    size = 0
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            # a device may have no end, and must not be replaced
            raise UsageError(f"dest {path!r} is not a regular file")
        with open(path, "rb") as file:
            while True:
                block = file.read(_BLOCK)
                if not block:
                    return Content(size, digest.hexdigest())
                digest.update(block)
                size += len(block)
    except OSError as exc:
        raise UsageError(f"dest {path!r} cannot be read: {exc.strerror or exc}") from None


class Measure:
    """A sink that keeps only size and digest."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0

    def restart(self) -> None:
        """Forget everything."""
        self._digest, self._size = hashlib.sha256(), 0

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._size += len(chunk)
        self._digest.update(chunk)

    @property
    def content(self) -> Content:
        """Return size and digest of what has come."""
        return Content(self._size, self._digest.hexdigest())


class Memory:
    """A sink for content that is small enough."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def restart(self) -> None:
        """Forget everything."""
        self.chunks.clear()

    def write(self, chunk: bytes) -> None:
        """Take the next piece."""
        self.chunks.append(chunk)


class TemporaryTarget(Measure):
    """A sink that writes to a file beside the target, which is gone when the block ends, unless it was put in place."""

    def __init__(self, dest: str) -> None:
        super().__init__()
        folder = os.path.dirname(dest) or "."
        try:
            self._file, self.path = tempfile.mkstemp(prefix=".jobgate-", suffix=".part", dir=folder)
        except OSError as exc:
            raise UsageError(f"dest cannot be written: no file can be made in {folder!r}: {exc.strerror}") from None

    def __enter__(self) -> TemporaryTarget:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
        if os.path.lexists(self.path):
            os.unlink(self.path)

    def restart(self) -> None:
        """Forget everything."""
        # Some file systems write out at close what was truncated to nothing before, so an empty file is left alone.
        if os.lseek(self._file, 0, os.SEEK_CUR):
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
        super().restart()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        :raises UsageError: when they cannot be written, for example because the disk is full.
        """
        view = memoryview(chunk)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as exc:
            raise UsageError(f"the content cannot be written beside dest: {exc.strerror or exc}") from None
        super().write(chunk)

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
