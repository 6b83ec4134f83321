# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Acting on jobs without waiting: requests, results, and predictions of check mode."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.hookspecs import hookimpl
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_action import TASK

from ....harness import Exchange, FunctionTransport, ScriptedTransport, bridge, job, lost, pipeline, reply, run_task

LIST = "GET /projects/7/pipelines/6/jobs"
NO_BRIDGES = Exchange("GET /projects/7/pipelines/6/trigger_jobs", [])
KEPT = {"artifacts": [{"file_type": "archive"}], "artifacts_expire_at": "2027-01-01T00:00:00.000Z"}
KEPT["artifacts_file"] = {"filename": "artifacts.zip", "size": 1}


def act(*exchanges, action="play", check_mode=False, extensions=None, **options):
    options = {"action": action, "name": ["deploy"], "pipeline_id": 6, **options}
    if "job_id" in options:
        options.update(name=None, pipeline_id=None)
    return run_task(
        TASK, options, transport=ScriptedTransport(*exchanges), check_mode=check_mode, extensions=extensions
    )


def post(action, job_id=42):
    return f"POST /projects/7/jobs/{job_id}/{action}"


# action, the job before, the line of the write, the answer, status and ID afterwards
WRITES = [
    ("play", job(), post("play"), reply(job(status="pending")), "pending", 42),
    ("retry", job(42, "failed"), post("retry"), reply(job(43, "pending"), status=201), "pending", 43),
    ("cancel", job(42, "running"), post("cancel"), reply(job(42, "canceling"), status=201), "canceling", 42),
    ("cancel", job(42, "created"), post("cancel"), reply(job(42, "canceled"), status=201), "canceled", 42),
    (
        "erase",
        job(42, "success", **KEPT),
        post("erase"),
        reply(job(42, "success", erased_at="2026-01-02T00:00:00.000Z"), status=201),
        "success",
        42,
    ),
    (
        "keep_artifacts",
        job(42, "success", **KEPT),
        post("artifacts/keep"),
        job(42, "success", artifacts=KEPT["artifacts"]),
        "success",
        42,
    ),
]


@pytest.mark.parametrize(("action", "before", "line", "answer", "status", "job_id"), WRITES)
def test_an_action_is_one_write(action, before, line, answer, status, job_id):
    outcome = act(Exchange(LIST, [before]), Exchange(line, answer), action=action)
    assert outcome.failure is None
    assert outcome.changed
    assert (outcome.values["id"], outcome.values["status"]) == (job_id, status)
    assert outcome.values["results"] == [
        {
            "name": "deploy",
            "outcome": "applied",
            "reason": outcome.values["results"][0]["reason"],
            "before": {"id": 42, "status": before["status"]},
            "after": {"id": job_id, "status": status},
        }
    ]
    assert outcome.values["job"]["id"] == job_id
    assert outcome.diff["before"] == f"deploy: {before['status']} (id 42)\n"


def test_deleting_artifacts_is_followed_by_a_look():
    outcome = act(
        Exchange(LIST, [job(42, "success", **KEPT)]),
        Exchange("DELETE /projects/7/jobs/42/artifacts", reply(b"", status=204)),
        Exchange("GET /projects/7/jobs/42", job(42, "success")),
        Exchange(LIST, [job(42, "success")]),
        action="delete_artifacts",
    )
    assert outcome.changed
    assert outcome.values["job"]["artifacts"] == []


@pytest.mark.parametrize(("action", "before", "line", "answer", "status", "job_id"), WRITES)
def test_check_mode_reads_and_does_not_write(action, before, line, answer, status, job_id):
    outcome = act(Exchange(LIST, [before]), action=action, check_mode=True)
    assert (outcome.changed, outcome.failure) == (True, None)
    assert outcome.values["results"][0]["outcome"] == "applied"
    predicted = outcome.values["results"][0]["after"]
    assert predicted["id"] == (None if action == "retry" else 42)
    assert predicted["status"] == ("canceled" if action == "cancel" else status)
    # the returned job is unchanged
    assert outcome.values["job"] == before


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("play", "running"),
        ("play", "success"),
        ("retry", "success"),
        ("cancel", "success"),
        ("keep_artifacts", "success"),
    ],
)
def test_what_is_as_wished_stays(action, status, check_mode):
    outcome = act(Exchange(LIST, [job(42, status)]), action=action, check_mode=check_mode)
    assert (outcome.changed, outcome.failure) == (False, None)
    assert outcome.values["results"][0]["outcome"] == "unchanged"
    assert outcome.diff["before"] == outcome.diff["after"]


@pytest.mark.parametrize(
    ("told", "queued"), [(1.5, 1.5), (70, 70.0), (None, None), ("70", None), (-1, None), ([], None)]
)
def test_the_time_in_the_queue_is_a_number_or_nothing(told, queued):
    outcome = act(Exchange(LIST, [job(42, "success", queued_duration=told)]))
    assert outcome.values["queued"] == queued
    assert outcome.values["job"]["queued_duration"] == told


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("action", "status", "words"),
    [
        ("play", "created", "use wait"),
        ("play", "failed", "its status is failed; use action retry, or set replay if it is a manual job"),
        ("retry", "manual", "use action play"),
        ("erase", "running", "only finished jobs can be erased"),
    ],
)
def test_a_refusal_fails_with_reason_and_advice(action, status, words, check_mode):
    outcome = act(Exchange(LIST, [job(42, status)]), action=action, check_mode=check_mode, log_lines=0)
    assert not outcome.changed
    assert outcome.failure.startswith("job 'deploy' (id 42) cannot be ")
    assert words in outcome.failure
    assert set(outcome.values) | {"diff"} == set(TASK.empty_result)


def test_check_mode_predicts_the_play_of_a_job_whose_turn_has_not_come():
    outcome = act(Exchange(LIST, [job(42, "created")]), wait=True, check_mode=True)
    assert (outcome.changed, outcome.failure) == (True, None)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (
            {"job_variables": {"A": 1, "B": True, "C": "x", "D": 1.5}},
            {"job_variables_attributes": [("A", "1"), ("B", "true"), ("C", "x"), ("D", "1.5")]},
        ),
        ({"job_inputs": {"region": "eu", "n": 3}}, {"job_inputs": {"region": "eu", "n": 3}}),
        ({"job_variables": {}, "job_inputs": {}}, None),
    ],
)
def test_what_is_sent_with_play(given, sent):
    if sent and "job_variables_attributes" in sent:
        sent = {
            "job_variables_attributes": [{"key": key, "value": text} for key, text in sent["job_variables_attributes"]]
        }
    outcome = act(Exchange(LIST, [job()]), Exchange(post("play"), job(status="pending"), body=sent), **given)
    assert outcome.changed


def test_inputs_of_retry_are_sent_by_both_names():
    sent = {"inputs": {"a": 1}, "job_inputs": {"a": 1}}
    answer = reply(job(43, "pending"), status=201)
    act(
        Exchange(LIST, [job(42, "failed")]),
        Exchange(post("retry"), answer, body=sent),
        action="retry",
        job_inputs={"a": 1},
    )


@pytest.mark.parametrize(
    ("status", "body", "answered", "outcome"),
    [("canceling", {"force": True}, "canceled", "applied"), ("running", None, "canceled", "applied")],
)
def test_force_is_sent_only_for_a_job_that_is_being_canceled(status, body, answered, outcome):
    answer = reply(job(42, answered), status=201)
    done = act(
        Exchange(LIST, [job(42, status)]), Exchange(post("cancel"), answer, body=body), action="cancel", force=True
    )
    assert done.values["results"][0]["outcome"] == outcome


def test_a_superseded_id_stands_for_the_newest_attempt():
    outcome = act(
        Exchange("GET /projects/7/jobs/42", job(42, "failed")),
        Exchange(LIST, [job(45, "failed"), job(44, "success", "other")]),
        Exchange(post("retry", 45), reply(job(46, "pending"), status=201)),
        action="retry",
        job_id=42,
    )
    assert outcome.values["id"] == 46


def test_a_job_given_by_id_needs_no_list_before_it_ends():
    act(Exchange("GET /projects/7/jobs/42", job()), Exchange(post("play"), job(status="pending")), job_id=42)


def test_a_trigger_job_is_played_by_name():
    outcome = act(
        Exchange(LIST, [job(41, "success", "build")]),
        Exchange("GET /projects/7/pipelines/6/trigger_jobs", [bridge(50, "manual", "deploy")]),
        Exchange(post("play", 50), bridge(50, "pending", "deploy")),
    )
    assert outcome.changed


@pytest.mark.parametrize(("action", "status", "since"), [("play", "manual", "13.10"), ("retry", "failed", "17.0")])
def test_a_trigger_job_that_a_server_does_not_find(action, status, since):
    reads = [
        Exchange(LIST, [job(41, "success", "build")]),
        Exchange("GET /projects/7/pipelines/6/trigger_jobs", [bridge(50, status, "deploy")]),
    ]
    missing = Exchange(post(action, 50), reply({"message": "404 Not found"}, status=404))
    outcome = act(*reads, missing, reads[1], action=action)
    assert not outcome.changed
    assert f"in GitLab {since} and later" in outcome.failure


def test_a_trigger_job_cannot_be_canceled():
    outcome = act(
        Exchange(LIST, [job(41, "success", "build")]),
        Exchange("GET /projects/7/pipelines/6/trigger_jobs", [bridge(50, "running", "deploy")]),
        action="cancel",
    )
    assert "trigger jobs cannot be canceled" in outcome.failure


TWO = [job(43, "manual", "deploy:b"), job(42, "manual", "deploy:a")]


def test_several_matches_are_an_error_that_lists_them():
    with pytest.raises(errors.SelectionError) as caught:
        act(Exchange(LIST, TWO), NO_BRIDGES, name=["deploy:*"])
    text = str(caught.value)
    assert text.startswith("2 jobs match name 'deploy:*' in pipeline 6 of project 7 (source push, ref main, ")
    assert "): 'deploy:b (id 43)', 'deploy:a (id 42)'. Use the exact name or job_id, or multiple: latest" in text


@pytest.mark.parametrize(("multiple", "played"), [("latest", [43]), ("all", [43, 42])])
def test_several_matches_that_are_wanted(multiple, played):
    writes = [
        Exchange(post("play", number), job(number, "pending", f"deploy:{'ab'[number - 42]}")) for number in played
    ]
    outcome = act(Exchange(LIST, TWO), NO_BRIDGES, *writes, name=["deploy:*"], multiple=multiple)
    assert [result["after"]["id"] for result in outcome.values["results"]] == played


def test_all_jobs_are_tried_and_the_task_fails_once():
    jobs = [job(44, "skipped", "c"), job(43, "manual", "b"), job(42, "manual", "a"), job(41, "success", "d")]
    answers = {
        LIST: jobs,
        post("play", 43): reply({"message": "403 Forbidden"}, status=403),
        post("play", 42): job(42, "pending", "a"),
        "GET /projects/7/jobs/43": job(43, "manual", "b"),
        "GET /projects/7": {"id": 7},
        "GET /projects/7/pipelines/6/trigger_jobs": [],
    }
    outcome = run_task(
        TASK,
        {"action": "play", "pipeline_id": 6, "stage": ["deploy"], "multiple": "all", "api_concurrency": 4},
        transport=FunctionTransport(lambda call: answers[call.line]),
    )
    results = {result["name"]: result["outcome"] for result in outcome.values["results"]}
    assert results == {"c": "refused", "b": "refused", "a": "applied", "d": "unchanged"}
    assert outcome.changed
    assert outcome.failure.startswith("2 of 4 jobs failed: job 'c' (id 44) cannot be played")
    assert "job 'b' (id 43) cannot be played" in outcome.failure
    assert (outcome.values["id"], outcome.values["job"]) == (None, None)


def test_a_scope_that_fits_nothing_is_no_error():
    none = Exchange("GET /projects/7/pipelines/6/trigger_jobs", [])
    outcome = act(Exchange(LIST, [job(42, "success")]), none, action="retry", name=None, scope=["failed"])
    assert (outcome.changed, outcome.failure, outcome.values["results"]) == (False, None, [])


class Freeze:
    """Forbids playing jobs, and keeps the calls that it received."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    @hookimpl
    def gitlab_decide_job_action(self, action, job, decisions):
        self.asked.append((action, job["id"], decisions.built_in.verdict))
        return self.answer(decisions)


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_extension_may_refuse(check_mode):
    freeze = Freeze(lambda decisions: decisions.refuse("changes are frozen until Monday"))
    outcome = act(Exchange(LIST, [job()]), check_mode=check_mode, extensions={"freeze": freeze})
    assert outcome.failure == "job 'deploy' (id 42) cannot be played: changes are frozen until Monday"
    assert freeze.asked == [("play", 42, "act")]


def test_an_extension_may_refuse_to_send_again_what_was_lost():
    answers = iter(("act", "refuse"))
    freeze = Freeze(lambda decisions: getattr(decisions, next(answers))("changes are frozen until Monday"))
    outcome = act(
        Exchange(LIST, [job()]),
        Exchange(post("play"), lost()),
        Exchange("GET /projects/7/jobs/42", job()),
        extensions={"freeze": freeze},
    )
    assert outcome.values["results"][0]["outcome"] == "refused"
    assert outcome.failure == (
        "job 'deploy' (id 42) cannot be played: changes are frozen until Monday; an answer was lost, so it may have "
        "been done before"
    )


def test_an_extension_may_leave_it_to_the_table():
    outcome = act(
        Exchange(LIST, [job()]),
        Exchange(post("play"), job(status="pending")),
        extensions={"freeze": Freeze(lambda decisions: None)},
    )
    assert outcome.changed


def test_the_reason_of_an_extension_may_be_an_exception():
    freeze = Freeze(lambda decisions: decisions.refuse(ValueError("no window is open")))
    outcome = act(Exchange(LIST, [job()]), extensions={"freeze": freeze})
    assert outcome.failure == "job 'deploy' (id 42) cannot be played: no window is open"
    assert outcome.values["results"][0]["reason"] == "no window is open"


def test_an_extension_that_answers_nonsense_is_named():
    with pytest.raises(errors.ExtensionError, match="returned str from gitlab_decide_job_action"):
        act(Exchange(LIST, [job()]), extensions={"freeze": Freeze(lambda decisions: "no")})


def test_annotations_are_added_to_what_is_returned():
    class Owner:
        @hookimpl
        def gitlab_annotate_record(self, kind, record):
            return {"owner": kind}

    outcome = act(Exchange(LIST, [job(42, "success")]), extensions={"owner": Owner()})
    assert outcome.values["job"] == {**job(42, "success"), "annotations": {"owner": "job"}}


def test_what_an_extension_changes_in_a_record_has_no_effect():
    class Careless:
        @hookimpl
        def gitlab_decide_job_action(self, action, job, decisions):
            self._spoil(job)

        @hookimpl
        def gitlab_annotate_record(self, kind, record):
            if kind == "job":
                self._spoil(record)

        def _spoil(self, record):
            record["status"] = record["pipeline"]["status"] = "spoilt"
            record["tag_list"].append("spoilt")

    outcome = act(Exchange(LIST, [job(42, "success")]), extensions={"careless": Careless()})
    assert outcome.values["job"] == job(42, "success")
    assert outcome.values["pipeline"] == pipeline()


def test_the_newest_pipeline_of_a_ref_is_pinned():
    outcome = act(
        Exchange("GET /projects/7/pipelines?ref=main&order_by=id&sort=desc&per_page=20", [pipeline(6)]),
        Exchange(LIST, [job()]),
        Exchange(post("play"), job(status="pending")),
        pipeline_id=None,
        ref="main",
    )
    assert outcome.changed


def test_a_stage_that_only_a_trigger_job_has_is_a_stage_beside_any_name():
    lines = [
        Exchange(LIST, [job(42, "success", "a", stage="test")]),
        Exchange(NO_BRIDGES.line, [bridge(50, "manual", "x", stage="deploy")]),
    ]
    outcome = act(*lines, name=["a"], stage=["test", "deploy"])
    assert (outcome.failure, [entry["name"] for entry in outcome.values["results"]]) == (None, ["a"])
