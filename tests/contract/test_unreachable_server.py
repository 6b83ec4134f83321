# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that goes away for the rest of a wait: a timeout like any other."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.gate_support import MANUAL, child
from tests.contract.test_release_gates import release
from tests.integration.harness import ACTION, BRIDGES, INFO, PIPELINE, PIPELINE_INFO, run_task, world

# Each task finds its pipeline first, because tasks do not wait for a server that has never answered. Each message says
# what the task waited for, or the status of a pipeline that was found before.
MAIN = "pipeline of ref main in project group/app"
TASKS: dict[str, tuple[t.Any, dict[str, t.Any], str]] = {
    "info": (INFO, {"name": ["deploy"]}, f", waiting for job 'deploy' in the {MAIN}: GitLab says "),
    "action": (
        ACTION,
        {"name": ["deploy"], "action": "play"},
        f", waiting for job 'deploy' in the {MAIN}: GitLab says ",
    ),
    "bridges": (BRIDGES, {}, f", waiting for trigger jobs of the {MAIN}: GitLab says "),
    "pipeline info": (PIPELINE_INFO, {}, ": pipeline 100 is still manual"),
    "retry of a pipeline": (PIPELINE, {"action": "retry"}, f", waiting for the {MAIN}: GitLab says "),
    "cancel of a pipeline": (PIPELINE, {"action": "cancel"}, f", waiting for the {MAIN}: GitLab says "),
}


@pytest.mark.parametrize("on_timeout", ["fail", "continue"])
@pytest.mark.parametrize("case", TASKS)
def test_wait_times_out_on_an_unreachable_server(simulator: t.Any, case: str, on_timeout: str) -> None:
    simulator.load(world({"name": "deploy", **MANUAL, "duration": 5}))
    simulator.inject("error_500", nth=list(range(2, 5000)))
    task, options, words = TASKS[case]
    how = {"wait": True, "wait_timeout": 60.0, "on_timeout": on_timeout}
    result = run_task(simulator, task, project="group/app", ref="main", **options, **how)
    assert result.values["timed_out"] is True
    assert result.values["elapsed"] == result.seconds == pytest.approx(60.0, abs=0.1)
    texts = [result.failure or "", *result.warnings]
    # with `continue`, the status of a known pipeline is enough
    if (case, on_timeout) != ("pipeline info", "continue"):
        assert any(text.startswith(f"timed out after 60 s (wait_timeout){words}") for text in texts)
    assert any('GitLab says "500 Internal Server Error"' in text for text in texts)
    assert bool(result.failure) == (on_timeout == "fail")
    assert not result.changed and simulator.writes() == []


# What each task sends, and its message if that could not be sent.
WRITES: dict[str, tuple[t.Any, dict[str, t.Any], str]] = {
    "play": (ACTION, {"name": ["deploy"], "action": "play"}, "(wait_timeout): it is still manual, and GitLab says"),
    "retry": (PIPELINE, {"action": "retry"}, "(wait_timeout): pipeline 100 is still failed, and GitLab says"),
    "run": (PIPELINE, {"action": "run"}, "(wait_timeout), waiting for a new pipeline of ref main in project"),
}


@pytest.mark.parametrize("on_timeout", ["fail", "continue"])
@pytest.mark.parametrize("case", WRITES)
def test_write_times_out_while_the_server_throttles_it(simulator: t.Any, case: str, on_timeout: str) -> None:
    task, options, words = WRITES[case]
    job = {"name": "deploy", "status": "failed"} if case == "retry" else {"name": "deploy", **MANUAL}
    simulator.load(world(job))
    simulator.inject("throttle_bare", method="POST")
    how = {
        "wait": True,
        "wait_timeout": 60.0,
        "on_timeout": on_timeout,
        **({"reuse": "never"} if case == "run" else {}),
    }
    result = run_task(simulator, task, project="group/app", ref="main", **options, **how)
    assert (result.values["timed_out"], result.changed, simulator.effects()) == (True, False, [])
    assert result.values["elapsed"] == result.seconds == pytest.approx(60.0, abs=0.1)
    assert (words in str(result.failure)) == bool(result.failure) == (on_timeout == "fail")


# Details that only explain a known result: why a job failed, and where a ref may be wrong.
FAILING: dict[str, t.Any] = {**MANUAL, "duration": 5, "outcome": "failed", "log": "no space left\n"}


@pytest.mark.parametrize("fault", ["error_500", "html_502", "reset_before"])
@pytest.mark.parametrize("count", [1, 8])
def test_failure_is_reported_if_no_log_can_be_read(simulator: t.Any, fault: str, count: int) -> None:
    for is_gate in (True, False):
        simulator.load(world(*({"name": f"deploy-{number}", **FAILING} for number in range(count))))
        simulator.inject(fault, path="/trace$", nth=list(range(1, 5000)))
        how = {"name": ["deploy-*"], "action": "play", "multiple": "all"}
        if is_gate:
            result = release(simulator, {"gates": [how]}, wait_timeout=3600.0)
        else:
            result = run_task(simulator, ACTION, project="group/app", ref="main", wait=True, **how)
        assert str(result.failure).count("ended as failed (script_failure)") == count
        assert sum("cannot be read" in warning for warning in result.warnings) == count
        assert result.seconds < 300.0


def test_gate_passes_if_the_check_for_an_ambiguous_ref_fails(simulator: t.Any) -> None:
    simulator.load(world({"name": "test", "status": "success"}))
    simulator.inject("error_500", path="/pipelines$", nth=list(range(2, 5000)))
    result = release(simulator, {"gates": [{"name": "test", "action": "wait"}]})
    assert result.failure is None and result.seconds < 60.0
    assert "Could not check whether a branch and a tag have the name of the ref" in result.warnings[0]


def test_downstream_jobs_are_returned_if_the_pipeline_is_unreadable(simulator: t.Any) -> None:
    simulator.load(world({"name": "infra", "trigger": child({"name": "apply", "duration": 30})}))
    simulator.inject("error_500", path="/pipelines/100$", nth=list(range(1, 5000)))
    how = {"name": ["infra/apply"], "include_downstream": True, "wait": True}
    result = run_task(simulator, INFO, project="group/app", ref="main", **how)
    assert result.failure is None and result.seconds < 120.0
    assert "returning its last known state" in result.warnings[-1]
    gate = {"name": "infra/apply", "action": "wait"}
    assert release(simulator, {"gates": [gate]}).failure is None


@pytest.mark.parametrize("task", [PIPELINE, PIPELINE_INFO])
def test_pipeline_end_is_reported_if_downstream_is_unreadable(simulator: t.Any, task: t.Any) -> None:
    # the first task retries a failed pipeline, the second one reads a running pipeline
    how = {"action": "retry"} if task is PIPELINE else {}
    simulator.load(world({"name": "test", "duration": 30, **({"status": "failed"} if how else {})}))
    simulator.inject("error_500", path="/(trigger_jobs|bridges)$", nth=list(range(1, 5000)))
    result = run_task(simulator, task, project="group/app", ref="main", wait=True, **how)
    assert (result.failure, result["pipeline"]["status"]) == (None, "success") and result.seconds < 120.0
    assert "The downstream pipelines of the pipeline cannot be read" in result.warnings[-1]


# A task that fails, the requests that would explain the error, and the words of the error without them.
UNEXPLAINED: dict[str, tuple[t.Any, dict[str, t.Any], str, str]] = {
    "a wrong name": (INFO, {"name": ["deplyo"]}, "/(trigger_jobs|bridges)$", "did you mean 'deploy'?"),
    "a refusal": (ACTION, {"name": ["deploy"], "action": "play"}, "/projects/(7|group%2Fapp)$", "403 Forbidden"),
}


@pytest.mark.parametrize("case", UNEXPLAINED)
def test_error_is_reported_if_its_explanation_is_unreadable(simulator: t.Any, case: str) -> None:
    task, options, path, words = UNEXPLAINED[case]
    simulator.load(world({"name": "deploy", **MANUAL}))
    simulator.inject("error_500", path=path, nth=list(range(1, 5000)))
    simulator.inject(method="POST", status=403, body={"message": "403 Forbidden"})
    result = run_task(simulator, task, project="group/app", pipeline_id=100, wait=True, **options)
    assert words in str(result.failure) and result.seconds < 120.0
    assert simulator.effects() == []


# What each task also reads after its wait.
READ_AFTER_WAIT: dict[str, tuple[t.Any, dict[str, t.Any]]] = {
    "info": (INFO, {"log_lines": 5}),
    "bridges": (BRIDGES, {"include_jobs": True}),
    "pipeline info": (PIPELINE_INFO, {"include": ["variables", "test_report", "downstream", "jobs"]}),
}


@pytest.mark.parametrize("on_timeout", ["fail", "continue"])
@pytest.mark.parametrize("case", READ_AFTER_WAIT)
def test_last_known_state_is_returned_after_the_server_is_lost(simulator: t.Any, case: str, on_timeout: str) -> None:
    child = {"jobs": [{"name": "test", "queue": 0, "duration": 500}]}
    jobs = ({"name": "deploy", "queue": 0, "duration": 500}, {"name": "tests", "trigger": {"pipeline": child}})
    simulator.load(world(*jobs))
    simulator.advance(5)
    task, options = READ_AFTER_WAIT[case]
    how = {"wait": True, "wait_timeout": 60.0, "on_timeout": on_timeout}
    # the first poll of each task ends before the fifth request
    simulator.inject("error_500", nth=list(range(5, 5000)))
    result = run_task(simulator, task, project="group/app", pipeline_id=100, **options, **how)
    assert (result.values["timed_out"], result.values["elapsed"]) == (True, pytest.approx(60.0, abs=0.1))
    assert result.values["pipeline"]["id"] == 100
    assert result.values["summary"] == ({"success": 1} if case == "bridges" else {"running": 1})
    assert any("Could not refresh the state before the timeout" in text for text in result.warnings)
    assert bool(result.failure) == (on_timeout == "fail")


# What each task also reads after success, and the path that fails until the timeout.
READ_AFTER_SUCCESS: dict[str, tuple[t.Any, dict[str, t.Any], str]] = {
    "bridges": (BRIDGES, {"include_jobs": True}, "/pipelines/101/jobs$"),
    "pipeline info": (PIPELINE_INFO, {"include": ["variables"]}, "/variables$"),
}


@pytest.mark.parametrize("case", READ_AFTER_SUCCESS)
def test_success_is_reported_if_details_are_unreadable_until_timeout(simulator: t.Any, case: str) -> None:
    simulator.load(world({"name": "tests", "trigger": child({"name": "test", "duration": 5})}))
    task, options, path = READ_AFTER_SUCCESS[case]
    simulator.inject("error_500", path=path)
    how = {"wait": True, "wait_timeout": 60.0}
    result = run_task(simulator, task, project="group/app", pipeline_id=100, **options, **how)
    assert (result.failure, result.values["timed_out"], result.seconds < 62.0) == (None, False, True)
    assert 'GitLab says "500 Internal Server Error"' in result.warnings[-1]
    # the failure has nothing to do with roles
    assert "Maintainer" not in result.warnings[-1]
