# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task returns besides what it was asked for, however it ends."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible.result import result_of
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Outcome
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.definition import (
    NO_COST,
    ArgumentSpec,
    TaskDefinition,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.options import CONNECTION, session_of

from ...harness import TOKEN, FakeClock, with_defaults

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize("error", [None, UsageError("this cannot be"), KeyError("this cannot be")])
def test_time_requests_and_warnings_are_told_however_a_task_ends(error: Exception | None) -> None:
    def work(options: t.Mapping[str, t.Any], context: TaskContext) -> Outcome:
        session = session_of(options, context)
        session.warn(f"The server knows {TOKEN} and {SECRET}")
        session.clock.sleep(3)
        if error:
            raise error
        return Outcome({"found": True})

    spec = CONNECTION.merged(ArgumentSpec({"variables": {"type": "dict"}}))
    task = TaskDefinition("gitlab_example", spec, work, {"found": False, **NO_COST})
    options = {**with_defaults(task, {}), "variables": {"PASSWORD": SECRET}}
    context = TaskContext(environ={}, clock=FakeClock())
    result = result_of(task, options, context, secrets=[TOKEN])
    assert (result["found"], result.get("failed", False)) == (error is None, error is not None)
    assert result["elapsed"] == 3.0
    assert result["requests"] == {"count": 0, "throttled": 0, "paced_seconds": 0.0}
    (warning,) = result["warnings"]
    assert warning.startswith("The server knows ") and TOKEN not in warning and SECRET not in warning
