# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Append one JSON line per request to the file in JOBGATE_AUDIT_LOG."""

from __future__ import annotations

import datetime
import getpass
import json
import os
import threading

import pluggy

hookimpl = pluggy.HookimplMarker("jobgate.gitlab")

# several requests of a task can end at the same time
_lock = threading.Lock()


@hookimpl
def gitlab_request_finished(request, status, seconds):
    """Write the line."""
    path = os.environ.get("JOBGATE_AUDIT_LOG")
    if not path:
        return
    entry = {
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds"),
        "who": getpass.getuser(),
        "endpoint": request.endpoint,
        "method": request.method,
        "url": request.display_url,
        "status": status,
        "seconds": round(seconds, 3),
    }
    with _lock, open(path, "a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")
