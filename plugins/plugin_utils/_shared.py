# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lookups, and items of a loop, share within one process: connections, and for lookups answers of a moment ago.

A worker process of Ansible lives as long as one task, all items of its loop included, so nothing here grows old. What
the main process has looked up itself, such as for the name of a task, is not for its workers: all would speak on its
one connection, and take each other's answers.
"""

from __future__ import annotations

import dataclasses
import os
import threading
import typing as t

from ..module_utils._api.connection import CA_VARIABLES, ConnectionSettings
from ..module_utils._api.http import Request, Response, Transport
from ..module_utils._api.pace.clock import Clock

# Variables of the environment that decide about the way to a server; a task may set its own.
_WAYS = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", *CA_VARIABLES)

# An answer larger than this is not worth the memory.
LARGEST_BODY = 1024 * 1024


class CachingTransport:
    """Keeps successful answers to reads for a while; everything else goes to the transport within.

    :param seconds: how long an answer is good; 0 for not at all.
    """

    def __init__(self, within: Transport, *, clock: Clock, seconds: float = 0.0) -> None:
        self.within = within
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Response]] = {}
        self.seconds = seconds

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        """Return the answer to one request, perhaps one that came a moment ago."""
        if request.method != "GET":
            return self.within.send(request, timeout_seconds=timeout_seconds)
        now = self._clock.monotonic()
        with self._lock:
            self._kept = {url: kept for url, kept in self._kept.items() if now - kept[0] < self.seconds}
            kept = self._kept.get(request.url)
        if kept:
            return kept[1]
        response = self.within.send(request, timeout_seconds=timeout_seconds)
        if response.status == 200 and len(response.body) <= LARGEST_BODY:
            with self._lock:
                # good from when it was asked for: that is how old it may be
                self._kept[request.url] = (now, response)
        return response


_TRANSPORTS: dict[tuple[t.Any, ...], CachingTransport] = {}


def shared_transport(
    settings: ConnectionSettings, make: t.Callable[[], Transport], *, cache_seconds: float = 0.0
) -> Transport:
    """Return the transport for these settings, made when it is first asked for.

    One that an extension may have made is for one task only, as the hook says, unless its answers are kept.

    :param cache_seconds: how old an answer may be, 0 for new ones only.
    """
    if settings.extensions and not cache_seconds:
        return make()
    # how requests are paced and repeated, and which variable gave what, is no matter of the transport
    same = dataclasses.replace(settings, timeout_seconds=0.0, retries=0, requests_per_minute=None, variables={})
    ways = (os.environ.get(name.lower()) or os.environ.get(name) for name in _WAYS)
    key = (os.getpid(), repr(dataclasses.astuple(same)), *ways)
    if key not in _TRANSPORTS:
        _TRANSPORTS[key] = CachingTransport(make(), clock=Clock())
    transport = _TRANSPORTS[key]
    if not cache_seconds:
        # keeps nothing, and can hand over a download while it comes
        return transport.within
    transport.seconds = cache_seconds
    return transport
