# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Acting on jobs: read, decide, act, and follow until the end, for any number of jobs at a time."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import BadAnswerError, ExtensionError, GitLabError, SelectionError, UsageError
from ..concurrency import run_all
from ..jobs.attempts import count_attempts, newest_attempts
from ..jobs.find import JobFinder, Selection
from ..jobs.query import FoundJob, JobQuery, shortened
from ..jobs.statuses import is_finished, status_of
from ..session import Session
from ..waiting.options import WaitOptions, end_problem, is_there
from ..waiting.pauses import Pauses, queue_problem
from ..waiting.timeline import Watch
from .decisions import Decision, Decisions, Policy, decide
from .write import WriteResult, write

if t.TYPE_CHECKING:
    from ..waiting.counting import CountedLooks
    from ..waiting.logs import LogFollower

# What an action does, for messages and for the prediction of check mode: participle, and status afterwards.
_WORDS: t.Mapping[str, tuple[str, str]] = {
    "play": ("played", "pending"),
    "retry": ("retried", "pending"),
    "cancel": ("canceled", "canceled"),
    "erase": ("erased", ""),
    "keep_artifacts": ("told to keep its artifacts", ""),
    "delete_artifacts": ("freed of its artifacts", ""),
}
# The actions whose outcome is still to come when GitLab has answered.
_FOLLOWED = ("play", "retry", "cancel")


@dataclasses.dataclass(frozen=True)
class ActionRequest:
    """What to do."""

    action: str
    multiple: str = "error"
    variables: tuple[Record, ...] = ()
    inputs: t.Mapping[str, t.Any] | None = None
    replay: str = "never"
    force: bool = False
    retry_on: tuple[str, ...] = ()
    max_attempts: int | None = None


@dataclasses.dataclass
class Target:
    """One job on its way through the action.

    :param before: its state when it was first read.
    :param is_waiting_for_turn: whether the action is still to be done.
    :param is_followed: whether it has to be read until it ends.
    :param retries: how often this task has retried it; trigger jobs and servers before 13.9 do not show old attempts.
    """

    job: FoundJob
    before: Record
    outcome: str = "unchanged"
    reason: str = ""
    has_changed: bool = False
    is_waiting_for_turn: bool = False
    is_followed: bool = False
    retries: int = 0
    predicted: Record | None = None
    has_ended_badly: bool = False
    log_tail: list[str] | None = None

    @property
    def after(self) -> Record:
        """Return id and status after the action; in check mode as predicted, the id null where a new job would come."""
        return self.predicted or {"id": self.job.id, "status": status_of(self.job.record)}

    def settle(self, outcome: str, reason: str) -> None:
        """Note the outcome; nothing more is done with this job."""
        self.outcome, self.reason = outcome, reason
        self.is_waiting_for_turn = self.is_followed = False


@dataclasses.dataclass
class ActionReport:
    """What became of all jobs."""

    targets: list[Target]
    timeline: list[Record]
    pipeline: Record | None = None
    has_timed_out: bool = False

    @property
    def active(self) -> list[Target]:
        """Return the targets that are not done."""
        return [target for target in self.targets if target.is_followed or target.is_waiting_for_turn]


class ActionRun:
    """One run of an action over the jobs of a query."""

    def __init__(self, session: Session, query: JobQuery, request: ActionRequest, options: WaitOptions) -> None:
        self._session = session
        self._finder = JobFinder(session, query)
        self._query = query
        self._request = request
        self._options = options
        self._watch = Watch(session)
        self._is_waiting = options.wait and not session.check_mode
        self._follower: LogFollower | None = None
        if options.log_follow and self._is_waiting:
            # here, as in the other places: most tasks follow no log, and many do not wait
            from ..waiting.logs import LogFollower

            self._follower = LogFollower(session, self._watch)
        meanwhile = self._follower.read if self._follower and session.progress.is_shown else None
        self._pauses = Pauses(session, options.interval_seconds, meanwhile=meanwhile)
        self._counts: CountedLooks | None = None
        self._pipeline_size = 0
        self._is_counted = False

    def run(self) -> ActionReport:
        """Return what became of the jobs; a refusal or a failure is in the report, it is not raised.

        :raises SelectionError: when the jobs cannot be found, or more than wanted are found.
        :raises RequestError: when GitLab cannot be asked for them.
        """
        refuse_job_token(self._session, self._request.action)
        selection = self._find()
        targets = [
            Target(job, before={"id": job.id, "status": status_of(job.record)})
            for job in _choose(selection, self._query, self._request.multiple)
        ]
        if self._options.log_follow:
            from ..waiting.logs import check_followable

            check_followable(self._session, [target.job for target in targets])
        self._pipeline_size = len(selection.known)
        report = ActionReport(targets, self._watch.timeline, selection.pipeline)
        for target in targets:
            self._watch.observe(target.job)
        self._step(targets)
        if self._is_waiting:
            self._follow(report)
        if self._follower:
            self._follower.end()
        return report

    def _find(self) -> Selection:
        """Return the jobs, with `wait` as soon as they exist."""
        while True:
            selection = self._finder.find()
            is_satisfied = selection.pipeline is not None or self._query.job_id is not None
            if is_satisfied and not selection.missing and (selection.jobs or selection.is_complete):
                return selection
            if selection.is_complete or not self._is_waiting or not self._pauses.pause():
                self._finder.require(selection)
                return selection
            self._session.check_stop()

    # ----- decide and act -----

    def _step(self, targets: list[Target]) -> None:
        """Decide about jobs, and act on those that are to be acted on, side by side."""
        decided = [(target, self._decide(target.job)) for target in targets]
        for target, decision in decided:
            target.is_waiting_for_turn = decision.verdict == "later" and self._is_waiting
            if decision.verdict == "refuse":
                target.settle("refused", decision.reason)
            elif decision.verdict == "same":
                target.settle("unchanged", decision.reason)
                target.is_followed = self._is_to_be_followed(target)
            elif self._session.check_mode:
                self._predict(target, decision)
        if self._session.check_mode:
            return
        acting = [target for target, decision in decided if decision.verdict == "act"]
        results = run_all(
            lambda target: self._write(target.job), acting, most_at_once=self._session.client.settings.concurrency
        )
        for target, result in zip(acting, results):
            self._take(target, result)

    def _decide(self, job: FoundJob, action: str = "") -> Decision:
        request = self._request
        action = action or request.action
        needs_count = request.max_attempts is not None and is_finished(status_of(job.record))
        policy = Policy(
            wait=self._options.wait,
            replay=request.replay,
            force=request.force,
            has_variables=bool(request.variables),
            retry_on=request.retry_on,
            max_attempts=request.max_attempts,
            attempts=count_attempts(self._session, job) if needs_count else 1,
            is_bridge=job.is_bridge,
        )
        built_in = decide(action, job.record, policy)
        decision = self._session.plugins.call(
            "gitlab_decide_job_action",
            action=action,
            job=dict(job.record),
            decisions=Decisions(built_in, wait=self._options.wait),
        )
        if not isinstance(decision, Decision):
            raise ExtensionError(
                f"an extension returned {type(decision).__name__} from gitlab_decide_job_action; it has to return one "
                "of decisions.act(), decisions.same(), decisions.refuse(), decisions.later(), or None"
            )
        stopped = self._session.stop()
        if stopped and decision.verdict in ("act", "later"):
            return Decision("refuse", stopped)
        return decision

    def _write(self, job: FoundJob, action: str = "") -> WriteResult:
        """Return what became of an action on one job; an error is an outcome here, so that the others are not lost."""
        action = action or self._request.action
        try:
            arguments = self._arguments(job, action)
            return write(self._session, action, job, arguments, lambda latest: self._decide(latest, action))
        except GitLabError as exc:
            return WriteResult("failed", job, reason=str(exc))

    def _arguments(self, job: FoundJob, action: str) -> dict[str, t.Any]:
        """Return what is sent with the request, besides project and id."""
        request = self._request
        if action == "play":
            return {"job_variables": list(request.variables) or None, "job_inputs": request.inputs or None}
        if action == "retry":
            return {"job_inputs": request.inputs or None}
        if action == "cancel" and request.force and status_of(job.record) == "canceling":
            return {"force": True}
        return {}

    def _take(self, target: Target, result: WriteResult) -> None:
        """Note the result of a write."""
        target.job = result.job
        target.has_changed = target.has_changed or result.has_changed
        target.retries += result.has_changed and self._request.action == "retry"
        target.settle(result.outcome, result.reason)
        self._watch.observe(target.job, detail=_WORDS[self._request.action][0] if result.has_changed else "")
        target.is_followed = result.outcome in ("applied", "unchanged") and self._is_to_be_followed(target)

    def _is_to_be_followed(self, target: Target) -> bool:
        if not self._is_waiting or self._request.action not in _FOLLOWED:
            return False
        # what was played or retried is looked at even if it has ended by now: it may have failed
        is_news = target.has_changed and self._request.action != "cancel"
        return is_news or not is_there(target.job.record, self._options)

    def _predict(self, target: Target, decision: Decision) -> None:
        """Note what the real run would do."""
        status = status_of(target.job.record)
        target.settle("applied", decision.reason)
        target.has_changed = True
        makes_new_job = self._request.action == "retry" or (self._request.action == "play" and is_finished(status))
        target.predicted = {
            "id": None if makes_new_job else target.job.id,
            "status": _WORDS[self._request.action][1] or status,
        }

    # ----- follow -----

    def _follow(self, report: ActionReport) -> None:
        """Read the jobs again and again until each has ended or the time is up.

        What was done is done, so an error on the way is noted with the jobs and not raised.
        """
        self._pauses.begin()
        try:
            while self._look(report):
                if not self._wait_for_news(report.active):
                    report.has_timed_out = True
                    self._time_out(report.active)
                    return
                self._refresh(report.active)
                self._step([target for target in report.active if target.is_waiting_for_turn])
        except GitLabError as exc:
            report.has_timed_out = self._session.deadline.has_passed()
            for target in report.active:
                target.settle("failed", f"it could not be followed to its end: {exc}")

    def _look(self, report: ActionReport) -> bool:
        """Take note of what the followed jobs have come to; return whether something is left to wait for."""
        for target in report.active:
            if target.is_followed:
                self._look_at(target)
        self._pauses.expect(len(report.active))
        return bool(report.active)

    def _wait_for_news(self, active: t.Sequence[Target]) -> bool:
        """Pause until a listing may show something new; return whether there is time for one.

        When the time is up, what was only counted is listed once more.
        """
        counts = self._count_of(active)
        while self._pauses.pause():
            if counts is None or counts.needs_listing():
                return True
            self._is_counted = True
            self._pauses.expect(counts.left)
            self._watch.beat(counts.left)
        return self._is_counted

    def _count_of(self, active: t.Sequence[Target]) -> CountedLooks | None:
        """Return cheap looks at what is followed; None when it has to be read itself: a single job, or one whose turn
        is to come, or jobs of several pipelines."""
        pipelines = {(target.job.project, target.job.pipeline_id, target.job.is_bridge) for target in active}
        if len(active) == 1 or len(pipelines) > 1 or any(target.is_waiting_for_turn for target in active):
            self._counts = None
        elif self._counts is None and not active[0].job.is_bridge:
            from ..waiting.counting import CountedLooks

            self._counts = CountedLooks(
                self._session,
                self._options,
                project=active[0].job.project,
                pipeline_id=active[0].job.pipeline_id,
                ends_at_failure=self._request.max_attempts is not None,
            )
        if self._counts:
            self._counts.listed([target.job for target in active], size=self._pipeline_size, is_whole=False)
        return self._counts

    def _refresh(self, active: list[Target]) -> None:
        self._is_counted = False
        jobs = newest_attempts(self._session, [target.job for target in active])
        for target, job in zip(active, jobs):
            target.job = job
        # what waits for its turn is not yet where the action can begin
        waiting = [
            target.job
            for target in active
            if target.is_waiting_for_turn or not is_there(target.job.record, self._options)
        ]
        if self._watch.looked(jobs, waiting):
            self._pauses.restart()
        if self._follower and jobs:
            self._follower.follow(jobs[0])

    def _look_at(self, target: Target) -> None:
        """Take note of what a followed job has come to."""
        if is_there(target.job.record, self._options):
            self._end(target)
            return
        problem = queue_problem(self._watch, target.job, self._options)
        if problem:
            target.settle("failed", problem)

    def _end(self, target: Target) -> None:
        """Take note that a followed job is where it should be, or has ended; with `max_attempts` retry it instead."""
        problem = "" if self._request.action == "cancel" else end_problem(target.job.record, self._options)
        target.is_followed = False
        if not problem:
            return
        if self._may_retry(target):
            result = self._write(target.job, "retry")
            if result.outcome == "applied":
                target.job, target.has_changed, target.is_followed = result.job, True, True
                target.retries += 1
                self._watch.observe(target.job, detail="retried")
                return
            problem += f", and could not be retried: {result.reason}"
        target.has_ended_badly = True
        target.settle("failed", problem)

    def _may_retry(self, target: Target) -> bool:
        request = self._request
        if request.max_attempts is None or request.action not in ("play", "retry") or self._session.stop():
            return False
        if status_of(target.job.record) != "failed":
            return False
        if request.retry_on and target.job.record.get("failure_reason") not in request.retry_on:
            return False
        return max(count_attempts(self._session, target.job), target.retries + 1) < request.max_attempts

    def _time_out(self, active: list[Target]) -> None:
        """End the targets that are not done in time, as `on_timeout` says."""
        for target in active:
            status = status_of(target.job.record)
            state = "its turn has not come" if target.is_waiting_for_turn else f"it is still {status}"
            reason = f"{state} after {self._session.elapsed():.0f} s, which is all that wait_timeout allows"
            if self._options.on_timeout == "continue":
                target.settle(target.outcome, reason)
                continue
            if self._options.on_timeout == "cancel" and self._request.action != "cancel" and not target.job.is_bridge:
                result = write(
                    self._session, "cancel", target.job, {}, lambda job: decide("cancel", job.record, Policy())
                )
                target.job = result.job
                target.has_changed = target.has_changed or result.has_changed
                self._watch.observe(target.job, detail="canceled" if result.has_changed else "")
                reason += "; it was canceled" if result.has_changed else f"; it was not canceled: {result.reason}"
            target.settle("failed", reason)


def refuse_job_token(session: Session, action: str) -> None:
    """Return unless the token is one that GitLab never lets act.

    :raises UsageError: before any request was made.
    """
    if session.client.settings.token_kind == "api_job_token":
        raise UsageError(
            f"GitLab never lets a job token do {action}; give api_token, of a user or of a bot of the project, instead "
            "of api_job_token"
        )


def _choose(selection: Selection, query: JobQuery, multiple: str) -> list[FoundJob]:
    """Return the jobs to act on.

    :raises SelectionError: when a name stands for several jobs, and only one is wanted.
    :raises BadAnswerError: when GitLab does not say which job it is.
    """
    chosen: dict[t.Any, FoundJob] = {}
    for index, group in enumerate(selection.groups):
        if len(group) > 1 and multiple == "error":
            what = f"name {query.names[index]!r}" if query.names else "the selection"
            listed = shortened([f"{job.path} (id {job.id})" for job in sorted(group, key=lambda job: -job.id)])
            raise SelectionError(
                f"{len(group)} jobs match {what}: {listed}. Give the exact name, or multiple: latest for the newest "
                "one, or multiple: all for every one"
            )
        kept = [max(group, key=lambda job: job.id)] if group and multiple == "latest" else group
        chosen.update({job.key: job for job in kept})
    for job in chosen.values():
        if not job.id:
            raise BadAnswerError(f"GitLab lists job {job.path!r} without an id, by which it could be acted on")
    return sorted(chosen.values(), key=lambda job: -job.id)


def failure_text(report: ActionReport, action: str) -> str | None:
    """Return why the task fails, listing each job that was refused or failed; None when none was."""
    texts = [_failure(target, action) for target in report.targets if target.outcome in ("refused", "failed")]
    if len(texts) <= 1:
        return texts[0] if texts else None
    return f"{len(texts)} of {len(report.targets)} jobs failed: " + "; ".join(texts)


def _failure(target: Target, action: str) -> str:
    who = f"job {target.job.path!r} (id {target.job.id})"
    if target.outcome == "refused":
        return f"{who} cannot be {_WORDS[action][0]}: {target.reason}"
    text = f"{who} {target.reason}" if target.reason.startswith(_PREDICATES) else f"{who}: {target.reason}"
    return text + (f". Its log ends with: {target.log_tail[-1]}" if target.log_tail else "")


# reasons that go on where the name of the job stops
_PREDICATES = ("ended as", "has been pending")
