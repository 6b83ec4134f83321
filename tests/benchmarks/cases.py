# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is compared: the runs, and one judgement by the same plain rules for every client."""

from __future__ import annotations

import collections.abc as c
import dataclasses
import typing as t

from tests.faults.case import DEEDS
from tests.faults.matrix import POINTS
from tests.integration.harness import TOKEN
from tests.simulator.fault_presets import PRESETS

# The shortest time-out that all clients can be given: ansible.builtin.uri takes whole seconds.
TIMEOUT_SECONDS = 1
LIMIT_SECONDS = 60
# A server that hangs or drips is much slower than the time-out, and than the limit.
_VERY_LONG_SECONDS = 600

DEED_NAMES = ("play", "retry")
POINT_NAMES = ("first write", "first read", "every write")
# The status in which the deed is done.
BEFORE = {"play": "manual", "retry": "failed"}
# The presets of `--quick`, and of the collection in real playbooks.
FEW_PRESETS = ("reset_after", "html_502_after", "truncate", "redirect_307", "throttle_seconds")

MORE = "more than one effect"
NOTHING_DONE = "success reported, no effect"
DONE = "failure reported, effect happened"
LEAK = "credential at the second origin"
SLOW = "over 60 s"
KINDS = (MORE, NOTHING_DONE, DONE, LEAK, SLOW)

RULES = f"""\
- Each run is one deed (play a manual job, or retry a failed one) by the id of the job, on a fresh job of the simulator,
  under one fault that strikes at the first write (POST), at the first read (GET), or at every write.
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
    """One run; without a preset it has no fault.

    :param point: see POINTS.
    """

    preset: str
    point: str
    deed: str

    def rule(self) -> dict[str, t.Any]:
        """Return the fault, for `Simulator.inject`."""
        preset = dict(PRESETS[self.preset])
        if preset.get("seconds", 0) >= LIMIT_SECONDS:
            preset["seconds"] = _VERY_LONG_SECONDS
        where = dict(POINTS[self.point])
        where["method"] = "POST" if where.pop("write") else "GET"
        return {**preset, **where, "name": self.preset}

    def job(self, number: int) -> dict[str, t.Any]:
        """Return the job in the scenario, with this id."""
        return {**DEEDS[self.deed].job, "id": number}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came out of a run.

    :param failure: what the client said, None for a success.
    """

    case: Case
    effects: int
    failure: str | None
    leaked: bool
    seconds: float

    def violations(self) -> list[str]:
        """Return what must not happen and did, as kinds."""
        found = {
            MORE: self.effects > 1,
            NOTHING_DONE: self.failure is None and not self.effects,
            DONE: self.failure is not None and self.effects > 0,
            LEAK: self.leaked,
            SLOW: self.seconds > LIMIT_SECONDS,
        }
        return [kind for kind in KINDS if found[kind]]


def all_cases(presets: c.Iterable[str] = ()) -> list[Case]:
    """Return the runs with these presets, by default with all."""
    return [Case(preset, point, deed) for preset in presets or PRESETS for point in POINT_NAMES for deed in DEED_NAMES]


def has_leaked(requests: c.Iterable[dict[str, t.Any]]) -> bool:
    """Return whether the token is anywhere in what the second origin has recorded."""
    return any(TOKEN in str(row) for row in requests)
