# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a file and everything it includes into one mapping.

Source: https://docs.gitlab.com/ci/yaml/includes/
"""

from __future__ import annotations

import pathlib
import typing as t

from . import globs
from .check import check_rules
from .interpolation import Interpolation, Specs, specs_of
from .load import load
from .notes import Notes
from .rules import Matcher
from .values import Block, CiError, Place, as_list, block_in, deep_merge, text
from .variables import expand, expand_all

_MAX_INCLUDES: t.Final = 150
_ENDINGS: t.Final = (".yml", ".yaml")
_ELSEWHERE: t.Final = ("remote", "project", "template", "component", "artifact")


class Includer:
    """Reads the files of one pipeline.

    :ivar is_whole: nothing was included that cannot be read here.
    :ivar specs: the inputs of the first file.
    """

    def __init__(self, root: pathlib.Path, matcher: Matcher, variables: t.Mapping[str, str], notes: Notes) -> None:
        self._root = root.resolve()
        self._matcher = matcher
        self._variables = variables
        self._notes = notes
        self._count = 0
        self.is_whole = True
        self.specs: Specs | None = None

    def read(self, path: pathlib.Path, given: t.Mapping[str, t.Any] | None = None, *, is_form: bool = False) -> Block:
        """Return a file merged with its includes; its own values override theirs.

        :param given: its inputs; is_form says that they came as form data.
        :raises CiError: it is not there, or wrong.
        """
        shown = path.resolve().relative_to(self._root) if path.resolve().is_relative_to(self._root) else path
        try:
            written = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise CiError(f"(<unknown>): {shown} is not UTF-8") from error
        document, header = load(written, str(shown))
        self._notes.read(document)
        specs = specs_of(header)
        if self.specs is None:
            self.specs = specs
        if header is not None:
            self._notes.read(header)
        if header is not None or given:
            document = Interpolation(specs, given or {}, expand_all(self._variables), is_form=is_form).of(document)
        return self.expanded(document)

    def expanded(self, document: Block) -> Block:
        """Return a mapping merged with its includes, which it overrides."""
        merged = Block(document.place)
        for entry, place in self._entries(document):
            merged = deep_merge(merged, self._included(entry, place))
        rest = document.copied()
        rest.pop("include", None)
        return deep_merge(merged, rest)

    def _entries(self, document: Block) -> list[tuple[t.Any, Place]]:
        return [(entry, document.where("include")) for entry in as_list(document.get("include"))]

    def _included(self, entry: t.Any, place: Place) -> Block:
        """Return the content of one entry of `include`."""
        merged = Block(place)
        row = entry if isinstance(entry, Block) else Block(place)
        if isinstance(entry, str):
            row.put("remote" if entry.startswith(("http://", "https://")) else "local", entry, place)
        check_rules(row.get("rules"), "include:rules")
        if "rules" in row and self._matcher.first(row["rules"], self._variables) is None:
            return merged
        for kind in _ELSEWHERE:
            if kind in row:
                self.is_whole = False
                if isinstance(entry, str):
                    self._notes.add("include:remote", "only files of the project itself are read", place)
                return merged
        if not isinstance(row.get("local"), str):
            raise CiError("Each include must be a local, remote, project, template or component")
        for path in self._paths(expand(text(row["local"]), expand_all(self._variables), keeps_unknown=True)):
            self._count += 1
            if self._count > _MAX_INCLUDES:
                raise CiError(f"Maximum of {_MAX_INCLUDES} nested includes are allowed!")
            merged = deep_merge(merged, self.read(path, block_in(row, "inputs")))
        return merged

    def _paths(self, name: str) -> list[pathlib.Path]:
        """Return the files that match a name, which may be a pattern; they are all below the root."""
        plain = name.lstrip("/")
        if "*" in plain:
            glob = globs.compile_glob(plain)
            files = (path for path in sorted(self._root.rglob("*")) if path.suffix in _ENDINGS and path.is_file())
            found = [path for path in files if glob.search(path.relative_to(self._root).as_posix())]
            if not found:
                raise CiError(f"Local file `{plain}` does not exist!")
            return found
        path = (self._root / plain).resolve()
        if not plain.endswith(_ENDINGS):
            raise CiError(f"Included file `{plain}` does not have YAML extension!")
        if not path.is_relative_to(self._root) or not path.is_file():
            raise CiError(f"Local file `{plain}` does not exist!")
        return [path]
