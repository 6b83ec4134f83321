# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command-line options for hooks."""

from __future__ import annotations

import argparse
import typing as t

from .. import option_types
from .config import EVENTS, FAULTS, parse_faults


def add_to(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("hooks", "send events to a receiver, like GitLab")
    group.add_argument(
        "--hooks", type=option_types.text, metavar="URL", help="send job, pipeline and deployment hooks to this address"
    )
    group.add_argument("--hook-token", type=option_types.text, metavar="TEXT", help="the header X-Gitlab-Token")
    group.add_argument(
        "--hook-signing-token",
        type=option_types.text,
        metavar="whsec_KEY",
        help="sign the hooks; requires --version 19.0 or later",
    )
    group.add_argument(
        "--hook-events",
        type=option_types.text,
        metavar="LIST",
        help=f"some of {','.join(EVENTS)} (default: all)",
    )
    group.add_argument(
        "--hook-faults",
        type=option_types.text,
        metavar="LIST",
        help=f"faults: some of {','.join(FAULTS)}; with :N+N, a fault strikes only the Nth hooks, such as twice,lost:3",
    )


def rows(options: argparse.Namespace) -> list[dict[str, t.Any]]:
    """Return the hook that the options describe, as a row of a scenario.

    :raises ValueError: if options require --hooks, or a fault is invalid.
    """
    more = {
        "token": options.hook_token,
        "signing_token": options.hook_signing_token,
        "events": [part.strip() for part in options.hook_events.split(",")] if options.hook_events else None,
        "faults": parse_faults(options.hook_faults) if options.hook_faults else None,
    }
    given = {name: value for name, value in more.items() if value is not None}
    if options.hooks is None:
        if given:
            raise ValueError("--hook-token and the other hook options require --hooks URL")
        return []
    return [{"url": options.hooks, **given}]
