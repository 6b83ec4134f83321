# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Compressed bodies."""

from __future__ import annotations

import typing as t
import zlib

from ..errors import BadAnswerError, LostAnswerError

# For `Accept-Encoding`. Brotli and others are not among them: zlib can be told how much to return at most.
ENCODINGS = "gzip, deflate"
_NO_ENCODING = ("", "identity")
_GZIP = ("gzip", "x-gzip")


class ContentDecoder:
    """Decodes a compressed body as it comes, never more of it at a time than is asked for.

    urllib3 decodes as well, but takes a body that was cut in the middle for a whole one.

    :param encoding: value of the header `Content-Encoding`.
    :param receive: returns up to so many bytes of what is sent, none at the end.
    :raises BadAnswerError: for an encoding that nobody asked for.
    """

    def __init__(self, encoding: str, receive: t.Callable[[int], bytes]) -> None:
        self._encoding = encoding.strip().lower()
        if self._encoding not in (*_NO_ENCODING, *_GZIP, "deflate"):
            raise BadAnswerError("the answer has a Content-Encoding that was not asked for")
        self._receive = receive
        self._stream: t.Any = None
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return up to so many bytes of the body, none at its end.

        :raises LostAnswerError: when it is damaged, or was cut.
        """
        if self._encoding in _NO_ENCODING:
            return self._receive(size)
        while not (decoded := self._decoded(size)):
            received = self._receive(size)
            if not received:
                if self._stream is not None and not self._stream.eof:
                    raise LostAnswerError("the compressed answer was cut")
                return b""
            self._rest += received
        return decoded

    def _decoded(self, size: int) -> bytes:
        """Return up to so many bytes of what was received; nothing when it takes more to go on."""
        decoded = b""
        try:
            while self._rest and not decoded:
                if self._stream is None or self._stream.eof:  # gzip allows several one after the other
                    self._stream = self._new_stream()
                decoded = self._stream.decompress(self._rest, size)
                self._rest = self._stream.unused_data or self._stream.unconsumed_tail
            if not decoded and self._stream is not None and not self._stream.eof:
                decoded = self._stream.decompress(b"", size)
        except zlib.error:
            raise LostAnswerError("the compressed answer is damaged") from None
        return decoded

    def _new_stream(self) -> t.Any:
        if self._encoding in _GZIP:
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        # some servers leave out the wrapper that the standard asks for, whose first byte has this form
        is_wrapped = self._rest[0] & 0x0F == zlib.DEFLATED
        return zlib.decompressobj(zlib.MAX_WBITS if is_wrapped else -zlib.MAX_WBITS)
