# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the files for AWX, ansible-builder and ansible-navigator, without a running AWX or a container."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

import pytest
import yaml

from tests.examples.blocks import guide_blocks

from .harness import ROOT, effects, play, world

EXAMPLES = ROOT / "docs" / "examples"
# A module that accepts any options and returns them.
STAND_IN = """#!/usr/bin/python
# WANT_JSON
import json, sys
given = json.load(open(sys.argv[1]))
print(json.dumps({"changed": True, "given": {key: value for key, value in given.items() if key[:1] != "_"}}))
"""
MODULES = ("credential", "credential_type", "job_template", "workflow_job_template")


def read(name: str) -> t.Any:
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


def test_guide_shows_the_credential_type_files() -> None:
    shown = [block.content for block in guide_blocks("awx_and_ci") if block.language == "yaml"]
    assert read("awx/credential_type_inputs.yml") in shown
    assert read("awx/credential_type_injectors.yml") in shown


def test_awx_setup_creates_the_credential_type_and_workflow(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "collections" / "ansible_collections" / "awx" / "awx" / "plugins" / "modules"
    folder.mkdir(parents=True)
    for name in MODULES:
        (folder / f"{name}.py").write_text(STAND_IN, encoding="utf-8")
    known = os.environ["ANSIBLE_COLLECTIONS_PATH"]
    environment = {"ANSIBLE_COLLECTIONS_PATH": f"{tmp_path / 'collections'}:{known}"}
    done = play(EXAMPLES / "awx" / "setup.yml", tmp_path, url="https://gitlab.example.com", environment=environment)
    assert done.returncode == 0, done.output
    made = done.results["Create the credential type"]["given"]
    assert made["inputs"] == read("awx/credential_type_inputs.yml")
    # expressions that AWX evaluates, so they are unchanged
    assert made["injectors"]["env"] == {"GITLAB_API_URL": "{{ url }}", "GITLAB_TOKEN": "{{ token }}"}
    templates = [row["given"] for row in done.results["Create the job templates"]["results"]]
    assert [row["job_type"] for row in templates] == ["check", "run"]
    assert all((EXAMPLES / "awx" / row["playbook"]).is_file() for row in templates)
    workflow = done.results["Create the workflow, in which someone approves the list of the check"]["given"]
    nodes = {node["identifier"]: node for node in workflow["schema"]}
    order = ["check"]
    while nodes[order[-1]]["related"]["success_nodes"]:
        order.append(nodes[order[-1]]["related"]["success_nodes"][0]["identifier"])
    assert [nodes[name]["unified_job_template"]["type"] for name in order] == [
        "job_template",
        "workflow_approval",
        "job_template",
    ]


def test_awx_release_playbook_checks_and_then_releases(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    jobs = [
        {"name": "build", "duration": 5},
        {"name": "deploy:prod", "stage": "deploy", "when": "manual", "duration": 5},
    ]
    simulator.load(world(*jobs, ref="v1.2.0", tag=True, stages=["test", "deploy"]), clock="scaled:60")
    check = play(EXAMPLES / "awx" / "release.yml", tmp_path, "--check", url=simulator.url)
    assert check.returncode == 0 and "would be played" in check.output, check.output
    assert effects(simulator) == []
    done = play(EXAMPLES / "awx" / "release.yml", tmp_path, url=simulator.url)
    assert done.returncode == 0, done.output
    assert effects(simulator) == [("play", "deploy:prod")]


def program(name: str) -> str:
    """Return the path of a program, or skip the test if it is missing."""
    path = pathlib.Path(sys.executable).with_name(name)
    if not path.exists():
        pytest.skip(f"{name} is not in this environment")
    return str(path)


@pytest.mark.parametrize(("base", "manager"), [("debian", "apt-get"), ("ubi", "microdnf")])
def test_ansible_builder_creates_the_context_of_each_base_image(
    base: str, manager: str, tmp_path: pathlib.Path
) -> None:
    shutil.copy(EXAMPLES / "execution-environment" / f"{base}.yml", tmp_path)
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    tarball = f"jobgate-gitlab-{version}.tar.gz"
    (tmp_path / tarball).touch()
    command = [program("ansible-builder"), "create", "--file", f"{base}.yml", "--output-filename", "Containerfile"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    made = (tmp_path / "context" / "Containerfile").read_text(encoding="utf-8")
    assert f'ARG PKGMGR="/usr/bin/{manager}"' in made and f"COPY _build/{tarball} /build/" in made


def test_ansible_navigator_accepts_its_settings(tmp_path: pathlib.Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    clean = {**os.environ, "HOME": str(tmp_path), "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    options = ["--mode", "stdout", "--execution-environment", "false", "--log-file", str(tmp_path / "navigator.log")]
    command = [program("ansible-navigator"), "settings", "--schema", "json", *options]
    done = subprocess.run(
        command, cwd=tmp_path, env={**clean, "TERM": "xterm"}, capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    validator = jsonschema.Draft7Validator(json.loads(done.stdout[done.stdout.index("{") :]))
    settings = [read("ansible-navigator.yml")]
    settings += [b.content for b in guide_blocks("editors_and_tools") if "ansible-navigator" in (b.content or {})]
    assert len(settings) == 2
    for content in settings:
        assert [error.message for error in validator.iter_errors(content)] == []
