# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the whole fault matrix and random sequences of faults: `python -m tests.faults --sequences 10000 --seed 1`.

Each violation is printed with the arguments that replay it. The exit code is then 1.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import os
import sys
import time

import conftest
from tests.simulator.fixture import Simulator

from .matrix import COLUMNS, Case, Table, as_text, cases, random_faults, run_case, run_sequence

_CHUNK = 200


def main() -> int:
    """Run the parts that the command line selects."""
    conftest.link_checkout()  # importing conftest did this already, early enough for the imports after it
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--sequences", type=int, default=10_000, help="random sequences of faults (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=None, help="of the random sequences (default: by the time)")
    parser.add_argument("--replay", type=int, metavar="NUMBER", help="run one sequence of the seed, and show it")
    parser.add_argument("--no-matrix", action="store_true", help="only the random sequences")
    options = parser.parse_args()
    seed = int(time.time()) if options.seed is None else options.seed
    if options.replay is not None:
        return _replay(seed, options.replay)

    table: Table = collections.defaultdict(collections.Counter)
    violations: list[str] = []
    work: list[tuple[str, object]] = []
    if not options.no_matrix:
        matrix = list(cases())
        work += [("matrix", matrix[start : start + _CHUNK]) for start in range(0, len(matrix), _CHUNK)]
    numbers = range(options.sequences)
    work += [("sequences", (seed, numbers[start : start + _CHUNK])) for start in range(0, len(numbers), _CHUNK)]
    print(f"seed {seed}, {options.sequences} random sequences", flush=True)
    with concurrent.futures.ProcessPoolExecutor(max_workers=os.cpu_count()) as executor:
        for part, found in executor.map(_run_part, work):
            for name, counts in part.items():
                table[name].update(counts)
            violations += found
            for text in found:
                print(text, flush=True)
    print(as_text(table))
    print(f"{len(violations)} violations, seed {seed}")
    return 1 if violations else 0


def _run_part(part: tuple[str, object]) -> tuple[Table, list[str]]:
    """Run some rows with a new simulator, in this process."""
    table: Table = collections.defaultdict(collections.Counter)
    violations = []
    kind, what = part
    with Simulator() as simulator:
        if kind == "matrix":
            for case in what:  # type: ignore[attr-defined]
                verdict = run_case(simulator, Case(*case))
                table[case.preset][verdict.kind] += 1
                if verdict.violation:
                    violations.append(f"VIOLATION {case}: {verdict}")
        else:
            seed, numbers = what  # type: ignore[misc]
            for number in numbers:
                verdict = run_sequence(simulator, seed, number)
                table["random sequences"][verdict.kind] += 1
                if verdict.violation:
                    violations.append(f"VIOLATION --seed {seed} --replay {number}: {verdict}")
    return dict(table), violations


def _replay(seed: int, number: int) -> int:
    """Run one sequence and print the faults, the requests and the verdict."""
    operation, wait, rules = random_faults(seed, number)
    print(f"{operation}, wait {wait}")
    for rule in rules:
        print("fault", json.dumps(rule))
    with Simulator() as simulator:
        verdict = run_sequence(simulator, seed, number)
        for request in simulator.requests():
            print(request["method"], request["path"], request["status"], request.get("fault") or "")
    print(verdict)
    return COLUMNS.index(verdict.kind) == len(COLUMNS) - 1


if __name__ == "__main__":
    sys.exit(main())
