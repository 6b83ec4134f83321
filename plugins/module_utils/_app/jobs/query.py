# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Which jobs: what a user asks for, and what a name stands for.

Exact names first, else `*` and `?` as wildcards; `[` is ordinary, since matrix jobs carry it.
"""

from __future__ import annotations

import fnmatch
import re
import typing as t

from ..._api.decoding import Record
from ..pipelines.query import PipelineQuery
from .statuses import id_of

MOST_NAMES_IN_TEXT = 12


class JobQuery(t.NamedTuple):
    """Which jobs to look for.

    :param with_bridges: whether names may stand for trigger jobs, too.
    :param newest_attempt: whether `job_id` stands for the newest attempt of that job.
    :param fields: the only fields of each record that the caller will return; empty for all.
    :param limit: most jobs that the caller will return, 0 for all.
    """

    pipeline: PipelineQuery
    job_id: int | None = None
    names: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    include_downstream: bool = False
    include_retried: bool = False
    with_bridges: bool = False
    newest_attempt: bool = False
    fields: tuple[str, ...] = ()
    limit: int = 0


class FoundJob:
    """A job, or a trigger job, and where it was found. There may be ten thousand of them, so it is a light one.

    :param project: numeric id or path of the project it belongs to, as requests about it need it.
    :param path: its name, with the names of the trigger jobs that lead to it before it, separated by slashes.
    """

    __slots__ = ("id", "is_bridge", "key", "name", "path", "pipeline_id", "project", "record")

    def __init__(self, record: Record, project: str, pipeline_id: int, path: str, is_bridge: bool = False) -> None:
        self.record = record
        self.project = project
        self.pipeline_id = pipeline_id
        self.path = path
        self.is_bridge = is_bridge
        # of this attempt
        self.id = id_of(record)
        # in its own pipeline
        self.name = str(record.get("name") or "")
        # what all attempts of this job have in common
        self.key = (project, pipeline_id, self.name)

    def with_record(self, record: Record) -> FoundJob:
        """Return the same job with another record: a newer one, or that of another attempt."""
        return FoundJob(record, self.project, self.pipeline_id, self.path, self.is_bridge)


def match_name(jobs: t.Sequence[FoundJob], name: str) -> list[FoundJob]:
    """Return the jobs that a name stands for: those of exactly that name or path, else those that fit its wildcards."""
    exact = [job for job in jobs if name in (job.name, job.path)]
    if exact or not has_wildcard(name):
        return exact
    # of fnmatch's special characters only the bracket is not ours; its expression takes no time for many wildcards
    pattern = re.compile(fnmatch.translate(name.replace("[", "[[]")))
    return [job for job in jobs if pattern.match(job.name) or pattern.match(job.path)]


def has_wildcard(name: str) -> bool:
    """Return whether a name may stand for several jobs."""
    return "*" in name or "?" in name


def suggestions(known: t.Collection[str], name: str) -> str:
    """Return the close names, or else all of them, as a sentence."""
    if not known:
        return "there are no jobs at all"
    import difflib  # here, for most names are right

    close = difflib.get_close_matches(name, known, n=3)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"there are {shortened(sorted(known))}"


def shortened(texts: t.Sequence[str]) -> str:
    """Return texts as a list for a sentence, cut when it is long."""
    shown = ", ".join(map(repr, texts[:MOST_NAMES_IN_TEXT]))
    return shown + (f" and {len(texts) - MOST_NAMES_IN_TEXT} more" if len(texts) > MOST_NAMES_IN_TEXT else "")
