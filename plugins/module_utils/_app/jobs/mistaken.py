# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Ids that are not what they were given for, and fields that no job has."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import typing as t

from ..._api.decoding import Record
from ..._api.errors import MissingError, NotFoundError, RequestError
from ..fields import id_of, int_of
from ..pipelines.find import newest_pipelines
from ..pipelines.query import PipelineQuery
from ..session import Session
from .query import suggestions

# Among so many of the newest pipelines of the project.
_MOST_PIPELINES = 100
# What is less alike than this may be a field that jobs have only at times, such as failure_reason.
_CLOSE = 0.8


def explain_missing_job(session: Session, project: str, job_id: int, exc: MissingError) -> None:
    """Say in the error about a job that is not there whether its id is that of a pipeline."""
    try:
        session.client.call("get_pipeline", project=project, pipeline_id=job_id)
    except NotFoundError:
        exc.advice = (
            f"{job_id} is neither a job nor a pipeline of project {project}; if it is a trigger job, which cannot be "
            "read by its id, choose it by name in its pipeline"
        )
    except RequestError:
        return  # the hint is not worth another error
    else:
        exc.advice = f"{job_id} is the id of a pipeline; give it as pipeline_id, or the id of a job"


@contextlib.contextmanager
def explained_missing(session: Session, query: PipelineQuery, *, explains: bool = True) -> t.Iterator[None]:
    """Say in the error about a pipeline that is not there whether its id is the number within the project.

    :param explains: whether to do so, which takes another read.
    """
    try:
        yield
    except MissingError as exc:
        if explains and query.pipeline_id is not None:
            exc.advice = _iid_advice(session, query.project, query.pipeline_id) or exc.advice
        raise


def _iid_advice(session: Session, project: str, number: int) -> str:
    try:
        listed = itertools.islice(newest_pipelines(session, project, page_size=_MOST_PIPELINES), _MOST_PIPELINES)
        meant = next((id_of(pipeline) for pipeline in listed if int_of(pipeline, "iid") == number), 0)
    except RequestError:
        return ""  # the hint is not worth another error
    if meant:
        return f"{number} is the number within the project (iid) of pipeline {meant}; give pipeline_id: {meant}"
    return f"Check pipeline_id, and that the pipeline belongs to project {project}"


def mistaken_fields(fields: t.Sequence[str], records: t.Collection[Record], known: t.Collection[str]) -> str:
    """Return which field no job has, and what there is instead; empty when nothing seems to be wrong.

    GitLab leaves out fields of jobs that have no use for them, so that one is a mistake only when another is called
    almost so, or when no job has any of them.

    :param records: of the jobs, with these fields as far as they have them.
    :param known: names of the fields of a whole record.
    """
    names = dict.fromkeys(field.partition(".")[0] for field in fields)
    missing = [name for name in names if name not in known and not any(name in record for record in records)]
    if not records or not known:
        return ""
    for name in missing:
        if len(missing) == len(names) or difflib.get_close_matches(name, known, n=1, cutoff=_CLOSE):
            return f"field {name!r}: {suggestions(known, name, what='fields')}"
    return ""
