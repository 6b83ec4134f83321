# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The gate that starts the pipeline of its project; the gates after it look into that one."""

from __future__ import annotations

import typing as t

from ..actions.act import refuse_job_token
from ..actions.candidates import RunRequest
from ..actions.run_pipeline import run_pipeline
from ..pipelines.query import describe
from ..session import Session
from .plan import Gate
from .run import GateResult

STARTED = "started"
WOULD_START = "would start"


def start_pipeline(session: Session, gate: Gate, request: RunRequest) -> GateResult:
    """Return what became of starting the pipeline of a project.

    :raises StoppedError: when nothing new may be begun any more.
    :raises GitLabError: when GitLab refuses, or cannot be asked.
    """
    refuse_job_token(session, gate.action)
    result = run_pipeline(session, request)
    reason = result.problem or (describe(result.pipeline) if result.pipeline else "")
    if result.problem:
        outcome = "failed"
    elif not result.has_changed:
        outcome = "already done"
    else:
        outcome = WOULD_START if session.check_mode else STARTED
    return GateResult(gate, outcome=outcome, reason=reason, has_changed=result.has_changed, pipeline=result.pipeline)


def is_to_be_started(gates: t.Iterable[GateResult]) -> bool:
    """Return whether check mode cannot look at the pipeline, because a gate of the project would start it."""
    return any(gate.outcome == WOULD_START for gate in gates)
