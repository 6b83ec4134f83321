# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test the cost of a release of many projects on the stepped clock of the simulator."""

from __future__ import annotations

import statistics
import typing as t

import pytest

from .release import LIMITS, Cost, line, measure

PROJECTS = 60


def assert_played_once(cost: Cost) -> None:
    assert cost.failure is None
    assert sorted(cost.played) == [f"group/app-{number:03d}" for number in range(PROJECTS)]


def test_number_of_requests_of_a_large_release_is_limited() -> None:
    cost = measure(PROJECTS, 60.0, {})
    assert_played_once(cost)
    assert cost.first_minute - cost.waiting == 2 * PROJECTS
    assert cost.waiting <= 210


@pytest.mark.parametrize("limit", ["100 a minute", "5,000 an hour"])
def test_rate_limit_is_never_exceeded(limit: str) -> None:
    cost = measure(PROJECTS, 60.0, LIMITS[limit])
    assert_played_once(cost)
    assert (cost.refused, cost.refused_later) == (0, 0)


def test_nudges_save_requests_and_show_the_end_of_jobs_at_once() -> None:
    without, nudged = (measure(PROJECTS, 600.0, {}, is_nudged=is_nudged) for is_nudged in (False, True))
    assert_played_once(without)
    assert_played_once(nudged)
    assert nudged.waiting_in_all <= without.waiting_in_all * 0.6
    assert statistics.median(nudged.late) <= 2.0 < statistics.median(without.late)


def test_table_line_marks_jobs_that_were_played_twice() -> None:
    fields: dict[str, t.Any] = {
        "first_minute": 1,
        "waiting": 2,
        "waiting_in_all": 2,
        "first_hour": 3,
        "refused": 0,
        "refused_later": 0,
        "late": (1.0,),
        "paced_seconds": 0.0,
        "cpu_seconds": 0.1,
        "peak_mebibytes": 50.0,
        "failure": None,
    }
    assert "TWICE" in line(1, 60.0, "none", Cost(played=("a", "a"), **fields))
    assert "TWICE" not in line(1, 60.0, "none", Cost(played=("a",), **fields))
