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

from .._api.errors import UsageError
from .digests import BUFFER_BYTES, StreamDigest

_BLOCK = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Content:
    """Size and digest of some content; None of a file that does not exist."""

    size: int
    sha256: str


def content_of(path: str) -> Content | None:
    """Return size and digest of a file, None when there is none.

    :raises UsageError: when it cannot be read, or is no file.
    """
    if not os.path.lexists(path):
        return None
    digest = hashlib.sha256()
    size = 0
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            # a device may have no end, and must not be replaced
            raise UsageError(f"dest {path!r} is no regular file")
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
        self._digest = StreamDigest()
        self._size = 0

    def restart(self) -> None:
        """Forget everything."""
        self._digest.close()
        self._digest, self._size = StreamDigest(), 0

    def buffer(self) -> memoryview:
        """Return where the next bytes go."""
        return self._digest.buffer()

    def filled(self, count: int) -> None:
        """Take so many bytes from the beginning of the buffer."""
        self._size += count
        self._digest.filled(count)

    @property
    def content(self) -> Content:
        """Return size and digest of what has come."""
        return Content(self._size, self._digest.hexdigest())


class CopyingSink:
    """A sink that takes copies, from one buffer."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(BUFFER_BYTES))

    def buffer(self) -> memoryview:
        """Return where the next bytes go."""
        return self._buffer

    def filled(self, count: int) -> None:
        """Take so many bytes from the beginning of the buffer."""
        self.write(bytes(self._buffer[:count]))

    def write(self, chunk: bytes) -> None:
        """Take the next piece."""
        raise NotImplementedError


class Memory(CopyingSink):
    """A sink for content that is small enough."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks: list[bytes] = []

    def restart(self) -> None:
        """Forget everything."""
        self.chunks.clear()

    def write(self, chunk: bytes) -> None:
        """Take the next piece."""
        self.chunks.append(chunk)


class Tail(CopyingSink):
    """A sink that keeps the end, and holds never much more than that.

    :param most: how many bytes to keep.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._kept = b""
        self.is_whole = True

    def restart(self) -> None:
        """Forget everything."""
        self._kept, self.is_whole = b"", True

    def write(self, chunk: bytes) -> None:
        """Take the next piece."""
        self._kept += chunk
        # cut now and then: each time would copy the whole for every piece
        if len(self._kept) > 2 * self._most:
            self._kept, self.is_whole = self._kept[-self._most :], False

    @property
    def text(self) -> str:
        """Return the end as text; half a character at either side is replaced, as are other bytes that are no text."""
        return self._kept[-self._most :].decode("utf-8", errors="replace")


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
        self._digest.close()
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

    def filled(self, count: int) -> None:
        """Take so many bytes from the beginning of the buffer.

        :raises UsageError: when they cannot be written, for example because the disk is full.
        """
        view = self.buffer()[:count]
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as exc:
            raise UsageError(f"the content cannot be written beside dest: {exc.strerror or exc}") from None
        super().filled(count)

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
