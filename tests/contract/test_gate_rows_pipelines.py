# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pipeline a gate selects, and refs that can never have one: by module, role and lookup, with effects counted."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible.errors import AnsibleError

from tests.contract.gate_support import (
    MAIN,
    MANUAL,
    PIPELINE,
    TESTED,
    WAIT_FOR_SUCCESS,
    Row,
    assert_refused,
    check_and_run_gate_twice,
    check_and_run_twice,
    look_up,
)
from tests.contract.test_release_gates import release
from tests.integration.harness import ACTION, DOWNLOAD, INFO, effects, run_task, world
from tests.unit.harness import Progress

# ----- 4: a timeout before there is a pipeline -----


def test_wait_timeout_applies_before_a_pipeline_exists(simulator: t.Any) -> None:
    simulator.load(world(*TESTED))
    options: Row = {"project": "group/app", "ref": "nope", "wait": True, "wait_timeout": 4.0, "name": ["deploy"]}
    for task, how in ((INFO, {}), (ACTION, {"action": "play"})):
        for on_timeout in ("continue", "fail"):
            progress = Progress(is_shown=True)
            result = run_task(simulator, task, **options, **how, on_timeout=on_timeout, progress=progress)
            assert result["timed_out"] is True
            assert result["elapsed"] == pytest.approx(4.0, abs=0.2)
            assert not result.changed and result["jobs"] == []
            assert any("ref nope" in line for line in progress.others)
            if on_timeout == "continue":
                assert result.failure is None
            else:
                assert str(result.failure).startswith("timed out after 4 s (wait_timeout): there is no pipeline")
                assert "use wait" not in str(result.failure)
        checked = run_task(simulator, task, **options, **how, check_mode=True)
        assert "there is no pipeline of ref nope" in str(checked.failure) and checked.seconds == 0
    gate = {"name": "deploy", "action": "wait", "wait_timeout": 4.0}
    waited = release(simulator, {"ref": "nope", "gates": [gate]})
    assert "timed out after 4 s (wait_timeout)" in str(waited.failure)
    assert waited.seconds == pytest.approx(4.0, abs=0.2)
    assert effects(simulator) == []


# ----- 5: refs and commits as users write them -----

SHA = "a1b2c3d4" + "e" * 32


def at_a_commit() -> Row:
    return world(*TESTED, sha=SHA)


@pytest.mark.parametrize(
    "given", [{"ref": "refs/heads/main"}, {"sha": SHA[:8]}, {"sha": SHA[:7].upper()}, {"sha": SHA}]
)
def test_refs_and_commits_are_accepted_in_other_forms(simulator: t.Any, given: Row) -> None:
    simulator.load(at_a_commit())
    found = run_task(simulator, INFO, project="group/app", **given, name=["unit"], **WAIT_FOR_SUCCESS)
    assert (found.failure, found["pipeline"]["id"], found.seconds) == (None, 100, 0)
    assert look_up(simulator, "unit", **given)[0]["status"] == "success"
    where = {"ref": None, **given}
    for result in check_and_run_gate_twice(simulator, {"name": "unit", "action": "wait"}, where):
        assert result.failure is None
    results = check_and_run_twice(simulator, ACTION, project="group/app", **given, name=["deploy"], action="play")
    assert [result.failure for result in results] == [None] * 4
    assert [result.changed for result in results] == [True, True, False, False]
    assert effects(simulator) == [("play", "deploy")]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ref": "main\n"}, "remove the spaces or line breaks"),
        ({"ref": " main"}, "remove the spaces or line breaks"),
        ({"ref": "HEAD"}, "use the name of the branch or tag"),
        ({"ref": "origin/main"}, "use the name of the branch or tag"),
        ({"ref": ""}, "ref is empty"),
        ({"sha": "xyz1234"}, "is not a commit id"),
        ({"sha": "a1b2c3"}, "is not a commit id"),
        ({"sha": SHA + "\n"}, "remove the spaces or line breaks"),
        ({"ref": "main", "name": ["deploy\n"]}, "remove the spaces or line breaks"),
        ({"ref": "main", "name": ["  "]}, "empty string"),
    ],
)
def test_values_that_never_match_are_refused_at_once(simulator: t.Any, given: Row, words: str) -> None:
    simulator.load(at_a_commit())
    for task, how in ((INFO, {"wait": True}), (ACTION, {"wait": True, "action": "play"})):
        options: Row = {"name": ["deploy"], **given}
        assert_refused(simulator, check_and_run_twice(simulator, task, project="group/app", **options, **how), words)
    gate = {"name": given.get("name", ["deploy"]), "action": "play"}
    where = {"ref": None, **{name: given[name] for name in ("ref", "sha") if name in given}}
    assert_refused(simulator, check_and_run_gate_twice(simulator, gate, where), words)
    if "name" not in given:
        with pytest.raises(AnsibleError, match=words):
            look_up(simulator, "deploy", **given)
    assert simulator.requests() == []


def test_unknown_short_commit_is_reported_at_once(simulator: t.Any) -> None:
    simulator.load(at_a_commit())
    result = run_task(simulator, INFO, project="group/app", sha="0123456", **WAIT_FOR_SUCCESS)
    assert "there is no commit 0123456 in project group/app" in str(result.failure) and result.seconds == 0


# ----- 6: which pipeline of a ref -----


def several_pipelines() -> Row:
    made = world({"name": "deploy", **MANUAL}, {"name": "unit", "status": "success"})
    made["pipelines"] += [
        {
            "id": 200,
            "project": "group/app",
            "ref": "main",
            "source": "schedule",
            "jobs": [{"name": "deploy", **MANUAL}],
        },
        {"id": 300, "project": "group/app", "ref": "main", "status": "skipped"},
        {"id": 400, "project": "group/app", "ref": "1.0", "jobs": [{"name": "deploy", **MANUAL}]},
        {"id": 500, "project": "group/app", "ref": "1.0", "tag": True, "jobs": [{"name": "deploy", **MANUAL}]},
    ]
    return made


@pytest.mark.parametrize(
    ("given", "pipeline_id", "warning"),
    [
        ({"ref": "main", "pipeline_source": ["push", "web"]}, 100, "Ignored"),
        ({"ref": "main", "pipeline_source": ["push"]}, 100, "Ignored"),
        ({"ref": "main"}, 200, "Ignored"),
        ({"ref": "1.0", "ref_type": "branch"}, 400, ""),
        ({"ref": "1.0", "ref_type": "tag"}, 500, ""),
        ({"ref": "refs/heads/1.0"}, 400, ""),
        ({"ref": "refs/tags/1.0"}, 500, ""),
        ({"ref": "1.0"}, 500, "A branch and a tag are named 1.0"),
    ],
)
def test_pipeline_options_select_the_same_pipeline_in_all_plugins(
    simulator: t.Any, given: Row, pipeline_id: int, warning: str
) -> None:
    simulator.load(several_pipelines())
    options: Row = {"project": "group/app", **given, "name": ["deploy"]}
    read = run_task(simulator, INFO, **options)
    pipeline = read["pipeline"]
    assert pipeline["id"] == pipeline_id
    assert {"id", "source", "ref", "status", "web_url"} <= set(pipeline)
    assert look_up(simulator, "deploy", **given)[0]["pipeline"]["id"] == pipeline_id
    results = check_and_run_twice(simulator, ACTION, **options, action="play")
    assert [(result.failure, result.changed) for result in results] == [(None, changed) for changed in (1, 1, 0, 0)]
    for result in [read, *results]:
        assert [text for text in result.warnings if warning and warning in text] == result.warnings
        assert bool(result.warnings) is bool(warning)
        assert all("pipeline 300, source push, ref main" in text for text in result.warnings if "Ignored" in text)
        assert result["job"]["pipeline"]["id"] == pipeline_id
    assert [effect["pipeline_id"] for effect in simulator.effects()] == [pipeline_id]
    simulator.load(several_pipelines())
    for result in check_and_run_gate_twice(simulator, {"name": "deploy", "action": "play"}, {"ref": None, **given}):
        assert result.failure is None
        assert bool(result.warnings) is bool(warning)
    assert [effect["pipeline_id"] for effect in simulator.effects()] == [pipeline_id]


def test_error_names_the_pipeline_that_was_read(simulator: t.Any) -> None:
    simulator.load(several_pipelines())
    url = run_task(simulator, INFO, **MAIN, name=["deploy"])["pipeline"]["web_url"]
    where = ("pipeline 200", "schedule", "main", "manual", url)
    for options in ({"name": ["unit"]}, {"stage": ["build"]}, {"name": ["deploy"], "stage": ["build"]}):
        assert_refused(simulator, check_and_run_twice(simulator, INFO, **MAIN, **options), *where)
        assert_refused(simulator, check_and_run_twice(simulator, ACTION, **MAIN, **options, action="play"), *where)
    assert_refused(simulator, check_and_run_gate_twice(simulator, {"name": "unit", "action": "wait"}), *where)
    with pytest.raises(AnsibleError, match="ipeline 200.*schedule"):
        look_up(simulator, "unit", ref="main")


@pytest.mark.parametrize("options", [{}, {"name": ["deploy"]}, {"stage": ["deploy"]}, {"allow_empty": True}])
def test_invalid_ci_configuration_is_reported_and_nothing_is_played(simulator: t.Any, options: Row) -> None:
    made = several_pipelines()
    text = "jobs:build config should implement a script"
    made["pipelines"].append({"id": 600, "project": "group/app", "ref": "main", "yaml_errors": text})
    simulator.load(made)
    for where in (MAIN, {"project": "group/app", "pipeline_id": 600}):
        waited = run_task(simulator, INFO, **where, **options, **WAIT_FOR_SUCCESS)
        assert text in str(waited.failure) and waited.seconds == 0
        if set(options) - {"allow_empty"}:
            assert_refused(simulator, check_and_run_twice(simulator, ACTION, **where, **options, action="play"), text)
    gate = {"name": "deploy", "action": "play"} if "stage" not in options else {**options, "action": "wait"}
    assert_refused(simulator, check_and_run_gate_twice(simulator, gate), text)


def test_pipeline_without_jobs_is_refused_unless_allowed(simulator: t.Any) -> None:
    made = several_pipelines()
    simulator.load(made)
    skipped: Row = {"project": "group/app", "pipeline_id": 300}
    assert_refused(
        simulator, check_and_run_twice(simulator, ACTION, **skipped, name=["deploy"], action="play"), "has no jobs"
    )
    assert "has no jobs" in str(run_task(simulator, INFO, **skipped, **WAIT_FOR_SUCCESS).failure)
    assert run_task(simulator, INFO, **skipped, **WAIT_FOR_SUCCESS, allow_empty=True).failure is None
    assert run_task(simulator, INFO, **skipped)["jobs"] == []
    gate = {"name": "deploy", "action": "verify"}
    assert_refused(
        simulator, check_and_run_gate_twice(simulator, gate, {"ref": None, "pipeline_id": 300}), "has no jobs"
    )


def test_skipped_pipeline_with_only_trigger_jobs_is_not_empty(simulator: t.Any) -> None:
    made = several_pipelines()
    trigger = {"name": "infra", "status": "skipped", "trigger": {"pipeline": {"jobs": []}}}
    made["pipelines"].append({"id": 600, "project": "group/app", "ref": "main", "jobs": [trigger]})
    simulator.load(made)
    result = run_task(simulator, ACTION, **MAIN, name=["infra"], action="play")
    assert "skipped" in str(result.failure) and result["jobs"][0]["name"] == "infra" and result["pipeline"]["id"] == 600
    assert_refused(
        simulator,
        check_and_run_gate_twice(simulator, {"name": "deploy", "action": "play"}),
        "no job 'deploy'",
        "pipeline 600",
    )


@pytest.mark.parametrize("action", ["wait", "verify"])
def test_stage_gate_includes_trigger_jobs(simulator: t.Any, action: str) -> None:
    failing = {"name": "infra", "stage": "test", "trigger": {"pipeline": {"jobs": []}, "creation_fails": "x"}}
    simulator.load(world({"name": "unit", "stage": "test", "status": "success"}, failing))
    simulator.advance(60)
    assert_refused(
        simulator, check_and_run_gate_twice(simulator, {"stage": "test", "action": action}), "infra", "failed"
    )


@pytest.mark.parametrize("limit", [1, 2, 0])
def test_limit_option_hides_no_failure(simulator: t.Any, limit: int) -> None:
    simulator.load(world({"name": "bad", "status": "failed"}, {"name": "good", "status": "success"}))
    result = run_task(simulator, INFO, **PIPELINE, **WAIT_FOR_SUCCESS, limit=limit)
    assert "'bad'" in str(result.failure)
    assert "'bad'" in str(run_task(simulator, INFO, **PIPELINE, fail_on=["failed"], limit=limit).failure)
    simulator.load(world({"name": "slow", "outcome": "hang"}, {"name": "good", "status": "success"}))
    assert "'slow'" in str(run_task(simulator, INFO, **PIPELINE, **WAIT_FOR_SUCCESS, limit=limit).failure)


# ----- 11: the artifact of a ref -----


def test_artifact_comes_from_the_selected_pipeline(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    def build(version: int, **job: t.Any) -> Row:
        return {"name": "build", "artifacts": {"files": {"v.json": str(version)}}, **job}

    old = {"id": 1100, "status": "success"}
    made = world(build(1, **old))
    made["pipelines"].append(
        {"id": 200, "project": "group/app", "ref": "main", "jobs": [build(2, duration=60, id=1200)]}
    )
    simulator.load(made)
    artifact: Row = {"ref": "main", "artifact": "v.json", "parse": "json"}
    fetched: Row = {**MAIN, "name": "build", "content": "file", "artifact_path": "v.json", "dest": str(tmp_path / "v")}

    # while the newest pipeline runs there is no artifact, and an older one is not used instead
    with pytest.raises(AnsibleError, match=r"job 'build' \(id 1200\) has no artifacts yet: its status is running"):
        simulator.advance(5)
        look_up(simulator, "build", **artifact)
    for result in check_and_run_twice(simulator, DOWNLOAD, **fetched):
        assert "job 'build' (id 1200) has no artifacts yet" in str(result.failure) and not result.changed
    assert list(tmp_path.iterdir()) == []
    assert look_up(simulator, "build", **artifact, default="none") == ["none"]
    assert look_up(simulator, "build", **artifact, latest_success=True) == [1]
    results = check_and_run_twice(simulator, DOWNLOAD, **fetched, latest_success=True)
    assert [(result.failure, result.changed) for result in results] == [(None, changed) for changed in (1, 1, 0, 0)]
    assert {(result["job"]["id"], result["pipeline"]["id"]) for result in results} == {(1100, 100)}
    assert (tmp_path / "v").read_text() == "1"

    simulator.advance(120)
    assert look_up(simulator, "build", **artifact) == [2]
    assert look_up(simulator, "build", ref="main")[0]["id"] == 1200
    results = check_and_run_twice(simulator, DOWNLOAD, **fetched)
    assert [(result.failure, result.changed) for result in results] == [(None, changed) for changed in (1, 1, 0, 0)]
    assert {(result["job"]["id"], result["pipeline"]["id"]) for result in results} == {(1200, 200)}
    assert (tmp_path / "v").read_text() == "2"
    # the other options apply as well
    assert look_up(simulator, "build", **artifact, pipeline_source=["push"]) == [2]
    assert effects(simulator) == []
