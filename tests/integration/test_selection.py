# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Selecting jobs on servers of all versions: complete, in order, newest attempts, child pipelines."""

from __future__ import annotations

import typing as t

import pytest

from .harness import ACTION, INFO, effects, run_task, world

VERSIONS = ["11.11", "13.12", "15.9", "17.11", "18.10", "19.2"]
PIPELINE: dict[str, t.Any] = {"project": "group/app", "pipeline_id": 100}
THIN = ["id", "name"]
# the default of api_concurrency
AT_ONCE = 8


def world_of_many_jobs(count: int) -> dict[str, t.Any]:
    made = world({"name": "first", "status": "success"})
    made["pipelines"][0]["jobs"] = [
        {"generate": {"count": count, "name": "job {n}", "stage": "test", "status": "success"}}
    ]
    return made


@pytest.mark.parametrize("version", VERSIONS)
def test_ten_thousand_jobs_are_listed_completely_and_in_order(simulator: t.Any, version: str) -> None:
    simulator.load(world_of_many_jobs(10_000), version=version)
    for options in (PIPELINE, {"project": "group/app"}):
        result = run_task(simulator, INFO, **options, limit=0, fields=THIN)
        assert result.failure is None
        ids = [job["id"] for job in result["jobs"]]
        assert len(ids) == len(set(ids)) == 10_000
        assert ids == sorted(ids, reverse=True)
        assert result["summary"] == {"success": 10_000}
        assert result["truncated"] is False
        # without a total, requests sent ahead of the last page are wasted
        assert len(simulator.requests()) <= 100 + AT_ONCE
        simulator.clear_logs()


@pytest.mark.parametrize("version", ["11.11", "18.10"])
@pytest.mark.parametrize("options", [PIPELINE, {"project": "group/app"}], ids=["pipeline", "project"])
@pytest.mark.parametrize(
    ("limit", "count", "truncated"), [(1, 1, True), (249, 249, True), (250, 250, False), (0, 250, False)]
)
def test_limit_sets_truncated_if_jobs_are_left_out(
    simulator: t.Any, version: str, options: dict[str, t.Any], limit: int, count: int, truncated: bool
) -> None:
    simulator.load(world_of_many_jobs(250), version=version)
    result = run_task(simulator, INFO, **options, limit=limit, fields=["id"])
    assert len(result["jobs"]) == count
    assert result["truncated"] is truncated
    assert result["jobs"][0]["id"] == max(job["id"] for job in result["jobs"])


def test_small_limit_reads_one_page_of_a_project(simulator: t.Any) -> None:
    simulator.load(world_of_many_jobs(1000))
    run_task(simulator, INFO, project="group/app", limit=20, api_token="bob-token-0123456789")
    # pages that earlier tasks requested ahead may still be served, so count only bob's
    by_bob = [request for request in simulator.requests() if request["user"] == "bob"]
    assert len(by_bob) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_superseded_attempts_are_listed_only_with_include_retried(simulator: t.Any, version: str) -> None:
    simulator.load(
        world({"name": "flaky", "status": "success", "retried": 2}, {"name": "b", "status": "success"}), version=version
    )
    plain = run_task(simulator, INFO, **PIPELINE)
    assert [job["name"] for job in plain["jobs"]] == ["b", "flaky"]
    assert plain["jobs"][1]["status"] == "success"
    whole = run_task(simulator, INFO, **PIPELINE, include_retried=True)
    assert len(whole["jobs"]) == 4
    # no failed job is the newest attempt
    assert run_task(simulator, INFO, **PIPELINE, scope=["failed"])["jobs"] == []


@pytest.mark.parametrize(("version", "count"), [("11.11", 3), ("13.8", 1), ("13.12", 3), ("19.2", 3)])
def test_include_retried_lists_what_the_server_version_returns(simulator: t.Any, version: str, count: int) -> None:
    simulator.load(world({"name": "flaky", "status": "success", "retried": 2}), version=version)
    result = run_task(simulator, INFO, **PIPELINE, include_retried=True)
    assert len(result["jobs"]) == count


@pytest.mark.parametrize("version", VERSIONS)
def test_superseded_job_id_selects_the_newest_attempt(simulator: t.Any, version: str) -> None:
    simulator.load(world({"name": "flaky", "status": "failed", "retried": 2}), version=version)
    newest = simulator.job("flaky")["id"]
    result = run_task(simulator, ACTION, project="group/app", job_id=newest - 2, action="retry")
    assert result.failure is None and result.changed
    assert result["results"][0]["before"]["id"] == newest
    assert result["id"] > newest
    assert [effect["job_id"] for effect in simulator.effects()] == [newest]
    # the new attempt is running, so retrying any of its attempts changes nothing
    for job_id in (newest - 2, newest - 1, newest, result["id"]):
        again = run_task(simulator, ACTION, project="group/app", job_id=job_id, action="retry")
        assert not again.changed and again.failure is None and again["id"] == result["id"]
    assert len(simulator.effects()) == 1


@pytest.mark.parametrize("version", ["13.12", "15.9", "17.11", "18.10", "19.2"])
def test_job_of_a_child_pipeline_is_found_by_its_path(simulator: t.Any, version: str) -> None:
    child = {"jobs": [{"name": "plan", "status": "success"}, {"name": "apply", "when": "manual"}]}
    simulator.load(
        world({"name": "trigger:infra", "trigger": {"pipeline": child}}, {"name": "apply", "when": "manual"}),
        version=version,
    )
    simulator.advance(60)
    options = {**PIPELINE, "include_downstream": True, "action": "play"}

    # a bare name selects the job of the pipeline itself
    own = run_task(simulator, ACTION, **options, name=["apply"], check_mode=True)
    assert own.failure is None and [result["name"] for result in own["results"]] == ["apply"]
    both = run_task(simulator, ACTION, **options, name=["**/apply"])
    assert "2 jobs match" in str(both.failure) and "trigger:infra/apply" in str(both.failure)
    assert simulator.effects() == []

    for check_mode, changed in ((True, True), (False, True), (True, False), (False, False)):
        result = run_task(simulator, ACTION, **options, name=["trigger:infra/apply"], check_mode=check_mode)
        assert result.failure is None and result.changed is changed
        assert result["results"][0]["name"] == "trigger:infra/apply"
    assert effects(simulator) == [("play", "apply")]
    assert simulator.effects()[0]["pipeline_id"] != 100


def test_name_of_a_child_pipeline_job_suggests_include_downstream(simulator: t.Any) -> None:
    child = {"jobs": [{"name": "apply", "when": "manual"}]}
    simulator.load(world({"name": "trigger:infra", "trigger": {"pipeline": child}}, {"name": "build"}))
    result = run_task(simulator, INFO, **PIPELINE, name=["apply"])
    assert "include_downstream" in str(result.failure) and "trigger:infra" in str(result.failure)
    assert "gitlab_pipeline_bridges" in str(run_task(simulator, INFO, **PIPELINE, name=["trigger:infra"]).failure)


def test_newest_pipeline_of_a_ref_commit_or_merge_request_is_used(simulator: t.Any) -> None:
    made = world({"name": "old", "status": "success"})
    made["pipelines"] += [
        {"id": 200, "project": "group/app", "ref": "main", "sha": "a" * 40, "jobs": [{"name": "newer"}]},
        {"id": 300, "project": "group/app", "ref": "main", "sha": "b" * 40, "jobs": [{"name": "newest"}]},
        {"id": 400, "project": "group/app", "ref": "feature/x", "jobs": [{"name": "slash"}]},
        {"id": 500, "project": "group/app", "merge_request": 17, "jobs": [{"name": "merge"}]},
    ]
    simulator.load(made)
    for options, name in (
        ({"ref": "main"}, "newest"),
        ({"ref": "main", "sha": "a" * 40}, "newer"),
        ({"sha": "a" * 40}, "newer"),
        ({"ref": "feature/x"}, "slash"),
        ({"merge_request": 17}, "merge"),
    ):
        result = run_task(simulator, INFO, project="group/app", **options)
        assert result.failure is None, options
        assert result["job"]["name"] == name
        assert result["pipeline"]["id"] == result["job"]["pipeline"]["id"]


def test_name_stage_and_scope_select_the_matching_jobs(simulator: t.Any) -> None:
    jobs = [{"name": f"test: [{python}, linux]", "status": "success"} for python in ("py311", "py312")]
    simulator.load(
        world(*jobs, {"name": "lint", "stage": "check", "status": "failed"}, {"name": "test", "status": "success"})
    )
    for options, names in (
        ({"name": ["test: [py311, linux]"]}, ["test: [py311, linux]"]),
        ({"name": ["test: [*, linux]"]}, ["test: [py312, linux]", "test: [py311, linux]"]),
        ({"name": ["test"]}, ["test"]),
        ({"name": ["t?st", "lint"]}, ["test", "lint"]),
        ({"stage": ["check"]}, ["lint"]),
        ({"scope": ["failed"]}, ["lint"]),
        ({"name": ["lint"], "scope": ["success"]}, []),
        ({"scope": ["canceled"]}, []),
    ):
        result = run_task(simulator, INFO, **PIPELINE, **options)
        assert result.failure is None, options
        assert [job["name"] for job in result["jobs"]] == names


def test_job_of_a_moved_project_is_played_by_the_old_path(simulator: t.Any) -> None:
    made = world({"name": "deploy", "when": "manual"})
    made["projects"][0]["moved_from"] = ["old/app"]
    simulator.load(made)
    result = run_task(simulator, ACTION, project="old/app", ref="main", name=["deploy"], action="play")
    assert result.failure is None and result.changed
    assert effects(simulator) == [("play", "deploy")]
