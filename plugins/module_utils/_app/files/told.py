# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""A download that says how far it is: `app.zip: 312 of 1,024 MiB, 30 %, 45 s left`."""

from __future__ import annotations

from ..._api.requester import Sink
from ..session import Session
from ..slow_work import SlowWork

_MIB = 1024 * 1024


class ToldSink:
    """Passes everything on to another sink, and says how much that was.

    :param name: what is downloaded, for people.
    :param total: how many bytes it will be, None where nobody has told.
    """

    def __init__(self, session: Session, sink: Sink, name: str, total: int | None) -> None:
        self._sink = sink
        self._name = name
        self._total = total
        self._size = 0
        self._work = SlowWork(session.progress, session.clock)

    def restart(self) -> None:
        """Forget everything: the download begins, or begins again."""
        self._size = 0
        self._work.restart()
        self._sink.restart()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
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
