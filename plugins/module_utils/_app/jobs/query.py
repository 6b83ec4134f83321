# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Queries for jobs, and how names match.

Exact names come first, then `*` and `?` as wildcards. `[` is ordinary because names of matrix jobs contain it.
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

# The fields that selecting and waiting need, whatever fields the user wants.
NEEDED_FIELDS = ("id", "name", "status", "stage", "queued_duration")
MAX_NAMES_IN_TEXT = 12
_WILDCARDS = re.compile("[*?]")


@dataclasses.dataclass(frozen=True)
class JobQuery:
    """The jobs to look for.

    :param names: names, paths or wildcards; empty for any.
    :param may_be_split: whether Ansible may have split one string at its commas into these names.
    :param stages: like `names`.
    :param allow_empty: whether an action or a wait may select no jobs.
    :param is_empty: whether the list of names or stages was set, but empty, which selects nothing.
    :param with_bridges: whether names may match trigger jobs, too.
    :param all_bridges: whether trigger jobs are also selected without names.
    :param needs_all: whether it is an error if a trigger job started no pipeline that might contain selected jobs.
    :param newest_attempt: whether `job_id` refers to the newest attempt of that job.
    :param may_be_by_id: whether the user could have set `job_id`.
    :param fields: the only fields of each record that the caller returns; empty for all.
    :param limit: the maximum number of jobs that the caller returns; 0 for all.
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
        """Return the string that Ansible may have split into the names, or an empty string."""
        return ",".join(self.names) if self.may_be_split and len(self.names) > 1 else ""

    @property
    def single_names(self) -> tuple[str, ...]:
        """Return the names without duplicates, and without spaces around the commas of a split string."""
        names = (name.strip() for name in self.names) if self.may_be_split else self.names
        return tuple(dict.fromkeys(names))

    @property
    def is_whole(self) -> bool:
        """Return whether the query selects all jobs of its pipelines."""
        return self.job_id is None and not (self.names or self.stages or self.scope or self.is_empty)

    def is_in_scope(self, record: Record) -> bool:
        """Return whether the query selects jobs with the status of this one."""
        return not self.scope or status_of(record) in self.scope

    @property
    def scope_text(self) -> str:
        """Return the statuses of `scope`, as part of a sentence; empty without `scope`."""
        return f"the status {' or '.join(self.scope)} (scope)" if self.scope else ""

    def describe(self) -> str:
        """Return which jobs the query selects, as part of a sentence."""
        jobs = f"job {' or '.join(map(repr, self.single_names))}" if self.names else "jobs"
        if self.job_id is not None:
            jobs = f"job {self.job_id}"
        return f"{jobs} in {self.pipeline.called}"


class FoundJob:
    """A job or trigger job, and where it was found. There may be ten thousand of them, so it is a light object.

    :param project: numeric id or path of its project, for requests about it.
    :param below: names of the trigger jobs that lead to its pipeline, joined by slashes; empty for the root pipeline.
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
        # the id of this attempt
        self.id = id_of(record)
        # the name within its pipeline
        self.name = str(record.get("name") or "")
        self.path = f"{below}/{self.name}" if below else self.name
        self.stage = str(record.get("stage") or "")
        # the same for all attempts of this job
        self.key = (project, pipeline_id, self.name)

    @property
    def status(self) -> str:
        return status_of(self.record)

    @property
    def called(self) -> str:
        """Return the job with its path and id, for messages."""
        return f"job {self.path!r} (id {self.id})" if self.path else f"job {self.id}"

    def with_record(self, record: Record) -> FoundJob:
        """Return the same job with a newer record, or that of another attempt."""
        return FoundJob(record, self.project, self.pipeline_id, self.below, is_bridge=self.is_bridge)


def fitting(texts: t.Sequence[str], wanted: str) -> set[str]:
    """Return which of the sorted strings match a pattern, which may contain the wildcards `*` and `?`."""
    beginning, match = _beginning(wanted), _pattern(wanted).match
    candidates = texts[bisect.bisect_left(texts, beginning) :]
    return set(filter(match, itertools.takewhile(lambda text: text.startswith(beginning), candidates)))


def may_hold(names: t.Iterable[str], path: str) -> bool:
    """Return whether one of the names may match a job below the trigger job with this path.

    Names without a slash, such as an empty one, match at any depth; others, by the part before the first wildcard.
    """
    below = f"{path}/"
    return any(
        "/" not in name
        or _beginning(name).startswith(below)
        or (has_wildcard(name) and below.startswith(_beginning(name)))
        for name in names
    )


def _beginning(wanted: str) -> str:
    """Return the part before the first wildcard."""
    return _WILDCARDS.split(wanted, maxsplit=1)[0]


@functools.lru_cache(maxsize=1024)
def _pattern(wanted: str) -> re.Pattern[str]:
    # the bracket is special only in fnmatch, whose expressions are fast even with many wildcards
    return re.compile(fnmatch.translate(wanted.replace("[", "[[]")))


def matching_stages(stages: t.Collection[str], wanted: str) -> set[str]:
    """Return the stages that an entry of `stage` matches: exactly this stage, else by wildcards."""
    return {wanted} if wanted in stages else fitting(sorted(stages), wanted)


def has_wildcard(name: str) -> bool:
    return _WILDCARDS.search(name) is not None


def suggestions(known: t.Collection[str], name: str, *, what: str = "jobs") -> str:
    """Return a sentence that lists the known names, similar ones first.

    :param what: the plural noun for the names.
    """
    if not known:
        return f"there are no {what} at all"
    close = difflib.get_close_matches(name, known, n=3)
    # the names of matrix jobs begin with the name in the configuration
    close = close or sorted(each for each in known if each.startswith(f"{name}: "))[:3]
    others = sorted(set(known) - set(close))
    be = "is" if len(others) == 1 else "are"
    if not close:
        return f"there {be} {shortened(others)}"
    rest = f" There {be} also {shortened(others)}" if others else ""
    return f"did you mean {' or '.join(map(repr, close))}?{rest}"


def shortened(texts: t.Sequence[str]) -> str:
    """Return quoted strings as a list in a sentence; a long list is cut."""
    shown = ", ".join(map(repr, texts[:MAX_NAMES_IN_TEXT]))
    return shown + (f" and {len(texts) - MAX_NAMES_IN_TEXT} more" if len(texts) > MAX_NAMES_IN_TEXT else "")


def sentences(texts: t.Sequence[str], *, limit: int = MAX_NAMES_IN_TEXT) -> str:
    """Return sentences as one string: the first `limit` of them, and how many more there are."""
    more = len(texts) - limit
    return "; ".join([*texts[:limit], *([f"and {more} more, {len(texts)} in all"] if more > 0 else [])])


def listed(words: t.Sequence[str], last: str) -> str:
    """Return words as a list in a sentence, the last one after "and" or "or"."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
