# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The jobs of an action: how they are selected, their progress, and the texts about their outcome."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import SelectionError, capitalized
from ..jobs.find import JobFinder
from ..jobs.query import MAX_NAMES_IN_TEXT, FoundJob, JobQuery, listed, sentences, shortened
from ..jobs.selection import Selection, place_of, why_empty
from ..jobs.statuses import phase_of, still_text
from ..session import Session
from ..waiting.blockers import jobs_in_same_pipeline, why_late
from ..waiting.log_tails import MAX_LOGS, log_ending, read_tail
from ..waiting.loop import Wait
from ..waiting.options import WaitOptions, time_problem, timed_out_text
from ..waiting.schedule import Steps
from .actions import ACTIONS, Action, decide
from .decisions import ActionRequest


@dataclasses.dataclass(eq=False)
class Target:
    """One job and its progress.

    :param before: its state when it was first read.
    :param is_waiting_for_turn: whether the job cannot be acted on yet.
    :param is_followed: whether it is polled until it ends.
    """

    job: FoundJob
    before: Record
    outcome: str = "unchanged"
    reason: str = ""
    has_changed: bool = False
    is_waiting_for_turn: bool = False
    is_followed: bool = False
    predicted: Record | None = None
    ended_unsuccessfully: bool = False
    log_tail: list[str] | None = None

    @property
    def after(self) -> Record:
        """Return id and status after the action; in check mode the predicted ones, with id None for a new job."""
        return self.predicted or _state(self.job)

    @property
    def is_explained_by_log(self) -> bool:
        """Return whether the end of the log explains the failure, as it does if the job itself has failed."""
        is_refused = self.outcome == "refused" and self.job.status == "failed"
        return self.ended_unsuccessfully or is_refused

    def settle(self, outcome: str, reason: str) -> None:
        """Set the final outcome of the job."""
        self.outcome, self.reason = outcome, reason
        self.is_waiting_for_turn = self.is_followed = False

    def expect(self, action: Action, reason: str) -> None:
        """Set the outcome that a real run would have."""
        self.settle("applied", reason)
        self.has_changed = True
        status = self.job.status
        self.predicted = {
            "id": None if phase_of(status) in action.renews else self.job.id,
            "status": action.status_after or status,
        }


def _state(job: FoundJob) -> Record:
    return {"id": job.id, "status": job.status}


@dataclasses.dataclass
class ActionReport:
    """The outcome of all jobs.

    :param selection: the jobs they were selected from.
    :param problem: why there is no job to act on.
    """

    selection: Selection
    pipeline: Record | None
    targets: list[Target] = dataclasses.field(default_factory=list)
    timeline: list[Record] = dataclasses.field(default_factory=list)
    has_timed_out: bool = False
    problem: str = ""

    @property
    def active(self) -> list[Target]:
        """Return the targets that are not settled."""
        return [target for target in self.targets if target.is_followed or target.is_waiting_for_turn]


def select(session: Session, query: JobQuery, request: ActionRequest, options: WaitOptions) -> Steps[ActionReport]:
    """Return the jobs to act on, with `wait` as soon as they exist; after a timeout none, with the reason.

    :raises SelectionError: if they cannot be found, or if a name matches several jobs and `multiple` allows only one.
    """
    finder, wait = JobFinder(session, query), Wait(session, options)

    def read() -> Selection:
        selection = finder.find()
        if not selection.jobs and not selection.is_complete:
            wait.show_awaited(query.describe())
        return selection

    waited = yield from wait.until(read, lambda selection: selection.is_complete)
    selection = waited.value
    report = ActionReport(selection, selection.pipeline, has_timed_out=waited.has_timed_out)
    if waited.has_timed_out:
        report.problem = time_problem(options, finder.problem(selection) or f"there is no {query.describe()} yet")
        return report
    finder.require(selection, may_wait=not options.wait)
    finder.check_readable(selection)
    # an action on running jobs has nothing to do if no job is running
    if not selection.out_of_scope:
        finder.require_jobs(selection)
    wanted = dataclasses.replace(request, wait=options.wait)
    if any(decide({"status": status}, wanted).verdict == "later" for status in selection.out_of_scope):
        why = capitalized(why_empty(query, selection))
        advice = "scope is compared when the task begins; omit it to wait until a job can be acted on"
        session.warn(f"{why}. {advice}")
    report.targets = [Target(job, before=_state(job)) for job in _chosen(selection, query, request.multiple)]
    return report


def _chosen(selection: Selection, query: JobQuery, multiple: str) -> list[FoundJob]:
    chosen: dict[t.Any, FoundJob] = {}
    for name, group in selection.groups.items():
        if len(group) > 1 and multiple == "error":
            what = f"name {name!r}" if name else "the selection"
            texts = shortened([f"{job.path} (id {job.id})" for job in sorted(group, key=lambda job: -job.id)])
            raise SelectionError(
                f"{len(group)} jobs match {what} in {place_of(query, selection)}: {texts}. Use the exact name"
                f"{' or job_id' if query.may_be_by_id else ''}, or multiple: latest for the newest job, or multiple: "
                "all for all jobs"
            )
        kept = [max(group, key=lambda job: job.id)] if group and multiple == "latest" else group
        chosen.update({job.key: job for job in kept})
    return sorted(chosen.values(), key=lambda job: -job.id)


def time_out(session: Session, late: t.Sequence[Target], options: WaitOptions) -> None:
    """Settle the targets that have timed out, as `on_timeout` requires."""
    blocker = why_late((target.job for target in late), lambda job: jobs_in_same_pipeline(session, job))
    for target in late:
        why = f", and {target.reason}" if target.is_waiting_for_turn else ""
        if blocker and target.job.status == "created":
            why, blocker = f"{why}; {blocker}", ""
        reason = f"{timed_out_text(options)}: it {still_text(target.job.record)}{why}"
        target.settle(target.outcome if options.on_timeout == "continue" else "failed", reason)


def read_logs(session: Session, report: ActionReport, lines: int) -> None:
    """Read the ends of the logs that explain failures, of at most `MAX_LOGS` jobs."""
    wanted = [target for target in report.targets if target.is_explained_by_log][:MAX_LOGS]
    tails = session.run_all(lambda target: read_tail(session, target.job, lines), wanted)
    for target, tail in zip(wanted, tails):
        target.log_tail = tail


def failure_text(report: ActionReport, action: str, *, limit: int = MAX_NAMES_IN_TEXT) -> str | None:
    """Return why the task fails, with the refused and failed jobs; None if there are none.

    :param limit: how many jobs to show at most.
    """
    if report.problem:
        return report.problem
    texts = [_failure(target, action) for target in report.targets if target.outcome in ("refused", "failed")]
    if len(texts) <= 1:
        return texts[0] if texts else None
    return f"{len(texts)} of {len(report.targets)} jobs failed: " + sentences(texts, limit=limit)


def prediction_text(report: ActionReport, action: str) -> str:
    """Return what the action would do with the jobs, as check mode reports it."""
    acted_on = [target.job.called for target in report.targets if target.has_changed]
    texts = [ACTIONS[action].would(_several(acted_on))] if acted_on else []
    left: dict[str, list[str]] = {}
    for target in report.targets:
        if not target.has_changed:
            left.setdefault(target.reason, []).append(target.job.called)
    texts += [f"would leave {_several(jobs)} alone: {reason}" for reason, jobs in left.items()]
    return "; ".join(texts) or "would do nothing because no job is selected"


def _several(jobs: t.Sequence[str]) -> str:
    more = len(jobs) - MAX_NAMES_IN_TEXT
    return listed([*jobs[:MAX_NAMES_IN_TEXT], f"{more} more"] if more > 0 else jobs, "and")


def _failure(target: Target, action: str) -> str:
    who = target.job.called
    if target.outcome == "refused":
        text = f"{ACTIONS[action].cannot(who)}: {target.reason}"
    else:
        text = f"{who} {target.reason}" if target.reason.startswith(_PREDICATES) else f"{who}: {target.reason}"
    return text + log_ending(target.log_tail)


# reasons that continue a sentence after the name of the job
_PREDICATES = ("ended as", "has been pending", "timed out")
