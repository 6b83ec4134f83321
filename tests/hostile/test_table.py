# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test that every hostile response causes one sentence. `make hostile` runs the whole table, this runs a part."""

from __future__ import annotations

import os

import pytest

from tests.unit.faces import TASKS

from .plugins import PLUGINS
from .run import ROWS, cases, problems_of

# exceptions in threads of the server or of a task
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
IS_WHOLE = os.environ.get("JOBGATE_HOSTILE") == "whole"
CASES: dict[str, list[tuple[str, str, str, str]]] = {}
for case in cases(is_whole=IS_WHOLE):
    CASES.setdefault(case[0], []).append(case)


@pytest.mark.parametrize("row", CASES)
def test_hostile_answer_causes_one_sentence_or_the_right_result(row: str) -> None:
    found = {case[1:]: problems for case in CASES[row] if (problems := problems_of(*case))}
    assert not found, "\n".join(f"{' | '.join(case)}: {'; '.join(each)}" for case, each in found.items())


def test_every_plugin_is_tested_with_enough_rows() -> None:
    assert {plugin.task for plugin in PLUGINS.values()} == {"", *TASKS}
    assert len(ROWS) >= 200
    assert {name for row in ROWS.values() for name in row.concerns} <= set(PLUGINS)
