# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No control code reaches a terminal, and visible characters stay."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.masking import Masker, one_line, printable
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.log_tails import tail_of
from hypothesis import given
from hypothesis import strategies as st

from .support import CONTROL_CODES, ESCAPE_SEQUENCES, any_text, control_codes_in, examples

codes_and_text = st.one_of(
    any_text, st.text(alphabet=[*CONTROL_CODES, *"\x1b\x9b\x9d\x90[]()P_^X\\;?0123m\n ab"], max_size=30)
)
visible = st.text(alphabet="abc ü日.;[]0", max_size=6)
ended = [code for code in ESCAPE_SEQUENCES if not code.endswith(("\x1b[", "AAAA"))]


@examples(200)
@given(codes_and_text)
def test_printable_text_contains_no_control_codes(text):
    cleaned = printable(text)
    assert not control_codes_in(cleaned)
    assert printable(cleaned) == cleaned
    assert len(cleaned) <= len(text)


@examples(200)
@given(st.lists(st.tuples(visible, st.sampled_from(ended)), max_size=6), visible)
def test_visible_text_is_kept(parts, rest):
    text = "".join(before + code for before, code in parts) + rest
    assert printable(text) == "".join(before for before, _code in parts) + rest


@examples(200)
@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cf", "Cs"]), max_size=30))
def test_text_without_control_codes_is_unchanged(text):
    assert printable(text) == text


@pytest.mark.parametrize("code", ESCAPE_SEQUENCES)
def test_escape_sequence_ends_at_the_end_of_its_line(code):
    assert printable(f"one{code}\ntwo").split("\n")[1] == "two"


@examples(200)
@given(codes_and_text)
def test_one_line_contains_no_line_break(text):
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert not control_codes_in(line) and "\t" not in line
    assert one_line(line) == line


@examples(200)
@given(codes_and_text, st.integers(min_value=-1, max_value=5))
def test_tail_consists_of_clean_lines(log, lines):
    tail = tail_of(log, lines, Masker())
    assert len(tail) <= max(0, lines)
    assert not any(control_codes_in(line) or "\n" in line for line in tail)
