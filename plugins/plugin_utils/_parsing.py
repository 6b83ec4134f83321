# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this is a private part of the collection: no other collection may import it.

"""The content of artifacts and logs as values for expressions."""

from __future__ import annotations

import json
import re
import typing as t

from ansible.module_utils.common.yaml import yaml_load

from ..module_utils._api.errors import UsageError
from ..module_utils._api.masking import printable

_DOTENV_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)", re.DOTALL)


def parse_artifact(content: bytes, parse: str, name: str) -> t.Any:
    """Return what a file holds.

    :param parse: `text`, `json`, `yaml` or `dotenv`.
    :param name: of the file, for messages.
    :raises UsageError: when it is malformed; names the file, and the line where that is known.
    """
    try:
        text = content.decode("utf-8-sig" if parse != "text" else "utf-8")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise UsageError(f"artifact {name!r} is no UTF-8 text (line {line}); download it to a file instead") from None
    return _PARSERS[parse](text, name)


def log_text(content: bytes) -> str:
    """Return a log as text without colour codes and control codes; bytes that are not text are replaced."""
    return printable(content.decode("utf-8", errors="replace"))


def _json(text: str, name: str) -> t.Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        raise UsageError(f"artifact {name!r} is no JSON: {exc.msg} in line {exc.lineno}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"artifact {name!r} is JSON that cannot be read") from None


def _yaml(text: str, name: str) -> t.Any:
    try:
        return yaml_load(text)
    except Exception as exc:  # the errors of the library, which is Ansible's to choose
        mark = getattr(exc, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        problem = getattr(exc, "problem", None) or type(exc).__name__
        raise UsageError(f"artifact {name!r} is no YAML: {problem}{where}") from None


def _dotenv(text: str, name: str) -> dict[str, str]:
    """Return the variables of a file as jobs write it for `reports:dotenv`.

    Source: https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
    """
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = _DOTENV_LINE.fullmatch(line)
        if not found:
            raise UsageError(f"artifact {name!r} is not a dotenv file: line {number} is not of the form NAME=value")
        key, value = found.group(1), found.group(2).strip()
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
