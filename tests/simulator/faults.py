# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Injected faults: their kinds, and the requests they strike."""

from __future__ import annotations

import dataclasses
import random
import re
import typing as t

from .call import Request
from .fault_presets import AFTER, BEFORE, PRESETS, REFUSALS
from .schema import ScenarioError, fill, unknown


class Kind(t.NamedTuple):
    """The fixed properties of a kind of fault.

    :param effect: when it strikes by default: before or after the application runs.
    :param either: whether a rule can set the effect.
    :param silent: whether the client gets no answer.
    """

    effect: str
    either: bool = False
    silent: bool = False


KINDS: dict[str, Kind] = {
    # The fault makes an answer of its own.
    "status": Kind(BEFORE, either=True),
    "html": Kind(BEFORE, either=True),
    "redirect": Kind(BEFORE, either=True),
    "invalid_json": Kind(AFTER, either=True),
    "wrong_json": Kind(AFTER, either=True),
    "empty": Kind(AFTER, either=True),
    # There is no answer.
    "refuse": Kind(BEFORE, either=True, silent=True),
    "reset_before": Kind(BEFORE, silent=True),
    "reset_after": Kind(AFTER, silent=True),
    "close_before": Kind(BEFORE, silent=True),
    "close_after": Kind(AFTER, silent=True),
    "hang": Kind(BEFORE, either=True, silent=True),
    # The application's answer, late or damaged.
    "delay": Kind(AFTER),
    "drip": Kind(AFTER),
    "truncate": Kind(AFTER),
    "reset_at": Kind(AFTER),
    "wrong_length": Kind(AFTER),
    "chunk_cut": Kind(AFTER),
    "gzip": Kind(AFTER),
    "bad_gzip": Kind(AFTER),
    "gzip_cut": Kind(AFTER),
    "link_host": Kind(AFTER),
}

# Keys of a rule. The first seven select requests, the others define what happens.
RULE: dict[str, t.Any] = {
    "method": None,
    "path": None,
    "endpoint": None,
    "origin": "server",
    "nth": None,
    "times": None,
    "probability": None,
    "name": None,
    "kind": "status",
    "effect": None,
    "status": None,
    "body": None,
    "headers": {},
    "seconds": 0,
    "bytes": 20,
    "by": 10,
    "location": None,
}


@dataclasses.dataclass(slots=True)
class Rule:
    """One fault: which requests it strikes, and how.

    :param origin: server, or second: the object storage that downloads are redirected to.
    :param nth: only the n-th matching request (from 1), or a list of such numbers; None is every one.
    :param times: the maximum number of requests.
    :param probability: the share of the remaining requests, at random.
    :param name: its name in the request log.
    :param effect: BEFORE: the application never sees the request; AFTER: it has handled it.
    :param by: the difference between the length in the header and that of the body.
    """

    method: str | None
    path: str | None
    endpoint: str | None
    origin: str
    nth: int | list[int] | None
    times: int | None
    probability: float | None
    name: str
    kind: str
    effect: str
    status: int | None
    body: t.Any
    headers: dict[str, str]
    seconds: float
    bytes: int
    by: int
    location: str | None
    seen: int = 0
    struck: int = 0

    @property
    def is_before(self) -> bool:
        """Return whether the request never reaches the application."""
        return self.effect == BEFORE

    @property
    def is_silent(self) -> bool:
        return KINDS[self.kind].silent

    @property
    def is_for_connections(self) -> bool:
        """Return whether it strikes connections before anything is read from them, instead of requests."""
        return self.kind == "refuse" and not self.seconds

    def matches(self, request: Request, endpoint: str | None) -> bool:
        if self.method is not None and self.method.upper() != request.method:
            return False
        if self.origin != request.origin or (self.endpoint is not None and self.endpoint != endpoint):
            return False
        return self.path is None or bool(re.search(self.path, request.raw_path))

    def counts(self, dice: random.Random) -> bool:
        """Count one more match, and return whether to strike it."""
        self.seen += 1
        numbers = [self.nth] if isinstance(self.nth, int) else self.nth
        if (numbers is not None and self.seen not in numbers) or (self.times is not None and self.struck >= self.times):
            return False
        if self.probability is not None and dice.random() >= self.probability:
            return False
        self.struck += 1
        return True

    def describe(self) -> dict[str, t.Any]:
        """Return its kind, the counts so far, and the values that are not defaults."""
        row = dataclasses.asdict(self)
        return {key: value for key, value in row.items() if key == "kind" or key not in RULE or value != RULE[key]}


class Faults:
    """The active rules. Only the first that strikes applies; later rules do not see the request.

    :ivar seed: the seed of the random generator; setting it restarts the generator.
    """

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.seed = 0

    @property
    def seed(self) -> int:
        return self._seed

    @seed.setter
    def seed(self, value: int) -> None:
        self._seed = value
        self._dice = random.Random(value)

    def add(self, *, preset: str | None = None, seed: int | None = None, **given: t.Any) -> Rule:
        """Add a rule.

        :param preset: sets the keys from PRESETS or REFUSALS unless they are given.
        :param seed: see the attribute.
        :raises ScenarioError: if a key, kind or preset is unknown, or a value is invalid.
        """
        if preset is not None:
            known = {**PRESETS, **REFUSALS}
            if preset not in known:
                raise unknown("preset", preset, known, place="fault.preset")
            given = {"name": preset, **known[preset], **given}
        if "after" in given:
            # An alternative to `effect`.
            given["effect"] = AFTER if given.pop("after") else BEFORE
        rule = Rule(**_checked(fill(given, RULE, kind="fault", place="fault")))
        if seed is not None:
            self.seed = seed
        self.rules.append(rule)
        return rule

    def find(self, request: Request, endpoint: str | None) -> Rule | None:
        """Return the rule that strikes this request."""
        rules = (rule for rule in self.rules if not rule.is_for_connections and rule.matches(request, endpoint))
        return next((rule for rule in rules if rule.counts(self._dice)), None)

    def find_for_connection(self) -> Rule | None:
        """Return the rule that strikes a new connection."""
        return next((rule for rule in self.rules if rule.is_for_connections and rule.counts(self._dice)), None)

    def describe(self) -> dict[str, t.Any]:
        return {"seed": self.seed, "rules": [rule.describe() for rule in self.rules]}


def _checked(row: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the row of a rule with the defaults that depend on its kind.

    :raises ScenarioError: if a value is invalid.
    """
    kind = row["kind"]
    if kind not in KINDS:
        raise unknown("kind", kind, KINDS, place="fault.kind")
    if row["origin"] not in ("server", "second"):
        raise unknown("value", row["origin"], ("server", "second"), place="fault.origin")
    if row["origin"] == "second" and (kind == "refuse" or row["endpoint"]):
        raise ScenarioError("fault.origin: the second origin has no endpoints and cannot refuse")
    if row["path"] is not None:
        try:
            re.compile(row["path"])
        except re.error as error:
            raise ScenarioError(f"fault.path: {error}") from error
    numbers = row["nth"] if isinstance(row["nth"], list) else [row["nth"]]
    if any(number is not None and (not isinstance(number, int) or number < 1) for number in numbers):
        raise ScenarioError("fault.nth: must be a number from 1, or a list of such numbers")
    if row["probability"] is not None and not 0 <= row["probability"] <= 1:
        raise ScenarioError("fault.probability: must be a number from 0 to 1")
    row["effect"] = _effect(kind, row["effect"])
    row["name"] = row["name"] or kind
    if kind == "refuse" and not row["seconds"]:
        if row["method"] or row["path"] or row["endpoint"] or row["effect"] == AFTER:
            raise ScenarioError("fault: without seconds, refuse strikes connections, which have no method and no path")
        # A client on the admin path needs a connection to remove the rule.
        row["times"] = row["times"] or 1
    return row


def _effect(kind: str, given: t.Any) -> str:
    """Return when a fault strikes: true means AFTER, so the application handles the request."""
    usual = KINDS[kind].effect
    wanted = usual if given is None else {True: AFTER, False: BEFORE}.get(given, given)
    if wanted not in (BEFORE, AFTER):
        raise unknown("value", given, ("true", "false", BEFORE, AFTER), place="fault.effect")
    if wanted != usual and not KINDS[kind].either:
        raise ScenarioError(f"fault.effect: {kind} always strikes {usual} the effect")
    return str(wanted)
