# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The tail of a job's log as a person wants to read it."""

from __future__ import annotations

import re

from .._api.errors import RequestError
from .._api.masking import printable
from .naming import FoundJob
from .session import Session

# `section_start:1560896352:name[options]` up to the carriage return, as the runner writes it to fold the log.
_SECTION_MARK = re.compile(r"section_(?:start|end):\d+:[^\r\n\x1b]*\r?(?:\x1b\[0K)?")
# Newer runners can put the time, stream and kind in 32 characters before each line.
_TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [0-9a-f]{2}[OE][ +]?", re.MULTILINE)


def tail_of(log: str, lines: int) -> list[str]:
    """Return the last lines of a log without colour codes, section marks, time stamps and overwritten text."""
    if lines <= 0:
        return []
    text = _SECTION_MARK.sub("", _TIMESTAMP.sub("", log))
    cleaned = []
    for line in text.split("\n"):
        # of a progress bar, which returns the carriage, only the last state is of interest
        states = [state for state in line.split("\r") if printable(state).strip()]
        cleaned.append(printable(states[-1]) if states else "")
    while cleaned and not cleaned[-1].strip():
        cleaned.pop()
    return cleaned[-lines:]


def read_tail(session: Session, job: FoundJob, lines: int) -> list[str] | None:
    """Return the tail of a job's log; None when it cannot be read, which must not hide why the log was wanted."""
    if lines <= 0 or job.is_bridge or not job.id:
        return []
    try:
        log = session.client.call("get_job_log", project=job.project, job_id=job.id)
    except RequestError as exc:
        session.warn(f"The log of job {job.path!r} cannot be read: {exc}")
        return None
    # taking colour codes away may put a secret together
    return [session.client.masker.mask(line) for line in tail_of(log, lines)]
