# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Several pages of a list at a time, with records in the server's order, and a check that nothing has moved meanwhile.

Pages by number are a moving target: a new job pushes rows to the next page, and who reads a later page before an
earlier one can miss a row. No request is needed to notice that. The first page is read before all others, so when any
page was read after a new job came, some page was read before it and the next one after it, and these two share a row.
As long as no row came twice, and there are as many as the first page said, if it did, nothing was missed. Otherwise the
list is read again, page after page. (A row that leaves its scope while it is read can hide another one, as it does for
everybody who reads pages by number.)
"""

from __future__ import annotations

import contextlib
import gc
import threading
import typing as t

from .errors import RequestError
from .http import Response
from .pagination import PAGE_SIZE, Page, Position, first_position, next_position, page_position, total_of, unseen, walk

Record = dict[str, t.Any]

# Who waits less than this for a page gains nothing by asking for several: the work on them is what takes the time.
_WORTHWHILE_SECONDS = 0.005
# Of a page this is the least that decoding takes; it keeps a server without any delay from getting many connections.
_LEAST_WORK_SECONDS = 0.0005
# GitLab.com refuses to count further than 50,000 rows. A list that long is read by cursor.
LAST_PAGE = 500


class Source(t.Protocol):
    """Where the pages of a list come from."""

    def ask(self, position: Position) -> Response:
        """Return the answer for paging arguments, not decoded; called by several threads."""

    def read(self, position: Position, answer: Response | None = None) -> Page:
        """Return the records and the answer for paging arguments.

        :param answer: what was answered already.
        """


class Reading:
    """One reading of a list, which yields each record once.

    Threads wait for the network, and nothing else: Python runs one of them at a time anyway, and what was decoded a
    moment ago is quickly at hand.

    :param paging: of the endpoint.
    :param most_at_once: most requests at a time.
    :param most_records: how many records are certainly wanted; 0 for all. More are read when they are asked for.
    :param timed: returns the seconds that the last request took from sending to the answer, and the time now.
    """

    def __init__(
        self,
        source: Source,
        paging: str,
        *,
        most_at_once: int,
        most_records: int = 0,
        timed: t.Callable[[], tuple[float, float]],
    ) -> None:
        self._source = source
        self._paging = paging
        self._most_at_once = most_at_once
        self._most_records = most_records
        self._timed = timed
        # about a reading by several requests at a time: how many rows came, and how many of them once
        self._rows = 0
        self._count = 0
        # how many there are, as far as that is known when all have come
        self._total: int | None = None
        self._has_failed = False

    def __iter__(self) -> t.Iterator[Record]:
        position = first_position(self._paging)
        started = self._timed()[1]
        first = self._source.read(position)
        if next_position(position, len(first[0]), first[1]) is None:
            yield from first[0]
            return
        # for a single further page there is nothing to do at the same time
        threads = 1 if _last_page(first) == 2 else self._threads(started)
        with _collector_paused():
            if threads < 2:
                yield from walk(self._source.read, self._paging, first=first)
                return
            for records in unseen(self._pages(first, threads)):
                self._count += len(records)
                yield from records

    def is_exact(self) -> bool:
        """Return whether what was read is the list as it was: nothing has moved while several pages were read."""
        return not self._has_failed and self._rows == self._count and self._total in (None, self._count)

    # ----- pages -----

    def _threads(self, started: float) -> int:
        """Return how many requests at a time make sense: as many as can be worked on while one is waited for."""
        waited, now = self._timed()
        if waited < _WORTHWHILE_SECONDS:
            return 1
        worked = max(now - started - waited, _LEAST_WORK_SECONDS)
        # the first page takes longer to work on than those that follow it
        return min(self._most_at_once, 1 + int(3 * waited / worked))

    def _pages(self, first: Page, threads: int) -> t.Iterator[list[Record]]:
        self._rows = len(first[0])
        yield first[0]
        answers = _Answers(self._source.ask, threads=threads, first=first, most_records=self._most_records)
        try:
            number = 2
            while True:
                answer = answers.take(number)
                if answer is None:
                    self._total = total_of(first[1])
                    return
                position = page_position(number)
                records, answer = self._source.read(position, answer)
                if next_position(position, len(records), answer) is None:
                    answers.end(number)
                self._rows += len(records)
                yield records
                number += 1
        except RequestError:
            # perhaps GitLab counts no further, or a page has gone: the list is read again, where it may be the same
            # error, for good
            self._has_failed = True
        finally:
            answers.end(0)


@contextlib.contextmanager
def _collector_paused() -> t.Iterator[None]:
    """Keep Python from looking for garbage in cycles: records have none, and for a long list it would look for them
    again and again in all that came before.

    Nor does it look through them afterwards, which takes as long as decoding them did. What is freed by counting
    references, as records are, is freed as ever; and the process ends with its task.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.enable()


class _Answers:
    """Answers with the pages from the second one on, asked for by threads that run ahead of who takes them.

    The threads are daemons, for a worker of Ansible waits at its end for any other kind, whatever time the task has.
    """

    def __init__(self, ask: t.Callable[[Position], Response], *, threads: int, first: Page, most_records: int) -> None:
        self._ask = ask
        self._changed = threading.Condition()
        self._ready: dict[int, Response | Exception] = {}
        self._next = 2
        # pages up to this one are there, as far as is known; None when it is not known
        self._last = _last_page(first)
        # no further than is wanted, and no more than twice the threads ahead of who takes them
        self._wanted = -(-most_records // PAGE_SIZE) if most_records else None
        self._taken = 1
        self._window = 2 * threads
        most = min(threads, self._bound() - 1)
        for _number in range(max(1, most)):
            threading.Thread(target=self._work, daemon=True).start()

    def take(self, number: int) -> Response | None:
        """Return the answer with a page, None after the last one.

        :raises RequestError: when there was none.
        """
        with self._changed:
            self._taken = number
            self._changed.notify_all()
            while self._last is None or number <= self._last:
                if number in self._ready:
                    break
                self._changed.wait()
            else:
                return None  # what was read beyond the end, or went wrong there, does not matter
            answer = self._ready.pop(number)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self, last: int) -> None:
        """Take note of the number of the last page; after 0 the threads end."""
        with self._changed:
            self._last = last
            self._changed.notify_all()

    def _bound(self) -> int:
        """Return the number of the last page that may be fetched now."""
        bounds = [self._taken + self._window, LAST_PAGE + 1]
        if self._last is not None:
            bounds.append(self._last)
        if self._wanted is not None:
            bounds.append(max(self._wanted, self._taken))
        return min(bounds)

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._next > self._bound():
                    if self._last is not None and self._next > self._last:
                        return
                    self._changed.wait()
                number = self._next
                self._next += 1
            answer, is_last = self._answer(number)
            with self._changed:
                self._ready[number] = answer
                if is_last and (self._last is None or number < self._last):
                    self._last = number
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


def _last_page(first: Page) -> int | None:
    """Return the number of the last page, None when GitLab does not say, or says what cannot be."""
    total = total_of(first[1])
    last = None if total is None else -(-total // len(first[0]))
    return last if last and last > 1 else None
