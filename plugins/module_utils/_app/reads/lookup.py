# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Look up jobs by name or id for expressions."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import MissingError, SelectionError, UsageError
from ..fields import project_fields
from ..files.fetch import DownloadRequest, check_latest_success, fetch_bytes, known_by_id, known_by_name
from ..jobs.find import JobFinder
from ..jobs.mistaken import mistaken_fields
from ..jobs.query import FoundJob, JobQuery, suggestions
from ..jobs.selection import Selection
from ..pipelines.query import PipelineQuery
from ..session import Session

_NOTHING: t.Any = object()


@dataclasses.dataclass(frozen=True)
class LookupRequest:
    """The request of an expression.

    :param terms: names of jobs, as strings, and ids, as integers.
    :param artifact: path of a file in the archives of the jobs, to return its content instead of the jobs.
    :param latest_success: whether to use the artifact of the newest successful pipeline of the ref.
    :param log: whether to return the logs of the jobs instead of the jobs.
    :param read: parses the bytes of a file or a log; the second argument describes the job for errors.
    :param default: the value for missing jobs, fields or files; only with `has_default`.
    """

    pipeline: PipelineQuery
    terms: tuple[int | str, ...]
    include_downstream: bool = False
    attribute: str = ""
    fields: tuple[str, ...] = ()
    artifact: str = ""
    latest_success: bool = False
    log: bool = False
    read: t.Callable[[bytes, str], t.Any] = lambda content, subject: content
    has_default: bool = False
    default: t.Any = None


def look_up(session: Session, request: LookupRequest) -> list[t.Any]:
    """Return the values for all terms, in their order.

    :raises SelectionError: if there is no such job, and no default.
    """
    names = tuple(term for term in request.terms if isinstance(term, str))
    by_name = _jobs_by_name(session, request, names) if names or request.latest_success else {}
    values: list[t.Any] = []
    for term in request.terms:
        if isinstance(term, str):
            jobs = sorted(by_name.get(term, ()), key=lambda job: -job.id)
        else:
            query = JobQuery(PipelineQuery(request.pipeline.project), job_id=term)
            known = known_by_id(session, query) if request.artifact else None
            jobs = [known] if known else _find(session, request, query).jobs
        values += [_value(session, request, job) for job in jobs] if jobs else [request.default]
    return values


def read_term(term: str) -> int | str:
    """Return a term of digits as an id; any other term is a name and returned unchanged."""
    # ids are 64-bit numbers, and superscript digits are not decimal
    return int(term) if len(term) < 20 and term.isdecimal() else term


def _jobs_by_name(
    session: Session, request: LookupRequest, names: tuple[str, ...]
) -> t.Mapping[str, t.Sequence[FoundJob]]:
    """Return the jobs of each name; with `latest_success`, only names, because GitLab itself finds the jobs."""
    query = JobQuery(request.pipeline, names=names, include_downstream=request.include_downstream)
    if not request.latest_success:
        if not request.pipeline.is_given:
            raise UsageError(f"the name {names[0]!r} needs a pipeline: set pipeline_id, ref, sha or merge_request")
        return _find(session, request, query).groups
    if not request.artifact:
        raise UsageError("latest_success can only be used with artifact; set artifact, or omit latest_success")
    if names != request.terms:
        raise UsageError("latest_success cannot be used with a job id; omit latest_success")
    check_latest_success(query)
    return {name: [known_by_name(dataclasses.replace(query, names=(name,)))] for name in names}


def _find(session: Session, request: LookupRequest, query: JobQuery) -> Selection:
    """Return the jobs of a query; with a default, the pipeline or job may be missing, but not the project."""
    finder = JobFinder(session, query, explains_ids=not request.has_default)
    try:
        selection = finder.find()
    except MissingError:
        if not request.has_default:
            raise
        return Selection()
    if not request.has_default:
        finder.require(selection)
    finder.check_readable(selection, warns=True)
    return selection


def _value(session: Session, request: LookupRequest, job: FoundJob) -> t.Any:
    if request.artifact or request.log:
        query = JobQuery(request.pipeline, names=(job.name,))
        content = "file" if request.artifact else "log"
        download = DownloadRequest(query, content, path=request.artifact, latest_success=request.latest_success)
        try:
            return request.read(fetch_bytes(session, download, job), download.called(job))
        except SelectionError:
            if request.has_default:
                return request.default
            raise
    record = session.annotated("job", job.record)
    if request.fields:
        kept = project_fields(record, request.fields)
        problem = "" if request.has_default else mistaken_fields(request.fields, [kept], frozenset(record))
        if problem:
            raise SelectionError(f"{job.called} has no {problem}")
        return kept
    if not request.attribute:
        return record
    value = _attribute(record, request.attribute)
    if value is not _NOTHING:
        return value
    if request.has_default:
        return request.default
    raise SelectionError(f"{job.called} has no {request.attribute!r}: {_fields_instead(record, request.attribute)}")


def _attribute(record: Record, path: str) -> t.Any:
    """Return the value at a dotted path, or _NOTHING."""
    value: t.Any = record
    for step in path.split("."):
        if not isinstance(value, dict) or step not in value:
            return _NOTHING
        value = value[step]
    return value


def _fields_instead(record: Record, path: str) -> str:
    """Return the existing fields where a dotted path fails, similar ones first."""
    inside, _dot, step = path.rpartition(".")
    found = _attribute(record, inside) if inside else record
    if found is _NOTHING:
        return _fields_instead(record, inside)
    if not isinstance(found, dict):
        return f"{inside} is not a mapping"
    prefix = f"{inside}." if inside else ""
    return suggestions([prefix + name for name in found], prefix + step, what="fields")
