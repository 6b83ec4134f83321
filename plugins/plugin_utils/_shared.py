# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this is a private part of the collection: no other collection may import it.

"""What lookups of one process share: the connection, and answers that came a moment ago.

A worker process of Ansible lives as long as one task, all items of its loop included, so nothing here grows old.
"""

from __future__ import annotations

import typing as t

from ..module_utils._api.caching import CachingTransport
from ..module_utils._api.clock import SystemClock
from ..module_utils._api.connection import ConnectionSettings
from ..module_utils._api.transport import Transport

_TRANSPORTS: dict[tuple[t.Any, ...], CachingTransport] = {}


def shared_transport(
    settings: ConnectionSettings, make: t.Callable[[], Transport], *, cache_seconds: float
) -> CachingTransport:
    """Return the transport for these settings, made when it is first asked for.

    :param cache_seconds: how old an answer may be, 0 for new ones only.
    """
    key = (
        settings.api_url,
        tuple(sorted(settings.credential.items())),
        settings.ca_path,
        settings.validate_certs,
        settings.concurrency,
        settings.extensions,
    )
    if key not in _TRANSPORTS:
        _TRANSPORTS[key] = CachingTransport(make(), seconds=cache_seconds, clock=SystemClock())
    transport = _TRANSPORTS[key]
    transport.seconds = cache_seconds
    return transport
