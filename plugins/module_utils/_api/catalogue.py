# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Every operation of GitLab's Jobs and Job Artifacts API, what is used of its Deployments API, and the look-ups that
selecting jobs needs: one row each.

Sources: https://docs.gitlab.com/api/jobs/, https://docs.gitlab.com/api/job_artifacts/,
https://docs.gitlab.com/api/deployments/ and https://docs.gitlab.com/api/pipelines/.
"""

from __future__ import annotations

from .endpoints import Endpoint, Parameter

_JOBS = "https://docs.gitlab.com/api/jobs/"
_USERS = "https://docs.gitlab.com/api/users/"
_ARTIFACTS = "https://docs.gitlab.com/api/job_artifacts/"
_PIPELINES = "https://docs.gitlab.com/api/pipelines/"
_MERGE_REQUESTS = "https://docs.gitlab.com/api/merge_requests/"
_PROJECTS = "https://docs.gitlab.com/api/projects/"
_COMMITS = "https://docs.gitlab.com/api/commits/"
_DEPLOYMENTS = "https://docs.gitlab.com/api/deployments/"


def _segment(name: str) -> Parameter:
    return Parameter(name, "segment", is_required=True)


_PROJECT = _segment("project")
_JOB_ID = _segment("job_id")
_PIPELINE_ID = _segment("pipeline_id")
_MERGE_REQUEST = _segment("merge_request")
_DEPLOYMENT_ID = _segment("deployment_id")
_REF_NAME = Parameter("ref_name", "rest", is_required=True)
_ARTIFACT_PATH = Parameter("artifact_path", "rest", is_required=True)
_JOB_NAME = Parameter("job_name", "query", sent_as=("job",), is_required=True)
_SCOPE = Parameter("scope", "query")
_RECENT = Parameter("search_recent_successful_pipelines", "query")

# What a walk over pages sends; `page` and `cursor` come from the answer before.
PAGING = (
    Parameter("page", "query"),
    Parameter("per_page", "query"),
    Parameter("pagination", "query"),
    Parameter("order_by", "query"),
    Parameter("sort", "query"),
    Parameter("cursor", "query"),
    Parameter("id_after", "query"),
    Parameter("id_before", "query"),
)

# What the collection itself relies on; anything else may be missing.
_JOB_SHAPE = {"id": int, "name": str, "status": str}
_PIPELINE_SHAPE = {"id": int, "status": str}
_DEPLOYMENT_SHAPE = {"id": int, "status": str}

_JOB = "/projects/{project}/jobs/{job_id}"
_PIPELINE = "/projects/{project}/pipelines/{pipeline_id}"
_DEPLOYMENT = "/projects/{project}/deployments/{deployment_id}"

CATALOGUE: tuple[Endpoint, ...] = (
    # ----- jobs -----
    Endpoint(
        "list_project_jobs",
        "GET",
        "/projects/{project}/jobs",
        (_PROJECT, _SCOPE, *PAGING),
        answer="records",
        paginated="keyset",
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#list-project-jobs",
    ),
    Endpoint(
        "list_pipeline_jobs",
        "GET",
        _PIPELINE + "/jobs",
        (_PROJECT, _PIPELINE_ID, _SCOPE, Parameter("include_retried", "query"), *PAGING),
        answer="records",
        paginated="offset",
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#list-pipeline-jobs",
    ),
    Endpoint(
        "list_pipeline_bridges",
        "GET",
        _PIPELINE + "/bridges",
        (_PROJECT, _PIPELINE_ID, _SCOPE, *PAGING),
        answer="records",
        paginated="offset",
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#list-pipeline-trigger-jobs",
    ),
    Endpoint(
        "list_pipeline_trigger_jobs",
        "GET",
        _PIPELINE + "/trigger_jobs",
        (_PROJECT, _PIPELINE_ID, _SCOPE, *PAGING),
        answer="records",
        paginated="offset",
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#list-pipeline-trigger-jobs",
    ),
    Endpoint("get_current_user", "GET", "/user", doc_url=_USERS + "#retrieve-the-current-user"),
    Endpoint("get_token_job", "GET", "/job", shape=_JOB_SHAPE, doc_url=_JOBS + "#get-job-tokens-job"),
    Endpoint("get_allowed_agents", "GET", "/job/allowed_agents", doc_url=_JOBS + "#get-gitlab-agent-by-ci_job_token"),
    Endpoint("get_job", "GET", _JOB, (_PROJECT, _JOB_ID), shape=_JOB_SHAPE, doc_url=_JOBS + "#get-a-single-job"),
    Endpoint(
        "get_job_log",
        "GET",
        _JOB + "/trace",
        (_PROJECT, _JOB_ID, Parameter("byte_offset", "query"), Parameter("byte_limit", "query")),
        answer="text",
        doc_url=_JOBS + "#get-a-log-file",
    ),
    # Cancel, retry and erase answer 201, play and keep answer 200: GitLab has it this way round.
    Endpoint(
        "cancel_job",
        "POST",
        _JOB + "/cancel",
        (_PROJECT, _JOB_ID, Parameter("force", "body")),
        ok_statuses=(201,),
        repeatable=False,
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#cancel-a-job",
    ),
    Endpoint(
        "retry_job",
        "POST",
        _JOB + "/retry",
        # the manual says job_inputs, the source reads inputs; what a server does not know it ignores
        (_PROJECT, _JOB_ID, Parameter("job_inputs", "body", sent_as=("inputs", "job_inputs"))),
        ok_statuses=(201,),
        repeatable=False,
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#retry-a-job",
    ),
    Endpoint(
        "erase_job",
        "POST",
        _JOB + "/erase",
        (_PROJECT, _JOB_ID),
        ok_statuses=(201,),
        repeatable=False,
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#erase-a-job",
    ),
    Endpoint(
        "play_job",
        "POST",
        _JOB + "/play",
        (
            _PROJECT,
            _JOB_ID,
            Parameter("job_variables", "body", sent_as=("job_variables_attributes",)),
            Parameter("job_inputs", "body"),
        ),
        repeatable=False,
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#run-a-job",
    ),
    # ----- artifacts -----
    Endpoint(
        "download_artifacts",
        "GET",
        _JOB + "/artifacts",
        (_PROJECT, _JOB_ID),
        answer="bytes",
        doc_url=_ARTIFACTS + "#download-job-artifacts-by-job-id",
    ),
    Endpoint(
        "download_artifacts_by_ref",
        "GET",
        "/projects/{project}/jobs/artifacts/{ref_name}/download",
        (_PROJECT, _REF_NAME, _JOB_NAME, _RECENT),
        answer="bytes",
        doc_url=_ARTIFACTS + "#download-job-artifacts-by-reference-name",
    ),
    Endpoint(
        "download_artifact_file",
        "GET",
        _JOB + "/artifacts/{artifact_path}",
        (_PROJECT, _JOB_ID, _ARTIFACT_PATH),
        answer="bytes",
        doc_url=_ARTIFACTS + "#download-a-single-artifact-file-by-job-id",
    ),
    Endpoint(
        "download_artifact_file_by_ref",
        "GET",
        "/projects/{project}/jobs/artifacts/{ref_name}/raw/{artifact_path}",
        (_PROJECT, _REF_NAME, _ARTIFACT_PATH, _JOB_NAME, _RECENT),
        answer="bytes",
        doc_url=_ARTIFACTS + "#download-a-single-artifact-file-by-reference-name",
    ),
    Endpoint(
        "list_artifact_tree",
        "GET",
        _JOB + "/artifacts/tree",
        (_PROJECT, _JOB_ID, Parameter("path", "query"), Parameter("recursive", "query"), *PAGING),
        answer="records",
        paginated="offset",
        doc_url=_ARTIFACTS + "#list-job-artifacts",
    ),
    Endpoint(
        "keep_artifacts",
        "POST",
        _JOB + "/artifacts/keep",
        (_PROJECT, _JOB_ID),
        repeatable=False,
        shape=_JOB_SHAPE,
        doc_url=_ARTIFACTS + "#keep-job-artifacts",
    ),
    Endpoint(
        "delete_artifacts",
        "DELETE",
        _JOB + "/artifacts",
        (_PROJECT, _JOB_ID),
        ok_statuses=(204,),
        answer="nothing",
        repeatable=False,
        doc_url=_ARTIFACTS + "#delete-job-artifacts",
    ),
    Endpoint(
        "delete_project_artifacts",
        "DELETE",
        "/projects/{project}/artifacts",
        (_PROJECT,),
        ok_statuses=(202,),
        answer="nothing",
        repeatable=False,
        doc_url=_ARTIFACTS + "#delete-all-job-artifacts-in-a-project",
    ),
    # ----- deployments -----
    Endpoint(
        "list_deployments",
        "GET",
        "/projects/{project}/deployments",
        (_PROJECT, Parameter("environment", "query"), Parameter("status", "query"), *PAGING),
        answer="records",
        paginated="offset",
        shape=_DEPLOYMENT_SHAPE,
        doc_url=_DEPLOYMENTS + "#list-project-deployments",
    ),
    Endpoint(
        "get_deployment",
        "GET",
        _DEPLOYMENT,
        (_PROJECT, _DEPLOYMENT_ID),
        shape=_DEPLOYMENT_SHAPE,
        doc_url=_DEPLOYMENTS + "#get-a-specific-deployment",
    ),
    Endpoint(
        "approve_deployment",
        "POST",
        _DEPLOYMENT + "/approval",
        (
            _PROJECT,
            _DEPLOYMENT_ID,
            Parameter("status", "body", is_required=True),
            Parameter("comment", "body"),
            Parameter("represented_as", "body"),
        ),
        ok_statuses=(201,),
        repeatable=False,
        shape={"status": str},
        doc_url=_DEPLOYMENTS + "#approve-or-reject-a-blocked-deployment",
    ),
    # ----- look-ups that selection needs -----
    Endpoint("get_project", "GET", "/projects/{project}", (_PROJECT,), doc_url=_PROJECTS + "#retrieve-a-project"),
    Endpoint(
        "list_pipelines",
        "GET",
        "/projects/{project}/pipelines",
        (
            _PROJECT,
            Parameter("ref", "query"),
            Parameter("sha", "query"),
            Parameter("source", "query"),
            _SCOPE,
            *PAGING,
        ),
        answer="records",
        paginated="offset",
        shape=_PIPELINE_SHAPE,
        doc_url=_PIPELINES + "#list-project-pipelines",
    ),
    Endpoint(
        "get_pipeline",
        "GET",
        _PIPELINE,
        (_PROJECT, _PIPELINE_ID),
        shape=_PIPELINE_SHAPE,
        doc_url=_PIPELINES + "#get-a-single-pipeline",
    ),
    Endpoint(
        "get_commit",
        "GET",
        "/projects/{project}/repository/commits/{sha}",
        (_PROJECT, _segment("sha")),
        shape={"id": str},
        doc_url=_COMMITS + "#retrieve-a-commit",
    ),
    Endpoint(
        "list_merge_request_pipelines",
        "GET",
        "/projects/{project}/merge_requests/{merge_request}/pipelines",
        (_PROJECT, _MERGE_REQUEST, *PAGING),
        answer="records",
        paginated="offset",
        shape=_PIPELINE_SHAPE,
        doc_url=_MERGE_REQUESTS + "#list-merge-request-pipelines",
    ),
)
