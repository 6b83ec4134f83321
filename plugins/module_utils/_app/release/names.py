# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Which jobs of a pipeline a gate names, and whether there are those of the gates to come."""

from __future__ import annotations

from ..._api.decoding import Record
from ..._api.errors import RequestError, SelectionError
from ..._api.pace.looks import looking
from ..fields import id_of, project_id_of
from ..jobs.find import JobFinder
from ..jobs.query import JobQuery
from ..pipelines.query import PipelineQuery
from ..session import Session
from .plan import Gate
from .run import ProjectResult


def check_gates_to_come(session: Session, project: ProjectResult, gate: Gate, pipeline: Record) -> None:
    """Return unless a gate behind this one can never open, since the pipeline lacks a job of it.

    A pipeline has all its jobs from its beginning on, those downstream excepted, so nothing is done before a mistyped
    name is found. The list of jobs is shared with the first look of the gate, whose session this is, and of no other.

    :raises SelectionError: saying what is missing, and what there is instead.
    """
    if not session.client.shares_reads:
        session.client.share_reads(session.clock)
    for later in project.plan.gates[project.plan.gates.index(gate) + 1 :]:
        if later.start is not None or later.is_optional or later.include_downstream:
            continue
        finder = JobFinder(session, jobs_of(session, project, later, pipeline))
        try:
            with looking(float("-inf")):
                selection = finder.find()
            problem = finder.problem(selection) if selection.is_complete else ""
        except RequestError:
            return  # the gate itself will meet it, and has the time for it
        except SelectionError as exc:
            problem = str(exc)
        if problem:
            raise SelectionError(f"gate {later.title!r} after it could not open: {problem}")


def jobs_of(session: Session, project: ProjectResult, gate: Gate, pipeline: Record) -> JobQuery:
    """Return which jobs of a pipeline belong to a gate."""
    project_id = project_id_of(pipeline, project.plan.pipeline.project)
    called = session.client.project_called(project_id)
    return JobQuery(
        PipelineQuery(project_id, pipeline_id=id_of(pipeline), project_called=called),
        names=gate.names,
        may_be_split=True,
        stages=gate.stages,
        include_downstream=gate.include_downstream,
        with_bridges=True,
        # a failed trigger job of a stage must not be overlooked
        all_bridges=True,
        # what could not be started has no jobs that could be as required
        needs_all=gate.target != "finished",
        newest_attempt=True,
    )
