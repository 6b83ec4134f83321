# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Read the trigger jobs and downstream pipelines of a pipeline, wait for them, and draw them with Mermaid."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import RequestError, SelectionError
from ..fields import id_of, project_id_of, status_of
from ..jobs.bridges import Access, BridgeNode, PipelineNode, jobs_of, pipeline_tree
from ..jobs.index import JobIndex
from ..jobs.mistaken import explained_missing
from ..jobs.query import FoundJob, JobQuery, sentences, suggestions
from ..jobs.selection import Chooser
from ..jobs.statuses import is_finished, is_optional, newest_per_name
from ..pipelines.find import first_job, read_pipeline
from ..session import Session
from ..waiting.loop import Wait, await_pipeline
from ..waiting.options import WaitOptions, end_problem, ends_wait, is_late, time_problem
from ..waiting.schedule import Steps


@dataclasses.dataclass
class BridgeReport:
    """The result of a reading.

    :param late: the trigger jobs that the task still has to wait for.
    :param is_settled: whether the wait is over: nothing is late, or a target can no longer be reached.
    """

    root: PipelineNode
    timeline: list[Record]
    late: list[BridgeNode] = dataclasses.field(default_factory=list)
    is_settled: bool = False
    jobs: dict[int, list[Record]] = dataclasses.field(default_factory=dict)
    has_timed_out: bool = False
    problem: str = ""

    @property
    def pipeline(self) -> Record:
        """Return the last known record of the pipeline."""
        return self.root.record

    @property
    def bridges(self) -> list[BridgeNode]:
        """Return the trigger jobs of all levels, grouped by pipeline."""
        return [bridge for node in self.root.walk() for bridge in node.bridges]


class BridgeReading:
    """One reading of the trigger jobs and downstream pipelines of a pipeline, with all polls that it needs.

    :param query: selects trigger jobs of the pipeline itself, with `all_bridges`; deeper levels are shown completely.
    :param depth: levels of trigger jobs, 0 for all.
    """

    def __init__(self, session: Session, query: JobQuery, options: WaitOptions, *, depth: int) -> None:
        self._session = session
        self._query = query
        self._options = options
        self._depth = depth
        self._wait = Wait(session, options)
        self._chooser = Chooser(query)
        self._access = Access(session.facts.readable)
        self._pipeline: Record = {}
        self._project = query.pipeline.project
        self._polls = 0

    def run(self, *, include_jobs: bool) -> Steps[BridgeReport]:
        """Return the trigger jobs; with `wait`, as soon as every downstream pipeline has reached a target.

        :param include_jobs: whether to read the jobs of the downstream pipelines as well.
        :raises SelectionError: if the pipeline or a name does not exist.
        :raises TimedOutError: if there was no pipeline before the timeout.
        """
        wanted = self._query.pipeline
        self._pipeline = yield from await_pipeline(self._session, wanted, self._wait)
        self._project = project_id_of(self._pipeline, wanted.project)
        with explained_missing(self._session, wanted):
            waited = yield from self._wait.until(self._read, lambda report: report.is_settled)
        report = waited.value
        report.has_timed_out = waited.has_timed_out
        is_missing = self._wait.is_active and not report.bridges
        if not waited.is_stale:
            is_old = self._polls > 1 or is_missing
            report.root.record = yield from self._wait.once(
                lambda: read_pipeline(self._session, self._project, self._pipeline, is_old=is_old)
            )
        errors = report.pipeline.get("yaml_errors") if is_missing else None
        if errors:
            raise SelectionError(f"{wanted.called} has no jobs because its configuration is invalid: {errors}")
        if is_missing and not (report.has_timed_out or self._query.allow_empty):
            raise SelectionError(f"there is no trigger job to wait for in {wanted.called}")
        if report.has_timed_out:
            late = sentences(list(map(_late, report.late)))
            report.problem = time_problem(self._options, late or f"there is no trigger job in {wanted.called}")
        try:
            yield from self._wait.once(lambda: self._check_access(report))
            if include_jobs:
                report.jobs = yield from self._wait.once(lambda: self._read_jobs(report.root))
        except RequestError as exc:
            if not is_late(self._session, exc):
                raise
            # the result of the wait is more important
            self._session.warn(f"Not all downstream pipelines could be read before the task timed out: {exc}")
        return report

    def _read(self) -> BridgeReport:
        self._polls += 1
        root = self._tree()
        is_complete = bool(root.bridges) or self._query.is_empty or not self._wait.is_active
        if not is_complete and self._is_complete():
            # the list of trigger jobs may be older; reading it again is part of the same poll
            if self._polls == 1:
                self._access.end()
            is_complete, root = True, self._tree()
        if is_complete:
            self._keep_wanted(root)
        report = BridgeReport(root, self._wait.timeline.entries)
        report.problem = sentences(list(filter(None, map(self._problem, report.bridges))))
        report.late = [bridge for bridge in report.bridges if not self._is_done(bridge)]
        report.is_settled = is_complete and (bool(report.problem) or not report.late)
        seen = [job for bridge in report.bridges for job in _observed(bridge)]
        self._wait.seen(seen, [_observed(bridge)[-1] for bridge in report.late])
        self._wait.pace(len(report.late))
        return report

    def _tree(self) -> PipelineNode:
        pipeline_id = id_of(self._pipeline)
        root = pipeline_tree(self._session, self._project, pipeline_id, max_depth=self._depth, access=self._access)
        root.record = self._pipeline
        return root

    def _is_complete(self) -> bool:
        """Return whether all trigger jobs exist: GitLab creates the jobs a moment after the pipeline."""
        if first_job(self._session, self._project, self._pipeline) is not None:
            return True
        return is_finished(status_of(read_pipeline(self._session, self._project, self._pipeline, is_old=True)))

    def _keep_wanted(self, root: PipelineNode) -> None:
        """Keep only the selected trigger jobs of the pipeline itself.

        :raises SelectionError: if a name does not exist.
        """
        query = self._query
        jobs = JobIndex(root.bridges, root.record)
        found = self._chooser.of_pipeline(jobs, pipeline=root.record, is_complete=True)
        for name in found.missing:
            hint = suggestions(found.known, name, what="trigger jobs")
            raise SelectionError(f"no trigger job {name!r} in {query.pipeline.called}: {hint}")
        wanted = {job.path for job in found.jobs}
        root.bridges = [bridge for bridge in root.bridges if bridge.path in wanted and not query.is_empty]

    def _is_done(self, bridge: BridgeNode) -> bool:
        """Return whether the wait for a trigger job is over: its pipeline has reached a target, or never will."""
        is_over = ends_wait(bridge.downstream.record, self._options) if bridge.downstream else bridge.is_settled
        # no one has to play an optional trigger job
        return is_over or (is_optional(bridge.record) and not self._query.names)

    def _problem(self, bridge: BridgeNode) -> str:
        is_waiting = self._wait.is_active
        if is_waiting and not bridge.downstream and bridge.status == "success":
            # a pipeline was started, but may have been deleted: its result is unknown
            return f"trigger job {bridge.path!r} ended as success, but GitLab lists no pipeline that it started"
        record = bridge.downstream.record if bridge.downstream else bridge.record
        problem = end_problem(record, self._options, check_targets=is_waiting)
        return _sentence(bridge, problem) if problem else ""

    def _check_access(self, report: BridgeReport) -> None:
        """Check whether the token can read the pipelines at the edge of the tree, which were not entered.

        Child pipelines need no check: they are in the project of their parent, which could be read.
        """
        self._access.end()
        below = [(inner, node) for node in report.root.walk() for inner in node.below]
        edge = [inner for inner, node in below if inner.depth == self._depth and inner.project != node.project]

        def read(node: PipelineNode) -> Record | None:
            return first_job(self._session, node.project, {"id": node.pipeline_id})

        self._session.run_all(lambda node: node.readable("jobs", lambda: read(node)), edge)

    def _read_jobs(self, root: PipelineNode) -> dict[int, list[Record]]:
        """Return the jobs of every pipeline below the root, by the id of the pipeline."""
        nodes = [node for node in root.walk() if node is not root and node.is_accessible]
        listed = self._session.run_all(lambda node: jobs_of(self._session, node), nodes)
        return {node.pipeline_id: newest_per_name(records) for node, records in zip(nodes, listed)}


def _late(bridge: BridgeNode) -> str:
    status = status_of(bridge.downstream.record if bridge.downstream else bridge.record)
    has_to_be_played = status == "manual" and not bridge.downstream
    return _sentence(bridge, f"is still {status}") + ("; it must be played" if has_to_be_played else "")


def _sentence(bridge: BridgeNode, what: str) -> str:
    """Return a sentence about the pipeline of a trigger job, or about a trigger job without a pipeline."""
    if bridge.downstream:
        return f"downstream pipeline {bridge.downstream.pipeline_id} of trigger job {bridge.path!r} {what}"
    return f"trigger job {bridge.path!r} {what} and has started no pipeline"


def _observed(bridge: BridgeNode) -> list[FoundJob]:
    """Return the trigger job and its downstream pipeline as entries for the timeline."""
    node = bridge.downstream
    if node is None:
        return [bridge]
    record = {**node.record, "name": f"{bridge.path} -> pipeline {node.pipeline_id}"}
    return [bridge, FoundJob(record, node.project, node.pipeline_id)]


# ----- picture -----


def mermaid(root: PipelineNode, clean: t.Callable[[str], str]) -> str:
    """Return a flowchart with a box for each pipeline and an arrow for each trigger job, with their statuses.

    :param clean: returns a string as one line that may be shown; called before encoding for Mermaid.
    """
    lines = ["flowchart LR", f"    {_box(root, clean)}"]
    for node in root.walk():
        for bridge in node.bridges:
            label = _quoted(clean(f"{bridge.record.get('name')} ({bridge.status})"))
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
    """Return a quoted label, with quotes and Mermaid markup as entities."""
    for character, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        text = text.replace(character, entity)
    return f'"{text}"'
