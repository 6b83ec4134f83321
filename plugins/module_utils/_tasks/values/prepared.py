# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What is the same for every option of every task: a value is what was written, none is empty, a project is a path."""

from __future__ import annotations

import copy
import decimal
import typing as t

from ..._api.errors import UsageError
from ..._api.masking import MASK
from ..._app.settings import api_base_url, project_path
from .arguments import Arguments, Options, each_given, each_level, located, where_in
from .connection import Environment, url_name
from .mistakes import NUMBERS, kind_of, shown

_TEXTS = ("str", "path")
# How Ansible writes a list or a mapping where one value belongs.
_WRITTEN = ("['", '["', "{'", '{"')
# Texts for people, which select nothing: they may have asterisks for an ornament.
_PROSE = ("comment", "title", "user")
# No id has more digits, nor does Python show a number with too many.
_MOST_DIGITS = 19
_BOOLEAN = "is a boolean; put it in quotes, since YAML reads yes, no, on and off as booleans"


def prepared(arguments: Arguments, options: Options, environ: Environment) -> dict[str, t.Any]:
    """Return validated options as every task takes them, with the paths of their projects.

    :param environ: the address of the server may come from it.
    :raises UsageError: for an empty text, which a forgotten variable leaves behind, for a mask, and for a project of
        elsewhere.
    """
    for where, name, argument, value in each_given(arguments, options):
        with located(where):
            _check(name, argument, value)
    found = copy.deepcopy(dict(options))
    server = url_name(found, environ)
    base_url = api_base_url(str(found["api_url"]), server)
    for where, _arguments, level in each_level(arguments, found):
        if level.get("project") is not None:
            with located(where):
                level["project"] = project_path(str(level["project"]), base_url, server)
    return found


def refuse_mask(name: str, text: str) -> None:
    """Return unless a text has asterisks for what is hidden, which are a wildcard for names, and match nothing else.

    :raises UsageError: when it has.
    """
    if MASK in text:
        raise UsageError(
            f"{name} is {text!r}, in which asterisks stand for a secret or the value of a variable; give the text "
            "itself"
        )


def _check(name: str, argument: t.Mapping[str, t.Any], value: t.Any) -> None:
    """Refuse an empty value, a mask, and what Ansible has made a text of."""
    if argument.get("type", "str") in _TEXTS:
        if not str(value).strip():
            remedy = "give a value" if argument.get("required") else "give a value or leave it out"
            raise UsageError(f"{name} is empty; {remedy}")
        if str(value).startswith(_WRITTEN):
            told = "" if argument.get("no_log") else f"{value}, "
            raise UsageError(f"{name} is {told}a list or mapping written as a text; give one value")
        if name not in _PROSE and not argument.get("no_log"):
            refuse_mask(name, str(value))
    if argument.get("elements") == "str":
        if any(not str(item).strip() for item in value):
            raise UsageError(f"{name} holds an empty text; give names, or leave the option out")
        for item in value:
            refuse_mask(name, str(item))
            if str(item).startswith(_WRITTEN):
                raise UsageError(f"{name} holds {item}, a list or mapping written as a text; give a flat list")


# ----- before Ansible has converted them -----


def refuse_misread(arguments: Arguments, given: Options) -> None:
    """Return when all values are what was written.

    YAML reads texts without quotes as something else: 1.10 as 1.1, and on as true. Ansible makes texts of them again,
    another version or another branch, and numbers of booleans. What was written is lost by then.

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
    if not isinstance(value, (list, tuple, dict)):
        return ""
    return f"is {'a mapping' if isinstance(value, dict) else 'a list'}; give one value"


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
