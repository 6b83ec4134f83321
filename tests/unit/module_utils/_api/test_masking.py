# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret and no control code leaves the collection."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.masking import MASK, Masker, printable
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        ("glpat-1234", "token glpat-1234.", f"token {MASK}."),
        ("glpat-1234", "glpat-1234glpat-1234", MASK * 2),
        ("a+b/c=d", "?x=a%2Bb%2Fc%3Dd and a+b/c=d", f"?x={MASK} and {MASK}"),
        ("one two", "one+two, one%20two", f"{MASK}, {MASK}"),
        # masks the word, the line, or the whole string in which the secret is visible
        ("glpat-1234", "see glpat\x1b[0m-1234, gl\x00pat-1234. %41", f"see {MASK} {MASK} %41"),
        ("one two", "first\nis o\x1b[0mne two.\nlast", f"first\n{MASK}\nlast"),
        ("one\ntwo", "o\x1b[0mne\ntwo", MASK),
        # a secret that looks like a mask hides nothing else
        ("****", "\x1b[1mdeploy\x1b[0m with **** as it is", "\x1b[1mdeploy\x1b[0m with **** as it is"),
        ("abc", "abc is too short to be a token", "abc is too short to be a token"),
        ("", "nothing", "nothing"),
    ],
)
def test_every_form_of_a_secret_is_masked(secret, text, expected):
    assert Masker([secret]).mask(text) == expected


def test_long_text_is_searched_by_halves(monkeypatch):
    searched = []
    shows = Masker._shows_secret
    monkeypatch.setattr(Masker, "_shows_secret", lambda self, text: searched.append(text) or shows(self, text))
    lines = ["all is \x1b[1mwell\x1b[0m"] * 1000
    masked = Masker(["glpat-1234"]).mask("\n".join([*lines, "glpat\x1b[0m-1234", *lines]))
    assert masked == "\n".join([*lines, MASK, *lines])
    assert len(searched) < 50


def test_secret_within_a_longer_secret_is_masked_completely():
    assert Masker(["12345", "Bearer 1234567"]).mask("Bearer 1234567") == MASK


def test_nested_values_are_masked():
    masker = Masker(["secret"])
    value = {"a": ["x secret", {"secret": 1}], "n": 1, "none": None, "flag": True}
    assert masker.mask_value(value) == {"a": [f"x {MASK}", {MASK: 1}], "n": 1, "none": None, "flag": True}
    assert value["a"][0] == "x secret"


def test_secret_that_json_escapes_is_masked_in_values():
    assert Masker(["pa%22ss1"]).mask_value({"a": 'x pa"ss1 y'}) == {"a": f"x {MASK} y"}


def test_without_secrets_values_are_not_copied():
    value = {"a": []}
    assert Masker().mask_value(value) is value


@given(st.text(min_size=4, max_size=12), st.text(max_size=40), st.text(max_size=40))
def test_masked_text_never_contains_the_secret(secret, before, after):
    masked = Masker([secret]).mask(before + secret + after)
    assert secret not in masked or secret in MASK or secret in before + MASK + after


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain ü 日本", "plain ü 日本"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\x1b[31mred\x1b[0;1m bold\x1b[0K", "red bold"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://h\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never ended", ""),
        ("a\x1bMb", "ab"),
        ("a\rb\x00c\x7fd\x9be\x85f", "abcdef"),
        ("\x1b[?25l\x1b[2J\x1b[1;1H", ""),
        ("\x1b", ""),
    ],
)
def test_printable_removes_control_codes(text, expected):
    assert printable(text) == expected


@given(st.text())
def test_printable_text_never_contains_control_codes(text):
    assert not [char for char in printable(text) if (ord(char) < 32 and char not in "\t\n") or 127 <= ord(char) < 160]
