# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the JSON schema of the list of projects, for editors, from the argument specs of the role."""

from __future__ import annotations

import json
import pathlib
import re
import sys
import typing as t

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCE = ROOT / "roles" / "release_gate" / "meta" / "argument_specs.yml"
TARGET = ROOT / "roles" / "release_gate" / "files" / "projects.schema.json"
OPTION = "release_gate_projects"

Row = dict[str, t.Any]

# An expression can have a value of any type.
_EXPRESSION = {"type": "string", "pattern": r"\{\{.*\}\}"}
_TYPES: t.Mapping[str, Row] = {
    "str": {"type": ["string", "number", "boolean"]},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "dict": {"type": "object"},
    "raw": {"type": ["object", "array"]},
}
_MARKUP = re.compile(r"\b[OVRMPCEIBU]{1,2}\(([^()]*)\)")


def schema() -> Row:
    """Return the schema for a file with the list itself, or for a variables file that contains the list."""
    spec = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    projects = _option(spec[OPTION])
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Projects and gates of the role jobgate.gitlab.release_gate",
        "definitions": {"projects": projects},
        "if": {"type": "array"},
        "then": {"$ref": "#/definitions/projects"},
        "else": {"type": "object", "properties": {OPTION: {"$ref": "#/definitions/projects"}}},
    }


def text() -> str:
    """Return the content of the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _option(option: Row) -> Row:
    described: Row = {"description": _plain(option["description"])}
    if "default" in option:
        described["default"] = option["default"]
    if option["type"] != "list":
        return {**described, "anyOf": [_value(option), _EXPRESSION]}
    items = {
        "type": option.get("elements", "str"),
        **{name: option[name] for name in ("options", "choices") if name in option},
    }
    rows: Row = {"type": "array", "items": {"anyOf": [_value(items), _EXPRESSION]}}
    # Ansible converts a single string to a list
    single = [] if "options" in option else [_value(items)]
    return {**described, "anyOf": [rows, *single, _EXPRESSION]}


def _value(option: Row) -> Row:
    if "choices" in option:
        return {"enum": option["choices"]}
    if "options" not in option:
        return dict(_TYPES[option["type"]])
    options = option["options"]
    return {
        "type": "object",
        "properties": {name: _option(inner) for name, inner in options.items()},
        "required": [name for name, inner in options.items() if inner.get("required")],
        "additionalProperties": False,
    }


def _plain(description: t.Any) -> str:
    """Return a description for editors, without Ansible markup."""
    lines = [description] if isinstance(description, str) else description
    joined = " ".join(lines).replace(f"{OPTION}[].", "")
    return _MARKUP.sub(lambda found: found[1].replace("gates[].", ""), joined)


def main() -> None:
    """Write the file."""
    TARGET.write_text(text(), encoding="utf-8")
    print(f"wrote {TARGET.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
