# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What else there is to say about the jobs of a gate: that they were retried."""

from __future__ import annotations

import collections
import typing as t

from ..._api.decoding import Record
from ..._api.errors import GitLabError
from ..fields import id_of, status_of
from ..jobs.query import MOST_NAMES_IN_TEXT, FoundJob, listed
from ..jobs.statuses import STATUSES, is_retryable
from ..session import Session


def retried_text(session: Session, jobs: t.Sequence[FoundJob], timeline: t.Sequence[Record]) -> str:
    """Return which jobs were retried while they were looked at, by whomever, and after which failures.

    A list is read for it only if there are such jobs.

    :param timeline: what has happened to them.
    """
    attempts = collections.Counter(name for name, _id in {(entry["name"], entry["id"]) for entry in timeline})
    retried = [job for job in jobs if attempts[job.path] > 1]
    shown = retried[:MOST_NAMES_IN_TEXT]
    ends = _former_ends(session, shown)
    texts = [
        f"{job.path} was retried" + (f" after {listed(ends[job.key], 'and')}" if ends.get(job.key) else "")
        for job in shown
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
    client, scope = session.in_passing().client, list(filter(is_retryable, STATUSES))
    for (project, pipeline_id), found in pipelines.items():
        try:
            records = client.list_all(
                "list_pipeline_jobs", project=project, pipeline_id=pipeline_id, scope=scope, include_retried=True
            )
        except GitLabError:
            continue
        for job in found:
            former = [record for record in records if record.get("name") == job.name and id_of(record) < job.id]
            reasons = [str(record.get("failure_reason") or status_of(record)) for record in sorted(former, key=id_of)]
            counts = collections.Counter(reasons)
            ends[job.key] = [f"{end} ({count} times)" if count > 1 else end for end, count in counts.items()]
    return ends
