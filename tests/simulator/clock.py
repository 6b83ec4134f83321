# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clocks of the simulator: the wall clock, a faster one, and one that is moved by hand."""

from __future__ import annotations

import datetime
import time
import typing as t

# A stepped world always starts at the same time, so that tests can contain complete time stamps.
STEPPED_EPOCH = datetime.datetime(2026, 1, 5, 12, 0, tzinfo=datetime.UTC)
# At a higher speed the calendar ends within days.
_FASTEST = 1e6


class Clock(t.Protocol):
    """The seconds since the start of the scenario, and the start time."""

    name: str
    epoch: datetime.datetime

    def now(self) -> float:
        """Return the seconds since the start of the scenario."""

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, without letting time pass."""

    def moment(self, seconds: float) -> datetime.datetime:
        """Return the wall-clock time this long after the start."""


class _WallClock:
    """The server's wall clock. It can jump, like a clock that is set, without an influence on events."""

    epoch: datetime.datetime

    def __init__(self) -> None:
        # (since when in seconds of the scenario, by how much)
        self._jumps: list[tuple[float, float]] = []

    def now(self) -> float:
        raise NotImplementedError

    def jump(self, seconds: float) -> None:
        self._jumps.append((self.now(), seconds))

    def moment(self, seconds: float) -> datetime.datetime:
        """Return the wall-clock time at a second of the scenario; times before a jump do not change."""
        shift = sum(size for since, size in self._jumps if since <= seconds)
        return self.epoch + datetime.timedelta(seconds=seconds + shift)


class RealClock(_WallClock):
    """Run at the speed of the wall clock, or `factor` times as fast. It can be pushed forward as well."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.name = "real" if factor == 1.0 else f"scaled:{factor:g}"
        self.epoch = datetime.datetime.now(datetime.UTC)
        self._factor = factor
        self._begin = time.monotonic()
        self._pushed = 0.0

    def now(self) -> float:
        return (time.monotonic() - self._begin) * self._factor + self._pushed

    def advance(self, seconds: float) -> None:
        self._pushed += seconds


class SteppedClock(_WallClock):
    """Stop until advance() is called."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "stepped"
        self.epoch = STEPPED_EPOCH
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


def make_clock(text: str) -> Clock:
    """Return the clock that `text` names: real, stepped or scaled:FACTOR.

    :raises ValueError: if there is no such clock.
    """
    kind, _colon, factor = str(text).partition(":")
    if kind == "stepped" and not factor:
        return SteppedClock()
    if kind == "real" and not factor:
        return RealClock()
    if kind == "scaled" and factor:
        try:
            number = float(factor)
        except ValueError:
            number = 0.0
        if 0 < number <= _FASTEST:
            return RealClock(number)
    raise ValueError(
        f"clock {text!r} is not one of real, stepped, scaled:FACTOR, where FACTOR is a number up to {_FASTEST:,.0f}"
    )
