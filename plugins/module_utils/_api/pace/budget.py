# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""How many requests a task makes at a time."""

from __future__ import annotations

import contextlib
import threading
import typing as t

from ..clock import GRACE_SECONDS, Deadline
from ..errors import LostAnswerError, RequestError, ThrottledError, UnsentError

# One more at a time is allowed again after so many answers for each that is.
_ANSWERS_PER_STEP = 8


class RequestBudget:
    """Shared by all threads of a task.

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
