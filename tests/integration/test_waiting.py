# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting against the simulator, whose clock moves only while the task pauses."""

from __future__ import annotations

import typing as t

import pytest

from tests.unit.harness import Progress

from .harness import ACTION, BRIDGES, INFO, effects, run_task, world

PIPELINE: dict[str, t.Any] = {"project": "group/app", "pipeline_id": 100, "wait": True}


def test_waiting_for_jobs_requests_only_lists_of_jobs(simulator: t.Any) -> None:
    simulator.load(world(*({"name": f"job {n}", "duration": 10 * n} for n in range(1, 6))))
    result = run_task(simulator, INFO, **PIPELINE, wait_for=["success"])
    assert result.failure is None
    assert result["summary"] == {"success": 5}
    assert 50 <= result.seconds <= 70
    assert {request["path"].rpartition("/")[2] for request in simulator.requests()} == {"jobs"}
    changes = [(entry["from"], entry["to"]) for entry in result["timeline"] if entry["name"] == "job 5"]
    assert changes[-1] == ("running", "success")


def test_list_of_several_pages_shows_no_progress(simulator: t.Any) -> None:
    simulator.load(world({"generate": {"count": 150, "name": "job {n}", "queue": 0, "duration": 600}}))
    progress = Progress(is_shown=True)
    result = run_task(simulator, INFO, **PIPELINE, progress=progress)
    assert result.seconds > 600 and len(progress.lines) == 150
    assert progress.others == ["group/app: still waiting for 150 jobs, 5 min so far"]


@pytest.mark.parametrize(
    ("target", "status"),
    [("playable", "manual"), ("started", "running"), ("finished", "failed"), ("running", "running")],
)
def test_each_wait_for_target_ends_the_wait(simulator: t.Any, target: str, status: str) -> None:
    deploy = {"name": "deploy", "stage": "b", "when": "manual", "allow_failure": False}
    simulator.load(
        world(
            {"name": "build", "stage": "a", "queue": 10, "duration": 20, "outcome": "failed", "allow_failure": True},
            deploy,
        )
    )
    name = "deploy" if target == "playable" else "build"
    result = run_task(simulator, INFO, **PIPELINE, name=[name], wait_for=[target], wait_interval=1.0)
    assert result.failure is None
    assert result["job"]["status"] == status


def test_unreachable_status_ends_the_wait(simulator: t.Any) -> None:
    simulator.load(world({"name": "test", "duration": 5, "outcome": "failed"}, {"name": "long", "duration": 5000}))
    result = run_task(simulator, INFO, **PIPELINE, wait_for=["success"])
    assert "'test'" in str(result.failure) and "can no longer become success" in str(result.failure)
    assert result.seconds < 30
    assert result["jobs"]


@pytest.mark.parametrize(("on_timeout", "fails"), [("fail", True), ("continue", False)])
def test_wait_ends_at_wait_timeout(simulator: t.Any, on_timeout: str, fails: bool) -> None:
    simulator.load(world({"name": "endless", "outcome": "hang"}))
    result = run_task(simulator, INFO, **PIPELINE, wait_timeout=90.0, on_timeout=on_timeout)
    assert result["timed_out"] is True
    assert (result.failure is not None) is fails
    assert result.seconds == pytest.approx(90.0, abs=1.0)


def test_timeout_cancels_the_played_job(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", "when": "manual", "outcome": "hang"}))
    result = run_task(
        simulator, ACTION, **PIPELINE, name=["deploy"], action="play", wait_timeout=30.0, on_timeout="cancel"
    )
    assert effects(simulator) == [("play", "deploy"), ("cancel", "deploy")]
    assert result.changed and result["timed_out"] and " was canceled" in str(result.failure)


def test_failed_job_shows_its_log(simulator: t.Any) -> None:
    log = "section_start:1:x\r\x1b[0K\x1b[32;1m$ make\x1b[0;m\nsection_end:1:x\r\x1b[0K\nERROR: exit 1\n"
    simulator.load(world({"name": "deploy", "when": "manual", "outcome": "failed", "log": log}))
    result = run_task(simulator, ACTION, **PIPELINE, name=["deploy"], action="play")
    assert str(result.failure).endswith("Its log ends with: ERROR: exit 1")
    assert result["jobs"][0]["log_tail"] == ["$ make", "", "ERROR: exit 1"]
    assert result.changed and result["results"][0]["outcome"] == "failed"


def test_allowed_failures_fail_the_task_unless_ignored(simulator: t.Any) -> None:
    for ignored in (False, True):
        # a manual job is allowed to fail unless its configuration says otherwise
        simulator.load(world({"name": "deploy", "when": "manual", "outcome": "failed"}))
        result = run_task(
            simulator, ACTION, **PIPELINE, name=["deploy"], action="play", ignore_allowed_failures=ignored, log_lines=0
        )
        assert (result.failure is None) is ignored


def test_failed_job_is_retried_up_to_max_attempts(simulator: t.Any) -> None:
    failed = {"outcome": "failed", "failure_reason": "runner_system_failure"}
    for attempts, max_attempts, fails in (([failed, failed, {"outcome": "success"}], 3, False), ([failed], 3, True)):
        simulator.load(world({"name": "deploy", "when": "manual", "attempts": attempts}))
        result = run_task(
            simulator,
            ACTION,
            **PIPELINE,
            name=["deploy"],
            action="play",
            max_attempts=max_attempts,
            retry_on=["runner_system_failure"],
        )
        assert (result.failure is not None) is fails
        assert effects(simulator) == [("play", "deploy"), ("retry", "deploy"), ("retry", "deploy")]
    again = run_task(simulator, ACTION, **PIPELINE, name=["deploy"], action="retry", max_attempts=3)
    assert "already had 3 attempts" in str(again.failure)
    assert len(effects(simulator)) == 3


def test_retry_by_another_user_is_followed(simulator: t.Any) -> None:
    simulator.load(
        world({"name": "deploy", "attempts": [{"outcome": "failed"}, {"outcome": "success", "duration": 50}]})
    )
    simulator.advance(30)
    old_id = simulator.job("deploy")["id"]
    simulator.act_as_somebody_else("retry", "deploy")
    result = run_task(simulator, INFO, project="group/app", job_id=old_id, wait=True, wait_for=["success"])
    assert result.failure is None
    assert result["job"]["id"] > old_id and result["job"]["status"] == "success"


def test_missing_pipelines_and_child_jobs_are_waited_for(simulator: t.Any) -> None:
    child = {"jobs": [{"name": "apply", "duration": 5}]}
    simulator.load(
        world(
            {"name": "build", "stage": "a", "duration": 40},
            {"name": "infra", "stage": "b", "trigger": {"pipeline": child}},
        )
    )
    options = {**PIPELINE, "include_downstream": True, "wait_for": ["success"]}
    result = run_task(simulator, INFO, **options, name=["infra/apply"])
    assert result.failure is None and result["job"]["name"] == "apply"
    misspelt = run_task(simulator, INFO, **options, name=["infra/aply"])
    assert "did you mean 'infra/apply'?" in str(misspelt.failure)
    assert misspelt.seconds == 0
    late = run_task(simulator, INFO, project="group/app", ref="v9", wait=True, wait_timeout=20.0)
    assert "no pipeline of ref v9" in str(late.failure) and late.seconds == pytest.approx(20, abs=1)


@pytest.mark.parametrize(
    ("task", "options"),
    [(BRIDGES, {}), (INFO, {"include_downstream": True, "name": ["infra/apply"]})],
    ids=["bridges", "info"],
)
def test_pipeline_is_returned_in_its_state_after_the_wait(
    simulator: t.Any, task: t.Any, options: dict[str, t.Any]
) -> None:
    child = {"jobs": [{"name": "apply", "duration": 20}]}
    simulator.load(world({"name": "infra", "trigger": {"pipeline": child, "strategy": "depend"}}, ref="main"))
    statuses = []
    for check_mode in (True, False, True, False):
        # selecting by ref also reads the pipeline before waiting
        result = run_task(simulator, task, project="group/app", ref="main", wait=True, check_mode=check_mode, **options)
        assert (result.failure, result.changed) == (None, False)
        statuses.append(result["pipeline"]["status"])
    assert statuses[1:] == ["success"] * 3 and statuses[0] != "success"
    assert effects(simulator) == []


def test_one_failure_lists_the_outcomes_of_all_jobs(simulator: t.Any) -> None:
    simulator.load(
        world(
            {"name": "deploy:a", "when": "manual"},
            {"name": "deploy:b", "status": "skipped"},
            {"name": "deploy:c", "when": "manual", "outcome": "failed", "log": "boom\n"},
            {"name": "deploy:d", "status": "success"},
        )
    )
    result = run_task(simulator, ACTION, **PIPELINE, name=["deploy:*"], action="play", multiple="all")
    assert sorted(effects(simulator)) == [("play", "deploy:a"), ("play", "deploy:c")]
    assert {entry["name"]: entry["outcome"] for entry in result["results"]} == {
        "deploy:a": "applied",
        "deploy:b": "refused",
        "deploy:c": "failed",
        "deploy:d": "unchanged",
    }
    assert "2 of 4 jobs failed" in str(result.failure)


def test_downstream_tree_is_waited_for_and_drawn(simulator: t.Any) -> None:
    grandchild = {"jobs": [{"name": "leaf", "duration": 30}]}
    child = {"jobs": [{"name": "deeper", "trigger": {"strategy": "depend", "pipeline": grandchild}}]}
    made = world(
        {"name": "one", "trigger": {"strategy": "depend", "pipeline": child}},
        {
            "name": "secret",
            "trigger": {"project": "other/hidden", "pipeline": {"ref": "main", "jobs": [{"name": "x"}]}},
        },
    )
    made["projects"].append({"path": "other/hidden", "id": 8, "members": {"bob": "maintainer"}})
    simulator.load(made)
    result = run_task(simulator, BRIDGES, **PIPELINE, depth=0, include_jobs=True, wait_for=["finished"])
    assert result.failure is None
    bridges = {bridge["name"]: bridge for bridge in result["bridges"]}
    assert bridges["one"]["bridges"][0]["jobs"][0]["name"] == "leaf"
    assert bridges["one"]["bridges"][0]["depth"] == 2
    assert bridges["secret"]["accessible"] is False and bridges["one"]["accessible"] is True
    assert {pipeline["path"] for pipeline in result["downstream_pipelines"]} == {"one", "one/deeper", "secret"}
    assert result["graph"].startswith("flowchart LR\n")
    flat = run_task(simulator, BRIDGES, project="group/app", pipeline_id=100)
    assert {bridge["name"]: bridge["accessible"] for bridge in flat["bridges"]} == {"one": True, "secret": False}
