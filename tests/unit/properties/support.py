# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared by the properties: the number of examples, which are the same each time, and strategies of unusual values."""

from __future__ import annotations

import typing as t

from hypothesis import settings
from hypothesis import strategies as st

from ..harness import TOKEN


def examples(count: int) -> settings:
    """Return settings of a property with this number of examples."""
    return settings(max_examples=count)


CONTROL_CODES = [chr(code) for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"]
# CSI, OSC, DCS, APC, PM and SOS, in both forms, terminated and unterminated; and short ones.
ESCAPE_SEQUENCES = [
    "\x1b[31m",
    "\x1b[0;1;38;5;200m",
    "\x1b[?25l",
    "\x1b[2J",
    "\x1b[",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\",
    "\x1b]52;c;AAAA",
    "\x1bPq#0\x1b\\",
    "\x1b_apc\x1b\\",
    "\x1b^pm\x1b\\",
    "\x1bXsos\x1b\\",
    "\x1b(B",
    "\x1b7",
    "\x1bc",
    "\x9b31m",
    "\x9d0;title\x9c",
    "\x90q\x9c",
]
NASTY = [
    *ESCAPE_SEQUENCES,
    *"\x00\x07\x08\r\n\t\x7f\x85\u2028\u2029\u202e%/\\\"'<>&{}[]*?.",
    "..",
    "../",
    "%2F",
    "\ud800",
    "\udcff",
    "é",
    "日本",
    "😀",
]

any_text = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=8)), max_size=8).map("".join)
# Strings that a URL can contain: without lone surrogates.
sendable_text = any_text.filter(lambda text: not any(0xD800 <= ord(char) < 0xE000 for char in text))
# Strings of a server that contain its credential, and attack whoever reads them in a terminal.
hostile_text = st.lists(
    st.one_of(
        st.sampled_from([*NASTY, TOKEN, TOKEN[:9] + "\x1b[0m" + TOKEN[9:], "deploy", "failed"]), st.text(max_size=5)
    ),
    min_size=1,
    max_size=5,
).map("".join)


def control_codes_in(text: str) -> list[str]:
    """Return the control codes that a terminal may obey."""
    return [char for char in text if char in CONTROL_CODES]


def assert_line(text: str) -> None:
    """Fail unless a string is one line for people: not empty, and without line breaks, control codes and secrets."""
    assert text.strip()
    assert len(text.splitlines()) == 1, repr(text)
    assert not control_codes_in(text), repr(text)
    assert TOKEN not in text


def nested(leaves: t.Any, max_leaves: int = 8) -> t.Any:
    """Return a strategy of nested JSON values with these leaves."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
        max_leaves=max_leaves,
    )
