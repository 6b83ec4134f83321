# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Explain ids of the wrong kind, and fields that no job has."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import typing as t

from ..._api.decoding import Record
from ..._api.errors import MissingError, NotFoundError, RequestError, ended
from ..fields import id_of, int_of
from ..pipelines.find import newest_pipelines
from ..pipelines.query import PipelineQuery
from ..session import Session
from .query import suggestions

# How many of the newest pipelines of the project are searched.
_MAX_PIPELINES = 100
# Less similar names may be fields that only some jobs have, such as failure_reason.
_CLOSE = 0.8


def explain_missing_job(session: Session, project: str, job_id: int, exc: MissingError) -> None:
    """Add to the error about a missing job whether its id is that of a pipeline."""
    try:
        session.client.call("get_pipeline", project=project, pipeline_id=job_id)
    except NotFoundError:
        exc.advice = (
            f"{job_id} is neither a job nor a pipeline of project {project}. If it is a trigger job, read it with "
            "gitlab_pipeline_bridges, or act on it by its name"
        )
    except RequestError:
        return  # the hint is not worth another error
    else:
        exc.advice = f"{job_id} is the id of a pipeline; set pipeline_id to it, or job_id to the id of a job"


@contextlib.contextmanager
def explained_missing(session: Session, query: PipelineQuery, *, explains: bool = True) -> t.Iterator[None]:
    """Add to the error about a missing pipeline whether its id is a number within the project.

    :param explains: whether to do so, which costs another request.
    """
    try:
        yield
    except MissingError as exc:
        if explains and query.pipeline_id is not None:
            exc.advice = _iid_advice(session, query.project, query.pipeline_id) or exc.advice
        raise


def _iid_advice(session: Session, project: str, number: int) -> str:
    try:
        listed = itertools.islice(newest_pipelines(session, project, page_size=_MAX_PIPELINES), _MAX_PIPELINES)
        meant = next((id_of(pipeline) for pipeline in listed if int_of(pipeline, "iid") == number), 0)
    except RequestError:
        return ""  # the hint is not worth another error
    if meant:
        return f"{number} is the number within the project (iid) of pipeline {meant}; set pipeline_id: {meant}"
    return f"Check pipeline_id, and that the pipeline belongs to project {project}"


def warn_of_mistaken_fields(
    session: Session, fields: t.Sequence[str], records: t.Collection[Record], known: t.Collection[str]
) -> None:
    """Warn about a field that no job has; see `mistaken_fields`."""
    problem = mistaken_fields(fields, records, known)
    if problem:
        session.warn(f"No job has the {ended(problem)}")


def mistaken_fields(fields: t.Sequence[str], records: t.Collection[Record], known: t.Collection[str]) -> str:
    """Return a field that no job has, and what exists instead; an empty string if nothing seems wrong.

    GitLab omits unused fields of jobs. So a missing field is a mistake only if another field has a similar name, or if
    all fields are missing.

    :param records: the jobs, reduced to these fields.
    :param known: the field names of a whole record.
    """
    names = dict.fromkeys(field.partition(".")[0] for field in fields)
    missing = [name for name in names if name not in known and not any(name in record for record in records)]
    if not records or not known:
        return ""
    for name in missing:
        if len(missing) == len(names) or difflib.get_close_matches(name, known, n=1, cutoff=_CLOSE):
            return f"field {name!r}: {suggestions(known, name, what='fields')}"
    return ""
