# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The record of a release as plain data without secrets: who did what and when, and with which outcome.

It can include how long the release, its gates and its jobs took in an earlier run.
"""

from __future__ import annotations

import json
import os
import typing as t

from ..._api.decoding import Record
from ..._api.errors import UsageError, capitalized, ended
from ..fields import iso_time, records_in, seconds_of
from ..files.place import check_path, check_regular
from .run import FAILURES, GateResult, ProjectResult
from .tree import ReleaseTree, job_record, pipeline_record

# The version of the record's format; increase it if readers of the older format would misread a record.
SCHEMA = 1
_MAX_BYTES = 256 * 1024 * 1024


def make_record(
    run: Record,
    results: t.Sequence[ProjectResult],
    trees: t.Mapping[str, ReleaseTree],
    *,
    message: str | None,
    warnings: t.Sequence[str],
) -> Record:
    """Return the record of a run.

    :param run: the fields of the record that say when, where, how and by whom it was made.
    :param trees: pipelines and jobs, by project name.
    :param message: why the release did not pass, None if it did.
    """
    return {
        "schema": SCHEMA,
        "role": "jobgate.gitlab.release_gate",
        **run,
        "outcome": _outcome(results, message),
        "changed": has_changed(results),
        "message": ended(capitalized(message)) if message else "",
        "warnings": list(warnings),
        "previous": None,
        "projects": [_project(result, trees.get(result.plan.name) or ReleaseTree()) for result in results],
    }


def has_changed(results: t.Sequence[ProjectResult]) -> bool:
    """Return whether the gates changed anything in GitLab, or in check mode would change it."""
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
    queued = [seconds_of(job.record.get("queued_duration")) for job in result.jobs]
    return {
        "name": result.gate.title,
        "action": result.gate.action,
        "require": result.gate.require,
        "outcome": result.outcome,
        "reason": result.reason,
        "changed": result.has_changed,
        "timed_out": result.has_timed_out,
        # a variable may contain a secret, so only its name is kept
        "job_variables": [variable["key"] for variable in result.gate.request.variables] if result.gate.request else [],
        "variables": [variable["key"] for variable in result.gate.start.variables] if result.gate.start else [],
        "started_at": None if result.started_at is None else iso_time(result.started_at),
        "finished_at": None if result.finished_at is None else iso_time(result.finished_at),
        "elapsed": result.elapsed,
        "queued": max((seconds for seconds in queued if seconds is not None), default=None),
        "jobs": [job_record(job) for job in result.jobs],
        "timeline": list(result.timeline),
        "log_tail": list(result.log_tail),
    }


def read_previous(path: str) -> Record | None:
    """Return the record in a file, None if the file does not exist, as before the first release.

    :raises UsageError: if the file cannot be read or does not contain a record.
    """
    check_path("compare", path)
    if not os.path.exists(path):
        return None
    check_regular("compare", path)
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_BYTES + 1)
        record = json.loads(content) if len(content) <= _MAX_BYTES else None
    except OSError as exc:
        raise UsageError(f"compare {path!r} cannot be read: {exc.strerror or exc}") from None
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or record.get("schema") != SCHEMA or not isinstance(record.get("projects"), list):
        raise UsageError(
            f"compare {path!r} is not a release record that this version can read; use a file written by the record "
            "option"
        )
    return record


def with_previous(record: Record, previous: Record | None) -> Record:
    """Return a record with the durations of the same gates and jobs in an earlier record.

    :param previous: read from a file, so it may contain anything; None to compare with nothing.
    """
    if previous is None:
        return record
    known = _durations(previous)
    return {
        **record,
        "previous": {
            **{name: _text(previous.get(name)) for name in ("title", "started_at", "outcome")},
            "elapsed": seconds_of(previous.get("elapsed")),
        },
        "projects": [_with_durations(project, known) for project in record["projects"]],
    }


def _with_durations(project: Record, known: t.Mapping[str, float | None]) -> Record:
    name = project["name"]
    gates = [
        {**gate, "previous_elapsed": known.get(repr((name, gate["action"], gate["name"])))} for gate in project["gates"]
    ]
    jobs = [{**job, "previous_duration": known.get(repr((name, job["path"])))} for job in project["jobs"]]
    return {**project, "gates": gates, "jobs": jobs}


def _durations(previous: Record) -> dict[str, float | None]:
    """Return how long successful gates and jobs took."""
    found: dict[str, float | None] = {}
    for project in records_in(previous, "projects"):
        name = project.get("name")
        for gate in records_in(project, "gates"):
            outcome = gate.get("outcome")
            if outcome == "passed" or (gate.get("changed") is True and outcome not in FAILURES):
                found[repr((name, gate.get("action"), gate.get("name")))] = seconds_of(gate.get("elapsed"))
        for job in records_in(project, "jobs"):
            if job.get("status") == "success" and not job.get("superseded"):
                found[repr((name, job.get("path")))] = seconds_of(job.get("duration"))
    return found


def _text(value: t.Any) -> str | None:
    return value if isinstance(value, str) else None
