# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Schedules waits: runs those that are due, urgent ones first, as fast as the server allows.

A wait is a generator that yields a pause whenever it has nothing to do for a while. One thread decides which wait
continues; the steps between two pauses run in a few other threads.
"""

from __future__ import annotations

import dataclasses
import queue
import typing as t

from ..._api.errors import GitLabError, RequestError
from ..._api.pace.clock import Clock, Deadline, YieldingClock
from ..._api.pace.polls import SHARED_SECONDS
from ..._api.pace.threads import started
from ..._api.pace.traffic import ThreadCounter, Traffic
from ..outcome import Progress
from ..session import Session
from .options import WaitOptions, is_end_of_time, timed_out

if t.TYPE_CHECKING:
    from ..nudges import Nudges, Watch

T = t.TypeVar("T")

# Up to this many waits poll as if each were alone. With more, polls are this far apart: 200 in a minute in total.
MAX_UNPACED = 30
POLL_SECONDS = 0.3
# Python handles signals, such as Ctrl-C, only in the main thread. If another thread receives one, the main thread must
# be awake to handle it.
AWAKE_SECONDS = 0.5
# Shorter delays of polls are not reported.
_MIN_SHOWN_DELAY_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class Pause:
    """What a wait yields if it has nothing to do for a while.

    :param seconds: after how long it continues.
    :param deadline: when it continues at the latest, even if there are many other waits.
    :param is_urgent: whether it continues without taking turns, as after a job was played.
    :param soonest: after how long it may continue if it is nudged.
    :param watch: receives its nudges; None if nothing nudges it.
    :param subject: what it reads; waits with the same subject poll together and share answers. None to share nothing.
    """

    seconds: float
    deadline: Deadline
    is_urgent: bool = False
    soonest: float = 0.0
    watch: Watch | None = None
    subject: t.Hashable = None


Steps = t.Generator[Pause, None, T]


def finish(session: Session, steps: Steps[T], options: WaitOptions, what: str) -> T:
    """Run the only wait of a task and return its value.

    :param what: what the task waits for.
    :raises TimedOutError: if GitLab was unreachable until the timeout and there is nothing to return.
    :raises GitLabError: if the wait raises it.
    """
    ended: list[T] = []
    scheduler = Scheduler(session.clock, session.client.traffic, session.progress, max_at_once=1)
    scheduler.add(_in_time(session, steps, options, what), ended.append)
    scheduler.run()
    return ended[0]


def _in_time(session: Session, steps: Steps[T], options: WaitOptions, what: str) -> Steps[T]:
    try:
        return (yield from steps)
    except RequestError as exc:
        if not (yield from wait_out(session, exc)):
            raise
        error = timed_out(options, f", waiting for {what}: {exc}")
        if not error.is_failure:
            session.warn(str(error))  # the result does not contain it
        raise error from exc


def wait_out(session: Session, exc: GitLabError) -> Steps[bool]:
    """Wait until the timeout if an error only means that a server was unreachable until then; return whether it did."""
    if not is_end_of_time(session, exc):
        return False
    yield Pause(session.deadline.remaining(), session.deadline)
    return True


@dataclasses.dataclass(eq=False)
class _Entry:
    """A wait, and when it continues.

    :param latest: when it continues at the latest.
    :param polled_at: when its last step ended.
    :param follows: whether it continues because another wait has polled the same subject.
    """

    steps: Steps[t.Any]
    on_end: t.Callable[[t.Any], None]
    due: float
    latest: float = float("inf")
    is_urgent: bool = False
    polled_at: float = float("-inf")
    follows: bool = False
    # the result of the last step
    pause: Pause | None = None
    value: t.Any = None
    error: BaseException | None = None

    def apply_nudge(self) -> None:
        """Continue sooner if there was a nudge."""
        if self.pause and self.pause.watch and self.pause.watch.is_nudged:
            # this may be in the past, so nudged waits continue before those that are only due
            self.due = min(self.due, self.polled_at + self.pause.soonest)


class Scheduler:
    """Runs waits in parallel; waits may add other waits.

    Urgent waits, and those at their deadline, continue when they are due. All others take turns, the longest due first,
    at the pace that the server and the user allow.

    :param progress: reports once that polls are delayed.
    :param max_at_once: how many steps run at once; sleeping steps do not count.
    :param nudges: bring polls forward; these still take turns.
    """

    def __init__(
        self, clock: Clock, traffic: Traffic, progress: Progress, *, max_at_once: int, nudges: Nudges | None = None
    ) -> None:
        self._clock = clock
        # counts the sleeping steps; the sessions of the waits use this clock
        self._asleep = ThreadCounter()
        self.clock: Clock = YieldingClock(clock, self._asleep)
        self._traffic = traffic
        self._progress = progress
        self._max_at_once = max_at_once
        self._nudges = nudges
        self._waiting: list[_Entry] = []
        # active steps, including sleeping ones
        self._at_work = 0
        self._next_poll_at = float("-inf")
        self._tasks: queue.Queue[_Entry | None] = queue.Queue()
        self._done: queue.Queue[_Entry] = queue.Queue()
        self._threads = 0

    def add(self, steps: Steps[T], on_end: t.Callable[[T], None]) -> None:
        """Add a wait, which starts at once.

        :param on_end: called with its value, in the thread of `run`.
        """
        self._waiting.append(_Entry(steps, on_end, due=self._clock.monotonic()))

    def wake(self) -> None:
        """Let all waits continue now, because there is news for all."""
        for entry in self._waiting:
            entry.due, entry.is_urgent = self._clock.monotonic(), True

    def run(self) -> None:
        """Run all waits to their end.

        :raises BaseException: if a wait raises it; the other waits are abandoned.
        """
        try:
            while self._waiting or self._at_work:
                if self._nudges is not None and self._nudges.update():
                    for entry in self._waiting:
                        entry.apply_nudge()
                while following := self._next():
                    self._begin(following)
                self._await()
        finally:
            for _number in range(self._threads):
                self._tasks.put(None)

    # ----- taking turns -----

    def _turns(self, now: float) -> t.Iterator[tuple[float, _Entry, bool]]:
        """Yield when each wait continues, and whether it takes turns, most urgent first; nothing while all are busy."""
        if self._at_work - self._asleep.count >= self._max_at_once:
            return
        if self._waiting:
            last = min(self._waiting, key=lambda entry: entry.latest)
            yield last.latest, last, False
        if self._traffic.awaiting.count >= self._max_at_once:
            return  # the rate limit is used up: one more step would only wait for it and occupy a thread
        urgent = self._first(is_urgent=True)
        if urgent:
            yield urgent.due, urgent, False
        poll = self._first(is_urgent=False)
        if poll:
            # the first step of a wait is not spaced, because the wait was added to run now
            spaced_at = self._next_poll_at if poll.pause is not None else poll.due
            yield max(poll.due, now + self._traffic.seconds_until_poll(), spaced_at), poll, True

    def _first(self, *, is_urgent: bool) -> _Entry | None:
        entries = (entry for entry in self._waiting if entry.is_urgent is is_urgent)
        return min(entries, key=lambda entry: entry.due, default=None)

    def _next(self) -> _Entry | None:
        now = self._clock.monotonic()
        for at, entry, takes_turn in self._turns(now):
            if at > now:
                continue
            if takes_turn and entry.pause is not None and len(self._waiting) + self._at_work > MAX_UNPACED:
                self._next_poll_at = max(self._next_poll_at, now) + POLL_SECONDS
            self._waiting.remove(entry)
            return entry
        return None

    # ----- steps -----

    def _begin(self, entry: _Entry) -> None:
        self._at_work += 1
        # a single step needs no other thread; with several, it must not delay the deadlines of the others
        is_single = not self._waiting and self._at_work == 1
        if not is_single and self._threads < self._at_work and started(self._work):
            self._threads += 1
        if is_single or not self._threads:
            self._done.put(_stepped(entry))
        else:
            self._tasks.put(entry)

    def _work(self) -> None:
        for entry in iter(self._tasks.get, None):
            self._done.put(_stepped(entry))

    def _await(self) -> None:
        now = self._clock.monotonic()
        following = min((at for at, _entry, _takes_turn in self._turns(now)), default=float("inf"))
        seconds = max(0.0, following - now)
        if self._at_work:
            done = self._clock.next_of(self._done, min(seconds, AWAKE_SECONDS))
            if done is not None:
                self._handle_step(done)
        elif seconds > 0:
            asleep = seconds if self._threads == 0 and self._nudges is None else min(seconds, AWAKE_SECONDS)
            self._note_pacing(asleep)
            self._clock.sleep(asleep)

    def _note_pacing(self, asleep: float) -> None:
        """Add up the time by which sleeping delays a due poll, and report the first delay."""
        poll = self._first(is_urgent=False)
        if poll is None:
            return
        allowed, due = self._traffic.seconds_until_poll(), max(0.0, poll.due - self._clock.monotonic())
        self._traffic.paced_seconds += max(0.0, min(asleep, allowed) - due)
        is_noticeable = asleep > due and allowed - due >= _MIN_SHOWN_DELAY_SECONDS and self._progress.is_shown
        if is_noticeable and self._traffic.is_first_pacing():
            self._progress.still_waiting(text=f"paced: {self._traffic.describe()}")

    def _handle_step(self, entry: _Entry) -> None:
        self._at_work -= 1
        if entry.error is not None:
            raise entry.error
        pause = entry.pause
        if pause is None:
            entry.on_end(entry.value)
            return
        now = self._clock.monotonic()
        entry.due, entry.latest, entry.polled_at = now + pause.seconds, now + pause.deadline.remaining(), now
        entry.is_urgent = pause.is_urgent
        # a nudge may have come during its step
        entry.apply_nudge()
        self._waiting.append(entry)
        leads, entry.follows = not entry.follows, False
        if pause.subject is not None and leads:
            self._poll_together(pause.subject, now)

    def _poll_together(self, subject: t.Hashable, now: float) -> None:
        """Let the other waits with the same subject poll now, because they can share fresh answers.

        Not everything that they read is shared, so each polls at most twice as often as it would alone without nudges.
        """
        for entry in self._waiting:
            pause = entry.pause
            if pause is None or pause.subject != subject or entry.is_urgent:
                continue
            if now - entry.polled_at > max(SHARED_SECONDS, pause.soonest / 2):
                entry.due, entry.is_urgent, entry.follows = now, True, True


def _stepped(entry: _Entry) -> _Entry:
    try:
        entry.pause = next(entry.steps)
    except StopIteration as end:
        entry.pause, entry.value = None, end.value
    except BaseException as exc:  # raised again in the thread of `run`
        entry.error = exc
    return entry
