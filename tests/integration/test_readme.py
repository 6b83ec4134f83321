# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks of the README work as it says, as real processes against the simulator."""

from __future__ import annotations

import pathlib
import re
import textwrap
import typing as t

import pytest
import yaml

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


PLAYBOOK = {
    "hosts": "localhost",
    "connection": "local",
    "gather_facts": False,
    "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
}


def blocks() -> list[t.Any]:
    """Return the YAML blocks of the README, each as a playbook."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = [
        yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", readme, flags=re.DOTALL | re.MULTILINE)
    ]
    return [rows if "hosts" in rows[0] else [{**PLAYBOOK, "tasks": rows}] for rows in found]


def test_in_process_guide_playbook_runs_as_described(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    guide = (ROOT / "docs" / "docsite" / "rst" / "in_process.rst").read_text(encoding="utf-8")
    block = guide.rpartition(".. code-block:: yaml\n")[2]
    path = tmp_path / "guide.yml"
    path.write_text("---\n" + textwrap.dedent(block), encoding="utf-8")
    made = dict(SCENARIO)
    made["pipelines"] = [{**SCENARIO["pipelines"][0], "ref": "main", "tag": False}]
    simulator.load(made)
    done = play(path, tmp_path, "-vvv", url=simulator.url)
    assert done.returncode == 0, done.output
    # the first task runs in process and without progress, the second one as a module
    assert "deploy:prod: manual -> " not in done.output
    assert done.output.partition("TASK [Read")[0].count(" EXEC ") == 0
    assert done.output.partition("TASK [Read")[2].count(" EXEC ") > 0


@pytest.mark.parametrize("number", [0, 1])
def test_first_readme_playbooks_play_once_and_predict_it(simulator: t.Any, number: int, tmp_path: pathlib.Path) -> None:
    simulator.load(SCENARIO)
    playbook = tmp_path / "readme.yml"
    playbook.write_text(yaml.safe_dump(blocks()[number]), encoding="utf-8")

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


def test_readme_module_defaults_work(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(SCENARIO)
    (block,) = blocks()[2]
    defaults = block["module_defaults"]["group/jobgate.gitlab.gitlab"]
    assert defaults["api_url"] == "https://gitlab.example.com"
    defaults["api_url"] = simulator.url
    playbook = tmp_path / "readme.yml"
    playbook.write_text(yaml.safe_dump([block]), encoding="utf-8")
    done = play(playbook, tmp_path)
    assert done.returncode == 0, done.output
    assert next(iter(done.results.values()))["jobs"] == []


def test_first_readme_example_is_short() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.partition("```yaml\n")[2].partition("```")[0].count("\n") <= 12
