# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which values of a task's options must never be shown."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_action
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.hiding import shown_options, variable_values

from tests.unit.faces import IS_CONTROLLER, TASKS, as_module, in_process
from tests.unit.harness import FakeClock, FunctionTransport, Progress, job, pipeline, run_task

KEY = "-----BEGIN KEY-----\nAbCdEfGhIjKlMnOp\nshort\n-----END KEY-----\n"


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("gitlab_job_action", {"job_variables": {"KEY": KEY}}),
        ("gitlab_job_action", {"job_variables": [{"key": "KEY", "value": KEY.replace("\n", "\r\n")}]}),
        ("gitlab_job_action", {"job_inputs": {"keys": [KEY]}}),
        ("gitlab_pipeline", {"variables": {"KEY": KEY}}),
        ("gitlab_pipeline", {"inputs": {"key": KEY}}),
        ("gitlab_release_gate", {"projects": [{"gates": [{"job_variables": {"KEY": KEY}}]}]}),
    ],
)
def test_each_line_of_a_variable_is_hidden(task: str, options: dict[str, t.Any]):
    values = variable_values(TASKS[task].spec.arguments, options)
    lines = {"-----BEGIN KEY-----", "AbCdEfGhIjKlMnOp", "-----END KEY-----"}
    assert lines < values and len(values) == len(lines) + 1


def test_line_that_other_options_show_is_not_hidden():
    options = {"name": ["deploy:production"], "job_variables": {"WHAT": "deploy:production\nsomewhere else"}}
    values = variable_values(gitlab_job_action.TASK.spec.arguments, options)
    assert values == {"deploy:production\nsomewhere else", "somewhere else"}


def test_key_in_a_log_and_in_a_reason_is_masked():
    status = ["manual"]

    def answer(call: t.Any) -> t.Any:
        if call.path.endswith("/trace"):
            return ("$ cat key\r\n" + KEY.replace("\n", "\r\n") + "no such key: AbCdEfGhIjKlMnOp\n").encode()
        if call.method == "POST":
            status[:] = ["failed"]
            return job(42, "pending")
        if call.path.endswith("/trigger_jobs"):
            return []
        record = job(42, status[0], failure_reason="bad key AbCdEfGhIjKlMnOp")
        return [record] if call.path.endswith("/jobs") else record if "/jobs/" in call.path else pipeline(6)

    progress = Progress(is_shown=True)
    outcome = run_task(
        gitlab_job_action.TASK,
        {
            "pipeline_id": 6,
            "name": ["deploy"],
            "action": "play",
            "wait": True,
            "log_follow": True,
            "job_variables": {"KEY": KEY},
        },
        transport=FunctionTransport(answer),
        clock=FakeClock(),
        progress=progress,
    )
    assert outcome.failure and "no such key: ********" in outcome.failure
    assert "deploy | ********" in progress.others
    output = json.dumps(outcome.values) + outcome.failure + "".join((*progress.lines, *progress.others))
    assert "KEY-----" not in output and "AbCdEf" not in output


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://oauth2:hunter2@gitlab.example.com/x", "https://gitlab.example.com/x"),
        ("https://gitlab.example.com/?private_token=hunter2", "https://gitlab.example.com/"),
        ("ssh://git:hunter2@gitlab.example.com/g/a", "ssh://gitlab.example.com/g/a"),
        ("https:\\\\oauth2:hunter2@gitlab.example.com", "gitlab.example.com"),
        ("oauth2:hunter2@gitlab.example.com/g/a", "gitlab.example.com/g/a"),
        (" oauth2:hunter2@gitlab.example.com", "gitlab.example.com"),
    ],
)
def test_credentials_in_urls_are_removed_from_shown_options(address: str, shown: str):
    arguments = gitlab_job_action.TASK.spec.arguments
    given = {"api_url": address, "project": address, "name": [address]}
    assert shown_options(arguments, given) == {"api_url": shown, "project": shown, "name": [shown]}


@pytest.mark.parametrize("face", [in_process, as_module] if IS_CONTROLLER else [as_module])
@pytest.mark.parametrize("mistake", [{}, {"needs": 7}, {"gates": []}, {"nonsense": 1}, {"pipeline_id": "x"}])
def test_errors_hide_the_token_in_a_repository_url(face: t.Any, mistake: dict[str, t.Any]):
    project = {"project": "https://gitlab-ci-token:hunter2-hunter2@gitlab.example.com/g/a.git", "ref": "main"}
    projects = [{**project, "gates": [{"name": "deploy", "action": "play"}], **mistake}]
    result = face(TASKS["gitlab_release_gate"], {"api_url": "https://other.example.com", "projects": projects})
    assert result["failed"] and "hunter2" not in json.dumps(result)


def test_usage_error_hides_the_token_in_a_repository_url():
    gates = [{"name": "deploy", "action": "play"}]
    project = {"project": "https://gitlab-ci-token:hunter2-hunter2@gitlab.example.com/g/a.git", "ref": "main"}
    options = {"api_url": "https://other.example.com", "projects": [{**project, "gates": gates}]}
    with pytest.raises(UsageError, match="is not a web address") as caught:
        run_task(TASKS["gitlab_release_gate"], options, transport=FunctionTransport(lambda request: None))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["deploy:prod@eu", "a b:c@d.e", "git@gitlab.example.com:g/a", "x?y#z", "@alice: a.b"])
def test_values_that_are_not_urls_are_shown_unchanged(text: str):
    assert shown_options(gitlab_job_action.TASK.spec.arguments, {"name": [text]}) == {"name": [text]}
