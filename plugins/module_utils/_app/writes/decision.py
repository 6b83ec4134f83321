# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What to do with something in GitLab, and what became of that."""

from __future__ import annotations

import dataclasses
import typing as t

Verdict = t.Literal["act", "same", "refuse", "later"]
ActionOutcome = t.Literal["applied", "unchanged", "refused", "failed"]


@dataclasses.dataclass(frozen=True)
class Decision:
    """What to do, and why, in words for the user."""

    verdict: Verdict
    reason: str = ""
