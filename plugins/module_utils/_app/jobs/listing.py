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
from .query import NEEDED_FIELDS, FoundJob, JobQuery
from .statuses import newest_per_name


def trigger_jobs(session: Session, project: str, pipeline_id: int) -> list[FoundJob]:
    """Return the trigger jobs of a pipeline, newest first, without superseded ones."""
    records = list_bridges(session, project, pipeline_id)
    return [FoundJob(record, project, pipeline_id, str(record.get("name")), is_bridge=True) for record in records]


def read_pipeline_jobs(session: Session, project: str, pipeline_id: int) -> list[FoundJob]:
    """Return the newest attempt of each job of a pipeline."""
    records = session.client.list_all("list_pipeline_jobs", project=project, pipeline_id=pipeline_id)
    return newest_jobs(records, project, pipeline_id)


def newest_jobs(records: t.Iterable[Record], project: str, pipeline_id: int) -> list[FoundJob]:
    """Return the newest attempt of each job among the records of a pipeline, newest first."""
    return [FoundJob(record, project, pipeline_id, path=str(record.get("name"))) for record in newest_per_name(records)]


class JobLists:
    """Reads jobs as a query wants them."""

    def __init__(self, session: Session, query: JobQuery) -> None:
        self._session = session
        self._query = query
        self._project = query.pipeline.project
        self._fields = (*NEEDED_FIELDS, *query.fields) if query.fields else ()
        # the names of the fields of a whole record; empty as long as none was cut
        self.known_fields: frozenset[str] = frozenset()
        # as the jobs of the list that was read last tell it
        self.pipeline: Record | None = None

    def jobs(self, node: PipelineNode) -> list[FoundJob]:
        """Return the jobs of a pipeline, newest first, without superseded ones unless they are asked for."""
        query = self._query
        # Names are matched against all jobs, so that a wrong name is told from one that is out of scope; and a job that
        # is waited for leaves its scope.
        scope = list(query.scope) if query.scope and not query.names and not query.newest_attempt else None
        records = self._read_jobs(node, scope)
        if scope and any("queued_duration" not in record for record in records):
            # A server this old (before 13.5) lists superseded attempts, too, and within a scope they look like the
            # newest ones.
            records = self._read_jobs(node, None)
        wanted = newest = newest_per_name(records)
        if query.include_retried:
            wanted = sorted(records, key=id_of, reverse=True)
            # nothing else tells how old a server is
            is_old = self.pipeline is not None and "source" not in self.pipeline
            if is_old and len(newest) == len(records) and all("queued_duration" in record for record in records):
                self._session.warn(
                    "This GitLab is older than 14.1 and lists no superseded attempt. From 13.5 to 13.8 GitLab leaves "
                    "them out, so there may have been some."
                )
        return [
            FoundJob(record, node.project, node.pipeline_id, node.path_of(str(record.get("name") or "")))
            for record in wanted
        ]

    def _read_jobs(self, node: PipelineNode, scope: list[str] | None) -> list[Record]:
        self.pipeline = None
        return self._session.client.list_all(
            "list_pipeline_jobs",
            keep=self._kept,
            project=node.project,
            pipeline_id=node.pipeline_id,
            scope=scope,
            include_retried=self._query.include_retried or None,
        )

    def found(self, record: Record, pipeline: Record | None) -> FoundJob:
        """Return a job that was not found by way of its pipeline, which its record sums up."""
        summary = pipeline or {}
        name = str(record.get("name") or "")
        project_id = project_id_of(summary, self._project)
        self._session.client.name_project(project_id, self._project)
        return FoundJob(record, project_id, id_of(summary), name)

    def _kept(self, record: Record) -> Record:
        """Return what is kept of a record of a pipeline's list, the pipeline once for all of them."""
        if self.pipeline is None:
            self.pipeline = pipeline_of(record)
        return self.projected(record)

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
