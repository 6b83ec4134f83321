# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide's table of endpoints: the tool generates it, and the options and tests that it names exist."""

from __future__ import annotations

import ast
import re

import pytest
import yaml
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.catalogue import CATALOGUE

from tests.contract.support import ROOT, TASKS, load_tool
from tests.contract.test_catalogue import GITLAB, PIPELINES

TOOL = load_tool("endpoints_table")
TABLE: list[tuple[str, ...]] = TOOL.table(CATALOGUE)


def test_guide_matches_the_output_of_the_tool() -> None:
    assert TOOL.TARGET.read_text(encoding="utf-8") == TOOL.text(CATALOGUE), "run: make endpoints"


def test_guide_is_listed_in_the_toctree() -> None:
    extra = yaml.safe_load((ROOT / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8"))
    assert TOOL.TARGET.stem in [name for section in extra["sections"] for name in section["toctree"]]


def test_every_endpoint_has_a_row() -> None:
    numbers = [cells[0] for cells in TABLE]
    of_jobs = [number for number in numbers if number.startswith("E") and number != "E3b"]
    assert of_jobs == [f"E{number}" for number in range(1, 20)]
    every = GITLAB | PIPELINES
    assert {name: row.number for name, row in TOOL.ROWS.items()} == {name: row[0] for name, row in every.items()}
    for cells, (_number, method, path, _status) in zip(TABLE, every.values(), strict=True):
        expected = path.replace("/:id", "/:project").replace("*", ":")
        assert cells[1] == f"``{method} {expected}``"


@pytest.mark.parametrize("cells", TABLE, ids=lambda cells: cells[0])
def test_no_cell_is_empty(cells: tuple[str, ...]) -> None:
    assert len(cells) == len(TOOL.COLUMNS)
    assert all(cell.strip("` ") for cell in cells)


@pytest.mark.parametrize("name", list(TOOL.ROWS))
def test_row_names_existing_options_and_choices(name: str) -> None:
    row = TOOL.ROWS[name]
    assert re.fullmatch(r"\d+(\.\d+)?", row.since)
    for module, options in row.reached:
        arguments = TASKS[module].spec.arguments
        for option in options:
            option_name, _equals, value = option.partition("=")
            assert option_name in arguments
            if value and arguments[option_name]["type"] != "bool":
                assert value in arguments[option_name]["choices"]


@pytest.mark.parametrize("name", list(TOOL.ROWS))
def test_row_names_an_existing_test(name: str) -> None:
    file, _colons, function = TOOL.ROWS[name].test.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert function.startswith("test_")
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
