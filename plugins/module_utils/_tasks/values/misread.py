# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Strings that were written without quotes, so that YAML reads them as other types: 1.10 as 1.1, and on as true.

Ansible converts them back to strings, which are then other versions or branches, and booleans to numbers. They are
refused before that, because the original value is lost.
"""

from __future__ import annotations

import decimal
import typing as t

from ..._api.errors import UsageError
from .arguments import Arguments, Options, each_given, located, where_in
from .mistakes import NUMBERS, kind_of, shown

_TEXTS = ("str", "path")
# No id has more digits, and Python cannot show numbers of any length.
_MAX_DIGITS = 18
_BOOLEAN = "is a boolean; put it in quotes, because YAML reads yes, no, on and off as booleans"


def refuse_misread(arguments: Arguments, given: Options) -> None:
    """Check that YAML did not change the values.

    :param given: the options before Ansible converts them.
    :raises UsageError: for the first value that is not what the user wrote.
    """
    for where, name, argument, value in each_given(arguments, given):
        items = value if isinstance(value, (list, tuple)) else [value]
        if argument.get("options"):
            _refuse_among_mappings(name, items, where)
            continue
        problem = not_one_value(value) if argument.get("type", "str") in _TEXTS else ""
        problem = problem or next(filter(None, (_problem(argument, item) for item in items)), "")
        if problem:
            with located(where):
                raise UsageError(f"{name} {problem}")


def _refuse_among_mappings(name: str, items: t.Sequence[t.Any], where: str) -> None:
    """Refuse an item that is not a mapping in a list of mappings, which Ansible does not report."""
    if not any(isinstance(item, dict) for item in items):
        return
    for number, item in enumerate(items, 1):
        # Ansible converts JSON and key=value to a mapping
        is_written = isinstance(item, str) and ("=" in item or item.startswith("{"))
        if not isinstance(item, dict) and not is_written:
            raise UsageError(f"{where_in(name, number, item, where)} is {kind_of(item)}; use a mapping of options")


def _problem(argument: t.Mapping[str, t.Any], value: t.Any) -> str:
    if isinstance(value, dict) and any(isinstance(key, bool) for key in value):
        return f"has a name that {_BOOLEAN}"
    if _holds_bytes(value):
        return "contains binary data, which Ansible cannot pass to a module; use a string without !!binary"
    number = NUMBERS.get(argument.get("type", ""))
    if number and isinstance(value, bool):
        return f"is a boolean; use {number}"  # Ansible would convert it to 0 or 1
    if argument.get("type") == "int" and _is_boundless(value):
        # Ansible's validator ends in a traceback, and Python cannot show an integer that is too long
        what = f"a number with more than {_MAX_DIGITS} digits" if isinstance(value, int) else shown(value)
        return f"is {what}; use {number}"
    kind = argument.get("elements") if argument.get("type") == "list" else argument.get("type", "str")
    if kind not in _TEXTS or argument.get("choices"):
        return ""  # the check of the choices has a better error
    return misread(value, is_hidden=argument.get("no_log")) if value is not None else "contains null; remove it"


def _holds_bytes(value: t.Any) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return isinstance(value, bytes) or any(map(_holds_bytes, items))


def not_one_value(value: t.Any) -> str:
    """Return the problem with a list or a mapping, which Ansible would convert to a string; empty for other values."""
    return f"is {kind_of(value)}; use one value" if isinstance(value, (list, tuple, dict)) else ""


def _is_boundless(value: t.Any) -> bool:
    """Return whether a value that Ansible converts to an integer is infinite or too large."""
    try:
        # like Ansible: a decimal is exact, and supports larger numbers than a float
        number = decimal.Decimal(value if isinstance(value, (str, float, int)) else 0)
    except decimal.DecimalException:
        return False
    return not number.is_finite() or number.adjusted() >= _MAX_DIGITS


def misread(value: t.Any, *, is_hidden: t.Any = False) -> str:
    """Return what YAML made of a string, and what to do; empty for a value that YAML did not change.

    :param is_hidden: whether the value must not be shown.
    """
    if isinstance(value, bool):
        return _BOOLEAN
    if isinstance(value, float):
        shown = "" if is_hidden else f"the number {float(value)!r}"
        return f"is {shown or 'a number'}; put it in quotes, because YAML reads 1.10 as 1.1"
    return ""
