# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Removal of secrets and terminal control codes from every text that leaves the collection."""

from __future__ import annotations

import operator
import re
import typing as t

from .forms import ENTITY, SHORTEST_SECRET, forms_of, in_json, unfold
from .libraries import fast_json_text

MASK = "********"

# All control characters except tab and line feed, and the codes of the C1 range that some terminals interpret.
_CONTROL_CODES = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
# Escape sequences of terminals: CSI (colors, cursor), strings such as OSC (titles, links) and DCS, which end with the
# line at the latest, and short ones. CSI and strings may also begin with a code of the C1 range. The last character of
# CSI is missing where the log of a running job ends.
_ESCAPE_SEQUENCES = (
    r"(?:\x1b\[|\x9b(?=[0-?]))[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[P\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-Z\\-~]"
)
_CODES = re.compile(f"(?:{_ESCAPE_SEQUENCES}|{_CONTROL_CODES})+")
# Characters that are invisible or change the order of a text, so that it reads as another text.
_UNSEEN_CHARACTERS = "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_UNSEEN = re.compile(f"[{_UNSEEN_CHARACTERS}]")
# Invisible characters that have a purpose: joiners and fillers of scripts, variation selectors, tags.
_IGNORABLE_CHARACTERS = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c\u200d\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff"
)
_IGNORABLE = re.compile(f"[{_IGNORABLE_CHARACTERS}]")
# Surrogates, half of a character each, which neither files nor terminals accept.
_HALVES = re.compile("[\ud800-\udfff]")
# What a program may remove from a text before it shows it: single codes, or whole sequences.
_SINGLE_CODES = f"{_CONTROL_CODES}|[{_UNSEEN_CHARACTERS}{_IGNORABLE_CHARACTERS}\ud800-\udfff]"
_SINGLE = re.compile(f"(?:{_SINGLE_CODES})+")
_DROPPED = re.compile(f"(?:{_ESCAPE_SEQUENCES}|{_SINGLE_CODES})+")
_VISIBLE = "\ufffd"
# Characters that start a new line on a terminal or in a text.
_LINE_BREAKS = re.compile("[\n\u2028\u2029]")
# How many encodings of a secret may be nested.
_MAX_LAYERS = 4

Change = t.Callable[[str], str]


class Masker:
    """A filter that replaces each known secret with a mask, whether it is plain, encoded, or split by control codes.

    :param secrets: tokens and other values that must not be shown; values of fewer than 4 characters are ignored.
    """

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= SHORTEST_SECRET for form in forms_of(secret)}
        # longest first, so that nothing is left of a secret that contains another one; asterisks cannot be masked
        self._forms = sorted((form for form in forms if form not in MASK), key=len, reverse=True)
        self._forms_in_json = [in_json(form) for form in self._forms]

    @property
    def longest(self) -> int:
        """Return the length of the longest form of a secret."""
        return len(self._forms[0]) if self._forms else 0

    def line(self, text: str) -> str:
        """Return the text as one line without secrets and control codes."""
        # Mask again, because removing control codes may reassemble a secret, and callers may shorten the text.
        return self.mask(one_line(self.mask(text)))

    def block(self, text: str) -> str:
        """Return the text without secrets and control codes; its lines are kept."""
        return self.mask(printable(self.mask(text)))

    def mask(self, text: str) -> str:
        """Return the text with every secret replaced; control codes and everything else are kept."""
        for form in self._forms:
            text = text.replace(form, MASK)
        if self._forms and not _is_plain(text) and self._shows_secret(text):
            text = self._mask_hidden(text, "\n ")
        return text

    def mask_beginning(self, text: str) -> str:
        """Return a text whose beginning was cut off, with the end of a secret there replaced."""
        for form in self._forms:
            for length in range(min(len(form) - 1, len(text)), SHORTEST_SECRET - 1, -1):
                if text.startswith(form[-length:]):
                    return MASK + text[length:]
        return text

    def mask_value(self, value: t.Any) -> t.Any:
        """Return a JSON-like value with every secret in its strings replaced; unchanged parts are not copied.

        Surrogates, which cannot be written, are replaced as well.
        """
        return self._changed(value, lambda text: encodable(self.mask(text)))

    def shown_value(self, value: t.Any) -> t.Any:
        """Return a JSON-like value without secrets and control codes in its strings."""
        return self._changed(value, self.block)

    def _changed(self, value: t.Any, change: Change) -> t.Any:
        """Return a value with its strings changed; most records need no change, which their JSON text shows faster."""
        if isinstance(value, (list, tuple)):
            items = [self._changed(item, change) for item in value]
            return value if all(map(operator.is_, value, items)) else items
        text = fast_json_text(value)
        if text is None or not _is_plain_json(text) or any(form in text for form in self._forms_in_json):
            return change_texts(value, change)
        return value

    def _mask_hidden(self, text: str, separators: str) -> str:
        """Return a text with a mask for each word that shows a secret if it is decoded or loses its control codes.

        If no single word shows the secret, mask the line or the whole text.

        :param separators: the characters to split the text at, one after the other.
        """
        if not separators:
            return MASK
        masked = separators[0].join(self._mask_parts(text.split(separators[0]), separators))
        return MASK if self._shows_secret(masked) else masked

    def _mask_parts(self, parts: list[str], separators: str) -> list[str]:
        """Return masked parts that together show a secret; search by halves, because most of a long text shows none."""
        if len(parts) == 1:
            return [self._mask_hidden(parts[0], separators[1:])]
        half = len(parts) // 2
        masked: list[str] = []
        for some in (parts[:half], parts[half:]):
            masked += self._mask_parts(some, separators) if self._shows_secret(separators[0].join(some)) else some
        return masked

    def _shows_secret(self, text: str) -> bool:
        # a program may remove a code alone, or as the beginning of a sequence that hides the text after it
        texts = {text, _SINGLE.sub("", text), _DROPPED.sub("", text)}
        for seen in texts:
            for _layer in range(_MAX_LAYERS + 1):
                if any(form in seen for form in self._forms):
                    return True
                before, seen = seen, unfold(seen)
                if seen == before:
                    break
        return False


def _is_plain(text: str) -> bool:
    """Return whether a text has no invisible or encoded characters, in which a secret may be hidden."""
    is_printable = text.isprintable() or text.replace("\n", "").isprintable()
    is_seen = is_printable and (text.isascii() or not _IGNORABLE.search(text))
    return is_seen and not ("%" in text or "\\" in text or ENTITY.search(text))


def _is_plain_json(text: str) -> bool:
    """Return whether all strings of a JSON text are plain; only line breaks and quotes may be escaped."""
    if "\\" in text:
        if text.count("\\") != text.count("\\n") + text.count('\\"'):
            return False
        text = text.replace("\\", "")
    return _is_plain(text)


def change_texts(value: t.Any, change: Change) -> t.Any:
    """Return a JSON-like value with every string and key changed; unchanged parts are not copied."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        items = [change_texts(item, change) for item in value.values()]
        names = "".join(name for name in value if isinstance(name, str))
        if change(names) != names:
            return {change_texts(name, change): item for name, item in zip(value, items)}
        return value if all(map(operator.is_, value.values(), items)) else dict(zip(value, items))
    if isinstance(value, (list, tuple)):
        items = [change_texts(item, change) for item in value]
        return value if all(map(operator.is_, value, items)) else items
    return value


def printable(text: str) -> str:
    """Return the text without escape sequences and control codes, safe for a terminal.

    A visible character replaces characters that are invisible or change the order of the text.
    """
    return text if text.isprintable() else _UNSEEN.sub(_VISIBLE, encodable(_CODES.sub("", text)))


def one_line(text: str) -> str:
    parts = (part.strip() for part in _LINE_BREAKS.split(printable(text)))
    return " ".join(part for part in parts if part).replace("\t", " ")


def encodable(text: str) -> str:
    """Return the text with a visible character in place of each surrogate, which cannot be written."""
    return text if text.isprintable() else _HALVES.sub(_VISIBLE, text)
