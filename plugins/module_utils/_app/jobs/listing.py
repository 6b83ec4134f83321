# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The lists of jobs that a query needs, without superseded attempts, and cut to what is wanted of a record."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..fields import id_of, pipeline_of, project_fields, project_id_of
from ..session import Session
from .bridges import PipelineNode, list_bridges
from .index import JobIndex
from .query import NEEDED_FIELDS, FoundJob, JobQuery
from .statuses import newest_per_name


def trigger_jobs(session: Session, project: str, pipeline_id: int) -> list[FoundJob]:
    """Return the trigger jobs of a pipeline, newest first, without superseded ones."""
    records = list_bridges(session, project, pipeline_id)
    return [FoundJob(record, project, pipeline_id, is_bridge=True) for record in records]


def read_pipeline_jobs(session: Session, project: str, pipeline_id: int) -> list[FoundJob]:
    """Return the newest attempt of each job of a pipeline."""
    records = session.client.list_all("list_pipeline_jobs", project=project, pipeline_id=pipeline_id)
    return newest_jobs(records, project, pipeline_id)


def newest_jobs(records: t.Iterable[Record], project: str, pipeline_id: int) -> list[FoundJob]:
    """Return the newest attempt of each job among the records of a pipeline, newest first."""
    return [FoundJob(record, project, pipeline_id) for record in newest_per_name(records)]


class JobLists:
    """Reads jobs as a query wants them."""

    def __init__(self, session: Session, query: JobQuery) -> None:
        self._session = session
        self._query = query
        self._project = query.pipeline.project
        self._fields = (*NEEDED_FIELDS, *query.fields) if query.fields else ()
        # the names of the fields of a whole record; empty as long as none was cut
        self.known_fields: frozenset[str] = frozenset()

    def jobs(self, node: PipelineNode) -> JobIndex:
        """Return the jobs of a pipeline, newest first, without superseded ones unless they are asked for."""
        query = self._query
        # Names are matched against all jobs, so that a wrong name is told from one that is out of scope; and a job that
        # is waited for leaves its scope.
        scope = list(query.scope) if query.scope and not query.names and not query.newest_attempt else None
        jobs = self._read_jobs(node, scope)
        if scope and any("queued_duration" not in job.record for job in jobs.jobs):
            # A server this old (before 13.5) lists superseded attempts, too, and within a scope they look like the
            # newest ones.
            jobs = self._read_jobs(node, None)
        # nothing else tells how old a server is
        is_old = jobs.pipeline is not None and "source" not in jobs.pipeline
        if query.include_retried and is_old and len(jobs.by_name) == len(jobs.jobs):
            if all("queued_duration" in job.record for job in jobs.jobs):
                self._session.warn(
                    "This GitLab is older than 14.1 and lists no superseded attempt. From 13.5 to 13.8 GitLab leaves "
                    "them out, so there may have been some."
                )
        return jobs

    def _read_jobs(self, node: PipelineNode, scope: list[str] | None) -> JobIndex:
        include_retried = self._query.include_retried
        told: list[Record] = []

        def keep(record: Record) -> Record:
            if not told:
                told.extend(filter(None, [pipeline_of(record)]))
            return self.projected(record)

        def make(records: t.Iterator[Record]) -> JobIndex:
            kept = map(keep, records)
            wanted = sorted(kept, key=id_of, reverse=True) if include_retried else newest_per_name(kept)
            return JobIndex(
                (FoundJob(record, node.project, node.pipeline_id, node.path) for record in wanted),
                next(iter(told), None),
            )

        return self._session.client.made_of_all(
            "list_pipeline_jobs",
            make,
            key=(node.path, self._fields),
            project=node.project,
            pipeline_id=node.pipeline_id,
            scope=scope,
            include_retried=include_retried or None,
        )

    def found(self, record: Record, pipeline: Record | None) -> FoundJob:
        """Return a job that was not found by way of its pipeline, which its record sums up."""
        summary = pipeline or {}
        project_id = project_id_of(summary, self._project)
        self._session.client.name_project(project_id, self._project)
        return FoundJob(record, project_id, id_of(summary))

    def projected(self, record: Record) -> Record:
        """Return of a record only what is needed, as soon as it has come: whole ones take thirty times the memory."""
        if not self._fields:
            return record
        self.known_fields = self.known_fields or frozenset(record)
        return project_fields(record, self._fields)

    def node(self, pipeline: Record) -> PipelineNode:
        """Return a pipeline as the root of those below it."""
        return PipelineNode(
            project=project_id_of(pipeline, self._project), pipeline_id=id_of(pipeline), record=pipeline
        )
