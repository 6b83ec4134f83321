# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the speed of the collection with other tools: `python -m tests.benchmarks.speed [--rounds 5] [--only 1a,2a]`.

In each round, the cases of a table run one after the other, and rows compare the ratios within a round. The benchmark
server is a separate process on this machine, see server.py.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
import typing as t

from . import speed_report, table_actions, table_downloads, table_lists, table_lookups, table_tasks, table_trees
from . import table_waits as waits
from .measure import ROOT
from .server import Server
from .suite import Bench, Results, Table, check_rows, run_table

TABLES: tuple[Table, ...] = (
    *table_tasks.TABLES,
    *table_lists.TABLES,
    *table_actions.TABLES,
    *waits.TABLES,
    *table_downloads.TABLES,
    *table_trees.TABLES,
    *table_lookups.TABLES,
)


def numbers_of(text: str) -> list[str]:
    """Return the numbers of the rows to measure. A single digit selects all rows that begin with it.

    :raises ValueError: if a row does not exist.
    """
    known = sorted({row.number for table in TABLES for row in table.rows})
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in wanted if not any(one.startswith(word) for one in known)]
    if unknown:
        raise ValueError(f"there is no row {unknown[0]}; rows are {', '.join(known)}")
    return [one for one in known if any(one == word or (word.isdigit() and one[:1] == word) for word in wanted)]


def main() -> int:
    """Measure, print the tables, and write them to build/benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.speed", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", metavar="ROWS", help="rows to measure, such as 1a,2a or 5")
    options = parser.parse_args()
    try:
        numbers = numbers_of(options.only)
    except ValueError as exc:
        parser.error(str(exc))
    # on SIGTERM, stop the processes started here, as on Ctrl-C
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    started = time.monotonic()
    with Server() as server:
        measured = measure(Bench(server), options.rounds, numbers)
    minutes = (time.monotonic() - started) / 60
    target = ROOT / "build" / "benchmarks" / "speed.md"
    target.parent.mkdir(parents=True, exist_ok=True)
    text = speed_report.whole(measured, rounds=options.rounds, minutes=minutes, numbers=numbers)
    target.write_text(text, encoding="utf-8")
    plain = speed_report.plain(measured, rounds=options.rounds, numbers=numbers)
    target.with_suffix(".json").write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    print(f"\n{text}\n{minutes:.0f} minutes; written to {target.relative_to(ROOT)}, and as JSON beside it")
    return 1 if any(results.errors for _table, results in measured) else 0


def measure(bench: Bench, rounds: int, numbers: t.Sequence[str]) -> list[tuple[Table, Results]]:
    """Return the results of all tables that contain one of these rows."""
    measured = []
    for table in TABLES:
        check_rows(table)
        if numbers and not any(row.number in numbers for row in table.rows):
            continue
        print(f"{table.title}:", flush=True)
        results = run_table(table, bench, rounds, numbers=numbers, say=lambda text: print(text, flush=True))
        measured.append((table, results))
    return measured


if __name__ == "__main__":
    sys.exit(main())
