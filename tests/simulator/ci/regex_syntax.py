# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The syntax of RE2: an expression as a tree of letters, assertions, sequences, choices and repetitions.

Source: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import collections.abc as c
import typing as t
import unicodedata

Test = c.Callable[[str], bool]
Node = tuple[t.Any, ...]

_MAX_REPEATS: t.Final = 1000
_DEEPEST: t.Final = 100
_SPECIAL: t.Final = frozenset("|*+?{}[]()^$.\\")
_CONTROLS: t.Final = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_WORD: t.Final = [("0", "9"), ("A", "Z"), ("a", "z"), ("_", "_")]
_CLASSES: t.Final[dict[str, list[tuple[str, str]]]] = {
    "d": [("0", "9")],
    "s": [("\t", "\n"), ("\f", "\r"), (" ", " ")],
    "w": _WORD,
    "alnum": [("0", "9"), ("A", "Z"), ("a", "z")],
    "alpha": [("A", "Z"), ("a", "z")],
    "ascii": [("\x00", "\x7f")],
    "blank": [("\t", "\t"), (" ", " ")],
    "cntrl": [("\x00", "\x1f"), ("\x7f", "\x7f")],
    "digit": [("0", "9")],
    "graph": [("!", "~")],
    "lower": [("a", "z")],
    "print": [(" ", "~")],
    "punct": [("!", "/"), (":", "@"), ("[", "`"), ("{", "~")],
    "space": [("\t", "\r"), (" ", " ")],
    "upper": [("A", "Z")],
    "word": _WORD,
    "xdigit": [("0", "9"), ("A", "F"), ("a", "f")],
}


class RegexError(ValueError):
    """RE2 does not support this expression."""


def _in_ranges(ranges: list[tuple[str, str]]) -> Test:
    return lambda letter: any(low <= letter <= high for low, high in ranges)


def _not(test: Test) -> Test:
    return lambda letter: not test(letter)


def _either(tests: list[Test]) -> Test:
    return lambda letter: any(test(letter) for test in tests)


def _without_case(test: Test) -> Test:
    return lambda letter: test(letter) or test(letter.lower()) or test(letter.upper())


def _in_category(name: str) -> Test:
    return lambda letter: unicodedata.category(letter).startswith(name)


class Parser:
    """Reads an expression by recursive descent: choices of sequences of repeated atoms."""

    def __init__(self, pattern: str, flags: frozenset[str]) -> None:
        self._text = pattern
        self._at = 0
        self._flags = flags
        self._depth = 0

    def parse(self) -> Node:
        node = self._choice()
        if self._at < len(self._text):
            raise RegexError("unexpected )")
        return node

    def _peek(self, ahead: int = 0) -> str:
        return self._text[self._at + ahead : self._at + ahead + 1]

    def _take(self) -> str:
        letter = self._peek()
        if not letter:
            raise RegexError("the expression ends too early")
        self._at += 1
        return letter

    def _accept(self, wanted: str) -> bool:
        found = self._text.startswith(wanted, self._at)
        self._at += len(wanted) * found
        return found

    def _choice(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise RegexError("nesting too deep")
        before, parts = self._flags, [self._sequence()]
        while self._accept("|"):
            parts.append(self._sequence())
        # Flags that were set in a group end with it.
        self._flags = before
        self._depth -= 1
        return parts[0] if len(parts) == 1 else ("any", parts)

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return ("all", parts)

    def _repeated(self, atom: Node) -> Node:
        counts = self._counts()
        if counts is None:
            return atom
        self._accept("?")
        if self._peek() in ("*", "+", "?") and self._peek():
            raise RegexError("bad repetition operator")
        minimum, maximum = counts
        if max(minimum, maximum or 0) > _MAX_REPEATS or (maximum is not None and maximum < minimum):
            raise RegexError("bad repetition operator")
        return ("repeat", atom, minimum, maximum)

    def _counts(self) -> tuple[int, int | None] | None:
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._accept(sign):
                return counts
        closing = self._text.find("}", self._at)
        if self._peek() != "{" or closing < 0:
            return None
        minimum, comma, maximum = self._text[self._at + 1 : closing].partition(",")
        # Anything that is not a count is literal.
        if (
            not minimum.isascii()
            or not minimum.isdigit()
            or not maximum.isascii()
            or not (maximum.isdigit() or maximum == "")
        ):
            return None
        self._at = closing + 1
        return int(minimum), int(maximum) if maximum else None if comma else int(minimum)

    def _char(self, test: Test) -> Node:
        return ("char", _without_case(test) if "i" in self._flags else test)

    def _letter(self, letter: str) -> Node:
        return self._char(lambda other: other == letter)

    def _atom(self) -> Node:
        letter = self._take()
        if letter == "(":
            return self._group()
        if letter == "[":
            return self._char(self._class())
        if letter == ".":
            return ("char", (lambda other: True) if "s" in self._flags else (lambda other: other != "\n"))
        if letter == "^":
            return ("assert", "line_begin" if "m" in self._flags else "begin")
        if letter == "$":
            return ("assert", "line_end" if "m" in self._flags else "end")
        if letter == "\\":
            return self._escape()
        if letter in "*+?":
            raise RegexError(f"no argument for repetition operator: {letter}")
        return self._letter(letter)

    def _group(self) -> Node:
        if self._accept("?"):
            if self._accept("P<") or (self._peek() == "<" and self._peek(1) not in ("=", "!") and self._accept("<")):
                while self._take() != ">":
                    pass
            else:
                flags, is_group = self._group_flags()
                if not is_group:
                    self._flags = flags
                    return ("all", [])
                return self._closed(flags)
        return self._closed(self._flags)

    def _closed(self, flags: frozenset[str]) -> Node:
        outer, self._flags = self._flags, flags
        node = self._choice()
        self._flags = outer
        if not self._accept(")"):
            raise RegexError("missing )")
        return node

    def _group_flags(self) -> tuple[frozenset[str], bool]:
        """Return the flags after `(?`, and whether they apply to a group or to what follows."""
        flags, adds = set(self._flags), True
        while True:
            letter = self._take()
            if letter in (":", ")"):
                return frozenset(flags), letter == ":"
            if letter == "-" and adds:
                adds = False
            elif letter in "imsU":
                (flags.add if adds else flags.discard)(letter)
            else:
                raise RegexError(f"invalid perl operator: (?{letter}")

    def _escape(self) -> Node:
        letter = self._take()
        asserts = {"A": "begin", "z": "end", "b": "word", "B": "no_word"}
        if letter in asserts:
            return ("assert", asserts[letter])
        if letter == "Q":
            end = self._text.find("\\E", self._at)
            quoted = self._text[self._at : end if end >= 0 else len(self._text)]
            self._at += len(quoted) + (2 if end >= 0 else 0)
            return ("all", [self._letter(each) for each in quoted])
        return self._char(self._escaped(letter))

    def _escaped(self, letter: str) -> Test:
        """Return what an escape stands for that can be in a class as well."""
        if letter.lower() in ("d", "s", "w"):
            test = _in_ranges(_CLASSES[letter.lower()])
            return test if letter.islower() else _not(test)
        if letter in ("p", "P"):
            name = self._take()
            if name == "{":
                name = ""
                while (letter_of_name := self._take()) != "}":
                    name += letter_of_name
            negated = name.startswith("^") != (letter == "P")
            name = name.removeprefix("^")
            if not name or len(name) > 2:
                raise RegexError(f"scripts such as \\p{{{name}}} are not known here")
            return _not(_in_category(name)) if negated else _in_category(name)
        character = self._character(letter)
        return lambda other: other == character

    def _character(self, letter: str) -> str:
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter == "x":
            digits = self._take()
            if digits == "{":
                digits = ""
                while (digit := self._take()) != "}":
                    digits += digit
            else:
                digits += self._take()
            try:
                return chr(int(digits, 16))
            except (ValueError, OverflowError) as error:
                raise RegexError(f"invalid escape sequence: \\x{digits}") from error
        if letter.isalnum():
            raise RegexError(f"invalid escape sequence: \\{letter}")
        return letter

    def _class(self) -> Test:
        negated = self._accept("^")
        tests: list[Test] = []
        ranges: list[tuple[str, str]] = []
        is_first = True
        while is_first or self._peek() != "]":
            is_first = False
            if self._accept("[:"):
                inverted = self._accept("^")
                end = self._text.find(":]", self._at)
                name = self._text[self._at : end]
                if end < 0 or name not in _CLASSES or len(name) == 1:
                    raise RegexError(f"invalid character class: [:{name}")
                self._at = end + 2
                test = _in_ranges(_CLASSES[name])
                tests.append(_not(test) if inverted else test)
                continue
            letter = self._take()
            if letter == "\\" and self._peek() in tuple("dswDSWpP"):
                tests.append(self._escaped(self._take()))
                continue
            low = self._character(self._take()) if letter == "\\" else letter
            high = low
            if self._peek() == "-" and self._peek(1) not in ("]", ""):
                self._take()
                high = self._take()
                high = self._character(self._take()) if high == "\\" else high
                if high < low:
                    raise RegexError(f"invalid character class range: {low}-{high}")
            ranges.append((low, high))
        self._take()
        found = _either([*tests, _in_ranges(ranges)])
        return _not(_without_case(found)) if negated and "i" in self._flags else _not(found) if negated else found
