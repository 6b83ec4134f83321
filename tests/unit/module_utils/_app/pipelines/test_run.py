# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting a pipeline: its requests, their order, and how a lost answer is resolved."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_pipeline import TASK

from ....harness import (
    LOST_ANSWERS,
    NOT_FOUND,
    Exchange,
    FakeClock,
    FunctionTransport,
    Progress,
    ScriptedTransport,
    job,
    lost,
    pipeline,
    reply,
    run_task,
)

LIST = "GET /projects/7/pipelines?ref=main&order_by=id&sort=desc"
CREATE = "POST /projects/7/pipeline"
TRIGGER = "POST /projects/7/trigger/pipeline"
USER = "GET /user"
TOKEN = "glptt-0123456789abcdef"
OLD = pipeline(6, "success")
US, THEM = {"id": 2}, {"id": 3}


def ours(pipeline_id=9, status="created", **fields):
    return pipeline(pipeline_id, status, **{"source": "api", "user": US, "tag": False, **fields})


def start(*exchanges, clock=None, progress=None, check_mode=False, **options):
    transport = ScriptedTransport(*exchanges)
    given = {"action": "run", "ref": "main", **options}
    return run_task(TASK, given, transport=transport, clock=clock, progress=progress, check_mode=check_mode)


def refused(text, status=400):
    return reply({"message": {"base": [text]}}, status=status)


def new(*records):
    return Exchange(LIST, [*records, OLD])


def read(record, variables=()):
    pipeline_id = record["id"]
    own = [Exchange(f"GET /projects/7/pipelines/{pipeline_id}", record)]
    rows = [{"key": key, "value": value} for key, value in dict(variables).items()]
    return [*own, Exchange(f"GET /projects/7/pipelines/{pipeline_id}/variables", rows)]


def body(**fields):
    return {"ref": "main", **fields}


@pytest.mark.parametrize("doubt", LOST_ANSWERS)
def test_a_lost_answer_after_the_effect(doubt):
    """The only newer pipeline of the same ref, source and user is taken for ours."""
    clock = FakeClock()
    whole, variables = read(ours())
    outcome = start(
        new(),
        Exchange(CREATE, LOST_ANSWERS[doubt](), body=body()),
        new(ours()),
        whole,
        Exchange(USER, US),
        variables,
        # checks whether another client started one, too
        new(ours()),
        clock=clock,
    )
    assert (outcome.changed, outcome.failure) == (True, None)
    assert outcome.values["id"] == 9
    assert clock.seconds >= 2


@pytest.mark.parametrize("doubt", LOST_ANSWERS)
def test_a_lost_answer_without_an_effect_is_not_known(doubt):
    clock = FakeClock()
    outcome = start(new(), Exchange(CREATE, LOST_ANSWERS[doubt](), body=body()), new(), new(), new(), clock=clock)
    assert not outcome.changed and "is not known" in outcome.failure
    assert "3 searches" in outcome.failure and clock.seconds == pytest.approx(17)


def test_an_effect_that_shows_late():
    whole, variables = read(ours())
    outcome = start(
        new(),
        Exchange(CREATE, lost(), body=body()),
        new(),
        new(),
        new(ours()),
        whole,
        Exchange(USER, US),
        variables,
        new(ours()),
    )
    assert outcome.changed and outcome.values["id"] == 9


@pytest.mark.parametrize("source", [{}, {"source": None}])
def test_a_pipeline_that_does_not_tell_its_source_may_be_ours(source):
    found = {name: value for name, value in ours().items() if name != "source"} | source
    whole, variables = read(found)
    looks = [new(found), whole, Exchange(USER, US), variables]
    outcome = start(new(), Exchange(CREATE, lost(), body=body()), *looks, new(found))
    assert outcome.changed and outcome.values["id"] == 9


@pytest.mark.parametrize("fields", [{"source": 5}, {"ref": 5}, {"ref": None}, {"sha": None}])
def test_a_pipeline_whose_fields_make_no_sense_is_not_taken_for_another_one(fields):
    odd = Exchange(LIST, [{**ours(9, "running"), **fields}, OLD])
    with pytest.raises(errors.BadAnswerError, match="has no valid"):
        start(odd)


def test_what_is_not_ours():
    """Pipelines of another source, user or ref, or with other variables, are not taken for ours."""
    others = [
        pipeline(12, "running", source="push"),
        pipeline(11, "running", source="api", ref="refs/merge-requests/1/head"),
        ours(10, user=THEM),
        ours(9),
    ]
    look = [
        Exchange(LIST, [*others, OLD]),
        Exchange("GET /projects/7/pipelines/10", ours(10, user=THEM)),
        Exchange(USER, US),
        *read(ours(9), {"A": "2"}),
    ]
    again = [exchange for exchange in look if exchange.line != USER]
    sent = body(variables=[{"key": "A", "value": "1"}])
    outcome = start(new(), Exchange(CREATE, lost(), body=sent), *look, *again, *again, variables={"A": 1})
    assert not outcome.changed and "is not known" in outcome.failure


def test_several_may_be_it():
    first, second = read(ours(10)), read(ours(9))
    outcome = start(
        new(),
        Exchange(CREATE, lost(), body=body()),
        new(ours(10), ours(9)),
        first[0],
        Exchange(USER, US),
        first[1],
        *second,
    )
    assert not outcome.changed
    assert "is not known" in outcome.failure and "pipeline 10" in outcome.failure and "pipeline 9" in outcome.failure


def test_whose_token_it_is_cannot_be_told():
    whole, variables = read(ours())
    denied = Exchange(USER, {"message": "403 Forbidden"}, status=403)
    look = [new(ours()), whole, denied, variables, denied]
    outcome = start(new(), Exchange(CREATE, lost(), body=body()), *look, *look, *look)
    assert not outcome.changed and "is not known" in outcome.failure and "pipeline 9" in outcome.failure


def test_looking_fails_as_well():
    def answer(call):
        if call.line == CREATE:
            raise lost()
        if answer.calls:
            raise errors.LostAnswerError("gone")
        answer.calls += 1
        return [OLD]

    answer.calls = 0
    transport = FunctionTransport(answer)
    outcome = run_task(TASK, {"action": "run", "ref": "main", "api_retries": 1}, transport=transport)
    assert "It is not known whether a pipeline was started, because looking for it failed, too" in outcome.failure
    assert transport.writes == [CREATE]


def test_a_request_that_was_not_executed_is_sent_again():
    unreached = errors.ConnectError("no connection")
    throttled = reply({"message": "Retry later"}, status=429, headers={"Retry-After": "1"})
    outcome = start(
        new(),
        Exchange(CREATE, unreached, body=body()),
        Exchange(CREATE, throttled, body=body()),
        Exchange(CREATE, ours(), status=201, body=body()),
        new(ours()),
    )
    assert outcome.changed and outcome.failure is None


def in_maintenance():
    return reply({"message": "GitLab Maintenance: system is in maintenance mode"}, status=503)


def test_a_server_in_maintenance_has_started_nothing():
    with pytest.raises(errors.ServerError) as caught:
        start(new(), Exchange(CREATE, in_maintenance(), body=body()))
    assert "is in maintenance mode" in str(caught.value) and "is not known" not in str(caught.value)


@pytest.mark.parametrize("theirs", [True, False])
@pytest.mark.parametrize(
    "unsent", [lambda: errors.ConnectError("refused"), lambda: reply("Retry later", status=429), in_maintenance]
)
def test_what_there_is_is_read_again_after_an_outage(unsent, theirs):
    """Another task with the same token may have started one in the meantime."""
    away = [Exchange(CREATE, unsent(), body=body())]
    commit = Exchange("GET /projects/7/repository/commits/main", {"id": "f" * 40})
    kinds = [
        Exchange("GET /projects/7/repository/commits/refs%2Fheads%2Fmain", {"id": "f" * 40}),
        Exchange(
            "GET /projects/7/repository/commits/refs%2Ftags%2Fmain", {"message": "404 Commit Not Found"}, status=404
        ),
    ]
    whole, variables = read(ours())
    found = [new(ours()), commit, whole, Exchange(USER, US), variables, *kinds]
    made = [new(), Exchange(CREATE, ours(), status=201, body=body()), new(ours())]
    outcome = start(new(), *away, *(found if theirs else made), wait=True, wait_for=["created"], api_retries=1)
    assert (outcome.failure, outcome.changed, outcome.values["id"]) == (None, not theirs, 9)


def test_a_trigger_token_travels_in_the_body_only():
    sent = body(token=TOKEN, variables={"A": "1"}, inputs={"n": 3})
    record = ours(source="trigger", user=THEM)
    outcome = start(
        new(),
        Exchange(TRIGGER, record, status=201, body=sent),
        new(record),
        # as read from a file or a variable
        trigger_token=f"{TOKEN}\n",
        variables={"A": 1},
        inputs={"n": 3},
    )
    assert outcome.changed and TOKEN not in str(outcome)


def test_a_server_that_repeats_the_trigger_token():
    with pytest.raises(errors.NotFoundError) as caught:
        start(
            new(),
            Exchange(TRIGGER, {"message": f"404 Not Found {TOKEN}"}, status=404, body=body(token=TOKEN)),
            trigger_token=TOKEN,
        )
    assert TOKEN not in str(caught.value) and "trigger_token" in str(caught.value)


def test_a_trigger_token_of_a_ci_job_that_has_ended():
    ended = Exchange(TRIGGER, {"message": "Job is not running"}, status=401, body=body(token=TOKEN))
    with pytest.raises(errors.NotAuthorizedError, match="works only while its job is running") as caught:
        start(new(), ended, trigger_token=TOKEN, api_token=None)
    assert "No token was sent" not in str(caught.value)


def test_what_a_trigger_token_has_saved_as_failed():
    failed = ours(source="trigger", status="failed", yaml_errors="jobs:build has no script")
    outcome = start(
        new(),
        Exchange(TRIGGER, refused("jobs:build has no script", 422), body=body(token=TOKEN)),
        new(failed),
        *read(failed, {"TRIGGER_PAYLOAD": "{}"}),
        trigger_token=TOKEN,
    )
    assert outcome.changed and outcome.values["id"] == 9
    assert "failed at once" in outcome.failure and "no script" in outcome.failure


def test_looking_for_what_a_trigger_token_has_saved_does_not_hide_why_it_was_refused():
    exchanges = [
        Exchange(LIST, []),
        Exchange(TRIGGER, refused("jobs:build has no script", 422), body=body(token=TOKEN)),
        Exchange(LIST, refused("403 Forbidden", 403)),
    ]
    with pytest.raises(errors.StatusError, match="jobs:build has no script"):
        start(*exchanges, trigger_token=TOKEN)


def test_an_old_server_answers_with_a_failed_pipeline():
    failed = ours(status="failed", yaml_errors="jobs:build has no script")
    outcome = start(new(), Exchange(CREATE, failed, status=201, body=body()))
    assert outcome.changed and "no script" in outcome.failure


def test_the_limit_is_waited_for():
    clock, progress = FakeClock(), Progress(is_shown=True)
    too_many = "Too many pipelines created in the last minute. Try again later."
    outcome = start(
        new(),
        Exchange(CREATE, refused(too_many), body=body()),
        new(),
        Exchange(CREATE, refused(too_many), body=body()),
        new(),
        Exchange(CREATE, ours(), status=201, body=body()),
        new(ours()),
        clock=clock,
        progress=progress,
    )
    assert outcome.changed and clock.seconds == pytest.approx(40)
    assert len([line for line in progress.others if "too many pipelines" in line]) == 2


def test_the_limit_is_not_waited_for_past_the_time_of_the_task():
    clock = FakeClock()
    too_many = [new(), Exchange(CREATE, refused("Too many pipelines created in the last minute."), body=body())]
    with pytest.raises(errors.RefusedError, match="Too many pipelines .* raise wait_timeout") as caught:
        start(*too_many, *too_many, wait_timeout=10, clock=clock)
    assert "configuration" not in str(caught.value)
    assert clock.seconds == pytest.approx(9)


@pytest.mark.parametrize("on_timeout", ["fail", "continue"])
def test_the_limit_lasts_until_the_time_is_up(on_timeout):
    clock = FakeClock()
    too_many = [new(), Exchange(CREATE, refused("Too many pipelines created in the last minute."), body=body())]
    outcome = start(*too_many * 3, wait=True, wait_timeout=30, on_timeout=on_timeout, clock=clock)
    assert (outcome.changed, outcome.values["timed_out"], clock.seconds) == (False, True, pytest.approx(30))
    assert bool(outcome.failure) == (on_timeout == "fail")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_new_pipeline_is_asked_for_again_after_a_denial(status):
    """A server that reads from a database replica finds it a moment later."""
    jobs = "GET /projects/7/pipelines/9/jobs"
    done = ours(status="success")
    outcome = start(
        new(),
        Exchange(CREATE, ours(), status=201, body=body()),
        new(ours()),
        Exchange(jobs, {"message": "404 Not found"}, status=status),
        Exchange(jobs, [job(42, "success", pipeline=done)]),
        Exchange("GET /projects/7/pipelines/9", {**done, "created_at": "x", "finished_at": "x"}),
        Exchange("GET /projects/7/pipelines/9/trigger_jobs", []),
        wait=True,
    )
    assert (outcome.failure, outcome.values["status"]) == (None, "success")


def test_a_twin_is_told_of():
    twin = ours(8)
    whole, variables = read(twin)
    outcome = start(
        new(),
        Exchange(CREATE, ours(), status=201, body=body()),
        new(ours(), twin),
        whole,
        Exchange(USER, US),
        variables,
    )
    assert outcome.changed and outcome.failure is None
    assert any("pipeline 8" in text and "pipeline 9" in text and "2" in text for text in outcome.warnings)


@pytest.mark.parametrize(("ref_type", "sent"), [("branch", "refs/heads/main"), ("tag", "refs/tags/main")])
def test_a_ref_that_is_said_to_be_one(ref_type, sent):
    record = ours(tag=ref_type == "tag")
    outcome = start(new(), Exchange(CREATE, record, status=201, body={"ref": sent}), new(record), ref_type=ref_type)
    assert outcome.changed


SHA = "f" * 40


def refusal_beside(active):
    """Return why no pipeline is started beside an active one of the same ref."""
    answers = {
        "pipelines": [active],
        "user": US,
        "variables": [],
        "main": {"id": active["sha"]},
        "refs%2Fheads%2Fmain": {"id": active["sha"]},
        "refs%2Ftags%2Fmain": reply(NOT_FOUND, status=404),
    }
    transport = FunctionTransport(lambda call: answers.get(call.path.rpartition("/")[2], active))
    with pytest.raises(errors.SelectionError) as caught:
        run_task(TASK, {"action": "run", "ref": "main"}, transport=transport)
    assert transport.writes == []
    return str(caught.value)


@pytest.mark.parametrize("user", [None, {}, {"id": None}, {"id": "2"}, {"id": 0}, 2])
def test_none_is_started_beside_a_pipeline_of_which_nobody_tells_whose_it_is(user):
    reason = refusal_beside(ours(9, "running", user=user))
    assert "may be the one asked for, but GitLab does not show who started it" in reason


@pytest.mark.parametrize("source", [{}, {"source": None}])
def test_none_is_started_beside_a_pipeline_that_does_not_tell_its_source(source):
    active = {name: value for name, value in ours(9, "running").items() if name != "source"} | source
    assert "may be the one asked for, but this server, which may be older" in refusal_beside(active)


def test_a_ref_that_has_moved_away():
    # Ansible would capitalize a sentence that begins with the name of the branch
    with pytest.raises(errors.SelectionError, match="^ref main of .* is at commit e+, .* no pipeline was started"):
        start(new(), Exchange("GET /projects/7/repository/commits/main", {"id": "e" * 40}), sha=SHA)


def test_a_ref_that_moves_meanwhile():
    outcome = start(
        new(),
        Exchange("GET /projects/7/repository/commits/main", {"id": SHA}),
        Exchange(CREATE, ours(sha="e" * 40), status=201, body=body()),
        sha=SHA[:8],
    )
    assert outcome.changed and outcome.failure.startswith("ref main has moved away") and outcome.values["id"] == 9


def test_check_mode_looks_whether_there_is_such_a_ref():
    commit = Exchange("GET /projects/7/repository/commits/main", {"message": "404 Commit Not Found"}, status=404)
    with pytest.raises(errors.SelectionError, match="there is no branch or tag 'main'"):
        start(new(), commit, check_mode=True)


COMMIT = {"id": SHA}
BOTH_KINDS = [
    Exchange(f"GET /projects/7/repository/commits/refs%2F{kind}%2Fmain", COMMIT) for kind in ("heads", "tags")
]


def test_check_mode_looks_whether_a_branch_and_a_tag_have_the_name():
    with pytest.raises(errors.SelectionError, match="project 7 has a branch and a tag named main; set ref_type"):
        start(new(), Exchange("GET /projects/7/repository/commits/main", COMMIT), *BOTH_KINDS, check_mode=True)


def test_no_pipeline_of_a_branch_counts_where_a_tag_has_the_name():
    whole, variables = read(ours(sha=SHA))
    commit = Exchange("GET /projects/7/repository/commits/main", COMMIT)
    with pytest.raises(errors.SelectionError, match="project 7 has a branch and a tag named main; set ref_type"):
        start(new(ours(sha=SHA)), commit, whole, Exchange(USER, US), variables, *BOTH_KINDS)


def test_check_mode_without_the_right_to_read_the_repository():
    commit = Exchange("GET /projects/7/repository/commits/main", {"message": "403 Forbidden"}, status=403)
    outcome = start(new(), commit, check_mode=True)
    assert outcome.changed and outcome.message == "would start a pipeline of main"
    assert outcome.diff == {"before": "", "after": "main: new pipeline\n"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Insufficient permissions to set pipeline variables", "use inputs"),
        ("You do not have sufficient permission to run a pipeline on 'main'.", "ref is protected"),
        ("Insufficient permissions for protected ref 'main'", "ref is protected"),
        ("Insufficient permissions to create a new pipeline", "also of trigger_token, needs the Developer role"),
        ("Ref is ambiguous", "set ref_type"),
        ("Reference not found", "There is no branch or tag 'main' in project 7 (POST"),
        ("Commit not found", "push one"),
        ("Pipelines are disabled!", "switched off"),
        ("Missing CI config file", ".gitlab-ci.yml"),
        ("Pipeline filtered out by workflow rules.", "$CI_PIPELINE_SOURCE api"),
        ("The resulting pipeline would have been empty. Review the rules.", "exclude all of them"),
        ("Pipeline will not run for the selected trigger. The rules prevented any jobs from", "exclude all of them"),
        ("No stages / jobs for this pipeline.", "exclude all of them"),
        ("`size` input: required value has not been provided", "spec:inputs"),
        ("jobs:build config should implement a script", "pipeline editor"),
        ("Duplicate variable name: A", "once"),
    ],
)
def test_a_refusal_says_what_to_do(text, words):
    with pytest.raises(errors.RefusedError) as caught:
        start(new(), Exchange(CREATE, refused(text), body=body()))
    assert text.rstrip(".") in str(caught.value) and words in str(caught.value)


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ({"id": 7, "archived": True}, "unarchive it"),
        ({"id": 7, "builds_access_level": "disabled"}, "CI/CD is switched off"),
        ({"id": 7, "permissions": {"project_access": {"access_level": 20}}}, "the Reporter role"),
        ({"id": 7}, "The user of the token needs the Developer role in the project"),
        (
            {"id": 7, "permissions": {"project_access": {"access_level": 30}}},
            '"403 Forbidden" for ref main of project 7 (POST',
        ),
    ],
)
def test_a_refusal_without_a_reason_is_looked_into(project, words):
    with pytest.raises(errors.NotAuthorizedError) as caught:
        start(
            new(),
            Exchange(CREATE, {"message": "403 Forbidden"}, status=403, body=body()),
            Exchange("GET /projects/7", project),
        )
    assert words in str(caught.value)


def test_a_job_token_cannot_start_one():
    with pytest.raises(errors.UsageError, match="job token"):
        start(api_token=None, api_job_token="glcbt-0123456789")
