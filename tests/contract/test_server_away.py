# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that goes away during a wait, for the rest of its time: a time-out like any other."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.gate_support import MANUAL
from tests.integration.harness import ACTION, BRIDGES, INFO, PIPELINE, PIPELINE_INFO, run_task, world

# Each finds its pipeline first: a server that has never answered is not waited for.
TASKS: dict[str, tuple[t.Any, dict[str, t.Any]]] = {
    "info": (INFO, {"name": ["deploy"]}),
    "action": (ACTION, {"name": ["deploy"], "action": "play"}),
    "bridges": (BRIDGES, {}),
    "pipeline info": (PIPELINE_INFO, {}),
    "retry of a pipeline": (PIPELINE, {"action": "retry"}),
    "cancel of a pipeline": (PIPELINE, {"action": "cancel"}),
}


@pytest.mark.parametrize("on_timeout", ["fail", "continue"])
@pytest.mark.parametrize("case", TASKS)
def test_the_time_is_up(simulator: t.Any, case: str, on_timeout: str) -> None:
    simulator.load(world({"name": "deploy", **MANUAL, "duration": 5}))
    simulator.inject("error_500", nth=list(range(2, 5000)))
    task, options = TASKS[case]
    how = {"wait": True, "wait_timeout": 60.0, "on_timeout": on_timeout}
    result = run_task(simulator, task, project="group/app", ref="main", **options, **how)
    assert result.values["timed_out"] is True
    assert result.values["elapsed"] == result.seconds == pytest.approx(60.0, abs=0.1)
    texts = [result.failure] if on_timeout == "fail" else result.warnings
    assert str(texts[-1]).startswith("timed out after 60 s (wait_timeout): GitLab says ")
    assert bool(result.failure) == (on_timeout == "fail")
    assert not result.changed and simulator.writes() == []


# What each reads besides, once its wait is over.
LATER: dict[str, tuple[t.Any, dict[str, t.Any]]] = {
    "info": (INFO, {"log_lines": 5}),
    "bridges": (BRIDGES, {"include_jobs": True}),
    "pipeline info": (PIPELINE_INFO, {"include": ["variables", "test_report", "downstream", "jobs"]}),
}


@pytest.mark.parametrize("on_timeout", ["fail", "continue"])
@pytest.mark.parametrize("case", LATER)
def test_what_was_seen_before_it_went_away_is_returned(simulator: t.Any, case: str, on_timeout: str) -> None:
    child = {"jobs": [{"name": "test", "queue": 0, "duration": 500}]}
    jobs = ({"name": "deploy", "queue": 0, "duration": 500}, {"name": "tests", "trigger": {"pipeline": child}})
    simulator.load(world(*jobs))
    simulator.advance(5)
    task, options = LATER[case]
    how = {"wait": True, "wait_timeout": 60.0, "on_timeout": on_timeout}
    # the first look of each is over after so many requests
    simulator.inject("error_500", nth=list(range(5, 5000)))
    result = run_task(simulator, task, project="group/app", pipeline_id=100, **options, **how)
    assert (result.values["timed_out"], result.values["elapsed"]) == (True, pytest.approx(60.0, abs=0.1))
    assert result.values["pipeline"]["id"] == 100
    assert result.values["summary"] == ({"success": 1} if case == "bridges" else {"running": 1})
    assert any("could not be asked again when the time was up" in text for text in result.warnings)
    assert bool(result.failure) == (on_timeout == "fail")
