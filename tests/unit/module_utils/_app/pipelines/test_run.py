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
OUR_USER, OTHER_USER = {"id": 2}, {"id": 3}


def our_pipeline(pipeline_id=9, status="created", **fields):
    return pipeline(pipeline_id, status, **{"source": "api", "user": OUR_USER, "tag": False, **fields})


def start(*exchanges, clock=None, progress=None, check_mode=False, **options):
    transport = ScriptedTransport(*exchanges)
    given = {"action": "run", "ref": "main", **options}
    return run_task(TASK, given, transport=transport, clock=clock, progress=progress, check_mode=check_mode)


def refused(text, status=400):
    return reply({"message": {"base": [text]}}, status=status)


def newest_list(*records):
    return Exchange(LIST, [*records, OLD])


def read(record, variables=()):
    pipeline_id = record["id"]
    own = [Exchange(f"GET /projects/7/pipelines/{pipeline_id}", record)]
    rows = [{"key": key, "value": value} for key, value in dict(variables).items()]
    return [*own, Exchange(f"GET /projects/7/pipelines/{pipeline_id}/variables", rows)]


def body(**fields):
    return {"ref": "main", **fields}


@pytest.mark.parametrize("lost_answer", LOST_ANSWERS)
def test_lost_answer_after_the_effect_finds_the_new_pipeline(lost_answer):
    """The only newer pipeline of the same ref, source and user is taken for ours."""
    clock = FakeClock()
    whole, variables = read(our_pipeline())
    outcome = start(
        newest_list(),
        Exchange(CREATE, LOST_ANSWERS[lost_answer](), body=body()),
        newest_list(our_pipeline()),
        whole,
        Exchange(USER, OUR_USER),
        variables,
        # checks whether another client started one, too
        newest_list(our_pipeline()),
        clock=clock,
    )
    assert (outcome.changed, outcome.failure) == (True, None)
    assert outcome.values["id"] == 9
    assert clock.seconds >= 2


@pytest.mark.parametrize("lost_answer", LOST_ANSWERS)
def test_lost_answer_without_a_new_pipeline_is_unknown(lost_answer):
    clock = FakeClock()
    outcome = start(
        newest_list(),
        Exchange(CREATE, LOST_ANSWERS[lost_answer](), body=body()),
        newest_list(),
        newest_list(),
        newest_list(),
        clock=clock,
    )
    assert not outcome.changed and "is not known" in outcome.failure
    assert "3 searches" in outcome.failure and clock.seconds == pytest.approx(17)


def test_pipeline_that_appears_late_is_found():
    whole, variables = read(our_pipeline())
    outcome = start(
        newest_list(),
        Exchange(CREATE, lost(), body=body()),
        newest_list(),
        newest_list(),
        newest_list(our_pipeline()),
        whole,
        Exchange(USER, OUR_USER),
        variables,
        newest_list(our_pipeline()),
    )
    assert outcome.changed and outcome.values["id"] == 9


@pytest.mark.parametrize("source", [{}, {"source": None}])
def test_pipeline_without_a_source_may_be_the_started_one(source):
    found = {name: value for name, value in our_pipeline().items() if name != "source"} | source
    whole, variables = read(found)
    searches = [newest_list(found), whole, Exchange(USER, OUR_USER), variables]
    outcome = start(newest_list(), Exchange(CREATE, lost(), body=body()), *searches, newest_list(found))
    assert outcome.changed and outcome.values["id"] == 9


@pytest.mark.parametrize("fields", [{"source": 5}, {"ref": 5}, {"ref": None}, {"sha": None}])
def test_pipeline_with_invalid_fields_is_an_error(fields):
    odd = Exchange(LIST, [{**our_pipeline(9, "running"), **fields}, OLD])
    with pytest.raises(errors.BadAnswerError, match="has no valid"):
        start(odd)


def test_pipelines_that_differ_are_not_taken_for_the_started_one():
    """Pipelines of another source, user or ref, or with other variables, are not taken for ours."""
    others = [
        pipeline(12, "running", source="push"),
        pipeline(11, "running", source="api", ref="refs/merge-requests/1/head"),
        our_pipeline(10, user=OTHER_USER),
        our_pipeline(9),
    ]
    search = [
        Exchange(LIST, [*others, OLD]),
        Exchange("GET /projects/7/pipelines/10", our_pipeline(10, user=OTHER_USER)),
        Exchange(USER, OUR_USER),
        *read(our_pipeline(9), {"A": "2"}),
    ]
    again = [exchange for exchange in search if exchange.line != USER]
    sent = body(variables=[{"key": "A", "value": "1"}])
    outcome = start(newest_list(), Exchange(CREATE, lost(), body=sent), *search, *again, *again, variables={"A": 1})
    assert not outcome.changed and "is not known" in outcome.failure


def test_several_candidates_are_named_and_the_outcome_is_unknown():
    first, second = read(our_pipeline(10)), read(our_pipeline(9))
    outcome = start(
        newest_list(),
        Exchange(CREATE, lost(), body=body()),
        newest_list(our_pipeline(10), our_pipeline(9)),
        first[0],
        Exchange(USER, OUR_USER),
        first[1],
        *second,
    )
    assert not outcome.changed
    assert "is not known" in outcome.failure and "pipeline 10" in outcome.failure and "pipeline 9" in outcome.failure


def test_candidate_is_named_if_the_user_of_the_token_is_unreadable():
    whole, variables = read(our_pipeline())
    denied = Exchange(USER, {"message": "403 Forbidden"}, status=403)
    search = [newest_list(our_pipeline()), whole, denied, variables, denied]
    outcome = start(newest_list(), Exchange(CREATE, lost(), body=body()), *search, *search, *search)
    assert not outcome.changed and "is not known" in outcome.failure and "pipeline 9" in outcome.failure


def test_failed_search_after_a_lost_answer_is_unknown():
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


def test_unsent_and_throttled_requests_are_repeated():
    unreached = errors.ConnectError("no connection")
    throttled = reply({"message": "Retry later"}, status=429, headers={"Retry-After": "1"})
    outcome = start(
        newest_list(),
        Exchange(CREATE, unreached, body=body()),
        Exchange(CREATE, throttled, body=body()),
        Exchange(CREATE, our_pipeline(), status=201, body=body()),
        newest_list(our_pipeline()),
    )
    assert outcome.changed and outcome.failure is None


def in_maintenance():
    return reply({"message": "GitLab Maintenance: system is in maintenance mode"}, status=503)


def test_maintenance_starts_no_pipeline():
    with pytest.raises(errors.ServerError) as caught:
        start(newest_list(), Exchange(CREATE, in_maintenance(), body=body()))
    assert "is in maintenance mode" in str(caught.value) and "is not known" not in str(caught.value)


@pytest.mark.parametrize("started_by_another", [True, False])
@pytest.mark.parametrize(
    "unsent", [lambda: errors.ConnectError("refused"), lambda: reply("Retry later", status=429), in_maintenance]
)
def test_pipelines_are_listed_again_before_an_unsent_start_is_repeated(unsent, started_by_another):
    """Another task with the same token may have started one in the meantime."""
    away = [Exchange(CREATE, unsent(), body=body())]
    commit = Exchange("GET /projects/7/repository/commits/main", {"id": "f" * 40})
    kinds = [
        Exchange("GET /projects/7/repository/commits/refs%2Fheads%2Fmain", {"id": "f" * 40}),
        Exchange(
            "GET /projects/7/repository/commits/refs%2Ftags%2Fmain", {"message": "404 Commit Not Found"}, status=404
        ),
    ]
    whole, variables = read(our_pipeline())
    found = [newest_list(our_pipeline()), commit, whole, Exchange(USER, OUR_USER), variables, *kinds]
    made = [newest_list(), Exchange(CREATE, our_pipeline(), status=201, body=body()), newest_list(our_pipeline())]
    outcome = start(
        newest_list(), *away, *(found if started_by_another else made), wait=True, wait_for=["created"], api_retries=1
    )
    assert (outcome.failure, outcome.changed, outcome.values["id"]) == (None, not started_by_another, 9)


def test_trigger_token_is_sent_only_in_the_body():
    sent = body(token=TOKEN, variables={"A": "1"}, inputs={"n": 3})
    record = our_pipeline(source="trigger", user=OTHER_USER)
    outcome = start(
        newest_list(),
        Exchange(TRIGGER, record, status=201, body=sent),
        newest_list(record),
        # as read from a file or a variable
        trigger_token=f"{TOKEN}\n",
        variables={"A": 1},
        inputs={"n": 3},
    )
    assert outcome.changed and TOKEN not in str(outcome)


def test_trigger_token_in_an_answer_is_hidden():
    with pytest.raises(errors.NotFoundError) as caught:
        start(
            newest_list(),
            Exchange(TRIGGER, {"message": f"404 Not Found {TOKEN}"}, status=404, body=body(token=TOKEN)),
            trigger_token=TOKEN,
        )
    assert TOKEN not in str(caught.value) and "trigger_token" in str(caught.value)


def test_trigger_token_of_an_ended_ci_job_is_explained():
    ended = Exchange(TRIGGER, {"message": "Job is not running"}, status=401, body=body(token=TOKEN))
    with pytest.raises(errors.NotAuthorizedError, match="works only while its job is running") as caught:
        start(newest_list(), ended, trigger_token=TOKEN, api_token=None)
    assert "No token was sent" not in str(caught.value)


def test_pipeline_saved_as_failed_by_a_trigger_token_is_reported():
    failed = our_pipeline(source="trigger", status="failed", yaml_errors="jobs:build has no script")
    outcome = start(
        newest_list(),
        Exchange(TRIGGER, refused("jobs:build has no script", 422), body=body(token=TOKEN)),
        newest_list(failed),
        *read(failed, {"TRIGGER_PAYLOAD": "{}"}),
        trigger_token=TOKEN,
    )
    assert outcome.changed and outcome.values["id"] == 9
    assert "failed at once" in outcome.failure and "no script" in outcome.failure


def test_failed_search_does_not_hide_why_a_trigger_was_refused():
    exchanges = [
        Exchange(LIST, []),
        Exchange(TRIGGER, refused("jobs:build has no script", 422), body=body(token=TOKEN)),
        Exchange(LIST, refused("403 Forbidden", 403)),
    ]
    with pytest.raises(errors.StatusError, match="jobs:build has no script"):
        start(*exchanges, trigger_token=TOKEN)


def test_failed_pipeline_in_the_answer_of_an_old_server_is_reported():
    failed = our_pipeline(status="failed", yaml_errors="jobs:build has no script")
    outcome = start(newest_list(), Exchange(CREATE, failed, status=201, body=body()))
    assert outcome.changed and "no script" in outcome.failure


def test_limit_of_pipeline_creations_is_waited_for():
    clock, progress = FakeClock(), Progress(is_shown=True)
    too_many = "Too many pipelines created in the last minute. Try again later."
    outcome = start(
        newest_list(),
        Exchange(CREATE, refused(too_many), body=body()),
        newest_list(),
        Exchange(CREATE, refused(too_many), body=body()),
        newest_list(),
        Exchange(CREATE, our_pipeline(), status=201, body=body()),
        newest_list(our_pipeline()),
        clock=clock,
        progress=progress,
    )
    assert outcome.changed and clock.seconds == pytest.approx(40)
    assert len([line for line in progress.others if "too many pipelines" in line]) == 2


def test_creation_limit_beyond_the_timeout_is_an_error():
    clock = FakeClock()
    too_many = [newest_list(), Exchange(CREATE, refused("Too many pipelines created in the last minute."), body=body())]
    with pytest.raises(errors.RefusedError, match="Too many pipelines .* raise wait_timeout") as caught:
        start(*too_many, *too_many, wait_timeout=10, clock=clock)
    assert "configuration" not in str(caught.value)
    assert clock.seconds == pytest.approx(9)


@pytest.mark.parametrize("on_timeout", ["fail", "continue"])
def test_lasting_creation_limit_times_out(on_timeout):
    clock = FakeClock()
    too_many = [newest_list(), Exchange(CREATE, refused("Too many pipelines created in the last minute."), body=body())]
    outcome = start(*too_many * 3, wait=True, wait_timeout=30, on_timeout=on_timeout, clock=clock)
    assert (outcome.changed, outcome.values["timed_out"], clock.seconds) == (False, True, pytest.approx(30))
    assert bool(outcome.failure) == (on_timeout == "fail")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_denied_read_of_a_new_pipeline_is_repeated(status):
    """A server that reads from a database replica finds it a moment later."""
    jobs = "GET /projects/7/pipelines/9/jobs"
    done = our_pipeline(status="success")
    outcome = start(
        newest_list(),
        Exchange(CREATE, our_pipeline(), status=201, body=body()),
        newest_list(our_pipeline()),
        Exchange(jobs, {"message": "404 Not found"}, status=status),
        Exchange(jobs, [job(42, "success", pipeline=done)]),
        Exchange("GET /projects/7/pipelines/9", {**done, "created_at": "x", "finished_at": "x"}),
        Exchange("GET /projects/7/pipelines/9/trigger_jobs", []),
        wait=True,
    )
    assert (outcome.failure, outcome.values["status"]) == (None, "success")


def test_second_equal_pipeline_causes_a_warning():
    duplicate = our_pipeline(8)
    whole, variables = read(duplicate)
    outcome = start(
        newest_list(),
        Exchange(CREATE, our_pipeline(), status=201, body=body()),
        newest_list(our_pipeline(), duplicate),
        whole,
        Exchange(USER, OUR_USER),
        variables,
    )
    assert outcome.changed and outcome.failure is None
    assert any("pipeline 8" in text and "pipeline 9" in text and "2" in text for text in outcome.warnings)


@pytest.mark.parametrize(("ref_type", "sent"), [("branch", "refs/heads/main"), ("tag", "refs/tags/main")])
def test_ref_type_sends_the_full_ref_name(ref_type, sent):
    record = our_pipeline(tag=ref_type == "tag")
    outcome = start(
        newest_list(), Exchange(CREATE, record, status=201, body={"ref": sent}), newest_list(record), ref_type=ref_type
    )
    assert outcome.changed


SHA = "f" * 40


def refusal_next_to(active):
    """Return why no pipeline is started beside an active one of the same ref."""
    answers = {
        "pipelines": [active],
        "user": OUR_USER,
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
def test_no_pipeline_is_started_next_to_one_of_an_unknown_user(user):
    reason = refusal_next_to(our_pipeline(9, "running", user=user))
    assert "may be the one asked for, but GitLab does not show who started it" in reason


@pytest.mark.parametrize("source", [{}, {"source": None}])
def test_no_pipeline_is_started_next_to_one_of_an_unknown_source(source):
    active = {name: value for name, value in our_pipeline(9, "running").items() if name != "source"} | source
    assert "may be the one asked for, but this server, which may be older" in refusal_next_to(active)


def test_ref_that_moved_before_the_start_is_refused():
    # Ansible would capitalize a sentence that begins with the name of the branch
    with pytest.raises(errors.SelectionError, match="^ref main of .* is at commit e+, .* no pipeline was started"):
        start(newest_list(), Exchange("GET /projects/7/repository/commits/main", {"id": "e" * 40}), sha=SHA)


def test_ref_that_moves_during_the_start_is_reported():
    outcome = start(
        newest_list(),
        Exchange("GET /projects/7/repository/commits/main", {"id": SHA}),
        Exchange(CREATE, our_pipeline(sha="e" * 40), status=201, body=body()),
        sha=SHA[:8],
    )
    assert outcome.changed and outcome.failure.startswith("ref main has moved away") and outcome.values["id"] == 9


def test_check_mode_refuses_a_missing_ref():
    commit = Exchange("GET /projects/7/repository/commits/main", {"message": "404 Commit Not Found"}, status=404)
    with pytest.raises(errors.SelectionError, match="there is no branch or tag 'main'"):
        start(newest_list(), commit, check_mode=True)


COMMIT = {"id": SHA}
BOTH_KINDS = [
    Exchange(f"GET /projects/7/repository/commits/refs%2F{kind}%2Fmain", COMMIT) for kind in ("heads", "tags")
]


def test_check_mode_refuses_an_ambiguous_ref():
    with pytest.raises(errors.SelectionError, match="project 7 has a branch and a tag named main; set ref_type"):
        start(newest_list(), Exchange("GET /projects/7/repository/commits/main", COMMIT), *BOTH_KINDS, check_mode=True)


def test_pipeline_of_an_ambiguous_ref_is_not_reused():
    whole, variables = read(our_pipeline(sha=SHA))
    commit = Exchange("GET /projects/7/repository/commits/main", COMMIT)
    with pytest.raises(errors.SelectionError, match="project 7 has a branch and a tag named main; set ref_type"):
        start(newest_list(our_pipeline(sha=SHA)), commit, whole, Exchange(USER, OUR_USER), variables, *BOTH_KINDS)


def test_check_mode_predicts_a_start_without_repository_access():
    commit = Exchange("GET /projects/7/repository/commits/main", {"message": "403 Forbidden"}, status=403)
    outcome = start(newest_list(), commit, check_mode=True)
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
def test_refusal_explains_what_to_do(text, words):
    with pytest.raises(errors.RefusedError) as caught:
        start(newest_list(), Exchange(CREATE, refused(text), body=body()))
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
def test_refusal_without_a_reason_is_explained_from_the_project(project, words):
    with pytest.raises(errors.NotAuthorizedError) as caught:
        start(
            newest_list(),
            Exchange(CREATE, {"message": "403 Forbidden"}, status=403, body=body()),
            Exchange("GET /projects/7", project),
        )
    assert words in str(caught.value)


def test_job_token_cannot_start_a_pipeline():
    with pytest.raises(errors.UsageError, match="job token"):
        start(api_token=None, api_job_token="glcbt-0123456789")
