# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""One write: sent once, and after any doubt the job is read again and the decision is made anew.

GitLab's play and retry are not idempotent, so a lost answer is never answered by sending again unseen. What the job
looks like afterwards tells whether the request was executed.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._api.errors import (
    BadAnswerError,
    LostAnswerError,
    RequestError,
    ServerError,
    StatusError,
)
from .attempts import newest_attempts
from .decisions import Decision
from .naming import FoundJob
from .session import Session
from .statuses import Record, is_finished, is_playable, status_of

Outcome = t.Literal["applied", "unchanged", "refused", "failed"]

_ENDPOINTS = {
    "play": "play_job",
    "retry": "retry_job",
    "cancel": "cancel_job",
    "erase": "erase_job",
    "keep_artifacts": "keep_artifacts",
    "delete_artifacts": "delete_artifacts",
}

# GitLab's words by which a refusal is told from a missing permission; nothing else of its texts is matched.
_NOTHING_TO_ERASE = "not erasable"


@dataclasses.dataclass(frozen=True)
class WriteResult:
    """What became of a write.

    :param job: the newest attempt afterwards.
    :param has_changed: whether the server changed.
    """

    outcome: Outcome
    job: FoundJob
    has_changed: bool = False
    reason: str = ""


def write(
    session: Session,
    action: str,
    job: FoundJob,
    arguments: t.Mapping[str, t.Any],
    decide_again: t.Callable[[FoundJob], Decision],
) -> WriteResult:
    """Return what became of one action on one job.

    :param arguments: further arguments of the endpoint.
    :param decide_again: asked after a re-read.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            record = session.client.call(_ENDPOINTS[action], project=job.project, job_id=job.id, **arguments)
        except RequestError as exc:
            if not _leaves_doubt(exc):
                return WriteResult("failed", job, reason=str(exc))
            settled = _settle(session, action, job, exc, decide_again)
            if isinstance(settled, WriteResult):
                return settled
            # certainly not executed, and still to be done
            if attempt > session.client.settings.retries or not session.client.retrier.pause(attempt, exc):
                return WriteResult("failed", settled, reason=str(exc))
            job = settled
        else:
            return _read_answer(session, action, job, record)


def _leaves_doubt(exc: RequestError) -> bool:
    """Return whether the job has to be read to know what happened, or why it was refused."""
    if isinstance(exc, StatusError):
        return exc.status in (400, 403, 404, 409) or isinstance(exc, ServerError)
    return isinstance(exc, (LostAnswerError, BadAnswerError))


def _settle(
    session: Session,
    action: str,
    job: FoundJob,
    exc: RequestError,
    decide_again: t.Callable[[FoundJob], Decision],
) -> WriteResult | FoundJob:
    """Return the result of a write in doubt, or the job to write to once more."""
    try:
        latest = newest_attempts(session, [job])[0]
    except RequestError as second:
        return WriteResult(
            "failed", job, reason=f"{exc}. Whether it was done is unknown, since reading the job failed, too: {second}"
        )
    was_refused = isinstance(exc, StatusError) and not isinstance(exc, ServerError)
    if not was_refused and _has_taken_effect(action, job.record, latest.record):
        return WriteResult(
            "applied", latest, has_changed=True, reason="the answer was lost, but the job shows the effect"
        )
    if action == "erase" and was_refused and _NOTHING_TO_ERASE in str(exc) and is_finished(status_of(latest.record)):
        return WriteResult("unchanged", latest, reason="there is nothing to erase")
    decision = decide_again(latest)
    if decision.verdict == "same":
        return WriteResult("unchanged", latest, reason=decision.reason)
    has_moved = (latest.id, status_of(latest.record)) != (job.id, status_of(job.record))
    if decision.verdict == "refuse" and has_moved:
        return WriteResult("refused", latest, reason=decision.reason)
    if decision.verdict == "act" and (has_moved or not was_refused or _is_lock(exc)):
        return latest
    return WriteResult("refused", latest, reason=str(exc))


def _is_lock(exc: RequestError) -> bool:
    return isinstance(exc, StatusError) and exc.status == 409


def _has_taken_effect(action: str, before: Record, after: Record) -> bool:
    """Return whether a job shows that an action has been executed since it was read before."""
    old, new = status_of(before), status_of(after)
    if action in ("play", "retry"):
        if int(after.get("id") or 0) > int(before.get("id") or 0):
            return True
        never_started = new in ("canceled", "skipped", "created") and not after.get("started_at")
        return action == "play" and is_playable(old) and not is_playable(new) and not never_started
    if action == "cancel":
        return new != old and new in ("canceled", "canceling")
    if action == "erase":
        return bool(after.get("erased_at")) and not before.get("erased_at")
    if action == "keep_artifacts":
        return bool(before.get("artifacts_expire_at")) and not after.get("artifacts_expire_at")
    return before.get("artifacts") != after.get("artifacts")


def _read_answer(session: Session, action: str, job: FoundJob, record: Record | None) -> WriteResult:
    """Return the result of a write that GitLab has accepted; an answer that is no proof is followed by a re-read."""
    if record is None or _is_stale(action, job.record, record):
        try:
            after = newest_attempts(session, [job])[0]
        except RequestError as exc:
            return WriteResult(
                "applied", job, has_changed=True, reason=f"done, but reading the job again failed: {exc}"
            )
    else:
        # a bridge comes back as a job, without its downstream pipeline
        after = dataclasses.replace(job, record=record)
    if action in ("erase", "keep_artifacts", "delete_artifacts") or _has_taken_effect(action, job.record, after.record):
        return WriteResult("applied", after, has_changed=True)
    status = status_of(after.record)
    if action == "cancel" and is_finished(status):
        return WriteResult("unchanged", after, reason=f"it ended as {status} before it could be canceled")
    if action == "cancel" and status == "canceling":
        return WriteResult(
            "refused", after, reason="GitLab did not force it: that needs version 17.11 and the role Maintainer"
        )
    return WriteResult("failed", after, reason=f"GitLab accepted the request, and the job is still {status}")


def _is_stale(action: str, before: Record, answer: Record) -> bool:
    """Return whether an answer to play shows the old job: until 18.7 GitLab answers so when it makes a new one."""
    return action == "play" and answer.get("id") == before.get("id") and not _has_taken_effect("play", before, answer)
