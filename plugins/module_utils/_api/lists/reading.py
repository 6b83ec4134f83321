# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Reading a list by several requests at a time."""

from __future__ import annotations

import itertools
import math
import threading
import typing as t

from ..decoding import Record
from ..errors import LostAnswerError, RequestError
from ..http import Response
from ..pace.clock import GRACE_SECONDS, Deadline
from .pages import (
    PAGE_SIZE,
    ListSource,
    Page,
    Position,
    check_number,
    first_position,
    next_position,
    page_position,
    total_of,
    unseen,
    wrong_successor,
)


class Reading:
    """One reading of a list, which yields each record once.

    Several pages at a time are asked for by their numbers, whichever way the first one was: a cursor is known only when
    the page before it has come, and with its order, newest first, numbers lead to the same pages.

    Threads wait for the network, and nothing else: Python runs one of them at a time anyway, and what was decoded a
    moment ago is quickly at hand.

    :param most_at_once: most requests at a time.
    :param most_records: how many records are certainly wanted; 0 for all. More are read when they are asked for.
    """

    def __init__(self, source: ListSource, *, most_at_once: int, most_records: int = 0) -> None:
        self._source = source
        self._most_at_once = most_at_once
        self._most_records = most_records
        # about a reading by several requests at a time: how many rows came, and how many of them once
        self._rows = 0
        self._count = 0
        # how many there are, as far as that is known when all have come
        self._total: int | None = None
        self._has_failed = False

    def __iter__(self) -> t.Iterator[Record]:
        if self._most_at_once == 1:
            yield from self._source.walk()
            return
        position = first_position(self._source.paging)
        first = self._source.read(position)
        if self._source.following(position, first) is None:
            yield from first[0]
            return
        try:
            for records in unseen(self._pages(first)):
                self._count += len(records)
                yield from records
        except RequestError:
            # perhaps GitLab counts no further, or a page has gone: the list is read again, where it may be the same
            # error, for good
            self._has_failed = True

    def is_exact(self) -> bool:
        """Return whether what was read is the list as it was: nothing has moved while several pages were read."""
        return not self._has_failed and self._rows == self._count and self._total in (None, self._count)

    def again(self) -> t.Iterator[Record]:
        """Yield the records of another reading, one page after the other, which misses none."""
        return self._source.walk()

    def _pages(self, first: Page) -> t.Iterator[list[Record]]:
        self._rows = len(first[0])
        yield first[0]
        answers = _Answers(
            self._source.ask,
            threads=self._most_at_once,
            last=_last_page(first),
            most_records=self._most_records,
            deadline=self._source.end,
        )
        try:
            for number in itertools.count(2):
                check_number(number)
                answer = answers.take(number)
                if answer is None:
                    self._total = total_of(first[1])
                    return
                page = self._source.read(page_position(number), answer)
                following = self._source.following(page_position(number), page)
                if following is None:
                    answers.end(number)
                elif int(following.get("page", number + 1)) != number + 1:
                    # pages by their numbers may never end then
                    raise wrong_successor(number, following)
                self._rows += len(page[0])
                yield page[0]
        finally:
            answers.end(0)


class _Answers:
    """Answers with the pages from the second one on, asked for by threads that run ahead of who takes them.

    The threads are daemons, for a worker of Ansible waits at its end for any other kind, whatever time the task has.

    :param last: the number of the last page, infinity when it is not known.
    """

    def __init__(
        self,
        ask: t.Callable[[Position], Response],
        *,
        threads: int,
        last: float,
        most_records: int,
        deadline: Deadline,
    ) -> None:
        self._ask = ask
        self._deadline = deadline
        self._changed = threading.Condition()
        self._ready: dict[int, Response | Exception] = {}
        self._next = 2
        self._last = last
        # no further than is wanted, and no more than twice the threads ahead of who takes them
        self._wanted = -(-most_records // PAGE_SIZE) if most_records else math.inf
        self._taken = 1
        self._window = 2 * threads
        for _number in range(max(1, min(threads, int(self._bound()) - 1))):
            threading.Thread(target=self._work, daemon=True).start()

    def take(self, number: int) -> Response | None:
        """Return the answer with a page, None after the last one.

        :raises RequestError: when there was none.
        """
        with self._changed:
            self._taken = number
            self._changed.notify_all()
            # what is read beyond the end, or goes wrong there, does not matter
            self._wait_for(lambda: number > self._last or number in self._ready)
            if number > self._last:
                return None
            answer = self._ready.pop(number, None)
        if answer is None:
            raise LostAnswerError(f"page {number} of the list did not come in time")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self, last: int) -> None:
        """Take note of the number of the last page; after 0 the threads end."""
        with self._changed:
            self._last = last
            self._changed.notify_all()

    def _wait_for(self, condition: t.Callable[[], bool]) -> None:
        self._changed.wait_for(condition, self._deadline.remaining() + GRACE_SECONDS)

    def _bound(self) -> float:
        """Return the number of the last page that may be fetched now."""
        return min(self._taken + self._window, self._last, max(self._wanted, self._taken))

    def _work(self) -> None:
        while True:
            with self._changed:
                self._wait_for(lambda: self._next > self._last or self._next <= self._bound())
                if self._next > self._bound():
                    return
                number = self._next
                self._next += 1
            answer, is_last = self._answer(number)
            with self._changed:
                self._ready[number] = answer
                if is_last:
                    self._last = min(self._last, number)
                self._changed.notify_all()

    def _answer(self, number: int) -> tuple[Response | Exception, bool]:
        """Return the answer with a page, or why there is none, and whether no further page is to be asked for."""
        position = page_position(number)
        try:
            answer = self._ask(position)
            # who takes the page counts its records; here only none are told from some, for a server without headers
            count = 0 if answer.body.strip() == b"[]" else PAGE_SIZE
            following = next_position(position, count, answer)
        except Exception as exc:  # raised again by who takes the page
            return exc, True
        return answer, following is None


def _last_page(first: Page) -> float:
    """Return the number of the last page, infinity when GitLab does not say, or says what cannot be."""
    last = -(-(total_of(first[1]) or 0) // len(first[0]))
    return last if last > 1 else math.inf
