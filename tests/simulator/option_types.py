# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What values of options have to be; argparse says which option is wrong."""

from __future__ import annotations

import argparse
import pathlib

_LAST_PORT = 65_535


def text(given: str) -> str:
    """Return a text; an empty one is what a forgotten variable leaves behind.

    :raises ArgumentTypeError: it is empty, or not UTF-8.
    """
    if not given:
        raise argparse.ArgumentTypeError("it is empty; give a value or leave it out")
    try:
        given.encode()
    except UnicodeEncodeError as error:
        raise argparse.ArgumentTypeError(f"{given!a} is not UTF-8") from error
    return given


def path(given: str) -> pathlib.Path:
    """Return a path.

    :raises ArgumentTypeError: it is empty.
    """
    if not given:
        raise argparse.ArgumentTypeError("it is empty; give a path or leave it out")
    return pathlib.Path(given)


def port(given: str) -> int:
    """Return a port.

    :raises ArgumentTypeError: it is none.
    """
    if not (given.isascii() and given.isdecimal() and len(given) <= len(str(_LAST_PORT)) and int(given) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f"{given!a} is not a number from 0 to {_LAST_PORT}")
    return int(given)
