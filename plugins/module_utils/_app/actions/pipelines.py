# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Retrying and canceling a pipeline: one row for each action, its decision, and one write.

Neither answer shows the effect: GitLab returns the pipeline as it was before. So the jobs are read before and after.
This also distinguishes a lost answer from a lost request. A second request does no harm: retried jobs have a newer
attempt, and canceled jobs have ended.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import BadAnswerError, RequestError, StatusError
from ..fields import id_of, status_of, users_of
from ..jobs.reasons import REJECTED
from ..jobs.statuses import STATUSES, Column, is_active, is_retryable, phase_of, unknown_status
from ..session import Session
from ..waiting.pipeline_end import PipelineState, read_state
from ..writes.decision import Decision, Result, Verdict, is_lock
from ..writes.roles import explain_forbidden, why_forbidden
from ..writes.sending import Reads, Write

PipelineCell = t.Callable[[PipelineState], Decision]
# The phases of jobs that GitLab cancels with their pipeline; it does not cancel manual jobs.
_CANCELED_PHASES = ("waiting", "queued", "running")
_FORBIDDEN = ("the ref of the pipeline is protected and the user of the token has no access to it",)


@dataclasses.dataclass(frozen=True)
class PipelineAction:
    """Everything that is known about one action on pipelines.

    :param endpoint: its row in the catalogue of endpoints.
    :param participle: what is done to the pipeline: "retried", as in "cannot be retried".
    :param cells: for every column of statuses, what to do with a pipeline.
    :param effect: whether a pipeline shows that the action was executed, compared with an earlier read.
    :param status_after: the status that check mode predicts.
    :param targets: the allowed values of `wait_for`, the default first.
    :param leaves_jobs_out: whether the action has left some jobs out, so the effect has another cause.
        Jobs that GitLab does not retry because the user lacks the permission do not count.
    :param actors: the ids of the users who have caused the effect, if the pipeline shows them.
    :param accepts_any_end: whether every end of the pipeline is a success of the action.
    :param concerns_trigger_jobs: whether GitLab acts on trigger jobs as well.
    """

    name: str
    endpoint: str
    participle: str
    cells: t.Mapping[Column, PipelineCell]
    effect: t.Callable[[PipelineState, PipelineState], bool]
    status_after: str
    targets: tuple[str, ...]
    leaves_jobs_out: t.Callable[[PipelineState, PipelineState], bool] = lambda before, after: False
    actors: t.Callable[[PipelineState, PipelineState], set[int]] = lambda before, after: set()
    accepts_any_end: bool = False
    concerns_trigger_jobs: bool = False


def _always(verdict: Verdict, reason: str = "") -> PipelineCell:
    return lambda state: Decision(verdict, reason.format(status=state.status))


def _retry_ended(state: PipelineState) -> Decision:
    if state.pipeline.get("yaml_errors"):
        return Decision("refuse", f"it never started: {state.pipeline['yaml_errors']}. Fix that and start a new one")
    ended = [job for job in state.jobs if is_retryable(job.status)]
    if any(job.record.get("failure_reason") != REJECTED and job.record.get("archived") is not True for job in ended):
        return Decision("act")
    if any(is_active(job.status) for job in state.jobs):
        # the jobs were read after the pipeline
        return Decision("same", "its jobs are already active")
    if ended:
        return Decision(
            "refuse",
            f"its status is {state.status}, but its jobs are archived or their deployments were rejected, so GitLab "
            "does not retry them; start a new pipeline",
        )
    return Decision(
        "refuse",
        f"its status is {state.status}, but none of its jobs failed or was canceled; GitLab does not retry trigger "
        "jobs with their pipeline: use gitlab_job_action",
    )


def _cancel_blocked(state: PipelineState) -> Decision:
    if state.status == "scheduled" or any(map(_is_cancelable, state.attempts)):
        return Decision("act")
    return Decision(
        "same", "only manual jobs are left, which GitLab does not cancel with their pipeline: use gitlab_job_action"
    )


def _new_attempts(before: PipelineState, after: PipelineState) -> list[Record]:
    newest = max((job.id for job in before.jobs), default=0)
    return [job for job in after.attempts if id_of(job) > newest]


def _is_canceled(before: PipelineState, after: PipelineState) -> bool:
    """Return whether a job or the pipeline was canceled, or is being canceled."""
    is_new = after.status != before.status and after.status in ("canceled", "canceling")
    return is_new or any(status_of(job) in ("canceled", "canceling") for job in _wanted(before, after))


def _leaves_cancelable(before: PipelineState, after: PipelineState) -> bool:
    return any(map(_is_cancelable, _wanted(before, after)))


def _wanted(before: PipelineState, after: PipelineState) -> list[Record]:
    """Return the present records of the jobs that were to be canceled, even if they were retried since."""
    cancelable = set(map(id_of, filter(_is_cancelable, before.attempts)))
    return [job for job in after.attempts if id_of(job) in cancelable]


def _is_cancelable(job: Record) -> bool:
    status = status_of(job)
    return status == "scheduled" or phase_of(status) in _CANCELED_PHASES


_ROWS = (
    PipelineAction(
        name="retry",
        endpoint="retry_pipeline",
        participle="retried",
        cells={
            "created": _always("same", "it has not started yet"),
            "blocked": _always("same", "its status is {status}, so it has not finished yet"),
            "active": _always("same", "it is already {status}"),
            "canceling": _always(
                "later", "it is being canceled; use wait to retry it once it is canceled, or try again later"
            ),
            "success": _always("same", "it has already succeeded"),
            "ended": _retry_ended,
            "skipped": _always("refuse", "it was skipped and none of its jobs ran; start a new pipeline"),
        },
        effect=lambda before, after: bool(_new_attempts(before, after)),
        actors=lambda before, after: users_of(_new_attempts(before, after)),
        status_after="running",
        targets=("success", "finished", "manual"),
    ),
    PipelineAction(
        name="cancel",
        endpoint="cancel_pipeline",
        participle="canceled",
        cells={
            "created": _always("act"),
            "blocked": _cancel_blocked,
            "active": _always("act"),
            "canceling": _always("same", "it is already being canceled"),
            "success": _always("same", "it has already finished with status {status}"),
            "ended": _always("same", "it has already finished with status {status}"),
            "skipped": _always("same", "it was skipped"),
        },
        effect=_is_canceled,
        leaves_jobs_out=_leaves_cancelable,
        status_after="canceled",
        targets=("finished", "manual"),
        accepts_any_end=True,
        concerns_trigger_jobs=True,
    ),
)
PIPELINE_ACTIONS: dict[str, PipelineAction] = {row.name: row for row in _ROWS}


def decide_pipeline(action: PipelineAction, state: PipelineState) -> Decision:
    row = STATUSES.get(state.status)
    if row is None:
        return Decision("refuse", f"{unknown_status(state.status)}; nothing was done")
    return action.cells[row.column](state)


def act_on_pipeline(
    session: Session, action: PipelineAction, project: str, state: PipelineState, *, waits: bool = False
) -> Result[PipelineState]:
    """Return the result of an action on a pipeline that is ready for it.

    :param waits: whether the task has waited until the pipeline was ready; in check mode, whether it would wait.
    """
    result = _PipelineWrite(session, action, project, state, waits=waits).run()
    if not result.problem:
        return result
    reason = f"pipeline {id_of(state.pipeline)} cannot be {action.participle}: {result.reason}"
    return dataclasses.replace(result, reason=reason)


class _PipelineWrite(Write[PipelineState]):
    noun = "pipeline"

    def __init__(
        self, session: Session, action: PipelineAction, project: str, state: PipelineState, *, waits: bool
    ) -> None:
        super().__init__(session, state)
        self._action = action
        self._project = project
        self._waits = waits
        # if the request is sent again, the first one may have had an effect
        self._first = state

    def _request(self) -> None:
        self._session.client.call(
            self._action.endpoint, project=self._project, pipeline_id=id_of(self._before.pipeline)
        )

    def _read(self, targets: t.Sequence[PipelineState]) -> list[PipelineState]:
        with_trigger_jobs = self._action.concerns_trigger_jobs
        state = read_state(
            self._session, self._project, id_of(self._before.pipeline), with_trigger_jobs=with_trigger_jobs
        )
        if self._before.jobs and not state.jobs:
            raise BadAnswerError(f"GitLab lists no jobs of pipeline {id_of(state.pipeline)}, which had jobs before")
        return [state]

    def _decide(self, latest: PipelineState) -> Decision:
        decision = decide_pipeline(self._action, latest)
        if decision.verdict != "later":
            return decision
        return Decision("act" if self._waits and self._session.check_mode else "refuse", decision.reason)

    def _predicted(self) -> Result[PipelineState]:
        state = self._before
        after = PipelineState({**state.pipeline, "status": self._action.status_after}, state.jobs)
        note = f"would {self._action.name} pipeline {id_of(state.pipeline)}"
        return Result("applied", after, note, has_changed=True)

    def _result_by_effect(self, exc: RequestError, latest: PipelineState) -> Result[PipelineState] | None:
        action, before = self._action, self._first
        may_be_done = self._is_in_doubt or is_lock(exc)
        if may_be_done and action.effect(before, latest) and not action.leaves_jobs_out(before, latest):
            return self._effective(latest, "GitLab did not confirm it, but the pipeline shows the effect")
        return None

    def _accepted(self, answer: None) -> Reads[PipelineState, Result[PipelineState]]:
        """Return the result after reading the pipeline: GitLab also accepts requests that have no effect."""
        problem = ""
        try:
            yield from self._read_until(lambda state: self._action.effect(self._first, state))
        except RequestError as exc:
            problem = f"done, but reading the pipeline again failed: {exc}"
        after = self._latest
        if self._action.effect(self._first, after):
            return self._effective(after)
        decision = self._decide(after)
        if decision.verdict == "same":
            # it has ended, or stopped at a manual job, since it was read
            return Result("unchanged", after, decision.reason)
        if problem:
            return Result("applied", after, problem, has_changed=True)
        statuses = map(status_of, (after.pipeline, *after.attempts))
        unknown = next((status for status in statuses if phase_of(status) is None), None)
        if unknown is not None:
            return self._failed(
                "GitLab accepted the request, but the pipeline or one of its jobs has the status "
                f"{unknown!r}, which this collection does not know; the outcome is unknown"
            )
        return self._failed(
            f"GitLab accepted the request, but none of its jobs was {self._action.participle}; its status is "
            f"{after.status}. Check that the user of the token may act on these jobs"
        )

    def _effective(self, after: PipelineState, note: str = "") -> Result[PipelineState]:
        """Return the result for a pipeline that shows the effect, which another user may have caused."""
        is_others = self._is_ours(self._action.actors(self._first, after)) is False
        note = f"another user has {self._action.participle} it since" if is_others else note
        return Result("unchanged" if is_others else "applied", after, note, has_changed=not is_others)

    def _explained(self, exc: RequestError) -> str:
        if isinstance(exc, StatusError):
            explain_forbidden(exc, lambda: why_forbidden(self._session, self._project, _FORBIDDEN))
        return str(exc)
