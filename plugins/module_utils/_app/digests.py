# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The SHA-256 of a stream, computed beside it: hashing a gibibyte takes as long as receiving it."""

from __future__ import annotations

import hashlib
import queue
import threading
import typing as t

# So much goes to the thread at a time, and so many of these wait for it at most, which bounds the memory.
_BATCH_BYTES = 256 * 1024
_MOST_BATCHES = 4


class StreamDigest:
    """Takes pieces and tells their digest; what is small is hashed without a thread."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._batch: list[bytes] = []
        self._batch_bytes = 0
        self._queue: queue.Queue[list[bytes] | None] | None = None
        self._thread: threading.Thread | None = None

    def update(self, piece: bytes) -> None:
        """Take the next piece."""
        self._batch.append(piece)
        self._batch_bytes += len(piece)
        if self._batch_bytes >= _BATCH_BYTES:
            if self._queue is None:
                self._queue = queue.Queue(_MOST_BATCHES)
                self._thread = threading.Thread(target=self._work, args=(self._queue,), daemon=True)
                self._thread.start()
            self._queue.put(self._batch)
            self._batch, self._batch_bytes = [], 0

    def hexdigest(self) -> str:
        """Return the digest of all pieces."""
        self.close()
        for piece in self._batch:
            self._hash.update(piece)
        self._batch = []
        return self._hash.hexdigest()

    def close(self) -> None:
        """End the thread when it has done what it was given."""
        if self._queue is not None and self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._queue = self._thread = None

    def _work(self, batches: queue.Queue[t.Any]) -> None:
        while True:
            batch = batches.get()
            if batch is None:
                return
            for piece in batch:
                self._hash.update(piece)
