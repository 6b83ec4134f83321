# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One endpoint: a row of the table, built in or added by a test."""

from __future__ import annotations

import collections.abc as c
import dataclasses
import functools
import re

from .call import Call, Reply
from .versions import Features, Version

Handler = c.Callable[[Call], Reply]


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """One row: method, path and handler of an endpoint, since which version, and who may call it.

    :param login: whether anonymous callers get 401 before any other check.
    :param job_token: the first version that accepts job tokens; None means never.
    :param own_login: whether the handler authenticates the caller itself.
    :param premium: whether the community edition lacks the endpoint.
    :param only_jobs: whether it only accepts job tokens.
    :param policy: the policy that an allowlist entry must grant to the jobs of another project.
    :param is_shared: whether jobs of any project have access without an entry, if the project is not private.
    :param skips_policy: whether any entry is sufficient without its policies, if the project is not private.
    :param granular_gap: whether fine-grained tokens without the permission are refused where anonymous callers are not.
    :param check: validates parameters before the project is looked up.
    """

    name: str
    method: str
    path: str
    handler: Handler
    since: str | None = None
    login: bool = True
    permission: str | None = None
    job_token: Version | None = None
    own_login: bool = False
    premium: bool = False
    only_jobs: bool = False
    policy: str = "read_jobs"
    is_shared: bool = False
    skips_policy: bool = False
    extra_scopes: frozenset[str] = frozenset()
    check: c.Callable[[Call], None] = lambda call: None
    limited: bool = False
    granular_gap: bool = False

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        parts = re.sub(r":(\w+)", r"(?P<\1>[^/]+)", self.path)
        return re.compile(re.sub(r"\*(\w+)", r"(?P<\1>.+)", parts) + r"/?")

    def is_known(self, features: Features) -> bool:
        there = not self.premium or features.edition != "ce"
        return there and (self.since is None or features.has(self.since))
