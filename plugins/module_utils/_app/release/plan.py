# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The plan of a release: projects, their gates in order, and the needs between projects."""

from __future__ import annotations

import dataclasses
import graphlib
import typing as t

from ..._api.errors import UsageError
from ..actions.actions import ACTIONS
from ..actions.decisions import ActionRequest
from ..jobs.query import MAX_NAMES_IN_TEXT, suggestions
from ..pipelines.query import PipelineQuery, RunRequest
from ..waiting.options import WaitOptions

REQUIREMENTS = ("success", "finished", "started", "playable", "optional")
STRATEGIES = ("fail_fast", "collect")

_READING = ("include_downstream", "ignore_allowed_failures")
_WAITING = (*_READING, "pending_timeout", "wait_timeout", "wait_interval")
_ACTING = ("multiple", "on_timeout")
# The actions of gates, with the options that not every gate supports.
GATE_ACTIONS: dict[str, tuple[str, ...]] = {
    "wait": _WAITING,
    **{row.name: (*row.supported_options, *_ACTING, *_WAITING) for row in ACTIONS.values() if row.gate},
    "verify": _READING,
    "run": ("variables", "inputs", "reuse", "wait_timeout"),
}


@dataclasses.dataclass(frozen=True)
class Gate:
    """One gate: jobs, what to do with them, and the state that they must reach.

    :param downstream: whether to search downstream pipelines, None if the names decide.
    :param request: how to act, None for a gate that only reads.
    :param start: the pipeline to start, None for a gate on jobs.
    """

    names: tuple[str, ...]
    action: str
    stages: tuple[str, ...] = ()
    require: str = "success"
    downstream: bool | None = None
    waiting: WaitOptions = WaitOptions(wait=True)
    request: ActionRequest | None = None
    start: RunRequest | None = None

    @property
    def mode(self) -> str:
        """Return how the gate treats its jobs: `wait`, `verify`, or the value of `gate` for its action."""
        return ACTIONS[self.action].gate if self.action in ACTIONS else self.action

    @property
    def acts(self) -> bool:
        """Return whether the gate can change something."""
        return self.request is not None or self.start is not None

    @property
    def title(self) -> str:
        """Return the name of the gate in the record."""
        if self.start is not None:
            return f"pipeline of {self.start.ref}"
        return ", ".join(name.strip() for name in self.names) or "stage " + ", ".join(self.stages)

    @property
    def called(self) -> str:
        """Return the name of the gate in messages, with only the first of many job names."""
        more = len(self.names) - MAX_NAMES_IN_TEXT
        first = dataclasses.replace(self, names=self.names[:MAX_NAMES_IN_TEXT])
        return f"gate {first.title!r}" + (f" and {more} more names" if more > 0 else "")

    @property
    def target(self) -> str:
        """Return the state that the jobs must reach."""
        return "success" if self.require == "optional" else self.require

    @property
    def is_optional(self) -> bool:
        """Return whether the release continues if the gate does not open."""
        return self.require == "optional"

    @property
    def include_downstream(self) -> bool:
        """Return whether to search downstream pipelines: as set, else if a name contains a slash."""
        return any("/" in name for name in self.names) if self.downstream is None else self.downstream


@dataclasses.dataclass(frozen=True)
class ProjectPlan:
    """The gates of one project, in order.

    :param name: its name in the `needs` of others; defaults to the project itself.
    """

    name: str
    pipeline: PipelineQuery
    gates: tuple[Gate, ...]
    needs: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class ReleasePlan:
    """All projects, in the given order."""

    projects: tuple[ProjectPlan, ...]
    strategy: str = "fail_fast"


def make_plan(projects: t.Sequence[ProjectPlan], strategy: str) -> ReleasePlan:
    """Return the plan for these projects.

    :raises UsageError: if it can never be carried out.
    """
    if not projects:
        raise UsageError("the release has no projects; add at least one with a gate")
    names = [project.name for project in projects]
    for project in projects:
        if names.count(project.name) > 1:
            raise UsageError(f"two projects are called {project.name!r}; give each project a unique name")
        _check_project(project, names)
    try:
        graphlib.TopologicalSorter({project.name: project.needs for project in projects}).prepare()
    except graphlib.CycleError as exc:
        # each project in the list must come before the next one
        circle = " needs ".join(reversed(exc.args[1]))
        raise UsageError(f"the needs of the projects form a cycle: {circle}") from None
    return ReleasePlan(tuple(projects), strategy)


def _check_project(project: ProjectPlan, names: t.Sequence[str]) -> None:
    where = f"project {project.name!r}"
    if not project.gates:
        raise UsageError(f"{where} has no gates; add at least one, or remove the project")
    if not project.pipeline.is_given:
        raise UsageError(f"{where} specifies no pipeline; set one of ref, sha, merge_request or pipeline_id")
    if project.pipeline.is_overdetermined:
        raise UsageError(
            f"{where} specifies more than one pipeline; pipeline_id and merge_request cannot be used together, or with "
            "ref or sha"
        )
    for need in project.needs:
        if need not in names:
            raise UsageError(f"{where} needs {need!r}, which is not one of the projects: {suggestions(names, need)}")
    for number, gate in enumerate(project.gates, 1):
        _check_gate(project, gate, f"gate {number} of {where}")


def _check_gate(project: ProjectPlan, gate: Gate, where: str) -> None:
    if gate.start is not None:
        if gate is not project.gates[0]:
            raise UsageError(f"{where}: run must be the first gate of its project, because the others use its pipeline")
        if project.pipeline.ref is None:
            raise UsageError(f"{where}: run needs ref, the branch or tag whose pipeline it starts")
        if project.pipeline.sources:
            raise UsageError(f"{where}: pipeline_source cannot be used with run")
        if gate.names or gate.stages:
            raise UsageError(f"{where}: run starts a whole pipeline; set name and stage in the gates after it")
        if gate.require != "success":
            raise UsageError(f"{where}: require cannot be used with run; set it in the gates after it")
        return
    if not gate.names and not gate.stages:
        raise UsageError(f"{where} selects no jobs; set name or stage")
    if gate.mode == "at once" and gate.require == "playable":
        raise UsageError(f"{where}: require playable cannot be used with {gate.action}; use action wait")
    if gate.mode == "after failure" and gate.require in ("started", "playable"):
        raise UsageError(
            f"{where}: require {gate.require} cannot be used with {gate.action}, which waits for the jobs to end first"
        )
