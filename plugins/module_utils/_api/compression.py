# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Bodies that a server has compressed, decoded piece by piece; a compressed body without its end is an error."""

from __future__ import annotations

import typing as t
import zlib

from .errors import BadAnswerError, LostAnswerError

# What may be sent compressed to us, for `Accept-Encoding`.
ACCEPTED = "gzip, deflate"
_NONE = ("", "identity")
_GZIP = ("gzip", "x-gzip")


class Decoder:
    """Decodes one body.

    :param encoding: value of the header `Content-Encoding`.
    :raises BadAnswerError: for an encoding that nobody asked for.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower()
        self.is_plain = self._encoding in _NONE
        if not self.is_plain and self._encoding not in (*_GZIP, "deflate"):
            raise BadAnswerError("the answer is compressed in a way that was not asked for")
        self._stream: t.Any = None
        self._has_begun = False

    def decode(self, chunk: bytes) -> bytes:
        """Return what a piece of the body stands for.

        :raises LostAnswerError: when it is damaged.
        """
        if self.is_plain or not chunk:
            return chunk
        decoded = []
        try:
            while chunk:
                if self._stream is None:
                    self._stream = self._new_stream(chunk)
                decoded.append(self._stream.decompress(chunk))
                self._has_begun = True
                chunk = self._stream.unused_data
                if self._stream.eof and chunk:
                    self._stream = None  # gzip allows several one after the other
        except zlib.error:
            raise LostAnswerError("the compressed answer is damaged") from None
        return b"".join(decoded)

    def finish(self) -> None:
        """Return if the body has come to its end.

        :raises LostAnswerError: when it was cut.
        """
        if self._has_begun and not (self._stream is not None and self._stream.eof):
            raise LostAnswerError("the compressed answer was cut")

    def _new_stream(self, chunk: bytes) -> t.Any:
        if self._encoding in _GZIP:
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        # some servers leave out the wrapper that the standard asks for, whose first byte has this form
        is_wrapped = chunk[0] & 0x0F == zlib.DEFLATED
        return zlib.decompressobj(zlib.MAX_WBITS if is_wrapped else -zlib.MAX_WBITS)
