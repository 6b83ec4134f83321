# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The one seam to the network: send one request, return one answer.

A transport follows no redirect and repeats nothing; that is decided above it. It alone holds the credential, and adds
it only to requests to the origin it was made for. The built-in one is a `requests.Session`.
"""

from __future__ import annotations

import io
import typing as t

from .http import Answer, Request, Response

# Larger pieces of a body miss the processor's cache, smaller ones cost more calls.
CHUNK_BYTES = 64 * 1024
# Of an error page, as much is read as can hold GitLab's words.
LONGEST_ERROR_BYTES = 64 * 1024
# How many times the time-out an answer may take that comes in small pieces. Of a stream, which may be of any length,
# every chunk may take as long: 200 bytes a second with the default time-out.
SLOWEST_ANSWER = 10


class Transport(t.Protocol):
    """What the client needs of the network."""

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
