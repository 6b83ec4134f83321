# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The time axis of a report, which cuts out long times without jobs."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ..fields import unix_time_of

# The axis cuts out a gap between jobs that is longer than this share of the time with jobs.
_LONG_GAP = 0.15
# The width of a cut on the axis, and the maximum width of all cuts, in percent.
_GAP_WIDTH = 3.0
_MAX_GAP_WIDTH = 30.0
# If there are more gaps, the axis cuts out only the longest.
_MAX_CUTS = 60
_MAX_TICKS = 8
# The width of labels on the axis of a narrow page, in percent.
_WIDTH = 9.0
_WIDTH_WITH_SECONDS = 14.0
_WIDTH_WITH_DAY = 22.0
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)

_WEEK = 7 * _STEPS[-1]
# Times outside this range count as not set: servers and proxies write the year 1 for an unset time.
_EARLIEST, _LATEST = 0.0, 32503680000.0

Interval = tuple[float, float]
# A labeled time on the axis: its position in percent, and the label, which starts there.
Tick = tuple[float, str]


@dataclasses.dataclass(frozen=True)
class _Segment:
    """A part of the axis: its start and end in Unix time, and its left and right edge in percent."""

    start: float
    end: float
    left: float
    right: float


class TimeScale:
    """A scale that converts times to percent of the width.

    :param intervals: when jobs were queued or ran, in Unix time; at least one.
    """

    def __init__(self, intervals: t.Sequence[Interval]) -> None:
        self._segments = _segments(intervals)

    def position(self, moment: float) -> float:
        for segment in self._segments:
            if moment < segment.start:
                return segment.left
            if moment <= segment.end:
                share = (moment - segment.start) / (segment.end - segment.start)
                return segment.left + share * (segment.right - segment.left)
        return 100.0

    @property
    def cuts(self) -> list[Interval]:
        """Return the cuts, as pairs of positions in percent."""
        return [(before.right, after.left) for before, after in zip(self._segments, self._segments[1:])]

    def ticks(self) -> list[Tick]:
        """Return the labeled times of the axis, from left to right."""
        shown = sum(segment.end - segment.start for segment in self._segments)
        weeks = int(shown / _MAX_TICKS // _WEEK + 1)
        step = next((step for step in _STEPS if shown / step <= _MAX_TICKS), weeks * _WEEK)
        several_days = _day(self._segments[0].start) != _day(self._segments[-1].end)
        shape, plain_width = ("%H:%M:%S", _WIDTH_WITH_SECONDS) if step < 60 else ("%H:%M", _WIDTH)
        ticks: list[Tick] = []
        last_day, free_from = "", 0.0
        for segment in self._segments:
            for moment in _multiples(segment, step):
                day, position = _day(moment), self.position(moment)
                with_day = several_days and day != last_day
                width = _WIDTH_WITH_DAY if with_day else plain_width
                if free_from <= position <= 100.0 - width:
                    last_day, free_from = day, position + width
                    time = _utc(moment).strftime(shape)
                    ticks.append((position, f"{day} {time}" if with_day else time))
        return ticks

    @property
    def days(self) -> str:
        """Return the day of the axis, or its first and last day, with the year."""
        first, last = (
            f"{_day(moment)} {_utc(moment).year}" for moment in (self._segments[0].start, self._segments[-1].end)
        )
        return first if first == last else f"{first} to {last}"


def _segments(intervals: t.Sequence[Interval]) -> list[_Segment]:
    busy = _merged(sorted(intervals), 0.0)
    total = max(sum(end - start for start, end in busy), 1.0)
    gaps = sorted((after[0] - before[1] for before, after in zip(busy, busy[1:])), reverse=True)
    shortest_gap = max(total * _LONG_GAP, *gaps[_MAX_CUTS : _MAX_CUTS + 1], 0.0)
    parts = _merged(busy, shortest_gap)
    gap = min(_GAP_WIDTH, _MAX_GAP_WIDTH / max(1, len(parts) - 1))
    # at least a second, so that intervals without a length are visible
    lengths = [max(end - start, 1.0) for start, end in parts]
    percent = (100.0 - gap * (len(parts) - 1)) / sum(lengths)
    segments: list[_Segment] = []
    left = 0.0
    for (start, _end), length in zip(parts, lengths):
        segments.append(_Segment(start, start + length, left, left + length * percent))
        left += length * percent + gap
    return segments


def _merged(intervals: t.Iterable[Interval], gap: float) -> list[Interval]:
    """Merge adjacent intervals that are at most `gap` apart."""
    parts: list[Interval] = []
    for start, end in intervals:
        if parts and start - parts[-1][1] <= gap:
            parts[-1] = (parts[-1][0], max(parts[-1][1], end))
        else:
            parts.append((start, end))
    return parts


def _multiples(segment: _Segment, step: int) -> list[float]:
    first = -(-segment.start // step) * step
    count = int((segment.end - first) // step) + 1 if first <= segment.end else 0
    # a part without a round time is labeled at its start
    return [first + step * number for number in range(count)] or [float(int(segment.start))]


def _day(moment: float) -> str:
    at = _utc(moment)
    return f"{at.day} {at.strftime('%b')}"


def _utc(moment: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(moment, tz=datetime.timezone.utc)


def parse_time(text: t.Any) -> float | None:
    """Return the Unix time of a time as GitLab writes it, None if the axis cannot show it."""
    unix_time = unix_time_of(text)
    return unix_time if unix_time is not None and _EARLIEST < unix_time < _LATEST else None
