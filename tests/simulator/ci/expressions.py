# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The expressions of `rules:if` and of `only:variables`: a small parser for GitLab's grammar.

    expression = both ("||" both)*
    both       = compared ("&&" compared)*
    compared   = value (("==" | "!=" | "=~" | "!~") value)*
    value      = "(" expression ")" | $VARIABLE | "text" | 'text' | /expression/flags | null | true | false

Source: https://docs.gitlab.com/ci/jobs/job_rules/#cicd-variable-expressions
"""

from __future__ import annotations

import re
import typing as t

from .regex import Regex, RegexError

Variables = t.Mapping[str, str]

_MAX_TOKENS: t.Final = 100
# In this order: the first match counts. A regular expression has at least two characters.
_TOKENS: t.Final = [
    ("sign", re.compile(r"\(|\)|==|=~|!=|!~|&&|\|\|")),
    ("variable", re.compile(r"\$(\w+)")),
    ("text", re.compile(r"\"([^\"]*)\"|'([^']*)'")),
    ("regex", re.compile(r"/((?:[^/\\]|\\.)+)/([ismU]*)", re.DOTALL)),
    ("word", re.compile(r"\b(null|true|false)\b")),
]
_WORDS: t.Final[dict[str, bool | None]] = {"null": None, "true": True, "false": False}
_AS_REGEX: t.Final = re.compile(r"/(.*)/([ismU]*)\Z", re.DOTALL)


class ExpressionError(ValueError):
    """Invalid expression."""


def is_true(expression: str, variables: Variables) -> bool:
    """Return whether an expression is true: its value is not null, false or blank.

    :raises ExpressionError: if its syntax is invalid, or RE2 does not support a regular expression in it.
    """
    value = _Parser(expression, variables).parse()
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def check(expression: str) -> None:
    """Check the syntax of an expression, without values.

    :raises ExpressionError: if it is invalid.
    """
    _Parser(expression, {}).parse()


def regex(pattern: str, flags: str) -> Regex:
    """Return the regular expression between two slashes."""
    try:
        return Regex(pattern.replace("\\/", "/"), flags)
    except RegexError as error:
        raise ExpressionError(f"invalid regular expression /{pattern}/: {error}") from error


def as_regex(text: str) -> Regex | None:
    """Return the regular expression of a text of the form /expression/flags, None for any other text."""
    match = _AS_REGEX.match(text)
    return regex(match[1], match[2]) if match and match[1] else None


class _Parser:
    """Parses and evaluates in one pass; both sides of && and || are always parsed."""

    def __init__(self, expression: str, variables: Variables) -> None:
        self._tokens = _split(expression)
        self._variables = variables
        self._at = 0

    def parse(self) -> t.Any:
        value = self._either()
        if self._at < len(self._tokens):
            raise ExpressionError(f"unexpected {self._tokens[self._at][1]!r}")
        return value

    def _sign(self, *signs: str) -> str | None:
        if self._at < len(self._tokens) and self._tokens[self._at][0] == "sign":
            sign = str(self._tokens[self._at][1])
            if sign in signs:
                self._at += 1
                return sign
        return None

    def _either(self) -> t.Any:
        value = self._both()
        while self._sign("||"):
            other = self._both()
            # As in Ruby, an empty text counts as something here.
            value = other if value is None or value is False else value
        return value

    def _both(self) -> t.Any:
        value = self._compared()
        while self._sign("&&"):
            other = self._compared()
            value = value if value is None or value is False else other
        return value

    def _compared(self) -> t.Any:
        value = self._value()
        while sign := self._sign("==", "!=", "=~", "!~"):
            other = self._value()
            if sign in ("==", "!="):
                value = (value == other) == (sign == "==")
            else:
                value = _matches(value, other) == (sign == "=~")
        return value

    def _value(self) -> t.Any:
        if self._sign("("):
            value = self._either()
            if not self._sign(")"):
                raise ExpressionError("a parenthesis is not closed")
            return value
        if self._at == len(self._tokens):
            raise ExpressionError("something is missing at the end")
        kind, value = self._tokens[self._at]
        if kind == "sign":
            raise ExpressionError(f"unexpected {value!r}")
        self._at += 1
        return self._variables.get(value) if kind == "variable" else value


def _split(expression: str) -> list[tuple[str, t.Any]]:
    tokens: list[tuple[str, t.Any]] = []
    position = 0
    while position < len(expression):
        if expression[position].isspace():
            position += 1
            continue
        found = ((kind, pattern.match(expression, position)) for kind, pattern in _TOKENS)
        kind, match = next(((kind, match) for kind, match in found if match), ("", None))
        if match is None:
            raise ExpressionError(f"unknown {expression[position : position + 10]!r}")
        tokens.append((kind, _token_value(kind, match)))
        position = match.end()
        if len(tokens) > _MAX_TOKENS:
            raise ExpressionError("too many tokens")
    return tokens


def _token_value(kind: str, match: re.Match[str]) -> t.Any:
    if kind == "text":
        return match[1] if match[1] is not None else match[2]
    if kind == "regex":
        if len(match[1]) < 2:
            raise ExpressionError(f"the regular expression /{match[1]}/ is shorter than two characters")
        return regex(match[1], match[2])
    if kind == "word":
        return _WORDS[match[1]]
    return match[1] if kind == "variable" else match[0]


def _matches(text: t.Any, pattern: t.Any) -> bool:
    """Return whether a text matches; a variable on the right side is used as an expression if it looks like one."""
    if isinstance(pattern, str):
        # Any other string is searched for the left side, as on the server.
        pattern = as_regex(pattern) or pattern
    written = text if isinstance(text, str) else ""
    if isinstance(pattern, Regex):
        return pattern.search(written)
    return isinstance(pattern, str) and written in pattern
