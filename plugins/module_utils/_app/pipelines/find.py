# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Find and read the pipeline that a user asks for."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..._api.errors import DeniedError, GitLabError, MissingError, RequestError, SelectionError
from ..fields import id_of, project_id_of, status_of
from ..jobs.bridges import list_bridges
from ..session import Session
from .query import FULL_SHA_LENGTHS, PipelineQuery, describe

T = t.TypeVar("T")
# Pipelines are read in pages of twenty, newest first. The search ends after this many are listed, or examined.
PAGE_SIZE = 20
MAX_LISTED = 1000
MAX_SKIPPED = 100


def find_pipeline(session: Session, query: PipelineQuery, *, warns: bool = True) -> Record | None:
    """Return the newest pipeline of a query, None if its ref, commit or merge request has none.

    `pipelines/latest` cannot be used: it omits skipped pipelines and does not support commits. A pipeline that GitLab
    has skipped as a whole has no jobs; it is ignored, with a warning.

    :param warns: whether to check if a branch and a tag have the name of the ref, which costs another request.
    :raises SelectionError: if a short sha matches no commit, or too many pipelines were searched.
    """
    if query.pipeline_id is not None:
        return {"id": query.pipeline_id}
    query = dataclasses.replace(query, sha=_full_sha(session, query))
    for number, pipeline in enumerate(_listed(session, query)):
        if number == MAX_SKIPPED:
            raise _too_many(query, number)
        if not _matches_query(session, query, pipeline):
            continue
        if status_of(pipeline) == "skipped" and not _has_jobs(session, query.project, pipeline):
            session.warn(f"Ignored, because it was skipped and has no jobs: {describe(pipeline)}.")
            continue
        if warns:
            warn_of_namesake(session, query, pipeline)
        return pipeline
    return None


def newest_pipelines(
    session: Session, project: str, *, page_size: int = PAGE_SIZE, **filters: str | None
) -> t.Iterator[Record]:
    """Yield the pipelines of a project, newest first.

    :param filters: parameters of the list of pipelines.
    """
    return session.client.iterate(
        "list_pipelines", project=project, order_by="id", sort="desc", page_size=page_size, **filters
    )


def successful_pipelines(session: Session, query: PipelineQuery) -> t.Iterator[Record]:
    """Yield the successful pipelines of a ref, newest first."""
    for pipeline in _listed(session, query):
        if status_of(pipeline) == "success" and _matches_query(session, query, pipeline):
            yield pipeline


def read_pipeline(session: Session, project: str, pipeline: Record, *, is_old: bool = False) -> Record:
    """Return the whole record of a pipeline, or the given one if the token is a job token that may not read it.

    :param project: id or path of its project, if the record lacks it.
    :param is_old: whether the given record may be outdated.
    """
    if len(pipeline) > 1 and not is_old:
        return pipeline
    try:
        return whole_pipeline(session.best_effort() if is_old else session, project, pipeline)
    except RequestError as exc:
        # on many servers, job tokens can list the jobs of a pipeline, but cannot read the pipeline itself
        is_denied = isinstance(exc, DeniedError)
        if session.limits.reads_pipelines or not is_denied:
            if not is_old:
                raise
            session.warn(f"Could not refresh the pipeline; returning its last known state: {exc}")
        return pipeline


def _has_jobs(session: Session, project: str, pipeline: Record) -> bool:
    if first_job(session, project, pipeline) is not None:
        return True
    # it may have only trigger jobs
    bridges = _if_allowed(session, lambda: list_bridges(session, project_id_of(pipeline, project), id_of(pipeline)))
    return bool(bridges)


def _if_allowed(session: Session, read: t.Callable[[], T]) -> T | None:
    """Return the result of a read; None if a job token is denied it, as on many servers."""
    try:
        return read()
    except DeniedError:
        if session.limits.reads_pipelines:
            raise
        return None


def first_job(session: Session, project: str, pipeline: Record) -> Record | None:
    """Return a job of a pipeline, None if it has none; trigger jobs do not count."""
    project = project_id_of(pipeline, project)
    listed = session.client.iterate("list_pipeline_jobs", project=project, pipeline_id=id_of(pipeline), page_size=1)
    return next(listed, None)


def _listed(session: Session, query: PipelineQuery) -> t.Iterator[Record]:
    """Yield the pipelines of the ref, commit or merge request and the sources of a query, newest first."""
    if query.merge_request is not None:
        listed = session.client.iterate(
            "list_merge_request_pipelines",
            project=query.project,
            merge_request=query.merge_request,
            page_size=PAGE_SIZE,
        )
    else:
        source = query.sources[0] if len(query.sources) == 1 else None
        listed = newest_pipelines(session, query.project, ref=query.ref, sha=query.sha, source=source)
    try:
        for number, pipeline in enumerate(listed):
            if number == MAX_LISTED:
                raise _too_many(query, number)
            # the pipeline of a merge request may belong to a fork
            if query.merge_request is None:
                session.client.name_project(project_id_of(pipeline, query.project), query.project)
            if not query.sources or pipeline.get("source") in query.sources:
                yield pipeline
    except MissingError as exc:
        if query.merge_request is not None:
            exc.advice = exc.advice or "Check merge_request: it is the number after the ! in the project"
        raise


def _too_many(query: PipelineQuery, number: int) -> SelectionError:
    return SelectionError(f"none of the newest {number} pipelines is {query.called}; set pipeline_id, or also set sha")


def _matches_query(session: Session, query: PipelineQuery, pipeline: Record) -> bool:
    """Return whether a listed pipeline matches the query, because not all servers support all filters."""
    if query.merge_request is not None:
        return True
    # old servers omit fields in lists
    if query.ref is not None and pipeline.get("ref", query.ref) != query.ref:
        return False
    if query.sha is not None and pipeline.get("sha", query.sha) != query.sha:
        return False
    return query.ref_type == "any" or _kind(session, query.project, pipeline) == query.ref_type


def _kind(session: Session, project: str, pipeline: Record) -> str:
    """Return whether a pipeline is of a branch or a tag, which lists do not show."""
    record = _if_allowed(session, lambda: whole_pipeline(session, project, pipeline))
    record = record or first_job(session, project, pipeline) or {}
    return "tag" if record.get("tag") is True else "branch"


def warn_of_namesake(session: Session, query: PipelineQuery, pipeline: Record) -> None:
    """Warn if both a branch and a tag with the name of the ref have pipelines."""
    if query.ref is None or query.ref_type != "any":
        return
    session = session.best_effort()

    def newest_of(scope: str) -> Record | None:
        return next(newest_pipelines(session, query.project, ref=query.ref, scope=scope, page_size=1), None)

    try:
        other = newest_of("tags")
        if other is not None and id_of(other) == id_of(pipeline):
            other = newest_of("branches")
    except GitLabError as exc:
        session.warn(f"Could not check whether a branch and a tag have the name of the ref: {exc}")
        return
    if other is not None and id_of(other) != id_of(pipeline):
        session.warn(
            f"A branch and a tag are named {query.ref}, and both have pipelines. Using {describe(pipeline)}, not "
            f"{describe(other)}; set ref_type to choose."
        )


def _full_sha(session: Session, query: PipelineQuery) -> str | None:
    """Return the full sha of a commit, also for its first digits."""
    if query.sha is None or len(query.sha) in FULL_SHA_LENGTHS:
        return query.sha
    try:
        commit = session.client.call("get_commit", project=query.project, sha=query.sha)
    except MissingError as exc:
        raise SelectionError(f"there is no commit {query.sha} in project {query.project}") from exc
    found = str(commit.get("id"))
    # GitLab also accepts the name of a branch or tag
    if not found.startswith(query.sha):
        raise SelectionError(
            f"sha {query.sha} is a branch or tag of project {query.project}, not a commit; set ref to it"
        )
    return found


def whole_pipeline(session: Session, project: str, pipeline: Record) -> Record:
    """Return the current record of a pipeline; the given record needs at least the id."""
    known_project = project_id_of(pipeline, project)
    record = t.cast(Record, session.client.call("get_pipeline", project=known_project, pipeline_id=id_of(pipeline)))
    session.client.name_project(project_id_of(record, known_project), known_project)
    return record
