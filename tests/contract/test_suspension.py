# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine sleeps, or the process is stopped, until long after the timeout: nothing is started afterwards."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.gate_support import DEPLOY, MAIN, Row
from tests.contract.test_gate_run import RUN, runnable
from tests.contract.test_release_gates import gates_of, release
from tests.integration import harness
from tests.integration.harness import ACTION, INFO, PIPELINE, SimulatedTime, effects, run_task, world

UNSENT = "the request was not sent, because the task timed out long before (wait_timeout)"
HOUR: t.Final = 3600.0
# it ends while the process stands still
BUILD: Row = {"name": "build", "stage": "build", "duration": 20}


class Suspended(SimulatedTime):
    """A clock of a machine that sleeps for an hour during the second pause."""

    def __init__(self, simulator: t.Any) -> None:
        super().__init__(simulator)
        self._pauses = 0

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._pauses += 1
        if self._pauses == 2:
            super().sleep(HOUR)


@pytest.fixture(autouse=True)
def _suspended_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "SimulatedTime", Suspended)


def test_end_during_the_suspension_is_seen(simulator: t.Any) -> None:
    simulator.load(world(BUILD))
    result = run_task(simulator, INFO, **MAIN, wait=True, wait_for=["success"], wait_timeout=60.0)
    assert (result.failure, result["timed_out"]) == (None, False) and result.seconds > HOUR


def test_job_is_not_played_an_hour_late(simulator: t.Any) -> None:
    simulator.load(world(BUILD, DEPLOY))
    result = run_task(simulator, ACTION, **MAIN, name=["deploy"], action="play", wait=True, wait_timeout=60.0)
    assert UNSENT in str(result.failure)
    assert (result.changed, result["timed_out"], result["status"]) == (False, True, "manual")
    assert effects(simulator) == []


def test_failed_job_is_not_retried_an_hour_late(simulator: t.Any) -> None:
    simulator.load(world({**DEPLOY, "duration": 20, "outcome": "failed"}))
    options = {"name": ["deploy"], "action": "play", "wait": True, "wait_timeout": 60.0, "max_attempts": 3}
    result = run_task(simulator, ACTION, **MAIN, **options)
    assert f"could not be retried: {UNSENT}" in str(result.failure)
    assert effects(simulator) == [("play", "deploy")] and result.changed


def test_unfinished_job_is_still_canceled_after_the_suspension(simulator: t.Any) -> None:
    simulator.load(world({**DEPLOY, "duration": 50_000}))
    options = {"name": ["deploy"], "action": "play", "wait": True, "wait_timeout": 60.0, "on_timeout": "cancel"}
    result = run_task(simulator, ACTION, **MAIN, **options)
    assert "it is still running; job 'deploy' was canceled" in str(result.failure)
    assert effects(simulator) == [("play", "deploy"), ("cancel", "deploy")]


def test_gate_plays_nothing_an_hour_late(simulator: t.Any) -> None:
    simulator.load(world(BUILD, DEPLOY))
    result = release(simulator, {"gates": [{"name": "deploy", "action": "play"}]}, wait_timeout=60.0)
    assert UNSENT in str(result.failure) and gates_of(result) == {"deploy": "timed out"}
    assert effects(simulator) == [] and not result.changed


@pytest.mark.parametrize("is_gate", [False, True])
def test_pipeline_is_not_started_an_hour_late(simulator: t.Any, is_gate: bool) -> None:
    simulator.load(runnable())
    text = "Too many pipelines created in the last minute. Try again later."
    simulator.inject(endpoint="create_pipeline", nth=[1, 2], status=400, body={"message": {"base": [text]}})
    if is_gate:
        result = release(simulator, {"gates": [RUN]}, wait_timeout=600.0)
    else:
        options = {"action": "run", "wait": True, "wait_timeout": 600.0}
        result = run_task(simulator, PIPELINE, project="group/app", ref="main", **options)
    assert UNSENT in str(result.failure) and not result.changed
    assert effects(simulator) == []
