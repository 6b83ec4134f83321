# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test that an independent client, python-gitlab, accepts the responses of every version."""

from __future__ import annotations

import collections.abc as c
import io
import typing as t
import warnings
import zipfile

import gitlab
import gitlab.exceptions
import pytest

from tests.simulator.fixture import Simulator

from .support import VERSIONS, scenario

JOBS = (
    {"name": "build", "stage": "build", "status": "success", "artifacts": {"files": {"x": "y"}, "expire_in": 9999}},
    {"name": "test", "stage": "test", "status": "failed", "failure_reason": "script_failure", "attempts": [{}]},
    {"name": "long", "stage": "test", "status": "running", "duration": 500},
    {"name": "deploy", "stage": "test", "when": "manual"},
    {
        "name": "bridge",
        "stage": "test",
        "status": "success",
        "trigger": {"strategy": "depend", "pipeline": {"jobs": [{"name": "below", "status": "success"}]}},
    },
)


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return t.cast(str, request.param)


@pytest.fixture
def project(simulator: Simulator, version: str) -> c.Iterator[t.Any]:
    """Yield the project as a python-gitlab object. Any warning of the client fails the test."""
    simulator.load(scenario(*JOBS), version=version)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with gitlab.Gitlab(simulator.url, private_token="mia-token") as client:
            yield client.projects.get("group/app")


def job_id(simulator: Simulator, name: str) -> int:
    return t.cast(int, simulator.job(name)["id"])


def test_user_and_version_are_read(simulator: Simulator, project: t.Any, version: str) -> None:
    client = project.manager.gitlab
    client.auth()
    assert client.user.username == "mia"
    assert client.version()[0] == f"{version}.0"


def test_jobs_and_pipelines_are_listed(project: t.Any, version: str) -> None:
    assert {job.name for job in project.jobs.list(iterator=True, per_page=2)} == {
        "build", "test", "long", "deploy", "below",
    }  # fmt: skip
    assert [job.name for job in project.jobs.list(get_all=True, scope=["failed", "running"])] == ["long", "test"]
    pipeline = project.pipelines.get(100)
    expected = ["deploy", "long", "test", "build"]
    names = [job.name for job in pipeline.jobs.list(get_all=True)]
    assert names == (expected[::-1] if version == "11.11" else expected)
    assert [one.id for one in project.pipelines.list(get_all=True)] == [100]


def test_keyset_pagination_returns_all_jobs(project: t.Any, version: str) -> None:
    jobs = project.jobs.list(iterator=True, pagination="keyset", order_by="id", per_page=2)
    assert len(list(jobs)) == 5


def test_bridges_and_child_jobs_are_listed(project: t.Any, version: str) -> None:
    if version == "11.11":
        with pytest.raises(gitlab.exceptions.GitlabListError) as caught:
            project.pipelines.get(100).bridges.list(get_all=True)
        assert caught.value.response_code == 404
        return
    (bridge,) = project.pipelines.get(100).bridges.list(get_all=True)
    below = project.pipelines.get(bridge.downstream_pipeline["id"])
    assert [job.name for job in below.jobs.list(get_all=True)] == ["below"]


def test_jobs_are_played_retried_canceled_and_erased(simulator: Simulator, project: t.Any, version: str) -> None:
    project.jobs.get(job_id(simulator, "deploy")).play()
    assert simulator.job("deploy")["status"] == "pending"
    project.jobs.get(job_id(simulator, "test")).retry()
    assert simulator.job("test")["attempt"] == 2
    project.jobs.get(job_id(simulator, "long")).cancel()
    graceful = version in ("17.11", "18.10", "19.2")
    assert simulator.job("long")["status"] == ("canceling" if graceful else "canceled")
    project.jobs.get(job_id(simulator, "build")).erase()
    assert project.jobs.get(job_id(simulator, "build")).attributes["artifacts"] == []
    assert [effect["action"] for effect in simulator.effects()] == ["play", "retry", "cancel", "erase"]


def test_refused_job_actions_raise_errors(simulator: Simulator, project: t.Any) -> None:
    with pytest.raises(gitlab.exceptions.GitlabJobPlayError, match="Unplayable Job"):
        project.jobs.get(job_id(simulator, "build")).play()
    with pytest.raises(gitlab.exceptions.GitlabJobRetryError, match="Job is not retryable"):
        project.jobs.get(job_id(simulator, "long")).retry()
    with pytest.raises(gitlab.exceptions.GitlabJobEraseError, match="Job is not erasable!"):
        project.jobs.get(job_id(simulator, "long")).erase()


def test_artifacts_and_log_are_read_kept_and_deleted(simulator: Simulator, project: t.Any, version: str) -> None:
    job = project.jobs.get(job_id(simulator, "build"))
    assert b"Job succeeded" in job.trace()
    with zipfile.ZipFile(io.BytesIO(job.artifacts())) as packed:
        assert packed.read("x") == b"y"
    assert job.artifact("x") == b"y"
    job.keep_artifacts()
    assert project.jobs.get(job.id).artifacts_expire_at is None
    job.delete_artifacts()
    assert simulator.job("build")["has_archive"] is False


def test_artifacts_are_read_by_ref_and_deleted_by_project(simulator: Simulator, version: str) -> None:
    simulator.load(scenario(JOBS[0]), version=version)
    with gitlab.Gitlab(simulator.url, private_token="mia-token") as client:
        project = client.projects.get(7)
        assert zipfile.is_zipfile(io.BytesIO(project.artifacts.download("main", "build")))
        assert project.artifacts.raw("main", "x", "build") == b"y"
        if version not in ("11.11", "13.12"):
            project.artifacts.delete()


def test_merge_request_pipelines_are_listed(simulator: Simulator, version: str) -> None:
    simulator.load(scenario({"name": "a"}, merge_request=5), version=version)
    with gitlab.Gitlab(simulator.url, private_token="mia-token") as client:
        project = client.projects.get(7, lazy=True)
        (pipeline,) = project.mergerequests.get(5, lazy=True).pipelines.list(get_all=True)
        assert (pipeline.id, pipeline.ref) == (100, "refs/merge-requests/5/head")


NEW = {"main": {"jobs": [{"name": "build"}, {"name": "deploy", "when": "manual"}]}}


def new_project(simulator: Simulator, version: str, *jobs: dict[str, t.Any], **more: t.Any) -> t.Any:
    world = scenario(*jobs, new_pipelines=NEW, **more)
    world["tokens"].append({"token": "glptt-x", "kind": "trigger", "user": "dev", "project": "group/app"})
    simulator.load(world, version=version)
    return gitlab.Gitlab(simulator.url, private_token="mia-token").projects.get(7)


def effects(simulator: Simulator) -> list[str]:
    return [effect["action"] for effect in simulator.effects()]


def test_pipeline_is_created_canceled_and_retried(simulator: Simulator, version: str) -> None:
    project = new_project(simulator, version, {"name": "old", "status": "success"})
    pipeline = project.pipelines.create({"ref": "main", "variables": [{"key": "A", "value": "1"}]})
    assert [(v.key, v.value) for v in pipeline.variables.list(get_all=True)] == [("A", "1")]
    pipeline.cancel()
    pipeline.refresh()
    assert pipeline.status == "canceled"
    pipeline.retry()
    simulator.advance(60)
    pipeline.refresh()
    assert pipeline.status == "success"
    if version != "11.11":
        assert project.pipelines.latest(ref="main").id == pipeline.id
        assert project.pipelines.latest().sha == pipeline.sha
    assert [one.id for one in project.pipelines.list(get_all=True, source="api", username="mia")] == [pipeline.id]
    assert effects(simulator) == ["create_pipeline", "cancel_pipeline", "retry_pipeline"]


def test_refused_pipelines_raise_errors(simulator: Simulator, version: str) -> None:
    project = new_project(simulator, version)
    with pytest.raises(gitlab.exceptions.GitlabCreateError, match="Reference not found"):
        project.pipelines.create({"ref": "nothing"})
    if version != "11.11":
        with pytest.raises(gitlab.exceptions.GitlabHttpError) as caught:
            project.pipelines.latest(ref="nothing")
        assert caught.value.response_code == 403


def test_pipeline_is_triggered_with_a_token(simulator: Simulator, version: str) -> None:
    project = new_project(simulator, version)
    pipeline = project.trigger_pipeline("main", "glptt-x", variables={"A": "1"})
    assert (pipeline.ref, simulator.pipeline(pipeline.id)["source"]) == ("main", "trigger")
    assert effects(simulator) == ["trigger_pipeline"]


def test_reports_are_read_and_pipelines_deleted(simulator: Simulator, version: str) -> None:
    new_project(simulator, version, {"name": "unit", "status": "success", "tests": [{"name": "one"}]})
    project = gitlab.Gitlab(simulator.url, private_token="olga-token").projects.get(7)
    pipeline = project.pipelines.get(100)
    if version not in ("11.11",):
        assert pipeline.test_report.get().total_count == 1
    if version not in ("11.11", "13.12"):
        assert pipeline.test_report_summary.get().total["success"] == 1
    pipeline.delete()
    assert project.pipelines.list(get_all=True) == []


def test_deployment_is_approved_and_played(simulator: Simulator, version: str) -> None:
    deploy = {"name": "deploy", "environment": "production", "user": "dev"}
    protected = {"production": {"rules": [{"role": "maintainer"}]}}
    project = new_project(simulator, version, deploy, protected_environments=protected)
    (found,) = project.deployments.list(environment="production", status="blocked", get_all=True)
    deployment = project.deployments.get(found.id)
    assert (deployment.status, deployment.deployable["id"]) == ("blocked", 1000)
    assert [one.name for one in project.environments.list(get_all=True)] == ["production"]
    if version in ("11.11", "13.12"):
        return
    assert deployment.pending_approval_count == 1
    assert deployment.approval("approved", comment="go")["status"] == "approved"
    project.jobs.get(1000).play()
    simulator.advance(60)
    assert project.deployments.get(found.id).status == "success"
    assert effects(simulator) == ["approve", "play"]


def test_refused_approvals_and_plays_raise_errors(simulator: Simulator, version: str) -> None:
    if version in ("11.11", "13.12"):
        return
    deploy = {"name": "deploy", "environment": "production", "user": "mia"}
    protected = {"production": {"rules": [{"role": "maintainer"}]}}
    project = new_project(simulator, version, deploy, protected_environments=protected)
    mine = project.deployments.get(1)
    with pytest.raises(gitlab.exceptions.GitlabDeploymentApprovalError) as caught:
        mine.approval("approved")
    assert caught.value.response_code == 400
    with pytest.raises(gitlab.exceptions.GitlabJobPlayError, match="Unplayable Job"):
        project.jobs.get(1000).play()
    assert effects(simulator) == []
    # users may reject their own deployments
    assert mine.approval("rejected", comment="not today")["comment"] == "not today"
    job = project.jobs.get(1000)
    assert (job.status, job.failure_reason) == ("failed", "deployment_rejected")
    (given,) = project.deployments.get(1).approvals
    assert (given["status"], given["user"]["username"]) == ("rejected", "mia")
    assert effects(simulator) == ["reject"]


def test_pipelines_are_filtered(simulator: Simulator, version: str) -> None:
    project = new_project(simulator, version, {"name": "old", "status": "failed"}, created_ago=7200)
    new = project.pipelines.create({"ref": "main"})
    for filters, ids in (
        ({"status": "failed"}, [100]),
        ({"scope": "finished"}, [100]),
        ({"source": "push"}, [100]),
        ({"username": "mia", "order_by": "id", "sort": "asc"}, [100, new.id]),
        ({"sha": new.sha, "updated_after": "2026-01-05T11:00:00Z"}, [new.id]),
        ({"ref": "nothing"}, []),
    ):
        assert [one.id for one in project.pipelines.list(get_all=True, **filters)] == ids, filters
    with pytest.raises(gitlab.exceptions.GitlabListError, match="status does not have a valid value"):
        project.pipelines.list(get_all=True, status="nonsense")


def test_projects_and_commits_are_found(simulator: Simulator, version: str) -> None:
    project = new_project(simulator, version, {"name": "a"})
    client = project.manager.gitlab
    assert [one.path_with_namespace for one in client.projects.list(membership=True, get_all=True)] == ["group/app"]
    sha = project.pipelines.get(100).sha
    assert project.commits.get("main").id == project.commits.get(sha[:8]).id == sha
    with pytest.raises(gitlab.exceptions.GitlabGetError, match="Commit Not Found"):
        project.commits.get("f" * 40)
