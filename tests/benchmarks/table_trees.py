# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree of 100 downstream pipelines: row 6."""

from __future__ import annotations

import typing as t

from .measure import TOKEN, Run, expect, script
from .suite import Bench, Case, Row, Table, Values, figures
from .world import TREE_FAN, TREE_ROOT

_PEER, _TASK = "python-gitlab, one at a time", "bridges"
_OLDER = "bridges, of a server without /trigger_jobs"


def _size() -> int:
    """Return the number of pipelines below the root."""
    size, width = 0, 1
    for fan in TREE_FAN:
        width *= fan
        size += width
    return size


def _checked(bench: Bench, done: Run) -> Values:
    """Return the figures of a run that read the whole tree."""
    expect("pipelines", done.reported["pipelines"], _size())
    return {**figures(done), "requests": sum(bench.server.counts().values())}


def _python_gitlab(latency_ms: int) -> t.Callable[[Bench], Values]:
    def work(bench: Bench) -> Values:
        bench.server.forget(latency_ms=latency_ms)
        done = script("script_python_gitlab.py", bench.server.http, "tree", {"pipeline_id": TREE_ROOT})
        return _checked(bench, done)

    return work


def _bridges(latency_ms: int, **switches: bool) -> t.Callable[[Bench], Values]:
    def work(bench: Bench) -> Values:
        bench.server.forget(latency_ms=latency_ms, **switches)
        connection = {"api_url": bench.server.http, "api_token": TOKEN, "api_concurrency": 16}
        options = {**connection, "project": "group/app", "pipeline_id": TREE_ROOT, "depth": 0}
        return _checked(bench, script("script_jobgate.py", "gitlab_pipeline_bridges", options))

    return work


def _table(latency_ms: int, goal: float) -> Table:
    return Table(
        f"tree-{latency_ms}",
        f"A tree of {_size()} downstream pipelines, {latency_ms} ms",
        (
            Case(_PEER, _python_gitlab(latency_ms)),
            Case(_TASK, _bridges(latency_ms)),
            Case(_OLDER, _bridges(latency_ms, has_trigger_jobs=False)),
        ),
        (
            Row("6", f"100 downstream pipelines, 16 in flight, {latency_ms} ms", _TASK, _PEER, "wall", goal),
            Row("6i", f"{latency_ms} ms", _OLDER, _PEER, "wall"),
        ),
    )


TABLES = (_table(100, 0.11), _table(20, 0.14))
