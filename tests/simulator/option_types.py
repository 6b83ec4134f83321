# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types of command-line options. argparse adds the name of the option to the error."""

from __future__ import annotations

import argparse
import pathlib

_LAST_PORT = 65_535


def text(given: str) -> str:
    """Return a string. An empty one is usually an unset shell variable.

    :raises ArgumentTypeError: if the string is empty or not UTF-8.
    """
    if not given:
        raise argparse.ArgumentTypeError("must not be empty; set a value or omit the option")
    try:
        given.encode()
    except UnicodeEncodeError as error:
        raise argparse.ArgumentTypeError(f"{given!a} is not UTF-8") from error
    return given


def path(given: str) -> pathlib.Path:
    """Return a path.

    :raises ArgumentTypeError: if the path is empty.
    """
    if not given:
        raise argparse.ArgumentTypeError("must not be empty; set a path or omit the option")
    return pathlib.Path(given)


def port(given: str) -> int:
    """Return a port.

    :raises ArgumentTypeError: if it is not a valid port.
    """
    if not (given.isascii() and given.isdecimal() and len(given) <= len(str(_LAST_PORT)) and int(given) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f"{given!a} is not a number from 0 to {_LAST_PORT}")
    return int(given)
