# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the program that concern hooks."""

from __future__ import annotations

import argparse
import typing as t

from .. import option_types
from .config import EVENTS, FAULTS, parse_faults


def add_to(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("hooks", "what happens is sent to a receiver, as GitLab does")
    group.add_argument(
        "--hooks", type=option_types.text, metavar="URL", help="where job, pipeline and deployment hooks go"
    )
    group.add_argument("--hook-token", type=option_types.text, metavar="TEXT", help="the header X-Gitlab-Token")
    group.add_argument(
        "--hook-signing-token",
        type=option_types.text,
        metavar="whsec_KEY",
        help="signs them; needs --version 19.0 or later",
    )
    group.add_argument(
        "--hook-events",
        type=option_types.text,
        metavar="LIST",
        help=f"some of {','.join(EVENTS)}; all without it",
    )
    group.add_argument(
        "--hook-faults",
        type=option_types.text,
        metavar="LIST",
        help=f"what goes wrong: some of {','.join(FAULTS)}, each with :N+N for the Nth hook only, such as twice,lost:3",
    )


def rows(options: argparse.Namespace) -> list[dict[str, t.Any]]:
    """Return the hook that the options describe, as a row of a scenario.

    :raises ValueError: options without an address, or a fault that cannot be read.
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
            raise ValueError("--hook-token and the other options of hooks need --hooks URL")
        return []
    return [{"url": options.hooks, **given}]
