# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trees of pipelines that still grow, and trigger jobs: a part is never mistaken for the whole."""

from __future__ import annotations

import typing as t
import urllib.request

import pytest

from tests.contract.gate_support import AT_ONCE, DEPLOY, child
from tests.contract.gate_support import PIPELINE as THIS
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


def two_children(simulator: t.Any) -> None:
    simulator.load(
        world(
            {"name": "t1", "stage": "a", "trigger": child(DEPLOY)},
            {"name": "slow", "stage": "a", "status": "running", "duration": 10},
            {"name": "t2", "stage": "b", "trigger": child(DEPLOY)},
        )
    )
    simulator.advance(3)


def test_all_of_a_tree_are_played_not_those_that_exist_first(simulator: t.Any) -> None:
    two_children(simulator)
    how = {"include_downstream": True, "action": "play", "multiple": "all", "wait": True, "wait_timeout": 60.0}
    result = run_task(simulator, ACTION, **THIS, name=["**/deploy"], **how)
    assert result.failure is None and effects(simulator) == [("play", "deploy")] * 2


def test_two_of_equal_rank_are_two_whichever_exists_first(simulator: t.Any) -> None:
    two_children(simulator)
    how = {"include_downstream": True, "action": "play", "wait": True, "wait_timeout": 60.0}
    result = run_task(simulator, ACTION, **THIS, name=["deploy"], **how)
    assert "2 jobs match" in str(result.failure) and effects(simulator) == []


def test_a_gate_does_not_verify_a_part(simulator: t.Any) -> None:
    done = child({"name": "deploy", "status": "success"})
    jobs = ({"name": "t1", "stage": "a", "trigger": done}, {"name": "m", "stage": "a", **AT_ONCE, "needs": None})
    simulator.load(world(*jobs, {"name": "t2", "stage": "b", "trigger": done}))
    simulator.advance(3)
    result = release(simulator, {"gates": [{"name": "**/deploy", "action": "verify"}]})
    assert "the pipeline may still create matching jobs" in str(result.failure)


@pytest.mark.parametrize("name", [None, ["**/c"], ["t/*"]])
def test_an_optional_trigger_job_holds_nothing_up(simulator: t.Any, name: list[str] | None) -> None:
    simulator.load(
        world(
            {"name": "t", "trigger": child({"name": "c"})},
            {"name": "u", "when": "manual", "trigger": child({"name": "c"})},
        )
    )
    how = {"include_downstream": True, "wait": True, "wait_for": ["success"], "wait_timeout": 60.0}
    result = run_task(simulator, INFO, **THIS, name=name, **how)
    assert result.failure is None and result["timed_out"] is False


def test_a_wrong_name_below_a_trigger_job_is_an_error_at_once(simulator: t.Any) -> None:
    simulator.load(world({"name": "t", "trigger": child({"name": "c"})}, {"name": "u", **AT_ONCE, "trigger": child()}))
    simulator.advance(5)
    result = run_task(simulator, INFO, **THIS, name=["t/d"], include_downstream=True, wait=True, wait_timeout=60.0)
    assert "did you mean 't/c'" in str(result.failure) and result.seconds < 5


def test_what_could_not_be_started_is_no_success(simulator: t.Any) -> None:
    fails = child({"name": "c"}, creation_fails="downstream_pipeline_creation_failed")
    simulator.load(world({"name": "a", "status": "success"}, {"name": "t", "trigger": fails}))
    how = {"include_downstream": True, "wait": True, "wait_for": ["success"], "wait_timeout": 60.0}
    assert "trigger job 't'" in str(run_task(simulator, INFO, **THIS, **how).failure)


@pytest.mark.parametrize("chosen", [{"name": "**/deploy"}, {"stage": "live", "include_downstream": True}])
@pytest.mark.parametrize(("action", "job"), [("wait", {}), ("verify", {}), ("retry", {}), ("play", AT_ONCE)])
def test_no_gate_opens_without_the_jobs_of_what_could_not_be_started(
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
def test_check_mode_knows_what_is_to_come_and_what_waits_for_it(
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
def test_a_trigger_job_chosen_by_scope_stays_chosen(simulator: t.Any, allow_empty: bool) -> None:
    good = child({"name": "c", "duration": 5}, strategy="depend")
    bad = child({"name": "c", "duration": 30, "outcome": "failed"}, strategy="depend")
    simulator.load(world({"name": "good", "trigger": good}, {"name": "bad", "trigger": bad}))
    simulator.advance(3)
    how = {"wait": True, "wait_for": ["success"], "wait_timeout": 300.0, "allow_empty": allow_empty}
    result = run_task(simulator, BRIDGES, **THIS, scope=["running", "success"], **how)
    assert "trigger job 'bad' ended as failed" in str(result.failure)


@pytest.mark.parametrize("pipeline", [{"yaml_errors": "bad"}, {"status": "skipped"}])
def test_no_trigger_job_comes_to_an_ended_pipeline(simulator: t.Any, pipeline: dict[str, t.Any]) -> None:
    simulator.load(world(**pipeline))
    result = run_task(simulator, BRIDGES, **THIS, wait=True, wait_timeout=300.0)
    assert result.failure and result.seconds < 5 and pipeline.get("yaml_errors", "") in result.failure


def test_an_optional_trigger_job_is_not_waited_for(simulator: t.Any) -> None:
    simulator.load(
        world({"name": "u", "when": "manual", "trigger": child()}, {"name": "t", "trigger": child({"name": "c"})})
    )
    assert run_task(simulator, BRIDGES, **THIS, wait=True, wait_timeout=60.0).failure is None


def test_a_text_with_commas_is_a_trigger_job(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy: [aws, eu]", "trigger": child({"name": "c"})}))
    assert run_task(simulator, BRIDGES, **THIS, name=["deploy: [aws", " eu]"]).failure is None


# Lists that are denied during a wait.
LISTS = ("jobs", "(bridges|trigger_jobs)")


def denied(simulator: t.Any, what: str, status: int, nth: list[int]) -> None:
    """Load a pipeline with a slow child pipeline, and deny one of its lists."""
    simulator.load(world({"name": "t", "trigger": child({"name": "deploy", "duration": 40})}, {"name": "other"}))
    body = {"message": {403: "403 Forbidden", 404: "404 Not found"}[status]}
    simulator.inject(method="GET", status=status, body=body, path=f"/pipelines/101/{what}$", nth=nth)


@pytest.mark.parametrize("name", ["t/deploy", "**/deploy"])
@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("nth", [[4], [4, 5, 6]])
@pytest.mark.parametrize("what", LISTS)
def test_a_child_that_is_denied_for_a_moment_does_not_end_a_wait(
    simulator: t.Any, what: str, nth: list[int], status: int, name: str
) -> None:
    how = {"name": [name], "include_downstream": True, "wait": True, "wait_for": ["success"]}
    denied(simulator, what, status, nth)
    result = run_task(simulator, INFO, **THIS, **how)
    assert (result.failure, result["summary"]) == (None, {"success": 1})
    denied(simulator, what, status, nth)
    result = release(simulator, {"gates": [{"name": name, "action": "wait"}]})
    assert (result.failure, result["gates"][0]["outcome"]) == (None, "passed")


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize(("first", "seconds"), [(1, 0.0), (4, 10.0)])
def test_a_child_that_is_denied_for_good_ends_a_wait(simulator: t.Any, what: str, first: int, seconds: float) -> None:
    denied(simulator, what, 403, list(range(first, 5000)))
    result = run_task(simulator, INFO, **THIS, name=["t/deploy"], include_downstream=True, wait=True)
    assert "The token cannot read the downstream pipelines of 't'" in str(result.failure)
    assert seconds <= result.seconds < seconds + 8.0


@pytest.mark.parametrize("concurrency", [1, 8])
def test_children_that_a_wait_is_not_for_may_be_closed_meanwhile(simulator: t.Any, concurrency: int) -> None:
    others = [{"name": f"other-{number}", "trigger": child({"name": "long", "duration": 500})} for number in range(3)]
    simulator.load(world({"name": "t", "trigger": child({"name": "deploy", "duration": 60})}, *others))
    # the other children are pipelines 102 to 104
    denial = {"method": "GET", "status": 403, "body": {"message": "403 Forbidden"}}
    simulator.inject(**denial, path="/pipelines/10[2-4]/", nth=list(range(13, 5000)))
    how = {"name": ["t/deploy"], "include_downstream": True, "wait": True, "api_concurrency": concurrency}
    result = run_task(simulator, INFO, **THIS, **how)
    assert (result.failure, result["summary"]) == (None, {"success": 1}) and result.seconds > 60.0


def test_a_grandchild_is_not_overlooked_while_a_child_is_denied(simulator: t.Any) -> None:
    below = child({"name": "long", "duration": 60})
    simulator.load(world({"name": "t", "trigger": child({"name": "deploy"}, {"name": "u", "trigger": below})}))
    denial = {"method": "GET", "status": 403, "body": {"message": "403 Forbidden"}}
    simulator.inject(**denial, path="/pipelines/101/(bridges|trigger_jobs)$", nth=[12, 13, 14])
    result = run_task(simulator, BRIDGES, **THIS, depth=0, wait=True)
    assert result.failure is None and result.seconds > 60.0


@pytest.mark.parametrize("action", ["wait", "verify", "info"])
def test_a_child_that_shows_no_jobs_yet_is_not_a_tree_without_them(simulator: t.Any, action: str) -> None:
    plan = {"name": "plan", "outcome": "failed", "duration": 30}
    simulator.load(world({"name": "unit", "status": "success"}, {"name": "infra", "trigger": child(plan)}))
    simulator.advance(2)
    # the database replica lags
    simulator.inject(kind="wrong_json", body=[], path=r"/pipelines/(?!100/)\d+/jobs$", nth=[1])
    tests = {"stage": ["test"], "include_downstream": True}
    if action == "info":
        result = run_task(simulator, INFO, **THIS, **tests, wait=True, wait_for=["success"], wait_timeout=60.0)
    else:
        result = release(simulator, {"gates": [{**tests, "action": action}]}, wait_timeout=60.0)
    words = "the pipeline may still create matching jobs" if action == "verify" else "ended as failed (script_failure)"
    assert words in str(result.failure)


@pytest.mark.parametrize("is_gate", [True, False])
@pytest.mark.parametrize("what", ["/100/trigger_jobs$", r"/(?!100/)\d+/jobs$"])
def test_what_was_there_before_does_not_vanish(simulator: t.Any, what: str, is_gate: bool) -> None:
    """Reading from a lagging replica does not end a wait."""
    plan = {"name": "plan", "outcome": "failed", "duration": 30}
    simulator.load(world({"name": "unit", "duration": 5}, {"name": "infra", "trigger": child(plan)}), version="19.2")
    simulator.advance(2)
    simulator.inject(kind="wrong_json", body=[], path=what, nth=list(range(4, 6)))
    tests = {"stage": ["test"], "include_downstream": True}
    if is_gate:
        result = release(simulator, {"gates": [{**tests, "action": "wait"}]}, wait_timeout=60.0)
    else:
        result = run_task(simulator, INFO, **THIS, **tests, wait=True, wait_for=["success"], wait_timeout=60.0)
    assert "job 'infra/plan'" in str(result.failure) and "ended as failed" in str(result.failure)


def test_a_trigger_job_that_was_there_before_is_not_overlooked(simulator: t.Any) -> None:
    failing = {"strategy": "depend", "pipeline": {"jobs": [{"name": "plan", "outcome": "failed", "duration": 30}]}}
    simulator.load(world({"name": "unit", "duration": 5}, {"name": "infra", "trigger": failing}), version="19.2")
    simulator.inject(kind="wrong_json", body=[], path="/100/trigger_jobs$", nth=list(range(4, 8)))
    result = release(simulator, {"gates": [{"stage": "test", "action": "wait"}]}, wait_timeout=60.0)
    assert "job 'infra'" in str(result.failure) and "ended as failed" in str(result.failure)


@pytest.mark.parametrize("action", ["wait", "verify", "info"])
def test_a_child_that_was_deleted_is_not_a_tree_without_it(simulator: t.Any, action: str) -> None:
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
        result = run_task(simulator, INFO, **THIS, **tests, wait=True, wait_for=["success"], wait_timeout=60.0)
    else:
        result = release(simulator, {"gates": [{**tests, "action": action}]}, wait_timeout=60.0)
    assert "'infra', whose downstream jobs are selected, ended as success, but GitLab lists no" in str(result.failure)
