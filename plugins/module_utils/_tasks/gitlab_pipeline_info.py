# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The task of `gitlab_pipeline_info`: reads one pipeline."""

from __future__ import annotations

from .._app.fields import project_id_of
from .._app.jobs.bridges import downstream_record
from .._app.outcome import Outcome
from .._app.reads.pipelines import read_parts, read_pipeline_state, state_values, why_failed, with_details
from .._app.session import TaskContext
from .._app.waiting.loop import Wait
from .._app.waiting.schedule import finish
from .definition import NO_WAIT, TaskDefinition
from .options import CONNECTION, PIPELINE_SELECTION, PIPELINE_SELECTORS, pipeline_query, session_of, text_list
from .values.arguments import Options
from .values.waiting import PIPELINE_WAITING, pipeline_waiting

SPEC = CONNECTION.merged(
    PIPELINE_SELECTION,
    PIPELINE_WAITING,
    arguments={
        "include": {
            "type": "list",
            "elements": "str",
            "choices": ["variables", "test_report", "downstream", "jobs"],
            "default": [],
        }
    },
    required_one_of=(PIPELINE_SELECTORS,),
)


def run(options: Options, context: TaskContext) -> Outcome:
    query, waiting = pipeline_query(options), pipeline_waiting(options)
    include = text_list(options, "include")
    session = session_of(options, context, waiting)
    wait = Wait(session, waiting)
    state = finish(session, read_pipeline_state(session, query, wait), waiting, query.called)
    project = project_id_of(state.pipeline, query.project)
    state = with_details(session, state, project, wait, with_downstream="downstream" in include)
    values = {**state_values(session, state, wait), **read_parts(session, state, project, include)}
    if "downstream" in include and state.downstream is not None:
        values["downstream_pipelines"] = [downstream_record(session, node) for node in state.downstream]
    if "jobs" in include:
        values["jobs"] = [session.annotated("job", job.record) for job in state.jobs]
    return Outcome(values=values, failure=why_failed(state.problem, query, state))


TASK = TaskDefinition(
    name="gitlab_pipeline_info",
    spec=SPEC,
    work=run,
    empty_result={
        "pipeline": None,
        "failed_jobs": [],
        "summary": {},
        "variables": None,
        "test_report": None,
        "downstream_pipelines": None,
        "jobs": None,
        **NO_WAIT,
    },
)
