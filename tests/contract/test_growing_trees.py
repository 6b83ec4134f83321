# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trees of pipelines that still grow, and trigger jobs: a part is never mistaken for the whole."""

from __future__ import annotations

import typing as t
import urllib.request

import pytest

from tests.contract.gate_support import AT_ONCE, DEPLOY, PIPELINE, child
from tests.contract.test_release_gates import release
from tests.integration.harness import (
    ACTION,
    BRIDGES,
    INFO,
    TOKEN,
    effects,
    run_task,
    world,
)


def load_two_children(simulator: t.Any) -> None:
    simulator.load(
        world(
            {"name": "t1", "stage": "a", "trigger": child(DEPLOY)},
            {"name": "slow", "stage": "a", "status": "running", "duration": 10},
            {"name": "t2", "stage": "b", "trigger": child(DEPLOY)},
        )
    )
    simulator.advance(3)


def test_play_all_waits_for_children_that_do_not_exist_yet(simulator: t.Any) -> None:
    load_two_children(simulator)
    how = {"include_downstream": True, "action": "play", "multiple": "all", "wait": True, "wait_timeout": 60.0}
    result = run_task(simulator, ACTION, **PIPELINE, name=["**/deploy"], **how)
    assert result.failure is None and effects(simulator) == [("play", "deploy")] * 2


def test_ambiguous_name_is_refused_although_one_match_exists_first(simulator: t.Any) -> None:
    load_two_children(simulator)
    how = {"include_downstream": True, "action": "play", "wait": True, "wait_timeout": 60.0}
    result = run_task(simulator, ACTION, **PIPELINE, name=["deploy"], **how)
    assert "2 jobs match" in str(result.failure) and effects(simulator) == []


def test_verify_gate_fails_while_the_tree_is_incomplete(simulator: t.Any) -> None:
    done = child({"name": "deploy", "status": "success"})
    jobs = ({"name": "t1", "stage": "a", "trigger": done}, {"name": "m", "stage": "a", **AT_ONCE, "needs": None})
    simulator.load(world(*jobs, {"name": "t2", "stage": "b", "trigger": done}))
    simulator.advance(3)
    result = release(simulator, {"gates": [{"name": "**/deploy", "action": "verify"}]})
    assert "the pipeline may still create matching jobs" in str(result.failure)


@pytest.mark.parametrize("name", [None, ["**/c"], ["t/*"]])
def test_unplayed_optional_trigger_job_does_not_delay_a_wait(simulator: t.Any, name: list[str] | None) -> None:
    simulator.load(
        world(
            {"name": "t", "trigger": child({"name": "c"})},
            {"name": "u", "when": "manual", "trigger": child({"name": "c"})},
        )
    )
    how = {"include_downstream": True, "wait": True, "wait_for": ["success"], "wait_timeout": 60.0}
    result = run_task(simulator, INFO, **PIPELINE, name=name, **how)
    assert result.failure is None and result["timed_out"] is False


def test_unknown_downstream_name_is_an_error_at_once(simulator: t.Any) -> None:
    simulator.load(world({"name": "t", "trigger": child({"name": "c"})}, {"name": "u", **AT_ONCE, "trigger": child()}))
    simulator.advance(5)
    result = run_task(simulator, INFO, **PIPELINE, name=["t/d"], include_downstream=True, wait=True, wait_timeout=60.0)
    assert "did you mean 't/c'" in str(result.failure) and result.seconds < 5


def test_failed_downstream_creation_is_not_a_success(simulator: t.Any) -> None:
    fails = child({"name": "c"}, creation_fails="downstream_pipeline_creation_failed")
    simulator.load(world({"name": "a", "status": "success"}, {"name": "t", "trigger": fails}))
    how = {"include_downstream": True, "wait": True, "wait_for": ["success"], "wait_timeout": 60.0}
    assert "trigger job 't'" in str(run_task(simulator, INFO, **PIPELINE, **how).failure)


@pytest.mark.parametrize("chosen", [{"name": "**/deploy"}, {"stage": "live", "include_downstream": True}])
@pytest.mark.parametrize(("action", "job"), [("wait", {}), ("verify", {}), ("retry", {}), ("play", AT_ONCE)])
def test_gate_stays_closed_if_a_downstream_pipeline_was_not_created(
    simulator: t.Any, action: str, job: dict[str, t.Any], chosen: dict[str, t.Any]
) -> None:
    deploy = {"name": "deploy", "stage": "live", **(job or {"status": "success"})}
    fails = child(deploy, creation_fails="downstream_pipeline_creation_failed")
    simulator.load(world({"name": "t1", "trigger": child(deploy)}, {"name": "t2", "trigger": fails}))
    simulator.advance(10)
    gate = {**chosen, "action": action, "multiple": "all" if action in ("play", "retry") else None}
    for check_mode in (True, False):
        result = release(simulator, {"gates": [gate]}, check_mode=check_mode)
        assert "'t2', whose downstream jobs are selected, ended as failed (downstream_pipeline_" in str(result.failure)
        assert (result.changed, effects(simulator)) == (False, [])
    # a path says where the job is, and jobs that never existed need not end
    for other in ({"name": "t1/deploy", "action": "verify", "require": "playable"}, {**gate, "require": "finished"}):
        assert release(simulator, {"gates": [other]}, check_mode=True).failure is None


@pytest.mark.parametrize(
    ("gate", "checked", "run"),
    [
        ({"name": "**/deploy", "action": "wait"}, "would be waited for", "passed"),
        ({"name": "**/deploy", "action": "retry", "multiple": "all"}, "would be waited for", "passed"),
        ({"name": "t2/deploy", "action": "wait"}, "would be waited for", "passed"),
        ({"name": "**/deploy", "action": "verify"}, "failed", "failed"),
        ({"name": "t2/deploy", "action": "verify"}, "failed", "failed"),
    ],
)
def test_check_mode_predicts_gates_for_jobs_that_do_not_exist_yet(
    simulator: t.Any, gate: dict[str, t.Any], checked: str, run: str
) -> None:
    done = child({"name": "deploy", "status": "success"})
    slow = {"name": "slow", "stage": "a", "status": "running", "duration": 30}
    jobs = ({"name": "t1", "stage": "a", "trigger": done}, slow, {"name": "t2", "stage": "b", "trigger": done})
    simulator.load(world(*jobs, stages=["a", "b"]))
    simulator.advance(3)
    outcomes = [
        release(simulator, {"gates": [gate]}, check_mode=check_mode)["gates"][0]["outcome"]
        for check_mode in (True, False)
    ]
    assert outcomes == [checked, run]


@pytest.mark.parametrize("allow_empty", [False, True])
def test_trigger_job_selected_by_scope_stays_selected(simulator: t.Any, allow_empty: bool) -> None:
    good = child({"name": "c", "duration": 5}, strategy="depend")
    bad = child({"name": "c", "duration": 30, "outcome": "failed"}, strategy="depend")
    simulator.load(world({"name": "good", "trigger": good}, {"name": "bad", "trigger": bad}))
    simulator.advance(3)
    how = {"wait": True, "wait_for": ["success"], "wait_timeout": 300.0, "allow_empty": allow_empty}
    result = run_task(simulator, BRIDGES, **PIPELINE, scope=["running", "success"], **how)
    assert "trigger job 'bad' ended as failed" in str(result.failure)


@pytest.mark.parametrize("pipeline", [{"yaml_errors": "bad"}, {"status": "skipped"}])
def test_wait_for_trigger_jobs_of_an_ended_pipeline_fails_at_once(simulator: t.Any, pipeline: dict[str, t.Any]) -> None:
    simulator.load(world(**pipeline))
    result = run_task(simulator, BRIDGES, **PIPELINE, wait=True, wait_timeout=300.0)
    assert result.failure and result.seconds < 5 and pipeline.get("yaml_errors", "") in result.failure


def test_bridges_wait_ignores_optional_trigger_jobs(simulator: t.Any) -> None:
    simulator.load(
        world({"name": "u", "when": "manual", "trigger": child()}, {"name": "t", "trigger": child({"name": "c"})})
    )
    assert run_task(simulator, BRIDGES, **PIPELINE, wait=True, wait_timeout=60.0).failure is None


def test_string_with_commas_selects_a_trigger_job(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy: [aws, eu]", "trigger": child({"name": "c"})}))
    assert run_task(simulator, BRIDGES, **PIPELINE, name=["deploy: [aws", " eu]"]).failure is None


# Lists that are denied during a wait.
LISTS = ("jobs", "(bridges|trigger_jobs)")


def load_and_deny(simulator: t.Any, what: str, status: int, nth: list[int]) -> None:
    """Load a pipeline with a slow child pipeline, and deny one of its lists."""
    simulator.load(world({"name": "t", "trigger": child({"name": "deploy", "duration": 40})}, {"name": "other"}))
    body = {"message": {403: "403 Forbidden", 404: "404 Not found"}[status]}
    simulator.inject(method="GET", status=status, body=body, path=f"/pipelines/101/{what}$", nth=nth)


@pytest.mark.parametrize("name", ["t/deploy", "**/deploy"])
@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("nth", [[4], [4, 5, 6]])
@pytest.mark.parametrize("what", LISTS)
def test_brief_denial_of_a_child_pipeline_does_not_end_a_wait(
    simulator: t.Any, what: str, nth: list[int], status: int, name: str
) -> None:
    how = {"name": [name], "include_downstream": True, "wait": True, "wait_for": ["success"]}
    load_and_deny(simulator, what, status, nth)
    result = run_task(simulator, INFO, **PIPELINE, **how)
    assert (result.failure, result["summary"]) == (None, {"success": 1})
    load_and_deny(simulator, what, status, nth)
    result = release(simulator, {"gates": [{"name": name, "action": "wait"}]})
    assert (result.failure, result["gates"][0]["outcome"]) == (None, "passed")


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize(("first", "seconds"), [(1, 0.0), (4, 10.0)])
def test_lasting_denial_of_a_child_pipeline_ends_a_wait(
    simulator: t.Any, what: str, first: int, seconds: float
) -> None:
    load_and_deny(simulator, what, 403, list(range(first, 5000)))
    result = run_task(simulator, INFO, **PIPELINE, name=["t/deploy"], include_downstream=True, wait=True)
    assert "The token cannot read the downstream pipelines of 't'" in str(result.failure)
    assert seconds <= result.seconds < seconds + 8.0


@pytest.mark.parametrize("concurrency", [1, 8])
def test_denial_of_unrelated_children_does_not_end_a_wait(simulator: t.Any, concurrency: int) -> None:
    others = [{"name": f"other-{number}", "trigger": child({"name": "long", "duration": 500})} for number in range(3)]
    simulator.load(world({"name": "t", "trigger": child({"name": "deploy", "duration": 60})}, *others))
    # the other children are pipelines 102 to 104
    denial = {"method": "GET", "status": 403, "body": {"message": "403 Forbidden"}}
    simulator.inject(**denial, path="/pipelines/10[2-4]/", nth=list(range(13, 5000)))
    how = {"name": ["t/deploy"], "include_downstream": True, "wait": True, "api_concurrency": concurrency}
    result = run_task(simulator, INFO, **PIPELINE, **how)
    assert (result.failure, result["summary"]) == (None, {"success": 1}) and result.seconds > 60.0


def test_wait_includes_a_grandchild_despite_a_denied_child(simulator: t.Any) -> None:
    below = child({"name": "long", "duration": 60})
    simulator.load(world({"name": "t", "trigger": child({"name": "deploy"}, {"name": "u", "trigger": below})}))
    denial = {"method": "GET", "status": 403, "body": {"message": "403 Forbidden"}}
    simulator.inject(**denial, path="/pipelines/101/(bridges|trigger_jobs)$", nth=[12, 13, 14])
    result = run_task(simulator, BRIDGES, **PIPELINE, depth=0, wait=True)
    assert result.failure is None and result.seconds > 60.0


@pytest.mark.parametrize("action", ["wait", "verify", "info"])
def test_child_without_listed_jobs_yet_is_not_taken_as_empty(simulator: t.Any, action: str) -> None:
    plan = {"name": "plan", "outcome": "failed", "duration": 30}
    simulator.load(world({"name": "unit", "status": "success"}, {"name": "infra", "trigger": child(plan)}))
    simulator.advance(2)
    # the database replica lags
    simulator.inject(kind="wrong_json", body=[], path=r"/pipelines/(?!100/)\d+/jobs$", nth=[1])
    tests = {"stage": ["test"], "include_downstream": True}
    if action == "info":
        result = run_task(simulator, INFO, **PIPELINE, **tests, wait=True, wait_for=["success"], wait_timeout=60.0)
    else:
        result = release(simulator, {"gates": [{**tests, "action": action}]}, wait_timeout=60.0)
    words = "the pipeline may still create matching jobs" if action == "verify" else "ended as failed (script_failure)"
    assert words in str(result.failure)


@pytest.mark.parametrize("is_gate", [True, False])
@pytest.mark.parametrize("what", ["/100/trigger_jobs$", r"/(?!100/)\d+/jobs$"])
def test_jobs_missing_from_a_stale_list_are_not_forgotten(simulator: t.Any, what: str, is_gate: bool) -> None:
    """Reading from a lagging replica does not end a wait."""
    plan = {"name": "plan", "outcome": "failed", "duration": 30}
    simulator.load(world({"name": "unit", "duration": 5}, {"name": "infra", "trigger": child(plan)}), version="19.2")
    simulator.advance(2)
    simulator.inject(kind="wrong_json", body=[], path=what, nth=list(range(4, 6)))
    tests = {"stage": ["test"], "include_downstream": True}
    if is_gate:
        result = release(simulator, {"gates": [{**tests, "action": "wait"}]}, wait_timeout=60.0)
    else:
        result = run_task(simulator, INFO, **PIPELINE, **tests, wait=True, wait_for=["success"], wait_timeout=60.0)
    assert "job 'infra/plan'" in str(result.failure) and "ended as failed" in str(result.failure)


def test_trigger_job_missing_from_a_stale_list_is_not_forgotten(simulator: t.Any) -> None:
    failing = {"strategy": "depend", "pipeline": {"jobs": [{"name": "plan", "outcome": "failed", "duration": 30}]}}
    simulator.load(world({"name": "unit", "duration": 5}, {"name": "infra", "trigger": failing}), version="19.2")
    simulator.inject(kind="wrong_json", body=[], path="/100/trigger_jobs$", nth=list(range(4, 8)))
    result = release(simulator, {"gates": [{"stage": "test", "action": "wait"}]}, wait_timeout=60.0)
    assert "job 'infra'" in str(result.failure) and "ended as failed" in str(result.failure)


@pytest.mark.parametrize("action", ["wait", "verify", "info"])
def test_deleted_child_pipeline_is_a_failure(simulator: t.Any, action: str) -> None:
    plan = {"name": "plan", "outcome": "failed", "duration": 30}
    scenario = world({"name": "unit", "status": "success"}, {"name": "infra", "trigger": child(plan)})
    scenario["projects"][0]["members"]["alice"] = "owner"
    simulator.load(scenario)
    simulator.advance(2)
    request = urllib.request.Request(
        f"{simulator.url}/api/v4/projects/7/pipelines/101", method="DELETE", headers={"PRIVATE-TOKEN": TOKEN}
    )
    urllib.request.urlopen(request).close()
    tests = {"stage": ["test"], "include_downstream": True}
    if action == "info":
        result = run_task(simulator, INFO, **PIPELINE, **tests, wait=True, wait_for=["success"], wait_timeout=60.0)
    else:
        result = release(simulator, {"gates": [{**tests, "action": action}]}, wait_timeout=60.0)
    assert "'infra', whose downstream jobs are selected, ended as success, but GitLab lists no" in str(result.failure)
