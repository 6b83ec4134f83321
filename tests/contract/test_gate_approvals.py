# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gates whose jobs deploy to an environment that requires approvals: refused, or waited for; check, run, check, run."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.gate_support import Row, check_and_run_gate_twice
from tests.contract.test_release_gates import gates_of, release
from tests.integration.approvals import BY_COUNT, JOB, SETTINGS, Witness, approval_world
from tests.integration.harness import Result, effects

GATE: Row = {"name": "deploy", "action": "play", "wait_for_approval": True}


def run(simulator: t.Any, *actions: str, **gate: t.Any) -> Result:
    """Run a gate while another user acts, once at each line about approvals, and return the result."""
    acts = (lambda action=action: simulator.act_as_somebody_else(action, "deploy") for action in actions)
    return release(simulator, {"gates": [{**GATE, **gate}]}, progress=Witness(*acts))


@pytest.mark.parametrize(
    ("setting", "outcomes"),
    [
        ("rules", ["would be played", "played", "already done", "already done"]),
        # GitLab starts the job itself, and check mode takes that into account
        ("one count", ["already done"] * 4),
    ],
)
def test_gate_waits_for_approvals_and_starts_the_job_once(simulator: t.Any, setting: str, outcomes: list[str]) -> None:
    simulator.load(approval_world(protected=SETTINGS[setting]))
    results = [
        release(simulator, {"gates": [GATE]}, check_mode=True),
        run(simulator, "approve"),
        release(simulator, {"gates": [GATE]}, check_mode=True),
        release(simulator, {"gates": [GATE]}),
    ]
    assert [result.failure for result in results] == [None] * 4
    assert [gates_of(result)["deploy"] for result in results] == outcomes
    is_played = setting == "rules"
    assert [result.changed for result in results] == [is_played, is_played, False, False]
    assert effects(simulator) == ([("play", "deploy")] if is_played else [])
    assert simulator.job("deploy")["status"] == "success"


def test_gate_without_wait_for_approval_is_refused(simulator: t.Any) -> None:
    simulator.load(approval_world())
    results = check_and_run_gate_twice(simulator, {"name": "deploy", "action": "play"})
    assert {gates_of(result)["deploy"] for result in results} == {"refused"}
    assert len({result.failure for result in results}) == 1
    assert "waits for approvals: 1 of Maintainers and 1 of release. Set wait_for_approval" in str(results[0].failure)
    assert effects(simulator) == []


def test_rejected_deployment_stops_the_release(simulator: t.Any) -> None:
    simulator.load(approval_world(JOB, {"name": "publish", "stage": "later", "when": "manual"}))
    simulator_gates = {"gates": [GATE, {"name": "publish", "action": "play"}]}
    witness = Witness(lambda: simulator.act_as_somebody_else("reject", "deploy"))
    result = release(simulator, simulator_gates, progress=witness)
    assert gates_of(result) == {"deploy": "refused", "publish": "not reached"}
    assert "its deployment 1 to 'production' was rejected by somebody-else" in str(result.failure)
    assert effects(simulator) == []


def test_gate_times_out_while_approvals_are_missing(simulator: t.Any) -> None:
    simulator.load(approval_world())
    result = run(simulator, wait_timeout=30.0)
    assert gates_of(result) == {"deploy": "timed out"}
    text = str(result.failure)
    assert "timed out after 30 s (wait_timeout): it is still manual, and its deployment 1 to 'production'" in text
    assert "waits for approvals: 1 of Maintainers and 1 of release" in text
    # no one can play it, so the message does not suggest that
    assert "manual jobs must be played" not in text


def test_optional_gate_times_out_without_failing(simulator: t.Any) -> None:
    simulator.load(approval_world())
    result = run(simulator, wait_timeout=30.0, require="optional")
    assert (result.failure, gates_of(result)) == (None, {"deploy": "timed out"})


def test_failure_in_another_project_ends_the_wait_for_approvals(simulator: t.Any) -> None:
    scenario = approval_world()
    scenario["projects"].append({"path": "group/other", "members": {"alice": "maintainer"}})
    other = {"id": 200, "project": "group/other", "ref": "main", "jobs": [{"name": "unit", "status": "failed"}]}
    scenario["pipelines"].append(other)
    simulator.load(scenario)
    projects = (
        {"name": "app", "gates": [{**GATE, "wait_timeout": 300.0}]},
        {"name": "other", "project": "group/other", "gates": [{"name": "unit", "action": "verify"}]},
    )
    result = release(simulator, *projects)
    assert gates_of(result) == {"deploy": "not reached", "unit": "failed"}
    assert effects(simulator) == []


@pytest.mark.parametrize("setting", [BY_COUNT, SETTINGS["rules"]])
def test_wait_gate_does_not_play_a_job_that_needs_approval(simulator: t.Any, setting: Row) -> None:
    simulator.load(approval_world(protected=setting))
    result = release(simulator, {"gates": [{"name": "deploy", "action": "wait", "wait_timeout": 30.0}]})
    assert gates_of(result) == {"deploy": "timed out"} and effects(simulator) == []
