# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Requests to endpoints: built, paced, sent, redirected, and decoded into records or typed errors."""

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
from .pace.retry import Retrier, retry_after_seconds
from .pace.traffic import RequestBudget

# Minimum time-out of a request that starts after the deadline of a task, to report the final state.
_SHORTEST_TIMEOUT_SECONDS = 0.5
# Maximum length of bodies that are read whole, by content. A job has a few kilobytes, and a hundred times that if its
# commit has a long message. A log has at most 100 MB unless its server is configured otherwise. A body is ignored where
# `nothing` is expected. A streamed download has no limit, because it is not kept in memory.
_MEBIBYTE = 1024 * 1024
_MAX_BYTES: t.Mapping[str, int] = {
    "record": 8 * _MEBIBYTE,
    "records": 32 * _MEBIBYTE,
    "text": 128 * _MEBIBYTE,
    "bytes": 128 * _MEBIBYTE,
    "nothing": 8 * _MEBIBYTE,
}
_A = t.TypeVar("_A", bound=Answer)

_MOVED_TO = r"/projects/(\d+)(?:[/?]|$)"


class Sink(t.Protocol):
    """The destination of a download."""

    def restart(self) -> None:
        """Discard what was written, because the download starts or restarts."""

    def write(self, chunk: bytes) -> None:
        """Write the next bytes of the answer."""


class Requester:
    """A sender of requests to one GitLab server.

    :param masker: removes secrets from every text that leaves this class.
    :param on_finished: called after every request with the request, the status of the answer (None if none came), and
        the duration in seconds.
    :param retrier: has the deadline of the task, repeats requests and paces them.
    :param warn: called with problems that do not affect the result.
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
        # GitLab redirects reads of a moved project to its id but refuses writes, so later requests use the id.
        self._moved_projects: dict[str, str] = {}
        # id of a project -> its name in the user's options, for messages
        self.project_names: dict[str, str] = {}

    def with_retrier(self, retrier: Retrier) -> Requester:
        """Return a requester that shares everything except the retrier."""
        other = copy.copy(self)
        other.retrier = retrier
        return other

    def read(
        self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any], answer: Response | None = None
    ) -> tuple[t.Any, Response]:
        """Return the decoded answer to a request, and the answer itself; repeat the request while that is safe.

        :param answer: an answer that was already received; the request is sent if it is missing or not usable.
        :raises RequestError: if the status is unexpected, or the content does not match the catalogue.
        """
        answers = iter((answer,))

        def once() -> tuple[t.Any, Response]:
            response = next(answers, None) or self._ask(endpoint, arguments)
            with self.errors_of(endpoint, arguments):
                return decoding.decode(endpoint, response), response

        return self.retrier.run(once, is_repeatable=endpoint.is_repeatable)

    def ask(self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any]) -> Response:
        """Return the answer to a request without decoding it; see `read`."""
        return self.retrier.run(lambda: self._ask(endpoint, arguments), is_repeatable=endpoint.is_repeatable)

    def _ask(self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any]) -> Response:
        """Return the answer to one request, following redirects."""
        with self.errors_of(endpoint, arguments), self._budget.request(self.retrier.deadline):
            request, may_leave = self._request(endpoint, arguments), endpoint.answer in ("bytes", "text")
            response = send_following(request, self._send, may_leave=may_leave)
            if response.status not in endpoint.ok_statuses:
                raise self._unexpected(endpoint, arguments, response)
            self._note_moved(str(arguments.get("project", "")), response)
            return response

    def download(self, endpoint: Endpoint, sink: Sink, arguments: t.Mapping[str, t.Any], *, any_time: bool) -> None:
        """Write the body of an answer to a sink, in constant memory; see `ApiClient.download`."""
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
                    # without a Content-Length, a download may never end
                    if any_time and not stream.header("content-length") and self.retrier.deadline.has_passed():
                        raise LostAnswerError(
                            "the download has no Content-Length, and did not end before the task timed out"
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
        """Return the request for these arguments, with the id of the project if it was moved."""
        project = str(arguments.get("project", ""))
        if project in self._moved_projects:
            arguments = {**arguments, "project": self._moved_projects[project]}
        request = endpoint.build(self.settings.api_url, arguments)
        return dataclasses.replace(request, max_bytes=_MAX_BYTES[endpoint.answer])

    @contextlib.contextmanager
    def errors_of(self, endpoint: Endpoint, arguments: t.Mapping[str, t.Any]) -> t.Iterator[None]:
        """Add the request for these arguments to errors that are raised within, and remove every secret from them."""
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
        return self._send_observed(request, self._transport.send, SLOWEST_ANSWER * self.settings.timeout_seconds)

    def _stream(self, request: Request, total_seconds: float | None) -> ByteStream:
        """Return the answer to one request, without reading its body; see `_send_observed`."""
        if not isinstance(self._transport, StreamingTransport):
            return WholeBody(self._send(request))
        return self._send_observed(dataclasses.replace(request, max_bytes=None), self._transport.stream, total_seconds)

    def _await_turn(self, request: Request) -> None:
        """Pause until the request may be sent.

        :raises UnsentError: if a limit set by the user leaves no time for it.
        """
        traffic = self.retrier.traffic
        seconds = traffic.turn(
            self._within_deadline(float("inf")), is_write=request.method != "GET", waits=self.retrier.is_persistent
        )
        if seconds is None:
            raise UnsentError(
                f"the request was not sent, because api_requests_per_minute is {self.settings.requests_per_minute} and "
                "leaves no time for it",
                advice="Raise api_requests_per_minute or wait_timeout",
            )
        if seconds > 0:
            self.retrier.report_pause(seconds, traffic.describe())
            with traffic.awaiting:
                self.retrier.deadline.clock.sleep(seconds)
        if request.method != "GET" and self._clock.monotonic() > self.retrier.deadline.at + LATE_SECONDS:
            raise UnsentError(
                "the request was not sent, because the task timed out long before (wait_timeout)",
                advice="Raise wait_timeout, unless the task was suspended",
            )

    def _within_deadline(self, seconds: float) -> float:
        """Return the time limit for a part of a request, so that it does not hold the task long past its deadline."""
        left = self.retrier.deadline.at - self._clock.monotonic()
        minimum = max(_SHORTEST_TIMEOUT_SECONDS, GRACE_SECONDS + min(left, 0.0))
        return min(seconds, max(left, minimum))

    def _send_observed(self, request: Request, send: t.Callable[..., _A], total_seconds: float | None) -> _A:
        """Send a request when it may be sent, record the server's rate limit, and notify extensions.

        :param total_seconds: time limit for the whole answer, None for no limit.
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
            # the query of a signed object storage address is a credential
            shown = request if is_own else dataclasses.replace(request, url=request.display_url)
            try:
                self._on_finished(shown, status, self._clock.monotonic() - started)
            except GitLabError as exc:  # the outcome of the request matters more
                self._warn(self.masker.mask(str(exc)))

    @contextlib.contextmanager
    def _foreign_errors(self, method: str) -> t.Iterator[None]:
        """Turn exceptions of extensions that take part in sending into errors for the user.

        :raises LostAnswerError: for network errors, and for any error of a write, which may have been executed.
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
                f"the answer has status {response.status} instead of {endpoint.ok_statuses[0]}",
                advice="Check that api_url is the address of a GitLab server",
            )
        else:
            if "project" in arguments:
                project = arguments["project"]
                arguments = {**arguments, "project": self.project_names.get(project, project)}
            error = decoding.status_error(endpoint, arguments, response, self.settings, self.masker)
        error.retry_after_seconds = retry_after_seconds(response.status, response.headers, self._clock.time())
        return error

    def _is_stored(self, response: Response) -> bool:
        """Return whether an object storage answered, and not GitLab, perhaps under another name after a redirect."""
        url = response.url
        return bool(url) and parse_address(url).origin != self.settings.origin and "/api/v4/" not in url

    def _note_moved(self, project: str, response: Response) -> None:
        """Remember the id of a project if its path redirects to the id."""
        found = re.match(_MOVED_TO, response.url.removeprefix(self.settings.api_url))
        if found and project and not project.isdigit():
            self._moved_projects[project] = found.group(1)


def _check_answer(answer: Answer) -> None:
    """Check the types of an answer, because extensions can create answers.

    :raises TypeError: if a type is wrong.
    """
    if isinstance(answer, Response):
        has_body = isinstance(answer.body, bytes)
    else:
        has_body = all(callable(getattr(answer, name, None)) for name in ("header", "read", "close"))
    are_values = isinstance(answer.status, int) and isinstance(answer.url, str)
    are_texts = all(isinstance(text, str) for header in answer.headers.items() for text in header)
    if not (has_body and are_values and are_texts and all(name == name.lower() for name in answer.headers)):
        raise TypeError(
            "an answer needs an integer status, headers as strings with names in lower case, a body, and a url"
        )


def _storage_error(response: Response) -> RequestError:
    """Return the error for an error status of an object storage, to which GitLab redirects downloads.

    Its text may contain keys and is not shown. Another attempt may help: GitLab creates a new signed address for it.
    """
    host = parse_address(response.url).host
    problem = f"{host}, to which GitLab redirects the download, answers with status {response.status}"
    if response.status == 404:
        return MissingError(problem, status=404)
    return LostAnswerError(problem, advice="Try again, or ask the administrator of GitLab about its object storage")
