# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse to start jobs before the day in JOBGATE_FREEZE_UNTIL, such as 2026-12-28."""

from __future__ import annotations

import datetime
import os

import pluggy

hookimpl = pluggy.HookimplMarker("jobgate.gitlab")


@hookimpl
def gitlab_decide_job_action(action, job, decisions):
    """Refuse jobs that the decision table would start, now or later."""
    last_day = os.environ.get("JOBGATE_FREEZE_UNTIL")
    if not last_day or action not in ("play", "retry"):
        return None
    if decisions.built_in.verdict not in ("act", "later"):
        return None  # already running, successful, or refused
    end = datetime.date.fromisoformat(last_day)
    if datetime.date.today() >= end:
        return None
    return decisions.refuse(f"change freeze until {end:%A}, {end.isoformat()}")
