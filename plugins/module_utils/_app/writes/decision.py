# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What is asked of an action, what to do with something in GitLab, and what became of that."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record

Verdict = t.Literal["act", "same", "refuse", "later"]
ActionOutcome = t.Literal["applied", "unchanged", "refused", "failed"]


@dataclasses.dataclass(frozen=True)
class Decision:
    """What to do, and why, in words for the user."""

    verdict: Verdict
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class ActionRequest:
    """What a user asked for: the action, and the options that it takes."""

    action: str
    multiple: str = "error"
    variables: tuple[Record, ...] = ()
    inputs: t.Mapping[str, t.Any] | None = None
    replay: str = "never"
    force: bool = False
    retry_on: tuple[str, ...] = ()
    max_attempts: int | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """Return the options that hold values for the job."""
        values = {"job_variables": self.variables, "job_inputs": self.inputs}
        return tuple(name for name, value in values.items() if value)
