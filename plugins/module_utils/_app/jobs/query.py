# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which jobs: what a user asks for, and what a name stands for.

Exact names first, else `*` and `?` as wildcards; `[` is ordinary, since matrix jobs carry it.
"""

from __future__ import annotations

import bisect
import dataclasses
import difflib
import fnmatch
import functools
import itertools
import re
import typing as t

from ..._api.decoding import Record
from ..fields import id_of, status_of
from ..pipelines.query import PipelineQuery

# What selecting and waiting need of a record, whatever the user wants to keep of it.
NEEDED_FIELDS = ("id", "name", "status", "stage", "queued_duration")
MOST_NAMES_IN_TEXT = 12
_WILDCARDS = re.compile("[*?]")


@dataclasses.dataclass(frozen=True)
class JobQuery:
    """Which jobs to look for.

    :param names: names, paths or wildcards; empty for any.
    :param may_be_split: whether the names may be one text that Ansible has split at its commas.
    :param stages: as `names`.
    :param allow_empty: whether no job at all is a fine answer to an action or a wait.
    :param is_empty: whether an empty list of names or stages was given, which selects nothing.
    :param with_bridges: whether names may stand for trigger jobs, too.
    :param all_bridges: whether trigger jobs are selected without a name as well.
    :param needs_all: whether something is missing when a pipeline downstream that might hold more could not be started.
    :param newest_attempt: whether `job_id` stands for the newest attempt of that job.
    :param may_be_by_id: whether the caller could have given `job_id`.
    :param fields: the only fields of each record that the caller will return; empty for all.
    :param limit: most jobs that the caller will return, 0 for all.
    """

    pipeline: PipelineQuery
    job_id: int | None = None
    names: tuple[str, ...] = ()
    may_be_split: bool = False
    stages: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    is_empty: bool = False
    allow_empty: bool = False
    include_downstream: bool = False
    include_retried: bool = False
    with_bridges: bool = False
    all_bridges: bool = False
    needs_all: bool = False
    newest_attempt: bool = False
    may_be_by_id: bool = False
    fields: tuple[str, ...] = ()
    limit: int = 0

    @property
    def whole_name(self) -> str:
        """Return the text that the names may have been before Ansible split it; empty when they were never one text."""
        return ",".join(self.names) if self.may_be_split and len(self.names) > 1 else ""

    @property
    def single_names(self) -> tuple[str, ...]:
        """Return the names once each, without the blanks that followed the commas of a text."""
        names = (name.strip() for name in self.names) if self.may_be_split else self.names
        return tuple(dict.fromkeys(names))

    @property
    def is_whole(self) -> bool:
        """Return whether it selects everything in its pipelines, whatever its name, stage or status."""
        return self.job_id is None and not (self.names or self.stages or self.scope or self.is_empty)

    def is_in_scope(self, record: Record) -> bool:
        """Return whether it selects a job of the right name and stage."""
        return not self.scope or status_of(record) in self.scope

    @property
    def scope_said(self) -> str:
        """Return what `scope` asks for, as part of a sentence; empty when it asks for nothing."""
        return f"the status {' or '.join(self.scope)}, as scope asks" if self.scope else ""

    def describe(self) -> str:
        """Return which jobs it selects, as part of a sentence."""
        jobs = f"job {' or '.join(map(repr, self.single_names))}" if self.names else "jobs"
        if self.job_id is not None:
            jobs = f"job {self.job_id}"
        return f"{jobs} in the {self.pipeline.describe()}"


class FoundJob:
    """A job, or a trigger job, and where it was found. There may be ten thousand of them, so it is a light one.

    :param project: numeric id or path of the project it belongs to, as requests about it need it.
    :param below: names of the trigger jobs that lead to its pipeline, joined by slashes; empty for where was looked.
    """

    __slots__ = ("below", "id", "is_bridge", "key", "name", "path", "pipeline_id", "project", "record", "stage")

    def __init__(
        self, record: Record, project: str, pipeline_id: int, below: str = "", *, is_bridge: bool = False
    ) -> None:
        self.record = record
        self.project = project
        self.pipeline_id = pipeline_id
        self.below = below
        self.is_bridge = is_bridge
        # of this attempt
        self.id = id_of(record)
        # in its own pipeline
        self.name = str(record.get("name") or "")
        self.path = f"{below}/{self.name}" if below else self.name
        self.stage = str(record.get("stage") or "")
        # what all attempts of this job have in common
        self.key = (project, pipeline_id, self.name)

    @property
    def status(self) -> str:
        return status_of(self.record)

    @property
    def called(self) -> str:
        """Return what to call it in a sentence."""
        return f"job {self.path!r} (id {self.id})" if self.path else f"job {self.id}"

    def with_record(self, record: Record) -> FoundJob:
        """Return the same job with another record: a newer one, or that of another attempt."""
        return FoundJob(record, self.project, self.pipeline_id, self.below, is_bridge=self.is_bridge)


def fitting(texts: t.Sequence[str], wanted: str) -> set[str]:
    """Return which of some texts, in their order, fit what is wanted, which may hold the wildcards `*` and `?`."""
    beginning, match = _beginning(wanted), _pattern(wanted).match
    candidates = texts[bisect.bisect_left(texts, beginning) :]
    return set(filter(match, itertools.takewhile(lambda text: text.startswith(beginning), candidates)))


def may_hold(names: t.Iterable[str], path: str) -> bool:
    """Return whether one of some names may stand for a job of the pipeline below a trigger job with this path.

    One without a slash, as an empty one for any, may at any depth; of others the part before the first wildcard tells.
    """
    below = f"{path}/"
    return any(
        "/" not in name
        or _beginning(name).startswith(below)
        or (has_wildcard(name) and below.startswith(_beginning(name)))
        for name in names
    )


def _beginning(wanted: str) -> str:
    """Return what stands before the first wildcard."""
    return _WILDCARDS.split(wanted, maxsplit=1)[0]


@functools.lru_cache(maxsize=1024)
def _pattern(wanted: str) -> re.Pattern[str]:
    # of fnmatch's special characters only the bracket is not ours; its expression takes no time for many wildcards
    return re.compile(fnmatch.translate(wanted.replace("[", "[[]")))


def matching_stages(stages: t.Collection[str], wanted: str) -> set[str]:
    """Return the stages that one entry of `stage` stands for: exactly that one, else those that fit its wildcards."""
    return {wanted} if wanted in stages else fitting(sorted(stages), wanted)


def has_wildcard(name: str) -> bool:
    return _WILDCARDS.search(name) is not None


def suggestions(known: t.Collection[str], name: str, *, what: str = "jobs") -> str:
    """Return what there is, close names first, as a sentence.

    :param what: the word for what is known by name.
    """
    if not known:
        return f"there are no {what} at all"
    close = difflib.get_close_matches(name, known, n=3)
    # the jobs of a matrix begin with the name that the configuration gives them
    close = close or sorted(each for each in known if each.startswith(f"{name}: "))[:3]
    others = sorted(set(known) - set(close))
    if not close:
        return f"there are {shortened(others)}"
    rest = f" There are also {shortened(others)}." if others else ""
    return f"did you mean {' or '.join(map(repr, close))}?{rest}"


def shortened(texts: t.Sequence[str]) -> str:
    """Return texts as a list for a sentence, cut when it is long."""
    shown = ", ".join(map(repr, texts[:MOST_NAMES_IN_TEXT]))
    return shown + (f" and {len(texts) - MOST_NAMES_IN_TEXT} more" if len(texts) > MOST_NAMES_IN_TEXT else "")


def sentences(texts: t.Sequence[str], *, most: int = MOST_NAMES_IN_TEXT) -> str:
    """Return sentences as one text: the first of many, and how many there are."""
    more = len(texts) - most
    return "; ".join([*texts[:most], *([f"and {more} more, {len(texts)} in all"] if more > 0 else [])])


def listed(words: t.Sequence[str], last: str) -> str:
    """Return words as a list in a sentence, the last one after "and" or "or"."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
