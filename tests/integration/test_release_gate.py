# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role release_gate as a real process against the simulator: its effects, output and files."""

from __future__ import annotations

import html
import json
import pathlib
import re
import shlex
import subprocess
import sys
import typing as t
import xml.etree.ElementTree as ET

import pytest
import yaml

from .harness import ROOT, TOKEN, Play, effects, play, playbook_command, world

ROLE = "jobgate.gitlab.release_gate"
EXAMPLE = ROOT / "docs" / "examples" / "release-gate.yml"
EXAMPLE_WORLD = ROOT / "docs" / "examples" / "release-gate-scenario.yml"
EXAMPLE_TOKEN = "demo-token-of-the-simulator"
Row = dict[str, t.Any]

MANUAL: Row = {"when": "manual", "allow_failure": False}
APP = {"name": "app", "gates": [{"name": "deploy", "action": "play"}]}


# ----- the example, as users run it -----


def run_example(simulator: t.Any, tmp_path: pathlib.Path, *options: str) -> Play:
    given = ["-e", f"records={tmp_path}", *options]
    return play(EXAMPLE, tmp_path, *given, url=simulator.url, token=EXAMPLE_TOKEN, secrets=[EXAMPLE_TOKEN])


def test_example_passes_once_and_check_mode_predicts_it(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(EXAMPLE_WORLD, clock="scaled:60")
    simulator.advance(300)
    path = tmp_path / "release-v1.2.0.json"

    check = run_example(simulator, tmp_path, "--check")
    assert check.returncode == 0, check.output
    shown = check.results["Show the outcome of each gate"]["msg"]
    assert "infra: play apply: would be played" in shown
    assert "app: retry test:integration: would be retried" in shown
    assert any(line.startswith("app: play deploy:prod: would be played") for line in shown)
    assert any(line.startswith("app: wait trigger:smoke/*: would be waited for") for line in shown)
    assert check.results["Take the release through its gates"]["changed"] is True
    assert effects(simulator) == [] and not path.exists()

    first = run_example(simulator, tmp_path)
    assert first.returncode == 0, first.output
    done = effects(simulator)
    expected = {("play", "apply"), ("retry", "test:integration"), ("play", "deploy:prod"), ("play", "publish")}
    assert set(done) == expected and len(done) == len(expected)
    # the website needs both other projects
    assert done[-1] == ("play", "publish")
    record = json.loads(path.read_text(encoding="utf-8"))
    assert (record["outcome"], record["changed"], record["check_mode"]) == ("passed", True, False)

    for options in (("--check",), ()):
        again = run_example(simulator, tmp_path, *options)
        assert again.returncode == 0, again.output
        assert "changed=0 " in again.output
    assert effects(simulator) == done
    record = json.loads(path.read_text(encoding="utf-8"))
    assert (record["outcome"], record["changed"]) == ("passed", False)
    outcomes = {gate["outcome"] for project in record["projects"] for gate in project["gates"]}
    assert outcomes == {"passed", "already done"}
    for name in ("release-v1.2.0.json", "release-v1.2.0.html"):
        assert EXAMPLE_TOKEN not in (tmp_path / name).read_text(encoding="utf-8")


def test_failed_role_reports_the_reason_without_secrets(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "deploy", **MANUAL, "duration": 1, "outcome": "failed"}), clock="scaled:60")
    gate = {"name": "deploy", "action": "play", "job_variables": {"PASSWORD": "variable-secret-0123"}}
    variables = {
        "release_gate_projects": [{"project": "group/app", "ref": "main", "gates": [gate]}],
        "release_gate_api_url": simulator.url,
        "release_gate_api_token": "{{ lookup('ansible.builtin.env', 'SECRET_TOKEN') }}",
        "release_gate_record": str(tmp_path / "record.json"),
        "release_gate_report": str(tmp_path / "report.html"),
        "release_gate_user": "alice of operations",
    }
    task = {"name": "gate", "ansible.builtin.include_role": {"name": ROLE}, "vars": variables}
    result = play(
        [task],
        tmp_path,
        "-vvvv",
        token="",
        environment={"SECRET_TOKEN": TOKEN},
        secrets=[TOKEN, "variable-secret-0123"],
    )
    assert result.returncode == 2
    assert "Gate 'deploy' of project 'group/app' did not open: job 'deploy' (id 1000) ended as failed" in result.output
    for name in ("record.json", "report.html"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "variable-secret-0123" not in text and TOKEN not in text
        assert "PASSWORD" in text and "alice of operations" in text
    assert simulator.effects()[0]["variables"] == [{"key": "PASSWORD", "value": "variable-secret-0123"}]


def test_invalid_projects_are_refused_before_any_request(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    app = {**APP, "project": "group/app", "ref": "main"}
    words: dict[str, list[Row]] = {
        "missing required arguments: gates": [{"project": "group/app", "ref": "main"}],
        "needs 'infra', which is not one of": [{**app, "needs": ["infra"]}],
        "retries. Supported parameters include": [{**app, "retries": 3}],
        "The release has no projects; add at least one": [],
    }
    tasks = [
        {
            "block": [{"ansible.builtin.include_role": {"name": ROLE}, "vars": {"release_gate_projects": projects}}],
            "rescue": [{"name": message, "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}],
        }
        for message, projects in words.items()
    ]
    result = play(tasks, tmp_path, url=simulator.url)
    assert result.returncode == 0 and "Traceback" not in result.output, result.output
    for message in words:
        assert message in result.results[message]["msg"]
    assert simulator.requests() == []


REFUSE = "Check the names of the variables"


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_misspelt_variables_are_refused_before_any_request(
    simulator: t.Any, tmp_path: pathlib.Path, options: tuple[str, ...]
) -> None:
    names = ["release_gate_", "release_gate_api_tokn", "release_gate_titel"]
    simulator.load(world({"name": "deploy", **MANUAL}))
    given = {"release_gate_projects": [{**APP, "project": "group/app", "ref": "main"}]}
    task = {"name": "gate", "ansible.builtin.import_role": {"name": ROLE}, "vars": given}
    # their values must not be shown
    extra = json.dumps(dict.fromkeys(names, "secret-of-nobody"))
    result = play([task], tmp_path, "-e", extra, *options, url=simulator.url, secrets=["secret-of-nobody"])
    assert result.returncode == 2
    message = result.results[REFUSE]["msg"]
    assert message.startswith(f"The role has no variable {' or '.join(names)}. Names that begin with")
    assert "Its variables are release_gate_projects, release_gate_title, " in message
    assert simulator.requests() == []


def test_misspelt_projects_variable_is_reported_as_misspelt(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    given = {"release_gate_projcts": [{**APP, "project": "group/app", "ref": "main"}]}
    task = {"name": "gate", "ansible.builtin.include_role": {"name": ROLE}, "vars": given}
    result = play([task], tmp_path, url=simulator.url)
    assert result.returncode == 2
    assert "The role has no variable release_gate_projcts. " in result.output
    assert simulator.requests() == []


def test_role_can_run_twice_in_one_play(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "deploy", **MANUAL, "duration": 1}), clock="scaled:60")
    options = yaml.safe_load((ROOT / "roles/release_gate/meta/argument_specs.yml").read_text(encoding="utf-8"))
    given = {
        "release_gate_projects": [{**APP, "project": "group/app", "ref": "main"}],
        "release_gate_record": str(tmp_path / "record.json"),
        "release_gate_strategy": "collect",
        "release_gate_title": "Twice",
    }
    assert set(given) < set(options["argument_specs"]["main"]["options"])
    role = {"name": "gate", "ansible.builtin.include_role": {"name": ROLE}}
    # the second run finds the result of the first one among the variables
    result = play([role, role], tmp_path, play_keywords={"vars": given}, url=simulator.url)
    assert result.returncode == 0, result.output
    assert result.results["Take the release through its gates"]["changed"] is False
    assert effects(simulator) == [("play", "deploy")]


def test_module_works_outside_the_ansible_process(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "deploy", **MANUAL, "duration": 1}), clock="scaled:60")
    options = {
        "projects": [{"project": "group/app", "ref": "main", "gates": APP["gates"]}],
        "record": str(tmp_path / "record.json"),
    }
    tasks = [{"name": f"run {number}", "jobgate.gitlab.gitlab_release_gate": options} for number in (1, 2)]
    result = play(tasks, tmp_path, url=simulator.url, environment={"JOBGATE_IN_PROCESS": "false"})
    assert result.returncode == 0, result.output
    assert [result.results[f"run {number}"]["changed"] for number in (1, 2)] == [True, False]
    assert json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))["outcome"] == "passed"


@pytest.mark.parametrize("run_mode", ["true", "false"])
def test_all_files_are_written_and_the_command_in_the_report_works(
    simulator: t.Any, tmp_path: pathlib.Path, run_mode: str
) -> None:
    job = {"name": "deploy", **MANUAL, "duration": 1, "log": "no space\n"}
    simulator.load(world({**job, "attempts": [{"outcome": "failed"}, {"outcome": "success"}]}), clock="scaled:60")
    names = {"record": "new.json", "report": "new.html", "summary": "new.md", "junit": "new.xml"}
    variables = {f"release_gate_{name}": str(tmp_path / file) for name, file in names.items()}
    variables["release_gate_projects"] = [{"project": "group/app", "ref": "main", "gates": APP["gates"]}]
    task = {"name": "gate", "ansible.builtin.include_role": {"name": ROLE}, "vars": variables}
    environment = {"JOBGATE_IN_PROCESS": run_mode}
    assert play([task], tmp_path, url=simulator.url, environment=environment).returncode == 2
    texts = {name: (tmp_path / file).read_text(encoding="utf-8") for name, file in names.items()}
    assert all("no space" in text for text in texts.values())
    assert ET.fromstring(texts["junit"]).get("failures") == "1"
    (command,) = re.findall("<pre>(ansible localhost .*?)</pre>", texts["report"])
    program, *words = shlex.split(html.unescape(command))
    _playbook, clean = playbook_command([], tmp_path, environment=environment)
    path = str(pathlib.Path(sys.executable).with_name(program))
    done = subprocess.run([path, *words], env=clean, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "CHANGED" in done.stdout, done.stdout + done.stderr
    assert effects(simulator) == [("play", "deploy"), ("retry", "deploy")]
    old = tmp_path / "old.json"
    (tmp_path / names["record"]).rename(old)
    task["vars"] = {**variables, "release_gate_compare": str(old), "release_gate_title": "Version 1.2.0"}
    assert play([task], tmp_path, url=simulator.url, environment=environment).returncode == 0
    record = json.loads((tmp_path / names["record"]).read_text(encoding="utf-8"))
    assert (record["outcome"], record["previous"]["outcome"]) == ("passed", "failed")
    assert (tmp_path / names["summary"]).read_text(encoding="utf-8").startswith("## Version 1.2.0: ✓ passed")


def test_playbook_of_the_role_readme_works(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    readme = (ROOT / "roles" / "release_gate" / "README.md").read_text(encoding="utf-8")
    block = re.findall(r"^```yaml\n(.*?)^```$", readme, flags=re.DOTALL | re.MULTILINE)[0]
    path = tmp_path / "readme.yml"
    path.write_text("---\n" + block, encoding="utf-8")
    simulator.load(EXAMPLE_WORLD, clock="scaled:60")
    for changed in (1, 0):
        done = play(path, tmp_path, url=simulator.url, token=EXAMPLE_TOKEN, secrets=[EXAMPLE_TOKEN])
        assert done.returncode == 0, done.output
        assert f"changed={changed} " in done.output
        record = json.loads((tmp_path / "v1.2.0.json").read_text(encoding="utf-8"))
        assert (record["outcome"], record["changed"]) == ("passed", bool(changed))
        assert (tmp_path / "v1.2.0.html").exists()


GROUP = "group/jobgate.gitlab.gitlab"
# Defaults that users set for the other modules of the group.
SHARED: Row = {"project": "group/app", "ref": "main", "wait": True, "wait_timeout": 60, "name": "test"}


@pytest.mark.parametrize("run_mode", ["true", "false"])
def test_role_ignores_unrelated_defaults_of_the_action_group(
    simulator: t.Any, tmp_path: pathlib.Path, run_mode: str
) -> None:
    simulator.load(world({"name": "test"}, {"name": "deploy", **MANUAL, "duration": 1}), clock="scaled:60")
    projects = [{"project": "group/app", "ref": "main", "gates": APP["gates"]}]
    tasks = [
        {"name": "info", "jobgate.gitlab.gitlab_job_info": {}},
        {"name": "gate", "ansible.builtin.include_role": {"name": ROLE}, "vars": {"release_gate_projects": projects}},
    ]
    keywords = {"module_defaults": {GROUP: {**SHARED, "api_url": simulator.url}}}
    done = play(tasks, tmp_path, environment={"JOBGATE_IN_PROCESS": run_mode}, play_keywords=keywords)
    assert done.returncode == 0, done.output
    assert done.results["info"]["job"]["status"] == "success"
    assert done.results["Take the release through its gates"]["summary"] == ["group/app: play deploy: played"]
    assert effects(simulator) == [("play", "deploy")]


@pytest.mark.parametrize(
    ("defaults", "task", "words"),
    [
        ({"projct": "group/app"}, {}, "Unknown option projct; did you mean projects?"),
        (
            {},
            {"project": "group/app"},
            "Unknown option project; did you mean projects?",
        ),
        (
            {"project": "group/app"},
            {"projects": [{"gates": APP["gates"], "ref": "main"}]},
            "project 1: project is missing",
        ),
    ],
)
def test_mistakes_are_reported_despite_defaults_of_the_action_group(
    simulator: t.Any, tmp_path: pathlib.Path, defaults: Row, task: Row, words: str
) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    options = {"projects": [{"project": "group/app", "ref": "main", "gates": APP["gates"]}], **task}
    keywords = {"module_defaults": {GROUP: {"api_url": simulator.url, **defaults}}}
    done = play([{"name": "gate", "jobgate.gitlab.gitlab_release_gate": options}], tmp_path, play_keywords=keywords)
    assert done.returncode == 2 and words in done.output, done.output
    assert simulator.requests() == []


def test_role_variables_override_defaults_of_the_action_group(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "deploy", **MANUAL, "duration": 1}), clock="scaled:60")
    variables = {
        "release_gate_projects": [{"project": "group/app", "ref": "main", "gates": APP["gates"]}],
        "release_gate_api_url": simulator.url,
        "release_gate_api_token": TOKEN,
        "release_gate_validate_certs": False,
    }
    tasks = [{"name": "gate", "ansible.builtin.include_role": {"name": ROLE}, "vars": variables}]
    defaults = {"api_url": "http://127.0.0.1:9", "api_token": "another-token-0123", "api_retries": 0}
    done = play(tasks, tmp_path, token="", play_keywords={"module_defaults": {GROUP: defaults}})
    assert done.returncode == 0, done.output
    assert effects(simulator) == [("play", "deploy")]
    given = done.results["Take the release through its gates"].get("invocation", {}).get("module_args", {})
    assert (given.get("api_retries", 0), given.get("validate_certs", False)) == (0, False)


def test_module_defaults_apply_only_to_options_without_role_defaults(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "deploy", **MANUAL, "duration": 1}), clock="scaled:60")
    variables = {
        "release_gate_projects": [{"project": "group/app", "ref": "main", "gates": APP["gates"]}],
        "release_gate_record": str(tmp_path / "record.json"),
        "release_gate_api_url": "http://127.0.0.1:9",
    }
    tasks = [{"name": "gate", "ansible.builtin.include_role": {"name": ROLE}, "vars": variables}]
    defaults = {"api_url": simulator.url, "api_token": TOKEN, "strategy": "collect"}
    keywords = {"module_defaults": {"jobgate.gitlab.gitlab_release_gate": defaults}}
    done = play(tasks, tmp_path, token="", play_keywords=keywords)
    assert done.returncode == 0, done.output
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert (record["strategy"], record["server"]) == ("fail_fast", simulator.url)
