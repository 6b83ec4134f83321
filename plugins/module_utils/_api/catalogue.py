# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Every operation of GitLab's Jobs API and Job Artifacts API, and the operations that the collection uses of the APIs
for pipelines, deployments and others: one row each, with its section in GitLab's manual.
"""

from __future__ import annotations

import typing as t

from .endpoints import Answer, Endpoint, Names, Paging

_JOB = "/projects/{project}/jobs/{job_id}"
_OF_REF = "/projects/{project}/jobs/artifacts/{ref_name}"
_PIPELINE = "/projects/{project}/pipelines/{pipeline_id}"
_DEPLOYMENT = "/projects/{project}/deployments/{deployment_id}"


class _Manual:
    """A page of GitLab's manual; the methods make rows for its sections, by kind of request and answer.

    :param shape: the fields that the collection relies on in a record; all others may be missing.
    """

    def __init__(self, page: str, shape: t.Mapping[str, type | tuple[type, ...]]) -> None:
        self._page = page
        self.shape = shape

    def record(self, name: str, section: str, path: str) -> Endpoint:
        return Endpoint(name, "GET", path, shape=self.shape, doc_url=self._url(section))

    def records(self, name: str, section: str, path: str, query: Names = (), paginated: Paging = "offset") -> Endpoint:
        url = self._url(section)
        return Endpoint(name, "GET", path, query, answer="records", paginated=paginated, shape=self.shape, doc_url=url)

    def content(
        self,
        name: str,
        section: str,
        path: str,
        query: Names = (),
        with_slashes: tuple[str, ...] = (),
        answer: Answer = "bytes",
    ) -> Endpoint:
        url = self._url(section)
        return Endpoint(name, "GET", path, query, with_slashes=with_slashes, answer=answer, doc_url=url)

    def post(self, name: str, section: str, path: str, ok_status: int, body: Names = ()) -> Endpoint:
        url = self._url(section)
        return Endpoint(name, "POST", path, body=body, ok_statuses=(ok_status,), shape=self.shape, doc_url=url)

    def delete(self, name: str, section: str, path: str, ok_status: int) -> Endpoint:
        url = self._url(section)
        return Endpoint(name, "DELETE", path, ok_statuses=(ok_status,), answer="nothing", doc_url=url)

    def _url(self, section: str) -> str:
        return f"https://docs.gitlab.com/api/{self._page}/#{section}"


_JOBS = _Manual("jobs", {"id": int, "name": str, "status": str})
_ARTIFACTS = _Manual("job_artifacts", _JOBS.shape)
_PIPELINES = _Manual("pipelines", {"id": int, "status": str, "ref?": str, "sha?": str, "source?": (str, type(None))})
_DEPLOYMENTS = _Manual("deployments", {"id": int, "status": str})

CATALOGUE: tuple[Endpoint, ...] = (
    # ----- jobs -----
    _JOBS.records("list_project_jobs", "list-project-jobs", "/projects/{project}/jobs", ("scope",), "keyset"),
    _JOBS.records("list_pipeline_jobs", "list-pipeline-jobs", _PIPELINE + "/jobs", ("scope", "include_retried")),
    _JOBS.records("list_pipeline_bridges", "list-pipeline-trigger-jobs", _PIPELINE + "/bridges", ("scope",)),
    _JOBS.records("list_pipeline_trigger_jobs", "list-pipeline-trigger-jobs", _PIPELINE + "/trigger_jobs", ("scope",)),
    _Manual("users", {}).record("get_current_user", "retrieve-the-current-user", "/user"),
    _JOBS.record("get_token_job", "get-job-tokens-job", "/job"),
    _Manual("jobs", {}).record("get_allowed_agents", "get-gitlab-agent-by-ci_job_token", "/job/allowed_agents"),
    _JOBS.record("get_job", "get-a-single-job", _JOB),
    _JOBS.content("get_job_log", "get-a-log-file", _JOB + "/trace", ("byte_offset", "byte_limit"), answer="text"),
    # GitLab answers 201 to cancel, retry and erase, but 200 to play and keep.
    _JOBS.post("cancel_job", "cancel-a-job", _JOB + "/cancel", 201, ("force",)),
    # the manual says job_inputs, but the source reads inputs; servers ignore the unknown name
    _JOBS.post("retry_job", "retry-a-job", _JOB + "/retry", 201, {"job_inputs": ("inputs", "job_inputs")}),
    _JOBS.post("erase_job", "erase-a-job", _JOB + "/erase", 201),
    _JOBS.post(
        "play_job",
        "run-a-job",
        _JOB + "/play",
        200,
        {"job_variables": "job_variables_attributes", "job_inputs": "job_inputs"},
    ),
    # ----- artifacts -----
    # servers before 19.4 ignore file_type and send the archive
    _ARTIFACTS.content(
        "download_artifacts", "download-job-artifacts-by-job-id", _JOB + "/artifacts", query=("file_type",)
    ),
    _ARTIFACTS.content(
        "download_artifacts_by_ref",
        "download-job-artifacts-by-reference-name",
        _OF_REF + "/download",
        query=("job", "search_recent_successful_pipelines"),
        with_slashes=("ref_name",),
    ),
    _ARTIFACTS.content(
        "download_artifact_file",
        "download-a-single-artifact-file-by-job-id",
        _JOB + "/artifacts/{artifact_path}",
        with_slashes=("artifact_path",),
    ),
    _ARTIFACTS.content(
        "download_artifact_file_by_ref",
        "download-a-single-artifact-file-by-reference-name",
        _OF_REF + "/raw/{artifact_path}",
        query=("job", "search_recent_successful_pipelines"),
        with_slashes=("ref_name", "artifact_path"),
    ),
    _Manual("job_artifacts", {}).records(
        "list_artifact_tree", "list-job-artifacts", _JOB + "/artifacts/tree", ("path", "recursive")
    ),
    _ARTIFACTS.post("keep_artifacts", "keep-job-artifacts", _JOB + "/artifacts/keep", 200),
    _ARTIFACTS.delete("delete_artifacts", "delete-job-artifacts", _JOB + "/artifacts", 204),
    _ARTIFACTS.delete(
        "delete_project_artifacts", "delete-all-job-artifacts-in-a-project", "/projects/{project}/artifacts", 202
    ),
    # ----- deployments -----
    _DEPLOYMENTS.records(
        "list_deployments", "list-project-deployments", "/projects/{project}/deployments", ("environment", "status")
    ),
    _DEPLOYMENTS.record("get_deployment", "get-a-specific-deployment", _DEPLOYMENT),
    _Manual("deployments", {"status": str}).post(
        "approve_deployment",
        "approve-or-reject-a-blocked-deployment",
        _DEPLOYMENT + "/approval",
        201,
        ("status", "comment", "represented_as"),
    ),
    # ----- selection of jobs -----
    _Manual("projects", {}).record("get_project", "retrieve-a-project", "/projects/{project}"),
    _PIPELINES.records(
        "list_pipelines", "list-project-pipelines", "/projects/{project}/pipelines", ("ref", "sha", "source", "scope")
    ),
    _PIPELINES.record("get_pipeline", "get-a-single-pipeline", _PIPELINE),
    _Manual("commits", {"id": str}).record(
        "get_commit", "retrieve-a-commit", "/projects/{project}/repository/commits/{sha}"
    ),
    _Manual("merge_requests", _PIPELINES.shape).records(
        "list_merge_request_pipelines",
        "list-merge-request-pipelines",
        "/projects/{project}/merge_requests/{merge_request}/pipelines",
    ),
    # ----- pipelines -----
    _Manual("pipelines", {"key": str}).records(
        "get_pipeline_variables", "retrieve-pipeline-variables", _PIPELINE + "/variables", paginated=""
    ),
    _Manual("pipelines", {}).record(
        "get_test_report", "retrieve-a-test-report-for-a-pipeline", _PIPELINE + "/test_report"
    ),
    # GitLab answers 201 to create, trigger and retry, but 200 to cancel, unlike for jobs.
    _PIPELINES.post(
        "create_pipeline", "create-a-new-pipeline", "/projects/{project}/pipeline", 201, ("ref", "variables", "inputs")
    ),
    _Manual("pipeline_triggers", _PIPELINES.shape).post(
        "trigger_pipeline",
        "trigger-a-pipeline-with-a-token",
        "/projects/{project}/trigger/pipeline",
        201,
        {"trigger_token": "token", "ref": "ref", "variables": "variables", "inputs": "inputs"},
    ),
    _PIPELINES.post("retry_pipeline", "retry-jobs-in-a-pipeline", _PIPELINE + "/retry", 201),
    _PIPELINES.post("cancel_pipeline", "cancel-all-jobs-for-a-pipeline", _PIPELINE + "/cancel", 200),
)
