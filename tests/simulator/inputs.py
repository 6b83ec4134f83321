# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inputs of jobs and of pipelines: typed values with a default, options or a pattern (topic: inputs)."""

from __future__ import annotations

import json
import re
import typing as t

from . import schema
from .schema import fill

Specs = dict[str, dict[str, t.Any]]

_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "number": (int, float), "boolean": (bool,), "array": (list,)}


class InputError(ValueError):
    """Invalid input, with the server's message."""


def check_specs(specs: Specs, *, place: str) -> None:
    """Check the inputs of a scenario.

    :raises ScenarioError: if a key or type is unknown.
    """
    for name, given in specs.items():
        fill(given or {}, schema.INPUT, kind="input", place=f"{place}.{name}")


def read(specs: Specs, given: dict[str, t.Any], *, form: bool, unknown: str) -> dict[str, t.Any]:
    """Return the given values, converted to their types.

    :param form: whether they came as form data, in which all values except strings are JSON.
    :param unknown: the server's error for an unknown input, before its name.
    :raises InputError: if an input is unknown, or its value has the wrong type or is not one of its options.
    """
    return {name: _value(specs, name, value, form=form, unknown=unknown) for name, value in given.items()}


def check_required(specs: Specs, given: dict[str, t.Any]) -> None:
    """Check that all inputs without a default are set.

    :raises InputError: if an input is missing.
    """
    for name, spec in specs.items():
        if name not in given and "default" not in (spec or {}):
            raise InputError(f"`{name}` input: required value has not been provided")


def _value(specs: Specs, name: str, value: t.Any, *, form: bool, unknown: str) -> t.Any:
    if name not in specs:
        raise InputError(f"{unknown}: {name}")
    spec = fill(specs[name] or {}, schema.INPUT, kind="input", place=name)
    kind = spec["type"]
    if form and kind != "string" and isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            pass
    if not isinstance(value, _TYPES[kind]) or (kind == "number" and isinstance(value, bool)):
        raise InputError(f"`{name}` input: provided value is not {'an' if kind == 'array' else 'a'} {kind}")
    if spec["options"] is not None and value not in spec["options"]:
        known = ", ".join(str(option) for option in spec["options"])
        why = f"cannot be used because it is not in the list of allowed options ({known})"
        raise InputError(f"`{name}` input: `{value}` {why}")
    if spec["regex"] is not None and not re.search(spec["regex"], str(value)):
        raise InputError(f"`{name}` input: provided value does not match required RegEx pattern")
    return value
