# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Console script of the wheel. It also starts if the libraries of the simulator are missing."""

from __future__ import annotations

import sys
import typing as t

PROGRAM: t.Final = "jobgate-gitlab-simulator"


def main() -> int:
    """Run the simulator, or print which package to install."""
    try:
        from .__main__ import main as run
    except ModuleNotFoundError as error:
        print(f"{PROGRAM}: {error.name} is missing. Run: pip install 'jobgate-gitlab[simulator]'", file=sys.stderr)
        return 1
    return run(program=PROGRAM)
