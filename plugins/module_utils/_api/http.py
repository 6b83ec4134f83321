# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Frozen values for requests, responses and addresses; the transport protocol; redirects."""

from __future__ import annotations

import dataclasses
import email.utils
import io
import ipaddress
import re
import typing as t
from urllib.parse import urljoin

from .errors import RedirectError

# Larger chunks miss the processor's cache, smaller ones need more calls.
CHUNK_BYTES = 64 * 1024
# Enough of an error page to contain GitLab's words.
LONGEST_ERROR_BYTES = 64 * 1024
# An answer that arrives in small pieces may take this many times the time-out. A stream may be of any length, so the
# limit applies to each of its chunks: 200 bytes a second with the default time-out.
SLOWEST_ANSWER = 10


@dataclasses.dataclass(frozen=True)
class Request:
    """One HTTP request without its credential, which only the transport knows.

    :param url: the address in the form of `Address.url`, without user information and fragment.
    :param endpoint: name of the catalogue row that this request was made from.
    :param is_repeatable: whether sending it twice has the same effect as sending it once.
    :param total_seconds: time limit for the whole answer; None for no limit while bytes keep coming.
    :param max_bytes: maximum length of the decoded body if it is read whole; None for any length.
    """

    method: str
    url: str
    endpoint: str = ""
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | None = None
    is_repeatable: bool = False
    total_seconds: float | None = None
    max_bytes: int | None = None

    @property
    def display_url(self) -> str:
        """Return the address without its query, for messages."""
        return self.url.partition("?")[0]

    def with_headers(self, headers: t.Mapping[str, str]) -> Request:
        """Return the same request with additional headers, for transports of extensions."""
        return dataclasses.replace(self, headers={**self.headers, **headers})


class Answer:
    """An HTTP answer, whose body may not have been read yet; header names are in lower case."""

    status: int
    headers: t.Mapping[str, str]
    url: str

    def header(self, name: str) -> str:
        """Return a header's value, empty if the header is absent."""
        return self.headers.get(name.lower(), "")

    def close(self) -> None:
        """Release the connection, if there still is one."""


@dataclasses.dataclass(frozen=True)
class Response(Answer):
    """An answer that was read completely.

    :param url: the address that sent the answer, after redirects.
    """

    status: int
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""
    url: str = ""


class Transport(t.Protocol):
    """The interface to the network: sends one request and returns one answer.

    A transport neither follows redirects nor repeats requests; the code above it does. Only the transport knows the
    credential, and adds it only to requests to the configured origin. The built-in one uses a `requests.Session`.
    """

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        """Return the answer to one request, which may be a redirect or an error status.

        For an error status, the beginning of the body is enough.

        :param timeout_seconds: time limit for connecting and for each read; `request.total_seconds` limits their sum.
        :raises ConnectError: if the request was certainly not executed.
        :raises LostAnswerError: if it may have been executed; also if the answer to a write is longer than
            `request.max_bytes`.
        :raises BadAnswerError: if the answer to a read is longer than that.
        """


class ByteStream(Answer):
    """An answer whose body is read piece by piece; streams of extensions need the same methods."""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes of the body, none at its end.

        :raises LostAnswerError: if the connection breaks before the announced length was received.
        """
        raise NotImplementedError


@t.runtime_checkable
class StreamingTransport(Transport, t.Protocol):
    """A transport that can stream a body; other transports return the whole body."""

    def stream(self, request: Request, *, timeout_seconds: float) -> ByteStream:
        """Return the answer to one request, without reading its body."""


class WholeBody(ByteStream):
    """A stream of an answer that was read whole."""

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.headers = response.headers
        self.url = response.url
        self._rest = io.BytesIO(response.body)

    def read(self, size: int) -> bytes:
        return self._rest.read(size)


def number_in(text: str) -> int | None:
    """Return the number of up to 15 digits in a header, None for anything else.

    Proxies may repeat the header: the same number several times is accepted.
    """
    values = {value.strip() for value in text.split(",")}
    digits = values.pop() if len(values) == 1 else ""
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 16 else None


def unix_time_in(text: str) -> float | None:
    """Return the time in a header, in UTC unless it contains another zone; None for anything that is not a date."""
    try:
        parsed = email.utils.parsedate_tz(text)
        return None if parsed is None else float(email.utils.mktime_tz(parsed))
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def answered_at(headers: t.Mapping[str, str], now: float) -> float:
    """Return the date of an answer by the server's clock, which all its times refer to; `now` if it has none."""
    date = unix_time_in(headers.get("date", ""))
    return now if date is None else date


# ----- addresses -----


Origin = tuple[str, str, int]

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Libraries disagree on what a backslash, a blank or a non-ASCII character means. A credential must have one
# destination, so there is one parser, and it rejects everything that libraries could read differently.
_PLAIN = re.compile(r"[!-\[\]-~]*")
HOST = r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?)"
_ADDRESS = re.compile(
    rf"(?P<scheme>https?)://{HOST}(:(?P<port>[0-9]{{0,5}}))?(?P<path>/[^?#]*)?(\?(?P<query>[^#]*))?(#.*)?",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Address:
    """The parts of a web address, without user information and fragment.

    :param host: in lower case; an IPv6 address in brackets.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @property
    def origin(self) -> Origin:
        """Return scheme, host and port, which a credential is bound to."""
        return self.scheme, self.host, self.port

    @property
    def origin_url(self) -> str:
        """Return the address of the server, without a trailing slash."""
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def url(self) -> str:
        """Return the whole address, in the form used for requests."""
        return f"{self.origin_url}{self.path}" + (f"?{self.query}" if self.query else "")


def parse_address(text: str) -> Address:
    """Return the parts of a web address.

    :raises ValueError: if it is not a web address, or if other libraries could read it differently.
    """
    found = _ADDRESS.fullmatch(text) if _PLAIN.fullmatch(text) else None
    if found is None:
        raise ValueError("not a web address")
    scheme, host = found["scheme"].lower(), found["host"].lower()
    if host.startswith("["):
        ipaddress.IPv6Address(host[1:-1])
    port = int(found["port"] or _DEFAULT_PORTS[scheme])
    if not 0 < port < 65536:
        raise ValueError("no port")
    return Address(scheme, host, port, found["path"] or "/", found["query"] or "")


def resolve(base: str, reference: str) -> Address:
    """Return the address that a server refers to by an absolute or relative reference.

    :raises ValueError: if it is not a web address.
    """
    if not _PLAIN.fullmatch(reference):
        raise ValueError("not a web address")
    if reference.startswith("//"):
        return parse_address(base.partition(":")[0] + ":" + reference)
    return parse_address(reference if _SCHEME.match(reference) else urljoin(base, reference))


# ----- redirects -----


MAX_REDIRECTS = 5
_REDIRECT_STATUSES = (301, 302, 303, 307, 308)
_OWN_ADVICE = (
    "Check that api_url is the address GitLab itself uses (scheme, host, port and path), and that there is no login "
    "page in front of it"
)
STORAGE_ADVICE = (
    "GitLab redirects the download there, most likely to its object storage: its administrator can make it reachable "
    "from here over https, or have GitLab send files itself (proxy_download)"
)


_A = t.TypeVar("_A", bound=Answer)


def send_following(request: Request, send: t.Callable[[Request], _A], *, may_leave: bool = True) -> _A:
    """Return the final answer to a request, following redirects.

    :param may_leave: whether another origin may answer, as an object storage does for a download. Other origins get no
        credential, so they cannot answer for GitLab, and their data about jobs cannot be trusted.
    :raises RedirectError: if a redirect must not be followed.
    """
    current = request
    for _redirect in range(MAX_REDIRECTS + 1):
        response = send(current)
        if response.status not in _REDIRECT_STATUSES:
            return response
        response.close()
        target = _target(current, response, may_leave=may_leave)
        current = dataclasses.replace(current, url=target.url)
        if not may_leave and target.origin != parse_address(request.url).origin:
            raise _refusal(request, f"a redirect to {target.origin_url}")
    raise _refusal(request, f"a loop of more than {MAX_REDIRECTS} redirects")


def _target(request: Request, response: Answer, *, may_leave: bool) -> Address:
    location = response.header("location")
    if not location:
        raise _refusal(request, f"status {response.status} without a Location")
    if request.method not in ("GET", "HEAD"):
        raise _refusal(request, f"the server redirects a {request.method} (status {response.status})")
    # the message has no path and query: a signed storage address is a secret
    try:
        target = resolve(request.url, location)
    except ValueError:
        raise _refusal(request, "a redirect to something that is not a web address") from None
    if request.url.startswith("https:") and target.scheme == "http":
        is_storage = may_leave and target.host != parse_address(request.url).host
        raise _refusal(request, "a redirect from https to http", STORAGE_ADVICE if is_storage else _OWN_ADVICE)
    return target


def _refusal(request: Request, problem: str, advice: str = _OWN_ADVICE) -> RedirectError:
    return RedirectError(
        f"{problem}, which is not followed", method=request.method, url=request.display_url, advice=advice
    )
