# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The log of a job, line by line as it grows."""

from __future__ import annotations

import codecs
import typing as t

from ..._api.errors import RequestError, UsageError
from ..._api.masking import Masker
from ..jobs.query import FoundJob
from ..jobs.statuses import can_be_superseded, is_finished
from ..session import Session
from .log_tails import shown_line
from .timeline import Timeline

# As long as a log is no longer, it is read whole each time; then what is new is asked for in parts of this size. So a
# longer answer is the whole log, of a server that does not know parts. GitLab allows no more than 512,000.
PART_BYTES = 64 * 1024
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

    def catch_up(self, job: FoundJob) -> None:
        """Tell what is new in the log of an attempt that was running, and the rest when it does so no more.

        That it has ended is told next.
        """
        before = self._job
        is_replaced = before is not None and before.id != job.id
        if is_replaced or (before and before.status == "running"):
            is_over = is_replaced or is_finished(job.status)
            self.read(is_over=is_over)
            if is_over:
                self.end()

    def follow(self, job: FoundJob) -> None:
        """Tell what is new in the log of this attempt, unless it was caught up with."""
        before, self._job = self._job, job
        if before is None or before.id != job.id:
            if before:
                self._timeline.log_line(job.path, f"(retried: the log of the new attempt, job {job.id}, follows)")
            self._text = _GrowingText(lambda line: self._timeline.log_line(job.path, line), self._client.masker)
        elif before.status == "running":
            return
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
        has_more = True
        try:
            while has_more:
                self._client.download(
                    "get_job_log",
                    self._text,
                    # the next read gets what one that fails has missed
                    repeats=False,
                    project=job.project,
                    job_id=job.id,
                    byte_offset=self._text.offset,
                    byte_limit=self._text.offset and PART_BYTES,
                )
                has_more = self._text.end_of_answer() and not self._session.deadline.has_passed()
        except RequestError as exc:
            if not self._has_warned:
                self._session.warn(f"The log of job {job.path!r} could not be followed all the time: {exc}")
            self._has_warned = True

    def end(self) -> None:
        self._text.flush()


class _GrowingText:
    """A sink for answers with the whole text, or with the part of it that was asked for; it tells each new line.

    :param tell: called with each line, cleaned.
    :param masker: knows what no line may hold.
    """

    def __init__(self, tell: t.Callable[[str], None], masker: Masker) -> None:
        self._tell = tell
        self._masker = masker
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        # how many bytes were told
        self._position = 0
        self._line = ""
        self.restart()

    @property
    def offset(self) -> int | None:
        """Return where the part of the text begins that is to be asked for next, None for the whole text."""
        return self._position if self._position > PART_BYTES else None

    def restart(self) -> None:
        self._is_part = self.offset is not None
        self._part = b""
        # of an answer with the whole text, how much has come
        self._come = 0

    def write(self, chunk: bytes) -> None:
        """Take the next piece of an answer."""
        if self._is_part:
            self._part += chunk
            if len(self._part) <= PART_BYTES:
                return
            # it is more than was asked for: servers that do not know parts send the whole text
            chunk, self._part, self._is_part = self._part, b"", False
        new = chunk[max(0, self._position - self._come) :]
        self._come += len(chunk)
        self._take(new)

    def end_of_answer(self) -> bool:
        """Take the part that was asked for, if it was one; return whether there may be more to ask for."""
        self._take(self._part)
        return len(self._part) == PART_BYTES

    def flush(self) -> None:
        rest, self._line = self._line + self._decoder.decode(b"", final=True), ""
        if rest:
            self._tell_line(rest)

    def _take(self, new: bytes) -> None:
        self._position += len(new)
        *lines, self._line = (self._line + self._decoder.decode(new)).split("\n")
        for line in lines:
            self._tell_line(line)
        # so much more that a secret at a cut is there to its end, and is masked before it is cut in two
        most = LONGEST_LINE + self._masker.longest
        if len(self._line) > most:
            self._line = self._masker.mask(self._line)
        while len(self._line) > most:
            self._tell_line(self._line[:LONGEST_LINE])
            self._line = self._line[LONGEST_LINE:]

    def _tell_line(self, raw: str) -> None:
        line = shown_line(raw, self._masker)
        # marks of sections stand on lines of their own
        if line.strip() or not raw.strip():
            self._tell(line.rstrip())
