# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A validator of JSON schemas, limited to what the schema of the record uses."""

from __future__ import annotations

import datetime
import typing as t

Schema = t.Mapping[str, t.Any]
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
# Keywords that do not affect validation.
_ANNOTATIONS = {"$schema", "$defs", "title", "description"}


def problems(value: t.Any, schema: Schema, root: Schema, where: str = "record") -> list[str]:
    """Return the problems of a value, each with its path."""
    found: list[str] = []
    for word, given in schema.items():
        if word not in _ANNOTATIONS:
            found += _RULES[word](value, given, schema, root, where)
    return found


def _ref(value: t.Any, given: str, schema: Schema, root: Schema, where: str) -> list[str]:
    return problems(value, root["$defs"][given.rpartition("/")[2]], root, where)


def _any_of(value: t.Any, given: list[Schema], schema: Schema, root: Schema, where: str) -> list[str]:
    per_choice = [problems(value, choice, root, where) for choice in given]
    return [] if [] in per_choice else per_choice[0]


def _type(value: t.Any, given: str | list[str], schema: Schema, root: Schema, where: str) -> list[str]:
    names = [given] if isinstance(given, str) else given
    is_right = any(
        isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool)) for name in names
    )
    return [] if is_right else [f"{where} is {value!r}, not {' or '.join(names)}"]


def _const(value: t.Any, given: t.Any, schema: Schema, root: Schema, where: str) -> list[str]:
    return [] if value == given else [f"{where} is {value!r}, not {given!r}"]


def _enum(value: t.Any, given: list[t.Any], schema: Schema, root: Schema, where: str) -> list[str]:
    return [] if value in given else [f"{where} is {value!r}, none of {given}"]


def _format(value: t.Any, given: str, schema: Schema, root: Schema, where: str) -> list[str]:
    assert given == "date-time"
    try:
        datetime.datetime.fromisoformat(str(value or "1970-01-01").replace("Z", "+00:00"))
    except ValueError:
        return [f"{where} is {value!r}, no moment"]
    return []


def _items(value: t.Any, given: Schema, schema: Schema, root: Schema, where: str) -> list[str]:
    entries = value if isinstance(value, list) else []
    return [text for number, entry in enumerate(entries) for text in problems(entry, given, root, f"{where}[{number}]")]


def _properties(value: t.Any, given: Schema, schema: Schema, root: Schema, where: str) -> list[str]:
    known = {name: value[name] for name in given if isinstance(value, dict) and name in value}
    return [text for name, entry in known.items() for text in problems(entry, given[name], root, f"{where}.{name}")]


def _required(value: t.Any, given: list[str], schema: Schema, root: Schema, where: str) -> list[str]:
    return [f"{where} has no {name}" for name in given if isinstance(value, dict) and name not in value]


def _additional(value: t.Any, given: bool, schema: Schema, root: Schema, where: str) -> list[str]:
    assert given is False
    extra = set(value) - set(schema["properties"]) if isinstance(value, dict) else set()
    return [f"{where} has {name}, which the schema does not know" for name in sorted(extra)]


def _unevaluated(value: t.Any, given: bool, schema: Schema, root: Schema, where: str) -> list[str]:
    referred = root["$defs"][schema["$ref"].rpartition("/")[2]]
    known = {**referred["properties"], **schema.get("properties", {})}
    return _additional(value, given, {"properties": known}, root, where)


_RULES: dict[str, t.Callable[..., list[str]]] = {
    "$ref": _ref,
    "anyOf": _any_of,
    "type": _type,
    "const": _const,
    "enum": _enum,
    "format": _format,
    "items": _items,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "unevaluatedProperties": _unevaluated,
}
