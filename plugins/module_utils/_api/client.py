# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The only way to the server: endpoint and arguments in, records or a typed error out."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import re
import typing as t
from urllib.parse import urlsplit

from . import decoding
from .advice import advice_for
from .clock import Clock
from .connection import ConnectionSettings
from .endpoints import Endpoint, subject_of
from .errors import (
    BadAnswerError,
    GitLabError,
    LostAnswerError,
    NotFoundError,
    RequestError,
    UsageError,
    status_error_class,
)
from .http import Answer, Request, Response, origin_of, send_following
from .libraries import fast_json_loads
from .lists import PAGE_SIZE, Page, Position, Reading, total_of, walk
from .masking import Masker
from .pace.retry import LONGEST_WISH_SECONDS, RequestBudget, Retrier, server_wish_seconds
from .transport import (
    CHUNK_BYTES,
    LONGEST_ERROR_BYTES,
    SLOWEST_ANSWER,
    ByteStream,
    StreamingTransport,
    Transport,
    WholeBody,
)

# How long past the deadline of a task a request may last; one that begins later, to say how things stand, has at least
# the shortest time.
_GRACE_SECONDS = 1.0
_SHORTEST_TIMEOUT_SECONDS = 0.5
# The longest bodies that are read whole, by what they hold. A job is some kilobytes, and a hundred times that if its
# commit has a long message; a log has 100 MB at the most unless its server was told otherwise. What is answered to a
# request for nothing is not looked at. Downloads have no limit: they pass through.
_MEBIBYTE = 1024 * 1024
_MOST_BYTES: t.Mapping[str, int] = {
    "record": 8 * _MEBIBYTE,
    "records": 32 * _MEBIBYTE,
    "text": 128 * _MEBIBYTE,
    "bytes": 128 * _MEBIBYTE,
    "nothing": 8 * _MEBIBYTE,
}
_A = t.TypeVar("_A", bound=Answer)

_MOVED_TO = r"/projects/(\d+)(?:/|$)"


# Told of every page of a list: the name of the endpoint, the number of the page, and how many there are, if known.
PageRead = t.Callable[[str, int, t.Optional[int]], None]
# Told of every request: what was sent, the status of the answer or None, and the seconds it took.
RequestFinished = t.Callable[[Request, t.Optional[int], float], None]


class Sink(t.Protocol):
    """Where a download goes."""

    def restart(self) -> None:
        """Forget what was written: the download begins, or begins again."""

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the answer."""


class ApiClient:
    """Calls endpoints of one GitLab server.

    :param masker: knows the secrets; no text leaves this class without passing it.
    :param on_finished: is told of every request; None when nobody wants to know.
    :param warn: is told what went wrong without mattering to the result.
    :param on_page: is told of every page of a list; None when nobody wants to know.
    """

    def __init__(
        self,
        *,
        settings: ConnectionSettings,
        transport: Transport,
        endpoints: t.Mapping[str, Endpoint],
        on_finished: RequestFinished | None,
        retrier: Retrier,
        masker: Masker,
        clock: Clock,
        warn: t.Callable[[str], None],
        on_page: PageRead | None = None,
    ) -> None:
        self.on_page = on_page
        self.settings = settings
        self.masker = masker
        self.retrier = retrier
        self._transport = transport
        self._endpoints = endpoints
        self._on_finished = on_finished
        self._clock = clock
        self._warn = warn
        self._budget = RequestBudget(settings.concurrency)
        self.traffic = retrier.traffic
        # A moved project answers a read with a redirect to its id and refuses writes, so the id is kept for the rest.
        self._moved_projects: dict[str, str] = {}

    def with_retrier(self, retrier: Retrier) -> ApiClient:
        """Return a client that shares everything but how requests are repeated, and until when."""
        other = copy.copy(self)
        other.retrier = retrier
        return other

    def call(self, name: str, **arguments: t.Any) -> t.Any:
        """Return the record of an endpoint (or its text, its bytes, or None, as the catalogue says).

        :raises RequestError: one of its subclasses.
        """
        endpoint = self._endpoints[name]
        return self.retrier.run(lambda: self.read(endpoint, arguments)[0], is_repeatable=endpoint.is_repeatable)

    def iterate(self, name: str, *, page_size: int = PAGE_SIZE, **arguments: t.Any) -> t.Iterator[decoding.Record]:
        """Yield every record of a list once, fetching pages as they are needed.

        :param page_size: records per request, 100 at most.
        :raises RequestError: one of its subclasses.
        """
        return _ListSource(self, self._endpoints[name], arguments).walk(page_size)

    def list_all(
        self, name: str, *, keep: t.Callable[[decoding.Record], t.Any] | None = None, **arguments: t.Any
    ) -> list[t.Any]:
        """Return every record of a list, read by several requests at a time where there are many.

        :param keep: returns what of a record is to be kept; page by page, so that the rest takes no memory.
        :raises RequestError: one of its subclasses.
        """
        reading = self.read_ahead(name, **arguments)
        records = [keep(record) for record in reading] if keep else list(reading)
        if reading.is_exact():
            return records
        again = self.iterate(name, **arguments)
        return [keep(record) for record in again] if keep else list(again)

    def read_ahead(self, name: str, *, most_records: int = 0, **arguments: t.Any) -> Reading:
        """Return a reading of a list by several requests at a time; see there about `is_exact`.

        A list by cursor that has a scope is read one page after the other: jobs leave a scope while it is read, which
        nothing at its beginning tells.

        :param most_records: how many records are certainly wanted; 0 for all.
        """
        endpoint = self._endpoints[name]
        is_moving = endpoint.paginated == "keyset" and arguments.get("scope")
        return Reading(
            _ListSource(self, endpoint, arguments),
            most_at_once=1 if is_moving else self.settings.concurrency,
            most_records=most_records,
            deadline=self.retrier.deadline,
        )

    def count(self, name: str, **arguments: t.Any) -> int | None:
        """Return how many records a list has, None where the server does not tell: one request for one record.

        :raises RequestError: one of its subclasses.
        """
        endpoint = self._endpoints[name]
        single = {**arguments, "per_page": 1}
        records, response = self.retrier.run(lambda: self.read(endpoint, single), is_repeatable=True)
        total = total_of(response)
        # what the page contradicts was not counted for this list
        return None if total is None or bool(total) != bool(records) else total

    def read(
        self,
        endpoint: Endpoint,
        arguments: t.Mapping[str, t.Any],
        loads: decoding.Loads = json.loads,
        answer: Response | None = None,
    ) -> tuple[t.Any, Response]:
        """Return the decoded answer to one request, and the answer itself; nothing is repeated.

        :param answer: what was answered already, if it was.
        :raises RequestError: for everything but an expected status with what the catalogue promises.
        """
        response = answer or self.ask(endpoint, arguments)
        try:
            return _decode(endpoint, response, loads), response
        except RequestError:
            with self.errors_of(endpoint, arguments):
                raise

    def ask(self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any]) -> Response:
        """Return the answer to one request, redirects followed.

        :raises RequestError: for everything but an expected status.
        """
        request = self._request(endpoint, arguments)
        with self._errors_of(request), self._budget.request(self.retrier.deadline):
            response = send_following(request, self._send, may_leave=endpoint.answer in ("bytes", "text"))
            if response.status not in endpoint.ok_statuses:
                raise self._status_error(endpoint, arguments, request, response)
            self._note_moved(str(arguments.get("project", "")), request, response)
            return response

    def download(self, name: str, sink: Sink, **arguments: t.Any) -> None:
        """Write the body of an answer to a sink, in constant memory; after a fault from the beginning.

        :raises RequestError: one of its subclasses.
        """
        endpoint = self._endpoints[name]
        self.retrier.run(lambda: self._download(endpoint, sink, arguments), is_repeatable=True)

    def _download(self, endpoint: Endpoint, sink: Sink, arguments: t.Mapping[str, t.Any]) -> None:
        sink.restart()
        request = self._request(endpoint, arguments)
        with self._errors_of(request):
            stream = send_following(request, self._stream)
            try:
                if stream.status not in endpoint.ok_statuses:
                    answer = Response(stream.status, stream.headers, stream.read(LONGEST_ERROR_BYTES))
                    raise self._status_error(endpoint, arguments, request, answer)
                if decoding.is_page_instead(stream.headers):
                    page = Response(stream.status, stream.headers, stream.read(LONGEST_ERROR_BYTES))
                    raise decoding.page_error(page, "instead of the content")
                while True:
                    chunk = stream.read(CHUNK_BYTES)
                    if not chunk:
                        return
                    sink.write(chunk)
                    self._check_end(stream)
            finally:
                stream.close()

    def _check_end(self, stream: ByteStream) -> None:
        """Return while a download may go on: one whose length nobody announced may have no end.

        :raises LostAnswerError: when the time of the task is over.
        """
        deadline = self.retrier.deadline
        if deadline is not None and not stream.header("content-length") and deadline.has_passed():
            raise LostAnswerError("the download announced no length, and has not ended in the time of the task")

    def _request(self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any]) -> Request:
        """Return the request for these arguments, with the id of a project that has moved."""
        project = str(arguments.get("project", ""))
        if project in self._moved_projects:
            arguments = {**arguments, "project": self._moved_projects[project]}
        request = endpoint.build(self.settings.api_url, arguments)
        return dataclasses.replace(request, most_bytes=_MOST_BYTES[endpoint.answer])

    @contextlib.contextmanager
    def errors_of(self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any]) -> t.Iterator[None]:
        """Fill in where an error happened, and take every secret out of it."""
        with self._errors_of(self._request(endpoint, arguments)):
            yield

    @contextlib.contextmanager
    def _errors_of(self, request: Request) -> t.Iterator[None]:
        try:
            yield
        except UsageError as exc:
            raise UsageError(self.masker.line(str(exc))) from None
        except RequestError as exc:
            exc.method, exc.url = exc.method or request.method, exc.url or request.display_url
            exc.rewrite(self.masker.line)
            raise

    def _send(self, request: Request) -> Response:
        """Send one request and tell extensions about it."""
        self._await_turn(request)
        timeout_seconds = self.settings.timeout_seconds
        limited = dataclasses.replace(request, total_seconds=self._within_deadline(SLOWEST_ANSWER * timeout_seconds))
        timeout_seconds = self._within_deadline(timeout_seconds)
        return self._told(request, lambda: self._transport.send(limited, timeout_seconds=timeout_seconds))

    def _stream(self, request: Request) -> ByteStream:
        """Send one request, leave its body unread, and tell extensions about it."""
        transport = self._transport
        if not isinstance(transport, StreamingTransport):
            return WholeBody(self._send(dataclasses.replace(request, most_bytes=None)))
        self._await_turn(request)
        # without a wait, a download may take any time while bytes keep coming
        seconds = self._within_deadline(float("inf")) if self.retrier.is_persistent else None
        limited = dataclasses.replace(request, total_seconds=seconds, most_bytes=None)
        timeout_seconds = self._within_deadline(self.settings.timeout_seconds)
        return self._told(request, lambda: transport.stream(limited, timeout_seconds=timeout_seconds))

    def _await_turn(self, request: Request) -> None:
        """Pause until the request may be sent."""
        waits = self.retrier.is_persistent
        longest = self._within_deadline(float("inf") if waits else LONGEST_WISH_SECONDS)
        seconds = self.traffic.turn(longest, is_write=request.method != "GET", waits=waits)
        if self.settings.requests_per_minute is None:
            self.retrier.tell_pause(seconds)
        self.retrier.sleep(seconds)

    def _within_deadline(self, seconds: float) -> float:
        """Return how long a part of a request may take: near the deadline it must not hold the task much longer."""
        deadline = self.retrier.deadline
        if deadline is None:
            return seconds
        left = deadline.at - self._clock.monotonic()
        least = max(_SHORTEST_TIMEOUT_SECONDS, _GRACE_SECONDS + min(left, 0.0))
        return min(seconds, max(left, least))

    def _told(self, request: Request, send: t.Callable[[], _A]) -> _A:
        """Return what sending returns; take note of the limits of the server, and tell extensions about it."""
        started = self._clock.monotonic()
        status: int | None = None
        try:
            answer = send()
            status = answer.status
            if origin_of(request.url) == self.settings.origin:
                self.traffic.answered(status, answer.headers)
            return answer
        finally:
            if self._on_finished:
                self._tell_extensions(self._on_finished, request, status, self._clock.monotonic() - started)

    def _tell_extensions(
        self, on_finished: RequestFinished, request: Request, status: int | None, seconds: float
    ) -> None:
        """Call the hook; what goes wrong there is a warning, for the request has been made, and its outcome counts."""
        if origin_of(request.url) != self.settings.origin:
            # the address of an object storage is signed, which makes its query a credential
            request = dataclasses.replace(request, url=request.display_url)
        try:
            on_finished(request, status, seconds)
        except GitLabError as exc:
            self._warn(self.masker.mask(str(exc)))

    def _status_error(
        self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any], request: Request, response: Response
    ) -> RequestError:
        """Return the typed error for an answer with an unexpected status."""
        if response.status < 400:
            return BadAnswerError(
                f"the answer has status {response.status}, expected was {endpoint.ok_statuses[0]}",
                method=request.method,
                url=request.display_url,
                advice="Check that api_url is the address of a GitLab server",
            )
        text = decoding.server_text(response, self.masker)
        is_missing_endpoint = response.status == 404 and (
            decoding.has_error_key(response) or decoding.is_html(response)
        )
        title = "" if text else self.masker.line(decoding.title_of(response))
        if text:
            problem = f'GitLab says "{text}"'
        elif decoding.is_html(response):
            problem = f"the server answers with {decoding.page(title)} instead of JSON"
        else:
            problem = f"the server answers with status {response.status}"
        # without its project nothing else is missing for certain
        is_project = "project not found" in text.lower() and "project" in arguments
        subject = subject_of({"project": arguments["project"]} if is_project else arguments)
        error = status_error_class(response.status)(
            f"{problem} for {subject}" if subject else problem,
            status=response.status,
            server_text=text,
            request_id=decoding.printable_header(response, "x-request-id", self.masker),
            method=request.method,
            url=request.display_url,
        )
        error.advice = advice_for(
            status=response.status,
            server_text=text,
            is_write=endpoint.method != "GET",
            token_kind=self.settings.token_kind,
            token=self.settings.token,
            is_missing_endpoint=is_missing_endpoint,
            has_reason=error.has_reason,
            title=title,
        )
        error.wish_seconds = server_wish_seconds(response.status, response.headers, self._clock.time())
        if isinstance(error, NotFoundError):
            error.is_missing_endpoint = is_missing_endpoint
            error.is_json = "json" in response.header("content-type")
        return error

    def _note_moved(self, project: str, request: Request, response: Response) -> None:
        """Remember the id of a project whose path redirects to it."""
        if project and response.url and response.url != request.url:
            found = re.search(_MOVED_TO, urlsplit(response.url).path)
            if found and not project.isdigit():
                self._moved_projects[project] = found.group(1)


class _ListSource:
    """Reads pages of one list by their paging arguments."""

    def __init__(self, client: ApiClient, endpoint: Endpoint, arguments: t.Mapping[str, t.Any]) -> None:
        self._client = client
        self._endpoint = endpoint
        self._arguments = arguments
        self.paging: str = endpoint.paginated
        self._pages = 0

    def walk(self, page_size: int = PAGE_SIZE, *, first: Page | None = None) -> t.Iterator[decoding.Record]:
        """Yield every record once, one page after the other."""
        with self._client.errors_of(self._endpoint, self._arguments):
            yield from walk(self.read, self.paging, page_size, first=first)

    def ask(self, position: Position) -> Response:
        """Return the answer with a page, not decoded."""
        arguments = {**self._arguments, **position}
        return self._client.retrier.run(lambda: self._client.ask(self._endpoint, arguments), is_repeatable=True)

    def read(self, position: Position, answer: Response | None = None) -> Page:
        """Return a page.

        :param answer: what has been answered already; it is asked for anew if that cannot be used.
        """
        answers = [answer] if answer else []
        arguments = {**self._arguments, **position}

        def attempt() -> Page:
            answered = answers.pop() if answers else None
            return self._client.read(self._endpoint, arguments, fast_json_loads(), answered)

        page = self._client.retrier.run(attempt, is_repeatable=True)
        self._pages += 1
        # a list of one page is no long work, however often a wait reads it
        if self._client.on_page and self._pages > 1:
            total = total_of(page[1])
            last = None if total is None else -(-total // int(position["per_page"]))
            self._client.on_page(self._endpoint.name, self._pages, last)
        return page


def _decode(endpoint: Endpoint, response: Response, loads: decoding.Loads) -> t.Any:
    if endpoint.answer == "nothing":
        return None
    if endpoint.answer == "bytes":
        return response.body
    if endpoint.answer == "text":
        return decoding.decode_text(response)
    if endpoint.answer == "records":
        records = decoding.decode_records(response, loads)
        decoding.check_shapes(records, endpoint.shape)
        return records
    record = decoding.decode_record(response)
    decoding.check_shapes([record], endpoint.shape)
    return record
