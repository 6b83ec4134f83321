# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task as an Ansible module: the same keys on success and failure, no secrets, and never a traceback."""

from __future__ import annotations

import json
from unittest import mock

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common.parameters import PASS_VARS
from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible import module_face
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import libraries
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import Session
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_action import TASK as ACTION
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_download import TASK as DOWNLOAD
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_info import TASK as INFO
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.connection import (
    EXTENSION_VARIABLES,
    URL_VARIABLES,
)

from ...harness import SERVER, TOKEN, Exchange, ScriptedTransport, TransportExtension, installed, job, reply

LIST = "GET /projects/7/pipelines/6/jobs"
PLAY = "POST /projects/7/jobs/42/play"
BASE = {"api_url": SERVER, "api_token": TOKEN, "project": "7", "pipeline_id": 6, "name": "deploy"}
ACT = {**BASE, "action": "play"}


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    for name in (*URL_VARIABLES, *EXTENSION_VARIABLES):
        monkeypatch.delenv(name, raising=False)


def run_module(monkeypatch, capsys, task, options, *exchanges, check_mode=False):
    """Run a task as Ansible does; return what it prints."""
    arguments = {
        "ANSIBLE_MODULE_ARGS": {
            **options,
            "_ansible_check_mode": check_mode,
            "_ansible_remote_tmp": "/tmp",
        }
    }
    if "inject_invocation" in PASS_VARS:  # newer versions show the options only on request
        arguments["ANSIBLE_MODULE_ARGS"]["_ansible_inject_invocation"] = True
    if exchanges:
        arguments["ANSIBLE_MODULE_ARGS"]["extensions"] = ["the-transport"]
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(arguments).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    transport = ScriptedTransport(*exchanges)
    with installed({"the-transport": TransportExtension(transport)}), pytest.raises(SystemExit) as caught:
        module_face.run_module(task)
    transport.assert_done()
    result = json.loads(capsys.readouterr().out)
    # ansible-core 2.22 passes the secrets to the controller in this key, which removes it and hides them everywhere
    result.pop("_ansible_new_secrets", None)
    assert caught.value.code == (1 if result.get("failed") else 0)
    assert TOKEN not in json.dumps(result)
    return result


def test_success(monkeypatch, capsys):
    answer = job(status="pending")
    result = run_module(monkeypatch, capsys, ACTION, ACT, Exchange(LIST, [job()]), Exchange(PLAY, answer))
    assert result["changed"] is True
    assert set(ACTION.empty_result) <= set(result)
    assert result["status"] == "pending"


def test_check_mode(monkeypatch, capsys):
    result = run_module(monkeypatch, capsys, ACTION, ACT, Exchange(LIST, [job()]), check_mode=True)
    assert (result["changed"], result["diff"]["before"]) == (True, "deploy: manual (id 42)\n")


@pytest.mark.parametrize(
    ("task", "options", "exchanges", "message"),
    [
        (
            ACTION,
            ACT,
            [Exchange(LIST, [job(status="skipped")])],
            "Job 'deploy' (id 42) cannot be played: it was skipped",
        ),
        (
            ACTION,
            {**ACT, "name": "x"},
            [Exchange(LIST, [job()]), *[Exchange(LIST.replace("jobs", "trigger_jobs"), [])] * 2],
            "No job 'x' in pipeline 6 of project 7",
        ),
        (INFO, BASE, [Exchange(LIST, reply({"message": f"401 {TOKEN}"}, status=401))], f"GET {SERVER}/api/v4/"),
        (ACTION, {**ACT, "project": "app"}, [], "project 'app' has no slash"),
        (
            ACTION,
            {**ACT, "api_oauth_token": "abc123"},
            [],
            "api_token and api_oauth_token are mutually exclusive; set only one of them",
        ),
        (
            ACTION,
            {**ACT, "color": "red"},
            [],
            "Unknown option color; ansible-doc jobgate.gitlab.gitlab_job_action lists the options",
        ),
        (ACTION, {**ACT, "api_username": "me", "api_password": "hunter2"}, [], "api_username and api_password do not"),
        (ACTION, {"project": "7", "action": "play", "name": "x"}, [], "One of the following is required"),
        (ACTION, {**ACT, "action": "explode"}, [], "action is 'explode'; use one of play, retry"),
        (ACTION, {**ACT, "extensions": ["zzz"]}, [], "Unknown extension 'zzz'"),
    ],
)
def test_failures_have_the_same_keys(monkeypatch, capsys, task, options, exchanges, message):
    result = run_module(monkeypatch, capsys, task, options, *exchanges)
    assert result["failed"] is True
    assert message in result["msg"]
    assert result["msg"].endswith((".", "?", "!"))
    assert result["changed"] is False
    assert set(task.empty_result) <= set(result)
    assert "hunter2" not in str(result)


@pytest.mark.parametrize("before", ["manual", "skipped"])
def test_job_variables_are_not_shown_again(monkeypatch, capsys, before):
    options = {**ACT, "job_variables": {"PASSWORD": "hunter2"}, "job_inputs": {"region": "s3cret"}}
    sent = {
        "job_variables_attributes": [{"key": "PASSWORD", "value": "hunter2"}],
        "job_inputs": {"region": "s3cret"},
    }
    exchanges = [Exchange(LIST, [job(status=before)])]
    if before == "manual":
        exchanges.append(Exchange(PLAY, job(status="pending"), body=sent))
    result = run_module(monkeypatch, capsys, ACTION, options, *exchanges)
    assert "hunter2" not in str(result)
    assert "s3cret" not in str(result)
    assert list(result["invocation"]["module_args"]["job_variables"]) == ["PASSWORD"]
    assert result["invocation"]["module_args"]["name"] == ["deploy"]


def test_a_mistake_of_ours_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(Session, "annotated", mock.Mock(side_effect=RuntimeError(f"oops {TOKEN}")))
    result = run_module(monkeypatch, capsys, INFO, BASE, Exchange(LIST, [job()]))
    assert result["msg"].startswith("Unexpected RuntimeError in gitlab_job_info, please report it: oops")
    assert TOKEN not in result["msg"]
    assert set(INFO.empty_result) <= set(result)


@pytest.mark.parametrize(("library", "extensions"), [("pluggy", ["some"]), ("requests", [])])
def test_a_missing_library(monkeypatch, capsys, library, extensions):
    monkeypatch.setattr(libraries, library, None)
    result = run_module(monkeypatch, capsys, INFO, {**BASE, "extensions": extensions})
    assert f"Failed to import the required Python library ({library})" in result["msg"]
    assert set(INFO.empty_result) <= set(result)


def test_the_address_may_come_from_the_environment(monkeypatch, capsys):
    monkeypatch.setenv("GITLAB_URL", SERVER)
    monkeypatch.setenv("JOBGATE_EXTENSIONS", "the-transport")
    options = {name: value for name, value in BASE.items() if name != "api_url"}
    result = run_module(monkeypatch, capsys, INFO, options, Exchange(LIST, [job()]))
    assert result["job"]["id"] == 42


def test_warnings_reach_the_user(monkeypatch, capsys):
    warnings = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda self, text, **_options: warnings.append(text))
    refusal = Exchange("GET /projects/7/jobs/42/trace", reply({"message": "403 Forbidden"}, status=403))
    result = run_module(monkeypatch, capsys, INFO, {**BASE, "log_lines": 5}, Exchange(LIST, [job()]), refusal)
    assert result["job"]["log_tail"] is None
    assert [text for text in warnings if "cannot be read" in text]


def test_a_file_without_the_attributes_it_is_to_have_is_told_all_the_same(monkeypatch, capsys, tmp_path):
    dest = tmp_path / "log"
    options = {"api_url": SERVER, "api_token": TOKEN, "project": "7", "job_id": 42, "content": "log"}
    read, log = Exchange("GET /projects/7/jobs/42", job()), Exchange("GET /projects/7/jobs/42/trace", reply("a log"))
    wanted = {**options, "dest": str(dest), "owner": "nobody-of-this-name"}
    result = run_module(monkeypatch, capsys, DOWNLOAD, wanted, read, log)
    assert (result["failed"], result["changed"], dest.read_text()) == (True, True, "a log")
    assert "nobody-of-this-name" in result["msg"]
    assert (result["dest"], result["size"], result["job"]["id"]) == (str(dest), 5, 42)
