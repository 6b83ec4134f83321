# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Things that could be confused: a branch and a commit, one source and another, another user's retry and our own."""

from __future__ import annotations

import typing as t

import pytest
import requests

from tests.contract.gate_support import AT_ONCE, DEPLOY, child
from tests.contract.gate_support import PIPELINE as PIPELINE_100
from tests.integration.approvals import JOB, approval_world
from tests.integration.harness import (
    ACTION,
    APPROVAL,
    DOWNLOAD,
    INFO,
    PIPELINE,
    effects,
    run_task,
    world,
)


@pytest.mark.parametrize("name", ["name", "stage"])
def test_empty_list_does_not_select_the_whole_project(simulator: t.Any, name: str) -> None:
    simulator.load(world({"name": "a", "status": "success", "artifacts": {"files": {"x": "1"}}}))
    options = {"project": "group/app", "action": "delete_artifacts", "whole_project": True, name: []}
    result = run_task(simulator, ACTION, **options)
    assert result.failure and simulator.writes() == []


def test_sha_does_not_match_a_branch_of_that_name(simulator: t.Any) -> None:
    made = world({"name": "d", **AT_ONCE})
    made["pipelines"].append({"id": 200, "ref": "20261127", "jobs": [{"name": "d", **AT_ONCE}]})
    simulator.load(made)
    result = run_task(simulator, ACTION, project="group/app", sha="20261127", name=["d"], action="play")
    assert "branch or tag" in str(result.failure) and effects(simulator) == []


def test_misspelled_source_next_to_a_valid_one_is_an_error(simulator: t.Any) -> None:
    made = world({"name": "d", **AT_ONCE}, source="web")
    made["pipelines"].append({"id": 200, "ref": "main", "source": "push", "jobs": [{"name": "d", **AT_ONCE}]})
    simulator.load(made)
    how = {"ref": "main", "pipeline_source": ["pussh", "web"], "name": ["d"], "action": "play"}
    result = run_task(simulator, ACTION, project="group/app", **how)
    assert "did you mean push?" in str(result.failure) and simulator.requests() == []


def test_pipeline_behind_many_others_is_not_reported_as_missing(simulator: t.Any) -> None:
    made = world({"name": "d", **AT_ONCE}, tag=True, ref="1.0")
    made["pipelines"] += [
        {"id": 200 + n, "ref": "1.0", "jobs": [{"name": "n", "status": "success"}]} for n in range(120)
    ]
    simulator.load(made)
    result = run_task(simulator, INFO, project="group/app", ref="1.0", ref_type="tag", wait=True, wait_timeout=60.0)
    assert result.seconds < 5 and "there is no pipeline" not in str(result.failure)


def test_pipeline_behind_many_of_other_sources_is_found(simulator: t.Any) -> None:
    made = world({"name": "d", **AT_ONCE}, source="web")
    made["pipelines"] += [
        {"id": 200 + n, "ref": "main", "source": "schedule", "jobs": [{"name": "n", "status": "success"}]}
        for n in range(120)
    ]
    simulator.load(made)
    result = run_task(simulator, INFO, project="group/app", ref="main", pipeline_source=["push", "web"], name=["d"])
    assert (result.failure, result["pipeline"]["id"]) == (None, 100)


@pytest.mark.parametrize("manual", [{"needs": []}, {}])
def test_canceled_trigger_job_is_a_change(simulator: t.Any, manual: dict[str, t.Any]) -> None:
    below = child({"name": "c", "duration": 1000}, strategy="depend")
    stage = "a" if manual else "x"
    simulator.load(
        world(
            {"stage": "a", **DEPLOY, **manual},
            {"name": "t", "stage": stage, "trigger": below},
        )
    )
    simulator.advance(3)
    checked = run_task(simulator, PIPELINE, **PIPELINE_100, action="cancel", check_mode=True)
    result = run_task(simulator, PIPELINE, **PIPELINE_100, action="cancel")
    assert simulator.job("t")["status"] == "canceled"
    assert checked.changed is result.changed is True and len(simulator.effects()) == 1


def test_retry_by_another_user_is_not_reported_as_a_change(simulator: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions import pipelines

    simulator.load(world({"name": "a", "status": "failed", "duration": 100}))
    real = pipelines._PipelineWrite._request

    def raced(self: t.Any) -> None:
        address = f"{simulator.url}/api/v4/projects/7/pipelines/100/retry"
        requests.post(address, headers={"PRIVATE-TOKEN": "bob-token-0123456789"}, timeout=30)
        real(self)

    monkeypatch.setattr(pipelines._PipelineWrite, "_request", raced)
    result = run_task(simulator, PIPELINE, **PIPELINE_100, action="retry")
    assert [effect["user"] for effect in simulator.effects()] == ["bob"] and result.changed is False


@pytest.mark.parametrize(
    "job", [{"archived": True}, {"deployment": {"approval": "rejected"}, "environment": "production"}]
)
def test_retry_of_a_pipeline_without_retryable_jobs_fails(simulator: t.Any, job: dict[str, t.Any]) -> None:
    reason = {} if "archived" in job else {"failure_reason": "deployment_rejected"}
    simulator.load(world({"name": "a", "status": "failed", **job, **reason}))
    checked = run_task(simulator, PIPELINE, **PIPELINE_100, action="retry", check_mode=True)
    result = run_task(simulator, PIPELINE, **PIPELINE_100, action="retry")
    assert checked.failure == result.failure and "start a new pipeline" in str(result.failure)


def test_waiting_deployment_is_found_among_many(simulator: t.Any) -> None:
    others = [{"name": f"s{n}", "stage": "test", "when": "manual", "environment": f"staging{n}"} for n in range(25)]
    simulator.load(approval_world(JOB, *others))
    result = run_task(simulator, APPROVAL, **PIPELINE_100, state="approved")
    assert result.failure is None and result.changed is True


@pytest.mark.parametrize("job", [{"status": "skipped"}, {"status": "success", "erased": True}, {"when": "manual"}])
def test_missing_log_does_not_overwrite_the_file(simulator: t.Any, tmp_path: t.Any, job: dict[str, t.Any]) -> None:
    simulator.load(world({"name": "b", **job}))
    (tmp_path / "log").write_text("the log of yesterday")
    result = run_task(simulator, DOWNLOAD, **PIPELINE_100, name="b", content="log", dest=str(tmp_path / "log"))
    assert "log" in str(result.failure) and (tmp_path / "log").read_text() == "the log of yesterday"


def test_check_mode_refuses_to_keep_expired_artifacts(simulator: t.Any) -> None:
    simulator.load(world({"name": "b", "status": "success", "artifacts": {"files": {"a": "1"}, "expire_in": 1}}))
    simulator.advance(20)
    checked = run_task(simulator, ACTION, **PIPELINE_100, name=["b"], action="keep_artifacts", check_mode=True)
    result = run_task(simulator, ACTION, **PIPELINE_100, name=["b"], action="keep_artifacts")
    assert checked.failure == result.failure and result.failure and checked.changed is False


@pytest.mark.parametrize("ref", ["1.0", "72445edfaf783476ede290351f8018f9262cc0ce"])
def test_check_mode_refuses_missing_and_ambiguous_refs(simulator: t.Any, ref: str) -> None:
    made = world({"name": "d", "status": "success"})
    made["projects"][0] |= {
        "new_pipelines": {"*": {"jobs": [{"name": "b"}]}},
        "branches": {"1.0": None},
        "tags": {"1.0": None},
    }
    simulator.load(made)
    run: dict[str, t.Any] = {"project": "group/app", "action": "run", "ref": ref}
    checked, result = run_task(simulator, PIPELINE, **run, check_mode=True), run_task(simulator, PIPELINE, **run)
    assert result.failure and checked.failure and checked.changed is False


@pytest.mark.parametrize("value", ["deploy2", "0x3e8", "v1.2", "2026-11-27"])
def test_error_suggests_no_number_for_text_with_digits(value: str) -> None:
    from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.mistakes import option_mistake

    given = {"project": "group/app", "job_id": value}
    assert "use an integer" in option_mistake(INFO.name, INFO.spec, INFO.spec.arguments, given)
