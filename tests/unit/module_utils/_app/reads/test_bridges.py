# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree of pipelines: read, cut at repeated or unreadable pipelines, drawn, and waited for."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_pipeline_bridges import TASK

from ....harness import (
    NO_ROUTE,
    SERVER,
    Exchange,
    FakeClock,
    FunctionTransport,
    Progress,
    ScriptedTransport,
    bridge,
    job,
    pipeline,
    reply,
    run_task,
)

ROOT = "GET /projects/7/pipelines/6"
CHILD = pipeline(16, "success")
OTHER = pipeline(26, "running", project_id=8)
TREE = {
    ROOT: pipeline(),
    ROOT + "/trigger_jobs": [bridge(51, "success", "infra", CHILD), bridge(50, "manual", "docs")],
    ROOT + "/jobs": [],
    "GET /projects/7/pipelines/16/trigger_jobs": [bridge(60, "success", "nested", OTHER)],
    "GET /projects/7/pipelines/16/jobs": [job(62, "success", "apply")],
    "GET /projects/8/pipelines/26": OTHER,
    "GET /projects/8/pipelines/26/trigger_jobs": [bridge(70, "success", "back", pipeline())],
    "GET /projects/8/pipelines/26/jobs": [job(73, "running", "plan"), job(72, "failed", "plan")],
}


def read(answers=None, **options):
    table = {**TREE, **(answers or {})}
    transport = FunctionTransport(lambda call: table[call.line])
    return run_task(TASK, {"pipeline_id": 6, **options}, transport=transport), transport


def test_depth_is_one_by_default():
    outcome, transport = read()
    assert [record["name"] for record in outcome.values["bridges"]] == ["infra", "docs"]
    infra, docs = outcome.values["bridges"]
    assert (infra["depth"], infra["accessible"], infra["bridges"]) == (1, True, [])
    assert (docs["depth"], docs["accessible"], docs["bridges"]) == (1, None, [])
    assert [node["id"] for node in outcome.values["downstream_pipelines"]] == [16]
    assert outcome.values["summary"] == {"success": 1, "manual": 1}
    assert outcome.values["pipeline"] == pipeline()
    assert transport.lines == [ROOT + "/trigger_jobs", ROOT]
    assert (outcome.changed, outcome.failure) == (False, None)


@pytest.mark.parametrize(("depth", "found"), [(1, [16]), (2, [16, 26]), (3, [16, 26]), (0, [16, 26])])
def test_depth_limits_the_tree_and_cycles_are_cut(depth, found):
    outcome, transport = read(depth=depth)
    assert [node["id"] for node in outcome.values["downstream_pipelines"]] == found
    # each pipeline is read only once
    entered = [line for line in transport.lines if line.endswith("/trigger_jobs")]
    assert len(entered) == len(set(entered))


def test_unlimited_depth_returns_the_whole_tree_with_jobs():
    outcome, _transport = read(depth=0, include_jobs=True)
    infra = outcome.values["bridges"][0]
    nested = infra["bridges"][0]
    back = nested["bridges"][0]
    assert [infra["depth"], nested["depth"], back["depth"]] == [1, 2, 3]
    assert [record["id"] for record in infra["jobs"]] == [62]
    # only the newest attempt
    assert [record["id"] for record in nested["jobs"]] == [73]
    assert (back["bridges"], back.get("jobs")) == ([], None)
    assert [node["path"] for node in outcome.values["downstream_pipelines"]] == ["infra", "infra/nested"]


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("depth", [2, 0])
def test_unreadable_project_is_marked_as_not_accessible(status, depth):
    denied = reply({"message": "404 Project Not Found"}, status=status)
    closed = {line: denied for line in TREE if "/projects/8/" in line}
    outcome, _transport = read(closed, depth=depth, include_jobs=True)
    nested = outcome.values["bridges"][0]["bridges"][0]
    assert (nested["accessible"], nested["bridges"], nested.get("jobs", [])) == (False, [], [])
    assert nested["downstream_pipeline"] == OTHER
    assert "not accessible" in outcome.values["graph"]
    assert outcome.failure is None


def test_expired_token_is_an_error_not_an_inaccessible_project():
    expired = reply({"error": "invalid_token", "error_description": "Token is expired."}, status=401)
    closed = {line: expired for line in TREE if "/projects/8/" in line}
    with pytest.raises(errors.NotAuthorizedError, match="Token is expired"):
        read(closed, depth=0)


@pytest.mark.parametrize(
    ("status", "words"), [(403, "403"), (404, "Check pipeline_id, and that the pipeline belongs to project 7")]
)
def test_unreadable_root_pipeline_is_an_error(status, words):
    denied = reply({"message": "404 Not found"}, status=status)
    with pytest.raises(errors.StatusError, match=words):
        read({ROOT + "/trigger_jobs": denied, "GET /projects/7/pipelines": [pipeline(90)]})


def test_old_server_without_project_id_is_read():
    summary = {"id": 26, "ref": "main", "sha": "f", "status": "running", "web_url": f"{SERVER}/other/app/pipelines/26"}
    nothing = reply(NO_ROUTE, status=404)
    outcome, transport = read(
        {
            ROOT + "/trigger_jobs": nothing,
            ROOT + "/bridges": [bridge(50, "success", "remote", summary)],
            "GET /projects/other%2Fapp/pipelines/26": summary,
            "GET /projects/other%2Fapp/pipelines/26/bridges": [],
        },
        depth=0,
    )
    assert outcome.values["bridges"][0]["accessible"] is True
    assert sum(line.endswith("/trigger_jobs") for line in transport.lines) == 1


def test_server_without_trigger_job_lists_causes_a_warning():
    nothing = reply(NO_ROUTE, status=404)
    outcome, _transport = read({ROOT + "/trigger_jobs": nothing, ROOT + "/bridges": nothing})
    assert outcome.values["bridges"] == []
    assert "no list of trigger jobs" in outcome.warnings[0]


def test_retried_trigger_job_shows_its_newest_attempt():
    bridges = [bridge(50, "failed", "infra"), bridge(52, "success", "infra", CHILD)]
    outcome, _transport = read({ROOT + "/trigger_jobs": bridges})
    assert [record["id"] for record in outcome.values["bridges"]] == [52]


@pytest.mark.parametrize(
    ("options", "found"),
    [({"name": ["infra"]}, ["infra"]), ({"name": ["*"]}, ["infra", "docs"]), ({"scope": ["manual"]}, ["docs"])],
)
def test_names_and_scope_select_trigger_jobs(options, found):
    outcome, _transport = read(**options)
    assert [record["name"] for record in outcome.values["bridges"]] == found


def test_missing_name_is_an_error_with_suggestions():
    with pytest.raises(errors.SelectionError, match="no trigger job 'infar' in pipeline 6 .* did you mean 'infra'?"):
        read(name=["infar"])
    with pytest.raises(errors.SelectionError, match="there are no trigger jobs at all"):
        read({ROOT + "/trigger_jobs": []}, name=["x"])


def test_string_with_a_comma_is_an_error_if_ambiguous():
    def named(*names):
        return {ROOT + "/trigger_jobs": [bridge(50 + number, name=name) for number, name in enumerate(names)]}

    outcome, _transport = read(named("a,b", "c"), name=["a", "b"])
    assert [record["name"] for record in outcome.values["bridges"]] == ["a,b"]
    with pytest.raises(errors.SelectionError, match="'a,b' is the name of a job, and so are 'a', 'b'"):
        read(named("a,b", "a", "b"), name=["a", "b"])


def test_graph_shows_the_tree():
    outcome, _transport = read(depth=0)
    assert outcome.values["graph"].splitlines() == [
        "flowchart LR",
        '    p6["pipeline 6 · main · running"]',
        '    p6 -->|"infra (success)"| p16["pipeline 16 · main · success"]',
        '    p6 -.->|"docs (manual)"| none50([no pipeline])',
        '    p16 -->|"nested (success)"| p26["pipeline 26 · main · running"]',
        '    p26 -->|"back (success)"| p6["pipeline 6 · main · running"]',
    ]


def test_graph_escapes_special_characters_in_names():
    outcome, _transport = read({ROOT + "/trigger_jobs": [bridge(50, "manual", 'a "b" <c> #1 `d` \x1b[31m|')]})
    assert '|"a #quot;b#quot; #lt;c#gt; #35;1 #96;d#96; | (manual)"|' in outcome.values["graph"]


# ----- waiting -----

BRIDGES = ROOT + "/trigger_jobs"


def wait(*polls, clock=None, **options):
    exchanges = [*(Exchange(BRIDGES, poll) for poll in polls), Exchange(ROOT, pipeline())]
    options = {"pipeline_id": 6, "wait": True, **options}
    return run_task(TASK, options, transport=ScriptedTransport(*exchanges), clock=clock)


def down(status):
    return [bridge(50, "success", "infra", pipeline(16, status))]


def test_downstream_pipelines_are_waited_for():
    outcome = wait([bridge(50, "pending", "infra")], down("created"), down("running"), down("success"))
    assert (outcome.failure, outcome.values["timed_out"]) == (None, False)
    assert [(entry["name"], entry["to"]) for entry in outcome.values["timeline"]] == [
        ("infra", "pending"),
        ("infra", "success"),
        ("infra -> pipeline 16", "created"),
        ("infra -> pipeline 16", "running"),
        ("infra -> pipeline 16", "success"),
    ]


def test_trigger_job_that_leaves_its_scope_is_still_waited_for():
    outcome = wait(
        [bridge(50, "pending", "infra"), bridge(51, "manual")], down("running"), down("success"), scope=["pending"]
    )
    assert (outcome.failure, outcome.values["summary"]) == (None, {"success": 1})


@pytest.mark.parametrize(
    ("options", "polls", "words"),
    [
        ({"fail_on": ["failed"]}, [down("failed")], "downstream pipeline 16 of trigger job 'infra' ended as failed"),
        ({"wait_for": ["success"]}, [down("canceled")], "can no longer become success"),
        ({"wait_for": ["success"]}, [[bridge(50, "failed", "infra")]], "and has started no pipeline"),
        ({"wait_for": ["success"]}, [[bridge(50, "success", "infra")]], "lists no pipeline that it started"),
        ({"wait_timeout": 0.0}, [down("running")], "downstream pipeline 16 of trigger job 'infra' is still running"),
        ({"wait_timeout": 0.0}, [[bridge(50, "manual", "infra")]], "it must be played"),
    ],
)
def test_failed_wait_gives_the_reason(options, polls, words):
    assert words in wait(*polls, **options).failure


def test_wait_times_out_without_any_trigger_job():
    transport = FunctionTransport(lambda call: pipeline() if call.path.endswith("/6") else [])
    outcome = run_task(TASK, {"pipeline_id": 6, "wait": True, "wait_timeout": 5.0}, transport=transport)
    assert outcome.failure.startswith("timed out after 5 s (wait_timeout): there is no trigger job in pipeline 6")
    assert outcome.values["timed_out"]


def test_poll_without_trigger_jobs_checks_completeness_once():
    answers = {ROOT + "/jobs": [], BRIDGES: [], ROOT: pipeline()}
    transport = FunctionTransport(lambda call: answers[call.line])
    run_task(TASK, {"pipeline_id": 6, "wait": True, "wait_timeout": 0.0}, transport=transport)
    assert transport.lines == [BRIDGES, ROOT + "/jobs", ROOT, ROOT]


def test_trigger_job_created_between_two_requests_is_found():
    lists = iter([[], down("success")])
    answers = {ROOT + "/jobs": lambda: [job()], BRIDGES: lambda: next(lists), ROOT: pipeline}
    transport = FunctionTransport(lambda call: answers[call.line]())
    outcome = run_task(TASK, {"pipeline_id": 6, "wait": True, "name": ["infra"]}, transport=transport)
    assert (outcome.failure, outcome.values["summary"]) == (None, {"success": 1})


def test_progress_shows_that_a_trigger_job_waits_for_a_manual_job():
    stuck = bridge(50, "created", "docs", stage="deploy", pipeline=pipeline(6, "manual"))
    progress = Progress(is_shown=True)

    def answer(call):
        manual = [job(40, "manual", "approve", stage="check", allow_failure=False)]
        answers = {ROOT: pipeline(6, "manual"), ROOT + "/trigger_jobs": [stuck], ROOT + "/jobs": manual}
        return answers.get(call.line, reply({"message": "404 Not Found"}, status=404))

    transport = FunctionTransport(answer)
    options = {"pipeline_id": 6, "wait": True, "wait_timeout": 20}
    run_task(TASK, options, transport=transport, clock=FakeClock(), progress=progress)
    assert "docs: waits for job approve (manual) of stage check to be played" in "\n".join(progress.others)
    assert set(transport.lines) == {ROOT, ROOT + "/trigger_jobs", ROOT + "/jobs"}


def test_timeout_with_on_timeout_continue_is_not_a_failure():
    outcome = wait(down("running"), wait_timeout=0.0, on_timeout="continue")
    assert (outcome.failure, outcome.values["timed_out"]) == (None, True)


def test_missing_pipeline_is_waited_for():
    clock = FakeClock()
    line = "GET /projects/7/pipelines?ref=main&order_by=id&sort=desc&per_page=20"
    transport = ScriptedTransport(Exchange(line, []), Exchange(line, [pipeline()]), Exchange(BRIDGES, down("success")))
    run_task(TASK, {"ref": "main", "wait": True}, transport=transport, clock=clock)
    assert len(clock.sleeps) == 1
    with pytest.raises(
        errors.SelectionError, match="there is no pipeline of ref main in project 7; check ref, start a"
    ):
        run_task(TASK, {"ref": "main"}, transport=ScriptedTransport(Exchange(line, [])))


BY_REF = "GET /projects/7/pipelines?ref=main&order_by=id&sort=desc&per_page=20"


@pytest.mark.parametrize(
    ("last", "status", "warnings"),
    [
        (Exchange(ROOT, pipeline(status="success")), "success", []),
        (Exchange(ROOT, reply({"message": "403 Forbidden"}, status=403)), "running", ["Could not refresh"]),
    ],
)
def test_pipeline_is_read_again_after_waiting(last, status, warnings):
    polls = [Exchange(BRIDGES, down("running")), Exchange(BRIDGES, down("success"))]
    transport = ScriptedTransport(Exchange(BY_REF, [pipeline(status="running")]), *polls, last)
    outcome = run_task(TASK, {"ref": "main", "wait": True}, transport=transport)
    assert (outcome.failure, outcome.values["pipeline"]["status"]) == (None, status)
    assert f"· {status}" in outcome.values["graph"].splitlines()[1]
    assert len(outcome.warnings) == len(warnings)
    assert all(words in warning for words, warning in zip(warnings, outcome.warnings))
