# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Answers that are good for a moment: identical reads of one process ask the server once."""

from __future__ import annotations

import threading

from .clock import Clock
from .http import Request, Response
from .transport import Transport

# An answer larger than this is not worth the memory.
LARGEST_BODY = 1024 * 1024


class CachingTransport:
    """Keeps successful answers to reads for a while; everything else goes to the transport within.

    :param seconds: how long an answer is good; 0 for not at all.
    """

    def __init__(self, transport: Transport, *, seconds: float, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Response]] = {}
        self.seconds = seconds

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        """Return the answer to one request, perhaps one that came a moment ago."""
        if request.method != "GET" or self.seconds <= 0:
            return self._transport.send(request, timeout_seconds=timeout_seconds)
        now = self._clock.monotonic()
        with self._lock:
            self._kept = {url: kept for url, kept in self._kept.items() if now - kept[0] < self.seconds}
            kept = self._kept.get(request.url)
        if kept:
            return kept[1]
        response = self._transport.send(request, timeout_seconds=timeout_seconds)
        if response.status == 200 and len(response.body) <= LARGEST_BODY:
            with self._lock:
                # good from when it was asked for: that is how old it may be
                self._kept[request.url] = (now, response)
        return response
