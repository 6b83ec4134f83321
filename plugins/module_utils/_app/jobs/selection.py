# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What was found of what a user asks for, and what is missing of it, in words."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import typing as t

from ..._api.decoding import Record
from ..fields import id_of, status_of
from ..pipelines.query import facts
from .query import MOST_NAMES_IN_TEXT, FoundJob, JobQuery, may_hold, shortened, suggestions
from .statuses import has_ended_badly, is_finished


@dataclasses.dataclass(frozen=True)
class Selection:
    """What was found.

    :param groups: the jobs of each name, or all jobs in one group when no names were asked for.
    :param names: the names that the groups are for, empty when none were asked for.
    :param missing: names for which there is no job.
    :param misplaced: names of which there are jobs, though in other stages than those asked for; these by name.
    :param missing_stages: entries of `stage` that are not a stage of the pipeline.
    :param open_names: names that a job which is not known may have as well; an empty one when none were asked for.
    :param pipeline: the pinned pipeline, None when there is none (yet).
    :param is_complete: whether no further job can appear that would fit.
    :param known: paths of all jobs there are, for suggestions.
    :param stages: all stages there are.
    :param out_of_scope: how many jobs of each status were left out by `scope` alone.
    :param beside: all jobs of the pipeline, selected or not.
    :param unreadable: paths of downstream pipelines that the token cannot read.
    :param failed_before_start: paths of trigger jobs whose pipelines could not be started, and might have held more;
        without those that are selected themselves.
    """

    groups: tuple[tuple[FoundJob, ...], ...] = ()
    names: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    misplaced: t.Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    missing_stages: tuple[str, ...] = ()
    open_names: tuple[str, ...] = ()
    pipeline: Record | None = None
    is_complete: bool = True
    known: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    out_of_scope: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    beside: tuple[FoundJob, ...] = ()
    unreadable: tuple[str, ...] = ()
    failed_before_start: tuple[str, ...] = ()

    @functools.cached_property
    def jobs(self) -> list[FoundJob]:
        """Return every job found once, newest first."""
        unique = {job.id: job for group in self.groups for job in group}
        return sorted(unique.values(), key=lambda job: job.id, reverse=True)

    @property
    def never_started(self) -> list[str]:
        """Return why there are no more jobs that may be selected."""
        return [
            f"trigger job {path!r} has failed and started no pipeline, whose jobs are selected as well"
            for path in self.failed_before_start
        ]

    @property
    def lacks(self) -> bool:
        """Return whether something that was asked for by name or stage is not there."""
        return bool(self.missing or self.misplaced or self.missing_stages)


def bad_ends(jobs: t.Iterable[FoundJob]) -> list[FoundJob]:
    """Return the jobs that have ended badly, the first ones first."""
    return sorted((job for job in jobs if has_ended_badly(job.record)), key=lambda job: job.id)


def failed_before(job: FoundJob, failed: t.Iterable[FoundJob]) -> tuple[str, ...]:
    """Return what may be why a job was skipped, each with its stage; empty for a job that was not.

    :param failed: what has ended badly of all jobs, see `bad_ends`; thousands may be skipped because of a few.
    """
    if status_of(job.record) != "skipped":
        return ()
    others = (other for other in failed if other.key[:2] == job.key[:2] and other.stage != job.stage)
    return tuple(f"{other.called} of stage {other.stage}" for other in itertools.islice(others, MOST_NAMES_IN_TEXT))


def place_of(query: JobQuery, selection: Selection) -> str:
    """Return where was looked, with everything by which a person knows the pipeline."""
    if not query.pipeline.is_given:
        return query.pipeline.describe()
    pipeline = selection.pipeline or {}
    is_asked_for = query.pipeline.pipeline_id is not None
    known = [] if is_asked_for or len(pipeline) <= 1 else [f"pipeline {id_of(pipeline)}"]
    known += [*facts(pipeline), *filter(None, [str(pipeline.get("web_url") or "")])]
    return f"the {query.pipeline.describe()}" + (f" ({', '.join(known)})" if known else "")


def lacks_any(query: JobQuery, selection: Selection) -> bool:
    """Return whether something is not there that was asked for, or that has to be there."""
    return selection.lacks or (query.needs_all and bool(selection.failed_before_start))


def what_is_missing(query: JobQuery, selection: Selection) -> str:
    """Return what was asked for and is not there, and what there is instead; empty when everything is there."""
    where = place_of(query, selection)
    if selection.lacks and not selection.known:
        return why_empty(query, selection)
    for stage in selection.missing_stages:
        return f"no job of {where} has stage {stage!r}: {suggestions(selection.stages, stage, what='stages')}"
    for name, stages in selection.misplaced.items():
        wanted = " or ".join(map(repr, query.stages))
        return f"job {name!r} of {where} has stage {shortened(stages)}, and stage {wanted} was asked for"
    for name in selection.missing:
        return f"no job {name!r} in {where}: {suggestions(selection.known, name)}"
    return next(iter(selection.never_started), "") if query.needs_all else ""


def why_empty(query: JobQuery, selection: Selection) -> str:
    """Return why nothing is selected."""
    if query.is_empty:
        return "an empty list of name or stage selects nothing; leave the option out to select every job"
    where = place_of(query, selection)
    if selection.out_of_scope:
        counts = ", ".join(f"{count} {status}" for status, count in sorted(selection.out_of_scope.items()))
        return f"no job of {where} has {query.scope_said}: there are {counts}"
    pipeline = selection.pipeline or {}
    errors = pipeline.get("yaml_errors")
    if errors:
        return f"{where} has no jobs, since its configuration is invalid: {errors}"
    if is_finished(status_of(pipeline)):
        return f"{where} has no jobs; it is {status_of(pipeline)}"
    if selection.known or not query.pipeline.is_given:
        return f"no job of {where} has {query.scope_said}" if query.scope else f"{where} has no such job"
    return f"{where} has no jobs yet"


def out_of_sight(selection: Selection) -> str:
    """Return where there may be more jobs that are selected; empty when there are none."""
    paths = [path for path in selection.unreadable if may_hold(selection.open_names, path)]
    if not paths:
        return ""
    return f"the token cannot read the downstream pipelines of {shortened(paths)}, whose jobs may be selected as well"
