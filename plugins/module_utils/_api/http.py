# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Requests, responses and addresses as plain frozen values; transports, which send one request; following redirects."""

from __future__ import annotations

import dataclasses
import email.utils
import io
import ipaddress
import re
import typing as t
from urllib.parse import urljoin

from .errors import RedirectError

# Larger pieces of a body miss the processor's cache, smaller ones cost more calls.
CHUNK_BYTES = 64 * 1024
# Of an error page, as much is read as can hold GitLab's words.
LONGEST_ERROR_BYTES = 64 * 1024
# How many times the time-out an answer may take that comes in small pieces. Of a stream, which may be of any length,
# every chunk may take as long: 200 bytes a second with the default time-out.
SLOWEST_ANSWER = 10


@dataclasses.dataclass(frozen=True)
class Request:
    """One HTTP request without its credential, which only the transport holds.

    :param url: an address as `Address.url` has it, without user information and fragment.
    :param endpoint: name of the catalogue row this request was made from.
    :param is_repeatable: whether sending it twice does no more than sending it once.
    :param total_seconds: for the whole answer, however it comes; None for any time, as long as bytes keep coming.
    :param most_bytes: how long the body may be when it is read whole, after decoding; None for any length.
    """

    method: str
    url: str
    endpoint: str = ""
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | None = None
    is_repeatable: bool = False
    total_seconds: float | None = None
    most_bytes: int | None = None

    @property
    def display_url(self) -> str:
        """Return the address without its query, for messages."""
        return self.url.partition("?")[0]

    def with_headers(self, headers: t.Mapping[str, str]) -> Request:
        """Return the same request with further headers, for transports of extensions."""
        return dataclasses.replace(self, headers={**self.headers, **headers})


class Answer:
    """An HTTP answer, its body read or still to be read; header names are in lower case."""

    status: int
    headers: t.Mapping[str, str]
    url: str

    def header(self, name: str) -> str:
        """Return a header's value, empty when the header is absent."""
        return self.headers.get(name.lower(), "")

    def close(self) -> None:
        """Let go of the connection, if there still is one."""


@dataclasses.dataclass(frozen=True)
class Response(Answer):
    """An answer that was read completely.

    :param url: the address that answered, after redirects.
    """

    status: int
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""
    url: str = ""


class Transport(t.Protocol):
    """The one seam to the network: sends one request, and returns one answer.

    A transport follows no redirect and repeats nothing; that is decided above it. It alone holds the credential, and
    adds it only to requests to the origin it was made for. The built-in one is a `requests.Session`.
    """

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        """Return the answer to one request, redirects and error statuses included.

        Of an error status the beginning of the body is enough.

        :param timeout_seconds: for connecting, and for each read; `request.total_seconds` is for all of them.
        :raises ConnectError: when the request was certainly not executed.
        :raises LostAnswerError: when it may have been; also when the answer to a write is longer than
            `request.most_bytes`.
        :raises BadAnswerError: when the answer to a read is longer than that.
        """


class ByteStream(Answer):
    """An answer whose body is read piece by piece; one of an extension needs the same methods."""

    def read(self, size: int) -> bytes:
        """Return up to so many bytes of the body, none at its end.

        :raises LostAnswerError: when the connection breaks before the announced length has come.
        """
        raise NotImplementedError


@t.runtime_checkable
class StreamingTransport(Transport, t.Protocol):
    """A transport that can hand over a body while it comes; one that cannot is read whole."""

    def stream(self, request: Request, *, timeout_seconds: float) -> ByteStream:
        """Return the answer to one request, its body unread."""


class WholeBody(ByteStream):
    """An answer that was read whole, instead of a stream."""

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.headers = response.headers
        self.url = response.url
        self._rest = io.BytesIO(response.body)

    def read(self, size: int) -> bytes:
        return self._rest.read(size)


def number_in(text: str) -> int | None:
    """Return the number that a header holds, also repeated, as proxies may; None for anything else.

    Nor has a number more than 15 digits.
    """
    values = {value.strip() for value in text.split(",")}
    digits = values.pop() if len(values) == 1 else ""
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 16 else None


def unix_time_in(text: str) -> float | None:
    """Return the time that a header holds, in UTC unless it names another zone; None for what is no date."""
    try:
        parsed = email.utils.parsedate_tz(text)
        return None if parsed is None else float(email.utils.mktime_tz(parsed))
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def answered_at(headers: t.Mapping[str, str], now: float) -> float:
    """Return when an answer was made by the clock of its server, by which it tells all times, or else `now`."""
    told = unix_time_in(headers.get("date", ""))
    return now if told is None else told


# ----- addresses -----


Origin = tuple[str, str, int]

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Libraries do not agree on what a backslash, a blank or a character outside of ASCII means. A credential must have one
# destination, so there is one parser, and what two of them could read differently is not an address.
_PLAIN = re.compile(r"[!-\[\]-~]*")
HOST = r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?)"
_ADDRESS = re.compile(
    rf"(?P<scheme>https?)://{HOST}(:(?P<port>[0-9]{{0,5}}))?(?P<path>/[^?#]*)?(\?(?P<query>[^#]*))?(#.*)?",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Address:
    """A web address, taken apart; without user information and fragment.

    :param host: in lower case; an IPv6 address in brackets.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @property
    def origin(self) -> Origin:
        """Return scheme, host and port: what a credential is bound to."""
        return self.scheme, self.host, self.port

    @property
    def origin_url(self) -> str:
        """Return the address of the server, without a slash at the end."""
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def url(self) -> str:
        """Return the address, put together again: where requests go."""
        return f"{self.origin_url}{self.path}" + (f"?{self.query}" if self.query else "")


def parse_address(text: str) -> Address:
    """Return the parts of a web address.

    :raises ValueError: for anything else, and for what somebody else could read in another way.
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
    """Return the address that a reference of a server means: a whole address, or what is relative to another one.

    :raises ValueError: when it means none.
    """
    if not _PLAIN.fullmatch(reference):
        raise ValueError("not a web address")
    if reference.startswith("//"):
        return parse_address(base.partition(":")[0] + ":" + reference)
    return parse_address(reference if _SCHEME.match(reference) else urljoin(base, reference))


# ----- redirects -----


MOST_REDIRECTS = 5
_REDIRECT_STATUSES = (301, 302, 303, 307, 308)
_OWN_ADVICE = (
    "Check that api_url is the address GitLab itself uses (scheme, host, port and path), and that no login page comes "
    "before it"
)
STORAGE_ADVICE = (
    "GitLab redirects the download there, most likely to its object storage: its administrator can make that reachable "
    "from here by https, or have GitLab send files itself (proxy_download)"
)


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
        target = _target(current, response, may_leave=may_leave)
        current = dataclasses.replace(current, url=target.url)
        if not may_leave and target.origin != parse_address(request.url).origin:
            raise _refusal(request, f"a redirect to {target.origin_url}")
    raise _refusal(request, f"a loop of more than {MOST_REDIRECTS} redirects")


def _target(request: Request, response: Answer, *, may_leave: bool) -> Address:
    location = response.header("location")
    if not location:
        raise _refusal(request, f"status {response.status} without a Location")
    if request.method not in ("GET", "HEAD"):
        raise _refusal(request, f"the server redirects a {request.method} (status {response.status})")
    # what comes behind the host is not put into the text: a signed storage address is a secret
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
