# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The forms of a secret in URLs, JSON, HTML, Python, hexadecimal digits and base64; decoding of texts."""

from __future__ import annotations

import base64
import functools
import html
import json
import re
import typing as t
from urllib.parse import quote, quote_plus, unquote_to_bytes

# Masking a shorter value would make texts unreadable, and GitLab's tokens are longer.
SHORTEST_SECRET = 4
# Within other content, this many matching characters of base64 are not a coincidence.
_SHORTEST_INNER = 8

# Encoded characters in URLs and HTML, and in JSON, Python and shells.
ENTITY = re.compile("&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});")
_ENCODED = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+"
    rf"|{ENTITY.pattern}"
    r"|(?:\\u[0-9A-Fa-f]{4})+|\\x[0-9A-Fa-f]{2}|\\[^uxUX0-9]",
    re.DOTALL,
)
_ESCAPED: t.Mapping[str, str] = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def in_json(text: str) -> str:
    """Return a text as a JSON string without quotes."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


# a template may call this a hundred times with one token
@functools.lru_cache(maxsize=64)
def forms_of(secret: str) -> frozenset[str]:
    """Return a secret, and its forms in URLs, JSON, HTML, Python, hexadecimal digits and base64."""
    return frozenset(_written(secret))


def _written(secret: str) -> t.Iterator[str]:
    yield secret
    # without control codes, and the form that is left if a plain text is decoded
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
    """Yield the base64 forms of a secret: alone, and within other content, at each of three offsets."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(secret).decode("ascii").rstrip("=")
        for before, first in ((0, 0), (1, 2), (2, 3)):
            # only the characters that do not depend on the other content
            inner = encode(bytes(before) + secret)[first : (before + len(secret)) * 8 // 6].decode("ascii")
            if len(inner) >= _SHORTEST_INNER:
                yield inner


# ----- decoding -----


def unfold(text: str) -> str:
    """Return a text with its encoded characters decoded once."""
    return _ENCODED.sub(lambda found: _decoded(found.group()), text)


def _decoded(code: str) -> str:
    """Return the decoded form of an encoded character, or of several in a row."""
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
