# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The task of `gitlab_job_action`: acts on jobs."""

from __future__ import annotations

import typing as t

from .._api.decoding import Record
from .._api.errors import UsageError
from .._api.masking import one_line
from .._app.actions.act import ActionRun
from .._app.actions.actions import ACTIONS, Action
from .._app.actions.decisions import ActionRequest
from .._app.actions.targets import ActionReport, Target, failure_text, prediction_text, read_logs
from .._app.actions.write import delete_project_artifacts
from .._app.fields import project_fields, seconds_of
from .._app.jobs.mistaken import warn_of_mistaken_fields
from .._app.jobs.query import JobQuery
from .._app.jobs.statuses import WAIT_TARGETS
from .._app.outcome import Outcome
from .._app.pipelines.find import read_pipeline
from .._app.pipelines.query import with_pipeline
from .._app.session import Session, TaskContext
from .._app.waiting.schedule import finish
from .._app.writes.roles import refuse_job_token
from .definition import NO_DIFF, NO_WAIT, TaskDefinition
from .options import (
    CONNECTION,
    JOB_FILTERS,
    JOB_SELECTION,
    PIPELINE_SELECTORS,
    job_query,
    pipeline_query,
    session_of,
    text_list,
)
from .values.actions import JOB_ACTION_OPTIONS, action_request, refuse_misplaced
from .values.arguments import Options
from .values.mistakes import none_given
from .values.waiting import ACTION_WAITING, JOB_WAITING, wait_options

SPEC = CONNECTION.merged(
    JOB_SELECTION,
    JOB_WAITING,
    ACTION_WAITING,
    arguments={
        "action": {"type": "str", "required": True, "choices": list(ACTIONS)},
        **JOB_ACTION_OPTIONS,
        "force": {"type": "bool", "default": False},
        "whole_project": {"type": "bool", "default": False},
        "wait_for_approval": {"type": "bool", "default": False},
        "fields": {"type": "list", "elements": "str", "default": []},
        "wait_for": {"type": "list", "elements": "str", "choices": list(WAIT_TARGETS)},
    },
)

# The most jobs in the message of a failure; `results` has all of them.
_MAX_NAMED = 50
# The fields that explain a failure; for several jobs, they still fit on a screen.
_FAILURE_FIELDS = (
    "id",
    "name",
    "stage",
    "status",
    "failure_reason",
    "allow_failure",
    "web_url",
    "created_at",
    "started_at",
    "finished_at",
    "duration",
    "queued_duration",
    "annotations",
)
_SELECTORS = ("job_id", *PIPELINE_SELECTORS)


def run(options: Options, context: TaskContext) -> Outcome:
    if options.get("whole_project"):
        return _run_whole_project(options, context)
    query, request, waiting = _query(options), _request(options), wait_options(options)
    session = session_of(options, context, waiting)
    report = finish(session, ActionRun(session, query, request, waiting).run(), waiting, query.describe())
    read_logs(session, report, waiting.log_lines)
    failure = failure_text(report, request.action, limit=_MAX_NAMED)
    fields = text_list(options, "fields")
    jobs = [_record(session, target, fields or (_FAILURE_FIELDS if failure else ())) for target in report.targets]
    warn_of_mistaken_fields(session, fields, jobs, {name for target in report.targets for name in target.job.record})
    single = report.targets[0] if len(report.targets) == 1 else None
    values = {
        "jobs": jobs,
        # a failure is printed, so it shows the job only once
        "job": jobs[0] if single and not failure else None,
        "pipeline": _pipeline(session, query, report),
        "results": [_result(target) for target in report.targets],
        "id": single.after["id"] if single else None,
        "status": single.after["status"] if single else None,
        "web_url": single.job.record.get("web_url") if single else None,
        "queued": seconds_of(single.job.record.get("queued_duration")) if single else None,
        "timed_out": report.has_timed_out,
        "timeline": report.timeline,
    }
    return Outcome(
        changed=any(target.has_changed for target in report.targets),
        values=values,
        failure=failure and with_pipeline(failure, query.pipeline, report.pipeline),
        message=prediction_text(report, request.action) if session.check_mode else "",
        diff=_diff(report, ACTIONS[request.action]),
    )


def _run_whole_project(options: Options, context: TaskContext) -> Outcome:
    """Delete the artifacts of all jobs of a project, and return the outcome."""
    _request(options)  # raises for misplaced options
    for name in (*_SELECTORS, *JOB_FILTERS, "include_downstream"):
        # an empty list selects nothing, not everything, so it counts as set
        if options.get(name) not in (None, False):
            raise UsageError(f"{name} cannot be used with whole_project, which affects every job of the project")
    project = pipeline_query(options).project
    session = session_of(options, context)
    refuse_job_token(session, "delete_artifacts")
    problem = delete_project_artifacts(session, project)
    before = {"id": None, "status": None}
    after = "as they were" if problem else "expired, to be removed by GitLab"
    outcome = "failed" if problem else "applied"
    return Outcome(
        changed=not problem,
        values={
            "results": [{"name": project, "outcome": outcome, "reason": problem, "before": before, "after": before}],
        },
        failure=f"the artifacts of project {project} were not deleted: {problem}" if problem else None,
        message=f"would delete the artifacts of all jobs of project {project}" if session.check_mode else "",
        diff={"before": f"{project}: artifacts as they were\n", "after": f"{project}: artifacts {after}\n"},
    )


def _query(options: Options) -> JobQuery:
    action = options["action"]
    if all(options.get(name) is None for name in _SELECTORS):
        raise UsageError(none_given(_SELECTORS))
    # trigger jobs must be found to refuse actions other than play and retry
    query = job_query(
        options, with_bridges=True, all_bridges=ACTIONS[action].trigger_job is not None, newest_attempt=True
    )
    if query.is_whole:
        raise UsageError(
            f"action {action} needs name, stage, scope or job_id, so that it does not hit a whole pipeline by accident"
        )
    return query


def _request(options: Options) -> ActionRequest:
    refuse_misplaced({name: row.supported_options for name, row in ACTIONS.items()}, SPEC.arguments, options)
    request = action_request(options)
    if request.max_attempts is not None and not options.get("wait"):
        raise UsageError("max_attempts needs wait: true")
    return request


def _record(session: Session, target: Target, fields: t.Sequence[str]) -> Record:
    record = session.annotated("bridge" if target.job.is_bridge else "job", target.job.record)
    if fields:
        record = project_fields(record, fields)
    return record if target.log_tail is None else {**record, "log_tail": target.log_tail}


def _pipeline(session: Session, query: JobQuery, report: ActionReport) -> Record | None:
    """Return the pipeline of the jobs; it is read if no job contains it."""
    if not report.pipeline:
        return None
    pipeline = report.pipeline
    if "status" not in pipeline:
        pipeline = read_pipeline(session, query.pipeline.project, pipeline, is_old=True)
    return session.annotated("pipeline", pipeline)


def _result(target: Target) -> Record:
    return {
        "name": target.job.path,
        "outcome": target.outcome,
        "reason": one_line(target.reason),
        "before": target.before,
        "after": target.after,
    }


def _diff(report: ActionReport, action: Action) -> Record:
    """Return the states before and after, as Ansible shows them with `--diff`."""

    def line(target: Target, state: Record) -> str:
        return f"{one_line(target.job.path)}: {state['status']} (id {state['id'] or 'new'})"

    done = "" if action.status_after else f", {action.subject.format(job='the job')} {action.participle}"
    return {
        "before": "".join(f"{line(target, target.before)}\n" for target in report.targets),
        "after": "".join(
            f"{line(target, target.after)}{done if target.has_changed else ''}\n" for target in report.targets
        ),
    }


TASK = TaskDefinition(
    name="gitlab_job_action",
    spec=SPEC,
    work=run,
    empty_result={
        "jobs": [],
        "job": None,
        "pipeline": None,
        "results": [],
        "id": None,
        "status": None,
        "web_url": None,
        "queued": None,
        **NO_WAIT,
        **NO_DIFF,
    },
)
