# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regular expressions with RE2 syntax, without captures, because GitLab matches rules with RE2 instead of Ruby.

The matcher follows all states at the same time, without backtracking. Its time grows with the length of the expression
times that of the text. Features that RE2 lacks (lookaround, backreferences, possessive repetition) are refused.
"""

from __future__ import annotations

import typing as t

from .regex_syntax import Node, Parser, RegexError

__all__ = ["Regex", "RegexError"]

# (what, argument, argument): char TEST, split A B, jump A, assert KIND, match
Instruction = tuple[str, t.Any, t.Any]

_LONGEST_PROGRAM: t.Final = 10_000


class Regex:
    """A compiled expression."""

    def __init__(self, pattern: str, flags: str = "") -> None:
        """Compile a pattern.

        :raises RegexError: if RE2 does not support it.
        """
        self._program: list[Instruction] = []
        self._emit(Parser(pattern, frozenset(flags)).parse())
        self._add("match")

    def search(self, text: str) -> bool:
        """Return whether the expression matches anywhere in a text."""
        states: set[int] = set()
        for position in range(len(text) + 1):
            self._follow(0, text, position, states)
            if any(self._program[state][0] == "match" for state in states):
                return True
            if position == len(text):
                return False
            letter, following = text[position], set[int]()
            for state in states:
                kind, test, _none = self._program[state]
                if kind == "char" and test(letter):
                    self._follow(state + 1, text, position + 1, following)
            states = following
        return False

    def _follow(self, start: int, text: str, position: int, states: set[int]) -> None:
        """Add a state, and all states that it reaches without reading a character."""
        todo = [start]
        while todo:
            state = todo.pop()
            if state in states:
                continue
            states.add(state)
            kind, first, second = self._program[state]
            if kind == "jump":
                todo.append(first)
            elif kind == "split":
                todo += [first, second]
            elif kind == "assert" and _holds(first, text, position):
                todo.append(state + 1)

    def _add(self, kind: str, first: t.Any = None, second: t.Any = None) -> int:
        if len(self._program) >= _LONGEST_PROGRAM:
            raise RegexError("pattern too large")
        self._program.append((kind, first, second))
        return len(self._program) - 1

    def _emit(self, node: Node) -> None:
        kind = node[0]
        if kind in ("char", "assert"):
            self._add(kind, node[1])
        elif kind == "all":
            for part in node[1]:
                self._emit(part)
        elif kind == "any":
            self._emit_choice(node[1])
        else:
            _kind, part, minimum, maximum = node
            for _time in range(minimum):
                self._emit(part)
            if maximum is None:
                loop = self._add("split")
                self._emit(part)
                self._add("jump", loop)
                self._program[loop] = ("split", loop + 1, len(self._program))
            else:
                splits = []
                for _time in range(maximum - minimum):
                    splits.append(self._add("split"))
                    self._emit(part)
                for split in splits:
                    self._program[split] = ("split", split + 1, len(self._program))

    def _emit_choice(self, parts: list[Node]) -> None:
        jumps = []
        for part in parts[:-1]:
            split = self._add("split")
            self._emit(part)
            jumps.append(self._add("jump"))
            self._program[split] = ("split", split + 1, len(self._program))
        self._emit(parts[-1])
        for jump in jumps:
            self._program[jump] = ("jump", len(self._program), None)


def _is_word(letter: str) -> bool:
    return letter.isascii() and (letter.isalnum() or letter == "_")


def _holds(kind: str, text: str, position: int) -> bool:
    """Return whether an assertion holds at a position: begin, end, line_begin, line_end, word or no_word."""
    if kind == "begin":
        return position == 0
    if kind == "end":
        return position == len(text)
    if kind == "line_begin":
        return position == 0 or text[position - 1] == "\n"
    if kind == "line_end":
        return position == len(text) or text[position] == "\n"
    before = position > 0 and _is_word(text[position - 1])
    after = position < len(text) and _is_word(text[position])
    return (before != after) == (kind == "word")
