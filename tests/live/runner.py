# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run tasks of the collection against a real GitLab, and record every request."""

from __future__ import annotations

import copy
import dataclasses
import re
import typing as t

from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import GitLabError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request, Response
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Outcome
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.definition import TaskDefinition

Row = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Target:
    """The server and the project to check.

    :param url: URL of the GitLab server.
    :param project: path or ID.
    :param ref: branch or tag whose newest pipeline is read.
    """

    url: str
    token: str
    project: str
    ref: str


@dataclasses.dataclass
class Notes:
    """The requests as endpoint, method and status, without addresses and contents."""

    lines: list[str] = dataclasses.field(default_factory=list)
    # headers of the answers that describe the server
    server: dict[str, str] = dataclasses.field(default_factory=dict)


class _RecordingTransport:
    """Records requests, and passes them to another transport."""

    def __init__(self, transport: t.Any, notes: Notes) -> None:
        self._transport = transport
        self._notes = notes

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        response = self._transport.send(request, timeout_seconds=timeout_seconds)
        self._record(request, response)
        return t.cast(Response, response)

    def stream(self, request: Request, *, timeout_seconds: float) -> t.Any:
        stream = self._transport.stream(request, timeout_seconds=timeout_seconds)
        self._record(request, stream)
        return stream

    def _record(self, request: Request, answer: t.Any) -> None:
        self._notes.lines.append(f"{request.method} {request.endpoint}: {answer.status}")
        for name in ("x-gitlab-meta", "ratelimit-limit", "x-total", "link", "server"):
            if answer.header(name):
                self._notes.server[name] = re.sub(r"https?://\S+?(?=[>;,\s]|$)", "URL", answer.header(name))[:200]


class Runner:
    """Runs tasks; errors become failures, as in the faces of the collection."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.notes = Notes()

    def run(self, task: TaskDefinition, *, check_mode: bool = False, **options: t.Any) -> Outcome:
        """Run a task with these options, in the project and with the token of the target, and return its outcome."""
        defaults = {name: copy.deepcopy(option.get("default")) for name, option in task.spec.arguments.items()}
        given = {"project": self.target.project} if "project" in defaults else {}
        context = TaskContext(
            check_mode=check_mode,
            environ={},
            transport=lambda _settings, make: t.cast(t.Any, _RecordingTransport(make(), self.notes)),
        )
        connection = {"api_url": self.target.url, "api_token": self.target.token}
        try:
            return task.run({**defaults, **connection, **given, **options}, context)
        except GitLabError as exc:
            return Outcome(dict(task.empty_result), [], failure=str(exc))
