# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Changes of jobs during a wait: recorded in the timeline and shown as progress."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ..._api.decoding import Record
from ..fields import iso_time, record_in, seconds_of, unix_time_of
from ..jobs.query import FoundJob
from ..jobs.statuses import failure_reason, is_finished, is_playable, is_queued, phase_of
from ..session import Session
from .blockers import MAX_SINGLE_LINES, Blockers

# After this long without a line, show a sign of life; show each further one after twice the time.
SILENCE_SECONDS = 300.0
# Nearly every job is in the queue for a moment; after this long, its runner is worth a line.
QUEUE_SECONDS = 10.0
# The clocks of servers are synchronized over the network, and may differ by this much.
_CLOCK_TOLERANCE_SECONDS = 5.0
_BEFORE_RUNNING = ("waiting", "blocked", "queued")


@dataclasses.dataclass
class _Seen:
    """What is known about a job from the last poll.

    :param since: when it got its status, on the monotonic clock, as far as known.
    :param polls: how often it was read in this status.
    :param shown: the blockers that were shown.
    """

    status: str
    id: int
    since: float
    polled_at: float
    polls: int = 1
    shown: set[str] = dataclasses.field(default_factory=set)


# A change of state: when it happened, its line of progress, and the new status.
_Change = tuple[float, str, str]


class Timeline:
    """Records every change of state of the observed jobs for the timeline, and shows it as progress.

    Changes between two polls are reconstructed from the times in the job's record: when it started and finished, and
    how long it was in the queue.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._seen: dict[t.Any, _Seen] = {}
        self._blockers = Blockers(session)
        self._output_at = session.clock.monotonic()
        self._patience_seconds = SILENCE_SECONDS
        self._awaited: set[str] = set()
        self.entries: list[Record] = []

    def observe(self, job: FoundJob, detail: str = "") -> None:
        """Note a job's present state.

        :param detail: why it changed, if that is known (`played`).
        """
        self._show(self._note(job, detail))

    def update(self, jobs: t.Sequence[FoundJob], waiting: t.Sequence[FoundJob]) -> bool:
        """Note all jobs of one poll; return whether anything has changed since the last one.

        :param waiting: those of the jobs that have not reached their target.
        """
        # jobs that had failed before the first poll show no change of status
        failed = [job for job in jobs if job.key not in self._seen and job.status == "failed"]
        changes = [change for job in jobs for change in self._note(job, "")]
        self._show_once(((job, f"failed{failure_reason(job.record)}") for job in failed), status="failed")
        self._show(sorted(changes, key=lambda change: change[0]))
        # several jobs have changed, each at its own times
        self.entries.sort(key=lambda entry: float(entry["seconds"]))
        if self._session.progress.is_shown:
            self._show_blockers(jobs, waiting)
            self.heartbeat(len(waiting), [job.status for job in waiting])
        return bool(changes)

    def log_line(self, name: str, line: str) -> None:
        self._session.progress.log_line(name=name, line=line)
        self._note_output()

    def show_awaited(self, what: str) -> None:
        """Show once what the wait waits for if it does not exist yet."""
        if self._session.progress.is_shown and what not in self._awaited:
            self._awaited.add(what)
            self._session.progress.still_waiting(text=f"waiting for {what}")
            self._note_output()

    def show_blocker(self, job: FoundJob, what: str) -> None:
        """Show once what blocks a job if its status does not show it."""
        self._show_once([(job, what)])

    def heartbeat(self, left: int, statuses: t.Sequence[str] = ()) -> None:
        """Show a sign of life if there was no line for long.

        :param left: how many jobs are left.
        :param statuses: the statuses of these jobs, if known.
        """
        silence = self._session.clock.monotonic() - self._output_at
        if not left or silence < self._patience_seconds or not self._session.progress.is_shown:
            return
        while self._patience_seconds <= silence:
            self._patience_seconds *= 2
        details = ", ".join(f"{count} {status}" for status, count in collections.Counter(statuses).most_common())
        self._session.progress.still_waiting(
            text=f"still waiting for {left} job{'s' if left > 1 else ''}{f' ({details})' if details else ''}, "
            f"{self._session.elapsed() / 60:.0f} min so far"
        )

    def note_remaining(self, jobs: t.Sequence[FoundJob]) -> None:
        """Note what continues in GitLab, and where, if the task is interrupted now."""
        if self._session.progress.is_shown:
            self._session.progress.note_remaining(wait=self, what=_continuing(jobs))

    def queued_seconds(self, job: FoundJob) -> float:
        """Return how long a pending job has been in the queue, by GitLab's record or by our own polls."""
        seen_seconds = self._session.clock.monotonic() - self._seen[job.key].since
        return max(seen_seconds, seconds_of(job.record.get("queued_duration")) or 0.0)

    # ----- recording -----

    def _note(self, job: FoundJob, detail: str) -> list[_Change]:
        """Record a job's present state; return its changes since the last poll, in order."""
        status = job.status
        now = self._session.clock.monotonic()
        if phase_of(status) is None:
            self._session.warn(
                f"GitLab reports the job status {status!r}, which this collection does not know. It counts as "
                "not finished."
            )
        seen = self._seen.get(job.key)
        if seen is None:
            self._seen[job.key] = _Seen(status, job.id, now, now)
            self._enter(job, "", status, now)
            return []
        if seen.status == status and job.id <= seen.id:
            seen.polls += 1
            seen.polled_at = now
            return []
        changes = []
        before, since = seen.status, seen.since
        for after, at in self._steps(job, seen, now):
            self._enter(job, before, after, at)
            more = f"({detail})" if detail else _detail(job, before, after, at - since)
            changes.append((at, f"{job.path.strip()}: {before} -> {after} {more}".rstrip(), after))
            before, since, detail = after, at, ""
        self._seen[job.key] = _Seen(status, job.id, since, now)
        return changes

    def _steps(self, job: FoundJob, seen: _Seen, now: float) -> list[tuple[str, float]]:
        """Return the statuses that a job has had since the last poll, with their times, the present one last.

        These are only statuses that GitLab's times prove; the queue comes before the run.
        """
        record, status = job.record, job.status
        is_over = is_finished(status) or status == "canceling"
        if job.is_bridge or not (is_over or status == "running"):
            return [(status, now)]
        earliest = seen.polled_at
        at = self._moment(record.get("finished_at" if is_over else "started_at"), earliest, now)
        steps = [(status, now if at is None else at)]
        is_new = job.id != seen.id
        if not is_new and phase_of(seen.status) not in _BEFORE_RUNNING:
            return steps
        started = self._moment(record.get("started_at"), earliest, steps[0][1])
        if started is None:
            # the clocks may differ too much; but a job that has run was in the queue before
            return [("pending", steps[0][1]), *steps] if is_new and record.get("started_at") else steps
        if is_over:
            steps.insert(0, ("running", started))
        queued = seconds_of(record.get("queued_duration"))
        if queued is not None and (is_new or not is_queued(seen.status)):
            steps.insert(0, ("pending", max(earliest, started - queued)))
        return steps

    def _moment(self, text: t.Any, earliest: float, latest: float) -> float | None:
        """Return a time of GitLab on the monotonic clock; None if it is not between these two."""
        clock = self._session.clock
        moment = unix_time_of(text)
        if moment is None:
            return None
        at = moment - clock.time() + clock.monotonic()
        if not earliest - _CLOCK_TOLERANCE_SECONDS <= at <= latest + _CLOCK_TOLERANCE_SECONDS:
            return None
        return min(max(at, earliest), latest)

    def _enter(self, job: FoundJob, before: str, after: str, at: float) -> None:
        clock = self._session.clock
        self.entries.append(
            {
                "at": iso_time(clock.time() - clock.monotonic() + at),
                "seconds": round(at - self._session.started, 3),
                "id": job.id,
                "name": job.path,
                "from": before or None,
                "to": after,
            }
        )

    # ----- showing -----

    def _show(self, changes: t.Sequence[_Change]) -> None:
        for _at, line, status in changes:
            self._session.progress.show(line, status=status)
            self._note_output()

    def _show_blockers(self, jobs: t.Sequence[FoundJob], waiting: t.Sequence[FoundJob]) -> None:
        """Show what blocks the jobs that have not changed since the last poll."""
        blockers = []
        for job in waiting:
            seen = self._seen[job.key]
            # another blocker says more than that the job must be played
            if seen.polls < 2 or (seen.shown and is_playable(seen.status)):
                continue
            if is_queued(seen.status) and self.queued_seconds(job) < QUEUE_SECONDS:
                continue
            blockers.append((job, self._blockers.of(job, jobs)))
        self._show_once(blockers)

    def _show_once(self, notices: t.Iterable[tuple[FoundJob, str]], *, status: str = "") -> None:
        """Show what was not shown yet about jobs in their present state; many jobs with the same text share a line.

        :param status: the status of all of them, if the text is about it.
        """
        names: dict[str, list[str]] = {}
        for job, what in notices:
            known = self._seen[job.key].shown
            if what and what not in known:
                known.add(what)
                names.setdefault(what, []).append(job.path.strip())
        for what, listed in names.items():
            more = len(listed) - MAX_SINGLE_LINES
            if more > 0:
                shown = ", ".join(listed[:MAX_SINGLE_LINES])
                listed, what = [f"{shown} and {more} more job{'s' if more > 1 else ''}"], f"each {what}"
            for name in listed:
                self._session.progress.show(f"{name}: {what}", status=status)
                self._note_output()

    def _note_output(self) -> None:
        self._output_at = self._session.clock.monotonic()
        self._patience_seconds = SILENCE_SECONDS


def _continuing(jobs: t.Sequence[FoundJob]) -> list[str]:
    """Return which jobs continue without the task, with their URLs."""
    texts = []
    for job in jobs[:MAX_SINGLE_LINES]:
        status = job.status
        continuing = "" if is_playable(status) else " and continues"
        texts.append(f"{job.path} is {status}{continuing}: {job.record.get('web_url')}")
    more = jobs[MAX_SINGLE_LINES:]
    if more:
        url = record_in(more[0].record, "pipeline").get("web_url")
        where = f": {url}" if url else ""
        texts.append(f"has {len(more)} more job{'s' if len(more) > 1 else ''} that the task waited for{where}")
    return texts


def _detail(job: FoundJob, before: str, after: str, seen_seconds: float) -> str:
    """Return details of a change of state: how long the old state lasted, the runner, why the job failed.

    The time in the queue and the time of the run are separate, as measured by GitLab if it did.
    """
    record = job.record
    has_run = before == "running" and is_finished(after)
    queued = seconds_of(record.get("queued_duration")) if not job.is_bridge else None
    measured = seconds_of(record.get("duration")) if has_run else None
    if before == "pending" and after == "running":
        measured = queued
    seconds = seen_seconds if measured is None else measured
    details = [f"after {seconds:.0f} s"] if seconds >= 1 else []
    notes = [str(record["failure_reason"])] if after == "failed" and record.get("failure_reason") else []
    if has_run and queued is not None and queued >= 1:
        notes.append(f"queued {queued:.0f} s")
    if notes:
        details.append(f"({', '.join(notes)})")
    runner = record_in(record, "runner").get("description")
    if after == "running" and runner:
        details.append(f"on runner {runner}")
    return " ".join(details)
