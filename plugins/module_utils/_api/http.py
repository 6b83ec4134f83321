# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Requests and responses as plain frozen values, the same for every transport."""

from __future__ import annotations

import types
import typing as t
from urllib.parse import urljoin, urlsplit, urlunsplit

from .errors import RedirectError


class Request(t.NamedTuple):
    """One HTTP request without its credential, which only the transport holds.

    :param endpoint: name of the catalogue row this request was made from.
    :param is_repeatable: whether sending it twice does no more than sending it once.
    """

    method: str
    url: str
    endpoint: str = ""
    headers: t.Mapping[str, str] = types.MappingProxyType({})
    body: bytes | None = None
    is_repeatable: bool = False

    @property
    def display_url(self) -> str:
        """Return the address without its query, for messages."""
        return without_query(self.url)

    def with_headers(self, headers: t.Mapping[str, str]) -> Request:
        """Return the same request with further headers, for transports of extensions."""
        return self._replace(headers={**self.headers, **headers})


class Response(t.NamedTuple):
    """One HTTP answer, read completely; header names are in lower case.

    :param url: the address that answered, after redirects.
    """

    status: int
    headers: t.Mapping[str, str] = types.MappingProxyType({})
    body: bytes = b""
    url: str = ""

    def header(self, name: str) -> str:
        """Return a header's value, empty when the header is absent."""
        return self.headers.get(name.lower(), "")

    def close(self) -> None:
        """Do nothing: everything has been read. A stream, which is used in the same places, has something to close."""


def lower_case(headers: t.Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers with names in lower case; of several with one name, the values joined as the standard says."""
    lowered: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        lowered[key] = f"{lowered[key]}, {value}" if key in lowered else value
    return lowered


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port: what a credential is bound to.

    :raises ValueError: when the address has no valid port.
    """
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme.lower())
    return parts.scheme.lower(), (parts.hostname or "").lower(), port


def without_query(url: str) -> str:
    """Return an address without user information, query and fragment: what may stand in a message."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


# ----- redirects -----


MOST_REDIRECTS = 5
_REDIRECT_STATUSES = (301, 302, 303, 307, 308)


class Answer(t.Protocol):
    """What following a redirect needs of an answer."""

    @property
    def status(self) -> int:
        """Return the HTTP status."""

    def header(self, name: str) -> str:
        """Return a header's value, empty when the header is absent."""

    def close(self) -> None:
        """Let go of the connection."""


_A = t.TypeVar("_A", bound=Answer)


def send_following(request: Request, send: t.Callable[[Request], _A], *, may_leave: bool = True) -> _A:
    """Return the final answer to a request.

    :param may_leave: whether another origin may answer, as an object storage does for a download. Without a credential
        it could not answer for GitLab, and what it says about jobs is not to be believed.
    :raises RedirectError: for a redirect that must not be followed.
    """
    current = request
    for _redirect in range(MOST_REDIRECTS + 1):
        response = send(current)
        if response.status not in _REDIRECT_STATUSES:
            return response
        response.close()
        current = current._replace(url=_target(current, response))
        if not may_leave and origin_of(current.url) != origin_of(request.url):
            raise _refusal(request, "a redirect to another scheme, host or port")
    raise _refusal(request, f"more than {MOST_REDIRECTS} redirects, which is a loop")


def _target(request: Request, response: Answer) -> str:
    """Return where a redirect leads."""
    location = response.header("location")
    if not location:
        raise _refusal(request, f"status {response.status} without a Location")
    # the address is not put into the text: a signed storage address is a secret
    try:
        target = urljoin(request.url, location)
        old, new = urlsplit(request.url), urlsplit(target)
        origin_of(target)
    except ValueError:
        raise _refusal(request, "a redirect to something that is no web address") from None
    if request.method not in ("GET", "HEAD"):
        raise _refusal(request, f"the server redirects a {request.method} (status {response.status})")
    if new.scheme not in ("http", "https") or not new.hostname:
        raise _refusal(request, "a redirect to something that is no web address")
    if old.scheme == "https" and new.scheme == "http":
        raise _refusal(request, "a redirect from https to http")
    return target


def _refusal(request: Request, problem: str) -> RedirectError:
    return RedirectError(
        f"{problem}, which is not followed",
        method=request.method,
        url=request.display_url,
        advice="Check that api_url is the address GitLab itself uses: scheme, host, port and path",
    )
