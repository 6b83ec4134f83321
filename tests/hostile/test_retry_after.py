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
from .run import FACES, ROWS, Outcome, run_row
from .table import Row, status

PAUSE_WARNING = "GitLab asked the task to pause between requests (Retry-After), which made it take longer"
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


def pause_request(seconds: int) -> Row:
    """Request a pause."""
    return Row(status("429 Too Many Requests", b"", f"Retry-After: {seconds}"), refuses=True)


def run_with_progress(
    plugin: Plugin, face_name: str, row: Row, phase: str = "first", *, is_shown: bool = True
) -> tuple[Outcome, list[str], list[str]]:
    """Return the outcome, the lines shown during the run, and the warnings."""
    progress, warnings = Progress(is_shown=is_shown), list[str]()
    with (
        mock.patch.object(InProcessAction, "_progress", lambda self, variables: progress),
        mock.patch.object(AnsibleModule, "warn", lambda self, text, **more: warnings.append(text)),
    ):
        outcome = run_row(plugin, FACES[face_name], row, phase)
    # only lines about pauses: slow lists are reported as well
    return (
        outcome,
        [line for line in progress.others if "asks to pause" in line],
        [*warnings, *outcome.result.get("warnings", [])],
    )


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("plugin", NOT_WAITING.values(), ids=NOT_WAITING)
def test_task_without_wait_refuses_long_pauses(plugin: Plugin, face: str) -> None:
    outcome, lines, _warnings = run_with_progress(plugin, face, pause_request(3000), "all")
    assert outcome.result["failed"]
    assert "it asks to wait for 3,000 s, longer than a task without wait may pause" in outcome.result["msg"]
    assert outcome.skipped < 1 and lines == []


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("seconds", [5, 100, 120])
def test_pauses_up_to_two_minutes_are_kept_and_shown(face: str, seconds: int) -> None:
    outcome, lines, warnings = run_with_progress(NOT_WAITING["write"], face, pause_request(seconds))
    assert not outcome.result.get("failed") and outcome.result["changed"] and outcome.writes == 1
    assert seconds <= outcome.skipped < seconds + 2
    if seconds < 10:
        assert (lines, warnings) == ([], [])
    elif face == "module":
        assert (lines, warnings) == ([], [PAUSE_WARNING])
    else:
        assert len(lines) == 1 and f"GitLab asks to pause for {seconds} s, until 20" in lines[0]
        assert warnings == []


@pytest.mark.parametrize("face", FACES)
def test_pause_causes_a_warning_if_progress_is_hidden(face: str) -> None:
    _outcome, lines, warnings = run_with_progress(NOT_WAITING["write"], face, pause_request(100), is_shown=False)
    assert (lines, warnings) == ([], [PAUSE_WARNING])


@pytest.mark.parametrize("face", FACES)
def test_exhausted_limit_does_not_delay_a_task_without_wait(face: str) -> None:
    """The response itself is valid, and GitLab refuses the next request if it is one too many."""
    outcome, lines, warnings = run_with_progress(NOT_WAITING["write"], face, ROWS["no requests left"])
    assert outcome.writes == 1 and not outcome.result.get("failed")
    assert outcome.skipped < 1 and (lines, warnings) == ([], [])


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("plugin", WAITING.values(), ids=WAITING)
def test_wait_keeps_long_pauses_and_shows_their_end(plugin: Plugin, face: str) -> None:
    outcome, lines, warnings = run_with_progress(plugin, face, pause_request(3000))
    assert not outcome.result.get("failed"), outcome.result["msg"]
    assert 3000 <= outcome.skipped < 4000
    if face == "module":
        assert warnings == [PAUSE_WARNING]
    else:
        assert [line for line in lines if "GitLab asks to pause for 3000 s, until 20" in line]


@pytest.mark.parametrize("face", FACES)
def test_pause_beyond_the_wait_timeout_fails_at_once(face: str) -> None:
    outcome, lines, _warnings = run_with_progress(WAITING["info"], face, pause_request(5000), "all")
    assert "it asks to wait for 5,000 s, longer than the time that is left" in outcome.result["msg"]
    assert outcome.skipped < 20 and lines == []
