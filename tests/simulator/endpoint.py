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
    """One row: what is called how, since when, by whom.

    :param login: anonymous callers get 401 before anything else is looked at.
    :param job_token: the version from which job tokens are accepted; None is never.
    :param own_login: the handler finds out by itself who asks.
    :param premium: the community edition does not have it.
    :param only_jobs: only a job token will do.
    :param policy: what an entry of an allowlist has to grant to the jobs of another project.
    :param is_shared: jobs of any project may come without an entry, if the project is not private.
    :param skips_policy: that is all an entry needs to be there for, if the project is not private.
    :param granular_gap: a fine-grained token without the permission is refused where nobody at all would not be.
    :param check: validates parameters, before the project is looked up.
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
