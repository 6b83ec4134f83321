# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the GitLab simulator as a program: play a scenario until the program is stopped."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import pathlib
import signal
import sys

from . import ci_options, option_types
from .clock import make_clock
from .hooks import options as options_of_hooks
from .scenario import Loadable
from .schema import ScenarioError
from .server import Server
from .simulation import Simulation
from .versions import parse_version

_SMALLEST = """The smallest scenario: one job and a token that can act on it.

    users: [alice]
    tokens: [{token: test-token, user: alice}]
    projects: [{path: group/app, members: {alice: developer}}]
    pipelines:
      - project: group/app
        ref: main
        jobs: [{name: build, duration: 20}]

For playbooks, set GITLAB_API_URL to the printed address and GITLAB_TOKEN to the token.
"""


def parse_arguments(program: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=program,
        description=__doc__,
        epilog=_SMALLEST,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--scenario", type=option_types.path, metavar="FILE", help="YAML or JSON file (default: an empty server)"
    )
    parser.add_argument(
        "--version", type=option_types.text, help="GitLab version if the scenario sets none, for example 18.10"
    )
    parser.add_argument("--host", type=option_types.text, default="127.0.0.1")
    parser.add_argument("--port", type=option_types.port, default=0, help="0 (default) selects a free port")
    parser.add_argument(
        "--clock", type=option_types.text, help="real, scaled:FACTOR or stepped, if the scenario sets none"
    )
    parser.add_argument(
        "--address-file", type=option_types.path, metavar="PATH", help="file to write the URL and the process ID to"
    )
    parser.add_argument("--quiet", action="store_true", help="do not print the URL")
    ci_options.add_to(parser)
    options_of_hooks.add_to(parser)
    options = parser.parse_args()
    try:
        if options.version:
            parse_version(options.version)
        if options.clock:
            make_clock(options.clock)
        options.hook_rows = options_of_hooks.rows(options)
        ci_options.check(options)
    except ValueError as error:
        parser.error(str(error))
    return options


def write_address(path: pathlib.Path, url: str) -> None:
    """Write the address atomically, so that readers never see a part of it.

    :raises ScenarioError: if the file cannot be written.
    """
    unfinished = path.parent / f"{path.name}.{os.getpid()}.tmp"
    try:
        unfinished.write_text(f"{url} {os.getpid()}\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise ScenarioError(f"--address-file: {path} cannot be written: {error.strerror}") from error


def load(options: argparse.Namespace) -> tuple[Loadable, Simulation]:
    """Return the scenario for the options, and the simulation that plays it.

    :raises ScenarioError: if the scenario is invalid.
    """
    simulation = Simulation(version=options.version, clock_name=options.clock, hooks=options.hook_rows)
    given = ci_options.scenario(options)
    try:
        simulation.load(given, folder=options.scenario.parent if options.scenario else None)
    except (AttributeError, TypeError) as error:
        raise ScenarioError(f"scenario: a value has the wrong type: {error}") from error
    return given, simulation


async def serve(options: argparse.Namespace, simulation: Simulation) -> None:
    """Serve until a signal arrives.

    :raises ScenarioError: if the server cannot start.
    """
    server = Server(simulation)
    try:
        url = await server.start(host=options.host, port=options.port)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "invalid host name"
        raise ScenarioError(f"--host, --port: {options.host}, port {options.port}: {reason}") from error
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if options.address_file:
        write_address(options.address_file, url)
    if not options.quiet:
        has_own_world = options.ci_file is not None and options.scenario is None
        print(f"{url} {ci_options.TOKEN}" if has_own_world else url, flush=True)
    await ended.wait()
    await server.stop()


def main(*, program: str = f"python -m {__package__}") -> int:
    options = parse_arguments(program)
    try:
        given, simulation = load(options)
        world = simulation.engine.world
        if options.print_scenario:
            print(ci_options.printed(given, world), end="")
            return 0
        for note in world.notes:
            print(f"simulator: not supported: {note}", file=sys.stderr)
        asyncio.run(serve(options, simulation))
    except (ScenarioError, OSError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
