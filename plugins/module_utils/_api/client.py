# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The client of the API: takes an endpoint and its arguments, returns records or raises a typed error."""

from __future__ import annotations

import copy
import typing as t

from .decoding import Record
from .endpoints import Endpoint
from .pace.polls import RecentReads
from .pace.retry import Retrier
from .paging import PAGE_SIZE, PagedList, PageRead, total_of
from .requester import Requester, Sink

_T = t.TypeVar("_T")


class ApiClient:
    """A client of one GitLab server; it repeats requests while that is safe and useful.

    Methods that send requests raise `RequestError` if repeating does not help.

    :param begin_list: called for each list; returns what is called for every page after the first.
    """

    def __init__(
        self, requester: Requester, endpoints: t.Mapping[str, Endpoint], begin_list: t.Callable[[], PageRead]
    ) -> None:
        self.settings = requester.settings
        self.masker = requester.masker
        self.retrier = requester.retrier
        self.traffic = requester.retrier.traffic
        self._begin_list = begin_list
        self._requester = requester
        self._endpoints = endpoints
        # answers that polls share, also with other clients; None if they share nothing
        self.recent: RecentReads | None = None

    def with_retrier(self, retrier: Retrier) -> ApiClient:
        """Return a client that shares everything except the retrier."""
        other = copy.copy(self)
        other.retrier, other._requester = retrier, self._requester.with_retrier(retrier)
        return other

    def name_project(self, project_id: str, called: str) -> None:
        """Remember the user's name for a project, because requests use its id from now on."""
        if called != project_id:
            self._requester.project_names[project_id] = called

    def project_called(self, project: str) -> str:
        """Return the user's name for a project, if it is known."""
        return self._requester.project_names.get(project, project)

    def call(self, name: str, **arguments: t.Any) -> t.Any:
        """Return the record of an endpoint, or its text, its bytes or None, as defined in the catalogue."""
        endpoint = self._endpoints[name]
        if endpoint.method == "GET":
            return self._shared(name, arguments, lambda: self._requester.read(endpoint, arguments))[0]
        try:
            return self._requester.read(endpoint, arguments)[0]
        finally:
            if self.recent:
                self.recent.forget()

    def _shared(self, name: str, arguments: t.Mapping[str, t.Any], read: t.Callable[[], _T]) -> _T:
        """Return the result of a read, or the result that another poll got a moment ago."""
        return self.recent.read((name, repr(sorted(arguments.items()))), read) if self.recent else read()

    def iterate(self, name: str, *, page_size: int = PAGE_SIZE, **arguments: t.Any) -> t.Iterator[Record]:
        """Yield every record of a list once, fetching pages as they are needed.

        :param page_size: records per request, at most 100.
        """
        return self._list(name, arguments).walk(page_size)

    def list_all(self, name: str, **arguments: t.Any) -> list[Record]:
        """Return every record of a list; long lists are read by several requests at a time."""
        return list(self._shared(name, arguments, lambda: self.read_ahead(name, list, **arguments)))

    def build_from_all(
        self, name: str, make: t.Callable[[t.Iterator[Record]], _T], *, key: t.Hashable, **arguments: t.Any
    ) -> _T:
        """Return what `make` returns for a whole list, once for all polls that share the list; see `read_ahead`.

        :param key: what the result depends on in addition to the list.
        """
        return self._shared(name, {**arguments, "": key}, lambda: self.read_ahead(name, make, **arguments))

    def read_ahead(
        self, name: str, make: t.Callable[[t.Iterator[Record]], _T], *, needed_records: int = 0, **arguments: t.Any
    ) -> _T:
        """Return what `make` returns for a list, read by several requests at a time; see `PagedList.read_ahead`.

        A list with keyset pagination and a scope is read page by page: jobs may leave the scope meanwhile, which the
        first page does not show.
        """
        is_moving = self._endpoints[name].paginated == "keyset" and arguments.get("scope")
        max_at_once = 1 if is_moving else self.settings.concurrency
        return self._list(name, arguments).read_ahead(make, max_at_once=max_at_once, needed_records=needed_records)

    def count(self, name: str, **arguments: t.Any) -> int | None:
        """Return how many records a list has, with one request for one record; None if the server does not say."""
        single = {**arguments, "per_page": 1}
        records, response = self._shared(name, single, lambda: self._requester.read(self._endpoints[name], single))
        total = total_of(response)
        # a total that contradicts the page is wrong
        return None if total is None or bool(total) != bool(records) else total

    def download(
        self, name: str, sink: Sink, *, repeats: bool = True, any_time: bool = False, **arguments: t.Any
    ) -> None:
        """Write the body of an answer to a sink, in constant memory.

        :param repeats: whether to start again after a temporary error.
        :param any_time: whether it may continue past the deadline while bytes keep coming.
        """
        endpoint = self._endpoints[name]

        def once() -> None:
            self._requester.download(endpoint, sink, arguments, any_time=any_time)

        if repeats:
            self.retrier.run(once, is_repeatable=True)
        else:
            once()

    def _list(self, name: str, arguments: t.Mapping[str, t.Any]) -> PagedList:
        return PagedList(self._requester, self._endpoints[name], arguments, self._begin_list())
