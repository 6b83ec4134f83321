# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test several clients at once, and a killed one: there is one effect, and every result is true."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import pathlib
import random
import subprocess
import threading
import typing as t

import pytest

from tests.integration.approvals import JOB, SETTINGS, Witness, approval_world
from tests.integration.harness import ACTION, APPROVAL, effects, kill_playbook, play, playbook_command, run_task, world
from tests.integration.harness import PIPELINE as PIPELINE_TASK

ROUNDS = int(os.environ.get("JOBGATE_FAULT_ROUNDS", "1"))
PIPELINE: dict[str, t.Any] = {"project": "group/app", "pipeline_id": 100, "name": ["deploy"]}
MANUAL = {"name": "deploy", "when": "manual", "allow_failure": False, "duration": 3600}


def at_once(functions: list[t.Callable[[], t.Any]]) -> list[t.Any]:
    """Call functions that start at the same moment, and return their results."""
    barrier = threading.Barrier(len(functions))

    def run(function: t.Callable[[], t.Any]) -> t.Any:
        barrier.wait(timeout=60)
        return function()

    with concurrent.futures.ThreadPoolExecutor(max_workers=len(functions)) as executor:
        return list(executor.map(run, functions))


@pytest.mark.parametrize("round_", range(20 * ROUNDS))
@pytest.mark.parametrize(
    ("action", "job"),
    [
        ("play", MANUAL),
        ("retry", {"name": "deploy", "status": "failed", "duration": 3600}),
        ("cancel", {"name": "deploy", "status": "running", "outcome": "hang"}),
        ("erase", {"name": "deploy", "status": "success"}),
    ],
)
def test_same_action_at_once_has_one_effect(simulator: t.Any, action: str, job: dict[str, t.Any], round_: int) -> None:
    simulator.load(world(job))
    results = at_once([lambda: run_task(simulator, ACTION, **PIPELINE, action=action)] * 3)
    assert effects(simulator) == [(action, "deploy")]
    assert [result.failure for result in results] == [None] * 3
    # GitLab answers the cancel of a canceled job like the first one, so several clients may report the change
    claims = sum(result.changed for result in results)
    assert claims == 1 if action != "cancel" else 1 <= claims <= 3
    assert len({result["id"] for result in results}) == 1


@pytest.mark.parametrize("round_", range(20 * ROUNDS))
def test_different_actions_at_once_are_not_repeated(simulator: t.Any, round_: int) -> None:
    simulator.load(world(MANUAL))
    actions = ("play", "retry", "cancel", "play", "cancel")
    results = at_once(
        [lambda action=action: run_task(simulator, ACTION, **PIPELINE, action=action) for action in actions]
    )
    done = [action for action, _name in effects(simulator)]
    # a client may repeat what another has undone, but no client does anything twice in the same state
    for action in ("play", "cancel"):
        reported = sum(result.changed for name, result in zip(actions, results, strict=True) if name == action)
        assert done.count(action) <= reported
    for action, result in zip(actions, results, strict=True):
        assert result.failure is None or "cannot be" in result.failure, (action, result.failure)


@pytest.mark.parametrize("round_", range(10 * ROUNDS))
@pytest.mark.parametrize(("state", "effect"), [("approved", "approve"), ("rejected", "reject")])
def test_same_approval_at_once_has_one_effect(simulator: t.Any, state: str, effect: str, round_: int) -> None:
    simulator.load(approval_world())
    results = at_once([lambda: run_task(simulator, APPROVAL, **PIPELINE, state=state)] * 3)
    assert effects(simulator) == [(effect, "deploy")]
    assert [result.failure for result in results] == [None] * 3
    # GitLab answers a repeated approval like the first one, so several clients may report the change
    assert 1 <= sum(result.changed for result in results) <= 3


@pytest.mark.parametrize("round_", range(5 * ROUNDS))
@pytest.mark.parametrize("setting", SETTINGS)
def test_clients_that_wait_for_one_approval_play_the_job_once(simulator: t.Any, setting: str, round_: int) -> None:
    simulator.load(approval_world({**JOB, "duration": 3600}, protected=SETTINGS[setting]))
    watchers = [Witness(lambda: simulator.act_as_somebody_else("approve", "deploy")), Witness(), Witness()]
    options = {**PIPELINE, "action": "play", "wait_for_approval": True, "wait_timeout": 600.0}
    results = at_once([lambda each=each: run_task(simulator, ACTION, progress=each, **options) for each in watchers])
    assert [result.failure for result in results] == [None] * 3
    plays = int(setting == "rules")
    assert effects(simulator) == [("play", "deploy")] * plays
    assert sum(result.changed for result in results) == plays


@pytest.mark.parametrize("round_", range(4 * ROUNDS))
def test_killed_playbook_is_completed_by_the_next_run(simulator: t.Any, tmp_path: pathlib.Path, round_: int) -> None:
    """Whenever the playbook is killed, even before its first request or after its last one, the next run finishes."""
    simulator.load(world({**MANUAL, "duration": 30}), clock="scaled:60")
    moment = random.Random(round_).uniform(0.2, 2.2)
    task = {"name": "deploy", "jobgate.gitlab.gitlab_job_action": {**PIPELINE, "action": "play", "wait": True}}
    command, environment = playbook_command([task], tmp_path, url=simulator.url)
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=moment)
    finally:
        kill_playbook(process)
    result = play([task], tmp_path, url=simulator.url)
    assert result.returncode == 0, result.output
    assert result.results["deploy"]["status"] == "success"
    assert effects(simulator) == [("play", "deploy")]


RUN: dict[str, t.Any] = {"project": "group/app", "action": "run", "ref": "main"}


def world_with_new_pipelines() -> dict[str, t.Any]:
    """Return a world in which a new pipeline of main runs for a long time."""
    made = world({"name": "old", "status": "success"})
    made["projects"][0]["new_pipelines"] = {"*": {"jobs": [{"name": "deploy", "duration": 3600}]}}
    return made


def check_duplicates(simulator: t.Any, results: list[dict[str, t.Any]]) -> None:
    """Check that the clients started one pipeline, or that their warnings list the others.

    :param results: `changed`, `id` and `warnings` of each client.
    """
    made = [effect["pipeline_id"] for effect in simulator.effects()]
    assert sorted(result["id"] for result in results if result["changed"]) == made
    assert {result["id"] for result in results} <= set(made)
    if len(made) > 1:
        reported = [
            text for result in results for text in result["warnings"] if text.startswith("Another client started")
        ]
        # the first client read the list before the others started their pipelines
        assert len(reported) >= len(made) - 1
        assert all(str(number) in " ".join(reported) for number in made)


@pytest.mark.parametrize("round_", range(20 * ROUNDS))
def test_clients_that_start_a_pipeline_at_once_report_duplicates(simulator: t.Any, round_: int) -> None:
    simulator.load(world_with_new_pipelines())
    results = at_once([lambda: run_task(simulator, PIPELINE_TASK, **RUN)] * 3)
    assert [result.failure for result in results] == [None] * 3
    check_duplicates(
        simulator,
        [{"changed": one.changed, "id": one["id"], "warnings": one.warnings} for one in results],
    )


@pytest.mark.parametrize("round_", range(20 * ROUNDS))
@pytest.mark.parametrize(
    ("action", "job", "effect"),
    [
        ("retry", {"status": "failed", "duration": 3600}, "retry_pipeline"),
        ("cancel", {"status": "running", "outcome": "hang"}, "cancel_pipeline"),
    ],
)
def test_pipeline_is_retried_or_canceled_only_once(
    simulator: t.Any, action: str, job: dict[str, t.Any], effect: str, round_: int
) -> None:
    simulator.load(world({"name": "deploy", **job}))
    options = {"project": "group/app", "pipeline_id": 100, "action": action}
    results = at_once([lambda: run_task(simulator, PIPELINE_TASK, **options)] * 3)
    assert [row["action"] for row in simulator.effects()] == [effect]
    assert [result.failure for result in results] == [None] * 3
    # GitLab answers as if it had done something, so several clients may report the change
    assert 1 <= sum(result.changed for result in results) <= 3


@pytest.mark.parametrize("round_", range(2 * ROUNDS))
def test_playbooks_that_start_a_pipeline_at_once_report_duplicates(
    simulator: t.Any, tmp_path: pathlib.Path, round_: int
) -> None:
    simulator.load(world_with_new_pipelines(), clock="real")
    task = {"name": "start", "jobgate.gitlab.gitlab_pipeline": RUN}
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    plays = at_once([lambda folder=folder: play([task], folder, url=simulator.url) for folder in folders])
    assert [done.returncode for done in plays] == [0, 0], [done.output for done in plays]
    results = [done.results["start"] for done in plays]
    check_duplicates(simulator, [{"warnings": [], **result} for result in results])
