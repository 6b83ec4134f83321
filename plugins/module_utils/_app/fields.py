# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Read fields of GitLab's records; values of an unexpected type count as absent."""

from __future__ import annotations

import datetime
import math
import re
import typing as t

from .._api.decoding import Record

_LONGEST_SECONDS = 1e9
_FAR_AWAY = re.compile(r"\+?0*[1-9][0-9]{4,}-", re.ASCII)


def record_in(record: Record, name: str) -> Record:
    """Return the record in a field, or an empty record."""
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def records_in(record: Record, name: str) -> list[Record]:
    """Return the records in a field that is a list."""
    value = record.get(name)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def artifact_kinds(job: Record) -> set[str]:
    """Return the file types of the artifacts of a job, except its log, which GitLab lists as `trace`."""
    return {str(entry.get("file_type")) for entry in records_in(job, "artifacts")} - {"trace"}


def seconds_of(value: t.Any) -> float | None:
    """Return a duration in seconds; None if the value is not a number, negative or too large."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < _LONGEST_SECONDS else None


def unix_time_of(value: t.Any) -> float | None:
    """Return the Unix time of a timestamp from GitLab, None if it is invalid, infinity after the year 9999."""
    if not isinstance(value, str):
        return None
    if _FAR_AWAY.match(value):
        return math.inf  # Python has no such dates
    try:
        moment = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return moment.timestamp() if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def iso_time(unix_time: float) -> str:
    """Return a timestamp in GitLab's format."""
    moment = datetime.datetime.fromtimestamp(unix_time, tz=datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def project_fields(record: Record, fields: t.Iterable[str]) -> Record:
    """Return a copy of a record with only these fields; dots select nested fields.

    Missing fields are omitted, as in GitLab's own response.
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
            return  # an earlier field has copied the whole record
    if path[-1] in source:
        target[path[-1]] = source[path[-1]]


def status_of(record: Record) -> str:
    """Return the status of a job, bridge or pipeline, or an empty string."""
    status = record.get("status")
    return status if isinstance(status, str) else ""


def id_of(record: Record) -> int:
    """Return the id of a job, bridge or pipeline, or 0."""
    return int_of(record, "id")


def int_of(record: Record, name: str) -> int:
    """Return the positive integer in a field, or 0."""
    value = record.get(name)
    # integers from Ansible variables have a type of their own
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def pipeline_of(job: Record) -> Record | None:
    """Return the pipeline in the record of a job, None if it has no id."""
    pipeline = job.get("pipeline")
    return pipeline if isinstance(pipeline, dict) and id_of(pipeline) else None


def updated_from_jobs(pipeline: Record | None, jobs: t.Iterable[Record]) -> Record | None:
    """Return a pipeline updated from the records of its jobs; later jobs win, jobs of other pipelines are ignored."""
    for shown in map(pipeline_of, jobs):
        if pipeline and shown and id_of(shown) == id_of(pipeline):
            pipeline = {**pipeline, **shown}
    return pipeline


def project_id_of(record: Record, otherwise: str) -> str:
    """Return the project id in a record, or else the given id or path of the project."""
    return str(int_of(record, "project_id") or otherwise)


def user_id_of(record: Record) -> int:
    """Return the id of the user of an approval, a deployment or a job, or 0."""
    return id_of(record_in(record, "user"))


def users_of(records: t.Iterable[Record]) -> set[int]:
    """Return the ids of the users of records; records without a user are ignored."""
    return {user_id_of(record) for record in records} - {0}
