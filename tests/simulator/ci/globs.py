# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Path patterns of `changes`, `exists` and `include:local`, as in Ruby's File.fnmatch.

`*` matches within a folder, `**/` matches any number of folders, and `{a,b}` is a choice. A leading dot is an ordinary
character.
"""

from __future__ import annotations

import typing as t

from .regex import Regex, RegexError

_LITERAL: t.Final = frozenset(".^$+()|\\{}[]?*")
_MAX_COMPARISONS: t.Final = 50_000


def any_fits(patterns: t.Iterable[str], paths: t.Collection[str]) -> bool:
    """Return whether any path matches any pattern; with too many of both, GitLab assumes that one does."""
    patterns = list(dict.fromkeys(patterns))
    if len(patterns) * len(paths) > _MAX_COMPARISONS:
        return True
    compiled = [compile_glob(pattern) for pattern in patterns]
    return any(glob.search(path) for path in paths for glob in compiled)


def compile_glob(pattern: str) -> Regex:
    """Return the regular expression for a pattern; an invalid pattern only matches itself."""
    pattern = pattern.removeprefix("./")
    try:
        return Regex(f"\\A{_translated(pattern)}\\z")
    except RegexError:
        return Regex(f"\\A{''.join(map(_escaped, pattern))}\\z")


def _escaped(letter: str) -> str:
    return f"\\{letter}" if letter in _LITERAL else letter


def _translated(pattern: str) -> str:
    made, position, depth = "", 0, 0
    while position < len(pattern):
        letter = pattern[position]
        at_begin = position == 0 or pattern[position - 1] == "/"
        if at_begin and pattern.startswith("**/", position):
            made += "(?:[^/]+/)*"
            position += 3
            continue
        if letter == "*":
            made += "[^/]*"
        elif letter == "?":
            made += "[^/]"
        elif letter == "[" and "]" in pattern[position + 2 :]:
            end = pattern.index("]", position + 2)
            inside = pattern[position + 1 : end]
            made += f"[{'^' + inside[1:] if inside[0] in '!^' else inside}]"
            position = end
        elif letter == "{" and "}" in pattern[position:]:
            made, depth = f"{made}(?:", depth + 1
        elif letter == "}" and depth:
            made, depth = f"{made})", depth - 1
        elif letter == "," and depth:
            made += "|"
        elif letter == "\\" and position + 1 < len(pattern):
            position += 1
            made += _escaped(pattern[position])
        else:
            made += _escaped(letter)
        position += 1
    return made
