# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gate never opens on nothing or on the wrong thing: by module, role and lookup, with all effects counted."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible.utils.display import Display

from tests.contract.gate_support import (
    CYCLE,
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
from tests.contract.support import validated
from tests.contract.test_release_gates import release
from tests.integration.harness import ACTION, INFO, effects, run_task, world

# ----- 1: a stage that does not exist -----


def test_wait_for_an_unknown_stage_fails(simulator: t.Any) -> None:
    simulator.load(world(*TESTED))
    for options in (WAIT_FOR_SUCCESS, {"wait": True}, {}):
        results = check_and_run_twice(simulator, INFO, **PIPELINE, stage=["tests"], **options)
        assert_refused(simulator, results, "stage 'tests'", "did you mean 'test'?", "'deploy'")
        assert {result.seconds for result in results} == {0}


@pytest.mark.parametrize("action", ["wait", "verify", "play", "retry"])
def test_gate_on_an_unknown_stage_stops_later_gates(simulator: t.Any, action: str) -> None:
    simulator.load(world(*TESTED))
    gates = [{"stage": "tests", "action": action}, {"name": "deploy", "action": "play"}]
    for check_mode in CYCLE:
        result = release(simulator, {"gates": gates}, check_mode=check_mode)
        assert "stage 'tests'" in str(result.failure) and "did you mean 'test'?" in str(result.failure)
        assert [gate["outcome"] for gate in result["gates"]] == ["failed", "not reached"]
        assert (result["outcome"], result.changed) == ("failed", False)
    assert effects(simulator) == []


# ----- 2: a right name in a wrong stage -----


@pytest.mark.parametrize("stage", ["dpeloy", "test"])
def test_known_name_in_a_wrong_stage_plays_nothing(simulator: t.Any, stage: str) -> None:
    simulator.load(world(*TESTED))
    selection: Row = {"name": ["deploy"], "stage": [stage]}
    for options in ({}, {"wait": True}, {"allow_empty": True}):
        results = check_and_run_twice(simulator, ACTION, **PIPELINE, **selection, **options, action="play")
        assert_refused(simulator, results, "deploy", f"stage '{stage}'")
    for action in ("play", "wait", "verify"):
        assert_refused(
            simulator, check_and_run_gate_twice(simulator, {**selection, "action": action}), f"stage '{stage}'"
        )


# ----- 3: an empty list -----


def busy() -> Row:
    return world(
        {"name": "one", "status": "running", "duration": 500},
        {"name": "two", "status": "running", "duration": 500},
        {"name": "old", "status": "success"},
    )


@pytest.mark.parametrize("action", ["cancel", "erase"])
@pytest.mark.parametrize("empty", ["name", "stage"])
@pytest.mark.parametrize("scope", [[], ["running"], ["success"]])
def test_empty_list_selects_nothing(simulator: t.Any, action: str, empty: str, scope: list[str]) -> None:
    simulator.load(busy())
    options: Row = {**PIPELINE, empty: [], "scope": scope, "multiple": "all", "action": action}
    assert_refused(simulator, check_and_run_twice(simulator, ACTION, **options), "an empty list of name or stage")
    for result in check_and_run_twice(simulator, ACTION, **options, allow_empty=True):
        assert (result.failure, result.changed, result["jobs"], result["job"]) == (None, False, [], None)
    assert effects(simulator) == []


@pytest.mark.parametrize("empty", [{"name": []}, {"stage": []}, {"name": [], "stage": ["test"]}])
def test_info_with_an_empty_list_returns_no_jobs(simulator: t.Any, empty: Row) -> None:
    simulator.load(busy())
    for where in (PIPELINE, MAIN, {"project": "group/app"}):
        assert run_task(simulator, INFO, **where, **empty)["jobs"] == []
    assert "an empty list" in str(run_task(simulator, INFO, **PIPELINE, **empty, wait=True).failure)
    allowed = run_task(simulator, INFO, **PIPELINE, **empty, wait=True, allow_empty=True)
    assert (allowed.failure, allowed["jobs"]) == (None, [])


@pytest.mark.parametrize(
    "gate", [{"name": []}, {"stage": []}, {"name": [], "stage": "test"}, {"name": "one", "stage": []}]
)
@pytest.mark.parametrize("action", ["wait", "verify", "play"])
def test_gate_with_an_empty_list_never_opens(simulator: t.Any, gate: Row, action: str) -> None:
    simulator.load(world({"name": "one", "status": "success"}))
    results = check_and_run_gate_twice(simulator, {**gate, "action": action})
    assert_refused(simulator, results, "gate 1 of project")
    assert simulator.requests() == []


def test_lookup_without_terms_is_an_error(simulator: t.Any) -> None:
    simulator.load(busy())
    for terms in ([], [[]], [""]):
        with pytest.raises(AnsibleError, match="specify the name or the id of a job"):
            look_up(simulator, *terms, pipeline_id=100)


def test_action_is_unchanged_if_scope_excludes_all_jobs(simulator: t.Any) -> None:
    simulator.load(world({"name": "old", "status": "success"}))
    for options in ({}, {"name": ["*"]}, {"name": ["old"]}, {"wait": True}):
        results = check_and_run_twice(simulator, ACTION, **PIPELINE, **options, scope=["running"], action="cancel")
        for result in results:
            assert (result.failure, result.changed, result["jobs"]) == (None, False, [])
    assert effects(simulator) == []
    # there is no job to wait for, which is not a success
    waited = run_task(simulator, INFO, **PIPELINE, scope=["running"], wait=True)
    assert "status running (scope): found 1 success" in str(waited.failure)


@pytest.mark.parametrize("require", ["success", "finished", "started"])
def test_gate_times_out_if_its_job_never_appears(simulator: t.Any, require: str) -> None:
    # no one plays the trigger job that would start its pipeline
    child = {"jobs": [{"name": "apply", **MANUAL}]}
    infra = {"name": "infra", "when": "manual", "trigger": {"pipeline": child}}
    gates = [
        {"name": "infra/apply", "action": "play", "require": require, "wait_timeout": 5.0},
        {"name": "deploy", "action": "play"},
    ]
    simulator.load(world({"name": "deploy", **MANUAL}, infra))
    result = release(simulator, {"gates": gates})
    assert "timed out after 5 s (wait_timeout): no job 'infra/apply'" in str(result.failure)
    assert [gate["outcome"] for gate in result["gates"]] == ["timed out", "not reached"]
    assert effects(simulator) == []


# ----- 7: which job a name selects -----


def parent_and_children() -> Row:
    """Return a pipeline with its own jobs, and child pipelines of two trigger jobs."""
    linux = {"jobs": [{"name": "linux/deploy", **MANUAL}, {"name": "amd64", **MANUAL}, {"name": "only", **MANUAL}]}
    other = {"jobs": [{"name": "twin", **MANUAL}]}
    return world(
        {"name": "deploy", **MANUAL},
        {"name": "linux", "trigger": {"pipeline": {"jobs": [*linux["jobs"], {"name": "twin", **MANUAL}]}}},
        {"name": "mac", "trigger": {"pipeline": other}},
        {"name": "mac/twin", **MANUAL},
    )


def load_children(simulator: t.Any) -> None:
    simulator.load(parent_and_children())
    simulator.advance(60)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("deploy", "deploy"),
        ("linux/linux/deploy", "linux/linux/deploy"),
        ("linux/deploy", "linux/linux/deploy"),
        ("linux/amd64", "linux/amd64"),
        ("amd64", "linux/amd64"),
        ("**/amd64", "linux/amd64"),
        ("**/deploy", "deploy"),
        ("only", "linux/only"),
        ("mac/twin", "mac/twin"),
    ],
)
def test_name_selects_the_same_job_in_all_plugins(simulator: t.Any, name: str, path: str) -> None:
    options: Row = {**PIPELINE, "include_downstream": True}
    load_children(simulator)
    read = run_task(simulator, INFO, **options, name=[name])
    assert read.failure is None and len(read["jobs"]) == 1
    job_id = read["job"]["id"]
    assert [job["id"] for job in look_up(simulator, name, pipeline_id=100, include_downstream=True)] == [job_id]
    results = check_and_run_twice(simulator, ACTION, **options, name=[name], action="play")
    assert [result.failure for result in results] == [None] * 4
    assert {result["results"][0]["name"] for result in results} == {path}
    assert [effect["job_id"] for effect in simulator.effects()] == [job_id]
    load_children(simulator)
    job_id = run_task(simulator, INFO, **options, name=[name])["job"]["id"]
    for result in check_and_run_gate_twice(simulator, {"name": name, "action": "play", "include_downstream": True}):
        assert result.failure is None
    assert [effect["job_id"] for effect in simulator.effects()] == [job_id]


def test_ambiguous_name_is_refused_with_all_matches(simulator: t.Any) -> None:
    load_children(simulator)
    options: Row = {**PIPELINE, "include_downstream": True}
    listed = run_task(simulator, INFO, **options, name=["twin"])
    ids = [str(job["id"]) for job in listed["jobs"]]
    assert len(ids) == 2
    words = ("2 jobs match", "linux/twin", *ids)
    by_id = "Use the exact name or job_id, or multiple: latest"
    assert_refused(
        simulator, check_and_run_twice(simulator, ACTION, **options, name=["twin"], action="play"), by_id, *words
    )
    # gates have no job_id
    words = ("Use the exact name, or multiple: latest", *words)
    gate = {"name": "twin", "action": "play", "include_downstream": True}
    assert_refused(simulator, check_and_run_gate_twice(simulator, gate), *words)


@pytest.mark.parametrize("name", ["linux/su", "linux/"])
def test_unrelated_trigger_job_does_not_delay_an_unknown_name_error(simulator: t.Any, name: str) -> None:
    """The trigger job was not played, but none of its jobs could have this name."""
    sub = {"name": "sub", **MANUAL, "trigger": {"pipeline": {"jobs": [{"name": "deploy"}]}}}
    simulator.load(world({"name": "build"}, {"name": "linux", "trigger": {"pipeline": {"jobs": [sub]}}}))
    simulator.advance(60)
    results = [run_task(simulator, INFO, **PIPELINE, name=[name], include_downstream=True, wait=True)]
    results += check_and_run_gate_twice(simulator, {"name": name, "action": "wait"})
    assert_refused(simulator, results, f"no job '{name}'")
    assert {result.seconds for result in results} == {0}


def load_secret_child(simulator: t.Any) -> None:
    """Load a pipeline whose downstream pipeline belongs to a project that alice cannot read, and has a failed job."""
    failed = {"name": "deploy:eu", "stage": "deploy", "status": "failed"}
    scenario = world(
        {"name": "deploy:us", "stage": "deploy", "status": "success"},
        {"name": "eu", "stage": "trigger", "trigger": {"project": "secret/eu", "pipeline": {"jobs": [failed]}}},
        {"name": "later", "stage": "later", **MANUAL},
    )
    scenario["projects"].append({"path": "secret/eu", "id": 9})
    simulator.load(scenario)
    simulator.advance(60)


@pytest.mark.parametrize("action", ["wait", "verify", "play", "retry"])
def test_gate_is_refused_if_part_of_the_tree_is_unreadable(simulator: t.Any, action: str) -> None:
    load_secret_child(simulator)
    hidden = "cannot read the downstream pipelines of 'eu', whose jobs may be selected, too"
    for selection in ({"name": "deploy*"}, {"stage": "deploy"}):
        gate = {**selection, "action": action, "include_downstream": True}
        assert_refused(simulator, check_and_run_gate_twice(simulator, gate), hidden, "Use exact names")


def test_bare_name_is_refused_if_an_unreadable_job_may_match(simulator: t.Any) -> None:
    """It is the name of the only readable job, but an unreadable job of the same rank may have it, too."""
    deploy = {"name": "deploy", "status": "success"}
    scenario = world(
        {"name": "us", "stage": "trigger", "trigger": {"pipeline": {"jobs": [deploy]}}},
        {"name": "eu", "stage": "trigger", "trigger": {"project": "secret/eu", "pipeline": {"jobs": [deploy]}}},
    )
    scenario["projects"].append({"path": "secret/eu", "id": 9})
    simulator.load(scenario)
    simulator.advance(60)
    hidden = "cannot read the downstream pipelines of 'eu'"
    for action in ("wait", "verify", "play", "retry"):
        gate = {"name": "deploy", "action": action, "include_downstream": True}
        assert_refused(
            simulator, check_and_run_gate_twice(simulator, gate), hidden, "with the paths of downstream jobs"
        )
    options: Row = {**PIPELINE, "include_downstream": True}
    assert_refused(
        simulator, check_and_run_twice(simulator, ACTION, **options, name=["deploy"], action="erase"), hidden
    )
    erased = run_task(simulator, ACTION, **options, name=["us/deploy"], action="erase")
    assert (erased.failure, effects(simulator)) == (None, [("erase", "deploy")])


def test_name_of_a_top_level_job_does_not_wait_for_the_tree(simulator: t.Any) -> None:
    """The name selects the job of the pipeline itself, whatever jobs an unplayed trigger job would add."""
    child = {"pipeline": {"jobs": [{"name": "unit", "status": "failed"}]}}
    simulator.load(world({"name": "unit", "status": "success"}, {"name": "later", "trigger": child, **MANUAL}))
    options: Row = {**PIPELINE, **WAIT_FOR_SUCCESS, "include_downstream": True, "name": ["unit"]}
    found = run_task(simulator, INFO, **options)
    assert (found.failure, [job["name"] for job in found["jobs"]]) == (None, ["unit"])
    gate = {"name": "unit", "action": "wait", "include_downstream": True}
    assert [result.failure for result in check_and_run_gate_twice(simulator, gate)] == [None] * 4


def test_unreadable_downstream_causes_a_warning_if_it_is_irrelevant(simulator: t.Any) -> None:
    load_secret_child(simulator)
    options: Row = {**PIPELINE, "include_downstream": True}
    found = run_task(simulator, INFO, **options)
    assert found.failure is None and len(found["jobs"]) == 2
    assert ["downstream pipelines of 'eu'" in warning for warning in found.warnings] == [True]
    gate = {"name": "deploy:us", "action": "verify", "include_downstream": True}
    assert [result.failure for result in check_and_run_gate_twice(simulator, gate)] == [None] * 4


def test_lookup_warns_about_unreadable_downstream_pipelines(simulator: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    load_secret_child(simulator)
    shown: list[str] = []
    monkeypatch.setattr(Display, "warning", lambda _self, text, *_args, **_kwargs: shown.append(text))
    found = look_up(simulator, "deploy*", pipeline_id=100, include_downstream=True)
    assert [job["name"] for job in found] == ["deploy:us"]
    assert ["downstream pipelines of 'eu'" in text for text in shown] == [True]


# ----- 16: retry all failed jobs -----


def test_retry_of_all_failed_jobs_includes_trigger_jobs(simulator: t.Any) -> None:
    def load() -> None:
        simulator.load(
            world(
                {"name": "unit", "status": "failed"},
                {"name": "fine", "status": "success"},
                {
                    "name": "infra",
                    "trigger": {"pipeline": {"jobs": []}, "creation_fails": "downstream_pipeline_creation_failed"},
                },
            )
        )
        simulator.advance(60)
        assert simulator.job("infra")["status"] == "failed"

    for selection in ({"name": ["*"], "scope": ["failed"]}, {"scope": ["failed"]}):
        load()
        options: Row = {**PIPELINE, **selection, "multiple": "all", "action": "retry"}
        check, real = (run_task(simulator, ACTION, check_mode=check_mode, **options) for check_mode in (True, False))
        for result in (check, real):
            assert result.failure is None and result.changed
            assert {entry["name"]: entry["outcome"] for entry in result["results"]} == {
                "unit": "applied",
                "infra": "applied",
            }
        assert sorted(effects(simulator)) == [("retry", "infra"), ("retry", "unit")]


@pytest.mark.parametrize("action", ["cancel", "erase"])
def test_trigger_jobs_that_an_action_excludes_are_named(simulator: t.Any, action: str) -> None:
    status = {"cancel": "running", "erase": "success"}[action]
    child = {"jobs": [{"name": "apply", "duration": 5000}]}
    simulator.load(
        world(
            {"name": "unit", "status": status, "duration": 5000},
            {"name": "infra", "status": status, "trigger": {"strategy": "depend", "pipeline": child}},
        )
    )
    options: Row = {**PIPELINE, "name": ["*"], "scope": [status], "multiple": "all", "action": action}
    result = run_task(simulator, ACTION, **options)
    assert "infra" in str(result.failure) and result.changed
    assert effects(simulator) == [(action, "unit")]


# ----- 17: a name with a comma, as a string -----

MATRIX = "integration: [postgres, 15]"


def names_from_string(task: t.Any, name: str, **options: t.Any) -> list[str]:
    """Return the list that Ansible makes of a string in the option `name`."""
    return t.cast("list[str]", validated(task, {**PIPELINE, **options, "name": name})["name"])


def test_string_with_commas_selects_the_job_of_that_name(simulator: t.Any) -> None:
    def load() -> None:
        others = [{"name": name, **MANUAL} for name in ("integration: [postgres, 16]", "unit")]
        simulator.load(world({"name": MATRIX, **MANUAL}, *others))

    load()
    for where in (PIPELINE, MAIN, {"project": "group/app"}):
        read = run_task(simulator, INFO, **where, name=names_from_string(INFO, MATRIX))
        assert read.failure is None and [job["name"] for job in read["jobs"]] == [MATRIX]
    assert look_up(simulator, MATRIX, pipeline_id=100)[0]["name"] == MATRIX
    results = check_and_run_twice(
        simulator, ACTION, **PIPELINE, name=names_from_string(ACTION, MATRIX, action="play"), action="play"
    )
    assert [(result.failure, result.changed) for result in results] == [(None, changed) for changed in (1, 1, 0, 0)]
    assert effects(simulator) == [("play", MATRIX)]
    load()
    for result in check_and_run_gate_twice(simulator, {"name": names_from_string(INFO, MATRIX), "action": "play"}):
        assert result.failure is None
        assert [gate["name"] for gate in result["gates"]] == [MATRIX]
    assert effects(simulator) == [("play", MATRIX)]
    # any other string is a list
    read = run_task(simulator, INFO, **PIPELINE, name=names_from_string(INFO, "unit, integration: *"))
    assert read.failure is None and len(read["jobs"]) == 3
    wrong = run_task(simulator, INFO, **PIPELINE, name=names_from_string(INFO, "integration: [postgres, 17]"))
    assert MATRIX in str(wrong.failure)
