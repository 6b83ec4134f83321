# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""An index of jobs that finds hundreds of names among thousands of jobs."""

from __future__ import annotations

import functools
import typing as t

from ..._api.decoding import Record
from .query import FoundJob, fitting, has_wildcard
from .statuses import is_blocking_failure

# the prefix of names that match at any depth
ANYWHERE = "**/"


class JobIndex:
    """Jobs in their order, shared by all readers of the same list.

    :param pipeline: the pipeline from the records of the jobs; None if they do not contain it.
    """

    def __init__(self, jobs: t.Iterable[FoundJob] = (), pipeline: Record | None = None) -> None:
        self.jobs: t.Sequence[FoundJob] = tuple(jobs)
        self.pipeline = pipeline
        self.by_path: t.Mapping[str, t.Sequence[FoundJob]] = _grouped(self.jobs, lambda job: job.path)
        self._called: dict[str, t.Sequence[FoundJob]] = {}

    @functools.cached_property
    def by_name(self) -> t.Mapping[str, t.Sequence[FoundJob]]:
        """Return the jobs by name; without downstream jobs, names and paths are the same."""
        is_path = all(job.name == job.path for job in self.jobs)
        return self.by_path if is_path else _grouped(self.jobs, lambda job: job.name)

    @functools.cached_property
    def stages(self) -> frozenset[str]:
        return frozenset(job.stage for job in self.jobs)

    @functools.cached_property
    def blocking_failures(self) -> t.Sequence[FoundJob]:
        """Return the jobs that failed or were canceled without `allow_failure`, oldest first."""
        return sorted((job for job in self.jobs if is_blocking_failure(job.record)), key=lambda job: job.id)

    def joined(self, others: t.Sequence[FoundJob]) -> JobIndex:
        """Return an index of these jobs, followed by others."""
        return JobIndex([*self.jobs, *others], self.pipeline) if others else self

    def called(self, name: str) -> t.Sequence[FoundJob]:
        """Return the jobs that a name matches.

        A bare name matches the job of the pipeline itself, or, if it has none, the jobs of downstream pipelines.
        `linux/amd64` matches the job of that name if there is one, else job `amd64` below trigger job `linux`.
        `**/deploy` matches all jobs of that name, at any depth. Otherwise, `*` and `?` are wildcards.
        """
        if name not in self._called:
            self._called[name] = self._find(name)
        return self._called[name]

    def _find(self, name: str) -> t.Sequence[FoundJob]:
        paths = self.by_path.get(name, ())
        exact = [job for job in paths if job.name == name] or paths or self.by_name.get(name, ())
        if exact or not has_wildcard(name):
            return exact
        if name.startswith(ANYWHERE):
            texts = fitting(self._texts, name[len(ANYWHERE) :])
            anywhere = [job for job in self.jobs if job.name in texts]
            if anywhere:
                return anywhere
        texts = fitting(self._texts, name)
        return [job for job in self.jobs if job.name in texts or job.path in texts]

    @functools.cached_property
    def _texts(self) -> t.Sequence[str]:
        return sorted({*self.by_name, *self.by_path})


def _grouped(jobs: t.Iterable[FoundJob], key: t.Callable[[FoundJob], str]) -> dict[str, list[FoundJob]]:
    groups: dict[str, list[FoundJob]] = {}
    for job in jobs:
        groups.setdefault(key(job), []).append(job)
    return groups
