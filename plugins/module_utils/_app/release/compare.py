# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The record of an earlier run beside that of this one: how long the release, its gates and its jobs took then."""

from __future__ import annotations

import json
import os
import typing as t

from ..._api.decoding import Record
from ..._api.errors import UsageError
from ..fields import records_in, seconds_of
from ..files.place import check_path, check_regular
from .record import SCHEMA
from .run import FAILURES

_MOST_BYTES = 256 * 1024 * 1024


def read_previous(option: str, path: str) -> Record | None:
    """Return the record in a file; None when there is no such file, as before the first release.

    :raises UsageError: when it cannot be read, or holds something else.
    """
    check_path(option, path)
    if not os.path.exists(path):
        return None
    if not os.path.isdir(path):
        check_regular(option, path)
    try:
        with open(path, "rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as exc:
        raise UsageError(f"{option} {path!r} cannot be read: {exc.strerror or exc}") from None
    try:
        record = json.loads(content) if len(content) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or record.get("schema") != SCHEMA or not isinstance(record.get("projects"), list):
        raise UsageError(
            f"{option} {path!r} is not a record of a release that this version can read; give a file that record has "
            "written"
        )
    return record


def with_previous(record: Record, previous: Record | None) -> Record:
    """Return a record with what the same took in an earlier one: gates and jobs by project and name.

    :param previous: what was read from a file, so anything may be in it; None for nothing to compare with.
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
        "projects": [_project(project, known) for project in record["projects"]],
    }


def _project(project: Record, known: t.Mapping[str, float | None]) -> Record:
    name = project["name"]
    gates = [
        {**gate, "previous_elapsed": known.get(repr((name, gate["action"], gate["name"])))} for gate in project["gates"]
    ]
    jobs = [{**job, "previous_duration": known.get(repr((name, job["path"])))} for job in project["jobs"]]
    return {**project, "gates": gates, "jobs": jobs}


def _durations(previous: Record) -> dict[str, float | None]:
    """Return how long gates and jobs took that came to a good end."""
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
