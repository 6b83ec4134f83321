# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""When everything that is waited for goes on: what is due, what cannot wait first, as fast as the server allows.

A wait is a generator: it works, and yields a pause whenever there is nothing to do for a while. One thread decides
whose turn it is; the steps between two pauses run on a few others.
"""

from __future__ import annotations

import dataclasses
import queue
import threading
import typing as t

from ..._api.errors import GitLabError, RequestError
from ..._api.pace.clock import AsideClock, Clock, Deadline
from ..._api.pace.looks import SHARED_SECONDS
from ..._api.pace.traffic import Traffic, Within
from ..outcome import Progress
from ..session import Session
from .options import WaitOptions, is_end_of_time, timed_out

if t.TYPE_CHECKING:
    from ..nudges import Nudges, Watch

T = t.TypeVar("T")

# So many waits look as each would alone. With more, looks are so far apart: 200 in a minute, however many there are.
MOST_UNPACED = 30
LOOK_SECONDS = 0.3
# Python answers signals, such as that of Ctrl-C, in the first thread only, and when one reaches another thread the
# first has to be awake for it.
AWAKE_SECONDS = 0.5
# What delays looks for less is no news.
_NEWS_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class Pause:
    """What a wait yields when there is nothing to do for a while.

    :param seconds: until it goes on.
    :param deadline: when it goes on at the latest, however many others there are.
    :param is_urgent: whether it goes on then without having to wait its turn, as after a job was played.
    :param soonest: when it may go on if it is nudged.
    :param watch: tells whether it is; None when nothing nudges it.
    :param subject: what it looks at; all waits for the same look together, and share answers. None for nothing shared.
    """

    seconds: float
    deadline: Deadline
    is_urgent: bool = False
    soonest: float = 0.0
    watch: Watch | None = None
    subject: t.Hashable = None


Steps = t.Generator[Pause, None, T]


def finish(session: Session, steps: Steps[T], options: WaitOptions, what: str) -> T:
    """Return what the only wait of a task returns.

    :param what: what is waited for.
    :raises TimedOutError: when GitLab could not be asked until the time was up, and there is nothing to return.
    :raises GitLabError: what the wait raises.
    """
    ended: list[T] = []
    scheduler = Scheduler(session.clock, session.client.traffic, session.progress, most_at_once=1)
    scheduler.add(_in_time(session, steps, options, what), ended.append)
    scheduler.run()
    return ended[0]


def _in_time(session: Session, steps: Steps[T], options: WaitOptions, what: str) -> Steps[T]:
    try:
        return (yield from steps)
    except RequestError as exc:
        if not (yield from sits_out(session, exc)):
            raise
        error = timed_out(options, f", waiting for {what}: {exc}")
        if not error.is_failure:
            session.warn(str(error))  # no value of the result tells it
        raise error from exc


def sits_out(session: Session, exc: GitLabError) -> Steps[bool]:
    """Wait for the end of the time if an error only says that a server was away until then; return whether it does."""
    if not is_end_of_time(session, exc):
        return False
    yield Pause(session.deadline.remaining(), session.deadline)
    return True


@dataclasses.dataclass(eq=False)
class _Entry:
    """A wait, and when it goes on.

    :param latest: when it goes on, whatever is to be done before.
    :param looked_at: when its last step was over.
    :param follows: whether it goes on because another has looked at the same.
    """

    steps: Steps[t.Any]
    on_end: t.Callable[[t.Any], None]
    due: float
    latest: float = float("inf")
    is_urgent: bool = False
    looked_at: float = float("-inf")
    follows: bool = False
    # what the last step has come to
    pause: Pause | None = None
    value: t.Any = None
    error: BaseException | None = None

    def heed(self) -> None:
        """Go on sooner if there was a nudge."""
        if self.pause and self.pause.watch and self.pause.watch.is_nudged:
            # long ago, perhaps: what was nudged has its turn before what is only due
            self.due = min(self.due, self.looked_at + self.pause.soonest)


class Scheduler:
    """Runs waits side by side, which may begin others.

    What is urgent goes on when it is due, and so does what has come to its deadline. All else takes its turn, the one
    that is due for longest first, at the pace that the server and the user allow.

    :param progress: who is told, once, that looks are held back.
    :param most_at_once: how many steps run at a time; those that sleep are not counted.
    :param nudges: bring looks forward, which take their turn all the same.
    """

    def __init__(
        self, clock: Clock, traffic: Traffic, progress: Progress, *, most_at_once: int, nudges: Nudges | None = None
    ) -> None:
        self._clock = clock
        # for the sessions of the waits, and how many of their steps sleep
        self._asleep = Within()
        self.clock: Clock = AsideClock(clock, self._asleep)
        self._traffic = traffic
        self._progress = progress
        self._has_told = False
        self._most_at_once = most_at_once
        self._nudges = nudges
        self._waiting: list[_Entry] = []
        # steps under way, those that sleep among them
        self._at_work = 0
        self._next_look_at = float("-inf")
        self._tasks: queue.Queue[_Entry | None] = queue.Queue()
        self._done: queue.Queue[_Entry] = queue.Queue()
        self._threads = 0

    def add(self, steps: Steps[T], on_end: t.Callable[[T], None]) -> None:
        """Have a wait begin.

        :param on_end: called with what it returns, in the thread of `run`.
        """
        self._waiting.append(_Entry(steps, on_end, due=self._clock.monotonic()))

    def wake(self) -> None:
        """Have everything go on now: there is news for all."""
        for entry in self._waiting:
            entry.due, entry.is_urgent = self._clock.monotonic(), True

    def run(self) -> None:
        """Run everything to its end.

        :raises BaseException: what a wait raises; the others are left as they are.
        """
        try:
            while self._waiting or self._at_work:
                if self._nudges is not None and self._nudges.heed():
                    for entry in self._waiting:
                        entry.heed()
                while following := self._next():
                    self._begin(following)
                self._await()
        finally:
            for _number in range(self._threads):
                self._tasks.put(None)

    # ----- whose turn it is -----

    def _turns(self, now: float) -> t.Iterator[tuple[float, _Entry, bool]]:
        """Yield when what goes on, and whether it takes its turn: what cannot wait first; nothing while all work."""
        if self._at_work - self._asleep.count >= self._most_at_once:
            return
        if self._waiting:
            last = min(self._waiting, key=lambda entry: entry.latest)
            yield last.latest, last, False
        if self._traffic.awaiting.count >= self._most_at_once:
            return  # the limit is used up: whoever began now would await it as well, and keep a thread
        urgent = self._first(is_urgent=True)
        if urgent:
            yield urgent.due, urgent, False
        look = self._first(is_urgent=False)
        if look:
            # the first step of a wait is what the wait is begun for
            apart = self._next_look_at if look.pause is not None else look.due
            yield max(look.due, now + self._traffic.look_seconds(), apart), look, True

    def _first(self, *, is_urgent: bool) -> _Entry | None:
        entries = (entry for entry in self._waiting if entry.is_urgent is is_urgent)
        return min(entries, key=lambda entry: entry.due, default=None)

    def _next(self) -> _Entry | None:
        now = self._clock.monotonic()
        for at, entry, takes_turn in self._turns(now):
            if at > now:
                continue
            if takes_turn and entry.pause is not None and len(self._waiting) + self._at_work > MOST_UNPACED:
                self._next_look_at = max(self._next_look_at, now) + LOOK_SECONDS
            self._waiting.remove(entry)
            return entry
        return None

    # ----- steps -----

    def _begin(self, entry: _Entry) -> None:
        self._at_work += 1
        # alone it needs no thread of its own; beside others it must not keep them from their time limits
        if not self._waiting and self._at_work == 1:
            self._done.put(_stepped(entry))
            return
        if self._threads < self._at_work:
            self._threads += 1
            # A daemon, for a worker of Ansible waits at its end for any other kind of thread.
            threading.Thread(target=self._work, daemon=True).start()
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
                self._take(done)
        elif seconds > 0:
            asleep = seconds if self._threads == 0 and self._nudges is None else min(seconds, AWAKE_SECONDS)
            self._note_pacing(asleep)
            self._clock.sleep(asleep)

    def _note_pacing(self, asleep: float) -> None:
        """Count for how long of a sleep a look that is due is held back, and tell of it once."""
        look = self._first(is_urgent=False)
        if look is None:
            return
        allowed, due = self._traffic.look_seconds(), max(0.0, look.due - self._clock.monotonic())
        self._traffic.paced_seconds += max(0.0, min(asleep, allowed) - due)
        if asleep > due and allowed - due >= _NEWS_SECONDS and not self._has_told and self._progress.is_shown:
            self._has_told = True
            self._progress.still_waiting(text=f"paced: {self._traffic.describe()}")

    def _take(self, entry: _Entry) -> None:
        self._at_work -= 1
        if entry.error is not None:
            raise entry.error
        pause = entry.pause
        if pause is None:
            entry.on_end(entry.value)
            return
        now = self._clock.monotonic()
        entry.due, entry.latest, entry.looked_at = now + pause.seconds, now + pause.deadline.remaining(), now
        entry.is_urgent = pause.is_urgent
        # it may have been nudged while it looked
        entry.heed()
        self._waiting.append(entry)
        leads, entry.follows = not entry.follows, False
        if pause.subject is not None and leads:
            self._look_together(pause.subject, now)

    def _look_together(self, subject: t.Hashable, now: float) -> None:
        """Have the others that wait for the same look now, since they find answers of this moment.

        Not all that they read is shared, so for it nobody looks more than twice as often as alone and without nudges.
        """
        for entry in self._waiting:
            pause = entry.pause
            if pause is None or pause.subject != subject or entry.is_urgent:
                continue
            if now - entry.looked_at > max(SHARED_SECONDS, pause.soonest / 2):
                entry.due, entry.is_urgent, entry.follows = now, True, True


def _stepped(entry: _Entry) -> _Entry:
    try:
        entry.pause = next(entry.steps)
    except StopIteration as end:
        entry.pause, entry.value = None, end.value
    except BaseException as exc:  # raised again in the thread of `run`
        entry.error = exc
    return entry
