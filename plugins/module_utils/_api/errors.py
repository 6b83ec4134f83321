# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""All errors of the collection, grouped by how callers handle them.

GitLabError
├── UsageError                  invalid options, or options that cannot be combined; nothing was sent
├── MissingLibraryError         requests or pluggy is not installed
├── ExtensionError              an extension is unknown, cannot be loaded, or failed
├── SelectionError              no job or pipeline matches the selection, or too many do
├── TimedOutError               a wait timed out before anything that it waits for existed
└── RequestError                a request failed, or could not be sent
    ├── UnsentError             a limit set by the user leaves no time for it: certainly not executed
    ├── ConnectError            the server was not reached: the request was certainly not executed
    │   └── TrustError          TLS failed: another attempt would fail as well
    ├── LostAnswerError         the request was sent, but no usable answer came: it may have been executed
    ├── BadAnswerError          the answer is not from GitLab's API: HTML, or invalid JSON
    │   └── RedirectError       a redirect that must not be followed
    └── StatusError             GitLab answered with an error status
        ├── DeniedError         the token lacks access, or the object does not exist; GitLab does not always say which
        │   ├── NotAuthorizedError  401, 403
        │   └── NotFoundError       404
        │       └── MissingError    the project and the endpoint exist, only the object does not
        ├── RefusedError        400, 405, 409, 422
        ├── ThrottledError      429: certainly not executed
        └── ServerError         5xx, and 408 from a proxy that timed out
"""

from __future__ import annotations

import re
import typing as t


def ended(text: str) -> str:
    """Return a text with a full stop, unless it ends as a question or exclamation."""
    return text if text.endswith(("?", "!")) else text.rstrip(".") + "."


def with_sentence(text: str, further: str) -> str:
    """Return a text with another sentence appended."""
    return f"{ended(text)} {further}"


def capitalized(text: str) -> str:
    """Return a text with its first letter in upper case; the rest stays unchanged."""
    return text[:1].upper() + text[1:]


class GitLabError(Exception):
    """The base class of all errors of this collection; its text is one or two sentences for the user."""

    def rewrite(self, change: t.Callable[[str], str]) -> None:
        """Apply a change, such as masking secrets, to every text of this error."""
        self.args = (change(str(self)),)


class UsageError(GitLabError):
    """Invalid options, or options that cannot be combined; nothing was sent."""


class MissingLibraryError(GitLabError):
    """A required Python library that is not installed."""

    def __init__(self, library: str) -> None:
        super().__init__(f"the Python library {library} is not installed; install it with pip")
        self.library = library


class ExtensionError(GitLabError):
    """An extension that is unknown, cannot be loaded, or failed in one of its hooks."""


class SelectionError(GitLabError):
    """A selection that matches no job or pipeline, or too many."""


_WORD = re.compile(r"\w+")


class RequestError(GitLabError):
    """A request that failed.

    :param problem: what went wrong, in words for the user, free of secrets.
    :param url: address without query and without secrets.
    :param advice: what the user can do; empty if there is no advice.

    `further` holds more sentences for the user, such as whether a write was executed.
    `variables` are the environment variables that set what the advice may mention, see `ConnectionSettings`.
    `is_permanent` is true if repeating the request cannot help until something is changed, as for an unknown host name.
    `is_out_of_time` is true if a waiting task would have repeated the request but had no time left.
    `is_postponed` is true if the request is to be repeated later.
    `retry_after_seconds` is how long the server asks us to wait before the next request, None if it does not say.
    """

    is_permanent = False
    is_out_of_time = False
    is_postponed = False
    retry_after_seconds: float | None = None

    def __init__(self, problem: str, *, method: str = "", url: str = "", advice: str = "") -> None:
        self.problem = problem
        self.method = method
        self.url = url
        self.advice = advice
        self.further = ""
        self.variables: t.Mapping[str, str] = {}
        super().__init__(problem)

    def rewrite(self, change: t.Callable[[str], str]) -> None:
        self.problem, self.url, self.advice = change(self.problem), change(self.url), change(self.advice)
        self.further = change(self.further)
        self.args = (self.problem,)

    @property
    def facts(self) -> list[str]:
        """Return the details that an administrator needs, the request first; messages end with them in parentheses."""
        request = [f"{self.method} {self.url}"] if self.method else []
        words = _WORD.findall(self.advice)
        return request + [f"{what} from {name}" for what, name in self.variables.items() if what in words]

    def __str__(self) -> str:
        # GitLab's own text may end with a full stop
        text = ". ".join(text.rstrip(" .") for text in (self.problem, self.advice, self.further) if text)
        return f"{text} ({', '.join(self.facts)})" if self.facts else text


class TimedOutError(GitLabError):
    """A wait that timed out before anything that it waits for existed.

    :param is_failure: whether this fails the task; false with `on_timeout: continue`.
    """

    def __init__(self, problem: str, *, is_failure: bool) -> None:
        super().__init__(problem)
        self.is_failure = is_failure


class UnsentError(RequestError):
    """A request that was not sent, because a limit set by the user leaves no time for it."""

    is_out_of_time = True


class ConnectError(RequestError):
    """A server that was not reached: the request was certainly not executed."""


class TrustError(ConnectError):
    """A TLS failure: another attempt would fail as well."""

    is_permanent = True


class LostAnswerError(RequestError):
    """A request that was sent but got no usable answer: it may have been executed."""


class BadAnswerError(RequestError):
    """An answer that does not come from GitLab's API."""


class RedirectError(BadAnswerError):
    """A redirect that must not be followed."""

    is_permanent = True


# GitLab's text if it gives no reason.
_STATUS_ONLY = re.compile(r"(\d{3})?\W*(unauthorized|forbidden|not found|bad request|conflict)?\W*", re.IGNORECASE)


class StatusError(RequestError):
    """An error status from GitLab, or from a proxy in front of it.

    :param server_text: GitLab's own words, shortened, free of control codes and secrets; may be empty.
    :param request_id: value of the X-Request-Id header, to find the request in GitLab's logs; may be empty.

    `is_foreign` is true if GitLab's API does not send such answers, so that this one comes from a proxy.
    """

    is_foreign = False

    def __init__(self, problem: str, *, status: int, server_text: str = "", request_id: str = "") -> None:
        super().__init__(problem)
        self.status = status
        self.server_text = server_text
        self.request_id = request_id

    @property
    def has_reason(self) -> bool:
        """Return whether the answer gives a reason or is not from GitLab; then GitLab's usual reasons do not apply."""
        return self.is_foreign or not _STATUS_ONLY.fullmatch(self.server_text)

    def rewrite(self, change: t.Callable[[str], str]) -> None:
        super().rewrite(change)
        self.server_text, self.request_id = change(self.server_text), change(self.request_id)

    @property
    def facts(self) -> list[str]:
        request_id = [f"request id {self.request_id}"] if self.request_id else []
        return [*super().facts, f"status {self.status}", *request_id]


class DeniedError(StatusError):
    """Status 401, 403 or 404."""


class NotAuthorizedError(DeniedError):
    """Status 401 or 403: the credential is invalid or not sufficient."""


class NotFoundError(DeniedError):
    """Status 404. `is_missing_endpoint` is true if the server does not have the endpoint."""

    is_missing_endpoint = False
    # whether the answer was JSON; if a file is not in an archive, GitLab answers in plain text
    is_json = True


class MissingError(NotFoundError):
    """Status 404 for the requested object alone: its project and the endpoint exist."""


class RefusedError(StatusError):
    """Status 400, 405, 409 or 422: GitLab understood the request and refused it."""


class ThrottledError(StatusError):
    """Status 429: too many requests; certainly not executed."""


class ServerError(StatusError):
    """Status 5xx or 408: a write may have been executed."""


def status_error_class(status: int) -> type[StatusError]:
    """Return the error class for an HTTP status of 400 or more."""
    if status in (401, 403):
        return NotAuthorizedError
    named = {404: NotFoundError, 408: ServerError, 429: ThrottledError}
    return named.get(status) or (ServerError if status >= 500 else RefusedError)
