# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many waits at a time on a clock that advances only by sleeping: their order, pace and deadlines."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import ServerError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.clock import Clock, Deadline
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.polls import polling
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.retry import MAX_PAUSING, Retrier
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.traffic import Traffic
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.nudges import Nudges, Watch
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.schedule import (
    MAX_UNPACED,
    POLL_SECONDS,
    Pause,
    Scheduler,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ....harness import FakeClock, Progress, SharedClock

WINDOW = 60.0


class Server:
    """A server with a rate limit per minute, which it reports in each answer as GitLab does."""

    def __init__(self, clock: FakeClock, traffic: Traffic, limit: int | None) -> None:
        self._clock, self._traffic, self._limit = clock, traffic, limit
        self.sent: list[float] = []
        self.refused: list[float] = []

    def ask(self, left: float = 1e9, *, others: int = 0) -> bool:
        """Make a request after `others` requests of other clients; return whether it was sent before the timeout."""
        seconds = self._traffic.turn(left)
        if seconds is None:
            return False
        self._clock.sleep(seconds)
        now = self._clock.now
        window = now // WINDOW
        self.sent += [now] * (1 + others)
        observed = sum(at // WINDOW == window for at in self.sent)
        if self._limit is None:
            return True
        is_refused = observed > self._limit
        if is_refused:
            self.refused.append(now)
        self._traffic.answered(
            429 if is_refused else 200,
            {
                "ratelimit-observed": str(observed),
                "ratelimit-remaining": str(max(0, self._limit - observed)),
                "ratelimit-reset": str(self._clock.time() + (window + 1) * WINDOW - now).partition(".")[0],
            },
        )
        return True


@dataclasses.dataclass
class Waiter:
    """A wait for something that ends at a given time."""

    world: World
    ends_at: float
    timeout: float
    interval: float = 10.0
    polls: list[float] = dataclasses.field(default_factory=list)
    left_at: float | None = None

    def steps(self) -> t.Generator[Pause, None, Waiter]:
        clock = self.world.clock
        deadline = Deadline.after(self.timeout, clock)
        while True:
            self.polls.append(clock.now)
            if not self.world.server.ask(deadline.remaining()):
                yield Pause(deadline.remaining(), deadline)
                return self
            if clock.now >= self.ends_at or deadline.has_passed():
                return self
            yield Pause(min(self.interval, deadline.remaining()), deadline)

    def end(self, _value: Waiter) -> None:
        self.left_at = self.world.clock.now


class World:
    """A scheduler with one thread in front of a server."""

    def __init__(self, limit: int | None = None, per_minute: int | None = None) -> None:
        self.clock = FakeClock()
        # at the beginning of a window
        self.clock.now = 1020.0
        self.traffic = Traffic(self.clock, per_minute)
        self.server = Server(self.clock, self.traffic, limit)
        self.progress = Progress(is_shown=True)
        self.scheduler = Scheduler(self.clock, self.traffic, self.progress, max_at_once=1)
        self.started_at = self.clock.now
        self.nudger = Nudger(self.clock, [])

    def wait(self, ends_after: float, *, timeout: float = 10_000.0, interval: float = 10.0) -> Waiter:
        waiter = Waiter(self, self.started_at + ends_after, timeout, interval)
        self.scheduler.add(waiter.steps(), waiter.end)
        return waiter


def test_few_waits_poll_as_if_alone() -> None:
    world = World()
    waiters = [world.wait(35.0) for _number in range(MAX_UNPACED)]
    world.scheduler.run()
    assert all([at - world.started_at for at in waiter.polls] == [0.0, 10.0, 20.0, 30.0, 40.0] for waiter in waiters)


def test_many_waits_share_two_hundred_polls_a_minute_in_turn() -> None:
    world = World()
    waiters = [world.wait(600.0) for _number in range(500)]
    world.scheduler.run()
    first = [at for waiter in waiters for at in waiter.polls if at - world.started_at < 60.0]
    assert len(first) <= 500 + 60.0 / POLL_SECONDS
    # in turn: no wait polls again before all others have
    turns = 500 * POLL_SECONDS + 10.0
    gaps = [later - at for waiter in waiters for at, later in zip(waiter.polls, waiter.polls[1:])]
    assert max(gaps) <= turns + 1.0
    assert all(waiter.left_at is not None and waiter.left_at - waiter.ends_at <= turns + 1.0 for waiter in waiters)


def test_urgent_step_does_not_wait_its_turn() -> None:
    world = World()
    for _number in range(200):
        world.wait(600.0)
    started_at: list[float] = []

    def urgent() -> t.Generator[Pause, None, None]:
        yield Pause(5.0, Deadline.after(1000.0, world.clock), is_urgent=True)
        started_at.append(world.clock.now - world.started_at)

    world.scheduler.add(urgent(), lambda _value: None)
    world.scheduler.run()
    assert started_at == [pytest.approx(5.0, abs=POLL_SECONDS)]


def test_deadline_is_kept_among_many_waits() -> None:
    world = World(limit=100)
    late = world.wait(5000.0, timeout=123.0)
    for _number in range(300):
        world.wait(2000.0)
    world.scheduler.run()
    assert late.left_at is not None
    assert late.left_at - world.started_at == pytest.approx(123.0, abs=1.0)


def test_requests_per_minute_of_the_user_are_kept() -> None:
    world = World(per_minute=30)
    waiters = [world.wait(300.0) for _number in range(50)]
    world.scheduler.run()
    sent = world.server.sent
    assert all(later - at >= WINDOW for at, later in zip(sent, sent[30:]))
    assert all(waiter.left_at is not None for waiter in waiters)
    assert world.progress.others == ["paced: api_requests_per_minute is 30"]
    assert world.traffic.paced_seconds > 0


def test_pacing_is_reported_once_with_numbers() -> None:
    world = World(limit=60)
    for _number in range(100):
        world.wait(300.0)
    world.scheduler.run()
    (line,) = world.progress.others
    assert line.startswith("paced: ") and "of 60 requests left for" in line


def test_pacing_of_a_single_wait_is_reported_and_measured() -> None:
    world = World(per_minute=3)
    waiter = world.wait(100.0)
    world.scheduler.run()
    gaps = [later - at for at, later in zip(waiter.polls, waiter.polls[1:])]
    assert min(gaps) > 20.0
    assert world.traffic.paced_seconds == pytest.approx(sum(gap - waiter.interval for gap in gaps))
    assert world.progress.others == ["paced: api_requests_per_minute is 3"]


@pytest.mark.parametrize(("count", "seconds"), [(2, 0.5), (2, 1.5), (3, 0.9), (10, 0.3), (40, 0.3)])
def test_waits_for_one_subject_do_not_poll_a_slow_server_more_often(count: int, seconds: float) -> None:
    world = World()
    polls: list[list[float]] = [[] for _number in range(count)]

    def slow(own: list[float]) -> t.Generator[Pause, None, None]:
        deadline = Deadline.after(100.0, world.clock)
        while not deadline.has_passed():
            own.append(world.clock.now)
            world.clock.sleep(seconds)
            pause = min(10.0, deadline.remaining())
            yield Pause(pause, deadline, soonest=pause, subject="pipeline 100")

    for own in polls:
        world.scheduler.add(slow(own), lambda _value: None)
    world.scheduler.run()
    assert all(2 <= len(own) <= 12 for own in polls)


def test_frequent_wait_at_most_doubles_polls_of_others_on_its_subject() -> None:
    world = World()
    polls: list[float] = []

    def wait(interval: float, own: list[float]) -> t.Generator[Pause, None, None]:
        deadline = Deadline.after(100.0, world.clock)
        while not deadline.has_passed():
            own.append(world.clock.now)
            pause = min(interval, deadline.remaining())
            yield Pause(pause, deadline, soonest=pause, subject="pipeline 100")

    world.scheduler.add(wait(1.0, []), lambda _value: None)
    world.scheduler.add(wait(10.0, polls), lambda _value: None)
    world.scheduler.run()
    assert 11 <= len(polls) <= 22


def test_wake_continues_all_steps_at_once() -> None:
    world = World()
    started_at: list[float] = []

    def sleeper() -> t.Generator[Pause, None, None]:
        yield Pause(1000.0, Deadline.after(5000.0, world.clock))
        started_at.append(world.clock.now - world.started_at)

    def waker() -> t.Generator[Pause, None, None]:
        yield Pause(3.0, Deadline.after(5000.0, world.clock))

    for _number in range(40):
        world.scheduler.add(sleeper(), lambda _value: None)
    world.scheduler.add(waker(), lambda _value: world.scheduler.wake())
    world.scheduler.run()
    assert started_at == [3.0] * 40


def test_error_in_a_wait_ends_the_run() -> None:
    world = World()

    def broken() -> t.Generator[Pause, None, None]:
        yield Pause(1.0, Deadline.after(5.0, world.clock))
        raise KeyError("oops")

    world.scheduler.add(broken(), lambda _value: None)
    with pytest.raises(KeyError):
        world.scheduler.run()


@settings(max_examples=60)
@given(
    ends=st.lists(st.floats(0, 900), min_size=1, max_size=120),
    timeout=st.floats(30, 1500),
    limit=st.sampled_from([None, 20, 60, 100, 400]),
    per_minute=st.sampled_from([None, 15, 90]),
    interval=st.sampled_from([1.0, 10.0]),
)
def test_scheduler_guarantees_hold_for_random_waits(
    ends: list[float], timeout: float, limit: int | None, per_minute: int | None, interval: float
) -> None:
    """No wait starves or polls after its end, time limits are kept, and the server rejects nothing."""
    world = World(limit, per_minute)
    waiters = [world.wait(end, timeout=timeout, interval=interval) for end in ends]
    world.scheduler.run()
    for waiter in waiters:
        assert waiter.left_at is not None
        after = [at for at in waiter.polls if at >= waiter.ends_at]
        assert len(after) <= 1
    begins = [waiter.polls[0] for waiter in waiters]
    assert begins == sorted(begins)
    # the deadline counts from the beginning of a wait
    late = [waiter.left_at - waiter.polls[0] - timeout for waiter in waiters if waiter.left_at is not None]
    if not world.server.refused:
        assert max(late) <= 1.0
    if per_minute is not None:
        sent = world.server.sent
        assert all(later - at >= WINDOW - 1e-6 for at, later in zip(sent, sent[per_minute:]))


@pytest.mark.parametrize("max_at_once", [1, 2])
def test_step_that_sleeps_lets_others_work(max_at_once: int) -> None:
    clock = Clock()
    other_has_run = threading.Event()

    class Held(Clock):
        """A clock on which one sleep lasts until the others have worked."""

        def sleep(self, seconds: float) -> None:
            if seconds > 100:
                assert other_has_run.wait(60)
            else:
                clock.sleep(seconds)

    traffic = Traffic(clock)
    scheduler = Scheduler(Held(), traffic, Progress(), max_at_once=max_at_once)

    def stuck() -> t.Generator[Pause, None, None]:
        yield Pause(0.0, Deadline.after(5.0, clock))
        with traffic.repeating:
            scheduler.clock.sleep(1000.0)

    def other() -> t.Generator[Pause, None, None]:
        yield Pause(0.0, Deadline.after(5.0, clock))
        other_has_run.set()

    for _number in range(3):
        scheduler.add(stuck(), lambda _value: None)
    scheduler.add(other(), lambda _value: None)
    scheduler.run()
    assert other_has_run.is_set()


# ----- an unreachable server, with several threads -----


@dataclasses.dataclass
class Persistent:
    """A wait that repeats its polls while the server is unreachable, as gates do."""

    number: int
    clock: SharedClock
    scheduler: Scheduler
    retrier: Retrier
    deadline: Deadline
    ends_at: float
    is_unreachable: t.Callable[[int, float], bool]
    asked: list[float] = dataclasses.field(default_factory=list)
    left_at: float = -1.0

    def _ask(self) -> float:
        self.asked.append(self.clock.now)
        if self.is_unreachable(self.number, self.clock.now):
            raise ServerError("502 Bad Gateway", status=502)
        return self.clock.now

    def steps(self) -> t.Generator[Pause, None, None]:
        pause, attempt = 1.0, 0
        while True:
            try:
                with polling(0.0):
                    if self.retrier.run(self._ask, is_repeatable=True) >= self.ends_at or self.deadline.has_passed():
                        return
                attempt, seconds = 0, pause
                pause = min(pause * 1.5, 10.0)
            except ServerError as exc:
                if not exc.is_postponed:
                    # a request that could not be sent before the deadline fails at the deadline
                    assert exc.is_out_of_time
                    yield Pause(self.deadline.remaining(), self.deadline)
                    return
                attempt += 1
                seconds = self.retrier.seconds_before_next(attempt, exc)
            yield Pause(min(seconds, self.deadline.remaining()), self.deadline)

    def end(self, _value: None) -> None:
        self.left_at = self.clock.now


def run_persistent(
    ends: t.Sequence[float], timeout: float, is_unreachable: t.Callable[[int, float], bool], *, max_at_once: int = 16
) -> tuple[SharedClock, list[Persistent]]:
    """Run waits with times in seconds from the beginning; return the clock and the waits."""
    clock = SharedClock()
    started_at = clock.now
    traffic = Traffic(t.cast(Clock, clock))
    # the server has answered before
    traffic.has_answered = True
    progress = Progress(is_shown=False)
    scheduler = Scheduler(t.cast(Clock, clock), traffic, progress, max_at_once=max_at_once)
    clock.at_work = lambda: scheduler._at_work
    deadline = Deadline.after(timeout, scheduler.clock)
    waits = []
    for number, end in enumerate(ends):
        retrier = Retrier(retries=5, deadline=deadline, is_persistent=True, traffic=traffic)
        wait = Persistent(
            number,
            clock,
            scheduler,
            retrier,
            deadline,
            started_at + end,
            lambda who, now: is_unreachable(who, now - started_at),
        )
        waits.append(wait)
        scheduler.add(wait.steps(), wait.end)
    scheduler.run()
    return clock, waits


def test_unreachable_server_blocks_few_threads_and_is_not_flooded() -> None:
    clock, waits = run_persistent([900.0] * 300, 3600.0, lambda _who, now: 100.0 <= now < 400.0)
    assert clock.max_asleep <= 2 * MAX_PAUSING
    away = [at for wait in waits for at in wait.asked if 1130.0 <= at < 1400.0]
    # 200 polls a minute, and the retries of those that keep their threads
    assert len(away) / (270.0 / 60.0) <= 300
    # all waits continue when the server is back
    back = [min(at for at in wait.asked if at >= 1400.0) - 1400.0 for wait in waits]
    assert max(back) <= 150.0
    assert all(wait.left_at - wait.ends_at <= 150.0 for wait in waits)


def test_exhausted_limit_blocks_few_threads_and_delays_no_deadline() -> None:
    clock = SharedClock()
    traffic = Traffic(t.cast(Clock, clock))
    scheduler = Scheduler(t.cast(Clock, clock), traffic, Progress(is_shown=False), max_at_once=4)
    clock.at_work = lambda: scheduler._at_work
    ended: list[float] = []

    def awaiting() -> t.Generator[Pause, None, None]:
        with traffic.awaiting:
            scheduler.clock.sleep(60.0)
        yield Pause(1.0, Deadline.after(1000.0, t.cast(Clock, clock)))

    def limited() -> t.Generator[Pause, None, None]:
        yield Pause(500.0, Deadline.after(30.0, t.cast(Clock, clock)))
        ended.append(clock.seconds)

    scheduler.add(limited(), lambda _value: None)
    for _number in range(40):
        scheduler.add(awaiting(), lambda _value: None)
    scheduler.run()
    # working threads may start to sleep as well
    assert clock.max_asleep <= 2 * 4
    assert ended == [pytest.approx(30.0, abs=1.0)]


def test_many_failing_projects_do_not_delay_others() -> None:
    def is_unreachable(who: int, now: float) -> bool:
        return who < 40 and now >= 5.0

    _clock, waits = run_persistent([120.0] * 60, 1200.0, is_unreachable)
    assert all(wait.left_at - 1000.0 <= 120.0 + 60 * POLL_SECONDS + 10.0 for wait in waits[40:])
    assert all(wait.left_at - 1000.0 == pytest.approx(1200.0, abs=1.0) for wait in waits[:40])


@settings(max_examples=25)
@given(
    ends=st.lists(st.floats(0, 900), min_size=1, max_size=80),
    timeout=st.floats(30, 1200),
    outages=st.lists(st.tuples(st.floats(0, 1000), st.floats(1, 600)), max_size=3),
    max_at_once=st.sampled_from([1, 4, 16]),
)
def test_scheduler_guarantees_hold_in_random_outages(
    ends: list[float], timeout: float, outages: list[tuple[float, float]], max_at_once: int
) -> None:
    """During any outages, time limits are kept to the second, and finished waits send no more requests."""

    def is_unreachable(_who: int, now: float) -> bool:
        return any(begin <= now < begin + seconds for begin, seconds in outages)

    clock, waits = run_persistent(ends, timeout, is_unreachable, max_at_once=max_at_once)
    assert clock.max_asleep <= MAX_PAUSING + max_at_once
    for wait in waits:
        assert 0.0 <= wait.left_at - 1000.0 <= timeout + 1.0
        assert sum(at >= wait.ends_at and not is_unreachable(0, at - 1000.0) for at in wait.asked) <= 1


# ----- nudges -----


class Nudger(Nudges):
    """Nudges at given times: pairs of a time and the number of a wait."""

    def __init__(self, clock: FakeClock, times: t.Sequence[tuple[float, int]]) -> None:
        super().__init__("/nowhere", t.cast(Clock, clock))
        self.clock = clock
        self.times = sorted(times)
        self.given: list[Watch] = []

    def watch(self, project: str) -> Watch:
        self.given.append(Watch(project, self))
        return self.given[-1]

    def update(self) -> bool:
        due = [number for at, number in self.times if at <= self.clock.now]
        self.times = self.times[len(due) :]
        for number in due:
            self.given[number].is_nudged = True
        return bool(due)


@dataclasses.dataclass
class NudgedWaiter(Waiter):
    """A wait that polls rarely unless it is nudged."""

    watch: Watch | None = None
    rare_interval: float = 300.0
    # the poll during which it is nudged, as by a hook that arrives while GitLab answers
    nudged_at_poll: int = -1

    def steps(self) -> t.Generator[Pause, None, Waiter]:
        clock = self.world.clock
        deadline = Deadline.after(self.timeout, clock)
        assert self.watch is not None
        while True:
            self.watch.is_nudged = False
            self.polls.append(clock.now)
            if len(self.polls) == self.nudged_at_poll:
                self.watch.is_nudged = True
            self.world.server.ask()
            if clock.now >= self.ends_at or deadline.has_passed():
                return self
            longest = min(self.rare_interval, deadline.remaining())
            yield Pause(longest, deadline, soonest=min(self.interval, longest), watch=self.watch)


def nudged_world(times: t.Sequence[tuple[float, int]]) -> World:
    """Return a world with these nudges, whose times count from its beginning."""
    world = World()
    nudger = Nudger(world.clock, [(world.started_at + at, number) for at, number in times])
    world.scheduler = Scheduler(t.cast(Clock, world.clock), world.traffic, world.progress, max_at_once=1, nudges=nudger)
    world.nudger = nudger
    return world


def add_nudged_waiter(world: World, ends_after: float, **options: t.Any) -> NudgedWaiter:
    waiter = NudgedWaiter(
        world, world.started_at + ends_after, 10_000.0, watch=world.nudger.watch("group/app"), **options
    )
    world.scheduler.add(waiter.steps(), waiter.end)
    return waiter


def polls_of(world: World, waiter: Waiter) -> list[float]:
    return [at - world.started_at for at in waiter.polls]


def test_nudge_causes_a_poll_of_its_wait_only() -> None:
    world = nudged_world([(100.0, 0)])
    first, second = add_nudged_waiter(world, 99.0), add_nudged_waiter(world, 99.0)
    world.scheduler.run()
    assert polls_of(world, first) == [0.0, pytest.approx(100.0, abs=1.0)]
    assert polls_of(world, second) == [0.0, 300.0]


def test_nudges_cause_no_poll_before_the_usual_interval() -> None:
    world = nudged_world([(at / 4, 0) for at in range(200)])
    waiter = add_nudged_waiter(world, 40.0)
    world.scheduler.run()
    gaps = [later - at for at, later in zip(waiter.polls, waiter.polls[1:])]
    assert len(gaps) == 4 and min(gaps) >= 10.0


def test_nudge_during_a_poll_is_not_lost() -> None:
    world = nudged_world([])
    waiter = add_nudged_waiter(world, 5.0, nudged_at_poll=1)
    world.scheduler.run()
    assert polls_of(world, waiter) == [0.0, 10.0]


def test_nudged_wait_polls_before_waits_that_are_only_due() -> None:
    world = nudged_world([(400.0, 0)])
    nudged = add_nudged_waiter(world, 399.0, rare_interval=5000.0)
    crowd = [world.wait(1000.0) for _number in range(300)]
    world.scheduler.run()
    assert polls_of(world, nudged) == [0.0, pytest.approx(400.0, abs=1.0)]
    assert all(waiter.left_at is not None for waiter in crowd)


@settings(max_examples=60)
@given(
    ends=st.lists(st.floats(0, 900), min_size=1, max_size=60),
    nudges=st.lists(st.tuples(st.floats(0, 1500), st.integers(0, 59)), max_size=80),
)
def test_scheduler_guarantees_hold_for_random_nudges(ends: list[float], nudges: list[tuple[float, int]]) -> None:
    """With any nudges, each wait sees its end and polls no more often than without them."""
    world = nudged_world([(at, number % len(ends)) for at, number in nudges])
    waiters = [add_nudged_waiter(world, end) for end in ends]
    world.scheduler.run()
    for waiter in waiters:
        assert waiter.left_at is not None and waiter.left_at - waiter.ends_at <= 300.0 + 60 * POLL_SECONDS + 1.0
        assert len([at for at in waiter.polls if at >= waiter.ends_at]) == 1
        assert all(later - at >= 10.0 for at, later in zip(waiter.polls, waiter.polls[1:]))


def test_next_of_never_waits_longer_than_its_timeout() -> None:
    """SimpleQueue.get() may wait forever if its timeout expires while it prepares to wait."""
    clock = Clock()
    scheduler = Scheduler(clock, Traffic(clock), Progress(is_shown=False), max_at_once=1)
    step: t.Any = object()
    awaited: list[t.Any] = []

    def await_repeatedly() -> None:
        for _time in range(20_000):
            scheduler._done.put(step)
            awaited.extend((clock.next_of(scheduler._done, 1e-6), clock.next_of(scheduler._done, 1e-6)))

    waiting = threading.Thread(target=await_repeatedly, daemon=True)
    waiting.start()
    waiting.join(timeout=300)
    assert awaited == [step, None] * 20_000
