# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test long pauses that a server requests: at most two minutes, with a line; longer only in a wait, with the time."""

from __future__ import annotations

from unittest import mock

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._in_process import InProcessAction

from tests.unit.harness import Progress

from .plugins import GATE, OF_PIPELINE, Plugin
from .run import FACES, ROWS, Came, come_of
from .table import Row, status

ASKED_ONCE = "GitLab asked the task to pause between requests (Retry-After), which made it take longer"
PLAY = {**OF_PIPELINE, "name": ["deploy"], "action": "play"}
NOT_WAITING = {
    "read": Plugin("gitlab_job_info", OF_PIPELINE),
    "write": Plugin("gitlab_job_action", PLAY),
    "check mode of a wait": Plugin("gitlab_job_action", {**PLAY, "wait": True, "_ansible_check_mode": True}),
    "download": Plugin(
        "gitlab_job_download", {"project": "7", "job_id": 41, "content": "log", "dest": "{folder}/dest"}
    ),
}
WAITING = {
    "info": Plugin("gitlab_job_info", {**OF_PIPELINE, "name": ["build"], "wait": True, "wait_timeout": 4000.0}),
    "action": Plugin("gitlab_job_action", {**PLAY, "wait": True, "wait_timeout": 4000.0}),
    "bridges": Plugin("gitlab_pipeline_bridges", {**OF_PIPELINE, "wait": True, "wait_timeout": 4000.0}),
    "gate": Plugin(
        "gitlab_release_gate",
        {"projects": [{"project": "7", "pipeline_id": 6, "gates": [{**GATE, "wait_timeout": 4000.0}]}]},
    ),
}


def asking(seconds: int) -> Row:
    """Request a pause."""
    return Row(status("429 Too Many Requests", b"", f"Retry-After: {seconds}"), refuses=True)


def shown_by(
    plugin: Plugin, face_name: str, row: Row, phase: str = "first", *, is_shown: bool = True
) -> tuple[Came, list[str], list[str]]:
    """Return the outcome, the lines shown during the run, and the warnings."""
    progress, warnings = Progress(is_shown=is_shown), list[str]()
    with (
        mock.patch.object(InProcessAction, "_progress", lambda self, variables: progress),
        mock.patch.object(AnsibleModule, "warn", lambda self, text, **more: warnings.append(text)),
    ):
        came = come_of(plugin, FACES[face_name], row, phase)
    # only lines about pauses: slow lists are reported as well
    return (
        came,
        [line for line in progress.others if "asks to pause" in line],
        [*warnings, *came.result.get("warnings", [])],
    )


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("plugin", NOT_WAITING.values(), ids=NOT_WAITING)
def test_a_task_that_does_not_wait_does_not_sleep_for_long(plugin: Plugin, face: str) -> None:
    came, lines, _warnings = shown_by(plugin, face, asking(3000), "all")
    assert came.result["failed"]
    assert "it asks to wait for 3,000 s, longer than a task without wait may pause" in came.result["msg"]
    assert came.skipped < 1 and lines == []


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("seconds", [5, 100, 120])
def test_a_pause_of_two_minutes_is_told(face: str, seconds: int) -> None:
    came, lines, warnings = shown_by(NOT_WAITING["write"], face, asking(seconds))
    assert not came.result.get("failed") and came.result["changed"] and came.writes == 1
    assert seconds <= came.skipped < seconds + 2
    if seconds < 10:
        assert (lines, warnings) == ([], [])
    elif face == "module":
        assert (lines, warnings) == ([], [ASKED_ONCE])
    else:
        assert len(lines) == 1 and f"GitLab asks to pause for {seconds} s, until 20" in lines[0]
        assert warnings == []


@pytest.mark.parametrize("face", FACES)
def test_where_nobody_listens_there_is_a_warning(face: str) -> None:
    _came, lines, warnings = shown_by(NOT_WAITING["write"], face, asking(100), is_shown=False)
    assert (lines, warnings) == ([], [ASKED_ONCE])


@pytest.mark.parametrize("face", FACES)
def test_a_limit_that_is_used_up_holds_no_task_that_does_not_wait(face: str) -> None:
    """The response itself is valid, and GitLab refuses the next request if it is one too many."""
    came, lines, warnings = shown_by(NOT_WAITING["write"], face, ROWS["no requests left"])
    assert came.writes == 1 and not came.result.get("failed")
    assert came.skipped < 1 and (lines, warnings) == ([], [])


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("plugin", WAITING.values(), ids=WAITING)
def test_a_wait_keeps_a_long_pause_and_says_until_when(plugin: Plugin, face: str) -> None:
    came, lines, warnings = shown_by(plugin, face, asking(3000))
    assert not came.result.get("failed"), came.result["msg"]
    assert 3000 <= came.skipped < 4000
    if face == "module":
        assert warnings == [ASKED_ONCE]
    else:
        assert [line for line in lines if "GitLab asks to pause for 3000 s, until 20" in line]


@pytest.mark.parametrize("face", FACES)
def test_a_pause_beyond_the_end_of_a_wait_is_an_error_at_once(face: str) -> None:
    came, lines, _warnings = shown_by(WAITING["info"], face, asking(5000), "all")
    assert "it asks to wait for 5,000 s, longer than the time that is left" in came.result["msg"]
    assert came.skipped < 20 and lines == []
