# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Encoding values for URLs and bodies."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import endpoints as encoding
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "segment", "rest"),
    [
        (7, "7", "7"),
        ("group/app", "group%2Fapp", "group/app"),
        ("a/b/c.d-e_f~g", "a%2Fb%2Fc.d-e_f~g", "a/b/c.d-e_f~g"),
        ("feature/50% #1?", "feature%2F50%25%20%231%3F", "feature/50%25%20%231%3F"),
        ("group%2Fapp", "group%252Fapp", "group%252Fapp"),
        ("füß/日本", "f%C3%BC%C3%9F%2F%E6%97%A5%E6%9C%AC", "f%C3%BC%C3%9F/%E6%97%A5%E6%9C%AC"),
        ("a+b&c=d;e:@", "a%2Bb%26c%3Dd%3Be%3A%40", "a%2Bb%26c%3Dd%3Be%3A%40"),
        ("{job_id}", "%7Bjob_id%7D", "%7Bjob_id%7D"),
    ],
)
def test_paths_are_quoted_once(value, segment, rest):
    assert encoding.quoted(value) == segment
    assert encoding.quoted(value, with_slashes=True) == rest


DOTS = (".", "..")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])).filter(lambda value: value not in DOTS))
def test_quoted_segment_contains_no_separator_and_can_be_unquoted(value):
    quoted = encoding.quoted(value)
    assert not set(quoted) & set("/?#")
    assert unquote(quoted) == value


@pytest.mark.parametrize("value", DOTS)
def test_dot_segments_are_refused(value):
    with pytest.raises(ValueError, match="cannot be"):
        encoding.quoted(value)
    with pytest.raises(ValueError, match="cannot be"):
        encoding.quoted(f"a/{value}/b", with_slashes=True)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], ""),
        ([("scope", ["failed", "manual"])], "scope%5B%5D=failed&scope%5B%5D=manual"),
        ([("scope", ("failed",))], "scope%5B%5D=failed"),
        ([("scope", [])], ""),
        ([("include_retried", True), ("recursive", False)], "include_retried=true&recursive=false"),
        ([("ref", "a b/ü&c")], "ref=a+b%2F%C3%BC%26c"),
        ([("ref", "")], "ref="),
    ],
)
def test_query_string_encodes_lists_and_booleans(pairs, expected):
    assert encoding.query_string(pairs) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(True, "true"), (False, "false"), (0, "0"), (1.5, "1.5"), ("True", "True")]
)
def test_scalars_become_strings(value, expected):
    assert encoding.to_text(value) == expected


def test_bodies_are_json_and_none_without_fields():
    assert encoding.json_body({}) is None
    assert json.loads(encoding.json_body({"force": False, "name": "ü"})) == {"force": False, "name": "ü"}
