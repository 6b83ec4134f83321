# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The one seam to the network: send one request, return one answer.

A transport follows no redirect and repeats nothing; that is decided above it. It alone holds the credential, and adds
it only to requests to the origin it was made for.
"""

from __future__ import annotations

import io
import os
import typing as t
from urllib.parse import urlsplit

from .connection import ConnectionSettings
from .direct_transport import DirectTransport
from .http import Request, Response, origin_of


class Transport(t.Protocol):
    """What the client needs of the network."""

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        """Return the answer to one request, redirects and error statuses included.

        :param timeout_seconds: for connecting, and for each read.
        :raises ConnectError: when the request was certainly not executed.
        :raises LostAnswerError: when it may have been.
        """


class ByteStream(t.Protocol):
    """An answer whose body is read piece by piece."""

    status: int
    headers: t.Mapping[str, str]
    url: str

    def header(self, name: str) -> str:
        """Return a header's value, empty when the header is absent."""

    def read(self, size: int) -> bytes:
        """Return up to so many bytes of the body, none at its end.

        :raises LostAnswerError: when the connection breaks before the announced length has come.
        """

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer with the next bytes, at its beginning; return how many there are, 0 at the end.

        :raises LostAnswerError: as `read` does.
        """

    def close(self) -> None:
        """Let go of the connection."""


class WholeBody:
    """An answer that was read whole, in the place of a stream."""

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.headers = response.headers
        self.url = response.url
        self._rest = io.BytesIO(response.body)

    def header(self, name: str) -> str:
        """Return a header's value, empty when the header is absent."""
        return self.headers.get(name.lower(), "")

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        return self._rest.read(size)

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer with the next bytes."""
        return self._rest.readinto(buffer)

    def close(self) -> None:
        """Do nothing: there is no connection."""


@t.runtime_checkable
class StreamingTransport(Transport, t.Protocol):
    """A transport that can hand over a body while it comes; one that cannot is read whole."""

    def stream(self, request: Request, *, timeout_seconds: float) -> ByteStream:
        """Return the answer to one request, its body unread."""


def create_transport(settings: ConnectionSettings) -> Transport:
    """Return the built-in transport."""
    return RoutedTransport(settings)


class RoutedTransport:
    """Goes to each server directly, or through requests where a proxy may have to be used."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._direct = DirectTransport(settings)
        self._ways: dict[tuple[str, str, int | None], StreamingTransport] = {}

    def send(self, request: Request, *, timeout_seconds: float) -> Response:
        """Return the answer to one request.

        :raises MissingLibraryError: when there is a proxy, and requests is not installed.
        """
        return self._way_to(request.url).send(request, timeout_seconds=timeout_seconds)

    def stream(self, request: Request, *, timeout_seconds: float) -> ByteStream:
        """Return the answer to one request, its body unread.

        :raises MissingLibraryError: when there is a proxy, and requests is not installed.
        """
        return self._way_to(request.url).stream(request, timeout_seconds=timeout_seconds)

    def _way_to(self, url: str) -> StreamingTransport:
        origin = origin_of(url)
        if origin not in self._ways:
            self._ways[origin] = self._through_requests() if may_have_proxy(url, os.environ) else self._direct
        return self._ways[origin]

    def _through_requests(self) -> StreamingTransport:
        # here, since most tasks can do without
        from .requests_transport import RequestsTransport

        return RequestsTransport(self._settings)


def may_have_proxy(url: str, environ: t.Mapping[str, str]) -> bool:
    """Return whether the environment may ask for a proxy on the way to an address; requests knows for sure."""
    parts = urlsplit(url)
    names = (f"{parts.scheme}_proxy", "all_proxy")
    if not any(environ.get(name) or environ.get(name.upper()) for name in names):
        return False
    # here, for it takes as long to import as everything else together
    import urllib.request as library

    bypass: t.Any = library.proxy_bypass_environment  # type: ignore[attr-defined]
    excluded = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    return not bypass(parts.netloc.rpartition("@")[2], {"no": excluded})
