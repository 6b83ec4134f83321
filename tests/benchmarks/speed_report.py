# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The measurements as Markdown and as plain values."""

from __future__ import annotations

import os
import pathlib
import platform
import subprocess
import typing as t

import ansible.release
import gitlab

from . import peers
from .suite import Results, Row, Table

Measured = t.Sequence[tuple[Table, Results]]

_UNITS = {
    "ms": "ms",
    "first_ms": "ms",
    "cpu_ms": "ms CPU",
    "wall": "s",
    "call": "s in the call",
    "net": "s",
    "late": "s late",
    "cpu": "s CPU",
    "peak_mib": "MiB",
    "requests": "requests",
}
NOTES = """\
- Each ratio is the median of the ratios within a round, ours divided by the peer's. Quote ratios: times differ from
  machine to machine.
- Wall time and CPU time (user and system, of the whole tree of processes) include the start of Python and all
  imports, for every client. Ratio in the call is without these, where both sides are Python.
- A latency is added by the server before each answer. It does not delay handshakes.
- One more task, item or call is the difference to a play with one, divided by how many more there are; the first task
  is that to an empty play.
- Late is the time between the end of the last job, as the server has it, and the end of the call, or in row 4c of the
  whole playbook.
- Peak memory is that of the largest process.
- Slow clients run in fewer rounds than others: the column says in how many both ran.
- The downloads of this collection compute a sha256, which curl, get_url and python-gitlab do not. Rows with an i only
  inform."""


def machine_line() -> str:
    """Return a description of the machine and the versions."""
    parts = [
        f"{os.cpu_count()} cores ({_cpu_model()})",
        f"Linux {platform.release()}" if platform.system() == "Linux" else platform.platform(),
        f"Python {platform.python_version()}",
        f"ansible-core {ansible.release.__version__}",
        f"python-gitlab {gitlab.__version__}",
        f"curl {_curl_version()}",
        *peers.versions(),
    ]
    return ", ".join(parts)


def whole(measured: Measured, *, rounds: int, minutes: float, numbers: t.Collection[str] = ()) -> str:
    """Return the goals, the informational rows, the notes and the figures of each case."""
    rows = [(row, results) for table, results in measured for row in table.rows if not numbers or row.number in numbers]
    rows.sort(key=lambda pair: pair[0].number)
    goals = [_goal_line(row, results) for row, results in rows if row.goal is not None]
    others = [_line(row, results) for row, results in rows if row.goal is None]
    head = (
        "| # | what | ours | peer | ratio | in the call | goal | reached | rounds |",
        "|---|---|---|---|" + "---:|" * 5,
    )
    parts = [
        "# Speed",
        f"{machine_line()}; {rounds} rounds, {minutes:.0f} minutes.",
        "\n".join([*head, *goals]),
    ]
    if others:
        parts.append(
            "\n".join(
                [
                    "| # | what | ours | peer | ratio | in the call | rounds |",
                    "|---|---|---|---|---:|---:|---:|",
                    *others,
                ]
            )
        )
    parts += [NOTES, "## Figures of each case, medians"]
    parts += [_figures(table, results) for table, results in measured]
    return "\n\n".join(parts) + "\n"


def plain(measured: Measured, *, rounds: int, numbers: t.Collection[str] = ()) -> dict[str, t.Any]:
    """Return all results as plain values."""
    rows = []
    for table, results in measured:
        for row in table.rows:
            if numbers and row.number not in numbers:
                continue
            ratio = results.ratio(row)
            rows.append(
                {
                    "number": row.number,
                    "what": row.what,
                    "ours": row.ours,
                    "peer": row.peer,
                    "metric": row.metric,
                    "ratio": ratio,
                    "ratios": results.ratios(row),
                    "goal": row.goal,
                    "reached": None if ratio is None or row.goal is None else ratio <= row.goal,
                }
            )
    tables = {table.name: {"values": results.values, "errors": results.errors} for table, results in measured}
    return {"machine": machine_line(), "rounds": rounds, "rows": rows, "tables": tables}


def _goal_line(row: Row, results: Results) -> str:
    ratio = results.ratio(row)
    reached = "failed" if ratio is None else "yes" if row.goal is not None and ratio <= row.goal else "**no**"
    cells = [*_cells(row, results), f"{row.goal:g}", reached, str(len(results.ratios(row)))]
    return f"| {' | '.join(cells)} |"


def _line(row: Row, results: Results) -> str:
    return f"| {' | '.join([*_cells(row, results), str(len(results.ratios(row)))])} |"


def _cells(row: Row, results: Results) -> list[str]:
    unit = _UNITS[row.metric]
    values = [_value(results, case, row.metric, unit) for case in (row.ours, row.peer)]
    ratio = results.ratio(row)
    in_call = results.ratio(row, "call") if row.metric == "wall" else None
    return [row.number, row.what, *values, *("" if one is None else f"{one:.3g}" for one in (ratio, in_call))]


def _value(results: Results, case: str, metric: str, unit: str) -> str:
    value = results.median(case, metric)
    return f"{case}: {'failed' if value is None else f'{value:.3g} {unit}'}"


def _figures(table: Table, results: Results) -> str:
    names = list(dict.fromkeys(name for several in results.values.values() for one in several for name in one))
    lines = [f"{table.title}:", "", f"| case | {' | '.join(names)} | rounds |", "|---|" + "---:|" * (len(names) + 1)]
    for case, several in results.values.items():
        medians = [results.median(case, name) for name in names]
        shown = ["" if value is None else f"{value:.3g}" for value in medians]
        lines.append(f"| {case} | {' | '.join(shown)} | {len(several)} |")
    lines += [f"\n{case} failed: {' '.join(text.split())[:300]}" for case, text in results.errors.items()]
    return "\n".join(lines)


def _cpu_model() -> str:
    path = pathlib.Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _curl_version() -> str:
    try:
        output = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "missing"
    return output.split()[1]
