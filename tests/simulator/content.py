# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Content of downloads: bytes in memory, or any amount of bytes generated while they are sent."""

from __future__ import annotations

import bisect
import collections.abc as c
import functools
import hashlib
import itertools
import random
import typing as t
import zlib

BLOCK = 1 << 20
_MARK = 16
# What is larger than this is never held as a whole.
INLINE_MOST = 8 << 20

Piece = bytes | memoryview
Block = bytes | bytearray | memoryview


class Content(t.Protocol):
    """Bytes that can be read in blocks from anywhere."""

    @property
    def size(self) -> int:
        """Return how many there are."""

    def blocks(self, begin: int = 0, end: int | None = None) -> c.Iterator[Piece]:
        """Yield what is from `begin` up to `end`, both within the size."""


class Plain:
    """Bytes that are held."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def size(self) -> int:
        return len(self.data)

    def blocks(self, begin: int = 0, end: int | None = None) -> c.Iterator[Piece]:
        view = memoryview(self.data)[begin : self.size if end is None else end]
        for at in range(0, len(view), BLOCK):
            yield view[at : at + BLOCK]


@functools.cache
def _pattern(kind: str) -> bytes:
    """Return the bytes of a block without its mark: noise, which no compression makes smaller, or lines of text."""
    if kind == "noise":
        return random.Random(1).randbytes(BLOCK - _MARK)
    line = b"Working on it, step by step, until it is done ...............\n\n"
    return (line * (BLOCK // len(line) + 1))[_MARK:BLOCK]


class Generated:
    """So many bytes that are the same every time: blocks of one pattern, each with a mark that no other has.

    :param seed: two contents of the same kind and size differ by this.
    """

    def __init__(self, size: int, *, kind: str = "noise", seed: int = 0) -> None:
        self._size = size
        self._kind = kind
        self._seed = seed % 1000

    @property
    def size(self) -> int:
        return self._size

    def _mark(self, number: int) -> bytes:
        return b"%03d:%011d\n" % (self._seed, number)

    def blocks(self, begin: int = 0, end: int | None = None) -> c.Iterator[Piece]:
        end = self._size if end is None else end
        pattern = memoryview(_pattern(self._kind))
        while begin < end:
            number, offset = divmod(begin, BLOCK)
            most = min(BLOCK, offset + end - begin)
            if offset < _MARK:
                yield self._mark(number)[offset : min(_MARK, most)]
            if most > _MARK:
                yield pattern[max(0, offset - _MARK) : most - _MARK]
            begin += most - offset

    def crc(self) -> int:
        """Return the CRC-32, without looking at all the bytes: that of the pattern is known."""
        whole, rest = divmod(self._size, BLOCK)
        pattern, crc = _pattern_crc(self._kind), 0
        for number in range(whole):
            crc = _shifted(crc, _MARK) ^ zlib.crc32(self._mark(number))
            crc = _shifted(crc, BLOCK - _MARK) ^ pattern
        for piece in self.blocks(self._size - rest):
            crc = zlib.crc32(piece, crc)
        return crc


class Joined:
    """Several contents, one behind the other."""

    def __init__(self, parts: list[Content]) -> None:
        self._parts = parts
        self._begins = [0, *itertools.accumulate(part.size for part in parts)]

    @property
    def size(self) -> int:
        return self._begins[-1]

    def blocks(self, begin: int = 0, end: int | None = None) -> c.Iterator[Piece]:
        end = self.size if end is None else end
        first = max(0, bisect.bisect_right(self._begins, begin) - 1)
        for part, at in list(zip(self._parts, self._begins, strict=False))[first:]:
            if at >= end:
                return
            yield from part.blocks(max(0, begin - at), min(part.size, end - at))


class Part:
    """A section of another content."""

    def __init__(self, whole: Content, begin: int, end: int) -> None:
        self._whole = whole
        self._begin = min(begin, whole.size)
        self._end = max(self._begin, min(end, whole.size))

    @property
    def size(self) -> int:
        return self._end - self._begin

    def blocks(self, begin: int = 0, end: int | None = None) -> c.Iterator[Piece]:
        yield from self._whole.blocks(self._begin + begin, self._end if end is None else self._begin + end)


def read(content: Content, begin: int = 0, end: int | None = None) -> bytes:
    """Return a section as a whole."""
    return b"".join(content.blocks(begin, end))


def sha256(content: Content) -> str:
    digest = hashlib.sha256()
    for piece in content.blocks():
        digest.update(piece)
    return digest.hexdigest()


def crc32(content: Content) -> int:
    if isinstance(content, Generated):
        return content.crc()
    crc = 0
    for piece in content.blocks():
        crc = zlib.crc32(piece, crc)
    return crc


# -- CRC-32 of joined pieces: appending bytes to what is known is a matrix over single bits -----------------------


@functools.cache
def _pattern_crc(kind: str) -> int:
    return zlib.crc32(_pattern(kind))


@functools.cache
def _matrix(length: int) -> tuple[int, ...]:
    """Return what becomes of each bit of a CRC when `length` bytes follow."""
    zeros = bytes(length)
    nothing = zlib.crc32(zeros)
    return tuple(zlib.crc32(zeros, 1 << bit) ^ nothing for bit in range(32))


def _shifted(crc: int, length: int) -> int:
    """Return the part of the CRC of two pieces that comes from the first, whose CRC is `crc`."""
    row, result = _matrix(length), 0
    while crc:
        low = crc & -crc
        result ^= row[low.bit_length() - 1]
        crc ^= low
    return result
