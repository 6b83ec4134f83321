# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The additional keys of every result, however a task ends, and the SELinux context of new files."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible import result as results
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Outcome
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.definition import NO_COST, TaskDefinition
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.options import CONNECTION, session_of
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.arguments import ArgumentSpec

from ...harness import TOKEN, FakeClock, with_defaults

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize("error", [None, UsageError("this cannot be"), KeyError("this cannot be")])
def test_elapsed_requests_and_warnings_are_returned_even_on_failure(error: Exception | None) -> None:
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
    result = results.result_of(task, options, context, secrets={TOKEN})
    assert (result["found"], result.get("failed", False)) == (error is None, error is not None)
    assert result["elapsed"] == 3.0
    assert result["requests"] == {"count": 0, "throttled": 0, "paced_seconds": 0.0}
    (warning,) = result["warnings"]
    assert warning.startswith("The server knows ") and TOKEN not in warning and SECRET not in warning


@pytest.mark.parametrize(("enabled", "found", "is_labelled"), [(1, 0, True), (1, -1, False), (0, 0, False)])
def test_new_file_gets_its_selinux_context_if_enabled(
    monkeypatch: pytest.MonkeyPatch, enabled: int, found: int, is_labelled: bool
) -> None:
    labels: list[tuple[str, str]] = []
    monkeypatch.setattr(
        results,
        "SELINUX",
        types.SimpleNamespace(
            is_selinux_enabled=lambda: enabled,
            matchpathcon=lambda path, mode: [found, f"context of {path}"],
            lsetfilecon=lambda path, context: labels.append((path, context)),
        ),
    )
    results.AnsibleFiles().label("/etc/.part", "/etc/x")
    assert labels == ([("/etc/.part", "context of /etc/x")] if is_labelled else [])


def test_label_does_nothing_without_the_selinux_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "SELINUX", None)
    results.AnsibleFiles().label("/etc/.part", "/etc/x")
