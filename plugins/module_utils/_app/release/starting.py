# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The gate that starts the pipeline of its project; the gates after it look into that one."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from ..._api.errors import NotAuthorizedError, NotFoundError
from ..fields import id_of
from ..pipelines.candidates import RunRequest
from ..pipelines.query import describe
from ..pipelines.run import run_pipeline
from ..session import Session
from ..waiting.options import timed_out_text
from ..waiting.schedule import Pause, Steps
from ..writes.roles import refuse_job_token
from .plan import Gate, ReleasePlan
from .run import GateResult

STARTED = "started"
WOULD_START = "would start"
# How often a gate asks whether the gate that starts a pipeline of the same ref is done with it.
TURN_SECONDS = 0.5


@dataclasses.dataclass
class _Ref:
    """What a release has started of one ref.

    :param turn: of the gate that looks for a pipeline and starts it; held until the new pipeline is known.
    :param started: how each pipeline was started, by its id.
    :param predicted: what check mode has said would be started.
    """

    turn: threading.Lock = dataclasses.field(default_factory=threading.Lock)
    started: dict[int, RunRequest] = dataclasses.field(default_factory=dict)
    predicted: list[RunRequest] = dataclasses.field(default_factory=list)


class PipelineStarter:
    """Starts the pipelines of a release: those of one ref one after the other.

    So gates that ask for the same pipeline side by side make one, which the first starts and the others find.

    :param plan: tells which refs are those of projects that are named by their paths.
    """

    def __init__(self, plan: ReleasePlan) -> None:
        self._refs: dict[tuple[str, str], _Ref] = {}
        starts = [gate.start for project in plan.projects for gate in project.gates if gate.start]
        self._refs_by_path = {start.ref for start in starts if not start.project.isdigit()}

    def start(self, session: Session, gate: Gate, request: RunRequest) -> Steps[GateResult]:
        """Return what became of starting the pipeline of a project.

        :raises StoppedError: when nothing new may be begun any more.
        :raises GitLabError: when GitLab refuses, or cannot be asked.
        """
        refuse_job_token(session, gate.action)
        ref = self._refs.setdefault((self._project(session, request), request.ref), _Ref())
        while not ref.turn.acquire(blocking=False):
            session.check_stop()
            if session.deadline.has_passed():
                reason = f"{timed_out_text(gate.waiting)}: another gate still starts a pipeline of {request.ref}"
                return GateResult(gate, outcome="timed out", reason=reason, has_timed_out=True)
            # no request comes of it, so that it takes no turn
            yield Pause(TURN_SECONDS, session.deadline, is_urgent=True)
        try:
            return _start(session, gate, request, ref)
        finally:
            ref.turn.release()

    def _project(self, session: Session, request: RunRequest) -> str:
        """Return the path of the project, or its id if nobody gives the path of a project with such a ref."""
        project = request.project
        if project.isdigit() and request.ref in self._refs_by_path:
            try:
                project = str(session.client.call("get_project", project=project).get("path_with_namespace") or project)
            except (NotAuthorizedError, NotFoundError):
                pass  # starting a pipeline tells what to do about it
        # paths are the same in any case
        return project.lower()


def _start(session: Session, gate: Gate, request: RunRequest, ref: _Ref) -> GateResult:
    result = run_pipeline(session, request, ref.started)
    if result.has_changed and result.pipeline:
        ref.started[id_of(result.pipeline)] = request
    reason = result.problem or (describe(result.pipeline) if result.pipeline else "")
    has_changed = result.has_changed
    if result.problem:
        outcome = "failed"
    elif not result.has_changed:
        outcome = "already done"
    elif not session.check_mode:
        outcome = STARTED
    else:
        outcome = WOULD_START
        if request.reuse != "never" and any(map(request.is_like, ref.predicted)):
            has_changed, reason = False, "another gate would start it"
        ref.predicted.append(request)
    return GateResult(gate, outcome=outcome, reason=reason, has_changed=has_changed, pipeline=result.pipeline)


def is_to_be_started(gates: t.Iterable[GateResult]) -> bool:
    """Return whether check mode cannot look at the pipeline, because a gate of the project would start it."""
    return any(gate.outcome == WOULD_START for gate in gates)
