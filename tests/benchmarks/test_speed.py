# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test that each case of the speed comparison does its work, at a small scale and without checking times."""

from __future__ import annotations

import collections.abc as c

import pytest

from . import peers, speed, speed_report
from .server import Server
from .server_load import measure
from .suite import Bench, Case, Results, Row, Table, check_rows, run_table
from .world import API, ONE_JOB

GOALS = ["1a", "1b", "1c", "1d", "1e", "2a", "2b", "2c", "2d", "2e", "3a", "3b", "4a", "4b", "4c"]
GOALS += ["5a", "5b", "5c", "5e", "6", "7a", "7b", "7c", "7d"]
# The same cases with a different latency.
SAME = ("list-20", "list-100", "play-100", "tree-100")


@pytest.fixture(scope="module")
def bench() -> c.Iterator[Bench]:
    with Server(jobs=250, mebibytes=1) as server:
        yield Bench(server, scale=0.02)


@pytest.mark.parametrize(
    ("table", "case"),
    [
        pytest.param(table, case, id=f"{table.name}: {case.name}")
        for table in speed.TABLES
        for case in table.cases
        if table.name not in SAME
    ],
)
def test_case_returns_the_figures_of_its_rows(table: Table, case: Case, bench: Bench) -> None:
    if case.name.startswith("community.") and not peers.are_here():
        pytest.skip("community.general and community.hashi_vault are fetched by `make bench`")
    values = case.run(bench)
    metrics = [row.metric for row in table.rows if case.name in (row.ours, row.peer)]
    assert set(metrics) <= set(values)


def test_every_goal_has_a_row() -> None:
    assert sorted({row.number for table in speed.TABLES for row in table.rows if row.goal is not None}) == GOALS
    for table in speed.TABLES:
        check_rows(table)


def test_rows_are_selected_by_number() -> None:
    assert speed.numbers_of("2a, 5e") == ["2a", "5e"]
    assert speed.numbers_of("3") == ["3a", "3b"]
    assert speed.numbers_of("") == []
    with pytest.raises(ValueError, match="there is no row 9z"):
        speed.numbers_of("9z")


def test_ratios_compare_values_of_the_same_round(bench: Bench) -> None:
    numbers = iter([1.0, 4.0, 2.0, 2.0, 3.0])
    cases = (Case("a", lambda _bench: {"ms": next(numbers)}), Case("b", lambda _bench: {"ms": next(numbers)}, rounds=2))
    row = Row("0", "something", "a", "b", "ms", 0.7)
    table = Table("t", "Title", cases, (row,))
    messages: list[str] = []
    results = run_table(table, bench, 3, say=messages.append)
    assert (results.ratios(row), results.ratio(row), len(messages)) == ([0.25, 1.0], 0.625, 5)
    text = speed_report.whole([(table, results)], rounds=3, minutes=1)
    assert "| 0 | something | a: 2 ms | b: 3 ms | 0.625 |  | 0.7 | yes | 2 |" in text
    assert speed_report.plain([(table, results)], rounds=3)["rows"][0]["reached"] is True
    assert "failed" in speed_report.whole([(table, Results())], rounds=1, minutes=0)


def test_server_counts_and_delays_requests(bench: Bench) -> None:
    bench.server.forget(latency_ms=20)
    rate = measure(bench.server.http, f"{API}/projects/7/jobs/{ONE_JOB}", 20, seconds=0.5)
    assert 0 < rate <= 1000, "20 connections with 20 ms each"
    assert bench.server.counts()["job"] >= rate * 0.5
