# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outcomes as Markdown."""

from __future__ import annotations

import collections
import os
import platform
import typing as t

import ansible.release
import gitlab

from .cases import KINDS, RULES, Outcome

Results = t.Mapping[str, t.Sequence[Outcome]]

_COLUMNS = ("client", "runs", "as it should be", "honest", "with a violation", *KINDS)


def machine_line() -> str:
    """Return a description of the machine and the versions."""
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, ansible-core {ansible.release.__version__}, "
        f"python-gitlab {gitlab.__version__}"
    )


def table(results: Results) -> str:
    """Return a row for each client."""
    lines = [_row(_COLUMNS), _row(["---", *["---:"] * (len(_COLUMNS) - 1)])]
    for client, outcomes in results.items():
        kinds = collections.Counter(kind for outcome in outcomes for kind in outcome.violations())
        good = [outcome for outcome in outcomes if not outcome.violations()]
        done = sum(1 for outcome in good if outcome.failure is None)
        numbers = [len(outcomes), done, len(good) - done, len(outcomes) - len(good), *(kinds[kind] for kind in KINDS)]
        lines.append(_row([client, *map(str, numbers)]))
    return "\n".join(lines)


def details(results: Results) -> str:
    """Return the violations of each client and the faults that caused them."""
    lines = []
    for client, outcomes in results.items():
        for kind in KINDS:
            where: dict[str, list[str]] = collections.defaultdict(list)
            for outcome in outcomes:
                if kind in outcome.violations():
                    where[outcome.case.preset].append(f"{outcome.case.action} at {outcome.case.point}")
            if where:
                lines += ["", f"{client}: {kind}", ""]
                lines += [f"- {preset}: {', '.join(cases)}" for preset, cases in sorted(where.items())]
    return "\n".join(lines)


def difference(some: t.Sequence[Outcome], others: t.Sequence[Outcome]) -> list[str]:
    """Return the runs that ended differently for these two clients."""
    known = {outcome.case: outcome for outcome in some}
    return [
        f"{outcome.case}: {_end(known[outcome.case])} and {_end(outcome)}"
        for outcome in others
        if _end(known[outcome.case]) != _end(outcome)
    ]


def whole(results: Results, notes: t.Sequence[str]) -> str:
    """Return the rules, the table, the notes and the details."""
    parts = ["# Under faults", RULES, machine_line(), table(results), "\n".join(f"- {note}" for note in notes)]
    return "\n\n".join(parts) + "\n\n## Violations by fault\n" + details(results) + "\n"


def _end(outcome: Outcome) -> tuple[int, bool, tuple[str, ...]]:
    return outcome.effects, outcome.failure is None, tuple(outcome.violations())


def _row(cells: t.Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
