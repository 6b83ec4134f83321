# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine that allows no more threads, such as a container with a limit of processes: tasks do the same, slower."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import paging
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.wire import adapter
from ansible_collections.jobgate.gitlab.plugins.module_utils._app import concurrency
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting import schedule

from tests.contract.gate_support import MANUAL
from tests.contract.test_release_gates import gates_of, release
from tests.integration.harness import ACTION, INFO, effects, run_task, world

MAIN: dict[str, t.Any] = {"project": "group/app", "ref": "main"}
REFUSED = "no connection was made, because the system allows no more threads"


@pytest.fixture(name="refused", params=[1, 2, 1000])
def refused_fixture(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow every other thread, every third one, or none, except those for connections."""
    count = 0

    def start(*work: t.Any) -> t.Any:
        nonlocal count
        count += 1
        return started(*work) if count % (request.param + 1) == 0 else None

    started = concurrency.started
    for user in (concurrency, schedule, paging):
        monkeypatch.setattr(user, "started", start)


@pytest.mark.usefixtures("refused")
def test_long_list_is_read_without_threads(simulator: t.Any) -> None:
    simulator.load(world({"generate": {"count": 350, "name": "job {n}", "status": "success"}}))
    assert len(run_task(simulator, INFO, **MAIN)["jobs"]) == 350


@pytest.mark.usefixtures("refused")
def test_several_jobs_are_played(simulator: t.Any) -> None:
    simulator.load(world(*({"name": f"deploy-{number}", **MANUAL, "duration": 5} for number in range(5))))
    how = {"name": ["deploy-*"], "action": "play", "multiple": "all", "wait": True}
    result = run_task(simulator, ACTION, **MAIN, **how)
    assert (result.failure, result.changed, len(effects(simulator))) == (None, True, 5)


@pytest.mark.usefixtures("refused")
def test_several_projects_are_released(simulator: t.Any) -> None:
    simulator.load(world(*({"name": name, **MANUAL, "duration": 5} for name in "abc")))
    result = release(simulator, *({"name": name, "gates": [{"name": name, "action": "play"}]} for name in "abc"))
    assert result.failure is None and gates_of(result) == dict.fromkeys("abc", "played")


@pytest.mark.parametrize("times", [3, 100])
def test_wait_connects_again_after_a_refused_thread(
    simulator: t.Any, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """The server closes the connection after the job was played; a new one needs a thread."""
    left = times
    started = adapter.started

    def start(*work: t.Any) -> t.Any:
        nonlocal left
        left -= bool(simulator.effects())
        return started(*work) if left < 0 or left == times else None

    simulator.load(world({"name": "deploy", **MANUAL, "duration": 50}))
    monkeypatch.setattr(adapter, "started", start)
    simulator.inject("reset_before", method="GET", nth=4)
    how = {"name": ["deploy"], "action": "play", "wait": True, "wait_timeout": 60.0}
    result = run_task(simulator, ACTION, **MAIN, **how)
    assert result.changed and effects(simulator) == [("play", "deploy")]
    assert bool(result.failure) == (REFUSED in str(result.warnings)) == (times == 100)
