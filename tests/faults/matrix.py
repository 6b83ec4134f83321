# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every action under every fault at every point, random sequences of faults, and a table of the outcomes."""

from __future__ import annotations

import collections
import collections.abc as c
import random
import typing as t

from tests.simulator.fault_presets import PRESETS

from .case import OPERATIONS, Operation, Verdict, run

# Where a fault strikes. The second read is the one after a write in doubt, or the first one of a wait.
POINTS: dict[str, dict[str, t.Any]] = {
    "first write": {"write": True, "nth": 1},
    "every write": {"write": True},
    "first read": {"write": False, "nth": 1},
    "second read": {"write": False, "nth": 2},
    "third read": {"write": False, "nth": 3},
}

COLUMNS = (
    "one effect",
    "one effect, reported with an error",
    "no effect, error",
    "no effect, none wanted",
    "violation",
)

# As short as a fault of this kind can be, in real time.
_SHORT_SECONDS = 0.02

Table = dict[str, collections.Counter[str]]


class Case(t.NamedTuple):
    """A row of the matrix."""

    preset: str
    point: str
    operation: str
    wait: bool


def cases(*, operations: c.Iterable[str] = (), points: c.Iterable[str] = ()) -> c.Iterator[Case]:
    """Yield the cases of the matrix, optionally only those with these actions and points."""
    for operation in operations or OPERATIONS:
        for preset in PRESETS:
            for point in points or POINTS:
                for wait in (False, True):
                    yield Case(preset, point, operation, wait)


def run_case(simulator: t.Any, case: Case) -> Verdict:
    """Return the verdict on a row of the matrix."""
    operation = OPERATIONS[case.operation]
    where = dict(POINTS[case.point])
    where["method"] = _write_method(operation) if where.pop("write") else "GET"
    return run(simulator, operation, wait=case.wait, faults=[{**_preset(case.preset), **where}])


def random_faults(seed: int, number: int) -> tuple[str, bool, list[dict[str, t.Any]]]:
    """Return an action, whether it waits, and the faults of one sequence; always the same for the same numbers."""
    rng = random.Random(f"{seed}:{number}")
    operation = rng.choice(list(OPERATIONS))
    rules = []
    for _fault in range(rng.randint(1, 5)):
        rule = _preset(rng.choice(list(PRESETS)))
        method = rng.choice([None, "GET", _write_method(OPERATIONS[operation])])
        rules.append({**rule, "method": method, "nth": sorted(rng.sample(range(1, 9), rng.randint(1, 3)))})
    return operation, rng.random() < 0.5, rules


def run_sequence(simulator: t.Any, seed: int, number: int) -> Verdict:
    """Return the verdict on one random sequence of faults."""
    operation, wait, rules = random_faults(seed, number)
    return run(simulator, OPERATIONS[operation], wait=wait, faults=rules)


def as_text(table: Table) -> str:
    """Return a table of counts, with a row for each fault and one for the totals."""
    width = max(len(name) for name in (*table, "all"))
    lines = [" ".join([" " * width, *(f"{column:>{max(10, len(column))}}" for column in COLUMNS)])]
    total: collections.Counter[str] = sum(table.values(), collections.Counter())
    for name, counts in (*sorted(table.items()), ("all", total)):
        numbers = (f"{counts[column]:>{max(10, len(column))}}" for column in COLUMNS)
        lines.append(" ".join([f"{name:<{width}}", *numbers]))
    return "\n".join(lines)


def _preset(name: str) -> dict[str, t.Any]:
    rule = {**PRESETS[name], "name": name}
    if 0 < rule.get("seconds", 0) < 1:
        rule["seconds"] = _SHORT_SECONDS
    return rule


def _write_method(operation: Operation) -> str:
    return "DELETE" if operation.action == "delete_artifacts" else "POST"
