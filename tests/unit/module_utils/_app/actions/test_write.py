# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A write has one effect: whatever its answer, the result reports it truly, and it is never repeated without a read."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace import retry
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.polls import polling
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_action import TASK

from ....harness import (
    LOST_ANSWERS,
    NOT_FOUND,
    Exchange,
    FakeClock,
    FunctionTransport,
    ScriptedTransport,
    bridge,
    job,
    lost,
    reply,
    run_task,
)

JOB = "GET /projects/7/jobs/42"
LIST = "GET /projects/7/pipelines/6/jobs"
PLAY = "POST /projects/7/jobs/42/play"
RETRY = "POST /projects/7/jobs/42/retry"
CANCEL = "POST /projects/7/jobs/42/cancel"
ERASE = "POST /projects/7/jobs/42/erase"
KEEP = "POST /projects/7/jobs/42/artifacts/keep"
DELETE = "DELETE /projects/7/jobs/42/artifacts"
KEPT = {"artifacts": [{"file_type": "archive"}], "artifacts_expire_at": "2027-01-01T00:00:00.000Z"}
KEPT["artifacts_file"] = {"filename": "artifacts.zip", "size": 1}
ERASED = {"erased_at": "2026-01-02T00:00:00.000Z"}


def refused(text, status):
    return reply({"message": text}, status=status)


def act(action, before, *exchanges, **options):
    """Act on job 42 without waiting; return the outcome and its only result."""
    transport = ScriptedTransport(Exchange(LIST, [before]), *exchanges)
    options = {"action": action, "name": ["deploy"], "pipeline_id": 6, **options}
    outcome = run_task(TASK, options, transport=transport)
    return outcome, outcome.values["results"][0]


# action, the job before, the write, what later reads show, ID afterwards
AFTER_THE_EFFECT = [
    ("play", job(), PLAY, [(JOB, job(status="pending"))], 42),
    ("play", job(), PLAY, [(JOB, job(status="success")), (LIST, [job(status="success")])], 42),
    ("retry", job(42, "failed"), RETRY, [(JOB, job(42, "failed")), (LIST, [job(43, "running")])], 43),
    ("cancel", job(42, "running"), CANCEL, [(JOB, job(42, "canceling")), (LIST, [job(42, "canceling")])], 42),
    ("cancel", job(42, "manual"), CANCEL, [(JOB, job(42, "canceled")), (LIST, [job(42, "canceled")])], 42),
    (
        "erase",
        job(42, "failed", **KEPT),
        ERASE,
        [(JOB, job(42, "failed", **ERASED)), (LIST, [job(42, "failed", **ERASED)])],
        42,
    ),
    (
        "delete_artifacts",
        job(42, "failed", **KEPT),
        DELETE,
        [(JOB, job(42, "failed")), (LIST, [job(42, "failed")])],
        42,
    ),
]


@pytest.mark.parametrize("lost_answer", LOST_ANSWERS)
@pytest.mark.parametrize(("action", "before", "line", "reads", "job_id"), AFTER_THE_EFFECT)
def test_lost_answer_after_the_effect_is_a_change(action, before, line, reads, job_id, lost_answer):
    exchanges = [Exchange(line, LOST_ANSWERS[lost_answer]()), *(Exchange(*read) for read in reads)]
    outcome, result = act(action, before, *exchanges)
    assert (outcome.changed, outcome.failure) == (True, None)
    assert result["outcome"] == "applied"
    assert outcome.values["id"] == job_id


NO_CHANGE = [
    ("play", job(), PLAY, [(JOB, job())], job(status="pending")),
    ("retry", job(42, "failed"), RETRY, [(JOB, job(42, "failed")), (LIST, [job(42, "failed")])], job(43, "pending")),
    ("cancel", job(42, "running"), CANCEL, [(JOB, job(42, "running"))], job(42, "canceled")),
    (
        "erase",
        job(42, "failed", **KEPT),
        ERASE,
        [(JOB, job(42, "failed", **KEPT)), (LIST, [job(42, "failed", **KEPT)])],
        job(42, "failed", **ERASED),
    ),
]


@pytest.mark.parametrize("lost_answer", LOST_ANSWERS)
@pytest.mark.parametrize(("action", "before", "line", "reads", "answer"), NO_CHANGE)
def test_lost_request_is_repeated_if_the_job_shows_no_effect(action, before, line, reads, answer, lost_answer):
    status = 200 if action == "play" else 201
    exchanges = [Exchange(line, LOST_ANSWERS[lost_answer]()), *(Exchange(*read) for read in reads)]
    outcome, result = act(action, before, *exchanges, Exchange(line, reply(answer, status=status)))
    assert (outcome.changed, outcome.failure, result["outcome"]) == (True, None, "applied")


def of_old_server(**fields):
    """Return the job as a server before 15.9 returns it, without erased_at."""
    record = job(42, "failed", **fields)
    del record["erased_at"]
    return record


def test_lost_erase_is_proven_by_missing_files_on_an_old_server():
    after = of_old_server()
    reads = [Exchange(JOB, after), Exchange(LIST, [after])]
    outcome, result = act("erase", of_old_server(**KEPT), Exchange(ERASE, lost()), *reads)
    assert (outcome.changed, outcome.failure, result["outcome"]) == (True, None, "applied")


# action, the job before, the write, the job after the effect
DONE_TO_ONE_ATTEMPT = [
    ("cancel", job(42, "running"), CANCEL, job(42, "canceled")),
    ("erase", job(42, "success", **KEPT), ERASE, job(42, "success", **ERASED)),
    ("keep_artifacts", job(42, "success", **KEPT), KEEP, job(42, "success", **{**KEPT, "artifacts_expire_at": None})),
    ("delete_artifacts", job(42, "success", **KEPT), DELETE, job(42, "success")),
]


@pytest.mark.parametrize(("action", "before", "line", "after"), DONE_TO_ONE_ATTEMPT)
def test_lost_action_on_an_old_attempt_is_not_repeated_on_the_newer_one(action, before, line, after):
    reads = [Exchange(JOB, after), Exchange(LIST, [job(43, before["status"], **KEPT)]), Exchange(JOB, after)]
    outcome, result = act(action, before, Exchange(line, lost()), *reads)
    assert (outcome.changed, outcome.failure, result["after"]["id"]) == (True, None, 42)


@pytest.mark.parametrize(("action", "before", "line", "after"), DONE_TO_ONE_ATTEMPT)
def test_newer_attempt_does_not_prove_a_lost_action_on_an_old_one(action, before, line, after):
    old = job(42, "failed", **{**KEPT, "artifacts_expire_at": before["artifacts_expire_at"]})
    reads = [Exchange(JOB, old), Exchange(LIST, [{**after, "id": 43}]), Exchange(JOB, old)]
    outcome, result = act(action, {**before, "artifacts": old["artifacts"]}, Exchange(line, lost()), *reads)
    assert (outcome.changed, result["after"]["id"]) == (False, 43)


def test_user_of_a_canceled_job_proves_a_lost_play():
    after = job(status="canceled", user=ALICE)
    reads = [Exchange(JOB, after), Exchange(LIST, [after]), Exchange(WHO, ALICE)]
    outcome, result = act("play", job(user=BOB), Exchange(PLAY, lost()), *reads)
    assert (outcome.changed, outcome.failure, result["outcome"]) == (True, None, "applied")


def test_job_played_and_canceled_by_another_user_is_refused():
    after = job(status="canceled", user=BOB)
    reads = [Exchange(JOB, after), Exchange(LIST, [after]), Exchange(WHO, ALICE)]
    outcome, result = act("play", job(user={"id": 4}), Exchange(PLAY, lost()), *reads)
    assert (outcome.changed, result["outcome"]) == (False, "refused")
    assert "its status is canceled" in outcome.failure and "another user has played the job since" in outcome.failure


def test_artifacts_erased_by_another_user_are_not_reported_as_kept():
    after = job(42, "success", **ERASED)
    reads = [Exchange(JOB, after), Exchange(LIST, [after])]
    outcome, _result = act("keep_artifacts", job(42, "success", **KEPT), Exchange(KEEP, lost()), *reads)
    assert (outcome.changed, outcome.failure) == (False, None)


def test_lost_keep_artifacts_reads_the_job_before_a_repetition():
    before = job(42, "success", **KEPT)
    newest = Exchange("GET /projects/7/pipelines/6/jobs", [before])
    exchanges = [Exchange(KEEP, lost()), Exchange(JOB, before), newest, Exchange(KEEP, job(42, "success"))]
    outcome, _result = act("keep_artifacts", before, *exchanges)
    assert outcome.changed


@pytest.mark.parametrize("retries", [0, 2])
def test_request_lost_each_time_fails_without_change(retries):
    exchanges = [Exchange(PLAY, lost()), Exchange(JOB, job())] * (retries + 1)
    outcome, result = act("play", job(), *exchanges, api_retries=retries)
    assert (outcome.changed, result["outcome"]) == (False, "failed")
    assert "the connection broke" in outcome.failure


@pytest.mark.parametrize(
    ("action", "before", "line", "reads"),
    [
        ("play", job(), PLAY, [(JOB, job(status="running"))]),
        ("play", job(), PLAY, [(JOB, job(status="success")), (LIST, [job(status="success")])]),
        ("retry", job(42, "failed"), RETRY, [(JOB, job(42, "failed")), (LIST, [job(43, "running")])]),
    ],
)
def test_refusal_because_another_user_was_faster_is_unchanged(action, before, line, reads):
    answer = refused("400 Bad request - Unplayable Job", 400) if action == "play" else refused("403 Forbidden", 403)
    outcome, result = act(action, before, Exchange(line, answer), *(Exchange(*read) for read in reads))
    assert (outcome.changed, outcome.failure, result["outcome"]) == (False, None, "unchanged")


BLOCKED = "403 Forbidden - Your account has been blocked."


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ({"archived": True}, "The project is archived, and an archived project can only be read: unarchive it"),
        (
            {"permissions": {"project_access": {"access_level": 20}, "group_access": {"access_level": 10}}},
            "The user of the token has the Reporter role in the project, but needs Developer",
        ),
        ({"permissions": {"project_access": None, "group_access": {"access_level": 30}}}, "The usual reasons"),
        ({"permissions": {"project_access": None, "group_access": None}}, "The usual reasons"),
        ({}, "The usual reasons"),
        (refused("404 Project Not Found", 404), "The usual reasons"),
    ],
)
def test_refusal_without_a_reason_is_explained_from_the_project(project, words):
    exchanges = [
        Exchange(PLAY, refused("403 Forbidden", 403)),
        Exchange(JOB, job()),
        Exchange("GET /projects/7", project),
    ]
    outcome, result = act("play", job(), *exchanges)
    assert (outcome.changed, result["outcome"]) == (False, "refused")
    assert words in result["reason"]
    assert ("usual reasons" in result["reason"]) == ("usual reasons" in words)


ROLE = "the user does not have the Developer role in the project"
PROTECTED = "the ref or the environment of the job is protected and the user of the token has no access to it"
TAKEN_AWAY = f"The usual reasons: {PROTECTED}, the deployment is outdated"
ARCHIVED = "the job is archived"


@pytest.mark.parametrize(
    ("action", "level", "words"),
    [
        ("play", 0, f"{TAKEN_AWAY}, {ARCHIVED}, or {ROLE} (POST"),
        ("play", 30, f"{TAKEN_AWAY}, or {ARCHIVED} (POST"),
        ("cancel", 0, f"{TAKEN_AWAY}, {ARCHIVED}, or {ROLE} (POST"),
        ("cancel", 40, f"{TAKEN_AWAY}, or {ARCHIVED} (POST"),
        ("retry", 40, f"{TAKEN_AWAY}, or {ARCHIVED} (POST"),
        ("keep_artifacts", 40, f"{TAKEN_AWAY}, or {ARCHIVED} (POST"),
        ("erase", 30, f"{TAKEN_AWAY}, {ARCHIVED}, or another user started the job, so only a Maintainer can"),
        ("delete_artifacts", 0, ". The user of the token needs the Maintainer role in the project (DELETE"),
        ("delete_artifacts", 20, "has the Reporter role in the project, but needs Maintainer"),
        ("delete_artifacts", 30, "has the Developer role in the project, but needs Maintainer"),
        ("delete_artifacts", 40, '"403 Forbidden" for job 42 of project 7 (DELETE'),
    ],
)
def test_refusal_suggests_no_role_that_the_user_has(action, level, words):
    before = {"play": job(), "cancel": job(), "retry": job(42, "failed")}.get(action, job(42, "success", **KEPT))
    line = {
        "play": PLAY,
        "cancel": CANCEL,
        "retry": RETRY,
        "keep_artifacts": KEEP,
        "erase": ERASE,
        "delete_artifacts": DELETE,
    }[action]
    exchanges = [
        Exchange(line, refused("403 Forbidden", 403)),
        *[Exchange(JOB, before), Exchange(LIST, [before])][: 1 if before["status"] == "manual" else 2],
        Exchange("GET /projects/7", {"permissions": {"project_access": {"access_level": level}}}),
    ]
    reason = act(action, before, *exchanges, log_lines=0)[1]["reason"]
    assert words in reason
    assert (ROLE in reason) == (ROLE in words)


@pytest.mark.parametrize("variables", [{}, {"RELEASE": "1"}])
def test_restricted_variables_are_a_reason_only_if_variables_are_set(variables):
    body = {"job_variables_attributes": [{"key": "RELEASE", "value": "1"}]} if variables else None
    exchanges = [
        Exchange(PLAY, refused("403 Forbidden", 403), body=body),
        Exchange(JOB, job()),
        Exchange("GET /projects/7", {}),
    ]
    reason = act("play", job(), *exchanges, job_variables=variables)[1]["reason"]
    setting = "the project does not let the user set job_variables (minimum role to use pipeline variables)"
    assert (setting in reason) == bool(variables)


def test_refusal_with_a_reason_gets_no_usual_reasons():
    _outcome, result = act("play", job(), Exchange(PLAY, refused(BLOCKED, 403)), Exchange(JOB, job()))
    assert (
        'Your account has been blocked." for job 42 of project 7. An administrator of GitLab has to unblock'
        in result["reason"]
    )
    assert "usual reasons" not in result["reason"] and ".." not in result["reason"]


@pytest.mark.parametrize(("status", "text"), [(400, "400 Bad request - Unplayable Job"), (403, BLOCKED[:-1])])
def test_refusal_of_an_unchanged_job_quotes_gitlab(status, text):
    outcome, result = act("play", job(), Exchange(PLAY, refused(text, status)), Exchange(JOB, job()))
    assert (outcome.changed, result["outcome"]) == (False, "refused")
    assert text in outcome.failure
    assert f"status {status}" in outcome.failure


@pytest.mark.parametrize("failure", [lost, lambda: reply("<html>Bad Gateway</html>", status=502)], ids=["lost", "502"])
def test_effect_of_a_write_is_read_at_once_while_others_pause(failure, monkeypatch):
    monkeypatch.setattr(retry, "MAX_PAUSING", 0)
    refusal = Exchange(PLAY, refused("400 Bad request - Unplayable Job", 400))
    reads = [Exchange(JOB, failure()), Exchange(JOB, job(status="pending"))]
    with polling(float("-inf")):
        outcome, result = act("play", job(), refusal, *reads, api_retries=2)
    assert (outcome.failure, result["outcome"]) == (None, "unchanged")


def test_refusal_of_a_job_canceled_meanwhile_names_its_status():
    read = [Exchange(JOB, job(status="canceled")), Exchange(LIST, [job(status="canceled")])]
    outcome, result = act("play", job(), Exchange(PLAY, refused("400 Bad request - Unplayable Job", 400)), *read)
    assert result["outcome"] == "refused"
    assert "its status is canceled" in outcome.failure


def test_lost_play_of_a_job_canceled_meanwhile_may_have_been_done():
    read = [Exchange(JOB, job(status="canceled")), Exchange(LIST, [job(status="canceled")])]
    outcome, result = act("play", job(), Exchange(PLAY, lost()), *read)
    assert (outcome.changed, result["outcome"]) == (False, "refused")
    assert outcome.failure.endswith("an answer was lost, so it may have been done before")


def test_refused_retry_is_decided_again_for_a_newer_failed_attempt():
    outcome, _result = act(
        "retry",
        job(42, "failed"),
        Exchange(RETRY, refused("403 Forbidden - Job is not retryable", 403)),
        Exchange(JOB, job(42, "failed")),
        Exchange(LIST, [job(43, "failed")]),
        Exchange("POST /projects/7/jobs/43/retry", reply(job(44, "pending"), status=201)),
    )
    assert (outcome.changed, outcome.values["id"]) == (True, 44)


def test_earlier_attempt_of_another_user_does_not_prove_a_lost_retry():
    theirs = job(43, "failed", user=BOB)
    again = "POST /projects/7/jobs/43/retry"
    outcome, _result = act(
        "retry",
        job(42, "failed", user=ALICE),
        Exchange(RETRY, refused("403 Forbidden - Job is not retryable", 403)),
        *[Exchange(JOB, job(42, "failed")), Exchange(LIST, [theirs])],
        Exchange(again, lost()),
        *[Exchange("GET /projects/7/jobs/43", theirs), Exchange(LIST, [theirs])],
        Exchange(again, reply(job(44, "pending", user=ALICE), status=201)),
    )
    assert (outcome.changed, outcome.failure, outcome.values["id"]) == (True, None, 44)


def test_trigger_job_retried_by_another_user_is_not_a_change():
    """GitLab does not list earlier attempts of trigger jobs, which may include ours."""
    listed = [Exchange("GET /projects/7/pipelines/6/trigger_jobs", [bridge(51, "running", "deploy", user=BOB)])]
    transport = ScriptedTransport(
        Exchange(LIST, []),
        Exchange(listed[0].line, [bridge(50, "failed", "deploy", user=ALICE)]),
        Exchange("POST /projects/7/jobs/50/retry", lost()),
        *listed,
        Exchange(WHO, ALICE),
    )
    options = {"action": "retry", "name": ["deploy"], "pipeline_id": 6}
    outcome = run_task(TASK, options, transport=transport)
    assert (outcome.changed, outcome.values["results"][0]["outcome"]) == (False, "unchanged")


@pytest.mark.parametrize(
    ("action", "line", "stale_lists"), [("retry", RETRY, 0), ("play", PLAY, 3)], ids=["retry", "play of an ended job"]
)
def test_accepted_retry_that_failed_again_is_not_repeated(action, line, stale_lists):
    """The answer contains the previous attempt, and the new one appears late."""
    ended = job(42, "failed")

    def answer(call):
        if call.method == "POST":
            return reply(ended, status=201 if action == "retry" else 200)
        if call.line == LIST:
            answer.lists += 1
            return [ended] if answer.lists <= 1 + stale_lists else [job(43, "failed"), ended]
        return ended

    answer.lists = 0
    transport = FunctionTransport(answer)
    options = {"action": action, "name": ["deploy"], "pipeline_id": 6, **({"replay": "failed"} if stale_lists else {})}
    run_task(TASK, options, transport=transport)
    assert transport.writes == [line]


def test_locked_job_is_tried_again():
    lock = refused("409 Conflict: Resource lock", 409)
    outcome, _result = act(
        "play", job(), Exchange(PLAY, lock), Exchange(JOB, job()), Exchange(PLAY, job(status="pending"))
    )
    assert outcome.changed


def test_deleted_job_was_certainly_not_played():
    outcome, result = act(
        "play", job(), Exchange(PLAY, reply(NOT_FOUND, status=404)), Exchange(JOB, reply(NOT_FOUND, status=404))
    )
    assert (outcome.changed, result["outcome"]) == (False, "failed")
    assert "unknown" not in outcome.failure


def test_unreadable_job_after_a_lost_answer_has_an_unknown_outcome():
    exchanges = [Exchange(PLAY, lost()), Exchange(JOB, reply({"message": "401 Unauthorized"}, status=401))]
    outcome, result = act("play", job(), *exchanges, api_retries=0)
    assert result["outcome"] == "failed"
    assert "The outcome is unknown" in outcome.failure


def test_read_errors_after_a_lost_answer_are_retried():
    away = reply("<html>", status=401)
    exchanges = [Exchange(PLAY, lost()), Exchange(JOB, away), Exchange(JOB, away), Exchange(JOB, job(status="pending"))]
    outcome, result = act("play", job(), *exchanges)
    assert (outcome.changed, result["outcome"]) == (True, "applied")


def test_status_401_for_a_write_is_not_followed_by_a_read():
    outcome, result = act("play", job(), Exchange(PLAY, refused("401 Unauthorized", 401)))
    assert (outcome.changed, result["outcome"]) == (False, "failed")


def test_unsent_and_throttled_writes_are_repeated():
    throttled = reply("Retry later", status=429, headers={"Retry-After": "1"})
    exchanges = [Exchange(PLAY, errors.ConnectError("refused")), Exchange(PLAY, throttled)]
    outcome, _result = act("play", job(), *exchanges, Exchange(PLAY, job(status="pending")))
    assert outcome.changed


@pytest.mark.parametrize(
    "second", [lambda: errors.TrustError("TLS"), lambda: reply({"message": "401 Unauthorized"}, status=401)]
)
@pytest.mark.parametrize(("shown", "changed"), [("pending", True), ("manual", False)])
def test_refused_repetition_after_a_lost_answer_reads_the_job_again(second, shown, changed):
    exchanges = [Exchange(PLAY, lost()), Exchange(JOB, job()), Exchange(PLAY, second())]
    outcome, _result = act("play", job(), *exchanges, Exchange(JOB, job(status=shown)), api_retries=1)
    assert (outcome.changed, outcome.failure is None) == (changed, changed)


def test_last_read_after_a_lost_answer_also_waits_for_the_effect():
    clock = FakeClock()
    transport = ScriptedTransport(Exchange(LIST, [job()]), Exchange(PLAY, lost()), Exchange(JOB, job(status="pending")))
    options = {"action": "play", "name": ["deploy"], "pipeline_id": 6, "api_retries": 0}
    assert run_task(TASK, options, transport=transport, clock=clock).changed
    assert len(clock.sleeps) == 1


def test_write_during_maintenance_has_no_effect():
    maintenance = refused("GitLab Maintenance: system is in maintenance mode", 503)
    outcome, result = act("play", job(), Exchange(PLAY, maintenance))
    assert (outcome.changed, result["outcome"]) == (False, "failed")
    assert "The server is in maintenance mode" in outcome.failure


def test_wait_survives_maintenance_and_reads_the_job_again():
    maintenance = refused("GitLab Maintenance: system is in maintenance mode", 503)
    away = [Exchange(CANCEL, maintenance), Exchange(JOB, job(status="running"))] * 8
    ended = [Exchange(JOB, job(status="canceled")), Exchange(LIST, [job(status="canceled")])]
    before = job(status="running")
    outcome, result = act("cancel", before, *away, Exchange(CANCEL, maintenance), *ended, wait=True)
    assert (outcome.changed, outcome.failure, result["outcome"]) == (False, None, "unchanged")


@pytest.mark.parametrize("error", [errors.ConnectError("refused"), errors.TrustError("TLS")])
def test_unreachable_server_fails_a_write_without_change(error):
    outcome, result = act("play", job(), Exchange(PLAY, error), api_retries=0)
    assert (outcome.changed, result["outcome"]) == (False, "failed")


def test_replay_finds_the_new_job_on_an_old_server():
    ended = job(42, "success")
    outcome, result = act(
        "play",
        ended,
        Exchange(PLAY, ended),
        Exchange(JOB, ended),
        Exchange(LIST, [job(43, "pending"), ended]),
        replay="always",
    )
    assert (outcome.changed, outcome.values["id"], result["outcome"]) == (True, 43, "applied")


def test_list_that_lacks_an_accepted_replay_is_read_again():
    ended = job(42, "failed")
    old = [Exchange(JOB, ended), Exchange(LIST, [ended])]
    new = [Exchange(JOB, ended), Exchange(LIST, [job(43, "pending"), ended])]
    outcome, result = act("play", ended, Exchange(PLAY, ended), *old, *old, *new, replay="failed")
    assert (outcome.changed, outcome.values["id"], result["outcome"]) == (True, 43, "applied")


def test_accepted_play_without_effect_fails():
    outcome, result = act("play", job(), Exchange(PLAY, job()), *[Exchange(JOB, job())] * 3)
    assert (outcome.changed, result["outcome"]) == (False, "failed")
    assert "the job is still manual" in outcome.failure


UNKNOWN = job(42, "paused")


@pytest.mark.parametrize(
    ("action", "before", "exchanges"),
    [
        ("cancel", job(42, "running"), [Exchange(CANCEL, UNKNOWN, status=201)]),
        ("play", job(), [Exchange(PLAY, UNKNOWN), *[Exchange(JOB, UNKNOWN), Exchange(LIST, [UNKNOWN])] * 3]),
    ],
)
def test_unknown_status_after_an_accepted_request_is_named(action, before, exchanges):
    outcome, result = act(action, before, *exchanges)
    assert (outcome.changed, result["outcome"]) == (False, "failed")
    assert "but this collection does not know its status 'paused'; the outcome is unknown" in outcome.failure


@pytest.mark.parametrize(
    ("newest", "is_canceled"), [(job(43, "pending"), True), (job(43, "success"), False), (job(42, "failed"), False)]
)
def test_cancel_also_cancels_an_automatic_retry(newest, is_canceled):
    again = [Exchange("POST /projects/7/jobs/43/cancel", job(43, "canceled"), status=201)] if is_canceled else []
    outcome, result = act(
        "cancel",
        job(42, "running"),
        Exchange(CANCEL, job(42, "failed"), status=201),
        Exchange(JOB, job(42, "failed")),
        Exchange(LIST, [newest]),
        *again,
    )
    assert (outcome.changed, outcome.failure) == (is_canceled, None)
    assert result["after"] == ({"id": 43, "status": "canceled"} if is_canceled else {"id": 42, "status": "failed"})


def test_cancel_of_a_repeatedly_failing_job_ends_after_three_requests():
    sent = []

    def answer(call):
        if call.line.endswith("/cancel"):
            sent.append(call.line)
            return reply(job(41 + len(sent), "failed"), status=201)
        newest = job(42 + len(sent), "running")
        return newest if "/jobs/" in call.line else [newest]

    outcome = run_task(TASK, {"action": "cancel", "job_id": 42}, transport=FunctionTransport(answer))
    assert (len(sent), outcome.changed) == (3, False)


@pytest.mark.parametrize(
    ("before", "answered_status", "options", "changed", "outcome"),
    [
        ("running", "success", {}, False, "unchanged"),
        ("running", "canceled", {}, True, "applied"),
        ("running", "canceling", {}, True, "applied"),
        ("running", "running", {}, False, "failed"),
        ("canceling", "canceling", {"force": True}, False, "refused"),
        ("canceling", "canceled", {"force": True}, True, "applied"),
    ],
)
def test_status_in_the_answer_decides_the_outcome_of_cancel(before, answered_status, options, changed, outcome):
    body = {"force": True} if options else None
    answer = reply(job(42, answered_status), status=201)
    done, result = act("cancel", job(42, before), Exchange(CANCEL, answer, body=body), **options)
    assert (done.changed, result["outcome"]) == (changed, outcome)
    assert result["reason"] or changed


def test_force_is_sent_after_the_job_became_canceling():
    canceling = job(42, "canceling")
    outcome, result = act(
        "cancel",
        job(42, "running"),
        Exchange(CANCEL, refused(*LOCK)),
        *[Exchange(JOB, canceling), Exchange(LIST, [canceling])],
        Exchange(CANCEL, reply(job(42, "canceled"), status=201), body={"force": True}),
        force=True,
    )
    assert (outcome.changed, outcome.failure, result["after"]["status"]) == (True, None, "canceled")


def test_erase_of_a_job_with_nothing_to_erase_is_unchanged():
    ended = job(42, "failed")
    refusal = Exchange(ERASE, refused("403 Forbidden - Job is not erasable!", 403))
    outcome, result = act("erase", ended, refusal, Exchange(JOB, ended), Exchange(LIST, [ended]))
    assert (outcome.changed, outcome.failure, result["outcome"]) == (False, None, "unchanged")


@pytest.mark.parametrize(
    ("answer", "pauses"),
    [
        *((lost_answer, 1) for lost_answer in LOST_ANSWERS.values()),
        (lambda: refused("409 Conflict: Resource lock", 409), 1),
        (lambda: refused("400 Bad request - Unplayable Job", 400), 0),
    ],
    ids=[*LOST_ANSWERS, "lock", "refused"],
)
def test_read_after_a_lost_answer_waits_for_the_effect(answer, pauses):
    clock = FakeClock()
    sleeps_before_reads = []

    def server(call):
        if call.method == "POST":
            return answer()
        if call.line == JOB:
            sleeps_before_reads.append(len(clock.sleeps))
            return job(status="pending", user={"id": 2})
        return {"id": 2} if call.path == "/user" else [job()]

    options = {"action": "play", "name": ["deploy"], "pipeline_id": 6}
    run_task(TASK, options, transport=FunctionTransport(server), clock=clock)
    assert sleeps_before_reads[0] == pauses


def test_no_write_is_repeated_past_the_deadline():
    clock = FakeClock()
    transport = ScriptedTransport(
        Exchange(LIST, [job()]), Exchange(PLAY, refused("409 Conflict", 409)), Exchange(JOB, job())
    )
    options = {"action": "play", "name": ["deploy"], "pipeline_id": 6, "wait_timeout": 0.0}
    outcome = run_task(TASK, options, transport=transport, clock=clock)
    assert "409 Conflict" in outcome.failure
    assert clock.sleeps == []


# ----- rejected, but executed -----

ALICE, BOB = {"id": 2, "username": "alice"}, {"id": 3, "username": "bob"}
WHO = "GET /user"
LOCK = ("409 Conflict: Resource lock", 409)


@pytest.mark.parametrize(
    ("action", "before", "line", "reads"),
    [
        ("play", job(user=BOB), PLAY, [(JOB, job(status="pending", user=ALICE))]),
        ("play", job(user=ALICE), PLAY, [(JOB, job(status="running", user=ALICE))]),
        (
            "retry",
            job(42, "failed", user=BOB),
            RETRY,
            [(JOB, job(42, "failed", user=BOB)), (LIST, [job(43, "pending", user=ALICE)])],
        ),
    ],
)
def test_refused_action_done_by_the_same_user_is_a_change(action, before, line, reads):
    exchanges = [Exchange(line, refused(*LOCK)), *(Exchange(*read) for read in reads), Exchange(WHO, ALICE)]
    outcome, result = act(action, before, *exchanges)
    assert (outcome.changed, outcome.failure, result["outcome"]) == (True, None, "applied")
    assert result["reason"].startswith("GitLab refused the request, but the job shows that the user of the token")


@pytest.mark.parametrize("who", [BOB, refused("403 Forbidden", 403), {"id": None}], ids=["bob", "refused", "no id"])
def test_refused_action_done_by_another_user_is_not_a_change(who):
    played = job(status="pending", user=ALICE)
    outcome, result = act(
        "play", job(user=BOB), Exchange(PLAY, refused(*LOCK)), Exchange(JOB, played), Exchange(WHO, who)
    )
    assert (outcome.changed, outcome.failure, result["outcome"]) == (False, None, "unchanged")


def test_refused_action_done_by_another_task_is_not_a_change():
    played = job(status="pending", user=ALICE)
    outcome, result = act("play", job(user=BOB), Exchange(PLAY, refused("Unplayable Job", 400)), Exchange(JOB, played))
    assert (outcome.changed, outcome.failure, result["outcome"]) == (False, None, "unchanged")


def test_user_of_the_token_is_not_read_if_nothing_was_done():
    project = Exchange("GET /projects/7", {"id": 7, "archived": False})
    act("play", job(user=BOB), Exchange(PLAY, refused("403 Forbidden", 403)), Exchange(JOB, job(user=BOB)), project)
