# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test golden files with one value replaced: the result is a pipeline or an error, never a crash."""

from __future__ import annotations

import copy
import pathlib
import random
import shutil
import typing as t

import pytest
import yaml

from tests.simulator import schema
from tests.simulator.ci.project_file import ProjectFile
from tests.simulator.jobspecs import expand_jobs

from .test_ci_files import CASES, CONTEXTS, case_names, file_of, pipeline_of_other_project

VALUES: tuple[t.Any, ...] = (
    None, True, 0, -1, 3, 1.5, "", "text", "$A", "1/0", [], ["a"], [["a"], None], [{}], {}, {"a": "b"}, {"a": ["b"]},
    {"if": "$A"}, {"job": "a"}, {"matrix": [{"A": ["b"]}]}, {"include": "a"}, {"name": None}, {"value": []},
)  # fmt: skip
KEYS = (
    "stage", "stages", "rules", "needs", "parallel", "trigger", "environment", "retry", "when", "start_in", "only",
    "except", "extends", "variables", "inherit", "allow_failure", "include", "workflow", "default", "resource_group",
    "tags", "dependencies",
)  # fmt: skip


class _Plain(yaml.SafeLoader):
    """A loader that reads references as lists."""


_Plain.add_constructor("!reference", lambda loader, node: loader.construct_sequence(node))


def positions(value: t.Any) -> list[tuple[t.Any, t.Any]]:
    """Return (mapping or list, key) for everything in a value."""
    found: list[tuple[t.Any, t.Any]] = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        found += [(value, key), *positions(inner)]
    return found


def break_one_value(whole: t.Any, rng: random.Random) -> None:
    """Change one value, or add a keyword, somewhere."""
    holder, key = rng.choice(positions(whole))
    if isinstance(holder[key], dict) and rng.random() < 0.5:
        holder, key = holder[key], rng.choice(KEYS)
    holder[key] = copy.deepcopy(rng.choice(VALUES))


@pytest.mark.parametrize("name", case_names())
def test_broken_files_cause_a_pipeline_or_an_error(name: str, tmp_path: pathlib.Path) -> None:
    rng = random.Random(name)
    folder = tmp_path / "case"
    shutil.copytree(CASES / name, folder)
    path = file_of(folder)
    text = path.read_text(encoding="utf-8")
    for _round in range(10):
        whole = yaml.load(text, Loader=_Plain)
        for _change in range(rng.choice((1, 1, 2))):
            break_one_value(whole, rng)
        path.write_text(yaml.safe_dump(whole), encoding="utf-8")
        for context in CONTEXTS.values():
            made = ProjectFile(path, folder, ("a",), {}, {}).make(context, pipeline_of_other_project)
            assert made.yaml_errors or made.refused or made.jobs
            # The created jobs can be played.
            row = schema.fill(made.pipeline_row(), schema.PIPELINE, kind="pipeline", place="made")
            list(expand_jobs(row["jobs"], place="made"))
