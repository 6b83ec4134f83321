# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Trigger jobs (GitLab's code calls them bridges) and the tree of pipelines that they start."""

from __future__ import annotations

import dataclasses
import re
import typing as t
from urllib.parse import unquote, urlsplit

from ..._api.decoding import Record
from ..._api.errors import BadAnswerError, DeniedError, NotFoundError
from ..fields import id_of, pipeline_of, project_id_of
from ..session import BRIDGE_ENDPOINTS, Session
from .query import FoundJob
from .statuses import is_finished, newest_per_name

T = t.TypeVar("T")
# GitLab allows 1000 pipelines in a tree by default; administrators can raise the limit.
MAX_PIPELINES = 10_000
DEEPEST_TREE = 100
# The maximum number of consecutive polls with a denial that may be temporary.
MAX_DENIALS = 3
_PIPELINE_PAGE = r"^(?P<project>.+?)(?:/-)?/pipelines/\d+$"


class Access:
    """The parts of a polled tree that the token could read; later denials of them may be temporary.

    So may denials of pipelines started after the first poll, which shows what the token may read.

    :param granted: what could be read before.
    """

    def __init__(self, granted: set[t.Hashable]) -> None:
        self._granted = granted
        # what the token may not read
        self._denied: set[t.Hashable] = set()
        self._polls = 0
        # the number of consecutive polls with a denial that may be temporary, and whether this one has one
        self._uncertain_polls = 0
        self._is_uncertain = False

    def begin(self) -> None:
        """Start another poll of the tree."""
        self._polls += 1
        self._uncertain_polls = self._uncertain_polls + 1 if self._is_uncertain else 0
        self._is_uncertain = False

    def end(self) -> None:
        """Treat the following reads as those of a first poll."""
        self._polls = 0

    def grant(self, what: t.Hashable) -> None:
        self._granted.add(what)

    def is_in_doubt(self, what: t.Hashable) -> bool:
        """Return whether a denial may be temporary."""
        is_new = self._polls > 1 and what not in self._denied
        if what in self._granted or is_new:
            self._is_uncertain = self._uncertain_polls < MAX_DENIALS
            if self._is_uncertain:
                return True
        self._granted.discard(what)
        self._denied.add(what)
        return False


@dataclasses.dataclass(eq=False)
class PipelineNode:
    """A pipeline of the tree, with its trigger jobs.

    :param path: names of the trigger jobs that lead here, joined by slashes; empty for the root.
    :param is_accessible: False if the token may not read it or its project.
    :param is_repeated: whether it occurs elsewhere in the tree, too, where its own downstream pipelines are shown.
    """

    project: str
    pipeline_id: int
    path: str = ""
    depth: int = 0
    record: Record = dataclasses.field(default_factory=dict)
    is_accessible: bool = True
    access: Access = dataclasses.field(default_factory=lambda: Access(set()))
    is_repeated: bool = False
    bridges: list[BridgeNode] = dataclasses.field(default_factory=list)

    @property
    def below(self) -> list[PipelineNode]:
        """Return the pipelines that its trigger jobs started."""
        return [bridge.downstream for bridge in self.bridges if bridge.downstream]

    def readable(self, what: str, read: t.Callable[[], T]) -> T | None:
        """Return the result of `read`; if the token may not read the pipeline, mark it inaccessible and return None.

        :param what: what is read of the pipeline, such as `jobs`.
        :raises RequestError: if the pipeline is the root, if the denial may be temporary, or for any other error.
        """
        if not self.is_accessible:
            return None
        try:
            found = read()
        except DeniedError as exc:
            # The user asked for the root. Downstream pipelines may belong to others, but only a denial by GitLab itself
            # with a valid token shows this.
            is_of_others = bool(self.path) and exc.status != 401 and not exc.is_foreign
            if not is_of_others or self.access.is_in_doubt((self.pipeline_id, what)):
                raise
            self.is_accessible = False
            return None
        self.access.grant((self.pipeline_id, what))
        return found

    def walk(self) -> t.Iterator[PipelineNode]:
        """Yield this pipeline and every one below it once, depth first."""
        yield self
        for inner in self.below:
            if not inner.is_repeated:
                yield from inner.walk()


class BridgeNode(FoundJob):
    """A trigger job of a tree, and the pipeline that it started, if any."""

    __slots__ = ("depth", "downstream")

    def __init__(self, record: Record, node: PipelineNode) -> None:
        super().__init__(record, node.project, node.pipeline_id, node.path, is_bridge=True)
        # 1 for the trigger jobs of the root pipeline
        self.depth = node.depth + 1
        self.downstream: PipelineNode | None = None

    @property
    def is_settled(self) -> bool:
        """Return whether the downstream pipeline exists or will never be created."""
        return bool(self.record.get("downstream_pipeline")) or is_finished(self.status)


def list_bridges(session: Session, project: str, pipeline_id: int) -> list[Record]:
    """Return the trigger jobs of a pipeline, newest first, without superseded ones.

    `trigger_jobs` replaced `bridges` in GitLab 19.2; a server with neither endpoint has no trigger jobs. A 404 response
    that is not from GitLab does not prove that an endpoint is missing. After one node of a cluster has listed trigger
    jobs, the 404 of another node, which may have another version, does not prove it either.
    """
    facts = session.facts
    missing: NotFoundError | None = None
    for endpoint in facts.bridge_endpoints:
        try:
            records = session.client.list_all(endpoint, project=project, pipeline_id=pipeline_id)
        except NotFoundError as exc:
            if not exc.is_missing_endpoint and not exc.is_foreign:
                raise
            missing = exc if exc.is_foreign or facts.has_bridges else missing
        else:
            facts.has_bridges = True
            for record in records[:1]:
                session.client.name_project(project_id_of(pipeline_of(record) or {}, project), project)
            facts.bridge_endpoints = tuple(sorted(BRIDGE_ENDPOINTS, key=lambda other: other != endpoint))
            return newest_per_name(records)
    if missing:
        raise missing
    facts.bridge_endpoints = ()
    session.warn("This GitLab server has no list of trigger jobs, so downstream pipelines cannot be followed.")
    return []


def trigger_jobs(session: Session, project: str, pipeline_id: int) -> list[FoundJob]:
    """Return the trigger jobs of a pipeline, newest first, without superseded ones."""
    records = list_bridges(session, project, pipeline_id)
    return [FoundJob(record, project, pipeline_id, is_bridge=True) for record in records]


def pipeline_tree(
    session: Session, project: str, pipeline_id: int, *, max_depth: int = 0, access: Access | None = None
) -> PipelineNode:
    """Return a pipeline with its trigger jobs and the tree of downstream pipelines.

    The pipelines of one level are read concurrently; repeated pipelines are not entered again.

    :param max_depth: levels of trigger jobs to read; 0 for all.
    :param access: what could be read in earlier polls of the tree.
    :raises BadAnswerError: if the tree does not end.
    """
    access = access or Access(set())
    access.begin()
    root = PipelineNode(project=project, pipeline_id=pipeline_id, access=access)
    seen = {pipeline_id}
    level = [root]
    while level and (not max_depth or level[0].depth < max_depth):
        session.run_all(lambda node: _read_bridges(session, node), level)
        below = [inner for node in level for inner in node.below]
        level = []
        for node in below:
            # pipeline ids are unique on a server, whatever the project
            node.is_repeated = node.pipeline_id in seen
            if not node.is_repeated:
                seen.add(node.pipeline_id)
                level.append(node)
        if len(seen) > MAX_PIPELINES or (level and level[0].depth > DEEPEST_TREE):
            raise BadAnswerError(f"the tree of downstream pipelines does not end; {len(seen)} pipelines were seen")
    return root


def jobs_of(session: Session, node: PipelineNode, **filters: t.Any) -> list[Record]:
    """Return the jobs of a pipeline of the tree; if the token may not read them, mark it inaccessible and return none.

    :param filters: parameters of the list of jobs.
    """
    listed = node.readable(
        "jobs",
        lambda: session.client.list_all(
            "list_pipeline_jobs", project=node.project, pipeline_id=node.pipeline_id, **filters
        ),
    )
    return listed or []


def downstream_record(session: Session, node: PipelineNode) -> Record:
    """Return a downstream pipeline as a return value of tasks."""
    return {
        **session.annotated("pipeline", node.record),
        "path": node.path,
        "depth": node.depth,
        "accessible": node.is_accessible,
    }


def _read_bridges(session: Session, node: PipelineNode) -> None:
    """Fill in the trigger jobs of a pipeline; if the token may not read them, mark it inaccessible."""
    records = node.readable("trigger jobs", lambda: list_bridges(session, node.project, node.pipeline_id))
    node.bridges = [BridgeNode(record, node) for record in records or ()]
    for bridge in node.bridges:
        bridge.downstream = _downstream_of(session, node, bridge)


def _downstream_of(session: Session, parent: PipelineNode, bridge: BridgeNode) -> PipelineNode | None:
    summary = bridge.record.get("downstream_pipeline")
    if not isinstance(summary, dict) or not id_of(summary):
        return None
    return PipelineNode(
        # very old servers send no project id, only the web address
        project=project_id_of(summary, project_path(session, summary) or parent.project),
        pipeline_id=id_of(summary),
        path=bridge.path,
        depth=bridge.depth,
        record=summary,
        access=parent.access,
    )


def project_path(session: Session, summary: Record) -> str:
    """Return the project path from the web address of a pipeline, or an empty string."""
    install_path = urlsplit(session.client.settings.api_url).path[: -len("/api/v4")]
    try:
        page = unquote(urlsplit(str(summary.get("web_url") or "")).path)
    except ValueError:
        return ""
    found = re.match(_PIPELINE_PAGE, page.removeprefix(install_path).strip("/"))
    return found.group("project") if found else ""
