# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show the outcomes of the faults as a table at the end of the run."""

from __future__ import annotations

import collections
import typing as t

from .matrix import Table, as_text


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    table: Table = collections.defaultdict(collections.Counter)
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "faults" and report.when == "call":
                    for preset, counts in value.items():
                        table[preset].update(counts)
    if table:
        terminalreporter.section("what came of the faults")
        terminalreporter.write_line(as_text(table))
