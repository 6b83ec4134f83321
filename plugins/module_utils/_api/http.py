# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Requests and responses as plain frozen values, the same for every transport."""

from __future__ import annotations

import types
import typing as t
from urllib.parse import urlsplit, urlunsplit


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
