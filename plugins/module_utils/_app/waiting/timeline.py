# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What happens to jobs while they are waited for: noted for the timeline, and told to whoever listens meanwhile."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ..._api.decoding import Record
from ..fields import iso_time, record_in, seconds_of, unix_time_of
from ..jobs.query import FoundJob
from ..jobs.statuses import is_finished, is_playable, is_queued, phase_of
from ..session import Session
from .blockers import MOST_SINGLE_LINES, Blockers
from .options import failure_reason

# After so long without a line, a sign of life; each further one after twice the time.
SILENCE_SECONDS = 300.0
# Nearly every job is in the queue for a moment; after so long its runner is worth a line.
QUEUE_SECONDS = 10.0
# Clocks of servers are set by the network, and may differ by so much.
_CLOCK_TOLERANCE_SECONDS = 5.0
_BEFORE_RUNNING = ("waiting", "blocked", "queued")


@dataclasses.dataclass
class _Seen:
    """What is known of a job from the last look.

    :param since: when it came to its status, on the monotonic clock, as far as that is known.
    :param looks: how often it was seen in this status.
    :param told: what was said to hold it up.
    """

    status: str
    id: int
    since: float
    looked_at: float
    looks: int = 1
    told: set[str] = dataclasses.field(default_factory=set)


# One change of state: when it was, the line that tells of it, and the status that it led to.
_Change = tuple[float, str, str]


class Timeline:
    """Notes every change of state of the jobs it is shown, for the timeline and for whoever is told meanwhile.

    What a job went through between two looks is made up for from the times that GitLab gives with it: when it started
    and finished, and how long it was in the queue before.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._seen: dict[t.Any, _Seen] = {}
        self._blockers = Blockers(session)
        self._spoken_at = session.clock.monotonic()
        self._patience_seconds = SILENCE_SECONDS
        self._awaited: set[str] = set()
        self.entries: list[Record] = []

    def observe(self, job: FoundJob, detail: str = "") -> None:
        """Take note of a job's present state.

        :param detail: why it changed, if that is known (`played`).
        """
        self._tell(self._note(job, detail))

    def looked(self, jobs: t.Sequence[FoundJob], waiting: t.Sequence[FoundJob]) -> bool:
        """Take note of everything that one look has shown; return whether anything has changed since the last one.

        :param waiting: the jobs among them that are not yet where they should be.
        """
        # found failed at the first look: their status does not change any more
        failed = [job for job in jobs if job.key not in self._seen and job.status == "failed"]
        changes = [change for job in jobs for change in self._note(job, "")]
        self._tell_once(((job, f"failed{failure_reason(job.record)}") for job in failed), status="failed")
        self._tell(sorted(changes, key=lambda change: change[0]))
        # of several jobs, each with its own times
        self.entries.sort(key=lambda entry: float(entry["seconds"]))
        if self._session.progress.is_shown:
            self._tell_blockers(jobs, waiting)
            self.beat(len(waiting), [job.status for job in waiting])
        return bool(changes)

    def log_line(self, name: str, line: str) -> None:
        self._session.progress.log_line(name=name, line=line)
        self._has_spoken()

    def awaits(self, what: str) -> None:
        """Say, once, what does not exist yet and is waited for."""
        if self._session.progress.is_shown and what not in self._awaited:
            self._awaited.add(what)
            self._session.progress.still_waiting(text=f"waiting for {what}")
            self._has_spoken()

    def held(self, job: FoundJob, what: str) -> None:
        """Say, once, what holds a job up where its status does not tell."""
        self._tell_once([(job, what)])

    def beat(self, left: int, statuses: t.Sequence[str] = ()) -> None:
        """Give a sign of life if nothing was said for long.

        :param left: how many are still waited for.
        :param statuses: of these, where they are known.
        """
        silence = self._session.clock.monotonic() - self._spoken_at
        if not left or silence < self._patience_seconds or not self._session.progress.is_shown:
            return
        while self._patience_seconds <= silence:
            self._patience_seconds *= 2
        details = ", ".join(f"{count} {status}" for status, count in collections.Counter(statuses).most_common())
        self._session.progress.still_waiting(
            text=f"still waiting for {left} job{'s' if left > 1 else ''}{f' ({details})' if details else ''}, "
            f"{self._session.elapsed() / 60:.0f} min so far"
        )

    def leaves(self, jobs: t.Sequence[FoundJob]) -> None:
        """Have it known what goes on in GitLab when the task is interrupted now, and where."""
        if self._session.progress.is_shown:
            self._session.progress.leaves(wait=self, what=_left_behind(jobs))

    def queued_seconds(self, job: FoundJob) -> float:
        """Return how long a pending job has been in the queue: as GitLab says, or as long as we have seen it there."""
        seen_seconds = self._session.clock.monotonic() - self._seen[job.key].since
        return max(seen_seconds, seconds_of(job.record.get("queued_duration")) or 0.0)

    # ----- noting -----

    def _note(self, job: FoundJob, detail: str) -> list[_Change]:
        """Write a job's present state down; return its changes since the last look, in order."""
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
            seen.looks += 1
            seen.looked_at = now
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
        """Return the statuses that a job has come through since the last look, with their times, the present one last.

        Only what GitLab's times show to have been between the two looks; the queue comes before the run.
        """
        record, status = job.record, job.status
        is_over = is_finished(status) or status == "canceling"
        if job.is_bridge or not (is_over or status == "running"):
            return [(status, now)]
        earliest = seen.looked_at
        at = self._moment(record.get("finished_at" if is_over else "started_at"), earliest, now)
        steps = [(status, now if at is None else at)]
        is_new = job.id != seen.id
        if not is_new and phase_of(seen.status) not in _BEFORE_RUNNING:
            return steps
        started = self._moment(record.get("started_at"), earliest, steps[0][1])
        if started is None:
            # clocks may differ by more; but what has run was in the queue before
            return [("pending", steps[0][1]), *steps] if is_new and record.get("started_at") else steps
        if is_over:
            steps.insert(0, ("running", started))
        queued = seconds_of(record.get("queued_duration"))
        if queued is not None and (is_new or not is_queued(seen.status)):
            steps.insert(0, ("pending", max(earliest, started - queued)))
        return steps

    def _moment(self, text: t.Any, earliest: float, latest: float) -> float | None:
        """Return a time of GitLab on the monotonic clock; None when it cannot have been between these."""
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

    # ----- telling -----

    def _tell(self, changes: t.Sequence[_Change]) -> None:
        for _at, line, status in changes:
            self._session.progress.tell(line, status=status)
            self._has_spoken()

    def _tell_blockers(self, jobs: t.Sequence[FoundJob], waiting: t.Sequence[FoundJob]) -> None:
        """Say what holds up the jobs that have not moved since the last look."""
        held = []
        for job in waiting:
            seen = self._seen[job.key]
            # what else holds it up says more than that it is to be played
            if seen.looks < 2 or (seen.told and is_playable(seen.status)):
                continue
            if is_queued(seen.status) and self.queued_seconds(job) < QUEUE_SECONDS:
                continue
            held.append((job, self._blockers.of(job, jobs)))
        self._tell_once(held)

    def _tell_once(self, told: t.Iterable[tuple[FoundJob, str]], *, status: str = "") -> None:
        """Say of jobs what was not said of them in their present state; many of which the same is said share a line.

        :param status: which all of them have, where that is what is said.
        """
        names: dict[str, list[str]] = {}
        for job, what in told:
            known = self._seen[job.key].told
            if what and what not in known:
                known.add(what)
                names.setdefault(what, []).append(job.path.strip())
        for what, listed in names.items():
            more = len(listed) - MOST_SINGLE_LINES
            if more > 0:
                shown = ", ".join(listed[:MOST_SINGLE_LINES])
                listed, what = [f"{shown} and {more} more job{'s' if more > 1 else ''}"], f"each {what}"
            for name in listed:
                self._session.progress.tell(f"{name}: {what}", status=status)
                self._has_spoken()

    def _has_spoken(self) -> None:
        self._spoken_at = self._session.clock.monotonic()
        self._patience_seconds = SILENCE_SECONDS


def _left_behind(jobs: t.Sequence[FoundJob]) -> list[str]:
    """Return what goes on without the task, with the address of its page."""
    texts = []
    for job in jobs[:MOST_SINGLE_LINES]:
        status = job.status
        goes_on = "" if is_playable(status) else " and goes on"
        texts.append(f"{job.path} is {status}{goes_on}: {job.record.get('web_url')}")
    more = jobs[MOST_SINGLE_LINES:]
    if more:
        url = record_in(more[0].record, "pipeline").get("web_url")
        where = f": {url}" if url else ""
        texts.append(f"has {len(more)} more job{'s' if len(more) > 1 else ''} that the task waited for{where}")
    return texts


def _detail(job: FoundJob, before: str, after: str, seen_seconds: float) -> str:
    """Return more about a change of state, for people: how long the former state lasted, the runner, why it failed.

    The time in the queue and the time of the run are told apart, as GitLab measured them where it has.
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
