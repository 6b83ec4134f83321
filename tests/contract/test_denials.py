# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A single denial of something that was readable before has no effect: the request is repeated for ten seconds."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.gate_support import AT_ONCE, DEPLOY, MAIN, MANUAL, PIPELINE, child
from tests.contract.test_release_gates import APP, OTHER, Row, release, two_projects
from tests.integration.approvals import JOB, Witness, approval_world
from tests.integration.harness import ACTION, BRIDGES, INFO, PIPELINE_INFO, effects, run_task, world

TEXTS = {401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Not Found"}
# a page of a proxy or firewall in front of GitLab
PROXY_PAGE: Row = {"kind": "html", "status": 403}


def denial(status: int) -> Row:
    return {"status": status, "body": {"message": TEXTS[status]}}


def deny(simulator: t.Any, path: str, nth: list[int], answer: Row) -> None:
    simulator.inject(method="GET", path=path, nth=nth, **answer)


# ----- gates -----

LATER_GATES: tuple[Row, ...] = (
    {"name": "unit", "action": "wait"},
    {"name": "unit", "action": "verify"},
    {"name": "publish", "action": "play"},
    {"name": "unit", "action": "retry"},
)


def two_gates(simulator: t.Any, later: Row, *, nth: list[int], answer: Row) -> t.Any:
    """Play a job with a gate, deny the list of jobs to a later gate, and return the result."""
    simulator.load(world({"name": "unit", "status": "success"}, DEPLOY, {"name": "publish", **AT_ONCE}))
    deny(simulator, "/pipelines/100/jobs$", nth, answer)
    gates = [{"name": "deploy", "action": "play", "require": "started"}, later]
    return release(simulator, {"gates": gates}, wait_timeout=60.0)


@pytest.mark.parametrize("later", LATER_GATES, ids=lambda gate: gate["action"])
@pytest.mark.parametrize("answer", [*map(denial, TEXTS), PROXY_PAGE], ids=str)
def test_later_gate_repeats_a_denied_read(simulator: t.Any, later: Row, answer: Row) -> None:
    # the first gate has already read the list once
    result = two_gates(simulator, later, nth=[2], answer=answer)
    assert result.failure is None and result.seconds < 60
    assert [action for action, _name in effects(simulator)].count("play") == 1 + (later["action"] == "play")


@pytest.mark.parametrize("later", LATER_GATES, ids=lambda gate: gate["action"])
def test_later_gate_fails_after_ten_seconds_of_denials(simulator: t.Any, later: Row) -> None:
    result = two_gates(simulator, later, nth=list(range(2, 500)), answer=denial(403))
    assert "403 Forbidden" in str(result.failure) and 10 <= result.seconds < 15
    assert effects(simulator) == [("play", "deploy")]


@pytest.mark.parametrize("status", TEXTS)
def test_later_gate_repeats_denied_reads_of_attempts_and_approvals(simulator: t.Any, status: int) -> None:
    unit = {"name": "unit", "action": "wait"}
    simulator.load(world({"name": "unit", "status": "success"}, {"name": "flaky", "status": "failed"}))
    deny(simulator, "/pipelines/100/jobs$", [2], denial(status))
    retry = {"name": "flaky", "action": "retry", "max_attempts": 3}
    result = release(simulator, {"gates": [unit, retry]}, wait_timeout=60.0)
    assert result.failure is None and effects(simulator) == [("retry", "flaky")]
    assert simulator.faults()["rules"][0]["struck"] == 1

    simulator.load(approval_world({"name": "unit", "stage": "a", "status": "success"}, JOB))
    deny(simulator, "/deployments$", [1], denial(status))
    witness = Witness(lambda: simulator.act_as_somebody_else("approve", "deploy"))
    play = {"name": "deploy", "action": "play", "wait_for_approval": True}
    result = release(simulator, {"gates": [unit, play]}, wait_timeout=60.0, progress=witness)
    assert result.failure is None and effects(simulator) == [("play", "deploy")]


@pytest.mark.parametrize("status", TEXTS)
def test_first_gate_fails_at_once_when_denied(simulator: t.Any, status: int) -> None:
    simulator.load(world(DEPLOY))
    deny(simulator, "/(pipelines|jobs)$", [1], denial(status))
    result = release(simulator, APP)
    assert TEXTS[status] in str(result.failure) and result.seconds < 1
    assert effects(simulator) == []


@pytest.mark.parametrize("status", TEXTS)
@pytest.mark.parametrize("path", ["other/pipelines$", "/pipelines/200$", "/pipelines/200/jobs$"])
def test_later_project_repeats_a_denied_read(simulator: t.Any, path: str, status: int) -> None:
    simulator.load(two_projects({"duration": 5}, {}))
    deny(simulator, path, [1], denial(status))
    result = release(simulator, APP, {**OTHER, "needs": ["app"]}, wait_timeout=60.0)
    assert result.failure is None
    assert effects(simulator) == [("play", "deploy"), ("play", "publish")]


@pytest.mark.parametrize("list_name", ["jobs", "trigger_jobs"])
def test_denied_read_of_a_known_child_pipeline_is_repeated(simulator: t.Any, list_name: str) -> None:
    infra = {"name": "infra", "trigger": child({"name": "plan", "status": "success"}, {"name": "apply", **MANUAL})}
    simulator.load(world(DEPLOY, infra), version="19.2")
    simulator.advance(3)
    deny(simulator, rf"/pipelines/(?!100/)\d+/{list_name}$", [2], denial(403))
    gates = [
        {"name": "infra/plan", "action": "wait"},
        {"name": "deploy", "action": "play", "require": "started"},
        {"name": "infra/apply", "action": "play"},
    ]
    result = release(simulator, {"gates": gates}, wait_timeout=60.0)
    assert result.failure is None and effects(simulator) == [("play", "deploy"), ("play", "apply")]


def start_later_pipeline(simulator: t.Any, path: str, nth: list[int], answer: Row) -> t.Any:
    """Start a pipeline after another project with a gate whose reads are denied, and return the result."""
    made = two_projects({"duration": 5}, {})
    made["projects"][1]["new_pipelines"] = {"*": {"jobs": [{"name": "publish", "duration": 5}]}}
    simulator.load(made)
    tip = simulator.set_ref("main", project="group/other")
    deny(simulator, path, nth, answer)
    site = {"name": "site", "project": "group/other", "sha": tip, "needs": ["app"], "gates": [{"action": "run"}]}
    return release(simulator, APP, site, wait_timeout=60.0)


LISTS, COMMIT = "other/pipelines$", "other/repository/commits/main$"


@pytest.mark.parametrize(
    ("path", "answer"),
    # a token that cannot read commits is not an error
    [*((LISTS, answer) for answer in (*map(denial, TEXTS), PROXY_PAGE)), (COMMIT, denial(404))],
    ids=str,
)
def test_denied_search_before_a_later_pipeline_start_is_repeated(simulator: t.Any, path: str, answer: Row) -> None:
    result = start_later_pipeline(simulator, path, [1], answer)
    assert result.failure is None
    assert [action for action, _name in effects(simulator)] == ["play", "create_pipeline"]


def test_pipeline_is_not_started_while_the_list_stays_denied(simulator: t.Any) -> None:
    result = start_later_pipeline(simulator, LISTS, list(range(1, 500)), denial(403))
    assert "403 Forbidden" in str(result.failure) and 10 <= result.seconds < 25
    assert effects(simulator) == [("play", "deploy")]


@pytest.mark.parametrize("status", TEXTS)
def test_denied_read_of_a_known_commit_is_repeated(simulator: t.Any, status: int) -> None:
    simulator.load(world(DEPLOY))
    tip = simulator.set_ref("main")
    deny(simulator, "/repository/commits/", [3], denial(status))
    result = run_task(simulator, INFO, project="group/app", sha=tip[:8], wait=True, wait_timeout=30.0)
    assert (result["timed_out"], result.seconds) == (True, 30)


# during the update of a cluster, some servers lack an endpoint that others have; this lasts a while or happens once
OTHER_VERSIONS = [("19.2", "/trigger_jobs$", list(range(2, 500))), ("18.0", "/bridges$", [2])]


@pytest.mark.parametrize(("version", "path", "nth"), OTHER_VERSIONS)
@pytest.mark.parametrize("is_gate", [False, True])
def test_trigger_jobs_are_found_while_servers_differ_in_version(
    simulator: t.Any, version: str, path: str, nth: list[int], is_gate: bool
) -> None:
    infra = {"name": "infra", "trigger": child({"name": "plan", "outcome": "failed", "duration": 30})}
    simulator.load(world({"name": "unit", "duration": 3}, infra, DEPLOY), version=version)
    deny(simulator, path, nth, {"status": 404, "body": {"error": "404 Not Found"}})
    tests = {"stage": ["test"], "include_downstream": True}
    if is_gate:
        gates = [{**tests, "action": "wait"}, {"name": "deploy", "action": "play"}]
        result = release(simulator, {"gates": gates}, wait_timeout=100.0)
    else:
        result = run_task(simulator, INFO, **PIPELINE, **tests, wait=True, wait_for=["success"], wait_timeout=100.0)
    assert "job 'infra/plan'" in str(result.failure) and "ended as failed" in str(result.failure)
    assert result.warnings == [] and effects(simulator) == []


def load_late_child(simulator: t.Any, **plan: t.Any) -> None:
    infra = {"name": "infra", "stage": "z", "trigger": child({"name": "plan", "duration": 5, **plan})}
    early = {"name": "early", "trigger": child({"name": "lint", "status": "success"})}
    simulator.load(world({"name": "unit", "duration": 4}, early, infra))
    simulator.advance(1)


DOWNSTREAM_WAIT: Row = {"include_downstream": True, "wait": True, "wait_timeout": 60.0}


@pytest.mark.parametrize("what", ["jobs", "bridges"])
@pytest.mark.parametrize("status", TEXTS)
def test_denied_read_of_a_new_child_pipeline_is_repeated(simulator: t.Any, status: int, what: str) -> None:
    """A database replica may show it a moment later."""
    for task, more in ((ACTION, {"name": ["infra/plan"], "action": "play"}), (INFO, {"wait_for": ["success"]})):
        load_late_child(simulator, **(MANUAL if task is ACTION else {}))
        deny(simulator, rf"/pipelines/102/{what}$", [1], denial(status))
        result = run_task(simulator, task, **PIPELINE, **DOWNSTREAM_WAIT, **more)
        assert result.failure is None and simulator.faults()["rules"][0]["struck"] == 1
        assert effects(simulator) == [("play", "plan")] * (task is ACTION)


def test_denied_child_is_read_again_in_a_first_poll_of_two_reads(simulator: t.Any) -> None:
    load_late_child(simulator)
    simulator.inject(kind="wrong_json", body=[], path="/100/bridges$", nth=[1])
    deny(simulator, "/pipelines/101/bridges$", [1], denial(404))
    result = run_task(simulator, BRIDGES, **PIPELINE, depth=0, wait=True, wait_timeout=60.0)
    assert result.failure is None and len(result["downstream_pipelines"]) == 2


@pytest.mark.parametrize(("path", "minimum", "maximum"), [("/101/", 4, 14), ("/102/", 14, 24)])
def test_permanently_denied_child_pipeline_is_named_in_the_error(
    simulator: t.Any, path: str, minimum: int, maximum: int
) -> None:
    load_late_child(simulator)
    deny(simulator, f"/pipelines{path}", list(range(1, 500)), denial(404))
    result = run_task(simulator, INFO, **PIPELINE, **DOWNSTREAM_WAIT, wait_for=["success"])
    name = {"/101/": "early", "/102/": "infra"}[path]
    assert f"the token cannot read the downstream pipelines of '{name}'" in str(result.failure)
    assert minimum < result.seconds < maximum


# ----- reads at the end of a wait -----


def load_downstream_project(simulator: t.Any) -> None:
    pipeline = {"ref": "main", "jobs": [{"name": "apply", "duration": 5}]}
    infra = {"name": "infra", "trigger": {"project": "group/infra", "pipeline": pipeline}}
    scenario = world({"name": "unit", "duration": 3}, infra)
    scenario["projects"].append({"path": "group/infra", "members": {"alice": "owner"}})
    simulator.load(scenario)


@pytest.mark.parametrize("include_jobs", [False, True])
def test_proxy_page_at_the_last_downstream_read_is_retried(simulator: t.Any, include_jobs: bool) -> None:
    load_downstream_project(simulator)
    what = "/jobs" if include_jobs else ""
    deny(simulator, rf"/pipelines/(?!100)\d+{what}$", [1], PROXY_PAGE)
    how = {"wait": True, "wait_timeout": 60.0, "include_jobs": include_jobs}
    result = run_task(simulator, BRIDGES, **PIPELINE, **how)
    assert result.failure is None
    assert [(node["status"], node["accessible"]) for node in result["downstream_pipelines"]] == [("success", True)]


@pytest.mark.parametrize("answer", [denial(403), PROXY_PAGE], ids=str)
@pytest.mark.parametrize("task", [INFO, PIPELINE_INFO], ids=lambda task: task.name)
def test_denied_final_read_of_the_pipeline_is_repeated(simulator: t.Any, task: t.Any, answer: Row) -> None:
    load_downstream_project(simulator)
    deny(simulator, "/pipelines/100$", [1], answer)
    result = run_task(simulator, task, **MAIN, wait=True, wait_timeout=60.0)
    assert result.failure is None and result["pipeline"]["status"] == "success"
