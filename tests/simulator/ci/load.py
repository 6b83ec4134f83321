# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load YAML with line numbers and GitLab's tag `!reference`."""

from __future__ import annotations

import typing as t

import yaml

from .values import Block, CiError, Items, Place, Reference

_TOO_BIG: t.Final = "The parsed YAML is too big"
_MAX_VALUES: t.Final = 200_000
_DEEPEST: t.Final = 100
_PLAIN_TAGS: t.Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float"))
_TEXT_TAGS: t.Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "value"))
_DATE_TAG: t.Final = "tag:yaml.org,2002:timestamp"
_MERGE_TAG: t.Final = "tag:yaml.org,2002:merge"


def load(text: str, file: str) -> tuple[Block, Block | None]:
    """Return the mapping of a file, and its header with `spec` if it has one.

    :raises CiError: if it is not YAML, not a mapping, or too large.
    """
    try:
        loader = yaml.SafeLoader(text)
    except yaml.YAMLError as error:  # a character that YAML does not allow
        raise CiError(f"(<unknown>): {error}") from error
    try:
        reader = _Reader(loader, file)
        found: list[t.Any] = []
        while loader.check_node():
            found.append(reader.read(loader.get_node(), 0))
    except CiError:
        raise
    except yaml.MarkedYAMLError as error:
        raise CiError(f"(<unknown>): {_problem(error)}") from error
    except (yaml.YAMLError, ValueError) as error:  # the latter for a number of thousands of digits
        raise CiError(f"(<unknown>): {error}") from error
    except RecursionError as error:
        raise CiError(_TOO_BIG) from error
    finally:
        loader.dispose()
    if not found:
        raise CiError("Please provide content of .gitlab-ci.yml")
    for document in found:
        if not isinstance(document, Block):
            raise CiError("Invalid configuration format")
    has_header = len(found) > 1 and set(found[0]) == {"spec"}
    return (found[1], found[0]) if has_header else (found[0], None)


def _problem(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f" at line {mark.line + 1} column {mark.column + 1}" if mark else ""
    return " ".join(filter(None, (error.problem, error.context))) + where


class _Reader:
    """Turns nodes into values; the target of an alias is read once."""

    def __init__(self, loader: yaml.SafeLoader, file: str) -> None:
        self._loader = loader
        self._file = file
        # By identity of the node: its value, and how many values are in it.
        self._known: dict[int, tuple[t.Any, int]] = {}
        self._open: set[int] = set()
        # Nodes must stay alive, because Python reuses the identities of deleted objects.
        self._nodes: list[yaml.Node] = []
        self._sizes: list[int] = [0]

    def read(self, node: yaml.Node, depth: int) -> t.Any:
        if id(node) in self._open:
            raise CiError("An alias refers to a node that contains it")
        if depth > _DEEPEST:
            raise CiError(_TOO_BIG)
        if id(node) not in self._known:
            self._nodes.append(node)
            self._open.add(id(node))
            self._sizes.append(1)
            value = self._new(node, depth)
            self._open.discard(id(node))
            self._known[id(node)] = (value, self._sizes.pop())
        value, size = self._known[id(node)]
        self._sizes[-1] += size
        if self._sizes[-1] > _MAX_VALUES:
            raise CiError(_TOO_BIG)
        return value

    def _new(self, node: yaml.Node, depth: int) -> t.Any:
        place = Place(self._file, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._block(node, place, depth)
        if isinstance(node, yaml.SequenceNode):
            items = Items(place)
            items.extend(self.read(child, depth + 1) for child in node.value)
            if node.tag == "!reference":
                return self._reference(items, place)
            if node.tag.startswith("!"):
                raise CiError(f"Unknown tag {node.tag} at line {place.line}")
            return items
        if node.tag in _TEXT_TAGS:
            return node.value
        if node.tag in _PLAIN_TAGS:
            return self._loader.construct_object(node)
        if node.tag == _DATE_TAG:
            raise CiError(f"Tried to load unspecified class: {'Time' if ':' in node.value else 'Date'}")
        raise CiError(f"Unknown tag {node.tag} at line {place.line}")

    def _reference(self, items: Items, place: Place) -> Reference:
        if not items or not all(isinstance(item, str) for item in items):
            raise CiError("!reference must be a list with the name of a job and its keys")
        return Reference(tuple(items), place)

    def _block(self, node: yaml.MappingNode, place: Place, depth: int) -> Block:
        block = Block(place)
        for key_node, value_node in node.value:
            value = self.read(value_node, depth + 1)
            if key_node.tag == _MERGE_TAG:
                # As in Ruby, it overrides the keys before it. The first of several that has a key wins.
                for other in reversed(value if isinstance(value, list) else [value]):
                    if not isinstance(other, Block):
                        raise CiError(f"(<unknown>): a mapping is required after << at line {place.line}")
                    for key in other:
                        block.put(key, other[key], other.where(key))
                continue
            key = self.read(key_node, depth + 1)
            name = str(key).lower() if isinstance(key, bool) else key_node.value
            if not isinstance(name, str):
                raise CiError(f"(<unknown>): keys must be strings at line {place.line}")
            block.put(name, value, Place(self._file, key_node.start_mark.line + 1))
        return block
