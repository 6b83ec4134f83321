# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test that the table of calls for outside clients detects errors. The session `witnesses` runs the real clients."""

from __future__ import annotations

import os
import pathlib
import sys
import typing as t

import pytest

from tests.simulator.fixture import Simulator
from tests.witnesses.__main__ import table
from tests.witnesses.calls import CALLS, Call
from tests.witnesses.clients import CLIENTS, HERE
from tests.witnesses.witness import ClientProcess

# A client that always reports success, but only performs one of its calls.
PROGRAM = """
import json, sys, urllib.request
url, token, _trigger = sys.argv[1:]
print(json.dumps(["play a job", "retry a job"]), flush=True)
for line in sys.stdin:
    if line == "play a job\\n":
        address = f"{url}/api/v4/projects/7/jobs/1003/play"
        urllib.request.urlopen(urllib.request.Request(address, method="POST", headers={"PRIVATE-TOKEN": token}))
    print(json.dumps({"result": {"id": 1003, "name": "unit", "status": "pending"}}), flush=True)
"""


def error(status: int, text: str) -> dict[str, t.Any]:
    return {"error": {"status": status, "text": text}}


@pytest.mark.parametrize(
    ("outcome", "is_right"),
    [({"result": {"id": 7}}, True), ({"result": {"id": 8}}, False), ({"result": {}}, False), ({"result": None}, False),
     (error(404, "404 Not Found"), False)],
)  # fmt: skip
def test_result_is_right_if_its_check_passes(outcome: dict[str, t.Any], is_right: bool) -> None:
    assert (Call("x", lambda record: record["id"] == 7).problem(outcome) == "") is is_right


@pytest.mark.parametrize(
    ("outcome", "is_right"),
    [(error(400, "Unplayable Job"), True), (error(400, "Bad Request"), True), (error(403, "Unplayable Job"), False),
     (error(400, "ref is missing"), False), ({"result": {"id": 7}}, False)],
)  # fmt: skip
def test_error_is_right_if_its_status_and_text_fit(outcome: dict[str, t.Any], is_right: bool) -> None:
    assert (Call("x", status=400, words="Unplayable").problem(outcome) == "") is is_right


def test_call_without_its_effect_is_wrong(simulator: Simulator, tmp_path: pathlib.Path) -> None:
    script = tmp_path / "client.py"
    script.write_text(PROGRAM, encoding="utf-8")
    by_name = {call.name: call for call in CALLS}
    with ClientProcess([sys.executable, str(script)], {**os.environ, "NO_PROXY": "*"}, simulator) as process:
        found = {name: process.problem(by_name[name]) for name in process.names}
    assert found["play a job"] == ""
    assert found["retry a job"]
    text = table({"it": found})
    assert "| play a job | right |" in text and "| retry a job | **wrong** |" in text
    assert "it: 1 of 2 calls are right." in text


def test_missing_programs_of_each_client_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert {client.name: client.missing() for client in CLIENTS} == {
        "gitbeaker": ["node", "npm"],
        "GitLab::API::v4": ["perl", "apt-get", "dpkg"],
        "gem gitlab": ["apt-get", "dpkg"],
        "gidgetlab": [],
    }


def test_interpreter_of_the_machine_is_used_unless_one_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """Only what the machine lacks is installed. Many machines have Ruby."""
    monkeypatch.setattr("tests.witnesses.clients.FOLDER", tmp_path)
    (gem,) = (client for client in CLIENTS if client.name == "gem gitlab")
    assert gem.command() == ("ruby", str(HERE / "gitlab_gem.rb"))
    inside = gem.folder / gem.interpreter
    inside.parent.mkdir(parents=True)
    inside.touch()
    assert gem.command() == (str(inside), str(HERE / "gitlab_gem.rb"))


def test_call_names_are_unique_and_used_by_a_client() -> None:
    names = [call.name for call in CALLS]
    programs = "".join((HERE / client.script).read_text(encoding="utf-8") for client in CLIENTS)
    assert len(set(names)) == len(names)
    assert [name for name in names if name not in programs] == []
