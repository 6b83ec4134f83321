# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notes about the unsupported keywords of a file, with their lines."""

from __future__ import annotations

import re
import typing as t

from .context import NAMES
from .keywords import FOLLOWED, NAMED_BY_USERS, NOT_FOLLOWED, ROOT_KEYWORDS
from .values import Block, Place

_PREDEFINED: t.Final = re.compile(r"\$\{?(CI_\w+|GITLAB_USER_\w+)")
_ARE_JOB_KEYWORDS: t.Final = frozenset({"image", "services", "cache", "before_script", "after_script"})


class Notes:
    """Collection of notes: for each keyword, the reason and all lines."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], set[Place]] = {}
        self._own: set[str] = set()

    def add(self, what: str, why: str, place: Place) -> None:
        self._places.setdefault((what, why), set()).add(place)

    def lines(self) -> list[str]:
        """Return one line per keyword, ordered by first occurrence."""
        rows = [row for row in self._places.items() if row[0][0] not in self._own]
        ordered = sorted(rows, key=lambda row: (min(row[1]), row[0]))
        return [f"{what}: {why} ({_listed(places)})" for (what, why), places in ordered]

    def read(self, document: Block) -> None:
        """Note the unsupported keywords of a file."""
        for key, value in document.items():
            if key in ROOT_KEYWORDS and key not in _ARE_JOB_KEYWORDS:
                # `default` contains keywords of jobs.
                if key == "default" and isinstance(value, Block):
                    self._read_block(value, "")
                else:
                    self._read_key(document, key, "")
            elif key in _ARE_JOB_KEYWORDS:
                self._read_key(document, key, "")
            elif isinstance(value, Block):
                self._read_block(value, "")

    def _read_block(self, block: Block, above: str) -> None:
        for key in block:
            self._read_key(block, key, above)

    def _read_key(self, block: Block, key: str, above: str) -> None:
        name = f"{above}:{key}" if above else key
        if name in NOT_FOLLOWED:
            self.add(name, NOT_FOLLOWED[name], block.where(key))
        elif name in FOLLOWED:
            self._read_below(block[key], name, block.where(key))

    def _read_below(self, value: t.Any, name: str, place: Place) -> None:
        if isinstance(value, str):
            for variable in _PREDEFINED.findall(value):
                if variable not in NAMES:
                    self.add(f"${variable}", "not predefined here, so it is empty", place)
        elif isinstance(value, list):
            for item in value:
                self._read_below(item, name, place)
        elif isinstance(value, Block) and name in NAMED_BY_USERS:
            for key, inner in value.items():
                self._own.add(f"${key}")
                self._read_below(inner, NAMED_BY_USERS[name], value.where(key))
        elif isinstance(value, Block):
            self._read_block(value, name)


def _listed(places: set[Place]) -> str:
    """Return places as text, with each file name once."""
    found: dict[str, list[int]] = {}
    for place in sorted(places):
        found.setdefault(place.file, []).append(place.line)
    return "; ".join(f"{file}:{','.join(map(str, lines))}" for file, lines in found.items())
