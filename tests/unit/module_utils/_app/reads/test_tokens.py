# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The job of a job token, and GitLab's answers to rejected tokens."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.masking import MASK
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_token_info import TASK

from ....harness import NO_ROUTE, TOKEN, Exchange, ScriptedTransport, job, pipeline, reply, run_task

JOB_TOKEN = "glcbt-0123456789"
JOB = "GET /job"
AGENTS = "GET /job/allowed_agents"
ALLOWED = {
    "allowed_agents": [{"id": 1, "config_project": {"id": 7}}],
    "job": {"id": 42},
    "pipeline": {"id": 6},
    "project": {"id": 7},
    "user": {"username": "alice"},
    "environment": {"slug": "production"},
}


def ask(*exchanges, environ=None, **options):
    given = {"api_token": None, "api_job_token": JOB_TOKEN, **options}
    return run_task(TASK, given, transport=ScriptedTransport(*exchanges), environ=environ)


def test_job_of_the_token_is_returned():
    record = job(42, "running", pipeline=pipeline())
    outcome = ask(Exchange(JOB, record))
    assert (outcome.changed, outcome.warnings) == (False, [])
    assert outcome.values == {**TASK.empty_result, "job": record}


def test_agents_are_read_only_if_requested():
    outcome = ask(Exchange(JOB, job(42, "running")), Exchange(AGENTS, ALLOWED), agents=True)
    agent_values = {name: value for name, value in outcome.values.items() if name != "job"}
    assert agent_values == {name: value for name, value in ALLOWED.items() if name != "job"}
    assert outcome.values["job"]["name"] == "deploy"


def test_job_token_falls_back_to_the_environment():
    for options, environ, token in (
        ({}, {"CI_JOB_TOKEN": "other-token"}, JOB_TOKEN),
        ({"api_job_token": None}, {"CI_JOB_TOKEN": "other-token"}, "other-token"),
    ):
        transport = ScriptedTransport(Exchange(JOB, reply({"message": f"no {token}"}, status=403)))
        with pytest.raises(errors.NotAuthorizedError) as caught:
            given = {"api_token": None, "api_job_token": JOB_TOKEN, **options}
            run_task(TASK, given, transport=transport, environ=environ)
        # the token in use counts as a secret
        assert f"no {MASK}" in str(caught.value)


def test_missing_job_token_is_an_error_without_a_request():
    with pytest.raises(errors.UsageError, match="no job token: set api_job_token, or run this in a CI job"):
        ask(api_job_token=None)


@pytest.mark.parametrize("name", ["api_token", "api_oauth_token"])
def test_other_tokens_are_refused_even_with_a_job_token(name):
    with pytest.raises(errors.UsageError, match=f"{name} cannot be used here: .* set api_job_token"):
        ask(**{name: TOKEN})


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (
            {"message": "401 Unauthorized"},
            401,
            'does not know this job token: GitLab says "401 .* only while its job is',
        ),
        ({"message": "404 Job Not Found"}, 404, "no job belongs to this token: it is not a CI job token"),
        (NO_ROUTE, 404, r"this server cannot show the job of a token: this requires GitLab 13\.10"),
    ],
)
def test_rejected_job_token_is_explained(answer, status, words):
    with pytest.raises(errors.SelectionError, match=words):
        ask(Exchange(JOB, reply(answer, status=status)))


@pytest.mark.parametrize(("status", "error"), [(401, errors.NotAuthorizedError), (404, errors.NotFoundError)])
def test_web_page_is_not_explained_as_a_token_error(status, error):
    with pytest.raises(error, match="the server answers with an HTML page"):
        ask(Exchange(JOB, reply("<html>", status=status)))


def test_server_too_old_for_agents_is_explained():
    with pytest.raises(errors.SelectionError, match=r"cannot show the agents of a token: this requires GitLab 13\.11"):
        ask(Exchange(JOB, job(42, "running")), Exchange(AGENTS, reply(NO_ROUTE, status=404)), agents=True)
