# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress on the terminal while a task waits for jobs."""

from __future__ import annotations

import contextlib
import os
import sys
import typing as t

from ansible import constants

from ..module_utils._app.jobs.statuses import STATUSES, Tone
from ..module_utils._app.outcome import Progress

# Ansible's own colors: green, red and yellow by default.
_COLORS: t.Mapping[Tone, str] = {
    "good": constants.config.get_config_value("COLOR_OK"),
    "bad": constants.config.get_config_value("COLOR_ERROR"),
    "busy": constants.config.get_config_value("COLOR_CHANGED"),
}


def terminal_device() -> str:
    """Return the device of the terminal that this process writes to, empty if there is none."""
    try:
        return os.ttyname(sys.__stderr__.fileno()) if sys.__stderr__ else ""
    except (OSError, ValueError):
        return ""


class DisplayProgress(Progress):
    """A display that writes one line for each event, with one call each, so that lines of several hosts never mix.

    :param show: writes a line to the terminal immediately, in one of Ansible's colors or without.
    :param prefix: the host, if lines of several hosts are shown; empty for a single host.
    :param terminal: the device that Ctrl-C comes from, empty if there is none.
    """

    is_shown = True

    def __init__(self, show: t.Callable[[str, str | None], object], prefix: str = "", *, terminal: str = "") -> None:
        self._show = show
        self._terminal = terminal
        self._prefix = f"[{prefix}] " if prefix else ""
        self._remaining: dict[object, t.Sequence[str]] = {}

    def show(self, line: str, *, status: str = "") -> None:
        row = STATUSES.get(status)
        self._show(f"{self._prefix}{line}", _COLORS.get(row.tone) if row else None)

    def note_remaining(self, *, wait: object, what: t.Sequence[str]) -> None:
        self._remaining[wait] = what

    def interrupted(self) -> None:
        """Write to the terminal what continues without the task, and where; do so only once."""
        remaining, self._remaining = self._remaining, {}
        lines = [f"{self._prefix}interrupted: {text}" for texts in list(remaining.values()) for text in texts]
        if lines and self._terminal:
            # on separate lines, starting after the ^C
            with contextlib.suppress(OSError), open(self._terminal, "wb", buffering=0) as terminal:
                terminal.write("\n".join(["", *lines, ""]).encode())
