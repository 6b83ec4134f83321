# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Repetition of failed requests, and the pauses before it.

A read is repeated after every temporary error. A write is repeated only if it was certainly not executed, and not while
a task waits, because a long time may pass until it can be sent. All other errors go to the use case, which reads the
job and decides again.
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
from .polls import is_polling
from .traffic import LONGEST_RETRY_AFTER_SECONDS, LONGEST_WINDOW_SECONDS, Traffic

# Base and maximum of the pauses between attempts; jitter halves them on average.
BACK_OFF_SECONDS = (0.5, 30.0)
# The growth factor of the pauses.
BACK_OFF_GROWTH = 2.0
# Base and maximum after status 429, if the server does not say how long to wait: GitLab's limits are per minute.
THROTTLED_SECONDS = (4.0, 60.0)
# A lock in GitLab's database, which lasts only a moment.
LOCK_STATUS = 409
# The shortest pause requested by the server that is reported to the user.
SHOWN_RETRY_AFTER_SECONDS = 10.0
# The time that a pause leaves for the attempt after it.
LAST_ATTEMPT_SECONDS = 1.0

# If this many requests of a task pause, each of which occupies a thread, polls are put off instead.
MAX_PAUSING = 16

_T = t.TypeVar("_T")


def retry_after_seconds(status: int, headers: t.Mapping[str, str], now: float) -> float | None:
    """Return how long the server asks us to wait, None if it does not say.

    :param headers: headers of the answer, names in lower case: `Retry-After` in seconds or as a date; for status 429
        also `RateLimit-Reset`, which recent servers send with every answer, so it means nothing for other statuses.
    :param now: Unix time by our own clock.
    """
    retry_after = headers.get("retry-after", "")
    seconds = number_in(retry_after)
    if seconds is not None:
        return float(seconds)
    now = answered_at(headers, now)
    until = unix_time_in(retry_after)
    if until is not None:
        return max(0.0, until - now)
    reset = number_in(headers.get("ratelimit-reset", "")) if status == 429 else None
    # gateways in front of GitLab send seconds or milliseconds instead of a time, or a time in the past
    return reset - now if reset is not None and 0 <= reset - now <= LONGEST_WINDOW_SECONDS else None


class Retrier:
    """A helper that repeats an operation while that is safe and useful.

    :param is_persistent: whether to repeat reads until the deadline instead of `retries` times, after the server has
        answered once: a server that is unreachable for minutes does not end a wait.
    :param on_pause: called for each long pause with its seconds and the limit that causes it, empty if the server asks.
    :param traffic: the requests of all threads of the task, which status 429 holds.
    """

    def __init__(
        self,
        *,
        retries: int,
        deadline: Deadline,
        traffic: Traffic,
        is_persistent: bool = False,
        on_pause: t.Callable[[float, str], None] = lambda seconds, limit: None,
        jitter: t.Callable[[], float] = random.random,
    ) -> None:
        self._retries = retries
        self._clock = deadline.clock
        self._on_pause = on_pause
        self._jitter = jitter
        self.traffic = traffic
        self.deadline = deadline
        self.is_persistent = is_persistent

    def run(self, operation: t.Callable[[], _T], *, is_repeatable: bool) -> _T:
        """Return the result of the operation, repeating it after temporary errors.

        :raises RequestError: the last error, if it is not temporary or was repeated often enough.
        """
        attempt = 0
        while True:
            try:
                result = operation()
            except RequestError as exc:
                attempt += 1
                if self._is_worth_repeating(exc, attempt, is_repeatable=is_repeatable):
                    if self._should_postpone(exc):
                        exc.is_postponed = True
                        raise
                    if self.pause(attempt, exc):
                        continue
                if attempt > 1:
                    exc.problem += f" (after {attempt} attempts)"
                raise
            else:
                self.traffic.has_answered = True
                return result

    def read_persistently(self, read: t.Callable[[], _T]) -> _T:
        """Return the result of a read that decides about a write, repeating it after every kind of error.

        The read may send several requests, each of which is repeated as often as any other.

        :raises RequestError: the last error, if a request was repeated often enough.
        """
        failures: collections.Counter[str] = collections.Counter()
        while True:
            try:
                return read()
            except RequestError as exc:
                failures[exc.url] += 1
                if failures[exc.url] > self._retries or not self.pause(sum(failures.values()), exc):
                    raise

    def _should_postpone(self, exc: RequestError) -> bool:
        """Return whether a poll is to repeat the request later, without occupying a thread until then.

        Polls are not put off after the deadline, nor for status 429, which holds all threads anyway.
        """
        may_wait = not self.deadline.has_passed() and not isinstance(exc, ThrottledError)
        return may_wait and is_polling() and self.traffic.repeating.count >= MAX_PAUSING

    def pause(self, attempt: int, exc: RequestError | None = None) -> bool:
        """Sleep before the next attempt; if there is no time for one, return false and add the reason to the error.

        :param attempt: number of attempts made so far, from 1.
        """
        retry_after = exc.retry_after_seconds if exc else None
        is_too_long = retry_after is not None and retry_after > LONGEST_RETRY_AFTER_SECONDS and not self.is_persistent
        seconds, left = self.seconds_before_next(attempt, exc), self.deadline.remaining()
        if retry_after is None and left > LAST_ATTEMPT_SECONDS:
            # only our own pause is shortened to meet the deadline, not the one that the server asks for
            seconds = min(seconds, left - LAST_ATTEMPT_SECONDS)
        if is_too_long or seconds >= left:
            if exc:
                # the temporary error lasted until the timeout
                exc.is_out_of_time = self.is_persistent
            if exc and retry_after is not None:
                than = "a task without wait may pause" if is_too_long else "the time that is left"
                exc.problem += f"; it asks to wait for {min(retry_after, 1e9):,.0f} s, longer than {than}"
            return False
        if retry_after is not None:
            self.report_pause(retry_after)
        if isinstance(exc, ThrottledError):
            self.traffic.hold(seconds)
        with self.traffic.repeating:
            self._clock.sleep(seconds)
        return True

    def seconds_before_next(self, attempt: int, exc: RequestError | None = None) -> float:
        """Return how long to pause before the next attempt: the time that the server asks for, or longer each time.

        :param attempt: number of attempts made so far, from 1.
        """
        if exc and exc.retry_after_seconds is not None:
            return exc.retry_after_seconds + self._jitter()
        base, ceiling = THROTTLED_SECONDS if isinstance(exc, ThrottledError) else BACK_OFF_SECONDS
        # full jitter: clients that failed at the same time must not return at the same time
        return self._jitter() * min(ceiling, base * BACK_OFF_GROWTH ** min(attempt, 16))

    def report_pause(self, seconds: float, limit: str = "") -> None:
        """Report a long pause that a limit requires, once for the task, or that the server asks for, once for each."""
        if seconds < SHOWN_RETRY_AFTER_SECONDS:
            return
        if self.traffic.is_first_pacing() if limit else self.traffic.is_new_pause(seconds):
            self._on_pause(seconds, limit)

    def _is_worth_repeating(self, exc: RequestError, attempt: int, *, is_repeatable: bool) -> bool:
        has_answered = self.traffic.has_answered
        if self.is_persistent and not is_repeatable:
            return False  # a long time may pass until it can be sent, so the use case decides again
        if isinstance(exc, ConnectError):
            may_pass = not isinstance(exc, TrustError) and (has_answered or not exc.is_permanent)
        elif isinstance(exc, BadAnswerError):
            # before the first good answer, the address is probably wrong; after it, the fault is probably temporary
            may_pass = is_repeatable and has_answered and not exc.is_permanent
        elif isinstance(exc, (LostAnswerError, ServerError)) or getattr(exc, "status", 0) == LOCK_STATUS:
            may_pass = is_repeatable
        else:
            may_pass = isinstance(exc, ThrottledError)
        return may_pass and (attempt <= self._retries or (self.is_persistent and has_answered))
