# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of endpoints (topic: endpoints, overview)."""

from __future__ import annotations

import typing as t

from . import (
    agents,
    pages,
    pipeline_filters,
    routes_artifacts,
    routes_deployments,
    routes_jobs,
    routes_misc,
    routes_pipeline_reads,
    routes_pipeline_writes,
    routes_pipelines,
    routes_projects,
)
from .endpoint import Endpoint
from .versions import SINCE

_ALWAYS: t.Final = (0, 0)
_AI = frozenset({"ai_workflows"})
_PROJECT = "/projects/:id"
_JOB = f"{_PROJECT}/jobs/:job_id"
_PIPELINE = f"{_PROJECT}/pipelines/:pipeline_id"
_DEPLOYMENT = f"{_PROJECT}/deployments/:deployment_id"

# Columns that several rows have in common: what jobs, above all those of other projects, may ask for.
_COLUMNS = dict[str, t.Any]
_PIPELINES: _COLUMNS = {
    "job_token": SINCE["job_token_on_pipelines"], "policy": "read_pipelines", "skips_policy": True, "extra_scopes": _AI,
}  # fmt: skip
_BRIDGES: _COLUMNS = {**_PIPELINES, "granular_gap": True}
_DEPLOYING: _COLUMNS = {
    "job_token": SINCE["job_token_on_deployments"], "policy": "read_deployments", "is_shared": True,
    "skips_policy": True,
}  # fmt: skip
_VISITING: _COLUMNS = {**_DEPLOYING, "policy": "read_environments"}
_COMMITS: _COLUMNS = {**_DEPLOYING, "job_token": SINCE["job_token_on_commits"], "policy": "read_repositories"}

E = Endpoint
ENDPOINTS: list[Endpoint] = [
    E("list_project_jobs", "GET", f"{_PROJECT}/jobs", routes_jobs.list_project_jobs, permission="read_job",
      job_token=SINCE["job_token_on_jobs"], extra_scopes=_AI, check=routes_jobs.check_project_list, limited=True),
    E("list_pipeline_jobs", "GET", f"{_PIPELINE}/jobs", routes_jobs.list_pipeline_jobs, login=False,
      permission="read_pipeline_job", job_token=SINCE["job_token_on_jobs"], skips_policy=True, granular_gap=True,
      extra_scopes=_AI, check=routes_jobs.check_pipeline_list),
    E("list_bridges", "GET", f"{_PIPELINE}/bridges", routes_jobs.list_bridges, since="bridges", login=False,
      permission="read_pipeline_bridge", **_BRIDGES, check=routes_jobs.check_pipeline_list),
    E("list_trigger_jobs", "GET", f"{_PIPELINE}/trigger_jobs", routes_jobs.list_bridges, since="trigger_jobs",
      login=False, permission="read_pipeline_bridge", **_BRIDGES, check=routes_jobs.check_pipeline_list),
    E("job_by_token", "GET", "/job", routes_misc.job_by_token, since="job_by_token", job_token=_ALWAYS,
      only_jobs=True),
    E("allowed_agents", "GET", "/job/allowed_agents", agents.allowed_agents, since="allowed_agents",
      job_token=_ALWAYS, only_jobs=True),
    E("artifacts_by_ref", "GET", f"{_PROJECT}/jobs/artifacts/*ref_name/download", routes_artifacts.archive_by_ref,
      login=False, permission="download_job_artifact", job_token=_ALWAYS, is_shared=True,
      check=routes_artifacts.check_by_ref),
    E("raw_artifact_by_ref", "GET", f"{_PROJECT}/jobs/artifacts/*ref_name/raw/*artifact_path",
      routes_artifacts.file_by_ref, since="raw_artifact_by_ref", login=False, permission="download_job_artifact",
      job_token=_ALWAYS, is_shared=True, skips_policy=True, check=routes_artifacts.check_by_ref),
    E("get_job", "GET", _JOB, routes_jobs.get_job, permission="read_job", extra_scopes=_AI,
      check=routes_jobs.check_job_id),
    E("get_trace", "GET", f"{_JOB}/trace", routes_jobs.get_trace, permission="read_job", extra_scopes=_AI,
      check=routes_jobs.check_trace),
    E("cancel_job", "POST", f"{_JOB}/cancel", routes_jobs.cancel, permission="cancel_job",
      check=routes_jobs.check_cancel),
    E("retry_job", "POST", f"{_JOB}/retry", routes_jobs.retry, permission="retry_job",
      check=routes_jobs.check_inputs("inputs")),
    E("erase_job", "POST", f"{_JOB}/erase", routes_jobs.erase, permission="erase_job",
      check=routes_jobs.check_job_id),
    E("play_job", "POST", f"{_JOB}/play", routes_jobs.play, permission="play_job", check=routes_jobs.check_play),
    E("download_artifacts", "GET", f"{_JOB}/artifacts", routes_artifacts.archive_by_job, login=False,
      permission="download_job_artifact", job_token=_ALWAYS, is_shared=True, check=routes_artifacts.check_archive),
    E("artifacts_tree", "GET", f"{_JOB}/artifacts/tree", routes_artifacts.tree, since="artifacts_tree", login=False,
      permission="download_job_artifact", job_token=_ALWAYS, is_shared=True, check=routes_artifacts.check_tree),
    E("artifact_file", "GET", f"{_JOB}/artifacts/*artifact_path", routes_artifacts.file_by_job, login=False,
      permission="download_job_artifact", job_token=_ALWAYS, is_shared=True, check=routes_jobs.check_job_id),
    E("keep_artifacts", "POST", f"{_JOB}/artifacts/keep", routes_artifacts.keep,
      permission="preserve_job_artifact", check=routes_jobs.check_job_id),
    E("delete_artifacts", "DELETE", f"{_JOB}/artifacts", routes_artifacts.delete, since="delete_job_artifacts",
      permission="delete_job_artifact", check=routes_jobs.check_job_id),
    E("delete_project_artifacts", "DELETE", f"{_PROJECT}/artifacts", routes_artifacts.delete_of_project,
      since="delete_project_artifacts", permission="delete_artifact"),
    E("list_pipelines", "GET", f"{_PROJECT}/pipelines", routes_pipelines.list_pipelines, login=False,
      permission="read_pipeline", **_PIPELINES, check=pipeline_filters.check),
    E("get_latest_pipeline", "GET", f"{_PROJECT}/pipelines/latest", routes_pipelines.get_latest,
      since="pipelines_latest", login=False, permission="read_pipeline", extra_scopes=_AI),
    E("get_pipeline", "GET", _PIPELINE, routes_pipelines.get_pipeline, login=False, permission="read_pipeline",
      **_PIPELINES, check=routes_pipelines.check_pipeline_id),
    E("pipeline_variables", "GET", f"{_PIPELINE}/variables", routes_pipeline_reads.variables,
      since="pipeline_variables", login=False, permission="read_pipeline_variable", extra_scopes=_AI,
      check=routes_pipelines.check_pipeline_id),
    E("pipeline_test_report", "GET", f"{_PIPELINE}/test_report", routes_pipeline_reads.test_report,
      since="pipelines.test_report", login=False, permission="read_pipeline_test_report", extra_scopes=_AI,
      granular_gap=True, check=routes_pipelines.check_pipeline_id),
    E("pipeline_test_report_summary", "GET", f"{_PIPELINE}/test_report_summary",
      routes_pipeline_reads.test_report_summary, since="pipelines.test_report_summary", login=False,
      permission="read_pipeline_test_report_summary", extra_scopes=_AI, granular_gap=True,
      check=routes_pipelines.check_pipeline_id),
    E("create_pipeline", "POST", f"{_PROJECT}/pipeline", routes_pipeline_writes.create, permission="create_pipeline",
      check=routes_pipeline_writes.check_create),
    E("trigger_pipeline", "POST", f"{_PROJECT}/trigger/pipeline", routes_pipeline_writes.trigger, own_login=True,
      check=routes_pipeline_writes.check_trigger),
    E("trigger_pipeline", "POST", f"{_PROJECT}/ref/*ref/trigger/pipeline", routes_pipeline_writes.trigger,
      own_login=True, check=routes_pipeline_writes.check_trigger),
    E("retry_pipeline", "POST", f"{_PIPELINE}/retry", routes_pipeline_writes.retry, permission="retry_pipeline",
      check=routes_pipelines.check_pipeline_id),
    E("cancel_pipeline", "POST", f"{_PIPELINE}/cancel", routes_pipeline_writes.cancel, permission="cancel_pipeline",
      check=routes_pipelines.check_pipeline_id),
    E("delete_pipeline", "DELETE", _PIPELINE, routes_pipeline_writes.delete, since="pipelines.delete",
      permission="delete_pipeline", check=routes_pipelines.check_pipeline_id),
    E("update_pipeline_metadata", "PUT", f"{_PIPELINE}/metadata", routes_pipeline_writes.update_metadata,
      since="pipelines.metadata", permission="update_pipeline_metadata",
      job_token=SINCE["job_token_on_metadata"], policy="admin_pipelines", check=routes_pipeline_writes.check_metadata),
    E("list_deployments", "GET", f"{_PROJECT}/deployments", routes_deployments.list_deployments,
      permission="read_deployment", **_DEPLOYING, check=routes_deployments.check_list),
    E("get_deployment", "GET", _DEPLOYMENT, routes_deployments.get_deployment, permission="read_deployment",
      **_DEPLOYING, check=routes_deployments.check_deployment_id),
    E("approve_deployment", "POST", f"{_DEPLOYMENT}/approval", routes_deployments.approve,
      since="deployments.approvals", premium=True, permission="approve_deployment",
      job_token=SINCE["job_token_on_deployments"], policy="admin_deployments",
      check=routes_deployments.check_approval),
    E("list_environments", "GET", f"{_PROJECT}/environments", routes_deployments.list_environments,
      permission="read_environment", **_VISITING, check=routes_deployments.check_environments),
    E("get_environment", "GET", f"{_PROJECT}/environments/:environment_id", routes_deployments.get_environment,
      permission="read_environment", **_VISITING, check=routes_deployments.check_environment_id),
    E("list_freeze_periods", "GET", f"{_PROJECT}/freeze_periods", routes_deployments.list_freeze_periods,
      since="freeze_periods", permission="read_freeze_period", check=pages.check),
    E("get_freeze_period", "GET", f"{_PROJECT}/freeze_periods/:freeze_period_id", routes_deployments.get_freeze_period,
      since="freeze_periods", permission="read_freeze_period", check=routes_deployments.check_freeze_period_id),
    E("list_merge_request_pipelines", "GET", f"{_PROJECT}/merge_requests/:merge_request_iid/pipelines",
      routes_pipelines.list_of_merge_request, login=False, permission="read_pipeline",
      check=routes_pipelines.check_merge_request),
    E("list_projects", "GET", "/projects", routes_projects.list_projects, login=False, permission="read_project",
      check=routes_projects.check_projects),
    E("get_commit", "GET", f"{_PROJECT}/repository/commits/:sha", routes_projects.get_commit, login=False,
      permission="read_commit", **_COMMITS),
    E("get_project", "GET", _PROJECT, routes_projects.get_project, login=False, permission="read_project"),
    E("get_user", "GET", "/user", routes_misc.get_user, permission="read_user",
      extra_scopes=frozenset({"read_user"})),
    E("get_version", "GET", "/version", routes_misc.get_version, extra_scopes=frozenset({"read_user"})),
    E("get_metadata", "GET", "/metadata", routes_misc.get_metadata, since="metadata",
      extra_scopes=frozenset({"read_user"})),
]  # fmt: skip
