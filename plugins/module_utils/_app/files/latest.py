# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The newest successful job of a branch or tag, which GitLab itself finds for a download.

Its answer does not tell which job that is, so the same job is looked for here.
Source: https://docs.gitlab.com/api/job_artifacts/#download-job-artifacts-by-reference-name
"""

from __future__ import annotations

import dataclasses
import itertools

from ..._api.decoding import Record
from ..._api.errors import UsageError
from ..fields import artifact_kinds, id_of, project_id_of
from ..jobs.find import JobFinder
from ..jobs.query import ANYWHERE, FoundJob, JobQuery, has_wildcard
from ..pipelines.find import successful_pipelines
from ..pipelines.query import PipelineQuery
from ..session import Session

# GitLab looks into so many pipelines itself.
MOST_PIPELINES = 100


def check_latest_success(query: JobQuery) -> None:
    """Return if GitLab can find the newest successful job by what a query says.

    :raises UsageError: when it cannot, or would leave out some of it.
    """
    pipeline = query.pipeline
    if pipeline.ref is None:
        raise UsageError("latest_success needs ref, the branch or tag whose newest successful pipeline is wanted")
    others = {
        "sha": pipeline.sha,
        f"a ref that says whether it is a branch or a tag, here a {pipeline.ref_type},": pipeline.ref_type != "any",
        "pipeline_source": pipeline.sources,
        "include_downstream": query.include_downstream,
    }
    for name, is_given in others.items():
        if is_given:
            raise UsageError(
                f"{name} cannot be used with latest_success, since GitLab chooses by ref alone; leave one of them out"
            )
    for name in query.names:
        if has_wildcard(name):
            raise UsageError(f"name {name!r} has wildcards, which latest_success does not know; give the exact name")


def latest_success(session: Session, query: JobQuery) -> FoundJob | None:
    """Return the job that GitLab finds for a ref and a name; None when there is none.

    :raises RequestError: when GitLab cannot be asked.
    """
    for pipeline in itertools.islice(successful_pipelines(session, query.pipeline), MOST_PIPELINES):
        project = project_id_of(pipeline, query.pipeline.project)
        of_this = JobQuery(PipelineQuery(project, pipeline_id=id_of(pipeline)), names=query.names)
        anywhere = dataclasses.replace(of_this, names=(ANYWHERE + query.names[0],), include_downstream=True)
        # a job of the pipeline itself comes first, then that of the oldest of its child pipelines
        for wanted in (of_this, anywhere):
            found = [job for job in JobFinder(session, wanted).find().jobs if job.project == project]
            found = [job for job in found if _has_artifacts(job.record)]
            if found:
                return min(found, key=lambda job: job.pipeline_id)
    return None


def known_by_name(query: JobQuery) -> FoundJob:
    """Return a job of which no more is known than how to ask for it."""
    name = query.names[0]
    return FoundJob({"name": name, "ref": query.pipeline.ref}, query.pipeline.project, 0, name)


def _has_artifacts(record: Record) -> bool:
    if record.get("artifacts_file") or artifact_kinds(record):
        return True
    # what has been deleted since is not in the list, which the oldest servers do not have
    return "artifacts" not in record and bool(record.get("artifacts_expire_at"))
