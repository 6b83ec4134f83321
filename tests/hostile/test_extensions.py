# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an extension may return or raise: an error in one sentence, or a warning; what was done is told as done."""

from __future__ import annotations

import datetime
import json
import sys
import types
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.hookspecs import hookimpl

from tests.unit.faces import TASKS, as_module, in_process
from tests.unit.harness import TOKEN, installed

from .server import HostileServer

PLAY: dict[str, t.Any] = {"project": "7", "pipeline_id": 6, "name": ["deploy"], "action": "play"}
GATES: dict[str, t.Any] = {
    "projects": [{"project": "7", "pipeline_id": 6, "gates": [{"name": ["deploy"], "action": "play"}]}]
}
FACES = {"in process": in_process, "module": as_module}
CIRCLE: dict[str, t.Any] = {}
CIRCLE["self"] = CIRCLE
NO_NOTES: dict[str, t.Any] = {
    "text": "hello",
    "list": ["x"],
    "number": 5,
    "object": {"a": object()},
    "set": {"a": {1, 2}},
    "bytes": {"a": b"\xff"},
    "time": {"a": datetime.datetime(2026, 1, 1)},
    "key": {(1, 2): "x"},
    "circle": CIRCLE,
}


def run(face: str, task: str, options: dict[str, t.Any], **hooks: t.Any) -> tuple[dict[str, t.Any], int]:
    """Return the result of a task with one extension, and how much was written."""
    extension = types.SimpleNamespace(**{name: hookimpl(hook) for name, hook in hooks.items()})
    with installed({"own": extension}), HostileServer() as server:
        given = {"api_url": server.url, "api_token": TOKEN, "api_retries": 0, "extensions": ["own"], **options}
        result = FACES[face](TASKS[task], given)
        json.dumps(result)
        return result, server.writes


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(("task", "options"), [("gitlab_job_action", PLAY), ("gitlab_release_gate", GATES)])
@pytest.mark.parametrize("note", NO_NOTES)
def test_a_note_that_is_none_costs_no_effect(face: str, task: str, options: dict[str, t.Any], note: str) -> None:
    result, writes = run(face, task, options, gitlab_annotate_record=lambda kind, record: NO_NOTES[note])
    assert writes == 1 and result["changed"] and "nexpected" not in str(result.get("msg"))
    # a module prints each warning once in a process; a gate returns no notes, and asks for none
    has_warned = any("gitlab_annotate_record; it has" in text for text in result.get("warnings", ()))
    assert face == "module" or has_warned == (task == "gitlab_job_action")


@pytest.mark.parametrize("face", FACES)
def test_the_record_that_a_hook_is_given_is_its_own(face: str) -> None:
    def spoil(kind: str, record: dict[str, t.Any]) -> None:
        record["status"] = "evil"
        record["pipeline"].update(id=999)

    result, writes = run(face, "gitlab_job_action", PLAY, gitlab_annotate_record=spoil)
    assert writes == 1 and "evil" not in str(result) and "999" not in str(result["jobs"])


@pytest.mark.parametrize("face", FACES)
def test_a_hook_that_wants_to_leave_does_not_take_the_result_with_it(face: str) -> None:
    def leave(request: t.Any, status: t.Any, seconds: float) -> None:
        if request.method == "POST":
            sys.exit(3)

    result, writes = run(face, "gitlab_job_action", PLAY, gitlab_request_finished=leave)
    assert writes == 1 and result["changed"]
    assert face == "module" or any("SystemExit" in text for text in result.get("warnings", ()))


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("credential", ["x", ["x"], {"X": 5}, {"X": None}, {b"X": b"y"}])
def test_what_is_no_credential(face: str, credential: t.Any) -> None:
    result, writes = run(face, "gitlab_job_action", PLAY, gitlab_authenticate=lambda settings: credential)
    assert result["failed"] and "from gitlab_authenticate; it has to return headers" in result["msg"] and not writes


@pytest.mark.parametrize("face", FACES)
def test_what_is_no_transport(face: str) -> None:
    result, writes = run(face, "gitlab_job_action", PLAY, gitlab_create_transport=lambda settings: object())
    assert result["failed"] and "it has to return a transport" in result["msg"] and not writes
