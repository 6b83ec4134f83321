# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Job names as users write them."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs import query as naming


@pytest.mark.parametrize(
    ("known", "name", "words"),
    [
        ([], "x", "there are no jobs at all"),
        (["deploy:prod", "build"], "deploy:prd", "did you mean 'deploy:prod'?"),
        (["aaaa", "bbbb"], "zzzz", "there are 'aaaa', 'bbbb'"),
        # the name in the configuration of all jobs of a matrix
        (
            ["test: [3.11, linux]", "test: [3.12, linux]", "build"],
            "test",
            "did you mean 'test: [3.11, linux]' or 'test",
        ),
        ([f"{number:02}{'x' * 9}" for number in range(15)], "zzzz", "and 3 more"),
    ],
)
def test_unknown_name_gets_similar_suggestions(known, name, words):
    assert words in naming.suggestions(known, name)


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("", "eu", True),
        ("deploy", "eu", True),
        ("eu/deploy", "eu", True),
        ("us/deploy", "eu", False),
        ("deploy*", "eu", True),
        ("**/deploy", "eu", True),
        ("eu/*", "eu", True),
        ("eu/north/*", "eu", True),
        ("e?/deploy", "eu", True),
        ("us/*", "eu", False),
        ("eu-west/*", "eu", False),
        # a name without wildcards matches one job
        ("eu/north", "eu/north-1", False),
        ("eu/", "eu/north", False),
        ("eu/north*", "eu/north-1", True),
    ],
)
def test_names_that_may_match_unreadable_jobs_are_recognized(name, path, expected):
    assert naming.may_hold([name], path) is expected


def test_found_job_has_id_name_path_and_key():
    job = naming.FoundJob({"id": 9, "name": "a"}, "7", 6, "b")
    assert (job.id, job.name, job.path, job.key) == (9, "a", "b/a", ("7", 6, "a"))
    assert naming.FoundJob({}, "7", 6).id == 0


@pytest.mark.parametrize(
    ("words", "expected"), [(["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")], ids=str
)
def test_words_are_joined_in_a_sentence(words, expected):
    assert naming.listed(words, "or") == expected


@pytest.mark.parametrize(
    ("count", "end"),
    [(0, ""), (1, "s0"), (12, "; s11"), (13, "; s11; and 1 more, 13 in all"), (6000, "; and 5988 more, 6000 in all")],
)
def test_only_the_first_of_many_sentences_are_shown(count, end):
    text = naming.sentences([f"s{number}" for number in range(count)])
    assert text.endswith(end) and text.count("; ") == max(0, min(count, 13) - 1)
