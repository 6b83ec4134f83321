# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole tasks keep to `api_requests_per_minute`, even when they time out."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UnsentError
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_action, gitlab_job_info

from ....harness import Call, FakeClock, FunctionTransport, Progress, job, run_task

DEPLOY = {"pipeline_id": 6, "name": ["deploy"]}


class Server:
    """A job whose status never changes, and the times of its requests."""

    def __init__(self, status: str) -> None:
        self.clock = FakeClock()
        self.sent: list[float] = []
        self.transport = FunctionTransport(self._answer)
        self._status = status

    def _answer(self, call: Call) -> t.Any:
        self.sent.append(self.clock.seconds)
        if "/jobs/" in call.path:
            return job(status="pending" if call.path.endswith("/play") else self._status)
        return [job(status=self._status)] if call.path.endswith("/jobs") else []

    def max_in_a_minute(self) -> int:
        """Return the largest number of requests within a minute."""
        return max(sum(at <= other < at + 60.0 for other in self.sent) for at in self.sent)


@pytest.mark.parametrize("per_minute", [1, 2, 3, 7])
@pytest.mark.parametrize("seconds", [30.0, 59.0, 61.0, 150.0])
def test_wait_ends_in_time_and_within_the_ceiling(per_minute: int, seconds: float) -> None:
    server = Server("running")
    options = {**DEPLOY, "wait": True, "wait_timeout": seconds, "on_timeout": "continue"}
    options["api_requests_per_minute"] = per_minute
    try:
        outcome = run_task(gitlab_job_info.TASK, options, transport=server.transport, clock=server.clock)
    except UnsentError as exc:
        # not even the first poll was possible
        assert per_minute == 1 and "the request was not sent, because api_requests_per_minute is 1" in str(exc)
    else:
        assert outcome.values["timed_out"] and outcome.values["elapsed"] == pytest.approx(seconds, abs=1.0)
    assert server.max_in_a_minute() <= per_minute
    assert server.clock.seconds <= seconds + 1.0


def test_action_is_not_sent_if_the_ceiling_leaves_no_time() -> None:
    server = Server("manual")
    options = {**DEPLOY, "action": "play", "wait": True, "wait_timeout": 30.0, "api_requests_per_minute": 1}
    outcome = run_task(gitlab_job_action.TASK, options, transport=server.transport, clock=server.clock)
    assert outcome.failure is not None and not outcome.changed
    assert "not sent, because api_requests_per_minute is 1" in outcome.failure and "/play" in outcome.failure
    assert "Raise api_requests_per_minute or wait_timeout" in outcome.failure
    assert server.transport.writes == []


def test_task_without_wait_is_paced_and_reports_why() -> None:
    server, progress = Server("manual"), Progress(is_shown=True)
    options = {**DEPLOY, "action": "play", "api_requests_per_minute": 1}
    outcome = run_task(
        gitlab_job_action.TASK, options, transport=server.transport, clock=server.clock, progress=progress
    )
    assert outcome.failure is None and outcome.changed
    assert server.max_in_a_minute() == 1 and len(server.sent) > 1
    assert outcome.values["requests"]["paced_seconds"] == pytest.approx(server.clock.seconds)
    assert progress.others == ["project 7: paced: api_requests_per_minute is 1"]
