# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests of the gates of one pipeline: lists that are complete are not read again."""

from __future__ import annotations

import collections
import json
import pathlib
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.index import JobIndex

from tests.contract.test_release_gates import MANUAL, Row, release
from tests.contract.test_release_record import TREE
from tests.integration.harness import world

BUILDS = [{"name": f"build-{number}", "stage": "build", "duration": 300 + number} for number in range(3)]


def request_counts(simulator: t.Any) -> collections.Counter[str]:
    """Return the number of requests for each list, by the end of its path."""
    return collections.Counter(request["path"].rpartition("/")[2] for request in simulator.requests())


@pytest.mark.parametrize("chosen", [{"name": "build-*"}, {"stage": "build"}])
def test_absent_trigger_jobs_are_not_polled(simulator: t.Any, chosen: Row) -> None:
    simulator.load(world(*BUILDS), version="19.2")
    assert release(simulator, {"gates": [{**chosen, "action": "wait"}]}).failure is None
    counts = request_counts(simulator)
    assert counts["trigger_jobs"] == 2 and counts["jobs"] > 20


@pytest.mark.parametrize("chosen", [{"name": "*"}, {"stage": "build"}])
def test_trigger_jobs_are_polled_when_present(simulator: t.Any, chosen: Row) -> None:
    infra = {"name": "infra", "stage": "build", "trigger": TREE, "needs": ["build-2"]}
    simulator.load(world(*BUILDS, infra))
    result = release(simulator, {"gates": [{**chosen, "action": "wait"}]})
    assert result.failure is None
    assert {job["path"] for job in result["gates"][0]["jobs"]} == {"build-0", "build-1", "build-2", "infra"}


def test_gate_waits_for_jobs_that_are_listed_later(simulator: t.Any) -> None:
    infra = {"name": "infra", "stage": "build", "trigger": TREE}
    simulator.load(world(*BUILDS, infra), version="19.2")
    simulator.inject("json_list", path="/jobs$", times=3)
    simulator.inject("json_list", path="/trigger_jobs$", times=4)
    result = release(simulator, {"gates": [{"stage": "build", "action": "wait"}]})
    assert result.failure is None
    assert {job["path"] for job in result["gates"][0]["jobs"]} == {"build-0", "build-1", "build-2", "infra"}


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("action", ["wait", "verify"])
def test_gates_of_an_ended_pipeline_read_its_jobs_once(
    simulator: t.Any, monkeypatch: pytest.MonkeyPatch, action: str, check_mode: bool
) -> None:
    made = []
    make = JobIndex.__init__

    def noted(index: JobIndex, *arguments: t.Any) -> None:
        make(index, *arguments)
        made.append(len(index.jobs))

    monkeypatch.setattr(JobIndex, "__init__", noted)
    simulator.load(world(*({"name": f"build {number}", "status": "success"} for number in range(250))))
    rows = [{"name": [f"build {number}"], "action": action} for number in range(60)]
    assert release(simulator, {"gates": rows}, check_mode=check_mode).failure is None
    assert (request_counts(simulator)["jobs"], [size for size in made if size > 1]) == (3, [250])


def test_gate_reads_jobs_again_after_a_gate_with_changes(simulator: t.Any) -> None:
    simulator.load(world({"name": "unit", "status": "success"}, {"name": "deploy", **MANUAL}))
    gates = [
        {"name": "unit", "action": "wait"},
        {"name": "deploy", "action": "play", "require": "started"},
        {"name": "deploy", "action": "verify", "require": "started"},
    ]
    result = release(simulator, {"gates": gates})
    assert (result.failure, [gate["outcome"] for gate in result["gates"]]) == (None, ["passed", "played", "passed"])


def test_gate_sees_changes_of_a_previous_gate_in_another_project(simulator: t.Any) -> None:
    apply = {"name": "apply", **MANUAL, "duration": 0, "queue": 0}
    pipeline = {"ref": "main", "jobs": [apply]}
    infra = {"name": "infra", "trigger": {"project": "group/infra", "strategy": "depend", "pipeline": pipeline}}
    scenario = world({"name": "unit", "status": "success"}, infra)
    scenario["projects"].append({"path": "group/infra", "members": {"alice": "owner"}})
    simulator.load(scenario)
    simulator.advance(5)
    gates = [
        {"name": "infra/apply", "action": "play", "require": "started", "include_downstream": True},
        {"name": "infra*", "action": "verify", "include_downstream": True},
    ]
    result = release(simulator, {"gates": gates})
    assert (result.failure, [gate["outcome"] for gate in result["gates"]]) == (None, ["played", "passed"])


def test_unreadable_record_data_does_not_delay_the_release(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "test", **MANUAL}))
    simulator.inject("html_502", path="/(trigger_jobs|bridges)$", times=1000)
    gates = [{"name": "test", "action": "play"}]
    result = release(simulator, {"gates": gates}, wait_timeout=20.0, record=str(tmp_path / "record.json"))
    assert (result.failure, len(simulator.effects())) == (None, 1) and result.seconds < 120
    assert "cannot be read" in str(result.warnings) or "502" in str(result.warnings)


@pytest.mark.parametrize("other", ["record", "report", "summary"])
def test_two_outputs_to_the_same_file_are_refused(simulator: t.Any, tmp_path: pathlib.Path, other: str) -> None:
    simulator.load(world({"name": "test", **MANUAL}))
    (tmp_path / "link").symlink_to(tmp_path)
    paths = {other: str(tmp_path / "same"), "junit": str(tmp_path / "link" / "same")}
    result = release(simulator, {"gates": [{"name": "test", "action": "play"}]}, **paths)
    assert f"{other} and junit are the same file" in str(result.failure) and simulator.requests() == []


def test_record_is_complete_despite_a_low_request_ceiling(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    many = 60
    made = world()
    made["projects"] = [{"path": f"group/app-{number}", "members": {"alice": "maintainer"}} for number in range(many)]
    made["pipelines"] = [
        {"id": 100 + number, "project": f"group/app-{number}", "ref": "main", "jobs": [{"name": "test", **MANUAL}]}
        for number in range(many)
    ]
    simulator.load(made)
    gates = [{"name": "test", "action": "play"}]
    path = tmp_path / "record.json"
    rows = [{"project": f"group/app-{number}", "gates": gates} for number in range(many)]
    result = release(simulator, *rows, api_requests_per_minute=20, record=str(path))
    assert (result.failure, len(simulator.effects())) == (None, many)
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["warnings"] == [] and all(project["jobs"] for project in record["projects"])
