# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The only way to the server: endpoint and arguments in, records or a typed error out."""

from __future__ import annotations

import copy
import typing as t

from .decoding import Record
from .endpoints import Endpoint
from .pace.looks import RecentReads
from .pace.retry import Retrier
from .paging import PAGE_SIZE, PagedList, PageRead, total_of
from .requester import Requester, Sink

_T = t.TypeVar("_T")


class ApiClient:
    """Calls endpoints of one GitLab server; a request is repeated as far as that is safe and makes sense.

    What asks the server raises a `RequestError` when that fails for good.

    :param on_page: is told of every page of a list after the first.
    """

    def __init__(self, requester: Requester, endpoints: t.Mapping[str, Endpoint], on_page: PageRead) -> None:
        self.settings = requester.settings
        self.masker = requester.masker
        self.retrier = requester.retrier
        self.traffic = requester.retrier.traffic
        self._on_page = on_page
        self._requester = requester
        self._endpoints = endpoints
        # answers that looks at the same things share, also with those of other clients; None when each reads for itself
        self.recent: RecentReads | None = None

    def with_retrier(self, retrier: Retrier) -> ApiClient:
        """Return a client that shares everything but how requests are repeated, and until when."""
        other = copy.copy(self)
        other.retrier, other._requester = retrier, self._requester.with_retrier(retrier)
        return other

    def name_project(self, project_id: str, called: str) -> None:
        """Take note of what the user calls a project, whose id requests use from now on."""
        if called != project_id:
            self._requester.project_names[project_id] = called

    def project_called(self, project: str) -> str:
        """Return what the user calls a project, as far as that is known."""
        return self._requester.project_names.get(project, project)

    def call(self, name: str, **arguments: t.Any) -> t.Any:
        """Return the record of an endpoint (or its text, its bytes, or None, as the catalogue says)."""
        endpoint = self._endpoints[name]
        if endpoint.method == "GET":
            return self._shared(name, arguments, lambda: self._requester.read(endpoint, arguments))[0]
        try:
            return self._requester.read(endpoint, arguments)[0]
        finally:
            if self.recent:
                self.recent.forget()

    def _shared(self, name: str, arguments: t.Mapping[str, t.Any], read: t.Callable[[], _T]) -> _T:
        """Return what a read returns, or has returned to another look a moment ago."""
        return self.recent.read((name, repr(sorted(arguments.items()))), read) if self.recent else read()

    def iterate(self, name: str, *, page_size: int = PAGE_SIZE, **arguments: t.Any) -> t.Iterator[Record]:
        """Yield every record of a list once, fetching pages as they are needed.

        :param page_size: records per request, 100 at most.
        """
        return self._list(name, arguments).walk(page_size)

    def list_all(self, name: str, **arguments: t.Any) -> list[Record]:
        """Return every record of a list, read by several requests at a time where there are many."""
        return list(self._shared(name, arguments, lambda: self.read_ahead(name, list, **arguments)))

    def made_of_all(
        self, name: str, make: t.Callable[[t.Iterator[Record]], _T], *, key: t.Hashable, **arguments: t.Any
    ) -> _T:
        """Return what is made of a whole list, once for all looks that share it; see `read_ahead`.

        :param key: what it depends on besides the list.
        """
        return self._shared(name, {**arguments, "": key}, lambda: self.read_ahead(name, make, **arguments))

    def read_ahead(
        self, name: str, make: t.Callable[[t.Iterator[Record]], _T], *, most_records: int = 0, **arguments: t.Any
    ) -> _T:
        """Return what is made of a list, read by several requests at a time; see `PagedList.read_ahead`.

        A list by cursor that has a scope is read one page after the other: jobs leave a scope while it is read, which
        nothing at its beginning tells.
        """
        is_moving = self._endpoints[name].paginated == "keyset" and arguments.get("scope")
        most_at_once = 1 if is_moving else self.settings.concurrency
        return self._list(name, arguments).read_ahead(make, most_at_once=most_at_once, most_records=most_records)

    def count(self, name: str, **arguments: t.Any) -> int | None:
        """Return how many records a list has, None where the server does not tell: one request for one record."""
        single = {**arguments, "per_page": 1}
        records, response = self._shared(name, single, lambda: self._requester.read(self._endpoints[name], single))
        total = total_of(response)
        # what the page contradicts was not counted for this list
        return None if total is None or bool(total) != bool(records) else total

    def download(
        self, name: str, sink: Sink, *, repeats: bool = True, any_time: bool = False, **arguments: t.Any
    ) -> None:
        """Write the body of an answer to a sink, in constant memory.

        :param repeats: whether it begins again after a fault that may pass.
        :param any_time: whether it may take longer than the task, as long as bytes keep coming.
        """
        endpoint = self._endpoints[name]

        def once() -> None:
            self._requester.download(endpoint, sink, arguments, any_time=any_time)

        if repeats:
            self.retrier.run(once, is_repeatable=True)
        else:
            once()

    def _list(self, name: str, arguments: t.Mapping[str, t.Any]) -> PagedList:
        return PagedList(self._requester, self._endpoints[name], arguments, self._on_page)
