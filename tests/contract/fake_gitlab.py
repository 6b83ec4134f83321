# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fake GitLab with two jobs, which replaces the network, and tasks that run against it."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import urlsplit

from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request, Response
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.clock import Clock
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Outcome
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext

from tests.contract.support import TASKS, validated


class FakeGitLab:
    """A project with a manual and a running job, in place of the built-in transport."""

    def __init__(self) -> None:
        self.settings: ConnectionSettings | None = None
        self.requests: list[Request] = []
        # the segment of each path before the project
        self.services: list[str] = []
        self.jobs = {42: self._job(42, "deploy:prod", "manual"), 43: self._job(43, "build", "running")}

    def create(self, settings: ConnectionSettings, prepare_session: t.Callable[[t.Any], None]) -> FakeGitLab:
        self.settings = settings
        return self

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        self.requests.append(request)
        before, _name, path = urlsplit(request.url).path.partition("/projects/1/")
        self.services.append(before.rpartition("/")[2])
        if path == "pipelines/6/test_report_summary":
            return self._answer(request, {"total": {"count": 3}})
        if path == "deployments":
            return self._answer(request, [])
        if path == "pipelines/6/jobs":
            return self._answer(request, list(self.jobs.values()))
        job = self.jobs[int(path.split("/")[1])]
        if path.endswith("/play") and job["status"] == "success":
            job = self.jobs[44] = self._job(44, job["name"], "pending")
        elif path.endswith("/play"):
            job["status"] = "pending"
        elif job["status"] == "pending":
            job["status"] = "success"
        return self._answer(request, job)

    @property
    def writes(self) -> list[Request]:
        return [request for request in self.requests if request.method != "GET"]

    @staticmethod
    def _answer(request: Request, record: t.Any) -> Response:
        return Response(200, {"content-type": "application/json"}, json.dumps(record).encode(), request.url)

    @staticmethod
    def _job(job_id: int, name: str, status: str) -> dict[str, t.Any]:
        pipeline = {"id": 6, "project_id": 1, "status": "running"}
        return {"id": job_id, "name": name, "stage": "deploy", "status": status, "pipeline": pipeline}


class SleepOnlyClock(Clock):
    """A clock that advances only during pauses.

    :param on_pause: called before each pause with the seconds since the start.
    """

    def __init__(self, on_pause: t.Callable[[float], object] = lambda seconds: None) -> None:
        self._on_pause = on_pause
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def time(self) -> float:
        return 1_800_000_000.0 + self.seconds

    def sleep(self, seconds: float) -> None:
        self._on_pause(self.seconds)
        self.seconds += seconds


def run(task: str, *extensions: str, check_mode: bool = False, clock: Clock | None = None, **options: t.Any) -> Outcome:
    parameters = {"project": "1", "job_id": 42, "api_token": "the-token", "extensions": list(extensions), **options}
    definition = TASKS[task]
    context = TaskContext(check_mode=check_mode, environ={}, clock=clock or SleepOnlyClock())
    return definition.run(validated(definition, {**parameters, "api_url": "https://gitlab.example.com"}), context)


def play(*extensions: str, **options: t.Any) -> Outcome:
    return run("gitlab_job_action", *extensions, action="play", **options)
