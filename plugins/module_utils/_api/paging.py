# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Pagination for every server since 11.x: by Link, by X-Next-Page, or until a page is short; page by page, or by
several requests at a time.

Totals are never relied on, because newer servers do not send them. New jobs push records to the next page, which then
come twice, so records are identified by their id. Source: https://docs.gitlab.com/api/rest/#pagination.
"""

from __future__ import annotations

import collections
import math
import re
import typing as t
from urllib.parse import parse_qs

from .decoding import Record
from .endpoints import Endpoint
from .errors import BadAnswerError, LostAnswerError, RequestError, UnsentError
from .http import Response, number_in, resolve
from .pace.clock import GRACE_SECONDS, Deadline
from .pace.threads import started
from .requester import Requester

PAGE_SIZE = 100
# A million records. For more, users can select a pipeline or set a limit; a list without end is an error of the server.
MAX_PAGES = 10_000

# Time for a list that is started shortly before the deadline of the task, to report the final state.
LAST_LIST_SECONDS = 10.0

_NEXT_LINK = r"<([^<>]*)>\s*;[^,<]*\brel=\"?next\"?"
# Other links that GitLab sends with offset pagination. Links that a proxy adds, such as preload, mean nothing here.
_OTHER_LINK = r"\brel=\"?(first|prev|last)\b"
# Only these parameters of a link are used: its host may be another one, and our filters stay the same.
_POSITION_PARAMETERS = ("page", "cursor", "id_after", "id_before", "pagination")

Position = dict[str, t.Any]
# Called with the name of the endpoint, the number of the page, and the number of pages, if known.
PageRead = t.Callable[[str, int, t.Optional[int]], None]
_T = t.TypeVar("_T")


def next_position(current: Position, count: int, response: Response) -> Position | None:
    """Return the paging arguments of the next request, None after the last page.

    :param count: how many records the current page has.
    :raises BadAnswerError: if the server returns another page as the next one: an incomplete list is an error.
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
                raise BadAnswerError(f"the server returns page {number} as the next page after page {page}")
            return page_position(number, current["per_page"])
    if link or following:
        raise BadAnswerError(f"the server's {'X-Next-Page' if following else 'Link'} header has no valid next page")
    has_headers = "x-next-page" in response.headers or re.search(_OTHER_LINK, response.header("link"), re.IGNORECASE)
    if "cursor" in current or has_headers:
        return None
    # A proxy may have removed the headers. A full page may have a next page, so request it by number.
    size = number_in(response.header("x-per-page"))
    if count < min(current["per_page"], current["per_page"] if size is None else size):
        return None
    return page_position(page + 1, current["per_page"])


def total_of(response: Response) -> int | None:
    """Return how many records a list has according to the server, None if it does not say."""
    return number_in(response.header("x-total"))


def page_position(number: int, page_size: int = PAGE_SIZE) -> Position:
    return {"per_page": page_size, "page": str(number)}


def _query_of(link: str, base: str) -> dict[str, list[str]]:
    """Return the query of a link, empty if it is not an address."""
    try:
        return parse_qs(resolve(base, link).query)
    except ValueError:
        return {}


def _unseen(records: list[Record], seen: set[t.Any]) -> list[Record]:
    """Return the records whose ids are not in `seen`, and add them: records that new ones push on come twice."""
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
    """One list of an endpoint, which can be read once.

    :param on_page: called for every page after the first: a list of one page needs no progress.
    """

    def __init__(
        self, requester: Requester, endpoint: Endpoint, arguments: t.Mapping[str, t.Any], on_page: PageRead
    ) -> None:
        self._requester = requester
        self._endpoint = endpoint
        self._arguments = arguments
        self._on_page = on_page
        deadline = requester.retrier.deadline
        # each page ends soon after the deadline, but there may be any number of pages
        self._end = max(deadline, Deadline.after(LAST_LIST_SECONDS, deadline.clock), key=lambda end: end.at)
        # whether the list did not change while several pages were read
        self._is_exact = True

    def walk(
        self, page_size: int = PAGE_SIZE, *, max_at_once: int = 1, needed_pages: float = math.inf
    ) -> t.Iterator[Record]:
        """Yield every record once, in the order of the server.

        :param max_at_once: how many pages to request at a time; with several, records may move between them unseen.
        :param needed_pages: how many pages are certainly needed.
        """
        with self._requester.errors_of(self._endpoint, self._arguments):
            for records in self._pages(page_size, max_at_once, needed_pages):
                yield from records

    def read_ahead(
        self, make: t.Callable[[t.Iterator[Record]], _T], *, max_at_once: int, needed_records: int = 0
    ) -> _T:
        """Return what `make` returns for all records, which are read by several requests at a time.

        If records moved meanwhile, read the list again page by page, which misses no record.

        :param max_at_once: maximum number of requests at a time.
        :param needed_records: how many records are certainly needed; 0 for all. More are read on demand.
        """
        if max_at_once == 1:
            return make(self.walk())
        made = make(self._ahead(max_at_once, -(-needed_records // PAGE_SIZE) or math.inf))
        return made if self._is_exact else make(self.walk())

    def _ahead(self, max_at_once: int, needed_pages: float) -> t.Iterator[Record]:
        has_begun = False
        try:
            for record in self.walk(max_at_once=max_at_once, needed_pages=needed_pages):
                has_begun = True
                yield record
        except RequestError:
            if not has_begun:
                raise
            # GitLab may have reached its offset limit, or a page may have gone: the list is read again, and if the
            # error is permanent, it happens again
            self._is_exact = False

    def _pages(self, page_size: int, max_at_once: int, needed_pages: float) -> t.Iterator[list[Record]]:
        """Yield the new records of each page.

        Several pages at a time are requested by number, even if the first one had a cursor: a cursor is known only
        after the page before it, and in the same order, newest first, numbers lead to the same pages.
        """
        position: Position = {"per_page": page_size}
        if self._endpoint.paginated == "keyset":
            # servers without keyset pagination answer with offset pagination
            position.update(pagination="keyset", order_by="id", sort="desc")
        ahead: collections.deque[_PageRequest] = collections.deque()
        seen: set[t.Any] = set()
        total = pages = None
        count = 0
        for number in range(1, MAX_PAGES + 1):
            if number > 1 and self._end.has_passed():
                raise UnsentError(
                    "the list was not read to its end, because the task timed out", advice="Raise wait_timeout"
                )
            answer = ahead.popleft().answer(self._end) if ahead else None
            records, response = self._requester.read(self._endpoint, {**self._arguments, **position}, answer)
            fresh = _unseen(records, seen)
            if records and not fresh:
                # a server that ignores the number always returns the same page
                raise BadAnswerError(f"page {number} of the list contains only records of the pages before it")
            count += len(fresh)
            self._is_exact = self._is_exact and len(fresh) == len(records)
            if number == 1:
                total = total_of(response)
                pages = -(-total // len(records)) if total and records else None
            else:
                self._on_page(self._endpoint.name, number, pages)
            # yield before looking at the next page: the caller may have enough records
            yield fresh
            following = next_position(position, len(records), response)
            if following and max_at_once > 1:
                # ignore an impossible total
                last = min(number + max_at_once, needed_pages, pages if pages and pages > number else math.inf)
                while number + len(ahead) < last and not any(request.is_last for request in ahead):
                    ahead.append(_PageRequest(self._ask, page_position(number + len(ahead) + 1)))
            if following is None:
                self._is_exact = self._is_exact and (number == 1 or total in (None, count))
                return
            position = following if max_at_once == 1 else page_position(number + 1)
        raise BadAnswerError(
            f"the list does not end within {MAX_PAGES} pages", advice="Select a pipeline, or set limit"
        )

    def _ask(self, position: Position) -> Response:
        return self._requester.ask(self._endpoint, {**self._arguments, **position})


class _PageRequest:
    """A page that is requested while others are read.

    These threads only wait for the network: Python runs one thread at a time anyway, and records that were decoded just
    now are still in the processor's cache. Without a thread, the page is requested when it is needed.

    `is_last` is true if no page comes after it, and after an error.
    """

    def __init__(self, ask: t.Callable[[Position], Response], position: Position) -> None:
        self._ask = ask
        self._position = position
        self._answer: Response | Exception | None = None
        self.is_last = False
        self._thread = started(self._run)

    def _run(self) -> None:
        try:
            answer = self._ask(self._position)
            # `_pages` counts the records; without headers, `next_position` only needs to know whether there are any
            count = 0 if answer.body.strip() == b"[]" else PAGE_SIZE
            self.is_last = next_position(self._position, count, answer) is None
            self._answer = answer
        except Exception as exc:  # `answer` raises it again
            self._answer, self.is_last = exc, True

    def answer(self, deadline: Deadline) -> Response:
        """Return the answer.

        :raises RequestError: if there is none.
        """
        if self._thread:
            self._thread.join(deadline.remaining() + GRACE_SECONDS)
        else:
            self._run()
        if self._answer is None:
            raise LostAnswerError("a page of the list did not arrive before the timeout")
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer
