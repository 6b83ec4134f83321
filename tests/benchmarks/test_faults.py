# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test the comparison under faults with the clients that run in this process."""

from __future__ import annotations

import pytest

from tests.simulator.fault_presets import PRESETS

from . import report
from .cases import DONE, KINDS, LEAK, MORE, NOTHING_DONE, SLOW, Case, Outcome, all_cases
from .clients import CLIENTS
from .faults import run_part

_CASE = Case("reset_after", "first write", "play")


def test_all_presets_are_compared() -> None:
    assert {case.preset for case in all_cases()} == set(PRESETS)


@pytest.mark.parametrize(
    ("outcome", "violations"),
    [
        (Outcome(_CASE, 1, None, False, 0.0), []),
        (Outcome(_CASE, 0, "no", False, 60.0), []),
        (Outcome(_CASE, 2, None, False, 0.0), [MORE]),
        (Outcome(_CASE, 0, None, False, 0.0), [NOTHING_DONE]),
        (Outcome(_CASE, 1, "no", True, 61.0), [DONE, LEAK, SLOW]),
    ],
)
def test_outcomes_violate_the_expected_rules(outcome: Outcome, violations: list[str]) -> None:
    assert outcome.violations() == violations


def test_clients_in_this_process_run_a_preset() -> None:
    results = {name: run_part(name, all_cases(["reset_after"])) for name in CLIENTS}
    assert [outcome.violations() for outcome in results["jobgate.gitlab"]] == [[]] * 6
    assert [DONE in outcome.violations() for outcome in results["python-gitlab, default"]].count(True) == 4
    rows = report.table(results).splitlines()
    assert len(rows) == 2 + len(CLIENTS)
    assert rows[2].startswith("| jobgate.gitlab | 6 | 6 | 0 | 0 |")
    assert all(kind in rows[0] for kind in KINDS)
