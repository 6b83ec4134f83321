# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What downloads pass on their way into a file: they are measured, and somebody is told how far they are."""

from __future__ import annotations

import dataclasses
import hashlib
import os

from ..._api.errors import UsageError
from ..._api.requester import Sink
from ..._api.transport import CHUNK_BYTES
from ..outcome import SlowWork
from ..session import Session

_MIB = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Content:
    """Size and digest of some content; None of a file that does not exist."""

    size: int
    sha256: str


def content_of(path: str) -> Content | None:
    """Return size and digest of a file; None for nothing, and for a link, which is replaced like nothing.

    :raises UsageError: when it cannot be read.
    """
    if os.path.islink(path) or not os.path.exists(path):
        return None
    measure = Measure()
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(CHUNK_BYTES), b""):
                measure.write(block)
    except OSError as exc:
        raise UsageError(f"dest {path!r} cannot be read: {exc.strerror or exc}") from None
    return measure.content


class Measure:
    """A sink that keeps size and digest, and passes everything on where there is another sink."""

    def __init__(self, sink: Sink | None = None) -> None:
        self._sink = sink
        self._digest = hashlib.sha256()
        self._size = 0

    def restart(self) -> None:
        self._digest, self._size = hashlib.sha256(), 0
        if self._sink:
            self._sink.restart()

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        self._digest.update(chunk)
        if self._sink:
            self._sink.write(chunk)

    @property
    def content(self) -> Content:
        """Return size and digest of what has come."""
        return Content(self._size, self._digest.hexdigest())


class ToldSink:
    """Passes everything on to another sink, and says how far it is: `app.zip: 312 of 1,024 MiB, 30 %, 45 s left`.

    :param name: what is downloaded, for people.
    :param total: how many bytes it will be, 0 where nobody has told.
    """

    def __init__(self, session: Session, sink: Sink, name: str, total: int) -> None:
        self._sink = sink
        self._name = name
        self._total = total
        self._size = 0
        self._work = SlowWork(session.progress, session.clock)

    def restart(self) -> None:
        self._size = 0
        self._work.restart()
        self._sink.restart()

    def write(self, chunk: bytes) -> None:
        self._sink.write(chunk)
        self._size += len(chunk)
        self._work.tell(self._line)

    def _line(self, seconds: float) -> str:
        done = f"{self._size // _MIB:,}"
        if not self._total or self._size > self._total:
            return f"{self._name}: {done} MiB"
        left = seconds * (self._total - self._size) / self._size
        words = f"{left:.0f} s" if left < 120 else f"{left / 60:.0f} min"
        share = 100 * self._size // self._total
        return f"{self._name}: {done} of {-(-self._total // _MIB):,} MiB, {share} %, {words} left"
