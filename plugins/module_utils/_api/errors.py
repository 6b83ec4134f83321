# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Everything that can go wrong, sorted by what a caller does differently.

GitLabError
├── UsageError                  options that make no sense together, or a value that cannot be used; nothing was sent
├── MissingLibraryError         requests or pluggy is not installed
├── ExtensionError              an extension is unknown, cannot be loaded, or raised
├── SelectionError              no job or pipeline fits the selection, or too many do
├── TimedOutError               the time of a wait was up before the server had told anything
└── RequestError                a request was made, or was to be made
    ├── UnsentError             the limit that the user has set leaves no time for it: certainly not executed
    ├── ConnectError            the server was not reached: the request was certainly not executed
    │   └── TrustError          TLS failed: another try will fail as well
    ├── LostAnswerError         sent, and no usable answer came: it may have been executed
    ├── BadAnswerError          an answer came that is not GitLab's: HTML, or no JSON
    │   └── RedirectError       it leads somewhere that must not be followed
    └── StatusError             GitLab answered with an error status
        ├── DeniedError         the token may not, or there is no such thing; GitLab does not always tell which
        │   ├── NotAuthorizedError  401, 403
        │   └── NotFoundError       404
        │       └── MissingError    there is the project, and the endpoint
        ├── RefusedError        400, 405, 409, 422
        ├── ThrottledError      429: certainly not executed
        └── ServerError         5xx, and 408 of a proxy that has lost its patience
"""

from __future__ import annotations

import re
import typing as t


def with_sentence(text: str, further: str) -> str:
    """Return a text with a further sentence behind it."""
    return f"{text} {further}" if text.endswith((".", "?", "!")) else f"{text}. {further}"


def capitalized(text: str) -> str:
    """Return a text as the beginning of a sentence; all behind its first letter stays as it is."""
    return text[:1].upper() + text[1:]


class GitLabError(Exception):
    """The root of all errors of this collection; its text is one sentence or two, made for the user."""

    def rewrite(self, change: t.Callable[[str], str]) -> None:
        """Change every text of this error, as somebody who knows the secrets has to."""
        self.args = (change(str(self)),)


class UsageError(GitLabError):
    """The options cannot be used as they are; nothing was sent."""


class MissingLibraryError(GitLabError):
    """A Python library that the collection needs is not installed."""

    def __init__(self, library: str) -> None:
        super().__init__(f"the Python library {library} is not installed; install it with pip")
        self.library = library


class ExtensionError(GitLabError):
    """An extension is unknown, cannot be loaded, or failed in one of its hooks."""


class SelectionError(GitLabError):
    """Nothing fits the selection, or too much does."""


_WORD = re.compile(r"\w+")


class RequestError(GitLabError):
    """A request failed.

    :param problem: what went wrong, in words for the user, free of secrets.
    :param url: address without query and without secrets.
    :param advice: what the user can do; empty when there is nothing to say.

    `further` is what a caller knows besides, as sentences for the user, such as whether a write was done.
    `variables` are those of the environment that give what an advice may be about, see `ConnectionSettings`.
    `is_permanent` is true when trying again cannot help before somebody changes something (an unknown host name).
    `is_out_of_time` is true when a task that waits would have asked again, and had no time left for it; `is_put_off`
    when it is to ask again later. `wish_seconds` is how long the server wants us to wait before the next request, None
    when it does not say.
    """

    is_permanent = False
    is_out_of_time = False
    is_put_off = False
    wish_seconds: float | None = None

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
        """Return what an administrator asks for, in brackets at the end: the request first."""
        request = [f"{self.method} {self.url}"] if self.method else []
        words = _WORD.findall(self.advice)
        return request + [f"{what} from {name}" for what, name in self.variables.items() if what in words]

    def __str__(self) -> str:
        # what GitLab says may end with a full stop of its own
        text = ". ".join(text.rstrip(" .") for text in (self.problem, self.advice, self.further) if text)
        return f"{text} ({', '.join(self.facts)})" if self.facts else text


class TimedOutError(GitLabError):
    """The time of a task that waits was up before there was anything of what it waits for.

    :param is_failure: whether that fails the task; `on_timeout` may say to go on.
    """

    def __init__(self, problem: str, *, is_failure: bool) -> None:
        super().__init__(problem)
        self.is_failure = is_failure


class UnsentError(RequestError):
    """The request was not sent: the limit that the user has set for the task leaves no time for it."""

    is_out_of_time = True


class ConnectError(RequestError):
    """The server was not reached: the request was certainly not executed."""


class TrustError(ConnectError):
    """TLS failed: another try will fail as well."""

    is_permanent = True


class LostAnswerError(RequestError):
    """The request was sent and no whole answer came: it may have been executed."""


class BadAnswerError(RequestError):
    """An answer came that does not speak the language of GitLab's API."""


class RedirectError(BadAnswerError):
    """The answer is a redirect that must not be followed."""

    is_permanent = True


# What GitLab answers when it gives no reason.
_MERE_STATUS = re.compile(r"(\d{3})?\W*(unauthorized|forbidden|not found|bad request|conflict)?\W*", re.IGNORECASE)


class StatusError(RequestError):
    """GitLab, or something before it, answered with an error status.

    :param server_text: GitLab's own words, shortened, free of control codes and secrets; may be empty.
    :param request_id: value of the header X-Request-Id, for the administrator's log; may be empty.

    `is_foreign` is true when it comes from something before GitLab, whose API sends no such answers.
    """

    is_foreign = False

    def __init__(self, problem: str, *, status: int, server_text: str = "", request_id: str = "") -> None:
        super().__init__(problem)
        self.status = status
        self.server_text = server_text
        self.request_id = request_id

    @property
    def has_reason(self) -> bool:
        """Return whether more is said than the status, or not by GitLab; then its usual reasons may not be added."""
        return self.is_foreign or not _MERE_STATUS.fullmatch(self.server_text)

    def rewrite(self, change: t.Callable[[str], str]) -> None:
        super().rewrite(change)
        self.server_text, self.request_id = change(self.server_text), change(self.request_id)

    @property
    def facts(self) -> list[str]:
        request_id = [f"request id {self.request_id}"] if self.request_id else []
        return [*super().facts, f"status {self.status}", *request_id]


class DeniedError(StatusError):
    """401, 403 or 404."""


class NotAuthorizedError(DeniedError):
    """401 or 403: the credential is not accepted, or not for this."""


class NotFoundError(DeniedError):
    """404. `is_missing_endpoint` tells that the server has no such endpoint."""

    is_missing_endpoint = False
    # whether the answer was JSON; for a file that is not in an archive it is plain text
    is_json = True


class MissingError(NotFoundError):
    """404 for nothing more than the object asked for: its project is there, and the endpoint."""


class RefusedError(StatusError):
    """400, 405, 409 or 422: GitLab understood and refused."""


class ThrottledError(StatusError):
    """429: too many requests; certainly not executed."""


class ServerError(StatusError):
    """5xx, or 408: a write may have been executed."""


def status_error_class(status: int) -> type[StatusError]:
    """Return the error class for an HTTP status of 400 or more."""
    if status in (401, 403):
        return NotAuthorizedError
    named = {404: NotFoundError, 408: ServerError, 429: ThrottledError}
    return named.get(status) or (ServerError if status >= 500 else RefusedError)
