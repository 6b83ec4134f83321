# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names: an exact match wins, `*` and `?` are wildcards, and all other characters are literal."""

from __future__ import annotations

import re

from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.index import JobIndex
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.query import FoundJob, has_wildcard
from hypothesis import given
from hypothesis import strategies as st

from .support import any_text, examples

# All characters with a meaning in regular expressions or fnmatch, and a few without.
names = st.text(alphabet="ab*?[]!-^$.|+(){}\\ \n/:é", max_size=8)


def fits(name: str, pattern: str) -> bool:
    """Return whether a name matches a pattern, by a slow and obvious algorithm."""
    fitting = {0}
    for char in pattern:
        if char == "*":
            fitting = {end for start in fitting for end in range(start, len(name) + 1)}
        else:
            fitting = {at + 1 for at in fitting if at < len(name) and char in ("?", name[at])}
    return len(name) in fitting


def jobs_of(listed) -> list[FoundJob]:
    return [FoundJob({"id": number, "name": name}, "7", 6, prefix) for number, (prefix, name) in enumerate(listed, 1)]


def found(jobs: list[FoundJob], name: str) -> list[FoundJob]:
    return list(JobIndex(jobs).called(name))


@examples(250)
@given(st.lists(st.tuples(st.sampled_from(["", "", "a", "[b]"]), names), max_size=6), names)
def test_matching_agrees_with_a_simple_algorithm(listed, pattern):
    jobs = jobs_of(listed)
    own = [job for job, (prefix, name) in zip(jobs, listed) if not prefix and name == pattern]
    below = [job for job, (prefix, name) in zip(jobs, listed) if prefix and f"{prefix}/{name}" == pattern]
    named = [job for job in jobs if job.name == pattern]
    anywhere = [job for job in jobs if pattern.startswith("**/") and fits(job.name, pattern[3:])]
    anything = [job for job in jobs if fits(job.name, pattern) or fits(job.path, pattern)]
    assert found(jobs, pattern) == (own or below or named or anywhere or anything)


@examples(100)
@given(any_text, any_text)
def test_exact_name_takes_precedence(name, other):
    jobs = jobs_of([("", name), ("", other)])
    assert found(jobs, name) == [job for job in jobs if job.name == name]


@examples(100)
@given(names.filter(lambda name: not has_wildcard(name)), names)
def test_name_without_wildcards_matches_only_itself(pattern, name):
    assert bool(found(jobs_of([("", name)]), pattern)) == (name == pattern)


@examples(100)
@given(names.filter(lambda name: "\n" not in name))
def test_simple_algorithm_agrees_with_regular_expressions(pattern):
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    candidates = [pattern.replace("*", ""), pattern.replace("?", "x"), pattern + "x", "x" + pattern]
    for name in candidates:
        assert fits(name, pattern) == bool(re.fullmatch(expression, name, re.DOTALL))


def test_many_wildcards_are_matched_quickly():
    jobs = jobs_of([("", "a" * 255)])
    assert found(jobs, "*a" * 40 + "*b") == []
    assert found(jobs, "*" * 200 + "b") == []
    assert found(jobs, "*a" * 40 + "*") == jobs
