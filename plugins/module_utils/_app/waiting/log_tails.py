# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The end of the log of a job, and lines of a log as they may be shown."""

from __future__ import annotations

import re
import typing as t

from ..._api.decoding import Record
from ..._api.errors import RequestError
from ..._api.masking import Masker, printable
from ..fields import int_of, records_in
from ..jobs.query import FoundJob
from ..session import Session

# Of more jobs that have failed, the logs would be no help.
MOST_LOGS = 50
# `section_start:1560896352:name[options]` and a carriage return, as the runner writes it to fold the log; a script that
# speaks of one does not return the carriage.
_SECTION_MARK = re.compile(r"section_(?:start|end):\d+:[\w.-]+(?:\[[^\[\]\r\n]*\])?(?:\r(?:\x1b\[0K)?|$)")
# Newer runners can put the time, stream and kind in 32 characters before each line.
_TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [0-9a-f]{2}[OE][ +]?")
# What the runner writes after a script that has failed, whatever the reason.
_EPILOGUE = re.compile(
    r"\s*(?:ERROR: Job failed: (?:command terminated with )?exit (?:code|status) \d+|Cleaning up project directory"
    r"|Uploading artifacts|\S+: found \d+ matching |$)"
)
# How much of the end of a log is held: enough for lines of a usual length, and never more than one request may ask for.
BYTES_PER_LINE = 1000
# As long as GitLab's own words in an error may be.
_LONGEST_WORDS = 300
# So many characters may stand for one of a secret, codes between them included.
_LONGEST_FORM = 16
SHORTEST_WINDOW = 64 * 1024
LONGEST_WINDOW = 500_000


def tail_of(log: str, lines: int, masker: Masker, *, is_cut: bool = False) -> list[str]:
    """Return the last lines of a log as they may be shown.

    :param is_cut: whether the beginning of the log is missing, and perhaps that of a secret.
    """
    if lines <= 0:
        return []
    if is_cut:
        # a secret that was torn or encoded is not known by its end; a line that is not whole is worth less than that
        log = log.partition("\n")[2] or log[_LONGEST_FORM * masker.longest :]
    cleaned = [shown_line(line, masker) for line in log.split("\n")]
    if is_cut:
        cleaned[0] = masker.mask_beginning(cleaned[0])
    while cleaned and not cleaned[-1].strip():
        cleaned.pop()
    return cleaned[-lines:]


def last_words(tail: t.Sequence[str] | None) -> str:
    """Return how a log ends, as a sentence that follows another one; empty where there is no log."""
    return f". Its log ends with: {telling_line(tail)}" if tail else ""


def telling_line(tail: t.Sequence[str]) -> str:
    """Return the last line of a log before those that the runner adds, which do not tell why a script has failed.

    Of a long one, such as a document in one line, the beginning is enough for a sentence.
    """
    telling = (line for line in reversed(tail) if not _EPILOGUE.match(line))
    line = next(telling, tail[-1]).strip()
    return line if len(line) <= _LONGEST_WORDS else line[: _LONGEST_WORDS - 1] + "…"


def shown_line(line: str, masker: Masker) -> str:
    """Return a line of a log without secrets, colour codes, section marks, time stamps and overwritten text."""
    text = _SECTION_MARK.sub("", _TIMESTAMP.sub("", masker.mask(line)))
    # of a progress bar, which returns the carriage, only the last state is of interest
    states = [state for state in text.split("\r") if printable(state).strip()]
    # taking colour codes away may put a secret together
    return masker.mask(printable(states[-1])) if states else ""


def read_tail(session: Session, job: FoundJob, lines: int) -> list[str] | None:
    """Return the tail of a job's log; None when it cannot be read, which must not hide why the log was wanted.

    Where the size of the log is known, only its end is asked for; a server that does not know how to sends all of it.
    """
    if lines <= 0 or job.is_bridge or not job.id:
        return []
    if not session.limits.reads_logs:
        session.warn("GitLab lets no job token read a log, so there is none here; give api_token to see it.")
        return None
    window = min(LONGEST_WINDOW, max(SHORTEST_WINDOW, lines * BYTES_PER_LINE))
    sink = Tail(window)
    offset = max(0, _log_size(job.record) - window)
    try:
        session.in_passing().client.download(
            "get_job_log", sink, project=job.project, job_id=job.id, byte_offset=offset if offset else None
        )
    except RequestError as exc:
        session.warn(f"The log of job {job.path!r} cannot be read: {exc}")
        return None
    is_cut = offset > 0 or not sink.is_whole
    return tail_of(sink.text, lines, session.client.masker, is_cut=is_cut)


def _log_size(record: Record) -> int:
    """Return the size of a job's log in bytes, 0 when the server does not tell."""
    return max(
        (int_of(entry, "size") for entry in records_in(record, "artifacts") if entry.get("file_type") == "trace"),
        default=0,
    )


class Tail:
    """A sink that keeps the end, and holds never much more than that.

    :param most: how many bytes to keep.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._kept = bytearray()

    def restart(self) -> None:
        self._size, self._kept = 0, bytearray()

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        self._kept += chunk
        # cut now and then: each time would copy the whole for every piece
        if len(self._kept) > 2 * self._most:
            del self._kept[: -self._most]

    @property
    def is_whole(self) -> bool:
        return self._size <= self._most

    @property
    def text(self) -> str:
        """Return the end as text; half a character at either side is replaced, as are other bytes that are not text."""
        return self._kept[-self._most :].decode("utf-8", errors="replace")
