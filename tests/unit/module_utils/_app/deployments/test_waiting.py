# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs whose deployment waits for approvals: refused, or played once after a wait."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.polls import RecentReads, polling
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.deployments.waiting import ApprovalWait
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.query import FoundJob
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.writes.decision import Decision
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_action import TASK

from ....harness import (
    NO_ROUTE,
    Exchange,
    FakeClock,
    FunctionTransport,
    Progress,
    ScriptedTransport,
    bridge,
    job,
    new_session,
    reply,
    run_task,
)
from .records import ALICE, CAROL, approval, deployment, listed, rule

JOB = "GET /projects/7/jobs/42"
LIST = "GET /projects/7/pipelines/6/jobs"
PLAY = "POST /projects/7/jobs/42/play"
BLOCKED = "GET /projects/7/deployments?status=blocked&order_by=id&sort=desc"
ANY = "GET /projects/7/deployments?order_by=id&sort=desc"
DEPLOYMENT = "GET /projects/7/deployments/5"
BASE = {"action": "play", "name": ["deploy"], "pipeline_id": 6, "log_lines": 0}

MANUAL = Exchange(JOB, job())
FOUND = Exchange(BLOCKED, [listed()])
BOTH = (rule("Maintainers"), rule("release", group_id=9))
WAITING = Exchange(DEPLOYMENT, deployment(*BOTH, pending=2))
APPROVED = Exchange(
    DEPLOYMENT,
    deployment(rule("Maintainers", 1, approval(ALICE)), rule("release", 1, approval(CAROL), group_id=9), pending=0),
)
PLAYED = Exchange(PLAY, job(status="pending"))
UNPLAYABLE = reply({"message": "400 Bad request - Unplayable Job"}, status=400)


def act(*exchanges, clock=None, progress=None, check_mode=False, **options):
    transport = ScriptedTransport(Exchange(LIST, [job()]), *exchanges)
    outcome = run_task(
        TASK, {**BASE, **options}, transport=transport, clock=clock, progress=progress, check_mode=check_mode
    )
    return outcome, outcome.values["results"][0]


def ended(status, job_id=42, **fields):
    """Return the two reads by which a job's end is known."""
    record = job(job_id, status, **fields)
    return [Exchange(f"GET /projects/7/jobs/{job_id}", record), Exchange(LIST, [record])]


def test_lost_play_that_appears_after_approvals_are_read_is_a_change():
    played = Exchange(JOB, job(status="pending"))
    outcome, result = act(
        FOUND,
        *(APPROVED, MANUAL),
        Exchange(PLAY, errors.LostAnswerError("the connection broke")),
        *(MANUAL, APPROVED, played),
        played,
        wait_for_approval=True,
    )
    assert (outcome.changed, outcome.failure, result["outcome"]) == (True, None, "applied")


def test_job_is_played_once_after_the_last_approval():
    progress, clock = Progress(is_shown=True), FakeClock()
    one_left = deployment(rule("Maintainers", 1, approval(ALICE)), BOTH[1], pending=1)
    outcome, result = act(
        FOUND,
        WAITING,
        *(MANUAL, WAITING),
        *(MANUAL, Exchange(DEPLOYMENT, one_left)),
        # the job is read once more before it is played
        *(MANUAL, APPROVED, MANUAL),
        PLAYED,
        Exchange(JOB, job(status="running")),
        *ended("success"),
        progress=progress,
        clock=clock,
        wait_for_approval=True,
        wait=True,
    )
    assert (outcome.changed, outcome.failure, result["outcome"]) == (True, None, "applied")
    # one line for each change of the missing approvals, and none that requires a user to play the job
    assert progress.others[:2] == [
        "project 7 deploy: waits for approvals of its deployment 5 to 'production': 1 of Maintainers and 1 of release",
        "project 7 deploy: waits for approvals of its deployment 5 to 'production': 1 of release",
    ]
    assert not any("to be played" in line for line in progress.others)
    assert progress.lines[0] == "project 7 deploy: manual -> pending (played)"
    assert 2 < clock.seconds < 10


@pytest.mark.parametrize("status", ["pending", "running"])
def test_job_started_by_gitlab_is_not_played(status):
    outcome, result = act(
        FOUND,
        Exchange(DEPLOYMENT, deployment()),
        *ended(status)[:1],
        *ended("success"),
        wait_for_approval=True,
        wait=True,
    )
    assert (outcome.changed, outcome.failure, result["outcome"]) == (False, None, "unchanged")
    assert result["after"]["status"] == "success"


def test_job_that_ended_while_approvals_were_read_is_not_played():
    outcome, result = act(
        FOUND,
        Exchange(DEPLOYMENT, deployment()),
        MANUAL,
        Exchange(DEPLOYMENT, deployment(pending=0, status="success", approvals=[approval(ALICE)])),
        *ended("success") * 2,
        wait_for_approval=True,
    )
    assert (outcome.changed, outcome.failure, result["reason"]) == (False, None, "it has already succeeded")


def test_task_without_wait_ends_once_the_job_is_played():
    outcome, result = act(FOUND, WAITING, MANUAL, APPROVED, MANUAL, PLAYED, wait_for_approval=True)
    assert (outcome.changed, outcome.failure, result["after"]["status"]) == (True, None, "pending")


@pytest.mark.parametrize(
    "reads",
    [
        [],  # the job does not deploy
        [FOUND, Exchange(DEPLOYMENT, listed())],  # a server without approvals
        [FOUND, Exchange(DEPLOYMENT, deployment(pending=0))],  # an environment that requires no approvals
    ],
)
def test_job_without_pending_approvals_is_played_at_once(reads):
    clock = FakeClock()
    outcome, _result = act(*reads, MANUAL, PLAYED, wait_for_approval=True, clock=clock)
    assert (outcome.changed, outcome.failure, clock.seconds) == (True, None, 0)


REJECTED = job(status="failed", failure_reason="deployment_rejected")


def rejected(comment=None):
    given = approval(CAROL, "rejected", comment)
    return [
        Exchange(ANY, [listed(status="failed")]),
        Exchange(DEPLOYMENT, deployment(*BOTH, pending=0, status="failed", approvals=[approval(ALICE), given])),
    ]


def test_rejection_ends_the_wait():
    outcome, result = act(
        FOUND,
        WAITING,
        Exchange(JOB, REJECTED),
        Exchange(LIST, [REJECTED]),
        # the deployment was found before
        rejected("too risky")[-1],
        wait_for_approval=True,
    )
    assert (outcome.changed, result["outcome"]) == (False, "refused")
    assert "its deployment 5 to 'production' was rejected by carol (too risky)" in outcome.failure
    assert "start a new pipeline" in outcome.failure


@pytest.mark.parametrize("options", [{}, {"replay": "always"}, {"action": "retry"}])
def test_rejected_job_is_not_started_again(options):
    transport = ScriptedTransport(Exchange(LIST, [REJECTED]), *rejected())
    outcome = run_task(TASK, {**BASE, **options}, transport=transport)
    assert "was rejected by carol, and GitLab does not start the job again" in outcome.failure


def test_rejection_is_reported_if_the_deployment_is_unreadable():
    transport = ScriptedTransport(Exchange(LIST, [REJECTED]), Exchange(ANY, reply(NO_ROUTE, status=404)))
    assert "its deployment was rejected, and" in run_task(TASK, BASE, transport=transport).failure


def test_rejection_is_reported_soon_despite_unreadable_deployments():
    def answer(call):
        if call.path.endswith("/jobs"):
            return [REJECTED]
        if call.path.endswith("/deployments"):
            raise errors.ConnectError("refused")
        return REJECTED

    clock = FakeClock()
    options = {**BASE, "wait_for_approval": True, "wait_timeout": 3600.0, "api_retries": 1}
    outcome = run_task(TASK, options, transport=FunctionTransport(answer), clock=clock)
    assert "its deployment was rejected, and" in outcome.failure and clock.seconds < 60


def test_approved_job_is_read_again_despite_a_shared_recent_answer():
    records = iter([job(), job(status="success")])

    def answer(call):
        if call.path.endswith("/deployments"):
            return [listed()]
        return APPROVED.answer if call.path.endswith("/deployments/5") else next(records)

    clock = FakeClock()
    session = new_session(FunctionTransport(answer), clock=clock)
    session.client.recent = RecentReads(clock)
    with polling(float("-inf")):
        found = FoundJob(session.client.call("get_job", project="7", job_id=42), "7", 0)
    approvals = ApprovalWait(session, is_waiting=True, show=lambda job, what: None)
    approvals.expect([found])
    with polling(float("-inf")):
        decision = Decision("later", "it was approved, and its status is now success")
        assert approvals.judge(found, Decision("act")) == decision


def answer_while_waiting(call):
    if call.path.endswith("/deployments/5"):
        return WAITING.answer
    return [listed()] if call.path.endswith("/deployments") else [job()] if call.path.endswith("/jobs") else job()


@pytest.mark.parametrize(("on_timeout", "fails"), [("fail", True), ("continue", False)])
def test_wait_times_out_while_approvals_are_missing(on_timeout, fails):
    clock = FakeClock()
    transport = FunctionTransport(answer_while_waiting)
    options = {**BASE, "wait_for_approval": True, "wait_timeout": 3.0, "on_timeout": on_timeout}
    outcome = run_task(TASK, options, transport=transport, clock=clock)
    result = outcome.values["results"][0]
    assert transport.writes == []
    assert (outcome.changed, outcome.values["timed_out"], clock.seconds) == (False, True, 3.0)
    assert "it is still manual, and its deployment 5 to 'production' waits for approvals: 1 of Main" in result["reason"]
    assert (outcome.failure is not None) is fails


def test_play_is_refused_by_default_with_advice():
    real, result = act(Exchange(PLAY, UNPLAYABLE), MANUAL, FOUND, WAITING)
    checked, predicted = act(FOUND, WAITING, check_mode=True)
    assert (real.changed, checked.changed) == (False, False)
    assert real.failure == checked.failure and result == predicted
    assert result["reason"] == (
        "its deployment 5 to 'production' waits for approvals: 1 of Maintainers and 1 of release. Set "
        "wait_for_approval to wait for them, or have it approved"
    )


def test_unplayable_job_without_pending_approvals_quotes_gitlab():
    for reads in ([FOUND, APPROVED], [Exchange(BLOCKED, reply({"message": "403 Forbidden"}, status=403))], []):
        outcome, _result = act(Exchange(PLAY, UNPLAYABLE), MANUAL, *reads)
        assert "Unplayable Job" in outcome.failure


@pytest.mark.parametrize(
    ("record", "changed", "words"),
    [
        (deployment(*BOTH, pending=2), True, "when its deployment 5 to 'production' has the missing approvals"),
        # GitLab starts it by itself, so a real run finds it in progress
        (deployment(), False, "GitLab starts it"),
        (deployment(pending=0), True, ""),
    ],
)
def test_check_mode_predicts_the_result_of_the_wait(record, changed, words):
    outcome, result = act(FOUND, Exchange(DEPLOYMENT, record), check_mode=True, wait_for_approval=True)
    assert (outcome.changed, outcome.failure) == (changed, None)
    assert words in result["reason"]


def test_deployments_of_several_jobs_are_read_with_one_list():
    jobs = [job(44, name="notify"), job(43, name="deploy:eu"), job()]
    transport = ScriptedTransport(
        Exchange(LIST, jobs),
        # a wildcard may match trigger jobs as well
        Exchange("GET /projects/7/pipelines/6/trigger_jobs", []),
        Exchange(BLOCKED, [listed(6, job_id=43), listed()]),
        Exchange("GET /projects/7/deployments/6", deployment(rule(), deployment_id=6, job_id=43)),
        APPROVED,
    )
    options = {**BASE, "name": ["*"], "multiple": "all"}
    outcome = run_task(TASK, options, transport=transport, check_mode=True)
    assert {result["name"]: result["outcome"] for result in outcome.values["results"]} == {
        "notify": "applied",
        "deploy:eu": "refused",
        "deploy": "applied",
    }


def test_check_mode_does_not_fail_on_unreadable_deployments():
    denied = Exchange(BLOCKED, reply({"message": "403 Forbidden"}, status=403))
    assert act(denied, check_mode=True)[0].changed
    several = ScriptedTransport(Exchange(LIST, [job(43, name="deploy:eu"), job()]), denied)
    names = {"name": ["deploy", "deploy:eu"]}
    assert run_task(TASK, {**BASE, **names}, transport=several, check_mode=True).changed
    assert several.lines.count("GET /projects/7/deployments") == 1
    # waiting for unreadable approvals fails at once
    with pytest.raises(errors.NotAuthorizedError):
        act(denied, wait_for_approval=True)


def test_lost_play_after_the_approval_reads_before_a_repetition():
    outcome, _result = act(
        FOUND,
        APPROVED,
        MANUAL,
        Exchange(PLAY, errors.LostAnswerError("the connection broke")),
        Exchange(JOB, job()),
        *(APPROVED, MANUAL),
        PLAYED,
        wait_for_approval=True,
    )
    assert (outcome.changed, outcome.failure) == (True, None)


def test_play_with_a_lost_answer_after_its_effect_is_not_repeated():
    outcome, _result = act(
        FOUND,
        APPROVED,
        MANUAL,
        Exchange(PLAY, errors.LostAnswerError("the connection broke")),
        Exchange(JOB, job(status="running")),
        wait_for_approval=True,
    )
    assert (outcome.changed, outcome.failure) == (True, None)


def test_approvals_of_a_created_job_are_read_once_it_is_manual():
    transport = ScriptedTransport(
        Exchange(LIST, [job(status="created")]),
        Exchange(JOB, job(status="created")),
        *(MANUAL, FOUND, WAITING),
        *(MANUAL, APPROVED, MANUAL),
        PLAYED,
        *ended("success"),
    )
    outcome = run_task(TASK, {**BASE, "wait": True, "wait_for_approval": True}, transport=transport)
    assert (outcome.changed, outcome.failure) == (True, None)


def test_trigger_job_has_no_approvals():
    transport = ScriptedTransport(
        Exchange(LIST, []),
        Exchange("GET /projects/7/pipelines/6/trigger_jobs", [bridge(50, "manual", "deploy")]),
        Exchange("POST /projects/7/jobs/50/play", bridge(50, "pending", "deploy")),
    )
    assert run_task(TASK, {**BASE, "wait_for_approval": True}, transport=transport).changed


def test_wait_for_approval_can_only_be_used_with_play():
    with pytest.raises(errors.UsageError, match="wait_for_approval can only be used with play"):
        run_task(TASK, {**BASE, "action": "retry", "wait_for_approval": True}, transport=ScriptedTransport())
