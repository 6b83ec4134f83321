# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parsing of artifacts and logs into values for expressions."""

from __future__ import annotations

import json
import re
import typing as t

from ansible.module_utils.common.yaml import SafeLoader, yaml_load

from ..module_utils._api.decoding import is_deeper
from ..module_utils._api.errors import UsageError
from ..module_utils._api.masking import printable

_DOTENV_LINE = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=(.*)", re.DOTALL)
# The characters that GitLab, which is written in Ruby, strips from names and values.
_BLANKS = " \t\n\v\f\r\0"
# Real artifacts have fewer levels, and Ansible walks through the value by recursion.
DEEPEST = 100
# Python refuses to print longer numbers, and is slow to parse them.
_LONGEST_NUMBER = 4300
_NUMBER = re.compile(r"[-+]?[0-9][0-9A-Fa-fxob_:.]*")
# The maximum number of values in a YAML file after aliases are expanded, as templates expand them.
MAX_VALUES = 1_000_000


def parse_artifact(content: bytes, parse: str, path: str, *, subject: str = "") -> t.Any:
    """Return the parsed content of a file.

    :param parse: `text`, `json`, `yaml` or `dotenv`.
    :param path: the path of the file, for messages.
    :param subject: the job of the file, for messages.
    :raises UsageError: if the content is malformed; the message has the file, and the line if it is known.
    """
    name = f"{path!r} of {subject}" if subject else repr(path)
    try:
        text = content.decode("utf-8-sig" if parse != "text" else "utf-8")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise UsageError(f"artifact {name} is not UTF-8 text (line {line}); download it to a file instead") from None
    try:
        return _PARSERS[parse](text, name)
    except UsageError as exc:
        if not _is_dotenv(text):
            raise
        raise UsageError(f"{exc}; its lines have the form NAME=value, so use parse: dotenv") from None


def log_text(content: bytes) -> str:
    """Return a log as text without color codes and control codes; bytes that are not UTF-8 are replaced."""
    return printable(content.decode("utf-8", errors="replace"))


def _json(text: str, name: str) -> t.Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as exc:
        raise UsageError(f"artifact {name} is not valid JSON: {exc.msg} in line {exc.lineno}") from None
    except RecursionError:
        raise _too_deep(name, "JSON") from None
    except ValueError:
        raise UsageError(f"artifact {name} is JSON that cannot be read") from None
    if is_deeper(value, DEEPEST):
        raise _too_deep(name, "JSON")
    return value


def _too_much(name: str, what: str) -> UsageError:
    return UsageError(f"artifact {name} is {what} for an expression; download it to a file instead")


def _too_deep(name: str, kind: str) -> UsageError:
    return _too_much(name, f"{kind} with more than {DEEPEST} levels, too deep")


def _yaml(text: str, name: str) -> t.Any:
    try:
        _check_extent(text, name)
        return yaml_load(text)
    except UsageError:
        raise
    except Exception as exc:  # errors of the YAML library, which Ansible chooses
        mark = getattr(exc, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        problem = getattr(exc, "problem", None) or getattr(exc, "reason", None) or type(exc).__name__
        # the library begins the sentence with what it expected
        problem = problem.removeprefix("but ")
        if "nesting depth" in problem:  # PyYAML 6.0.4 and later have their own limit
            raise _too_deep(name, "YAML") from None
        raise UsageError(f"artifact {name} is not valid YAML: {problem}{where}") from None


def _check_extent(text: str, name: str) -> None:
    """Check the size of a YAML file with expanded aliases by its events, before any value is created.

    :raises UsageError: if it has too many levels or values, or if an alias is part of the value that it refers to.
    """
    # the values and levels of each open collection so far, the anchors of these, and the extents of all known anchors
    extents = [(0, 0)]
    anchors: list[str | None] = []
    known: dict[str, tuple[int, int]] = {}

    def add(extent: tuple[int, int], anchor: str | None) -> None:
        values, levels = extents[-1]
        extents[-1] = (values + extent[0], max(levels, extent[1]))
        if anchor:
            known[anchor] = extent
        if extents[-1][0] > MAX_VALUES:
            raise _too_much(name, f"YAML whose aliases expand to more than {MAX_VALUES:,} values, too many")
        if len(extents) + extents[-1][1] > DEEPEST + 1:
            raise _too_deep(name, "YAML")

    loader = SafeLoader(text)
    while loader.check_event():
        event = loader.get_event()
        # use the class names of events, because Ansible provides only the loader of the library
        kind, anchor = type(event).__name__, getattr(event, "anchor", None)
        if kind == "ScalarEvent":
            if len(event.value) > _LONGEST_NUMBER and _NUMBER.fullmatch(event.value):
                raise _too_much(name, f"YAML with a number of more than {_LONGEST_NUMBER:,} digits, too long")
            add((1, 0), anchor)
        elif kind == "AliasEvent":
            if anchor in anchors:
                raise UsageError(f"artifact {name} is YAML that contains itself (alias *{anchor})")
            add(known.get(anchor or "", (0, 0)), None)
        elif kind in ("SequenceStartEvent", "MappingStartEvent"):
            extents.append((1, 0))
            anchors.append(anchor)
            add((0, 0), None)
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            values, levels = extents.pop()
            add((values, levels + 1), anchors.pop())


def _is_dotenv(text: str) -> bool:
    """Return whether a file contains variables that `parse: dotenv` can read."""
    try:
        return bool(_dotenv(text, ""))
    except UsageError:
        return False


def _dotenv(text: str, name: str) -> dict[str, str]:
    """Return the variables of a file that a job has written for `reports:dotenv`.

    Source: https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
    """
    variables: dict[str, str] = {}
    # like GitLab, split only at line feeds: a value may contain other line breaks
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip(_BLANKS)
        if not line or line.startswith("#"):
            continue
        found = _DOTENV_LINE.fullmatch(line)
        if not found:
            raise UsageError(f"artifact {name} is not a dotenv file: line {number} does not have the form NAME=value")
        key, value = found.group(1), found.group(2).strip(_BLANKS)
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        variables[key] = value
    return variables


_PARSERS: dict[str, t.Callable[[str, str], t.Any]] = {
    "text": lambda text, name: text,
    "json": _json,
    "yaml": _yaml,
    "dotenv": _dotenv,
}
