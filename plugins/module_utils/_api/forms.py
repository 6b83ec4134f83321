# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How a secret may be written: in the encodings of URLs, JSON, HTML, Python and base64; and how these are undone."""

from __future__ import annotations

import base64
import functools
import html
import json
import re
import typing as t
from urllib.parse import quote, quote_plus, unquote_to_bytes

# A shorter value cannot be masked without making texts unreadable, and is not a token that GitLab ever made.
SHORTEST_SECRET = 4
# In the middle of other content, so many characters of base64 are no accident.
_SHORTEST_INNER = 8

# How URLs, HTML, and JSON, Python and shells write a character that they cannot write as it is.
ENTITY = re.compile("&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});")
_ENCODED = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+"
    rf"|{ENTITY.pattern}"
    r"|(?:\\u[0-9A-Fa-f]{4})+|\\x[0-9A-Fa-f]{2}|\\[^uxUX0-9]",
    re.DOTALL,
)
_ESCAPED: t.Mapping[str, str] = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def in_json(text: str) -> str:
    """Return a text as it stands in the strings of a JSON text."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


# a template may ask a hundred times with one token
@functools.lru_cache(maxsize=64)
def forms_of(secret: str) -> frozenset[str]:
    """Return a secret as it is, and as URLs, JSON, HTML, Python, hexadecimal digits and base64 write it."""
    return frozenset(_written(secret))


def _written(secret: str) -> t.Iterator[str]:
    yield secret
    # without control codes, and as it is found after an encoding was undone that was never done
    for changed in (re.sub(r"[\x00-\x1f\x7f-\x9f]", "", secret).strip(), unfold(secret)):
        if len(changed) >= SHORTEST_SECRET:
            yield changed
    as_bytes = secret.encode("utf-8", errors="surrogatepass")
    for quoted in (quote(as_bytes, safe=""), quote(as_bytes), quote_plus(as_bytes)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda code: code.group().lower(), quoted)
    for escaped in (json.dumps(secret)[1:-1], in_json(secret)):
        yield escaped
        yield escaped.replace("/", "\\/")
    yield html.escape(secret)
    yield repr(secret)[1:-1]
    yield as_bytes.hex()
    yield as_bytes.hex().upper()
    yield from _base64_forms(as_bytes)


def _base64_forms(secret: bytes) -> t.Iterator[str]:
    """Yield how base64 writes a secret: alone, and inside of more, where it may begin at each of three places."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(secret).decode("ascii").rstrip("=")
        for before, first in ((0, 0), (1, 2), (2, 3)):
            # the characters that depend on the secret alone
            inner = encode(bytes(before) + secret)[first : (before + len(secret)) * 8 // 6].decode("ascii")
            if len(inner) >= _SHORTEST_INNER:
                yield inner


# ----- undoing -----


def unfold(text: str) -> str:
    """Return a text with what is encoded in it undone once."""
    return _ENCODED.sub(lambda found: _decoded(found.group()), text)


def _decoded(code: str) -> str:
    """Return what an encoded character, or a row of them, stands for."""
    if code.startswith("%"):
        return unquote_to_bytes(code).decode("utf-8", errors="replace")
    if code.startswith("&"):
        return html.unescape(code)
    if code.startswith("\\u"):
        whole = "".join(chr(int(digits, 16)) for digits in code.split("\\u")[1:])
        return whole.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="surrogatepass")
    if code.startswith("\\x"):
        return chr(int(code[2:], 16))
    return _ESCAPED.get(code[1], code[1])
