# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that goes away during a wait, for the rest of its time: a time-out like any other."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.gate_support import MANUAL, child
from tests.contract.test_release_gates import release
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
    texts = [result.failure or "", *result.warnings]
    # a pipeline that was found before is what there was, and nothing else has to be said of it with `continue`
    known = "pipeline 100 is still manual" if case == "pipeline info" else "GitLab says "
    if (case, on_timeout) != ("pipeline info", "continue"):
        assert any(text.startswith(f"timed out after 60 s (wait_timeout): {known}") for text in texts)
    assert any('GitLab says "500 Internal Server Error"' in text for text in texts)
    assert bool(result.failure) == (on_timeout == "fail")
    assert not result.changed and simulator.writes() == []


# What only tells more about what is known already: how a job failed, and where a ref may be mistaken.
FAILS: dict[str, t.Any] = {**MANUAL, "duration": 5, "outcome": "failed", "log": "no space left\n"}


@pytest.mark.parametrize("fault", ["error_500", "html_502", "reset_before"])
@pytest.mark.parametrize("count", [1, 8])
def test_a_failure_is_told_though_no_log_can_be_read(simulator: t.Any, fault: str, count: int) -> None:
    for is_gate in (True, False):
        simulator.load(world(*({"name": f"deploy-{number}", **FAILS} for number in range(count))))
        simulator.inject(fault, path="/trace$", nth=list(range(1, 5000)))
        how = {"name": ["deploy-*"], "action": "play", "multiple": "all"}
        if is_gate:
            result = release(simulator, {"gates": [how]}, wait_timeout=3600.0)
        else:
            result = run_task(simulator, ACTION, project="group/app", ref="main", wait=True, **how)
        assert str(result.failure).count("ended as failed (script_failure)") == count
        assert sum("cannot be read" in warning for warning in result.warnings) == count
        assert result.seconds < 300.0


def test_a_gate_has_passed_though_it_is_not_known_whether_its_ref_is_two(simulator: t.Any) -> None:
    simulator.load(world({"name": "test", "status": "success"}))
    simulator.inject("error_500", path="/pipelines$", nth=list(range(2, 5000)))
    result = release(simulator, {"gates": [{"name": "test", "action": "wait"}]})
    assert result.failure is None and result.seconds < 60.0
    assert "Whether a branch and a tag have the name of the ref could not be read" in result.warnings[0]


def test_jobs_downstream_are_there_though_their_pipeline_cannot_be_refreshed(simulator: t.Any) -> None:
    simulator.load(world({"name": "infra", "trigger": child({"name": "apply", "duration": 30})}))
    simulator.inject("error_500", path="/pipelines/100$", nth=list(range(1, 5000)))
    how = {"name": ["infra/apply"], "include_downstream": True, "wait": True}
    result = run_task(simulator, INFO, project="group/app", ref="main", **how)
    assert result.failure is None and result.seconds < 120.0
    assert "its last known state is returned" in result.warnings[-1]
    gate = {"name": "infra/apply", "action": "wait"}
    assert release(simulator, {"gates": [gate]}).failure is None


@pytest.mark.parametrize("task", [PIPELINE, PIPELINE_INFO])
def test_a_pipeline_has_ended_though_what_is_below_it_cannot_be_read(simulator: t.Any, task: t.Any) -> None:
    # one is tried again, the other is under way
    how = {"action": "retry"} if task is PIPELINE else {}
    simulator.load(world({"name": "test", "duration": 30, **({"status": "failed"} if how else {})}))
    simulator.inject("error_500", path="/(trigger_jobs|bridges)$", nth=list(range(1, 5000)))
    result = run_task(simulator, task, project="group/app", ref="main", wait=True, **how)
    assert (result.failure, result["pipeline"]["status"]) == (None, "success") and result.seconds < 120.0
    assert "The downstream pipelines cannot be read" in result.warnings[-1]


# A task that fails, the requests that would explain it better, and the words of its error without these.
UNEXPLAINED: dict[str, tuple[t.Any, dict[str, t.Any], str, str]] = {
    "a wrong name": (INFO, {"name": ["deplyo"]}, "/(trigger_jobs|bridges)$", "did you mean 'deploy'?"),
    "a refusal": (ACTION, {"name": ["deploy"], "action": "play"}, "/projects/(7|group%2Fapp)$", "403 Forbidden"),
}


@pytest.mark.parametrize("case", UNEXPLAINED)
def test_an_error_is_told_though_what_would_explain_it_cannot_be_read(simulator: t.Any, case: str) -> None:
    task, options, path, words = UNEXPLAINED[case]
    simulator.load(world({"name": "deploy", **MANUAL}))
    simulator.inject("error_500", path=path, nth=list(range(1, 5000)))
    simulator.inject(method="POST", status=403, body={"message": "403 Forbidden"})
    result = run_task(simulator, task, project="group/app", pipeline_id=100, wait=True, **options)
    assert words in str(result.failure) and result.seconds < 120.0
    assert simulator.effects() == []


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
