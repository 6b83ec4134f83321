# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Limits for the number of requests of a task, per minute and at a time: those of the server and those of the user,
with a share left to other clients.

Each answer of GitLab shows how many requests all clients with this token have left, and until when. With these numbers,
tasks that use the same token share the limit without knowing each other.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import threading
import typing as t

from ..errors import LostAnswerError, RequestError, ThrottledError, UnsentError
from ..http import answered_at, number_in
from .clock import GRACE_SECONDS, Clock, Deadline

MINUTE_SECONDS = 60.0
# The share of each limit that is left to other clients, and to requests that cannot wait.
SHARE_OF_OTHERS = 0.1
# No limit of GitLab has a longer window. A longer one comes from a gateway, perhaps in milliseconds, and is ignored.
LONGEST_WINDOW_SECONDS = 86_400.0
# The longest pause that a server may request of a task that does not wait.
LONGEST_RETRY_AFTER_SECONDS = 120.0
# The number of simultaneous requests grows by one after this many answers for each of them.
_ANSWERS_PER_STEP = 8


class ThreadCounter:
    """A counter of the threads that currently run a block of code: `with repeating:`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def __enter__(self) -> None:
        with self._lock:
            self.count += 1

    def __exit__(self, *_raised: object) -> None:
        with self._lock:
            self.count -= 1


@dataclasses.dataclass
class _Window:
    """The last state of the rate limit that the server has reported.

    :param allowed: requests in the whole window.
    :param remaining: requests that are left, without those that were sent since.
    :param ends_at: when the next window starts, on the monotonic clock.
    """

    allowed: int
    remaining: int
    ends_at: float


class Traffic:
    """A counter and pacer for the requests of one task to one server, shared by all its threads.

    :param per_minute: the user's limit of requests per minute, None for no limit.
    """

    def __init__(self, clock: Clock, per_minute: int | None = None) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._lock = threading.Lock()
        # when the newest requests were sent, at most those of a minute; empty without a limit
        self._sent: collections.deque[float] = collections.deque(maxlen=per_minute or 0)
        # no window is known yet, so start with one that has ended
        self._window = _Window(allowed=0, remaining=0, ends_at=float("-inf"))
        self._held_until = float("-inf")
        # until when one of the limits delays requests, as far as is known
        self._paced_until = float("-inf")
        # when the next poll may start, by the user's limit and by the server's
        self._next_by_user = self._next_by_server = float("-inf")
        # what was reported for all threads: that a limit paces the task, and the end of the last pause of the server
        self._has_shown_pacing = False
        self._reported_until = float("-inf")
        # whether the server has ever answered correctly: then its address is right, and later errors may be temporary
        self.has_answered = False
        # requests that pause before they are repeated, and requests that pause before they are sent
        self.repeating, self.awaiting = ThreadCounter(), ThreadCounter()
        self.count = 0
        self.throttled = 0
        self.paced_seconds = 0.0

    # ----- before a request -----

    def turn(self, left_seconds: float, *, is_write: bool = False, waits: bool = True) -> float | None:
        """Return in how many seconds a request may be sent, and count it as sent.

        None if the user's limit allows it only after the deadline: it must not be sent.

        :param left_seconds: how much time the task has left.
        :param waits: whether the task can wait until the server allows requests again; otherwise the request is sent,
            and the server answers 429 if it is one too many.
        """
        with self._lock:
            now = self._clock.monotonic()
            at = free_at = max(now, self._held_until)
            window = self._window
            if now < window.ends_at and window.remaining == 0 and waits:
                # one second more, because servers round to seconds
                at = max(at, window.ends_at + 1.0)
            at = min(at, now + (left_seconds if waits else min(left_seconds, LONGEST_RETRY_AFTER_SECONDS)))
            if self._per_minute and len(self._sent) == self._per_minute:
                at = max(at, self._sent[0] + MINUTE_SECONDS)
                if at > now + left_seconds:
                    return None
            # time in which several threads wait counts once
            self.paced_seconds += max(0.0, at - max(free_at, self._paced_until))
            self._paced_until = max(at, self._paced_until)
            window.remaining = max(0, window.remaining - 1)
            self._sent.append(at)
            self.count += 1
            if not is_write:
                self._space_polls(now)
            return at - now

    def _space_polls(self, now: float) -> None:
        """Delay the next poll so that the remaining requests last until the next window."""
        if self._per_minute:
            gap = MINUTE_SECONDS / (self._per_minute * (1.0 - SHARE_OF_OTHERS))
            self._next_by_user = max(self._next_by_user, now) + gap
        window = self._window
        if now < window.ends_at:
            left = window.ends_at - now
            usable = window.remaining - window.allowed * SHARE_OF_OTHERS
            next_poll = max(self._next_by_server, now) + (left / usable if usable > 1 else left)
            # the next window has enough requests
            self._next_by_server = min(next_poll, window.ends_at)

    def hold(self, seconds: float) -> None:
        """Delay the requests of all threads, because the server has answered 429 to one of them."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock.monotonic() + seconds)

    # ----- after a request -----

    def answered(self, status: int, headers: t.Mapping[str, str]) -> None:
        """Record the rate limit of an answer.

        :param headers: names in lower case; only those that start with `ratelimit-` are used.
        """
        with self._lock:
            self.throttled += status == 429
            self._window = self._window_of(headers) or self._window

    def _window_of(self, headers: t.Mapping[str, str]) -> _Window | None:
        """Return the rate limit in the headers, None if it is not complete."""
        remaining, reset, observed, limit = (
            number_in(headers.get(f"ratelimit-{name}", "")) for name in ("remaining", "reset", "observed", "limit")
        )
        # GitLab gives the limit per minute, even if the window is not a minute
        allowed = limit if observed is None or remaining is None else observed + remaining
        if remaining is None or reset is None or allowed is None:
            return None
        seconds = max(0.0, reset - answered_at(headers, self._clock.time()))
        if seconds > LONGEST_WINDOW_SECONDS:
            return None
        return _Window(max(allowed, remaining), remaining, self._clock.monotonic() + seconds)

    # ----- polls -----

    def seconds_until_poll(self) -> float:
        """Return in how many seconds a poll may start that can wait."""
        with self._lock:
            return max(0.0, max(self._next_by_user, self._next_by_server) - self._clock.monotonic())

    def is_first_pacing(self) -> bool:
        """Return whether pacing was not reported yet, and remember that it is now."""
        with self._lock:
            was_shown, self._has_shown_pacing = self._has_shown_pacing, True
        return not was_shown

    def is_new_pause(self, seconds: float) -> bool:
        """Return whether the pause that was reported last ends before a pause of this length, and remember this one."""
        with self._lock:
            end = self._clock.monotonic() + seconds
            is_new = end > self._reported_until + 1.0
            if is_new:
                self._reported_until = end
        return is_new

    def describe(self) -> str:
        """Return a description of the current limit, the server's or the user's; empty if there is none."""
        with self._lock:
            window, now = self._window, self._clock.monotonic()
            # of two limits, the one that delays polls for longer
            is_of_user = window.remaining > 0 and self._next_by_user > max(now, self._next_by_server)
            if now < window.ends_at and not is_of_user:
                return f"{window.remaining:,} of {window.allowed:,} requests left for {window.ends_at - now:.0f} s"
            return f"api_requests_per_minute is {self._per_minute:,}" if self._per_minute else ""


class RequestBudget:
    """The limit of simultaneous requests, shared by all threads of a task.

    If the server answers 429, or does not answer in time because it handles requests one by one, the limit is halved.
    Later answers raise it again step by step.

    :param max_at_once: the user's limit.
    """

    def __init__(self, max_at_once: int) -> None:
        self._maximum = self.allowed = max_at_once
        self._changed = threading.Condition()
        self._active = 0
        self._answers = 0

    @contextlib.contextmanager
    def request(self, deadline: Deadline) -> t.Iterator[None]:
        """Wait until the request may be sent, and adjust the limit to its outcome.

        After the deadline, ignore the lowered limit, and wait only for one of the active requests to end.

        :raises UnsentError: if none of them ends.
        """
        with self._changed:
            has_turn = self._changed.wait_for(lambda: self._active < self.allowed, deadline.remaining())
            if not has_turn and not self._changed.wait_for(lambda: self._active < self._maximum, GRACE_SECONDS):
                raise UnsentError(
                    f"the request was not sent, because api_concurrency is {self._maximum} and no active request ended "
                    "in time"
                )
            self._active += 1
        error: RequestError | None = None
        try:
            yield
        except RequestError as exc:
            error = exc
            raise
        finally:
            with self._changed:
                self._active -= 1
                self._note(error)
                self._changed.notify_all()

    def _note(self, error: RequestError | None) -> None:
        if isinstance(error, (ThrottledError, LostAnswerError)):
            self.allowed, self._answers = max(1, self.allowed // 2), 0
        elif error is None and self.allowed < self._maximum:
            self._answers += 1
            if self._answers >= _ANSWERS_PER_STEP * self.allowed:
                self.allowed, self._answers = self.allowed + 1, 0
