# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test every fault at the most important points, and some random sequences.

`make faults` runs the whole matrix.
"""

from __future__ import annotations

import collections
import typing as t

import pytest

from .case import OPERATIONS
from .matrix import Table, cases, run_case, run_sequence

SEED = 20_261
SEQUENCES_EACH = 50


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("point", ["first write", "second read"])
def test_fault_leaves_one_reported_effect_or_an_error(
    simulator: t.Any, operation: str, point: str, record_property: t.Any
) -> None:
    table: Table = collections.defaultdict(collections.Counter)
    violations = []
    for case in cases(operations=[operation], points=[point]):
        verdict = run_case(simulator, case)
        table[case.preset][verdict.kind] += 1
        if verdict.violation:
            violations.append((case, verdict))
    record_property("faults", {name: dict(counts) for name, counts in table.items()})
    assert violations == []


@pytest.mark.parametrize("part", range(8))
def test_random_faults_leave_one_reported_effect_or_an_error(
    simulator: t.Any, part: int, record_property: t.Any
) -> None:
    table: Table = collections.defaultdict(collections.Counter)
    violations = []
    for number in range(part * SEQUENCES_EACH, (part + 1) * SEQUENCES_EACH):
        verdict = run_sequence(simulator, SEED, number)
        table["random sequences"][verdict.kind] += 1
        if verdict.violation:
            violations.append((f"python -m tests.faults --seed {SEED} --replay {number}", verdict))
    record_property("faults", {name: dict(counts) for name, counts in table.items()})
    assert violations == []
