# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Acting on jobs: read, decide, act, and follow to the end, for any number of jobs at once."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.errors import GitLabError
from ..deployments.waiting import ApprovalWait
from ..fields import status_of, updated_from_jobs
from ..jobs.attempts import AttemptCounts, shown_attempts
from ..jobs.index import JobIndex
from ..jobs.query import FoundJob, JobQuery
from ..jobs.reasons import is_among, unknown_reason
from ..jobs.selection import failed_before
from ..session import Session
from ..waiting.blockers import jobs_in_same_pipeline
from ..waiting.counting import Counting
from ..waiting.logs import check_followable
from ..waiting.loop import QuickCheck, Wait
from ..waiting.options import CANCEL_SECONDS, WaitOptions, end_problem, ends_wait
from ..waiting.schedule import Steps
from ..writes.decision import Decision, Result
from ..writes.roles import refuse_job_token
from .actions import ACTIONS, Action, decide
from .decisions import ActionRequest, Decisions
from .targets import ActionReport, Target, select, time_out
from .write import ActionSender


class ActionRun:
    """One run of an action over the jobs of a query."""

    def __init__(self, session: Session, query: JobQuery, request: ActionRequest, options: WaitOptions) -> None:
        self._session = session
        self._query = query
        self._request = request
        self._action = ACTIONS[request.action]
        self._options = options
        # started jobs are followed to their end, even if nothing new may be started any more
        patient = dataclasses.replace(options, wait=options.is_patient)
        self._following = Wait(session, patient, ends_at_stop=False)
        self._timeline = self._following.timeline
        self._approvals = ApprovalWait(session, is_waiting=options.wait_for_approval, show=self._timeline.show_blocker)
        self._counting: Counting | None = None
        # the failed jobs of the pipeline at the last read
        self._failed: t.Sequence[FoundJob] = ()
        self._attempts = AttemptCounts(session, is_wanted=request.max_attempts is not None)

    def run(self) -> Steps[ActionReport]:
        """Return the outcome for each job; refusals and failures are in the report and are not raised.

        :raises SelectionError: if the jobs cannot be found, or more jobs match than are allowed.
        """
        refuse_job_token(self._session, self._request.action)
        for warning in filter(None, map(unknown_reason, self._request.retry_on)):
            self._session.warn(warning)
        report = yield from select(self._session, self._query, self._request, self._options)
        if report.has_timed_out:
            return report
        report.timeline, self._failed = self._timeline.entries, report.selection.all_jobs.blocking_failures
        jobs = [target.job for target in report.targets]
        if self._options.log_follow:
            check_followable(self._session, jobs)
        self._approvals.expect(jobs)
        self._following.note(jobs)
        for job in jobs:
            self._timeline.observe(job)
        # a denied read is repeated before anything is sent
        yield from self._following.once(lambda: self._step(report.targets))
        # jobs that have changed were read last
        read_last = sorted(report.targets, key=lambda target: target.has_changed)
        report.pipeline = updated_from_jobs(report.pipeline, [target.job.record for target in read_last])
        if self._following.is_active:
            yield from self._follow(report)
        self._following.end()
        return report

    # ----- decide and act -----

    def _step(self, targets: list[Target]) -> None:
        """Decide about all jobs, then act in parallel on those that need it."""
        self._attempts.count(target.job for target in targets)
        decided = [(target, self._decide(target.job, self._action)) for target in targets]
        for target, decision in decided:
            if decision.verdict == "later" and self._following.is_active:
                target.is_waiting_for_turn, target.reason = True, decision.reason
            elif decision.verdict == "refuse":
                target.settle("refused", decision.reason)
            elif decision.verdict == "same":
                target.settle("unchanged", decision.reason)
                target.is_followed = self._is_to_be_followed(target)
            elif self._session.check_mode:
                target.expect(self._action, decision.reason)
        if self._session.check_mode:
            return
        acting = [target for target, decision in decided if decision.verdict == "act"]
        for target, result in zip(acting, self._write(acting, self._action)):
            self._note_result(target, result, self._action)

    def _decide(self, job: FoundJob, action: Action) -> Decision:
        self._attempts.count([job])
        request = dataclasses.replace(
            self._request,
            action=action.name,
            wait=self._options.wait,
            attempts=self._attempts.of(job),
            is_bridge=job.is_bridge,
            failed_before=failed_before(job, self._failed),
        )
        built_in = decide(job.record, request)
        if action.needs_approval:
            built_in = self._approvals.judge(job, built_in)
        decision = self._session.plugins.call(
            "gitlab_decide_job_action",
            action=action.name,
            job=job.record,
            decisions=Decisions(built_in, wait=self._options.wait),
        )
        if not isinstance(decision, Decision):
            wanted = "one of decisions.act(), decisions.same(), decisions.refuse() and decisions.later()"
            raise self._session.plugins.wrong_return(decision, "gitlab_decide_job_action", wanted)
        stopped = self._session.stop()
        if stopped and decision.verdict in ("act", "later"):
            return Decision("refuse", stopped)
        # an extension may return an exception as the reason
        decision = dataclasses.replace(decision, reason=str(decision.reason))
        if decision.verdict == "later" and decision != built_in and self._following.is_active:
            self._timeline.show_blocker(job, decision.reason)
        return decision

    def _write(self, targets: t.Sequence[Target], action: Action) -> list[Result[FoundJob]]:
        sender = ActionSender(
            self._session, action, self._request, lambda job: self._decide(job, action), self._approvals
        )
        return sender.send([target.job for target in targets])

    def _note_result(self, target: Target, result: Result[FoundJob], action: Action) -> None:
        """Note the result of a write, and whether the job is followed from now on."""
        if result.after.id > target.job.id and result.has_changed:
            # lists may not contain the new attempt yet, see `note`
            self._attempts.note(target.job, self._attempts.of(target.job) + 1)
        target.job = result.after
        self._following.note([target.job])
        if result.outcome == "later":
            target.is_waiting_for_turn, target.reason = True, result.reason
            return
        if result.outcome != "unchanged" or not target.has_changed:
            target.settle(result.outcome, result.reason)
        target.has_changed |= result.has_changed
        self._timeline.observe(target.job, detail=self._done_text(target.job, action) if result.has_changed else "")
        target.is_followed = result.outcome in ("applied", "unchanged") and self._is_to_be_followed(target)

    def _done_text(self, job: FoundJob, action: Action) -> str:
        """Return what was done to a job, with the number of its attempt if `max_attempts` limits them."""
        maximum = self._request.max_attempts
        if maximum is None or action.name != "retry":
            return action.participle
        return f"retried, attempt {self._attempts.of(job)} of {maximum}"

    def _is_to_be_followed(self, target: Target) -> bool:
        if not (self._options.wait and self._following.is_active and self._action.is_followed):
            return False
        # a job that was to be played or retried is followed even if it has ended by now, because it may have failed
        return not self._action.accepts_any_end or not ends_wait(target.job.record, self._options)

    # ----- follow -----

    def _follow(self, report: ActionReport) -> Steps[None]:
        """Poll the jobs until all have ended or the task times out.

        The actions were already executed, so an error is noted with the jobs and not raised.
        """
        polls = 0

        def read() -> list[Target]:
            nonlocal polls
            polls += 1
            if polls > 1:
                self._refresh(report)
                self._step([target for target in report.active if target.is_waiting_for_turn])
            self._end([target for target in report.active if target.is_followed and self._has_ended(target)])
            active = report.active
            self._timeline.note_remaining([target.job for target in active])
            self._following.pace(len(active), self._counting_of(active, size=len(report.selection.known)))
            return active

        self._following.begin()
        try:
            waited = yield from self._following.until(read, lambda active: not active, before=report.active)
            report.has_timed_out = waited.has_timed_out
        except GitLabError as exc:
            for target in report.active:
                target.settle("failed", f"it could not be followed to its end: {exc}")
        if report.has_timed_out:
            late = report.active
            time_out(self._session, late, self._options)
            if self._options.on_timeout == "cancel" and self._request.action != "cancel":
                self._cancel([target for target in late if not target.job.is_bridge])

    def _unsettled(self, active: t.Sequence[Target]) -> list[FoundJob]:
        """Return the jobs that have not reached their target yet, including those that cannot be acted on yet."""
        return [
            target.job
            for target in active
            if target.is_waiting_for_turn or not ends_wait(target.job.record, self._options)
        ]

    def _counting_of(self, active: t.Sequence[Target], *, size: int) -> QuickCheck | None:
        """Return a function that counts jobs to see whether the followed ones have moved.

        None if the jobs must be read: a single job, jobs of several pipelines, trigger jobs, a job that cannot be acted
        on yet, or a failed job that GitLab may retry.

        :param size: how many jobs the pipeline has.
        """
        jobs = [target.job for target in active]
        pipelines = {(job.project, job.pipeline_id, job.is_bridge) for job in jobs}
        is_open = any(target.is_waiting_for_turn or not self._following.is_confirmed(target.job) for target in active)
        if len(jobs) <= 1 or len(pipelines) > 1 or is_open or jobs[0].is_bridge:
            self._counting = None
            return None
        if self._counting is None:
            can_retry = self._request.max_attempts is not None
            self._counting = Counting(self._session, self._options, jobs[0], ends_at_failure=can_retry, is_whole=False)
        return self._counting.listed(jobs, self._unsettled(active), size=size)

    def _refresh(self, report: ActionReport) -> None:
        active = report.active
        # an outdated list may lack the newest attempts, which are then read one by one
        shown = shown_attempts(self._session, [target.job for target in active])
        for target in active:
            target.job = shown.get(target.job.key, target.job)
        jobs = list(shown.values())
        report.pipeline = updated_from_jobs(report.pipeline, [job.record for job in jobs])
        skipped = {job.key[:2]: job for job in jobs if job.status == "skipped"}
        if skipped:
            all_jobs = JobIndex(
                other for job in skipped.values() for other in jobs_in_same_pipeline(self._session, job)
            )
            self._failed = all_jobs.blocking_failures
        self._following.seen(jobs, self._unsettled(active))

    def _has_ended(self, target: Target) -> bool:
        """Return whether a followed job has reached its target or has ended; fail one that is stuck in the queue."""
        if ends_wait(target.job.record, self._options):
            return self._following.is_confirmed(target.job)
        problem = self._following.queue_problem(target.job)
        if problem:
            target.settle("failed", problem)
        return False

    def _end(self, ended: t.Sequence[Target]) -> None:
        """Settle followed jobs that have reached their target or have ended; with `max_attempts`, retry failed ones."""
        for target in ended:
            target.is_followed = bool(self._end_problem(target))
        unsuccessful = {target: self._max_attempts(target) for target in ended if target.is_followed}
        # if counting raises an error, they are still followed, so their failures are not lost
        self._attempts.count(target.job for target, maximum in unsuccessful.items() if maximum)
        again = [target for target, maximum in unsuccessful.items() if self._attempts.of(target.job) < maximum]
        retry = ACTIONS["retry"]
        retried = dict(zip(again, self._write(again, retry)))
        for target, maximum in unsuccessful.items():
            result, problem, attempts = retried.get(target), self._end_problem(target), self._attempts.of(target.job)
            if result and result.outcome in ("applied", "unchanged"):
                self._note_result(target, result, retry)
                continue
            if result:
                problem += f", and could not be retried: {result.reason}"
            elif maximum and attempts > 1:
                problem += f"; this was the last of {attempts} attempts (max_attempts)"
            target.ended_unsuccessfully = True
            target.settle("failed", problem)

    def _end_problem(self, target: Target) -> str:
        """Return why the end of a job fails the task, empty if it does not."""
        return "" if self._action.accepts_any_end else end_problem(target.job.record, self._options)

    def _max_attempts(self, target: Target) -> int:
        """Return how many attempts an unsuccessful job may have, 0 if it must not be retried."""
        request = self._request
        if request.max_attempts is None or self._session.stop():
            return 0
        record = target.job.record
        is_reason = is_among(str(record.get("failure_reason")), request.retry_on)
        return request.max_attempts if status_of(record) == "failed" and is_reason else 0

    def _cancel(self, late: t.Sequence[Target]) -> None:
        session, request = self._session.best_effort(seconds=CANCEL_SECONDS), ActionRequest("cancel")
        sender = ActionSender(
            session, ACTIONS["cancel"], request, lambda job: decide(job.record, request), self._approvals
        )
        results = sender.send([target.job for target in late])
        for target, result in zip(late, results):
            target.job = result.after
            target.has_changed |= result.has_changed
            self._timeline.observe(target.job, detail="canceled" if result.has_changed else "")
            # the reason may have named other jobs
            end = "canceled" if result.has_changed else f"not canceled: {result.reason}"
            target.reason += f"; job {target.job.path!r} was {end}"
