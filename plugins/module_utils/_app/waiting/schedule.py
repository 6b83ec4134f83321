# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""When everything that is waited for goes on: what is due, what cannot wait first, as fast as the server allows.

A wait is a generator: it works, and yields a pause whenever there is nothing to do for a while. One thread decides
whose turn it is; the steps between two pauses run on a few others.
"""

from __future__ import annotations

import dataclasses
import heapq
import queue
import threading
import typing as t

from ..._api.clock import Clock, Deadline
from ..._api.pace.looks import SHARED_SECONDS
from ..._api.pace.traffic import Traffic, Within
from ..nudges import Nudges, Watch
from ..outcome import Progress
from ..session import Session

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


class Pacing:
    """Tells, once, that looks are held back, and counts for how long.

    :param progress: who is told.
    """

    def __init__(self, traffic: Traffic, progress: Progress) -> None:
        self.traffic = traffic
        self._progress = progress
        self._has_told = False

    def holds(self, seconds: float, in_all: float | None = None) -> None:
        """Take note that a look which is due is held back for so long.

        :param in_all: for how long it will be held back, if this is only a part of it.
        """
        self.traffic.paced_seconds += seconds
        if (seconds if in_all is None else in_all) >= _NEWS_SECONDS and not self._has_told and self._progress.is_shown:
            self._has_told = True
            self._progress.still_waiting(text=f"paced: {self.traffic.describe()}")


def finish(session: Session, steps: Steps[T]) -> T:
    """Return what the only wait of a task returns.

    :raises GitLabError: what the wait raises.
    """
    clock, pacing = session.clock, Pacing(session.client.traffic, session.progress)
    while True:
        try:
            pause = next(steps)
        except StopIteration as end:
            return t.cast(T, end.value)
        if pause.seconds > 0:
            clock.sleep(pause.seconds)
        held = 0.0 if pause.is_urgent else min(pacing.traffic.look_seconds(), pause.deadline.remaining())
        if held > 0:
            pacing.holds(held)
            clock.sleep(held)


@dataclasses.dataclass
class _Entry:
    """A wait, and when it goes on.

    :param latest: when it goes on, whatever is to be done before.
    :param soonest: when it may go on if it is nudged.
    :param number: of the pause, so that an older one of the same wait is passed over.
    :param looked_at: when its last step was over.
    """

    steps: Steps[t.Any]
    on_end: t.Callable[[t.Any], None]
    due: float
    latest: float = float("inf")
    soonest: float = 0.0
    is_urgent: bool = False
    number: int = 0
    looked_at: float = float("-inf")
    # what the last step has come to
    pause: Pause | None = None
    value: t.Any = None
    error: BaseException | None = None


class _AsideClock(Clock):
    """The clock of what a scheduler runs: who sleeps in the middle of a step lets others work meanwhile.

    So a project that asks a broken server again and again does not keep others from their time limits.
    """

    def __init__(self, clock: Clock, asleep: Within) -> None:
        self._clock = clock
        self._asleep = asleep

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def time(self) -> float:
        return self._clock.time()

    def sleep(self, seconds: float) -> None:
        with self._asleep:
            self._clock.sleep(seconds)


class Scheduler:
    """Runs waits side by side, which may begin others.

    What is urgent goes on when it is due, and so does what has come to its deadline. All else takes its turn, the one
    that is due for longest first, at the pace that the server and the user allow.

    :param most_at_once: how many steps run at a time; those that sleep are not counted.
    :param nudges: bring looks forward, which take their turn all the same.
    """

    def __init__(self, clock: Clock, pacing: Pacing, *, most_at_once: int, nudges: Nudges | None = None) -> None:
        self._clock = clock
        # for the sessions of the waits, and how many of their steps sleep
        self._asleep = Within()
        self.clock: Clock = _AsideClock(clock, self._asleep)
        self._pacing = pacing
        self._most_at_once = most_at_once
        self._nudges = nudges
        self._number = 0
        # each entry stands in two of them; an entry that went on since has another number
        self._urgent: list[tuple[float, int, _Entry]] = []
        self._looks: list[tuple[float, int, _Entry]] = []
        self._ends: list[tuple[float, int, _Entry]] = []
        self._waiting: dict[int, _Entry] = {}
        # steps under way, those that sleep among them
        self._at_work = 0
        self._next_look_at = float("-inf")
        self._tasks: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[_Entry] = queue.SimpleQueue()
        self._threads = 0

    def add(self, steps: Steps[T], on_end: t.Callable[[T], None]) -> None:
        """Have a wait begin; it must not raise anything.

        :param on_end: called with what it returns, in the thread of `run`.
        """
        self._put(_Entry(steps, on_end, due=self._clock.monotonic()))

    def wake(self) -> None:
        """Have everything go on now: there is news for all."""
        for entry in list(self._waiting.values()):
            entry.due, entry.is_urgent = self._clock.monotonic(), True
            self._put(entry)

    def run(self) -> None:
        """Run everything to its end."""
        try:
            while self._waiting or self._at_work:
                self._heed_nudges()
                while self._at_work - self._asleep.count < self._most_at_once:
                    entry = self._next()
                    if entry is None:
                        break
                    self._begin(entry)
                self._await()
        finally:
            for _number in range(self._threads):
                self._tasks.put(None)

    # ----- whose turn it is -----

    def _heed_nudges(self) -> None:
        """Bring forward the looks of those that were nudged."""
        if self._nudges is None or not self._nudges.heed():
            return
        for entry in list(self._waiting.values()):
            due = self._due(entry)
            if due < entry.due:
                entry.due = due
                self._put(entry)

    def _due(self, entry: _Entry) -> float:
        """Return when a wait is to go on, as things stand now."""
        watch = entry.pause.watch if entry.pause else None
        # long ago, perhaps: what was nudged has its turn before what is only due
        return min(entry.due, entry.soonest) if watch and watch.is_nudged else entry.due

    def _put(self, entry: _Entry) -> None:
        self._waiting.pop(entry.number, None)
        self._number += 1
        entry.number = self._number
        self._waiting[entry.number] = entry
        heapq.heappush(self._urgent if entry.is_urgent else self._looks, (entry.due, entry.number, entry))
        if entry.latest != float("inf"):
            heapq.heappush(self._ends, (entry.latest, entry.number, entry))

    def _first(self, heap: list[tuple[float, int, _Entry]]) -> _Entry | None:
        """Return the first entry of a heap that still waits."""
        while heap and heap[0][1] not in self._waiting:
            heapq.heappop(heap)
        return heap[0][2] if heap else None

    def _turns(self, now: float) -> t.Iterator[tuple[float, _Entry, bool]]:
        """Yield when what goes on, and whether it takes its turn: what cannot wait first."""
        urgent, last, look = self._first(self._urgent), self._first(self._ends), self._first(self._looks)
        if last:
            yield last.latest, last, False
        if self._pacing.traffic.awaiting.count >= self._most_at_once:
            return  # the limit is used up: whoever began now would await it as well, and keep a thread
        if urgent:
            yield urgent.due, urgent, False
        if look:
            yield self._look_at(look, now), look, True

    def _next(self) -> _Entry | None:
        """Return what goes on now, taken out of what waits."""
        now = self._clock.monotonic()
        for at, entry, takes_turn in self._turns(now):
            if at > now:
                continue
            if takes_turn and entry.pause is not None and len(self._waiting) + self._at_work > MOST_UNPACED:
                self._next_look_at = max(self._next_look_at, now) + LOOK_SECONDS
            del self._waiting[entry.number]
            return entry
        return None

    def _look_at(self, entry: _Entry, now: float) -> float:
        """Return when a look may begin: by what is left of the limit, and apart from the looks before it."""
        allowed = now + self._pacing.traffic.look_seconds()
        # the first step of a wait is what the wait is begun for
        return max(entry.due, allowed, self._next_look_at if entry.pause is not None else entry.due)

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
        while True:
            entry = self._tasks.get()
            if entry is None:
                return
            self._done.put(_stepped(entry))

    def _await(self) -> None:
        """Wait for the end of a step, or until something is due."""
        if not self._waiting and not self._at_work:
            return
        seconds = self._seconds()
        if self._at_work:
            done = self._clock.next_of(self._done, min(seconds, AWAKE_SECONDS))
            if done is not None:
                self._take(done)
            return
        if seconds > 0:
            asleep = seconds if self._threads == 0 and self._nudges is None else min(seconds, AWAKE_SECONDS)
            look = self._first(self._looks)
            if look and look.due <= self._clock.monotonic() and self._pacing.traffic.look_seconds() > 0:
                self._pacing.holds(asleep, in_all=seconds)
            self._clock.sleep(asleep)

    def _seconds(self) -> float:
        """Return in how many seconds something is to go on."""
        now = self._clock.monotonic()
        if self._at_work - self._asleep.count >= self._most_at_once:
            return float("inf")
        return max(0.0, min((at for at, _entry, _takes_turn in self._turns(now)), default=float("inf")) - now)

    def _take(self, entry: _Entry) -> None:
        """Take what a step has come to."""
        self._at_work -= 1
        if entry.error is not None:
            raise entry.error
        pause = entry.pause
        if pause is None:
            entry.on_end(entry.value)
            return
        now = self._clock.monotonic()
        entry.due, entry.is_urgent = now + max(0.0, pause.seconds), pause.is_urgent
        entry.latest, entry.soonest = now + pause.deadline.remaining(), now + pause.soonest
        # it may have been nudged while it looked
        entry.due = self._due(entry)
        entry.looked_at = now
        self._put(entry)
        if pause.subject is not None:
            self._look_together(pause.subject, now)

    def _look_together(self, subject: t.Hashable, now: float) -> None:
        """Have the others that wait for the same look now, since they find answers of this moment."""
        for entry in list(self._waiting.values()):
            is_same = entry.pause is not None and entry.pause.subject == subject
            if is_same and not entry.is_urgent and now - entry.looked_at > SHARED_SECONDS:
                entry.due, entry.is_urgent = now, True
                self._put(entry)


def _stepped(entry: _Entry) -> _Entry:
    """Run a wait to its next pause, or to its end."""
    try:
        entry.pause = next(entry.steps)
    except StopIteration as end:
        entry.pause, entry.value = None, end.value
    except BaseException as exc:  # raised again in the thread of `run`
        entry.error = exc
    return entry
