# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Which pipeline: what a user asks for, and how it is found."""

from __future__ import annotations

import dataclasses
import string
import typing as t

from ..._api.decoding import Record
from ..._api.errors import (
    BadAnswerError,
    GitLabError,
    NotAuthorizedError,
    NotFoundError,
    RequestError,
    SelectionError,
    capitalized,
    with_sentence,
)
from ..jobs.bridges import list_bridges
from ..jobs.statuses import id_of, project_id_of, status_of
from ..session import Session

# Pipelines are read twenty at a time, newest first; so many that do not fit are listed, and looked into.
PAGE_SIZE = 20
MOST_LISTED = 1000
MOST_PASSED_OVER = 100
FULL_SHA_LENGTHS = (40, 64)
SHORTEST_SHA = 7
REF_TYPES = ("any", "branch", "tag")


def is_sha(text: str) -> bool:
    """Return whether a text is the id of a commit, or its first digits."""
    is_hexadecimal = all(digit in string.hexdigits for digit in text)
    return is_hexadecimal and (SHORTEST_SHA <= len(text) <= FULL_SHA_LENGTHS[0] or len(text) in FULL_SHA_LENGTHS)


@dataclasses.dataclass(frozen=True)
class PipelineQuery:
    """Which pipeline to look into; none of the values for a whole project.

    :param sha: of a commit, whole or its first digits.
    :param ref_type: `any`, `branch` or `tag`: which of the two a ref is, where both exist.
    :param sources: only pipelines with one of these sources; empty for any.
    :param project_called: what the user calls the project, where it is not that.
    """

    project: str
    pipeline_id: int | None = None
    ref: str | None = None
    sha: str | None = None
    merge_request: int | None = None
    ref_type: str = "any"
    sources: tuple[str, ...] = ()
    project_called: str = ""

    @property
    def is_given(self) -> bool:
        """Return whether it names a pipeline."""
        return any(value is not None for value in (self.pipeline_id, self.ref, self.sha, self.merge_request))

    @property
    def is_overdetermined(self) -> bool:
        """Return whether it names a pipeline in more than one way; ref and sha together are one."""
        ways = (self.pipeline_id, self.merge_request, self.ref if self.ref is not None else self.sha)
        return sum(way is not None for way in ways) > 1

    def describe(self) -> str:
        """Return what it asks for, as part of a sentence."""
        project = self.project_called or self.project
        if self.pipeline_id is not None:
            return f"pipeline {self.pipeline_id} of project {project}"
        source = f" with source {' or '.join(self.sources)}" if self.sources else ""
        if self.merge_request is not None:
            return f"pipeline of merge request {self.merge_request}{source} in project {project}"
        kind = "ref" if self.ref_type == "any" else self.ref_type
        wanted = [f"{word} {value}" for word, value in ((kind, self.ref), ("commit", self.sha)) if value is not None]
        if not wanted:
            return f"project {project}"
        return f"pipeline of {' and '.join(wanted)}{source} in project {project}"


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
        # that of a merge request may be one of a fork
        if query.merge_request is None:
            session.client.name_project(project_id_of(pipeline, query.project), query.project)
        return pipeline
    return None


def newest_pipelines(
    session: Session,
    project: str,
    *,
    ref: str | None = None,
    sha: str | None = None,
    source: str | None = None,
    scope: str | None = None,
    page_size: int = PAGE_SIZE,
) -> t.Iterator[Record]:
    """Yield the pipelines of a project, newest first."""
    return session.client.iterate(
        "list_pipelines",
        project=project,
        ref=ref,
        sha=sha,
        source=source,
        scope=scope,
        order_by="id",
        sort="desc",
        page_size=page_size,
    )


def successful_pipelines(session: Session, query: PipelineQuery) -> t.Iterator[Record]:
    """Yield the pipelines of a ref that have succeeded, newest first."""
    for pipeline in _listed(session, query):
        if status_of(pipeline) == "success" and _is_asked_for(session, query, pipeline):
            yield pipeline


def describe(pipeline: Record) -> str:
    """Return a pipeline with everything by which a person knows it; nothing that follows touches its address."""
    address = f" ({pipeline['web_url']})" if pipeline.get("web_url") else ""
    return ", ".join([f"pipeline {id_of(pipeline)}", *facts(pipeline)]) + address


def facts(pipeline: Record) -> list[str]:
    """Return by what else than its id and address a person knows a pipeline."""
    return [f"{name} {pipeline[name]}" for name in ("source", "ref", "status") if pipeline.get(name)]


def with_pipeline(text: str, query: PipelineQuery, pipeline: Record | None) -> str:
    """Return the text of an error with the pipeline that was found for a ref, commit or merge request, named once."""
    if not text or not pipeline or not query.is_given or query.pipeline_id is not None or _is_named(pipeline, text):
        return text
    return with_sentence(text, capitalized(describe(pipeline)))


def _is_named(pipeline: Record, text: str) -> bool:
    """Return whether a text tells which pipeline it is about, with more than its id."""
    url = str(pipeline.get("web_url") or "")
    has_url = bool(url) and any(word.strip("(),.;:") == url for word in text.split())
    return has_url or f"pipeline {id_of(pipeline)}," in text


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
        is_denied = isinstance(exc, (NotAuthorizedError, NotFoundError))
        is_expected = is_denied and not session.limits.reads_pipelines
        if not is_expected and not is_old:
            raise
        if not is_expected:
            session.warn(f"The pipeline could not be refreshed; its last known state is returned: {exc}")
        return pipeline


def _has_jobs(session: Session, project: str, pipeline: Record) -> bool:
    if first_job(session, project, pipeline) is not None:
        return True
    # it may have nothing but trigger jobs
    try:
        return bool(list_bridges(session, project_id_of(pipeline, project), id_of(pipeline)))
    except (NotAuthorizedError, NotFoundError):
        # on many servers a job token may list jobs, and no trigger jobs
        if session.limits.reads_pipelines:
            raise
        return False


def first_job(session: Session, project: str, pipeline: Record) -> Record | None:
    """Return a job of a pipeline, None when it has none; trigger jobs are not among them."""
    project = project_id_of(pipeline, project)
    listed = session.client.iterate("list_pipeline_jobs", project=project, pipeline_id=id_of(pipeline), page_size=1)
    return next(listed, None)


def missing_pipeline(query: PipelineQuery, *, may_wait: bool = False) -> str:
    """Return the message for a pipeline that is not there.

    :param may_wait: whether the task could have waited for it, and did not.
    """
    begin = f"there is no {query.describe()}; check ref, sha or merge_request"
    return f"{begin}, start a pipeline, or use wait to wait for one" if may_wait else f"{begin}, or start a pipeline"


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
    for number, pipeline in enumerate(listed):
        if number == MOST_LISTED:
            raise _too_many(query, number)
        if not id_of(pipeline):
            raise BadAnswerError(f"GitLab lists a {query.describe()} without an id")
        if not query.sources or pipeline.get("source") in query.sources:
            yield pipeline


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
    try:
        record = whole_pipeline(session, project, pipeline)
    except (NotAuthorizedError, NotFoundError):
        if session.limits.reads_pipelines:
            raise
        record = first_job(session, project, pipeline) or {}
    return "tag" if record.get("tag") is True else "branch"


def warn_of_namesake(session: Session, query: PipelineQuery, pipeline: Record) -> None:
    """Warn when a branch and a tag have the name of the ref, and each has pipelines."""
    if query.ref is None or query.ref_type != "any":
        return
    session = session.in_passing()
    try:
        other = _newest_of(session, query, "tags")
        if other is not None and id_of(other) == id_of(pipeline):
            other = _newest_of(session, query, "branches")
    except GitLabError as exc:
        session.warn(f"Whether a branch and a tag have the name of the ref could not be read: {exc}")
        return
    if other is not None and id_of(other) != id_of(pipeline):
        session.warn(
            f"A branch and a tag are called {query.ref}, and both have pipelines. Used is {describe(pipeline)}, and "
            f"not {describe(other)}; set ref_type to choose."
        )


def _newest_of(session: Session, query: PipelineQuery, scope: str) -> Record | None:
    """Return the newest pipeline of the tag, or branch, with the name of the ref."""
    return next(newest_pipelines(session, query.project, ref=query.ref, scope=scope, page_size=1), None)


def _full_sha(session: Session, query: PipelineQuery) -> str | None:
    """Return the whole sha of a commit of which the first digits are given."""
    if query.sha is None or len(query.sha) in FULL_SHA_LENGTHS:
        return query.sha
    try:
        commit = session.client.call("get_commit", project=query.project, sha=query.sha)
    except NotFoundError as exc:
        if exc.is_no_mere_object:
            raise
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
    project = project_id_of(pipeline, project)
    return t.cast(Record, session.client.call("get_pipeline", project=project, pipeline_id=id_of(pipeline)))
