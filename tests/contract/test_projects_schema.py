# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schema of the gates for editors: it is what the tool makes, takes what the role takes, and refuses mistakes."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
import yaml

from tests.contract.support import ROOT, load_tool
from tests.examples.blocks import guide_blocks

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not in this environment")

TOOL = load_tool("projects_schema")
GATES = ROOT / "docs" / "examples" / "gates.yml"
Row = dict[str, t.Any]


def mistakes(content: t.Any) -> list[str]:
    """Return what an editor would underline."""
    schema = json.loads(TOOL.TARGET.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(content)]


def projects_in(content: t.Any) -> t.Iterator[t.Any]:
    """Yield every list of projects in a playbook."""
    if isinstance(content, dict):
        if "release_gate_projects" in content:
            yield content["release_gate_projects"]
        for value in content.values():
            yield from projects_in(value)
    elif isinstance(content, list):
        for item in content:
            yield from projects_in(item)


def test_the_file_is_what_the_tool_makes() -> None:
    assert TOOL.TARGET.read_text(encoding="utf-8") == TOOL.text(), "run: make schema"


def test_it_is_readable_without_the_markup_of_ansible() -> None:
    text = TOOL.TARGET.read_text(encoding="utf-8")
    assert "V(" not in text and "O(" not in text and "M(" not in text


def test_everything_that_is_documented_is_right() -> None:
    contents = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "docs" / "examples").rglob("*.yml")
    ]
    for path in (ROOT / "docs" / "docsite" / "rst").glob("*.rst"):
        contents += [block.content for block in guide_blocks(path.stem) if block.language == "yaml"]
    found = [projects for content in contents for projects in projects_in(content)]
    assert len(found) >= 3
    for projects in found:
        assert mistakes(projects) == [] and mistakes({"release_gate_projects": projects, "other": 1}) == []


@pytest.mark.parametrize(
    ("change", "value"),
    [
        (("action",), "deploy"),
        (("acton",), "play"),
        (("wait_timeout",), "soon"),
        (("name",), {"a": 1}),
        (("require",), 5),
    ],
)
def test_a_mistake_in_a_gate_is_found(change: tuple[str], value: t.Any) -> None:
    content = copy.deepcopy(yaml.safe_load(GATES.read_text(encoding="utf-8")))
    gate: Row = content["release_gate_projects"][0]["gates"][0]
    gate[change[0]] = value
    assert mistakes(content) and mistakes(content["release_gate_projects"])


def test_what_is_required_and_what_may_be_an_expression() -> None:
    assert mistakes([{"ref": "main", "gates": []}]) and mistakes([{"project": "group/app"}])
    assert mistakes([{"project": "group/app", "ref": "main", "gates": "{{ gates }}"}]) == []
    assert (
        mistakes([{"project": "group/app", "gates": [{"name": "a", "action": "wait", "wait_timeout": "{{ x }}"}]}])
        == []
    )


def test_the_example_has_the_line_for_editors() -> None:
    line = next(line for line in GATES.read_text(encoding="utf-8").splitlines() if "yaml-language-server" in line)
    assert (GATES.parent / line.partition("$schema=")[2]).resolve() == TOOL.TARGET
