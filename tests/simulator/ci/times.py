# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long jobs take and how they end, because a `.gitlab-ci.yml` does not contain this."""

from __future__ import annotations

import typing as t

Row = dict[str, t.Any]


def with_times(row: Row, base: str, times: dict[str, t.Any]) -> Row:
    """Return the row of a job with its settings, found by its name, its name in the file, or a pattern.

    A bare number is the duration. Only `*` is a wildcard in patterns, because GitLab's names contain brackets.
    """
    for name in (row["name"], base):
        if name in times:
            return {**row, **_keys(times[name])}
    for pattern, given in times.items():
        if "*" in pattern and _fits(row["name"], pattern.split("*")):
            return {**row, **_keys(given)}
    return row


def _keys(given: t.Any) -> Row:
    return dict(given) if isinstance(given, dict) else {"duration": given}


def _fits(name: str, parts: list[str]) -> bool:
    """Return whether a name has the parts of a pattern, in order, the first and the last at its ends."""
    if not (name.startswith(parts[0]) and name.endswith(parts[-1])) or len(name) < len(parts[0]) + len(parts[-1]):
        return False
    at, end = len(parts[0]), len(name) - len(parts[-1])
    for part in parts[1:-1]:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
