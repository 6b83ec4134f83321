# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deleting the artifacts of all jobs of a project: only on explicit request, and with a true result."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.actions import ACTIONS
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_action import TASK

from ....harness import NO_ROUTE, Exchange, ScriptedTransport, reply, run_task

PROJECT = Exchange("GET /projects/7", {"id": 7, "path_with_namespace": "group/app"})
DELETE = "DELETE /projects/7/artifacts"
ACCEPTED = Exchange(DELETE, reply({"message": "202 Accepted"}, status=202))


def delete(*exchanges, check_mode=False, **options):
    given = {"action": "delete_artifacts", "whole_project": True, **options}
    return run_task(TASK, given, transport=ScriptedTransport(*exchanges), check_mode=check_mode)


def test_every_run_is_a_change_predicted_by_check_mode():
    # GitLab does not report whether any artifacts were left
    for _number in range(2):
        predicted = delete(PROJECT, check_mode=True)
        done = delete(PROJECT, ACCEPTED)
        assert done.values.pop("requests")["count"] == predicted.values.pop("requests")["count"] + 1
        assert (done.changed, done.failure, done.values, done.diff) == (True, None, predicted.values, predicted.diff)
        assert predicted.changed
    nothing = {"id": None, "status": None}
    assert done.values["results"] == [
        {"name": "7", "outcome": "applied", "reason": "", "before": nothing, "after": nothing}
    ]
    assert {*done.values, "requests"} == set(TASK.empty_result)
    assert done.diff["after"] == "7: artifacts expired, to be removed by GitLab\n"


@pytest.mark.parametrize("check_mode", [False, True])
def test_missing_project_is_an_error_before_any_write(check_mode):
    missing = Exchange("GET /projects/7", reply({"message": "404 Project Not Found"}, status=404))
    with pytest.raises(errors.NotFoundError, match="Project Not Found"):
        delete(missing, check_mode=check_mode)


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ({"id": 7, "archived": True}, "an archived project can only be read: unarchive it"),
        ({"id": 7, "permissions": {"project_access": {"access_level": 30}}}, "the Developer role in the project, but"),
        ({"id": 7}, "The user of the token needs the Maintainer role in the project"),
        ({"id": 7, "permissions": {"project_access": {"access_level": 40}}}, '"403 Forbidden" for project 7 (DELETE'),
    ],
)
def test_refusal_without_a_reason_is_explained_from_the_project(project, words):
    forbidden = Exchange(DELETE, {"message": "403 Forbidden"}, status=403)
    outcome = delete(PROJECT, forbidden, Exchange("GET /projects/7", project))
    assert words in outcome.failure and "403 Forbidden" in outcome.failure
    assert not outcome.changed


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(NO_ROUTE, status=404), "this server is too old for it"),
        (reply({"message": "404 Project Not Found"}, status=404), "Project Not Found"),
        (reply("<html>", status=502), "The outcome is unknown; it is safe to run the task again"),
        (errors.LostAnswerError("the connection broke"), "). The outcome is unknown"),
    ],
)
def test_failed_deletion_is_reported_and_is_not_a_change(answer, words):
    outcome = delete(PROJECT, Exchange(DELETE, answer), api_retries=0)
    assert outcome.failure.startswith("the artifacts of project 7 were not deleted: ")
    assert words in outcome.failure
    assert words in outcome.values["results"][0]["reason"]
    assert (outcome.changed, outcome.values["results"][0]["outcome"]) == (False, "failed")
    assert outcome.diff["before"] == outcome.diff["after"]


@pytest.mark.parametrize("action", [action for action in ACTIONS if action != "delete_artifacts"])
def test_whole_project_can_only_be_used_with_delete_artifacts(action):
    with pytest.raises(errors.UsageError, match="whole_project can only be used with delete_artifacts"):
        delete(action=action)


@pytest.mark.parametrize(
    "selection",
    [{"job_id": 42}, {"pipeline_id": 6}, {"ref": "main"}, {"name": ["build"]}, {"include_downstream": True}],
    ids=str,
)
def test_job_selections_cannot_be_used_with_whole_project(selection):
    (name,) = selection
    with pytest.raises(errors.UsageError, match=f"{name} cannot be used with whole_project"):
        delete(**selection)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"force": True}, "force can only be used with retry and cancel"),
        ({"replay": "always"}, "replay can only be used with play"),
    ],
)
def test_options_of_other_actions_are_refused_with_whole_project(options, words):
    with pytest.raises(errors.UsageError, match=words):
        delete(**options)


def test_job_token_cannot_delete_artifacts():
    with pytest.raises(errors.UsageError, match="api_job_token cannot be used for action delete_artifacts"):
        delete(api_token=None, api_job_token="glcbt-0123456789")
