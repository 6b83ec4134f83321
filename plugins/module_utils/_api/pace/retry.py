# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""When a request is sent again, and after which pause.

A read is repeated after everything that may pass. A write is repeated only when it was certainly not executed, and not
while a task waits, for then it may be long until it can be sent. Everything else goes up to the use case, which reads
the job again and decides anew.
"""

from __future__ import annotations

import collections
import random
import typing as t

from ..errors import (
    BadAnswerError,
    ConnectError,
    LostAnswerError,
    RequestError,
    ServerError,
    ThrottledError,
    TrustError,
)
from ..http import answered_at, number_in, unix_time_in
from .clock import Deadline
from .looks import is_look
from .traffic import LONGEST_WINDOW_SECONDS, LONGEST_WISH_SECONDS, Traffic

# First pause (halved, on average, by the jitter) and ceiling of the pauses between attempts.
BACK_OFF_SECONDS = (0.5, 30.0)
# What a pause is multiplied by for the next one.
BACK_OFF_GROWTH = 2.0
# GitLab's limits count by the minute, so what is behind an answer 429 without a wish is over after one.
THROTTLED_SECONDS = (4.0, 60.0)
# A lock in GitLab's database: it is over in a moment.
LOCK_STATUS = 409
# A pause that the server asks for is told from this length on.
TOLD_WISH_SECONDS = 10.0
# What a pause leaves of the time limit for the attempt behind it.
LAST_ATTEMPT_SECONDS = 1.0

# While so many requests of a task pause to be repeated, and keep their threads for so long, looks are put off instead.
MOST_PAUSING = 16

_T = t.TypeVar("_T")


def server_wish_seconds(status: int, headers: t.Mapping[str, str], now: float) -> float | None:
    """Return how long the server wants us to wait, None when it does not say.

    :param headers: of the answer, names in lower case: `Retry-After` in seconds or as a date; on 429 also
        `RateLimit-Reset`, which recent servers send on every answer, so that elsewhere it means nothing.
    :param now: Unix time by our own clock.
    """
    wish = headers.get("retry-after", "")
    seconds = number_in(wish)
    if seconds is not None:
        return float(seconds)
    now = answered_at(headers, now)
    until = unix_time_in(wish)
    if until is not None:
        return max(0.0, until - now)
    reset = number_in(headers.get("ratelimit-reset", "")) if status == 429 else None
    # gateways before GitLab have no time there, but seconds or milliseconds, or a time that is over
    return reset - now if reset is not None and 0 <= reset - now <= LONGEST_WINDOW_SECONDS else None


class Retrier:
    """Repeats an operation as long as that is safe and makes sense.

    :param is_persistent: after the server has answered the task once, repeat reads until the deadline instead of
        `retries` times: a server that is away for minutes does not end a wait.
    :param tell: is told of each long pause: its seconds, and which limit it is for, empty if the server asks for it.
    :param traffic: which a server that answers 429 holds for all threads of the task.
    """

    def __init__(
        self,
        *,
        retries: int,
        deadline: Deadline,
        traffic: Traffic,
        is_persistent: bool = False,
        tell: t.Callable[[float, str], None] = lambda seconds, limit: None,
        jitter: t.Callable[[], float] = random.random,
    ) -> None:
        self._retries = retries
        self._clock = deadline.clock
        self._tell = tell
        # the end of the pause that was told last: all threads of a task keep the same one
        self._told_until = float("-inf")
        self._jitter = jitter
        self.traffic = traffic
        self.deadline = deadline
        self.is_persistent = is_persistent

    def run(self, operation: t.Callable[[], _T], *, is_repeatable: bool) -> _T:
        """Return what the operation returns, repeating it after errors that may pass.

        :raises RequestError: the last error, when it is not to be repeated, or was repeated often enough.
        """
        attempt = 0
        while True:
            try:
                result = operation()
            except RequestError as exc:
                attempt += 1
                if self._is_worth_repeating(exc, attempt, is_repeatable=is_repeatable):
                    if self._is_to_be_put_off(exc):
                        exc.is_put_off = True
                        raise
                    if self.pause(attempt, exc):
                        continue
                if attempt > 1:
                    exc.problem += f" (after {attempt} attempts)"
                raise
            else:
                self.traffic.has_answered = True
                return result

    def insist(self, read: t.Callable[[], _T]) -> _T:
        """Return what a read returns after which a write is judged: no error of it is taken for the last word.

        It may take several requests, each of which is repeated as often as any other.

        :raises RequestError: the last error, when a request was repeated often enough.
        """
        failures: collections.Counter[str] = collections.Counter()
        while True:
            try:
                return read()
            except RequestError as exc:
                failures[exc.url] += 1
                if failures[exc.url] > self._retries or not self.pause(sum(failures.values()), exc):
                    raise

    def _is_to_be_put_off(self, exc: RequestError) -> bool:
        """Return whether a look is to ask again later, without a thread until then.

        When the time is up there is no later, and what 429 asks for holds everybody.
        """
        may_wait = not self.deadline.has_passed() and not isinstance(exc, ThrottledError)
        return may_wait and is_look() and self.traffic.repeating.count >= MOST_PAUSING

    def pause(self, attempt: int, exc: RequestError | None = None) -> bool:
        """Sleep before the next attempt; return whether there is time for one, which the error is told as well.

        :param attempt: number of attempts made so far, from 1.
        """
        wish = exc.wish_seconds if exc else None
        is_wish_too_long = wish is not None and wish > LONGEST_WISH_SECONDS and not self.is_persistent
        seconds, left = self.seconds_before_next(attempt, exc), self.deadline.remaining()
        if wish is None and left > LAST_ATTEMPT_SECONDS:
            # our own pause gives way to the time limit; what the server wishes does not
            seconds = min(seconds, left - LAST_ATTEMPT_SECONDS)
        if is_wish_too_long or seconds >= left:
            if exc:
                # what may pass has not passed in time
                exc.is_out_of_time = self.is_persistent
            if exc and wish is not None:
                than = "a task does that does not wait" if is_wish_too_long else "the time that is left"
                exc.problem += f"; it asks to wait for {min(wish, 1e9):,.0f} s, longer than {than}"
            return False
        if wish is not None:
            self.tell_pause(wish)
        if isinstance(exc, ThrottledError):
            self.traffic.hold(seconds)
        with self.traffic.repeating:
            self._clock.sleep(seconds)
        return True

    def seconds_before_next(self, attempt: int, exc: RequestError | None = None) -> float:
        """Return how long to pause before the next attempt: as long as the server wishes, or longer each time.

        :param attempt: number of attempts made so far, from 1.
        """
        if exc and exc.wish_seconds is not None:
            return exc.wish_seconds + self._jitter()
        base, ceiling = THROTTLED_SECONDS if isinstance(exc, ThrottledError) else BACK_OFF_SECONDS
        # full jitter: clients that were thrown off together must not come back together
        return self._jitter() * min(ceiling, base * BACK_OFF_GROWTH ** min(attempt, 16))

    def tell_pause(self, seconds: float, limit: str = "") -> None:
        """Tell of a pause that the server asks for, or that keeps to a limit, if it is long and was not told."""
        end = self._clock.monotonic() + seconds
        if seconds >= TOLD_WISH_SECONDS and end > self._told_until + 1.0:
            self._told_until = end
            self._tell(seconds, limit)

    def _is_worth_repeating(self, exc: RequestError, attempt: int, *, is_repeatable: bool) -> bool:
        has_answered = self.traffic.has_answered
        if self.is_persistent and not is_repeatable:
            return False  # it may be long until it can be sent, so that who has decided upon it decides anew
        if isinstance(exc, ConnectError):
            may_pass = not isinstance(exc, TrustError) and (has_answered or not exc.is_permanent)
        elif isinstance(exc, BadAnswerError):
            # before the first good answer the address is wrong; after it, something in between has a bad moment
            may_pass = is_repeatable and has_answered and not exc.is_permanent
        elif isinstance(exc, (LostAnswerError, ServerError)) or getattr(exc, "status", 0) == LOCK_STATUS:
            may_pass = is_repeatable
        else:
            may_pass = isinstance(exc, ThrottledError)
        return may_pass and (attempt <= self._retries or (self.is_persistent and has_answered))
