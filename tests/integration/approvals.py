# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared code of the tests of approvals: a world with a protected environment, and approvals during a task."""

from __future__ import annotations

import threading
import typing as t

from tests.unit.harness import Progress

from .harness import running_in_thread, world

PROJECT = "group/app"
JOB: dict[str, t.Any] = {
    "name": "deploy",
    "stage": "deploy",
    "when": "manual",
    "allow_failure": False,
    "environment": "production",
    "duration": 20,
}
# alice is a maintainer and a member of the group release, carol only a member
RULES: list[dict[str, t.Any]] = [
    {"role": "maintainer", "required": 1},
    {"group": "release", "members": ["carol", "alice"], "required": 1},
]
BY_RULES: dict[str, t.Any] = {"rules": RULES}
# the deprecated setting: GitLab starts the job itself after the last approval
BY_COUNT: dict[str, t.Any] = {"required_approvals": 1}
SETTINGS = {"rules": BY_RULES, "one count": BY_COUNT}
BOB, CAROL = "bob-token-0123456789", "carol-token-0123456789"


def approval_world(
    *jobs: dict[str, t.Any],
    protected: dict[str, t.Any] | None = None,
    edition: str = "premium",
    **project: t.Any,
) -> dict[str, t.Any]:
    """Return a world in which production is protected and bob has started the pipeline.

    :param protected: the settings of the protected environment; approval rules by default.
    """
    made = world(*(jobs or (JOB,)))
    made["edition"] = edition
    settings = {"production": BY_RULES if protected is None else protected}
    made["projects"][0] |= {"protected_environments": settings, **project}
    return made


class Witness(Progress):
    """Watches the progress of a task, and acts when a line mentions approvals.

    :param actions: functions to call at the first such line, at the second, and so on.
    """

    def __init__(self, *actions: t.Callable[[], t.Any]) -> None:
        super().__init__(is_shown=True)
        self._actions = list(actions)

    def show(self, line: str, *, status: str = "") -> None:
        super().show(line, status=status)
        if self._actions and "waits for approvals" in line:
            self._actions.pop(0)()


def acting_during_wait(simulator: t.Any, action: str) -> t.ContextManager[None]:
    """Approve or reject as another user after a playbook has read the deployment."""

    def act(is_over: threading.Event) -> None:
        while not is_over.wait(0.05):
            if any(request["endpoint"] == "get_deployment" for request in simulator.requests()):
                simulator.act_as_somebody_else(action, "deploy")
                return

    return running_in_thread(act)
