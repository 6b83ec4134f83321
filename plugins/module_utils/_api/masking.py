# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Keeps secrets and terminal control codes out of every text that leaves the collection."""

from __future__ import annotations

import base64
import functools
import json
import marshal
import re
import typing as t
from urllib.parse import quote, quote_plus

MASK = "********"

# Patterns are compiled when a text is first made fit to be shown: most tasks succeed and have nothing to say.
# All control characters but tab and line feed, and the codes of the C1 range that some terminals obey.
_CONTROL_CODES = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
# Escape sequences as terminals know them: CSI (colours, cursor), strings such as OSC (titles, links) and DCS, which end
# with the line at the latest, and short ones. CSI and strings may begin with one code of the C1 range, too.
_ESCAPE_SEQUENCES = (
    r"(?:\x1b\[|\x9b(?=[0-?]))[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[P\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-Z\\-~]"
)
# What begins a new line on a terminal or in a text, and the tab, which tears a line apart.
_LINE_BREAKS = r"\s*[\n\u2028\u2029]\s*|\t"

# A shorter value cannot be masked without making texts unreadable, and is not a token that GitLab ever made.
_SHORTEST_SECRET = 4


class Masker:
    """Replaces each known secret, as it is and as encodings change it, by a mask."""

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        forms: set[str] = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST_SECRET:
                forms.update(_forms(secret))
        # longest first, so that a secret which contains another one leaves no rest
        self._forms = sorted(forms, key=len, reverse=True)

    def line(self, text: str) -> str:
        """Return the text as one line that may be shown: without secrets and control codes."""
        # Taking control codes away may put a secret together, and whoever cuts the text must cut a mask.
        return self.mask(one_line(text))

    def mask(self, text: str) -> str:
        """Return the text with every secret replaced."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def mask_value(self, value: t.Any) -> t.Any:
        """Return a JSON-like value with every secret in its strings replaced; untouched parts are not copied."""
        return self._masked(value) if may_hold(value, self._forms) else value

    def _masked(self, value: t.Any) -> t.Any:
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self._masked(key): self._masked(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        return value


def may_hold(value: t.Any, secrets: t.Collection[str]) -> bool:
    """Return whether a JSON-like value may hold one of these texts; false is certain.

    As bytes of `marshal`, which leaves texts as they are, a value is searched much faster than by walking through it.
    """
    if not secrets:
        return False
    if any(secret.isdecimal() for secret in secrets):
        return True  # it may be there as a number
    try:
        content = marshal.dumps(value)
    except ValueError:
        return True  # something else than JSON has
    return any(secret.encode("utf-8", errors="surrogatepass") in content for secret in secrets)


def printable(text: str) -> str:
    """Return the text without escape sequences and control codes, safe for a terminal."""
    return re.sub(_CONTROL_CODES, "", re.sub(_ESCAPE_SEQUENCES, "", text))


def one_line(text: str) -> str:
    """Return the printable text in one line."""
    return re.sub(_LINE_BREAKS, " ", printable(text)).strip()


# a template may ask a hundred times with one token
@functools.lru_cache(maxsize=64)
def _forms(secret: str) -> frozenset[str]:
    """Return a secret as it is, and as URLs, JSON, HTML, Python and base64 write it."""
    return frozenset(_written(secret))


def _written(secret: str) -> t.Iterator[str]:
    yield secret
    if not secret.isprintable() or secret != secret.strip():
        line = one_line(secret)
        if len(line) >= _SHORTEST_SECRET:
            yield line
    as_bytes = secret.encode("utf-8", errors="surrogatepass")
    for quoted in (quote(as_bytes, safe=""), quote(as_bytes), quote_plus(as_bytes)):
        yield quoted
        if "%" in quoted:
            yield re.sub("%[0-9A-F]{2}", lambda code: code.group().lower(), quoted)
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield escaped
        yield escaped.replace("/", "\\/")
    yield _html(secret)
    yield repr(secret)[1:-1]
    for encoded in (base64.b64encode(as_bytes), base64.urlsafe_b64encode(as_bytes)):
        yield encoded.decode("ascii").rstrip("=")


def _html(text: str) -> str:
    """Return a text as HTML writes it; the library for it takes as long to import as this whole core."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        text = text.replace(character, entity)
    return text
