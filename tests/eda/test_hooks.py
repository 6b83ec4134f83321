# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test the key `gitlab` of an event for each kind of hook and each source."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.statuses import STATUSES as JOB_STATUSES
from hypothesis import given
from hypothesis import strategies as st
from jobgate_gitlab_events.hooks import FIELDS, KINDS, STATUSES, gitlab_of, received_elsewhere

from .support import DEPLOYMENT, INSTANCE, JOB, PIPELINE, PUSH, TOKEN, Record, changed

EXPECTED: dict[str, tuple[Record, Record]] = {
    "job": (
        JOB,
        {
            "kind": "job",
            "id": 1977,
            "name": "deploy:prod",
            "stage": "deploy",
            "status": "failed",
            "attempt": 2,
            "failure_reason": "runner_system_failure",
            "allow_failure": False,
            "environment": "production",
            "pipeline_id": 2366,
            "ref": "v1.2.0",
            "tag": True,
            "sha": "95790bf891e76fee5e1747ab589903a6a1f80f22",
            "project": "group/app",
            "project_id": 380,
            "user": "alice",
        },
    ),
    "pipeline": (
        PIPELINE,
        {
            "kind": "pipeline",
            "id": 31,
            "name": None,
            "stage": None,
            "status": "success",
            "attempt": None,
            "failure_reason": None,
            "allow_failure": None,
            "environment": None,
            "pipeline_id": 31,
            "ref": "main",
            "tag": False,
            "sha": "bcbb5ec396a2c0f828686f14fac9b80b780504f2",
            "project": "group/app",
            "project_id": 380,
            "user": "root",
        },
    ),
    "deployment": (
        DEPLOYMENT,
        {
            "kind": "deployment",
            "id": 15,
            "name": None,
            "stage": None,
            "status": "success",
            "attempt": None,
            "failure_reason": None,
            "allow_failure": None,
            "environment": "staging",
            "pipeline_id": None,
            "ref": "main",
            "tag": None,
            "sha": None,
            "project": "group/app",
            "project_id": 380,
            "user": "root",
        },
    ),
}


@pytest.mark.parametrize(("payload", "expected"), EXPECTED.values(), ids=EXPECTED)
def test_hook_is_converted_to_the_gitlab_key(payload: Record, expected: Record) -> None:
    made = gitlab_of(payload, INSTANCE)
    assert made == expected
    assert tuple(made) == FIELDS == tuple(expected)


@pytest.mark.parametrize(
    ("retries", "attempt"),
    [(0, 1), (1, 2), (None, None), (True, None), ("1", None), (-1, None), (2**63, None), (10**400, None)],
)
def test_attempts_count_from_one(retries: t.Any, attempt: int | None) -> None:
    """If the server does not report the count, the attempt stays unknown, so a rule that retries does not fire."""
    made = gitlab_of(changed(JOB, retries_count=retries), None)
    assert made is not None and made["attempt"] == attempt


@pytest.mark.parametrize("more", [{"merge_request": {"iid": 17}}, {"source": "merge_request_event"}], ids=str)
def test_pipeline_of_a_merge_request_has_no_ref(more: Record) -> None:
    attributes = PIPELINE["object_attributes"] | more
    made = gitlab_of(changed(PIPELINE, object_attributes=attributes, **more), INSTANCE)
    assert made == EXPECTED["pipeline"][1] | {"ref": None}


@pytest.mark.parametrize("status", ["created", "pending", "running", "success", "canceled"])
def test_only_failed_jobs_have_a_failure_reason(status: str) -> None:
    """GitLab also sends a reason for other jobs."""
    made = gitlab_of(changed(JOB, build_status=status), None)
    assert made is not None and made["failure_reason"] is None


@pytest.mark.parametrize(
    ("homepage", "instance", "project"),
    [
        (f"{INSTANCE}/group/app", INSTANCE, "group/app"),
        (f"{INSTANCE}/git/group/app", f"{INSTANCE}/git/", "group/app"),
        (f"{INSTANCE}/group/app", None, None),
        ("https://elsewhere.example.com/group/app", INSTANCE, None),
        (f"{INSTANCE}.example.com/group/app", INSTANCE, None),
        (None, INSTANCE, None),
    ],
)
def test_project_path_of_an_old_server_comes_from_the_homepage(
    homepage: str | None, instance: str | None, project: str | None
) -> None:
    """Its job hooks have a full name, which is not a path, and a URL."""
    payload = changed(JOB, repository={"homepage": homepage})
    del payload["project"]
    made = gitlab_of(payload, instance)
    assert made is not None and made["project"] == project and made["project_id"] == 380


@pytest.mark.parametrize(
    "payload", [PUSH, {}, {"object_kind": None}, {"object_kind": ["build"]}, {"object_kind": "job"}]
)
def test_other_kinds_of_hooks_have_no_gitlab_key(payload: Record) -> None:
    assert gitlab_of(payload, None) is None


INNER = {"id": "x", "name": 1, "status": [], "ref": {}, "username": None, "path_with_namespace": 2, "homepage": True}
ODD = st.sampled_from([None, True, 1, 1.5, "", "x", [], [1], {}, INNER, {"headers": {"X-Gitlab-Token": []}}])
PARTS = sorted({*JOB, *PIPELINE, *DEPLOYMENT} - {"object_kind"})


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(PARTS), ODD))
def test_unexpected_values_in_a_body_become_null(kind: str, parts: Record) -> None:
    """Each value has its type or is null, whatever the body contains."""
    made = gitlab_of({"object_kind": kind, **parts}, INSTANCE)
    assert made is not None and tuple(made) == FIELDS
    for name, value in made.items():
        kinds = {"id": int, "attempt": int, "pipeline_id": int, "project_id": int, "tag": bool, "allow_failure": bool}
        expected = kinds.get(name, str)
        assert value is None or (isinstance(value, expected) and (expected is bool or not isinstance(value, bool)))
    received_elsewhere({"payload": {"object_kind": kind, **parts}, "meta": parts})


def test_statuses_match_those_of_the_collection() -> None:
    """Deployments can also be blocked. All other statuses are in the table of job statuses."""
    assert set(STATUSES) == {*JOB_STATUSES, "blocked"}


def webhook_event(payload: t.Any, **headers: str) -> Record:
    """Return an event as ansible.eda.webhook and event streams create it."""
    return {"payload": payload, "meta": {"endpoint": "gitlab", "headers": {"Host": "h", **headers}, "uuid": "u"}}


@pytest.mark.parametrize(("payload", "expected"), EXPECTED.values(), ids=EXPECTED)
def test_filter_adds_the_same_gitlab_key(payload: Record, expected: Record) -> None:
    event = webhook_event(copy.deepcopy(payload))
    assert received_elsewhere(event) == event | {"gitlab": expected}


@pytest.mark.parametrize("header", ["X-Gitlab-Token", "x-gitlab-token", "X-GITLAB-TOKEN", "X_Gitlab_Token"])
@pytest.mark.parametrize("payload", [JOB, PUSH, "text", None])
def test_filter_removes_the_token(header: str, payload: t.Any) -> None:
    found = received_elsewhere(webhook_event(payload, **{header: TOKEN}))
    assert TOKEN not in json.dumps(found)
    assert found["meta"] == {"endpoint": "gitlab", "headers": {"Host": "h"}, "uuid": "u"}


def test_filter_reads_the_instance_from_the_headers() -> None:
    payload = changed(JOB)
    del payload["project"]
    assert (
        received_elsewhere(webhook_event(payload, **{"x-gitlab-instance": INSTANCE}))["gitlab"]["project"]
        == "group/app"
    )
    assert received_elsewhere(webhook_event(payload))["gitlab"]["project"] is None


@pytest.mark.parametrize("event", [{}, {"payload": None}, {"meta": None}, {"meta": {"headers": []}}, {"payload": [1]}])
def test_filter_does_not_change_other_events(event: Record) -> None:
    assert received_elsewhere(copy.deepcopy(event)) == event


def test_filter_removes_a_gitlab_key_that_the_sender_wrote() -> None:
    assert "gitlab" not in received_elsewhere({"gitlab": {"status": "success"}, "payload": PUSH})
