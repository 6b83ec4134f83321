# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether GitLab still sends to a hook after its failures (topic: reliability)."""

from __future__ import annotations

import dataclasses
import typing as t

from ..versions import Features

_FIRST_FAILURES: t.Final = 4
_MAX_FAILURES: t.Final = 40
_FIRST_PAUSE: t.Final = 60.0
_LONGEST_PAUSE: t.Final = 86400.0


@dataclasses.dataclass
class Health:
    """The consecutive failures of one hook; times are seconds of the scenario."""

    failures: int = 0
    paused_until: float = 0.0
    is_disabled: bool = False

    def may_send(self, now: float) -> bool:
        return not self.is_disabled and now >= self.paused_until

    def count(self, status: int | None, features: Features, *, now: float) -> None:
        """Count an answer.

        :param status: None if the receiver was unreachable, or did not answer before the timeout.
        """
        if status is not None and 200 <= status < 400:
            self.failures = 0
            return
        self.failures += 1
        if self.failures < _FIRST_FAILURES:
            return
        is_refusal = status is not None and 400 <= status < 500
        for_good = self.failures >= _MAX_FAILURES if features.has("hooks.failures") else is_refusal
        self.is_disabled = for_good
        self.paused_until = now + min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (self.failures - _FIRST_FAILURES))
