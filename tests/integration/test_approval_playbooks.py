# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks with approvals do and report the same in Ansible's own process and as modules."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from .approvals import BY_RULES, PROJECT, acting_during_wait, approval_world
from .harness import Play, effects, play

pytestmark = pytest.mark.usefixtures("run_mode")

ACTION = "jobgate.gitlab.gitlab_job_action"
APPROVAL = "jobgate.gitlab.gitlab_deployment_approval"
INFO = "jobgate.gitlab.gitlab_deployment_info"
JOB: dict[str, t.Any] = {"project": PROJECT, "pipeline_id": 100, "name": "deploy"}
APPROVE = {**JOB, "state": "approved", "comment": "tested"}
DEPLOY = {**JOB, "action": "play", "wait_for_approval": True, "wait": True, "wait_timeout": 600, "wait_interval": 1}


def run(simulator: t.Any, tmp_path: pathlib.Path, *tasks: dict[str, t.Any], **how: t.Any) -> Play:
    named = [{"name": f"task {number}", "diff": True, **task} for number, task in enumerate(tasks)]
    return play(named, tmp_path, url=simulator.url, **how)


def test_approval_is_given_once_and_predicted(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(approval_world(), clock="scaled:60")
    check = {APPROVAL: APPROVE, "check_mode": True}
    done = run(simulator, tmp_path, check, {APPROVAL: APPROVE}, check, {APPROVAL: APPROVE}, {INFO: JOB})
    assert done.returncode == 0, done.output
    results = list(done.results.values())
    assert [result["changed"] for result in results] == [True, True, False, False, False]
    assert effects(simulator) == [("approve", "deploy")]
    assert results[0]["msg"] == "would approve deployment 1 to 'production'"
    assert "+  approved by alice" in done.output and "+  approved by the user of the token" in done.output
    assert results[4]["deployment"]["approvals"][0]["comment"] == "tested"
    assert results[1]["deployment"]["approvals"] == results[4]["deployment"]["approvals"]


def test_deployment_approved_during_the_wait_is_played_once(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(approval_world(), clock="scaled:60")
    check = run(simulator, tmp_path, {ACTION: DEPLOY, "check_mode": True})
    assert check.returncode == 0 and check.results["task 0"]["changed"] and effects(simulator) == []
    simulator.clear_logs()
    with acting_during_wait(simulator, "approve"):
        first = run(simulator, tmp_path, {ACTION: DEPLOY})
    assert first.returncode == 0, first.output
    assert (first.results["task 0"]["changed"], first.results["task 0"]["status"]) == (True, "success")
    again = run(simulator, tmp_path, {ACTION: DEPLOY, "check_mode": True}, {ACTION: DEPLOY})
    assert again.returncode == 0 and "changed=0 " in again.output, again.output
    assert effects(simulator) == [("play", "deploy")]


def test_deployment_rejected_during_the_wait_fails(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(approval_world(), clock="scaled:60")
    with acting_during_wait(simulator, "reject"):
        done = run(simulator, tmp_path, {ACTION: DEPLOY})
    assert done.returncode != 0
    message = done.results["task 0"]["msg"]
    assert "cannot be played: its deployment 1 to 'production' was rejected by somebody-else" in message
    assert effects(simulator) == []


def test_role_waits_for_approvals(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    gate = {"name": "deploy", "action": "play", "wait_for_approval": True, "wait_interval": 1}
    tasks = [{"name": "release", "ansible.builtin.import_role": {"name": "jobgate.gitlab.release_gate"}}]
    variables = {"release_gate_projects": [{"project": PROJECT, "ref": "main", "gates": [gate]}]}
    name = "release_gate : Take the release through its gates"

    def release(*options: str) -> tuple[Play, dict[str, t.Any]]:
        keywords = {"vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}", **variables}}
        done = play(tasks, tmp_path, *options, url=simulator.url, play_keywords=keywords)
        assert done.returncode == 0, done.output
        return done, next(result for task, result in done.results.items() if name.endswith(task))

    simulator.load(approval_world(protected=BY_RULES), clock="scaled:60")
    checked = release("--check")[1]
    assert checked["gates"][0]["outcome"] == "would be played" and effects(simulator) == []
    simulator.clear_logs()
    with acting_during_wait(simulator, "approve"):
        first = release()[1]
    assert (first["gates"][0]["outcome"], first["changed"]) == ("played", True)
    for options in (("--check",), ()):
        again = release(*options)[1]
        assert (again["gates"][0]["outcome"], again["changed"]) == ("already done", False)
    assert effects(simulator) == [("play", "deploy")]
