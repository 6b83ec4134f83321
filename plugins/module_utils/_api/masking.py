# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Keeps secrets and terminal control codes out of every text that leaves the collection."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote, quote_plus

MASK = "********"

# All control characters but tab and line feed, and the codes of the C1 range that some terminals obey.
_CONTROL_CODES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Escape sequences as terminals know them: CSI (colours, cursor), OSC (titles, links) and two-character ones.
_ESCAPE_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")

# A shorter value cannot be masked without making texts unreadable, and is no token GitLab ever made.
_SHORTEST_SECRET = 4


class Masker:
    """Replaces each known secret, and its URL-encoded forms, by a mask."""

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        forms: set[str] = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST_SECRET:
                forms.update((secret, quote(secret, safe=""), quote_plus(secret)))
        # longest first, so that a secret which contains another one leaves no rest
        self._forms = sorted(forms, key=len, reverse=True)

    def mask(self, text: str) -> str:
        """Return the text with every secret replaced."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def mask_value(self, value: t.Any) -> t.Any:
        """Return a JSON-like value with every secret in its strings replaced; untouched parts are not copied."""
        if not self._forms:
            return value
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self.mask_value(key): self.mask_value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.mask_value(item) for item in value]
        return value


def printable(text: str) -> str:
    """Return the text without escape sequences and control codes, safe for a terminal."""
    return _CONTROL_CODES.sub("", _ESCAPE_SEQUENCES.sub("", text))
