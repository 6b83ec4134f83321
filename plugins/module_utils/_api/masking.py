# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Keeps secrets and terminal control codes out of every text that leaves the collection."""

from __future__ import annotations

import operator
import re
import typing as t

from .forms import ENTITY, SHORTEST_SECRET, forms_of, in_json, unfold
from .libraries import fast_json_text

MASK = "********"

# All control characters but tab and line feed, and the codes of the C1 range that some terminals obey.
_CONTROL_CODES = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
# Escape sequences as terminals know them: CSI (colours, cursor), strings such as OSC (titles, links) and DCS, which end
# with the line at the latest, and short ones. CSI and strings may begin with one code of the C1 range, too.
_ESCAPE_SEQUENCES = (
    r"(?:\x1b\[|\x9b(?=[0-?]))[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[P\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-Z\\-~]"
)
_CODES = re.compile(f"(?:{_ESCAPE_SEQUENCES}|{_CONTROL_CODES})+")
# What changes the order in which a text is shown, or is in it unseen, so that a text reads as another one.
_UNSEEN_CHARACTERS = "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_UNSEEN = re.compile(f"[{_UNSEEN_CHARACTERS}]")
# What else may be in a text unseen, and belongs there: joiners and fillers of scripts, variation selectors, tags.
_IGNORABLE_CHARACTERS = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c\u200d\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff"
)
_IGNORABLE = re.compile(f"[{_IGNORABLE_CHARACTERS}]")
# Half a character, which no file and no terminal takes.
_HALVES = re.compile("[\ud800-\udfff]")
# What a program may drop from a text before it shows it: each of them alone, or whole sequences.
_SINGLE_CODES = f"{_CONTROL_CODES}|[{_UNSEEN_CHARACTERS}{_IGNORABLE_CHARACTERS}\ud800-\udfff]"
_SINGLE = re.compile(f"(?:{_SINGLE_CODES})+")
_DROPPED = re.compile(f"(?:{_ESCAPE_SEQUENCES}|{_SINGLE_CODES})+")
_VISIBLE = "\ufffd"
# What begins a new line on a terminal or in a text.
_LINE_BREAKS = re.compile("[\n\u2028\u2029]")
# So often may an encoding be encoded again.
_MOST_LAYERS = 4

Change = t.Callable[[str], str]


class Masker:
    """Replaces each known secret by a mask: as it is, as encodings change it, and torn apart by control codes.

    :param secrets: tokens, and other values that nothing may show; shorter ones than 4 characters are left alone.
    """

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= SHORTEST_SECRET for form in forms_of(secret)}
        # longest first, so that a secret which contains another one leaves no rest; what a mask shows cannot be masked
        self._forms = sorted((form for form in forms if form not in MASK), key=len, reverse=True)
        self._forms_in_json = [in_json(form) for form in self._forms]

    @property
    def longest(self) -> int:
        """Return how long the longest form of a secret is."""
        return len(self._forms[0]) if self._forms else 0

    def line(self, text: str) -> str:
        """Return the text as one line that may be shown: without secrets and control codes."""
        # Taking control codes away may put a secret together, and whoever cuts the text must cut a mask.
        return self.mask(one_line(self.mask(text)))

    def block(self, text: str) -> str:
        """Return the text, in as many lines as it has, as it may be shown: without secrets and control codes."""
        return self.mask(printable(self.mask(text)))

    def mask(self, text: str) -> str:
        """Return the text with every secret replaced; all else stays as it is, control codes included."""
        for form in self._forms:
            text = text.replace(form, MASK)
        if self._forms and not _is_plain(text) and self._shows_secret(text):
            text = self._mask_hidden(text, "\n ")
        return text

    def mask_beginning(self, text: str) -> str:
        """Return a text that was cut off at its beginning without the end of a secret there."""
        for form in self._forms:
            for length in range(min(len(form) - 1, len(text)), SHORTEST_SECRET - 1, -1):
                if text.startswith(form[-length:]):
                    return MASK + text[length:]
        return text

    def mask_value(self, value: t.Any) -> t.Any:
        """Return a JSON-like value with every secret in its strings replaced; untouched parts are not copied.

        Half characters, which nothing can write, are replaced as well.
        """
        return self._changed(value, lambda text: encodable(self.mask(text)))

    def shown_value(self, value: t.Any) -> t.Any:
        """Return a JSON-like value whose strings may be shown: without secrets and control codes."""
        return self._changed(value, self.block)

    def _changed(self, value: t.Any, change: Change) -> t.Any:
        """Return a value with its strings changed; the text of most records tells that there is nothing to change."""
        if isinstance(value, (list, tuple)):
            items = [self._changed(item, change) for item in value]
            return value if all(map(operator.is_, value, items)) else items
        text = fast_json_text(value)
        if text is None or not _is_plain_json(text) or any(form in text for form in self._forms_in_json):
            return change_texts(value, change)
        return value

    def _mask_hidden(self, text: str, separators: str) -> str:
        """Return a text that shows a secret when codes are dropped and encodings undone with a mask for each such word.

        Where no word alone shows it, the line is masked, or all of the text.

        :param separators: what the text is taken apart at, one after the other.
        """
        if not separators:
            return MASK
        masked = separators[0].join(self._mask_parts(text.split(separators[0]), separators))
        return MASK if self._shows_secret(masked) else masked

    def _mask_parts(self, parts: list[str], separators: str) -> list[str]:
        """Return parts that together show a secret masked, half by half: most of a long text shows nothing."""
        if len(parts) == 1:
            return [self._mask_hidden(parts[0], separators[1:])]
        half = len(parts) // 2
        masked: list[str] = []
        for some in (parts[:half], parts[half:]):
            masked += self._mask_parts(some, separators) if self._shows_secret(separators[0].join(some)) else some
        return masked

    def _shows_secret(self, text: str) -> bool:
        # a code may begin a sequence that hides what comes after it, or be dropped alone
        texts = {text, _SINGLE.sub("", text), _DROPPED.sub("", text)}
        for seen in texts:
            for _layer in range(_MOST_LAYERS + 1):
                if any(form in seen for form in self._forms):
                    return True
                before, seen = seen, unfold(seen)
                if seen == before:
                    break
        return False


def _is_plain(text: str) -> bool:
    """Return whether a text can hold a secret only as it is: nothing in it is unseen, and nothing is encoded."""
    is_printable = text.isprintable() or text.replace("\n", "").isprintable()
    is_seen = is_printable and (text.isascii() or not _IGNORABLE.search(text))
    return is_seen and not ("%" in text or "\\" in text or ENTITY.search(text))


def _is_plain_json(text: str) -> bool:
    """Return whether all strings of a JSON text are plain; line breaks and quotes are all that may be escaped."""
    if "\\" in text:
        if text.count("\\") != text.count("\\n") + text.count('\\"'):
            return False
        text = text.replace("\\", "")
    return _is_plain(text)


def change_texts(value: t.Any, change: Change) -> t.Any:
    """Return a JSON-like value with every string changed, names included; what does not change is not copied."""
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

    In the place of what cannot be seen, or changes the order of what is around it, stands a character that is seen.
    """
    return text if text.isprintable() else _UNSEEN.sub(_VISIBLE, encodable(_CODES.sub("", text)))


def one_line(text: str) -> str:
    parts = (part.strip() for part in _LINE_BREAKS.split(printable(text)))
    return " ".join(part for part in parts if part).replace("\t", " ")


def encodable(text: str) -> str:
    """Return the text with a character that is seen in the place of each half one, which nothing can write."""
    return text if text.isprintable() else _HALVES.sub(_VISIBLE, text)
