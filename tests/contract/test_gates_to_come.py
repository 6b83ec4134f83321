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


def smoked() -> Row:
    return world(*TESTED, {"name": "smoke", "stage": "check", "duration": 5})


@pytest.mark.parametrize("action", ["wait", "play", "retry", "verify"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_later_gate_is_found_before_anything_is_played(
    simulator: t.Any, mistake: str, action: str
) -> None:
    gate, words = MISTAKES[mistake]
    first = PLAY if action == "play" else {"name": "unit", "action": action}
    for check_mode in (True, False, True, False):
        simulator.load(smoked())
        result = release(simulator, {"gates": [first, PLAY, gate]}, check_mode=check_mode)
        assert all(word in result.failure for word in words)
        assert (effects(simulator), result.changed) == ([], False)


def test_a_mistake_in_the_first_gate_is_told_before_one_in_a_later_one(simulator: t.Any) -> None:
    simulator.load(smoked())
    gates = [{"name": "unti", "action": "wait"}, {"name": "smok", "action": "wait"}]
    text = release(simulator, {"gates": gates}).failure
    assert "gate 'unti' of project 'group/app' did not open: no job 'unti'" in text.lower() and "smok'" not in text


def test_another_project_is_not_played_either(simulator: t.Any) -> None:
    scenario = smoked()
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
def test_what_there_is_or_may_still_be_created_is_no_mistake(simulator: t.Any, gate: Row) -> None:
    infra = {"name": "infra", "stage": "check", "trigger": TREE}
    smoke = {"name": "smoke", "stage": "check", "status": "success"}
    simulator.load(world(*TESTED, smoke, infra))
    result = release(simulator, {"gates": [PLAY, gate]})
    assert (result.failure, effects(simulator)) == (None, [("play", "deploy")])


def test_a_gate_that_is_optional_is_left_to_its_turn(simulator: t.Any) -> None:
    simulator.load(smoked())
    result = release(simulator, {"gates": [PLAY, {"name": "smok", "action": "wait", "require": "optional"}]})
    assert (result.failure, gates_of(result)) == (None, {"deploy": "played", "smok": "failed"})


@pytest.mark.parametrize("fault", ["html_502", "reset_before", "truncate", "json_list"])
def test_a_server_that_fails_is_survived_and_a_pipeline_without_jobs_yet_is_no_mistake(
    simulator: t.Any, fault: str
) -> None:
    simulator.load(smoked())
    simulator.inject(fault, path="/jobs$", times=2)
    result = release(simulator, {"gates": [PLAY, {"name": "smoke", "action": "wait"}]})
    assert (result.failure, effects(simulator)) == (None, [("play", "deploy")])


def test_a_pipeline_that_the_release_starts_is_checked_as_soon_as_it_is_there(simulator: t.Any) -> None:
    scenario = smoked()
    jobs = [{"name": "build", "stage": "build", "duration": 5}, {"name": "deploy", "stage": "deploy", **MANUAL}]
    scenario["projects"][0]["new_pipelines"] = {"main": {"stages": ["build", "deploy"], "jobs": jobs}}
    simulator.load(scenario)
    result = release(simulator, {"gates": [{"action": "run"}, PLAY, {"name": "smoke", "action": "wait"}]})
    assert "no job 'smoke'" in result.failure
    assert [name for name, _job in effects(simulator)] == ["create_pipeline"]
