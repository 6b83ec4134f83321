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
from .sinks import Tail
from .statuses import Record

# `section_start:1560896352:name[options]` up to the carriage return, as the runner writes it to fold the log.
_SECTION_MARK = re.compile(r"section_(?:start|end):\d+:[^\r\n\x1b]*\r?(?:\x1b\[0K)?")
# Newer runners can put the time, stream and kind in 32 characters before each line.
_TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [0-9a-f]{2}[OE][ +]?")


# How much of the end of a log is held: enough for lines of a usual length, and never more than one request may ask for.
BYTES_PER_LINE = 1000
SHORTEST_WINDOW = 64 * 1024
LONGEST_WINDOW = 500_000


def tail_of(log: str, lines: int) -> list[str]:
    """Return the last lines of a log without colour codes, section marks, time stamps and overwritten text."""
    if lines <= 0:
        return []
    cleaned = [clean_line(line) for line in log.split("\n")]
    while cleaned and not cleaned[-1].strip():
        cleaned.pop()
    return cleaned[-lines:]


def clean_line(line: str) -> str:
    """Return a line of a log without colour codes, section marks, time stamps and overwritten text."""
    text = _SECTION_MARK.sub("", _TIMESTAMP.sub("", line))
    # of a progress bar, which returns the carriage, only the last state is of interest
    states = [state for state in text.split("\r") if printable(state).strip()]
    return printable(states[-1]) if states else ""


def read_tail(session: Session, job: FoundJob, lines: int) -> list[str] | None:
    """Return the tail of a job's log; None when it cannot be read, which must not hide why the log was wanted.

    Where the size of the log is known, only its end is asked for; a server that does not know how to sends all of it.
    """
    if lines <= 0 or job.is_bridge or not job.id:
        return []
    if session.client.settings.token_kind == "api_job_token":
        session.warn("GitLab lets no job token read a log, so there is none here; give api_token to see it.")
        return None
    window = min(LONGEST_WINDOW, max(SHORTEST_WINDOW, lines * BYTES_PER_LINE))
    sink = Tail(window)
    offset = max(0, _log_size(job.record) - window)
    try:
        session.client.download(
            "get_job_log", sink, project=job.project, job_id=job.id, byte_offset=offset if offset else None
        )
    except RequestError as exc:
        session.warn(f"The log of job {job.path!r} cannot be read: {exc}")
        return None
    # taking colour codes away may put a secret together
    return [session.client.masker.mask(line) for line in tail_of(sink.text, lines)]


def _log_size(record: Record) -> int:
    """Return the size of a job's log in bytes, 0 when the server does not tell."""
    artifacts = record.get("artifacts")
    for entry in artifacts if isinstance(artifacts, list) else ():
        if isinstance(entry, dict) and entry.get("file_type") == "trace" and isinstance(entry.get("size"), int):
            return int(entry["size"])
    return 0
