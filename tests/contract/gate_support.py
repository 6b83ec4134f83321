# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared code of the gate tests: a module, a gate and a lookup, each against the simulator."""

from __future__ import annotations

import typing as t

from ansible.plugins.loader import lookup_loader

from tests.contract.test_release_gates import release
from tests.integration.harness import TOKEN, Result, effects, run_task

Row = dict[str, t.Any]

PIPELINE: Row = {"project": "group/app", "pipeline_id": 100}
MAIN: Row = {"project": "group/app", "ref": "main"}
MANUAL: Row = {"when": "manual", "allow_failure": False}
AT_ONCE: Row = {**MANUAL, "needs": []}
DEPLOY: Row = {"name": "deploy", **MANUAL}
WAIT_FOR_SUCCESS: Row = {"wait": True, "wait_for": ["success"], "wait_timeout": 30.0}
TESTED: tuple[Row, ...] = (
    {"name": "unit", "stage": "test", "status": "success"},
    {"name": "deploy", "stage": "deploy", **MANUAL},
)
# check, run, check, run
CYCLE = (True, False, True, False)


def child(*jobs: Row, **more: t.Any) -> Row:
    """Return the `trigger` of a trigger job that starts a pipeline of these jobs."""
    return {"pipeline": {"jobs": list(jobs)}, **more}


def check_and_run_twice(simulator: t.Any, task: t.Any, **options: t.Any) -> list[Result]:
    """Return the results of a task that is checked, run, checked and run."""
    return [run_task(simulator, task, check_mode=check_mode, **options) for check_mode in CYCLE]


def check_and_run_gate_twice(simulator: t.Any, gate: Row, project: Row | None = None) -> list[Result]:
    """Return the results of a release with one gate that is checked, run, checked and run."""
    given = {"gates": [gate], **(project or {})}
    return [release(simulator, given, check_mode=check_mode) for check_mode in CYCLE]


def look_up(simulator: t.Any, *terms: t.Any, **options: t.Any) -> t.Any:
    """Return the results of the lookup, without a cache."""
    plugin = lookup_loader.get("jobgate.gitlab.gitlab_job")
    connection = {"api_url": simulator.url, "api_token": TOKEN, "cache_seconds": 0}
    return plugin.run(list(terms), variables={}, **{**connection, "project": "group/app", **options})


def assert_refused(simulator: t.Any, results: t.Sequence[Result], *words: str) -> None:
    """Fail unless each result is a failure with these words, and nothing was changed on the server."""
    for result in results:
        for word in words:
            assert word in str(result.failure)
        assert not result.changed
    assert effects(simulator) == []
