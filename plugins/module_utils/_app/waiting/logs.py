# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The log of a job, line by line as it grows."""

from __future__ import annotations

import codecs
import typing as t

from ..._api.errors import RequestError, UsageError
from ..._api.masking import Masker
from ..jobs.query import FoundJob
from ..jobs.statuses import can_be_superseded
from ..session import Session
from .log_tails import shown_line
from .timeline import Timeline

# So much of what was read last is asked for again: it tells an answer that begins there from one with the whole log.
OVERLAP_BYTES = 64
# A longer line is shown in pieces, so that no log takes more memory than this.
LONGEST_LINE = 64 * 1024


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
        self._client = session.client
        self._has_warned = False
        self._job: FoundJob | None = None
        self._text = _GrowingText(lambda line: None, self._client.masker)

    def follow(self, job: FoundJob) -> None:
        """Tell what is new in the log of this attempt."""
        if self._job is None or self._job.id != job.id:
            self._begin(job)
        self._job = job
        self.read()

    def read(self, *, is_over: bool = False) -> None:
        """Tell what is new since the last time.

        :param is_over: whether the attempt has ended, whatever its status was when it was seen last.
        """
        job = self._job
        if job is None or not job.id:
            return
        status = job.status
        if not (is_over or status == "running" or can_be_superseded(status)):
            return
        offset = self._text.next_offset
        try:
            self._client.download(
                "get_job_log",
                self._text,
                # the next read gets what one that fails has missed
                repeats=False,
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
            self._timeline.log_line(job.path, "(the log has become shorter, it begins again)")

    def end(self) -> None:
        """Tell the rest, a line without its end included."""
        self._text.flush()

    def _begin(self, job: FoundJob) -> None:
        self.read(is_over=True)
        self.end()
        if self._job is not None:
            self._timeline.log_line(job.path, f"(retried: the log of the new attempt, job {job.id}, follows)")
        self._text = _GrowingText(lambda line: self._timeline.log_line(job.path, line), self._client.masker)


class _GrowingText:
    """A sink for answers that begin where the last one ended, or with the whole text, and tells each new line.

    :param tell: called with each line, cleaned.
    :param masker: knows what no line may hold.
    """

    def __init__(self, tell: t.Callable[[str], None], masker: Masker) -> None:
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
        # of a text that repeats itself, nothing would tell the whole from what begins there
        is_ambiguous = self._overlap == self._head and not self._knows_offsets
        return 0 if self._position <= OVERLAP_BYTES or is_ambiguous else self._position - OVERLAP_BYTES

    def restart(self) -> None:
        """Expect an answer from its beginning."""
        self._opening = b""
        # where in the text the next byte of the answer is; None until that is known
        self._cursor: int | None = None if self.next_offset else 0

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
        self._position, self._head, self._overlap, self._line = 0, b"", b"", ""
        self._decoder.reset()
        return True

    def flush(self) -> None:
        """Tell a last line that has no end."""
        rest, self._line = self._line + self._decoder.decode(b"", final=True), ""
        if rest:
            self._tell_line(rest)

    def _begin_of(self, opening: bytes) -> int:
        """Return where in the text an answer begins: servers that do not know offsets send the whole text."""
        if opening.startswith(self._head) and not self._knows_offsets:
            return 0
        self._knows_offsets = self._knows_offsets or opening.startswith(self._overlap)
        # if it begins with neither, the end of the text was written anew
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
