# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding hundreds of jobs among thousands, by names as users write them."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs import query
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.index import JobIndex

PATHS = [
    "build",
    "build-docs",
    "build*",
    "test: [py311, linux]",
    "test: [py312, linux]",
    "deploy.prod",
    "deploy/prod",
    "infra/apply",
    "infra/nested/apply",
    "other/apply",
    "a\nb",
]


def found(path):
    # "deploy/prod" is a name that contains a slash
    below, name = ("", path) if path == "deploy/prod" else path.rpartition("/")[::2]
    return query.FoundJob({"id": 1, "name": name}, "7", 6, below)


JOBS = [found(path) for path in PATHS]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("build", ["build"]),
        ("build*", ["build*"]),
        ("build?docs", ["build-docs"]),
        ("buil*", ["build", "build-docs", "build*"]),
        ("test: [py311, linux]", ["test: [py311, linux]"]),
        ("test: [*", ["test: [py311, linux]", "test: [py312, linux]"]),
        ("test: [py31?, linux]", ["test: [py311, linux]", "test: [py312, linux]"]),
        ("[t]est*", []),
        ("deploy.prod", ["deploy.prod"]),
        ("deploy?prod", ["deploy.prod", "deploy/prod"]),
        ("deploy/prod", ["deploy/prod"]),
        ("apply", ["infra/apply", "infra/nested/apply", "other/apply"]),
        ("infra/apply", ["infra/apply"]),
        ("infra/*", ["infra/apply", "infra/nested/apply"]),
        ("*/apply", ["infra/apply", "infra/nested/apply", "other/apply"]),
        ("infra/nested/apply", ["infra/nested/apply"]),
        ("Build", []),
        ("uild", []),
        ("a?b", ["a\nb"]),
        ("*", PATHS),
    ],
)
def test_exact_names_take_precedence_over_wildcards(name, expected):
    assert [job.path for job in JobIndex(JOBS).called(name)] == expected


def test_pattern_is_matched_only_against_names_with_its_prefix(monkeypatch):
    matched = []
    pattern = query._pattern

    class RecordingPattern:
        def __init__(self, wanted):
            self._pattern = pattern(wanted)

        def match(self, text):
            matched.append(text)
            return self._pattern.match(text)

    monkeypatch.setattr(query, "_pattern", RecordingPattern)
    index = JobIndex(found(f"test {number}: [linux]") for number in range(2000))
    for _round in range(2):
        for number in range(1000, 1300):
            assert [job.path for job in index.called(f"test {number}: *")] == [f"test {number}: [linux]"]
    assert len(matched) == 300


def test_joined_jobs_are_appended():
    index = JobIndex(map(found, ["build", "deploy"]), {"id": 6})
    trigger, apply = found("infra"), found("infra/apply")
    joined = index.joined([trigger, apply])
    assert (joined.jobs, joined.pipeline) == ((*index.jobs, trigger, apply), {"id": 6})
    assert index.joined([]) is index
