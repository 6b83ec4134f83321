# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a catalogue row and arguments become a request, and what the rows contain."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.catalogue import CATALOGUE
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.endpoints import Endpoint
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError

from ...harness import API

ROWS = {endpoint.name: endpoint for endpoint in CATALOGUE}
JOB = {"project": "group/app", "job_id": 42}
PIPELINE = {"project": "group/app", "pipeline_id": 6}


@pytest.mark.parametrize(
    ("name", "arguments", "line", "body"),
    [
        ("list_project_jobs", {"project": 7}, "GET /projects/7/jobs", None),
        (
            "list_pipeline_jobs",
            {**PIPELINE, "scope": ["failed"], "include_retried": True},
            "GET /projects/group%2Fapp/pipelines/6/jobs?scope[]=failed&include_retried=true",
            None,
        ),
        ("list_pipeline_jobs", {**PIPELINE, "scope": None}, "GET /projects/group%2Fapp/pipelines/6/jobs", None),
        ("list_pipeline_bridges", PIPELINE, "GET /projects/group%2Fapp/pipelines/6/bridges", None),
        ("list_pipeline_trigger_jobs", PIPELINE, "GET /projects/group%2Fapp/pipelines/6/trigger_jobs", None),
        ("get_current_user", {}, "GET /user", None),
        ("get_token_job", {}, "GET /job", None),
        ("get_allowed_agents", {}, "GET /job/allowed_agents", None),
        ("get_job", JOB, "GET /projects/group%2Fapp/jobs/42", None),
        ("get_job_log", JOB, "GET /projects/group%2Fapp/jobs/42/trace", None),
        ("cancel_job", JOB, "POST /projects/group%2Fapp/jobs/42/cancel", None),
        ("cancel_job", {**JOB, "force": None}, "POST /projects/group%2Fapp/jobs/42/cancel", None),
        ("cancel_job", {**JOB, "force": True}, "POST /projects/group%2Fapp/jobs/42/cancel", {"force": True}),
        ("retry_job", JOB, "POST /projects/group%2Fapp/jobs/42/retry", None),
        (
            # GitLab's documentation and source code disagree about the name
            "retry_job",
            {**JOB, "job_inputs": {"a": 1}},
            "POST /projects/group%2Fapp/jobs/42/retry",
            {"inputs": {"a": 1}, "job_inputs": {"a": 1}},
        ),
        ("erase_job", JOB, "POST /projects/group%2Fapp/jobs/42/erase", None),
        (
            "play_job",
            {**JOB, "job_variables": [{"key": "A", "value": "1"}], "job_inputs": {"b": 2}},
            "POST /projects/group%2Fapp/jobs/42/play",
            {"job_variables_attributes": [{"key": "A", "value": "1"}], "job_inputs": {"b": 2}},
        ),
        ("keep_artifacts", JOB, "POST /projects/group%2Fapp/jobs/42/artifacts/keep", None),
        ("delete_artifacts", JOB, "DELETE /projects/group%2Fapp/jobs/42/artifacts", None),
        ("delete_project_artifacts", {"project": "group/app"}, "DELETE /projects/group%2Fapp/artifacts", None),
        ("download_artifacts", JOB, "GET /projects/group%2Fapp/jobs/42/artifacts", None),
        (
            "download_artifacts_by_ref",
            {"project": 7, "ref_name": "feature/a#1", "job": "build: [1]"},
            "GET /projects/7/jobs/artifacts/feature/a%231/download?job=build: [1]",
            None,
        ),
        (
            "download_artifact_file",
            {**JOB, "artifact_path": "a b/c?.txt"},
            "GET /projects/group%2Fapp/jobs/42/artifacts/a%20b/c%3F.txt",
            None,
        ),
        (
            "download_artifact_file_by_ref",
            {"project": 7, "ref_name": "main", "artifact_path": "a/b", "job": "x"},
            "GET /projects/7/jobs/artifacts/main/raw/a/b?job=x",
            None,
        ),
        ("list_artifact_tree", {**JOB, "path": "a/"}, "GET /projects/group%2Fapp/jobs/42/artifacts/tree?path=a/", None),
        (
            "list_deployments",
            {"project": 7, "environment": "prod/eu", "status": "blocked"},
            "GET /projects/7/deployments?environment=prod/eu&status=blocked",
            None,
        ),
        ("get_deployment", {"project": 7, "deployment_id": 5}, "GET /projects/7/deployments/5", None),
        (
            "approve_deployment",
            {"project": 7, "deployment_id": 5, "status": "approved", "comment": "fine"},
            "POST /projects/7/deployments/5/approval",
            {"status": "approved", "comment": "fine"},
        ),
        ("get_project", {"project": "a/b/c"}, "GET /projects/a%2Fb%2Fc", None),
        ("list_pipelines", {"project": 7, "ref": "v1/ü"}, "GET /projects/7/pipelines?ref=v1/ü", None),
        ("get_pipeline", PIPELINE, "GET /projects/group%2Fapp/pipelines/6", None),
        ("get_commit", {"project": 7, "sha": "a1b2c3d"}, "GET /projects/7/repository/commits/a1b2c3d", None),
        (
            "list_merge_request_pipelines",
            {"project": 7, "merge_request": 3},
            "GET /projects/7/merge_requests/3/pipelines",
            None,
        ),
        ("get_pipeline_variables", PIPELINE, "GET /projects/group%2Fapp/pipelines/6/variables", None),
        ("get_test_report", PIPELINE, "GET /projects/group%2Fapp/pipelines/6/test_report", None),
        (
            "create_pipeline",
            {"project": "a/b", "ref": "main", "variables": [{"key": "A", "value": "1"}], "inputs": {"n": 3}},
            "POST /projects/a%2Fb/pipeline",
            {"ref": "main", "variables": [{"key": "A", "value": "1"}], "inputs": {"n": 3}},
        ),
        (
            "trigger_pipeline",
            {"project": "a/b", "trigger_token": "glptt-1", "ref": "main", "variables": {"A": "1"}},
            "POST /projects/a%2Fb/trigger/pipeline",
            {"token": "glptt-1", "ref": "main", "variables": {"A": "1"}},
        ),
        ("retry_pipeline", PIPELINE, "POST /projects/group%2Fapp/pipelines/6/retry", None),
        ("cancel_pipeline", PIPELINE, "POST /projects/group%2Fapp/pipelines/6/cancel", None),
    ],
)
def test_catalogue_row_builds_its_request(name, arguments, line, body):
    request = ROWS[name].build(API, arguments)
    method, target = line.split(" ", 1)
    path, _mark, query = target.partition("?")
    parts = urlsplit(request.url)
    assert (request.method, API + path) == (method, f"{parts.scheme}://{parts.netloc}{parts.path}")
    assert parse_qsl(parts.query) == parse_qsl(query)
    assert (json.loads(request.body) if request.body else None) == body
    assert (request.headers.get("Content-Type") == "application/json") == (body is not None)
    assert request.endpoint == name


def test_every_catalogue_row_is_tested():
    marks = test_catalogue_row_builds_its_request.pytestmark[0]
    assert {row[0] for row in marks.args[1]} == set(ROWS)


@pytest.mark.parametrize("endpoint", CATALOGUE, ids=lambda endpoint: endpoint.name)
def test_rows_are_consistent(endpoint):
    assert endpoint.doc_url.startswith("https://docs.gitlab.com/")
    # GitLab returns the variables of a pipeline on one page
    is_one_page = endpoint.name == "get_pipeline_variables"
    assert bool(endpoint.paginated) == (endpoint.answer == "records" and not is_one_page)
    if endpoint.method == "GET":
        assert endpoint.is_repeatable


@pytest.mark.parametrize(
    ("name", "status", "is_repeatable"),
    [
        # two success codes are the opposite of what their verbs suggest
        ("play_job", 200, False),
        ("retry_job", 201, False),
        ("cancel_job", 201, False),
        ("erase_job", 201, False),
        ("keep_artifacts", 200, False),
        ("delete_artifacts", 204, False),
        ("create_pipeline", 201, False),
        ("trigger_pipeline", 201, False),
        ("retry_pipeline", 201, False),
        ("cancel_pipeline", 200, False),
        ("delete_project_artifacts", 202, False),
    ],
)
def test_writes_have_their_status_and_are_not_repeatable(name, status, is_repeatable):
    assert ROWS[name].ok_statuses == (status,)
    known = {**JOB, **PIPELINE, "ref": "main", "trigger_token": "glptt-1"}
    arguments = {name: known[name] for name in ROWS[name].in_path}
    assert ROWS[name].build(API, arguments).is_repeatable is is_repeatable


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"project": 7}, "missing arguments ['job_id']"),
        ({"project": None, "job_id": 1}, "missing arguments ['project']"),
        ({**JOB, "color": "red"}, "unknown arguments ['color']"),
    ],
)
def test_wrong_arguments_are_named(arguments, problem):
    with pytest.raises(TypeError, match=re.escape(problem)):
        ROWS["get_job"].build(API, arguments)


def test_path_with_invalid_characters_is_a_usage_error():
    with pytest.raises(UsageError, match="the address of wrong cannot be built: not a web address"):
        Endpoint("wrong", "GET", "/a b").build(API, {})


def test_unknown_argument_with_value_none_is_omitted():
    assert ROWS["get_job"].build(API, {**JOB, "color": None}).url == API + "/projects/group%2Fapp/jobs/42"
