# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let third-party clients call the simulator: `python -m tests.witnesses [NAME ...]`.

The clients are installed into .cache/witnesses. The table of all calls is printed, and written to
.cache/witnesses/calls.md. The exit code is 1 if a call is wrong, or if no client could run. Clients whose programs are
missing on this machine are listed.
"""

from __future__ import annotations

import argparse
import sys
import typing as t

from tests.simulator.fixture import Simulator

from .calls import CALLS
from .clients import CLIENTS, FOLDER, Client
from .witness import VERSION, ClientProcess

# The problem of each call that a client supports, by the name of the call; empty if the call is right.
Problems = dict[str, str]


def examine(client: Client, simulator: Simulator) -> Problems:
    """Let a client make all calls that it supports.

    :raises ValueError: if the client has calls that calls.py lacks.
    """
    client.prepare()
    with ClientProcess(client.command(), client.environment(), simulator) as process:
        unknown = sorted(set(process.names) - {call.name for call in CALLS})
        if unknown:
            raise ValueError(f"{client.script} has calls that calls.py lacks: {', '.join(unknown)}")
        return {call.name: process.problem(call) for call in CALLS if call.name in process.names}


def table(found: t.Mapping[str, Problems]) -> str:
    """Return the results of all calls as a Markdown table."""
    cell = {None: "", True: "right", False: "**wrong**"}
    lines = [f"| GitLab {VERSION} | {' | '.join(found)} |", "|---" * (len(found) + 1) + "|"]
    for call in CALLS:
        known = [problems.get(call.name) for problems in found.values()]
        lines.append(f"| {call.name} | {' | '.join(cell[None if text is None else not text] for text in known)} |")
    lines.append("")
    lines += [f"- {name}: {call}: {text}" for name, rows in found.items() for call, text in rows.items() if text]
    for name, rows in found.items():
        wrong = sum(bool(text) for text in rows.values())
        lines.append(f"{name}: {len(rows) - wrong} of {len(rows)} calls are right.")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.witnesses", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(client.name for client in CLIENTS))
    selected = parser.parse_args().names
    unknown = sorted(set(selected) - {client.name for client in CLIENTS})
    if unknown:
        parser.error(f"no client is called {', '.join(unknown)}")
    found: dict[str, Problems] = {}
    with Simulator() as simulator:
        for client in CLIENTS:
            if selected and client.name not in selected:
                continue
            if client.missing():
                print(f"{client.name} is left out: this machine lacks {', '.join(client.missing())}.")
                continue
            found[client.name] = examine(client, simulator)
    if not found:
        print("No client could be run.")
        return 1
    text = table(found)
    (FOLDER / "calls.md").write_text(text, encoding="utf-8")
    print(text, end="")
    return int(any(problem for problems in found.values() for problem in problems.values()))


if __name__ == "__main__":
    sys.exit(main())
