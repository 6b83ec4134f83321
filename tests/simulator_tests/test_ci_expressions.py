# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test expressions, regular expressions and path patterns: their meaning, errors and cost."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.ci import expressions, globs
from tests.simulator.ci.regex import Regex, RegexError

KNOWN = {"A": "a", "B": "b", "BLANK": " ", "EMPTY": "", "VERSION": "v1.2.3", "PATTERN": "/^v[0-9]/", "WORD": "xv1.2.3x"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('$A == "a"', True),
        ("$A == 'b'", False),
        ('$A != "b"', True),
        ("$A == $A && $B != $A", True),
        ("$NONE == null", True),
        ("$EMPTY == null", False),
        ('$EMPTY == ""', True),
        ("$A", True),
        ("$EMPTY", False),
        ("$BLANK", False),
        ("$NONE", False),
        ("$NONE || $A", True),
        ("$A && $NONE", False),
        # Operator precedence: comparisons, &&, ||.
        ('$A == "a" || $A == "b" && $NONE', True),
        ('($A == "a" || $A == "b") && $NONE', False),
        # Only null and false stop the operators; the final value is checked at the end.
        ("$EMPTY && $A", True),
        ("$EMPTY || $A", False),
        ("$VERSION =~ /^v\\d+/", True),
        ("$VERSION !~ /^v\\d+/", False),
        ("$VERSION =~ /V1/i", True),
        ("$VERSION =~ $PATTERN", True),
        ("$NONE =~ /aa/", False),
        ("$NONE !~ /aa/", True),
        ("$VERSION =~ $NONE", False),
        # A right side without slashes is searched for in the left side as plain text.
        ("$VERSION =~ $WORD", True),
        ("$WORD =~ $VERSION", False),
        ("null", False),
        ("true", True),
        ('"text"', True),
        ('($A == "a") == ($B == "b")', True),
    ],
)
def test_expressions_evaluate_as_in_gitlab(expression: str, expected: bool) -> None:
    assert expressions.is_true(expression, KNOWN) is expected


@pytest.mark.parametrize(
    "expression",
    [
        "", "$A ==", "== $A", "$A = 'a'", "$A $B", "($A", "$A)", "$A & $B", "!$A", "$A =~ /x/", "$A =~ /(ab/",
        "$A =~ /a(?=b)/", "$A =~ /(a)\\1/", "$A =~ /ab", "A == 'a'", "__import__('os')", " || ".join(["$A"] * 60),
    ],
)  # fmt: skip
def test_invalid_expressions_are_refused(expression: str) -> None:
    with pytest.raises(expressions.ExpressionError):
        expressions.check(expression)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("^v\\d+\\.\\d+$", "v1.2", True),
        # Not before a final line break, unlike in Python.
        ("^v1$", "v1\n", False),
        ("(?m)^b$", "a\nb\nc", True),
        ("a{2,3}b", "xaab", True),
        ("^a{2}$", "aaa", False),
        ("a{,2}", "a{,2}", True),
        ("a{²}", "a{²}", True),
        ("(?i)main", "MAIN", True),
        ("(?i:m)ain", "MAIN", False),
        ("a|b|", "c", True),
        ("\\bfoo\\b", "a foo b", True),
        ("\\Bo", "foo", True),
        ("[[:alpha:]-]+$", "a-b", True),
        ("[^/]", "/", False),
        ("[]x]", "]", True),
        ("\\Aa\\z", "a", True),
        ("\\Q.*\\E", "a.*b", True),
        ("\\Q.*\\E", "ab", False),
        ("(?P<name>a)(?<other>b)", "ab", True),
        (".", "\n", False),
        ("(?s).", "\n", True),
        ("\\x41\\x{42}", "AB", True),
        ("\\pL\\PL", "\u00e41", True),
        ("\\d", "\u0663", False),
        ("^(?:ab|a)(?:bc|c)$", "abc", True),
        ("^(a*)*$", "aaaa", True),
        ("x*", "", True),
    ],
)
def test_regular_expressions_match_as_in_re2(pattern: str, text: str, expected: bool) -> None:
    assert Regex(pattern).search(text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "a(?=b)", "a(?!b)", "(?<=a)b", "(?<!a)b", "(?>a)", "(a)\\1", "(?P=n)", "\\Z", "\\G", "a++", "a**", "a{1001}",
        "(", "a)", "[a", "*a", "[z-a]", "[[:none:]]", "\\p{Greek}", "(?z)", "((a{500}){500})",
        "(" * 200 + ")" * 200, "a\\",
    ],
)  # fmt: skip
def test_patterns_that_re2_does_not_support_are_refused(pattern: str) -> None:
    with pytest.raises(RegexError):
        Regex(pattern)


def test_no_regular_expression_needs_exponential_time() -> None:
    begin = time.process_time()
    for pattern in ("^(a+)+$", "^(a|aa)+$", "^(a*)*b", "(.*.*.*.*)x"):
        assert Regex(pattern).search("a" * 1000 + "!") is False
    # A backtracking engine would need longer than the age of the universe.
    assert time.process_time() - begin < 20


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "\\w", "^", "$", "\\b"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}"])).map(lambda parts: f"(?:{parts[0]}){parts[1]}"),
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(pattern=PATTERNS, text=st.text("abc ", max_size=6))
def test_regular_expressions_agree_with_python(pattern: str, text: str) -> None:
    assert Regex(pattern).search(text) is bool(re.search(pattern, text))


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("Dockerfile", "Dockerfile", True),
        ("Dockerfile", "app/Dockerfile", False),
        ("*.py", "main.py", True),
        ("*.py", "src/main.py", False),
        ("**/*.py", "main.py", True),
        ("**/*.py", "src/app/main.py", True),
        ("src/**/*", "src/app/main.py", True),
        ("src/*", "src/app/main.py", False),
        ("*.{rb,py}", "main.py", True),
        ("{a,b/c}/*.txt", "b/c/d.txt", True),
        ("a[0-9].txt", "a7.txt", True),
        ("a[!0-9].txt", "a7.txt", False),
        ("a?.txt", "a/.txt", False),
        (".*/config", ".github/config", True),
        ("docs/*", "docs/.hidden", True),
        ("a+b.txt", "a+b.txt", True),
        ("./main.py", "main.py", True),
        ("{a", "{a", True),
    ],
)
def test_path_patterns_match_as_in_gitlab(pattern: str, path: str, expected: bool) -> None:
    assert globs.any_fits([pattern], [path]) is expected


def test_too_many_comparisons_are_a_match() -> None:
    assert globs.any_fits(["nothing"], [f"{n}.txt" for n in range(50_001)])
