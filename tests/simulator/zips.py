# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zip files. Small ones are compressed; those with generated content are created while they are sent."""

from __future__ import annotations

import functools
import io
import struct
import typing as t
import zipfile
import zlib

from .content import Content, Generated, Joined, Plain, crc32
from .schema import ScenarioError, is_count

_WHEN = (2026, 1, 5, 12, 0, 0)
_DOS_TIME = 12 << 11
_DOS_DATE = (2026 - 1980) << 9 | 1 << 5 | 5
_MODE = 0o100644 << 16
# From this size the fields of the old format are too small.
_LIMIT = 0xFFFFFFFF
_UTF8_NAME = 0x800

Files = dict[str, Content]
# The file that fills up an archive to its size.
FILLER = "content.bin"


def check(row: dict[str, t.Any], *, place: str) -> None:
    """Check the files and the sizes of a job's artifacts.

    :raises ScenarioError: if there is no content, or a size is too small.
    """
    for path, given in row["files"].items():
        number = given.get("size") if isinstance(given, dict) and set(given) == {"size"} else 0
        if isinstance(given, (list, dict)) and not (number and is_count(number)):
            raise ScenarioError(f"{place}.files.{path}: must be text, or a mapping with the number 'size'")
    if row["size"] is not None:
        of_row(row, place=place)


def of_row(row: dict[str, t.Any] | None, *, place: str = "artifacts") -> tuple[Files, Content]:
    """Return the files of a job's artifacts, and their archive; the same bytes every time."""
    if row is None:
        return _of_key((), None, place)
    given = (
        (str(path), value["size"] if isinstance(value, dict) else _held(value)) for path, value in row["files"].items()
    )
    return _of_key(tuple(sorted(given)), row["size"], place)


def _held(value: t.Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@functools.lru_cache(maxsize=256)
def _of_key(given: tuple[tuple[str, bytes | int], ...], size: int | None, place: str) -> tuple[Files, Content]:
    files: Files = {
        path: Generated(what, seed=zlib.crc32(path.encode())) if isinstance(what, int) else Plain(what)
        for path, what in given
    }
    if size is None:
        return files, pack(files)
    filler = 0
    for _round in range(3):
        whole = {**files, FILLER: Generated(max(0, filler))}
        archive = _stored(whole)
        if archive.size == size:
            return whole, archive
        filler += size - archive.size
    raise ScenarioError(f"{place}.size: an archive of these files can have {archive.size} bytes, but not {size}")


def pack(files: Files) -> Content:
    """Return the zip of files; compressed if all of them are in memory."""
    held = {path: file.data for path, file in files.items() if isinstance(file, Plain)}
    return Plain(_compressed(held)) if len(held) == len(files) else _stored(files)


def _compressed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, content in sorted(files.items()):
            info = zipfile.ZipInfo(path, date_time=_WHEN)
            info.external_attr = _MODE
            packed.writestr(info, content)
    return buffer.getvalue()


def _stored(files: Files) -> Content:
    """Return an archive without compression; its sizes and checksums are known before any byte is generated."""
    parts: list[Content] = []
    directory, at = b"", 0
    for path, file in sorted(files.items()):
        name, crc, size = path.encode(), crc32(file), file.size
        large = size >= _LIMIT or at >= _LIMIT
        version = 45 if large else 20
        shown = _LIMIT if large else size
        common = (_UTF8_NAME, 0, _DOS_TIME, _DOS_DATE, crc, shown, shown, len(name))
        extra = struct.pack("<HHQQ", 1, 16, size, size) if large else b""
        head = struct.pack("<4s5H3L2H", b"PK\3\4", version, *common, len(extra)) + name + extra
        extra = struct.pack("<HHQQQ", 1, 24, size, size, at) if large else b""
        place = _LIMIT if large else at
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 3 << 8 | version, version, *common, len(extra), 0, 0, 0, _MODE, place
        )
        directory += name + extra
        parts += [Plain(head), file]
        at += len(head) + size
    return Joined([*parts, Plain(directory + _end(len(files), len(directory), at))])


def _end(count: int, length: int, at: int) -> bytes:
    more = b""
    if at >= _LIMIT:
        more = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 3 << 8 | 45, 45, 0, 0, count, count, length, at)
        more += struct.pack("<4sLQL", b"PK\6\7", 0, at + length, 1)
        at = _LIMIT
    return more + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, at, 0)
