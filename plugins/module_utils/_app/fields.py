# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What fields of GitLab's records hold: other records, moments and lengths of time; of another type, they hold none."""

from __future__ import annotations

import datetime
import math
import re
import typing as t

from .._api.decoding import Record

_LONGEST_SECONDS = 1e9
_FAR_AWAY = re.compile(r"\+?0*[1-9][0-9]{4,}-", re.ASCII)


def record_in(record: Record, name: str) -> Record:
    """Return the record that a field holds, an empty one when it holds none."""
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def records_in(record: Record, name: str) -> list[Record]:
    """Return the records in the list that a field holds."""
    value = record.get(name)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def artifact_kinds(job: Record) -> set[str]:
    """Return the kinds of files that a job has left, without its log, which is listed among them as a trace."""
    return {str(entry.get("file_type")) for entry in records_in(job, "artifacts")} - {"trace"}


def seconds_of(value: t.Any) -> float | None:
    """Return a length of time, None when it is none, or longer than one may last."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < _LONGEST_SECONDS else None


def unix_time_of(value: t.Any) -> float | None:
    """Return the Unix time of a moment as GitLab writes it, None when it is none; infinity after the year 9999."""
    if not isinstance(value, str):
        return None
    if _FAR_AWAY.match(value):
        return math.inf  # for which Python has no date
    try:
        moment = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return moment.timestamp() if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def iso_time(unix_time: float) -> str:
    """Return a moment as GitLab writes it."""
    moment = datetime.datetime.fromtimestamp(unix_time, tz=datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def project_fields(record: Record, fields: t.Iterable[str]) -> Record:
    """Return a copy of a record with only these fields; a dot reaches inside.

    A field that is not there is left out, as it is in GitLab's own answer.
    """
    kept = {field: record[field] for field in fields if field in record and "." not in field}
    for field in fields:
        if "." in field:
            _copy_path(record, kept, field.split("."))
    return kept


def _copy_path(source: Record, target: Record, path: t.Sequence[str]) -> None:
    for step in path[:-1]:
        found = source.get(step)
        if not isinstance(found, dict):
            return
        source, target = found, target.setdefault(step, {})
        if target is source:
            return  # a field before has taken all of it
    if path[-1] in source:
        target[path[-1]] = source[path[-1]]


def status_of(record: Record) -> str:
    """Return the status of a job, bridge or pipeline, empty when the server sent none."""
    status = record.get("status")
    return status if isinstance(status, str) else ""


def id_of(record: Record) -> int:
    """Return the id of a job, bridge or pipeline, 0 when the server sent none."""
    return int_of(record, "id")


def int_of(record: Record, name: str) -> int:
    """Return an id that a record holds under a name, 0 when it is none."""
    value = record.get(name)
    # what comes from a variable of Ansible is of a type of its own
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def pipeline_of(job: Record) -> Record | None:
    """Return what a job tells of its pipeline, None when it does not say which one it is."""
    pipeline = job.get("pipeline")
    return pipeline if isinstance(pipeline, dict) and id_of(pipeline) else None


def as_told(pipeline: Record | None, jobs: t.Iterable[Record]) -> Record | None:
    """Return a pipeline as its jobs tell it, the last of them last; what they tell of another one is left out."""
    for told in map(pipeline_of, jobs):
        if pipeline and told and id_of(told) == id_of(pipeline):
            pipeline = {**pipeline, **told}
    return pipeline


def project_id_of(record: Record, otherwise: str) -> str:
    """Return the id of the project that a record names, else what the project was called when it was asked for."""
    return str(int_of(record, "project_id") or otherwise)


def user_id_of(record: Record) -> int:
    """Return the id of the user of an approval, a deployment or a job, 0 when there is none."""
    return id_of(record_in(record, "user"))


def users_of(records: t.Iterable[Record]) -> set[int]:
    """Return the ids of the users of records, as far as they tell."""
    return {user_id_of(record) for record in records} - {0}
