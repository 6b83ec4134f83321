# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small GitLab that sends raw bytes: one project, a pipeline, a manual job, a job with artifacts, a trigger job.

It responds correctly unless a row of the table replaces the response.
"""

from __future__ import annotations

import dataclasses
import json
import socket
import threading
import typing as t

from tests.unit.harness import bridge, job, pipeline
from tests.unit.module_utils._api.loopback import Listener, read_request

Record = dict[str, t.Any]

ARTIFACT = b'{"version": "1.2.3"}'
LOG = b"one\ntwo\nthree\n"
# What a row may send: bytes, pieces of them one by one, or a reset of the connection.
Pieces = t.Callable[[threading.Event], t.Iterable[bytes]]
Reply = t.Union[bytes, Pieces, None]

OBJECTS = ("job", "pipeline", "deployment", "other")
LISTS = ("jobs", "pipelines", "bridges", "deployments", "files")
CONTENTS = ("log", "file")


_STARTED = pipeline(7, "created", source="api", user={"id": 1, "username": "alice"}, tag=False)
_APPROVAL = {"user": {"id": 1, "username": "alice"}, "status": "approved", "created_at": "2026-01-01T00:00:00.000Z"}


def deployment(*, is_approved: bool) -> Record:
    """Return a deployment that requires one approval."""
    given = [_APPROVAL] if is_approved else []
    rule = {"id": 1, "access_level": 40, "access_level_description": "Maintainers", "required_approvals": 1}
    return {
        "id": 5,
        "iid": 1,
        "status": "created" if is_approved else "blocked",
        "ref": "main",
        "sha": "f" * 40,
        "environment": {"id": 1, "name": "production"},
        "deployable": job(43, "manual", "release"),
        "pending_approval_count": 0 if is_approved else 1,
        "approvals": given,
        "approval_summary": {"rules": [{**rule, "deployment_approvals": given}]},
    }


@dataclasses.dataclass(frozen=True)
class Answer:
    """A response with a length. The server closes the connection after it.

    :param headers: additional header lines.
    """

    body: bytes
    status: str = "200 OK"
    media_type: str = "application/json"
    headers: tuple[str, ...] = ()

    @property
    def content(self) -> t.Any:
        """Return the parsed body."""
        return json.loads(self.body)

    def with_content(self, content: t.Any) -> Answer:
        """Return this response with different content."""
        return dataclasses.replace(self, body=json.dumps(content).encode())

    def with_headers(self, *lines: str) -> Answer:
        """Return this response with additional header lines."""
        return dataclasses.replace(self, headers=(*self.headers, *lines))

    @property
    def raw(self) -> bytes:
        """Return the response as bytes."""
        return self.head(f"Content-Length: {len(self.body)}") + self.body

    def head(self, *framing: str) -> bytes:
        """Return everything before the body."""
        lines = [f"HTTP/1.1 {self.status}", f"Content-Type: {self.media_type}", *self.headers, *framing]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


@dataclasses.dataclass(frozen=True)
class ReceivedRequest:
    """One request.

    :param kind: the kind of object or list that it requests.
    :param answer: the response of a correct server.
    :param url: address of the server.
    """

    method: str
    target: str
    kind: str
    answer: Answer
    url: str


class HostileServer(Listener):
    """Responds correctly, or as a row of the table says.

    :param respond: returns what to send instead of the correct response; None for correct responses only.
    :param is_hostile: whether to call `respond` for a request, by its method and number.
    :param refuses: whether a write with a hostile response is not executed.
    """

    def __init__(
        self,
        respond: t.Callable[[ReceivedRequest], Reply] | None = None,
        is_hostile: t.Callable[[str, int], bool] = lambda method, number: True,
        *,
        refuses: bool = False,
    ) -> None:
        super().__init__()
        self._respond = respond
        self._is_hostile = is_hostile
        self._refuses = refuses
        self.url = f"http://127.0.0.1:{self.port}"
        self._number = 0
        self.is_played = False
        # whether the last write started a pipeline
        self.starts = False
        self.writes = 0

    def serve(self, connection: socket.socket) -> None:
        """Answer one request."""
        request = read_request(connection)
        if not request:
            return
        method, target = request.split(b"\r\n")[0].decode("latin-1").split(" ")[:2]
        with self._lock:
            self._number += 1
            is_hostile = self._respond is not None and self._is_hostile(method, self._number)
            if method != "GET" and not (is_hostile and self._refuses):
                self.starts = target.endswith("/pipeline")
                self.writes += 1
                self.is_played = True
            received = self._received_request(method, target)
        reply: Reply = self._respond(received) if self._respond and is_hostile else received.answer.raw
        if reply is None:
            # reset instead of closing in an orderly way
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            return
        for piece in [reply] if isinstance(reply, bytes) else reply(self.is_stopped):
            connection.sendall(piece)

    def _received_request(self, method: str, target: str) -> ReceivedRequest:
        path = target.partition("?")[0].partition("/api/v4")[2]
        kind, content = self._correct_answer(method, path)
        if isinstance(content, bytes):
            answer = Answer(content, media_type="application/octet-stream" if kind == "file" else "text/plain")
        else:
            is_new = method == "POST" and path.endswith("/pipeline")
            answer = Answer(json.dumps(content).encode(), "201 Created" if is_new else "200 OK")
        return ReceivedRequest(method, target, kind, answer, self.url)

    def _correct_answer(self, method: str, path: str) -> tuple[str, t.Any]:
        """Return the kind of a request, and the content of the correct response."""
        deploy = job(42, "success" if self.is_played and method == "GET" else "manual", "deploy")
        if method != "GET":
            is_approval = path.endswith("/approval")
            if path.endswith("/pipeline"):
                return "pipeline", _STARTED
            return ("other", _APPROVAL) if is_approval else ("job", job(42, "pending", "deploy"))
        artifacts = [{"file_type": "junit", "file_format": "gzip", "filename": "junit.xml.gz", "size": 20}]
        build = job(41, "success", "build", stage="build", artifacts=artifacts)
        build["artifacts_file"] = {"filename": "artifacts.zip", "size": 20}
        steps = path.strip("/").split("/")
        if steps[0] == "job":
            return ("other", {"allowed_agents": []}) if steps[-1] == "allowed_agents" else ("job", build)
        if steps[0] == "user":
            return "other", {"id": 1, "username": "alice"}
        if steps[-1] == "trace":
            return "log", LOG
        if "artifacts" in steps:
            return ("files", []) if steps[-1] == "tree" else ("file", ARTIFACT)
        if steps[2:3] == ["pipelines"] and all(step.isdecimal() for step in steps[3:4]):
            return self._of_pipeline(steps[3:], [deploy, build])
        if steps[2:3] == ["deployments"]:
            made = deployment(is_approved=self.is_played)
            return ("deployment", made) if steps[3:] else ("deployments", [made])
        if steps[2:3] != ["jobs"]:
            return "other", {"message": "404 Not Found"}
        return "job", build if steps[3:] == ["41"] else deploy

    def _of_pipeline(self, steps: list[str], jobs: list[Record]) -> tuple[str, t.Any]:
        if not steps:
            is_started = self.is_played and self.starts
            return "pipelines", [_STARTED, pipeline(6)] if is_started else [pipeline(6)]
        number, is_child = int(steps[0]), steps[0] == "9"
        if steps == ["7"]:
            return "pipeline", _STARTED
        if len(steps) == 1:
            return "pipeline", pipeline(number, "success" if is_child else "running")
        if steps[1] == "variables":
            return "other", []
        if steps[1] == "jobs":
            return "jobs", [] if is_child else jobs
        return "bridges", [] if is_child else [bridge(50, downstream=pipeline(9, "success"))]
