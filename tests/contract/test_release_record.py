# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of a release as its schema describes it, and the words for the outcomes of gates."""

from __future__ import annotations

import copy
import json
import pathlib
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release import gates
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release.plan import GATE_ACTIONS, REQUIREMENTS
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release.run import FAILURES
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.scale import parse_time

from tests.contract.json_schema import problems
from tests.contract.support import ROOT, documentation
from tests.contract.test_release_gates import APP, MANUAL, OTHER, Row, gates_of, release, two_projects
from tests.integration.harness import SimulatedTime, world
from tests.unit.harness import Progress

SCHEMA: Row = json.loads((ROOT / "roles" / "release_gate" / "files" / "record.schema.json").read_text(encoding="utf-8"))
GATE: Row = SCHEMA["$defs"]["gate"]["properties"]
TREE: Row = {"strategy": "depend", "pipeline": {"ref": "main", "jobs": [{"name": "apply", "duration": 20}]}}
FLAKY: Row = {"duration": 5, "attempts": [{"outcome": "failed"}, {"outcome": "success"}]}

# Worlds, projects, and the outcomes of the gates.
RELEASES: dict[str, tuple[Row, list[Row], list[str]]] = {
    "played": (world({"name": "deploy", **MANUAL}), [APP], ["played"]),
    "refused": (
        two_projects({"status": "skipped"}, {}),
        [APP, {**OTHER, "needs": ["app"]}],
        ["refused", "not reached"],
    ),
    "failed": (world({"name": "deploy", **MANUAL, "outcome": "failed", "log": "no space\n"}), [APP], ["failed"]),
    "no pipeline": (
        world({"name": "deploy", **MANUAL}),
        [{"ref": "v9", "gates": [{"name": "deploy", "action": "play", "wait_timeout": 5.0}]}],
        ["timed out"],
    ),
    "downstream": (
        world({"name": "infra", "trigger": TREE}, {"name": "test", **FLAKY}),
        [{"gates": [{"name": "infra/apply", "action": "wait"}, {"name": "test", "action": "retry"}]}],
        ["passed", "retried"],
    ),
}


@pytest.mark.parametrize("name", RELEASES)
def test_record_matches_its_schema(simulator: t.Any, tmp_path: pathlib.Path, name: str) -> None:
    scenario, projects, outcomes = RELEASES[name]
    simulator.load(copy.deepcopy(scenario))
    path = tmp_path / "record.json"
    result = release(simulator, *projects, record=str(path), title="Version 1.2.0")
    assert [gate["outcome"] for gate in result["gates"]] == outcomes
    record = json.loads(path.read_text(encoding="utf-8"))
    assert problems(record, SCHEMA, SCHEMA) == []
    assert record["title"] == "Version 1.2.0"


def test_record_times_are_ordered_when_the_clock_is_set_back(
    simulator: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SimulatedTime, "time", lambda clock: 1_800_000_000.0 - (3600.0 if clock.seconds > 1 else 0.0))
    simulator.load(world({"name": "deploy", **MANUAL, "duration": 5}))
    path = tmp_path / "record.json"
    assert gates_of(release(simulator, APP, record=str(path))) == {"deploy": "played"}
    record = json.loads(path.read_text(encoding="utf-8"))
    for row in (record, record["projects"][0]["gates"][0]):
        assert row["started_at"] <= row["finished_at"]


def test_record_contains_a_found_pipeline_whatever_the_gate_outcome(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    waiting = {**OTHER, "gates": [{"name": "publish", "action": "wait"}]}
    mistyped = {"gates": [{"name": "deploi", "action": "wait", "require": "optional"}, *APP["gates"]]}
    path = tmp_path / "record.json"
    for projects in ([APP, waiting], [mistyped]):
        simulator.load(two_projects({"duration": 5, "outcome": "failed"}, {"when": "on_success", "duration": 500}))
        result = release(simulator, *projects, record=str(path))
        rows = json.loads(path.read_text(encoding="utf-8"))["projects"]
        assert rows[-1]["gates"][0]["outcome"] == ("not reached" if projects[-1] is waiting else "failed")
        assert [row["pipeline"]["id"] for row in rows] == [100, 200][: len(rows)]
        assert all(row["jobs"] for row in rows)
        assert result["gates"][-1]["pipeline"]["web_url"]


def test_schema_rejects_invalid_records(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    path = tmp_path / "record.json"
    release(simulator, APP, record=str(path))
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["title"] == ""
    gate = record["projects"][0]["gates"][0]
    gate.update(outcome="applied", jobs=[{"attempt": 1}], started_at="yesterday", elapsed=True)
    record["projects"][0]["jobs"][0]["color"] = "red"
    record["schema"] = 2
    record["extra"] = gate.pop("reason")
    found = problems(record, SCHEMA, SCHEMA)
    for words in (
        "record.schema is 2",
        "record has extra",
        "gates[0].outcome is 'applied'",
        "gates[0].started_at is 'yesterday'",
        "gates[0].elapsed is True",
        "gates[0] has no reason",
        "gates[0].jobs[0] has no id",
        "gates[0].jobs[0] has attempt",
        "jobs[0] has color",
    ):
        assert any(words in text for text in found), words


def test_schema_lists_every_outcome_action_and_requirement() -> None:
    started = {"started", "would start"}
    known = {*gates._OPEN, *gates._PREDICTED.values(), *FAILURES, *started, "not reached"}
    assert set(GATE["outcome"]["enum"]) == known
    assert set(GATE["action"]["enum"]) == set(GATE_ACTIONS)
    assert set(GATE["require"]["enum"]) == set(REQUIREMENTS)


def test_module_and_role_document_every_outcome() -> None:
    returned = documentation("gitlab_release_gate").returns["gates"]["contains"]["outcome"]["description"]
    readme = (ROOT / "roles" / "release_gate" / "README.md").read_text(encoding="utf-8")
    words = set(GATE["outcome"]["enum"])
    assert {word for word in words if f"V({word})" not in " ".join(returned)} == set()
    assert {word for word in words if f"`{word}`" not in readme} == set()


def instants(value: t.Any) -> t.Any:
    """Return a value with its timestamps as moments, so that different spellings of a time are equal."""
    if isinstance(value, dict):
        return {name: instants(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [instants(inner) for inner in value]
    moment = parse_time(value) if isinstance(value, str) else None
    return value if moment is None else moment


@pytest.mark.parametrize("name", ["played", "failed"])
def test_time_zone_of_the_server_changes_no_result(simulator: t.Any, tmp_path: pathlib.Path, name: str) -> None:
    scenario, projects, outcomes = RELEASES[name]
    results: list[tuple[t.Any, ...]] = []
    shown = []
    for zone in ("UTC", "+02:00"):
        simulator.load({**copy.deepcopy(scenario), "time_zone": zone})
        path, progress = tmp_path / f"{zone}.json", Progress()
        result = release(simulator, *projects, record=str(path), progress=progress)
        assert [gate["outcome"] for gate in result["gates"]] == outcomes
        rows = [{key: row[key] for key in ("jobs", "pipelines")} for row in json.loads(path.read_text())["projects"]]
        shown.append(json.dumps(rows))
        results.append((result.failure, result.warnings, sorted(progress.lines), instants(rows)))
    assert "+02:00" in shown[1] and "+02:00" not in shown[0]
    assert results[0] == results[1]
