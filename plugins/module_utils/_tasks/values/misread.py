# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Texts that were written without quotes, and that YAML has read as something else: 1.10 as 1.1, and on as true.

Ansible makes texts of them again, another version or another branch, and numbers of booleans. What was written is lost
by then, so they are refused before that.
"""

from __future__ import annotations

import decimal
import typing as t

from ..._api.errors import UsageError
from .arguments import Arguments, Options, each_given, located, where_in
from .mistakes import NUMBERS, kind_of, shown

_TEXTS = ("str", "path")
# No id has more digits, nor does Python count as far, or show a number with too many.
_MOST_DIGITS = 18
_BOOLEAN = "is a boolean; put it in quotes, since YAML reads yes, no, on and off as booleans"


def refuse_misread(arguments: Arguments, given: Options) -> None:
    """Return when all values are what was written.

    :param given: the options before Ansible has converted them.
    :raises UsageError: naming the first one that is not.
    """
    for where, name, argument, value in each_given(arguments, given):
        items = value if isinstance(value, (list, tuple)) else [value]
        if argument.get("options"):
            _refuse_among_mappings(name, items, where)
            continue
        problem = no_text(value) if argument.get("type", "str") in _TEXTS else ""
        problem = problem or next(filter(None, (_problem(argument, item) for item in items)), "")
        if problem:
            with located(where):
                raise UsageError(f"{name} {problem}")


def _refuse_among_mappings(name: str, items: t.Sequence[t.Any], where: str) -> None:
    """Refuse an item of a list that is no mapping though others are, which Ansible does not tell."""
    if not any(isinstance(item, dict) for item in items):
        return
    for number, item in enumerate(items, 1):
        # Ansible makes a mapping of JSON and of key=value
        is_written = isinstance(item, str) and ("=" in item or item.startswith("{"))
        if not isinstance(item, dict) and not is_written:
            raise UsageError(f"{where_in(name, number, item, where)} is {kind_of(item)}; give a mapping of its options")


def _problem(argument: t.Mapping[str, t.Any], value: t.Any) -> str:
    if isinstance(value, dict) and any(isinstance(key, bool) for key in value):
        return f"has a name that {_BOOLEAN}"
    if _holds_bytes(value):
        return "holds binary data, of which Ansible makes no text for a module; give a text, without !!binary"
    number = NUMBERS.get(argument.get("type", ""))
    if number and isinstance(value, bool):
        return f"is a boolean; give {number}"  # Ansible would take it for 0 or 1
    if argument.get("type") == "int" and _is_boundless(value):
        # Ansible's validator does not survive it, and Python shows no whole number that is too long
        told = f"a number of more than {_MOST_DIGITS} digits" if isinstance(value, int) else shown(value)
        return f"is {told}; give {number}"
    kind = argument.get("elements") if argument.get("type") == "list" else argument.get("type", "str")
    if kind not in _TEXTS or argument.get("choices"):
        return ""  # one with choices says more about a wrong value
    return misread(value, is_hidden=argument.get("no_log")) if value is not None else "holds null; leave it out"


def _holds_bytes(value: t.Any) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return isinstance(value, bytes) or any(map(_holds_bytes, items))


def no_text(value: t.Any) -> str:
    """Return what a value is that is not one text, though Ansible would write it as one; empty for any other."""
    return f"is {kind_of(value)}; give one value" if isinstance(value, (list, tuple, dict)) else ""


def _is_boundless(value: t.Any) -> bool:
    """Return whether what Ansible makes a whole number of is infinite, or as good as that."""
    try:
        # as Ansible reads it: this is exact, and takes more than float does
        number = decimal.Decimal(value if isinstance(value, (str, float, int)) else 0)
    except decimal.DecimalException:
        return False
    return not number.is_finite() or number.adjusted() >= _MOST_DIGITS


def misread(value: t.Any, *, is_hidden: t.Any = False) -> str:
    """Return what YAML has made of a text, and what to do; empty for a value that stands as it was written.

    :param is_hidden: whether the value must not be told.
    """
    if isinstance(value, bool):
        return _BOOLEAN
    if isinstance(value, float):
        shown = "" if is_hidden else f"the number {float(value)!r}"
        return f"is {shown or 'a number'}; put it in quotes, since YAML reads 1.10 as 1.1"
    return ""
