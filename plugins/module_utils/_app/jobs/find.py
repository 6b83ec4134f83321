# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""From what a user asks for to GitLab's records: find the pipeline, pin it, list its jobs, match their names."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import MissingError, RequestError, SelectionError, capitalized, with_sentence
from ..fields import id_of, pipeline_of, status_of
from ..pipelines.find import find_pipeline
from ..pipelines.query import missing_pipeline
from ..session import Session
from .bridges import Access, Ahead, PipelineNode, ahead, pipeline_tree
from .index import JobIndex
from .listing import JobLists, trigger_jobs
from .mistaken import explain_missing_job, explained_missing
from .query import FoundJob, JobQuery, has_wildcard, matching_stages, may_hold, shortened
from .selection import Chooser, Selection, what_is_missing, why_empty
from .statuses import can_be_superseded, is_finished

# A pipeline has all its trigger jobs from its beginning on: after so many looks that showed none it is not asked again.
_LOOKS_FOR_BRIDGES = 2


class JobFinder:
    """Finds the jobs of a query, again and again; the pipeline found first is kept.

    :param explains_ids: whether an id that is not there is looked into, which takes another read.
    """

    def __init__(self, session: Session, query: JobQuery, *, explains_ids: bool = True) -> None:
        self._session = session
        self._query = query
        self._project = query.pipeline.project
        self._lists = JobLists(session, query)
        self._chooser = Chooser(query)
        self._access = Access(session.facts.readable)
        self._pipeline: Record | None = None
        self._explains_ids = explains_ids
        # how often there were jobs, and no trigger jobs
        self._looks_without_bridges = 0

    @property
    def known_fields(self) -> frozenset[str]:
        """Return the names of the fields of a whole record; empty as long as none was cut."""
        return self._lists.known_fields

    def find(self) -> Selection:
        """Return what fits now."""
        selection = self._find()
        self._explains_ids = False  # what was there once is not a mistake
        return selection

    def _find(self) -> Selection:
        if self._query.job_id is not None:
            return self._find_by_id(self._query.job_id)
        if not self._query.pipeline.is_given:
            return Selection() if self._query.is_empty else self._find_in_project()
        if self._pipeline is None:
            self._pipeline = find_pipeline(self._session, self._query.pipeline)
        if self._pipeline is None:
            return Selection(is_complete=False)
        if self._query.is_empty:
            return Selection(pipeline=self._pipeline)
        with explained_missing(self._session, self._query.pipeline, explains=self._explains_ids):
            return self._find_in_pipeline(self._pipeline)

    def require(self, selection: Selection, *, may_wait: bool = False) -> None:
        """Return if there is a pipeline, and a job for every name and stage that was asked for.

        :param may_wait: whether the task could have waited for it, and did not.
        :raises SelectionError: saying what is missing, and what there is instead.
        """
        problem = self.problem(selection, may_wait=may_wait)
        if problem:
            raise SelectionError(problem)

    def require_jobs(self, selection: Selection) -> None:
        """Return if something is selected, or need not be.

        :raises SelectionError: saying why there is nothing.
        """
        # an invalid configuration is an error, and no pipeline that happens to be empty
        may_be_empty = self._query.allow_empty and not (selection.pipeline or {}).get("yaml_errors")
        if not selection.jobs and not may_be_empty:
            raise SelectionError(why_empty(self._query, selection))

    def problem(self, selection: Selection, *, may_wait: bool = False) -> str:
        """Return what is missing, and what there is instead; empty when nothing is.

        :param may_wait: whether the task could have waited for it, and did not.
        """
        is_of_pipeline = self._query.pipeline.is_given
        if is_of_pipeline and selection.pipeline is None:
            return missing_pipeline(self._query.pipeline, may_wait=may_wait)
        problem = what_is_missing(self._query, selection)
        if not (problem and selection.known and is_of_pipeline) or selection.misplaced:
            return problem
        hint = self._bridge_hint(selection)
        return with_sentence(problem, hint) if hint else problem

    def check_readable(self, selection: Selection, *, warns: bool = False) -> None:
        """Return if all that may be selected can be read.

        :param warns: whether downstream pipelines that the token cannot read are a warning, and no error.
        :raises SelectionError: when there are such.
        """
        paths = [path for path in selection.unreadable if may_hold(selection.open_names, path)]
        if not paths:
            return
        what = (
            f"the token cannot read the downstream pipelines of {shortened(paths)}, whose jobs may be selected as well"
        )
        if not warns:
            raise SelectionError(
                f"{what}. Give exact names, with the path of a job downstream, or a token that can read them"
            )
        self._session.warn(f"{capitalized(what)}.")

    # ----- one job -----

    def _find_by_id(self, job_id: int) -> Selection:
        record = self._read_job(job_id)
        summary = pipeline_of(record)
        found = self._lists.found(record, summary)
        if self._query.newest_attempt and summary and can_be_superseded(status_of(record)):
            attempts = self._lists.jobs(self._lists.node(summary)).by_name.get(found.name, ())
            found = max([*attempts, found], key=lambda job: job.id)
        return Selection({"": (found,)}, pipeline=summary, known=frozenset({found.path}))

    def _read_job(self, job_id: int) -> Record:
        """Return a job by its id; a job token may not read a single one, but it may list."""
        client = self._session.client
        if self._session.limits.reads_single_jobs:
            try:
                return t.cast(Record, client.call("get_job", project=self._project, job_id=job_id))
            except MissingError as exc:
                if self._explains_ids:
                    explain_missing_job(self._session, self._project, job_id, exc)
                raise
        listed = client.iterate("list_project_jobs", project=self._project)
        # newest first: behind the jobs with a greater id it comes at once, or never
        found = next((record for record in listed if id_of(record) <= job_id), {})
        if id_of(found) == job_id:
            return found
        raise SelectionError(f"no job {job_id} among the jobs of project {self._project} that the job token may list")

    # ----- a project -----

    def _find_in_project(self) -> Selection:
        """Return the newest jobs of the project; without names several pages of them are read at a time."""
        client, query = self._session.client, self._query
        scope = list(query.scope) or None
        if query.names:
            records = client.iterate("list_project_jobs", project=self._project, scope=scope)
            return self._chooser.of_project(self._found_in(records))
        # one more than wanted shows that there are more
        most_records = query.limit + 1 if query.limit else 0
        return client.read_ahead(
            "list_project_jobs",
            lambda records: self._chooser.of_project(self._found_in(records)),
            most_records=most_records,
            project=self._project,
            scope=scope,
        )

    def _found_in(self, records: t.Iterable[Record]) -> t.Iterator[FoundJob]:
        return (self._lists.found(self._lists.projected(record), pipeline_of(record)) for record in records)

    # ----- a pipeline, and those below it -----

    def _find_in_pipeline(self, pipeline: Record) -> Selection:
        root = self._lists.node(pipeline)
        is_complete = True
        if self._query.include_downstream:
            jobs, before, unreadable = self._list_tree(root)
        else:
            jobs, before, unreadable = self._list_both(root), Ahead(), ()
            pipeline = jobs.pipeline or pipeline
        if not jobs.jobs:
            # GitLab makes the jobs a moment after the pipeline
            pipeline = self._session.client.call("get_pipeline", project=root.project, pipeline_id=root.pipeline_id)
            is_complete = is_finished(status_of(pipeline))
        return self._chooser.of_pipeline(
            jobs, pipeline=pipeline, is_complete=is_complete, ahead=before, unreadable=unreadable
        )

    def _list_tree(self, root: PipelineNode) -> tuple[JobIndex, Ahead, tuple[str, ...]]:
        """Return the jobs of a pipeline and all below it, what may still come, and the paths of those not readable."""
        tree = pipeline_tree(self._session, root.project, root.pipeline_id, access=self._access)
        nodes = list(tree.walk())
        listed = self._session.run_all(lambda node: node.readable("jobs", lambda: self._lists.jobs(node)), nodes)
        below = [job for found in listed[1:] if found for job in found.jobs]
        if self._query.with_bridges:
            below += [job for node in nodes for job in node.bridges]
        jobs = (listed[0] or JobIndex()).joined(below)
        return jobs, ahead(tree), tuple(node.path for node, found in zip(nodes, listed) if found is None)

    def _list_both(self, root: PipelineNode) -> JobIndex:
        """Return the jobs of a pipeline, and its trigger jobs where a name may stand for one."""
        if self._needs_bridges and self._looks_without_bridges < _LOOKS_FOR_BRIDGES:
            # both are needed for certain, so neither waits for the other
            jobs, bridges = self._session.run_all(lambda read: read(root), [self._lists.jobs, self._bridges])
            self._looks_without_bridges += bool(jobs.jobs) and not bridges.jobs
        else:
            jobs = self._lists.jobs(root)
            bridges = self._bridges(root) if self._query.with_bridges and self._may_be_bridges(jobs) else JobIndex()
        return jobs.joined(bridges.jobs)

    def _bridges(self, root: PipelineNode) -> JobIndex:
        return JobIndex(trigger_jobs(self._session, root.project, root.pipeline_id))

    @property
    def _needs_bridges(self) -> bool:
        """Return whether trigger jobs are selected for certain, before the jobs are known."""
        query = self._query
        if not query.names:
            return query.all_bridges
        return query.with_bridges and any(has_wildcard(name) for name in query.names)

    def _may_be_bridges(self, jobs: JobIndex) -> bool:
        is_stage_missing = any(not matching_stages(jobs.stages, stage) for stage in self._query.stages)
        return is_stage_missing or any(not jobs.called(name) for name in self._chooser.names(jobs))

    def _bridge_hint(self, selection: Selection) -> str:
        """Return what to do when the job may be one of a downstream pipeline, or a trigger job."""
        if self._query.include_downstream:
            if selection.unreadable:
                return f"The token cannot read the downstream pipelines of {shortened(selection.unreadable)}."
            return ""
        root = self._lists.node(selection.pipeline or {})
        try:
            bridges = [job.path for job in trigger_jobs(self._session.in_passing(), root.project, root.pipeline_id)]
        except RequestError:
            return ""  # the hint is not worth another error
        name = next(iter(selection.missing), "")
        if name in bridges:
            return f"{name!r} is a trigger job, which gitlab_pipeline_bridges reads."
        if bridges:
            return (
                f"The pipeline has trigger jobs ({shortened(bridges)}); set include_downstream to select jobs of "
                "their pipelines, too."
            )
        return ""
