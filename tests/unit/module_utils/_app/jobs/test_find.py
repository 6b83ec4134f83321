# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding the pipeline and its jobs, on servers of all versions."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_info import TASK

from ....harness import (
    NO_ROUTE,
    NOT_FOUND,
    Exchange,
    FakeClock,
    FunctionTransport,
    ScriptedTransport,
    bridge,
    job,
    pipeline,
    reply,
    run_task,
)

LIST = "GET /projects/7/pipelines/6/jobs"
PLACE = (
    "pipeline 6 of project 7 (source push, ref main, status running, "
    "https://gitlab.example.com/group/app/-/pipelines/6)"
)
BRIDGES = "GET /projects/7/pipelines/6/trigger_jobs"
PIPELINE = Exchange("GET /projects/7/pipelines/6", pipeline())
PROJECT = "GET /projects/7/jobs?pagination=keyset&order_by=id&sort=desc"


def info(*exchanges, **options):
    return run_task(TASK, options, transport=ScriptedTransport(*exchanges))


def ids(outcome):
    return [record["id"] for record in outcome.values["jobs"]]


def test_error_names_the_project_as_configured():
    listed = "GET /projects/group%2Fapp/pipelines?ref=v1&order_by=id&sort=desc&per_page=20"
    with pytest.raises(errors.NotFoundError, match="pipeline 6 of project group/app"):
        info(
            Exchange(listed, [pipeline(ref="v1")]),
            Exchange("GET /projects/7/pipelines/6", reply(NOT_FOUND, status=404)),
            project="group/app",
            ref="refs/tags/v1",
        )


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"ref": "v1/ü"}, "GET /projects/7/pipelines?ref=v1/ü&order_by=id&sort=desc&per_page=20"),
        (
            {"sha": "ffffffffffffffffffffffffffffffffffffffff"},
            "GET /projects/7/pipelines?sha=ffffffffffffffffffffffffffffffffffffffff&order_by=id&sort=desc&per_page=20",
        ),
        (
            {"ref": "main", "sha": "ffffffffffffffffffffffffffffffffffffffff"},
            f"GET /projects/7/pipelines?ref=main&sha={'f' * 40}&order_by=id&sort=desc&per_page=20",
        ),
        ({"merge_request": 3}, "GET /projects/7/merge_requests/3/pipelines?per_page=20"),
    ],
)
def test_newest_pipeline_is_searched_and_used(options, line):
    outcome = info(
        Exchange(line, [pipeline(6, ref=options.get("ref", "main")), pipeline(5)]),
        Exchange(LIST, [job(42), job(41, name="build")]),
        **options,
    )
    assert ids(outcome) == [42, 41]
    assert outcome.values["pipeline"]["id"] == 6


def test_pipeline_id_needs_one_read():
    outcome = info(Exchange(LIST, [job(42)]), pipeline_id=6)
    assert outcome.values["job"] == job(42)
    assert outcome.values["pipeline"] == pipeline()
    assert outcome.values["summary"] == {"manual": 1}
    assert (outcome.changed, outcome.values["timeline"]) == (False, [])


def test_project_is_quoted_once():
    info(Exchange("GET /projects/group%2Fsub%2Fapp/pipelines/6/jobs", [job()]), project="group/sub/app", pipeline_id=6)


@pytest.mark.parametrize(
    ("options", "line", "words"),
    [
        (
            {"ref": "nope"},
            "GET /projects/7/pipelines?ref=nope&order_by=id&sort=desc&per_page=20",
            "pipeline of ref nope",
        ),
        ({"merge_request": 3}, "GET /projects/7/merge_requests/3/pipelines?per_page=20", "pipeline of merge request 3"),
    ],
)
def test_missing_pipeline_is_explained(options, line, words):
    with pytest.raises(errors.SelectionError, match=f"there is no {words} in project 7"):
        info(Exchange(line, []), **options)


@pytest.mark.parametrize("line", [LIST, "GET /projects/7/pipelines/6/jobs"])
def test_unknown_pipeline_id_is_explained(line):
    none = Exchange("GET /projects/7/pipelines?order_by=id&sort=desc", [pipeline(90, iid=5)])
    with pytest.raises(errors.NotFoundError, match="Check pipeline_id, and that the pipeline belongs to project 7"):
        info(Exchange(line, reply(NOT_FOUND, status=404)), none, pipeline_id=6)


def test_unknown_merge_request_is_explained():
    none = Exchange("GET /projects/7/merge_requests/3/pipelines?per_page=20", reply(NOT_FOUND, status=404))
    with pytest.raises(errors.NotFoundError, match="Check merge_request: it is the number after the ! in"):
        info(none, merge_request=3)


def test_iid_given_as_pipeline_id_is_explained():
    listed = Exchange("GET /projects/7/pipelines?order_by=id&sort=desc", [pipeline(91, iid=7), pipeline(90, iid=6)])
    with pytest.raises(errors.NotFoundError) as caught:
        info(Exchange(LIST, reply(NOT_FOUND, status=404)), listed, pipeline_id=6)
    assert "6 is the number within the project (iid) of pipeline 90; set pipeline_id: 90" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (pipeline(9), "9 is the id of a pipeline; set pipeline_id to it, or job_id to the id of a job"),
        (reply(NOT_FOUND, status=404), "read it with gitlab_pipeline_bridges, or act on it by its name"),
        (reply({"message": "403 Forbidden"}, status=403), 'GitLab says "404 Not found" for job 9 of project 7'),
    ],
)
def test_unknown_job_id_is_explained(answer, words):
    exchanges = [
        Exchange("GET /projects/7/jobs/9", reply(NOT_FOUND, status=404)),
        Exchange("GET /projects/7/pipelines/9", answer),
    ]
    with pytest.raises(errors.NotFoundError) as caught:
        info(*exchanges, job_id=9)
    assert f"{words} (GET " in str(caught.value)


def test_missing_project_is_reported_without_further_reads():
    answer = reply({"message": "404 Project Not Found"}, status=404)
    with pytest.raises(errors.NotFoundError, match="The project does not exist"):
        info(Exchange("GET /projects/7/jobs/9", answer), job_id=9)


def test_lists_of_servers_before_13_5_are_sorted_and_filtered():
    base = {"status": "success", "pipeline": {"id": 6, "ref": "main", "sha": "f" * 40, "status": "success"}}
    old = [{"id": number, "name": name, **base} for number, name in ((1, "a"), (2, "b"), (3, "a"))]
    assert ids(info(Exchange(LIST, old), pipeline_id=6)) == [3, 2]
    every = Exchange(LIST + "?include_retried=true", old)
    assert ids(info(every, pipeline_id=6, include_retried=True)) == [3, 2, 1]


def test_scope_on_an_old_server_reads_all_jobs():
    old = [{"id": 1, "name": "a", "status": "failed"}, {"id": 2, "name": "a", "status": "success"}]
    scoped = Exchange(LIST + "?scope[]=failed", old[:1])
    outcome = info(scoped, Exchange(LIST, old), PIPELINE, pipeline_id=6, scope=["failed"])
    assert ids(outcome) == []


def test_scope_on_a_new_server_is_filtered_by_the_server():
    outcome = info(
        Exchange(LIST + "?scope[]=failed&scope[]=manual", [job(42)]), pipeline_id=6, scope=["failed", "manual"]
    )
    assert ids(outcome) == [42]


def test_stage_selects_jobs():
    assert ids(info(Exchange(LIST, [job(42), job(41, stage="test", name="t")]), pipeline_id=6, stage=["test"])) == [41]


def test_jobs_selected_by_several_names_are_sorted_and_unique():
    jobs = [job(number, name=name) for number, name in ((44, "test: [b]"), (43, "test: [a]"), (42, "deploy"))]
    outcome = info(Exchange(LIST, jobs), pipeline_id=6, name=["deploy", "test:*", "test: [a]"])
    assert ids(outcome) == [44, 43, 42]


@pytest.mark.parametrize(
    ("name", "bridges", "words"),
    [
        ("deploi", [], f"no job 'deploi' in {PLACE}: did you mean 'deploy'?"),
        ("zzz", [bridge(name="child")], "The pipeline has trigger jobs ('child'); set include_downstream"),
        ("child", [bridge(name="child")], "'child' is a trigger job; read it with gitlab_pipeline_bridges"),
        ("child/apply", [bridge(name="child")], "set include_downstream"),
        ("Deploy", [], "did you mean 'deploy'?"),
        ("deploy[0-9]", [], "did you mean 'deploy'?"),
    ],
)
def test_unknown_name_gets_suggestions(name, bridges, words):
    with pytest.raises(errors.SelectionError) as caught:
        info(Exchange(LIST, [job(42)]), Exchange(BRIDGES, bridges), pipeline_id=6, name=[name])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"name": ["child"]},
            "has no jobs; it is failed. 'child' is a trigger job; read it with gitlab_pipeline_bridges.",
        ),
        ({"wait": True}, "has no jobs; it is failed. The pipeline has trigger jobs ('child'); set include_downstream"),
    ],
)
def test_pipeline_with_only_trigger_jobs_is_explained(options, words):
    failed = Exchange("GET /projects/7/pipelines/6", pipeline(status="failed"))
    with pytest.raises(errors.SelectionError) as caught:
        info(Exchange(LIST, []), failed, Exchange(BRIDGES, [bridge(name="child")]), pipeline_id=6, **options)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("child", "words"),
    [
        (
            bridge(name="child", status="failed", failure_reason="downstream_bridge_project_not_found"),
            "Trigger job 'child', whose downstream jobs are selected, ended as failed "
            "(downstream_bridge_project_not_found) and started no pipeline.",
        ),
        (bridge(name="child", status="manual"), "Trigger job 'child' is still manual."),
    ],
)
def test_missing_job_below_an_unstarted_trigger_job_is_explained(child, words):
    with pytest.raises(errors.SelectionError) as caught:
        info(
            Exchange(BRIDGES, [child]),
            Exchange(LIST, [job(42)]),
            pipeline_id=6,
            name=["child/apply"],
            include_downstream=True,
        )
    assert str(caught.value).endswith(f": there is 'deploy'. {words}")


def test_pipeline_with_only_an_unstarted_trigger_job_is_explained():
    failed = Exchange("GET /projects/7/pipelines/6", pipeline(status="failed"))
    child = bridge(name="child", status="failed")
    with pytest.raises(errors.SelectionError) as caught:
        info(Exchange(BRIDGES, [child]), Exchange(LIST, []), failed, pipeline_id=6, include_downstream=True, wait=True)
    text = "has no jobs; it is failed. Trigger job 'child', whose downstream jobs are selected, ended as failed"
    assert text in str(caught.value)


def test_unreadable_trigger_jobs_do_not_hide_an_unknown_name():
    with pytest.raises(errors.SelectionError, match="no job 'x'"):
        info(Exchange(LIST, [job(42)]), Exchange(BRIDGES, reply("<html>", status=403)), pipeline_id=6, name=["x"])


# ----- one job -----


def test_job_id_selects_this_attempt_even_if_retried():
    outcome = info(Exchange("GET /projects/7/jobs/42", job(42, "failed")), job_id=42)
    assert outcome.values["job"] == job(42, "failed")
    assert outcome.values["pipeline"]["id"] == 6


# ----- a project -----


def test_project_is_listed_by_keyset_without_superseded_attempts():
    link = {"Link": '<https://other.example.com/x?cursor=abc>; rel="next"'}
    first = [job(9, "success", "a"), job(8, "failed", "b"), job(7, "failed", "a")]
    other = job(6, "failed", "a", pipeline=pipeline(5))
    outcome = info(Exchange(PROJECT, reply(first, headers=link)), Exchange(PROJECT + "&cursor=abc", [other]))
    assert ids(outcome) == [9, 8, 6]
    assert outcome.values["pipeline"] is None
    assert not outcome.values["truncated"]
    assert ids(info(Exchange(PROJECT, first), include_retried=True)) == [9, 8, 7]


@pytest.mark.parametrize(("limit", "count", "truncated"), [(2, 2, True), (3, 3, False), (0, 3, False), (1, 1, True)])
def test_limit_truncates_the_list(limit, count, truncated):
    jobs = [job(number, name=f"job-{number}") for number in (9, 8, 7)]
    for lines, options in (([Exchange(PROJECT, jobs)], {}), ([Exchange(LIST, jobs)], {"pipeline_id": 6})):
        outcome = info(*lines, limit=limit, **options)
        assert len(outcome.values["jobs"]) == count
        assert outcome.values["truncated"] is truncated


def test_limit_stops_reading_further_pages():
    def page(call):
        number = int(call.query.get("page", ["1"])[0])
        rows = [job(10_000 - number * 100 - index, name=f"j{index}", pipeline=pipeline(number)) for index in range(100)]
        return reply(rows, headers={"X-Page": str(number), "X-Next-Page": str(number + 1)})

    transport = FunctionTransport(page)
    outcome = run_task(TASK, {"limit": 150}, transport=transport)
    assert (len(outcome.values["jobs"]), outcome.values["truncated"]) == (150, True)
    assert len(transport.calls) == 2


def test_limit_does_not_cause_an_unknown_name_error():
    jobs = [
        job(9, name="build", pipeline=pipeline(9)),
        job(8, name="build", pipeline=pipeline(8)),
        job(7, name="deploy"),
    ]
    outcome = info(Exchange(PROJECT, jobs), name=["build", "deploy"], limit=1)
    assert (ids(outcome), outcome.values["truncated"]) == ([9], True)


def test_scope_is_sent_to_the_server_and_names_are_matched_locally():
    jobs = [job(9, "failed", "build"), job(8, "failed", "test")]
    assert ids(info(Exchange(PROJECT + "&scope[]=failed", jobs), scope=["failed"], name=["te*"])) == [8]


JOBS = [job(42), job(41, stage="test", name="t")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"stage": ["tests"]}, f"no job of {PLACE} has stage 'tests': did you mean 'test'?"),
        ({"stage": ["x*"]}, f"no job of {PLACE} has stage 'x*': there are 'deploy', 'test'"),
        ({"stage": ["test", "dpeloy"]}, "has stage 'dpeloy': did you mean 'deploy'?"),
        (
            {"name": ["deploy"], "stage": ["test"]},
            f"job 'deploy' of {PLACE} has stage 'deploy', not stage 'test'",
        ),
        ({"name": ["deploy", "t"], "stage": ["test"]}, "job 'deploy' of pipeline 6"),
        ({"name": ["deploy"], "stage": ["dpeloy"]}, "has stage 'dpeloy': did you mean 'deploy'?"),
        ({"name": ["x*"]}, f"no job 'x*' in {PLACE}: there are 'deploy', 't'"),
    ],
)
def test_each_name_and_stage_must_match_a_job(options, words):
    def answer(call):
        return JOBS if call.line == LIST else []

    with pytest.raises(errors.SelectionError) as caught:
        run_task(TASK, {"pipeline_id": 6, **options}, transport=FunctionTransport(answer))
    assert words in str(caught.value)


def test_wildcards_match_stages():
    jobs = [job(43, name="a", stage="test:a"), job(42), job(41, name="b", stage="test:b")]
    assert ids(info(Exchange(LIST, jobs), pipeline_id=6, stage=["test:*"])) == [43, 41]


@pytest.mark.parametrize("option", ["name", "stage"])
def test_empty_list_selects_nothing(option):
    assert ids(info(PIPELINE, pipeline_id=6, **{option: []})) == []
    with pytest.raises(errors.SelectionError, match="an empty list of name or stage selects nothing"):
        info(pipeline_id=6, wait=True, **{option: []})
    assert ids(info(PIPELINE, pipeline_id=6, wait=True, allow_empty=True, **{option: []})) == []


def test_string_with_commas_may_be_one_name():
    jobs = [job(43, name="integration: [postgres, 15]"), job(42, name="a"), job(41, name="b")]
    parts = "integration: [postgres, 15]".split(",")
    assert ids(info(Exchange(LIST, jobs), pipeline_id=6, name=parts)) == [43]
    assert ids(info(Exchange(LIST, jobs), pipeline_id=6, name="a, b".split(","))) == [42, 41]


def test_name_unknown_in_a_project_is_an_error():
    with pytest.raises(errors.SelectionError, match="no job 'x' in project 7: there is 'build'"):
        info(Exchange(PROJECT, [job(9, name="build")]), name=["x"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["id"], {"id": 42}),
        (["pipeline.id", "pipeline.ref"], {"pipeline": {"id": 6, "ref": "main"}}),
        (["status", "user.username", "none"], {"status": "manual"}),
        (["commit.id", "commit.id.x"], {"commit": {"id": "c"}}),
    ],
)
def test_fields_select_nested_values(fields, expected):
    outcome = info(Exchange(LIST, [job(42, commit={"id": "c"})]), pipeline_id=6, fields=fields)
    assert outcome.values["job"] == expected


@pytest.mark.parametrize("how", [{"pipeline_id": 6}, {"job_id": 42, "wait": True}], ids=["read", "waited for"])
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (["id", "statsu"], "No job has the field 'statsu': did you mean 'status'?"),
        (["nope.id"], "No job has the field 'nope': there are 'allow_failure', "),
        # jobs have this field only after a failure
        (["id", "failure_reason"], None),
    ],
)
def test_misspelled_field_causes_a_warning(fields, words, how):
    ended = job(42, "success", artifacts_expire_at=None)
    transport = FunctionTransport(lambda call: [ended] if call.path.endswith("/jobs") else ended)
    outcome = run_task(TASK, {**how, "fields": fields}, transport=transport)
    assert [text.startswith(words or "nothing") for text in outcome.warnings] == ([True] if words else [])


# ----- downstream -----

CHILD = pipeline(16, project_id=7)
OTHER = pipeline(26, project_id=8)


def tree(call):
    """Answer like a parent pipeline, its child, and a pipeline of another project that triggers the parent again."""
    return {
        "GET /projects/7/pipelines/6": pipeline(),
        LIST: [job(42), job(41, name="build")],
        BRIDGES: [bridge(50, name="infra", downstream=CHILD)],
        "GET /projects/7/pipelines/16/jobs": [job(62, name="apply", pipeline=CHILD)],
        "GET /projects/7/pipelines/16/trigger_jobs": [bridge(60, name="nested", downstream=OTHER)],
        "GET /projects/8/pipelines/26/jobs": [
            job(72, name="apply", pipeline=OTHER),
            job(71, name="plan", pipeline=OTHER),
        ],
        "GET /projects/8/pipelines/26/trigger_jobs": [bridge(70, name="back", downstream=pipeline())],
    }[call.line]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["infra/apply"], [62]),
        (["infra/nested/apply"], [72]),
        (["apply"], [72, 62]),
        (["*/nested/*"], [72, 71]),
        (["deploy"], [42]),
        (None, [72, 71, 62, 42, 41]),
    ],
)
def test_names_match_jobs_of_downstream_pipelines(names, expected):
    options = {"pipeline_id": 6, "include_downstream": True, "name": names}
    assert ids(run_task(TASK, options, transport=FunctionTransport(tree))) == expected


def test_trigger_job_selected_in_a_tree_is_explained():
    options = {"pipeline_id": 6, "include_downstream": True, "name": ["infra"]}
    with pytest.raises(errors.SelectionError, match="'infra' is a trigger job; read it with gitlab_pipeline_bridges"):
        run_task(TASK, options, transport=FunctionTransport(tree))


@pytest.mark.parametrize("status", [403, 404])
def test_unreadable_downstream_pipeline_is_reported_if_it_may_match(status):
    def with_unreadable_project(call):
        return reply({"message": "404 Project Not Found"}, status=status) if "/projects/8/" in call.path else tree(call)

    options = {"pipeline_id": 6, "include_downstream": True}
    outcome = run_task(TASK, options, transport=FunctionTransport(with_unreadable_project))
    assert ids(outcome) == [62, 42, 41]
    hidden = "cannot read the downstream pipelines of 'infra/nested', whose jobs may be selected, too"
    assert [hidden in warning for warning in outcome.warnings] == [True]
    waiting = {**options, "wait": True, "wait_for": ["manual", "success"]}
    for names in (None, ["*"]):
        with pytest.raises(errors.SelectionError, match=hidden):
            run_task(TASK, {**waiting, "name": names}, transport=FunctionTransport(with_unreadable_project))
    for name, found in (("deploy", [42]), ("infra/app*", [62])):
        outcome = run_task(TASK, {**waiting, "name": [name]}, transport=FunctionTransport(with_unreadable_project))
        assert (ids(outcome), outcome.warnings) == (found, [])
    with pytest.raises(errors.SelectionError, match="cannot read the downstream pipelines of 'infra/nested'"):
        run_task(TASK, {**options, "name": ["plan"]}, transport=FunctionTransport(with_unreadable_project))


@pytest.mark.parametrize("answer", [NO_ROUTE, "<html><title>404 Not Found</title></html>", "no such page"])
def test_old_server_lists_trigger_jobs_as_bridges(answer):
    def old(call):
        if call.line.endswith("/trigger_jobs"):
            return reply(answer, status=404)
        return tree(call) if not call.line.endswith("/bridges") else _bridges(call)

    def _bridges(call):
        return [bridge(50, name="infra", downstream=CHILD)] if "/6/" in call.path else []

    transport = FunctionTransport(old)
    outcome = run_task(
        TASK, {"pipeline_id": 6, "include_downstream": True, "name": ["infra/apply"]}, transport=transport
    )
    assert ids(outcome) == [62]
    assert sum(line.endswith("/trigger_jobs") for line in transport.lines) == 1


def test_web_page_does_not_mean_that_there_are_no_trigger_jobs():
    """A proxy sends it while GitLab restarts; without trigger jobs, the wait would miss half of the jobs."""

    def restarted(call):
        if call.line.endswith(("/trigger_jobs", "/bridges")):
            return reply("<html><title>404 Not Found</title></html>", status=404)
        return tree(call)

    with pytest.raises(errors.NotFoundError, match="HTML page .* This server does not have this endpoint"):
        run_task(TASK, {"pipeline_id": 6, "include_downstream": True}, transport=FunctionTransport(restarted))


def test_downstream_pipeline_with_inaccessible_jobs_is_omitted():
    closed = {"/projects/8/pipelines/26/jobs": reply({"message": "403 Forbidden"}, status=403)}
    transport = FunctionTransport(lambda call: closed.get(call.path) or tree(call))
    assert ids(run_task(TASK, {"pipeline_id": 6, "include_downstream": True}, transport=transport)) == [62, 42, 41]


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (401, "<html><title>No</title></html>", "an HTML page with the title 'No'"),
        (403, "<html><title>No</title></html>", "an HTML page with the title 'No'"),
        (404, "<html><title>No</title></html>", "an HTML page with the title 'No'"),
        (404, "404 page not found", 'the server says "404 page not found"'),
    ],
)
def test_foreign_denial_of_a_downstream_pipeline_is_an_error(status, answer, words):
    foreign = {"/projects/8/pipelines/26/jobs": reply(answer, status=status)}
    transport = FunctionTransport(lambda call: foreign.get(call.path) or tree(call))
    with pytest.raises(errors.StatusError, match=words):
        run_task(TASK, {"pipeline_id": 6, "include_downstream": True}, transport=transport)


def test_root_pipeline_with_inaccessible_jobs_is_an_error():
    closed = {"/projects/7/pipelines/6/jobs": reply({"message": "403 Forbidden"}, status=403)}
    transport = FunctionTransport(lambda call: closed.get(call.path) or tree(call))
    with pytest.raises(errors.NotAuthorizedError):
        run_task(TASK, {"pipeline_id": 6, "include_downstream": True}, transport=transport)


@pytest.mark.parametrize("options", [{}, {"pipeline_id": 6}, {"pipeline_id": 6, "fields": ["id"]}], ids=str)
def test_list_with_a_new_job_during_reading_is_read_again(options):
    clock = FakeClock()
    listed = list(range(1000, 0, -1))

    def page(call):
        clock.now += 0.02  # only slow servers get several requests at a time
        number = int(call.query.get("page", ["1"])[0])
        if number == 5 and len(listed) == 1000:
            listed.insert(0, 1001)
        rows = [job(each, name=f"j{each}") for each in listed[number * 100 - 100 : number * 100]]
        following = str(number + 1) if number * 100 < len(listed) else ""
        return reply(rows, headers={"X-Page": str(number), "X-Next-Page": following})

    transport = FunctionTransport(page)
    outcome = run_task(TASK, {"api_concurrency": 4, "limit": 0, **options}, transport=transport, clock=clock)
    assert ids(outcome) == list(range(1001, 0, -1))


def test_pipeline_record_without_an_id_is_an_error():
    line = "GET /projects/7/pipelines?ref=main&order_by=id&sort=desc&per_page=20"
    with pytest.raises(errors.BadAnswerError):
        info(Exchange(line, [{"status": "running"}]), ref="main", api_retries=0)


@pytest.mark.parametrize("token", ["api_token", "api_job_token"])
def test_job_token_ignores_a_skipped_pipeline_it_cannot_check(token):
    def answer(call):
        answers = {
            "GET /projects/7/pipelines": [] if "scope" in call.query else [pipeline(9, "skipped"), pipeline()],
            "GET /projects/7/pipelines/9/jobs": [],
            LIST: [job(42)],
        }
        return answers.get(call.line, reply(NOT_FOUND, status=404))

    options = {"api_token": None, token: "glcbt-0123456789", "ref": "main"}
    transport = FunctionTransport(answer)
    if token == "api_token":
        with pytest.raises(errors.NotFoundError):
            run_task(TASK, options, transport=transport)
        return
    outcome = run_task(TASK, options, transport=transport)
    assert ids(outcome) == [42]
    assert [text.partition(",")[0] for text in outcome.warnings] == ["Ignored"]
