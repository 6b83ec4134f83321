# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The actions on jobs: one row for each action, and the decision that it makes about a job."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import StatusError
from ..fields import status_of
from ..jobs.query import listed
from ..jobs.statuses import STATUSES, Column, Phase, unknown_status
from ..writes.decision import Decision
from . import decisions
from .decisions import ActionRequest, Cells, act, later, refuse, same


@dataclasses.dataclass(frozen=True)
class Advice:
    """What a user can do if GitLab answers the action with this status and these words."""

    status: int
    text: str
    words: str


Arguments = t.Callable[[ActionRequest, str], t.Mapping[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class Action:
    """Everything that is known about one action.

    :param endpoint: its row in the catalogue of endpoints.
    :param participle: what is done to the job: "played", as in "cannot be played" and "would be played".
    :param verb: the verb in "would play"; empty if it is the name.
    :param subject: what is played in these sentences, with `{job}` for the job.
    :param cells: for every column of statuses, whether to act, to leave the job alone, or to refuse.
    :param effect: whether a job shows that the action was executed, compared with an earlier record of the job.
    :param advice: what to do about errors that have no general advice; the first row that fits is used.
    :param forbidden: the usual reasons for a 403 that gives none, in addition to a role that is too low.
    :param forbidden_with: further usual reasons, each by the option that must be set.
    :param answer: what a successful answer shows: the effect, possibly the old job (which is then read again), or
        nothing, because not every server shows the effect: then the answer itself is the proof.
    :param no_effect: what it means if a job does not show the effect of an accepted request.
    :param refused_as_done: words of a refusal that mean that a finished job needs no action, and the reason to report.
    :param status_after: the status that check mode predicts; empty if the action does not change it.
    :param renews: the phases in which GitLab creates a new job instead of changing the old one; empty if the action
        starts no job. The user who starts a job becomes the user of the job.
    :param is_followed: whether the job still has to run or stop after GitLab has answered, so that `wait` applies.
    :param accepts_any_end: whether every end of the followed job is a success of the action.
    :param is_lost_by_archiving: whether GitLab refuses the action for archived jobs.
    :param role: the lowest role that can act on every job.
    :param needs_approval: whether GitLab requires that the deployment of the job, if it has one, is approved.
    :param trigger_job: why a trigger job is refused, empty if it is not; None if GitLab has no such request.
    :param trigger_jobs_since: the first GitLab version that accepts trigger jobs; older servers answer 404.
    :param options: the options of the task that apply to this action.
    :param needs: for options that have no effect alone, the option that each requires.
    :param arguments: what is sent in addition to project and id.
    :param gate: when a gate of a release acts: at once, or only after a failure of its jobs; empty if no gate has it.
    """

    name: str
    endpoint: str
    participle: str
    cells: Cells
    effect: decisions.Effect
    advice: tuple[Advice, ...] = ()
    forbidden: tuple[str, ...] = ()
    forbidden_with: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    subject: str = "{job}"
    verb: str = ""
    answer: t.Literal["effect", "old job", "proof"] = "effect"
    no_effect: decisions.NoEffect = decisions.not_done
    refused_as_done: tuple[str, str] | None = None
    status_after: str = ""
    renews: tuple[Phase, ...] = ()
    is_followed: bool = False
    accepts_any_end: bool = False
    is_lost_by_archiving: bool = False
    role: str = "Developer"
    needs_approval: bool = False
    trigger_job: t.Callable[[Record, ActionRequest], str] | None = None
    trigger_jobs_since: str = ""
    options: tuple[str, ...] = ()
    needs: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    arguments: Arguments = lambda request, status: {}
    gate: t.Literal["", "at once", "after failure"] = ""

    @property
    def supported_options(self) -> tuple[str, ...]:
        """Return the options of the task that apply to this action, but not to all actions."""
        return (*self.options, *(("log_follow",) if self.is_followed else ()))

    def cannot(self, job: str) -> str:
        """Return the beginning of a sentence that refuses the action on a job."""
        return f"{self.subject.format(job=job)} cannot be {self.participle}"

    def would(self, jobs: str) -> str:
        """Return what check mode reports about jobs that the action would change."""
        return f"would {self.verb or self.name} {self.subject.format(job=jobs)}"

    def usual_reasons(self, request: ActionRequest) -> list[str]:
        """Return the usual reasons for a 403 that gives none."""
        return [*self.forbidden, *(self.forbidden_with[name] for name in request.given if name in self.forbidden_with)]

    def advise(self, exc: StatusError) -> None:
        """Add advice to an error that has none."""
        text = exc.server_text.lower()
        fitting = (row.text for row in self.advice if row.status == exc.status and row.words in text)
        exc.advice = exc.advice or next(fitting, "")


# Reasons that make GitLab refuse every action except deletion, even if the role of the user is sufficient.
_USUAL_REFUSALS = (
    "the ref or the environment of the job is protected and the user of the token has no access to it",
    "the deployment is outdated",
    "the job is archived",
)

_UNFINISHED: tuple[Column, ...] = ("created", "blocked", "active", "canceling")
_FINISHED: tuple[Column, ...] = ("success", "ended", "skipped")
_NOT_FINISHED = refuse("its status is {status}; only finished jobs can be erased, so wait for it or cancel it first")
_NOT_KEPT = refuse("its status is {status}; only artifacts of finished jobs can be kept")
_IS_SO_ALREADY = same("it is already {status}")

_ROWS = (
    Action(
        name="play",
        endpoint="play_job",
        participle="played",
        cells={
            "created": later(
                "earlier jobs have not finished yet",
                "its status is created: earlier jobs have not finished yet; use wait to play it when they have",
            ),
            "blocked": act(),
            "active": _IS_SO_ALREADY,
            "canceling": refuse("it is being canceled; retry it once it is canceled"),
            "success": decisions.play_success,
            "ended": decisions.play_ended,
            "skipped": decisions.skipped("play"),
        },
        effect=decisions.is_played,
        # before 18.7, GitLab answers with the old job even if it has created a new one
        answer="old job",
        status_after="pending",
        renews=("finished",),
        is_followed=True,
        is_lost_by_archiving=True,
        needs_approval=True,
        trigger_job=decisions.play_of_trigger_job,
        trigger_jobs_since="13.10",
        options=("job_variables", "job_inputs", "replay", "retry_on", "max_attempts", "wait_for_approval"),
        needs={"retry_on": "max_attempts"},
        arguments=lambda request, status: {
            "job_variables": list(request.variables) or None,
            "job_inputs": request.inputs or None,
        },
        gate="at once",
        advice=(
            Advice(
                400,
                "The job is not manual, is already active, or waits for the approval of its deployment; to run a "
                "finished job that is not manual again, use action retry",
                words="unplay",
            ),
        ),
        forbidden=_USUAL_REFUSALS,
        forbidden_with={
            "job_variables": "the project does not let the user set job_variables (minimum role to use pipeline "
            "variables)"
        },
    ),
    Action(
        name="retry",
        endpoint="retry_job",
        participle="retried",
        cells={
            "created": refuse("its status is created: it never ran; use action play with wait"),
            "blocked": refuse("its status is {status}: it never ran; use action play"),
            "active": _IS_SO_ALREADY,
            "canceling": decisions.retry_canceling,
            "success": decisions.retry_success,
            "ended": decisions.retry_ended,
            "skipped": decisions.skipped("retry"),
        },
        effect=decisions.is_retried,
        status_after="pending",
        renews=("ending", "finished"),
        is_followed=True,
        is_lost_by_archiving=True,
        needs_approval=True,
        trigger_job=decisions.retry_of_trigger_job,
        trigger_jobs_since="17.0",
        options=("job_inputs", "retry_on", "max_attempts", "force"),
        arguments=lambda request, status: {"job_inputs": request.inputs or None},
        gate="after failure",
        advice=(
            Advice(
                403, "The job cannot be retried: it never ran, is still running, or was superseded", "not retryable"
            ),
        ),
        forbidden=_USUAL_REFUSALS,
    ),
    Action(
        name="cancel",
        endpoint="cancel_job",
        participle="canceled",
        cells={
            "created": act(),
            "blocked": act(),
            "active": act(),
            "canceling": decisions.cancel_canceling,
            "success": same("it has already finished with status {status}"),
            "ended": same("it has already finished with status {status}"),
            "skipped": same("it was skipped"),
        },
        effect=decisions.is_canceled,
        no_effect=decisions.not_canceled,
        status_after="canceled",
        is_followed=True,
        accepts_any_end=True,
        options=("force",),
        # GitLab does not cancel a running job if force is sent
        arguments=lambda request, status: {"force": True} if request.force and status == "canceling" else {},
        forbidden=_USUAL_REFUSALS,
    ),
    Action(
        name="erase",
        endpoint="erase_job",
        participle="erased",
        cells={**dict.fromkeys(_UNFINISHED, _NOT_FINISHED), **dict.fromkeys(_FINISHED, decisions.erase)},
        effect=decisions.is_erased,
        # servers before 15.9 do not return erased_at
        answer="proof",
        refused_as_done=("not erasable", "there is nothing to erase"),
        advice=(Advice(403, "Only a finished job that still has a log or artifacts can be erased", "not erasable"),),
        forbidden=(
            *_USUAL_REFUSALS,
            "another user started the job, so only a Maintainer can erase it",
        ),
    ),
    Action(
        name="keep_artifacts",
        endpoint="keep_artifacts",
        participle="kept",
        verb="keep",
        subject="the artifacts of {job}",
        cells={
            **dict.fromkeys(_UNFINISHED, _NOT_KEPT),
            "success": decisions.keep,
            "ended": decisions.keep,
            "skipped": refuse("it was skipped, so it has no artifacts"),
        },
        effect=decisions.is_kept,
        answer="proof",
        is_lost_by_archiving=True,
        forbidden=_USUAL_REFUSALS,
    ),
    Action(
        name="delete_artifacts",
        endpoint="delete_artifacts",
        participle="deleted",
        verb="delete",
        subject="the artifacts of {job}",
        cells=dict.fromkeys((*_UNFINISHED, *_FINISHED), decisions.delete_artifacts),
        effect=decisions.has_other_artifacts,
        answer="proof",
        role="Maintainer",
        options=("whole_project",),
    ),
)
ACTIONS: dict[str, Action] = {row.name: row for row in _ROWS}


def decide(job: Record, request: ActionRequest) -> Decision:
    """Return what an action does with the newest attempt of a job."""
    action = ACTIONS[request.action]
    if request.is_bridge:
        never = f"{action.cannot('trigger jobs')} through GitLab's API; act on the jobs of the downstream pipeline"
        refusal = action.trigger_job(job, request) if action.trigger_job else never
        if refusal:
            return Decision("refuse", refusal)
    status = STATUSES.get(status_of(job))
    if status is None:
        return Decision("refuse", f"{unknown_status(status_of(job))}; nothing was done")
    decision = action.cells[status.column](status.name, job, request)
    if decision.verdict in ("act", "later") and job.get("archived") is True and action.is_lost_by_archiving:
        participles = listed([row.participle for row in ACTIONS.values() if row.is_lost_by_archiving], "or")
        return Decision("refuse", f"archived jobs cannot be {participles}; start a new pipeline")
    if decision.verdict == "same" and request.given:
        given = listed(request.given, "and")
        return Decision("same", f"{decision.reason}; {given} are only used when this task starts the job")
    return decision
