# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The end of a job's log, and log lines that are safe to show."""

from __future__ import annotations

import re
import typing as t

from ..._api.decoding import Record
from ..._api.errors import RequestError
from ..._api.masking import Masker, printable
from ..fields import int_of, records_in
from ..jobs.query import FoundJob
from ..session import Session

# Logs of more failed jobs than this would not help anyone.
MAX_LOGS = 50
# `section_start:1560896352:name[options]` and a carriage return, which the runner writes to fold the log. The output of
# a script that only mentions such a mark has no carriage return. A running job may not have written all of it yet.
_SECTION_MARK = re.compile(r"section_(?:start|end):(?:\d+:[\w.-]+(?:\[[^\[\]\r\n]*\])?(?:\r(?:\x1b\[0K)?|$)|\d*:?$)")
# Newer runners can write the time, stream and kind in 32 characters before each line.
_TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [0-9a-f]{2}[OE][ +]?")
# What the runner writes after every failed script.
_EPILOGUE = re.compile(
    r"\s*(?:ERROR: Job failed: (?:command terminated with )?exit (?:code|status) \d+|Cleaning up project directory"
    r"|Uploading artifacts|\S+: found \d+ matching |$)"
)
# How much of the end of a log is kept: enough for lines of usual length, and at most what one request can return.
BYTES_PER_LINE = 1000
# The same limit as for GitLab's own words in an error.
_LONGEST_WORDS = 300
# One character of a secret can take this many characters in a log, including color codes.
_LONGEST_FORM = 16
SHORTEST_WINDOW = 64 * 1024
LONGEST_WINDOW = 500_000


def tail_of(log: str, lines: int, masker: Masker, *, is_cut: bool = False) -> list[str]:
    """Return the last lines of a log, masked and cleaned.

    :param is_cut: whether the beginning of the log is missing, possibly in the middle of a secret.
    """
    if lines <= 0:
        return []
    if is_cut:
        # the end of a cut or encoded secret cannot be recognized, so the incomplete first line is dropped
        log = log.partition("\n")[2] or log[_LONGEST_FORM * masker.longest :]
    cleaned = [shown_line(line, masker) for line in log.split("\n")]
    if is_cut:
        cleaned[0] = masker.mask_beginning(cleaned[0])
    while cleaned and not cleaned[-1].strip():
        cleaned.pop()
    return cleaned[-lines:]


def log_ending(tail: t.Sequence[str] | None) -> str:
    """Return how a log ends, as a sentence that follows another one; empty if there is no log."""
    return f". Its log ends with: {significant_line(tail)}" if tail else ""


def significant_line(tail: t.Sequence[str]) -> str:
    """Return the last line of a log before those that the runner adds, which do not show why a script failed.

    A long line, such as a document in one line, is shortened.
    """
    significant = (line for line in reversed(tail) if not _EPILOGUE.match(line))
    line = next(significant, tail[-1]).strip()
    return line if len(line) <= _LONGEST_WORDS else line[: _LONGEST_WORDS - 1] + "…"


def shown_line(line: str, masker: Masker) -> str:
    """Return a line of a log without secrets, color codes, section marks, time stamps and overwritten text."""
    text = _SECTION_MARK.sub("", _TIMESTAMP.sub("", masker.mask(line)))
    # progress bars overwrite their line; only the last state matters
    states = [state for state in text.split("\r") if printable(state).strip()]
    # removing color codes may join the parts of a secret
    return masker.mask(printable(states[-1])) if states else ""


def read_tail(session: Session, job: FoundJob, lines: int) -> list[str] | None:
    """Return the tail of a job's log; None if it cannot be read, which must not hide the failure that it explains.

    If the size of the log is known, only its end is requested; servers without this feature send the whole log.
    """
    if lines <= 0 or job.is_bridge or not job.id:
        return []
    if not session.limits.reads_logs:
        session.warn("Job tokens cannot read logs, so no log is shown; set api_token to see it.")
        return None
    window = min(LONGEST_WINDOW, max(SHORTEST_WINDOW, lines * BYTES_PER_LINE))
    sink = Tail(window)
    offset = max(0, _log_size(job.record) - window)
    try:
        session.best_effort().client.download(
            "get_job_log", sink, project=job.project, job_id=job.id, byte_offset=offset if offset else None
        )
    except RequestError as exc:
        session.warn(f"The log of job {job.path!r} cannot be read: {exc}")
        return None
    is_cut = offset > 0 or not sink.is_whole
    return tail_of(sink.text, lines, session.client.masker, is_cut=is_cut)


def _log_size(record: Record) -> int:
    """Return the size of a job's log in bytes, 0 if the server does not report it."""
    return max(
        (int_of(entry, "size") for entry in records_in(record, "artifacts") if entry.get("file_type") == "trace"),
        default=0,
    )


class Tail:
    """A sink that keeps only the end of what is written.

    :param max_bytes: how many bytes to keep.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._kept = bytearray()

    def restart(self) -> None:
        self._size, self._kept = 0, bytearray()

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        self._kept += chunk
        # cut only now and then, because each cut copies everything
        if len(self._kept) > 2 * self._max_bytes:
            del self._kept[: -self._max_bytes]

    @property
    def is_whole(self) -> bool:
        return self._size <= self._max_bytes

    @property
    def text(self) -> str:
        """Return the end as a string; incomplete characters and invalid bytes are replaced."""
        return self._kept[-self._max_bytes :].decode("utf-8", errors="replace")
