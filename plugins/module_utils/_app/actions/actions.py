# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The actions on jobs: one row per action, with all that is known of it, and the decision that a row makes."""

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
    """What a user can do when GitLab answers the action with this status, and with these words."""

    status: int
    text: str
    words: str


Arguments = t.Callable[[ActionRequest, str], t.Mapping[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class Action:
    """All that is known of one action.

    :param endpoint: its row in the catalogue of endpoints.
    :param participle: what is done to the job: "played", as in "cannot be played" and "would be played".
    :param verb: the same as in "would play"; empty when it is the name.
    :param subject: of what the participle is said, with `{job}` for the job.
    :param cells: for every column of statuses, whether to act, to leave the job alone, or to refuse.
    :param effect: whether a job shows that the action was executed since it was read before.
    :param advice: what to do about errors, where the general advice has nothing; the first that fits.
    :param forbidden: the usual reasons of a 403 without one, besides a role that is too low.
    :param answer: what a successful answer shows: the effect, or perhaps the old job, which is then read again; or
        whether the answer alone is proof, since not every server shows the effect.
    :param no_effect: what it means when a job does not show the effect of an accepted request.
    :param refused_as_done: words of a refusal that mean that there is nothing to do with an ended job, and the reason
        to give then.
    :param status_after: what check mode predicts; empty when the status stays as it is.
    :param renews: the phases in which a job is not acted on itself, but a new one is made in its place; empty for an
        action that starts no job. Who starts a job becomes its user.
    :param is_followed: whether the outcome is still to come when GitLab has answered, so that `wait` has a meaning.
    :param accepts_any_end: whether any end of the followed job is what was asked for.
    :param is_lost_by_archiving: whether GitLab does not do it to archived jobs, which are for reading only.
    :param role: the lowest role that may do it to every job.
    :param needs_approval: whether GitLab does it only when the deployment of the job, if it has one, was approved.
    :param trigger_job: why a given trigger job is refused, empty when it is not; None where GitLab has no such request.
    :param trigger_jobs_since: the first GitLab version that does it to trigger jobs; older servers do not find them.
    :param options: the options of the task that are for this action.
    :param arguments: what is sent besides project and id.
    :param gate: how a gate of a release uses it: at once, or only when its jobs have ended badly; empty for not at all.
    """

    name: str
    endpoint: str
    participle: str
    cells: Cells
    effect: decisions.Effect
    advice: tuple[Advice, ...] = ()
    forbidden: tuple[str, ...] = ()
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
    arguments: Arguments = lambda request, status: {}
    gate: t.Literal["", "at once", "after a bad end"] = ""

    @property
    def takes(self) -> tuple[str, ...]:
        """Return the options of the task that are for this action, and not for all."""
        return (*self.options, *(("log_follow",) if self.is_followed else ()))

    def cannot(self, job: str) -> str:
        """Return the beginning of a sentence that says why it is not done."""
        return f"{self.subject.format(job=job)} cannot be {self.participle}"

    def would(self, jobs: str) -> str:
        """Return what check mode says of jobs that would be acted on."""
        return f"would {self.verb or self.name} {self.subject.format(job=jobs)}"

    def advise(self, exc: StatusError) -> None:
        """Say in an error what to do about it, unless it says so already."""
        text = exc.server_text.lower()
        fitting = (row.text for row in self.advice if row.status == exc.status and row.words in text)
        exc.advice = exc.advice or next(fitting, "")


# What takes every action but deletion away from somebody whose role would do.
_TAKEN_AWAY = (
    "the ref or the environment of the job is protected and does not admit the user of the token",
    "the deployment is outdated",
    "the job is archived",
)

_UNFINISHED: tuple[Column, ...] = ("created", "blocked", "under_way", "canceling")
_FINISHED: tuple[Column, ...] = ("success", "ended", "skipped")
_NOT_FINISHED = refuse("its status is {status}; only a finished job can be erased, so wait for it or cancel it first")
_NOT_KEPT = refuse("its status is {status}; artifacts can be kept when the job has finished")
_IS_SO_ALREADY = same("it is {status} already")

_ROWS = (
    Action(
        name="play",
        endpoint="play_job",
        participle="played",
        cells={
            "created": later(
                "it waits for its turn",
                "its status is created: earlier jobs have not finished yet; use wait to play it when its turn comes",
            ),
            "blocked": act(),
            "under_way": _IS_SO_ALREADY,
            "canceling": refuse("it is being canceled; retry it when that is done"),
            "success": decisions.play_success,
            "ended": decisions.play_ended,
            "skipped": decisions.skipped("plays"),
        },
        effect=decisions.is_played,
        # until 18.7 GitLab answers with the old job when it makes a new one
        answer="old job",
        status_after="pending",
        renews=("finished",),
        is_followed=True,
        is_lost_by_archiving=True,
        needs_approval=True,
        trigger_job=decisions.play_of_trigger_job,
        trigger_jobs_since="13.10",
        options=("job_variables", "job_inputs", "replay", "retry_on", "max_attempts", "wait_for_approval"),
        arguments=lambda request, status: {
            "job_variables": list(request.variables) or None,
            "job_inputs": request.inputs or None,
        },
        gate="at once",
        advice=(
            Advice(
                400,
                "The job is not manual, is already under way, or waits for the approval of its deployment; a job that "
                "has ended and is not manual is run again by action retry",
                words="unplay",
            ),
        ),
        forbidden=(
            *_TAKEN_AWAY,
            "the project restricts who may set pipeline variables, when job_variables are given",
        ),
    ),
    Action(
        name="retry",
        endpoint="retry_job",
        participle="retried",
        cells={
            "created": refuse("its status is created: it never ran; use action play with wait"),
            "blocked": refuse("its status is {status}: it never ran; use action play"),
            "under_way": _IS_SO_ALREADY,
            "canceling": decisions.retry_canceling,
            "success": decisions.retry_success,
            "ended": decisions.retry_ended,
            "skipped": decisions.skipped("retries"),
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
        gate="after a bad end",
        advice=(
            Advice(
                403, "The job cannot be retried: it never ran, is still running, or was superseded", "not retryable"
            ),
        ),
        forbidden=_TAKEN_AWAY,
    ),
    Action(
        name="cancel",
        endpoint="cancel_job",
        participle="canceled",
        cells={
            "created": act(),
            "blocked": act(),
            "under_way": act(),
            "canceling": decisions.cancel_canceling,
            "success": same("it has ended as {status} already"),
            "ended": same("it has ended as {status} already"),
            "skipped": same("it was skipped"),
        },
        effect=decisions.is_canceled,
        no_effect=decisions.not_canceled,
        status_after="canceled",
        is_followed=True,
        accepts_any_end=True,
        options=("force",),
        # a job that is merely running is left as it is when force is sent
        arguments=lambda request, status: {"force": True} if request.force and status == "canceling" else {},
        forbidden=_TAKEN_AWAY,
    ),
    Action(
        name="erase",
        endpoint="erase_job",
        participle="erased",
        cells={**dict.fromkeys(_UNFINISHED, _NOT_FINISHED), **dict.fromkeys(_FINISHED, decisions.erase)},
        effect=decisions.is_erased,
        # servers before 15.9 do not tell erased_at
        answer="proof",
        refused_as_done=("not erasable", "there is nothing to erase"),
        advice=(Advice(403, "Only a finished job that still has a log or artifacts can be erased", "not erasable"),),
        forbidden=(
            *_TAKEN_AWAY,
            "somebody else started the job, so that only a Maintainer may erase it",
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
        forbidden=_TAKEN_AWAY,
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
        lost = listed([row.participle for row in ACTIONS.values() if row.is_lost_by_archiving], "or")
        return Decision("refuse", f"archived jobs cannot be {lost}; start a new pipeline")
    if decision.verdict == "same" and request.given:
        given = listed(request.given, "and")
        return Decision("same", f"{decision.reason}; {given} are only for a job that is still to start")
    return decision
