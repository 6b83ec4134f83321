# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The trigger jobs of a pipeline and the tree of pipelines below them: read, waited for, and drawn by Mermaid."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import RequestError, SelectionError
from ..fields import id_of, project_id_of, status_of
from ..jobs.bridges import Access, Ahead, BridgeNode, PipelineNode, jobs_of, pipeline_tree
from ..jobs.index import JobIndex
from ..jobs.query import FoundJob, JobQuery, sentences, suggestions
from ..jobs.selection import Chooser
from ..jobs.statuses import is_finished, is_optional, newest_per_name
from ..pipelines.find import first_job, read_pipeline
from ..session import Session
from ..waiting.loop import Wait, await_pipeline
from ..waiting.options import WaitOptions, end_problem, is_late, is_there, time_problem
from ..waiting.pipeline_end import explained_missing
from ..waiting.schedule import Steps


@dataclasses.dataclass
class BridgeReport:
    """What was read.

    :param late: the trigger jobs that need more waiting.
    :param is_settled: whether there is nothing left to wait for: nothing is late, or something never will be there.
    """

    root: PipelineNode
    pipeline: Record
    late: list[BridgeNode] = dataclasses.field(default_factory=list)
    is_settled: bool = False
    jobs: dict[int, list[Record]] = dataclasses.field(default_factory=dict)
    has_timed_out: bool = False
    timeline: list[Record] = dataclasses.field(default_factory=list)
    problem: str = ""

    @property
    def bridges(self) -> list[BridgeNode]:
        """Return the trigger jobs of all levels, those of one pipeline together."""
        return [bridge for node in self.root.walk() for bridge in node.bridges]


def read_bridges(
    session: Session, query: JobQuery, options: WaitOptions, *, depth: int = 1, include_jobs: bool = False
) -> Steps[BridgeReport]:
    """Return the trigger jobs and what they started; with `wait` when every downstream pipeline is where it should be.

    :param query: chooses among the trigger jobs of the pipeline itself, `all_bridges`; what is below is shown whole.
    :param depth: levels of trigger jobs, 0 for all.
    :param include_jobs: whether to read the jobs of the downstream pipelines as well.
    :raises SelectionError: when the pipeline or a name is not there.
    :raises TimedOutError: when there was no pipeline before the time was up.
    """
    wait = Wait(session, options)
    pipeline = yield from await_pipeline(session, query.pipeline, wait)
    project = project_id_of(pipeline, query.pipeline.project)
    polls = 0
    chooser = Chooser(query)
    access = Access(session.facts.readable)

    def tree() -> PipelineNode:
        return pipeline_tree(session, project, id_of(pipeline), most_depth=depth, access=access)

    def read() -> BridgeReport:
        nonlocal polls
        polls += 1
        root = tree()
        is_complete = bool(root.bridges) or query.is_empty or not wait.is_active
        if not is_complete and _is_complete(session, project, pipeline):
            # the list of trigger jobs may be older than that
            is_complete, root = True, tree()
        if is_complete:
            _keep_wanted(root, query, chooser)
        report = BridgeReport(root, pipeline, timeline=wait.timeline.entries)
        problems = (_problem(bridge, options, wait.is_active) for bridge in report.bridges)
        report.problem = sentences(list(filter(None, problems)))
        report.late = [bridge for bridge in report.bridges if not is_done(bridge)]
        report.is_settled = is_complete and (bool(report.problem) or not report.late)
        seen = [job for bridge in report.bridges for job in _observed(bridge)]
        wait.seen(seen, [_observed(bridge)[-1] for bridge in report.late])
        wait.pace(len(report.late))
        return report

    def is_done(bridge: BridgeNode) -> bool:
        """Return whether a trigger job needs no more waiting: its pipeline has come far enough, or never will."""
        has_come = is_there(bridge.downstream.record, options) if bridge.downstream else bridge.is_settled
        # nobody has to play an optional one
        return has_come or (is_optional(bridge.record) and not query.names)

    with explained_missing(session, query.pipeline):
        waited = yield from wait.until(read, lambda report: report.is_settled)
    report = waited.value
    report.has_timed_out = waited.has_timed_out
    is_missing = wait.is_active and not report.bridges
    if not waited.is_stale:
        is_old = polls > 1 or is_missing
        report.pipeline = yield from wait.once(lambda: read_pipeline(session, project, pipeline, is_old=is_old))
    errors = report.pipeline.get("yaml_errors") if is_missing else None
    if errors:
        raise SelectionError(
            f"the {query.pipeline.describe()} has no jobs, since its configuration is invalid: {errors}"
        )
    if is_missing and not (waited.has_timed_out or query.allow_empty):
        raise SelectionError(f"there is no trigger job to wait for in the {query.pipeline.describe()}")
    if report.has_timed_out:
        late = sentences(list(map(_late, report.late)))
        missing = f"there is no trigger job in the {query.pipeline.describe()}"
        report.problem = time_problem(options, late or missing)
    report.root.record = report.pipeline
    try:
        yield from wait.once(lambda: _check_access(session, report, depth))
        if include_jobs:
            report.jobs = yield from wait.once(lambda: _read_jobs(session, report.root))
    except RequestError as exc:
        if not is_late(session, exc):
            raise
        # what became of the wait is worth more
        session.warn(f"Not all of the downstream pipelines could be read when the time was up: {exc}")
    return report


def _is_complete(session: Session, project: str, pipeline: Record) -> bool:
    """Return whether no trigger job will be added: GitLab makes the jobs a moment after the pipeline."""
    if first_job(session, project, pipeline) is not None:
        return True
    return is_finished(status_of(read_pipeline(session, project, pipeline, is_old=True)))


def _keep_wanted(root: PipelineNode, query: JobQuery, chooser: Chooser) -> None:
    """Leave only the trigger jobs of the pipeline itself that were asked for.

    :raises SelectionError: for a name that there is not.
    """
    jobs = JobIndex(root.trigger_jobs, root.record)
    found = chooser.of_pipeline(jobs, pipeline=root.record, is_complete=True, ahead=Ahead(), unreadable=())
    for name in found.missing:
        hint = suggestions(found.known, name, what="trigger jobs")
        raise SelectionError(f"no trigger job {name!r} in the {query.pipeline.describe()}: {hint}")
    wanted = {job.path for job in found.jobs}
    root.bridges = [bridge for bridge in root.bridges if bridge.path in wanted and not query.is_empty]


def _problem(bridge: BridgeNode, options: WaitOptions, is_waiting: bool) -> str:
    record = bridge.downstream.record if bridge.downstream else bridge.record
    problem = end_problem(record, options, check_targets=is_waiting)
    if is_waiting and not bridge.downstream and status_of(record) == "success":
        # a pipeline was started, and what became of it nobody can tell: it may have been deleted
        return f"trigger job {bridge.path!r} ended as success, and GitLab names no pipeline that it has started"
    return _said(bridge, problem) if problem else ""


def _late(bridge: BridgeNode) -> str:
    status = status_of(bridge.downstream.record if bridge.downstream else bridge.record)
    has_to_be_played = status == "manual" and not bridge.downstream
    return _said(bridge, f"is still {status}") + ("; it has to be played" if has_to_be_played else "")


def _said(bridge: BridgeNode, what: str) -> str:
    """Return a sentence about the pipeline of a trigger job, or about one that has started none."""
    if bridge.downstream:
        return f"downstream pipeline {bridge.downstream.pipeline_id} of trigger job {bridge.path!r} {what}"
    return f"trigger job {bridge.path!r} {what} and has started no pipeline"


def _observed(bridge: BridgeNode) -> list[FoundJob]:
    """Return the trigger job and its downstream pipeline as things whose changes are noted."""
    jobs = [FoundJob({**bridge.record, "name": bridge.path}, "", 0, bridge.path, is_bridge=True)]
    node = bridge.downstream
    if node:
        record = {**node.record, "name": f"{bridge.path} -> pipeline {node.pipeline_id}"}
        jobs.append(FoundJob(record, node.project, node.pipeline_id, record["name"]))
    return jobs


def _check_access(session: Session, report: BridgeReport, depth: int) -> None:
    """Find out whether the pipelines at the edge of the tree, which were not entered, can be read.

    A child pipeline lives in the project of its parent, which could be read.
    """
    nodes = list(report.root.walk())
    edge = [inner for node in nodes for inner in node.below if inner.depth == depth and inner.project != node.project]

    def read(node: PipelineNode) -> None:
        if session.limits.reads_pipelines:
            session.client.call("get_pipeline", project=node.project, pipeline_id=node.pipeline_id)
        else:
            # it may list what is in a pipeline, and not read the pipeline itself
            first_job(session, node.project, {"id": node.pipeline_id})

    session.run_all(lambda node: node.readable("itself", lambda: read(node)), edge)


def _read_jobs(session: Session, root: PipelineNode) -> dict[int, list[Record]]:
    """Return the jobs of every pipeline below the root, by the id of the pipeline."""
    nodes = [node for node in root.walk() if node is not root and node.is_accessible]
    listed = session.run_all(lambda node: jobs_of(session, node), nodes)
    return {node.pipeline_id: newest_per_name(records) for node, records in zip(nodes, listed)}


# ----- picture -----


def mermaid(root: PipelineNode, clean: t.Callable[[str], str]) -> str:
    """Return a flowchart: a box for each pipeline with its status, an arrow for each trigger job with its own.

    :param clean: returns a text as one line that may be shown, before Mermaid's own encoding changes it.
    """
    lines = ["flowchart LR", f"    {_box(root, clean)}"]
    for node in root.walk():
        for bridge in node.bridges:
            label = _quoted(clean(f"{bridge.record.get('name')} ({status_of(bridge.record)})"))
            if bridge.downstream:
                lines.append(f"    p{node.pipeline_id} -->|{label}| {_box(bridge.downstream, clean)}")
            else:
                lines.append(f"    p{node.pipeline_id} -.->|{label}| none{id_of(bridge.record)}([no pipeline])")
    return "\n".join(lines) + "\n"


def _box(node: PipelineNode, clean: t.Callable[[str], str]) -> str:
    words = [f"pipeline {node.pipeline_id}", str(node.record.get("ref") or ""), status_of(node.record)]
    if not node.is_accessible:
        words.append("not accessible")
    return f"p{node.pipeline_id}[{_quoted(clean(' · '.join(word for word in words if word)))}]"


def _quoted(text: str) -> str:
    """Return a quoted label; quotes and what Mermaid reads as markup are written as entities."""
    for character, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        text = text.replace(character, entity)
    return f'"{text}"'
