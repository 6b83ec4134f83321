# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The decision table behind the hook that extensions use; the table itself is loaded by those who act."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .decisions import Decision, Decisions
    from .statuses import Record


class BuiltinDecisions:
    """The decision table, registered through the hook that extensions use."""

    def gitlab_decide_job_action(self, action: str, job: Record, decisions: Decisions) -> Decision:
        """Return what the table says."""
        return decisions.built_in
