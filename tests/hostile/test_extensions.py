# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test bad return values and exceptions of extensions: one error sentence or a warning, and effects are reported."""

from __future__ import annotations

import dataclasses
import datetime
import json
import pathlib
import sys
import types
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request, Response
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.hookspecs import hookimpl
from requests.adapters import BaseAdapter, HTTPAdapter

from tests.unit.faces import TASKS, as_module, in_process
from tests.unit.harness import API, TOKEN, Exchange, ScriptedTransport, installed, new_session, reply

from .plugins import DOWNLOAD
from .server import HostileServer

PLAY: dict[str, t.Any] = {"project": "7", "pipeline_id": 6, "name": ["deploy"], "action": "play"}
GATES: dict[str, t.Any] = {
    "projects": [{"project": "7", "pipeline_id": 6, "gates": [{"name": ["deploy"], "action": "play"}]}]
}
FACES = {"in process": in_process, "module": as_module}
CIRCLE: dict[str, t.Any] = {}
CIRCLE["self"] = CIRCLE
INVALID_NOTES: dict[str, t.Any] = {
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


INVALID_CREDENTIALS = (
    *("x", ["x"], {"X": 5}, {"X": None}, {b"X": b"y"}, {"": "y"}, {"X ": "y"}),
    *({"X": value} for value in ("", "y\n", "a\r\nB: c", " y", "\xe9", "\0")),
)


def run(face: str, task: str, options: dict[str, t.Any], **hooks: t.Any) -> tuple[dict[str, t.Any], int]:
    """Return the result of a task with one extension, and the number of writes."""
    marked = {name: hook if hasattr(hook, "jobgate.gitlab_impl") else hookimpl(hook) for name, hook in hooks.items()}
    extension = types.SimpleNamespace(**marked)
    with installed({"own": extension}), HostileServer() as server:
        given = {"api_url": server.url, "api_token": TOKEN, "api_retries": 0, "extensions": ["own"], **options}
        result = FACES[face](TASKS[task], given)
        json.dumps(result)
        return result, server.writes


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(("task", "options"), [("gitlab_job_action", PLAY), ("gitlab_release_gate", GATES)])
@pytest.mark.parametrize("note", INVALID_NOTES)
def test_invalid_annotation_causes_a_warning_and_keeps_the_effect(
    face: str, task: str, options: dict[str, t.Any], note: str
) -> None:
    result, writes = run(face, task, options, gitlab_annotate_record=lambda kind, record: INVALID_NOTES[note])
    assert writes == 1 and result["changed"] and "nexpected" not in str(result.get("msg"))
    # a module prints each warning once per process; a gate returns no notes, and requests none
    has_warned = any("gitlab_annotate_record; it must" in text for text in result.get("warnings", ()))
    assert face == "module" or has_warned == (task == "gitlab_job_action")


@pytest.mark.parametrize("face", FACES)
def test_hooks_cannot_change_the_records_of_the_task(face: str) -> None:
    def spoil(kind: str, record: dict[str, t.Any]) -> None:
        record["status"] = "evil"
        record["pipeline"].update(id=999)

    result, writes = run(face, "gitlab_job_action", PLAY, gitlab_annotate_record=spoil)
    assert writes == 1 and "evil" not in str(result) and "999" not in str(result["jobs"])


@pytest.mark.parametrize("face", FACES)
def test_sys_exit_in_a_hook_keeps_the_result(face: str) -> None:
    def leave(request: t.Any, status: t.Any, seconds: float) -> None:
        if request.method == "POST":
            sys.exit(3)

    result, writes = run(face, "gitlab_job_action", PLAY, gitlab_request_finished=leave)
    assert writes == 1 and result["changed"]
    assert face == "module" or any("SystemExit" in text for text in result.get("warnings", ()))


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("credential", INVALID_CREDENTIALS, ids=ascii)
def test_invalid_credentials_are_refused_before_any_write(face: str, credential: t.Any) -> None:
    result, writes = run(face, "gitlab_job_action", PLAY, gitlab_authenticate=lambda settings: credential)
    assert result["failed"] and "from gitlab_authenticate; it must return a dictionary" in result["msg"] and not writes


@pytest.mark.parametrize("face", FACES)
def test_invalid_transport_is_refused_before_any_write(face: str) -> None:
    result, writes = run(face, "gitlab_job_action", PLAY, gitlab_create_transport=lambda settings: object())
    assert result["failed"] and "it must return a transport" in result["msg"] and not writes


class FaultyTransport:
    """A transport that sends requests and then misbehaves.

    :param method: the HTTP method for which it misbehaves.
    """

    def __init__(self, inner: t.Any, method: str, does: t.Callable[[Response], t.Any]) -> None:
        self._inner = inner
        self._method = method
        self._does = does

    def send(self, request: Request, *, timeout_seconds: float) -> t.Any:
        answer = self._inner.send(request, timeout_seconds=timeout_seconds)
        return self._does(answer) if request.method == self._method else answer


def fail(_answer: Response) -> None:
    raise RuntimeError("no route")


def leave(_answer: Response) -> None:
    sys.exit(3)


TRANSPORT_FAULTS: dict[str, t.Callable[[Response], t.Any]] = {
    "an error": fail,
    "sys.exit": leave,
    "no response": lambda answer: None,
    "a string": lambda answer: "x",
    "a string as status": lambda answer: dataclasses.replace(answer, status=str(answer.status)),
    "a string as body": lambda answer: dataclasses.replace(answer, body=answer.body.decode()),
    "no body": lambda answer: dataclasses.replace(answer, body=None),
    "no address": lambda answer: dataclasses.replace(answer, url=None),
    "header names with capitals": lambda answer: dataclasses.replace(
        answer, headers={"Content-Type": "application/json"}
    ),
    "a number as header": lambda answer: dataclasses.replace(answer, headers={"content-length": 5}),
    "no headers": lambda answer: dataclasses.replace(answer, headers=None),
}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("fault", TRANSPORT_FAULTS)
def test_faulty_transport_is_reported_and_its_writes_are_found(face: str, fault: str) -> None:
    def run_with(method: str) -> tuple[dict[str, t.Any], int]:
        def wrap(settings: t.Any) -> t.Any:
            return FaultyTransport((yield), method, TRANSPORT_FAULTS[fault])

        marked = hookimpl(wrapper=True)(wrap)
        return run(face, "gitlab_job_action", PLAY, gitlab_create_transport=marked)

    result, writes = run_with("GET")
    assert result["failed"] and not writes and "nexpected" not in result["msg"]
    assert "xtension (own) failed to send the request: " in result["msg"]
    result, writes = run_with("POST")
    assert writes == 1 and result["changed"] and not result.get("failed"), result["msg"]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("given", [RuntimeError("no route"), "text", None])
def test_download_with_a_faulty_transport_leaves_no_file(face: str, given: t.Any, tmp_path: pathlib.Path) -> None:
    class Streaming(FaultyTransport):
        def stream(self, request: Request, *, timeout_seconds: float) -> t.Any:
            def read(size: int) -> t.Any:
                if isinstance(given, Exception):
                    raise given
                return given

            stream = self._inner.stream(request, timeout_seconds=timeout_seconds)
            stream.read = read
            return stream

    def wrap(settings: t.Any) -> t.Any:
        return Streaming((yield), "", fail)

    options = {**DOWNLOAD, "content": "archive", "dest": str(tmp_path / "dest")}
    marked = hookimpl(wrapper=True)(wrap)
    result, _writes = run(face, "gitlab_job_download", options, gitlab_create_transport=marked)
    assert result["failed"] and "xtension (own) failed to send the request: " in result["msg"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("failure", [KeyError("metrics"), ValueError("metrics"), OSError("metrics")], ids=repr)
@pytest.mark.parametrize("wraps", [True, False])
def test_write_of_a_failing_adapter_is_found(face: str, failure: Exception, wraps: bool) -> None:
    def prepare(session: t.Any, settings: t.Any) -> None:
        inner = session.get_adapter(settings.api_url) if wraps else HTTPAdapter()

        class Failing(BaseAdapter):
            def send(self, request: t.Any, **options: t.Any) -> t.Any:  # type: ignore[override]
                answer = inner.send(request, **options)
                if request.method == "POST":
                    raise failure
                return answer

        session.mount(settings.api_url, Failing())

    result, writes = run(face, "gitlab_job_action", PLAY, gitlab_prepare_session=prepare)
    assert writes == 1 and result["changed"] and not result.get("failed"), result["msg"]


def test_hooks_cannot_change_the_headers_of_the_next_request() -> None:
    def spoil(request: t.Any, status: t.Any, seconds: float) -> None:
        request.headers.clear()

    moved = reply("", status=302, headers={"Location": f"{API}/projects/8"})
    transport = ScriptedTransport(Exchange("GET /projects/7", moved), Exchange("GET /projects/8", {"id": 8}))
    extension = types.SimpleNamespace(gitlab_request_finished=hookimpl(spoil))
    new_session(transport, extensions={"own": extension}).client.call("get_project", project=7)
    assert [call.request.headers for call in transport.calls] == [{"Accept": "application/json"}] * 2
