# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook of the README does what the README says, as a real process against the simulator."""

from __future__ import annotations

import pathlib
import re
import textwrap
import typing as t

import pytest

from .harness import ROOT, TOKEN, play

SCENARIO: dict[str, t.Any] = {
    "clock": "scaled:60",
    "users": [{"username": "alice", "id": 2}],
    "tokens": [{"token": TOKEN, "user": "alice"}],
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


def test_the_playbook_of_the_guide_to_where_tasks_run(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    guide = (ROOT / "docs" / "docsite" / "rst" / "in_process.rst").read_text(encoding="utf-8")
    block = guide.rpartition(".. code-block:: yaml\n")[2]
    path = tmp_path / "guide.yml"
    path.write_text("---\n" + textwrap.dedent(block), encoding="utf-8")
    made = dict(SCENARIO)
    made["pipelines"] = [{**SCENARIO["pipelines"][0], "ref": "main", "tag": False}]
    simulator.load(made)
    done = play(path, tmp_path, "-vvv", url=simulator.url)
    assert done.returncode == 0, done.output
    # the first task in this process, and without progress; the second one as a module
    assert "deploy:prod: manual -> " not in done.output
    assert done.output.partition("TASK [Read")[0].count(" EXEC ") == 0
    assert done.output.partition("TASK [Read")[2].count(" EXEC ") > 0


def test_the_playbook_of_the_readme(simulator: t.Any, playbook: pathlib.Path, tmp_path: pathlib.Path) -> None:
    simulator.load(SCENARIO)

    def run(*options: str) -> str:
        done = play(playbook, tmp_path, *options, url=simulator.url)
        assert done.returncode == 0, done.output
        return done.output

    assert "changed=1" in run("--check")
    assert simulator.effects() == []

    assert "changed=1" in run()
    assert [(effect["action"], effect["name"]) for effect in simulator.effects()] == [("play", "deploy:prod")]
    assert simulator.job("deploy:prod")["status"] == "success"

    assert "changed=0" in run("--check")
    assert "changed=0" in run()
    assert len(simulator.effects()) == 1
