# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables of cases that run in turn, and rows that compare two cases by the ratio within each round."""

from __future__ import annotations

import collections
import dataclasses
import statistics
import time
import typing as t

from .measure import CaseError, Run
from .server import Server

Values = dict[str, float]


@dataclasses.dataclass
class Bench:
    """The environment of the cases.

    :param scale: 1 for real figures; a smaller value shrinks everything, for testing the cases.
    """

    server: Server
    scale: float = 1.0

    def few(self, count: int, least: int = 2) -> int:
        """Return the scaled count."""
        return max(least, round(count * self.scale))


@dataclasses.dataclass(frozen=True)
class Case:
    """One client doing one piece of work.

    :param run: does the work and returns its figures by name.
    :param rounds: maximum number of rounds; slow clients have fewer.
    """

    name: str
    run: t.Callable[[Bench], Values]
    rounds: int = 1_000


@dataclasses.dataclass(frozen=True)
class Row:
    """A comparison of two cases.

    :param metric: name of the figure to compare.
    :param goal: highest acceptable ratio, None for an informational row.
    """

    number: str
    what: str
    ours: str
    peer: str
    metric: str
    goal: float | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """Cases that run in turn, and the rows that compare them."""

    name: str
    title: str
    cases: tuple[Case, ...]
    rows: tuple[Row, ...]


@dataclasses.dataclass
class Results:
    """The figures of all cases, one per round."""

    values: dict[str, list[Values]] = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    errors: dict[str, str] = dataclasses.field(default_factory=dict)

    def median(self, case: str, metric: str) -> float | None:
        """Return the median of a figure, or None without values."""
        found = [values[metric] for values in self.values.get(case, ()) if metric in values]
        return statistics.median(found) if found else None

    def ratios(self, row: Row, metric: str = "") -> list[float]:
        """Return the ratio of each round that both cases completed.

        :param metric: a figure to use instead of the row's.
        """
        metric = metric or row.metric
        pairs = zip(self.values.get(row.ours, ()), self.values.get(row.peer, ()))
        return [ours[metric] / peer[metric] for ours, peer in pairs if metric in ours and peer.get(metric)]

    def ratio(self, row: Row, metric: str = "") -> float | None:
        """Return the median of the ratios, or None without ratios."""
        ratios = self.ratios(row, metric)
        return statistics.median(ratios) if ratios else None


def run_table(
    table: Table, bench: Bench, rounds: int, *, numbers: t.Collection[str] = (), say: t.Callable[[str], None] = print
) -> Results:
    """Run a table and return its figures.

    :param numbers: run only the cases that these rows need; empty for all.
    :param say: receives progress messages.
    """
    wanted = {name for row in table.rows if row.number in numbers for name in (row.ours, row.peer)}
    cases = [case for case in table.cases if not numbers or case.name in wanted]
    results = Results()
    for number in range(1, rounds + 1):
        for case in cases:
            if case.name in results.errors or number > case.rounds:
                continue
            started = time.monotonic()
            try:
                values = case.run(bench)
            except CaseError as exc:
                results.errors[case.name] = str(exc)
                say(f"  {table.name}, round {number} of {rounds}, {case.name}: FAILED, {exc}")
                continue
            results.values[case.name].append(values)
            shown = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
            say(
                f"  {table.name}, round {number} of {rounds}, {case.name}: {shown} ({time.monotonic() - started:.1f} s)"
            )
    return results


def figures(run: Run) -> Values:
    """Return the figures of a process; `call` is its wall time without start-up and imports, if it reports that."""
    values = {"wall": run.wall, "cpu": run.cpu, "peak_mib": run.peak_mib}
    if run.output.startswith("{") and "call" in run.reported:
        values["call"] = run.reported["call"]
    return values


def check_rows(table: Table) -> None:
    """Raise ValueError if a row refers to a case that is not in the table."""
    names = {case.name for case in table.cases}
    for row in table.rows:
        for name in (row.ours, row.peer):
            if name not in names:
                raise ValueError(f"row {row.number}: no case {name!r}")
