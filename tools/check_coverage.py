# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fail if the coverage of the inner folders is too low: `check_coverage.py REPORT_OF_COVERAGE.json`."""

from __future__ import annotations

import json
import pathlib
import sys
import typing as t

FOLDERS: t.Final = ("_api", "_app", "_tasks")
LEAST_PERCENT: t.Final = 95.0


def percent(summaries: list[dict[str, int]], covered: str, total: str) -> float:
    """Return the covered percentage of all files together, or 100 if there is nothing to cover."""
    wanted = sum(summary[total] for summary in summaries)
    return 100.0 * sum(summary[covered] for summary in summaries) / wanted if wanted else 100.0


def main() -> int:
    """Print one line per folder and a total. In the total, both line and branch coverage must be high enough."""
    files = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))["files"]
    groups: dict[str, list[dict[str, int]]] = {folder: [] for folder in FOLDERS}
    for name, row in files.items():
        for folder, summaries in groups.items():
            if f"/module_utils/{folder}/" in name:
                summaries.append(row["summary"])
    enough = True
    for name, summaries in [*groups.items(), ("all", [one for group in groups.values() for one in group])]:
        lines = percent(summaries, "covered_lines", "num_statements")
        branches = percent(summaries, "covered_branches", "num_branches")
        print(f"{name:7} {lines:6.2f} % of lines {branches:6.2f} % of branches")
        if name == "all":
            enough = bool(summaries) and min(lines, branches) >= LEAST_PERCENT
    if not enough:
        print(f"Line and branch coverage must be at least {LEAST_PERCENT:g} %.", file=sys.stderr)
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
