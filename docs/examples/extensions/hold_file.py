# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold jobs back while the file in JOBGATE_HOLD_FILE exists."""

from __future__ import annotations

import os

import pluggy

hookimpl = pluggy.HookimplMarker("jobgate.gitlab")


@hookimpl
def gitlab_decide_job_action(action, decisions):
    """Postpone jobs. With `wait` the task calls the hook again until the file is gone."""
    path = os.environ.get("JOBGATE_HOLD_FILE")
    if not path or action not in ("play", "retry") or decisions.built_in.verdict != "act":
        return None
    if not os.path.exists(path):
        return None
    return decisions.later(f"releases are on hold: {path} exists")
