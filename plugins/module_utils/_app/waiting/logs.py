# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The log of a job, line by line as it grows."""

from __future__ import annotations

import codecs
import re
import typing as t

from ..._api.decoding import Record
from ..._api.errors import GitLabError, RequestError, UsageError
from ..._api.masking import Masker, printable
from ..._api.pace.retry import Retrier
from ..fields import records_in
from ..jobs.query import FoundJob
from ..jobs.statuses import can_be_superseded, int_of, status_of
from ..session import Session
from .timeline import Timeline

# So much of what was read last is asked for again: it tells an answer that begins there from one with the whole log.
OVERLAP_BYTES = 64
# A longer line is shown in pieces, so that no log takes more memory than this.
LONGEST_LINE = 64 * 1024
# A server has 100 MB of a log at the most unless it was told otherwise; what is longer than this has no end.
MOST_BYTES_OF_LOG = 1024**3
_NO_SECRETS = Masker()


def check_followable(session: Session, jobs: t.Sequence[FoundJob]) -> None:
    """Return if the log of what was selected can be followed.

    :raises UsageError: saying why not.
    """
    if not session.limits.reads_logs:
        raise UsageError("log_follow cannot be used with api_job_token, for GitLab lets no job token read a log")
    if len(jobs) > 1:
        raise UsageError(
            f"log_follow follows the log of one job, and {len(jobs)} jobs are selected; choose one, or leave it out"
        )
    if jobs and jobs[0].is_bridge:
        raise UsageError(f"log_follow cannot be used for {jobs[0].path!r}, a trigger job, which has no log")


class LogFollower:
    """Tells what is new in the log of one job, which may be retried meanwhile."""

    def __init__(self, session: Session, timeline: Timeline) -> None:
        self._session = session
        self._timeline = timeline
        # A read that fails is not repeated: the next one gets what it missed.
        self._client = session.client.with_retrier(
            Retrier(retries=0, clock=session.clock, deadline=session.deadline, traffic=session.client.traffic)
        )
        self._has_warned = False
        self._job: FoundJob | None = None
        self._text = _GrowingText(lambda line: None, self._client.masker)

    def follow(self, job: FoundJob) -> None:
        """Tell what is new in the log of this attempt."""
        if not self._session.progress.is_shown:
            return
        if self._job is None or self._job.id != job.id:
            self._begin(job)
        self._job = job
        self.read()

    def read(self) -> None:
        """Tell what is new since the last time."""
        job = self._job
        if job is None or not _may_have_log(job):
            return
        offset = self._text.next_offset
        try:
            self._client.download(
                "get_job_log",
                self._text,
                project=job.project,
                job_id=job.id,
                byte_offset=offset if offset else None,
            )
        except RequestError as exc:
            if not self._has_warned:
                self._session.warn(f"The log of job {job.path!r} could not be followed all the time: {exc}")
            self._has_warned = True
            return
        if self._text.end_of_answer():
            self._say(job, "(the log has become shorter, it begins again)")

    def end(self) -> None:
        """Tell the rest, a line without its end included."""
        self._text.flush()

    def _begin(self, job: FoundJob) -> None:
        before = self._job
        self.end()
        if before is not None:
            self._say(job, f"(retried: the log of the new attempt, job {job.id}, follows)")
        self._text = _GrowingText(lambda line: self._say(job, line), self._client.masker)

    def _say(self, job: FoundJob, line: str) -> None:
        self._timeline.log_line(job.path, line)


def _may_have_log(job: FoundJob) -> bool:
    status = status_of(job.record)
    return bool(job.id) and (status == "running" or can_be_superseded(status))


class _GrowingText:
    """A sink for answers that begin where the last one ended, or with the whole text, and tells each new line.

    :param tell: called with each line, cleaned.
    :param masker: knows what no line may hold.
    """

    def __init__(self, tell: t.Callable[[str], None], masker: Masker = _NO_SECRETS) -> None:
        self._tell = tell
        self._masker = masker
        # whether the server has shown that it honours offsets
        self._knows_offsets = False
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        # how many bytes were told, the first of them, and the last of them
        self._position = 0
        self._head = b""
        self._overlap = b""
        self._line = ""
        self.restart()

    @property
    def next_offset(self) -> int:
        """Return where the next answer should begin."""
        return self._position - len(self._overlap) if self._position > OVERLAP_BYTES else 0

    def restart(self) -> None:
        """Expect an answer from its beginning."""
        self._opening = b""
        # where in the text the next byte of the answer is; None until that is known
        self._cursor: int | None = None if self.next_offset else 0
        self._is_doubtful = False

    def write(self, chunk: bytes) -> None:
        """Take the next piece of an answer."""
        if self._cursor is None:
            chunk = self._opening = self._opening + chunk
            if len(chunk) < OVERLAP_BYTES:
                return
            self._cursor, self._opening = self._begin_of(chunk), b""
        new = chunk[max(0, self._position - self._cursor) :]
        self._cursor += len(chunk)
        if new:
            self._head = (self._head + new[:OVERLAP_BYTES])[:OVERLAP_BYTES]
            self._overlap = (self._overlap + new[-OVERLAP_BYTES:])[-OVERLAP_BYTES:]
            self._position += len(new)
            self._take(self._decoder.decode(new))

    def end_of_answer(self) -> bool:
        """Take note that an answer is complete; return whether the text has become shorter, and begins again."""
        if self._cursor is not None and self._cursor >= self._position:
            return False
        if self._is_doubtful:
            # a whole text would have been longer
            self._knows_offsets = True
            return False
        self._forget()
        return True

    def flush(self) -> None:
        """Tell a last line that has no end."""
        rest, self._line = self._line + self._decoder.decode(b"", final=True), ""
        if rest:
            self._tell_line(rest)

    def _forget(self) -> None:
        self._position, self._head, self._overlap, self._line = 0, b"", b"", ""
        self._decoder.reset()

    def _begin_of(self, opening: bytes) -> int:
        """Return where in the text an answer begins: servers that do not know offsets send the whole text."""
        is_head = opening.startswith(self._head)
        is_overlap = opening.startswith(self._overlap)
        self._is_doubtful = is_head and is_overlap and not self._knows_offsets
        if is_head and not self._knows_offsets:
            return 0
        self._knows_offsets = self._knows_offsets or is_overlap
        # if it is neither, the end of the text was written anew
        return self.next_offset

    def _take(self, text: str) -> None:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._tell_line(line)
        # so much more that a secret at a cut is there to its end, and is masked before it is cut in two
        most = LONGEST_LINE + self._masker.longest
        if len(self._line) > most:
            masked = self._masker.mask(self._line)
            done = 0
            while len(masked) - done > most:
                self._tell_line(masked[done : done + LONGEST_LINE])
                done += LONGEST_LINE
            self._line = masked[done:]

    def _tell_line(self, raw: str) -> None:
        line = shown_line(raw, self._masker)
        # marks of sections stand on lines of their own
        if line.strip() or not raw.strip():
            self._tell(line.rstrip())


# ----- the tail of a log -----


# `section_start:1560896352:name[options]` up to the carriage return, as the runner writes it to fold the log.
_SECTION_MARK = re.compile(r"section_(?:start|end):\d+:[^\r\n\x1b]*\r?(?:\x1b\[0K)?")
# Newer runners can put the time, stream and kind in 32 characters before each line.
_TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [0-9a-f]{2}[OE][ +]?")


# How much of the end of a log is held: enough for lines of a usual length, and never more than one request may ask for.
BYTES_PER_LINE = 1000
SHORTEST_WINDOW = 64 * 1024
LONGEST_WINDOW = 500_000


def tail_of(log: str, lines: int, masker: Masker = _NO_SECRETS, *, is_cut: bool = False) -> list[str]:
    """Return the last lines of a log without secrets, colour codes, section marks, time stamps and overwritten text.

    :param is_cut: whether the beginning of the log is missing, and perhaps that of a secret.
    """
    if lines <= 0:
        return []
    cleaned = [shown_line(line, masker) for line in log.split("\n")]
    if is_cut:
        cleaned[0] = masker.mask_beginning(cleaned[0])
    while cleaned and not cleaned[-1].strip():
        cleaned.pop()
    return cleaned[-lines:]


def shown_line(line: str, masker: Masker) -> str:
    """Return a line of a log as it may be shown."""
    # taking colour codes away may put a secret together
    return masker.mask(clean_line(masker.mask(line)))


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
    if not session.limits.reads_logs:
        session.warn("GitLab lets no job token read a log, so there is none here; give api_token to see it.")
        return None
    window = min(LONGEST_WINDOW, max(SHORTEST_WINDOW, lines * BYTES_PER_LINE))
    sink = Tail(window)
    offset = max(0, _log_size(job.record) - window)
    try:
        session.client.download(
            "get_job_log", sink, project=job.project, job_id=job.id, byte_offset=offset if offset else None
        )
    except (RequestError, _TooLongError) as exc:
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


class _TooLongError(GitLabError):
    """There is no end of a log."""


class Tail:
    """A sink that keeps the end, and holds never much more than that.

    :param most: how many bytes to keep.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._kept = bytearray()
        self.is_whole = True

    def restart(self) -> None:
        """Forget everything."""
        self._size, self._kept, self.is_whole = 0, bytearray(), True

    def write(self, chunk: bytes) -> None:
        """Take the next piece.

        :raises _TooLongError: when there seems to be no end.
        """
        self._size += len(chunk)
        if self._size > MOST_BYTES_OF_LOG:
            raise _TooLongError(f"it is longer than {MOST_BYTES_OF_LOG:,} bytes")
        self._kept += chunk
        # cut now and then: each time would copy the whole for every piece
        if len(self._kept) > 2 * self._most:
            del self._kept[: -self._most]
            self.is_whole = False

    @property
    def text(self) -> str:
        """Return the end as text; half a character at either side is replaced, as are other bytes that are not text."""
        return self._kept[-self._most :].decode("utf-8", errors="replace")
