# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting, for any course of events: the polls, their duration, and the timeline."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import GitLabError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.statuses import STATUSES, is_finished
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_action, gitlab_job_info
from hypothesis import assume, given
from hypothesis import strategies as st

from ..harness import FakeClock, FunctionTransport, Progress, job, run_task
from .support import assert_line, examples

REQUEST_SECONDS = 0.25
# Each status, and how many seconds it lasts.
courses = st.lists(
    st.tuples(st.sampled_from([*STATUSES, "brand_new"]), st.one_of(st.floats(0.1, 5.0), st.floats(5.0, 300.0))),
    min_size=1,
    max_size=8,
)


class Course:
    """A job whose status depends only on the clock; each request takes time."""

    def __init__(self, course):
        self.clock = FakeClock()
        self.course = course
        self.polls = []
        self.times = []

    def status(self):
        until = 0.0
        for status, seconds in self.course:
            until += seconds
            if self.clock.seconds < until:
                return status
        return self.course[-1][0]

    def answer(self, call):
        self.times.append(self.clock.seconds)
        status = self.status()
        self.clock.now += REQUEST_SECONDS
        record = job(status=status)
        if call.path.endswith("/trace"):
            return "log"
        if call.path.endswith("/jobs"):
            self.polls.append(status)
            return [record]
        return record


def run_wait(course, **options):
    server, progress = Course(course), Progress()
    transport = FunctionTransport(server.answer)
    outcome = run_task(
        gitlab_job_info.TASK,
        {"pipeline_id": 6, "name": ["deploy"], "wait": True, **options},
        transport=transport,
        clock=server.clock,
        progress=progress,
    )
    return server, outcome, progress


@examples(120)
@given(
    courses,
    st.floats(0.0, 600.0),
    st.one_of(st.floats(1.0, 60.0), st.floats(0.1, 1.0)),
    st.sampled_from([["finished"], ["success"], ["playable"], ["started"], ["running", "success"]]),
)
def test_polls_pauses_and_timeline_stay_within_bounds(course, timeout, interval, targets):
    server, outcome, progress = run_wait(course, wait_timeout=timeout, wait_interval=interval, wait_for=targets)
    clock = server.clock

    # the wait ends at the deadline, or one request later
    assert clock.seconds <= timeout + 2 * REQUEST_SECONDS + 1e-6
    assert outcome.values["elapsed"] == pytest.approx(clock.seconds, abs=0.001)

    # pauses: between 0.8 of the first one and the interval, except the last one, which the deadline cuts
    shortest, longest = 0.8 * min(1.0, interval), interval
    pauses = clock.sleeps
    assert all(pause <= longest + 1e-9 for pause in pauses)
    assert all(pause >= shortest - 1e-9 for pause in pauses[:-1])
    assert len(pauses) <= timeout / shortest + 1
    assert len(server.polls) == len(pauses) + 1
    for index in range(1, len(pauses) - 1):
        # a pause grows by at most half, and is reset only after a change
        grown = pauses[index] <= pauses[index - 1] * 1.5 / 0.8 + 1e-9
        assert grown
        if pauses[index] < pauses[index - 1] * 0.8 - 1e-9:
            assert server.polls[index] != server.polls[index - 1]

    # the timeline: each observed change, once, in order
    changes = [status for index, status in enumerate(server.polls) if index == 0 or status != server.polls[index - 1]]
    timeline = outcome.values["timeline"]
    assert [entry["to"] for entry in timeline] == changes
    assert [entry["from"] for entry in timeline] == [None, *changes[:-1]]
    assert [entry["seconds"] for entry in timeline] == sorted(entry["seconds"] for entry in timeline)
    assert [entry["at"] for entry in timeline] == sorted(entry["at"] for entry in timeline)
    # one line for each change, and one for a job that had failed before
    assert len(progress.lines) == len(changes) - (changes[0] != "failed")

    # the wait ends because the target is reached, can no longer be reached, or because it timed out
    assert outcome.values["timed_out"] == (clock.seconds >= timeout and outcome.values["timed_out"])
    if not outcome.values["timed_out"]:
        last = server.polls[-1]
        assert is_finished(last) or last in targets or targets[0] in ("playable", "started")
    if outcome.failure:
        assert_line(outcome.failure)


@examples(60)
@given(courses, st.floats(1.0, 400.0), st.sampled_from(["play", "retry", "cancel"]), st.integers(1, 4))
def test_action_ends_in_time_and_reads_between_writes(course, timeout, action, attempts):
    assume(course)
    server = Course(course)
    transport = FunctionTransport(server.answer)
    options = {"pipeline_id": 6, "name": ["deploy"], "action": action, "wait": True, "wait_timeout": timeout}
    if action != "cancel":
        options["max_attempts"] = attempts
    try:
        outcome = run_task(gitlab_job_action.TASK, options, transport=transport, clock=server.clock)
    except GitLabError as exc:
        assert_line(str(exc))
    else:
        assert [entry["to"] for entry in outcome.values["timeline"]]
        if outcome.failure:
            assert_line(outcome.failure)
    # after the deadline: the started action, the read that it needs, and the log
    assert server.clock.seconds <= timeout + 8 * REQUEST_SECONDS
    # never two writes without a read in between
    methods = [call.method for call in transport.calls]
    assert ("POST", "POST") not in list(zip(methods, methods[1:]))
