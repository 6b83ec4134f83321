# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test requests in doubt while another client acts on the same job: its changes are not reported as ours."""

from __future__ import annotations

import typing as t

import pytest

from tests.integration import harness
from tests.integration.harness import ACTION, effects, run_task, world
from tests.integration.harness import PIPELINE as PIPELINE_TASK

Row = dict[str, t.Any]

PIPELINE: Row = {"project": "group/app", "pipeline_id": 100}
JOBS: dict[str, Row] = {
    "play": {"name": "deploy", "when": "manual", "allow_failure": False, "duration": 3600},
    "retry": {"name": "deploy", "status": "failed", "duration": 3600},
}
LOCK: Row = {"kind": "status", "status": 409, "body": {"message": "409 Conflict: Resource lock"}}
NOT_EXECUTED: dict[str, Row] = {
    "lost": {"preset": "reset_before"},
    "an empty answer": {"preset": "empty_before"},
    "bad gateway": {"preset": "html_502"},
    "lock": LOCK,
}


@pytest.fixture(name="run_interrupted")
def run_interrupted_fixture(simulator: t.Any, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., t.Any]:
    """Return a function that runs an action on the job or its pipeline, and returns the result.

    The first request to write has a fault. Another client acts in the pause after it, the first of the task.
    """
    sleep = harness.SimulatedTime.sleep

    def run(task: t.Any, action: str, fault: Row, other_client: t.Callable[[t.Any], object], **options: t.Any) -> t.Any:
        simulator.load(world(JOBS[action]))
        simulator.inject(**fault, method="POST", nth=1)
        waiting = [other_client]

        def pause(clock: harness.SimulatedTime, seconds: float) -> None:
            sleep(clock, seconds)
            if waiting:
                waiting.pop()(simulator)

        monkeypatch.setattr(harness.SimulatedTime, "sleep", pause)
        return run_task(simulator, task, **PIPELINE, action=action, **options)

    return run


@pytest.mark.parametrize("fault", NOT_EXECUTED)
@pytest.mark.parametrize("action", JOBS)
def test_action_of_another_client_is_not_reported_as_changed(
    simulator: t.Any, run_interrupted: t.Any, action: str, fault: str
) -> None:
    result = run_interrupted(
        ACTION,
        action,
        NOT_EXECUTED[fault],
        lambda gitlab: gitlab.act_as_somebody_else(action, "deploy"),
        name=["deploy"],
    )
    assert effects(simulator) == [(action, "deploy")]
    assert (result.changed, result.failure, result["results"][0]["outcome"]) == (False, None, "unchanged")


@pytest.mark.parametrize("fault", NOT_EXECUTED)
def test_pipeline_retry_of_another_client_is_not_reported_as_changed(
    simulator: t.Any, run_interrupted: t.Any, fault: str
) -> None:
    result = run_interrupted(
        PIPELINE_TASK, "retry", NOT_EXECUTED[fault], lambda gitlab: gitlab.act_as_somebody_else("retry", "deploy")
    )
    assert effects(simulator) == [("retry", "deploy")]
    assert (result.changed, result.failure) == (False, None)


EXECUTED: dict[str, Row] = {
    "lost": {"preset": "reset_after"},
    "an empty answer": {"preset": "empty"},
    "bad gateway": {"preset": "html_502_after"},
}


def cancel_and_retry(simulator: t.Any) -> None:
    """Let another client stop the job that just started, and retry it."""
    simulator.act_as_somebody_else("cancel", "deploy")
    simulator.advance(5)
    simulator.act_as_somebody_else("retry", "deploy")


@pytest.mark.parametrize("fault", EXECUTED)
@pytest.mark.parametrize("action", JOBS)
def test_own_action_is_reported_if_another_client_undoes_and_repeats_it(
    simulator: t.Any, run_interrupted: t.Any, action: str, fault: str
) -> None:
    result = run_interrupted(ACTION, action, EXECUTED[fault], cancel_and_retry, name=["deploy"])
    assert effects(simulator) == [(action, "deploy"), ("cancel", "deploy"), ("retry", "deploy")]
    assert (result.changed, result.failure, result["results"][0]["outcome"]) == (True, None, "applied")
    assert result["id"] == simulator.job("deploy")["id"]


@pytest.mark.parametrize("fault", EXECUTED)
def test_own_pipeline_retry_is_reported_if_another_client_repeats_it(
    simulator: t.Any, run_interrupted: t.Any, fault: str
) -> None:
    result = run_interrupted(PIPELINE_TASK, "retry", EXECUTED[fault], cancel_and_retry)
    assert [action for action, _name in effects(simulator)] == ["retry_pipeline", "cancel", "retry"]
    assert (result.changed, result.failure) == (True, None)
