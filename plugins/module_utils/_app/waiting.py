# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Waiting until jobs are where they should be: one look after the other, on a monotonic clock, within one deadline."""

from __future__ import annotations

import dataclasses
import datetime
import math
import random
import typing as t

from .._api.errors import UsageError
from .naming import FoundJob
from .session import Session
from .statuses import (
    STATUSES,
    WAIT_TARGETS,
    Record,
    has_reached,
    is_finished,
    is_known,
    is_queued,
    runner_wish,
    status_of,
)

FIRST_PAUSE_SECONDS = 1.0
PAUSE_GROWTH = 1.5
# Of a pause, so much is left to chance: many playbooks started together must not ask together for ever.
PAUSE_JITTER = 0.2
_LONGEST_QUEUE_SECONDS = 1e9


@dataclasses.dataclass(frozen=True)
class WaitOptions:
    """How to wait.

    :param interval_seconds: the longest pause between two looks.
    :param pending_seconds: how long a job may sit in the queue, None for any time.
    :param targets: what to wait for; see `statuses.has_reached`.
    :param fail_on: end statuses that fail the task.
    """

    wait: bool = False
    targets: tuple[str, ...] = ("finished",)
    interval_seconds: float = 10.0
    pending_seconds: float | None = None
    on_timeout: str = "fail"
    fail_on: tuple[str, ...] = ()
    ignore_allowed_failures: bool = False
    log_lines: int = 0

    @classmethod
    def of(cls, options: t.Mapping[str, t.Any]) -> WaitOptions:
        """Return the waiting options of a task.

        :raises UsageError: for values that cannot be used.
        """
        targets = tuple(options.get("wait_for") or ("finished",))
        for name, values, known in (
            ("wait_for", targets, (*WAIT_TARGETS, *STATUSES)),
            ("fail_on", tuple(options.get("fail_on") or ()), tuple(STATUSES)),
        ):
            unknown = [value for value in values if value not in known]
            if unknown:
                raise UsageError(f"{name} holds {unknown[0]!r}, which is none of {', '.join(dict.fromkeys(known))}")
        interval = options.get("wait_interval")
        interval = 10.0 if interval is None else float(interval)
        if not interval > 0:
            raise UsageError(f"wait_interval is {interval:g}; give more than 0 seconds")
        pending = options.get("pending_timeout")
        log_lines = int(options.get("log_lines") or 0)
        for name, value in (("pending_timeout", pending), ("log_lines", log_lines)):
            if value is not None and (value < 0 or math.isnan(value)):
                raise UsageError(f"{name} is {value:g}; give 0 or more")
        return cls(
            wait=bool(options.get("wait")),
            targets=targets,
            interval_seconds=interval,
            pending_seconds=None if pending is None else float(pending),
            on_timeout=str(options.get("on_timeout") or "fail"),
            fail_on=tuple(options.get("fail_on") or ()),
            ignore_allowed_failures=bool(options.get("ignore_allowed_failures")),
            log_lines=log_lines,
        )


class Pauses:
    """The pauses between two looks: 1 s at first, growing by half, with jitter, never past the deadline."""

    def __init__(
        self, session: Session, interval_seconds: float, jitter: t.Callable[[], float] = random.random
    ) -> None:
        self._session = session
        self._longest = interval_seconds
        self._next = min(FIRST_PAUSE_SECONDS, interval_seconds)
        self._jitter = jitter

    def pause(self) -> bool:
        """Sleep until the next look; return whether there is time for another one."""
        remaining = self._session.deadline.remaining()
        if remaining <= 0:
            return False
        seconds = self._next * (1.0 - PAUSE_JITTER * self._jitter())
        self._session.clock.sleep(min(seconds, remaining))
        self._next = min(self._next * PAUSE_GROWTH, self._longest)
        return True

    def restart(self) -> None:
        """Look more often again: something has just changed."""
        self._next = min(FIRST_PAUSE_SECONDS, self._longest)


class Watch:
    """Notes every change of state of the jobs it is shown, for the timeline and for whoever is told meanwhile."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._last: dict[t.Any, tuple[str, float]] = {}
        self._queued_since: dict[int, float] = {}
        self.timeline: list[Record] = []

    def observe(self, job: FoundJob, detail: str = "") -> bool:
        """Take note of a job's present state; return whether it has changed since the last look.

        :param detail: why it changed, if that is known (`played`).
        """
        status = status_of(job.record)
        now = self._session.clock.monotonic()
        if not is_known(status):
            self._session.warn(
                f"GitLab reports the status {status!r} for job {job.path!r}, which this collection does not know; it "
                "counts as not finished."
            )
        if is_queued(status):
            self._queued_since.setdefault(job.id, now)
        before, since = self._last.get(job.key, ("", now))
        if before == status:
            return False
        self._last[job.key] = (status, now)
        self.timeline.append(
            {
                "at": _iso_time(self._session.clock.time()),
                "seconds": self._session.elapsed(),
                "id": job.id,
                "name": job.path,
                "from": before or None,
                "to": status,
            }
        )
        if before:
            details = [f"({detail})"] if detail else []
            if not detail and now - since >= 1:
                details.append(f"after {now - since:.0f} s")
            runner = job.record.get("runner")
            if status == "running" and isinstance(runner, dict) and runner.get("description"):
                details.append(f"on runner {runner['description']}")
            self._session.progress.state_changed(name=job.path, before=before, after=status, detail=" ".join(details))
        return bool(before)

    def queued_seconds(self, job: FoundJob) -> float:
        """Return how long a pending job has been in the queue: as GitLab says, or as long as we have seen it there."""
        seen = self._session.clock.monotonic() - self._queued_since.get(job.id, self._session.clock.monotonic())
        told = job.record.get("queued_duration")
        # what is no time, or longer than one may last, was not measured
        return max(seen, told if isinstance(told, (int, float)) and 0 <= told < _LONGEST_QUEUE_SECONDS else 0.0)


def queue_problem(watch: Watch, job: FoundJob, options: WaitOptions) -> str:
    """Return that a job has been in the queue for longer than allowed, naming its runner tags; else nothing."""
    if options.pending_seconds is None or not is_queued(status_of(job.record)):
        return ""
    seconds = watch.queued_seconds(job)
    if seconds < options.pending_seconds:
        return ""
    return (
        f"has been pending for {seconds:.0f} s, longer than pending_timeout allows; {runner_wish(job.record)}. Check "
        "the runners of the project"
    )


def is_there(record: Record, options: WaitOptions) -> bool:
    """Return whether a job, bridge or pipeline needs no more waiting: it has reached a target, or it has ended."""
    status = status_of(record)
    return has_reached(status, options.targets) or is_finished(status)


def end_problem(record: Record, options: WaitOptions, *, check_targets: bool = True) -> str:
    """Return why the state of a job fails the task, empty when it does not.

    :param check_targets: whether having ended elsewhere than at a target is a failure.
    """
    status = status_of(record)
    if not is_finished(status):
        return ""
    reason = record.get("failure_reason")
    ended = f"ended as {status}" + (f" ({reason})" if reason and status == "failed" else "")
    if status in options.fail_on:
        if record.get("allow_failure") and options.ignore_allowed_failures:
            return ""
        return ended
    if check_targets and options.wait and not has_reached(status, options.targets):
        return f"{ended} and can no longer become {' or '.join(options.targets)}"
    return ""


def _iso_time(unix_time: float) -> str:
    moment = datetime.datetime.fromtimestamp(unix_time, tz=datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
