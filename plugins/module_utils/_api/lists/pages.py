# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Walking over the pages of a list, the same for every server since 11.x: by Link, by X-Next-Page, by short page.

Totals are never relied on: newer servers send none. Rows pushed from one page to the next by new jobs come twice, so
records are told apart by their id. Source: https://docs.gitlab.com/api/rest/#pagination.
"""

from __future__ import annotations

import itertools
import re
import typing as t
from urllib.parse import parse_qs

from ..decoding import Record
from ..endpoints import Endpoint
from ..errors import BadAnswerError, UnsentError
from ..http import Response, number_in, resolve
from ..pace.clock import Deadline
from ..requester import Requester

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
Page = tuple[list[Record], Response]
# Told of a page of a list: the name of the endpoint, the number of the page, and how many there are, if known.
PageRead = t.Callable[[str, int, t.Optional[int]], None]


def first_position(paging: str, page_size: int = PAGE_SIZE) -> Position:
    """Return the paging arguments of the first request.

    Keyset is asked for where GitLab has it; a server that does not know it answers with ordinary pages.
    """
    position: Position = {"per_page": page_size}
    if paging == "keyset":
        position.update(pagination="keyset", order_by="id", sort="desc")
    return position


def next_position(current: Position, count: int, response: Response) -> Position | None:
    """Return the paging arguments of the next request, None after the last page.

    :param count: how many records this page held.
    :raises BadAnswerError: when the server names something else than a page as the next one.
    """
    if count == 0:
        return None
    link = re.search(_NEXT_LINK, response.header("link"), re.IGNORECASE)
    query = _query_of(link.group(1), response.url) if link else {}
    found = {name: query[name][0] for name in _POSITION_PARAMETERS if query.get(name)}
    if "cursor" in found or "id_after" in found or "id_before" in found:
        found.pop("page", None)
        return {**current, **found}
    following = response.header("x-next-page").strip(" ,")
    for text in (found.get("page", ""), following):
        number = number_in(text)
        if number is not None:
            return page_position(number, current["per_page"])
    if link or following:
        # a list is read whole, or it is an error
        raise BadAnswerError(f"the header {'X-Next-Page' if following else 'Link'} of the server names no next page")
    is_told = "x-next-page" in response.headers or re.search(_OTHER_LINK, response.header("link"), re.IGNORECASE)
    if "cursor" in current or is_told:
        return None
    # A proxy may have dropped the headers that tell. A full page may have a successor, so ask for it by number.
    size = number_in(response.header("x-per-page"))
    if count < min(current["per_page"], current["per_page"] if size is None else size):
        return None
    return page_position(int(current.get("page", 1)) + 1, current["per_page"])


def total_of(response: Response) -> int | None:
    """Return how many records the server says a list has, None when it does not say."""
    return number_in(response.header("x-total"))


def page_position(number: int, page_size: int = PAGE_SIZE) -> Position:
    """Return the paging arguments of a page by its number."""
    return {"per_page": page_size, "page": str(number)}


def walk(fetch: t.Callable[[Position], Page], paging: str, page_size: int = PAGE_SIZE) -> t.Iterator[Record]:
    """Yield every record of a list once, in the server's order, one page after the other.

    :param fetch: returns the records and the answer for paging arguments.
    :raises BadAnswerError: when the server leads in circles, or nowhere.
    """
    return itertools.chain.from_iterable(unseen(_walk_pages(fetch, first_position(paging, page_size))))


def unseen(pages: t.Iterable[list[Record]]) -> t.Iterator[list[Record]]:
    """Yield pages with each id once: rows that new ones push to the next page come twice.

    :raises BadAnswerError: for a page that holds nothing new, as all do of a server that does not heed their number.
    """
    seen: set[t.Any] = set()
    for number, records in enumerate(pages, 1):
        fresh = []
        for record in records:
            identity = record.get("id")
            if not isinstance(identity, (int, str)):
                fresh.append(record)
            elif identity not in seen:
                seen.add(identity)
                fresh.append(record)
        if records and not fresh:
            raise BadAnswerError(f"page {number} of the list holds only records of the pages before it")
        yield fresh


def _walk_pages(fetch: t.Callable[[Position], Page], first: Position) -> t.Iterator[list[Record]]:
    position: Position | None = first
    visited: set[frozenset[tuple[str, t.Any]]] = set()
    while position is not None:
        if frozenset(position.items()) in visited:
            raise BadAnswerError("the server names a page as the next one that it has given before")
        check_number(len(visited) + 1)
        visited.add(frozenset(position.items()))
        records, response = fetch(position)
        yield records
        following = next_position(position, len(records), response)
        number = int(position.get("page", 1))
        if following and int(following.get("page", 0)) > number + 1:
            # a list is read whole, or it is an error
            raise wrong_successor(number, following)
        position = following


def wrong_successor(number: int, following: Position) -> BadAnswerError:
    """Return the error for a server that names another page than the next one."""
    return BadAnswerError(f"the server names page {following['page']} as the one after page {number}")


def check_number(page: int) -> None:
    """Return if a list may have a page with this number.

    :raises BadAnswerError: when it does not end.
    """
    if page > MOST_PAGES:
        raise BadAnswerError(
            f"the list does not end within {MOST_PAGES} pages", advice="Choose a pipeline, or give a limit"
        )


def _query_of(link: str, base: str) -> dict[str, list[str]]:
    """Return the query of a link, empty for what is not an address."""
    try:
        return parse_qs(resolve(base, link).query)
    except ValueError:
        return {}


class ListSource:
    """Reads pages of one list of an endpoint, each request repeated as far as that makes sense."""

    def __init__(
        self, requester: Requester, endpoint: Endpoint, arguments: t.Mapping[str, t.Any], on_page: PageRead
    ) -> None:
        self._requester = requester
        self._endpoint = endpoint
        self._arguments = arguments
        self.paging: str = endpoint.paginated
        self._on_page = on_page
        self._pages = 0
        deadline = requester.retrier.deadline
        # no page takes long past the deadline, but there may be any number of them
        self.end = max(deadline, Deadline.after(LAST_LIST_SECONDS, deadline.clock), key=lambda end: end.at)

    def walk(self, page_size: int = PAGE_SIZE) -> t.Iterator[Record]:
        """Yield every record once, one page after the other."""
        self._pages = 0
        with self._requester.errors_of(self._endpoint, self._arguments):
            yield from walk(self.read, self.paging, page_size)

    def ask(self, position: Position) -> Response:
        """Return the answer with a page, not decoded."""
        arguments = self._arguments_of(position)
        return self._requester.retrier.run(lambda: self._requester.ask(self._endpoint, arguments), is_repeatable=True)

    def read(self, position: Position, answer: Response | None = None) -> Page:
        """Return a page.

        :param answer: what has been answered already; it is asked for anew if that cannot be used.
        """
        arguments = self._arguments_of(position)
        answers = iter((answer,))
        page = self._requester.retrier.run(
            lambda: self._requester.read(self._endpoint, arguments, next(answers, None)), is_repeatable=True
        )
        self._pages += 1
        # a list of one page is no long work, however often a wait reads it
        if self._pages > 1:
            total = total_of(page[1])
            last = None if total is None else -(-total // int(position["per_page"]))
            self._on_page(self._endpoint.name, self._pages, last)
        return page

    def following(self, position: Position, page: Page) -> Position | None:
        """Return the paging arguments of the page after one, None after the last page.

        :raises BadAnswerError: when the server says that there is one, and not which.
        """
        with self._requester.errors_of(self._endpoint, self._arguments):
            return next_position(position, len(page[0]), page[1])

    def _arguments_of(self, position: Position) -> dict[str, t.Any]:
        """Return the arguments of a request for a page.

        :raises UnsentError: when the list takes longer than the task may.
        """
        if self._pages and self.end.has_passed():
            raise UnsentError(
                "the list was not read to its end, since the time of the task is over", advice="Raise wait_timeout"
            )
        return {**self._arguments, **position}
