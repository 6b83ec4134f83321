# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Which pipeline to start: what a user asks for."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from .query import is_sha

REUSES = ("never", "active", "success")
REF_PREFIXES = {"branch": "refs/heads/", "tag": "refs/tags/"}


@dataclasses.dataclass(frozen=True)
class RunRequest:
    """Which pipeline to start.

    :param ref: name of a branch or tag, without `refs/heads/` or `refs/tags/`.
    :param sha: the commit where the ref has to be, whole or its first digits; None for any.
    :param trigger_token: starts it in the name of its owner; empty to start it as the user of the session's token.
    :param reuse: which pipeline counts as the one asked for: `never` any, an `active` one, or also one that is a
        `success`.
    """

    project: str
    ref: str
    ref_type: str = "any"
    sha: str | None = None
    variables: tuple[Record, ...] = ()
    inputs: t.Mapping[str, t.Any] | None = None
    trigger_token: str = ""
    reuse: str = "active"

    @property
    def variables_by_name(self) -> dict[str, str]:
        return {str(variable["key"]): str(variable["value"]) for variable in self.variables}

    def is_like(self, other: RunRequest) -> bool:
        """Return whether another request for a pipeline of the same ref asks for the same variables and inputs."""
        return self.variables_by_name == other.variables_by_name and (self.inputs or {}) == (other.inputs or {})

    @property
    def full_ref(self) -> str:
        """Return the ref as GitLab cannot mistake it, where it is said what it is."""
        return REF_PREFIXES.get(self.ref_type, "") + self.ref

    @property
    def missing_ref(self) -> str:
        """Return what is wrong when there is no such ref."""
        kind = "branch or tag" if self.ref_type == "any" else self.ref_type
        text = f"there is no {kind} {self.ref!r} in project {self.project}"
        return f"{text}; a commit is no ref" if is_sha(self.ref) else text

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the sources that the pipeline may have."""
        # that of a job token is pipeline
        return ("trigger", "pipeline") if self.trigger_token else ("api",)
