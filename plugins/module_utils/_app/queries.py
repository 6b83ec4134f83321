# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What a user asks for: which pipeline, and which of its jobs."""

from __future__ import annotations

import typing as t

from .._api.errors import UsageError
from .settings import project_of


class PipelineQuery(t.NamedTuple):
    """Which pipeline to look into; none of the values for a whole project."""

    project: str
    pipeline_id: int | None = None
    ref: str | None = None
    sha: str | None = None
    merge_request: int | None = None

    @classmethod
    def of(cls, options: t.Mapping[str, t.Any]) -> PipelineQuery:
        """Return which pipeline the options of a task ask for.

        :raises UsageError: for a project that GitLab would not find, or an id that is none.
        """
        for name in ("job_id", "pipeline_id", "merge_request"):
            value = options.get(name)
            if value is not None and value <= 0:
                raise UsageError(f"{name} is {value}; ids count from 1")
        for name in ("ref", "sha"):
            if options.get(name) is not None and not str(options[name]).strip():
                raise UsageError(f"{name} is empty; give a value or leave it out")
        return cls(
            project=project_of(options),
            pipeline_id=options.get("pipeline_id"),
            ref=options.get("ref"),
            sha=options.get("sha"),
            merge_request=options.get("merge_request"),
        )

    @property
    def is_given(self) -> bool:
        """Return whether it names a pipeline."""
        return any(value is not None for value in (self.pipeline_id, self.ref, self.sha, self.merge_request))

    @property
    def is_overdetermined(self) -> bool:
        """Return whether it names a pipeline in more than one way; ref and sha together are one."""
        ways = (self.pipeline_id, self.merge_request, self.ref if self.ref is not None else self.sha)
        return sum(way is not None for way in ways) > 1

    def describe(self) -> str:
        """Return what it asks for, as part of a sentence."""
        if self.pipeline_id is not None:
            return f"pipeline {self.pipeline_id} of project {self.project}"
        if self.merge_request is not None:
            return f"pipeline of merge request {self.merge_request} in project {self.project}"
        wanted = [f"{word} {value}" for word, value in (("ref", self.ref), ("commit", self.sha)) if value is not None]
        return f"pipeline of {' and '.join(wanted)} in project {self.project}" if wanted else f"project {self.project}"


class JobQuery(t.NamedTuple):
    """Which jobs to look for.

    :param with_bridges: whether names may stand for trigger jobs, too.
    :param newest_attempt: whether `job_id` stands for the newest attempt of that job.
    :param fields: the only fields of each record that the caller will return; empty for all.
    :param limit: most jobs that the caller will return, 0 for all.
    """

    pipeline: PipelineQuery
    job_id: int | None = None
    names: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    include_downstream: bool = False
    include_retried: bool = False
    with_bridges: bool = False
    newest_attempt: bool = False
    fields: tuple[str, ...] = ()
    limit: int = 0
