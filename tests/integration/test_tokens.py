# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Job tokens: the job they belong to, what they can read and how, and that no action uses them."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.actions import ACTIONS

from .harness import (
    ACTION,
    BRIDGES,
    DOWNLOAD,
    INFO,
    PIPELINE,
    PIPELINE_INFO,
    TOKEN,
    TOKEN_INFO,
    Result,
    play,
    run_task,
    world,
)

JOB_TOKEN = "glcbt-64_of-the-deploy-job-0123"
OTHER_TOKEN = "glcbt-64_of-another-project-0123"
MODULE = "jobgate.gitlab.gitlab_job_token_info"

AGENTS = [
    {"id": 1},
    {"id": 2, "environments": ["production"], "configuration": {"default_namespace": "shop"}},
    {"id": 3, "environments": ["staging"]},
]
BUILD = {"name": "build", "status": "success", "artifacts": {"files": {"dist/app.txt": "the app\n"}}, "log": "done\n"}


def load(simulator: t.Any, version: str = "19.2", allow: list[str] | None = None) -> None:
    """Load a project with a running job, and another project with a running job."""
    deploy = {"name": "deploy", "queue": 0, "duration": 100, "environment": "production", "user": "alice"}
    scenario = world(BUILD, {**deploy, "stage": "deploy", "needs": []})
    scenario["projects"][0] |= {"agents": AGENTS, "job_token_allowlist": allow or []}
    scenario["projects"].append({"path": "group/other", "id": 8, "members": {"alice": "maintainer"}})
    scenario["pipelines"].append({"id": 200, "project": "group/other", "jobs": [{**deploy, "name": "use"}]})
    scenario["tokens"] += [
        {"token": JOB_TOKEN, "kind": "job", "job": "deploy"},
        {"token": OTHER_TOKEN, "kind": "job", "job": "use"},
    ]
    simulator.load(scenario, version=version)
    simulator.advance(1)
    assert simulator.job("deploy")["status"] == "running"
    simulator.clear_logs()


def read_token_job(simulator: t.Any, job_token: str | None = JOB_TOKEN, **options: t.Any) -> Result:
    return run_task(simulator, TOKEN_INFO, **{"token": None, "api_job_token": job_token, **options})


def with_job_token(simulator: t.Any, task: t.Any, **options: t.Any) -> Result:
    return run_task(simulator, task, token=None, **{"api_job_token": JOB_TOKEN, "project": "group/app", **options})


def endpoints(simulator: t.Any) -> list[str]:
    return [request["endpoint"] for request in simulator.requests()]


def assert_sentence(failure: str | None, *words: str) -> None:
    assert failure is not None
    text = failure
    assert "\n" not in text and len(text) < 600, text
    assert JOB_TOKEN not in text and OTHER_TOKEN not in text
    for word in words:
        assert word.lower() in text.lower(), text


# ----- the job of a token -----


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("version", ["13.12", "17.11", "19.2"])
def test_job_of_a_token_is_returned(simulator: t.Any, version: str, check_mode: bool) -> None:
    load(simulator, version)
    result = read_token_job(simulator, check_mode=check_mode)
    assert (result.failure, result.changed, result.warnings) == (None, False, [])
    job = result["job"]
    assert (job["name"], job["status"], job["pipeline"]["id"], job["user"]["username"]) == (
        "deploy",
        "running",
        100,
        "alice",
    )
    assert {name for name, value in result.values.items() if value is None} == set(TOKEN_INFO.empty_result) - {"job"}
    assert endpoints(simulator) == ["job_by_token"]


@pytest.mark.parametrize("version", ["13.12", "17.11", "19.2"])
def test_allowed_agents_are_returned(simulator: t.Any, version: str) -> None:
    load(simulator, version)
    result = read_token_job(simulator, agents=True)
    assert result.failure is None
    assert [agent["id"] for agent in result["allowed_agents"]] == [1, 2]
    assert result["allowed_agents"][1]["config_project"]["id"] == 7
    assert result["environment"]["slug"] == "production"
    assert (result["user"]["username"], result["pipeline"]["id"], result["project"]["id"]) == ("alice", 100, 7)
    assert endpoints(simulator) == ["job_by_token", "allowed_agents"]


@pytest.mark.parametrize("status", ["success", "failed", "canceled", "created"])
def test_token_of_a_job_that_is_not_running_is_refused(simulator: t.Any, status: str) -> None:
    load(simulator)
    simulator.set_job("deploy", status=status)
    result = read_token_job(simulator)
    assert_sentence(result.failure, "does not know this job token", "401 Unauthorized", "only while its job is running")
    assert result.values == TOKEN_INFO.empty_result


def test_token_of_a_canceling_job_works(simulator: t.Any) -> None:
    load(simulator)
    simulator.set_job("deploy", status="canceling")
    assert read_token_job(simulator)["job"]["status"] == "canceling"


def test_unknown_job_token_is_refused(simulator: t.Any) -> None:
    load(simulator)
    assert_sentence(read_token_job(simulator, "glcbt-mistyped").failure, "does not know this job token")


def test_personal_token_set_as_job_token_is_refused(simulator: t.Any) -> None:
    load(simulator)
    # GitLab looks it up among the job tokens
    assert_sentence(read_token_job(simulator, TOKEN).failure, "does not know this job token")


def test_token_without_a_job_is_reported(simulator: t.Any) -> None:
    load(simulator)
    simulator.inject(kind="status", status=404, body={"message": "404 Job Not Found"}, endpoint="job_by_token")
    assert_sentence(
        read_token_job(simulator).failure, "No job belongs to this token", "not a CI job token", "404 Job Not Found"
    )


@pytest.mark.parametrize("agents", [False, True])
def test_server_that_is_too_old_is_reported(simulator: t.Any, agents: bool) -> None:
    load(simulator, "11.11")
    assert_sentence(read_token_job(simulator, agents=agents).failure, "this requires GitLab 13.10")


def test_server_that_is_too_old_for_agents_is_reported(simulator: t.Any) -> None:
    load(simulator, "13.10")
    assert read_token_job(simulator).failure is None
    assert_sentence(read_token_job(simulator, agents=True).failure, "this requires GitLab 13.11")


@pytest.mark.parametrize("name", ["api_token", "api_oauth_token"])
def test_other_kinds_of_tokens_are_refused(simulator: t.Any, name: str) -> None:
    load(simulator)
    given: dict[str, t.Any] = {"token": None, name: TOKEN}
    result = run_task(simulator, TOKEN_INFO, **given, environ={"CI_JOB_TOKEN": JOB_TOKEN})
    assert_sentence(result.failure, f"{name} cannot be used here", "set api_job_token")
    assert simulator.requests() == []


@pytest.mark.parametrize("preset", ["reset_after", "html_502", "truncate", "throttle_seconds", "refuse"])
def test_reading_the_token_job_survives_faults(simulator: t.Any, preset: str) -> None:
    load(simulator)
    # end the outage when the task pauses, not by the real clock
    more = {"seconds": 3600} if preset == "refuse" else {}
    simulator.inject(preset, times=1, **more)
    assert read_token_job(simulator, agents=True)["job"]["name"] == "deploy"


# ----- the token of the environment -----


def test_token_info_uses_ci_job_token_of_the_environment(simulator: t.Any) -> None:
    load(simulator)
    # other tokens of the environment are ignored, and the option takes precedence
    environ = {"CI_JOB_TOKEN": JOB_TOKEN, "GITLAB_API_TOKEN": TOKEN, "GITLAB_OAUTH_TOKEN": TOKEN}
    assert read_token_job(simulator, None, environ=environ)["job"]["name"] == "deploy"
    assert read_token_job(simulator, OTHER_TOKEN, environ=environ)["job"]["name"] == "use"
    assert_sentence(read_token_job(simulator, None).failure, "no job token: set api_job_token", "CI_JOB_TOKEN")


@pytest.mark.parametrize("task", [INFO, ACTION, BRIDGES, DOWNLOAD, PIPELINE, PIPELINE_INFO], ids=lambda task: task.name)
def test_other_tasks_ignore_ci_job_token_of_the_environment(
    simulator: t.Any, tmp_path: pathlib.Path, task: t.Any
) -> None:
    load(simulator)
    options = {
        "gitlab_job_info": {"pipeline_id": 100},
        "gitlab_job_action": {"job_id": 1000, "action": "cancel"},
        "gitlab_pipeline_bridges": {"pipeline_id": 100},
        "gitlab_pipeline": {"action": "run", "ref": "main"},
        "gitlab_pipeline_info": {"pipeline_id": 100},
        "gitlab_job_download": {"job_id": 1000, "dest": str(tmp_path / "x")},
    }[task.name]
    result = run_task(simulator, task, token=None, environ={"CI_JOB_TOKEN": JOB_TOKEN}, project="group/app", **options)
    assert_sentence(result.failure, "404 Project Not Found" if task is not ACTION else "401")
    assert simulator.requests()
    for request in simulator.requests():
        assert request["user"] is None
        assert not {"job-token", "private-token", "authorization"} & {name.lower() for name in request["headers"]}


# ----- reading with a job token -----


def test_jobs_are_read_from_lists_with_a_job_token(simulator: t.Any) -> None:
    load(simulator)
    by_pipeline = with_job_token(simulator, INFO, pipeline_id=100)
    assert [job["name"] for job in by_pipeline["jobs"]] == ["deploy", "build"]
    for job_id, name in ((1000, "build"), (1001, "deploy")):
        by_id = with_job_token(simulator, INFO, job_id=job_id)
        assert (by_id.failure, by_id["job"]["name"]) == (None, name)
    assert "get_job" not in endpoints(simulator)
    unknown = with_job_token(simulator, INFO, job_id=999)
    assert_sentence(unknown.failure, "no job 999", "that the job token can list")


@pytest.mark.parametrize("version", ["18.10", "19.2"])
def test_pipeline_status_comes_from_its_jobs_with_a_job_token(simulator: t.Any, version: str) -> None:
    """Before 19.2, job tokens can list the jobs of a pipeline, but cannot read the pipeline."""
    build = {**BUILD, "status": "success"}
    scenario = world(build, {"name": "deploy", "status": "running", "user": "alice"})
    scenario["tokens"].append({"token": JOB_TOKEN, "kind": "job", "job": "deploy"})
    simulator.load(scenario, version=version)
    result = with_job_token(simulator, PIPELINE_INFO, pipeline_id=100, log_lines=0)
    assert (result.failure, result["pipeline"]["status"]) == (None, "running")
    assert result["summary"] == {"running": 1, "success": 1}


def test_waiting_works_with_a_job_token(simulator: t.Any) -> None:
    build = {**BUILD, "status": None, "queue": 0, "duration": 30}
    build.pop("status")
    scenario = world(build, {"name": "deploy", "queue": 0, "duration": 1000, "user": "alice", "needs": []})
    scenario["tokens"].append({"token": JOB_TOKEN, "kind": "job", "job": "deploy"})
    simulator.load(scenario, version="19.2")
    simulator.advance(1)
    for selection in ({"job_id": 1000}, {"pipeline_id": 100, "name": ["build"]}):
        result = with_job_token(simulator, INFO, **selection, wait=True)
        assert (result.failure, result["job"]["status"]) == (None, "success")
    assert set(endpoints(simulator)) <= {"list_project_jobs", "list_pipeline_jobs", "get_pipeline"}


@pytest.mark.parametrize("version", ["19.2"])
@pytest.mark.parametrize("is_listed", [False, True])
def test_bridges_show_which_projects_the_job_token_can_read(simulator: t.Any, version: str, is_listed: bool) -> None:
    load(simulator, version)
    result = with_job_token(simulator, BRIDGES, pipeline_id=100)
    assert (result.failure, result["bridges"], result["pipeline"]["id"]) == (None, [], 100)
    other = {"name": "other", "status": "success", "trigger": {"project": "group/other", "pipeline": {"jobs": [BUILD]}}}
    child = {"name": "child", "status": "success", "trigger": {"pipeline": {"jobs": [BUILD]}}}
    deploy = {"name": "deploy", "queue": 0, "duration": 100, "user": "alice", "needs": []}
    scenario = world(deploy, other, child)
    listed = ["group/app"] if is_listed else []
    scenario["projects"].append(
        {"path": "group/other", "id": 8, "members": {"alice": "maintainer"}, "job_token_allowlist": listed}
    )
    scenario["tokens"].append({"token": JOB_TOKEN, "kind": "job", "job": "deploy"})
    simulator.load(scenario, version=version)
    simulator.advance(2)
    result = with_job_token(simulator, BRIDGES, pipeline_id=100)
    assert result.failure is None
    assert {bridge["name"]: bridge["accessible"] for bridge in result["bridges"]} == {
        "child": True,
        "other": is_listed,
    }


def test_pipelines_are_found_by_ref_with_a_job_token(simulator: t.Any) -> None:
    load(simulator, "19.2")
    # lists of pipelines do not show whether the ref is a branch
    result = with_job_token(simulator, INFO, ref="main", ref_type="branch")
    assert (result.failure, result["pipeline"]["id"]) == (None, 100)
    assert {row["endpoint"]: row["status"] for row in simulator.requests() if "pipeline" in row["endpoint"]} == {
        "list_pipelines": 200,
        "get_pipeline": 200,
        "list_pipeline_jobs": 200,
    }


@pytest.mark.parametrize(
    ("version", "selection"),
    [("13.12", {"pipeline_id": 100}), ("17.11", {"pipeline_id": 100}), ("18.10", {"ref": "main"})],
)
def test_older_servers_refuse_job_tokens_for_lists(simulator: t.Any, version: str, selection: dict[str, t.Any]) -> None:
    load(simulator, version)
    result = with_job_token(simulator, INFO, **selection)
    hint = "before GitLab 18, a job token cannot list jobs; before GitLab 19.2, it cannot read pipelines"
    assert_sentence(result.failure, "404 Project Not Found", hint)


def test_missing_log_causes_a_warning_with_a_job_token(simulator: t.Any) -> None:
    load(simulator)
    result = with_job_token(simulator, INFO, pipeline_id=100, name=["build"], log_lines=5)
    assert (result.failure, result["job"]["log_tail"]) == (None, None)
    assert result.warnings == ["Job tokens cannot read logs, so no log is shown; set api_token to see it."]
    assert "get_trace" not in endpoints(simulator)


# ----- acting with a job token -----


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("action", ACTIONS)
def test_job_tokens_are_refused_for_actions_before_any_request(simulator: t.Any, action: str, check_mode: bool) -> None:
    load(simulator)
    for selection in ({"job_id": 1000}, {"pipeline_id": 100, "name": ["build"]}):
        result = with_job_token(simulator, ACTION, **selection, action=action, check_mode=check_mode)
        assert_sentence(result.failure, f"api_job_token cannot be used for action {action} because")
        assert result.values == ACTION.empty_result
    assert simulator.requests() == []


def test_job_tokens_are_refused_for_whole_project(simulator: t.Any) -> None:
    load(simulator)
    result = with_job_token(simulator, ACTION, action="delete_artifacts", whole_project=True)
    assert_sentence(result.failure, "api_job_token cannot be used for action delete_artifacts")
    assert simulator.requests() == []


# ----- downloads -----

CONTENTS = {"archive": {}, "file": {"content": "file", "artifact_path": "dist/app.txt"}}


@pytest.mark.parametrize("content", sorted(CONTENTS))
@pytest.mark.parametrize("version", ["11.11", "13.12", "17.11", "19.2"])
def test_downloads_work_with_a_job_token(simulator: t.Any, tmp_path: pathlib.Path, content: str, version: str) -> None:
    load(simulator, version)
    options = {"dest": str(tmp_path / "x"), **CONTENTS[content]}
    result = with_job_token(simulator, DOWNLOAD, **options, job_id=1000)
    assert (result.failure, result.changed, result["job"]) == (None, True, {"id": 1000})
    assert result["sha256"] == simulator.sha256("build", "archive" if content == "archive" else "dist/app.txt")
    assert len(simulator.requests()) == 1
    # the pipeline has not succeeded yet
    by_ref = with_job_token(simulator, DOWNLOAD, **options, ref="main", name="build", latest_success=True)
    assert_sentence(by_ref.failure, "job 'build' of ref main has no artifacts", "latest successful pipeline")


@pytest.mark.parametrize("content", sorted(CONTENTS))
def test_downloads_by_ref_work_with_a_job_token(simulator: t.Any, tmp_path: pathlib.Path, content: str) -> None:
    scenario = world(BUILD)
    scenario["pipelines"].append(
        {"id": 200, "ref": "next", "jobs": [{"name": "deploy", "queue": 0, "duration": 100, "user": "alice"}]}
    )
    scenario["tokens"].append({"token": JOB_TOKEN, "kind": "job", "job": "deploy"})
    simulator.load(scenario)
    simulator.advance(1)
    options = {**CONTENTS[content], "ref": "main", "name": "build", "latest_success": True, "dest": str(tmp_path / "x")}
    assert with_job_token(simulator, DOWNLOAD, **options).failure is None
    assert not with_job_token(simulator, DOWNLOAD, **options).changed


def test_downloads_by_pipeline_and_file_lists_work_with_a_job_token(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator)
    options = {"dest": str(tmp_path / "x"), "pipeline_id": 100, "name": "build"}
    assert with_job_token(simulator, DOWNLOAD, **options)["job"]["id"] == 1000
    listed = with_job_token(simulator, DOWNLOAD, content="list", job_id=1000)
    assert ([entry["path"] for entry in listed["entries"]], listed["job"]) == (["dist/", "dist/app.txt"], {"id": 1000})


def test_log_downloads_are_refused_before_any_request(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator)
    result = with_job_token(simulator, DOWNLOAD, content="log", job_id=1000, dest=str(tmp_path / "x"))
    assert_sentence(result.failure, "Job tokens cannot read logs; set api_token")
    assert (simulator.requests(), list(tmp_path.iterdir())) == ([], [])


# ----- other projects -----

CALLS: list[tuple[t.Any, dict[str, t.Any]]] = [
    (INFO, {"pipeline_id": 100}),
    (INFO, {"job_id": 1000}),
    (BRIDGES, {"pipeline_id": 100}),
    (DOWNLOAD, {"job_id": 1000}),
    (DOWNLOAD, {"job_id": 1000, **CONTENTS["file"]}),
    (DOWNLOAD, {"ref": "main", "name": "build", "latest_success": True}),
    (DOWNLOAD, {"job_id": 1000, "content": "list"}),
]


@pytest.mark.parametrize(("task", "options"), CALLS)
@pytest.mark.parametrize("is_listed", [False, True])
def test_other_projects_require_the_job_token_allowlist(
    simulator: t.Any, tmp_path: pathlib.Path, task: t.Any, options: dict[str, t.Any], is_listed: bool
) -> None:
    load(simulator, allow=["group/other"] if is_listed else None)
    simulator.set_job("deploy", status="success")
    if task is DOWNLOAD and options.get("content") != "list":
        options = {**options, "dest": str(tmp_path / "x")}
    result = with_job_token(simulator, task, api_job_token=OTHER_TOKEN, **options)
    if is_listed:
        assert result.failure is None
    else:
        assert_sentence(
            result.failure,
            "403 Forbidden - Authentication by CI/CD job token not allowed from other to app.",
            "Add the project of the CI job to the job token allowlist of the other project",
        )
        assert list(tmp_path.iterdir()) == []


def test_other_projects_are_not_found_on_older_servers(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator, "13.12")
    options = {"job_id": 1000, "dest": str(tmp_path / "x")}
    result = with_job_token(simulator, DOWNLOAD, api_job_token=OTHER_TOKEN, **options)
    assert_sentence(result.failure, "404 Project Not Found", "the token cannot access it")


# ----- with Ansible -----


@pytest.mark.parametrize("run_mode", ["in_process", "module"])
def test_playbook_reads_the_jobs_of_tokens(
    simulator: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, run_mode: str
) -> None:
    monkeypatch.setenv("JOBGATE_TEST_RUN_MODE", run_mode)
    load(simulator)
    info = {"project": "group/app", "pipeline_id": 100}
    tasks = [
        {"name": "me", MODULE: {}},
        {"name": "agents", MODULE: {"agents": True}, "check_mode": True},
        {"name": "other", MODULE: {"api_job_token": "{{ lookup('ansible.builtin.env', 'OTHER') }}"}},
        {"name": "own", MODULE: {"api_token": "some-token"}, "ignore_errors": True},
        {"name": "anonymous", "jobgate.gitlab.gitlab_job_info": info, "ignore_errors": True},
    ]
    done = play(
        tasks,
        tmp_path,
        "-vvvv",
        url=simulator.url,
        token="",
        environment={"CI_JOB_TOKEN": JOB_TOKEN, "OTHER": OTHER_TOKEN},
        secrets=[JOB_TOKEN, OTHER_TOKEN],
    )
    assert done.returncode == 0, done.output
    assert done.results["me"]["job"]["name"] == "deploy"
    assert len(done.results["agents"]["allowed_agents"]) == 2
    assert done.results["other"]["job"]["name"] == "use"
    assert "api_token cannot be used here" in done.results["own"]["msg"]
    assert "404 Project Not Found" in done.results["anonymous"]["msg"]
    for name in ("me", "agents", "other", "own"):
        assert set(TOKEN_INFO.empty_result) <= set(done.results[name])
        assert done.results[name]["changed"] is False
