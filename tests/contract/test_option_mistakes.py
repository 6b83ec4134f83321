# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Common mistakes with options: each causes one sentence that names the option and the remedy.

Both faces report the same, and nothing is changed on the server.
"""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils import basic
from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible import module_face
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.definition import TaskDefinition
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.connection import (
    EXTENSION_VARIABLES,
    URL_VARIABLES,
)

from tests.contract.support import TASKS
from tests.unit.faces import as_lookup, in_process

TOKEN = "alice-token-0123456789"
VARIABLES = (
    *URL_VARIABLES,
    *EXTENSION_VARIABLES,
    "GITLAB_API_TOKEN",
    "GITLAB_TOKEN",
    "GITLAB_PRIVATE_TOKEN",
    "GITLAB_OAUTH_TOKEN",
)
SCENARIO: dict[str, t.Any] = {
    "users": [{"username": "alice", "id": 2}],
    "tokens": [{"token": TOKEN, "user": "alice"}],
    "projects": [{"path": "group/app", "id": 7, "members": {"alice": "maintainer"}}],
    "pipelines": [
        {
            "id": 100,
            "project": "group/app",
            "ref": "main",
            "user": "alice",
            "jobs": [{"name": "deploy", "when": "manual"}, {"name": "build", "status": "success"}],
        }
    ],
}

PLAY = {"project": "group/app", "pipeline_id": 100, "name": "deploy", "action": "play"}
READ = {"project": "group/app", "pipeline_id": 100}
RUN = {"project": "group/app", "ref": "main", "action": "run"}
FILE = {"project": "group/app", "job_id": 1000, "dest": "/nowhere/x"}


def without(options: t.Mapping[str, t.Any], *names: str) -> dict[str, t.Any]:
    return {name: value for name, value in options.items() if name not in names}


def gate(**options: t.Any) -> dict[str, t.Any]:
    """Return the options of a release whose second gate has these options."""
    first = {"name": "build", "action": "verify"}
    second = {"name": "deploy", "action": "play", **options}
    return {
        "projects": [
            {
                "project": "group/app",
                "ref": "main",
                "gates": [first, {k: v for k, v in second.items() if v is not None}],
            }
        ]
    }


ACTION, INFO, DOWNLOAD, GATE = "gitlab_job_action", "gitlab_job_info", "gitlab_job_download", "gitlab_release_gate"
BRIDGES, PIPELINE = "gitlab_pipeline_bridges", "gitlab_pipeline"
APPROVAL, DEPLOYMENTS = "gitlab_deployment_approval", "gitlab_deployment_info"

# Name of the mistake, module, options, and the error message.
MISTAKES: list[tuple[str, str, dict[str, t.Any], str]] = [
    # names of options
    ("job_name for name", ACTION, {**without(PLAY, "name"), "job_name": "deploy"},
     "Unknown option job_name; did you mean name?"),
    ("jobs for name", INFO, {**READ, "jobs": ["build"]}, "Unknown option jobs; did you mean name?"),
    ("variables for job_variables", ACTION, {**PLAY, "variables": {"A": "b"}},
     "Unknown option variables; did you mean job_variables?"),
    ("project_id for project", INFO, {"project_id": 7, "pipeline_id": 100},
     "Unknown option project_id; did you mean project?"),
    ("pipeline for pipeline_id", INFO, {"project": "group/app", "pipeline": 100},
     "Unknown option pipeline; did you mean pipeline_id?"),
    ("branch for ref", INFO, {"project": "group/app", "branch": "main"}, "Unknown option branch; did you mean ref?"),
    ("timeout for wait_timeout", ACTION, {**PLAY, "wait": True, "timeout": 60},
     "Unknown option timeout; did you mean wait_timeout?"),
    ("a typo", INFO, {**READ, "pipline_id": 100},
     "Unknown option pipline_id; did you mean pipeline_id?"),
    ("an unknown option", INFO, {**READ, "color": "red"},
     "Unknown option color; ansible-doc jobgate.gitlab.gitlab_job_info lists the options."),
    ("a password", INFO, {**READ, "api_username": "alice", "api_password": "hunter2-word"},
     "api_username and api_password do not exist, because GitLab's API does not accept passwords; set api_token."),
    # types
    ("30m for seconds", ACTION, {**PLAY, "wait": True, "wait_timeout": "30m"},
     "wait_timeout is '30m'; use the number of seconds, 1800."),
    ("a URL for an id", INFO,
     {"project": "group/app", "job_id": "https://gitlab.example.com/group/app/-/jobs/1001"},
     "job_id is 'https://gitlab.example.com/group/app/-/jobs/1001'; use only the number, 1001."),
    ("!17 for a merge request", INFO, {"project": "group/app", "merge_request": "!17"},
     "merge_request is '!17'; use only the number, 17."),
    ("a name for an id", ACTION, {"project": "group/app", "job_id": "deploy", "action": "play"},
     "job_id is 'deploy'; use an integer."),
    ("several ids", ACTION, {"project": "group/app", "job_id": [1000, 1001], "action": "play"},
     "job_id is a list; use an integer."),
    ("a word for true", ACTION, {**PLAY, "wait": "please"}, "wait is 'please'; use true or false."),
    ("a list for one ref", INFO, {"project": "group/app", "ref": ["main"]},
     "ref is ['main'], a list or mapping written as a string; use one value."),
    ("variables as a string", ACTION, {**PLAY, "job_variables": "A: b"},
     "job_variables is a string; use a mapping of names and values."),
    ("a list in a variable", ACTION, {**PLAY, "job_variables": {"A": ["b"]}},
     "job_variables: A is a list, but GitLab accepts only strings; convert it with the "
     "filter to_json."),
    ("a dash in the name of a variable", ACTION, {**PLAY, "job_variables": {"DEPLOY-TO": "b"}},
     "job_variables: 'DEPLOY-TO' is not a valid variable name; use up to 255 letters, digits and underscores."),
    ("a variable without a name", ACTION, {**PLAY, "job_variables": [{"key": "", "value": "b"}]},
     "job_variables: '' is not a valid variable name; use up to 255 letters, digits and underscores."),
    ("variables as name and value", ACTION, {**PLAY, "job_variables": [{"name": "A", "value": "b"}]},
     "job_variables contains an entry that does not consist of key and value; use a mapping of names and values, or a "
     "list of mappings with key and value."),
    ("a type of a variable", ACTION,
     {**PLAY, "job_variables": [{"key": "A", "value": "b", "variable_type": "env_var"}]},
     "job_variables contains an entry that does not consist of key and value; use a mapping of names and values, or a "
     "list of mappings with key and value."),
    # values
    ("start for play", ACTION, {**PLAY, "action": "start"}, "action is 'start'; did you mean play?"),
    ("an unknown action", ACTION, {**PLAY, "action": "explode"},
     "action is 'explode'; use one of play, retry, cancel, erase, keep_artifacts, delete_artifacts."),
    ("false for never", ACTION, {**PLAY, "replay": False}, "replay is 'False'; did you mean never?"),
    ("reasons without attempts", ACTION, {**PLAY, "wait": True, "retry_on": ["api_failure"]},
     "retry_on needs max_attempts with action play."),
    ("reasons without attempts in a gate", GATE, gate(retry_on=["api_failure"]),
     "Gate 2 of project 'group/app': retry_on needs max_attempts with action play."),
    ("true for always", GATE, gate(replay=True),
     "Gate 2 of project 'group/app': replay is 'True'; did you mean always?"),
    ("the British spelling of canceled", INFO, {**READ, "scope": ["cancelled"]},
     "scope contains 'cancelled'; did you mean canceled?"),
    ("passed for success", INFO, {**READ, "wait": True, "wait_for": "passed"},
     "wait_for contains 'passed'; did you mean success?"),
    ("a negative time", ACTION, {**PLAY, "wait": True, "wait_timeout": -1}, "wait_timeout is -1; use 0 or more."),
    ("an id of zero", INFO, {"project": "group/app", "pipeline_id": 0}, "pipeline_id is 0; ids start at 1."),
    ("a sha that is not hexadecimal", INFO, {"project": "group/app", "sha": "latest"},
     "sha 'latest' is not a commit id; use all 40 hexadecimal digits, or at least the first 7."),
    *((f"a local Git name: {ref}", INFO, {"project": "group/app", "ref": ref},
       f"ref {ref!r} is a local Git name; use the name of the branch or tag as GitLab shows it.")
      for ref in ("origin/main", "refs/remotes/origin/main", "HEAD")),
    *((f"{ref} as a ref", INFO, {"project": "group/app", "ref": ref},
       f"ref {ref!r} is not a name that Git allows for a branch or tag.")
      for ref in ("my branch", "release/*", "a..b", "main~1", "refs/heads", "@", "x.lock", "refs/heads/")),
    ("a commit as a ref", INFO, {"project": "group/app", "ref": "a" * 40},
     f"ref {'a' * 40!r} is a commit id; set sha to it, and ref only to a branch or tag."),
    ("a commit whose pipeline is to start", PIPELINE, {**RUN, "ref": "a" * 40},
     f"ref {'a' * 40!r} is a commit id; set sha to it, and ref only to a branch or tag."),
    # hidden values, which as wildcards would match every job
    *((f"a hidden value as {where}{name}", tool, options,
       f"{where}{name} is '********', in which asterisks replace a secret or the value of a variable; use the real "
       "value.")
      for tool, name, options, where in (
          (ACTION, "name", {**PLAY, "name": "********"}, ""),
          (ACTION, "stage", {**PLAY, "stage": ["********"]}, ""),
          (INFO, "ref", {"project": "group/app", "ref": "********"}, ""),
          (INFO, "project", {**READ, "project": "********"}, ""),
          (INFO, "fields", {**READ, "fields": ["id", "********"]}, ""),
          (INFO, "pipeline_source", {"project": "group/app", "ref": "main", "pipeline_source": "********"}, ""),
          (DOWNLOAD, "dest", {**FILE, "dest": "********"}, ""),
          (DOWNLOAD, "artifact_path", {**FILE, "content": "file", "artifact_path": "********"}, ""),
          (DEPLOYMENTS, "environment", {"project": "group/app", "environment": "********"}, ""),
          (APPROVAL, "represented_as",
           {"project": "group/app", "deployment_id": 1, "state": "approved", "represented_as": "********"}, ""),
          (GATE, "record", {**gate(), "record": "********"}, ""),
          (GATE, "name", gate(name="********"), "Gate 2 of project 'group/app': "),
          (GATE, "project", {"projects": [{**gate()["projects"][0], "project": "********"}]}, "project '********': "))),
    ("a hidden value as a token", INFO, {**READ, "api_token": "********"},
     "api_token contains spaces, line breaks or other characters that tokens cannot have."),
    ("a hidden value as an address", INFO, {**READ, "api_url": "https://********"},
     "api_url is 'https://********', in which asterisks replace a secret or the value of a variable; use the real "
     "value."),
    ("a hidden value as an id", INFO, {"project": "group/app", "job_id": "********"},
     "job_id is '********'; use an integer."),
    ("a line break", INFO, {"project": "group/app", "ref": "main\n"},
     "ref is 'main\\n'; remove the spaces or line breaks around it."),
    # empty
    ("an empty token", INFO, {**READ, "api_token": ""},
     "api_token is empty; set a value or omit it."),
    ("an empty address", INFO, {**READ, "api_url": ""},
     "api_url is empty; set a value or omit it."),
    ("an empty name", ACTION, {**PLAY, "name": ""}, "name contains an empty string; remove it, or omit the option."),
    ("an empty list of names", ACTION, {**PLAY, "name": []},
     "An empty list of name or stage selects nothing; omit the option to select all jobs."),
    # the project
    ("a project's name alone", INFO, {**READ, "project": "app"},
     "project 'app' has no slash: GitLab finds a project only by its numeric id or its full path, like group/app."),
    ("an encoded path", INFO, {**READ, "project": "group%2Fapp"},
     "project 'group%2Fapp' is URL-encoded; use the plain path, like group/project."),
    ("a Git remote", INFO, {**READ, "project": "git@gitlab.example.com:group/app.git"},
     "project 'git@gitlab.example.com:group/app.git' is the address of a Git repository; use the path, like "
     "group/app."),
    ("no project", INFO, {"pipeline_id": 100},
     "project is missing; set it to the numeric id or the full path, like group/project."),
    # options that are mutually exclusive, or need other options
    ("two pipeline selections", INFO, {**READ, "ref": "main"},
     "pipeline_id and ref are mutually exclusive; set only one of them, and set one that comes from module_defaults to "
     "null."),
    ("two tokens", INFO, {**READ, "api_oauth_token": "another-token-1"},
     "api_token and api_oauth_token are mutually exclusive; set only one of them, and set one that comes from "
     "module_defaults to null."),
    ("wait_for without wait", INFO, {**READ, "wait_for": "success"}, "wait_for needs wait: true."),
    ("variables for a retry", ACTION, {**PLAY, "action": "retry", "job_variables": {"A": "b"}},
     "job_variables can only be used with play."),
    ("a download without dest", DOWNLOAD, without(FILE, "dest"), "dest is missing; content: archive needs it."),
    ("a path without its content", DOWNLOAD, {**FILE, "artifact_path": "app.txt"},
     "artifact_path can only be used with content: file and list."),
    ("a report without its type", DOWNLOAD, {**FILE, "content": "report"},
     "report_type is missing; content: report needs it."),
    ("a type of report without its content", DOWNLOAD, {**FILE, "report_type": "junit"},
     "report_type can only be used with content: report."),
    ("file_type for report_type", DOWNLOAD, {**FILE, "content": "report", "file_type": "junit"},
     "Unknown option file_type; did you mean report_type?"),
    ("an archive as a report", DOWNLOAD, {**FILE, "content": "report", "report_type": "archive"},
     "report_type 'archive' is not a report; use content: archive."),
    ("a checksum of another kind", DOWNLOAD, {**FILE, "checksum": "md5:0"},
     "checksum is 'md5:0'; set it to sha256: and 64 hexadecimal digits."),
    ("no pipeline", BRIDGES, {"project": "group/app"},
     "One of the following is required, and null counts as not set: pipeline_id, ref, sha, merge_request."),
    # pipelines
    ("start for run", PIPELINE, {**RUN, "action": "start"}, "action is 'start'; did you mean run?"),
    ("stop for cancel", PIPELINE, {**RUN, "action": "stop"}, "action is 'stop'; did you mean cancel?"),
    ("job_variables for variables", PIPELINE, {**RUN, "job_variables": {"A": "b"}},
     "Unknown option job_variables; did you mean variables?"),
    ("job_inputs for inputs", PIPELINE, {**RUN, "job_inputs": {"A": "b"}},
     "Unknown option job_inputs; did you mean inputs?"),
    ("a list in a variable of a pipeline", PIPELINE, {**RUN, "variables": {"A": ["b"]}},
     "variables: A is a list, but GitLab accepts only strings; convert it with the filter "
     "to_json."),
    ("a space after the name of a pipeline variable", PIPELINE, {**RUN, "variables": {"A ": "b"}},
     "variables: 'A ' is not a valid variable name; use up to 255 letters, digits and underscores."),
    ("a letter outside ASCII in a variable of a gate", GATE, gate(job_variables={"GRÖSSE": "b"}),
     "Gate 2 of project 'group/app': job_variables: 'GRÖSSE' is not a valid variable name; use up to 255 letters, "
     "digits and underscores."),
    ("a mapping as an input", PIPELINE, {**RUN, "inputs": {"A": {"b": 1}}},
     "inputs: A is a mapping; use a string, a number, a boolean or a list."),
    ("an infinite input", PIPELINE, {**RUN, "inputs": {"A": [1, float("inf")]}},
     "inputs: A contains NaN or infinity; use numbers that JSON supports."),
    ("variables that are a list", PIPELINE, {**RUN, "variables": ["A=b"]},
     "variables is a list; use a mapping, such as {NAME: value}."),
    ("no ref to run", PIPELINE, without(RUN, "ref"), "ref is missing; action: run needs it."),
    ("an empty ref", PIPELINE, {**RUN, "ref": ""}, "ref is empty; set a value or omit it."),
    ("an empty trigger token", PIPELINE, {**RUN, "trigger_token": ""},
     "trigger_token is empty; set a value or omit it."),
    ("pipeline_source for run", PIPELINE, {**without(RUN, "ref"), "ref": "main", "pipeline_source": ["push"]},
     "pipeline_source can only be used with retry and cancel."),
    ("variables for a retry of a pipeline", PIPELINE, {**RUN, "action": "retry", "variables": {"A": "b"}},
     "variables can only be used with run."),
    ("a retry without a pipeline", PIPELINE, {**without(RUN, "ref"), "action": "retry"},
     "One of the following is required, and null counts as not set: pipeline_id, ref, sha, merge_request."),
    ("an unsupported wait_for", PIPELINE, {**RUN, "wait": True, "wait_for": ["running"]},
     "wait_for contains 'running'; use one of created, finished, success, manual."),
    ("wait_for of a pipeline without wait", PIPELINE, {**RUN, "wait_for": ["success"]}, "wait_for needs wait: true."),
    ("wait_for success of a cancel", PIPELINE, {**RUN, "action": "cancel", "wait": True, "wait_for": ["success"]},
     "wait_for success cannot be used with cancel; use one of finished, manual."),
    ("an unknown fail_on", PIPELINE, {**RUN, "wait": True, "fail_on": ["broken"]},
     "fail_on contains 'broken'; use one of success, failed, canceled, skipped."),
    ("an unknown include", "gitlab_pipeline_info", {**READ, "include": ["logs"]},
     "include contains 'logs'; use one of variables, test_report, downstream, jobs."),
    # deployments
    ("approve for approved", APPROVAL, {"project": "group/app", "deployment_id": 1, "state": "approve"},
     "state is 'approve'; did you mean approved?"),
    ("no state", APPROVAL, {"project": "group/app", "deployment_id": 1},
     "state is missing; use one of approved, rejected."),
    ("no deployment selected", APPROVAL, {"project": "group/app", "state": "approved"},
     "One of the following is required, and null counts as not set: deployment_id, environment, job_id, pipeline_id, "
     "ref, sha, merge_request."),
    ("a job without its pipeline", DEPLOYMENTS, {"project": "group/app", "name": "deploy"},
     "name needs a pipeline; set pipeline_id, ref, sha or merge_request."),
    ("an id with an environment", DEPLOYMENTS, {"project": "group/app", "deployment_id": 1, "environment": "prod"},
     "deployment_id and environment are mutually exclusive; set only one of them, and set one that comes from "
     "module_defaults to null."),
    ("deployment for deployment_id", DEPLOYMENTS, {"project": "group/app", "deployment": 1},
     "Unknown option deployment; did you mean deployment_id?"),
    ("a status of jobs", DEPLOYMENTS, {"project": "group/app", "status": "manual"},
     "status is 'manual'; use one of created, running, success, failed, canceled, skipped, blocked."),
    ("spaces around an environment", DEPLOYMENTS, {"project": "group/app", "environment": "production "},
     "environment is 'production '; remove the spaces or line breaks around it."),
    ("a deployment id of zero", DEPLOYMENTS, {"project": "group/app", "deployment_id": 0},
     "deployment_id is 0; ids start at 1."),
    ("a negative limit of deployments", DEPLOYMENTS, {"project": "group/app", "limit": -1},
     "limit is -1; use 0 for all deployments, or a positive number."),
    ("a retry that waits for approvals", ACTION, {**PLAY, "action": "retry", "wait_for_approval": True},
     "wait_for_approval can only be used with play."),
    ("approvals of a gate that only waits", GATE, gate(action="wait", wait_for_approval=True),
     "Gate 2 of project 'group/app': wait_for_approval can only be used with play."),
    ("an empty list of jobs that deploy", DEPLOYMENTS, {**READ, "name": []},
     "An empty list of name or stage selects nothing; omit the option to select all jobs."),
    # inside projects
    ("an invalid api_url of a release", GATE, {**gate(), "api_url": "gitlab"},
     "api_url 'gitlab' is not a web address; write it like https://gitlab.example.com."),
    ("an unknown option of a gate", GATE, gate(name=None, job_name="deploy"),
     "Gate 2 of project 'group/app': unknown option job_name; did you mean name?"),
    ("a wrong type in a gate", GATE, gate(wait_timeout="30m"),
     "Gate 2 of project 'group/app': wait_timeout is '30m'; use the number of seconds, 1800."),
    ("a wrong choice in a gate", GATE, gate(action="start"),
     "Gate 2 of project 'group/app': action is 'start'; did you mean play?"),
    ("an option of another action", GATE, gate(action="wait", job_variables={"A": "b"}),
     "Gate 2 of project 'group/app': job_variables can only be used with play."),
    ("a string for inputs of a gate", GATE, gate(job_inputs="hunter2-word"),
     "Gate 2 of project 'group/app': job_inputs is a string; use a mapping, such as {NAME: value}."),
    ("one project without a list", GATE, {"projects": gate()["projects"][0]},
     "projects is a mapping; use a list, with a dash before each item."),
    ("a gate that is a string", GATE, {"projects": [{"project": "group/app", "ref": "main", "gates": ["deploy"]}]},
     "project 'group/app': gates contains no mappings; set it to a list of gates, each with its action."),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def as_module(
    task: TaskDefinition,
    options: t.Mapping[str, t.Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> str:
    """Return the error of a task that runs as a module, empty if it succeeds."""
    arguments = {"ANSIBLE_MODULE_ARGS": {**options, "_ansible_remote_tmp": "/tmp"}}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(arguments).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    with pytest.raises(SystemExit):
        module_face.run_module(task)
    return str(json.loads(capsys.readouterr().out).get("msg", ""))


def test_mistakes_are_at_least_forty_and_unique() -> None:
    assert len(MISTAKES) >= 40
    assert (
        len({title for title, *_rest in MISTAKES}) == len({repr(mistake[2]) for mistake in MISTAKES}) == len(MISTAKES)
    )


@pytest.mark.parametrize(
    ("name", "options", "sentence"), [pytest.param(*mistake[1:], id=mistake[0]) for mistake in MISTAKES]
)
def test_mistake_is_one_sentence_from_module_and_action_plugin(
    simulator: t.Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    options: dict[str, t.Any],
    sentence: str,
) -> None:
    simulator.load(SCENARIO)
    given = {"api_url": simulator.url, "api_token": TOKEN, **options}
    assert in_process(TASKS[name], given).get("msg", "") == sentence
    assert as_module(TASKS[name], given, monkeypatch, capsys) == sentence
    assert simulator.effects() == []
    assert "hunter2" not in sentence and TOKEN not in sentence


def test_asterisks_are_allowed_in_comments(simulator: t.Any) -> None:
    simulator.load(SCENARIO)
    given = {"project": "group/app", "deployment_id": 1, "state": "approved", "comment": "******** seen ********"}
    result = in_process(TASKS[APPROVAL], {"api_url": simulator.url, "api_token": TOKEN, **given})
    assert "There is no deployment 1" in result["msg"]


# Mistakes in environment variables, and their error messages.
ENVIRONMENT: list[tuple[str, dict[str, str], str]] = [
    ("an address", {"CI_SERVER_URL": "gitlab"},
     "CI_SERVER_URL 'gitlab' is not a web address; write it like https://gitlab.example.com."),
    ("a host", {"GITLAB_HOST": "a host"},
     "GITLAB_HOST 'https://a host' is not a web address; write it like https://gitlab.example.com."),
    ("another server", {"GITLAB_URL": "https://gitlab.example.com"},
     "project 'http://localhost/group/app' belongs to another server than GITLAB_URL, https://gitlab.example.com; use "
     "the path of a project there, or set api_url."),
    ("a token", {"GITLAB_TOKEN": "glpat 1"},
     "GITLAB_TOKEN contains spaces, line breaks or other characters that tokens cannot have."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "sentence"), [pytest.param(*mistake[1:], id=mistake[0]) for mistake in ENVIRONMENT]
)
def test_mistake_in_the_environment_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], environment: dict[str, str], sentence: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    project = "http://localhost/group/app" if "GITLAB_URL" in environment else "group/app"
    given = {"project": project, "pipeline_id": 100}
    assert in_process(TASKS[INFO], given)["msg"] == sentence
    assert as_module(TASKS[INFO], given, monkeypatch, capsys) == sentence
    assert as_lookup({"terms": ["build"], **given})["msg"].endswith(sentence.rstrip("."))


def test_denied_request_names_the_environment_variables_used(simulator: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    simulator.load(SCENARIO)
    monkeypatch.setenv("CI_SERVER_URL", simulator.url)
    monkeypatch.setenv("GITLAB_PRIVATE_TOKEN", "nobody-has-this-token")
    text = in_process(TASKS[INFO], READ)["msg"]
    assert "Check the token, and that api_url is the server it belongs to (GET " in text
    assert ", api_url from CI_SERVER_URL, token from GITLAB_PRIVATE_TOKEN, status 401" in text
    # the origin of a value that is set as an option is not mentioned
    text = in_process(TASKS[INFO], {**READ, "api_token": "nobody-has-this-token"})["msg"]
    assert ", api_url from CI_SERVER_URL, status 401" in text
    # a missing project has nothing to do with the address
    text = in_process(TASKS[INFO], {**READ, "project": "group/none", "api_token": TOKEN})["msg"]
    assert "check project and the token (GET " in text and " from " not in text
    monkeypatch.setenv("CI_JOB_TOKEN", "glcbt-nobody-has-it")
    text = in_process(TASKS["gitlab_job_token_info"], {})["msg"]
    assert "CI_JOB_TOKEN" in text


@pytest.mark.parametrize(
    "variables",
    [{"A": "b", "C": 1}, [{"key": "A", "value": "b"}, {"key": "C", "value": 1}], '{"A": "b", "C": 1}'],
)
def test_job_variables_are_accepted_in_every_form(simulator: t.Any, variables: t.Any) -> None:
    simulator.load(SCENARIO)
    options = {"api_url": simulator.url, "api_token": TOKEN, **PLAY, "job_variables": variables}
    assert not in_process(TASKS[ACTION], options).get("failed")
    body = next(request["body"] for request in simulator.requests() if request["method"] == "POST")
    assert [(row["key"], row["value"]) for row in body["job_variables_attributes"]] == [("A", "b"), ("C", "1")]
