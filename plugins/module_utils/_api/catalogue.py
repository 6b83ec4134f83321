# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Every operation of GitLab's Jobs and Job Artifacts API, what is used of its APIs for pipelines and deployments, and
the look-ups that selecting jobs needs: one row each, with the page of GitLab's manual that it comes from.
"""

from __future__ import annotations

from .endpoints import Endpoint

_JOBS = "https://docs.gitlab.com/api/jobs/"
_ARTIFACTS = "https://docs.gitlab.com/api/job_artifacts/"
_PIPELINES = "https://docs.gitlab.com/api/pipelines/"
_DEPLOYMENTS = "https://docs.gitlab.com/api/deployments/"

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
        query=("scope",),
        answer="records",
        paginated="keyset",
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#list-project-jobs",
    ),
    Endpoint(
        "list_pipeline_jobs",
        "GET",
        _PIPELINE + "/jobs",
        query=("scope", "include_retried"),
        answer="records",
        paginated="offset",
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#list-pipeline-jobs",
    ),
    Endpoint(
        "list_pipeline_bridges",
        "GET",
        _PIPELINE + "/bridges",
        query=("scope",),
        answer="records",
        paginated="offset",
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#list-pipeline-trigger-jobs",
    ),
    Endpoint(
        "list_pipeline_trigger_jobs",
        "GET",
        _PIPELINE + "/trigger_jobs",
        query=("scope",),
        answer="records",
        paginated="offset",
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#list-pipeline-trigger-jobs",
    ),
    Endpoint(
        "get_current_user", "GET", "/user", doc_url="https://docs.gitlab.com/api/users/#retrieve-the-current-user"
    ),
    Endpoint("get_token_job", "GET", "/job", shape=_JOB_SHAPE, doc_url=_JOBS + "#get-job-tokens-job"),
    Endpoint("get_allowed_agents", "GET", "/job/allowed_agents", doc_url=_JOBS + "#get-gitlab-agent-by-ci_job_token"),
    Endpoint("get_job", "GET", _JOB, shape=_JOB_SHAPE, doc_url=_JOBS + "#get-a-single-job"),
    Endpoint(
        "get_job_log",
        "GET",
        _JOB + "/trace",
        query=("byte_offset", "byte_limit"),
        answer="text",
        doc_url=_JOBS + "#get-a-log-file",
    ),
    # Cancel, retry and erase answer 201, play and keep answer 200: GitLab has it this way round.
    Endpoint(
        "cancel_job",
        "POST",
        _JOB + "/cancel",
        body=("force",),
        ok_statuses=(201,),
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#cancel-a-job",
    ),
    Endpoint(
        "retry_job",
        "POST",
        _JOB + "/retry",
        # the manual says job_inputs, the source reads inputs; what a server does not know it ignores
        body={"job_inputs": ("inputs", "job_inputs")},
        ok_statuses=(201,),
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#retry-a-job",
    ),
    Endpoint(
        "erase_job",
        "POST",
        _JOB + "/erase",
        ok_statuses=(201,),
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#erase-a-job",
    ),
    Endpoint(
        "play_job",
        "POST",
        _JOB + "/play",
        body={"job_variables": "job_variables_attributes", "job_inputs": "job_inputs"},
        shape=_JOB_SHAPE,
        doc_url=_JOBS + "#run-a-job",
    ),
    # ----- artifacts -----
    Endpoint(
        "download_artifacts",
        "GET",
        _JOB + "/artifacts",
        # servers before 19.4 ignore it, and send the archive
        query=("file_type",),
        answer="bytes",
        doc_url=_ARTIFACTS + "#download-job-artifacts-by-job-id",
    ),
    Endpoint(
        "download_artifacts_by_ref",
        "GET",
        "/projects/{project}/jobs/artifacts/{ref_name}/download",
        query=("job", "search_recent_successful_pipelines"),
        with_slashes=("ref_name",),
        answer="bytes",
        doc_url=_ARTIFACTS + "#download-job-artifacts-by-reference-name",
    ),
    Endpoint(
        "download_artifact_file",
        "GET",
        _JOB + "/artifacts/{artifact_path}",
        with_slashes=("artifact_path",),
        answer="bytes",
        doc_url=_ARTIFACTS + "#download-a-single-artifact-file-by-job-id",
    ),
    Endpoint(
        "download_artifact_file_by_ref",
        "GET",
        "/projects/{project}/jobs/artifacts/{ref_name}/raw/{artifact_path}",
        query=("job", "search_recent_successful_pipelines"),
        with_slashes=("ref_name", "artifact_path"),
        answer="bytes",
        doc_url=_ARTIFACTS + "#download-a-single-artifact-file-by-reference-name",
    ),
    Endpoint(
        "list_artifact_tree",
        "GET",
        _JOB + "/artifacts/tree",
        query=("path", "recursive"),
        answer="records",
        paginated="offset",
        doc_url=_ARTIFACTS + "#list-job-artifacts",
    ),
    Endpoint(
        "keep_artifacts",
        "POST",
        _JOB + "/artifacts/keep",
        shape=_JOB_SHAPE,
        doc_url=_ARTIFACTS + "#keep-job-artifacts",
    ),
    Endpoint(
        "delete_artifacts",
        "DELETE",
        _JOB + "/artifacts",
        ok_statuses=(204,),
        answer="nothing",
        doc_url=_ARTIFACTS + "#delete-job-artifacts",
    ),
    Endpoint(
        "delete_project_artifacts",
        "DELETE",
        "/projects/{project}/artifacts",
        ok_statuses=(202,),
        answer="nothing",
        doc_url=_ARTIFACTS + "#delete-all-job-artifacts-in-a-project",
    ),
    # ----- deployments -----
    Endpoint(
        "list_deployments",
        "GET",
        "/projects/{project}/deployments",
        query=("environment", "status"),
        answer="records",
        paginated="offset",
        shape=_DEPLOYMENT_SHAPE,
        doc_url=_DEPLOYMENTS + "#list-project-deployments",
    ),
    Endpoint(
        "get_deployment",
        "GET",
        _DEPLOYMENT,
        shape=_DEPLOYMENT_SHAPE,
        doc_url=_DEPLOYMENTS + "#get-a-specific-deployment",
    ),
    Endpoint(
        "approve_deployment",
        "POST",
        _DEPLOYMENT + "/approval",
        body=("status", "comment", "represented_as"),
        ok_statuses=(201,),
        shape={"status": str},
        doc_url=_DEPLOYMENTS + "#approve-or-reject-a-blocked-deployment",
    ),
    # ----- look-ups that selection needs -----
    Endpoint(
        "get_project", "GET", "/projects/{project}", doc_url="https://docs.gitlab.com/api/projects/#retrieve-a-project"
    ),
    Endpoint(
        "list_pipelines",
        "GET",
        "/projects/{project}/pipelines",
        query=("ref", "sha", "source", "scope"),
        answer="records",
        paginated="offset",
        shape=_PIPELINE_SHAPE,
        doc_url=_PIPELINES + "#list-project-pipelines",
    ),
    Endpoint(
        "get_pipeline",
        "GET",
        _PIPELINE,
        shape=_PIPELINE_SHAPE,
        doc_url=_PIPELINES + "#get-a-single-pipeline",
    ),
    Endpoint(
        "get_commit",
        "GET",
        "/projects/{project}/repository/commits/{sha}",
        shape={"id": str},
        doc_url="https://docs.gitlab.com/api/commits/#retrieve-a-commit",
    ),
    Endpoint(
        "list_merge_request_pipelines",
        "GET",
        "/projects/{project}/merge_requests/{merge_request}/pipelines",
        answer="records",
        paginated="offset",
        shape=_PIPELINE_SHAPE,
        doc_url="https://docs.gitlab.com/api/merge_requests/#list-merge-request-pipelines",
    ),
    # ----- pipelines -----
    Endpoint(
        "get_pipeline_variables",
        "GET",
        _PIPELINE + "/variables",
        answer="records",
        shape={"key": str},
        doc_url=_PIPELINES + "#retrieve-pipeline-variables",
    ),
    Endpoint(
        "get_test_report",
        "GET",
        _PIPELINE + "/test_report",
        doc_url=_PIPELINES + "#retrieve-a-test-report-for-a-pipeline",
    ),
    # Create, trigger and retry answer 201, cancel answers 200: the other way round than for jobs.
    Endpoint(
        "create_pipeline",
        "POST",
        "/projects/{project}/pipeline",
        body=("ref", "variables", "inputs"),
        ok_statuses=(201,),
        shape=_PIPELINE_SHAPE,
        doc_url=_PIPELINES + "#create-a-new-pipeline",
    ),
    Endpoint(
        "trigger_pipeline",
        "POST",
        "/projects/{project}/trigger/pipeline",
        body={"trigger_token": "token", "ref": "ref", "variables": "variables", "inputs": "inputs"},
        ok_statuses=(201,),
        shape=_PIPELINE_SHAPE,
        doc_url="https://docs.gitlab.com/api/pipeline_triggers/#trigger-a-pipeline-with-a-token",
    ),
    Endpoint(
        "retry_pipeline",
        "POST",
        _PIPELINE + "/retry",
        ok_statuses=(201,),
        shape=_PIPELINE_SHAPE,
        doc_url=_PIPELINES + "#retry-jobs-in-a-pipeline",
    ),
    Endpoint(
        "cancel_pipeline",
        "POST",
        _PIPELINE + "/cancel",
        shape=_PIPELINE_SHAPE,
        doc_url=_PIPELINES + "#cancel-all-jobs-for-a-pipeline",
    ),
)
