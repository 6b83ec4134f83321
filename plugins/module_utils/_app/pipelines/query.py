# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Which pipeline: what a user asks for, and how it is found."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import BadAnswerError, NotAuthorizedError, NotFoundError, RequestError
from ..jobs.statuses import id_of
from ..session import Session


class PipelineQuery(t.NamedTuple):
    """Which pipeline to look into; none of the values for a whole project."""

    project: str
    pipeline_id: int | None = None
    ref: str | None = None
    sha: str | None = None
    merge_request: int | None = None

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
        if self.pipeline_id is not None:
            return f"pipeline {self.pipeline_id} of project {self.project}"
        if self.merge_request is not None:
            return f"pipeline of merge request {self.merge_request} in project {self.project}"
        wanted = [f"{word} {value}" for word, value in (("ref", self.ref), ("commit", self.sha)) if value is not None]
        return f"pipeline of {' and '.join(wanted)} in project {self.project}" if wanted else f"project {self.project}"


def find_pipeline(session: Session, query: PipelineQuery) -> Record | None:
    """Return the pipeline that a query names, None when there is none for a ref, commit or merge request.

    Never `pipelines/latest`, which leaves out pipelines that are skipped and knows no commit.
    """
    if query.pipeline_id is not None:
        return {"id": query.pipeline_id}
    if query.merge_request is not None:
        listed = session.client.iterate(
            "list_merge_request_pipelines", project=query.project, merge_request=query.merge_request, page_size=20
        )
    else:
        listed = session.client.iterate(
            "list_pipelines",
            project=query.project,
            ref=query.ref,
            sha=query.sha,
            order_by="id",
            sort="desc",
            page_size=1,
        )
    found = next(listed, None)
    if found is not None and not id_of(found):
        raise BadAnswerError(f"GitLab lists a {query.describe()} without an id")
    return found


def read_pipeline(session: Session, query: PipelineQuery, pipeline: Record, *, is_old: bool = False) -> Record:
    """Return the whole record of a pipeline of which only the id is known; no more than that with a job token.

    :param is_old: whether what is known of it was true some time ago.
    """
    if len(pipeline) > 1 and not is_old:
        return pipeline
    try:
        return t.cast(Record, session.client.call("get_pipeline", project=query.project, pipeline_id=pipeline["id"]))
    except RequestError as exc:
        # a job token may list what is in a pipeline, and not read the pipeline itself
        is_denied = isinstance(exc, (NotAuthorizedError, NotFoundError))
        is_expected = is_denied and not session.limits.reads_pipelines
        if not is_expected and not is_old:
            raise
        if not is_expected:
            session.warn(f"The pipeline is shown as it was found, for it could not be read again: {exc}")
        return pipeline


def missing_pipeline(query: PipelineQuery) -> str:
    """Return the message for a pipeline that is not there."""
    advice = "check ref, sha or merge_request, start a pipeline, or use wait to wait for one"
    return f"there is no {query.describe()}; {advice}"
