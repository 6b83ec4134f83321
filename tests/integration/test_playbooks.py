# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real ansible-playbook processes, for behavior that only Ansible can show."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from .harness import ROOT, TOKEN, effects, play, world

BOTH_RUN_MODES = pytest.mark.usefixtures("run_mode")

ACTION = "jobgate.gitlab.gitlab_job_action"
INFO = "jobgate.gitlab.gitlab_job_info"
DEPLOY: dict[str, t.Any] = {"name": "deploy:prod", "stage": "deploy", "when": "manual", "allow_failure": False}
LOOKUP = "'jobgate.gitlab.gitlab_job', {}, project='group/app', ref='main'"


def scenario() -> dict[str, t.Any]:
    return world({"name": "build", "stage": "build", "status": "success"}, {**DEPLOY, "duration": 30})


@BOTH_RUN_MODES
def test_demo_release_plays_and_retries_its_jobs_once(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(ROOT / "docs" / "examples" / "release-scenario.yml", clock="scaled:60")
    token = "demo-token-of-the-simulator"

    def release(*options: str) -> t.Any:
        return play(
            ROOT / "docs" / "examples" / "release.yml",
            tmp_path,
            *options,
            url=simulator.url,
            token=token,
            secrets=[token],
        )

    first = release()
    assert first.returncode == 0, first.output
    done = [("play", "deploy:staging"), ("retry", "smoke:staging"), ("play", "deploy:prod")]
    assert effects(simulator) == done
    assert "changed=4 " in first.output and "rescued=1" in first.output
    notes = first.results["Show the release notes"]["msg"]
    assert "# Release v1.2.0" in notes and any("apply in" in line and "is success" in line for line in notes)
    variables = simulator.effects()[-1]["variables"]
    assert {(variable["key"], variable["value"]) for variable in variables} == {
        ("RELEASE", "v1.2.0"),
        ("CANARY_PERCENT", "10"),
        ("NOTIFY", "true"),
    }
    for options in (("--check",), ()):
        again = release(*options)
        assert again.returncode == 0, again.output
        assert "changed=0 " in again.output
    assert effects(simulator) == done


@BOTH_RUN_MODES
def test_check_mode_diff_and_secrets_work_with_module_defaults(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    options = {"project": "group/app", "ref": "main", "name": "deploy:prod", "action": "play"}
    tasks = [
        {"name": "predict", ACTION: options, "check_mode": True, "diff": True},
        {"name": "do", ACTION: {**options, "job_variables": {"PASSWORD": "variable-secret-0123"}}, "diff": True},
        {"name": "again", ACTION: options},
        {"name": "read", INFO: {"project": "group/app", "ref": "main", "job_id": "{{ omit }}"}},
    ]
    # the token comes from module_defaults and the variable from the task, and neither may be shown
    result = play(
        tasks,
        tmp_path,
        "-vvvv",
        token="",
        environment={"SECRET_TOKEN": TOKEN},
        play_keywords={
            "module_defaults": {
                "group/jobgate.gitlab.gitlab": {
                    "api_url": simulator.url,
                    "api_token": "{{ lookup('ansible.builtin.env', 'SECRET_TOKEN') }}",
                }
            }
        },
        secrets=[TOKEN, "variable-secret-0123"],
    )
    assert result.returncode == 0, result.output
    assert [result.results[name]["changed"] for name in ("predict", "do", "again", "read")] == [
        True,
        True,
        False,
        False,
    ]
    assert effects(simulator) == [("play", "deploy:prod")]
    assert "-deploy:prod: manual" in result.output and "+deploy:prod: pending" in result.output
    assert result.results["predict"]["results"][0]["after"] == result.results["do"]["results"][0]["after"]
    assert simulator.effects()[0]["variables"] == [{"key": "PASSWORD", "value": "variable-secret-0123"}]


def test_lookup_expressions_return_the_expected_values(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    build = simulator.job("build")

    def show(expression: str) -> dict[str, t.Any]:
        return {"name": expression, "ansible.builtin.debug": {"msg": "{{ " + expression + " }}"}}

    expected: dict[str, t.Any] = {
        f"lookup({LOOKUP.format(repr('build'))}).status": "success",
        f"lookup({LOOKUP.format(repr('build'))}, attribute='pipeline.ref')": "main",
        f"query({LOOKUP.format(repr('*'))}, fields=['name', 'pipeline.id'])": [
            {"name": "deploy:prod", "pipeline": {"id": 100}},
            {"name": "build", "pipeline": {"id": 100}},
        ],
        f"lookup({LOOKUP.format(repr('review'))}, default='none')": "none",
        f"lookup({LOOKUP.format(repr('build'))}, attribute='coverage_badge', default='no')": "no",
        f"lookup('jobgate.gitlab.gitlab_job', {build['id']}, project='group/app').name": "build",
        "lookup('jobgate.gitlab.gitlab_job', 'build', project='group/app', ref='none', default='-')": "-",
        f"query({LOOKUP.format('''['build', 'deploy:prod']''')}, attribute='status') | length": "2",
    }
    result = play([show(expression) for expression in expected], tmp_path, url=simulator.url)
    assert result.returncode == 0, result.output
    for expression, value in expected.items():
        shown = result.results[expression]["msg"]
        assert shown == value or str(shown) == value, expression
    assert simulator.writes() == []


def test_lookup_connection_comes_from_variables(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    task = {
        "name": "look",
        "ansible.builtin.debug": {"msg": "{{ lookup(" + LOOKUP.format("'build'") + ").status }}"},
        "vars": {
            "jobgate_gitlab_api_url": simulator.url,
            "jobgate_gitlab_api_token": "{{ lookup('ansible.builtin.env', 'SECRET_TOKEN') }}",
        },
    }
    # a token that is set takes precedence over any kind of token in the environment
    environment = {"SECRET_TOKEN": TOKEN, "GITLAB_OAUTH_TOKEN": "wrong-token-0123456789"}
    result = play([task], tmp_path, token="", environment=environment)
    assert result.returncode == 0, result.output
    assert result.results["look"]["msg"] == "success"


@BOTH_RUN_MODES
def test_installed_extensions_refuse_and_annotate(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    site = tmp_path / "site"
    info = site / "demo_extensions-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: demo-extensions\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        "[jobgate.gitlab]\nfreeze = demo_freeze\ncost_centre = demo_cost_centre\n", encoding="utf-8"
    )
    (site / "demo_freeze.py").write_text(
        "import pluggy\n"
        'hookimpl = pluggy.HookimplMarker("jobgate.gitlab")\n'
        "@hookimpl\n"
        "def gitlab_decide_job_action(action, job, decisions):\n"
        '    if action == "play":\n'
        '        return decisions.refuse("freeze until Monday")\n',
        encoding="utf-8",
    )
    (site / "demo_cost_centre.py").write_text(
        "import pluggy\n"
        'hookimpl = pluggy.HookimplMarker("jobgate.gitlab")\n'
        "@hookimpl\n"
        "def gitlab_annotate_record(kind, record):\n"
        '    return {"cost_centre": 4711} if kind == "job" else None\n',
        encoding="utf-8",
    )
    options = {"project": "group/app", "ref": "main", "name": "deploy:prod"}
    tasks = [
        {"name": "read", INFO: {**options, "extensions": ["cost_centre"]}},
        {"name": "play", ACTION: {**options, "action": "play", "extensions": ["freeze"]}, "ignore_errors": True},
        {"name": "check", ACTION: {**options, "action": "play"}, "check_mode": True, "ignore_errors": True},
        {"name": "cancel", ACTION: {**options, "action": "cancel"}},
    ]
    environment = {"PYTHONPATH": str(site), "JOBGATE_EXTENSIONS": "freeze,cost_centre"}
    result = play(tasks, tmp_path, url=simulator.url, environment=environment)
    assert result.returncode == 0, result.output
    assert result.results["read"]["job"]["annotations"] == {"cost_centre": 4711}
    for name in ("play", "check"):
        assert "cannot be played: freeze until Monday." in result.results[name]["msg"]
        assert result.results[name]["changed"] is False
    assert effects(simulator) == [("cancel", "deploy:prod")]
    assert result.results["cancel"]["job"]["annotations"] == {"cost_centre": 4711}


@BOTH_RUN_MODES
def test_failed_results_have_the_same_keys_as_successful_ones(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    good = {"project": "group/app", "ref": "main", "name": "build"}
    tasks = [
        {"name": f"{module} {kind}", module: {**options, **extra}, "ignore_errors": True}
        for module, extra in ((INFO, {}), (ACTION, {"action": "play"}))
        for kind, options in (("good", good), ("bad", {**good, "name": "none"}), ("worse", {**good, "project": ""}))
    ]
    result = play(tasks, tmp_path, url=simulator.url)
    for module in (INFO, ACTION):
        keys = [
            set(result.results[f"{module} {kind}"]) - {"msg", "failed", "exception", "diff"}
            for kind in ("good", "bad", "worse")
        ]
        assert keys[0] - {"warnings"} == keys[1] - {"warnings"} == keys[2] - {"warnings"}
