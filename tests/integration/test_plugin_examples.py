# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the EXAMPLES of every plugin against the simulator: predicted, run, and run once more."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from tests.examples.needs import NEEDS
from tests.examples.plugin_examples import SOURCES, examples_of, run_examples
from tests.examples.server import Server


@pytest.mark.parametrize("source", SOURCES)
def test_plugin_examples_run(simulator: t.Any, source: str, tmp_path: pathlib.Path) -> None:
    run_examples(source, Server(simulator.url), tmp_path)


def test_example_names_are_unique_and_include_those_in_needs() -> None:
    names = [example.name for source in SOURCES for example in examples_of(source)]
    assert len(names) == len(set(names))
    assert sorted(set(NEEDS) - set(names)) == []
