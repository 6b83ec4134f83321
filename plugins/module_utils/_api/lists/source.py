# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The pages of one list of an endpoint, each request repeated as far as that makes sense."""

from __future__ import annotations

import typing as t

from ..decoding import Record
from ..endpoints import Endpoint
from ..http import Response
from ..libraries import fast_json_loads
from ..requester import Requester
from .pages import PAGE_SIZE, Page, Position, total_of, walk

# Told of every page of a list: the name of the endpoint, the number of the page, and how many there are, if known.
PageRead = t.Callable[[str, int, t.Optional[int]], None]


class ListSource:
    """Reads pages of one list by their paging arguments.

    :param on_page: is told of every page after the first; None when nobody wants to know.
    """

    def __init__(
        self, requester: Requester, endpoint: Endpoint, arguments: t.Mapping[str, t.Any], on_page: PageRead | None
    ) -> None:
        self._requester = requester
        self._endpoint = endpoint
        self._arguments = arguments
        self.paging: str = endpoint.paginated
        self._on_page = on_page
        self._pages = 0

    def walk(self, page_size: int = PAGE_SIZE, *, first: Page | None = None) -> t.Iterator[Record]:
        """Yield every record once, one page after the other."""
        with self._requester.errors_of(self._endpoint, self._arguments):
            yield from walk(self.read, self.paging, page_size, first=first)

    def ask(self, position: Position) -> Response:
        """Return the answer with a page, not decoded."""
        arguments = {**self._arguments, **position}
        return self._requester.retrier.run(lambda: self._requester.ask(self._endpoint, arguments), is_repeatable=True)

    def read(self, position: Position, answer: Response | None = None) -> Page:
        """Return a page.

        :param answer: what has been answered already; it is asked for anew if that cannot be used.
        """
        answers = [answer] if answer else []
        arguments = {**self._arguments, **position}

        def attempt() -> Page:
            answered = answers.pop() if answers else None
            return self._requester.read(self._endpoint, arguments, fast_json_loads(), answered)

        page = self._requester.retrier.run(attempt, is_repeatable=True)
        self._pages += 1
        # a list of one page is no long work, however often a wait reads it
        if self._on_page and self._pages > 1:
            total = total_of(page[1])
            last = None if total is None else -(-total // int(position["per_page"]))
            self._on_page(self._endpoint.name, self._pages, last)
        return page
