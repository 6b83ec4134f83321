# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The actions on jobs: one row per action, with all that is known of it, and the decision that a row makes."""

from __future__ import annotations

from ..._api.decoding import Record
from ..fields import status_of
from ..jobs.query import listed
from ..jobs.statuses import STATUSES, Column
from ..writes.decision import Decision
from . import decisions, effects
from .action import Action, Advice
from .decisions import Policy, act, later, refuse, same

_DEVELOPER = (
    Advice(
        403,
        "The usual reasons: the ref or the environment of the job is protected and does not admit the user of the "
        "token, or this user has no Developer role in the project",
    ),
)

# The columns of the decision table.
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
        effect=effects.is_played,
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
            Advice(
                403,
                "The usual reasons: the ref or the environment of the job is protected and does not admit the user of "
                "the token, the deployment is outdated, the job is archived, the project restricts who may set "
                "pipeline variables, when job_variables are given, or this user has no Developer role in the project",
            ),
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
        effect=effects.is_retried,
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
            *_DEVELOPER,
        ),
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
        effect=effects.is_canceled,
        no_effect=effects.not_canceled,
        status_after="canceled",
        is_followed=True,
        accepts_any_end=True,
        options=("force",),
        # a job that is merely running is left as it is when force is sent
        arguments=lambda request, status: {"force": True} if request.policy.force and status == "canceling" else {},
        advice=_DEVELOPER,
    ),
    Action(
        name="erase",
        endpoint="erase_job",
        participle="erased",
        cells={**dict.fromkeys(_UNFINISHED, _NOT_FINISHED), **dict.fromkeys(_FINISHED, decisions.erase)},
        effect=effects.is_erased,
        # servers before 15.9 do not tell erased_at
        answer="proof",
        refused_as_done=("not erasable", "there is nothing to erase"),
        advice=(
            Advice(403, "Only a finished job that still has a log or artifacts can be erased", words="not erasable"),
            Advice(
                403, "The usual reasons: the user of the token needs the Maintainer role, or must have started the job"
            ),
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
        effect=effects.is_kept,
        answer="proof",
        is_lost_by_archiving=True,
        advice=_DEVELOPER,
    ),
    Action(
        name="delete_artifacts",
        endpoint="delete_artifacts",
        participle="deleted",
        verb="delete",
        subject="the artifacts of {job}",
        cells=dict.fromkeys((*_UNFINISHED, *_FINISHED), decisions.delete_artifacts),
        effect=effects.has_other_artifacts,
        answer="proof",
        role="Maintainer",
        options=("whole_project",),
        advice=(Advice(403, "The user of the token needs the Maintainer role in the project"),),
    ),
)
ACTIONS: dict[str, Action] = {row.name: row for row in _ROWS}


def decide(name: str, job: Record, policy: Policy) -> Decision:
    """Return what an action does with the newest attempt of a job."""
    action = ACTIONS[name]
    if policy.is_bridge:
        never = f"{action.cannot('trigger jobs')} through GitLab's API; act on the jobs of the downstream pipeline"
        refusal = action.trigger_job(job, policy) if action.trigger_job else never
        if refusal:
            return Decision("refuse", refusal)
    status = STATUSES.get(status_of(job))
    if status is None:
        return Decision("refuse", f"this collection does not know its status {status_of(job)!r}; nothing was done")
    decision = action.cells[status.column](status.name, job, policy)
    if decision.verdict in ("act", "later") and job.get("archived") is True and action.is_lost_by_archiving:
        lost = listed([row.participle for row in ACTIONS.values() if row.is_lost_by_archiving], "or")
        return Decision("refuse", f"archived jobs cannot be {lost}; start a new pipeline")
    if decision.verdict == "same" and policy.given:
        given = listed(policy.given, "and")
        return Decision("same", f"{decision.reason}; {given} are only for a job that is still to start")
    return decision
