# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a client in its own process, and let it make calls by name.

Its program gets the URL, a token and a trigger token as arguments. It writes a line of JSON with the names of the calls
that it supports. Then it reads one name per line, makes that call, and writes a line of JSON: `result`, where a
download is `{"base64": ...}`, or `error` with `status` and `text`.
"""

from __future__ import annotations

import json
import subprocess
import types
import typing as t

from tests.simulator.fixture import Simulator

from .calls import Call
from .world import TOKEN, TRIGGER_TOKEN, WORLD

# The newest of the versions that the simulator is tested with, which has all routes.
VERSION: t.Final = "19.2"


class ClientProcess:
    """A running client. Use it as a context manager.

    :param command: what runs the client's program, without the arguments that all programs get.
    """

    def __init__(self, command: t.Sequence[str], environ: t.Mapping[str, str], simulator: Simulator) -> None:
        self._simulator = simulator
        arguments = (simulator.url, TOKEN, TRIGGER_TOKEN)
        self._process = subprocess.Popen(
            [*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(environ), text=True
        )
        self.names: list[str] = self._read()

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: types.TracebackType | None) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _read(self) -> t.Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the program of the client has ended; see above what it says")
        return json.loads(line)

    def problem(self, call: Call) -> str:
        """Make a call in a new world, and return the problem of the outcome, empty if there is none."""
        assert self._process.stdin
        self._simulator.load(WORLD, version=VERSION)
        self._process.stdin.write(f"{call.name}\n")
        self._process.stdin.flush()
        outcome = self._read()
        rows = self._simulator.effects()
        effects = tuple(row["action"] for row in rows)
        sent = {(variable["key"], variable["value"]) for row in rows for variable in row["variables"] or ()}
        wrong = call.problem(outcome)
        if not wrong and effects != call.effects:
            wrong = f"effects {effects}, not {call.effects}"
        if not wrong and call.sends_variable and ("A", "1") not in sent:
            wrong = f"the variables {sorted(sent)} have arrived"
        return wrong
