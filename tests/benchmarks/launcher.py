# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command and write its resource usage as JSON: `python -I -S launcher.py REPORT OUTPUT COMMAND ...`.

This is a separate process with few imports, because the kernel counts the memory of the parent towards the peak of the
program that it starts.
"""

from __future__ import annotations

import os
import sys
import time


def main() -> None:
    """Run the command; write its wall time, the CPU time of its process tree, and the peak of the largest process."""
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
