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

# A log up to this size is read as a whole each time; the rest of a longer one is requested in parts of this size. A
# longer answer is then the whole log, from a server that does not support parts. GitLab allows at most 512,000 bytes.
PART_BYTES = 64 * 1024
# Longer lines are shown in pieces to limit memory.
LONGEST_LINE = 64 * 1024


def check_followable(session: Session, jobs: t.Sequence[FoundJob]) -> None:
    """Check that the log of the selected jobs can be followed.

    :raises UsageError: if it cannot.
    """
    if not session.limits.reads_logs:
        raise UsageError("log_follow cannot be used with api_job_token because job tokens cannot read logs")
    if len(jobs) > 1:
        raise UsageError(
            f"log_follow follows the log of one job, but {len(jobs)} jobs are selected; select one, or omit log_follow"
        )
    if jobs and jobs[0].is_bridge:
        raise UsageError(f"log_follow cannot be used for {jobs[0].path!r}, a trigger job, which has no log")


class LogFollower:
    """Shows new lines in the log of one job, which may be retried in the meantime."""

    def __init__(self, session: Session, timeline: Timeline) -> None:
        self._session = session
        self._timeline = timeline
        self._client = session.client
        self._has_warned = False
        self._job: FoundJob | None = None
        self._text = _GrowingText(lambda line: None, self._client.masker)

    def catch_up(self, job: FoundJob) -> None:
        """Show new lines of an attempt that was running, or all remaining lines if it has ended.

        Call it before the end of the attempt is shown.
        """
        before = self._job
        is_replaced = before is not None and before.id != job.id
        if is_replaced or (before and before.status == "running"):
            is_over = is_replaced or is_finished(job.status)
            self.read(is_over=is_over)
            if is_over:
                self.end()

    def follow(self, job: FoundJob) -> None:
        """Show new lines of this attempt, unless `catch_up` has done so."""
        before, self._job = self._job, job
        if before is None or before.id != job.id:
            if before:
                self._timeline.log_line(job.path, f"(retried: the log of the new attempt, job {job.id}, follows)")
            self._text = _GrowingText(lambda line: self._timeline.log_line(job.path, line), self._client.masker)
        elif before.status == "running":
            return
        self.read()

    def read(self, *, is_over: bool = False) -> None:
        """Show what is new since the last read.

        :param is_over: whether the attempt has ended, even if its last known status differs.
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
                    # the next read gets what a failed one has missed
                    repeats=False,
                    project=job.project,
                    job_id=job.id,
                    byte_offset=self._text.offset,
                    byte_limit=self._text.offset and PART_BYTES,
                )
                has_more = self._text.end_of_answer() and not self._session.deadline.has_passed()
        except RequestError as exc:
            if not self._has_warned:
                self._session.warn(f"The log of job {job.path!r} may be incomplete because reading it failed: {exc}")
            self._has_warned = True

    def end(self) -> None:
        self._text.flush()


class _GrowingText:
    """A sink for answers with the whole log or the requested part of it; it passes on each new line.

    :param show: called with each cleaned line.
    :param masker: masks the secrets in each line.
    """

    def __init__(self, show: t.Callable[[str], None], masker: Masker) -> None:
        self._show = show
        self._masker = masker
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        # how many bytes were passed on
        self._position = 0
        self._line = ""
        self.restart()

    @property
    def offset(self) -> int | None:
        """Return where the next part to request begins, None for the whole log."""
        return self._position if self._position > PART_BYTES else None

    def restart(self) -> None:
        self._is_part = self.offset is not None
        self._part = b""
        # how much of an answer with the whole log has arrived
        self._arrived = 0

    def write(self, chunk: bytes) -> None:
        """Accept the next piece of an answer."""
        if self._is_part:
            self._part += chunk
            if len(self._part) <= PART_BYTES:
                return
            # more than requested: servers that do not support parts send the whole log
            chunk, self._part, self._is_part = self._part, b"", False
        new = chunk[max(0, self._position - self._arrived) :]
        self._arrived += len(chunk)
        self._add(new)

    def end_of_answer(self) -> bool:
        """Accept the requested part, if it was one; return whether more may follow."""
        self._add(self._part)
        return len(self._part) == PART_BYTES

    def flush(self) -> None:
        rest, self._line = self._line + self._decoder.decode(b"", final=True), ""
        if rest:
            self._show_line(rest)

    def _add(self, new: bytes) -> None:
        self._position += len(new)
        *lines, self._line = (self._line + self._decoder.decode(new)).split("\n")
        for line in lines:
            self._show_line(line)
        # longer by the longest secret, so that a secret at the cut is complete and masked before the line is cut
        maximum = LONGEST_LINE + self._masker.longest
        if len(self._line) > maximum:
            self._line = self._masker.mask(self._line)
        while len(self._line) > maximum:
            self._show_line(self._line[:LONGEST_LINE])
            self._line = self._line[LONGEST_LINE:]

    def _show_line(self, raw: str) -> None:
        line = shown_line(raw, self._masker)
        # section marks are on lines of their own
        if line.strip() or not raw.strip():
            self._show(line.rstrip())
