# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for large pipelines by counting: the number of requests, the delay, and what a count cannot see."""

from __future__ import annotations

import datetime
import statistics
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Request, Response
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_action, gitlab_job_info

from ....harness import Call, FakeClock, FunctionTransport, Progress, job, pipeline, reply, run_task

JOBS = "/projects/7/pipelines/6/jobs"
LATENCY_SECONDS = 0.02


class Server:
    """A pipeline whose jobs change their statuses at given times, on a clock that requests advance, too.

    :param courses: for each job, the times at which it enters each status.
    :param totals: whether lists contain totals.
    :param unknown: statuses that it rejects as a scope.
    """

    def __init__(self, *courses: list[tuple[float, str]], totals: bool = True, unknown: t.Collection[str] = ()) -> None:
        self.clock = FakeClock()
        self.courses = list(courses)
        self.totals = totals
        self.unknown = unknown
        self.requests: list[Call] = []
        self.fields: dict[str, t.Any] = {}
        self.transport = FunctionTransport(self._answer)

    @property
    def counts(self) -> list[Call]:
        return [call for call in self.requests if call.query.get("per_page") == ["1"]]

    @property
    def lists(self) -> list[Call]:
        """Return the first request of each listing."""
        return [
            call
            for call in self.requests
            if call.path == JOBS and "per_page" not in call.query and call.query.get("page", ["1"]) == ["1"]
        ]

    def record(self, number: int) -> dict[str, t.Any]:
        now = self.clock.seconds
        course = [(at, status) for at, status in self.courses[number] if at <= now]
        times = {status: self._iso(at) for at, status in course}
        status = course[-1][1]
        has_ended = status in ("success", "failed", "canceled")
        record = job(number + 1, status, f"job {number}", stage="test")
        record.update(started_at=times.get("running"), finished_at=times[status] if has_ended else None)
        return {**record, "queued_duration": None, **self.fields}

    def _iso(self, seconds: float) -> str:
        moment = datetime.datetime.fromtimestamp(1_700_000_000.0 + seconds, tz=datetime.timezone.utc)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _answer(self, call: Call) -> t.Any:
        self.requests.append(call)
        self.clock.now += LATENCY_SECONDS
        if call.path == "/projects/7/pipelines/6":
            return pipeline()
        if call.path.endswith("/trigger_jobs"):
            return []
        if call.method == "POST":
            number = int(call.path.split("/")[-2]) - 1
            now = self.clock.seconds
            self.courses[number] = [(at + now if at else 0.0, status) for at, status in self.courses[number]]
            self.courses[number].insert(1, (now, "pending"))
            return self.record(number)
        if "/jobs/" in call.path:
            return self.record(int(call.path.rpartition("/")[2]) - 1)
        scope = call.query.get("scope[]")
        if scope and set(scope) & set(self.unknown):
            return reply({"error": "scope does not have a valid value"}, status=400)
        records = [self.record(number) for number in range(len(self.courses) - 1, -1, -1)]
        records = [record for record in records if not scope or record["status"] in scope]
        size, page = int(call.query.get("per_page", ["100"])[0]), int(call.query.get("page", ["1"])[0])
        headers = {"X-Total": str(len(records))} if self.totals else {}
        following = str(page + 1) if page * size < len(records) else ""
        return reply(records[(page - 1) * size : page * size], headers={**headers, "X-Next-Page": following})


class Hanging(FunctionTransport):
    """A server that stops answering at some time; each later request lasts until the client gives up."""

    def __init__(self, server: Server, from_seconds: float) -> None:
        super().__init__(server._answer)
        self._server = server
        self._from_seconds = from_seconds

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        if self._server.clock.seconds >= self._from_seconds:
            self._server.clock.now += timeout_seconds
            raise errors.LostAnswerError(f"no answer within {timeout_seconds:g} s")
        return super().send(request, timeout_seconds=timeout_seconds)


def wait(server: Server, *, shown: bool = False, **options: t.Any) -> tuple[t.Any, Progress]:
    progress = Progress(is_shown=shown)
    outcome = run_task(
        gitlab_job_info.TASK,
        {"pipeline_id": 6, "wait": True, "wait_interval": 1.0, **options},
        transport=server.transport,
        clock=server.clock,
        progress=progress,
    )
    return outcome, progress


def spread(count: int, last: float, status: str = "success") -> list[list[tuple[float, str]]]:
    """Return courses of jobs that run from the beginning and end one after the other until `last`."""
    return [[(0.0, "running"), (last * (number + 1) / count, status)] for number in range(count)]


def test_two_hundred_jobs_need_few_requests_and_end_without_delay():
    requests, lateness = [], []
    for _round in range(31):
        server = Server(*spread(200, 10.0))
        outcome, _progress = wait(server)
        assert outcome.values["summary"] == {"success": 200}
        requests.append(len(server.requests))
        lateness.append(server.clock.seconds - 10.0)
    assert statistics.median(requests) <= 20
    assert max(requests) <= 25
    # including the final listing of two pages
    assert statistics.median(lateness) <= 0.12


def test_timeline_contains_changes_between_two_lists():
    courses = [[(0.0, "created"), (3.0, "pending"), (5.0, "running"), (9.0 + n / 10, "success")] for n in range(30)]
    server = Server(*courses)
    server.fields = {"queued_duration": 2.0}
    outcome, _progress = wait(server)
    assert len(server.lists) == 2
    entries = [entry for entry in outcome.values["timeline"] if entry["name"] == "job 7"]
    assert [(entry["from"], entry["to"]) for entry in entries] == [
        (None, "created"),
        ("created", "pending"),
        ("pending", "running"),
        ("running", "success"),
    ]
    assert [entry["seconds"] for entry in entries[1:]] == pytest.approx([3.0, 5.0, 9.7], abs=0.01)
    assert entries[-1]["at"] == "2023-11-14T22:13:29.700Z"
    seconds = [entry["seconds"] for entry in outcome.values["timeline"]]
    assert seconds == sorted(seconds)


def test_timeline_ignores_times_of_a_different_clock():
    server = Server(*spread(30, 5.0))
    server.fields = {"started_at": "2023-11-14T21:00:00.000Z", "finished_at": "2023-11-14T21:00:05.000Z"}
    outcome, _progress = wait(server)
    assert {entry["to"] for entry in outcome.values["timeline"]} == {"running", "success"}


def test_shown_progress_lists_jobs_whenever_the_count_changes():
    server = Server(*spread(30, 12.0))
    server.fields = {"queued_duration": 3.0}
    _outcome, progress = wait(server, shown=True)
    assert len(progress.lines) == 30
    assert progress.lines[0] == "project 7 job 0: running -> success (queued 3 s)"
    assert len(server.lists) > 4


def test_server_without_totals_is_polled_with_lists():
    server = Server(*spread(30, 12.0), totals=False)
    outcome, _progress = wait(server)
    assert outcome.values["summary"] == {"success": 30}
    assert len(server.counts) == 1


@pytest.mark.parametrize("unknown", [["waiting_for_callback"], ["waiting_for_callback", "canceling"]])
def test_count_omits_statuses_that_older_servers_reject(unknown: list[str]):
    server = Server(*spread(30, 12.0), unknown=unknown)
    outcome, _progress = wait(server)
    assert outcome.values["summary"] == {"success": 30}
    assert len(server.lists) == 2
    refused = [call for call in server.counts if set(call.query["scope[]"]) & set(unknown)]
    assert len(refused) == 1


def test_server_that_rejects_every_scope_is_polled_with_lists():
    server = Server(*spread(30, 12.0), unknown=["running"])
    outcome, _progress = wait(server)
    assert outcome.values["summary"] == {"success": 30}
    assert len(server.counts) == 2


@pytest.mark.parametrize("status", ["paused", "canceling"])
def test_job_with_an_uncounted_status_is_still_waited_for(status: str):
    late = [(0.0, "running"), (2.0, status), (20.0, "canceled")]
    server = Server(*spread(30, 5.0), late, unknown=["waiting_for_callback", "canceling"])
    outcome, _progress = wait(server)
    assert outcome.values["summary"] == {"success": 30, "canceled": 1}
    assert server.clock.seconds > 20


def test_failure_ends_the_wait_and_is_counted_only_after_an_end():
    endless = [[(0.0, "running")] for _number in range(30)]
    server = Server(*endless, [(0.0, "running"), (8.0, "success")], [(0.0, "running"), (20.0, "failed")])
    outcome, _progress = wait(server, wait_for=["success"])
    assert "'job 31' (id 32) ended as failed" in outcome.failure
    assert 20 <= server.clock.seconds < 22
    failures = [call for call in server.counts if "failed" in call.query["scope[]"]]
    assert len(failures) == 2
    # listed once more before the failure counts
    assert len(server.lists) == 3


@pytest.mark.parametrize("options", [{"wait_for": ["success"]}, {"fail_on": ["failed"]}], ids=str)
def test_jobs_that_may_fail_are_not_listed_after_every_end(options):
    server = Server(*spread(200, 60.0))
    outcome, _progress = wait(server, **options)
    assert outcome.values["summary"] == {"success": 200}
    # at the beginning and at the end; random pauses change the number of requests by at most five
    assert len(server.lists) == 2 and len(server.requests) <= 150


def test_allowed_failure_causes_few_lists():
    server = Server(*spread(30, 60.0), [(0.0, "running"), (5.0, "failed")])
    server.fields = {"allow_failure": True}
    outcome, _progress = wait(server, fail_on=["failed"], ignore_allowed_failures=True)
    assert outcome.failure is None
    assert outcome.values["summary"] == {"success": 30, "failed": 1}
    assert len(server.lists) <= 5


def test_selected_jobs_of_a_large_pipeline_are_waited_for_by_counts():
    wanted = [[(0.0, "running"), (12.0 + n, "success")] for n in range(10)]
    others = [[(0.0, "manual")] for _number in range(40)]
    server = Server(*wanted, *others)
    outcome, _progress = wait(server, name=[f"job {n}" for n in range(10)])
    assert outcome.values["summary"] == {"success": 10}
    assert server.clock.seconds < 22.5
    assert len(server.counts) > len(server.lists)


def test_jobs_that_start_later_do_not_delay_selected_jobs():
    wanted = [[(0.0, "running"), (10.0 + n, "success")] for n in range(5)]
    others = [[(0.0, "success"), (8.0 + n, "running")] for n in range(30)]
    server = Server(*wanted, *others)
    outcome, _progress = wait(server, name=[f"job {n}" for n in range(5)])
    assert outcome.values["summary"] == {"success": 5}
    assert server.clock.seconds < 26


def test_retried_job_continues_the_wait():
    again = [(0.0, "running"), (5.0, "failed"), (9.9, "running"), (25.0, "success")]
    server = Server(*spread(30, 10.0), again)
    outcome, _progress = wait(server)
    assert outcome.values["summary"] == {"success": 31}
    assert server.clock.seconds > 25


def test_wrong_count_does_not_wait_forever():
    server = Server(*spread(30, 10.0))
    answer = server.transport._function

    def wrong_count(call: Call) -> t.Any:
        found = answer(call)
        return reply([job()], headers={"X-Total": "30"}) if call.query.get("per_page") == ["1"] else found

    server.transport._function = wrong_count
    outcome, _progress = wait(server)
    assert outcome.values["summary"] == {"success": 30}
    assert server.clock.seconds < 60


def test_pending_timeout_uses_lists_instead_of_counts():
    server = Server(*spread(30, 60.0), [(0.0, "pending")])
    outcome, _progress = wait(server, pending_timeout=20.0)
    assert "has been pending for 2" in outcome.failure
    assert not server.counts


@pytest.mark.parametrize(("on_timeout", "fails"), [("fail", True), ("continue", False)])
def test_timeout_returns_the_current_state(on_timeout: str, fails: bool):
    server = Server(*spread(30, 40.0))
    outcome, _progress = wait(server, wait_timeout=20.0, on_timeout=on_timeout)
    assert outcome.values["timed_out"]
    assert bool(outcome.failure) is fails
    assert outcome.values["summary"]["running"] == 15
    assert 20.0 <= server.clock.seconds < 21.0


@pytest.mark.parametrize("hangs_from", [19.5, 20.0])
def test_timeout_is_kept_if_a_request_hangs_near_the_end(hangs_from: float):
    server = Server(*spread(30, 40.0))
    server.transport = Hanging(server, hangs_from)
    outcome, _progress = wait(server, wait_timeout=20.0)
    assert outcome.values["timed_out"] and "is still running" in outcome.failure
    assert 20.0 <= server.clock.seconds <= 21.01
    assert "Could not refresh the state before the timeout" in outcome.warnings[0]


def test_played_jobs_are_followed_by_counting():
    courses = [[(0.0, "manual"), (1.0, "running"), (10.0 + n / 20, "success")] for n in range(100)]
    server = Server(*courses, *([(0.0, "created")] for _number in range(20)))
    outcome = run_task(
        gitlab_job_action.TASK,
        {
            "action": "play",
            "name": ["job ?", "job ??"],
            "multiple": "all",
            "pipeline_id": 6,
            "wait": True,
            "wait_interval": 1.0,
        },
        transport=server.transport,
        clock=server.clock,
    )
    assert outcome.failure is None
    assert {result["outcome"] for result in outcome.values["results"]} == {"applied"}
    reads = [call for call in server.requests if call.method == "GET"]
    assert len(reads) < 40
    assert len(server.lists) <= 5


class Failing(FunctionTransport):
    """A server that rejects counts."""

    def __init__(self, server: Server, status: int) -> None:
        super().__init__(
            lambda call: self._count(call) if call.query.get("per_page") == ["1"] else server._answer(call)
        )
        self.counted = 0
        self._status = status

    def _count(self, _call: Call) -> Response:
        self.counted += 1
        return reply({"message": f"{self._status} No"}, status=self._status)


def test_server_that_rejects_counts_is_polled_with_lists():
    server = Server(*spread(30, 12.0))
    transport = Failing(server, 400)
    options = {"pipeline_id": 6, "wait": True}
    outcome = run_task(gitlab_job_info.TASK, options, transport=transport, clock=server.clock)
    assert outcome.values["summary"] == {"success": 30}
    # one retry without the statuses that not every server knows, then none
    assert transport.counted == 2
    assert len(server.lists) > 2


@pytest.mark.parametrize("scope", ["running", "failed"])
@pytest.mark.parametrize("status", [401, 403, 404])
def test_denied_count_is_repeated(status: int, scope: str):
    server = Server(*spread(30, 60.0), [(0.0, "running"), (8.0, "failed")])
    denied: list[Call] = []

    def answer(call: Call) -> t.Any:
        is_count = call.query.get("per_page") == ["1"]
        if is_count and not denied and scope in call.query["scope[]"] and server.clock.seconds >= 2.0:
            denied.append(call)
            return reply({"message": f"{status} No"}, status=status)
        return server._answer(call)

    options = {"pipeline_id": 6, "wait": True, "wait_for": ["success"], "wait_interval": 1.0}
    outcome = run_task(gitlab_job_info.TASK, options, transport=FunctionTransport(answer), clock=server.clock)
    assert denied and "'job 30' (id 31) ended as failed" in outcome.failure
    # the failure is noticed soon (pauses are random), not only at the next listing of all jobs
    assert server.clock.seconds < 20


def test_lasting_denial_of_counts_fails_the_task():
    server = Server(*spread(30, 12.0))
    options = {"pipeline_id": 6, "wait": True, "api_retries": 0}
    with pytest.raises(errors.NotAuthorizedError, match="403 No"):
        run_task(gitlab_job_info.TASK, options, transport=Failing(server, 403), clock=server.clock)


@pytest.mark.parametrize("manual_at", [300.0, 610.0])
def test_optional_job_that_becomes_manual_does_not_delay_the_end(manual_at: float):
    server = Server(*spread(30, 600.0), [(0.0, "created"), (manual_at, "manual")])
    server.fields = {"allow_failure": True}
    outcome, _progress = wait(server, wait_interval=10.0)
    assert outcome.values["summary"] == {"success": 30, "manual": 1}
    assert server.clock.seconds < 660.0 and len(server.lists) < len(server.counts)
