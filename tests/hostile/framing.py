# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows about the framing of responses: status lines, headers, lengths, chunks, compression, and endless responses."""

from __future__ import annotations

import gzip
import typing as t
import zlib

from .server import ReceivedRequest
from .table import Row, always, drip, encoded, endless, framed, headers, silence

OK = b"HTTP/1.1 200 OK\r\n"
HEAD = OK + b"Content-Type: application/json\r\n"
CHUNKED = "Transfer-Encoding: chunked"
MIB = 1024 * 1024


def chunks(body: bytes, form: t.Callable[[bytes], bytes], end: bytes = b"0\r\n\r\n") -> bytes:
    """Return a body in chunks of 7 bytes."""
    return b"".join(form(body[at : at + 7]) for at in range(0, len(body), 7)) + end


def chunk(piece: bytes) -> bytes:
    """Return a valid chunk."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def chunked(
    form: t.Callable[[bytes], bytes] = chunk, end: bytes = b"0\r\n\r\n"
) -> t.Callable[[ReceivedRequest], bytes]:
    """Send a valid response in chunks of this form."""
    return lambda received: received.answer.head(CHUNKED) + chunks(received.answer.body, form, end)


def raw_deflate(content: bytes) -> bytes:
    """Return compressed bytes without the wrapper that the standard requires."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def before(text: bytes) -> t.Callable[[ReceivedRequest], bytes]:
    """Send something before a valid response."""
    return lambda received: text + received.answer.raw


def after(text: bytes) -> t.Callable[[ReceivedRequest], bytes]:
    """Send something after a valid response."""
    return lambda received: received.answer.raw + text


def cut(lost: int) -> t.Callable[[ReceivedRequest], bytes]:
    """Send a response without its last bytes."""
    return lambda received: received.answer.raw[:-lost]


def lengths(*values: str) -> t.Callable[[ReceivedRequest], bytes]:
    """Send a valid response with these lengths."""
    return framed(*(f"Content-Length: {value}" for value in values))


def compressed(name: str, change: t.Callable[[bytes], bytes]) -> t.Callable[[ReceivedRequest], bytes]:
    """Send a valid response with a content encoding."""
    return encoded(change, f"Content-Encoding: {name}")


def bomb(name: str, content: bytes) -> t.Callable[[ReceivedRequest], t.Any]:
    """Send a small body that becomes large when it is decoded."""
    return always(
        HEAD + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (name.encode(), len(content)) + content
    )


STATUS_LINES = {
    "no response": Row(always(b"")),
    "a reset": Row(always(None)),
    "invalid HTTP": Row(always(b"nonsense\r\n\r\n")),
    "HTTP/0.9": Row(always(b'{"id": 42}')),
    "another protocol": Row(always(b"SSH-2.0-OpenSSH_9.6\r\n")),
    "an alert of TLS": Row(always(b"\x15\x03\x01\x00\x02\x02\x28")),
    "a frame of HTTP/2": Row(always(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64")),
    "HTTP/2 as text": Row(always(b"HTTP/2 200\r\nContent-Length: 2\r\n\r\n[]")),
    "HTTP/9.9": Row(always(b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n[]")),
    "no status": Row(always(b"HTTP/1.1\r\n\r\n")),
    "a status of words": Row(always(b"HTTP/1.1 OK 200\r\n\r\n")),
    "a status with a sign": Row(always(b"HTTP/1.1 -200 OK\r\nContent-Length: 2\r\n\r\n[]")),
    "a status of four digits": Row(always(b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n[]")),
    "a status of other digits": Row(always("HTTP/1.1 ²00 OK\r\nContent-Length: 2\r\n\r\n[]".encode())),
    "status 0": Row(always(b"HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\n[]")),
    "a status line without an end": Row(always(b"HTTP/1.1 200 " + b"O" * 70_000 + b"\r\n\r\n")),
    "a reason with codes": Row(always(b"HTTP/1.1 500 \x1b[2J\x9b31m\x00\r\nContent-Length: 2\r\n\r\n{}")),
    "a line break before the response": Row(before(b"\r\n"), "either"),
    "a byte order mark before the response": Row(before(b"\xef\xbb\xbf")),
    "a NUL before the response": Row(before(b"\0")),
}

INFORMATIONAL = {
    "100 once": Row(before(b"HTTP/1.1 100 Continue\r\n\r\n"), "right"),
    "100 ten times": Row(before(b"HTTP/1.1 100 Continue\r\n\r\n" * 10), "either"),
    "103 with links": Row(before(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), "right"),
    "102 alone": Row(always(b"HTTP/1.1 102 Processing\r\n\r\n")),
    "101 Switching": Row(always(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")),
    "endless 100": Row(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), is_slow=True),
    "endless 103": Row(endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), is_slow=True),
}

HEADS = {
    "a header of 70,000 bytes": Row(headers("X-Long: " + "x" * 70_000)),
    "headers without an end": Row(endless(HEAD, b"X-Name: value\r\n")),
    "99 headers": Row(headers(*(f"X-Name-{number}: x" for number in range(90))), "right"),
    "101 headers": Row(headers(*(f"X-Name-{number}: x" for number in range(101)))),
    "a header without a colon": Row(headers("nonsense"), "either"),
    "a header without a name": Row(headers(": x"), "either"),
    "a space before the colon": Row(headers("X-Name : x"), "either"),
    "a folded header": Row(headers("X-Name: x\r\n and more"), "right"),
    "only line feeds": Row(lambda received: received.answer.raw.replace(b"\r\n", b"\n"), "either"),
    "only carriage returns": Row(always(OK.replace(b"\n", b"") + b"Content-Length: 2\r\r[]")),
    "a NUL in a header": Row(headers("X-Name: a\0b"), "either"),
    "a header in Latin-1": Row(headers("X-Name: \xe9\xff"), "right"),
    "codes in a header": Row(headers("X-Request-Id: \x1b[2J\x9b31m"), "right"),
    "a line break of Unicode in a header": Row(headers("X-Name: a\x85b"), "either"),
    "headers without a body": Row(always(HEAD + b"Content-Length: 2\r\n\r\n")),
    "incomplete headers": Row(always(HEAD + b"Content-Le")),
    "no headers": Row(always(b"HTTP/1.1 200 OK\r\n\r\n")),
    # the server closes the connection anyway, possibly too late for the next request
    "a connection that stays open": Row(headers("Connection: keep-alive", "Keep-Alive: timeout=-1, max=0"), "either"),
    "an upgrade": Row(headers("Upgrade: h2c", "Connection: Upgrade"), "either"),
}

LENGTHS = {
    "a length too long": Row(lambda received: received.answer.head("Content-Length: 99999") + received.answer.body),
    "a length of 0": Row(lengths("0"), concerns=("info", "action", "lookup")),
    "a length too short": Row(lengths("1"), concerns=("info", "action")),
    "a negative length": Row(lengths("-5")),
    "a length with a sign": Row(lengths("+100")),
    "a hexadecimal length": Row(lengths("0x20")),
    "a length with an underscore": Row(lengths("2_0")),
    "a length of other digits": Row(lengths("\xb2")),
    "a length with a fraction": Row(lengths("2.0")),
    "a length of 6,000 digits": Row(lengths("9" * 6000)),
    "a length of 19 digits": Row(lengths("9223372036854775808")),
    "two lengths": Row(lengths("2", "3")),
    "two lengths in one header": Row(lengths("2, 20")),
    "the same length twice": Row(
        lambda received: (
            received.answer.head(*[f"Content-Length: {len(received.answer.body)}"] * 2) + received.answer.body
        ),
        "right",
    ),
    "the same length twice in one header": Row(
        lambda received: (
            received.answer.head("Content-Length: {0}, {0}".format(len(received.answer.body))) + received.answer.body
        ),
        "right",
    ),
    "an empty length": Row(lengths(""), "either"),
    "no length": Row(framed(), "right"),
    "a body without its last byte": Row(cut(1)),
    "a truncated body": Row(cut(20)),
    "more than the length": Row(after(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"), "right"),
    "a length and chunks": Row(
        lambda received: received.answer.head(CHUNKED, "Content-Length: 3") + chunks(received.answer.body, chunk),
        "either",
    ),
    "no content": Row(framed("Content-Length: 0", body=b"", status="204 No Content")),
    "not modified": Row(framed("Content-Length: 0", body=b"", status="304 Not Modified")),
    "a part": Row(framed("Content-Length: 2", "Content-Range: bytes 0-1/9", body=b"[]", status="206 Partial")),
    "reset content": Row(framed("Content-Length: 0", body=b"", status="205 Reset Content")),
}

CHUNKS = {
    "chunks": Row(chunked(), "right"),
    "chunks with extensions": Row(chunked(lambda p: b'%x;a="b"\r\n%b\r\n' % (len(p), p)), "right"),
    "chunks with capitals": Row(chunked(lambda p: b"%X\r\n%b\r\n" % (len(p), p)), "right"),
    "chunks with zeros before": Row(chunked(lambda p: b"%b%x\r\n%b\r\n" % (b"0" * 20, len(p), p)), "either"),
    "trailers": Row(chunked(end=b"0\r\nX-Checksum: 1\r\nContent-Length: 5\r\n\r\n"), "right"),
    "no last chunk": Row(chunked(end=b"")),
    "no end after the last chunk": Row(chunked(end=b"0\r\n"), "either"),
    "an invalid size": Row(chunked(lambda p: b"zz\r\n%b\r\n" % p)),
    "a negative size": Row(chunked(lambda p: b"-7\r\n%b\r\n" % p)),
    "a size with a sign": Row(chunked(lambda p: b"+%x\r\n%b\r\n" % (len(p), p)), "either"),
    "a size with 0x": Row(chunked(lambda p: b"0x%x\r\n%b\r\n" % (len(p), p)), "either"),
    "a huge size": Row(chunked(lambda p: b"ffffffffffffffff\r\n%b\r\n" % p)),
    "a size of 70,000 digits": Row(chunked(lambda p: b"f" * 70_000 + b"\r\n%b\r\n" % p)),
    "an empty size": Row(chunked(lambda p: b"\r\n%b\r\n" % p)),
    "a size too small": Row(chunked(lambda p: b"%x\r\n%b\r\n" % (len(p) - 1, p))),
    "a truncated chunk": Row(always(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel")),
    "trailers without an end": Row(
        endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n", b"X-Name: value\r\n"),
        "sentence",
        is_slow=True,
    ),
    "chunked twice": Row(framed("Transfer-Encoding: chunked, chunked")),
    "an unknown framing": Row(framed("Transfer-Encoding: xchunked")),
    "gzip as a framing": Row(framed("Transfer-Encoding: gzip, chunked")),
    "chunked without chunks": Row(framed(CHUNKED)),
}

COMPRESSED = {
    "gzip": Row(compressed("gzip", gzip.compress), "right"),
    "x-gzip": Row(compressed("x-gzip", gzip.compress), "right"),
    "GZIP": Row(compressed("GZIP", gzip.compress), "right"),
    "gzip in members": Row(compressed("gzip", lambda b: gzip.compress(b[:3]) + gzip.compress(b[3:])), "right"),
    "deflate": Row(compressed("deflate", zlib.compress), "right"),
    "deflate without a wrapper": Row(compressed("deflate", raw_deflate), "right"),
    "truncated gzip": Row(compressed("gzip", lambda body: gzip.compress(body)[:-5])),
    "gzip with a wrong checksum": Row(compressed("gzip", lambda body: gzip.compress(body)[:-8] + b"\0" * 8)),
    "invalid gzip": Row(compressed("gzip", bytes)),
    "garbage after gzip": Row(compressed("gzip", lambda body: gzip.compress(body) + b"rubbish"), "either"),
    "invalid deflate": Row(compressed("deflate", lambda body: b"\x78\x9c" + body)),
    "br": Row(compressed("br", bytes)),
    "zstd": Row(compressed("zstd", bytes)),
    "gzip twice": Row(compressed("gzip, gzip", lambda body: gzip.compress(gzip.compress(body)))),
    "an unknown encoding": Row(compressed("rot13", bytes)),
    "an empty encoding": Row(compressed("", bytes), "right"),
    "identity": Row(compressed("identity", bytes), "right"),
    "a bomb of gzip": Row(bomb("gzip", gzip.compress(bytes(200 * MIB)))),
    "a bomb of deflate": Row(bomb("deflate", zlib.compress(bytes(200 * MIB)))),
    "a bomb of spaces": Row(bomb("gzip", gzip.compress(b" " * 200 * MIB))),
    "a bomb in members": Row(bomb("gzip", gzip.compress(bytes(MIB)) * 200)),
    "a million empty members": Row(bomb("gzip", gzip.compress(b"") * 100_000), is_slow=True),
}

CHUNKED_HEAD = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SLOW = {
    "a status line that drips": Row(drip(b"", b"HTTP/1.1 200 OK" + b" " * 1000), is_slow=True),
    "headers that drip": Row(drip(HEAD, b"X-Name: value\r\n" * 90), is_slow=True),
    "a body that drips": Row(drip(HEAD + b"Content-Length: 5000\r\n\r\n", b"[" * 5000), is_slow=True),
    "a chunk that drips": Row(drip(CHUNKED_HEAD + b"1000\r\n", b"[" * 5000), is_slow=True),
    "the size of a chunk that drips": Row(drip(CHUNKED_HEAD, b"0" * 5000), is_slow=True),
    "an error that drips": Row(drip(b"HTTP/1.1 500 Oops\r\nContent-Length: 5000\r\n\r\n", b"x" * 5000), is_slow=True),
    "silence": Row(silence(b""), is_slow=True),
    "silence after the headers": Row(silence(HEAD + b"Content-Length: 2\r\n\r\n"), is_slow=True),
    "a body without an end": Row(endless(HEAD + b"\r\n", b"[" * 65536), is_slow=True),
    "chunks without an end": Row(endless(CHUNKED_HEAD, b"1\r\n[\r\n"), is_slow=True),
    "an error without an end": Row(endless(b"HTTP/1.1 500 Oops\r\n\r\n", b"x" * 65536), is_slow=True),
    "a redirect without an end": Row(
        endless(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", b"x" * 65536), is_slow=True
    ),
}

ROWS: dict[str, Row] = {
    **STATUS_LINES,
    **INFORMATIONAL,
    **HEADS,
    **LENGTHS,
    **CHUNKS,
    **COMPRESSED,
    **SLOW,
}
