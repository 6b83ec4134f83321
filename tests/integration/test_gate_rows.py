# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gates that must not open, in playbooks: in Ansible's own process, as modules, and by the role."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from .harness import Play, effects, play, world

ACTION = "jobgate.gitlab.gitlab_job_action"
INFO = "jobgate.gitlab.gitlab_job_info"
ROLE = "jobgate.gitlab.release_gate"
MATRIX = "integration: [postgres, 15]"
Row = dict[str, t.Any]

MAIN: Row = {"project": "group/app", "ref": "main"}
MANUAL: Row = {"when": "manual", "allow_failure": False, "needs": []}


def scenario() -> Row:
    made = world(
        {"name": "unit", "stage": "test", "status": "success"},
        {"name": "busy", "stage": "test", "status": "running", "duration": 5000},
        {"name": "deploy", "stage": "deploy", **MANUAL},
        {"name": MATRIX, "stage": "deploy", **MANUAL},
    )
    nightly = [{"name": "deploy", "stage": "deploy", **MANUAL}]
    made["pipelines"].append({"id": 200, "ref": "main", "source": "schedule", "jobs": nightly})
    return made


def play_ignoring_errors(tasks: list[Row], simulator: t.Any, tmp_path: pathlib.Path, run_mode: str) -> Play:
    """Return the result of a playbook with these tasks, whose failures are ignored."""
    named = [{"ignore_errors": True, **task} for task in tasks]
    keywords = {
        "vars": {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "jobgate_in_process": run_mode == "in process",
        }
    }
    done = play(named, tmp_path, url=simulator.url, play_keywords=keywords)
    assert "Traceback" not in done.output
    return done


@pytest.mark.parametrize("run_mode", ["in process", "module"])
def test_mistaken_selections_fail_without_effects(simulator: t.Any, tmp_path: pathlib.Path, run_mode: str) -> None:
    simulator.load(scenario())
    push: Row = {**MAIN, "pipeline_source": "push"}
    tasks: dict[str, tuple[Row, str]] = {
        "stage": ({INFO: {**push, "stage": "tests", "wait": True, "wait_for": "success"}}, "did you mean 'test'?"),
        "misplaced": ({ACTION: {**push, "name": "deploy", "stage": "dpeloy", "action": "play"}}, "stage 'dpeloy'"),
        "empty": (
            {ACTION: {**push, "name": "{{ [] }}", "scope": ["running"], "multiple": "all", "action": "cancel"}},
            "empty list of name or stage selects nothing",
        ),
        "erase": ({ACTION: {**push, "name": [], "multiple": "all", "action": "erase"}}, "selects nothing"),
        "line break": ({INFO: {**MAIN, "ref": "main\n", "wait": True}}, "remove the spaces or line breaks"),
        "wait_for": ({INFO: {**push, "wait_for": "success"}}, "wait_for needs wait: true"),
        "nightly": ({ACTION: {**MAIN, "name": "unit", "action": "play"}}, "pipeline 200, source schedule"),
    }
    rounds = {
        f"{name} {number}": {**task, "check_mode": is_check}
        for number, is_check in enumerate((True, False))
        for name, (task, _words) in tasks.items()
    }
    done = play_ignoring_errors(
        [{"name": name, **task} for name, task in rounds.items()], simulator, tmp_path, run_mode
    )
    for name in rounds:
        result, words = done.results[name], tasks[name[:-2]][1]
        assert words in result.get("msg", ""), (name, result)
        assert result.get("changed", False) is False
    assert effects(simulator) == []


@pytest.mark.parametrize("run_mode", ["in process", "module"])
def test_matching_jobs_are_played_only_once(simulator: t.Any, tmp_path: pathlib.Path, run_mode: str) -> None:
    simulator.load(scenario())
    tasks: list[Row] = [
        {"name": "text", ACTION: {**MAIN, "pipeline_source": "push", "name": MATRIX, "action": "play"}},
        {"name": "push", ACTION: {**MAIN, "pipeline_source": "push", "name": "deploy", "action": "play"}},
        {
            "name": "allowed",
            ACTION: {**MAIN, "name": [], "allow_empty": True, "multiple": "all", "action": "cancel"},
        },
        {
            "name": "late",
            INFO: {**MAIN, "ref": "nope", "wait": True, "wait_timeout": 1, "on_timeout": "continue"},
        },
    ]
    rounds = [
        {**task, "name": f"{task['name']} {number}", "check_mode": is_check}
        for number, is_check in enumerate((True, False, True, False))
        for task in tasks[: 3 if is_check else 4]
    ]
    done = play_ignoring_errors(rounds, simulator, tmp_path, run_mode)
    assert (done.returncode, "...ignoring" in done.output) == (0, False), done.output
    changes = [
        [done.results[f"{name} {number}"]["changed"] for name in ("text", "push", "allowed")] for number in range(4)
    ]
    for late in (done.results["late 1"], done.results["late 3"]):
        assert late["timed_out"] is True and late["elapsed"] > 0.9
    assert changes == [[True, True, False], [True, True, False], [False] * 3, [False] * 3]
    assert effects(simulator) == [("play", MATRIX), ("play", "deploy")]
    assert {effect["pipeline_id"] for effect in simulator.effects()} == {100}


@pytest.mark.parametrize("run_mode", ["in process", "module"])
def test_role_plays_nothing_after_a_gate_that_selects_no_jobs(
    simulator: t.Any, tmp_path: pathlib.Path, run_mode: str
) -> None:
    simulator.load(scenario())
    deploy: Row = {"name": "deploy", "action": "play"}
    gates: list[tuple[Row, str]] = [
        ({"stage": "tests", "action": "wait"}, "did you mean 'test'?"),
        ({"stage": "tests", "action": "verify"}, "did you mean 'test'?"),
        ({"name": [], "stage": "test", "action": "verify"}, "name is an empty list"),
    ]
    tasks: list[Row] = []
    for number, (gate, _words) in enumerate(gates):
        project = {**MAIN, "pipeline_source": ["push"], "gates": [gate, deploy]}
        variables = {"release_gate_projects": [project], "release_gate_api_url": simulator.url}
        show = {"name": f"gate {number}", "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}
        role = {"ansible.builtin.include_role": {"name": ROLE}, "vars": variables}
        tasks.append({"block": [role], "rescue": [show], "ignore_errors": False})
    done = play_ignoring_errors(tasks, simulator, tmp_path, run_mode)
    for number, (_gate, words) in enumerate(gates):
        assert words in done.results[f"gate {number}"]["msg"]
    assert effects(simulator) == []
