# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Find the jobs that a user asks for: find the pipeline, pin it, list its jobs, match their names."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import MissingError, RequestError, SelectionError, capitalized, with_sentence
from ..fields import id_of, pipeline_of, project_fields, project_id_of, status_of
from ..pipelines.find import find_pipeline
from ..pipelines.query import missing_pipeline
from ..session import Session
from .bridges import Access, PipelineNode, pipeline_tree, trigger_jobs
from .index import JobIndex
from .mistaken import explain_missing_job, explained_missing
from .query import NEEDED_FIELDS, FoundJob, JobQuery, has_wildcard, matching_stages, may_hold, shortened
from .selection import Chooser, Selection, what_is_missing, why_empty
from .statuses import can_be_superseded, is_finished, newest_per_name

# Trigger jobs are created with their pipeline: after this many polls without any, they are not listed again.
_POLLS_FOR_BRIDGES = 2


class JobFinder:
    """A repeatable search for the jobs of a query; it keeps to the pipeline found first.

    :param explains_ids: whether to explain a wrong id, which costs another request.
    """

    def __init__(self, session: Session, query: JobQuery, *, explains_ids: bool = True) -> None:
        self._session = session
        self._query = query
        self._project = query.pipeline.project
        self._chooser = Chooser(query)
        self._access = Access(session.facts.readable)
        self._pipeline: Record | None = None
        self._fields = (*NEEDED_FIELDS, *query.fields) if query.fields else ()
        # the field names of a whole record; empty until a record is projected
        self.known_fields: frozenset[str] = frozenset()
        self._explains_ids = explains_ids
        # the number of polls that found jobs, but no trigger jobs
        self._polls_without_bridges = 0
        # by pipeline id: the highest number of jobs, or of trigger jobs, seen so far
        self._sizes: dict[int, int] = {}

    def find(self) -> Selection:
        selection = self._find()
        self._explains_ids = False  # an id that existed once is not a mistake
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
        """Check that there is a pipeline, and a job for every name and stage.

        :param may_wait: whether the error should suggest `wait`.
        :raises SelectionError: if something is missing; the message lists what exists instead.
        """
        problem = self.problem(selection, may_wait=may_wait)
        if problem:
            raise SelectionError(problem)

    def require_jobs(self, selection: Selection) -> None:
        """Check that a job is selected, unless the query allows an empty selection.

        :raises SelectionError: if not; the message explains why.
        """
        # allow_empty is for empty pipelines, not for invalid configurations
        may_be_empty = self._query.allow_empty and not (selection.pipeline or {}).get("yaml_errors")
        if not selection.jobs and not may_be_empty:
            problem = why_empty(self._query, selection)
            raise SelectionError(problem if selection.known else self._with_hint(problem, selection))

    def problem(self, selection: Selection, *, may_wait: bool = False) -> str:
        """Return what is missing, and what exists instead; an empty string if nothing is missing.

        :param may_wait: whether the message should suggest `wait`.
        """
        if self._query.pipeline.is_given and selection.pipeline is None:
            return missing_pipeline(self._query.pipeline, may_wait=may_wait)
        problem = what_is_missing(self._query, selection)
        return self._with_hint(problem, selection) if selection.lacks and not selection.misplaced else problem

    def check_readable(self, selection: Selection, *, warns: bool = False) -> None:
        """Check that the token can read all downstream pipelines whose jobs may be selected.

        :param warns: whether to warn instead of raising an error.
        :raises SelectionError: if the token cannot read some of them.
        """
        paths = [path for path in selection.unreadable if may_hold(selection.open_names, path)]
        if not paths:
            return
        what = f"the token cannot read the downstream pipelines of {shortened(paths)}, whose jobs may be selected, too"
        if not warns:
            raise SelectionError(
                f"{what}. Use exact names, with the paths of downstream jobs, or a token that can read them"
            )
        self._session.warn(f"{capitalized(what)}.")

    # ----- one job -----

    def _find_by_id(self, job_id: int) -> Selection:
        record = self._read_job(job_id)
        summary = pipeline_of(record)
        found = self._found(record, summary)
        if self._query.newest_attempt and summary and can_be_superseded(status_of(record)):
            attempts = self._jobs(self._node(summary)).by_name.get(found.name, ())
            found = max([*attempts, found], key=lambda job: job.id)
        return Selection({"": (found,)}, pipeline=summary, known=frozenset({found.path}))

    def _read_job(self, job_id: int) -> Record:
        """Return a job by its id; job tokens cannot read single jobs, so search the list of jobs."""
        client = self._session.client
        if self._session.limits.reads_single_jobs:
            try:
                return t.cast(Record, client.call("get_job", project=self._project, job_id=job_id))
            except MissingError as exc:
                if self._explains_ids:
                    explain_missing_job(self._session, self._project, job_id, exc)
                raise
        listed = client.iterate("list_project_jobs", project=self._project)
        # the list is newest first: after the jobs with greater ids, the next one is the job, or it is not listed
        found = next((record for record in listed if id_of(record) <= job_id), {})
        if id_of(found) == job_id:
            return found
        raise SelectionError(f"no job {job_id} among the jobs of project {self._project} that the job token can list")

    # ----- a project -----

    def _find_in_project(self) -> Selection:
        """Return the newest jobs of the project; without names, several pages are read concurrently."""
        client, query = self._session.client, self._query
        scope = list(query.scope) or None
        if query.names:
            records = client.iterate("list_project_jobs", project=self._project, scope=scope)
            return self._chooser.of_project(self._found_in(records))
        # one job beyond the limit shows that there are more
        needed_records = query.limit + 1 if query.limit else 0
        return client.read_ahead(
            "list_project_jobs",
            lambda records: self._chooser.of_project(self._found_in(records)),
            needed_records=needed_records,
            project=self._project,
            scope=scope,
        )

    def _found_in(self, records: t.Iterable[Record]) -> t.Iterator[FoundJob]:
        return (self._found(self._projected(record), pipeline_of(record)) for record in records)

    def _found(self, record: Record, pipeline: Record | None) -> FoundJob:
        """Return a job whose pipeline is known only from the summary in its record."""
        summary = pipeline or {}
        project_id = project_id_of(summary, self._project)
        self._session.client.name_project(project_id, self._project)
        return FoundJob(record, project_id, id_of(summary))

    def _projected(self, record: Record) -> Record:
        """Return only the needed fields of a record, because whole records take thirty times the memory."""
        if not self._fields:
            return record
        self.known_fields = self.known_fields or frozenset(record)
        return project_fields(record, self._fields)

    # ----- a pipeline, and those below it -----

    def _find_in_pipeline(self, pipeline: Record) -> Selection:
        root = self._node(pipeline)
        if self._query.include_downstream:
            jobs, is_complete, nodes = self._list_tree(root)
        else:
            (jobs, is_complete), nodes = self._list_both(root), []
            pipeline = jobs.pipeline or pipeline
        if not jobs.jobs:
            # GitLab creates the jobs a moment after the pipeline
            pipeline = self._session.client.call("get_pipeline", project=root.project, pipeline_id=root.pipeline_id)
            is_complete = is_finished(status_of(pipeline))
        return self._chooser.of_pipeline(jobs, pipeline=pipeline, is_complete=is_complete, nodes=nodes)

    def _list_tree(self, root: PipelineNode) -> tuple[JobIndex, bool, list[PipelineNode]]:
        """Return the jobs of a pipeline and its downstream pipelines, whether they are complete, and the pipelines."""
        tree = pipeline_tree(self._session, root.project, root.pipeline_id, access=self._access)
        nodes = list(tree.walk())
        listed = self._session.run_all(lambda node: node.readable("jobs", lambda: self._jobs(node)), nodes)
        below = [job for found in listed[1:] if found for job in found.jobs]
        if self._query.with_bridges:
            below += [job for node in nodes for job in node.bridges]
        is_whole = [
            self._is_whole(node, len(found.by_name) + len(node.bridges))
            for node, found in zip(nodes, listed)
            if found is not None
        ]
        return (listed[0] or JobIndex()).joined(below), bool(self._query.scope) or all(is_whole), nodes

    def _is_whole(self, node: PipelineNode, size: int) -> bool:
        """Return whether a pipeline shows as many jobs as before, and at least one if it is downstream and unfinished.

        A lagging database replica may show a pipeline without its jobs.

        :param size: the number of job names shown, which never decreases.
        """
        minimum = bool(node.path) and not is_finished(status_of(node.record))
        before = self._sizes.get(node.pipeline_id, int(minimum))
        self._sizes[node.pipeline_id] = max(before, size)
        return size >= before

    def _list_both(self, root: PipelineNode) -> tuple[JobIndex, bool]:
        """Return the jobs of a pipeline, with its trigger jobs if a name may match one.

        The second value is whether the trigger jobs are complete.
        """
        if self._needs_bridges and self._polls_without_bridges < _POLLS_FOR_BRIDGES:
            # both lists are certainly needed, so read them concurrently
            jobs, bridges = self._session.run_all(lambda read: read(root), [self._jobs, self._bridges])
            is_whole = self._is_whole(root, len(bridges.jobs))
            self._polls_without_bridges += is_whole and bool(jobs.jobs) and not bridges.jobs
        else:
            jobs, is_whole = self._jobs(root), True
            bridges = self._bridges(root) if self._query.with_bridges and self._may_be_bridges(jobs) else JobIndex()
        return jobs.joined(bridges.jobs), is_whole

    def _node(self, pipeline: Record) -> PipelineNode:
        """Return a pipeline as the root of a tree."""
        return PipelineNode(
            project=project_id_of(pipeline, self._project), pipeline_id=id_of(pipeline), record=pipeline
        )

    def _jobs(self, node: PipelineNode) -> JobIndex:
        """Return the jobs of a pipeline, newest first; superseded ones only with `include_retried`."""
        query = self._query
        # Names are matched against all jobs, to distinguish a wrong name from a job that is out of scope. A job that is
        # waited for may leave the scope.
        scope = list(query.scope) if query.scope and not query.names and not query.newest_attempt else None
        jobs = self._list_jobs(node, scope)
        if scope and any("queued_duration" not in job.record for job in jobs.jobs):
            # Servers before 13.5 list superseded attempts, too, and with a scope these look like the newest ones.
            jobs = self._list_jobs(node, None)
        return jobs

    def _list_jobs(self, node: PipelineNode, scope: list[str] | None) -> JobIndex:
        include_retried = self._query.include_retried
        pipelines: list[Record] = []

        def keep(record: Record) -> Record:
            if not pipelines:
                pipelines.extend(filter(None, [pipeline_of(record)]))
            return self._projected(record)

        def make(records: t.Iterator[Record]) -> JobIndex:
            kept = map(keep, records)
            wanted = sorted(kept, key=id_of, reverse=True) if include_retried else newest_per_name(kept)
            return JobIndex(
                (FoundJob(record, node.project, node.pipeline_id, node.path) for record in wanted),
                next(iter(pipelines), None),
            )

        return self._session.client.build_from_all(
            "list_pipeline_jobs",
            make,
            key=(node.path, self._fields),
            project=node.project,
            pipeline_id=node.pipeline_id,
            scope=scope,
            include_retried=include_retried or None,
        )

    def _bridges(self, root: PipelineNode) -> JobIndex:
        return JobIndex(trigger_jobs(self._session, root.project, root.pipeline_id))

    @property
    def _needs_bridges(self) -> bool:
        """Return whether trigger jobs are certainly needed, before the jobs are known."""
        query = self._query
        if not query.names:
            return query.all_bridges
        return query.with_bridges and any(has_wildcard(name) for name in query.names)

    def _may_be_bridges(self, jobs: JobIndex) -> bool:
        is_stage_missing = any(not matching_stages(jobs.stages, stage) for stage in self._query.stages)
        return is_stage_missing or any(not jobs.called(name) for name in self._chooser.names(jobs))

    def _with_hint(self, problem: str, selection: Selection) -> str:
        """Return a problem, with advice if the missing job may be a trigger job or in a downstream pipeline."""
        is_possible = self._query.pipeline.is_given and not self._query.is_empty
        hint = self._bridge_hint(selection) if is_possible else ""
        return with_sentence(problem, hint) if hint else problem

    def _bridge_hint(self, selection: Selection) -> str:
        if selection.unreadable:
            return f"The token cannot read the downstream pipelines of {shortened(selection.unreadable)}."
        sentence = next(iter((*selection.never_started, *selection.may_still_start)), "")
        if sentence:
            return f"{capitalized(sentence)}."
        root = self._node(selection.pipeline or {})
        try:
            bridges = [job.path for job in trigger_jobs(self._session.best_effort(), root.project, root.pipeline_id)]
        except RequestError:
            return ""  # the hint is not worth another error
        name = next(iter(selection.missing), "")
        if name in bridges:
            return f"{name!r} is a trigger job; read it with gitlab_pipeline_bridges."
        if bridges and not self._query.include_downstream:
            return (
                f"The pipeline has trigger jobs ({shortened(bridges)}); set include_downstream to select jobs of "
                "their pipelines, too."
            )
        return ""
