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

from ..._api.decoding import Record
from ..._api.errors import BadAnswerError, LostAnswerError, RedirectError, RequestError, ServerError, StatusError
from ..deployments.waiting import refusal_of_held
from ..jobs.attempts import newest_attempts
from ..jobs.query import FoundJob
from ..jobs.statuses import is_finished, status_of
from ..session import Session
from .actions import ACTIONS, Action
from .decisions import Decision
from .effects import ActionOutcome
from .refusals import explain


@dataclasses.dataclass(frozen=True)
class WriteResult:
    """What became of a write.

    :param job: the newest attempt afterwards.
    :param has_changed: whether the server changed.
    """

    outcome: ActionOutcome
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
    return _Write(session, ACTIONS[action], job, arguments, decide_again).run()


class _Write:
    """One action on one job, until it is known what became of it."""

    def __init__(
        self,
        session: Session,
        action: Action,
        job: FoundJob,
        arguments: t.Mapping[str, t.Any],
        decide_again: t.Callable[[FoundJob], Decision],
    ) -> None:
        self._session = session
        self._action = action
        self._first = job
        self._job = job
        self._arguments = arguments
        self._decide_again = decide_again
        # whether some request may have been executed without our knowing
        self._is_in_doubt = False

    def run(self) -> WriteResult:
        """Send the request, again only when the job shows that it was not executed; return the outcome."""
        client = self._session.client
        attempt = 0
        while True:
            attempt += 1
            try:
                record = client.call(
                    self._action.endpoint, project=self._job.project, job_id=self._job.id, **self._arguments
                )
            except RequestError as exc:
                if not has_to_be_read(exc):
                    return WriteResult("failed", self._job, reason=self._explained(exc))
                # a redirect leads to the same place each time
                may_repeat = attempt <= client.settings.retries and not isinstance(exc, RedirectError)
                if not was_refused(exc) or is_lock(exc):
                    # The pause comes before the look, so that what is still under way on the server can arrive, and so
                    # that nothing lies between the look and the next request.
                    may_repeat = may_repeat and client.retrier.pause(attempt, exc)
                result = self._settle(exc)
                if result is None and not may_repeat:
                    sent = f" It was sent {attempt} times, and the job shows no effect" if attempt > 1 else ""
                    return WriteResult("failed", self._job, reason=self._explained(exc) + (f".{sent}" if sent else ""))
                if result is not None:
                    return result
            else:
                return _read_answer(self._session, self._action, self._job, record)

    def _settle(self, exc: RequestError) -> WriteResult | None:
        """Return the result of a request in doubt, None when it is certainly still to be done."""
        refused = was_refused(exc)
        self._is_in_doubt = self._is_in_doubt or not refused
        try:
            latest = self._look()
        except RequestError as second:
            if not self._is_in_doubt:
                return WriteResult("failed", self._job, reason=self._explained(exc))
            unknown = f"{exc}. Whether it was done is unknown, since reading the job failed, too: {second}"
            return WriteResult("failed", self._job, reason=unknown)
        if self._is_in_doubt and self._action.effect(self._first.record, latest.record):
            reason = "the answer was lost, but the job shows the effect"
            return WriteResult("applied", latest, has_changed=True, reason=reason)
        if is_lock(exc) and self._is_done_by_us(latest):
            # The request met one that was still at work. It may have been ours, sent twice by a proxy on the way. Any
            # other refusal says that the work was done before, as it is for all but one of several tasks of one user.
            reason = "GitLab refused the request, but the job shows that the user of the token has done it since"
            return WriteResult("applied", latest, has_changed=True, reason=reason)
        words, reason = self._action.refused_as_done or ("", "")
        if words and refused and words in str(exc) and is_finished(status_of(latest.record)):
            return WriteResult("unchanged", latest, reason=reason)
        decision = self._decide_again(latest)
        has_moved = (latest.id, status_of(latest.record)) != (self._job.id, status_of(self._job.record))
        if decision.verdict == "same":
            return WriteResult("unchanged", latest, reason=decision.reason)
        if decision.verdict == "refuse" and has_moved:
            return WriteResult("refused", latest, reason=decision.reason)
        if decision.verdict == "act" and (has_moved or not refused or is_lock(exc)):
            self._job = latest
            return None
        return WriteResult("refused", latest, reason=self._explained(exc))

    def _explained(self, exc: RequestError) -> str:
        """Return an error that is the last word, with what to do about it."""
        if isinstance(exc, StatusError):
            held = refusal_of_held(self._session, self._action, self._job, exc)
            if held:
                return held
            explain(self._session, self._action, self._job.project, exc)
        return str(exc)

    def _is_done_by_us(self, latest: FoundJob) -> bool:
        """Return whether the job shows the effect, and that it came from the user of the token since our first read."""
        user = latest.record.get("user")
        if not self._action.names_doer or not isinstance(user, dict):
            return False
        if not self._action.effect(self._first.record, latest.record):
            return False
        return self._session.user_id is not None and user.get("id") == self._session.user_id

    def _look(self) -> FoundJob:
        """Return the newest attempt of the job; while in doubt no error of reading is taken for the last word.

        :raises RequestError: when it cannot be read.
        """

        def read() -> FoundJob:
            return newest_attempts(self._session, [self._job])[0]

        return self._session.client.retrier.insist(read) if self._is_in_doubt else read()


def has_to_be_read(exc: RequestError) -> bool:
    """Return whether the job has to be read to know what happened, or why it was refused."""
    if isinstance(exc, StatusError):
        return exc.status in (400, 403, 404, 409) or isinstance(exc, ServerError)
    return isinstance(exc, (LostAnswerError, BadAnswerError))


def was_refused(exc: RequestError) -> bool:
    """Return whether GitLab has answered that it did not do it."""
    return isinstance(exc, StatusError) and not isinstance(exc, ServerError)


def is_lock(exc: RequestError) -> bool:
    """Return whether the request met another one that was still at work."""
    return isinstance(exc, StatusError) and exc.status == 409


def _read_answer(session: Session, action: Action, job: FoundJob, record: Record | None) -> WriteResult:
    """Return the result of a write that GitLab has accepted; an answer that is not proof is followed by a re-read."""
    if record is None or (action.answer == "old job" and not action.effect(job.record, record)):
        try:
            after = newest_attempts(session, [job])[0]
        except RequestError as exc:
            return WriteResult(
                "applied", job, has_changed=True, reason=f"done, but reading the job again failed: {exc}"
            )
    else:
        # a bridge comes back as a job, without its downstream pipeline
        after = job.with_record(record)
    if action.answer == "proof" or action.effect(job.record, after.record):
        return WriteResult("applied", after, has_changed=True)
    outcome, reason = action.no_effect(status_of(after.record))
    return WriteResult(outcome, after, reason=reason)
