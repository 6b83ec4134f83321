# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server and the user are the same in process, as a module, for the lookup and for the role.

Empty options are errors, and never select another server or user.
"""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from .harness import INFO as INFO_TASK
from .harness import TOKEN, effects, play, run_task, world

INFO = "jobgate.gitlab.gitlab_job_info"
READ = {"project": "group/app", "pipeline_id": 100}
GATES = [{"project": "group/app", "pipeline_id": 100, "gates": [{"name": "deploy", "action": "play"}]}]
PASSED = [{"project": "group/app", "pipeline_id": 100, "gates": [{"name": "build", "action": "verify"}]}]
JOBS = ({"name": "build", "status": "success"}, {"name": "deploy", "when": "manual"})
LOOKUP = "lookup('jobgate.gitlab.gitlab_job', 'build', pipeline_id=100, attribute='status', "


def read_tasks(name: str, options: dict[str, t.Any], **more: t.Any) -> list[dict[str, t.Any]]:
    """Return tasks that read with these options in process, as a module, and with the lookup."""
    module: dict[str, t.Any] = {INFO: {**READ, **options}, "ignore_errors": True}
    arguments = ", ".join(f"{key}={value!r}" for key, value in {"project": "group/app", **options}.items())
    debug = {"ansible.builtin.debug": {"msg": f"{{{{ {LOOKUP}{arguments}) }}}}"}, "ignore_errors": True}
    variables = more.get("vars", {})
    return [
        {"name": f"{name}, in process", **module, **more},
        {"name": f"{name}, module", **module, "vars": {"jobgate_in_process": False, **variables}},
        {"name": f"{name}, lookup", **debug, **more},
    ]


def role(name: str, **options: t.Any) -> dict[str, t.Any]:
    prefixed = {f"release_gate_{key}": value for key, value in {"projects": GATES, **options}.items()}
    call = {"ansible.builtin.include_role": {"name": "jobgate.gitlab.release_gate"}, "vars": prefixed}
    return {
        "name": name,
        "block": [call],
        "rescue": [{"name": f"{name}, rescued", "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}],
    }


EMPTY = {
    "token": ({"api_token": ""}, "api_token is empty"),
    "oauth token": ({"api_oauth_token": ""}, "api_oauth_token is empty"),
    "address": ({"api_url": ""}, "api_url is empty"),
    "project": ({"project": ""}, "project is empty"),
    "extensions": ({"extensions": [""]}, "extensions contains an empty string"),
}


def test_empty_connection_options_are_errors_everywhere(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world(*JOBS))
    tasks = [task for name, (options, _words) in EMPTY.items() for task in read_tasks(name, options)]
    tasks += read_tasks("variable", {}, vars={"jobgate_gitlab_api_token": ""})
    tasks += [role("role token", api_token=""), role("role address", api_url="")]
    done = play(tasks, tmp_path, url=simulator.url)
    words = {name: text for name, (_options, text) in EMPTY.items()} | {"variable": "api_token is empty"}
    for name, text in words.items():
        for kind in ("in process", "module", "lookup"):
            assert text in str(done.results[f"{name}, {kind}"]["msg"]), (name, kind)
    assert "api_token is empty" in done.results["role token, rescued"]["msg"]
    assert "api_url is empty" in done.results["role address, rescued"]["msg"]
    assert simulator.requests() == [] and effects(simulator) == []


@pytest.mark.parametrize("variable", ["GITLAB_HOST", "GL_HOST"])
def test_host_is_read_from_the_environment(simulator: t.Any, tmp_path: pathlib.Path, variable: str) -> None:
    simulator.load(world(*JOBS))
    # the variables of a CI job have lower precedence, and empty variables count as unset
    environment = {variable: simulator.url, "CI_SERVER_URL": "http://127.0.0.1:1", "GITLAB_URL": ""}
    done = play([*read_tasks("read", {}), role("role", projects=PASSED)], tmp_path, environment=environment)
    assert done.returncode == 0, done.output
    assert [done.results[f"read, {kind}"].get("failed", False) for kind in ("in process", "module", "lookup")] == [
        False
    ] * 3
    assert done.results["read, lookup"]["msg"] == "success"
    assert "role, rescued" not in done.results


def test_null_options_count_as_unset(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world(*JOBS))
    nothing = {"ref": None, "name": None, "api_token": None, "api_url": None, "wait_timeout": None, "extensions": None}
    done = play(read_tasks("read", nothing)[:2], tmp_path, url=simulator.url)
    assert done.returncode == 0, done.output
    assert [len(done.results[f"read, {kind}"]["jobs"]) for kind in ("in process", "module")] == [2, 2]


def test_connection_is_read_from_ansible_cfg(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world(*JOBS))
    lines = ["[jobgate_gitlab]", f"api_url = {simulator.url}", f"api_token = {TOKEN}", ""]
    (tmp_path / "ansible.cfg").write_text("\n".join(lines), encoding="utf-8")
    done = play([*read_tasks("read", {}), role("role", projects=PASSED)], tmp_path, token="")
    assert done.returncode == 0, done.output
    assert {len(done.results[f"read, {kind}"]["jobs"]) for kind in ("in process", "module")} == {2}
    assert "role, rescued" not in done.results


@pytest.mark.parametrize("tail", ["", "/", "/-/pipelines/100", "/-/jobs"])
def test_page_address_selects_its_project(simulator: t.Any, tail: str) -> None:
    simulator.load(world(*JOBS))
    result = run_task(simulator, INFO_TASK, project=f"{simulator.url}/group/app{tail}", pipeline_id=100)
    assert (result.failure, len(result["jobs"])) == (None, 2)


def test_page_address_of_another_server_is_refused(simulator: t.Any) -> None:
    simulator.load(world(*JOBS))
    result = run_task(simulator, INFO_TASK, project="https://gitlab.com/group/app", pipeline_id=100)
    assert result.failure is not None
    assert (
        "'https://gitlab.com/group/app' belongs to another server" in result.failure and simulator.url in result.failure
    )
    assert simulator.requests() == []


def test_failed_anonymous_request_reports_the_missing_token(simulator: t.Any) -> None:
    simulator.load(world(*JOBS))
    result = run_task(simulator, INFO_TASK, project="group/app", job_id=1000, token=None)
    assert result.failure is not None
    assert "No token was sent" in result.failure
    names = ("GITLAB_API_TOKEN", "GITLAB_TOKEN", "GITLAB_PRIVATE_TOKEN", "GITLAB_OAUTH_TOKEN")
    assert all(name in result.failure for name in names)
