# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Additional data about a pipeline: an empty answer differs from a missing one."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_pipeline_info import TASK

from ....harness import FakeClock, FunctionTransport, job, pipeline, reply, run_task

OPTIONS = {"pipeline_id": 6, "include": ["downstream"]}


def below(answer):
    """Return a server with a pipeline of one job, which answers requests for trigger jobs like this."""

    def respond(call):
        if call.path.endswith(("/trigger_jobs", "/bridges")):
            return answer
        made = pipeline(6, "success")
        return [job(42, "success", pipeline=made)] if call.path.endswith("/jobs") else made

    return FunctionTransport(respond)


def test_no_downstream_pipelines_are_an_empty_list():
    outcome = run_task(TASK, OPTIONS, transport=below([]))
    assert (outcome.values["downstream_pipelines"], outcome.warnings) == ([], [])


@pytest.mark.parametrize("options", [OPTIONS, {**OPTIONS, "wait": True}, {"pipeline_id": 6, "wait": True}], ids=str)
def test_the_downstream_pipelines_are_looked_for_once(options):
    transport = below([])
    outcome = run_task(TASK, options, transport=transport)
    assert sum(line.endswith("/trigger_jobs") for line in transport.lines) == 1
    assert outcome.values["downstream_pipelines"] == ([] if "include" in options else None)


def test_a_server_that_fails_to_tell_does_not_spoil_what_was_waited_for():
    options = {**OPTIONS, "wait": True, "api_retries": 0}
    outcome = run_task(TASK, options, transport=below(reply({"message": "500"}, status=500)))
    assert (outcome.failure, outcome.values["downstream_pipelines"]) == (None, None)
    assert ["downstream pipelines of the pipeline cannot be read" in text for text in outcome.warnings] == [True]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_downstream_pipelines_that_may_not_be_read_are_null_with_a_warning(status):
    outcome = run_task(TASK, OPTIONS, transport=below(reply({"message": "denied"}, status=status)))
    assert outcome.failure is None and outcome.values["downstream_pipelines"] is None
    assert ["downstream pipelines of the pipeline cannot be read" in text for text in outcome.warnings] == [True]


def test_a_server_that_fails_to_tell_is_an_error():
    with pytest.raises(errors.ServerError):
        run_task(TASK, OPTIONS, transport=below(reply({"message": "500"}, status=500)))


@pytest.mark.parametrize(("status", "error"), [(403, errors.NotAuthorizedError), (404, errors.NotFoundError)])
@pytest.mark.parametrize("check_mode", [False, True])
def test_jobs_that_may_not_be_read_are_told_at_once_by_a_task_that_does_not_wait(status, error, check_mode):
    clock = FakeClock()

    def denied(call):
        return reply({"message": "denied"}, status=status) if call.path.endswith("/jobs") else [pipeline()]

    options = {"ref": "main", "wait": check_mode}
    with pytest.raises(error):
        run_task(TASK, options, transport=FunctionTransport(denied), clock=clock, check_mode=check_mode)
    assert clock.sleeps == []


def test_a_pipeline_of_which_only_the_id_is_known_is_named_when_the_time_is_up():
    clock = FakeClock()

    def hangs(call):
        clock.sleep(30.0)
        raise errors.LostAnswerError("no answer")

    options = {"pipeline_id": 6, "wait": True, "wait_timeout": 30.0}
    outcome = run_task(TASK, options, transport=FunctionTransport(hangs), clock=clock)
    assert outcome.values["timed_out"] and outcome.values["pipeline"] is None
    text = "timed out after 30 s (wait_timeout), waiting for pipeline 6 of project 7: no answer"
    assert outcome.failure.startswith(text)


@pytest.mark.parametrize("seconds", [1.0, 30.0])
def test_a_server_that_asks_for_a_longer_pause_than_there_is_time_for(seconds):
    """It is an error immediately while time is left; at the deadline, it is a timeout like any other."""
    clock = FakeClock()

    def throttles(call):
        clock.sleep(seconds)
        return reply("Retry later\n", status=429, headers={"Retry-After": "60"})

    options = {"pipeline_id": 6, "wait": True, "wait_timeout": 30.0, "on_timeout": "continue"}
    if seconds == 30.0:
        outcome = run_task(TASK, options, transport=FunctionTransport(throttles), clock=clock)
        assert outcome.values["timed_out"] and outcome.failure is None
    else:
        with pytest.raises(errors.ThrottledError, match="asks to wait for 60 s, longer than the time that is left"):
            run_task(TASK, options, transport=FunctionTransport(throttles), clock=clock)
    assert clock.seconds == seconds
