# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the files in options and scenarios. Errors are one line."""

from __future__ import annotations

import pathlib
import typing as t

import yaml

from .schema import ScenarioError


def read_text(path: str | pathlib.Path, *, place: str) -> str:
    """Return the text of a file.

    :param place: where the file is set, for messages.
    :raises ScenarioError: if it does not exist, is not a file, or is not UTF-8.
    """
    try:
        return pathlib.Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{place}: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # from the content, or from an invalid path
        raise ScenarioError(f"{place}: {path} is not a UTF-8 file") from error


def read_mapping(text: str, *, place: str) -> dict[str, t.Any]:
    """Return the mapping in YAML text, which is empty for empty text.

    :param place: what the text is, for messages.
    :raises ScenarioError: if it is not YAML, or not a mapping.
    """
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ScenarioError(f"{place}: invalid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict | None):
        raise ScenarioError(f"{place}: must be a mapping, not {type(found).__name__}")
    return found or {}
