# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do something to the simulator as soon as a job has been played: `after_play.py URL JOB PATH BODY`.

Prints the moment in the form of the record, so that both can be compared.
"""

from __future__ import annotations

import datetime
import json
import sys
import time
import urllib.request


def main() -> None:
    """Wait for the play, and send the request to the admin path."""
    url, job, path, body = sys.argv[1:]
    end = time.monotonic() + 50
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{url}/_simulator/effects", timeout=60) as answer:
            effects = json.load(answer)
        if any(effect["action"] == "play" and effect["name"] == job for effect in effects):
            break
        time.sleep(0.05)
    else:
        sys.exit(f"{job} was not played")
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    request = urllib.request.Request(f"{url}/_simulator/{path}", data=body.encode(), method="POST")
    urllib.request.urlopen(request, timeout=60).close()
    print(now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z")


if __name__ == "__main__":
    main()
