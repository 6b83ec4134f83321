# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runs that are compared, and the rules by which every client is judged."""

from __future__ import annotations

import collections.abc as c
import dataclasses
import typing as t

from tests.faults.case import OPERATIONS
from tests.faults.matrix import POINTS
from tests.integration.harness import TOKEN
from tests.simulator.fault_presets import PRESETS

# The shortest timeout that every client accepts: ansible.builtin.uri only takes whole seconds.
TIMEOUT_SECONDS = 1
LIMIT_SECONDS = 60
# A server that hangs or drips takes much longer than the timeout and the limit.
_VERY_LONG_SECONDS = 600

ACTION_NAMES = ("play", "retry")
POINT_NAMES = ("first write", "first read", "every write")
# The status in which the job accepts the action.
BEFORE = {"play": "manual", "retry": "failed"}
# The presets of `--quick` and of the collection in real playbooks.
FEW_PRESETS = ("reset_after", "html_502_after", "truncate", "redirect_307", "throttle_seconds")

MORE = "more than one effect"
NOTHING_DONE = "success reported, no effect"
DONE = "failure reported, effect happened"
LEAK = "credential at the second origin"
SLOW = "over 60 s"
KINDS = (MORE, NOTHING_DONE, DONE, LEAK, SLOW)

RULES = f"""\
- Each run is one action (play a manual job, or retry a failed one) by the id of the job, on a fresh job of the
  simulator, under one fault that strikes at the first write (POST), at the first read (GET), or at every write.
- The job is over 6 s after it has been started.
- Effects are what the simulator recorded as really done to the job, not what a client says.
- Success is what its user takes for success: a call that returns, tasks that end without a failure, skipped ones
  included. Anything else, whatever its text says, is a failure.
- "As it should be" is one effect and a success; "honest" is no effect and a failure. A run with a violation is in
  neither column. Violations are counted by kind; a run can have several.
- A leak is the token in any header, query or body that the second origin received, whichever client it comes from.
- Time is real time plus the pauses between attempts; more than {LIMIT_SECONDS} s is too long. In process the pauses
  move the simulator's clock in place of the real one.
- Every client has a time-out of {TIMEOUT_SECONDS} s, which is kind to python-gitlab, whose default is none."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One run. An empty preset means no fault.

    :param point: see POINTS.
    """

    preset: str
    point: str
    action: str

    def rule(self) -> dict[str, t.Any]:
        """Return the fault for `Simulator.inject`."""
        preset = dict(PRESETS[self.preset])
        if preset.get("seconds", 0) >= LIMIT_SECONDS:
            preset["seconds"] = _VERY_LONG_SECONDS
        where = dict(POINTS[self.point])
        where["method"] = "POST" if where.pop("write") else "GET"
        return {**preset, **where, "name": self.preset}

    def job(self, number: int) -> dict[str, t.Any]:
        """Return the job of the scenario with this ID."""
        return {**OPERATIONS[self.action].job, "id": number}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The outcome of a run.

    :param failure: the error that the client reported, None on success.
    """

    case: Case
    effects: int
    failure: str | None
    leaked: bool
    seconds: float

    def violations(self) -> list[str]:
        """Return the kinds of the rules that the run broke."""
        found = {
            MORE: self.effects > 1,
            NOTHING_DONE: self.failure is None and not self.effects,
            DONE: self.failure is not None and self.effects > 0,
            LEAK: self.leaked,
            SLOW: self.seconds > LIMIT_SECONDS,
        }
        return [kind for kind in KINDS if found[kind]]


def all_cases(presets: c.Iterable[str] = ()) -> list[Case]:
    """Return the runs with these presets, or with all presets if none are listed."""
    return [
        Case(preset, point, action) for preset in presets or PRESETS for point in POINT_NAMES for action in ACTION_NAMES
    ]


def has_leaked(requests: c.Iterable[dict[str, t.Any]]) -> bool:
    """Return whether any request to the second origin contains the token."""
    return any(TOKEN in str(row) for row in requests)
