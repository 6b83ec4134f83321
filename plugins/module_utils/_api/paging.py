# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Lists, read one page after the other, the same for every server since 11.x (by Link, by X-Next-Page, by short page),
or by several requests at a time.

Totals are never relied on: newer servers send none. Rows pushed from one page to the next by new jobs come twice, so
records are told apart by their id. Source: https://docs.gitlab.com/api/rest/#pagination.
"""

from __future__ import annotations

import collections
import math
import re
import threading
import typing as t
from urllib.parse import parse_qs

from .decoding import Record
from .endpoints import Endpoint
from .errors import BadAnswerError, LostAnswerError, RequestError, UnsentError
from .http import Response, number_in, resolve
from .pace.clock import GRACE_SECONDS, Deadline
from .requester import Requester

PAGE_SIZE = 100
# A million records. A server that has more to say is asked by pipeline or with a limit, or it makes them up.
MOST_PAGES = 10_000

# A list that is begun when the time of the task is nearly over, to say how things stand, has so long.
LAST_LIST_SECONDS = 10.0

_NEXT_LINK = r"<([^<>]*)>\s*;[^,<]*\brel=\"?next\"?"
# One of the others that GitLab sends with pages by number; what a proxy adds, such as what to preload, tells nothing.
_OTHER_LINK = r"\brel=\"?(first|prev|last)\b"
# Of a link only these are used: its host may be another one, and the filters stay ours.
_POSITION_PARAMETERS = ("page", "cursor", "id_after", "id_before", "pagination")

Position = dict[str, t.Any]
# Told of a page of a list: the name of the endpoint, the number of the page, and how many there are, if known.
PageRead = t.Callable[[str, int, t.Optional[int]], None]
_T = t.TypeVar("_T")


def next_position(current: Position, count: int, response: Response) -> Position | None:
    """Return the paging arguments of the next request, None after the last page.

    :param count: how many records this page held.
    :raises BadAnswerError: when the server names something else as the next page: a list is read whole, or it is an
        error.
    """
    if count == 0:
        return None
    link = re.search(_NEXT_LINK, response.header("link"), re.IGNORECASE)
    query = _query_of(link.group(1), response.url) if link else {}
    found = {name: query[name][0] for name in _POSITION_PARAMETERS if query.get(name)}
    if "cursor" in found or "id_after" in found or "id_before" in found:
        found.pop("page", None)
        return {**current, **found}
    page = int(current.get("page", 1))
    following = response.header("x-next-page").strip(" ,")
    for number in (number_in(found.get("page", "")), number_in(following)):
        if number is not None:
            if number != page + 1:
                raise BadAnswerError(f"the server names page {number} as the one after page {page}")
            return page_position(number, current["per_page"])
    if link or following:
        raise BadAnswerError(f"the header {'X-Next-Page' if following else 'Link'} of the server names no next page")
    is_told = "x-next-page" in response.headers or re.search(_OTHER_LINK, response.header("link"), re.IGNORECASE)
    if "cursor" in current or is_told:
        return None
    # A proxy may have dropped the headers that tell. A full page may have a successor, so ask for it by number.
    size = number_in(response.header("x-per-page"))
    if count < min(current["per_page"], current["per_page"] if size is None else size):
        return None
    return page_position(page + 1, current["per_page"])


def total_of(response: Response) -> int | None:
    """Return how many records the server says a list has, None when it does not say."""
    return number_in(response.header("x-total"))


def page_position(number: int, page_size: int = PAGE_SIZE) -> Position:
    return {"per_page": page_size, "page": str(number)}


def _query_of(link: str, base: str) -> dict[str, list[str]]:
    """Return the query of a link, empty for what is not an address."""
    try:
        return parse_qs(resolve(base, link).query)
    except ValueError:
        return {}


def _unseen(records: list[Record], seen: set[t.Any]) -> list[Record]:
    """Return the records whose ids were not seen, which they are then: rows that new ones push on come twice."""
    fresh = []
    for record in records:
        identity = record.get("id")
        if not isinstance(identity, (int, str)):
            fresh.append(record)
        elif identity not in seen:
            seen.add(identity)
            fresh.append(record)
    return fresh


class PagedList:
    """One list of an endpoint, to be read once.

    :param on_page: is told of every page after the first: a list of one page is no long work.
    """

    def __init__(
        self, requester: Requester, endpoint: Endpoint, arguments: t.Mapping[str, t.Any], on_page: PageRead
    ) -> None:
        self._requester = requester
        self._endpoint = endpoint
        self._arguments = arguments
        self._on_page = on_page
        deadline = requester.retrier.deadline
        # no page takes long past the deadline, but there may be any number of them
        self._end = max(deadline, Deadline.after(LAST_LIST_SECONDS, deadline.clock), key=lambda end: end.at)
        # whether what was read is the list as it was: nothing has moved while several pages were read
        self._is_exact = True

    def walk(
        self, page_size: int = PAGE_SIZE, *, most_at_once: int = 1, most_pages: float = math.inf
    ) -> t.Iterator[Record]:
        """Yield every record once, in the order of the server.

        :param most_at_once: how many pages to ask for at a time; between several something may move unseen.
        :param most_pages: how many are certainly wanted.
        """
        with self._requester.errors_of(self._endpoint, self._arguments):
            for records in self._pages(page_size, most_at_once, most_pages):
                yield from records

    def read_ahead(self, make: t.Callable[[t.Iterator[Record]], _T], *, most_at_once: int, most_records: int = 0) -> _T:
        """Return what is made of all records, which are read by several requests at a time.

        It is made of another reading, one page after the other, which misses none, when something has moved meanwhile.

        :param most_at_once: most requests at a time.
        :param most_records: how many records are certainly wanted; 0 for all. More are read when they are taken.
        """
        if most_at_once == 1:
            return make(self.walk())
        made = make(self._ahead(most_at_once, -(-most_records // PAGE_SIZE) or math.inf))
        return made if self._is_exact else make(self.walk())

    def _ahead(self, most_at_once: int, most_pages: float) -> t.Iterator[Record]:
        has_begun = False
        try:
            for record in self.walk(most_at_once=most_at_once, most_pages=most_pages):
                has_begun = True
                yield record
        except RequestError:
            if not has_begun:
                raise
            # perhaps GitLab counts no further, or a page has gone: the list is read again, where it may be the same
            # error, for good
            self._is_exact = False

    def _pages(self, page_size: int, most_at_once: int, most_pages: float) -> t.Iterator[list[Record]]:
        """Yield the new records of each page.

        Several pages at a time are asked for by their numbers, whichever way the first one was: a cursor is known only
        when the page before it has come, and with its order, newest first, numbers lead to the same pages.
        """
        position: Position = {"per_page": page_size}
        if self._endpoint.paginated == "keyset":
            # a server that does not know it answers with ordinary pages
            position.update(pagination="keyset", order_by="id", sort="desc")
        ahead: collections.deque[_Asked] = collections.deque()
        seen: set[t.Any] = set()
        total = pages = None
        count = 0
        for number in range(1, MOST_PAGES + 1):
            if number > 1 and self._end.has_passed():
                raise UnsentError(
                    "the list was not read to its end, since the time of the task is over", advice="Raise wait_timeout"
                )
            answer = ahead.popleft().answer(self._end) if ahead else None
            records, response = self._requester.read(self._endpoint, {**self._arguments, **position}, answer)
            fresh = _unseen(records, seen)
            if records and not fresh:
                # as all are of a server that does not heed their number
                raise BadAnswerError(f"page {number} of the list holds only records of the pages before it")
            count += len(fresh)
            self._is_exact = self._is_exact and len(fresh) == len(records)
            if number == 1:
                total = total_of(response)
                pages = -(-total // len(records)) if total and records else None
            else:
                self._on_page(self._endpoint.name, number, pages)
            # who has enough of them does not mind what the server says about the next page
            yield fresh
            following = next_position(position, len(records), response)
            if following and most_at_once > 1:
                # a total that cannot be is not believed
                most = min(number + most_at_once, most_pages, pages if pages and pages > number else math.inf)
                while number + len(ahead) < most and not any(asked.is_last for asked in ahead):
                    ahead.append(_Asked(self._ask, page_position(number + len(ahead) + 1)))
            if following is None:
                self._is_exact = self._is_exact and (number == 1 or total in (None, count))
                return
            position = following if most_at_once == 1 else page_position(number + 1)
        raise BadAnswerError(
            f"the list does not end within {MOST_PAGES} pages", advice="Choose a pipeline, or give a limit"
        )

    def _ask(self, position: Position) -> Response:
        return self._requester.ask(self._endpoint, {**self._arguments, **position})


class _Asked(threading.Thread):
    """A page that is asked for while others are read.

    Threads wait for the network, and nothing else: Python runs one of them at a time anyway, and what was decoded a
    moment ago is quickly at hand. They are daemons, for a worker of Ansible waits at its end for any other kind,
    whatever time the task has.

    `is_last` is true when it is known that no page comes after it, and after an error.
    """

    def __init__(self, ask: t.Callable[[Position], Response], position: Position) -> None:
        super().__init__(daemon=True)
        self._ask = ask
        self._position = position
        self._answer: Response | Exception | None = None
        self.is_last = False
        self.start()

    def run(self) -> None:
        try:
            answer = self._ask(self._position)
            # who takes the page counts its records; here only none are told from some, for a server without headers
            count = 0 if answer.body.strip() == b"[]" else PAGE_SIZE
            self.is_last = next_position(self._position, count, answer) is None
            self._answer = answer
        except Exception as exc:  # raised again by who takes the page
            self._answer, self.is_last = exc, True

    def answer(self, deadline: Deadline) -> Response:
        """Return the answer.

        :raises RequestError: when there is none.
        """
        self.join(deadline.remaining() + GRACE_SECONDS)
        if self._answer is None:
            raise LostAnswerError("a page of the list did not come in time")
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer
