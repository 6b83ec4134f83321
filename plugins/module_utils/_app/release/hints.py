# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What else there is to say about the jobs of a gate: what keeps them from their turn, and that they were retried."""

from __future__ import annotations

import collections
import typing as t

from ..._api.decoding import Record
from ..._api.errors import GitLabError
from ..fields import id_of, status_of
from ..jobs.query import MOST_NAMES_IN_TEXT, FoundJob, listed, shortened
from ..session import Session

# How attempts end that are retried for a reason.
_BAD_ENDS = ("failed", "canceled")


def why_late(session: Session, jobs: t.Sequence[FoundJob], *, is_played: bool) -> str:
    """Return what else may keep jobs from their turn, going on where a sentence stops; empty when nothing is known.

    :param is_played: whether the gate plays them: then what is manual only waits for approvals.
    """
    if not is_played and any(status_of(job.record) == "manual" for job in jobs):
        return "; somebody has to play a manual job, as action play does"
    blocked = next((job for job in jobs if status_of(job.record) == "created"), None)
    if blocked is None:
        return ""
    try:
        manual = _list_jobs(session, blocked, scope=["manual"])
    except GitLabError:
        return ""  # the hint is not worth another error
    names = sorted(str(record.get("name")) for record in manual if not record.get("allow_failure"))
    return f"; its pipeline waits for manual jobs to be played: {shortened(names)}" if names else ""


def retried_text(session: Session, jobs: t.Sequence[FoundJob], timeline: t.Sequence[Record]) -> str:
    """Return which jobs were retried while they were looked at, by whomever, and after which failures.

    A list is read for it only if there are such jobs.

    :param timeline: what has happened to them.
    """
    attempts = collections.Counter(name for name, _id in {(entry["name"], entry["id"]) for entry in timeline})
    retried = [job for job in jobs if attempts[job.path] > 1]
    ends = _former_ends(session, retried)
    texts = [
        f"{job.path} was retried" + (f" after {listed(ends[job.key], 'and')}" if ends.get(job.key) else "")
        for job in retried[:MOST_NAMES_IN_TEXT]
    ]
    more = len(retried) - len(texts)
    return "; ".join([*texts, f"{more} more jobs were retried"] if more > 0 else texts)


def _former_ends(session: Session, jobs: t.Sequence[FoundJob]) -> dict[t.Any, list[str]]:
    """Return how the earlier attempts of jobs have ended, by the key of each; nothing of trigger jobs, or without time.

    What is only to be told is worth no error.
    """
    pipelines: dict[tuple[str, int], list[FoundJob]] = {}
    for job in jobs:
        if not job.is_bridge and not session.deadline.has_passed():
            pipelines.setdefault((job.project, job.pipeline_id), []).append(job)
    ends: dict[t.Any, list[str]] = {}
    for found in pipelines.values():
        try:
            records = _list_jobs(session, found[0], scope=_BAD_ENDS, include_retried=True)
        except GitLabError:
            continue
        for job in found:
            former = [record for record in records if record.get("name") == job.name and id_of(record) < job.id]
            reasons = [str(record.get("failure_reason") or status_of(record)) for record in sorted(former, key=id_of)]
            counts = collections.Counter(reasons)
            ends[job.key] = [f"{end} ({count} times)" if count > 1 else end for end, count in counts.items()]
    return ends


def _list_jobs(session: Session, job: FoundJob, **filters: t.Any) -> list[Record]:
    """Return jobs of the pipeline of a job."""
    client = session.in_passing().client
    return client.list_all("list_pipeline_jobs", project=job.project, pipeline_id=job.pipeline_id, **filters)
