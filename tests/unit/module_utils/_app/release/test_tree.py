# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pipelines and jobs in the record of a release; anything unreadable is missing without affecting the rest."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.deployments.records import FoundDeployment
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.bridges import project_path
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.query import FoundJob
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release.tree import (
    deployed_by,
    deployment_record,
    read_tree,
)

from ....harness import API, SERVER, FunctionTransport, ScriptedTransport, bridge, job, new_session, pipeline, reply

CHILD = pipeline(26, "success", project_id=8, web_url=f"{SERVER}/group/other/-/pipelines/26")
TREE = {
    "/projects/7/pipelines/6": pipeline(6, "success"),
    "/projects/7/pipelines/6/trigger_jobs": [bridge(50, name="infra", downstream=CHILD)],
    "/projects/7/pipelines/6/jobs": [job(43, "success", "deploy"), job(42, "failed", "deploy")],
    "/projects/8/pipelines/26/trigger_jobs": [],
    "/projects/8/pipelines/26/jobs": [job(62, "success", "apply", pipeline=CHILD)],
}


def read(**closed):
    """Return the tree of pipeline 6 and the warnings; `closed` maps paths to error statuses."""
    statuses = {path.replace("__", "/"): status for path, status in closed.items()}

    def answer(call):
        status = statuses.get(call.path.removeprefix("/projects/"))
        return reply({"message": f"{status} Not today"}, status=status) if status else TREE[call.path]

    session = new_session(FunctionTransport(answer), {"api_retries": 0})
    return read_tree(session, "group/app", pipeline(6, "running")), session.warnings


def test_tree_contains_all_attempts_and_refreshed_pipelines():
    tree, warnings = read()
    assert [(row["id"], row["status"], row["project"], row["parent_id"]) for row in tree.pipelines] == [
        (6, "success", "group/app", None),
        (26, "success", "group/other", 6),
    ]
    assert {row["path"] for row in tree.jobs} >= {"deploy", "infra/apply"}
    assert {42, 43, 62} <= {row["id"] for row in tree.jobs}
    assert warnings == []


@pytest.mark.parametrize("status", [403, 404])
def test_downstream_pipeline_with_unreadable_jobs_is_marked(status):
    tree, warnings = read(**{"8__pipelines__26__jobs": status})
    assert [row["accessible"] for row in tree.pipelines] == [True, False]
    assert 62 not in {row["id"] for row in tree.jobs}
    assert {42, 43} <= {row["id"] for row in tree.jobs}
    assert warnings == []


@pytest.mark.parametrize("path", ["7__pipelines__6", "7__pipelines__6__jobs"])
def test_unreadable_tree_causes_a_warning_and_keeps_the_pipeline(path):
    tree, warnings = read(**{path: 403})
    assert [(row["id"], row["project"]) for row in tree.pipelines] == [(6, "group/app")]
    assert tree.jobs == []
    assert len(warnings) == 1 and warnings[0].startswith("The jobs of pipeline 6 are not in the record: ")
    assert f"(GET {API}/" in warnings[0]


@pytest.mark.parametrize(
    ("api_url", "web_url", "expected"),
    [
        (SERVER, SERVER + "/group/sub/app/-/pipelines/6", "group/sub/app"),
        (SERVER + "/gitlab", SERVER + "/gitlab/group/app/-/pipelines/6", "group/app"),
        (SERVER, SERVER + "/group/%C3%BC/-/pipelines/6", "group/\u00fc"),
        (SERVER, "http://[broken", ""),
        (SERVER, SERVER + "/elsewhere", ""),
        (SERVER, None, ""),
    ],
)
def test_project_path_comes_from_the_url_of_its_pipeline(api_url, web_url, expected):
    session = new_session(ScriptedTransport(), {"api_url": api_url})
    assert project_path(session, {"web_url": web_url}) == expected


# ----- where jobs deploy -----


def found(**record):
    return FoundDeployment({"id": 5, **record}, "7")


def test_deployment_record_contains_environment_and_approvals():
    given = {"status": "approved", "comment": "fine", "created_at": "2026-01-01T00:00:00Z"}
    approval = {"user": {"username": "carol"}, **given}
    environment = {"name": "production", "external_url": "https://app.example.com"}
    assert deployment_record(found(environment=environment, approvals=[approval])) == {
        "environment": {"name": "production", "url": "https://app.example.com"},
        "approvals": [{"user": "carol", **given}],
    }


@pytest.mark.parametrize("malformed", [None, 5, "x", [], {}, {"name": None, "external_url": {}}])
def test_malformed_deployment_is_empty(malformed):
    assert deployment_record(found(environment=malformed, approvals=malformed)) == {
        "environment": {"name": "", "url": None},
        "approvals": [],
    }
    assert deployment_record(None) == {"environment": None, "approvals": []}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_denied_deployments_are_omitted_without_a_warning(status):
    session = new_session(FunctionTransport(lambda call: reply({"message": "no"}, status=status)), {"api_retries": 0})
    assert deployed_by(session, [FoundJob(job(42, "success", "deploy"), "7", 6)]) == {}
    assert session.warnings == []


def test_deployments_of_no_jobs_need_no_request():
    transport = FunctionTransport(lambda call: reply({}, status=500))
    assert deployed_by(new_session(transport), []) == {} and transport.lines == []
