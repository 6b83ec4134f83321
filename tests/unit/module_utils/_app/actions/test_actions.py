# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of the actions: each is complete, and has advice for rejections by GitLab."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import (
    NotAuthorizedError,
    StatusError,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.actions import ACTIONS
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.decisions import ActionRequest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.statuses import STATUSES, Column
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_action import SPEC

FORBIDDEN = "403 Forbidden"


def test_every_action_has_a_cell_for_every_column():
    columns = set(t.get_args(Column))
    assert {name: set(action.cells) for name, action in ACTIONS.items()} == dict.fromkeys(ACTIONS, columns)
    assert {row.column for row in STATUSES.values()} == columns


@pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))
def test_row_names_existing_options_and_statuses(action):
    assert set(action.supported_options) <= set(SPEC.arguments)
    assert action.status_after in ("", *STATUSES)
    # a gate follows the jobs on which it acts
    assert action.is_followed or not (action.gate or action.accepts_any_end)


@pytest.mark.parametrize(
    ("action", "status", "text", "expected"),
    [
        ("play", 403, FORBIDDEN, ""),
        ("play", 400, "400 Bad request - Unplayable Job", "not manual"),
        ("play", 400, "job_inputs is invalid", ""),
        ("retry", 403, "403 Forbidden - Job is not retryable", "cannot be retried"),
        ("erase", 403, "403 Forbidden - Job is not erasable!", "Only a finished job"),
        ("delete_artifacts", 404, "404 Not found", ""),
    ],
)
def test_rejection_gets_the_advice_of_its_action(action, status, text, expected):
    error = StatusError(text, status=status, server_text=text)
    ACTIONS[action].advise(error)
    assert expected in error.advice
    assert bool(expected) == bool(error.advice)


def test_advice_about_a_token_is_kept():
    error = NotAuthorizedError(FORBIDDEN, status=403, server_text=FORBIDDEN)
    error.advice = "The token lacks a scope"
    ACTIONS["play"].advise(error)
    assert error.advice == "The token lacks a scope"


@pytest.mark.parametrize(
    ("action", "status", "options", "expected"),
    [
        ("play", "manual", {}, {"job_variables": None, "job_inputs": None}),
        (
            "play",
            "manual",
            {"variables": ({"key": "A", "value": "1"},), "inputs": {"a": 1}},
            {"job_variables": [{"key": "A", "value": "1"}], "job_inputs": {"a": 1}},
        ),
        ("retry", "failed", {"inputs": {"a": 1}}, {"job_inputs": {"a": 1}}),
        ("cancel", "running", {"force": True}, {}),
        ("cancel", "canceling", {"force": True}, {"force": True}),
        ("cancel", "canceling", {}, {}),
        ("erase", "failed", {}, {}),
        ("keep_artifacts", "failed", {}, {}),
        ("delete_artifacts", "failed", {}, {}),
    ],
)
def test_action_sends_its_arguments(action, status, options, expected):
    assert ACTIONS[action].arguments(ActionRequest(action, **options), status) == expected


@pytest.mark.parametrize("status", ["created", "skipped", "canceled"])
def test_new_attempt_proves_a_play_in_any_status(status):
    assert ACTIONS["play"].effect({"id": 1, "status": "success"}, {"id": 2, "status": status})
