# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployments about which a server returns nonsense: nothing is sent twice, and all output is safe."""

from __future__ import annotations

import typing as t

from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import GitLabError
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import (
    gitlab_deployment_approval,
    gitlab_deployment_info,
    gitlab_job_action,
)
from hypothesis import given
from hypothesis import strategies as st

from ..harness import TOKEN, FunctionTransport, Progress, job, reply, run_task
from .support import examples
from .test_hostile_records import anything, assert_clean, numbers, strings_in, texts

people = st.one_of(anything, texts.map(lambda text: {"username": text, "id": 2}))
approvals = st.one_of(
    anything,
    st.lists(
        st.fixed_dictionaries(
            {}, optional={"user": people, "status": st.sampled_from(["approved", "rejected", 1]), "comment": anything}
        ),
        max_size=3,
    ),
)
rules = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": numbers,
            "user_id": numbers,
            "group_id": anything,
            "access_level": numbers,
            "access_level_description": anything,
            "required_approvals": numbers,
            "deployment_approvals": approvals,
        },
    ),
    max_size=3,
)
FIELDS: dict[str, t.Any] = {
    "iid": anything,
    "ref": anything,
    "sha": anything,
    "user": people,
    "environment": st.one_of(anything, texts.map(lambda text: {"name": text})),
    "deployable": st.one_of(anything, texts.map(lambda text: {"id": 42, "name": text, "status": "manual"})),
    "pending_approval_count": st.one_of(st.just(1), numbers),
    "approvals": approvals,
    "approval_summary": st.one_of(anything, rules.map(lambda rows: {"rules": rows})),
}
hostile = st.fixed_dictionaries({"status": st.sampled_from(["blocked", "created", ""])}, optional=FIELDS)


def server(fields: t.Mapping[str, t.Any]) -> FunctionTransport:
    """Return a server with one deployment, whose job ends as soon as it is played."""
    state = {"status": "manual"}

    def answer(call: t.Any) -> t.Any:
        record = {"id": 5, **fields}
        if call.path.endswith("/approval"):
            return reply({"status": call.body["status"]}, status=201)
        if call.method == "POST":
            state["status"] = "success"
            return job(status="pending")
        if call.path.endswith("/user"):
            return {"id": 2, "username": "alice"}
        if "/deployments" in call.path:
            return [{**record, "deployable": {"id": 42}}] if call.path.endswith("/deployments") else record
        record = job(status=state["status"])
        return [record] if call.path.endswith("/jobs") else record if "/jobs/" in call.path else {"id": 7}

    return FunctionTransport(answer)


def assert_safe(task: t.Any, transport: FunctionTransport, *writes: str, **options: t.Any) -> None:
    """Run a task, and fail on an unexpected error, an unexpected write, or unsafe output."""
    progress = Progress(is_shown=True)
    for check_mode in (True, False):
        try:
            outcome = run_task(task, options, transport=transport, progress=progress, check_mode=check_mode)
        except GitLabError as exc:
            assert_clean(str(exc), [TOKEN])
            continue
        assert "nexpected" not in str(outcome.failure)
        output = [outcome.failure or "-", outcome.message or "-", *progress.others, *progress.lines]
        output += strings_in(outcome.values) if outcome.failure else []
        for text in output:
            assert_clean(text.replace("\n", "").replace("\t", ""), [TOKEN])
        for value in strings_in(outcome.values):
            assert TOKEN not in value
        assert not (check_mode and transport.writes)
    assert transport.writes in ([], list(writes))


@examples(100)
@given(hostile)
def test_deployment_info_is_safe_on_a_hostile_server(fields):
    assert_safe(gitlab_deployment_info.TASK, server(fields))
    assert_safe(gitlab_deployment_info.TASK, server(fields), pipeline_id=6)


@examples(150)
@given(hostile)
def test_deployment_approval_is_safe_on_a_hostile_server(fields):
    for more in ({}, {"represented_as": "x", "state": "rejected"}):
        options = {"deployment_id": 5, "state": "approved", **more}
        assert_safe(gitlab_deployment_approval.TASK, server(fields), APPROVE, **options)


@examples(150)
@given(hostile)
def test_wait_for_approval_is_safe_on_a_hostile_server(fields):
    options = {"pipeline_id": 6, "name": ["deploy"], "action": "play", "wait_timeout": 5.0}
    assert_safe(gitlab_job_action.TASK, server(fields), PLAY, **options, wait=True, wait_for_approval=True)
    assert_safe(gitlab_job_action.TASK, server(fields), PLAY, **options)


APPROVE = "POST /projects/7/deployments/5/approval"
PLAY = "POST /projects/7/jobs/42/play"
