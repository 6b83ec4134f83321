# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`spec:inputs` of a file, and `$[[ inputs.NAME ]]` in it.

Source: https://docs.gitlab.com/ci/inputs/
"""

from __future__ import annotations

import re
import typing as t

from .. import inputs
from .values import Block, CiError, Items, Place, Reference, block_in, text
from .variables import expand

_BLOCK: t.Final = re.compile(r"\$\[\[(?!\s*matrix\.)((?:[^\]]|\](?!\]))*)\]\]")
_INPUT: t.Final = re.compile(r"inputs\.([\w-]+)")
_TRUNCATE: t.Final = re.compile(r"truncate\(\s*(\d+)\s*,\s*(\d+)\s*\)")
# The keys of an input that restrict its values.
_CHECKED: t.Final = ("type", "default", "options", "regex")

Specs = dict[str, dict[str, t.Any]]


def specs_of(header: Block | None) -> Specs:
    """Return the inputs that the header of a file defines."""
    if header is None:
        return {}
    described = block_in(block_in(header, "spec"), "inputs")
    rows = {name: block_in(described, name) for name in described}
    return {name: {key: row[key] for key in _CHECKED if key in row} for name, row in rows.items()}


class Interpolation:
    """Replaces the inputs of one file with their values."""

    def __init__(
        self, specs: Specs, given: t.Mapping[str, t.Any], variables: t.Mapping[str, str], *, is_form: bool = False
    ) -> None:
        """Take the values.

        :param is_form: they came as form data.
        :raises CiError: if one is missing, unknown or invalid.
        """
        try:
            values = inputs.read(specs, dict(given), form=is_form, unknown="unknown input arguments")
            inputs.check_required(specs, values)
        except ValueError as error:
            raise CiError(str(error)) from error
        self._values = {name: values.get(name, spec.get("default")) for name, spec in specs.items()}
        self._variables = variables

    def of(self, value: t.Any) -> t.Any:
        """Return a value with its inputs replaced, also in keys."""
        if isinstance(value, str):
            return self._text(value, Place("", 0))
        if isinstance(value, Reference):
            return Reference(tuple(text(self.of(part)) for part in value.path), value.place)
        if isinstance(value, Items):
            items = Items(value.place)
            items.extend(self.of(item) for item in value)
            return items
        if not isinstance(value, Block):
            return value
        block = Block(value.place)
        for key, inner in value.items():
            block.put(text(self.of(key)), self.of(inner), value.where(key))
        return block

    def _text(self, value: str, place: Place) -> t.Any:
        whole = _BLOCK.fullmatch(value)
        if whole:
            found = self._found(whole[1])
            if isinstance(found, list) and not isinstance(found, Items):
                items = Items(place)
                items.extend(found)
                return items
            return found
        return _BLOCK.sub(lambda match: text(self._found(match[1])), value)

    def _found(self, expression: str) -> t.Any:
        access, *functions = (part.strip() for part in expression.split("|"))
        match = _INPUT.fullmatch(access)
        if not match or match[1] not in self._values:
            raise CiError(f"unknown interpolation key: `{access.removeprefix('inputs.')}`")
        value = self._values[match[1]]
        for function in functions:
            value = self._called(function, text(value))
        return value

    def _called(self, function: str, value: str) -> str:
        truncate = _TRUNCATE.fullmatch(function)
        if truncate:
            begin = int(truncate[1])
            return value[begin : begin + int(truncate[2])]
        if function == "expand_vars":
            return expand(value, self._variables, keeps_unknown=True)
        raise CiError(
            f"no function matching `{function}`: check that the function name, arguments, and types are correct"
        )
