# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How the pipeline that a user asks for is found, and read."""

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
# Pipelines are read twenty at a time, newest first; so many that do not fit are listed, and looked into.
PAGE_SIZE = 20
MOST_LISTED = 1000
MOST_PASSED_OVER = 100


def find_pipeline(session: Session, query: PipelineQuery, *, warns: bool = True) -> Record | None:
    """Return the newest pipeline that a query names, None when there is none for a ref, commit or merge request.

    Never `pipelines/latest`, which leaves out pipelines that are skipped and knows no commit. A pipeline that GitLab
    has skipped as a whole has no jobs; it is passed over, with a warning.

    :param warns: whether to ask if a branch and a tag have the name of the ref, which is a further request.
    :raises SelectionError: when a short sha is that of no commit, or of several.
    """
    if query.pipeline_id is not None:
        return {"id": query.pipeline_id}
    query = dataclasses.replace(query, sha=_full_sha(session, query))
    for number, pipeline in enumerate(_listed(session, query)):
        if number == MOST_PASSED_OVER:
            raise _too_many(query, number)
        if not _is_asked_for(session, query, pipeline):
            continue
        if status_of(pipeline) == "skipped" and not _has_jobs(session, query.project, pipeline):
            session.warn(f"Passed over, since it was skipped as a whole and has no jobs: {describe(pipeline)}.")
            continue
        if warns:
            warn_of_namesake(session, query, pipeline)
        return pipeline
    return None


def newest_pipelines(
    session: Session, project: str, *, page_size: int = PAGE_SIZE, **filters: str | None
) -> t.Iterator[Record]:
    """Yield the pipelines of a project, newest first.

    :param filters: what the list of pipelines takes.
    """
    return session.client.iterate(
        "list_pipelines", project=project, order_by="id", sort="desc", page_size=page_size, **filters
    )


def successful_pipelines(session: Session, query: PipelineQuery) -> t.Iterator[Record]:
    """Yield the pipelines of a ref that have succeeded, newest first."""
    for pipeline in _listed(session, query):
        if status_of(pipeline) == "success" and _is_asked_for(session, query, pipeline):
            yield pipeline


def read_pipeline(session: Session, project: str, pipeline: Record, *, is_old: bool = False) -> Record:
    """Return the whole record of a pipeline of which only the id is known; no more than that with a job token.

    :param project: what to call its project in the request, where the pipeline does not tell.
    :param is_old: whether what is known of it was true some time ago.
    """
    if len(pipeline) > 1 and not is_old:
        return pipeline
    try:
        return whole_pipeline(session.in_passing() if is_old else session, project, pipeline)
    except RequestError as exc:
        # on many servers a job token may list what is in a pipeline, and not read the pipeline itself
        is_denied = isinstance(exc, DeniedError)
        if session.limits.reads_pipelines or not is_denied:
            if not is_old:
                raise
            session.warn(f"The pipeline could not be refreshed; its last known state is returned: {exc}")
        return pipeline


def _has_jobs(session: Session, project: str, pipeline: Record) -> bool:
    if first_job(session, project, pipeline) is not None:
        return True
    # it may have nothing but trigger jobs
    bridges = _if_allowed(session, lambda: list_bridges(session, project_id_of(pipeline, project), id_of(pipeline)))
    return bool(bridges)


def _if_allowed(session: Session, read: t.Callable[[], T]) -> T | None:
    """Return what is read; None with a job token that may only list jobs, as on many servers."""
    try:
        return read()
    except DeniedError:
        if session.limits.reads_pipelines:
            raise
        return None


def first_job(session: Session, project: str, pipeline: Record) -> Record | None:
    """Return a job of a pipeline, None when it has none; trigger jobs are not among them."""
    project = project_id_of(pipeline, project)
    listed = session.client.iterate("list_pipeline_jobs", project=project, pipeline_id=id_of(pipeline), page_size=1)
    return next(listed, None)


def _listed(session: Session, query: PipelineQuery) -> t.Iterator[Record]:
    """Yield the pipelines of a ref, commit or merge request and of these sources, newest first."""
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
            if number == MOST_LISTED:
                raise _too_many(query, number)
            # that of a merge request may be one of a fork
            if query.merge_request is None:
                session.client.name_project(project_id_of(pipeline, query.project), query.project)
            if not query.sources or pipeline.get("source") in query.sources:
                yield pipeline
    except MissingError as exc:
        if query.merge_request is not None:
            exc.advice = exc.advice or "Check merge_request, which is the number behind the ! within the project"
        raise


def _too_many(query: PipelineQuery, number: int) -> SelectionError:
    return SelectionError(
        f"none of the newest {number} pipelines is the {query.describe()}; give pipeline_id, or sha as well"
    )


def _is_asked_for(session: Session, query: PipelineQuery, pipeline: Record) -> bool:
    """Return whether a listed pipeline is what was asked for: servers differ in what their filters leave out."""
    if query.merge_request is not None:
        return True
    # old servers leave fields out of lists
    if query.ref is not None and pipeline.get("ref", query.ref) != query.ref:
        return False
    if query.sha is not None and pipeline.get("sha", query.sha) != query.sha:
        return False
    return query.ref_type == "any" or _kind(session, query.project, pipeline) == query.ref_type


def _kind(session: Session, project: str, pipeline: Record) -> str:
    """Return whether a pipeline is of a branch or of a tag, which lists do not tell."""
    record = _if_allowed(session, lambda: whole_pipeline(session, project, pipeline))
    record = record or first_job(session, project, pipeline) or {}
    return "tag" if record.get("tag") is True else "branch"


def warn_of_namesake(session: Session, query: PipelineQuery, pipeline: Record) -> None:
    """Warn when a branch and a tag have the name of the ref, and each has pipelines."""
    if query.ref is None or query.ref_type != "any":
        return
    session = session.in_passing()

    def newest_of(scope: str) -> Record | None:
        return next(newest_pipelines(session, query.project, ref=query.ref, scope=scope, page_size=1), None)

    try:
        other = newest_of("tags")
        if other is not None and id_of(other) == id_of(pipeline):
            other = newest_of("branches")
    except GitLabError as exc:
        session.warn(f"Whether a branch and a tag have the name of the ref could not be read: {exc}")
        return
    if other is not None and id_of(other) != id_of(pipeline):
        session.warn(
            f"A branch and a tag are called {query.ref}, and both have pipelines. Used is {describe(pipeline)}, and "
            f"not {describe(other)}; set ref_type to choose."
        )


def _full_sha(session: Session, query: PipelineQuery) -> str | None:
    """Return the whole sha of a commit of which the first digits are given."""
    if query.sha is None or len(query.sha) in FULL_SHA_LENGTHS:
        return query.sha
    try:
        commit = session.client.call("get_commit", project=query.project, sha=query.sha)
    except MissingError as exc:
        raise SelectionError(f"there is no commit {query.sha} in project {query.project}") from exc
    found = str(commit.get("id"))
    # GitLab takes the name of a branch or tag as well
    if not found.startswith(query.sha):
        raise SelectionError(
            f"{query.sha} is no commit of project {query.project}, but a branch or tag; give it as ref"
        )
    return found


def whole_pipeline(session: Session, project: str, pipeline: Record) -> Record:
    """Return the record of a pipeline of which at least the id is known, as it is now."""
    asked = project_id_of(pipeline, project)
    record = t.cast(Record, session.client.call("get_pipeline", project=asked, pipeline_id=id_of(pipeline)))
    session.client.name_project(project_id_of(record, asked), asked)
    return record
