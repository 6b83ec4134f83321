# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test a wait of a day: 10,000 polls on a clock that skips pauses, while the server restarts and clocks jump.

Memory, open files and threads must not keep growing. The short version polls 300 times.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import socket
import threading
import time
import tracemalloc
import typing as t
from unittest import mock

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.clock import Clock
from ansible_collections.jobgate.gitlab.plugins.plugin_utils import _shared
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._in_process import InProcessAction

from tests.unit.faces import Options
from tests.unit.harness import Progress, bridge, job, pipeline

from .plugins import GATE, OF_PIPELINE, Plugin
from .run import FACES
from .server import HostileServer, ReceivedRequest, Reply
from .test_table import IS_WHOLE

POLLS = 10_000 if IS_WHOLE else 300
# Poll numbers. Earlier samples would include the creation of connections, caches and patterns.
SAMPLES = (POLLS // 5, POLLS)
DAY_SECONDS = 86_400.0
MAX_GROWTH_BYTES = 100_000
WAIT = {"wait": True, "wait_timeout": POLLS * 60.0, "wait_interval": 30.0}
CASES = {
    "info": Plugin("gitlab_job_info", {**OF_PIPELINE, "name": ["deploy"], **WAIT}),
    "info of all jobs": Plugin("gitlab_job_info", {**OF_PIPELINE, **WAIT}),
    "action": Plugin("gitlab_job_action", {**OF_PIPELINE, "name": ["deploy"], "action": "play", **WAIT}),
    "bridges": Plugin("gitlab_pipeline_bridges", {**OF_PIPELINE, **WAIT}),
    "gate": Plugin(
        "gitlab_release_gate",
        {
            "projects": [{**OF_PIPELINE, "gates": [{**GATE, "wait_timeout": WAIT["wait_timeout"]}]}],
            "wait_interval": 30.0,
            "record": "{folder}/record",
        },
    ),
}


class RestartingServer(HostileServer):
    """A server that can go down, so that its port refuses connections, and come back."""

    def __init__(self, respond: t.Callable[[ReceivedRequest], Reply]) -> None:
        super().__init__(respond)
        # a port stays with a socket that does not listen only if it was bound by number
        self._socket.close()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", self.port))
        self._socket.listen()
        self._is_up = threading.Event()
        self._is_up.set()

    def _accept(self) -> None:
        while not self.is_stopped.is_set():
            self._is_up.wait()
            with contextlib.suppress(OSError):
                super()._accept()

    def go_away(self) -> None:
        """Refuse connections."""
        self._is_up.clear()
        self._socket.shutdown(socket.SHUT_RDWR)

    def come_back(self) -> None:
        """Accept connections again."""
        if not self._is_up.is_set():
            self._socket.listen()
            self._is_up.set()


@dataclasses.dataclass
class Sample:
    """The resources that the process uses."""

    memory: int
    files: int
    threads: int

    @classmethod
    def take(cls) -> Sample:
        gc.collect()
        return cls(tracemalloc.get_traced_memory()[0], len(os.listdir("/proc/self/fd")), threading.active_count())


class Day:
    """A server whose jobs end after POLLS polls, and a clock that jumps."""

    def __init__(self) -> None:
        self.polls = 0
        # several connections may poll at once
        self._counting = threading.Lock()
        self.pauses = 0
        self.skipped = 0.0
        self.wall_jump = 0.0
        self.samples: dict[int, Sample] = {}
        self.server = RestartingServer(self.respond)

    def respond(self, received: ReceivedRequest) -> Reply:
        """Answer with running jobs, and with an error now and then."""
        if received.kind in ("jobs", "job", "bridges", "pipeline") and received.method == "GET":
            with self._counting:
                self.polls += 1
                poll = self.polls
            if poll in SAMPLES:
                self.samples[poll] = Sample.take()
            if poll % 53 == 0:
                return dataclasses.replace(received.answer, status="502 Bad Gateway", body=b"<html>").raw
            if poll % 101 == 0:
                return None
        status = "success" if self.polls >= POLLS else "running"
        deploy = job(42, status if self.server.is_played or "play" not in self.requested_action else "manual", "deploy")
        content = received.answer.content if received.kind != "log" else None
        if received.method == "GET" and received.kind == "jobs":
            content = [deploy]
        elif received.method == "GET" and received.kind == "job":
            content = deploy
        elif received.kind == "bridges" and content:
            content = [bridge(50, status, downstream=pipeline(9, status))]
        elif received.kind == "pipeline":
            content = pipeline(content["id"], status)
        return received.answer.raw if content is None else received.answer.with_content(content).raw

    requested_action = ""

    def sleep(self, seconds: float) -> None:
        """Skip a pause. The server is down during some pauses, and the wall clock jumps forward and back."""
        self.skipped += seconds
        self.pauses += 1
        if self.pauses % 211 == 0:
            self.server.go_away()
        elif self.pauses % 211 == 3:
            self.server.come_back()
        if self.pauses % 97 == 0:
            self.wall_jump = (-86_400.0, 31_536_000.0, -3_600.0, 0.0)[self.pauses // 97 % 4]


@contextlib.contextmanager
def simulated_day() -> t.Iterator[Day]:
    """Yield a day that passes as fast as it can."""
    day, monotonic, unix = Day(), time.monotonic, time.time
    with (
        mock.patch.object(Clock, "sleep", lambda self, seconds: day.sleep(seconds)),
        mock.patch.object(Clock, "monotonic", lambda self: monotonic() + day.skipped),
        mock.patch.object(Clock, "time", lambda self: unix() + day.skipped + day.wall_jump),
        mock.patch.dict(_shared._TRANSPORTS, clear=True),
        day.server,
    ):
        yield day
        day.server.come_back()


# each case with one face if there is no time for both
BOTH = [
    (case, face)
    for number, case in enumerate(CASES)
    for face in (list(FACES) if IS_WHOLE else [list(FACES)[number % len(FACES)]])
]


@pytest.mark.parametrize(("case", "face"), BOTH)
def test_long_wait_does_not_leak_resources(case: str, face: str, tmp_path: t.Any) -> None:
    progress = Progress(is_shown=True)
    with simulated_day() as day, mock.patch.object(InProcessAction, "_progress", lambda self, variables: progress):
        day.requested_action = "play" if case in ("action", "gate") else ""
        tracemalloc.start(1)
        try:
            result: Options = CASES[case].run(FACES[face], day.server.url, str(tmp_path))
        finally:
            tracemalloc.stop()
    assert not result.get("failed"), result["msg"]
    assert day.polls >= POLLS and day.skipped > POLLS * DAY_SECONDS / 10_000
    assert day.server.writes == (case in ("action", "gate"))
    assert len(progress.lines) < 10 and len(progress.others) < 40, progress.others
    assert len(result.get("warnings", [])) < 3
    early, late = (day.samples[poll] for poll in SAMPLES)
    assert late.memory - early.memory < MAX_GROWTH_BYTES
    assert late.files <= early.files + 2
    # a thread of the server may be about to end
    assert late.threads <= early.threads + 2
