# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How many requests a task makes, how fast, and how many at a time: what the server and the user allow, and what others
may need.

GitLab tells with each answer how many requests are left until when, for all that use the token together. Tasks that
share a token share by these numbers, without knowing of each other.
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
# So much of what the server or the user allows is left to others, and to requests that cannot wait.
SHARE_OF_OTHERS = 0.1
# No limit of GitLab has a longer window. What a gateway tells of one, such as in milliseconds, is none of its limits.
LONGEST_WINDOW_SECONDS = 86_400.0
# Nobody expects a task that does not wait to sleep longer than this because the server wishes it.
LONGEST_WISH_SECONDS = 120.0
# One more at a time is allowed again after so many answers for each that is.
_ANSWERS_PER_STEP = 8


class Within:
    """Counts the threads that are within a block of code just now: `with repeating:`."""

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
    """What the server has last said about its limit.

    :param allowed: requests in the whole window.
    :param remaining: requests that are left of them, without those that were sent since.
    :param ends_at: when the next window begins, on the monotonic clock.
    """

    allowed: int
    remaining: int
    ends_at: float


class Traffic:
    """The requests of one task to one server, counted and paced; shared by all its threads.

    :param per_minute: the most requests in a minute that the user allows, None for any number.
    """

    def __init__(self, clock: Clock, per_minute: int | None = None) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._lock = threading.Lock()
        # when the newest requests were sent, as many as one minute may have; none where it may have any number
        self._sent: collections.deque[float] = collections.deque(maxlen=per_minute or 0)
        # none yet, which is one that is over
        self._window = _Window(allowed=0, remaining=0, ends_at=float("-inf"))
        self._held_until = float("-inf")
        # until when requests are known to be held back by one of the limits
        self._paced_until = float("-inf")
        # when the next look may begin, by the user's limit and by the server's
        self._next_by_user = self._next_by_server = float("-inf")
        # whether the server has ever said what it should: then its address is right, and what is wrong may pass
        self.has_answered = False
        # requests that pause before they are repeated, and those that pause before they are sent, as any other would
        self.repeating, self.awaiting = Within(), Within()
        self.count = 0
        self.throttled = 0
        self.paced_seconds = 0.0

    # ----- before a request -----

    def turn(self, left_seconds: float, *, is_write: bool = False, waits: bool = True) -> float | None:
        """Return in how many seconds a request may be sent, which counts as sent then.

        None when the limit of the user leaves no room for it in time: it must not be sent.

        :param left_seconds: how much time the task has.
        :param waits: whether the task has time until the server has requests left again; one that has not is told by
            the server if they are too many.
        """
        with self._lock:
            now = self._clock.monotonic()
            at = free_at = max(now, self._held_until)
            window = self._window
            if now < window.ends_at and window.remaining == 0 and waits:
                # a second more, for servers tell whole seconds
                at = max(at, window.ends_at + 1.0)
            at = min(at, now + (left_seconds if waits else min(left_seconds, LONGEST_WISH_SECONDS)))
            if self._per_minute and len(self._sent) == self._per_minute:
                at = max(at, self._sent[0] + MINUTE_SECONDS)
                if at > now + left_seconds:
                    return None
            # what several threads await at a time counts once
            self.paced_seconds += max(0.0, at - max(free_at, self._paced_until))
            self._paced_until = max(at, self._paced_until)
            window.remaining = max(0, window.remaining - 1)
            self._sent.append(at)
            self.count += 1
            if not is_write:
                self._space_looks(now)
            return at - now

    def _space_looks(self, now: float) -> None:
        """Have the next look so far away that what is left lasts until there is more."""
        if self._per_minute:
            gap = MINUTE_SECONDS / (self._per_minute * (1.0 - SHARE_OF_OTHERS))
            self._next_by_user = max(self._next_by_user, now) + gap
        window = self._window
        if now < window.ends_at:
            left = window.ends_at - now
            usable = window.remaining - window.allowed * SHARE_OF_OTHERS
            next_look = max(self._next_by_server, now) + (left / usable if usable > 1 else left)
            # in the next window there is enough again
            self._next_by_server = min(next_look, window.ends_at)

    def hold(self, seconds: float) -> None:
        """Have no request of any thread sent for so long: the server has told one of them that they are too many."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock.monotonic() + seconds)

    # ----- after a request -----

    def answered(self, status: int, headers: t.Mapping[str, str]) -> None:
        """Take note of an answer.

        :param headers: names in lower case; those that begin with `ratelimit-` are of use here.
        """
        with self._lock:
            self.throttled += status == 429
            self._window = self._window_of(headers) or self._window

    def _window_of(self, headers: t.Mapping[str, str]) -> _Window | None:
        """Return what the answer says about the limit, None when it does not say all of it."""
        remaining, reset, observed, limit = (
            number_in(headers.get(f"ratelimit-{name}", "")) for name in ("remaining", "reset", "observed", "limit")
        )
        # of a window that is no minute, the limit is given for a minute all the same
        allowed = limit if observed is None or remaining is None else observed + remaining
        if remaining is None or reset is None or allowed is None:
            return None
        seconds = max(0.0, reset - answered_at(headers, self._clock.time()))
        if seconds > LONGEST_WINDOW_SECONDS:
            return None
        return _Window(max(allowed, remaining), remaining, self._clock.monotonic() + seconds)

    # ----- looks -----

    def look_seconds(self) -> float:
        """Return in how many seconds a look may begin that can wait."""
        with self._lock:
            return max(0.0, max(self._next_by_user, self._next_by_server) - self._clock.monotonic())

    def describe(self) -> str:
        """Return which limit there is, for people: what is left of the server's, or the user's; empty for none."""
        with self._lock:
            window, now = self._window, self._clock.monotonic()
            # of two limits the one that holds looks back for longer
            is_of_user = window.remaining > 0 and self._next_by_user > max(now, self._next_by_server)
            if now < window.ends_at and not is_of_user:
                return f"{window.remaining:,} of {window.allowed:,} requests left for {window.ends_at - now:.0f} s"
            return f"api_requests_per_minute is {self._per_minute:,}" if self._per_minute else ""


class RequestBudget:
    """How many requests are made at a time, shared by all threads of a task.

    A server that answers 429, or that does not answer in time because it works on one request after the other, gets
    half as many at a time from then on; answers bring the number up again, one by one.

    :param most_at_once: what the user allows.
    """

    def __init__(self, most_at_once: int) -> None:
        self._most = self.allowed = most_at_once
        self._changed = threading.Condition()
        self._under_way = 0
        self._answers = 0

    @contextlib.contextmanager
    def request(self, deadline: Deadline) -> t.Iterator[None]:
        """Wait for a turn, and take note of how the request ends.

        At the deadline it does not wait any more for the server to recover, only for one of the others to end.

        :raises UnsentError: when none of them does.
        """
        with self._changed:
            has_turn = self._changed.wait_for(lambda: self._under_way < self.allowed, deadline.remaining())
            if not has_turn and not self._changed.wait_for(lambda: self._under_way < self._most, GRACE_SECONDS):
                raise UnsentError(
                    f"it was not sent, since api_concurrency is {self._most} and none of the requests under way has "
                    "ended in time"
                )
            self._under_way += 1
        error: RequestError | None = None
        try:
            yield
        except RequestError as exc:
            error = exc
            raise
        finally:
            with self._changed:
                self._under_way -= 1
                self._note(error)
                self._changed.notify_all()

    def _note(self, error: RequestError | None) -> None:
        if isinstance(error, (ThrottledError, LostAnswerError)):
            self.allowed, self._answers = max(1, self.allowed // 2), 0
        elif error is None and self.allowed < self._most:
            self._answers += 1
            if self._answers >= _ANSWERS_PER_STEP * self.allowed:
                self.allowed, self._answers = self.allowed + 1, 0
