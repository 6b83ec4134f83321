# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The SHA-256 of a stream, computed beside it: hashing a gibibyte takes as long as receiving it."""

from __future__ import annotations

import hashlib
import queue
import threading

# The size of a buffer: smaller ones cost more calls and more turns of the threads, larger ones are no faster. So many
# are in use.
BUFFER_BYTES = 512 * 1024
_BUFFERS = 4
# What is smaller is hashed without a thread.
_THREAD_FROM_BYTES = 1024 * 1024

_Piece = tuple[memoryview, int]


class StreamDigest:
    """Gives buffers to be filled, and tells the digest of what they were filled with."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._given = memoryview(bytearray(BUFFER_BYTES))
        self._hashed_bytes = 0
        self._free: queue.SimpleQueue[memoryview] = queue.SimpleQueue()
        self._full: queue.SimpleQueue[_Piece | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def buffer(self) -> memoryview:
        """Return where the next bytes go; it is good until `filled` is called."""
        return self._given

    def filled(self, count: int) -> None:
        """Take note that so many bytes were put at the beginning of the buffer."""
        if self._thread is None:
            self._hash.update(self._given[:count])
            self._hashed_bytes += count
            if self._hashed_bytes >= _THREAD_FROM_BYTES:
                self._start()
            return
        self._full.put((self._given, count))
        self._given = self._free.get()

    def hexdigest(self) -> str:
        """Return the digest of all bytes."""
        self.close()
        return self._hash.hexdigest()

    def close(self) -> None:
        """End the thread when it has done what it was given."""
        if self._thread is not None:
            self._full.put(None)
            self._thread.join()
            self._thread = None
            self._hashed_bytes = 0

    def _start(self) -> None:
        while self._free.qsize() < _BUFFERS - 1:
            self._free.put(memoryview(bytearray(BUFFER_BYTES)))
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while True:
            piece = self._full.get()
            if piece is None:
                return
            buffer, count = piece
            self._hash.update(buffer[:count])
            self._free.put(buffer)
