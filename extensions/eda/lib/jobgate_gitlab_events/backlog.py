# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bounded storage: the events that ansible-rulebook has not taken yet, and the ids of recent deliveries."""

from __future__ import annotations

import asyncio
import collections
import hashlib
import typing as t

MAX_EVENTS = 1000
MAX_BYTES = 64 * 1024 * 1024


class Event(t.NamedTuple):
    """An event, and the size of its request body in bytes."""

    content: dict[str, t.Any]
    size: int


class Backlog:
    """Space for bodies that are being read and for waiting events."""

    def __init__(self, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self.events = 0
        self.bytes = 0
        self._waiting: asyncio.Queue[Event] = asyncio.Queue()

    def take_bytes(self, count: int) -> bool:
        """Reserve bytes if there is space for them; return whether there was."""
        if self.bytes + count > self._max_bytes:
            return False
        self.bytes += count
        return True

    def give_bytes(self, count: int) -> None:
        """Release reserved bytes."""
        self.bytes -= count

    def promise(self) -> bool:
        """Reserve a place for an event that `put` will add; return whether there was one."""
        if self.events >= self._max_events:
            return False
        self.events += 1
        return True

    def put(self, event: Event) -> None:
        """Add an event whose place and bytes are already reserved."""
        self._waiting.put_nowait(event)

    async def get(self) -> Event:
        """Return the next event. Its place is kept until `done`."""
        return await self._waiting.get()

    def done(self, event: Event) -> None:
        """Release the place and bytes of an event."""
        self.events -= 1
        self.give_bytes(event.size)


class Known:
    """The most recent deliveries, stored as digests."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: collections.OrderedDict[bytes, None] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def __contains__(self, delivery: bytes) -> bool:
        return self._digest(delivery) in self._seen

    def add(self, delivery: bytes) -> None:
        """Remember a delivery, and forget the oldest one if there are too many."""
        self._seen[self._digest(delivery)] = None
        if len(self._seen) > self._limit:
            self._seen.popitem(last=False)

    @staticmethod
    def _digest(delivery: bytes) -> bytes:
        return hashlib.sha256(delivery).digest()
