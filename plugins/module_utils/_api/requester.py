# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A request to an endpoint: built, sent in its turn, redirects followed, and decoded or made a typed error."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import re
import typing as t

from . import decoding
from .connection import ConnectionSettings
from .endpoints import Endpoint
from .errors import BadAnswerError, GitLabError, LostAnswerError, MissingError, RequestError, UnsentError, UsageError
from .http import (
    CHUNK_BYTES,
    LONGEST_ERROR_BYTES,
    SLOWEST_ANSWER,
    Answer,
    ByteStream,
    Request,
    Response,
    StreamingTransport,
    Transport,
    WholeBody,
    parse_address,
    send_following,
)
from .masking import Masker
from .pace.clock import GRACE_SECONDS, LATE_SECONDS
from .pace.retry import Retrier, server_wish_seconds
from .pace.traffic import RequestBudget

# What a request has at least that begins past the deadline of a task, to say how things stand.
_SHORTEST_TIMEOUT_SECONDS = 0.5
# The longest bodies that are read whole, by what they hold. A job is some kilobytes, and a hundred times that if its
# commit has a long message; a log has 100 MB at the most unless its server was told otherwise. What is answered to a
# request for nothing is not looked at. A download that is streamed has no limit: it passes through.
_MEBIBYTE = 1024 * 1024
_MOST_BYTES: t.Mapping[str, int] = {
    "record": 8 * _MEBIBYTE,
    "records": 32 * _MEBIBYTE,
    "text": 128 * _MEBIBYTE,
    "bytes": 128 * _MEBIBYTE,
    "nothing": 8 * _MEBIBYTE,
}
_A = t.TypeVar("_A", bound=Answer)

_MOVED_TO = r"/projects/(\d+)(?:[/?]|$)"


class Sink(t.Protocol):
    """Where a download goes."""

    def restart(self) -> None:
        """Forget what was written: the download begins, or begins again."""

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the answer."""


class Requester:
    """Sends requests to one GitLab server.

    :param masker: knows the secrets; no text leaves this class without passing it.
    :param on_finished: is told of every request: what was sent, the status of the answer, None when none came, and the
        seconds it took.
    :param retrier: how long a task may take, and how its requests are paced.
    :param warn: is told what went wrong without mattering to the result.
    """

    def __init__(
        self,
        *,
        settings: ConnectionSettings,
        transport: Transport,
        on_finished: t.Callable[[Request, int | None, float], None],
        retrier: Retrier,
        masker: Masker,
        warn: t.Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.masker = masker
        self.retrier = retrier
        self._transport = transport
        self._on_finished = on_finished
        self._clock = retrier.deadline.clock
        self._warn = warn
        self._budget = RequestBudget(settings.concurrency)
        # A moved project answers a read with a redirect to its id and refuses writes, so the id is kept for the rest.
        self._moved_projects: dict[str, str] = {}
        # by their ids what the user calls projects, for messages
        self.project_names: dict[str, str] = {}

    def with_retrier(self, retrier: Retrier) -> Requester:
        """Return a requester that shares everything but the time of the task."""
        other = copy.copy(self)
        other.retrier = retrier
        return other

    def read(
        self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any], answer: Response | None = None
    ) -> tuple[t.Any, Response]:
        """Return the decoded answer to a request, repeated as far as that is safe, and the answer itself.

        :param answer: what has been answered already; it is asked for anew if that cannot be used.
        :raises RequestError: for everything but an expected status with what the catalogue promises.
        """
        answers = iter((answer,))

        def once() -> tuple[t.Any, Response]:
            response = next(answers, None) or self._ask(endpoint, arguments)
            with self.errors_of(endpoint, arguments):
                return decoding.decode(endpoint, response), response

        return self.retrier.run(once, is_repeatable=endpoint.is_repeatable)

    def ask(self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any]) -> Response:
        """Return the answer to a request, not decoded; see `read`."""
        return self.retrier.run(lambda: self._ask(endpoint, arguments), is_repeatable=endpoint.is_repeatable)

    def _ask(self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any]) -> Response:
        """Return the answer to one request, redirects followed."""
        with self.errors_of(endpoint, arguments), self._budget.request(self.retrier.deadline):
            request, may_leave = self._request(endpoint, arguments), endpoint.answer in ("bytes", "text")
            response = send_following(request, self._send, may_leave=may_leave)
            if response.status not in endpoint.ok_statuses:
                raise self._unexpected(endpoint, arguments, response)
            self._note_moved(str(arguments.get("project", "")), response)
            return response

    def download(self, endpoint: Endpoint, sink: Sink, arguments: t.Mapping[str, t.Any], *, any_time: bool) -> None:
        """Write the body of one answer to a sink, in constant memory; see `ApiClient.download`."""
        sink.restart()
        total_seconds = None if any_time else float("inf")
        with self.errors_of(endpoint, arguments):
            answer = send_following(
                self._request(endpoint, arguments), lambda request: self._stream(request, total_seconds)
            )
            with contextlib.closing(answer) as stream:
                is_expected = stream.status in endpoint.ok_statuses
                if not is_expected or decoding.is_page_instead(stream.headers):
                    body = b""
                    for chunk in self._chunks_of(stream):
                        body += chunk
                        if len(body) >= LONGEST_ERROR_BYTES:
                            break
                    beginning = Response(stream.status, stream.headers, body, stream.url)
                    if is_expected:
                        raise decoding.page_error(beginning, " instead of the content")
                    raise self._unexpected(endpoint, arguments, beginning)
                for chunk in self._chunks_of(stream):
                    sink.write(chunk)
                    # one whose length nobody announced may have no end
                    if any_time and not stream.header("content-length") and self.retrier.deadline.has_passed():
                        raise LostAnswerError(
                            "the download announced no length, and has not ended in the time of the task"
                        )

    def _chunks_of(self, stream: ByteStream) -> t.Iterator[bytes]:
        while True:
            with self._foreign_errors("GET"):
                chunk = stream.read(CHUNK_BYTES)
                if not isinstance(chunk, bytes):
                    raise TypeError(f"read returned {type(chunk).__name__} instead of bytes")
            if not chunk:
                return
            yield chunk

    def _request(self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any]) -> Request:
        """Return the request for these arguments, with the id of a project that has moved."""
        project = str(arguments.get("project", ""))
        if project in self._moved_projects:
            arguments = {**arguments, "project": self._moved_projects[project]}
        request = endpoint.build(self.settings.api_url, arguments)
        return dataclasses.replace(request, most_bytes=_MOST_BYTES[endpoint.answer])

    @contextlib.contextmanager
    def errors_of(self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any]) -> t.Iterator[None]:
        """Fill in where an error happens, which is a request for these arguments, and take every secret out of it."""
        try:
            yield
        except UsageError as exc:
            raise UsageError(self.masker.line(str(exc))) from None
        except RequestError as exc:
            request = self._request(endpoint, arguments)
            exc.method, exc.url = exc.method or request.method, exc.url or request.display_url
            exc.variables = self.settings.variables
            exc.rewrite(self.masker.line)
            raise

    def _send(self, request: Request) -> Response:
        return self._told(request, self._transport.send, SLOWEST_ANSWER * self.settings.timeout_seconds)

    def _stream(self, request: Request, total_seconds: float | None) -> ByteStream:
        """Return the answer to one request, its body unread; see `_told`."""
        if not isinstance(self._transport, StreamingTransport):
            return WholeBody(self._send(request))
        return self._told(dataclasses.replace(request, most_bytes=None), self._transport.stream, total_seconds)

    def _await_turn(self, request: Request) -> None:
        """Pause until the request may be sent.

        :raises UnsentError: when a limit of the user leaves no time for it.
        """
        traffic = self.retrier.traffic
        seconds = traffic.turn(
            self._within_deadline(float("inf")), is_write=request.method != "GET", waits=self.retrier.is_persistent
        )
        if seconds is None:
            raise UnsentError(
                f"it was not sent, since api_requests_per_minute is {self.settings.requests_per_minute} and leaves no "
                "time for it",
                advice="Raise api_requests_per_minute or wait_timeout",
            )
        if seconds > 0:
            self.retrier.tell_pause(seconds, traffic.describe())
            with traffic.awaiting:
                self.retrier.deadline.clock.sleep(seconds)
        if request.method != "GET" and self._clock.monotonic() > self.retrier.deadline.at + LATE_SECONDS:
            raise UnsentError(
                "the request was not sent, since the time of the task (wait_timeout) was over long before",
                advice="Raise wait_timeout, unless it was suspended",
            )

    def _within_deadline(self, seconds: float) -> float:
        """Return how long a part of a request may take: near the deadline it must not hold the task much longer."""
        left = self.retrier.deadline.at - self._clock.monotonic()
        least = max(_SHORTEST_TIMEOUT_SECONDS, GRACE_SECONDS + min(left, 0.0))
        return min(seconds, max(left, least))

    def _told(self, request: Request, send: t.Callable[..., _A], total_seconds: float | None) -> _A:
        """Send a request in its turn; take note of the limits of the server, and tell extensions about it.

        :param total_seconds: for the whole answer, None for any time.
        """
        self._await_turn(request)
        if total_seconds is not None:
            request = dataclasses.replace(request, total_seconds=self._within_deadline(total_seconds))
        is_own = parse_address(request.url).origin == self.settings.origin
        started = self._clock.monotonic()
        status: int | None = None
        try:
            with self._foreign_errors(request.method):
                answer = send(request, timeout_seconds=self._within_deadline(self.settings.timeout_seconds))
                _check_answer(answer)
            status = answer.status
            if is_own:
                self.retrier.traffic.answered(status, answer.headers)
            return answer
        finally:
            # the address of an object storage is signed, which makes its query a credential
            shown = request if is_own else dataclasses.replace(request, url=request.display_url)
            try:
                self._on_finished(shown, status, self._clock.monotonic() - started)
            except GitLabError as exc:  # the request has been made, and its outcome counts
                self._warn(self.masker.mask(str(exc)))

    @contextlib.contextmanager
    def _foreign_errors(self, method: str) -> t.Iterator[None]:
        """Turn what an extension raises that sends, or takes part in it, into an error that says so.

        :raises LostAnswerError: for what a network raises, and for anything at all of a write, which may be executed.
        """
        try:
            yield
        except (Exception, SystemExit) as exc:
            if isinstance(exc, GitLabError) or not self.settings.extensions:
                raise
            is_lost = method != "GET" or isinstance(exc, OSError)
            error = (LostAnswerError if is_lost else BadAnswerError)(
                f"an extension ({', '.join(self.settings.extensions)}) failed to send the request: "
                f"{type(exc).__name__}: {exc}"
            )
            error.is_permanent = not is_lost
            raise error from exc

    def _unexpected(self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any], response: Response) -> RequestError:
        error: RequestError
        if self._is_stored(response):
            error = _storage_error(response)
        elif response.status < 400:
            error = BadAnswerError(
                f"the answer has status {response.status}, expected was {endpoint.ok_statuses[0]}",
                advice="Check that api_url is the address of a GitLab server",
            )
        else:
            if "project" in arguments:
                project = arguments["project"]
                arguments = {**arguments, "project": self.project_names.get(project, project)}
            error = decoding.status_error(endpoint, arguments, response, self.settings, self.masker)
        error.wish_seconds = server_wish_seconds(response.status, response.headers, self._clock.time())
        return error

    def _is_stored(self, response: Response) -> bool:
        """Return whether an object storage has answered, and not GitLab, of which a redirect may know another name."""
        url = response.url
        return bool(url) and parse_address(url).origin != self.settings.origin and "/api/v4/" not in url

    def _note_moved(self, project: str, response: Response) -> None:
        """Remember the id of a project whose path redirects to it."""
        found = re.match(_MOVED_TO, response.url.removeprefix(self.settings.api_url))
        if found and project and not project.isdigit():
            self._moved_projects[project] = found.group(1)


def _check_answer(answer: Answer) -> None:
    """Return if an answer is one, which an extension may have made.

    :raises TypeError: when it is not.
    """
    if isinstance(answer, Response):
        has_body = isinstance(answer.body, bytes)
    else:
        has_body = all(callable(getattr(answer, name, None)) for name in ("header", "read", "close"))
    are_values = isinstance(answer.status, int) and isinstance(answer.url, str)
    are_texts = all(isinstance(text, str) for header in answer.headers.items() for text in header)
    if not (has_body and are_values and are_texts and all(name == name.lower() for name in answer.headers)):
        raise TypeError(
            "an answer has a whole number as status, headers of texts with names in lower case, a body, and a url"
        )


def _storage_error(response: Response) -> RequestError:
    """Return the error for a status of an object storage, to which GitLab redirects downloads.

    Its words may tell of its keys, and are not shown. An address that has expired may pass: GitLab makes a new one.
    """
    host = parse_address(response.url).host
    problem = f"{host}, to which GitLab redirects the download, answers with status {response.status}"
    if response.status == 404:
        return MissingError(problem, status=404)
    return LostAnswerError(problem, advice="Try again, or ask the administrator of GitLab about its object storage")
