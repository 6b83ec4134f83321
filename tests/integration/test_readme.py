# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook of the README does what the README says, as a real process against the simulator."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

SCENARIO: dict[str, t.Any] = {
    "clock": "scaled:60",
    "users": [{"username": "alice", "id": 2}],
    "tokens": [{"token": "alice-token", "user": "alice"}],
    "projects": [{"path": "group/app", "members": {"alice": "maintainer"}}],
    "pipelines": [
        {
            "project": "group/app",
            "ref": "v1.2.0",
            "tag": True,
            "user": "alice",
            "jobs": [
                {"name": "build", "stage": "build", "duration": 20},
                {"name": "deploy:prod", "stage": "deploy", "when": "manual", "allow_failure": False, "duration": 30},
            ],
        }
    ],
}


@pytest.fixture(name="playbook")
def playbook_fixture(tmp_path: pathlib.Path) -> pathlib.Path:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", readme, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    path = tmp_path / "readme.yml"
    path.write_text("---\n" + blocks[0], encoding="utf-8")
    return path


def run(playbook: pathlib.Path, url: str, *options: str) -> str:
    # the tests' own HTTP traffic must not be sent to a proxy, nor anything of the caller's GitLab be used
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GITLAB_", "CI_"))}
    environment |= {
        "ANSIBLE_CONFIG": os.devnull,
        "ANSIBLE_NOCOLOR": "1",
        "GITLAB_API_URL": url,
        "GITLAB_TOKEN": "alice-token",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [str(program), str(playbook), *options],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "alice-token" not in done.stdout + done.stderr
    return done.stdout


def test_the_playbook_of_the_readme(simulator: t.Any, playbook: pathlib.Path) -> None:
    simulator.load(SCENARIO)

    assert "changed=1" in run(playbook, simulator.url, "--check")
    assert simulator.effects() == []

    assert "changed=1" in run(playbook, simulator.url)
    assert [(effect["action"], effect["name"]) for effect in simulator.effects()] == [("play", "deploy:prod")]
    assert simulator.job("deploy:prod")["status"] == "success"

    assert "changed=0" in run(playbook, simulator.url, "--check")
    assert "changed=0" in run(playbook, simulator.url)
    assert len(simulator.effects()) == 1
