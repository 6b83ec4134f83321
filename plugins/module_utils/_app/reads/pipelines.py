# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Read a pipeline with its failed jobs, downstream pipelines, variables and test report."""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from ..._api.decoding import Record
from ..._api.errors import DeniedError, RequestError, with_sentence
from ..fields import id_of, project_id_of, status_of
from ..jobs.attempts import read_pipeline_jobs
from ..jobs.bridges import PipelineNode, pipeline_tree
from ..jobs.mistaken import explained_missing
from ..jobs.query import FoundJob
from ..jobs.statuses import count_statuses, is_finished
from ..pipelines.find import read_pipeline
from ..pipelines.query import PipelineQuery, with_pipeline
from ..session import Session
from ..waiting.blockers import MAX_SINGLE_LINES
from ..waiting.log_tails import read_tail, significant_line
from ..waiting.loop import Wait, await_pipeline
from ..waiting.options import is_late
from ..waiting.pipeline_end import Following, PipelineState, failed_jobs, may_fail
from ..waiting.schedule import Steps

T = t.TypeVar("T")
# The maximum number of failed jobs whose logs are read.
MAX_LOGS = 20
_FAILED_FIELDS = ("id", "stage", "status", "failure_reason", "allow_failure", "web_url")


def read_pipeline_state(session: Session, query: PipelineQuery, wait: Wait) -> Steps[PipelineState]:
    """Return the pipeline of a query, with its jobs; with `wait`, as soon as it has reached a target.

    :raises SelectionError: if there is none, and the task does not wait for one.
    :raises TimedOutError: if there was none before the timeout.
    """
    pipeline = yield from await_pipeline(session, query, wait)
    with explained_missing(session, query):
        state = yield from Following(session, query.project, PipelineState(pipeline), wait).run()
    project = project_id_of(state.pipeline, query.project)
    # job records contain only some fields of their pipeline
    if "created_at" not in state.pipeline or "finished_at" not in state.pipeline:
        known = state.pipeline if state.has_timed_out else {"id": id_of(state.pipeline)}
        is_old = state.has_timed_out
        read = yield from wait.once(lambda: read_pipeline(session, project, known, is_old=is_old))
        state.pipeline = {**state.pipeline, **read}
    return state


def with_details(
    session: Session, state: PipelineState, project: str, wait: Wait, *, with_downstream: bool = False
) -> PipelineState:
    """Return a pipeline with its failed jobs and, after a wait, its downstream pipelines.

    :param with_downstream: whether to read all downstream pipelines even without a wait.
    """
    session, log_lines = session.best_effort(), wait.options.log_lines
    failed, root = failed_jobs(state), None
    if wait.is_active or with_downstream:
        problem = "The downstream pipelines of the pipeline cannot be read"
        # the result of the pipeline is more important
        root = _permitted(
            session, problem, lambda: pipeline_tree(session, project, id_of(state.pipeline)), forgives=wait.is_active
        )
    nodes = list(root.walk()) if root else []
    for node in nodes if wait.is_active else ():
        failed += _failed_in(session, node, known=failed)
    failed.sort(key=may_fail)
    # trigger jobs have no log
    logs = itertools.accumulate(int(not job.is_bridge) for job in failed)
    shown = [job for job, number in zip(failed, logs) if log_lines and number <= MAX_LOGS]
    tails = session.run_all(lambda job: read_tail(session, job, log_lines), shown)
    return dataclasses.replace(
        state, failed=list(itertools.zip_longest(failed, tails)), downstream=nodes[1:] if root else None
    )


def state_values(session: Session, state: PipelineState, wait: Wait) -> Record:
    """Return the return values that all tasks on pipelines have in common."""
    return {
        "pipeline": session.annotated("pipeline", state.pipeline),
        "failed_jobs": [
            {"name": job.path, **{name: job.record.get(name) for name in _FAILED_FIELDS}, "log_tail": tail}
            for job, tail in state.failed
        ],
        "summary": count_statuses(job.record for job in state.jobs),
        "timed_out": state.has_timed_out,
        "timeline": wait.timeline.entries,
    }


def why_failed(problem: str, query: PipelineQuery, state: PipelineState) -> str | None:
    """Return why a task fails, with details of its pipeline; None if it does not fail.

    :param problem: the problem of the pipeline and its jobs; empty if there is none.
    """
    if not problem:
        return None
    text = problem + (_unfinished_downstream(state) if state.has_timed_out else "")
    # trigger jobs have no log
    job, tail = next(((job, tail) for job, tail in state.failed if tail and not may_fail(job)), (None, None))
    if job and tail:
        text = with_sentence(text, f"The log of {job.called} ends with: {significant_line(tail)}")
    return with_pipeline(text, query, state.pipeline)


def read_parts(session: Session, state: PipelineState, project: str, names: t.Collection[str]) -> Record:
    """Return the wanted parts of a pipeline by name; None, with a warning, for a part that the token may not read."""
    client, pipeline_id = session.client, id_of(state.pipeline)
    parts: t.Mapping[str, t.Callable[[], t.Any]] = {
        "variables": lambda: client.call("get_pipeline_variables", project=project, pipeline_id=pipeline_id),
        "test_report": lambda: client.call("get_test_report", project=project, pipeline_id=pipeline_id),
    }
    return {
        name: _permitted(session, f"The {name.replace('_', ' ')} of the pipeline cannot be read", read)
        for name, read in parts.items()
        if name in names
    }


def _permitted(session: Session, problem: str, read: t.Callable[[], T], *, forgives: bool = False) -> T | None:
    """Return the result of a read; None, with a warning, if it is denied, missing or too late.

    A late read must not hide the result of the wait.

    :param forgives: whether any other error is only a warning, too.
    """
    try:
        return read()
    except RequestError as exc:
        if not (forgives or is_late(session, exc) or isinstance(exc, DeniedError)):
            raise
        session.warn(f"{problem}: {exc}")
        return None


def _failed_in(session: Session, node: PipelineNode, *, known: t.Sequence[FoundJob]) -> list[FoundJob]:
    """Return the failed jobs of a pipeline of a tree, with their paths.

    For the root and for pipelines that have not failed, return only trigger jobs, which costs no request.

    :param known: the jobs already known to have failed.
    """
    ids = {job.id for job in known}
    # oldest first
    bridges: list[FoundJob] = [job for job in reversed(node.bridges) if job.status == "failed" and job.id not in ids]
    if not (node.path and node.is_accessible and status_of(node.record) == "failed"):
        return bridges
    try:
        jobs = read_pipeline_jobs(session, node.project, node.pipeline_id)
    except RequestError as exc:
        session.warn(f"The jobs of downstream pipeline {node.pipeline_id} cannot be read: {exc}")
        return bridges
    found = failed_jobs(PipelineState(node.record, jobs))
    return [FoundJob(job.record, job.project, job.pipeline_id, node.path) for job in found] + bridges


def _unfinished_downstream(state: PipelineState) -> str:
    """Return the unfinished downstream pipelines, as the end of a sentence; empty if there are none."""
    late = [node for node in state.downstream or () if not is_finished(status_of(node.record))]
    shown = [
        f"downstream pipeline {node.pipeline_id} ({node.path}) is {status_of(node.record) or 'in an unknown state'}"
        for node in late[:MAX_SINGLE_LINES]
    ]
    return f"; {', '.join(shown)}" if shown else ""
