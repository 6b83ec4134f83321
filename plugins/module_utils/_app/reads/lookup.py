# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Jobs by the terms of a look-up: names or ids, each with a value of its own when there is nothing."""

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
    """What an expression asks for.

    :param terms: the names and ids of jobs; what is a number is an id.
    :param artifact: path of a file in the archives of the jobs, whose content is wanted instead of the jobs.
    :param latest_success: whether the artifact is that of the newest successful pipeline of the ref.
    :param log: whether the logs of the jobs are wanted instead of the jobs.
    :param read: returns what is made of the bytes of a file or a log, given what to call their job in an error.
    :param default: stands for what is not there; only with `has_default`.
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

    :raises SelectionError: when there is no such job, and no default.
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
    """Return the id that a term of digits stands for; any other term, a name, as it is."""
    # more digits than a 64-bit number has are not an id, and neither are superscript ones
    return int(term) if len(term) < 20 and term.isdecimal() else term


def _jobs_by_name(
    session: Session, request: LookupRequest, names: tuple[str, ...]
) -> t.Mapping[str, t.Sequence[FoundJob]]:
    """Return the jobs of each name; of the newest success, which GitLab itself finds, no more is known than that."""
    query = JobQuery(request.pipeline, names=names, include_downstream=request.include_downstream)
    if not request.latest_success:
        if not request.pipeline.is_given:
            raise UsageError(f"the name {names[0]!r} needs a pipeline: give pipeline_id, ref, sha or merge_request")
        return _find(session, request, query).groups
    if not request.artifact:
        raise UsageError("latest_success is about artifacts; give artifact, or leave it out")
    if names != request.terms:
        raise UsageError("an id already says which job is meant; leave latest_success out")
    check_latest_success(query)
    return {name: [known_by_name(dataclasses.replace(query, names=(name,)))] for name in names}


def _find(session: Session, request: LookupRequest, query: JobQuery) -> Selection:
    """Return the jobs of a query; with a default there may be no such pipeline or job, in a project that is there."""
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
    """Return what is at the end of a dotted path, or _NOTHING."""
    value: t.Any = record
    for step in path.split("."):
        if not isinstance(value, dict) or step not in value:
            return _NOTHING
        value = value[step]
    return value


def _fields_instead(record: Record, path: str) -> str:
    """Return the fields that there are where a dotted path comes to nothing, close ones first."""
    inside, _dot, step = path.rpartition(".")
    found = _attribute(record, inside) if inside else record
    if found is _NOTHING:
        return _fields_instead(record, inside)
    if not isinstance(found, dict):
        return f"{inside} is no mapping"
    prefix = f"{inside}." if inside else ""
    return suggestions([prefix + name for name in found], prefix + step, what="fields")
