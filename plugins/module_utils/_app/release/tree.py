# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The pipelines of a release with their downstream pipelines, jobs and deployments, as the record shows them."""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from ..._api.decoding import Record
from ..._api.errors import GitLabError
from ..deployments.find import deployments_of, read_all
from ..deployments.records import FoundDeployment, approvals_of, username_of
from ..fields import id_of, project_id_of, record_in
from ..jobs.bridges import PipelineNode, jobs_of, pipeline_tree, project_path
from ..jobs.query import FoundJob
from ..session import Session
from ..waiting.log_tails import MAX_LOGS, read_tail

_JOB_FIELDS = ("id", "name", "stage", "status", "web_url", "allow_failure", "failure_reason")
_TIMES = ("created_at", "started_at", "finished_at", "duration", "queued_duration")
_PIPELINE_FIELDS = ("id", "iid", "project_id", "ref", "sha", "source", "status", "web_url")


@dataclasses.dataclass(frozen=True)
class ReleaseTree:
    """A pipeline and its downstream pipelines, the root first, and the jobs of each in order of creation."""

    pipelines: list[Record] = dataclasses.field(default_factory=list)
    jobs: list[Record] = dataclasses.field(default_factory=list)


def read_tree(
    session: Session, project: str, pipeline: Record, *, log_lines: int = 0, deploying: t.Collection[int] = ()
) -> ReleaseTree:
    """Return the current pipelines and jobs; unreadable ones cause a warning, because the gates matter more.

    :param log_lines: how many lines to keep of the log of each failed job.
    :param deploying: ids of the jobs whose deployments to read.
    """
    project = project_id_of(pipeline, project)
    try:
        # the pipeline that the gate read may be outdated
        now = session.client.call("get_pipeline", project=project, pipeline_id=id_of(pipeline))
        root = pipeline_tree(session, project, id_of(pipeline))
        root.record = now
        nodes = list(root.walk())
        listed = session.run_all(lambda node: jobs_of(session, node, include_retried=True), nodes)
    except GitLabError as exc:
        session.warn(f"The jobs of pipeline {id_of(pipeline)} are not in the record: {exc}")
        return ReleaseTree([{**pipeline_record(pipeline), "project": project_path(session, pipeline)}])
    found = [
        [FoundJob(record, node.project, node.pipeline_id, node.path) for record in records]
        for node, records in zip(nodes, listed)
    ]
    every = list(itertools.chain.from_iterable(found))
    logs = _read_logs(session, every, log_lines) if log_lines > 0 else {}
    deployed = deployed_by(session, [job for job in every if job.id in deploying])
    jobs = [
        {**record, "log_tail": logs.get(record["id"], []), **(deployed.get(record["id"]) or deployment_record(None))}
        for node, in_node in zip(nodes, found)
        for record in _job_records(node, in_node)
    ]
    return ReleaseTree(_pipeline_records(session, nodes), jobs)


def _pipeline_records(session: Session, nodes: t.Sequence[PipelineNode]) -> list[Record]:
    parents = {
        bridge.downstream.pipeline_id: node.pipeline_id
        for node in nodes
        for bridge in node.bridges
        if bridge.downstream and not bridge.downstream.is_repeated
    }
    return [
        {
            **pipeline_record(node.record),
            "project": project_path(session, node.record),
            "path": node.path,
            "depth": node.depth,
            "parent_id": parents.get(node.pipeline_id),
            "accessible": node.is_accessible,
        }
        for node in nodes
    ]


def pipeline_record(pipeline: Record) -> Record:
    return {name: pipeline.get(name) for name in _PIPELINE_FIELDS}


def job_record(job: FoundJob) -> Record:
    return {
        **{name: job.record.get(name) for name in (*_JOB_FIELDS, *_TIMES)},
        "path": job.path,
        "user": record_in(job.record, "user").get("username"),
        "runner": record_in(job.record, "runner").get("description"),
    }


def _read_logs(session: Session, jobs: t.Sequence[FoundJob], lines: int) -> dict[int, list[str]]:
    """Return the end of the log of each job whose newest attempt failed, by job id."""
    newest = {job.key: job.id for job in sorted(jobs, key=lambda job: job.id)}
    failed = [job for job in jobs if newest[job.key] == job.id and job.status == "failed"]
    if len(failed) > MAX_LOGS:
        session.warn(f"{len(failed)} jobs failed; the record contains the logs of {MAX_LOGS} of them.")
    wanted = failed[:MAX_LOGS]
    tails = session.run_all(lambda job: read_tail(session, job, lines), wanted)
    return {job.id: tail for job, tail in zip(wanted, tails) if tail}


def _job_records(node: PipelineNode, jobs: t.Sequence[FoundJob]) -> t.Iterator[Record]:
    """Yield the jobs and trigger jobs of a pipeline, oldest first, each attempt with its number."""
    attempts: dict[str, int] = {}
    newest = {job.name: job.id for job in sorted(jobs, key=lambda job: job.id)}
    downstream = {bridge.id: bridge.downstream for bridge in node.bridges}
    for job in sorted([*jobs, *node.bridges], key=lambda job: job.id):
        attempts[job.name] = attempts.get(job.name, 0) + 1
        below = downstream.get(job.id)
        yield {
            **job_record(job),
            "status": job.status,
            "pipeline_id": node.pipeline_id,
            "attempt": attempts[job.name],
            "superseded": job.id not in downstream and newest.get(job.name) != job.id,
            "downstream_pipeline_id": below.pipeline_id if below else None,
            "kind": "bridge" if job.id in downstream else "job",
        }


def deployed_by(session: Session, jobs: t.Sequence[FoundJob]) -> dict[int, Record]:
    """Return the environment and approvals of each job that deploys, by job id.

    The result is empty if they cannot be read: not every user who can play a job can read deployments.
    """
    try:
        found = read_all(session, deployments_of(session, jobs))
    except GitLabError:
        return {}
    return {deployment.job_id: deployment_record(deployment) for deployment in found}


def deployment_record(deployment: FoundDeployment | None) -> Record:
    """Return the fields of the record for the deployment of a job, None for a job without one."""
    if deployment is None:
        return {"environment": None, "approvals": []}
    url = record_in(deployment.record, "environment").get("external_url")
    return {
        "environment": {"name": deployment.environment, "url": url if isinstance(url, str) else None},
        "approvals": [
            {
                "user": username_of(approval),
                **{name: approval.get(name) for name in ("status", "comment", "created_at")},
            }
            for approval in approvals_of(deployment.record)
        ],
    }
