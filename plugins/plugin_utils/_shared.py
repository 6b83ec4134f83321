# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that lookups and items of a loop share within one process, and recent answers that lookups share.

A worker process of Ansible runs one task, including all items of its loop, so nothing here gets outdated. Workers do
not use the connections of the main process, which has lookups of its own, for example for the name of a task: all
workers would use the same connection and receive each other's answers.
"""

from __future__ import annotations

import dataclasses
import os
import threading
import typing as t

from ..module_utils._api.connection import CA_VARIABLES, ConnectionSettings
from ..module_utils._api.http import Request, Response, Transport
from ..module_utils._api.pace.clock import Clock

# Environment variables that affect connections; a task may set its own.
_CONNECTION_VARIABLES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", *CA_VARIABLES)

# Larger answers are not kept, to save memory.
LARGEST_BODY = 1024 * 1024


class CachingTransport:
    """A transport that keeps successful answers to reads for a while, and sends all other requests.

    :param seconds: how long to keep an answer; 0 to keep none.
    """

    def __init__(self, within: Transport, *, clock: Clock, seconds: float = 0.0) -> None:
        self.within = within
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Response]] = {}
        self.seconds = seconds

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        """Return the answer to a request, which may be a recent one."""
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
                # from the time of the request, because the data may be that old
                self._kept[request.url] = (now, response)
        return response


_TRANSPORTS: dict[tuple[t.Any, ...], CachingTransport] = {}


def shared_transport(
    settings: ConnectionSettings, make: t.Callable[[], Transport], *, cache_seconds: float = 0.0
) -> Transport:
    """Return the transport for these settings; create it at the first call.

    With extensions, each task gets its own transport, as the hook promises, unless answers are kept.

    :param cache_seconds: the maximum age of an answer, 0 for new answers only.
    """
    if settings.extensions and not cache_seconds:
        return make()
    # the transport does not depend on these settings
    same = dataclasses.replace(settings, timeout_seconds=0.0, retries=0, requests_per_minute=None, variables={})
    values = (os.environ.get(name.lower()) or os.environ.get(name) for name in _CONNECTION_VARIABLES)
    key = (os.getpid(), repr(dataclasses.astuple(same)), *values)
    if key not in _TRANSPORTS:
        _TRANSPORTS[key] = CachingTransport(make(), clock=Clock())
    transport = _TRANSPORTS[key]
    if not cache_seconds:
        # without the cache, because this transport can stream downloads
        return transport.within
    transport.seconds = cache_seconds
    return transport
