# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The task of `gitlab_job_info`: reads jobs."""

from __future__ import annotations

from .._api.errors import UsageError
from .._app.fields import project_fields
from .._app.jobs.mistaken import warn_of_mistaken_fields
from .._app.jobs.query import JobQuery
from .._app.jobs.statuses import count_statuses
from .._app.outcome import Outcome
from .._app.pipelines.query import with_pipeline
from .._app.reads.jobs import JobReading, failure_of
from .._app.session import TaskContext
from .._app.waiting.log_tails import read_tail
from .._app.waiting.schedule import finish
from .definition import NO_WAIT, TaskDefinition
from .options import CONNECTION, JOB_SELECTION, job_query, session_of, text_list
from .values.arguments import Options
from .values.waiting import JOB_WAITING, wait_options

SPEC = CONNECTION.merged(
    JOB_SELECTION,
    JOB_WAITING,
    arguments={
        "include_retried": {"type": "bool", "default": False},
        "limit": {"type": "int", "default": 1000},
        "fields": {"type": "list", "elements": "str", "default": []},
    },
)


def run(options: Options, context: TaskContext) -> Outcome:
    query = _query(options)
    waiting = wait_options(options)
    session = session_of(options, context, waiting)
    steps = JobReading(session, query, waiting, with_pipeline=True).run()
    report = finish(session, steps, waiting, query.describe())
    fields = text_list(options, "fields")
    records = [session.annotated("job", job.record) for job in report.jobs]
    jobs = [project_fields(record, fields) for record in records] if fields else records
    if waiting.log_lines:
        tails = session.run_all(lambda job: read_tail(session, job, waiting.log_lines), report.jobs)
        jobs = [{**job, "log_tail": tail} for job, tail in zip(jobs, tails)]
    warn_of_mistaken_fields(session, fields, jobs, report.known_fields)
    values = {
        "jobs": jobs,
        "job": jobs[0] if len(jobs) == 1 else None,
        "pipeline": session.annotated("pipeline", report.pipeline) if report.pipeline else None,
        "summary": count_statuses(job.record for job in report.jobs),
        "truncated": len(report.jobs) < len(report.selection.jobs),
        "timed_out": report.has_timed_out,
        "timeline": report.timeline,
    }
    failure = with_pipeline(failure_of(report, waiting), query.pipeline, report.pipeline)
    return Outcome(values=values, failure=failure or None)


def _query(options: Options) -> JobQuery:
    query = job_query(
        options,
        include_retried=bool(options.get("include_retried")),
        newest_attempt=bool(options.get("wait")),
        fields=() if options.get("wait") else text_list(options, "fields"),
        limit=int(options.get("limit") or 0),
    )
    if query.limit < 0:
        raise UsageError(f"limit is {query.limit}; use 0 for all jobs, or a positive number")
    if not query.pipeline.is_given and query.job_id is None:
        for name in ("include_downstream", "wait"):
            if options.get(name):
                raise UsageError(f"{name} needs a pipeline; set pipeline_id, ref, sha or merge_request")
    if query.include_retried and options.get("wait"):
        raise UsageError("include_retried cannot be used with wait, which follows the newest attempt")
    return query


TASK = TaskDefinition(
    name="gitlab_job_info",
    spec=SPEC,
    work=run,
    empty_result={
        "jobs": [],
        "job": None,
        "pipeline": None,
        "summary": {},
        "truncated": False,
        **NO_WAIT,
    },
)
