# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue: its rows are GitLab's endpoints, every row is used, and every call fits its row."""

from __future__ import annotations

import ast
import dataclasses
import string
import typing as t
from urllib.parse import urlsplit

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.catalogue import CATALOGUE
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.endpoints import Endpoint
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.actions import ACTIONS
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.pipelines import PIPELINE_ACTIONS
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.files.fetch import KINDS
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import BRIDGE_ENDPOINTS

from tests.contract.support import PLUGINS

ROWS: dict[str, Endpoint] = {endpoint.name: endpoint for endpoint in CATALOGUE}

# GitLab's Jobs and Job Artifacts API: method, path and success status. E12 to E15 may also return 302, which redirects
# to the object storage and is followed.
GITLAB: dict[str, tuple[str, str, str, int]] = {
    "list_project_jobs": ("E1", "GET", "/projects/:id/jobs", 200),
    "list_pipeline_jobs": ("E2", "GET", "/projects/:id/pipelines/:pipeline_id/jobs", 200),
    "list_pipeline_bridges": ("E3", "GET", "/projects/:id/pipelines/:pipeline_id/bridges", 200),
    "list_pipeline_trigger_jobs": ("E3b", "GET", "/projects/:id/pipelines/:pipeline_id/trigger_jobs", 200),
    "get_token_job": ("E4", "GET", "/job", 200),
    "get_allowed_agents": ("E5", "GET", "/job/allowed_agents", 200),
    "get_job": ("E6", "GET", "/projects/:id/jobs/:job_id", 200),
    "get_job_log": ("E7", "GET", "/projects/:id/jobs/:job_id/trace", 200),
    "cancel_job": ("E8", "POST", "/projects/:id/jobs/:job_id/cancel", 201),
    "retry_job": ("E9", "POST", "/projects/:id/jobs/:job_id/retry", 201),
    "erase_job": ("E10", "POST", "/projects/:id/jobs/:job_id/erase", 201),
    "play_job": ("E11", "POST", "/projects/:id/jobs/:job_id/play", 200),
    "download_artifacts": ("E12", "GET", "/projects/:id/jobs/:job_id/artifacts", 200),
    "download_artifacts_by_ref": ("E13", "GET", "/projects/:id/jobs/artifacts/:ref_name/download", 200),
    "download_artifact_file": ("E14", "GET", "/projects/:id/jobs/:job_id/artifacts/*artifact_path", 200),
    "download_artifact_file_by_ref": ("E15", "GET", "/projects/:id/jobs/artifacts/:ref_name/raw/*artifact_path", 200),
    "list_artifact_tree": ("E16", "GET", "/projects/:id/jobs/:job_id/artifacts/tree", 200),
    "keep_artifacts": ("E17", "POST", "/projects/:id/jobs/:job_id/artifacts/keep", 200),
    "delete_artifacts": ("E18", "DELETE", "/projects/:id/jobs/:job_id/artifacts", 204),
    "delete_project_artifacts": ("E19", "DELETE", "/projects/:id/artifacts", 202),
}
# Endpoints of whole pipelines, which lists, selection and waiting do not need.
PIPELINES: dict[str, tuple[str, str, str, int]] = {
    "get_pipeline_variables": ("P4", "GET", "/projects/:id/pipelines/:pipeline_id/variables", 200),
    "get_test_report": ("P5", "GET", "/projects/:id/pipelines/:pipeline_id/test_report", 200),
    "create_pipeline": ("P7", "POST", "/projects/:id/pipeline", 201),
    "trigger_pipeline": ("P8", "POST", "/projects/:id/trigger/pipeline", 201),
    "retry_pipeline": ("P9", "POST", "/projects/:id/pipelines/:pipeline_id/retry", 201),
    "cancel_pipeline": ("P10", "POST", "/projects/:id/pipelines/:pipeline_id/cancel", 200),
}
LOOK_UPS: dict[str, tuple[str, str, int]] = {
    "get_project": ("GET", "/projects/:id", 200),
    "list_pipelines": ("GET", "/projects/:id/pipelines", 200),
    "get_pipeline": ("GET", "/projects/:id/pipelines/:pipeline_id", 200),
    "get_commit": ("GET", "/projects/:id/repository/commits/:sha", 200),
    "get_current_user": ("GET", "/user", 200),
    "list_merge_request_pipelines": ("GET", "/projects/:id/merge_requests/:merge_request/pipelines", 200),
}
DEPLOYMENTS: dict[str, tuple[str, str, int]] = {
    "list_deployments": ("GET", "/projects/:id/deployments", 200),
    "get_deployment": ("GET", "/projects/:id/deployments/:deployment_id", 200),
    "approve_deployment": ("POST", "/projects/:id/deployments/:deployment_id/approval", 201),
}


@dataclasses.dataclass(frozen=True)
class Call:
    """A place where a use case names an endpoint."""

    place: str
    endpoint: str
    arguments: tuple[str, ...]


def calls_in(source: str, place: str) -> t.Iterator[Call]:
    """Yield the calls of the client whose endpoint is a literal string."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("call", "count", "iterate", "list_all", "build_from_all", "read_ahead", "download")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            names = tuple(keyword.arg for keyword in node.keywords if keyword.arg)
            # hooks are called the same way
            if not str(node.args[0].value).startswith("gitlab_"):
                yield Call(f"{place}:{node.lineno}", str(node.args[0].value), names)


APP = PLUGINS / "module_utils" / "_app"
CALLS = [
    call
    for path in sorted(APP.rglob("*.py"))
    for call in calls_in(path.read_text(encoding="utf-8"), path.relative_to(APP).as_posix())
]
BY_TABLE = {
    *(action.endpoint for action in ACTIONS.values()),
    *(action.endpoint for action in PIPELINE_ACTIONS.values()),
    *BRIDGE_ENDPOINTS,
    *(name for kind in KINDS.values() for name in (kind.by_id, kind.by_ref) if name),
}


def gitlab_path(endpoint: Endpoint) -> str:
    """Return the path as GitLab's documentation writes it."""
    path = endpoint.path.replace("{project}", ":id")
    for name in endpoint.in_path:
        path = path.replace("{" + name + "}", ("*" if name == "artifact_path" else ":") + name)
    return path


def test_names_are_unique() -> None:
    assert len(ROWS) == len(CATALOGUE)


def test_rows_match_gitlabs_endpoints() -> None:
    expected = {name: row[1:] for name, row in (GITLAB | PIPELINES).items()} | LOOK_UPS | DEPLOYMENTS
    found = {name: (row.method, gitlab_path(row), row.ok_statuses[0]) for name, row in ROWS.items()}
    assert found == expected


@pytest.mark.parametrize("name", sorted(ROWS))
def test_row_is_complete(name: str) -> None:
    row = ROWS[name]
    in_path = [field for _text, field, _spec, _conversion in string.Formatter().parse(row.path) if field]
    assert list(row.in_path) == in_path
    url = urlsplit(row.doc_url)
    assert (url.scheme, url.netloc) == ("https", "docs.gitlab.com")
    assert url.path.startswith("/api/") and url.fragment
    assert len(row.ok_statuses) == 1


@pytest.mark.parametrize("name", sorted(ROWS))
def test_row_declares_repeatability_paging_and_answer(name: str) -> None:
    row = ROWS[name]
    # a write is only repeated after a read of the job has shown that GitLab did not execute it
    assert row.is_repeatable == (row.method == "GET")
    assert name.startswith("list_") == bool(row.paginated)
    # the variables of a pipeline are always on a single page
    assert (row.answer == "records") == (name.startswith("list_") or name == "get_pipeline_variables")
    assert (row.answer == "nothing") == (row.ok_statuses in ((202,), (204,)))


@pytest.mark.parametrize("name", sorted(ROWS))
def test_row_is_used(name: str) -> None:
    assert name in BY_TABLE or any(call.endpoint == name for call in CALLS)


def test_tables_use_only_rows_of_the_catalogue() -> None:
    assert BY_TABLE <= set(ROWS)
    assert CALLS


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.place)
def test_call_passes_the_arguments_of_its_row(call: Call) -> None:
    row = ROWS[call.endpoint]
    declared = set(row.arguments)
    further = ("page_size", "needed_records", "key") if row.paginated else ("repeats", "any_time")
    assert set(call.arguments) <= {*declared, *further}
    assert set(row.in_path) <= set(call.arguments)


def test_writes_belong_to_actions_or_listed_files() -> None:
    assert all(ROWS[action.endpoint].method != "GET" for action in (*ACTIONS.values(), *PIPELINE_ACTIONS.values()))
    # other writes are listed here: they check something other than a job, or nothing
    written = {call.endpoint: call.place.partition(":")[0] for call in CALLS if ROWS[call.endpoint].method != "GET"}
    assert written == {
        "delete_project_artifacts": "actions/write.py",
        "create_pipeline": "pipelines/run.py",
        "trigger_pipeline": "pipelines/run.py",
        "approve_deployment": "deployments/approvals.py",
    }
