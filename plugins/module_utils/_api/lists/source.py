# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The pages of one list of an endpoint, each request repeated as far as that makes sense."""

from __future__ import annotations

import typing as t

from ..clock import Deadline
from ..decoding import Record
from ..endpoints import Endpoint
from ..errors import UnsentError
from ..http import Response
from ..requester import Requester
from .pages import PAGE_SIZE, Page, Position, next_position, total_of, walk

# Told of a page of a list: the name of the endpoint, the number of the page, and how many there are, if known.
PageRead = t.Callable[[str, int, t.Optional[int]], None]

# A list that is begun when the time of the task is nearly over, to say how things stand, has so long.
LAST_LIST_SECONDS = 10.0


class ListSource:
    """Reads pages of one list by their paging arguments.

    :param on_page: is told of every page after the first.
    """

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
