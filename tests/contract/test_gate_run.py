# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate that starts a pipeline: predicted, started once, and used by the gates after it."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from tests.contract.json_schema import problems
from tests.contract.test_release_gates import MANUAL, Row, gates_of, release, two_projects
from tests.contract.test_release_record import SCHEMA
from tests.integration.harness import Result, world
from tests.unit.harness import Progress

JOBS = [{"name": "test", "stage": "test", "duration": 10}, {"name": "deploy", "stage": "zz", **MANUAL, "duration": 5}]
RUN: Row = {"action": "run"}
WAIT: Row = {"name": "test", "action": "wait"}
PLAY: Row = {"name": "deploy", "action": "play"}


INPUTS: Row = {"*": {"jobs": JOBS, "inputs": {"to": {"default": "test"}}}}


def runnable(*jobs: Row, **more: t.Any) -> Row:
    """Return a world with an old pipeline of main, in which new pipelines have these jobs."""
    made = world({"name": "test", "status": "success"}, {"name": "deploy", **MANUAL})
    made["projects"][0] |= {"new_pipelines": {"*": {"jobs": list(jobs or JOBS)}}, **more}
    return made


def changes_of(simulator: t.Any) -> list[str]:
    """Return all changes: the action, and the name of the job or the id of the pipeline."""
    return [f"{row['action']} {row['name'] or row['pipeline_id']}" for row in simulator.effects()]


def test_run_gate_is_predicted_started_and_reused(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(runnable())
    gates = {"gates": [{**RUN, "reuse": "success", "variables": {"DEPLOY_TO": "live-0123456789"}}, WAIT, PLAY]}
    path = tmp_path / "record.json"

    def run(**how: t.Any) -> Result:
        return release(simulator, gates, record=str(path), **how)

    first_check = run(check_mode=True)
    assert simulator.writes() == [] and first_check.changed
    assert list(gates_of(first_check).values()) == ["would start", "would be waited for", "would be played"]
    first = run()
    assert first.failure is None and first.changed
    assert gates_of(first) == {"pipeline of main": "started", "test": "passed", "deploy": "played"}
    assert changes_of(simulator) == ["create_pipeline 101", "play deploy"]
    assert [gate["pipeline"]["id"] for gate in first["gates"]] == [101, 101, 101]
    record = json.loads(path.read_text(encoding="utf-8"))
    assert problems(record, SCHEMA, SCHEMA) == []
    assert record["projects"][0]["gates"][0]["variables"] == ["DEPLOY_TO"]
    assert "live-0123456789" not in path.read_text(encoding="utf-8") + str(first)

    second_check, second = run(check_mode=True), run()
    for result in (second_check, second):
        assert not result.changed and result.failure is None
        assert list(gates_of(result).values()) == ["already done", "passed", "already done"]
    assert changes_of(simulator) == ["create_pipeline 101", "play deploy"]


@pytest.mark.parametrize("more", [{}, {"variables": {"TO": "live"}}, {"inputs": {"to": "live"}}])
def test_equal_concurrent_run_gates_start_one_pipeline(simulator: t.Any, more: Row) -> None:
    simulator.load(runnable(new_pipelines=INPUTS))
    page = f"{simulator.url}/group/app"
    spellings = ("7", "group/app", "Group/App", page)
    rows = [{"name": path, "project": path, "gates": [{**RUN, **more}, WAIT]} for path in spellings]
    first_check = release(simulator, *rows, check_mode=True)
    assert simulator.writes() == [] and first_check.changed
    # exactly one of them starts it, whichever comes first
    assert [gate["changed"] for gate in first_check["gates"]].count(True) == 1
    assert {gate["outcome"] for gate in first_check["gates"]} == {"would start", "would be waited for"}
    first = release(simulator, *rows)
    assert (first.failure, first.warnings, changes_of(simulator)) == (None, [], ["create_pipeline 101"])
    runs = [gate["outcome"] for gate in first["gates"] if gate["action"] == "run"]
    assert sorted(runs) == ["already done"] * 3 + ["started"]
    assert {gate["pipeline"]["id"] for gate in first["gates"]} == {101}
    if "inputs" not in more:
        second_check, second = release(simulator, *rows, check_mode=True), release(simulator, *rows)
        for result in (second_check, second):
            assert not result.changed and result.failure is None
            assert {gate["outcome"] for gate in result["gates"]} == {"already done", "passed"}
    assert changes_of(simulator) == ["create_pipeline 101"]


@pytest.mark.parametrize(
    "variants",
    [
        [{"reuse": "never"}] * 3,
        [{"variables": {"TO": to}} for to in ("test", "live", "both")],
        [{"inputs": {"to": to}} for to in ("test", "live", "both")],
    ],
)
def test_different_run_gates_of_a_ref_start_one_pipeline_each(simulator: t.Any, variants: list[Row]) -> None:
    simulator.load(runnable(new_pipelines=INPUTS))
    rows = [{"name": str(number), "gates": [{**RUN, **more}, WAIT]} for number, more in enumerate(variants)]
    check = release(simulator, *rows, check_mode=True)
    assert [gate["changed"] for gate in check["gates"]] == [True, False] * 3
    result = release(simulator, *rows)
    assert (result.failure, result.warnings) == (None, [])
    assert changes_of(simulator) == [f"create_pipeline {number}" for number in (101, 102, 103)]
    assert sorted(gate["pipeline"]["id"] for gate in result["gates"]) == [101, 101, 102, 102, 103, 103]


@pytest.mark.parametrize("more", [{}, {"reuse": "success"}])
def test_stale_pipeline_list_does_not_start_a_second_pipeline(simulator: t.Any, more: Row) -> None:
    simulator.load(runnable())
    # the first gate lists before and after its request
    simulator.inject(kind="wrong_json", body=[], endpoint="list_pipelines", nth=[3, 4])
    result = release(simulator, *({"name": name, "gates": [{**RUN, **more}]} for name in ("one", "two", "three")))
    assert (result.failure, changes_of(simulator)) == (None, ["create_pipeline 101"])
    assert {gate["pipeline"]["id"] for gate in result["gates"]} == {101}


@pytest.mark.parametrize("fault", ["reset_after", "reset_before"])
def test_lost_answer_to_run_does_not_start_a_second_pipeline(simulator: t.Any, fault: str) -> None:
    simulator.load(runnable())
    simulator.inject(fault, method="POST", nth=1)
    result = release(simulator, *({"name": str(number), "gates": [RUN]} for number in range(3)), strategy="collect")
    assert changes_of(simulator) == ["create_pipeline 101"] and result.warnings == []
    outcomes = sorted(gate["outcome"] for gate in result["gates"])
    # a request with an unknown result is not repeated
    known = {"reset_after": ["already done", "already done", "started"]}
    assert outcomes == known.get(fault, ["already done", "failed", "started"])


def test_pipeline_is_not_started_before_its_needs_have_passed(simulator: t.Any) -> None:
    made = two_projects({"duration": 30}, {})
    made["projects"][1]["new_pipelines"] = {"*": {"jobs": [{"name": "publish", "duration": 5}]}}
    simulator.load(made)
    infra = {"name": "infra", "gates": [PLAY]}
    site = {"name": "site", "project": "group/other", "needs": ["infra"]}
    result = release(simulator, infra, {**site, "gates": [RUN, {"name": "publish", "action": "wait"}]})
    assert result.failure is None
    assert changes_of(simulator) == ["play deploy", "create_pipeline 201"]
    started = next(row for row in simulator.effects() if row["action"] == "create_pipeline")
    played = next(row for row in simulator.effects() if row["action"] == "play")
    assert started["at"] >= played["at"] + 30


def test_pipeline_is_not_started_if_its_needs_fail(simulator: t.Any) -> None:
    made = two_projects({"status": "skipped"}, {})
    made["projects"][1]["new_pipelines"] = {"*": {"jobs": [{"name": "publish"}]}}
    simulator.load(made)
    site = {"name": "site", "project": "group/other", "needs": ["infra"], "gates": [RUN]}
    result = release(simulator, {"name": "infra", "gates": [PLAY]}, site, strategy="collect")
    assert [gate["outcome"] for gate in result["gates"]] == ["refused", "not reached"]
    assert changes_of(simulator) == []


def test_refused_pipeline_stops_its_project(simulator: t.Any) -> None:
    made = runnable()
    made["projects"][0]["new_pipelines"] = {"*": {"refused": "workflow_rules", "jobs": []}}
    simulator.load(made)
    result = release(simulator, {"gates": [RUN, WAIT]})
    assert result.failure is not None and "workflow rules" in result.failure and "$CI_PIPELINE_SOURCE" in result.failure
    assert [gate["outcome"] for gate in result["gates"]] == ["failed", "not reached"]
    assert changes_of(simulator) == []


def test_run_waits_for_the_limit_of_pipeline_creations(simulator: t.Any) -> None:
    """Five entries of the same project each start a pipeline; the server allows two per commit and minute."""
    made = runnable({"name": "test", "duration": 5})
    made["limits"] = {"pipelines_per_minute": 2}
    simulator.load(made)
    progress = Progress(is_shown=True)
    projects = [
        {"name": str(number), "needs": [str(number - 1)] if number else [], "gates": [{**RUN, "reuse": "never"}]}
        for number in range(5)
    ]
    result = release(simulator, *projects, progress=progress)
    assert result.failure is None
    assert changes_of(simulator) == [f"create_pipeline {number}" for number in range(101, 106)]
    assert any("too many pipelines" in line for line in progress.others)


def test_check_mode_does_not_read_the_old_pipeline(simulator: t.Any) -> None:
    made = runnable()
    made["pipelines"][0]["jobs"] = [{"name": "test", "status": "failed"}]
    simulator.load(made)
    result = release(simulator, {"gates": [RUN, WAIT, PLAY]}, check_mode=True)
    assert result.failure is None and result.changed
    assert list(gates_of(result).values()) == ["would start", "would be waited for", "would be played"]
    assert all(gate["pipeline"] is None for gate in result["gates"])


def test_run_is_refused_for_a_commit_that_is_not_the_tip(simulator: t.Any) -> None:
    simulator.load(runnable())
    for check_mode in (True, False):
        result = release(simulator, {"sha": "a" * 40, "gates": [RUN]}, check_mode=check_mode)
        assert result.failure is not None and "no pipeline was started" in result.failure
    assert changes_of(simulator) == []


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ({"gates": [WAIT, RUN]}, "run must be the first gate"),
        ({"gates": [{**RUN, "name": "deploy"}]}, "set name and stage in the gates after it"),
        ({"gates": [{**RUN, "require": "finished"}]}, "require cannot be used with run"),
        (
            {"gates": [{**RUN, "include_downstream": True}]},
            "include_downstream can only be used with wait, play, retry and verify",
        ),
        ({"gates": [{**RUN, "job_variables": {"A": "b"}}]}, "job_variables can only be used with play"),
        ({"gates": [{**WAIT, "variables": {"A": "b"}}]}, "variables can only be used with run"),
        ({"gates": [{**WAIT, "reuse": "success"}]}, "reuse can only be used with run"),
        ({"gates": [{**RUN, "variables": {"A": ["b"]}}]}, "variables: A is a list"),
        ({"gates": [RUN], "pipeline_source": ["push"]}, "pipeline_source cannot be used with run"),
        ({"gates": [RUN], "ref": None, "pipeline_id": 100}, "run needs ref, the branch or tag"),
    ],
)
def test_option_mistakes_of_run_are_reported_before_any_request(simulator: t.Any, project: Row, words: str) -> None:
    simulator.load(runnable())
    result = release(simulator, project)
    assert result.failure is not None and words in result.failure and "gate" in result.failure
    assert simulator.requests() == []


@pytest.mark.parametrize(
    "options",
    [
        {"gates": [{**RUN, "reuse": "active"}, PLAY]},
        {"ref": None, "pipeline_id": 101, "gates": [PLAY]},
        {"gates": [PLAY]},
    ],
    ids=["reused", "by its id", "by its ref"],
)
def test_errors_name_the_project_as_configured_for_every_selection(simulator: t.Any, options: Row) -> None:
    simulator.load(runnable({"name": "deploy", **MANUAL}))
    assert release(simulator, {"gates": [RUN]}).failure is None
    simulator.inject(method="POST", path="/play$", status=403, body={"message": "403 Forbidden"})
    failure = str(release(simulator, options).failure)
    assert "group/app" in failure and "project 7" not in failure
