# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults put into the server's answers on purpose: lost connections, proxies' error pages, cut-off bodies."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .call import Reply, Request, json_reply
from .schema import ScenarioError, fill, unknown

KINDS = ("status", "reset_before", "reset_after", "html", "truncate", "delay", "redirect")

# Keys of a rule. The first five say which requests it is for, the others what happens.
RULE: dict[str, t.Any] = {
    "method": None,
    "path": None,
    "endpoint": None,
    "nth": None,
    "times": None,
    "after": False,
    "kind": "status",
    "status": None,
    "body": None,
    "headers": {},
    "seconds": 0,
    "bytes": 20,
    "location": None,
}
_PROXY_PAGE = "<html><head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body></html>\r\n"


@dataclasses.dataclass(slots=True)
class Rule:
    """One fault: which requests it strikes, and how.

    :param nth: only the n-th matching request (from 1), or a list of such numbers; None is every one.
    :param times: at most so many requests.
    :param after: the application does its work all the same, only its answer is replaced.
    """

    method: str | None
    path: str | None
    endpoint: str | None
    nth: int | list[int] | None
    times: int | None
    after: bool
    kind: str
    status: int | None
    body: t.Any
    headers: dict[str, str]
    seconds: float
    bytes: int
    location: str | None
    seen: int = 0
    struck: int = 0

    def strikes(self, request: Request, endpoint: str | None) -> bool:
        """Count a request that matches, and say if this is one to strike."""
        if self.method is not None and self.method.upper() != request.method:
            return False
        if self.endpoint is not None and self.endpoint != endpoint:
            return False
        if self.path is not None and not re.search(self.path, request.raw_path):
            return False
        self.seen += 1
        numbers = [self.nth] if isinstance(self.nth, int) else self.nth
        if (numbers is not None and self.seen not in numbers) or (self.times is not None and self.struck >= self.times):
            return False
        self.struck += 1
        return True

    @property
    def replaces(self) -> bool:
        """Say if the answer is one of reply(), not the application's."""
        return self.kind in ("status", "html", "reset_before", "redirect")

    def reply(self) -> Reply:
        """Return the answer of a fault that takes the application's place."""
        if self.kind == "html":
            return Reply(self.status or 502, str(self.body or _PROXY_PAGE).encode(), dict(self.headers), "text/html")
        if self.kind == "redirect":
            headers = {**self.headers, "Location": self.location or "/"}
            return Reply(self.status or 302, b"", headers, "text/html")
        body = self.body if self.body is not None else {"message": f"{self.status or 500} Internal Server Error"}
        if isinstance(body, str):
            return Reply(self.status or 500, body.encode(), dict(self.headers), "text/plain")
        return json_reply(body, status=self.status or 500, headers=dict(self.headers))


class Faults:
    """The rules in force; the first that strikes counts."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def add(self, **given: t.Any) -> Rule:
        """Add a rule.

        :raises ScenarioError: unknown key or kind.
        """
        row = fill(given, RULE, kind="fault", place="fault")
        if row["kind"] not in KINDS:
            raise unknown("kind", row["kind"], KINDS, place="fault.kind")
        if row["path"] is not None:
            try:
                re.compile(row["path"])
            except re.error as error:
                raise ScenarioError(f"fault.path: {error}") from error
        rule = Rule(**row)
        self.rules.append(rule)
        return rule

    def find(self, request: Request, endpoint: str | None) -> Rule | None:
        return next((rule for rule in self.rules if rule.strikes(request, endpoint)), None)
