# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run all examples against a running simulator: `python -m tests.examples http://127.0.0.1:PORT FOLDER [NAME ...]`.

One line is printed for each plugin and each playbook of a guide. The exit code is 1 if any of them failed.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import traceback
import typing as t

import conftest

from .guides import GUIDES, Guide
from .plugin_examples import SOURCES, run_examples
from .run_guides import run_guide
from .server import Server


def passed(name: str, run: t.Callable[..., None], *arguments: t.Any) -> bool:
    """Run something, print whether it passed and why it failed, and return whether it passed."""
    try:
        run(*arguments)
    except AssertionError:
        print(f"failed: {name}")
        traceback.print_exc(file=sys.stdout)
        return False
    print(f"ok: {name}", flush=True)
    return True


def run_twice(guide: Guide, server: Server, folder: pathlib.Path) -> None:
    """Run a playbook of a guide without check mode, to save time; pytest also covers check mode."""
    run_guide(guide, server, folder, with_check_mode=False)


def main() -> int:
    conftest.link_checkout()  # importing conftest has already done this, in time for the imports after it
    parser = argparse.ArgumentParser(prog="python -m tests.examples", description=__doc__)
    parser.add_argument("url", help="of a simulator")
    parser.add_argument("folder", type=pathlib.Path, help="for the playbooks and for what they write")
    parser.add_argument("names", nargs="*", help="plugins and guides (default: all)")
    options = parser.parse_args()
    server = Server(options.url)
    outcomes: list[bool] = []

    def folder(name: str) -> pathlib.Path:
        path = options.folder / name
        path.mkdir(parents=True)
        return path.resolve()

    for source in SOURCES:
        if not options.names or source in options.names:
            outcomes.append(passed(f"examples of {source}", run_examples, source, server, folder(source)))
    for number, guide in enumerate(GUIDES):
        if not options.names or guide.name in options.names:
            title = f"{guide.name}: {guide.title}"
            outcomes.append(passed(title, run_twice, guide, server, folder(f"{guide.name}-{number}")))
    return 0 if outcomes and all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
