# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hooks of a scenario: their address, secrets, events and delivery faults."""

from __future__ import annotations

import base64
import dataclasses
import re
import typing as t
import urllib.parse

from .. import schema
from ..schema import REQUIRED, ScenarioError, fill
from ..versions import Features

# Event -> what the header X-Gitlab-Event says.
EVENTS: t.Final = {"job": "Job Hook", "pipeline": "Pipeline Hook", "deployment": "Deployment Hook"}
# Kinds of faults, and the default of `seconds`.
FAULTS: t.Final = {
    "twice": 0.0,
    "late": 2.0,
    "old": 3600.0,
    "out_of_order": 1.0,
    "lost": 0.0,
    "wrong_signature": 0.0,
    "wrong_token": 0.0,
}
HOOK: t.Final[dict[str, t.Any]] = {
    "url": REQUIRED,
    "project": None,
    "token": None,
    "signing_token": None,
    "events": list(EVENTS),
    "custom_headers": {},
    "ssl_verification": True,
    "auto_disable": True,
    "faults": [],
}
FAULT: t.Final[dict[str, t.Any]] = {"kind": REQUIRED, "event": None, "status": None, "nth": None, "seconds": None}
_PREFIX: t.Final = "whsec_"
_KEY_BYTES: t.Final = 32
_MAX_HEADERS: t.Final = 20
_NUMBER: t.Final = re.compile("[1-9][0-9]{0,8}")


@dataclasses.dataclass(eq=False)
class Fault:
    """A rule: which deliveries of its hook it strikes. The first one that strikes counts."""

    kind: str
    event: str | None
    status: str | None
    nth: frozenset[int] | None
    seconds: float
    seen: int = 0

    def strikes(self, event: str, status: str) -> bool:
        """Return whether to strike this delivery, and count it if it matches."""
        if self.event not in (None, event) or self.status not in (None, status):
            return False
        self.seen += 1
        return self.nth is None or self.seen in self.nth


@dataclasses.dataclass(eq=False)
class Hook:
    url: str
    # Path of the only project whose events it gets.
    project: str | None
    token: str | None
    key: bytes | None
    events: frozenset[str]
    custom_headers: dict[str, str]
    ssl_verification: bool
    auto_disable: bool
    faults: list[Fault]

    def fault(self, event: str, status: str) -> Fault | None:
        """Return the fault that strikes a delivery."""
        return next((fault for fault in self.faults if fault.strikes(event, status)), None)


def read_hook(given: dict[str, t.Any], features: Features, *, place: str) -> Hook:
    """Return the hook of a row.

    :raises ScenarioError: if a key or value is unknown, or this version of GitLab does not support it.
    """
    row = fill(given, HOOK, kind="hook", place=place)
    if not _is_address(str(row["url"])):
        raise ScenarioError(f"{place}.url: must be an http or https address, not {row['url']!r}")
    for event in row["events"]:
        if event not in EVENTS:
            raise schema.unknown("event", event, EVENTS, place=f"{place}.events")
    if len(row["custom_headers"]) > _MAX_HEADERS:
        raise ScenarioError(f"{place}.custom_headers: GitLab allows at most {_MAX_HEADERS}")
    for text in (row["token"], *row["custom_headers"].values()):
        if text is not None and not str(text).isprintable():
            raise ScenarioError(f"{place}: a header contains a line break or another control character")
    if row["signing_token"] is not None and not features.has("hooks.signature"):
        raise ScenarioError(
            f"{place}.signing_token: GitLab signs hooks since 19.0, but this server is {features.text}; "
            "set version to 19.0 or later"
        )
    faults = [_read_fault(fault, row, place=f"{place}.faults[{n}]") for n, fault in enumerate(row["faults"])]
    return Hook(
        url=str(row["url"]),
        project=row["project"],
        token=None if row["token"] is None else str(row["token"]),
        key=None if row["signing_token"] is None else signing_key(str(row["signing_token"]), place=place),
        events=frozenset(row["events"]),
        custom_headers={str(name): str(value) for name, value in row["custom_headers"].items()},
        ssl_verification=bool(row["ssl_verification"]),
        auto_disable=bool(row["auto_disable"]),
        faults=faults,
    )


def _is_address(text: str) -> bool:
    try:
        address = urllib.parse.urlsplit(text)
        # accessing an invalid port raises an error
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        return False


def signing_key(token: str, *, place: str) -> bytes:
    """Return the key of a signing token.

    :raises ScenarioError: if it is not `whsec_` and 32 bytes in base64, as in GitLab.
    """
    try:
        key = base64.b64decode(token.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not token.startswith(_PREFIX) or len(key) != _KEY_BYTES:
        raise ScenarioError(f"{place}.signing_token: must be {_PREFIX} and {_KEY_BYTES} bytes in base64")
    return key


def _read_fault(given: t.Any, hook: dict[str, t.Any], *, place: str) -> Fault:
    row = fill({"kind": given} if isinstance(given, str) else given, FAULT, kind="hook fault", place=place)
    kind = row["kind"]
    if kind not in FAULTS:
        raise schema.unknown("fault", kind, FAULTS, place=place)
    for fault, secret in (("wrong_signature", "signing_token"), ("wrong_token", "token")):
        if kind == fault and hook[secret] is None:
            raise ScenarioError(f"{place}: {fault} requires a hook with {secret}")
    if row["event"] not in (None, *EVENTS):
        raise schema.unknown("event", row["event"], EVENTS, place=f"{place}.event")
    nth = [row["nth"]] if isinstance(row["nth"], int) else row["nth"]
    if nth is not None and not (isinstance(nth, list) and all(isinstance(n, int) and n > 0 for n in nth)):
        raise ScenarioError(f"{place}.nth: must be a number from 1, or a list of such numbers")
    seconds = FAULTS[kind] if row["seconds"] is None else row["seconds"]
    return Fault(kind, row["event"], row["status"], None if nth is None else frozenset(nth), seconds)


def parse_faults(text: str) -> list[dict[str, t.Any]]:
    """Return the rules in a string such as `twice,lost:3,late:2+5`: names, and the deliveries they strike.

    :raises ValueError: if a colon is not followed by numbers.
    """
    rules: list[dict[str, t.Any]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        kind, colon, numbers = part.partition(":")
        if colon and not all(_NUMBER.fullmatch(number) for number in numbers.split("+")):
            raise ValueError(f"--hook-faults: {part!r} is not a fault, such as lost, lost:3 or lost:3+5")
        rules.append({"kind": kind, "nth": [int(n) for n in numbers.split("+")] if colon else None})
    return rules
