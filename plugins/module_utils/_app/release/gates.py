# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One gate of a release against GitLab: runs the use cases for reading and acting, and turns reports into a result."""

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
from ..jobs.query import MAX_NAMES_IN_TEXT, FoundJob, JobQuery, listed, sentences
from ..jobs.selection import lacks_any
from ..jobs.statuses import STATUSES, failure_reason, is_active, is_finished, is_retryable, is_unsuccessful, phase_of
from ..pipelines.query import PipelineQuery
from ..reads.jobs import MAY_GROW, JobReading, JobReport, failure_of
from ..session import DENIAL_PAUSES_SECONDS, Session
from ..waiting.log_tails import log_ending, read_tail
from ..waiting.loop import Wait
from ..waiting.options import CANCEL_SECONDS, WaitOptions, end_problem, is_reached
from ..waiting.schedule import Pause, Steps
from .plan import Gate
from .run import GateResult, ProjectResult

# The outcomes of gates that acted, and the outcomes that check mode predicts.
_DONE = {row.name: row.participle for row in ACTIONS.values() if row.gate}
_PREDICTED = {
    name: f"would be {participle}" for name, participle in {"wait": "waited for", **_DONE, "verify": "verified"}.items()
}
# With these outcomes a gate opens, unless it selected no jobs.
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
        # a downstream pipeline that could not be started has no jobs that meet the requirement
        needs_all=gate.target != "finished",
        newest_attempt=True,
    )


def not_created_yet(gate: Gate) -> GateResult:
    """Return the prediction for a gate whose pipeline or job does not exist yet."""
    is_change = gate.mode == "at once"
    return GateResult(gate, outcome=_PREDICTED[gate.action], reason="it does not exist yet", has_changed=is_change)


class GateRun:
    """One gate whose pipeline is known.

    :param seen: the newest attempts that the gates of the release have seen, by job key.
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
            gate.waiting, targets=(gate.target,), fail_on=tuple(filter(is_unsuccessful, STATUSES))
        )

    def run(self) -> Steps[GateResult]:
        if self._session.check_mode and (yield from self._may_be_created_later()):
            return not_created_yet(self._gate)
        modes = {
            "wait": self._wait,
            "verify": self._verify,
            "at once": self._act,
            "after failure": self._act_after_failure,
        }
        result = yield from modes[self._gate.mode]()
        for seconds in DENIAL_PAUSES_SECONDS:
            if result.has_changed or not self._outdated(result):
                break
            yield Pause(seconds, self._session.deadline, is_urgent=True)
            result = yield from modes[self._gate.mode]()
        problem = self._outdated(result) if result.jobs else "it selected no jobs"
        if problem and result.outcome in _OPEN:
            result = dataclasses.replace(result, outcome="failed", reason=problem)
        retried = _retried_text(self._session, result)
        return dataclasses.replace(result, reason=_reason(retried, result.reason))

    def _may_be_created_later(self) -> Steps[bool]:
        """Return whether the gate lacks a job that may exist by the time a real run looks for it."""
        selection = yield from Wait(self._session, self._options).once(JobFinder(self._session, self._query).find)
        if self._has_predicted_changes():
            may_be_created = not selection.is_complete or self._gate.include_downstream
            return may_be_created and lacks_any(self._query, selection)
        return self._gate.mode != "verify" and selection.lacks and not selection.is_complete

    def _outdated(self, result: GateResult) -> str:
        """Return an error if GitLab shows an older attempt of a job than another gate has seen, else an empty string.

        A lagging replica of the database causes this.
        """
        old = next((job for job in result.jobs if job.id < self._seen.get(job.key, job.id)), None)
        return f"GitLab still shows {old.called}, but another gate has seen a newer attempt of it" if old else ""

    def _has_predicted_changes(self) -> bool:
        """Return whether, in check mode, an earlier gate would change what this gate finds."""
        return any(gate.is_prediction for gate in self._project.gates)

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
        if self._has_predicted_changes():
            return dataclasses.replace(result, outcome=_PREDICTED["verify"], reason=_reason(sentences(wrong), *missing))
        texts = [f"{state}, not {self._gate.target}" for state in wrong]
        return dataclasses.replace(result, outcome="failed", reason=_reason(sentences(texts), *missing))

    def _act_after_failure(self) -> Steps[GateResult]:
        """Wait for the jobs to end, and act on them if any of them ended unsuccessfully."""
        options = dataclasses.replace(self._gate.waiting, targets=("finished",))
        report = yield from JobReading(self._session, self._query, options).run()
        result = self._of_reading(report)
        late = self._of_problems(result, report, options)
        if late and report.has_timed_out and options.on_timeout == "cancel":
            return (yield from self._cancel(late))
        if late:
            return late
        # in check mode, jobs may still be active
        statuses = [job.status for job in report.jobs]
        if any(is_unsuccessful(status) or phase_of(status) == "ending" for status in statuses):
            return (yield from self._act(result))
        if not report.selection.is_complete or not all(map(is_finished, statuses)):
            return self._predict_wait(result, report, options)
        return dataclasses.replace(result, outcome="passed")

    def _cancel(self, late: GateResult) -> Steps[GateResult]:
        request = ActionRequest("cancel", multiple="all")
        session = self._session.best_effort(seconds=CANCEL_SECONDS)
        try:
            report = yield from ActionRun(session, self._query, request, WaitOptions()).run()
        except GitLabError as exc:
            return dataclasses.replace(late, reason=f"{late.reason}; nothing was canceled: {exc}")
        texts = [f"{target.job.called} was canceled" for target in report.targets if target.has_changed]
        reason = _reason(late.reason, sentences(texts), failure_text(report, request.action))
        return dataclasses.replace(self._of_action(late, report), has_timed_out=True, reason=reason)

    def _act(self, before: GateResult | None = None) -> Steps[GateResult]:
        """Play or retry the jobs, and return the result.

        :param before: the result of reading them first, None if they were not read.
        """
        report = yield from ActionRun(self._session, self._query, self._request, self._options).run()
        result = self._of_action(before or GateResult(self._gate), report)
        text = failure_text(report, self._request.action)
        if text:
            return self._of_refusals(result, report, text)
        # the reasons of unchanged jobs say what the action needs, which does not help if other jobs were changed
        shown = [target for target in report.targets if target.has_changed] or report.targets
        reason = sentences(list(dict.fromkeys(target.reason for target in shown if target.reason)))
        return dataclasses.replace(result, outcome=self._done(result), reason=reason)

    def _done(self, result: GateResult) -> str:
        """Return the outcome of an acting gate whose jobs are as required, or in check mode would be."""
        if result.has_changed:
            return (_PREDICTED if self._session.check_mode else _DONE)[self._gate.action]
        active = [job for job in result.jobs if is_active(job.status)]
        if self._session.check_mode and not all(is_reached(job.record, self._options) for job in active):
            return _PREDICTED["wait"]
        return "already done" if self._gate.mode == "at once" else "passed"

    # ----- results -----

    def _of_reading(self, report: JobReport) -> GateResult:
        """Return the result of reading, with the outcome still open."""
        return GateResult(
            self._gate,
            has_timed_out=report.has_timed_out,
            jobs=tuple(report.jobs),
            timeline=tuple(report.timeline),
        )

    def _of_action(self, before: GateResult, report: ActionReport) -> GateResult:
        """Return the result of an action, with the outcome still open."""
        # the action starts from the jobs that were read before, so these entries are not new
        known = {entry["id"] for entry in before.timeline}
        new_entries = [entry for entry in report.timeline if entry["from"] or entry["id"] not in known]
        return dataclasses.replace(
            before,
            has_changed=any(target.has_changed for target in report.targets),
            has_timed_out=report.has_timed_out,
            jobs=tuple(target.job for target in report.targets),
            timeline=(*before.timeline, *new_entries),
        )

    def _of_problems(self, result: GateResult, report: JobReport, options: WaitOptions) -> GateResult | None:
        """Return the result if jobs that were only read keep the gate shut, else None.

        It contains the end of the log of the first failed job.
        """
        text = failure_of(report, options)
        if not text:
            return None
        jobs = [job for job, _problem in report.problems if job]
        if report.has_timed_out and any(job.status == "manual" for job in jobs):
            text += "; manual jobs must be played, for example by a gate with action play"
        failed = next((job for job in jobs if job.status == "failed"), None)
        tail = (read_tail(self._session, failed, self._options.log_lines) or []) if failed else []
        text += log_ending(tail)
        has_ended = any(is_finished(job.status) for job in jobs)
        outcome = "timed out" if report.has_timed_out and not has_ended else "failed"
        return dataclasses.replace(result, outcome=outcome, reason=text, log_tail=tuple(tail))

    def _of_refusals(self, result: GateResult, report: ActionReport, text: str) -> GateResult:
        """Return the result of a gate if some jobs were refused or failed.

        :param text: these jobs, and the reasons.
        """
        action = self._gate.action
        if report.problem:
            return dataclasses.replace(result, outcome="timed out", reason=text)
        failed = [target for target in report.targets if target.outcome in ("refused", "failed")]
        states = sentences([_state(target.job) for target in failed])
        is_refused = all(target.outcome == "refused" for target in failed)
        if all(self._accepts_end(target) for target in failed):
            return dataclasses.replace(result, outcome=self._done(result), reason=states if is_refused else text)
        if is_refused and all(self._may_still_run(target.job) for target in failed):
            return dataclasses.replace(result, outcome=_PREDICTED[action], reason=states, has_changed=True)
        stopped = self._session.stop()
        if stopped and not result.has_changed and all(target.reason == stopped for target in failed):
            return dataclasses.replace(result, outcome="not reached", reason=stopped)
        read_logs(self._session, report, self._options.log_lines)
        log_tail = next((target.log_tail for target in failed if target.log_tail), [])
        text = failure_text(report, action) or ""
        outcome = "failed"
        if is_refused:
            outcome = "refused"
        elif report.has_timed_out and not any(
            target.ended_unsuccessfully or target.outcome == "refused" for target in failed
        ):
            outcome = "timed out"
        return dataclasses.replace(result, outcome=outcome, reason=text, log_tail=tuple(log_tail))

    def _accepts_end(self, target: Target) -> bool:
        """Return whether the gate accepts a job that ended unsuccessfully, or that had already ended."""
        record = target.job.record
        if not is_reached(record, self._options):
            return False
        has_run = bool(record.get("started_at"))
        if target.ended_unsuccessfully:
            return has_run or self._gate.target == "finished"
        # a gate that plays requires jobs that ran, and one with replay requires that they run again
        may_be_left = self._gate.mode == "after failure" or (has_run and self._request.replay == "never")
        return target.outcome == "refused" and is_finished(status_of(record)) and may_be_left

    # ----- states -----

    def _may_still_run(self, job: FoundJob) -> bool:
        """Return whether, in check mode, earlier gates would run this job again, or may cause a skipped job to run."""
        if job.status == "skipped" and self._has_predicted_changes():
            return True
        acted_on = (gate.jobs for gate in self._project.gates if gate.is_prediction and gate.has_changed)
        return any(job.key == each.key for each in itertools.chain.from_iterable(acted_on))

    def _predict_wait(self, result: GateResult, report: JobReport, options: WaitOptions) -> GateResult:
        """Return the result that check mode predicts for waiting: `failed` if a job ended in another state."""
        problems = [(job, end_problem(job.record, options)) for job in report.jobs]
        failed = [(job, problem) for job, problem in problems if problem and not self._may_still_run(job)]
        missing = sentences([_state(job) for job in report.jobs if not is_reached(job.record, options)])
        reason = _reason(missing, "" if report.selection.is_complete else MAY_GROW)
        if failed:
            reason = sentences([f"{job.called} {problem}" for job, problem in failed])
            return dataclasses.replace(result, outcome="failed", reason=reason)
        if reason:
            return dataclasses.replace(result, outcome=_PREDICTED["wait"], reason=reason)
        return dataclasses.replace(result, outcome="passed")


def _reason(*parts: str | None) -> str:
    return "; ".join(filter(None, parts))


def _state(job: FoundJob) -> str:
    return f"{job.called} is {job.status}{failure_reason(job.record)}"


def _retried_text(session: Session, result: GateResult) -> str:
    """Return which jobs anyone retried while the gate watched them, and after which failures.

    Earlier attempts are read only if there are such jobs.
    """
    attempts = collections.Counter(name for name, _id in {(entry["name"], entry["id"]) for entry in result.timeline})
    # two jobs can have the same path: a/b, and b below a
    jobs_per_path = collections.Counter(job.path for job in result.jobs)
    retried = [job for job in result.jobs if attempts[job.path] > jobs_per_path[job.path]]
    shown = retried[:MAX_NAMES_IN_TEXT]
    ends = itertools.chain(_former_ends(session, shown), itertools.repeat([]))
    after = (f" after {listed(each, 'and')}" if each else "" for each in ends)
    return sentences([f"{job.path} was retried{words}" for job, words in zip(retried, after)])


def _former_ends(session: Session, jobs: t.Sequence[FoundJob]) -> list[list[str]]:
    """Return how the earlier attempts of each job ended, empty if unknown or after the deadline."""
    attempts: list[list[Record]] = [[] for _job in jobs]
    if not session.deadline.has_passed():
        with contextlib.suppress(GitLabError):  # only used in a reason
            attempts = attempts_of(session.best_effort(), jobs, scope=list(filter(is_retryable, STATUSES)))
    ends = []
    for job, records in zip(jobs, attempts):
        former = sorted((record for record in records if id_of(record) < job.id), key=id_of)
        counts = collections.Counter(
            str(record.get("failure_reason") or f"status {status_of(record)}") for record in former
        )
        ends.append([f"{end} ({count} times)" if count > 1 else end for end, count in counts.items()])
    return ends
