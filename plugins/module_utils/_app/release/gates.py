# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""One gate of a release against GitLab: by the use cases for reading and acting, whose reports it makes a result of."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import GitLabError, SelectionError
from ..actions.act import ActionReport, ActionRun, Target, failure_text, refuse_job_token
from ..actions.actions import ACTIONS, ActionRequest
from ..jobs.find import JobFinder
from ..jobs.query import FoundJob, JobQuery, shortened
from ..jobs.statuses import has_reached, id_of, int_of, is_finished, status_of
from ..pipelines.query import PipelineQuery, find_pipeline, missing_pipeline, read_pipeline
from ..reads.jobs import JobReport, read_jobs
from ..session import Session
from ..waiting.logs import read_tail
from ..waiting.options import WaitOptions, end_problem
from ..waiting.pauses import Pauses
from .plan import Gate
from .run import GateResult, ProjectResult

_BAD_ENDS = ("failed", "canceled", "skipped")
# What check mode calls the outcome of a gate.
_PREDICTED = {
    "wait": "would be waited for",
    **{row.name: f"would be {row.participle}" for row in ACTIONS.values() if row.gate},
    "verify": "would be verified",
}

OpenSession = t.Callable[[ProjectResult, Gate, t.Callable[[], str]], Session]


class GateRunner:
    """Runs the gates of a release.

    :param open_session: returns a session for a gate, which has the time that the gate has.
    :param log_lines: how much of the log of a failed job is kept.
    """

    def __init__(self, open_session: OpenSession, *, log_lines: int) -> None:
        self._open_session = open_session
        self._log_lines = log_lines

    def __call__(self, project: ProjectResult, result: GateResult, stop: t.Callable[[], str]) -> None:
        """Run a gate, and note in its result what became of it.

        :param stop: returns why nothing new may be begun any more.
        :raises GitLabError: when GitLab cannot be asked, or has no such pipeline or job.
        """
        session = self._open_session(project, result.gate, stop)
        result.started_at = session.clock.time()
        try:
            _GateRun(session, project, result, self._log_lines).run()
        finally:
            result.finished_at = session.clock.time()
            result.elapsed = session.elapsed()


class _GateRun:
    def __init__(self, session: Session, project: ProjectResult, result: GateResult, log_lines: int) -> None:
        self._session = session
        self._project = project
        self._gate = result.gate
        self._result = result
        self._log_lines = log_lines

    def run(self) -> None:
        if self._gate.action in ACTIONS:
            refuse_job_token(self._session, self._gate.action)
        if self._project.pipeline is None:
            self._project.pipeline = self._locate()
        if self._project.pipeline is None or (self._session.check_mode and self._is_still_to_come()):
            self._settle(_PREDICTED[self._gate.action], "it does not exist yet")
            self._result.has_changed = self._gate.way == "at once"
            return
        ways = {
            "wait": self._wait,
            "verify": self._verify,
            "at once": self._act_at_once,
            "after a bad end": self._act_after_a_bad_end,
        }
        ways[self._gate.way]()

    # ----- the pipeline -----

    def _locate(self) -> Record | None:
        """Return the pipeline, as soon as there is one; None in check mode when it may still come."""
        query = self._project.plan.pipeline
        pauses = Pauses(self._session, self._waiting().interval_seconds)
        pipeline = find_pipeline(self._session, query)
        while pipeline is None and self._may_wait and pauses.pause():
            self._session.check_stop()
            pipeline = find_pipeline(self._session, query)
        if pipeline is None:
            if self._session.check_mode and self._project.plan.needs:
                return None
            raise SelectionError(missing_pipeline(query))
        return read_pipeline(self._session, query, pipeline)

    @property
    def _may_wait(self) -> bool:
        return self._gate.action != "verify" and not self._session.check_mode

    def _is_still_to_come(self) -> bool:
        """Return whether a job of the gate is missing, and may still be created."""
        selection = JobFinder(self._session, self._query()).find()
        may_be_created = self._gate.include_downstream and self._has_predecessor_at_work()
        return bool(selection.missing) and (not selection.is_complete or may_be_created)

    def _has_predecessor_at_work(self) -> bool:
        """Return whether in check mode something before this gate would change what it finds."""
        return any(gate.outcome.startswith("would") for gate in self._project.gates)

    # ----- what the use cases take -----

    def _query(self, **how: t.Any) -> JobQuery:
        pipeline = self._project.pipeline or {}
        project = str(int_of(pipeline, "project_id") or self._project.plan.pipeline.project)
        return JobQuery(
            PipelineQuery(project, pipeline_id=id_of(pipeline)),
            names=self._gate.names,
            stages=self._gate.stages,
            include_downstream=self._gate.include_downstream,
            **{"with_bridges": True, "newest_attempt": True, **how},
        )

    def _waiting(self, **how: t.Any) -> WaitOptions:
        options = {name: value for name, value in self._gate.options.items() if value is not None}
        return WaitOptions.of({**options, "wait": True})._replace(**how)

    # ----- actions -----

    def _wait(self) -> None:
        fail_on = _BAD_ENDS if self._gate.target == "success" else ()
        options = self._waiting(targets=(self._gate.target,), fail_on=fail_on)
        report = read_jobs(self._session, self._query(), options)
        self._note_read(report)
        if self._session.check_mode:
            self._predict_wait(report.jobs, options)
        elif report.problems:
            self._fail_read(report)
        else:
            self._settle("unchanged")

    def _verify(self) -> None:
        report = read_jobs(self._session, self._query(), WaitOptions())
        self._note_read(report)
        options = self._waiting(targets=(self._gate.target,))
        wrong = [job for job in report.jobs if not self._is_right(job, options)]
        if not wrong:
            self._settle("unchanged")
        elif self._session.check_mode and self._has_predecessor_at_work():
            self._settle(_PREDICTED["verify"], "; ".join(_state(job) for job in wrong))
        else:
            self._fail("; ".join(f"{_state(job)}, which is not {self._gate.target}" for job in wrong))

    def _act_at_once(self) -> None:
        target = "started" if self._gate.target == "started" else "finished"
        self._act(self._gate.action, self._waiting(targets=(target,), fail_on=_BAD_ENDS))

    def _act_after_a_bad_end(self) -> None:
        """Wait for the end of the jobs, and act on them if it is a bad one."""
        options = self._waiting(targets=("finished",))
        report = read_jobs(self._session, self._query(), options)
        self._note_read(report)
        if report.problems:
            self._fail_read(report)
        elif not all(is_finished(status_of(job.record)) for job in report.jobs):
            self._predict_wait(report.jobs, options)
        elif all(status_of(job.record) == "success" for job in report.jobs):
            self._settle("unchanged", "it has succeeded already")
        else:
            self._act(self._gate.action, options._replace(fail_on=_BAD_ENDS))

    def _act(self, action: str, options: WaitOptions) -> None:
        given = self._gate.options
        request = ActionRequest(
            action=action,
            multiple=given.get("multiple") or "error",
            variables=self._gate.variables,
            inputs=given.get("job_inputs"),
            replay=given.get("replay") or "never",
            retry_on=tuple(given.get("retry_on") or ()),
            max_attempts=given.get("max_attempts"),
        )
        report = ActionRun(self._session, self._query(), request, options).run()
        self._note_action(report)
        problem = failure_text(report, action)
        if problem:
            self._fail_action(report, action)
        elif self._session.check_mode and self._result.has_changed:
            self._settle(_PREDICTED[action], _reasons(report))
        else:
            self._settle("applied" if self._result.has_changed else "unchanged", _reasons(report))

    def _fail_action(self, report: ActionReport, action: str) -> None:
        stopped = self._session.stop()
        bad = [target for target in report.targets if target.outcome in ("refused", "failed")]
        if all(self._is_end_enough(target) for target in bad):
            self._settle("applied" if self._result.has_changed else "unchanged", failure_text(report, action) or "")
            return
        if all(target.outcome == "refused" and self._may_come_right(target.job) for target in bad):
            self._settle(_PREDICTED[action], "; ".join(_state(target.job) for target in bad))
            self._result.has_changed = True
            return
        if stopped and not self._result.has_changed and all(target.reason == stopped for target in bad):
            self._settle("not reached", stopped)
            return
        for target in bad:
            if target.has_ended_badly:
                target.log_tail = read_tail(self._session, target.job, self._log_lines)
                self._result.log_tail = self._result.log_tail or target.log_tail or []
        text = failure_text(report, action) or ""
        if report.has_timed_out:
            text += self._why_late([target.job for target in bad])
        self._fail(text, "refused" if all(target.outcome == "refused" for target in bad) else "failed")

    def _is_end_enough(self, target: Target) -> bool:
        """Return whether a job that has ended badly, or is not retried any more, is what the gate asks for."""
        has_ended = target.has_ended_badly or (
            self._gate.way == "after a bad end" and is_finished(status_of(target.job.record))
        )
        return self._gate.target == "finished" and has_ended

    # ----- results -----

    def _note_read(self, report: JobReport) -> None:
        self._note_jobs(report.jobs)
        self._result.has_timed_out = report.has_timed_out
        self._result.timeline += report.timeline

    def _note_action(self, report: ActionReport) -> None:
        self._note_jobs([target.job for target in report.targets])
        self._result.has_changed = any(target.has_changed for target in report.targets)
        self._result.has_timed_out = report.has_timed_out
        # what was read before is where the action begins, so it is no news
        known = {entry["id"] for entry in self._result.timeline}
        self._result.timeline += [entry for entry in report.timeline if entry["from"] or entry["id"] not in known]

    def _note_jobs(self, jobs: t.Sequence[FoundJob]) -> None:
        kind = {True: "bridge", False: "job"}
        self._result.jobs = [
            {**self._session.annotated(kind[job.is_bridge], job.record), "path": job.path} for job in jobs
        ]
        queued = [job.record.get("queued_duration") for job in jobs]
        told = [seconds for seconds in queued if isinstance(seconds, (int, float))]
        self._result.queued = max(told) if told else None

    def _settle(self, outcome: str, reason: str = "") -> None:
        self._result.outcome, self._result.reason = outcome, reason

    def _fail(self, reason: str, outcome: str = "failed") -> None:
        self._settle(outcome, reason)

    def _fail_read(self, report: JobReport) -> None:
        """Note why jobs that were only read do not open the gate, with the end of the log of the first that failed."""
        text = "; ".join(self._problem(job, problem) for job, problem in report.problems)
        failed = next((job for job, _problem in report.problems if job and status_of(job.record) == "failed"), None)
        if failed:
            self._result.log_tail = read_tail(self._session, failed, self._log_lines) or []
        if self._result.log_tail:
            text += f". Its log ends with: {self._result.log_tail[-1]}"
        self._fail(text)

    def _problem(self, job: FoundJob | None, problem: str) -> str:
        if job is None:
            return problem
        late = self._why_late([job]) if self._result.has_timed_out else ""
        return f"job {job.path!r} (id {job.id}) {problem}{late}"

    # ----- states -----

    def _may_come_right(self, job: FoundJob) -> bool:
        """Return whether check mode finds a job skipped that the gates before this one would bring back."""
        is_skipped = status_of(job.record) == "skipped"
        return is_skipped and self._session.check_mode and self._has_predecessor_at_work()

    def _is_right(self, job: FoundJob, options: WaitOptions) -> bool:
        if has_reached(status_of(job.record), options.targets):
            return True
        return bool(job.record.get("allow_failure")) and options.ignore_allowed_failures and _is_failed(job)

    def _predict_wait(self, jobs: t.Sequence[FoundJob], options: WaitOptions) -> None:
        """Note in check mode what waiting would come to: a job that has ended elsewhere never gets there."""
        problems = [(job, end_problem(job.record, options)) for job in jobs]
        bad = [self._problem(job, problem) for job, problem in problems if problem and not self._may_come_right(job)]
        missing = [_state(job) for job in jobs if not self._is_right(job, options)]
        if bad:
            self._fail("; ".join(bad))
        elif missing:
            self._settle(_PREDICTED["wait"], "; ".join(missing))
        else:
            self._settle("unchanged")

    def _why_late(self, jobs: t.Sequence[FoundJob]) -> str:
        """Return what else may keep jobs from their turn, as a sentence of its own."""
        if any(status_of(job.record) == "manual" for job in jobs):
            return "; it is a manual job, which somebody has to play, as action play does"
        blocked = next((job for job in jobs if status_of(job.record) == "created"), None)
        if blocked is None:
            return ""
        try:
            names = self._manual_jobs(blocked)
        except GitLabError:
            return ""  # the hint is not worth another error
        return f"; its pipeline waits for manual jobs to be played: {shortened(names)}" if names else ""

    def _manual_jobs(self, job: FoundJob) -> list[str]:
        """Return the names of the manual jobs that block the pipeline of a job."""
        listed = self._session.client.list_all(
            "list_pipeline_jobs", project=job.project, pipeline_id=job.pipeline_id, scope=["manual"]
        )
        return sorted(str(record.get("name")) for record in listed if not record.get("allow_failure"))


def _is_failed(job: FoundJob) -> bool:
    return status_of(job.record) == "failed"


def _state(job: FoundJob) -> str:
    return f"job {job.path!r} (id {job.id}) is {status_of(job.record)}"


def _reasons(report: ActionReport) -> str:
    return "; ".join(dict.fromkeys(target.reason for target in report.targets if target.reason))
