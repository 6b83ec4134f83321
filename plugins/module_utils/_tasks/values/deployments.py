# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The options that select deployments, and their conversion to a query."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import UsageError
from ..._app.deployments.find import DeploymentQuery
from ..._app.deployments.records import STATUSES, FoundDeployment, approvals_of, missing_approvals
from ..._app.fields import project_fields
from ..options import JOB_FILTERS, JOB_SELECTION, PIPELINE_SELECTORS, job_query, plain_text
from .arguments import Options

DEPLOYMENT_SELECTION = JOB_SELECTION.merged(
    arguments={
        "deployment_id": {"type": "int"},
        "environment": {"type": "str"},
        "status": {"type": "str", "choices": list(STATUSES)},
    },
    mutually_exclusive=tuple(
        ("deployment_id", name) for name in ("environment", "status", "job_id", *PIPELINE_SELECTORS, *JOB_FILTERS)
    ),
)
_JOB_FIELDS = ("id", "name", "stage", "status", "failure_reason", "web_url")


def deployment_query(options: Options, *, limit: int = 0) -> DeploymentQuery:
    """Return which deployments the options select.

    :raises UsageError: for values that cannot be used, or cannot be used together.
    """
    environment, jobs = options.get("environment"), job_query(options, newest_attempt=True)
    chooses_jobs = jobs.job_id is not None or jobs.pipeline.is_given
    for name in (*JOB_FILTERS, "include_downstream"):
        if not chooses_jobs and options.get(name) not in (None, False):
            raise UsageError(f"{name} needs a pipeline; set pipeline_id, ref, sha or merge_request")
    return DeploymentQuery(
        project=str(options["project"]),
        deployment_id=options.get("deployment_id"),
        environment=None if environment is None else plain_text("environment", environment),
        status=options.get("status"),
        jobs=jobs if chooses_jobs else None,
        allow_empty=bool(options.get("allow_empty")),
        limit=limit,
    )


def deployment_record(deployment: FoundDeployment, *, has_failed: bool = False) -> Record:
    """Return a deployment as a task returns it; in failures, which are printed, with few fields of its job."""
    found = deployment.record
    record = {**found, "approvals": approvals_of(found), "missing_approvals": missing_approvals(found)}
    job: t.Any = found.get("deployable")
    if has_failed and isinstance(job, dict):
        record["deployable"] = project_fields(job, _JOB_FIELDS)
    return record
