# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every cell of the decision table against the simulator: check, run, check and run again, and count the effects."""

from __future__ import annotations

import typing as t

import pytest

from .harness import ACTION, effects, run_task, world

ACTIVE = ("waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running")
ENDED = ("failed", "canceled")

FORCE = {"force": True}
ALWAYS = {"replay": "always"}
FAILED = {"replay": "failed"}

# action, statuses, options, verdict: act (one effect, none in the second run), same (none), refuse (none)
TABLE: list[tuple[str, tuple[str, ...], dict[str, t.Any], str]] = [
    ("play", ("created",), {}, "refuse"),
    ("play", ("manual", "scheduled"), {}, "act"),
    ("play", ACTIVE, {}, "same"),
    ("play", ("canceling",), {}, "refuse"),
    ("play", ("success",), {}, "same"),
    ("play", ("success",), FAILED, "same"),
    ("play", ("success",), ALWAYS, "act"),
    ("play", ENDED, {}, "refuse"),
    ("play", ENDED, FAILED, "act"),
    ("play", ENDED, ALWAYS, "act"),
    ("play", ("success", *ENDED), {**ALWAYS, "job_variables": {"A": "b"}}, "refuse"),
    ("play", ("success", *ENDED), {**ALWAYS, "job_inputs": {"size": 3}}, "refuse"),
    ("play", ("skipped",), {}, "refuse"),
    ("play", ("skipped",), ALWAYS, "refuse"),
    ("retry", ("created", "manual", "scheduled"), {}, "refuse"),
    ("retry", ACTIVE, {}, "same"),
    ("retry", ("canceling",), {}, "refuse"),
    ("retry", ("canceling",), {"retry_on": ["script_failure"], "wait": True}, "refuse"),
    ("retry", ("success",), {}, "same"),
    ("retry", ("success",), FORCE, "act"),
    ("retry", ENDED, {}, "act"),
    ("retry", ("failed",), {"retry_on": ["script_failure"]}, "act"),
    ("retry", ("failed",), {"retry_on": ["runner_system_failure"]}, "refuse"),
    ("retry", ("skipped",), {}, "refuse"),
    ("cancel", ("created", "manual", "scheduled", *ACTIVE), {}, "act"),
    ("cancel", ("canceling",), {}, "same"),
    ("cancel", ("canceling",), FORCE, "act"),
    ("cancel", ("success", *ENDED, "skipped"), {}, "same"),
    ("cancel", ("pending",), FORCE, "act"),
    ("erase", ("created", "manual", "scheduled", *ACTIVE, "canceling"), {}, "refuse"),
    ("erase", ("success", *ENDED), {}, "act"),
    ("erase", ("skipped",), {}, "same"),
    ("keep_artifacts", ("created", "manual", "scheduled", *ACTIVE, "canceling"), {}, "refuse"),
    ("keep_artifacts", ("success", *ENDED), {}, "act"),
    ("keep_artifacts", ("skipped",), {}, "refuse"),
    ("delete_artifacts", ("created", "manual", "scheduled", *ACTIVE, "skipped"), {}, "same"),
    ("delete_artifacts", ("success", *ENDED), {}, "act"),
]

CELLS = [
    pytest.param(action, status, options, verdict, id=f"{action}-{status}-{'-'.join(map(str, options.values()))}")
    for action, statuses, options, verdict in TABLE
    for status in statuses
]

# the simulator's names of actions in its list of effects, where they differ
EFFECTS = {("cancel", "canceling"): "force_cancel"}


def scenario(status: str) -> dict[str, t.Any]:
    job: dict[str, t.Any] = {
        "name": "deploy",
        "stage": "deploy",
        "when": "manual",
        "allow_failure": False,
        "status": status,
        "duration": 100,
    }
    if status in ("success", *ENDED):
        job["artifacts"] = {"files": {"build.env": "VERSION=1.2.0\n"}, "when": "always", "expire_in": 3600}
    if status == "failed":
        job["failure_reason"] = "script_failure"
    # an earlier job that never ends keeps the job in its status
    return world({"name": "before", "stage": "build", "status": "running", "outcome": "hang"}, job)


@pytest.mark.parametrize(("action", "status", "options", "verdict"), CELLS)
def test_action_follows_the_decision_table(
    simulator: t.Any, action: str, status: str, options: dict[str, t.Any], verdict: str
) -> None:
    simulator.load(scenario(status))

    def run(*, check_mode: bool) -> t.Any:
        return run_task(
            simulator,
            ACTION,
            check_mode=check_mode,
            project="group/app",
            pipeline_id=100,
            name=["deploy"],
            action=action,
            **options,
        )

    first_check = run(check_mode=True)
    assert simulator.writes() == []
    first = run(check_mode=False)
    assert first.changed is first_check.changed is (verdict == "act")
    assert (first.failure is not None) is (first_check.failure is not None) is (verdict == "refuse")
    expected = [(EFFECTS.get((action, status), action), "deploy")] if verdict == "act" else []
    assert effects(simulator) == expected
    assert len(simulator.writes()) == len(expected)

    # neither check mode nor another run does anything more
    second_check = run(check_mode=True)
    second = run(check_mode=False)
    assert second.changed is second_check.changed is False
    assert (second.failure is not None) is (second_check.failure is not None) is (verdict == "refuse")
    assert effects(simulator) == expected
    if verdict == "refuse":
        assert first.failure == first_check.failure == second.failure == second_check.failure
        assert "cannot be" in str(first.failure)
        assert first["results"][0]["outcome"] == "refused"
        assert first["results"][0]["before"] == first["results"][0]["after"]
    else:
        outcome = {"act": "applied", "same": "unchanged"}[verdict]
        assert [run["results"][0]["outcome"] for run in (first_check, first)] == [outcome, outcome]
        assert [run["results"][0]["outcome"] for run in (second_check, second)] == ["unchanged", "unchanged"]
        predicted, real = first_check["results"][0]["after"], first["results"][0]["after"]
        assert predicted["status"] == real["status"] or action == "cancel"
        assert predicted["id"] in (None, real["id"])


def test_decision_table_covers_every_status_of_every_action() -> None:
    statuses = {"created", "manual", "scheduled", *ACTIVE, "canceling", "success", *ENDED, "skipped"}
    for action in ("play", "retry", "cancel", "erase", "keep_artifacts"):
        covered = {status for row_action, row, _options, _verdict in TABLE if row_action == action for status in row}
        assert covered == statuses


def test_created_job_is_waited_for_and_played_once(simulator: t.Any) -> None:
    simulator.load(
        world(
            {"name": "build", "stage": "build", "duration": 30},
            {"name": "deploy", "stage": "deploy", "when": "manual", "allow_failure": False, "duration": 20},
        )
    )
    options: dict[str, t.Any] = {
        "project": "group/app",
        "ref": "main",
        "name": ["deploy"],
        "action": "play",
        "wait": True,
    }

    predicted = run_task(simulator, ACTION, check_mode=True, **options)
    assert predicted.changed and not simulator.writes() and predicted.seconds == 0

    result = run_task(simulator, ACTION, **options)
    assert result.failure is None and result.changed
    assert result["status"] == "success"
    assert effects(simulator) == [("play", "deploy")]
    assert [entry["to"] for entry in result["timeline"]][:2] == ["created", "manual"]
    assert result["timeline"][-1]["to"] == "success"

    for check_mode in (True, False):
        again = run_task(simulator, ACTION, check_mode=check_mode, **options)
        assert not again.changed and again.failure is None
    assert len(effects(simulator)) == 1


def test_canceling_job_is_waited_for_and_then_retried(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", "status": "canceling", "cancel_duration": 15, "duration": 10}))
    options: dict[str, t.Any] = {
        "project": "group/app",
        "pipeline_id": 100,
        "name": ["deploy"],
        "action": "retry",
        "wait": True,
    }
    assert run_task(simulator, ACTION, check_mode=True, **options).changed
    old_id = simulator.job("deploy")["id"]
    result = run_task(simulator, ACTION, **options)
    assert result.failure is None and result.changed and result["status"] == "success"
    assert result["id"] > old_id
    assert effects(simulator) == [("retry", "deploy")]
    assert not run_task(simulator, ACTION, **options).changed
    assert len(effects(simulator)) == 1
