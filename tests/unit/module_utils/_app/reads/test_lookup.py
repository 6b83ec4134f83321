# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs in expressions: by name or ID, their fields and contents, and the default for missing values."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.files import fetch
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.pipelines.query import PipelineQuery
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.reads.lookup import LookupRequest, look_up, read_term

from ....harness import NO_ROUTE, NOT_FOUND, Exchange, ScriptedTransport, job, new_session, pipeline, reply

LIST = "GET /projects/7/pipelines/6/jobs"
NEWEST = "GET /projects/7/pipelines?ref=main&order_by=id&sort=desc&per_page=20"
BRIDGES = "GET /projects/7/pipelines/6/trigger_jobs"
LOG = "GET /projects/7/jobs/42/trace"
BY_REF = "GET /projects/7/jobs/artifacts/main/raw/build.env?job=build&search_recent_successful_pipelines=true"
LATEST = {"terms": ("build",), "ref": "main", "artifact": "build.env", "latest_success": True}
NONE_FOUND = reply(NOT_FOUND, status=404)
NO_PROJECT = reply({"message": "404 Project Not Found"}, status=404)
JOBS = [job(44, name="test: [b]"), job(43, name="test: [a]"), job(42, commit={"id": "c"})]
DEFAULT = {"has_default": True, "default": "-"}


def ask(*exchanges, terms=("deploy",), pipeline_id=6, ref=None, is_name=False, token=None, **request):
    """Return the values of a lookup in pipeline 6, or of a ref."""
    query = PipelineQuery("7", pipeline_id=None if ref else pipeline_id, ref=ref)
    transport = ScriptedTransport(*exchanges)
    try:
        read = tuple(term if is_name else read_term(term) for term in terms)
        session = new_session(transport, {"project": "7", **(token or {})})
        return look_up(session, LookupRequest(query, terms=read, **request))
    finally:
        transport.assert_done()


def test_terms_keep_their_order_and_the_jobs_of_each_are_newest_first():
    by_id = Exchange("GET /projects/7/jobs/9", job(9, "failed", "old"))
    found = ask(Exchange(LIST, JOBS), by_id, terms=("deploy", "9", "test:*"))
    assert [record["id"] for record in found] == [42, 9, 44, 43]
    assert found[0] == JOBS[2]


@pytest.mark.parametrize("term", ["9" * 20, "\u00b2", "4 2"])
def test_term_that_is_not_a_valid_id_is_a_name(term):
    named = job(42, name=term)
    assert ask(Exchange(LIST, [named]), terms=(term,)) == [named]


def test_job_with_a_numeric_name_can_be_selected_by_name():
    named = job(42, name="404")
    assert ask(Exchange(LIST, [named]), terms=("404",), is_name=True) == [named]


def test_id_needs_no_pipeline_but_a_name_does():
    assert ask(Exchange("GET /projects/7/jobs/42", JOBS[2]), terms=("42",), pipeline_id=None) == [JOBS[2]]
    with pytest.raises(errors.UsageError, match="the name 'deploy' needs a pipeline: set pipeline_id, ref, sha or"):
        ask(pipeline_id=None)


# ----- missing jobs -----


def test_missing_name_is_an_error_or_the_default():
    with pytest.raises(errors.SelectionError, match="no job 'deploi' in pipeline 6 of project 7"):
        ask(Exchange(LIST, JOBS), Exchange(BRIDGES, []), terms=("deploi",))
    found = ask(Exchange(LIST, JOBS), terms=("nope", "deploy"), **DEFAULT)
    assert [found[0], found[1]["id"]] == ["-", 42]


def test_missing_pipeline_is_an_error_or_the_default():
    further = Exchange("GET /projects/7/pipelines?order_by=id&sort=desc", [])
    for exchange, how, error, more in (
        (Exchange(NEWEST, []), {"ref": "main"}, errors.SelectionError, []),
        (Exchange(LIST, NONE_FOUND), {}, errors.NotFoundError, [further]),
    ):
        with pytest.raises(error):
            ask(exchange, *more, **how)
        assert ask(exchange, terms=("a", "b"), **how, **DEFAULT) == ["-", "-"]


def test_term_can_be_repeated():
    exchange = Exchange(LIST, [job(42), job(41, name="test")])
    assert [found["id"] for found in ask(exchange, terms=("deploy", "deploy", "t*"))] == [42, 42, 41]


def test_unknown_id_is_an_error_or_the_default():
    missing = Exchange("GET /projects/7/jobs/9", NONE_FOUND)
    with pytest.raises(errors.NotFoundError):
        ask(missing, Exchange("GET /projects/7/pipelines/9", NONE_FOUND), terms=("9",))
    assert ask(missing, terms=("9",), **DEFAULT) == ["-"]


@pytest.mark.parametrize("answer", [NO_PROJECT, reply(NO_ROUTE, status=404)], ids=["project", "endpoint"])
def test_default_does_not_hide_a_missing_project_or_endpoint(answer):
    with pytest.raises(errors.NotFoundError):
        ask(Exchange(LIST, answer), **DEFAULT)
    with pytest.raises(errors.NotFoundError):
        ask(Exchange("GET /projects/7/jobs/9", answer), terms=("9",), **DEFAULT)
    with pytest.raises(errors.NotFoundError):
        ask(Exchange(BY_REF, answer), **LATEST, **DEFAULT)


# ----- parts of a job -----


def test_attribute_can_be_nested_or_null():
    jobs = Exchange(LIST, JOBS)
    assert ask(jobs, attribute="status") == ["manual"]
    assert ask(jobs, attribute="commit.id") == ["c"]
    assert ask(jobs, attribute="started_at", **DEFAULT) == [None]


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("nope", "there are 'allow_failure', "),
        ("statsu", r"did you mean 'status'\?"),
        ("status.nope", "status is not a mapping"),
        ("commit.nope", r"did you mean 'commit.id'\?"),
        ("comit.id", r"did you mean 'commit'\?"),
    ],
)
def test_unknown_attribute_is_an_error_or_the_default(attribute, words):
    with pytest.raises(errors.SelectionError, match=rf"job 'deploy' \(id 42\) has no '{attribute}': {words}"):
        ask(Exchange(LIST, JOBS), attribute=attribute)
    assert ask(Exchange(LIST, JOBS), attribute=attribute, **DEFAULT) == ["-"]


@pytest.mark.parametrize(
    ("how", "path", "called"),
    [
        ({"artifact": "build.env"}, "artifacts/build.env", "artifact 'build.env' of job 'deploy'"),
        ({"log": True}, "trace", "the log of job 'deploy'"),
    ],
)
def test_content_that_is_too_large_is_named(how, path, called, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_MIB_IN_MEMORY", 0)
    content = Exchange(f"GET /projects/7/jobs/42/{path}", reply(b"A=1"))
    with pytest.raises(
        errors.UsageError, match=rf"^{called} \(id 42\) is larger than 0 MiB, too much for an expression"
    ):
        ask(Exchange(LIST, JOBS), content, **how)


def test_fields_select_values():
    picked = [{"id": 42, "pipeline": {"ref": "main"}}]
    assert ask(Exchange(LIST, JOBS), fields=("id", "pipeline.ref")) == picked


@pytest.mark.parametrize(("fields", "name"), [(("statsu", "id"), "statsu"), (("nope",), "nope")])
def test_misspelled_field_is_an_error_unless_default_is_set(fields, name):
    with pytest.raises(errors.SelectionError, match=rf"job 'deploy' \(id 42\) has no field '{name}': (did|there are)"):
        ask(Exchange(LIST, JOBS), fields=fields)
    assert ask(Exchange(LIST, JOBS), fields=("statsu",), **DEFAULT) == [{}]


def test_optional_field_that_is_missing_is_omitted():
    assert ask(Exchange(LIST, JOBS), fields=("id", "failure_reason")) == [{"id": 42}]


# ----- contents -----


def test_latest_success_needs_one_request_per_name():
    assert ask(Exchange(BY_REF, b"A=1"), **LATEST) == [b"A=1"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"artifact": ""}, "latest_success can only be used with artifact"),
        ({"terms": ("9",)}, "latest_success cannot be used with a job id"),
        ({"terms": ("build", "9")}, "latest_success cannot be used with a job id"),
        ({"terms": ("buil*",)}, "has wildcards"),
        ({"ref": None}, "latest_success requires ref"),
        ({"include_downstream": True}, "include_downstream cannot be used with latest_success"),
    ],
)
def test_latest_success_rejects_options_that_do_not_fit(more, words):
    with pytest.raises(errors.UsageError, match=words):
        ask(**{**LATEST, **more})


def test_file_by_ref_comes_from_the_newest_pipeline():
    lines = [
        Exchange(NEWEST, [pipeline()]),
        Exchange(LIST, [job(42, "success", "build")]),
        Exchange("GET /projects/7/jobs/42/artifacts/build.env", b"A=1"),
    ]
    for term in ("build", "buil*"):
        assert ask(*lines, terms=(term,), ref="main", artifact="build.env") == [b"A=1"]


def test_repeated_and_combined_terms_keep_their_own_jobs():
    jobs = Exchange(LIST, [job(44, name="a,b"), job(43, name="b"), job(42, name="a")])
    assert [record["id"] for record in ask(jobs, terms=("a", "a", "b"))] == [42, 42, 43]
    assert [record["id"] for record in ask(jobs, terms=("a", "b", "a,b"))] == [42, 43, 44]
    only = Exchange(LIST, [job(44, name="a,b")])
    with pytest.raises(errors.SelectionError, match="no job 'a'"):
        ask(only, Exchange(BRIDGES, []), terms=("a", "b"))


def test_log_of_a_job_is_returned():
    assert ask(Exchange(LIST, JOBS), Exchange(LOG, "one\ntwo\n"), log=True) == [b"one\ntwo\n"]


@pytest.mark.parametrize("answer", [b"", NONE_FOUND], ids=["empty", "404"])
def test_missing_log_is_reported_alike_on_every_server(answer):
    with pytest.raises(errors.SelectionError, match=r"job 'deploy' \(id 42\) has no log yet: it has not started"):
        ask(Exchange(LIST, JOBS), Exchange(LOG, answer), log=True)
    assert ask(Exchange(LIST, JOBS), Exchange(LOG, answer), log=True, **DEFAULT) == ["-"]


def test_empty_log_of_a_job_that_ran_is_returned():
    silent = job(42, "success", started_at="2026-01-01T00:00:00.000Z")
    assert ask(Exchange(LIST, [silent]), Exchange(LOG, b""), log=True, **DEFAULT) == [b""]


@pytest.mark.parametrize("token", [{"api_job_token": "glcbt-0123456789"}, {}], ids=["job token", "none"])
def test_job_is_not_read_with_a_job_token_or_without_a_token(token):
    file = Exchange("GET /projects/7/jobs/9/artifacts/build.env", b"A=1")
    assert ask(file, terms=("9",), artifact="build.env", token={"api_token": None, **token}) == [b"A=1"]


def test_missing_file_is_an_error_or_the_default():
    missing = Exchange(BY_REF, reply("Not Found", status=404))
    with pytest.raises(errors.SelectionError, match="there is no 'build.env' in the artifacts of job 'build' of ref"):
        ask(missing, **LATEST)
    assert ask(missing, **LATEST, **DEFAULT) == ["-"]
    # a default of null replaces a missing file, and is not mistaken for a failed read of the ref
    null = {"has_default": True, "default": None}
    assert ask(missing, **LATEST, **null) == [None]
