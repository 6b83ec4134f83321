# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""From what a user asks for to GitLab's records: find the pipeline, pin it, list its jobs, match their names."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import NotFoundError, RequestError, SelectionError, with_sentence
from ..concurrency import run_all
from ..pipelines.query import find_pipeline, missing_pipeline
from ..session import Session
from .bridges import PipelineNode, is_settled, list_bridges, pipeline_tree
from .listing import JobLists
from .mistaken import explain_missing_job, explain_missing_pipeline
from .query import FoundJob, JobQuery, fits, has_wildcard, match_name, matching_stages, shortened
from .selection import Selection, out_of_sight, what_is_missing, why_empty
from .statuses import can_be_superseded, count_statuses, has_ended_badly, id_of, is_finished, pipeline_of, status_of

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
        self._pipeline: Record | None = None
        # a job once chosen stays chosen, whatever its status becomes while it is waited for
        self._chosen: set[t.Any] = set()
        self._explains_ids = explains_ids
        # how often there were jobs, and no trigger jobs
        self._looks_without_bridges = 0

    @property
    def known_fields(self) -> frozenset[str]:
        """Return the names of the fields of a whole record; empty as long as none was cut."""
        return self._lists.known_fields

    def find(self) -> Selection:
        """Return what fits now.

        :raises RequestError: when GitLab cannot be asked.
        """
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
            return Selection(missing=self._query.single_names, is_complete=False)
        if self._query.is_empty:
            return Selection(pipeline=self._pipeline)
        try:
            return self._find_in_pipeline(self._pipeline)
        except NotFoundError as exc:
            if self._explains_ids:
                explain_missing_pipeline(self._session, self._query.pipeline, exc)
            raise

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
        self.require(selection)
        if selection.jobs:
            return
        # an invalid configuration is an error, and no pipeline that happens to be empty
        if not self._query.allow_empty or (selection.pipeline or {}).get("yaml_errors"):
            raise SelectionError(why_empty(self._query, selection))

    def problem(self, selection: Selection, *, may_wait: bool = False) -> str:
        """Return what is missing, and what there is instead; empty when nothing is.

        :param may_wait: whether the task could have waited for it, and did not.
        """
        if self._query.pipeline.is_given and selection.pipeline is None:
            return missing_pipeline(self._query.pipeline, may_wait=may_wait)
        problem = what_is_missing(self._query, selection)
        if not problem or not selection.known or selection.misplaced:
            return problem
        hint = self._bridge_hint(selection, (*selection.missing, "")[0])
        return with_sentence(problem, hint) if hint else problem

    def require_readable(self, selection: Selection) -> None:
        """Return if all that may be selected can be read.

        :raises SelectionError: when there are downstream pipelines that the token cannot read.
        """
        hidden = out_of_sight(selection)
        if hidden:
            raise SelectionError(
                f"{hidden}. Give exact names, with the path of a job downstream, or a token that can read them"
            )

    def warn_of_hidden(self, selection: Selection) -> None:
        """Warn of downstream pipelines whose jobs may be selected, and cannot be read."""
        hidden = out_of_sight(selection)
        if hidden:
            self._session.warn(f"{hidden[:1].upper()}{hidden[1:]}.")

    # ----- one job -----

    def _find_by_id(self, job_id: int) -> Selection:
        record = self._read_job(job_id)
        summary = pipeline_of(record)
        found = self._lists.found(record, summary)
        if self._query.newest_attempt and summary and can_be_superseded(status_of(record)):
            attempts = [job for job in self._lists.jobs(self._lists.node(summary)) if job.name == found.name]
            found = max(attempts + [found], key=lambda job: job.id)
        return Selection(((found,),), pipeline=summary, known=frozenset({found.path}))

    def _read_job(self, job_id: int) -> Record:
        """Return a job by its id; a job token may not read a single one, but it may list."""
        client = self._session.client
        if self._session.limits.reads_single_jobs:
            try:
                return t.cast(Record, client.call("get_job", project=self._project, job_id=job_id))
            except NotFoundError as exc:
                if self._explains_ids:
                    explain_missing_job(self._session, self._project, job_id, exc)
                raise
        for record in client.iterate("list_project_jobs", project=self._project):
            if id_of(record) <= job_id:
                if id_of(record) == job_id:
                    return record
                break  # newest first: it does not come any more
        raise SelectionError(f"no job {job_id} among the jobs of project {self._project} that the job token may list")

    # ----- a project -----

    def _find_in_project(self) -> Selection:
        """Return the newest jobs of the project; without names several pages of them are read at a time."""
        client, query = self._session.client, self._query
        scope = list(query.scope) or None
        if not query.names:
            # one more than wanted shows that there are more
            most_records = query.limit + 1 if query.limit else 0
            reading = client.read_ahead(
                "list_project_jobs", most_records=most_records, project=self._project, scope=scope
            )
            selection = self._choose_from(reading)
            if reading.is_exact():
                return selection
        return self._choose_from(client.iterate("list_project_jobs", project=self._project, scope=scope))

    def _choose_from(self, records: t.Iterable[Record]) -> Selection:
        """Return what fits of the jobs of a project, newest first, reading no further than necessary."""
        query = self._query
        newest: set[t.Any] = set()
        kept: list[FoundJob] = []
        known: set[str] = set()
        names, whole = query.single_names, query.whole_name
        unmatched = set(names)
        for record in records:
            found = self._lists.found(self._lists.projected(record), pipeline_of(record))
            if found.key in newest and not query.include_retried:
                continue
            newest.add(found.key)
            if names:
                known.add(found.path)
                if whole and found.name == whole:
                    names, unmatched = (whole,), {whole}
                matched = {name for name in names if match_name([found], name)}
                unmatched -= matched
                if matched and self._fits(found):
                    kept.append(found)
            elif self._fits(found):
                kept.append(found)
            if query.limit and len(kept) > query.limit and not unmatched:
                break
        groups = [[job for job in kept if match_name([job], name)] for name in names] or [kept]
        return Selection(
            tuple(map(tuple, groups)),
            names=names,
            # a job that is there, and of another stage, is not missing
            missing=tuple(name for name in names if name in unmatched),
            known=frozenset(known),
        )

    # ----- a pipeline, and those below it -----

    def _find_in_pipeline(self, pipeline: Record) -> Selection:
        root = self._lists.node(pipeline)
        unreadable: list[str] = []
        is_complete = True
        bridges: list[FoundJob] = []
        if not self._query.include_downstream:
            jobs, bridges = self._list_both(root)
        else:
            tree = pipeline_tree(self._session, root.project, root.pipeline_id)
            nodes = list(tree.walk())
            is_complete = is_settled(tree)
            per_node = run_all(
                self._lists.readable_jobs,
                nodes,
                most_at_once=self._session.client.settings.concurrency,
            )
            unreadable = [node.path for node, listed in zip(nodes, per_node) if listed is None]
            jobs = [job for listed in per_node for job in listed or ()]
            if self._query.with_bridges:
                bridges = [
                    FoundJob(bridge.record, node.project, node.pipeline_id, bridge.path, is_bridge=True)
                    for node in nodes
                    for bridge in node.bridges
                ]
        if not jobs and not bridges:
            # GitLab makes the jobs a moment after the pipeline
            pipeline = self._session.client.call("get_pipeline", project=root.project, pipeline_id=root.pipeline_id)
            is_complete = is_complete and is_finished(status_of(pipeline))
        listed = (not self._query.include_downstream and jobs and self._lists.pipeline) or pipeline
        return self._select(jobs + bridges, pipeline=listed, is_complete=is_complete, unreadable=tuple(unreadable))

    def _select(
        self, jobs: t.Sequence[FoundJob], *, pipeline: Record, is_complete: bool, unreadable: tuple[str, ...]
    ) -> Selection:
        """Return the selection: names are matched among all jobs, then stage, then scope choose among these."""
        query = self._query
        stages = frozenset(job.stage for job in jobs)
        per_stage = {entry: matching_stages(stages, entry) for entry in query.stages}
        wanted = frozenset().union(*per_stage.values()) if per_stage else stages
        if query.names:
            named = {name: match_name(jobs, name) for name in self._names(jobs)}
        else:
            named = {"": [job for job in jobs if not job.is_bridge or query.all_bridges]}
        placed = {name: [job for job in found if job.stage in wanted] for name, found in named.items()}
        groups = tuple(tuple(job for job in found if self._is_in_scope(job)) for found in placed.values())
        if query.scope:
            self._chosen.update(job.key for group in groups for job in group)
        is_filtered = not any(groups) and any(placed.values())
        missing_stages = tuple(entry for entry, found in per_stage.items() if not found)
        # what is called so itself, or by its path, is what a name means, whatever else there may be
        open_names = tuple(name for name, found in named.items() if all(job.path != name for job in found))
        return Selection(
            groups,
            names=tuple(filter(None, named)),
            missing=tuple(name for name, found in named.items() if name and not found),
            misplaced={
                name: tuple(sorted({job.stage for job in named[name]}))
                for name, found in placed.items()
                if name and named[name] and not found and all(per_stage.values())
            },
            missing_stages=missing_stages,
            open_names=open_names,
            pipeline=pipeline,
            is_complete=is_complete or not (open_names or missing_stages),
            known=frozenset(job.path for job in jobs),
            stages=stages,
            out_of_scope=count_statuses(job.record for found in placed.values() for job in found)
            if is_filtered
            else {},
            failed=tuple(job for job in jobs if has_ended_badly(job.record)),
            unreadable=unreadable,
        )

    def _names(self, jobs: t.Sequence[FoundJob]) -> tuple[str, ...]:
        """Return the names that were asked for.

        Ansible splits a text at its commas, which the names of matrix jobs carry: what is a job as a whole is one name.

        :raises SelectionError: when it is that, and every part of it is a job as well.
        """
        whole, names = self._query.whole_name, self._query.single_names
        known = {name for job in jobs for name in (job.name, job.path)}
        if not whole or whole not in known:
            return names
        if known.issuperset(names):
            raise SelectionError(
                f"{whole!r} is the name of a job, and so are {shortened(names)}; give the one as a list with a single "
                "entry, or the others one by one"
            )
        return (whole,)

    def _list_both(self, root: PipelineNode) -> tuple[list[FoundJob], list[FoundJob]]:
        """Return the jobs of a pipeline, and its trigger jobs where a name may stand for one."""
        jobs: list[FoundJob] = []
        bridges: list[FoundJob] = []

        def read_jobs() -> None:
            jobs.extend(self._lists.jobs(root))

        def read_bridges() -> None:
            bridges.extend(
                FoundJob(record, root.project, root.pipeline_id, str(record.get("name")), is_bridge=True)
                for record in list_bridges(self._session, root.project, root.pipeline_id)
            )

        query = self._query
        if self._needs_bridges and self._looks_without_bridges < _LOOKS_FOR_BRIDGES:
            # both are needed for certain, so neither waits for the other
            most_at_once = self._session.client.settings.concurrency
            run_all(lambda read: read(), [read_jobs, read_bridges], most_at_once=most_at_once)
            self._looks_without_bridges += bool(jobs) and not bridges
        else:
            read_jobs()
            if query.with_bridges and self._may_be_bridges(jobs):
                read_bridges()
        return jobs, bridges

    @property
    def _needs_bridges(self) -> bool:
        """Return whether trigger jobs are selected for certain, before the jobs are known."""
        query = self._query
        if not query.names:
            return query.all_bridges
        return query.with_bridges and any(has_wildcard(name) for name in query.names)

    def _may_be_bridges(self, jobs: t.Sequence[FoundJob]) -> bool:
        stages = {job.stage for job in jobs}
        is_stage_missing = any(not matching_stages(stages, stage) for stage in self._query.stages)
        return is_stage_missing or any(not match_name(jobs, name) for name in self._names(jobs))

    def _is_in_scope(self, job: FoundJob) -> bool:
        scope = self._query.scope
        return not scope or status_of(job.record) in scope or job.key in self._chosen

    def _fits(self, job: FoundJob) -> bool:
        """Return whether stage and scope choose a job of a whole project."""
        stages = self._query.stages
        has_stage = not stages or any(fits(job.stage, stage) for stage in stages)
        return has_stage and self._is_in_scope(job)

    def _bridge_hint(self, selection: Selection, name: str = "") -> str:
        """Return what to do when the job may be one of a downstream pipeline, or a trigger job."""
        if not self._query.pipeline.is_given:
            return ""
        if self._query.include_downstream:
            if selection.unreadable:
                return f"The token cannot read the downstream pipelines of {shortened(selection.unreadable)}."
            return ""
        try:
            pipeline = self._lists.node(selection.pipeline or {})
            bridges = [
                str(bridge.get("name"))
                for bridge in list_bridges(self._session, pipeline.project, pipeline.pipeline_id)
            ]
        except RequestError:
            return ""  # the hint is not worth another error
        if name in bridges:
            return f"{name!r} is a trigger job, which gitlab_pipeline_bridges reads."
        if bridges:
            return (
                f"The pipeline has trigger jobs ({shortened(bridges)}); set include_downstream to select jobs of "
                "their pipelines, too."
            )
        return ""
