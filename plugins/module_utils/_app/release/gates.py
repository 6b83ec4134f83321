# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One gate of a release against GitLab: by the use cases for reading and acting, whose reports it makes a result of."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import itertools
import typing as t

from ..._api.decoding import Record
from ..._api.errors import GitLabError
from ..actions.act import ActionRun
from ..actions.actions import ACTIONS
from ..actions.decisions import ActionRequest
from ..actions.targets import ActionReport, Target, failure_text, read_logs
from ..fields import id_of, project_id_of, status_of
from ..jobs.attempts import attempts_of
from ..jobs.find import JobFinder
from ..jobs.query import MOST_NAMES_IN_TEXT, FoundJob, JobQuery, listed, sentences
from ..jobs.selection import lacks_any
from ..jobs.statuses import STATUSES, is_bad_end, is_finished, is_retryable, is_under_way, phase_of
from ..pipelines.query import PipelineQuery
from ..reads.jobs import MAY_GROW, JobReading, JobReport, failure_of
from ..session import PASSING_PAUSES_SECONDS, Session
from ..waiting.log_tails import last_words, read_tail
from ..waiting.loop import Wait
from ..waiting.options import CANCEL_SECONDS, WaitOptions, end_problem, failure_reason, is_reached
from ..waiting.schedule import Pause, Steps
from .plan import Gate
from .run import GateResult, ProjectResult

# What check mode calls the outcome of a gate, and what a gate has come to that did something.
_DONE = {row.name: row.participle for row in ACTIONS.values() if row.gate}
_PREDICTED = {
    name: f"would be {participle}" for name, participle in {"wait": "waited for", **_DONE, "verify": "verified"}.items()
}
# A gate opens for jobs, never for none.
_OPEN = ("passed", "already done", *_DONE.values())


def jobs_of(session: Session, project: ProjectResult, gate: Gate, pipeline: Record) -> JobQuery:
    project_id = project_id_of(pipeline, project.plan.pipeline.project)
    called = session.client.project_called(project_id)
    return JobQuery(
        PipelineQuery(project_id, pipeline_id=id_of(pipeline), project_called=called),
        names=gate.names,
        may_be_split=True,
        stages=gate.stages,
        include_downstream=gate.include_downstream,
        with_bridges=True,
        # a failed trigger job of a stage must not be overlooked
        all_bridges=True,
        # what could not be started has no jobs that could be as required
        needs_all=gate.target != "finished",
        newest_attempt=True,
    )


def to_come(gate: Gate) -> GateResult:
    """Return what check mode says of a gate whose pipeline or job does not exist yet."""
    is_change = gate.way == "at once"
    return GateResult(gate, outcome=_PREDICTED[gate.action], reason="it does not exist yet", has_changed=is_change)


class GateRun:
    """One gate whose pipeline is known.

    :param seen: the newest attempts that the gates of the release have seen, by the keys of their jobs.
    """

    def __init__(
        self, session: Session, project: ProjectResult, gate: Gate, pipeline: Record, seen: t.Mapping[t.Any, int]
    ) -> None:
        self._session = session
        self._project = project
        self._gate = gate
        self._query = jobs_of(session, project, gate, pipeline)
        self._request = gate.request or ActionRequest(gate.action)
        self._seen = seen
        self._options = dataclasses.replace(
            gate.waiting, targets=(gate.target,), fail_on=tuple(filter(is_bad_end, STATUSES))
        )

    def run(self) -> Steps[GateResult]:
        if self._session.check_mode and (yield from self._is_still_to_come()):
            return to_come(self._gate)
        ways = {
            "wait": self._wait,
            "verify": self._verify,
            "at once": self._act,
            "after a bad end": self._act_after_a_bad_end,
        }
        result = yield from ways[self._gate.way]()
        for seconds in PASSING_PAUSES_SECONDS:
            if result.has_changed or not self._behind(result):
                break
            yield Pause(seconds, self._session.deadline, is_urgent=True)
            result = yield from ways[self._gate.way]()
        problem = self._behind(result) if result.jobs else "it has selected no job"
        if problem and result.outcome in _OPEN:
            result = dataclasses.replace(result, outcome="failed", reason=problem)
        retried = _retried_text(self._session, result)
        return dataclasses.replace(result, reason=_reason(retried, result.reason))

    def _is_still_to_come(self) -> Steps[bool]:
        """Return whether a job of the gate is missing that may be there when a real run comes to look for it."""
        selection = yield from Wait(self._session, self._options).once(JobFinder(self._session, self._query).find)
        if self._has_predecessor_at_work():
            may_be_created = not selection.is_complete or self._gate.include_downstream
            return may_be_created and lacks_any(self._query, selection)
        return self._gate.way != "verify" and selection.lacks and not selection.is_complete

    def _behind(self, result: GateResult) -> str:
        """Return that a job is shown as it was before an attempt that another gate has seen; empty if it is not.

        A replica of the database that is behind does so.
        """
        old = next((job for job in result.jobs if job.id < self._seen.get(job.key, job.id)), None)
        return f"GitLab still shows {old.called}, of which another gate has seen a newer attempt" if old else ""

    def _has_predecessor_at_work(self) -> bool:
        """Return whether in check mode something before this gate would change what it finds."""
        return any(gate.outcome.startswith("would") for gate in self._project.gates)

    # ----- actions -----

    def _wait(self) -> Steps[GateResult]:
        options = self._options
        if self._gate.target != "success":
            options = dataclasses.replace(options, fail_on=())
        report = yield from JobReading(self._session, self._query, options).run()
        result = self._of_reading(report)
        if self._session.check_mode:
            return self._predict_wait(result, report, options)
        return self._of_problems(result, report, options) or dataclasses.replace(result, outcome="passed")

    def _verify(self) -> Steps[GateResult]:
        report = yield from JobReading(self._session, self._query, WaitOptions(), is_judged=True).run()
        result = self._of_reading(report)
        wrong = [_state(job) for job in report.jobs if not is_reached(job.record, self._options)]
        missing = [] if report.selection.is_complete else [MAY_GROW]
        if not wrong and not missing:
            return dataclasses.replace(result, outcome="passed")
        if self._has_predecessor_at_work():
            return dataclasses.replace(result, outcome=_PREDICTED["verify"], reason=_reason(sentences(wrong), *missing))
        told = [f"{state}, which is not {self._gate.target}" for state in wrong]
        return dataclasses.replace(result, outcome="failed", reason=_reason(sentences(told), *missing))

    def _act_after_a_bad_end(self) -> Steps[GateResult]:
        """Wait for the end of the jobs, and act on them if it is a bad one."""
        options = dataclasses.replace(self._gate.waiting, targets=("finished",))
        report = yield from JobReading(self._session, self._query, options).run()
        result = self._of_reading(report)
        late = self._of_problems(result, report, options)
        if late and report.has_timed_out and options.on_timeout == "cancel":
            return (yield from self._cancel(late))
        if late:
            return late
        # in check mode some may still be under way
        statuses = [job.status for job in report.jobs]
        if any(is_bad_end(status) or phase_of(status) == "ending" for status in statuses):
            return (yield from self._act(result))
        if not report.selection.is_complete or not all(map(is_finished, statuses)):
            return self._predict_wait(result, report, options)
        return dataclasses.replace(result, outcome="passed")

    def _cancel(self, late: GateResult) -> Steps[GateResult]:
        request = ActionRequest("cancel", multiple="all")
        session = self._session.in_passing(seconds=CANCEL_SECONDS)
        try:
            report = yield from ActionRun(session, self._query, request, WaitOptions()).run()
        except GitLabError as exc:
            return dataclasses.replace(late, reason=f"{late.reason}; nothing was canceled: {exc}")
        texts = [f"{target.job.called} was canceled" for target in report.targets if target.has_changed]
        reason = _reason(late.reason, sentences(texts), failure_text(report, request.action))
        return dataclasses.replace(self._of_action(late, report), has_timed_out=True, reason=reason)

    def _act(self, before: GateResult | None = None) -> Steps[GateResult]:
        """Return what became of playing or retrying.

        :param before: what was read before that, None for nothing.
        """
        report = yield from ActionRun(self._session, self._query, self._request, self._options).run()
        result = self._of_action(before or GateResult(self._gate), report)
        text = failure_text(report, self._request.action)
        if text:
            return self._of_refusals(result, report, text)
        # what was left alone says what the action would need, which is of no use beside jobs that were acted on
        told = [target for target in report.targets if target.has_changed] or report.targets
        reason = sentences(list(dict.fromkeys(target.reason for target in told if target.reason)))
        return dataclasses.replace(result, outcome=self._done(result), reason=reason)

    def _done(self, result: GateResult) -> str:
        """Return what a gate that acts has come to when its jobs are as required, or in check mode would become so."""
        if result.has_changed:
            return (_PREDICTED if self._session.check_mode else _DONE)[self._gate.action]
        under_way = [job for job in result.jobs if is_under_way(job.status)]
        if self._session.check_mode and not all(is_reached(job.record, self._options) for job in under_way):
            return _PREDICTED["wait"]
        return "already done" if self._gate.way == "at once" else "passed"

    # ----- results -----

    def _of_reading(self, report: JobReport) -> GateResult:
        """Return what reading has shown, its outcome still open."""
        return GateResult(
            self._gate,
            has_timed_out=report.has_timed_out,
            jobs=tuple(report.jobs),
            timeline=tuple(report.timeline),
        )

    def _of_action(self, before: GateResult, report: ActionReport) -> GateResult:
        """Return what an action has shown, its outcome still open."""
        # what was read before is where the action begins, so it is no news
        known = {entry["id"] for entry in before.timeline}
        news = [entry for entry in report.timeline if entry["from"] or entry["id"] not in known]
        return dataclasses.replace(
            before,
            has_changed=any(target.has_changed for target in report.targets),
            has_timed_out=report.has_timed_out,
            jobs=tuple(target.job for target in report.targets),
            timeline=(*before.timeline, *news),
        )

    def _of_problems(self, result: GateResult, report: JobReport, options: WaitOptions) -> GateResult | None:
        """Return why jobs that were only read do not open the gate, with the end of the log of the first that failed.

        None when they open it.
        """
        text = failure_of(report, options)
        if not text:
            return None
        jobs = [job for job, _problem in report.problems if job]
        if report.has_timed_out and any(job.status == "manual" for job in jobs):
            text += "; somebody has to play a manual job, as action play does"
        failed = next((job for job in jobs if job.status == "failed"), None)
        tail = (read_tail(self._session, failed, self._options.log_lines) or []) if failed else []
        text += last_words(tail)
        has_ended = any(is_finished(job.status) for job in jobs)
        outcome = "timed out" if report.has_timed_out and not has_ended else "failed"
        return dataclasses.replace(result, outcome=outcome, reason=text, log_tail=tuple(tail))

    def _of_refusals(self, result: GateResult, report: ActionReport, text: str) -> GateResult:
        """Return what becomes of the gate when some jobs were refused or have failed.

        :param text: which, and why.
        """
        action = self._gate.action
        if report.problem:
            return dataclasses.replace(result, outcome="timed out", reason=text)
        bad = [target for target in report.targets if target.outcome in ("refused", "failed")]
        states = sentences([_state(target.job) for target in bad])
        is_refused = all(target.outcome == "refused" for target in bad)
        if all(self._is_end_enough(target) for target in bad):
            return dataclasses.replace(result, outcome=self._done(result), reason=states if is_refused else text)
        if is_refused and all(self._may_come_right(target.job) for target in bad):
            return dataclasses.replace(result, outcome=_PREDICTED[action], reason=states, has_changed=True)
        stopped = self._session.stop()
        if stopped and not result.has_changed and all(target.reason == stopped for target in bad):
            return dataclasses.replace(result, outcome="not reached", reason=stopped)
        read_logs(self._session, report, self._options.log_lines)
        log_tail = next((target.log_tail for target in bad if target.log_tail), [])
        text = failure_text(report, action) or ""
        outcome = "failed"
        if is_refused:
            outcome = "refused"
        elif report.has_timed_out and not any(target.has_ended_badly or target.outcome == "refused" for target in bad):
            outcome = "timed out"
        return dataclasses.replace(result, outcome=outcome, reason=text, log_tail=tuple(log_tail))

    def _is_end_enough(self, target: Target) -> bool:
        """Return whether a job that has ended badly, or had ended before, is what the gate asks for all the same."""
        record = target.job.record
        if not is_reached(record, self._options):
            return False
        has_run = bool(record.get("started_at"))
        if target.has_ended_badly:
            return has_run or self._gate.target == "finished"
        # a gate that plays is for jobs that run, and one with replay for those that run again
        may_be_left = self._gate.way == "after a bad end" or (has_run and self._request.replay == "never")
        return target.outcome == "refused" and is_finished(status_of(record)) and may_be_left

    # ----- states -----

    def _may_come_right(self, job: FoundJob) -> bool:
        """Return whether check mode finds a job skipped that the gates before this one would bring back."""
        return job.status == "skipped" and self._has_predecessor_at_work()

    def _predict_wait(self, result: GateResult, report: JobReport, options: WaitOptions) -> GateResult:
        """Return in check mode what waiting would come to: a job that has ended elsewhere never gets there."""
        problems = [(job, end_problem(job.record, options)) for job in report.jobs]
        bad = [(job, problem) for job, problem in problems if problem and not self._may_come_right(job)]
        missing = sentences([_state(job) for job in report.jobs if not is_reached(job.record, options)])
        reason = _reason(missing, "" if report.selection.is_complete else MAY_GROW)
        if bad:
            reason = sentences([f"{job.called} {problem}" for job, problem in bad])
            return dataclasses.replace(result, outcome="failed", reason=reason)
        if reason:
            return dataclasses.replace(result, outcome=_PREDICTED["wait"], reason=reason)
        return dataclasses.replace(result, outcome="passed")


def _reason(*parts: str | None) -> str:
    return "; ".join(filter(None, parts))


def _state(job: FoundJob) -> str:
    return f"{job.called} is {job.status}{failure_reason(job.record)}"


def _retried_text(session: Session, result: GateResult) -> str:
    """Return which jobs were retried while they were looked at, by whomever, and after which failures.

    A list is read for it only if there are such jobs.
    """
    attempts = collections.Counter(name for name, _id in {(entry["name"], entry["id"]) for entry in result.timeline})
    # jobs of one path are possible: a/b, and b below a
    alike = collections.Counter(job.path for job in result.jobs)
    retried = [job for job in result.jobs if attempts[job.path] > alike[job.path]]
    shown = retried[:MOST_NAMES_IN_TEXT]
    ends = itertools.chain(_former_ends(session, shown), itertools.repeat([]))
    after = (f" after {listed(each, 'and')}" if each else "" for each in ends)
    return sentences([f"{job.path} was retried{words}" for job, words in zip(retried, after)])


def _former_ends(session: Session, jobs: t.Sequence[FoundJob]) -> list[list[str]]:
    """Return how the earlier attempts of each job have ended; nothing where that is not known, or without time."""
    attempts: list[list[Record]] = [[] for _job in jobs]
    if not session.deadline.has_passed():
        with contextlib.suppress(GitLabError):  # it is only to be told
            attempts = attempts_of(session.in_passing(), jobs, scope=list(filter(is_retryable, STATUSES)))
    ends = []
    for job, records in zip(jobs, attempts):
        former = sorted((record for record in records if id_of(record) < job.id), key=id_of)
        counts = collections.Counter(str(record.get("failure_reason") or status_of(record)) for record in former)
        ends.append([f"{end} ({count} times)" if count > 1 else end for end, count in counts.items()])
    return ends
