# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The task of `gitlab_pipeline_bridges`: reads the trigger jobs and the downstream pipelines of a pipeline."""

from __future__ import annotations

from .._api.decoding import Record
from .._api.errors import UsageError
from .._app.jobs.bridges import BridgeNode, downstream_record
from .._app.jobs.statuses import count_statuses
from .._app.outcome import Outcome
from .._app.reads.bridges import BridgeReading, BridgeReport, mermaid
from .._app.session import Session, TaskContext
from .._app.waiting.schedule import finish
from .definition import NO_WAIT, TaskDefinition
from .options import CONNECTION, PIPELINE_SELECTION, PIPELINE_SELECTORS, job_query, session_of
from .values.arguments import Options
from .values.waiting import WAITING, wait_options

SPEC = CONNECTION.merged(
    PIPELINE_SELECTION,
    WAITING,
    arguments={
        "name": {"type": "list", "elements": "str"},
        "scope": {"type": "list", "elements": "str"},
        "depth": {"type": "int", "default": 1},
        "include_jobs": {"type": "bool", "default": False},
        "allow_empty": {"type": "bool", "default": False},
    },
    required_one_of=(PIPELINE_SELECTORS,),
)


def run(options: Options, context: TaskContext) -> Outcome:
    query, depth = job_query(options, all_bridges=True), int(options.get("depth", 1))
    if depth < 0:
        raise UsageError(f"depth is {depth}; use 0 for the whole tree, or the number of levels to read")
    waiting = wait_options(options)
    session = session_of(options, context, waiting)
    steps = BridgeReading(session, query, waiting, depth=depth).run(include_jobs=bool(options.get("include_jobs")))
    report = finish(session, steps, waiting, f"trigger jobs of {query.pipeline.called}")
    downstream = [node for node in report.root.walk() if node is not report.root]
    values = {
        "bridges": [_bridge(session, report, bridge) for bridge in report.root.bridges],
        "downstream_pipelines": [downstream_record(session, node) for node in downstream],
        "pipeline": session.annotated("pipeline", report.pipeline),
        "summary": count_statuses(bridge.record for bridge in report.bridges),
        "graph": mermaid(report.root, session.client.masker.line),
        "timed_out": report.has_timed_out,
        "timeline": report.timeline,
    }
    return Outcome(values=values, failure=report.problem or None)


def _bridge(session: Session, report: BridgeReport, bridge: BridgeNode) -> Record:
    """Return a trigger job with the trigger jobs and jobs below it."""
    node = bridge.downstream
    record: Record = {
        **session.annotated("bridge", bridge.record),
        "depth": bridge.depth,
        "accessible": node.is_accessible if node else None,
        "bridges": [_bridge(session, report, inner) for inner in node.bridges] if node else [],
    }
    if node and node.pipeline_id in report.jobs:
        record["jobs"] = [session.annotated("job", job) for job in report.jobs[node.pipeline_id]]
    return record


TASK = TaskDefinition(
    name="gitlab_pipeline_bridges",
    spec=SPEC,
    work=run,
    empty_result={
        "bridges": [],
        "downstream_pipelines": [],
        "pipeline": None,
        "summary": {},
        "graph": "",
        **NO_WAIT,
    },
)
