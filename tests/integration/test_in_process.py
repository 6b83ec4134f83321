# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When tasks run in Ansible's own process, when they do not, and that only the run time differs."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

from .harness import TOKEN, Play, effects, play, playbook_command, world

ACTION = "jobgate.gitlab.gitlab_job_action"
INFO = "jobgate.gitlab.gitlab_job_info"
BRIDGES = "jobgate.gitlab.gitlab_pipeline_bridges"
GATE = "jobgate.gitlab.gitlab_release_gate"
DOWNLOAD = "jobgate.gitlab.gitlab_job_download"
TOKENS = "jobgate.gitlab.gitlab_job_token_info"
READ: dict[str, t.Any] = {"project": "group/app", "ref": "main", "name": "build"}

PINNED: dict[str, t.Any] = {"project": "group/app", "pipeline_id": 100, "name": "build"}

# values that differ between runs
TIMES = {
    "elapsed",
    "at",
    "seconds",
    "warnings",
    "created_at",
    "contacted_at",
    "updated_at",
    "queued_duration",
    "duration",
}
# values that Ansible adds only to modules or only to action plugins
OWN = {"_ansible_no_log", "_ansible_verbose_override", "_ansible_parsed", "ansible_facts", "exception"}


def scenario() -> dict[str, t.Any]:
    child = {"jobs": [{"name": "apply", "status": "success"}]}
    return world(
        {"name": "build", "status": "success", "artifacts": {"files": {"a.txt": "content\n"}}},
        {"name": "deploy", "stage": "deploy", "when": "manual", "allow_failure": False, "duration": 60},
        {"name": "broken", "status": "failed", "allow_failure": True, "log": "one\ntwo\n"},
        {"name": "infra", "trigger": {"pipeline": child}},
    )


def ran_as_module(result: Play) -> bool:
    """Return whether a module was built and started, which Ansible shows at verbosity 3."""
    return "EXEC" in result.output


def tasks(folder: pathlib.Path) -> list[dict[str, t.Any]]:
    deploy = {**READ, "name": "deploy", "action": "play"}
    return [
        {"name": "read", INFO: READ},
        {"name": "read all", INFO: {"project": "group/app", "pipeline_id": 100, "fields": ["name", "user.username"]}},
        {"name": "with log", INFO: {**READ, "name": "broken", "log_lines": 5}},
        {"name": "tree", BRIDGES: {"project": "group/app", "pipeline_id": 100, "depth": 0, "include_jobs": True}},
        {"name": "predict", ACTION: deploy, "check_mode": True, "diff": True},
        {"name": "play", ACTION: {**deploy, "job_variables": {"A": True, "B": "b"}}, "diff": True},
        {"name": "again", ACTION: deploy},
        {"name": "refused", ACTION: {**deploy, "action": "erase"}, "ignore_errors": True},
        {"name": "no such job", INFO: {**READ, "name": "bild"}, "ignore_errors": True},
        {"name": "no such option", INFO: {**READ, "nmae": "build"}, "ignore_errors": True},
        {"name": "wrong type", INFO: {**READ, "limit": "many"}, "ignore_errors": True},
        {"name": "missing", ACTION: READ, "ignore_errors": True},
        {"name": "no password", INFO: {**READ, "api_password": "secret-word-1"}, "ignore_errors": True},
        {"name": "predict file", DOWNLOAD: {**PINNED, "dest": str(folder / "a.zip")}, "check_mode": True},
        {
            "name": "file",
            DOWNLOAD: {**PINNED, "content": "file", "artifact_path": "a.txt", "dest": str(folder / "a.txt")},
        },
        {
            "name": "file again",
            DOWNLOAD: {**PINNED, "content": "file", "artifact_path": "a.txt", "dest": str(folder / "a.txt")},
        },
        {"name": "loop", INFO: {**READ, "name": "{{ item }}"}, "loop": ["build", "broken"]},
        {"name": "until", INFO: READ, "register": "seen", "until": "seen.job.status == 'success'", "retries": 2},
        {"name": "own rule", INFO: READ, "register": "mine", "failed_when": "mine.truncated"},
        {"name": "hidden", INFO: READ, "no_log": True},
        {
            "name": "environment",
            INFO: READ,
            "environment": {"GITLAB_API_URL": "http://127.0.0.1:1"},
            "ignore_errors": True,
        },
    ]


def comparable(value: t.Any) -> t.Any:
    """Return a result without the values that differ between runs."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key not in TIMES | OWN}
    return [comparable(item) for item in value] if isinstance(value, list) else value


def test_in_process_and_module_results_are_the_same(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    results = []
    for run_mode in ("true", "false"):
        simulator.load(scenario())
        simulator.advance(30)
        folder = tmp_path / "files"
        folder.mkdir()
        result = play(
            tasks(folder),
            tmp_path,
            "-vvv",
            url=simulator.url,
            environment={"JOBGATE_IN_PROCESS": run_mode},
            secrets=[TOKEN, "secret-word-1"],
        )
        assert result.returncode == 0, result.output
        assert ran_as_module(result) is (run_mode == "false")
        assert effects(simulator) == [("play", "deploy")]
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        results.append(comparable(result.results))
    for name, in_process in results[0].items():
        assert in_process == results[1][name], name


def test_relative_dest_starts_in_the_playbook_folder(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    for run_mode in ("true", "false"):
        simulator.load(scenario())
        books, elsewhere = tmp_path / run_mode / "books", tmp_path / run_mode / "elsewhere"
        books.mkdir(parents=True)
        elsewhere.mkdir()
        tasks = [{"name": "file", DOWNLOAD: {**PINNED, "dest": "a.zip"}}]
        command, environment = playbook_command(
            tasks, books, url=simulator.url, environment={"JOBGATE_IN_PROCESS": run_mode}
        )
        done = subprocess.run(
            command, env=environment, cwd=elsewhere, capture_output=True, text=True, timeout=1800, check=False
        )
        assert done.returncode == 0, done.stdout
        assert (books / "a.zip").exists() and list(elsewhere.iterdir()) == [], run_mode


# by the reported reason
RUNS_AS_MODULE: dict[str, dict[str, t.Any]] = {
    "jobgate_in_process is off": {"vars": {"jobgate_in_process": False}},
    "it has async": {"async": 30, "poll": 1},
    "its environment sets PYTHONPATH": {"environment": {"PYTHONPATH": "/nowhere"}},
    "it sets file attributes": {"module": {"name": DOWNLOAD, "options": {**PINNED, "mode": "0600"}}},
}


def reported_reasons(result: Play) -> list[str]:
    """Return the reasons for starting modules, which are shown at verbosity 1."""
    lines = [line for line in result.output.splitlines() if "runs as a module, not in process: " in line]
    return [line.partition("not in process: ")[2] for line in lines]


def test_tasks_that_require_a_module_run_as_modules(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    tasks = []
    for reason, row in RUNS_AS_MODULE.items():
        keywords = dict(row)
        module = keywords.pop("module", {"name": INFO, "options": READ})
        options = {**module["options"], **({"dest": str(tmp_path / "a.zip")} if module["name"] == DOWNLOAD else {})}
        tasks.append({"name": reason, module["name"]: options, **keywords})
    result = play(tasks, tmp_path, "-vvv", url=simulator.url)
    assert result.returncode == 0, result.output
    assert reported_reasons(result) == list(RUNS_AS_MODULE)
    for reason, output in zip(RUNS_AS_MODULE, result.output.split("TASK [")[1:], strict=True):
        assert "EXEC" in output, reason
        assert result.results[reason]["job"]["name"] == "build"
    assert (tmp_path / "a.zip").stat().st_mode & 0o777 == 0o600


def test_aliases_and_null_options_still_run_in_process(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    gate = {"name": "build", "action": "verify", "reuse": None, "multiple": None, "wait_timeout": None}
    project = {"project": "group/app", "pipeline_id": 100, "needs": None, "ref": None, "gates": [gate]}
    result = play(
        [
            {"name": "alias", DOWNLOAD: {**PINNED, "access_token": TOKEN, "dest": str(tmp_path / "a.zip")}},
            {"name": "nested null", GATE: {"projects": [project]}},
        ],
        tmp_path,
        "-vvv",
        url=simulator.url,
        token="",
        environment={"GITLAB_TOKEN": ""},
        play_keywords={"module_defaults": {GATE: {"api_token": TOKEN}}},
    )
    assert result.returncode == 0, result.output
    assert reported_reasons(result) == []
    assert result.results["nested null"]["outcome"] == "passed"


def test_another_interpreter_runs_the_task_as_a_module(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    other.chmod(0o755)
    task = {"name": "task", INFO: READ, "vars": {"ansible_python_interpreter": str(other)}}
    result = play([task], tmp_path, "-v", url=simulator.url)
    assert result.returncode == 0, result.output
    assert reported_reasons(result) == ["ansible_python_interpreter is another Python"]


def test_symlink_to_the_same_interpreter_runs_in_process(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    task = {"name": "task", INFO: READ, "vars": {"ansible_python_interpreter": str(other)}}
    result = play([task], tmp_path, "-vvv", url=simulator.url)
    assert result.returncode == 0, result.output
    assert not ran_as_module(result)
    assert "not in process" not in result.output


def test_another_virtual_environment_runs_the_task_as_a_module(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    other = tmp_path / "bin" / "python"
    other.parent.mkdir()
    other.symlink_to(sys.executable)
    (tmp_path / "pyvenv.cfg").touch()
    task = {"name": "task", INFO: READ, "ignore_errors": True, "vars": {"ansible_python_interpreter": str(other)}}
    result = play([task], tmp_path, "-v", url=simulator.url)
    assert reported_reasons(result) == ["ansible_python_interpreter is another Python"]


def test_become_runs_the_task_as_a_module(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    # in place of sudo, which may be missing: it ignores its options and records each call
    sudo = tmp_path / "sudo"
    sudo.write_text(
        "#!/bin/sh\n"
        f"echo asked >> {tmp_path}/asked\n"
        'while [ "$#" -gt 0 ]; do case "$1" in -u|-p) shift 2;; -*) shift;; *) break;; esac; done\n'
        'exec "$@"\n',
        encoding="utf-8",
    )
    sudo.chmod(0o755)
    task = {
        "name": "task",
        INFO: READ,
        "become": True,
        "become_user": "nobody",
        "vars": {"ansible_become_exe": str(sudo)},
    }
    result = play([task], tmp_path, "-vvv", url=simulator.url)
    assert result.returncode == 0, result.output
    assert ran_as_module(result)
    assert reported_reasons(result) == ["it has become"]
    assert (tmp_path / "asked").exists()


@pytest.mark.parametrize("run_mode", ["true", "false"])
def test_connection_comes_from_variables_and_ansible_cfg(
    simulator: t.Any, tmp_path: pathlib.Path, run_mode: str
) -> None:
    simulator.load(scenario())
    nowhere = "http://127.0.0.1:1"
    (tmp_path / "ansible.cfg").write_text(
        f"[jobgate_gitlab]\napi_url = {simulator.url}\napi_token = {TOKEN}\napi_retries = 0\n", encoding="utf-8"
    )
    where = {"jobgate_gitlab_api_url": "{{ nowhere }}", "nowhere": nowhere}
    fails = {"ignore_errors": True}
    tasks = [
        {"name": "by ansible.cfg", INFO: READ},
        {"name": "a variable beats ansible.cfg", INFO: READ, "vars": where, **fails},
        {"name": "an option beats a variable", INFO: {**READ, "api_url": simulator.url}, "vars": where},
        {"name": "so does the environment", INFO: READ, "environment": {"GITLAB_URL": nowhere}, **fails},
        {"name": "a number in the environment", INFO: READ, "environment": {"GITLAB_TOKEN": 1234567890}, **fails},
        {"name": "null in the environment", INFO: READ, "environment": {"GITLAB_OAUTH_TOKEN": None}, **fails},
        {
            "name": "a variable beats the environment",
            INFO: READ,
            "vars": {"jobgate_gitlab_api_url": simulator.url},
            "environment": {"GITLAB_URL": nowhere},
        },
        {
            "name": "a token of another kind",
            INFO: READ,
            "vars": {"jobgate_gitlab_api_oauth_token": "{{ lookup('ansible.builtin.env', 'WRONG') }}"},
            **fails,
        },
        {"name": "wrong type", INFO: READ, "vars": {"jobgate_gitlab_api_concurrency": "many"}, **fails},
        {"name": "not defined", INFO: READ, "vars": {"jobgate_gitlab_ca_path": "{{ no_such_variable }}"}, **fails},
    ]
    result = play(
        tasks,
        tmp_path,
        "-vvv",
        token="",
        environment={"JOBGATE_IN_PROCESS": run_mode, "WRONG": "wrong-token-0123456789"},
        secrets=[TOKEN, "wrong-token-0123456789"],
    )
    assert result.returncode == 0, result.output
    assert ran_as_module(result) is (run_mode == "false")
    assert "Traceback" not in result.output
    messages = {name: found.get("msg", found.get("job") and "read") for name, found in result.results.items()}
    for name in ("by ansible.cfg", "an option beats a variable", "a variable beats the environment"):
        assert messages[name] == "read"
    for name in ("a variable beats ansible.cfg", "so does the environment"):
        assert nowhere in messages[name]
    # Ansible converts null to the string None
    for name in ("a token of another kind", "a number in the environment", "null in the environment"):
        assert "401" in messages[name]
    assert "many" in messages["wrong type"] or "api_concurrency" in messages["wrong type"]
    assert "no_such_variable" in messages["not defined"]
    assert all(found["jobs"] == [] for found in result.results.values() if found.get("failed"))


def test_omit_in_variables_counts_as_not_set(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    omit = "{{ no_such_variable | default(omit) }}"
    connection = {"jobgate_gitlab_api_token": omit, "jobgate_gitlab_ca_path": omit, "jobgate_gitlab_http_headers": None}
    switches = {"jobgate_progress": omit, "jobgate_in_process": omit}
    defaults = {"group/jobgate.gitlab.gitlab": {"project": "group/app", "ref": omit, "api_token": omit}}
    tasks = [
        {"name": "connection", INFO: READ, "vars": connection},
        {"name": "switches", INFO: READ, "vars": switches},
        {"name": "interpreter", INFO: READ, "vars": {"ansible_python_interpreter": omit}},
        {"name": "defaults", INFO: READ, "module_defaults": defaults},
        {"name": "mistake", TOKENS: {"ref": "main"}, "module_defaults": defaults, "ignore_errors": True},
        {"name": "module", INFO: READ, "vars": {**connection, "jobgate_in_process": False}},
    ]
    result = play(tasks, tmp_path, "-v", url=simulator.url)
    assert result.returncode == 0, result.output
    assert reported_reasons(result) == ["jobgate_in_process is off"]
    messages = {name: found.get("msg", found.get("job") and "read") for name, found in result.results.items()}
    assert messages.pop("mistake").startswith("Unknown option ref")
    assert set(messages.values()) == {"read"}


def test_tasks_delegated_to_the_controller_run_in_process(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    inventory = tmp_path / "hosts.yml"
    inventory.write_text("all: {hosts: {far: {ansible_host: 192.0.2.1, ansible_connection: ssh}}}\n", encoding="utf-8")
    result = play(
        [{"name": "task", INFO: READ, "delegate_to": "localhost", "run_once": True}],
        tmp_path,
        "-vvv",
        "-i",
        str(inventory),
        url=simulator.url,
        play_keywords={"hosts": "all", "connection": "ssh", "vars": {}},
    )
    assert result.returncode == 0, result.output
    assert not ran_as_module(result)


def test_task_timeout_ends_the_task(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "endless", "outcome": "hang"}), clock="real")
    task = {"name": "task", INFO: {**READ, "name": "endless", "wait": True}, "timeout": 2}
    result = play([task], tmp_path, url=simulator.url)
    assert result.returncode == 2
    assert "Traceback" not in result.output


def test_progress_shows_only_status_changes(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    deploy = {**READ, "name": "deploy", "action": "play", "wait": True, "wait_interval": 0.5}
    for shown in (True, False):
        simulator.load(scenario(), clock="scaled:30")
        task = {"name": "task", ACTION: deploy, "vars": {"jobgate_progress": shown}}
        result = play([task], tmp_path, url=simulator.url)
        assert result.returncode == 0, result.output
        lines = [line for line in result.output.splitlines() if line.startswith("group/app deploy: ")]
        if shown:
            assert lines[0].startswith("group/app deploy: manual -> ") and lines[0].endswith("(played)")
            # a poll may miss the running job on a busy machine
            assert " -> success after " in lines[-1]
            assert len(lines) <= 4
        else:
            assert lines == []
    # no_log also hides the progress
    simulator.load(scenario(), clock="scaled:30")
    result = play([{"name": "task", ACTION: deploy, "no_log": True}], tmp_path, url=simulator.url)
    assert "deploy:" not in result.output


def test_task_environment_does_not_leak_into_the_next_task(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    task = {
        "name": "task",
        INFO: READ,
        "environment": {"GITLAB_TOKEN": "{{ lookup('ansible.builtin.env', item) }}"},
        "loop": ["RIGHT_TOKEN", "WRONG_TOKEN", "RIGHT_TOKEN"],
        "register": "found",
        "failed_when": "(found.msg is defined) != (item == 'WRONG_TOKEN')",
    }
    environment = {"RIGHT_TOKEN": TOKEN, "WRONG_TOKEN": "wrong-token-0123456789"}
    result = play([task], tmp_path, url=simulator.url, token="", environment=environment)
    assert result.returncode == 0, result.output
    assert "GITLAB_TOKEN" not in os.environ
