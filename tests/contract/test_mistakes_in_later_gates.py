# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in later gates are found before anything is done."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.gate_support import MANUAL, TESTED, Row
from tests.contract.test_release_gates import gates_of, release
from tests.contract.test_release_record import TREE
from tests.integration.harness import effects, world

PLAY: Row = {"name": "deploy", "action": "play"}
MISTAKES: dict[str, tuple[Row, tuple[str, ...]]] = {
    "name": ({"name": "smok", "action": "wait"}, ("the later gate 'smok' could not open:", "did you mean 'smoke'?")),
    "one of two names": ({"name": ["smoke", "sign"], "action": "play"}, ("no job 'sign'",)),
    "wildcard": ({"name": "smoke-*", "action": "verify"}, ("'smoke-*'",)),
    "stage": (
        {"stage": "chek", "action": "wait"},
        ("the later gate 'stage chek' could not open:", "did you mean 'check'?"),
    ),
    "right name in the wrong stage": ({"name": "smoke", "stage": "test", "action": "wait"}, ("'smoke'", "check")),
}


def world_with_smoke_test() -> Row:
    return world(*TESTED, {"name": "smoke", "stage": "check", "duration": 5})


@pytest.mark.parametrize("action", ["wait", "play", "retry", "verify"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_in_a_later_gate_is_found_before_any_action(simulator: t.Any, mistake: str, action: str) -> None:
    gate, words = MISTAKES[mistake]
    first = PLAY if action == "play" else {"name": "unit", "action": action}
    for check_mode in (True, False, True, False):
        simulator.load(world_with_smoke_test())
        result = release(simulator, {"gates": [first, PLAY, gate]}, check_mode=check_mode)
        assert all(word in result.failure for word in words)
        assert (effects(simulator), result.changed) == ([], False)


def test_mistake_in_the_first_gate_is_reported_first(simulator: t.Any) -> None:
    simulator.load(world_with_smoke_test())
    gates = [{"name": "unti", "action": "wait"}, {"name": "smok", "action": "wait"}]
    text = release(simulator, {"gates": gates}).failure
    assert "gate 'unti' of project 'group/app' did not open: no job 'unti'" in text.lower() and "smok'" not in text


def test_mistake_in_a_later_gate_stops_other_projects(simulator: t.Any) -> None:
    scenario = world_with_smoke_test()
    scenario["projects"].append({"path": "group/other", "members": {"alice": "maintainer"}})
    scenario["pipelines"].append({"id": 200, "project": "group/other", "ref": "main", "jobs": [{**TESTED[1]}]})
    simulator.load(scenario)
    rows = [{"project": "group/other", "gates": [PLAY]}]
    rows.append({"gates": [{"name": "unit", "action": "wait"}, {"name": "smok", "action": "wait"}]})
    result = release(simulator, *rows)
    assert "no job 'smok'" in result.failure and "Not reached: 'group/other'" in result.failure
    assert effects(simulator) == []


@pytest.mark.parametrize(
    "gate",
    [
        {"name": "smoke", "action": "verify"},
        # a trigger job, and the jobs of its pipeline
        {"name": "infra", "action": "wait"},
        {"name": "infra/apply", "action": "wait"},
        {"name": "apply", "action": "wait", "include_downstream": True},
        {"stage": "check", "action": "wait"},
    ],
)
def test_existing_and_future_jobs_of_later_gates_are_accepted(simulator: t.Any, gate: Row) -> None:
    infra = {"name": "infra", "stage": "check", "trigger": TREE}
    smoke = {"name": "smoke", "stage": "check", "status": "success"}
    simulator.load(world(*TESTED, smoke, infra))
    result = release(simulator, {"gates": [PLAY, gate]})
    assert (result.failure, effects(simulator)) == (None, [("play", "deploy")])


def test_mistake_in_an_optional_later_gate_does_not_stop_the_release(simulator: t.Any) -> None:
    simulator.load(world_with_smoke_test())
    result = release(simulator, {"gates": [PLAY, {"name": "smok", "action": "wait", "require": "optional"}]})
    assert (result.failure, gates_of(result)) == (None, {"deploy": "played", "smok": "failed"})


@pytest.mark.parametrize("fault", ["html_502", "reset_before", "truncate", "json_list"])
def test_check_of_later_gates_survives_failing_job_lists(simulator: t.Any, fault: str) -> None:
    simulator.load(world_with_smoke_test())
    simulator.inject(fault, path="/jobs$", times=2)
    result = release(simulator, {"gates": [PLAY, {"name": "smoke", "action": "wait"}]})
    assert (result.failure, effects(simulator)) == (None, [("play", "deploy")])


def test_later_gates_of_a_started_pipeline_are_checked(simulator: t.Any) -> None:
    scenario = world_with_smoke_test()
    jobs = [{"name": "build", "stage": "build", "duration": 5}, {"name": "deploy", "stage": "deploy", **MANUAL}]
    scenario["projects"][0]["new_pipelines"] = {"main": {"stages": ["build", "deploy"], "jobs": jobs}}
    simulator.load(scenario)
    result = release(simulator, {"gates": [{"action": "run"}, PLAY, {"name": "smoke", "action": "wait"}]})
    assert "no job 'smoke'" in result.failure
    assert [name for name, _job in effects(simulator)] == ["create_pipeline"]
