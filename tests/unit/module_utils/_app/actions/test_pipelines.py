# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retrying and canceling a pipeline: whatever the answer, the result reports the effect truly."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.pipelines import PIPELINE_ACTIONS
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.statuses import STATUSES
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_pipeline import TASK

from ....harness import (
    LOST_ANSWERS,
    Exchange,
    FunctionTransport,
    ScriptedTransport,
    job,
    lost,
    pipeline,
    reply,
    run_task,
)

JOBS = "GET /projects/7/pipelines/6/jobs"
ATTEMPTS = f"{JOBS}?include_retried=true"
READ = "GET /projects/7/pipelines/6"
POSTS = {"retry": "POST /projects/7/pipelines/6/retry", "cancel": "POST /projects/7/pipelines/6/cancel"}
OK = {"retry": 201, "cancel": 200}
# the job before and after the effect
BEFORE = {"retry": job(42, "failed"), "cancel": job(42, "running")}
AFTER = {"retry": job(43, "pending"), "cancel": job(42, "canceling")}
STATUS = {"retry": "failed", "cancel": "running"}


def state(action, record, status):
    """Return the reads of a pipeline; canceling also affects its trigger jobs."""
    read = [Exchange(READ, pipeline(6, status)), Exchange(ATTEMPTS, [record])]
    return read + [Exchange(f"{READ}/trigger_jobs", [])] if action == "cancel" else read


UNKNOWN_RESULTS = {**LOST_ANSWERS, "a lock": lambda: reply({"message": "409 Conflict: Resource lock"}, status=409)}


def act(action, *exchanges, **options):
    transport = ScriptedTransport(*state(action, BEFORE[action], STATUS[action]), *exchanges)
    return run_task(TASK, {"action": action, "pipeline_id": 6, **options}, transport=transport)


@pytest.mark.parametrize("action", PIPELINE_ACTIONS)
def test_every_status_column_has_a_cell(action):
    assert set(PIPELINE_ACTIONS[action].cells) == {row.column for row in STATUSES.values()}


@pytest.mark.parametrize("unknown_result", UNKNOWN_RESULTS)
@pytest.mark.parametrize("action", POSTS)
def test_lost_answer_after_the_effect_is_a_change(action, unknown_result):
    outcome = act(
        action,
        Exchange(POSTS[action], UNKNOWN_RESULTS[unknown_result]()),
        *state(action, AFTER[action], STATUS[action]),
    )
    assert (outcome.changed, outcome.failure) == (True, None)


@pytest.mark.parametrize("unknown_result", UNKNOWN_RESULTS)
@pytest.mark.parametrize("action", POSTS)
def test_lost_request_is_sent_again(action, unknown_result):
    """The jobs show that nothing was done."""
    outcome = act(
        action,
        Exchange(POSTS[action], UNKNOWN_RESULTS[unknown_result]()),
        *state(action, BEFORE[action], STATUS[action]),
        Exchange(POSTS[action], pipeline(6, STATUS[action]), status=OK[action]),
        *state(action, AFTER[action], "running"),
    )
    assert (outcome.changed, outcome.failure) == (True, None)


def test_one_job_canceled_by_another_user_does_not_prove_the_cancel():
    def both(first, second):
        jobs = Exchange(ATTEMPTS, [job(43, second, "other"), job(42, first)])
        return [Exchange(READ, pipeline(6, "running")), jobs, Exchange(f"{READ}/trigger_jobs", [])]

    outcome = run_task(
        TASK,
        {"action": "cancel", "pipeline_id": 6},
        transport=ScriptedTransport(
            *both("running", "created"),
            Exchange(POSTS["cancel"], lost()),
            *both("canceled", "created"),
            Exchange(POSTS["cancel"], pipeline(6, "running")),
            *both("canceled", "canceled"),
        ),
    )
    assert (outcome.changed, outcome.failure) == (True, None)


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize(
    ("action", "status", "end"), [("retry", "running", "success"), ("cancel", "canceled", "canceled")]
)
def test_pipeline_is_read_again_before_an_unsent_action_is_repeated(action, status, end, done):
    away = [Exchange(POSTS[action], errors.ConnectError("refused"))]
    answer = Exchange(POSTS[action], pipeline(6, STATUS[action]), status=OK[action])
    after = state(action, AFTER[action], status)
    meanwhile = after if done else [*state(action, BEFORE[action], STATUS[action]), answer, *after]
    ended = pipeline(6, end)
    followed = [Exchange(JOBS, [job(44, end, pipeline=ended)]), Exchange(READ, ended)]
    downstream = Exchange(f"{READ}/trigger_jobs", [])
    outcome = act(action, *away, *meanwhile, *followed, downstream, wait=True, api_retries=1)
    assert (outcome.failure, outcome.changed) == (None, not done)


@pytest.mark.parametrize("action", POSTS)
def test_effect_that_appears_between_two_reads_is_a_change(action):
    """A server may still execute a request after its answer was lost."""
    before, after = state(action, BEFORE[action], STATUS[action]), state(action, AFTER[action], "running")
    outcome = act(action, Exchange(POSTS[action], lost()), before[0], *after[1:])
    assert (outcome.changed, outcome.failure) == (True, None)


@pytest.mark.parametrize("is_lost", [False, True])
def test_canceled_jobs_that_another_user_retries_are_a_change(is_lost):
    read = [
        Exchange(READ, pipeline(6, "running")),
        Exchange(ATTEMPTS, [job(43, "pending"), job(42, "canceled")]),
        Exchange(f"{READ}/trigger_jobs", []),
    ]
    outcome = act("cancel", Exchange(POSTS["cancel"], lost() if is_lost else pipeline(6, "running")), *read)
    assert (outcome.changed, outcome.failure, outcome.values["status"]) == (True, None, "running")


def test_jobs_canceled_by_a_lost_request_are_a_change():
    def read(status, *jobs):
        return [
            Exchange(READ, pipeline(6, status)),
            Exchange(ATTEMPTS, list(jobs)),
            Exchange(f"{READ}/trigger_jobs", []),
        ]

    canceled = job(42, "canceled", "lint", allow_failure=True)
    transport = ScriptedTransport(
        *read("running", job(43, "running", "build"), job(42, "running", "lint", allow_failure=True)),
        Exchange(POSTS["cancel"], lost()),
        *read("running", job(43, "running", "build"), canceled),
        Exchange(POSTS["cancel"], pipeline(6, "running")),
        *read("success", job(43, "success", "build"), canceled),
    )
    outcome = run_task(TASK, {"action": "cancel", "pipeline_id": 6}, transport=transport)
    assert (outcome.changed, outcome.failure) == (True, None)


@pytest.mark.parametrize("action", POSTS)
def test_effect_that_appears_late_is_a_change(action):
    outcome = act(
        action,
        Exchange(POSTS[action], pipeline(6, STATUS[action]), status=OK[action]),
        *state(action, BEFORE[action], STATUS[action]),
        *state(action, BEFORE[action], STATUS[action]),
        *state(action, AFTER[action], STATUS[action]),
    )
    assert (outcome.changed, outcome.failure) == (True, None)


@pytest.mark.parametrize("action", POSTS)
def test_accepted_request_without_effect_fails(action):
    outcome = act(
        action,
        Exchange(POSTS[action], pipeline(6, STATUS[action]), status=OK[action]),
        *state(action, BEFORE[action], STATUS[action]) * 3,
    )
    assert not outcome.changed and "GitLab accepted the request, but none of its jobs was" in outcome.failure


def test_pipeline_that_ends_before_the_cancel_is_unchanged():
    outcome = act(
        "cancel",
        Exchange(POSTS["cancel"], pipeline(6, "success")),
        *state("cancel", job(42, "success"), "success") * 3,
    )
    assert (outcome.changed, outcome.failure) == (False, None)


def test_pipeline_that_ends_before_the_cancel_survives_a_denied_read():
    """The first read counts, even if the next one fails."""
    denied = Exchange(READ, {"message": "403 Forbidden"}, status=403)
    outcome = act(
        "cancel",
        Exchange(POSTS["cancel"], pipeline(6, "running")),
        *state("cancel", job(42, "success"), "success"),
        *[denied] * 6,
    )
    assert (outcome.changed, outcome.failure) == (False, None)
    assert (outcome.values["status"], outcome.message) == ("success", "it has already finished with status success")


def test_pipeline_with_active_jobs_needs_no_retry():
    jobs = Exchange(ATTEMPTS, [job(43, "pending"), job(42, "failed")])
    options = {"action": "retry", "pipeline_id": 6}
    outcome = run_task(TASK, options, transport=ScriptedTransport(Exchange(READ, pipeline(6, "failed")), jobs))
    assert (outcome.changed, outcome.failure, outcome.message) == (False, None, "its jobs are already active")


def test_created_job_behind_a_failed_trigger_job_is_not_active():
    """An earlier trigger job has failed, which GitLab does not retry with the pipeline."""
    jobs = Exchange(ATTEMPTS, [job(43, "created"), job(42, "success")])
    options = {"action": "retry", "pipeline_id": 6}
    outcome = run_task(TASK, options, transport=ScriptedTransport(Exchange(READ, pipeline(6, "failed")), jobs))
    assert not outcome.changed and "GitLab does not retry trigger jobs with their pipeline" in outcome.failure


def test_cancel_on_timeout_is_reported_before_the_status_changes():
    def answer(call):
        if call.method == "POST":
            return pipeline(6, "running")
        if call.path.endswith("/jobs"):
            return [job(42, "canceling" if transport.writes else "running")]
        return [] if call.path.endswith("/trigger_jobs") else pipeline(6, "running")

    transport = FunctionTransport(answer)
    options = {"action": "retry", "pipeline_id": 6, "wait": True, "wait_timeout": 20.0, "on_timeout": "cancel"}
    outcome = run_task(TASK, options, transport=transport)
    assert transport.writes == [POSTS["cancel"]]
    assert outcome.changed and outcome.values["timed_out"] and "; the pipeline was canceled" in outcome.failure


def test_suddenly_empty_job_list_proves_nothing():
    empty = [Exchange(READ, pipeline(6, "failed")), Exchange(ATTEMPTS, [])]
    outcome = act("retry", Exchange(POSTS["retry"], lost()), *empty, *state("retry", AFTER["retry"], "running"))
    assert (outcome.changed, outcome.failure) == (True, None)


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ({"id": 7, "permissions": {"project_access": {"access_level": 20}}}, "the Reporter role"),
        ({"id": 7}, "to it, or the user does not have the Developer role in the project (POST"),
        (
            {"id": 7, "permissions": {"project_access": {"access_level": 30}}},
            "usual reason: the ref of the pipeline is protected and the user of the token has no access to it (POST",
        ),
    ],
)
def test_refused_retry_explains_what_to_do(project, words):
    outcome = act(
        "retry",
        Exchange(POSTS["retry"], {"message": "403 Forbidden"}, status=403),
        *state("retry", BEFORE["retry"], "failed"),
        Exchange("GET /projects/7", project),
    )
    assert not outcome.changed and words in outcome.failure
    assert outcome.failure.startswith("pipeline 6 cannot be retried: ")


def test_refusal_of_an_action_done_meanwhile_is_not_a_failure():
    refusal = Exchange(POSTS["cancel"], {"message": "403 Forbidden"}, status=403)
    outcome = act("cancel", refusal, *state("cancel", job(42, "canceled"), "canceled"))
    assert (outcome.changed, outcome.failure) == (False, None)


def test_pipeline_with_invalid_configuration_is_not_retried():
    transport = ScriptedTransport(
        Exchange(READ, pipeline(6, "failed", yaml_errors="jobs:build has no script")), Exchange(ATTEMPTS, [])
    )
    outcome = run_task(TASK, {"action": "retry", "pipeline_id": 6}, transport=transport)
    assert not outcome.changed and "jobs:build has no script" in outcome.failure


def test_unknown_status_is_refused():
    transport = ScriptedTransport(*state("cancel", job(42, "paused"), "paused"))
    outcome = run_task(TASK, {"action": "cancel", "pipeline_id": 6}, transport=transport)
    assert not outcome.changed and "does not know its status 'paused'" in outcome.failure


@pytest.mark.parametrize("after", [("running", "paused"), ("paused", "running")])
def test_unknown_status_after_an_accepted_request_is_named(after):
    status, of_job = after
    reads = state("cancel", job(42, of_job), status) * 3
    outcome = act("cancel", Exchange(POSTS["cancel"], pipeline(6, "running")), *reads)
    assert not outcome.changed and "none of its jobs" not in outcome.failure
    assert "has the status 'paused', which this collection does not know" in outcome.failure


@pytest.mark.parametrize("wait", [False, True])
def test_check_mode_predicts_the_retry_of_a_canceling_pipeline(wait):
    transport = ScriptedTransport(*state("retry", job(42, "canceling"), "canceling"))
    options = {"action": "retry", "pipeline_id": 6, "wait": wait}
    outcome = run_task(TASK, options, transport=transport, check_mode=True)
    assert (outcome.changed, outcome.failure is None) == (wait, wait)
    assert outcome.values["status"] == ("running" if wait else "canceling")


def test_diff_shows_both_states():
    outcome = act(
        "retry",
        Exchange(POSTS["retry"], pipeline(6, "failed"), status=201),
        *state("retry", AFTER["retry"], "running"),
    )
    assert outcome.diff == {"before": "pipeline 6: failed\n", "after": "pipeline 6: running\n"}
