# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The record of a release: who did what when, and what became of it, as plain data without secrets."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import capitalized
from ..fields import iso_time
from .run import GateResult, ProjectResult
from .tree import ReleaseTree, job_record, pipeline_record

# The form of the record; it grows by one when a reader of the older form would be misled.
SCHEMA = 1


def make_record(
    run: Record,
    results: t.Sequence[ProjectResult],
    trees: t.Mapping[str, ReleaseTree],
    *,
    message: str | None,
    warnings: t.Sequence[str],
) -> Record:
    """Return the record of a run.

    :param run: when, where, how and by whom it was made, by the names that the record has for these.
    :param trees: pipelines and jobs, by the name of the project.
    :param message: why the release did not pass, None when it did.
    """
    return {
        "schema": SCHEMA,
        "role": "jobgate.gitlab.release_gate",
        **run,
        "outcome": _outcome(results, message),
        "changed": has_changed(results),
        "message": capitalized(message).rstrip(".") + "." if message else "",
        "warnings": list(warnings),
        "previous": None,
        "projects": [_project(result, trees.get(result.plan.name) or ReleaseTree()) for result in results],
    }


def has_changed(results: t.Sequence[ProjectResult]) -> bool:
    """Return whether anything was changed in GitLab, or in check mode would be."""
    return any(gate.has_changed for result in results for gate in result.gates)


def _outcome(results: t.Sequence[ProjectResult], message: str | None) -> str:
    if message is not None:
        return "failed"
    return "passed" if all(result.outcome == "passed" for result in results) else "would pass"


def _project(result: ProjectResult, tree: ReleaseTree) -> Record:
    root = tree.pipelines[0] if tree.pipelines else None
    return {
        "name": result.plan.name,
        "project": result.plan.pipeline.project,
        "needs": list(result.plan.needs),
        "outcome": result.outcome,
        "changed": has_changed([result]),
        "pipeline": root or (pipeline_record(result.pipeline) if result.pipeline else None),
        "gates": [_gate(gate) for gate in result.gates],
        "pipelines": tree.pipelines,
        "jobs": tree.jobs,
    }


def _gate(result: GateResult) -> Record:
    return {
        "name": result.gate.title,
        "action": result.gate.action,
        "require": result.gate.require,
        "outcome": result.outcome,
        "reason": result.reason,
        "changed": result.has_changed,
        "timed_out": result.has_timed_out,
        # a variable may hold a secret, so only its name is kept
        "job_variables": [variable["key"] for variable in result.gate.request.variables] if result.gate.request else [],
        "variables": [variable["key"] for variable in result.gate.start.variables] if result.gate.start else [],
        "started_at": None if result.started_at is None else iso_time(result.started_at),
        "finished_at": None if result.finished_at is None else iso_time(result.finished_at),
        "elapsed": result.elapsed,
        "queued": result.queued,
        "jobs": [job_record(job, str(job.get("path"))) for job in result.jobs],
        "timeline": list(result.timeline),
        "log_tail": list(result.log_tail),
    }
