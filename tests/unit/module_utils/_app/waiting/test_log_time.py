# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a log takes no longer than the task may, however slowly the log arrives."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import ByteStream, Request, WholeBody
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_info

from ....harness import FunctionTransport, job, run_task
from .test_logs import GrowingLog, follow


class StreamRecorder(FunctionTransport):
    """Keeps the time limits of requests for logs."""

    def __init__(self, function: t.Callable[..., t.Any]) -> None:
        super().__init__(function)
        self.seconds: list[float | None] = []

    def stream(self, request: Request, *, timeout_seconds: float) -> ByteStream:
        self.seconds.append(request.total_seconds)
        return WholeBody(self.send(request, timeout_seconds=timeout_seconds))


def test_log_reads_are_limited_by_the_remaining_wait() -> None:
    server = GrowingLog()
    server.transport = StreamRecorder(server.answer)
    outcome, lines = follow(server, wait_timeout=60.0)
    assert outcome.failure is None and lines
    assert len(server.transport.seconds) > 5
    assert all(seconds is not None and seconds <= 61.0 for seconds in server.transport.seconds)


@pytest.mark.parametrize("wait", [True, False])
def test_log_tail_read_is_limited_by_wait_timeout(wait: bool) -> None:
    transport = StreamRecorder(lambda call: "one\ntwo\n" if call.path.endswith("/trace") else [job(42, "failed")])
    options = {"pipeline_id": 6, "name": ["deploy"], "log_lines": 1, "wait": wait, "wait_timeout": 60.0}
    outcome = run_task(gitlab_job_info.TASK, options, transport=transport)
    assert outcome.values["job"]["log_tail"] == ["two"]
    assert transport.seconds == [60.0]
