# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared code of the package tests: commands isolated from the caller's settings, a scenario and its playbook."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
TOKEN = "alice-token-0123456789"
PYTHON = pathlib.Path(sys.executable)
# uses installed build tools, so that no network is needed
WHEEL_COMMAND = (PYTHON, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir")
FOREIGN = (
    "ANSIBLE_",
    "CI_",
    "CURL_CA_BUNDLE",
    "GITLAB_",
    "JOBGATE_",
    "NO_COLOR",
    "PYTHON",
    "REQUESTS_CA_BUNDLE",
    "XDG_",
)

SCENARIO: dict[str, t.Any] = {
    "clock": "scaled:60",
    "users": ["alice"],
    "tokens": [{"token": TOKEN, "user": "alice"}],
    "projects": [{"path": "group/app", "members": {"alice": "maintainer"}}],
    "pipelines": [
        {
            "project": "group/app",
            "ref": "v1.2.0",
            "tag": True,
            "jobs": [
                {"name": "build", "stage": "build", "duration": 20},
                {"name": "deploy:prod", "stage": "deploy", "when": "manual", "allow_failure": False, "duration": 60},
            ],
        }
    ],
}

PLAYBOOK = """\
---
- name: Release
  hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - name: Deploy
      jobgate.gitlab.gitlab_job_action:
        project: group/app
        ref: v1.2.0
        name: deploy:prod
        action: play
        wait: true
        wait_interval: 1

    - name: See the status
      ansible.builtin.debug:
        msg: "it is {{ lookup('jobgate.gitlab.gitlab_job', 'deploy:prod', project='group/app', ref='v1.2.0').status }}"

    - name: Look as a module
      jobgate.gitlab.gitlab_job_info:
        project: group/app
        ref: v1.2.0
      vars:
        jobgate_in_process: false
"""


def environment(home: pathlib.Path, *, url: str = "", **more: str) -> dict[str, str]:
    """Return an environment with an empty home folder, without the caller's settings for the programs."""
    made = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    home.mkdir(exist_ok=True)
    made |= {
        "HOME": str(home),
        "PATH": f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
    if url:
        made |= {"GITLAB_API_URL": url, "GITLAB_TOKEN": TOKEN}
    return {**made, **more}


def run(
    *command: str | pathlib.Path,
    cwd: pathlib.Path,
    env: t.Mapping[str, str],
    expect: int = 0,
    timeout_seconds: float = 300,
) -> str:
    """Run a command, and return its output; fail on another exit status or if the output contains the token."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    output = done.stdout + done.stderr
    assert TOKEN not in output, "a token is in the output"
    assert done.returncode == expect, output
    return output


def tool(name: str) -> pathlib.Path:
    """Return the path of a program in this Python environment."""
    return PYTHON.with_name(name)


def write_playbook(folder: pathlib.Path) -> pathlib.Path:
    """Write the playbook into this folder."""
    path = folder / "release.yml"
    path.write_text(PLAYBOOK, encoding="utf-8")
    return path


def effects(simulator: t.Any) -> list[tuple[str, str]]:
    """Return action and job name of all changes on the server."""
    return [(effect["action"], effect["name"]) for effect in simulator.effects()]
