# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a command, and writes what it took as JSON: `python -I -S launcher.py REPORT OUTPUT COMMAND ...`.

A process of its own, and one that imports little: the kernel counts the memory of whoever starts a program into that
program's peak.
"""

from __future__ import annotations

import os
import sys
import time


def main() -> None:
    """Run the command, and write its time, the CPU time of it and its children, and the peak of the largest of them."""
    report, output, *command = sys.argv[1:]
    started = time.monotonic()
    child = os.fork()
    if not child:
        try:
            descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            os.execvpe(command[0], command, os.environ)
        finally:
            os._exit(127)
    _child, status, usage = os.wait4(child, 0)
    ended = time.monotonic()
    values = {
        "status": os.waitstatus_to_exitcode(status),
        "ended": ended,
        "wall": ended - started,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,
    }
    with open(report, "w", encoding="ascii") as file:
        file.write("{" + ", ".join(f'"{name}": {value!r}' for name, value in values.items()) + "}")


if __name__ == "__main__":
    main()
