# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Acting and following: waiting until a job can be played, its end, its retries, and timeouts."""

from __future__ import annotations

import re

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.act import ActionRun
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.decisions import ActionRequest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.query import JobQuery
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.pipelines.query import PipelineQuery
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.options import WaitOptions
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.hookspecs import hookimpl
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_action import TASK

from ....harness import (
    Exchange,
    FakeClock,
    FunctionTransport,
    Progress,
    ScriptedTransport,
    bridge,
    job,
    new_session,
    pipeline,
    reply,
    run_task,
)

JOB = "GET /projects/7/jobs/42"
LIST = "GET /projects/7/pipelines/6/jobs"
PLAY = "POST /projects/7/jobs/42/play"
RETRY = "POST /projects/7/jobs/42/retry"
LOG = "GET /projects/7/jobs/42/trace"
BASE = {"action": "play", "name": ["deploy"], "pipeline_id": 6, "wait": True, "log_lines": 0}


def act(*exchanges, clock=None, progress=None, check_mode=False, **options):
    return run_task(
        TASK,
        {**BASE, **options},
        transport=ScriptedTransport(*exchanges),
        clock=clock,
        progress=progress,
        check_mode=check_mode,
    )


def ended(status, job_id=42, **fields):
    """Return the reads by which a single job's end is known; they are repeated before a failure counts."""
    record = job(job_id, status, **fields)
    reads = [Exchange(f"GET /projects/7/jobs/{job_id}", record), Exchange(LIST, [record])]
    return reads * 2 if status == "failed" else reads


PLAYED = Exchange(PLAY, job(status="pending"))


def test_job_is_waited_for_played_once_and_followed():
    progress = Progress()
    runner = {"id": 1, "description": "X"}
    outcome = act(
        Exchange(LIST, [job(status="created")]),
        Exchange(JOB, job(status="created")),
        Exchange(JOB, job(status="manual")),
        PLAYED,
        Exchange(JOB, job(status="pending")),
        Exchange(JOB, job(status="running", runner=runner)),
        *ended("success"),
        progress=progress,
    )
    assert (outcome.changed, outcome.failure, outcome.values["timed_out"]) == (True, None, False)
    assert outcome.values["status"] == "success"
    assert [entry["to"] for entry in outcome.values["timeline"]] == [
        "created",
        "manual",
        "pending",
        "running",
        "success",
    ]
    assert [entry["from"] for entry in outcome.values["timeline"]][:2] == [None, "created"]
    assert progress.lines[1] == "project 7 deploy: manual -> pending (played)"
    assert progress.lines[2].startswith("project 7 deploy: pending -> running after ")
    assert progress.lines[2].endswith(" s on runner X")
    assert outcome.values["results"][0]["before"] == {"id": 42, "status": "created"}


def test_running_job_is_only_followed():
    outcome = act(Exchange(LIST, [job(status="running")]), *ended("success"))
    assert (outcome.changed, outcome.failure, outcome.values["status"]) == (False, None, "success")


def test_finished_job_is_not_read_again():
    assert not act(Exchange(LIST, [job(status="success")])).changed


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_unsuccessful_end_of_a_played_job_fails_the_task(status):
    outcome = act(Exchange(LIST, [job()]), PLAYED, *ended(status))
    assert outcome.changed
    reason = " (script_failure)" if status == "failed" else ""
    assert outcome.failure == f"job 'deploy' (id 42) ended as {status}{reason}"
    assert outcome.values["results"][0]["outcome"] == "failed"


def test_failure_contains_the_log_tail():
    lines = [Exchange(LIST, [job()]), PLAYED, *ended("failed"), Exchange(LOG, "one\n\x1b[31mtwo\x1b[0m\nthree\n")]
    outcome = act(*lines, log_lines=2)
    assert outcome.values["jobs"][0]["log_tail"] == ["two", "three"]
    assert outcome.failure.endswith("Its log ends with: three")


def test_unreadable_log_does_not_hide_the_failure():
    refusal = Exchange(LOG, reply({"message": "403 Forbidden"}, status=403))
    outcome = act(Exchange(LIST, [job()]), PLAYED, *ended("failed"), refusal, log_lines=2)
    assert "ended as failed (script_failure)" in outcome.failure
    assert "cannot be read" in outcome.warnings[0]


@pytest.mark.parametrize(("ignore", "fails"), [(False, True), (True, False)])
def test_allowed_failure_fails_unless_it_is_ignored(ignore, fails):
    outcome = act(Exchange(LIST, [job()]), PLAYED, *ended("failed", allow_failure=True), ignore_allowed_failures=ignore)
    assert bool(outcome.failure) is fails


def test_status_omitted_from_fail_on_does_not_fail():
    assert act(Exchange(LIST, [job()]), PLAYED, *ended("failed"), fail_on=["canceled"]).failure is None


def test_retry_by_another_user_is_followed():
    outcome = act(
        Exchange(LIST, [job()]),
        PLAYED,
        Exchange(JOB, job(status="failed")),
        Exchange(LIST, [job(43, "running"), job(42, "failed")]),
        *ended("success", 43),
    )
    assert (outcome.failure, outcome.values["id"]) == (None, 43)


def test_cancel_waits_until_the_job_is_canceled():
    outcome = act(
        Exchange(LIST, [job(status="running")]),
        Exchange("POST /projects/7/jobs/42/cancel", reply(job(status="canceling"), status=201)),
        *ended("canceling"),
        *ended("canceled"),
        action="cancel",
    )
    assert (outcome.changed, outcome.failure, outcome.values["status"]) == (True, None, "canceled")


def test_retry_waits_until_the_job_is_canceled():
    outcome = act(
        Exchange(LIST, [job(status="canceling")]),
        *ended("canceled"),
        Exchange(RETRY, reply(job(43, "pending"), status=201)),
        *ended("success", 43),
        action="retry",
    )
    assert (outcome.changed, outcome.failure, outcome.values["id"]) == (True, None, 43)


def test_canceling_job_without_attempts_left_is_refused_at_once():
    attempts = [job(43, "canceling"), job(42, "failed")]
    lines = [Exchange(LIST, attempts[:1]), Exchange(LIST + "?include_retried=true", attempts)]
    outcome = act(*lines, action="retry", max_attempts=2)
    assert not outcome.changed and "it has already had 2 attempts" in outcome.failure


def test_erase_does_not_wait():
    erased = job(status="success", erased_at="2026-01-02T00:00:00.000Z")
    answer = Exchange("POST /projects/7/jobs/42/erase", reply(erased, status=201))
    assert act(Exchange(LIST, [job(status="success")]), answer, action="erase").changed


def test_job_skipped_while_waiting_is_refused_with_the_cause():
    failed = job(41, "failed", "build", stage="build")
    outcome = act(
        Exchange(LIST, [job(status="created"), job(41, "running", "build", stage="build")]),
        *ended("skipped"),
        Exchange(LIST, [job(status="skipped"), failed]),
    )
    assert not outcome.changed
    assert "cannot be played: it was skipped" in outcome.failure
    # the earlier job had not failed when the task began
    assert "retry the failed or canceled jobs before it: job 'build' (id 41) of stage build" in outcome.failure


def test_skipped_jobs_of_two_pipelines_name_their_own_causes():

    def answer(call):
        if call.path.endswith("/trigger_jobs"):
            return [bridge(50, "running", "child", downstream=pipeline(8))] if "/6/" in call.path else []
        if call.path.endswith("/jobs"):
            begin, name = (40, "build") if call.line == LIST else (60, "compile")
            is_over = any("/jobs/" in line for line in transport.lines)
            failed = job(begin + 1, "failed" if is_over else "running", name, stage="build")
            return [job(begin + 2, "skipped" if is_over else "created"), failed]
        return job(int(call.path[-2:]), "skipped") if "/jobs/" in call.path else pipeline()

    transport = FunctionTransport(answer)
    options = {**BASE, "name": ["**/deploy"], "include_downstream": True, "multiple": "all"}
    outcome = run_task(TASK, options, transport=transport)
    assert "job 'build' (id 41) of stage build" in outcome.failure
    assert "job 'compile' (id 61) of stage build" in outcome.failure


@pytest.mark.parametrize(
    ("before", "cause"),
    [
        (job(41, "pending", "gpu", stage="build", tag_list=["gpu"]),
         "; before it, job 'gpu' (id 41) of stage 'build' is still pending; it requires a runner with the tag gpu."),
        (job(41, "manual", "approve", stage="build"), "; its pipeline waits for manual jobs to be played: 'approve'."),
        (job(41, "manual", "maybe", stage="build", allow_failure=True), "."),
        (job(41, "running", "other"), "."),
    ],
    ids=["missing runner", "manual job", "optional manual job", "job of the same stage"],
)  # fmt: skip
@pytest.mark.parametrize("on_timeout", ["fail", "continue"])
def test_timeout_explains_what_a_created_job_waits_for(before, cause, on_timeout):
    def answer(call):
        found = job(status="created")
        return found if call.line == JOB else [found, before]

    outcome = run_task(
        TASK, {**BASE, "wait_timeout": 30.0, "on_timeout": on_timeout}, transport=FunctionTransport(answer)
    )
    result = outcome.values["results"][0]
    assert (outcome.changed, outcome.values["timed_out"]) == (False, True)
    assert f"{result['reason']}.".endswith(f"it is still created, and earlier jobs have not finished yet{cause}")
    assert bool(outcome.failure) == (on_timeout == "fail")


# ----- retries -----


def attempts_server(failures, is_bridge=False, hides_retried=False):
    """Answer like a GitLab on which the job fails this many times and then succeeds."""
    attempts = [42]

    def record(job_id):
        status = "failed" if job_id - 42 < failures else "success"
        return bridge(job_id, status, "deploy") if is_bridge else job(job_id, status)

    def answer(call):
        if call.line.endswith("/play"):
            return {**record(42), "status": "pending"}
        if call.line.endswith("/retry"):
            attempts.append(attempts[-1] + 1)
            return reply({**record(attempts[-1]), "status": "pending"}, status=201)
        if call.line.endswith("/trigger_jobs"):
            return [record(attempts[-1])] if len(transport.writes) else [{**record(42), "status": "manual"}]
        if call.path.startswith("/projects/7/jobs/"):
            return record(int(call.path.rpartition("/")[2]))
        if is_bridge:
            return [job(30, "success", "build")]
        if not transport.writes:
            return [{**record(42), "status": "manual"}]
        if call.query.get("include_retried") and not hides_retried:
            return [record(job_id) for job_id in reversed(attempts)]
        return [record(attempts[-1])]

    transport = FunctionTransport(answer)
    return transport


@pytest.mark.parametrize(
    ("failures", "max_attempts", "writes", "fails"),
    [(0, 3, 1, False), (1, 3, 2, False), (2, 3, 3, False), (9, 3, 3, True), (9, 1, 1, True)],
)
@pytest.mark.parametrize("server", [{}, {"is_bridge": True}, {"hides_retried": True}], ids=["18", "bridge", "13.5"])
def test_failing_job_is_retried_up_to_max_attempts(failures, max_attempts, writes, fails, server):
    transport, progress = attempts_server(failures, **server), Progress()
    outcome = run_task(TASK, {**BASE, "max_attempts": max_attempts}, transport=transport, progress=progress)
    assert transport.writes[0].endswith("/play")
    assert len(transport.writes) == writes
    assert bool(outcome.failure) is fails
    assert outcome.changed
    assert outcome.values["id"] == 41 + writes
    retried = [f"retried, attempt {number} of {max_attempts})" for number in range(2, writes + 1)]
    assert [line.partition(" (")[2] for line in progress.lines if "retried" in line] == retried
    assert (f"; this was the last of {max_attempts} attempts (max_attempts)" in (outcome.failure or "")) is (
        fails and max_attempts > 1
    )


def test_retry_on_limits_which_failures_are_retried():
    transport = attempts_server(9)
    outcome = run_task(TASK, {**BASE, "max_attempts": 3, "retry_on": ["runner_system_failure"]}, transport=transport)
    assert len(transport.writes) == 1
    assert "ended as failed (script_failure)" in outcome.failure


def test_retry_of_a_job_found_running_is_a_change():
    attempts = [job(42, "running"), job(42, "failed"), job(43, "success")]

    def answer(call):
        if call.line == RETRY:
            return reply(job(43, "pending"), status=201)
        seen = len(transport.calls) > 1
        newest = attempts[2 if transport.writes else seen]
        return [newest] if call.line.endswith("/jobs") else newest

    transport = FunctionTransport(answer)
    outcome = run_task(TASK, {**BASE, "max_attempts": 2}, transport=transport)
    assert (outcome.failure, outcome.changed, transport.writes) == (None, True, [RETRY])
    result = outcome.values["results"][0]
    assert (result["outcome"], result["reason"]) == ("applied", "")
    assert (result["before"]["id"], result["after"]["id"]) == (42, 43)


@pytest.mark.parametrize("faults", [1, 9])
@pytest.mark.parametrize("fault", [403, 503])
def test_failed_job_fails_the_task_if_attempts_cannot_be_counted(faults, fault):
    left = [fault] * faults

    def answer(call):
        if call.line == PLAY:
            return job(status="pending")
        if call.query.get("include_retried") and left:
            return reply({"message": "fault"}, status=left.pop())
        record = job(42, "failed" if transport.writes else "manual")
        return record if call.line == JOB else [record]

    transport = FunctionTransport(answer)
    outcome = run_task(TASK, {**BASE, "max_attempts": 2, "retry_on": ["script_failure"]}, transport=transport)
    assert outcome.changed
    assert outcome.failure and outcome.values["results"][0]["outcome"] == "failed"


def retry_by_another_user(other_status, before):
    """Answer like a GitLab on which another user retried the job before us and our answer is lost."""
    ours = {"user": {"id": 1}}

    def answer(call):
        if call.line == "GET /user":
            return {"id": 1}
        if call.line == RETRY:
            return errors.LostAnswerError("lost")
        old = job(42, before.pop(0) if len(before) > 1 else before[0], **ours)
        attempts = [job(43, other_status, user={"id": 2}), job(42, "failed", **ours)] if transport.writes else [old]
        if call.query.get("include_retried"):
            return attempts
        return attempts[:1] if call.line == LIST else attempts[0]

    transport = FunctionTransport(answer)
    return transport


@pytest.mark.parametrize(
    ("before", "options", "last"),
    [
        (["running", "failed"], {"max_attempts": 2}, "; this was the last of 2 attempts (max_attempts)"),
        (["failed"], {"action": "retry"}, ""),
    ],
)
@pytest.mark.parametrize("other_status", ["success", "failed"])
def test_retry_by_another_user_before_a_lost_retry_is_followed(before, options, last, other_status):
    transport = retry_by_another_user(other_status, list(before))
    outcome = run_task(TASK, {**BASE, **options}, transport=transport)
    assert (transport.writes, outcome.values["id"], outcome.changed) == ([RETRY], 43, False)
    failed = f"job 'deploy' (id 43) ended as failed (script_failure){last}"
    assert outcome.failure == (failed if other_status == "failed" else None)


# ----- timeouts -----


def stuck(status, **fields):
    """Answer like a GitLab on which nothing changes after the job was played or canceled."""
    canceled = []

    def answer(call):
        if call.line.endswith("/cancel"):
            canceled.append(True)
        now = "canceled" if canceled else status if transport.writes or status == "created" else "manual"
        record = job(42, now, **fields)
        if call.line.endswith("/jobs"):
            return [record]
        return reply(record, status=201 if call.line.endswith("/cancel") else 200)

    transport = FunctionTransport(answer)
    return transport


@pytest.mark.parametrize(
    ("on_timeout", "writes", "status", "words"),
    [
        ("fail", ["play"], "running", "timed out after 60 s (wait_timeout): it is still running"),
        ("cancel", ["play", "cancel"], "canceled", "it is still running; job 'deploy' was canceled"),
        ("continue", ["play"], "running", None),
    ],
)
def test_on_timeout_decides_what_happens_at_the_timeout(on_timeout, writes, status, words):
    clock, transport = FakeClock(), stuck("running")
    outcome = run_task(TASK, {**BASE, "wait_timeout": 60.0, "on_timeout": on_timeout}, transport=transport, clock=clock)
    assert [line.rpartition("/")[2] for line in transport.writes] == writes
    assert (outcome.changed, outcome.values["timed_out"], outcome.values["status"]) == (True, True, status)
    assert clock.seconds == pytest.approx(60.0)
    assert (words in outcome.failure) if words else outcome.failure is None
    assert outcome.values["elapsed"] == pytest.approx(60.0)


class SlowServer(FunctionTransport):
    """A server with five jobs that run until they are canceled, and with slow answers.

    :param hangs_from: when it stops answering.
    """

    def __init__(self, clock, seconds, hangs_from=float("inf")):
        super().__init__(self._answer)
        self.jobs = {number: job(number, "running", f"job {number}") for number in range(1, 6)}
        self._clock, self._seconds, self._hangs_from = clock, seconds, hangs_from

    def send(self, request, *, timeout_seconds):
        takes = self._seconds if self._clock.seconds < self._hangs_from else float("inf")
        self._clock.now += min(takes, timeout_seconds)
        if takes > timeout_seconds:
            raise errors.LostAnswerError(f"no answer within {timeout_seconds:g} s")
        return super().send(request, timeout_seconds=timeout_seconds)

    def _answer(self, call):
        number = int("0" + call.path.partition("/jobs/")[2].partition("/")[0])
        if call.path.endswith("/cancel"):
            self.jobs[number]["status"] = "canceled"
            return reply(self.jobs[number], status=201)
        if call.path.endswith("/trigger_jobs"):
            return []
        return self.jobs[number] if number else list(reversed(self.jobs.values()))


def cancel_late(clock, transport):
    options = {**BASE, "name": ["job *"], "multiple": "all", "wait_timeout": 20.0, "on_timeout": "cancel"}
    return run_task(TASK, options, transport=transport, clock=clock)


@pytest.mark.parametrize("seconds", [0.1, 0.4, 0.8, 1.5])
def test_cancel_after_the_timeout_gets_the_time_it_needs(seconds):
    clock = FakeClock()
    transport = SlowServer(clock, seconds)
    outcome = cancel_late(clock, transport)
    assert {record["status"] for record in transport.jobs.values()} == {"canceled"} and outcome.changed
    assert len(re.findall(r"it is still running; job '[^']+' was canceled", outcome.failure)) == 5


def test_cancel_after_the_timeout_ends_on_an_unreachable_server():
    clock = FakeClock()
    transport = SlowServer(clock, 0.1, hangs_from=20.0)
    outcome = cancel_late(clock, transport)
    assert " was not canceled: " in outcome.failure
    # five requests at a time on a clock that adds up their durations
    assert 20.0 <= clock.seconds < 20.0 + 5 * 13.0


def test_created_job_that_never_becomes_playable_times_out():
    transport = stuck("created")
    outcome = run_task(TASK, {**BASE, "wait_timeout": 30.0}, transport=transport)
    assert not outcome.changed
    assert "timed out after 30 s (wait_timeout): it is still created" in outcome.failure
    assert transport.writes == []


def test_reason_of_an_extension_to_wait_is_shown_and_in_the_timeout():
    class Hold:
        @hookimpl
        def gitlab_decide_job_action(self, action, decisions):
            return decisions.later("releases are on hold")

    progress = Progress(is_shown=True)
    outcome = run_task(
        TASK,
        {**BASE, "wait_timeout": 60.0},
        transport=stuck("manual"),
        progress=progress,
        extensions={"hold": Hold()},
    )
    assert not outcome.changed
    assert "timed out after 60 s (wait_timeout): it is still manual, and releases are on hold" in outcome.failure
    assert [line for line in progress.others if "still waiting" not in line] == [
        "project 7 deploy: releases are on hold"
    ]


@pytest.mark.parametrize(("status", "lists"), [("pending", 1), ("created", 2)])
def test_pipeline_is_listed_at_the_timeout_only_for_created_jobs(status, lists):
    transport = FunctionTransport(lambda call: [job(status=status)] if call.line == LIST else job(status=status))
    outcome = run_task(TASK, {**BASE, "wait_timeout": 30.0}, transport=transport)
    assert outcome.values["timed_out"] and transport.lines.count(LIST) == lists


def test_extension_can_delay_the_repetition_of_a_lost_request():
    class Hold:
        asked = 0

        @hookimpl
        def gitlab_decide_job_action(self, action, decisions):
            self.asked += 1
            return decisions.later("releases are on hold") if self.asked == 2 else None

    manual = Exchange(JOB, job())
    transport = ScriptedTransport(
        Exchange(LIST, [job()]),
        Exchange(PLAY, errors.LostAnswerError("the connection broke")),
        *[manual] * 3,
        Exchange(PLAY, job(status="pending")),
        Exchange(JOB, job(status="running")),
        *ended("success"),
    )
    outcome = run_task(TASK, BASE, transport=transport, extensions={"hold": Hold()})
    assert (outcome.changed, outcome.failure, outcome.values["status"]) == (True, None, "success")


def test_pending_timeout_fails_with_the_missing_runner():
    clock, transport = FakeClock(), stuck("pending", tag_list=["gpu"])
    outcome = run_task(TASK, {**BASE, "pending_timeout": 20.0}, transport=transport, clock=clock)
    assert f"has been pending for {clock.seconds:.0f} s" in outcome.failure
    assert "a runner with the tag gpu" in outcome.failure
    assert 20.0 <= clock.seconds < 31.0
    assert not outcome.values["timed_out"]


def test_played_job_is_reported_even_if_following_fails():
    denied = Exchange(JOB, reply({"message": "401 Unauthorized"}, status=401))
    outcome = act(Exchange(LIST, [job()]), PLAYED, denied, denied, denied, denied)
    assert outcome.changed
    assert "401 Unauthorized" in outcome.failure
    assert (outcome.values["id"], outcome.values["status"]) == (42, "pending")


@pytest.mark.parametrize(
    "denial",
    [
        reply({"message": "404 Not found"}, status=404),
        reply("<html>", status=302, headers={"Location": "https://login.example.com/"}),
    ],
    ids=["404", "login page"],
)
def test_brief_denial_while_following_is_survived(denial):
    denied = Exchange(JOB, denial)
    outcome = act(Exchange(LIST, [job()]), PLAYED, denied, denied, *ended("success"))
    assert (outcome.failure, outcome.values["status"]) == (None, "success")


def test_server_restart_while_following_is_survived():
    outage = [Exchange(JOB, errors.ConnectError("refused"))] * 3 + [Exchange(JOB, reply("<html>", status=502))] * 6
    outcome = act(Exchange(LIST, [job()]), PLAYED, *outage, *ended("success"), api_retries=1)
    assert (outcome.failure, outcome.values["status"]) == (None, "success")


UNSENT = [
    lambda: errors.ConnectError("refused"),
    lambda: reply("Retry later", status=429, headers={"Retry-After": "600"}),
]


@pytest.mark.parametrize("found", ["running", "manual"])
@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.parametrize("unsent", UNSENT, ids=["unreachable", "throttled"])
def test_job_is_read_again_before_an_unsent_play_is_repeated(unsent, found, retries):
    exchanges = [Exchange(LIST, [job()]), Exchange(PLAY, unsent()), Exchange(JOB, job()), Exchange(PLAY, unsent())]
    exchanges += [Exchange(JOB, job(status=found)), *([PLAYED] if found == "manual" else [])]
    transport = ScriptedTransport(*exchanges, *ended("success"))
    outcome = run_task(TASK, {**BASE, "api_retries": retries}, transport=transport)
    assert (outcome.failure, outcome.changed) == (None, found == "manual")


def test_lasting_outage_ends_with_the_timeout():
    def answer(call):
        if call.method == "POST":
            raise errors.ConnectError("refused")
        return [job()] if call.line == LIST else job()

    clock = FakeClock()
    outcome = run_task(TASK, {**BASE, "wait_timeout": 600.0}, transport=FunctionTransport(answer), clock=clock)
    assert (outcome.changed, clock.seconds <= 600.0) == (False, True)
    assert "refused" in outcome.failure


def test_several_jobs_are_read_with_one_list_per_poll():
    def both(status):
        return [job(43, status, "deploy:b"), job(42, status, "deploy:a")]

    outcome = act(
        Exchange(LIST, both("manual")),
        Exchange("GET /projects/7/pipelines/6/trigger_jobs", []),
        Exchange("POST /projects/7/jobs/43/play", job(43, "pending", "deploy:b")),
        Exchange("POST /projects/7/jobs/42/play", job(42, "pending", "deploy:a")),
        Exchange(LIST, both("running")),
        *[Exchange(LIST, [job(43, "failed", "deploy:b"), job(42, "running", "deploy:a")])] * 2,
        *ended("success", name="deploy:a"),
        name=["deploy:*"],
        multiple="all",
    )
    assert {result["name"]: result["outcome"] for result in outcome.values["results"]} == {
        "deploy:b": "failed",
        "deploy:a": "applied",
    }
    assert outcome.failure == "job 'deploy:b' (id 43) ended as failed (script_failure)"


def test_pipeline_state_comes_from_the_job_read_last():
    def both(first, second, of_pipeline):
        of = {"pipeline": pipeline(6, of_pipeline)}
        return [job(43, first, "deploy:b", **of), job(42, second, "deploy:a", **of)]

    outcome = act(
        Exchange(LIST, both("running", "running", "running")),
        Exchange("GET /projects/7/pipelines/6/trigger_jobs", []),
        Exchange(LIST, both("success", "running", "running")),
        Exchange(JOB, both("success", "success", "success")[1]),
        Exchange(LIST, both("success", "success", "success")),
        name=["deploy:*"],
        multiple="all",
    )
    assert (outcome.failure, outcome.values["pipeline"]["status"]) == (None, "success")


def test_check_mode_does_not_wait():
    clock = FakeClock()
    outcome = act(Exchange(LIST, [job(status="running")]), check_mode=True, clock=clock)
    assert (outcome.changed, clock.sleeps) == (False, [])


def test_missing_pipeline_is_waited_for():
    newest = "GET /projects/7/pipelines?ref=main&order_by=id&sort=desc&per_page=20"
    outcome = act(
        Exchange(newest, []),
        Exchange(newest, [pipeline()]),
        Exchange(LIST, [job(42)]),
        PLAYED,
        *ended("success"),
        pipeline_id=None,
        ref="main",
    )
    assert (outcome.changed, outcome.values["status"]) == (True, "success")


def test_refused_retry_is_reported_with_the_failure():
    refused = reply({"message": "403 Forbidden"}, status=403)
    played = []

    def answer(call):
        if call.method == "POST":
            played.append(call.line)
            return job(status="pending") if call.line == PLAY else refused
        record = job(42, "failed" if played else "manual")
        return record if call.line == JOB else [record]

    transport = FunctionTransport(answer)
    outcome = run_task(TASK, {**BASE, "max_attempts": 2, "api_retries": 0}, transport=transport)
    assert "ended as failed (script_failure), and could not be retried: " in outcome.failure
    assert "403 Forbidden" in outcome.failure
    assert transport.writes == [PLAY, RETRY]
    assert outcome.changed


def test_only_the_first_poll_after_a_play_is_urgent():
    exchanges = [Exchange(LIST, [job(status="manual")]), PLAYED, *[Exchange(JOB, job(status="running"))] * 2]
    session = new_session(ScriptedTransport(*exchanges, *ended("success")))
    query = JobQuery(PipelineQuery("7", pipeline_id=6), names=("deploy",))
    steps = ActionRun(session, query, ActionRequest("play"), WaitOptions(wait=True)).run()
    pauses = []
    for pause in steps:
        pauses.append(pause.is_urgent)
        session.clock.sleep(pause.seconds)
    assert pauses == [True, False, False]
