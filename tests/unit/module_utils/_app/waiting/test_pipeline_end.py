# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a pipeline has ended and what the task returns, on a clock that advances only by sleeping."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_pipeline_info import TASK

from ....harness import FakeClock, FunctionTransport, Progress, job, pipeline, run_task

JOBS, READ = "GET /projects/7/pipelines/6/jobs", "GET /projects/7/pipelines/6"


class Course:
    """A pipeline over time: its status and jobs at each listing; the last entry repeats.

    :param steps: pairs of the status of the pipeline and its jobs.
    """

    def __init__(self, *steps):
        self.steps = list(steps)
        self.polls = 0
        self.transport = FunctionTransport(self._answer)

    def _answer(self, call):
        status, jobs = self.steps[min(max(self.polls - 1, 0), len(self.steps) - 1)]
        if call.line == JOBS:
            self.polls += 1
            status, jobs = self.steps[min(self.polls - 1, len(self.steps) - 1)]
            if isinstance(jobs, Exception):
                raise jobs
            return [{**record, "pipeline": pipeline(6, status)} for record in jobs]
        if call.line == READ:
            return pipeline(6, status, created_at="x", finished_at="y")
        if call.line.endswith("/trigger_jobs"):
            return []
        if call.line.endswith("/trace"):
            return "line one\nit broke\n"
        raise AssertionError(call.line)


def follow(*steps, clock=None, progress=None, **options):
    course = Course(*steps)
    given = {"pipeline_id": 6, "wait": True, **options}
    outcome = run_task(TASK, given, transport=course.transport, clock=clock, progress=progress)
    return outcome, course


DONE = job(42, "success", "test")
BROKEN = job(42, "failed", "test", stage="test")


def test_one_list_per_poll_shows_jobs_and_pipeline():
    running = ("running", [job(42, "running", "test")])
    outcome, course = follow(running, running, running, ("success", [DONE]))
    assert outcome.failure is None and outcome.values["pipeline"]["status"] == "success"
    assert course.transport.lines.count(JOBS) == 4
    # its own record is read once, when the list shows its end
    assert course.transport.lines.count(READ) == 1


def test_failure_must_be_seen_twice_to_count():
    """GitLab retries the job by itself; the next poll shows the new attempt."""
    outcome, _course = follow(
        ("running", [job(42, "running", "test")]),
        ("failed", [BROKEN]),
        ("running", [job(43, "running", "test"), BROKEN]),
        ("success", [job(43, "success", "test"), BROKEN]),
    )
    assert outcome.failure is None and outcome.values["failed_jobs"] == []


def test_confirmed_failure_is_reported_with_its_log():
    outcome, _course = follow(("running", [job(42, "running", "test")]), ("failed", [BROKEN]))
    assert "pipeline 6 ended as failed" in outcome.failure and "job 'test' (id 42) of stage test" in outcome.failure
    assert "script_failure" in outcome.failure and "it broke" in outcome.failure
    assert outcome.values["failed_jobs"][0]["log_tail"] == ["line one", "it broke"]


def test_stale_pipeline_status_is_ignored_while_jobs_run():
    outcome, course = follow(
        ("failed", [job(43, "pending", "test")]),
        ("failed", [job(43, "running", "test")]),
        ("success", [job(43, "success", "test")]),
    )
    assert outcome.failure is None and course.polls == 3


def test_end_before_the_last_retry_is_ignored():
    """A database replica lags behind for several polls."""
    before = ("failed", [BROKEN])
    outcome, _course = follow(
        ("running", [job(43, "running", "test"), BROKEN]), *[before] * 4, ("success", [job(43, "success", "test")])
    )
    assert outcome.failure is None


def test_job_that_stays_created_does_not_delay_the_end():
    outcome, course = follow(("success", [DONE, job(44, "created", "late")]))
    assert outcome.failure is None and course.polls == 3


def test_manual_job_that_must_be_played_ends_the_wait():
    clock = FakeClock()
    gate = job(43, "manual", "deploy:prod")
    optional = job(44, "manual", "report", allow_failure=True)
    outcome, _course = follow(("manual", [DONE, gate, optional]), clock=clock)
    assert "waits for job 'deploy:prod' (id 43) (manual) to be played" in outcome.failure and clock.seconds < 5
    # a playbook may have canceled the pipeline, which does not change such jobs
    assert "play or cancel it with gitlab_job_action" in outcome.failure and "report" not in outcome.failure
    # a delayed job waits for its timer, not for a user
    delayed = job(45, "scheduled", "deploy:eu")
    assert "deploy:eu" not in follow(("manual", [DONE, gate, delayed]))[0].failure
    outcome, _course = follow(("manual", [DONE, gate]), wait_for=["success", "manual"])
    assert outcome.failure is None


@pytest.mark.parametrize("status", ["failed", "canceled", "skipped"])
def test_wait_for_finished_accepts_ends_not_in_fail_on(status):
    ended = (status, [job(42, status, "test")])
    outcome, _course = follow(ended, wait_for=["finished"])
    assert outcome.failure is None
    outcome, _course = follow(ended, wait_for=["finished"], fail_on=[status])
    assert f"pipeline 6 ended as {status}" in outcome.failure
    outcome, _course = follow(ended)
    assert "can no longer become success" in outcome.failure


def test_pipeline_without_jobs_is_not_a_success():
    outcome, _course = follow(("skipped", []))
    assert "ended as skipped" in outcome.failure and "no jobs" in outcome.failure


def test_unknown_status_is_waited_for():
    clock = FakeClock()
    outcome, _course = follow(("paused", [job(42, "paused", "test")]), clock=clock, wait_timeout=30)
    assert outcome.values["timed_out"] and "still paused" in outcome.failure
    assert any("'paused'" in text for text in outcome.warnings)


def test_lost_answer_does_not_end_the_wait():
    running = ("running", [job(42, "running", "test")])
    outcome, _course = follow(running, ("running", errors.LostAnswerError("gone")), running, ("success", [DONE]))
    assert outcome.failure is None


def test_progress_shows_changes_of_jobs_and_pipeline():
    progress = Progress(is_shown=True)
    follow(
        ("created", [job(42, "created", "test")]),
        ("running", [job(42, "running", "test", started_at=None)]),
        ("success", [DONE]),
        progress=progress,
    )
    assert [line.partition(" after")[0].partition(" (")[0] for line in progress.lines] == [
        "project 7 test: created -> running",
        "project 7 pipeline 6: created -> running",
        "project 7 test: running -> success",
        "project 7 pipeline 6: running -> success",
    ]


def many_jobs(status, *more):
    return [*(job(100 + number, status, f"test {number}") for number in range(30)), *more]


@pytest.mark.parametrize("is_shown", [True, False])
def test_large_pipeline_is_polled_by_its_own_record(is_shown):
    """Its jobs are listed when it stops, and occasionally to show progress."""
    course = Course(("running", many_jobs("running")))
    polls = 0

    def answer(call):
        nonlocal polls
        if call.line == READ:
            polls += 1
            if polls == 12:
                course.steps = [("success", many_jobs("success"))]
        return course._answer(call)

    transport = FunctionTransport(answer)
    given = {"pipeline_id": 6, "wait": True}
    outcome = run_task(TASK, given, transport=transport, progress=Progress(is_shown=is_shown))
    assert outcome.failure is None and outcome.values["summary"] == {"success": 30}
    assert transport.lines.count(JOBS) == (5 if is_shown else 2)


def test_pending_timeout_lists_the_jobs():
    outcome, course = follow(("running", many_jobs("pending")), pending_timeout=30)
    assert "has been pending for" in outcome.failure and READ not in course.transport.lines[:-2]


def test_without_wait_everything_is_read_once():
    outcome, course = follow(("running", [job(42, "running", "test"), job(41, "failed", "lint")]), wait=False)
    assert outcome.failure is None and course.polls == 1
    assert outcome.values["summary"] == {"running": 1, "failed": 1}
    assert [one["name"] for one in outcome.values["failed_jobs"]] == ["lint"]


@pytest.mark.parametrize(("status", "continuing"), [("created", True), ("success", False)])
def test_interruption_names_a_pipeline_without_known_jobs(status, continuing):
    progress = Progress(is_shown=True)
    follow((status, []), progress=progress, wait_timeout=30.0)
    url = pipeline()["web_url"]
    assert progress.left == ([f"project 7 pipeline 6 is {status} and continues: {url}"] if continuing else [])
