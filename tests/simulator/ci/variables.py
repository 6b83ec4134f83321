# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables of the file: their values, and `$NAME` in strings.

Source: https://docs.gitlab.com/ci/variables/where_variables_can_be_used/
"""

from __future__ import annotations

import re
import typing as t

from .values import Block, CiError, text

# A doubled dollar is a literal dollar.
_NAMED: t.Final = re.compile(r"\$\$|\$(?:(\w+)|\{(\w+)\})|%(\w+)%")


class Literal(str):
    """A value that is not expanded."""


def values(block: t.Any) -> dict[str, str]:
    """Return the values of a `variables` mapping, without expansion."""
    return {name: _value(given) for name, given in block.items()} if isinstance(block, Block) else {}


def _value(given: t.Any) -> str:
    if isinstance(given, Block):
        value = text(given.get("value"))
        return Literal(value) if given.get("expand") is False else value
    return text(given)


def expand(given: str, known: t.Mapping[str, str], *, keeps_unknown: bool = False) -> str:
    """Return a string with its variables expanded; unknown variables are empty, unless they are kept."""

    def replaced(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$$" if keeps_unknown else "$"
        name = match[1] or match[2] or match[3]
        return known.get(name, match[0] if keeps_unknown else "")

    return _NAMED.sub(replaced, given)


def expand_all(known: t.Mapping[str, str]) -> dict[str, str]:
    """Return variables with expanded values.

    Unknown variables are empty, and so is a variable in its own value.

    :raises CiError: if a variable refers to itself through others.
    """
    done: dict[str, str] = {}
    for name in known:
        _expand_one(name, known, done, [])
    return done


def _expand_one(name: str, known: t.Mapping[str, str], done: dict[str, str], above: list[str]) -> str:
    if isinstance(known[name], Literal):
        done[name] = known[name]
    if name in done:
        return done[name]
    if name in above:
        circle = str(above[above.index(name) :]).replace("'", '"')
        raise CiError(f"circular variable reference detected: {circle}")
    others = {next(filter(None, match.groups()), "") for match in _NAMED.finditer(known[name])}
    values_of_others = {
        other: _expand_one(other, known, done, [*above, name]) for other in sorted(others - {name}) if other in known
    }
    done[name] = expand(known[name], values_of_others)
    return done[name]
