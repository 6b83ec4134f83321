# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Which of the jobs that there are a query selects: names are matched first, then stage and scope choose."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import SelectionError
from .bridges import Ahead
from .query import FoundJob, JobQuery, fits, match_name, matching_stages, may_hold, shortened
from .selection import Selection
from .statuses import count_statuses


class Chooser:
    """Chooses the jobs of a query, again and again."""

    def __init__(self, query: JobQuery) -> None:
        self._query = query
        # a job once chosen stays chosen, whatever its status becomes while it is waited for
        self._chosen: set[t.Any] = set()

    def of_project(self, jobs: t.Iterable[FoundJob]) -> Selection:
        """Return what fits of the jobs of a project, newest first, reading no further than necessary."""
        query = self._query
        newest: set[t.Any] = set()
        kept: list[FoundJob] = []
        known: set[str] = set()
        names, whole = query.single_names, query.whole_name
        unmatched = set(names)
        for found in jobs:
            if found.key in newest and not query.include_retried:
                continue
            newest.add(found.key)
            if names:
                known.add(found.path)
                if whole and found.name == whole:
                    names, unmatched = (whole,), {whole}
                matched = {name for name in names if match_name([found], name)}
                unmatched -= matched
                if not matched:
                    continue
            has_stage = not query.stages or any(fits(found.stage, stage) for stage in query.stages)
            if has_stage and query.is_in_scope(found.record):
                kept.append(found)
            if query.limit and len(kept) > query.limit and not unmatched:
                break
        return Selection(
            {name: tuple(job for job in kept if match_name([job], name)) for name in names} or {"": tuple(kept)},
            # a job that is there, and of another stage, is not missing
            missing=tuple(name for name in names if name in unmatched),
            known=frozenset(known),
        )

    def of_pipeline(
        self,
        jobs: t.Sequence[FoundJob],
        *,
        pipeline: Record,
        is_complete: bool,
        ahead: Ahead,
        unreadable: tuple[str, ...],
    ) -> Selection:
        """Return the selection: names are matched among all jobs, then stage, then scope choose among these."""
        query = self._query
        stages = frozenset(job.stage for job in jobs)
        per_stage = {entry: matching_stages(stages, entry) for entry in query.stages}
        wanted = frozenset().union(*per_stage.values()) if per_stage else stages
        if query.names:
            named = {name: match_name(jobs, name) for name in self.names(jobs)}
        else:
            named = {"": [job for job in jobs if not job.is_bridge or query.all_bridges]}
        placed = {name: [job for job in found if job.stage in wanted] for name, found in named.items()}
        groups = {
            name: tuple(job for job in found if query.is_in_scope(job.record) or job.key in self._chosen)
            for name, found in placed.items()
        }
        selected = [job for group in groups.values() for job in group]
        self._chosen.update(job.key for job in selected)
        paths = {job.path for job in selected}
        missing_stages = tuple(entry for entry, found in per_stage.items() if not found)
        # what is called so itself, or by its path, is what a name means, whatever else there may be
        open_names = tuple(name for name, found in named.items() if all(job.path != name for job in found))
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
            and not _may_grow(named, open_names, missing_stages, ahead),
            failed_before_start=tuple(
                path for path in ahead.failed if path not in paths and may_hold(open_names, path)
            ),
            known=frozenset(job.path for job in jobs),
            out_of_scope={} if selected else count_statuses(job.record for found in placed.values() for job in found),
            beside=tuple(jobs),
            unreadable=unreadable,
        )

    def names(self, jobs: t.Sequence[FoundJob]) -> tuple[str, ...]:
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


def _may_grow(
    named: t.Mapping[str, t.Sequence[FoundJob]],
    open_names: t.Collection[str],
    missing_stages: t.Collection[str],
    ahead: Ahead,
) -> bool:
    """Return whether a pipeline that is still to be started may hold what was asked for.

    Nobody has to play an optional trigger job, so it holds up only what is not there at all.
    """
    if missing_stages:
        return bool(ahead.coming)
    missing = [name for name in open_names if not named[name]]
    found = [name for name in open_names if named[name]]
    soon = [path for path in ahead.coming if path not in ahead.optional]
    return any(may_hold(missing, path) for path in ahead.coming) or any(may_hold(found, path) for path in soon)
