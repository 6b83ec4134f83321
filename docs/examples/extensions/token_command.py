# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the token from the output of the command in JOBGATE_TOKEN_COMMAND, such as `pass show gitlab/release`."""

from __future__ import annotations

import os
import shlex
import subprocess

import pluggy

hookimpl = pluggy.HookimplMarker("jobgate.gitlab")


@hookimpl
def gitlab_authenticate(settings):
    """Return the header with the token, or None if an option or variable already sets a token."""
    command = os.environ.get("JOBGATE_TOKEN_COMMAND")
    if settings.token or not command:
        return None
    output = subprocess.run(shlex.split(command), check=True, stdout=subprocess.PIPE, timeout=30)
    return {"PRIVATE-TOKEN": output.stdout.decode().strip()}
