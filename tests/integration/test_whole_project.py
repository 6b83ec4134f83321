# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deleting the artifacts of all jobs of a project: only if explicitly requested, and reported correctly."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.actions import ACTIONS

from .harness import ACTION, Result, effects, play, run_task, world

MODULE = "jobgate.gitlab.gitlab_job_action"
DELETE = ("DELETE", "/api/v4/projects/group%2Fapp/artifacts")
BUILD: dict[str, t.Any] = {"name": "build", "status": "success", "artifacts": {"files": {"x": "x"}}}


def load(simulator: t.Any, version: str = "18.10", **project: t.Any) -> None:
    """Load three successful pipelines of two refs; only the newest of each keeps its artifacts."""
    scenario = world({**BUILD, "name": "old"})
    scenario["projects"][0] |= project
    scenario["pipelines"] += [
        {"id": 200, "ref": "main", "jobs": [{**BUILD, "name": "new"}]},
        {"id": 300, "ref": "v1", "jobs": [{**BUILD, "name": "tag"}]},
    ]
    simulator.load(scenario, version=version)


def delete(simulator: t.Any, **options: t.Any) -> Result:
    given = {"project": "group/app", "action": "delete_artifacts", "whole_project": True, **options}
    return run_task(simulator, ACTION, **given)


def writes(simulator: t.Any) -> list[tuple[str, str]]:
    return [(request["method"], request["path"]) for request in simulator.writes()]


def expiring(simulator: t.Any) -> list[str]:
    return [name for name in ("old", "new", "tag") if simulator.job(name)["artifacts_expire_at"] is not None]


def assert_failed(result: Result, *words: str) -> None:
    assert result.failure is not None
    text = result.failure
    assert "\n" not in text
    for word in words:
        assert word.lower() in text.lower(), text
    assert not result.changed


@pytest.mark.parametrize("version", ["15.9", "17.11", "18.10", "19.2"])
def test_artifacts_of_all_but_the_newest_pipelines_expire(simulator: t.Any, version: str) -> None:
    load(simulator, version)
    predicted = delete(simulator, check_mode=True)
    assert (predicted.failure, predicted.changed, writes(simulator)) == (None, True, [])
    done = delete(simulator)
    assert (done.failure, done.changed, done.warnings) == (None, True, [])
    assert writes(simulator) == [DELETE]
    assert effects(simulator) == [("delete_project_artifacts", None)]
    assert expiring(simulator) == ["old"]
    assert predicted["results"] == done["results"]
    nothing = {"id": None, "status": None}
    assert done["results"] == [
        {"name": "group/app", "outcome": "applied", "reason": "", "before": nothing, "after": nothing}
    ]
    assert (done["jobs"], done["job"], done["id"]) == ([], None, None)
    assert set(done.values) == set(ACTION.empty_result)
    # GitLab does not report whether any artifacts were left
    for check_mode in (True, False):
        assert delete(simulator, check_mode=check_mode).changed
    assert writes(simulator) == [DELETE, DELETE]
    assert len(effects(simulator)) == 1


def test_project_can_be_selected_by_id(simulator: t.Any) -> None:
    load(simulator)
    assert delete(simulator, project="7")["results"][0]["name"] == "7"
    assert writes(simulator) == [("DELETE", "/api/v4/projects/7/artifacts")]


@pytest.mark.parametrize("action", [action for action in ACTIONS if action != "delete_artifacts"])
def test_whole_project_is_refused_for_other_actions(simulator: t.Any, action: str) -> None:
    load(simulator)
    assert_failed(delete(simulator, action=action), "whole_project can only be used with delete_artifacts")
    assert simulator.requests() == []


SELECTIONS: list[dict[str, t.Any]] = [
    {"job_id": 1000},
    {"pipeline_id": 100},
    {"ref": "main"},
    {"sha": "f" * 40},
    {"merge_request": 1},
    {"name": ["build"]},
    {"stage": ["test"]},
    {"scope": ["success"]},
    {"include_downstream": True},
]


@pytest.mark.parametrize("selection", SELECTIONS, ids=lambda selection: next(iter(selection)))
def test_options_that_select_jobs_are_refused(simulator: t.Any, selection: dict[str, t.Any]) -> None:
    load(simulator)
    (name,) = selection
    assert_failed(delete(simulator, **selection), f"{name} cannot be used with whole_project")
    assert simulator.requests() == []


ONLY_FOR_OTHERS: list[dict[str, t.Any]] = [
    {"job_variables": {"A": "1"}},
    {"job_inputs": {"a": 1}},
    {"replay": "always"},
    {"retry_on": ["script_failure"]},
    {"max_attempts": 2},
    {"force": True},
]


@pytest.mark.parametrize("options", ONLY_FOR_OTHERS, ids=lambda options: next(iter(options)))
def test_options_of_other_actions_are_refused(simulator: t.Any, options: dict[str, t.Any]) -> None:
    load(simulator)
    (name,) = options
    assert_failed(delete(simulator, **options), f"{name} can only be used with")
    assert simulator.requests() == []


def test_selection_is_required_without_whole_project(simulator: t.Any) -> None:
    load(simulator)
    assert_failed(delete(simulator, whole_project=False), "one of the following is required")
    assert_failed(delete(simulator, whole_project=False, pipeline_id=100), "needs name, stage, scope or job_id")
    assert simulator.requests() == []


@pytest.mark.parametrize("version", ["11.11", "13.12", "14.9"])
def test_server_that_is_too_old_is_reported(simulator: t.Any, version: str) -> None:
    load(simulator, version)
    result = delete(simulator)
    assert_failed(result, "The artifacts of project group/app were not deleted: this server is too old for it")
    assert result["results"][0]["outcome"] == "failed"
    assert effects(simulator) == []


@pytest.mark.parametrize("user", ["bob", "carol"])
def test_users_below_maintainer_are_refused(simulator: t.Any, user: str) -> None:
    load(simulator)
    assert_failed(delete(simulator, token=f"{user}-token-0123456789"), "403 Forbidden", "needs Maintainer")
    assert effects(simulator) == []


@pytest.mark.parametrize("check_mode", [False, True])
def test_unknown_project_fails(simulator: t.Any, check_mode: bool) -> None:
    load(simulator)
    assert_failed(delete(simulator, project="group/none", check_mode=check_mode), "404 Project Not Found")
    assert writes(simulator) == []


def test_stats_refresh_of_the_project_fails_with_advice(simulator: t.Any) -> None:
    load(simulator, stats_refresh=True)
    assert_failed(delete(simulator), "undergoing stats refresh", "try again")
    assert effects(simulator) == []


@pytest.mark.parametrize("preset", ["reset_after", "html_502_after", "error_500", "error_500_after", "html_200_after"])
def test_lost_answer_is_reported_as_unknown_outcome(simulator: t.Any, preset: str) -> None:
    load(simulator)
    simulator.inject(preset, method="DELETE", times=1)
    result = delete(simulator)
    assert_failed(result, "The outcome is unknown; it is safe to run the task again")
    assert len(writes(simulator)) == 1
    again = delete(simulator)
    assert (again.failure, again.changed) == (None, True)
    assert expiring(simulator) == ["old"]


def test_throttled_requests_are_repeated(simulator: t.Any) -> None:
    load(simulator)
    simulator.inject("throttle_seconds", method="DELETE", times=3)
    assert delete(simulator).failure is None
    assert effects(simulator) == [("delete_project_artifacts", None)]


@pytest.mark.parametrize("preset", ["reset_before", "html_502", "truncate", "error_500"])
def test_reading_the_project_survives_faults(simulator: t.Any, preset: str) -> None:
    load(simulator)
    simulator.inject(preset, method="GET", times=1)
    assert delete(simulator).changed


def test_playbook_predicts_and_deletes_the_artifacts(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator)
    options = {"project": "group/app", "action": "delete_artifacts", "whole_project": True}
    tasks = [
        {"name": "predict", MODULE: options, "check_mode": True, "diff": True},
        {"name": "do", MODULE: options, "diff": True},
        {"name": "wrong", MODULE: {**options, "ref": "main"}, "ignore_errors": True},
    ]
    done = play(tasks, tmp_path, url=simulator.url)
    assert done.returncode == 0, done.output
    assert [result["changed"] for result in done.results.values()] == [True, True, False]
    assert "+group/app: artifacts expired, to be removed by GitLab" in done.output
    assert done.results["predict"]["diff"] == done.results["do"]["diff"]
    assert effects(simulator) == [("delete_project_artifacts", None)]
    assert done.results["wrong"]["msg"].startswith("ref cannot be used with whole_project")
