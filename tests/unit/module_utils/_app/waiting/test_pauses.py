# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting: pauses, targets, statuses that can no longer be reached, and what is recorded meanwhile."""

from __future__ import annotations

import fcntl
import pathlib
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.polls import RecentReads, polling
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.statuses import STATUSES, is_finished
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.nudges import Nudges, Watch
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.loop import Wait
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.pauses import (
    FIRST_REST_SECONDS,
    LONGEST_REST_SECONDS,
    Pauses,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.schedule import finish
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_action import TASK as ACTION
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_info import TASK
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_pipeline_bridges import TASK as BRIDGES
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.waiting import wait_options

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

LIST = "GET /projects/7/pipelines/6/jobs"
UNFINISHED = f"{LIST}?per_page=1&" + "&".join(f"scope[]={status}" for status in STATUSES if not is_finished(status))
PIPELINES = "GET /projects/7/pipelines?ref=main&order_by=id&sort=desc&per_page=20"


def wait(*exchanges, clock=None, progress=None, check_mode=False, **options):
    options = {"pipeline_id": 6, "name": ["deploy"], "wait": True, **options}
    transport = ScriptedTransport(*exchanges)
    return run_task(TASK, options, transport=transport, clock=clock, progress=progress, check_mode=check_mode)


def listed(*statuses):
    return [Exchange(LIST, [job(42, status)]) for status in statuses]


def paused(clock, pauses):
    """Pause and return for how long, or None if no time is left."""
    seconds = pauses.next_seconds()
    if seconds is None:
        return None
    clock.sleep(seconds[0])
    return seconds[0]


def pauses_of(interval, timeout=3600.0, jitter=0.0, count=8):
    clock = FakeClock()
    session = new_session(ScriptedTransport(), {"wait_timeout": timeout}, clock=clock)
    pauses = Pauses(session, interval, jitter=lambda: jitter)
    return [seconds for seconds in (paused(clock, pauses) for _number in range(count)) if seconds is not None]


def test_pauses_grow_by_half_up_to_the_interval():
    assert pauses_of(10.0) == [1.0, 1.5, 2.25, 3.375, 5.0625, 7.59375, 10.0, 10.0]
    assert pauses_of(0.5, count=3) == [0.5, 0.5, 0.5]


def test_jitter_shortens_pauses_by_at_most_a_fifth():
    assert pauses_of(10.0, jitter=1.0, count=2) == pytest.approx([0.8, 1.2])


def test_last_pause_ends_at_the_deadline():
    assert pauses_of(10.0, timeout=4.0) == [1.0, 1.5, 1.5]
    assert pauses_of(10.0, timeout=0.0) == []


def test_change_restarts_with_short_pauses():
    session = new_session(ScriptedTransport())
    pauses = Pauses(session, 10.0, jitter=lambda: 0.0)
    for _number in range(5):
        paused(session.clock, pauses)
    pauses.restart()
    assert paused(session.clock, pauses) == 1.0


def test_only_changes_of_state_are_recorded_and_shown():
    clock, progress = FakeClock(), Progress()
    outcome = wait(
        *listed("created", "created", "manual", "running", "running", "success"), clock=clock, progress=progress
    )
    assert outcome.failure is None
    assert [line.split(" after")[0] for line in progress.lines] == [
        "project 7 deploy: created -> manual",
        "project 7 deploy: manual -> running",
        "project 7 deploy: running -> success",
    ]
    first, *_more, last = outcome.values["timeline"]
    assert first == {
        "at": "2023-11-14T22:13:20.000Z",
        "seconds": 0.0,
        "id": 42,
        "name": "deploy",
        "from": None,
        "to": "created",
    }
    assert (last["from"], last["to"]) == ("running", "success")
    assert last["seconds"] == outcome.values["elapsed"] == pytest.approx(clock.seconds, abs=0.001)


@pytest.mark.parametrize(
    ("targets", "statuses"),
    [
        (["playable"], ["created", "manual"]),
        (["playable"], ["created", "pending"]),
        (["started"], ["manual", "pending", "running"]),
        (["started"], ["failed"]),
        (["finished"], ["running", "canceling", "canceled"]),
        (["success"], ["running", "success"]),
        (["manual", "scheduled"], ["created", "scheduled"]),
        (["running"], ["pending", "running"]),
    ],
)
def test_targets_end_the_wait(targets, statuses):
    outcome = wait(*listed(*statuses), wait_for=targets)
    assert (outcome.failure, outcome.values["job"]["status"]) == (None, statuses[-1])


@pytest.mark.parametrize(
    ("targets", "status", "words"),
    [
        (["success"], "failed", "ended as failed (script_failure) and can no longer become success"),
        (["started"], "skipped", "ended as skipped and can no longer become started"),
        (["playable"], "canceled", "ended as canceled and can no longer become playable"),
        (["manual", "pending"], "success", "ended as success and can no longer become manual or pending"),
    ],
)
def test_unreachable_target_fails_at_once(targets, status, words):
    # a failure counts when it is seen twice
    outcome = wait(*listed("created", status, *[status] * (status == "failed")), wait_for=targets)
    assert outcome.failure == f"job 'deploy' (id 42) {words}"
    assert not outcome.values["timed_out"]


@pytest.mark.parametrize("fail_on", [[], ["canceled", "skipped"]])
@pytest.mark.parametrize("status", ["canceled", "skipped"])
def test_ignored_allowed_failures_exclude_canceled_and_skipped_jobs(status, fail_on):
    allowed = Exchange(LIST, [job(42, status, allow_failure=True)])
    outcome = wait(allowed, wait_for=["success"], fail_on=fail_on, ignore_allowed_failures=True)
    assert outcome.failure == f"job 'deploy' (id 42) ended as {status} and can no longer become success"
    assert wait(allowed, fail_on=fail_on, ignore_allowed_failures=True).failure is None


def test_fail_on_also_applies_without_wait():
    outcome = wait(*listed("failed"), wait=False, fail_on=["failed"])
    assert outcome.failure == "job 'deploy' (id 42) ended as failed (script_failure)"
    assert wait(*listed("failed"), wait=False).failure is None


@pytest.mark.parametrize(("on_timeout", "fails"), [("fail", True), ("continue", False)])
def test_timeout_fails_unless_on_timeout_is_continue(on_timeout, fails):
    clock = FakeClock()
    transport = FunctionTransport(lambda call: [job(42, "running")])
    options = {"pipeline_id": 6, "name": ["deploy"], "wait": True, "wait_timeout": 90.0, "on_timeout": on_timeout}
    outcome = run_task(TASK, options, transport=transport, clock=clock)
    assert bool(outcome.failure) is fails
    assert outcome.values["timed_out"]
    assert outcome.values["job"]["status"] == "running"
    assert clock.seconds == pytest.approx(90.0)
    # 1 s growing by half up to 10 s: about 14 polls
    assert 12 <= len(transport.calls) <= 18


@pytest.mark.parametrize(("on_timeout", "fails"), [("fail", True), ("continue", False)])
def test_timeout_without_any_job_fails_unless_continue(on_timeout, fails):
    def nothing(call):
        return pipeline() if call.path.endswith("/6") else []

    options = {"pipeline_id": 6, "scope": ["manual"], "wait": True, "wait_timeout": 20.0, "on_timeout": on_timeout}
    outcome = run_task(TASK, options, transport=FunctionTransport(nothing))
    assert outcome.values["timed_out"]
    assert bool(outcome.failure) is fails


def test_wait_timeout_of_zero_polls_once():
    outcome = wait(*listed("running"), wait_timeout=0.0)
    assert outcome.values["timed_out"]


def test_pending_timeout_names_the_tags_of_the_job():
    def queued(call):
        return [job(42, "pending", tag_list=["gpu", "linux"], queued_duration=None)]

    options = {"pipeline_id": 6, "name": ["deploy"], "wait": True, "pending_timeout": 30.0}
    outcome = run_task(TASK, options, transport=FunctionTransport(queued))
    assert "has been pending for 3" in outcome.failure
    assert "with the tags gpu, linux" in outcome.failure
    assert not outcome.values["timed_out"]


def test_pending_timeout_uses_the_queue_time_of_gitlab():
    outcome = wait(Exchange(LIST, [job(42, "pending", queued_duration=500.0)]), pending_timeout=300.0)
    assert "has been pending for 500 s" in outcome.failure


def test_pending_timeout_ignores_waiting_for_a_resource():
    assert wait(*listed("waiting_for_resource", "success"), pending_timeout=0.0).failure is None


def test_unknown_status_counts_as_unfinished_and_warns_once():
    outcome = wait(*listed("paused", "paused", "success"))
    assert outcome.failure is None
    assert len(outcome.warnings) == 1
    assert "'paused'" in outcome.warnings[0]


def test_missing_pipeline_is_waited_for_and_then_used():
    none = Exchange(PIPELINES, [])
    outcome = wait(
        none, none, Exchange(PIPELINES, [pipeline()]), *listed("running", "success"), pipeline_id=None, ref="main"
    )
    assert outcome.values["pipeline"]["id"] == 6


@pytest.mark.parametrize("on_timeout", ["fail", "continue"])
@pytest.mark.parametrize("task", [TASK, ACTION, BRIDGES], ids=lambda task: task.name)
def test_wait_for_a_pipeline_that_never_appears_times_out(task, on_timeout):
    options = {"ref": "main", "wait": True, "wait_timeout": 20.0, "on_timeout": on_timeout}
    clock, progress = FakeClock(), Progress(is_shown=True)
    options.update({"action": "play", "name": ["deploy"]} if task is ACTION else {})
    transport = FunctionTransport(lambda call: [])
    outcome = run_task(task, options, transport=transport, clock=clock, progress=progress)
    assert (outcome.changed, outcome.values["timed_out"], outcome.values["elapsed"]) == (False, True, 20.0)
    text = "timed out after 20 s (wait_timeout): there is no pipeline of ref main in project 7"
    assert (outcome.failure or "").startswith(text if on_timeout == "fail" else "")
    assert bool(outcome.failure) is (on_timeout == "fail")
    assert [line for line in progress.others if "pipeline of ref main in project 7" in line][0].startswith(
        "waiting for"
    )
    assert set(outcome.values) == set(task.empty_result)


def test_misspelled_name_is_an_error_at_once():
    with pytest.raises(errors.SelectionError, match="did you mean 'deploy'"):
        wait(*listed("created"), Exchange("GET /projects/7/pipelines/6/trigger_jobs", []), name=["deploi"])


def test_job_that_a_child_pipeline_may_still_create_is_waited_for():
    child = pipeline(16)
    bridges = [[bridge(50, "created", "infra")], [bridge(50, "success", "infra", child)]]

    def answer(call):
        if call.path.endswith("/6/trigger_jobs"):
            return bridges.pop(0) if len(bridges) > 1 else bridges[0]
        return {
            LIST: [job(42, "success", "build")],
            "GET /projects/7/pipelines/6": pipeline(),
            "GET /projects/7/pipelines/16/jobs": [job(62, "success", "apply", pipeline=child)],
            "GET /projects/7/pipelines/16/trigger_jobs": [],
        }[call.line]

    options = {"pipeline_id": 6, "name": ["infra/apply"], "include_downstream": True, "wait": True}
    outcome = run_task(TASK, options, transport=FunctionTransport(answer))
    assert (outcome.failure, outcome.values["job"]["id"]) == (None, 62)


def test_pipeline_of_a_tree_is_read_again_after_waiting():
    child = pipeline(16)
    statuses = ["running", "success"]

    def answer(call):
        if call.path.endswith("/16/jobs"):
            return [job(62, statuses.pop(0), "apply", pipeline=child)]
        return {
            "GET /projects/7/pipelines": [pipeline(status="running")],
            LIST: [job(42, "success", "build")],
            "GET /projects/7/pipelines/6": pipeline(status="success"),
            "GET /projects/7/pipelines/6/trigger_jobs": [bridge(50, "success", "infra", child)],
            "GET /projects/7/pipelines/16/trigger_jobs": [],
        }[call.line]

    options = {"ref": "main", "name": ["infra/apply"], "include_downstream": True, "wait": True}
    outcome = run_task(TASK, options, transport=FunctionTransport(answer))
    assert (outcome.failure, statuses) == (None, [])
    assert outcome.values["pipeline"]["status"] == "success"


def test_retry_by_another_user_is_followed():
    lists = [[job(42, "running")], [job(43, "running"), job(42, "failed")], [job(43, "success"), job(42, "failed")]]
    outcome = wait(*(Exchange(LIST, jobs) for jobs in lists), wait_for=["success"])
    assert (outcome.failure, outcome.values["job"]["id"]) == (None, 43)


def test_unreachable_server_is_waited_for():
    outage = [Exchange(LIST, errors.ConnectError("refused"))] * 12
    assert wait(*listed("running"), *outage, *listed("success"), api_retries=2).failure is None


def test_server_without_totals_is_polled_with_one_list():
    lists = [
        [job(number, status, f"j{number}") for number in range(1, 91)] for status in ("running", "running", "success")
    ]
    first, *others = [Exchange(LIST, jobs) for jobs in lists]
    outcome = wait(first, Exchange(UNFINISHED, [job(1, "running")]), *others, name=["*"])
    assert outcome.values["summary"] == {"success": 90}


def test_check_mode_returns_the_current_state():
    clock = FakeClock()
    outcome = wait(*listed("running"), check_mode=True, clock=clock, wait_for=["success"])
    assert (outcome.failure, outcome.values["job"]["status"], clock.sleeps) == (None, "running", [])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"wait": True, "wait_for": ["done"]},
            "wait_for contains 'done'; did you mean finished?",
        ),
        ({"fail_on": ["broken"]}, "fail_on contains 'broken'"),
        ({"wait_interval": 0}, "wait_interval is 0"),
        ({"wait_interval": -1.0}, "wait_interval is -1"),
        ({"wait": True, "pending_timeout": -1.0}, "pending_timeout is -1"),
        ({"log_lines": -1}, "log_lines is -1"),
    ],
)
def test_invalid_wait_options_are_usage_errors(options, words):
    with pytest.raises(errors.UsageError) as caught:
        wait_options(options)
    assert words in str(caught.value)


def test_wait_options_have_defaults():
    options = wait_options({})
    assert (options.wait, options.targets, options.interval_seconds, options.on_timeout) == (
        False,
        ("finished",),
        10.0,
        "fail",
    )


@pytest.mark.parametrize("answer", [{"status": 502}, {"status": 429, "headers": {"Retry-After": "90"}}], ids=str)
@pytest.mark.parametrize(("on_timeout", "failure"), [("fail", "timed out after 60 s"), ("continue", None)])
def test_server_unreachable_until_the_deadline_is_a_timeout(answer, on_timeout, failure):
    clock = FakeClock()
    answers = iter([reply([job(42, "running")])])
    transport = FunctionTransport(lambda call: next(answers, reply({"message": "away"}, **answer)))
    options = {"pipeline_id": 6, "name": ["deploy"], "wait": True, "wait_timeout": 60.0, "on_timeout": on_timeout}
    outcome = run_task(TASK, options, transport=transport, clock=clock)
    assert outcome.values["timed_out"] is True
    assert outcome.values["elapsed"] == clock.seconds == pytest.approx(60.0, abs=0.01)
    assert (outcome.failure or "").startswith(failure or "") and bool(outcome.failure) == bool(failure)
    assert "Could not refresh the state before the timeout" in outcome.warnings[0]


# ----- polls that share answers -----


class GrowingList(FunctionTransport):
    """A server whose list of jobs grows by one job with each request."""

    def __init__(self):
        super().__init__(lambda call: [job(number) for number in range(1, 1 + len(self.calls))])


def sharing_session(clock):
    session = new_session(GrowingList(), {"wait_timeout": 60.0}, clock=clock)
    session.client.recent = RecentReads(clock)
    return session


def size_of_list(session):
    return len(session.client.list_all("list_pipeline_jobs", project="7", pipeline_id=6))


def test_wait_does_not_reuse_the_answer_of_its_own_last_poll():
    clock = FakeClock()
    session = sharing_session(clock)
    options = wait_options({"wait": True, "wait_for": ["success"], "wait_interval": 0.2})
    waiting = Wait(session, options)
    sizes = []

    def read():
        sizes.append(size_of_list(session))
        return sizes[-1]

    finish(session, waiting.until(read, lambda size: size >= 5), options, "five")
    assert sizes == [1, 2, 3, 4, 5]


def test_poll_after_a_write_does_not_reuse_earlier_answers():
    clock = FakeClock()
    session = sharing_session(clock)
    with polling(float("-inf")):
        assert size_of_list(session) == 1
    clock.sleep(0.1)
    with polling(float("-inf")):
        assert size_of_list(session) == 1
    with pytest.raises(errors.RequestError):
        session.client.call("play_job", project="7", job_id=42)
    clock.sleep(0.1)
    with polling(float("-inf")):
        assert size_of_list(session) == 3


# ----- length of a pause that no nudge ends -----


@pytest.fixture
def watch(tmp_path: pathlib.Path) -> t.Iterator[Watch]:
    path = tmp_path / "nudges"
    with path.open("wb") as source:
        fcntl.flock(source, fcntl.LOCK_EX)
        yield Nudges(str(path), FakeClock()).watch("group/app")


def nudged_pauses(watch: Watch | None, interval: float = 1.0) -> Pauses:
    session = new_session(ScriptedTransport())
    session.watch = watch
    return Pauses(session, interval, may_be_nudged=True, jitter=lambda: 0.0)


def longest(pauses: Pauses) -> float | None:
    seconds = pauses.next_seconds()
    return None if seconds is None else sum(seconds)


def test_nudged_pauses_grow_from_half_a_minute_to_five(watch: Watch) -> None:
    pauses = nudged_pauses(watch)
    seconds = [longest(pauses) for _number in range(9)]
    assert seconds[:3] == [FIRST_REST_SECONDS, 45.0, 67.5]
    assert seconds[-1] == LONGEST_REST_SECONDS
    slow = nudged_pauses(watch, 60.0)
    assert [longest(slow) for _number in range(12)][-1] == LONGEST_REST_SECONDS


@pytest.mark.parametrize("by_nudge", [True, False])
def test_only_the_first_pause_after_a_change_is_short(watch: Watch, by_nudge: bool) -> None:
    pauses = nudged_pauses(watch)
    assert [longest(pauses), longest(pauses)] == [30.0, 45.0]
    if by_nudge:
        assert not pauses.take_nudge()
        watch.is_nudged = True
        assert pauses.take_nudge() and not watch.is_nudged
    else:
        pauses.restart()
    assert [longest(pauses), longest(pauses)] == [1.0, 30.0]


def test_nudged_pause_ends_at_the_deadline(watch: Watch) -> None:
    session = new_session(ScriptedTransport(), {"wait_timeout": 20.0})
    session.watch = watch
    assert longest(Pauses(session, 1.0, may_be_nudged=True)) == 20.0


def test_pauses_stay_short_without_an_event_source(tmp_path: pathlib.Path) -> None:
    for watch in (None, Nudges(str(tmp_path / "none"), FakeClock()).watch("group/app")):
        pauses = nudged_pauses(watch, 10.0)
        assert [longest(pauses), longest(pauses)] == [1.0, 1.5]
        assert not pauses.take_nudge()
