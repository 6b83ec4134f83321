# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Giving an approval: one effect, whatever the answer, and a true result."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_deployment_approval import TASK

from ....harness import (
    LOST_ANSWERS,
    NO_ROUTE,
    Exchange,
    FunctionTransport,
    ScriptedTransport,
    job,
    lost,
    reply,
    run_task,
)
from .records import ALICE, CAROL, approval, deployment, listed, rule

READ = "GET /projects/7/deployments/5"
POST = "POST /projects/7/deployments/5/approval"
USER = Exchange("GET /user", ALICE)
BODY = {"status": "approved", "comment": "tested"}
OURS = approval(ALICE, "approved", "tested")
BEFORE = Exchange(READ, deployment(rule("Maintainers", 2), pending=2))
AFTER = Exchange(READ, deployment(rule("Maintainers", 2, OURS), pending=1, approvals=[OURS]))
ACCEPTED = Exchange(POST, reply(OURS, status=201), body=BODY)


def approve(*exchanges, check_mode=False, **options):
    given = {"deployment_id": 5, "state": "approved", "comment": "tested", **options}
    return run_task(TASK, given, transport=ScriptedTransport(*exchanges), check_mode=check_mode)


def refused(text, status=400):
    return Exchange(POST, reply({"message": text}, status=status), body=BODY)


LOST_APPROVALS = {**LOST_ANSWERS, "cut": lambda: reply(b'{"status": "app', status=201)}


def test_approval_reads_sends_and_reads_again():
    outcome = approve(BEFORE, ACCEPTED, AFTER)
    assert (outcome.changed, outcome.failure, outcome.values["outcome"]) == (True, None, "applied")
    assert outcome.values["deployment"]["missing_approvals"] == [{"rule": "Maintainers", "required": 2, "missing": 1}]
    assert outcome.diff == {
        "before": "deployment 5 to 'production':\n",
        "after": "deployment 5 to 'production':\n  approved by alice\n",
    }


def test_repeated_approval_is_unchanged():
    for check_mode in (True, False):
        outcome = approve(AFTER, USER, check_mode=check_mode)
        assert (outcome.changed, outcome.values["outcome"]) == (False, "unchanged")
        assert outcome.values["reason"] == "the user of the token has already approved it"


def test_check_mode_sends_nothing():
    outcome = approve(BEFORE, Exchange("GET /projects/7", {}), USER, check_mode=True)
    assert (outcome.changed, outcome.message) == (True, "would approve deployment 5 to 'production'")
    assert outcome.diff["after"].endswith("  approved by the user of the token\n")


def test_check_mode_predicts_a_refusal():
    own = Exchange(READ, deployment(rule(), user=ALICE))
    outcome = approve(own, Exchange("GET /projects/7", {}), USER, check_mode=True)
    assert not outcome.changed and "nobody may approve their own deployment" in outcome.failure


def test_lost_answer_with_a_missing_deployment_is_unknown():
    gone = Exchange(READ, reply({"message": "404 Not found"}, status=404))
    outcome = approve(BEFORE, Exchange(POST, lost(), body=BODY), gone, api_retries=0)
    assert not outcome.changed and outcome.values["outcome"] == "failed"
    assert "The outcome is unknown because reading the deployment failed as well" in outcome.failure


@pytest.mark.parametrize("lost_answer", LOST_APPROVALS)
def test_lost_answer_after_the_effect_is_a_change(lost_answer):
    outcome = approve(BEFORE, Exchange(POST, LOST_APPROVALS[lost_answer](), body=BODY), AFTER, USER)
    assert (outcome.changed, outcome.failure, outcome.values["outcome"]) == (True, None, "applied")


@pytest.mark.parametrize("lost_answer", LOST_APPROVALS)
def test_lost_request_is_sent_again(lost_answer):
    outcome = approve(BEFORE, Exchange(POST, LOST_APPROVALS[lost_answer](), body=BODY), BEFORE, USER, ACCEPTED, AFTER)
    assert (outcome.changed, outcome.failure, outcome.values["outcome"]) == (True, None, "applied")


def test_rejection_is_proven_by_the_failed_deployment():
    ours = approval(ALICE, "rejected", "tested")
    gone = deployment(rule("Maintainers", 1, ours), pending=0, status="failed", approvals=[ours])
    body = {**BODY, "status": "rejected"}
    outcome = approve(BEFORE, Exchange(POST, lost(), body=body), Exchange(READ, gone), USER, state="rejected")
    assert (outcome.changed, outcome.failure) == (True, None)


@pytest.mark.parametrize("retries", [0, 2])
def test_request_lost_each_time_fails_without_change(retries):
    sent = [(Exchange(POST, lost(), body=BODY), BEFORE), *([(Exchange(POST, lost(), body=BODY), BEFORE)] * retries)]
    exchanges = [exchange for pair in sent for exchange in pair]
    exchanges.insert(2, USER)
    outcome = approve(BEFORE, *exchanges, api_retries=retries)
    assert (outcome.changed, outcome.values["outcome"]) == (False, "failed")
    assert "was not approved: " in outcome.failure and "the connection broke" in outcome.failure


def test_deployment_that_ended_after_a_lost_request_is_refused():
    done = Exchange(READ, deployment(pending=0, status="canceled", approvals=[approval(CAROL)]))
    outcome = approve(BEFORE, Exchange(POST, lost(), body=BODY), done, USER)
    assert (outcome.changed, outcome.values["outcome"]) == (False, "refused")
    assert "there is nothing to approve: its status is canceled" in outcome.failure


def test_unreadable_deployment_after_a_lost_answer_is_unknown():
    gone = Exchange(READ, reply({"message": "401 Unauthorized"}, status=401))
    outcome = approve(BEFORE, Exchange(POST, lost(), body=BODY), gone, gone, api_retries=1)
    assert (outcome.changed, outcome.values["outcome"]) == (False, "failed")
    assert "The outcome is unknown" in outcome.failure


GARBAGE = {"id": 5, "status": "ok"}


def test_answer_without_the_approval_counts_as_lost():
    answer = Exchange(POST, reply(GARBAGE, status=201), body=BODY)
    outcome = approve(BEFORE, answer, AFTER, USER)
    assert (outcome.changed, outcome.values["outcome"]) == (True, "applied")
    outcome = approve(BEFORE, answer, BEFORE, USER, ACCEPTED, AFTER)
    assert (outcome.changed, outcome.values["outcome"]) == (True, "applied")
    # a deployment that lacks fields it had before proves nothing either
    outcome = approve(BEFORE, answer, *[Exchange(READ, GARBAGE)] * 2, api_retries=1)
    assert (outcome.changed, outcome.values["outcome"]) == (False, "failed")
    assert "the answer does not confirm that it was approved" in outcome.failure
    assert "The outcome is unknown because reading the deployment failed as well" in outcome.failure
    assert outcome.values["deployment"]["missing_approvals"]


UNREADABLE_USER = Exchange("GET /user", reply({"message": "403 Forbidden"}, status=403))


def test_unknown_user_is_recognized_by_a_new_matching_approval():
    outcome = approve(BEFORE, Exchange(POST, lost(), body=BODY), AFTER, UNREADABLE_USER)
    assert (outcome.changed, outcome.failure) == (True, None)
    other = approval(CAROL, "approved", "fine")
    others = Exchange(READ, deployment(rule("Maintainers", 2, other), pending=1, approvals=[other]))
    outcome = approve(
        BEFORE, Exchange(POST, lost(), body=BODY), others, UNREADABLE_USER, UNREADABLE_USER, ACCEPTED, AFTER
    )
    assert (outcome.changed, outcome.failure) == (True, None)


def test_approval_without_comment_by_an_unknown_user_is_unknown():
    other = approval(CAROL)
    others = Exchange(READ, deployment(rule("Maintainers", 2, other), pending=1, approvals=[other]))
    sent = Exchange(POST, lost(), body={"status": "approved"})
    outcome = approve(BEFORE, sent, others, UNREADABLE_USER, comment=None)
    assert (outcome.changed, outcome.values["outcome"]) == (False, "failed")
    assert "The outcome is unknown because the deployment shows a new approval" in outcome.failure


def test_earlier_approval_is_not_a_change_once_the_user_is_known():
    later = Exchange("GET /user", ALICE)
    outcome = approve(AFTER, UNREADABLE_USER, Exchange(POST, lost(), body=BODY), AFTER, later)
    assert (outcome.changed, outcome.values["outcome"]) == (False, "unchanged")


@pytest.mark.parametrize("check_mode", [True, False])
def test_user_of_a_job_token_is_read_from_its_job(check_mode):
    token = {"api_token": None, "api_job_token": "glcbt-0123456789"}
    token_job = Exchange("GET /job", job(9, "running", user=ALICE))
    outcome = approve(AFTER, token_job, check_mode=check_mode, **token)
    assert (outcome.changed, outcome.values["outcome"]) == (False, "unchanged")


def test_lost_answer_is_resolved_although_the_user_is_unreadable():
    elsewhere = reply("", status=302, headers={"Location": "https://elsewhere.example.com/"})
    user_reads = [Exchange("GET /user", elsewhere)] * 6
    outcome = approve(BEFORE, Exchange(POST, lost(), body=BODY), AFTER, *user_reads)
    assert (outcome.changed, outcome.failure) == (True, None)


def test_user_is_read_again_after_a_lost_answer():
    elsewhere = reply("", status=302, headers={"Location": "https://elsewhere.example.com/"})
    mute = {"status": "approved"}
    shown = Exchange(READ, deployment(rule("Maintainers", 2), pending=1, approvals=[{**OURS, "comment": None}]))
    user_reads = (Exchange("GET /user", elsewhere), USER)
    outcome = approve(BEFORE, Exchange(POST, lost(), body=mute), shown, *user_reads, comment=None)
    assert (outcome.changed, outcome.failure) == (True, None)


def test_earlier_approval_of_an_unknown_user_is_known_by_the_answer():
    outcome = approve(AFTER, UNREADABLE_USER, ACCEPTED, AFTER)
    assert (outcome.changed, outcome.values["outcome"]) == (False, "unchanged")


def test_approval_counts_although_the_deployment_is_unreadable_later():
    gone = Exchange(READ, reply({"message": "403 Forbidden"}, status=403))
    outcome = approve(BEFORE, ACCEPTED, gone)
    assert (outcome.changed, outcome.failure) == (True, None)
    assert "done, but reading the deployment again failed" in outcome.values["reason"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refused("You cannot approve your own deployment."), "nobody may approve their own deployment"),
        (refused("You don't have permission to approve this deployment."), "it waits for 2 of Maintainers"),
        (refused("something new"), 'GitLab says "something new" for deployment 5 of project 7'),
        (refused("403 Forbidden", 403), "needs at least the Reporter role"),
        (Exchange(POST, reply(NO_ROUTE, status=404), body=BODY), "this server has no deployment approvals"),
    ],
)
def test_refusal_is_explained(answer, words):
    outcome = approve(BEFORE, answer, BEFORE)
    assert (outcome.changed, outcome.values["outcome"]) == (False, "refused")
    assert outcome.failure.startswith("deployment 5 to 'production' in project 7 cannot be approved: ")
    assert words in outcome.failure


def test_refusal_because_others_approved_first_is_explained():
    others = [approval(CAROL), approval({"id": 5, "username": "dan"})]
    done = Exchange(READ, deployment(rule("Maintainers", 2, *others), pending=0, approvals=others))
    outcome = approve(BEFORE, refused("This deployment is not waiting for approvals."), done, USER)
    assert "there is nothing to approve: its status is blocked, and it does not wait for approvals" in outcome.failure


def test_no_approval_is_sent_to_a_server_without_approvals():
    outcome = approve(Exchange(READ, listed()))
    assert "this server has no deployment approvals, which require GitLab 14.8 with Premium" in outcome.failure


def test_failure_returns_only_few_fields_of_the_job():
    outcome = approve(Exchange(READ, listed()))
    assert set(outcome.values["deployment"]["deployable"]) == {"id", "name", "stage", "status", "web_url"}


def test_waiting_deployment_is_found_among_many_of_a_pipeline():
    numbers = range(30, 0, -1)
    answers = {
        "GET /projects/7/pipelines/6/jobs": [job(40 + number, "manual", f"deploy {number}") for number in numbers],
        "GET /projects/7/deployments": [listed(number, job_id=40 + number) for number in numbers],
        **{
            f"GET /projects/7/deployments/{number}": deployment(deployment_id=number, pending=int(number == 1))
            for number in numbers
        },
        "POST /projects/7/deployments/1/approval": reply(approval(ALICE), status=201),
    }
    transport = FunctionTransport(lambda call: answers[call.line])
    outcome = run_task(TASK, {"pipeline_id": 6, "state": "approved"}, transport=transport)
    assert (outcome.failure, transport.writes) == (None, ["POST /projects/7/deployments/1/approval"])


def test_several_waiting_deployments_are_an_error_listing_them():
    exchanges = [
        Exchange("GET /projects/7/deployments?environment=production&status=blocked&order_by=id&sort=desc", rows)
        for rows in ([listed(6, job_id=43, ref="v2"), listed(5, ref="v1"), listed(4)],)
    ]
    details = [
        Exchange("GET /projects/7/deployments/6", deployment(rule(), deployment_id=6, job_id=43, ref="v2")),
        Exchange(READ, deployment(rule(), ref="v1")),
        Exchange("GET /projects/7/deployments/4", deployment(pending=0, deployment_id=4)),
    ]
    with pytest.raises(errors.SelectionError) as error:
        approve(*exchanges, *details, deployment_id=None, environment="production")
    assert "2 deployments wait for approvals: deployment 6 to 'production' (ref v2, status blocked" in str(error.value)
    assert "Choose one with deployment_id" in str(error.value) and "deployment 4" not in str(error.value)
