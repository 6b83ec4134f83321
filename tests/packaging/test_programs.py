# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that run playbooks for users: ansible-runner, ansible-navigator, and images built with ansible-builder."""

from __future__ import annotations

import datetime
import json
import pathlib
import shutil
import typing as t

import pytest
import yaml

from .support import GALAXY, ROOT, SCENARIO, effects, environment, run, tool, write_playbook

CHANGES = ("deploy:prod: manual -> pending", "deploy:prod: running -> success")

for program in ("ansible-builder", "ansible-runner", "ansible-navigator"):
    if not tool(program).exists():
        pytest.skip(f"{program} is not installed", allow_module_level=True)


def moment(event: dict[str, t.Any]) -> datetime.datetime:
    """Return the time of an event."""
    return datetime.datetime.fromisoformat(event["created"])


def test_ansible_runner_shows_progress_while_the_task_runs(
    simulator: t.Any, installed: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    simulator.load(SCENARIO)
    project = tmp_path / "project"
    project.mkdir()
    write_playbook(project)
    env = environment(tmp_path / "home", url=simulator.url, ANSIBLE_COLLECTIONS_PATH=str(installed))
    run(tool("ansible-runner"), "run", tmp_path, "-p", "release.yml", "--ident", "first", cwd=tmp_path, env=env)
    assert effects(simulator) == [("play", "deploy:prod")]

    files = sorted((tmp_path / "artifacts" / "first" / "job_events").glob("[0-9]*.json"), key=lambda path: path.name)
    events = sorted((json.loads(path.read_text(encoding="utf-8")) for path in files), key=lambda row: row["counter"])
    task = [row for row in events if row["event_data"].get("task") == "Deploy"]
    started = next(row for row in task if row["event"] == "playbook_on_task_start")
    ended = next(row for row in task if row["event"] == "runner_on_ok")
    shown = [
        row for row in events if started["counter"] < row["counter"] < ended["counter"] and row["event"] == "verbose"
    ]
    lines = [row["stdout"] for row in shown]
    first, last = (next(row for row in shown if change in row["stdout"]) for change in CHANGES)
    assert moment(started) < moment(first) < moment(last) < moment(ended), lines
    # the job runs for a second of real time between the two
    assert (moment(last) - moment(first)).total_seconds() > 0.5
    assert events[-1]["event"] == "playbook_on_stats"


def test_ansible_navigator_runs_the_playbook_without_a_container(
    simulator: t.Any, installed: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    simulator.load(SCENARIO)
    env = environment(tmp_path / "home", url=simulator.url, ANSIBLE_COLLECTIONS_PATH=str(installed), TERM="xterm")
    options = ["--execution-environment", "false", "--mode", "stdout", "--playbook-artifact-enable", "false"]
    logs = ["--log-append", "false", "--log-file", tmp_path / "navigator.log"]
    command = [tool("ansible-navigator"), "run", write_playbook(tmp_path), *options, *logs]
    first = run(*command, cwd=tmp_path, env=env)
    assert "changed=1" in first and "it is success" in first
    for change in CHANGES:
        assert change in first
    assert "changed=0" in run(*command, cwd=tmp_path, env=env)
    assert effects(simulator) == [("play", "deploy:prod")]


def test_ansible_runner_runs_the_demo_release(
    simulator: t.Any, installed: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    place = installed / "ansible_collections" / GALAXY["namespace"] / GALAXY["name"] / "docs" / "examples"
    shutil.copytree(place, tmp_path / "project")
    simulator.load(place / "release-scenario.yml", clock="scaled:60")
    token = yaml.safe_load((place / "release-scenario.yml").read_text(encoding="utf-8"))["tokens"][0]["token"]
    env = environment(tmp_path / "home", ANSIBLE_COLLECTIONS_PATH=str(installed), GITLAB_TOKEN=token)
    env |= {"GITLAB_API_URL": simulator.url}
    output = run(tool("ansible-runner"), "run", tmp_path, "-p", "release.yml", cwd=tmp_path, env=env)
    assert token not in output and "failed=0" in output and "changed=0" not in output
    assert simulator.job("deploy:prod")["status"] == "success"


def test_ansible_builder_finds_the_requirements(installed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    output = run(tool("ansible-builder"), "introspect", installed, cwd=tmp_path, env=environment(tmp_path / "home"))
    found = yaml.safe_load(output.partition("---\n")[2] or output)["python"]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [one.partition("#")[0].strip() for one in found] == [line for line in lines if not line.startswith("#")]


def test_ansible_builder_creates_an_image_context_with_the_tarball(
    tarball: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """Build the context from the description in the guides: an image that contains the tarball."""
    name = tarball.name
    description = {
        "version": 3,
        "images": {"base_image": {"name": "registry.example.com/python:3.12"}},
        "dependencies": {
            "ansible_core": {"package_pip": "ansible-core"},
            "ansible_runner": {"package_pip": "ansible-runner"},
            "galaxy": {"collections": [{"name": name, "type": "file"}]},
        },
        "additional_build_files": [{"src": str(tarball), "dest": "collections"}],
        "additional_build_steps": {"prepend_galaxy": [f"COPY _build/collections/{name} /build/"]},
    }
    (tmp_path / "execution-environment.yml").write_text(yaml.safe_dump(description), encoding="utf-8")
    env = environment(tmp_path / "home")
    run(tool("ansible-builder"), "create", "--context", tmp_path / "context", cwd=tmp_path, env=env)
    assert (tmp_path / "context" / "_build" / "collections" / name).read_bytes() == tarball.read_bytes()
    container_file = next(path for path in (tmp_path / "context").iterdir() if path.suffix == "" and path.is_file())
    assert f"COPY _build/collections/{name} /build/" in container_file.read_text(encoding="utf-8")
