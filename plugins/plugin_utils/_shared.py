# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this is a private part of the collection: no other collection may import it.

"""What lookups, and items of a loop, share within one process: connections, and for lookups answers of a moment ago.

A worker process of Ansible lives as long as one task, all items of its loop included, so nothing here grows old.
"""

from __future__ import annotations

import os
import typing as t

from ..module_utils._api.caching import CachingTransport
from ..module_utils._api.clock import SystemClock
from ..module_utils._api.connection import ConnectionSettings
from ..module_utils._api.transport import Transport

# Variables of the environment that decide about the way to a server; a task may set its own.
_WAYS = ("all_proxy", "http_proxy", "https_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")

_Key = tuple[t.Any, ...]
_TRANSPORTS: dict[_Key, Transport] = {}
_CACHES: dict[_Key, CachingTransport] = {}


def shared_transport(settings: ConnectionSettings, make: t.Callable[[], Transport]) -> Transport:
    """Return the transport for these settings, made when it is first asked for.

    One that an extension may have made is for one task only, as the hook says.
    """
    if settings.extensions:
        return make()
    key = _key(settings)
    if key not in _TRANSPORTS:
        _TRANSPORTS[key] = make()
    return _TRANSPORTS[key]


def caching_transport(
    settings: ConnectionSettings, make: t.Callable[[], Transport], *, cache_seconds: float
) -> CachingTransport:
    """Return the transport for these settings, made when it is first asked for, with the answers of a moment ago.

    :param cache_seconds: how old an answer may be, 0 for new ones only.
    """
    key = _key(settings)
    if key not in _CACHES:
        _CACHES[key] = CachingTransport(make(), seconds=cache_seconds, clock=SystemClock())
    transport = _CACHES[key]
    transport.seconds = cache_seconds
    return transport


def _key(settings: ConnectionSettings) -> _Key:
    return (
        settings.api_url,
        tuple(sorted(settings.credential.items())),
        settings.ca_path,
        settings.validate_certs,
        settings.concurrency,
        settings.extensions,
        *(os.environ.get(name) or os.environ.get(name.upper()) for name in _WAYS),
    )
