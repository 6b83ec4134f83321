# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nudges in real playbooks, with the role in Ansible's own process and as a module."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.pauses import FIRST_REST_SECONDS

from tests.contract.nudging import nudged

from .harness import effects, play, world

Row = dict[str, t.Any]


@pytest.mark.parametrize("run_mode", ["in process", "module"])
def test_nudges_end_the_pauses_of_the_role(simulator: t.Any, tmp_path: pathlib.Path, run_mode: str) -> None:
    build: Row = {"name": "build", "stage": "build", "queue": 0, "duration": 300}
    deploy: Row = {"name": "deploy", "stage": "deploy", "when": "manual", "allow_failure": False, "duration": 60}
    simulator.load(world(build, deploy), clock="scaled:60")
    gates = [{"name": "build", "action": "wait"}, {"name": "deploy", "action": "play"}]
    variables = {
        "release_gate_projects": [{"project": "group/app", "ref": "main", "gates": gates}],
        "release_gate_record": str(tmp_path / "record.json"),
        "release_gate_nudges": str(tmp_path / "nudges"),
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "jobgate_in_process": run_mode == "in process",
    }
    task = {"name": "Release", "ansible.builtin.import_role": {"name": "jobgate.gitlab.release_gate"}}
    with nudged(simulator, tmp_path / "nudges"):
        done = play([task], tmp_path, url=simulator.url, play_keywords={"vars": variables})
    assert done.returncode == 0, done.output
    assert effects(simulator) == [("play", "deploy")]
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert (record["outcome"], record["warnings"]) == ("passed", [])
    # the nudges ended both pauses early
    assert record["elapsed"] < 2 * FIRST_REST_SECONDS
