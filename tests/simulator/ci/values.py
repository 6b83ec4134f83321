# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Contents of a file: mappings and lists with line numbers, references, and the error for invalid files."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True, order=True)
class Place:
    """The position of a value in a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class CiError(ValueError):
    """Invalid file, with GitLab's message."""


class Block(dict[str, t.Any]):
    """A mapping with the position of each key."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: dict[str, Place] = {}

    def put(self, key: str, value: t.Any, place: Place) -> None:
        self[key] = value
        self.places[key] = place

    def where(self, key: str) -> Place:
        return self.places.get(key, self.place)

    def copied(self) -> Block:
        """Return a copy with the same values."""
        other = Block(self.place)
        other.update(self)
        other.places.update(self.places)
        return other


class Items(list[t.Any]):
    """A list with its position."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


@dataclasses.dataclass(frozen=True)
class Reference:
    """`!reference [job, key, ...]`, before it is resolved."""

    path: tuple[str, ...]
    place: Place


def text(value: t.Any) -> str:
    """Return a scalar as GitLab writes it into a variable."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def as_list(value: t.Any) -> list[t.Any]:
    """Return a value that may be a single item or a list as a flat list."""
    if value is None:
        return []
    return flat(value) if isinstance(value, list) else [value]


def flat(items: t.Iterable[t.Any]) -> list[t.Any]:
    """Return a list without the nested lists that `!reference` creates."""
    found: list[t.Any] = []
    for item in items:
        found += flat(item) if isinstance(item, list) else [item]
    return found


def block_in(block: Block, key: str) -> Block:
    """Return the mapping of a key; empty if there is none."""
    found = block.get(key)
    return found if isinstance(found, Block) else Block(block.where(key))


def deep_merge(under: Block, over: Block) -> Block:
    """Return the deep merge of both mappings; other values of `over` win.

    Lists are replaced, not merged. Source: https://docs.gitlab.com/ci/yaml/yaml_optimization/#merge-details
    """
    merged = under.copied()
    for key, value in over.items():
        before = merged.get(key)
        both = isinstance(before, Block) and isinstance(value, Block)
        merged.put(key, deep_merge(before, value) if both else value, over.where(key))  # type: ignore[arg-type]
    return merged
