# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rate limits, on the scenario's clock (topics: rate limits, headers)."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from . import errors
from .call import Request

if t.TYPE_CHECKING:
    from .simulation import Simulation

MINUTE = 60.0
_HOUR = 3600.0


class Limiter:
    """Counts by key in whole minutes, or other periods, of the scenario's clock."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, float, int], int] = {}

    def count(self, key: str, now: float, *, period: float = MINUTE) -> int:
        """Count one more, and return the number in this period."""
        full = (key, period, int(now // period))
        self._counts[full] = self._counts.get(full, 0) + 1
        return self._counts[full]


@dataclasses.dataclass(frozen=True)
class _State:
    """The state of a caller for one of the limits."""

    period: float
    limit: int
    observed: int
    now: float

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.observed)

    @property
    def seconds_left(self) -> float:
        return self.period - self.now % self.period


def count(simulation: Simulation, request: Request) -> dict[str, str]:
    """Count the request against the general limits, and return the rate limit headers of the version.

    Without a limit, there are no such headers, as on a server without limits.

    :raises ApiError: 429 in plain text.
    """
    world, now = simulation.engine.world, simulation.engine.time
    secret = next((request.headers[name] for name in ("private-token", "authorization", "job-token")
                   if name in request.headers), "")  # fmt: skip
    states = [
        _State(period, limit, simulation.limiter.count(f"all:{secret or request.peer}", now, period=period), now)
        for period, limit in ((MINUTE, world.limits["throttle_per_minute"]), (_HOUR, world.limits["throttle_per_hour"]))
        if limit is not None
    ]
    if not states:
        return {}
    exceeded = [state for state in states if state.observed > state.limit]
    if exceeded:
        worst = max(exceeded, key=lambda state: state.seconds_left)
        headers = _headers(simulation, worst, secret)
        headers["RateLimit-ResetTime"] = simulation.http_date(float(headers["RateLimit-Reset"]))
        headers["Retry-After"] = str(max(1, math.ceil(worst.seconds_left)))
        raise errors.ApiError(429, "Retry later\n", headers=headers, content_type="text/plain")
    # The limit with the smallest remaining share.
    tightest = min(states, key=lambda state: state.remaining / max(1, state.limit))
    return _headers(simulation, tightest, secret) if world.features.has("rate_headers_always") else {}


def _headers(simulation: Simulation, state: _State, secret: str) -> dict[str, str]:
    kind = "authenticated" if secret else "unauthenticated"
    reset = simulation.unix_time(state.now + state.seconds_left)
    return {
        "RateLimit-Name": f"throttle_{kind}_api",
        # Per minute, whatever the period is.
        "RateLimit-Limit": str(math.ceil(state.limit * MINUTE / state.period)),
        "RateLimit-Observed": str(state.observed),
        "RateLimit-Remaining": str(state.remaining),
        "RateLimit-Reset": str(math.ceil(reset)),
    }
