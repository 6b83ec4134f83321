# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Sending an action on one job. In doubt, the job is read again and the decision is made anew.

The state of the job afterwards shows whether the request was executed. `delete_project_artifacts` acts on all jobs of a
project; nothing shows its effect.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import typing as t

from ..._api.decoding import Record
from ..._api.errors import GitLabError, NotFoundError, RequestError, StatusError
from ..deployments.waiting import ApprovalWait
from ..fields import id_of, users_of
from ..jobs.attempts import attempts_of, newest_attempts
from ..jobs.query import FoundJob
from ..jobs.statuses import is_finished
from ..session import Session
from ..waiting.options import is_end_of_time
from ..writes.decision import Decision, Result, is_lock, may_be_done, was_refused
from ..writes.roles import explain_forbidden, why_forbidden
from ..writes.sending import Reads, Write
from .actions import ACTIONS, Action
from .decisions import ActionRequest

# GitLab automatically retries a job at most this often. Source: https://docs.gitlab.com/ci/yaml/#retry
_AUTOMATIC_RETRIES = 2


@dataclasses.dataclass(frozen=True)
class ActionSender:
    """A sender of one action to jobs.

    :param wanted: the request of the user.
    :param decide: decides about a job that was read again.
    :param approvals: knows which jobs wait for approvals.
    """

    session: Session
    action: Action
    wanted: ActionRequest
    decide: t.Callable[[FoundJob], Decision]
    approvals: ApprovalWait

    def send(self, jobs: t.Sequence[FoundJob]) -> list[Result[FoundJob]]:
        """Send the action to all jobs, and return the result for each, in their order."""
        # the project is read once for all its jobs
        usual, role = self.action.usual_reasons(self.wanted), self.action.role
        reason_of = functools.cache(lambda project: why_forbidden(self.session, project, usual, role))
        return JobWrite.send_all(self.session, [JobWrite(self, job, reason_of) for job in jobs])


class JobWrite(Write[FoundJob]):
    """One action on one job.

    :param reason_of: returns why no user, or not this user, may act in a project.
    """

    noun = "job"

    def __init__(self, sender: ActionSender, job: FoundJob, reason_of: t.Callable[[str], str]) -> None:
        super().__init__(sender.session, job)
        self.place = (job.project, job.pipeline_id, job.is_bridge)
        self._sender = sender
        self._action = sender.action
        self._reason_of = reason_of
        # how many automatic retries by GitLab may still be acted on instead of this job
        self._left = _AUTOMATIC_RETRIES

    def _request(self) -> Record | None:
        job = self._before
        arguments = self._action.arguments(self._sender.wanted, job.status)
        answer = self._session.client.call(self._action.endpoint, project=job.project, job_id=job.id, **arguments)
        return t.cast("Record | None", answer)

    def _read(self, targets: t.Sequence[FoundJob]) -> list[FoundJob]:
        return newest_attempts(self._session, targets)

    def _result_by_effect(self, exc: RequestError, latest: FoundJob) -> Result[FoundJob] | None:
        changed = self._changed(latest) if self._is_in_doubt or is_lock(exc) else None
        if changed is None:
            words, nothing = self._action.refused_as_done or ("", "")
            is_nothing = words and was_refused(exc) and words in str(exc) and is_finished(latest.status)
            return Result("unchanged", latest, nothing) if is_nothing else None
        is_ours = self._is_effect_ours(changed)
        if self._is_in_doubt and is_ours is False:
            reason = f"the answer was lost, and another user has {self._action.participle} the job since"
            # not sent again, because our request may have been executed before theirs
            decision = self._decide(changed)
            if decision.verdict == "refuse" and changed.id == self._before.id:
                return Result("refused", changed, f"{decision.reason}; {reason}")
            return Result("unchanged", changed, reason)
        if self._is_in_doubt or is_ours:
            # A lock comes from a request in progress, possibly our own that a proxy sent twice. Any other refusal means
            # that the action was done before, for example by another task of the same user.
            lock = "GitLab refused the request, but the job shows that the user of the token has done it since"
            reason = "the answer was lost, but the job shows the effect" if self._is_in_doubt else lock
            return Result("applied", changed, reason, has_changed=True)
        return None

    def _decide(self, latest: FoundJob) -> Decision:
        return self._sender.decide(latest)

    def _has_moved(self, latest: FoundJob) -> bool:
        return (latest.id, latest.status) != (self._before.id, self._before.status)

    def _accepted(self, answer: Record | None) -> Reads[FoundJob, Result[FoundJob] | None]:
        """Return the result of an accepted request; if the answer is no proof, read the job until it shows the effect.

        Return None if the attempt had failed and GitLab has retried the job automatically: the action is then sent for
        the new attempt. Actions that start a job are never sent again.
        """
        action, job = self._action, self._before

        def shows(after: FoundJob) -> bool:
            return action.answer == "proof" or action.effect(job.record, after.record)

        if answer is None or (action.answer == "old job" and not action.effect(job.record, answer)):
            try:
                after = yield from self._read_until(shows)
            except RequestError as exc:
                reason = f"done, but reading the job again failed: {exc}"
                return Result("applied", job, reason, has_changed=True)
        else:
            # GitLab returns a bridge like a job, without its downstream pipeline
            after = job.with_record(answer)
        if shows(after):
            return Result("applied", after, has_changed=True)
        if after.status == "failed" and self._left and not action.renews:
            self._left -= 1
            # if the read fails, the failed attempt is the newest known one
            with contextlib.suppress(RequestError):
                latest = yield
                if latest.id != after.id and self._decide(latest).verdict == "act":
                    self._before = latest
                    return None
        outcome, reason = action.no_effect(after.status)
        return Result(outcome, after, reason)

    def _explained(self, exc: RequestError) -> str:
        action, job = self._action, self._before
        if isinstance(exc, StatusError):
            why = self._sender.approvals.why_refused(job, exc) if action.needs_approval else ""
            if why:
                return why
            explain_forbidden(exc, lambda: self._reason_of(job.project))
            if exc.status == 404 and job.is_bridge:
                exc.advice = f"Trigger jobs can be {action.participle} in GitLab {action.trigger_jobs_since} and later"
            action.advise(exc)
        return str(exc)

    def _ended_by_error(self, exc: GitLabError) -> Result[FoundJob]:
        return Result("later" if is_end_of_time(self._session, exc) else "failed", self._latest, str(exc))

    def _changed(self, latest: FoundJob) -> FoundJob | None:
        """Return the attempt that shows the effect of the request, None if there is none."""
        if latest.id != self._before.id and not self._action.renews:
            # a new attempt does not show the effect on the previous one
            record = self._session.client.call("get_job", project=self._before.project, job_id=self._before.id)
            latest = self._before.with_record(record)
        return latest if self._action.effect(self._before.record, latest.record) else None

    def _is_effect_ours(self, changed: FoundJob) -> bool | None:
        """Return whether the user of the token caused the effect that the job shows, None if jobs do not show the user.

        :raises RequestError: if the other attempts cannot be read.
        """
        if not self._action.renews:
            return None
        before = self._before
        actors = users_of([changed.record])
        is_ours = self._is_ours(actors)
        if is_ours is False and changed.id != before.id:
            # another user may have stopped our attempt and started a new one
            (attempts,) = attempts_of(self._session, [changed])
            attempts = [job for job in attempts if id_of(job) >= before.id]
            actors |= users_of(job for job in attempts if self._action.effect(before.record, job))
            is_ours = self._is_ours(actors)
        return is_ours


def delete_project_artifacts(session: Session, project: str) -> str:
    """Delete the artifacts of all jobs of a project; return why that failed, empty if it did not.

    In check mode, only check that the project exists. GitLab does not report whether there was anything to delete, so
    every run counts as a change.

    :raises RequestError: if the project cannot be read.
    """
    action = ACTIONS["delete_artifacts"]
    session.client.call("get_project", project=project)
    if session.check_mode:
        return ""
    try:
        session.client.call("delete_project_artifacts", project=project)
    except RequestError as exc:
        if may_be_done(exc):
            # no later read shows whether it was done, but a second request does no harm
            return f"{exc}. The outcome is unknown; it is safe to run the task again"
        if isinstance(exc, NotFoundError) and exc.is_missing_endpoint:
            return f"this server is too old for it ({exc})"
        if isinstance(exc, StatusError):
            explain_forbidden(exc, lambda: why_forbidden(session, project, action.forbidden, action.role))
            action.advise(exc)
        return str(exc)
    return ""
