# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invalid options: one sentence each, before any request."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import (
    gitlab_job_action,
    gitlab_job_info,
    gitlab_pipeline_bridges,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.arguments import ArgumentSpec

from ...harness import Exchange, ScriptedTransport, bridge, job, pipeline, run_task

ACTION, INFO, BRIDGES = gitlab_job_action.TASK, gitlab_job_info.TASK, gitlab_pipeline_bridges.TASK
PLAY = {"action": "play", "pipeline_id": 6, "name": ["deploy"]}
RETRY = {**PLAY, "action": "retry"}
CANCEL = {**PLAY, "action": "cancel"}

CASES = [
    (ACTION, {"action": "play", "pipeline_id": 6}, "needs name, stage, scope or job_id"),
    (ACTION, {**PLAY, "name": ["", "x"]}, "name contains an empty string"),
    (ACTION, {**PLAY, "name": [" "]}, "name contains an empty string"),
    (ACTION, {**PLAY, "scope": ["done"]}, "scope contains 'done'"),
    (
        ACTION,
        {"action": "play", "job_id": 1, "include_downstream": True},
        "include_downstream cannot be used with job_id",
    ),
    (ACTION, {**RETRY, "job_variables": {"A": "1"}}, "job_variables can only be used with play"),
    (ACTION, {**CANCEL, "job_inputs": {"a": 1}}, "job_inputs can only be used with play and retry"),
    (ACTION, {**RETRY, "replay": "always"}, "replay can only be used with play"),
    (ACTION, {**PLAY, "force": True}, "force can only be used with retry and cancel"),
    (ACTION, {**CANCEL, "retry_on": ["script_failure"]}, "retry_on can only be used with play and retry"),
    (ACTION, {**CANCEL, "max_attempts": 2, "wait": True}, "max_attempts can only be used with play and retry"),
    (ACTION, {**PLAY, "max_attempts": 2}, "max_attempts needs wait: true"),
    (ACTION, {**PLAY, "max_attempts": 0, "wait": True}, "max_attempts is 0"),
    (ACTION, {**PLAY, "job_variables": {"A": None}}, "job_variables: A is null"),
    (ACTION, {**PLAY, "job_inputs": {"a": None}}, "job_inputs: a is null"),
    (ACTION, {**PLAY, "job_inputs": {"a": {"b": "secret"}}}, "job_inputs: a is a mapping"),
    (ACTION, {**PLAY, "job_variables": {"A": ["secret"]}}, "job_variables: A is a list"),
    (ACTION, {**PLAY, "job_variables": [{"key": True, "value": "1"}]}, "contains a key that is not a string"),
    (ACTION, {**PLAY, "job_variables": {"A": {"b": "secret"}}}, "job_variables: A is a mapping"),
    (ACTION, {**PLAY, "job_variables": [{"key": "A", "value": "1"}] * 2}, "job_variables contains A twice"),
    (ACTION, {**PLAY, "fail_on": ["broken"]}, "fail_on contains 'broken'"),
    (INFO, {"fail_on": ["manual"]}, "fail_on contains 'manual'; use one of success, failed, canceled, skipped"),
    (ACTION, {**PLAY, "wait_timeout": -1.0}, "wait_timeout is -1; use 0 or more"),
    (ACTION, {**PLAY, "project": "app"}, "has no slash"),
    (ACTION, {**PLAY, "pipeline_id": 0}, "pipeline_id is 0"),
    (ACTION, {"action": "play", "job_id": -1}, "job_id is -1"),
    (ACTION, {**PLAY, "api_retries": -1}, "api_retries is -1"),
    (ACTION, {**PLAY, "api_url": "gitlab"}, "is not a web address"),
    (ACTION, {**PLAY, "api_job_token": "abc"}, "several tokens are set"),
    (INFO, {"pipeline_id": None, "ref": " "}, "ref is empty"),
    (INFO, {"sha": ""}, "sha is empty"),
    (INFO, {"merge_request": 0}, "merge_request is 0"),
    (INFO, {"pipeline_id": 6, "ref_type": "tag"}, "ref_type can only be used with ref"),
    (INFO, {"ref": "refs/tags/v1", "ref_type": "branch"}, "ref 'refs/tags/v1' is a tag, but ref_type is branch"),
    (INFO, {"wait": True}, "wait needs a pipeline"),
    (INFO, {"include_downstream": True}, "include_downstream needs a pipeline"),
    (INFO, {"pipeline_id": 6, "include_retried": True, "wait": True}, "include_retried cannot be used with wait"),
    (INFO, {"limit": -1}, "limit is -1"),
    (INFO, {"scope": ["done"]}, "scope contains 'done'"),
    (INFO, {"pipeline_id": 6, "wait": True, "wait_for": ["done"]}, "wait_for contains 'done'"),
    (INFO, {"pipeline_id": 6, "wait": True, "wait_for": []}, "wait_for is an empty list"),
    (INFO, {"fields": [""]}, "fields contains an empty string"),
    (INFO, {"pipeline_id": 6, "wait_interval": 0.0}, "wait_interval is 0; use 0.001 or more"),
    (BRIDGES, {"pipeline_id": 6, "depth": -1}, "depth is -1"),
    (BRIDGES, {"pipeline_id": 6, "scope": ["done"]}, "scope contains 'done'"),
    (BRIDGES, {"pipeline_id": 6, "name": [""]}, "name contains an empty string"),
]


@pytest.mark.parametrize(("task", "options", "words"), CASES)
def test_invalid_options_are_one_sentence_before_any_request(task, options, words):
    with pytest.raises(UsageError) as caught:
        run_task(task, options, transport=ScriptedTransport())
    text = str(caught.value)
    assert words in text
    assert "\n" not in text
    assert ". " not in text
    assert "secret" not in text
    assert not text.endswith(".")


# As Ansible splits a string: each part except the first keeps the space that follows its comma.
SPLIT = [
    ({"fields": ["id", " status"]}, {"id": 42, "status": "success"}),
    ({"fields": ["id"], "stage": ["build", " deploy"]}, {"id": 42}),
    ({"fields": ["id"], "scope": ["failed", " success"]}, {"id": 42}),
    ({"fields": ["id"], "pipeline_source": ["web", " push"], "ref": "main", "pipeline_id": None}, {"id": 42}),
]


@pytest.mark.parametrize(("options", "expected"), SPLIT)
def test_string_with_commas_and_spaces_is_a_list(options, expected):
    exchanges = []
    if "ref" in options:
        exchanges = [
            Exchange("GET /projects/7/pipelines?ref=main&order_by=id&sort=desc&per_page=20", [pipeline(source="push")]),
            Exchange("GET /projects/7/pipelines?ref=main&scope=tags&order_by=id&sort=desc&per_page=1", []),
        ]
    query = "?scope%5B%5D=failed&scope%5B%5D=success" if "scope" in options else ""
    jobs = [job(42, "success", "deploy"), job(41, "success", "build", stage="build")]
    exchanges.append(Exchange(f"GET /projects/7/pipelines/6/jobs{query}", jobs))
    outcome = run_task(INFO, {"pipeline_id": 6, **options}, transport=ScriptedTransport(*exchanges))
    assert outcome.values["jobs"][0] == expected


TASKS = [
    (ACTION, PLAY, [Exchange("GET /projects/7/pipelines/6/jobs", [job(name="deploy", status="success")])]),
    (ACTION, PLAY, [Exchange("GET /projects/7/pipelines/6/jobs", [job(name="deploy", status="skipped")])]),
    (INFO, {"pipeline_id": 6}, [Exchange("GET /projects/7/pipelines/6/jobs", [job()])]),
    (
        BRIDGES,
        {"pipeline_id": 6},
        [
            Exchange("GET /projects/7/pipelines/6/trigger_jobs", [bridge()]),
            Exchange("GET /projects/7/pipelines/6", pipeline()),
        ],
    ),
]


@pytest.mark.parametrize(("task", "options", "exchanges"), TASKS)
def test_results_have_the_keys_of_the_empty_result(task, options, exchanges):
    outcome = run_task(task, options, transport=ScriptedTransport(*exchanges))
    keys = set(outcome.values) | ({"diff"} if outcome.diff is not None else set())
    assert keys == set(task.empty_result)
    for name, value in task.empty_result.items():
        if value is not None and name in outcome.values:
            assert isinstance(outcome.values[name], type(value))


def test_merged_spec_prefers_the_later_one():
    first = ArgumentSpec({"a": {"type": "str"}, "b": {"type": "int"}}, (("a", "b"),), (("a",),))
    second = ArgumentSpec({"a": {"type": "bool"}}, (("a", "c"),), required_if=(("a", 1, ("b",)),))
    merged = first.merged(second)
    assert merged.arguments == {"a": {"type": "bool"}, "b": {"type": "int"}}
    assert merged.mutually_exclusive == (("a", "b"), ("a", "c"))
    assert (merged.required_one_of, merged.required_if) == ((("a",),), (("a", 1, ("b",)),))
    assert first.arguments["a"] == {"type": "str"}


@pytest.mark.parametrize("task", [ACTION, INFO, BRIDGES])
def test_tokens_are_hidden_and_rules_name_options(task):
    arguments = task.spec.arguments
    assert all(arguments[name]["no_log"] for name in ("api_token", "api_oauth_token", "api_job_token"))
    named = {name for rule in (*task.spec.mutually_exclusive, *task.spec.required_one_of) for name in rule}
    assert named <= set(arguments)
