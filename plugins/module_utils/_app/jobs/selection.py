# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Select jobs by a query, and describe what is missing."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import typing as t

from ..._api.decoding import Record
from ..._api.errors import SelectionError
from ..fields import id_of, status_of
from ..pipelines.query import facts
from .bridges import BridgeNode, PipelineNode
from .index import JobIndex
from .query import (
    MAX_NAMES_IN_TEXT,
    FoundJob,
    JobQuery,
    has_wildcard,
    matching_stages,
    may_hold,
    shortened,
    suggestions,
)
from .statuses import count_statuses, failure_reason, is_blocking_failure, is_finished, is_optional


@dataclasses.dataclass(frozen=True)
class Selection:
    """The jobs that a query selects, and what is missing.

    :param groups: the jobs of each name, or all jobs under an empty name if the query has no names.
    :param missing: names without a job.
    :param misplaced: names that exist only in other stages than the wanted ones, with the stages that they are in.
    :param missing_stages: entries of `stage` that match no stage of the pipeline.
    :param open_names: names that may also match unknown jobs; an empty one if the query has no names.
    :param pipeline: the pinned pipeline, None if there is none (yet).
    :param is_complete: whether no further matching job can appear.
    :param known: paths of all existing jobs, for suggestions.
    :param out_of_scope: if nothing is selected, how many jobs of each status only `scope` left out.
    :param all_jobs: all jobs of the pipeline, selected or not.
    :param unreadable: paths of downstream pipelines that the token cannot read.
    :param never_started: a sentence for each trigger job that has not started a pipeline in which jobs may be selected.
    :param may_still_start: a sentence for each trigger job that may still start such a pipeline.
    """

    groups: t.Mapping[str, t.Sequence[FoundJob]] = dataclasses.field(default_factory=dict)
    missing: tuple[str, ...] = ()
    misplaced: t.Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    missing_stages: tuple[str, ...] = ()
    open_names: tuple[str, ...] = ()
    pipeline: Record | None = None
    is_complete: bool = True
    known: t.Collection[str] = ()
    out_of_scope: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    all_jobs: JobIndex = JobIndex()
    unreadable: tuple[str, ...] = ()
    never_started: tuple[str, ...] = ()
    may_still_start: tuple[str, ...] = ()

    @functools.cached_property
    def jobs(self) -> list[FoundJob]:
        """Return the selected jobs without duplicates, newest first."""
        unique = {job.id: job for group in self.groups.values() for job in group}
        return sorted(unique.values(), key=lambda job: job.id, reverse=True)

    @property
    def lacks(self) -> bool:
        """Return whether a job of a given name or stage is missing."""
        return bool(self.missing or self.misplaced or self.missing_stages)


class Chooser:
    """A repeatable selection of jobs by a query."""

    def __init__(self, query: JobQuery) -> None:
        self._query = query
        # a selected job stays selected, however its status changes during a wait
        self._chosen: set[t.Any] = set()

    def of_project(self, jobs: t.Iterable[FoundJob]) -> Selection:
        """Return the selection from the jobs of a project, newest first; read no more of them than necessary."""
        query = self._query
        newest: set[t.Any] = set()
        kept: list[FoundJob] = []
        known: set[str] = set()
        names, whole = query.single_names, query.whole_name
        unmatched = set(names)
        matching: dict[str, set[str]] = {}
        # one job of each stage, and the stages of each name
        stages: dict[str, FoundJob] = {}
        places: dict[str, set[str]] = {}
        for found in jobs:
            if found.key in newest and not query.include_retried:
                continue
            newest.add(found.key)
            stages.setdefault(found.stage, found)
            if names:
                known.add(found.path)
                if whole and found.name == whole:
                    names, unmatched, matching, places = (whole,), {whole}, {}, {}
                if found.name not in matching:
                    matching[found.name] = _matching(found, names)
                matched = matching[found.name]
                unmatched -= matched
                if not matched:
                    continue
                for name in matched:
                    places.setdefault(name, set()).add(found.stage)
            has_stage = not query.stages or any(matching_stages({found.stage}, each) for each in query.stages)
            if has_stage and query.is_in_scope(found.record):
                kept.append(found)
            if query.limit and len(kept) > query.limit and not unmatched:
                stages.clear()
                break
        # with a scope, or before the end of the list, other stages may exist
        knows_stages = bool(stages) and not query.scope
        wanted = {entry: matching_stages(stages, entry) for entry in query.stages} if knows_stages else {}
        missing_stages = tuple(entry for entry, fitting in wanted.items() if not fitting)
        wanted_stages = set().union(*wanted.values()) if not missing_stages else set()
        return Selection(
            {name: tuple(job for job in kept if name in matching.get(job.name, ())) for name in names}
            or {"": tuple(kept)},
            # a job in another stage is not missing, but misplaced
            missing=tuple(name for name in names if name in unmatched),
            misplaced={
                name: tuple(sorted(found))
                for name, found in places.items()
                if wanted_stages and not found & wanted_stages
            },
            missing_stages=missing_stages,
            known=known or tuple(missing_stages and stages),
            all_jobs=JobIndex(stages.values() if missing_stages else ()),
        )

    def of_pipeline(
        self,
        jobs: JobIndex,
        *,
        pipeline: Record,
        is_complete: bool,
        nodes: t.Sequence[PipelineNode] = (),
    ) -> Selection:
        """Return the selection from the jobs of a pipeline: by name, then by stage, then by scope.

        :param nodes: the pipelines of its tree.
        """
        query = self._query
        per_stage = {entry: matching_stages(jobs.stages, entry) for entry in query.stages}
        wanted = frozenset().union(*per_stage.values()) if per_stage else jobs.stages
        if query.names:
            named = {name: jobs.called(name) for name in self.names(jobs)}
        else:
            named = {"": [job for job in jobs.jobs if not job.is_bridge or query.all_bridges]}
        placed = {name: [job for job in found if job.stage in wanted] for name, found in named.items()}
        groups = {
            name: tuple(job for job in found if query.is_in_scope(job.record) or job.key in self._chosen)
            for name, found in placed.items()
        }
        selected = [job for group in groups.values() for job in group]
        self._chosen.update(job.key for job in selected)
        paths = {job.path for job in selected}
        # the trigger jobs that started no pipeline
        unstarted = [bridge for node in nodes for bridge in node.bridges if bridge.downstream is None]
        missing_stages = tuple(entry for entry, found in per_stage.items() if not found)
        # a name that is the path of an existing job matches no unknown job
        open_names = tuple(name for name in named if name not in jobs.by_path)
        return Selection(
            groups,
            missing=tuple(name for name, found in named.items() if name and not found),
            misplaced={
                name: tuple(sorted({job.stage for job in named[name]}))
                for name, found in placed.items()
                if name and named[name] and not found and not missing_stages
            },
            missing_stages=missing_stages,
            open_names=open_names,
            pipeline=pipeline,
            is_complete=(is_complete or not (open_names or missing_stages))
            and not _may_grow(named, open_names, missing_stages, unstarted),
            never_started=tuple(
                f"trigger job {bridge.path!r}, whose downstream jobs are selected, {why}"
                for bridge, why in ((bridge, _why_no_pipeline(bridge)) for bridge in unstarted)
                # the failure of a selected trigger job is reported anyway
                if why
                and not (is_blocking_failure(bridge.record) and bridge.path in paths)
                and may_hold(open_names, bridge.path)
            ),
            may_still_start=tuple(
                f"trigger job {bridge.path!r} is still {bridge.status}"
                for bridge in unstarted
                if not bridge.is_settled and may_hold(open_names, bridge.path)
            ),
            known=jobs.by_path.keys(),
            out_of_scope={} if selected else count_statuses(job.record for found in placed.values() for job in found),
            all_jobs=jobs,
            unreadable=tuple(node.path for node in nodes if not node.is_accessible),
        )

    def names(self, jobs: JobIndex) -> tuple[str, ...]:
        """Return the names of the query.

        Ansible splits strings at commas, but names of matrix jobs contain commas. A string that is the name of a job as
        a whole is one name.

        :raises SelectionError: if every part of it is the name of a job, too.
        """
        whole, names = self._query.whole_name, self._query.single_names
        if not whole or not (whole in jobs.by_path or whole in jobs.by_name):
            return names
        if all(name in jobs.by_path or name in jobs.by_name for name in names):
            raise SelectionError(
                f"{whole!r} is the name of a job, and so are {shortened(names)}; use a list with a single entry for "
                "the first one, or with one entry for each of the others"
            )
        return (whole,)


def _matching(job: FoundJob, names: t.Collection[str]) -> set[str]:
    """Return which of the names match a job of a project."""
    return {name for name in names if name == job.name or (has_wildcard(name) and JobIndex([job]).called(name))}


def _may_grow(
    named: t.Mapping[str, t.Sequence[FoundJob]],
    open_names: t.Collection[str],
    missing_stages: t.Collection[str],
    unstarted: t.Sequence[BridgeNode],
) -> bool:
    """Return whether a downstream pipeline that may still be started may contain selected jobs.

    No one has to play an optional trigger job, so its pipeline counts only for names that match nothing so far.
    """
    unsettled = [bridge for bridge in unstarted if not bridge.is_settled]
    if missing_stages:
        return bool(unsettled)
    missing = [name for name in open_names if not named[name]]
    found = [name for name in open_names if named[name]]
    return any(
        may_hold(missing, bridge.path) or (may_hold(found, bridge.path) and not is_optional(bridge.record))
        for bridge in unsettled
    )


# ----- in words -----


def _why_no_pipeline(bridge: BridgeNode) -> str:
    """Return how a trigger job without a pipeline ended; empty if that is not an error, or it may still start one."""
    if is_blocking_failure(bridge.record):
        return f"ended as {bridge.status}{failure_reason(bridge.record)} and started no pipeline"
    # its pipeline may have been deleted
    return "ended as success, but GitLab lists no pipeline that it started" if bridge.status == "success" else ""


def failed_before(job: FoundJob, failed: t.Iterable[FoundJob]) -> tuple[str, ...]:
    """Return the jobs that may be why a job was skipped, with their stages; none if it was not skipped.

    :param failed: the unsuccessful jobs, see `JobIndex.blocking_failures`; thousands may be skipped because of a few.
    """
    if job.status != "skipped":
        return ()
    others = (other for other in failed if other.key[:2] == job.key[:2] and other.stage != job.stage)
    return tuple(f"{other.called} of stage {other.stage}" for other in itertools.islice(others, MAX_NAMES_IN_TEXT))


def place_of(query: JobQuery, selection: Selection) -> str:
    """Return where the jobs were looked for, with all details that identify the pipeline."""
    pipeline = selection.pipeline if query.pipeline.is_given and selection.pipeline else {}
    adds_details = query.pipeline.pipeline_id is None and len(pipeline) > 1
    known = [f"pipeline {id_of(pipeline)}"] if adds_details else []
    known += [*facts(pipeline), *filter(None, [str(pipeline.get("web_url") or "")])]
    return query.pipeline.called + (f" ({', '.join(known)})" if known else "")


def lacks_any(query: JobQuery, selection: Selection) -> bool:
    """Return whether a job, a stage or a required downstream pipeline is missing."""
    return selection.lacks or (query.needs_all and bool(selection.never_started))


def what_is_missing(query: JobQuery, selection: Selection) -> str:
    """Return what is missing, and what exists instead; an empty string if nothing is missing."""
    where = place_of(query, selection)
    if selection.lacks and not selection.known:
        return why_empty(query, selection)
    for stage in selection.missing_stages:
        return f"no job of {where} has stage {stage!r}: {suggestions(selection.all_jobs.stages, stage, what='stages')}"
    for name, stages in selection.misplaced.items():
        wanted = " or ".join(map(repr, query.stages))
        return f"job {name!r} of {where} has stage {shortened(stages)}, not stage {wanted}"
    for name in selection.missing:
        in_scope = f" has {query.scope_text}" if query.scope and not query.pipeline.is_given else ""
        return f"no job {name!r} in {where}{in_scope}: {suggestions(selection.known, name)}"
    return next(iter(selection.never_started), "") if query.needs_all else ""


def why_empty(query: JobQuery, selection: Selection) -> str:
    """Return why nothing is selected."""
    if query.is_empty:
        return "an empty list of name or stage selects nothing; omit the option to select all jobs"
    where = place_of(query, selection)
    if selection.out_of_scope:
        counts = ", ".join(f"{count} {status}" for status, count in sorted(selection.out_of_scope.items()))
        return f"no job of {where} has {query.scope_text}: found {counts}"
    pipeline = selection.pipeline or {}
    errors = pipeline.get("yaml_errors")
    if errors:
        return f"{where} has no jobs because its configuration is invalid: {errors}"
    if is_finished(status_of(pipeline)):
        return f"{where} has no jobs; it is {status_of(pipeline)}"
    if selection.known or not query.pipeline.is_given:
        return f"no job of {where} has {query.scope_text}" if query.scope_text else f"{where} has no such job"
    return f"{where} has no jobs yet"
