# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every cell of the decision table, derived from the interface, not from the code."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.actions import ACTIONS, decide
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.decisions import ActionRequest, Decisions
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.statuses import STATUSES
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.writes.decision import Decision
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.manager import PluginManager

from ....harness import bridge, job

ARCHIVE = {"file_type": "archive", "size": 1, "filename": "a.zip", "file_format": "zip"}
LOG = {"file_type": "trace", "size": 1, "filename": "job.log", "file_format": None}
KEPT = {"artifacts": [ARCHIVE, LOG]}
EXPIRED = {**KEPT, "artifacts_expire_at": "2027-01-01T00:00:00.000Z"}
EXPIRING = {**EXPIRED, "artifacts_file": {"filename": "artifacts.zip", "size": 1}}

ACTIVE = ("waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running")
BLOCKED = ("manual", "scheduled")
ENDED = ("failed", "canceled")
VARIABLES, INPUTS = ("job_variables",), ("job_inputs",)
NOT_FINISHED = ("created", *BLOCKED, *ACTIVE, "canceling")

# action, statuses, options, fields of the job, decision
TABLE = [
    ("play", ("created",), {}, {}, "refuse"),
    ("play", ("created",), {"wait": True}, {}, "later"),
    ("play", BLOCKED, {}, {}, "act"),
    ("play", BLOCKED, {"wait": True, "given": VARIABLES}, {}, "act"),
    ("play", BLOCKED, {"replay": "always"}, {}, "act"),
    ("play", ACTIVE, {}, {}, "same"),
    ("play", ACTIVE, {"wait": True, "replay": "always", "given": VARIABLES}, {}, "same"),
    ("play", ("canceling",), {}, {}, "refuse"),
    ("play", ("canceling",), {"wait": True, "replay": "always"}, {}, "refuse"),
    ("play", ("success",), {}, {}, "same"),
    ("play", ("success",), {"given": VARIABLES}, {}, "same"),
    ("play", ("success",), {"replay": "failed"}, {}, "same"),
    ("play", ("success",), {"replay": "always"}, {}, "act"),
    ("play", ("success",), {"replay": "always", "given": VARIABLES}, {}, "refuse"),
    ("play", ENDED, {}, {}, "refuse"),
    ("play", ENDED, {"wait": True}, {}, "refuse"),
    ("play", ENDED, {"replay": "failed"}, {}, "act"),
    ("play", ENDED, {"replay": "always"}, {}, "act"),
    ("play", ENDED, {"replay": "failed", "given": VARIABLES}, {}, "refuse"),
    ("play", ENDED, {"replay": "failed", "given": INPUTS}, {}, "refuse"),
    ("retry", ENDED, {"given": INPUTS}, {}, "act"),
    ("play", ("skipped",), {}, {}, "refuse"),
    ("play", ("skipped",), {"replay": "always", "wait": True}, {}, "refuse"),
    ("retry", ("created", *BLOCKED), {}, {}, "refuse"),
    ("retry", ("created", *BLOCKED), {"wait": True, "force": True}, {}, "refuse"),
    ("retry", ACTIVE, {}, {}, "same"),
    ("retry", ACTIVE, {"force": True, "wait": True}, {}, "same"),
    ("retry", ("canceling",), {}, {}, "refuse"),
    ("retry", ("canceling",), {"wait": True}, {}, "later"),
    ("retry", ("canceling",), {"wait": True, "retry_on": ("script_failure",)}, {}, "refuse"),
    ("retry", ("canceling",), {"wait": True, "max_attempts": 3, "attempts": 2}, {}, "later"),
    ("retry", ("canceling",), {"wait": True, "max_attempts": 3, "attempts": 3}, {}, "refuse"),
    ("retry", ("success",), {}, {}, "same"),
    ("retry", ("success",), {"force": True}, {}, "act"),
    ("retry", ENDED, {}, {}, "act"),
    ("retry", ("failed",), {"retry_on": ("script_failure",)}, {}, "act"),
    ("retry", ("failed",), {"retry_on": ("runner_system_failure",)}, {}, "refuse"),
    ("retry", ("canceled",), {"retry_on": ("script_failure",)}, {}, "refuse"),
    ("retry", ENDED, {"max_attempts": 3, "attempts": 2}, {}, "act"),
    ("retry", ENDED, {"max_attempts": 3, "attempts": 3}, {}, "refuse"),
    ("retry", ("success",), {"max_attempts": 3, "attempts": 3}, {}, "same"),
    ("retry", ("success",), {"max_attempts": 3, "attempts": 3, "force": True}, {}, "refuse"),
    ("retry", ("skipped",), {}, {}, "refuse"),
    ("retry", ("skipped",), {"force": True, "wait": True}, {}, "refuse"),
    ("cancel", ("created", *BLOCKED, *ACTIVE), {}, {}, "act"),
    ("cancel", ("created", *BLOCKED, *ACTIVE), {"force": True}, {}, "act"),
    ("cancel", ("canceling",), {}, {}, "same"),
    ("cancel", ("canceling",), {"force": True}, {}, "act"),
    ("cancel", ("success", *ENDED, "skipped"), {}, {}, "same"),
    ("cancel", ("success", *ENDED, "skipped"), {"force": True}, {}, "same"),
    ("erase", NOT_FINISHED, {}, {}, "refuse"),
    ("erase", NOT_FINISHED, {"wait": True}, KEPT, "refuse"),
    ("erase", ("success", *ENDED), {}, KEPT, "act"),
    ("erase", ("success", "failed"), {}, {}, "act"),
    ("erase", ("success", *ENDED), {}, {"erased_at": "2026-01-01T00:00:00.000Z"}, "same"),
    ("erase", ("skipped",), {}, {}, "same"),
    ("erase", ("skipped",), {}, KEPT, "act"),
    ("keep_artifacts", NOT_FINISHED, {}, {}, "refuse"),
    ("keep_artifacts", NOT_FINISHED, {}, EXPIRING, "refuse"),
    ("keep_artifacts", ("success", *ENDED), {}, EXPIRING, "act"),
    ("keep_artifacts", ("success", *ENDED), {}, EXPIRED, "refuse"),
    ("keep_artifacts", ("success", *ENDED), {}, KEPT, "same"),
    ("keep_artifacts", ("skipped",), {}, {}, "refuse"),
    ("delete_artifacts", (*NOT_FINISHED, "success", *ENDED, "skipped"), {}, KEPT, "act"),
    ("delete_artifacts", (*NOT_FINISHED, "success", *ENDED, "skipped"), {}, {}, "same"),
    ("delete_artifacts", (*NOT_FINISHED, "success", *ENDED, "skipped"), {}, {"artifacts": [LOG]}, "same"),
    ("delete_artifacts", ("success",), {}, {"artifacts_file": {"filename": "a", "size": 1}}, "act"),
]
CELLS = [(action, status, *row) for action, statuses, *row in TABLE for status in statuses]


def decided(action, record, *, given=(), **options):
    """Return the decision about a job; `given` names options that are set to example values."""
    values = {"job_variables": {"variables": ({"key": "A", "value": "1"},)}, "job_inputs": {"inputs": {"a": 1}}}
    for name in given:
        options.update(values[name])
    return decide(record, ActionRequest(action, **options))


@pytest.mark.parametrize(("action", "status", "options", "fields", "verdict"), CELLS)
def test_decision_matches_the_table(action, status, options, fields, verdict):
    decision = decided(action, job(42, status, **fields), **options)
    assert decision.verdict == verdict, decision.reason
    if verdict in ("same", "refuse"):
        assert decision.reason
        assert "{" not in decision.reason


@pytest.mark.parametrize("status", [*ACTIVE, "success"])
@pytest.mark.parametrize("given", [(), VARIABLES, INPUTS, VARIABLES + INPUTS])
def test_reason_mentions_values_that_come_too_late(status, given):
    reason = decided("play", job(42, status), given=given).reason
    note = reason.partition("; ")[2]
    assert note == (f"{' and '.join(given)} are only used when this task starts the job" if given else "")


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (VARIABLES, "omit job_variables, or start a new pipeline"),
        (INPUTS, "omit job_inputs, or use action retry, which accepts them"),
        (VARIABLES + INPUTS, "omit job_variables and job_inputs, or start a new pipeline"),
    ],
)
def test_values_that_gitlab_would_ignore_are_refused(given, advice):
    decision = decided("play", job(42, "failed"), replay="failed", given=given)
    assert decision.verdict == "refuse" and decision.reason.endswith(advice)


def test_decision_table_is_complete():
    assert {tuple(row[:2]) for row in CELLS} == {(action, status) for action in ACTIONS for status in STATUSES}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", ["paused", "", None])
def test_unknown_status_is_refused(action, status):
    decision = decided(action, {**job(), "status": status, **EXPIRING}, wait=True, force=True, replay="always")
    assert decision.verdict == "refuse"


@pytest.mark.parametrize(
    ("action", "status", "options", "verdict"),
    [
        ("play", "manual", {}, "refuse"),
        ("play", "created", {"wait": True}, "refuse"),
        ("play", "failed", {"replay": "failed"}, "refuse"),
        ("play", "running", {}, "same"),
        ("retry", "failed", {}, "refuse"),
        ("retry", "canceling", {"wait": True}, "refuse"),
        ("keep_artifacts", "success", {}, "refuse"),
        # the newest servers allow these
        ("cancel", "running", {}, "act"),
        ("erase", "success", {}, "act"),
        ("delete_artifacts", "success", {}, "act"),
    ],
)
def test_archived_job_refuses_actions_that_gitlab_rejects(action, status, options, verdict):
    decision = decided(action, job(42, status, archived=True, **EXPIRING), **options)
    assert decision.verdict == verdict
    assert ("archived" in decision.reason) == (verdict == "refuse")


LOOP = {"failure_reason": "pipeline_loop_detected"}
TOO_DEEP = {"failure_reason": "reached_max_descendant_pipelines_depth"}
BRIDGES = [
    ("play", "manual", {}, {}, "act"),
    ("play", "scheduled", {}, {}, "refuse"),
    ("play", "created", {"wait": True}, {}, "later"),
    ("play", "created", {}, {}, "refuse"),
    ("play", "running", {}, {}, "same"),
    ("play", "success", {}, {}, "same"),
    ("play", "success", {"replay": "always"}, {}, "refuse"),
    ("play", "failed", {}, {}, "refuse"),
    ("play", "failed", {"replay": "failed"}, {}, "refuse"),
    ("play", "manual", {"given": VARIABLES}, {}, "refuse"),
    ("play", "manual", {"given": INPUTS}, {}, "refuse"),
    ("retry", "failed", {}, {}, "act"),
    ("retry", "success", {}, {}, "same"),
    ("retry", "success", {"force": True}, {}, "act"),
    ("retry", "failed", {}, LOOP, "refuse"),
    ("retry", "failed", {}, TOO_DEEP, "refuse"),
    *[(action, status, {"force": True}, {}, "refuse") for action in list(ACTIONS)[2:] for status in STATUSES],
]


@pytest.mark.parametrize(("action", "status", "options", "fields", "verdict"), BRIDGES)
def test_decision_for_trigger_jobs_matches_the_table(action, status, options, fields, verdict):
    decision = decided(action, bridge(50, status, **fields), is_bridge=True, **options)
    assert decision.verdict == verdict, decision.reason


def test_advice_about_a_failed_trigger_job_is_possible():
    reason = decided("play", bridge(50, "failed"), is_bridge=True).reason
    assert reason == "its status is failed, and GitLab plays trigger jobs only once; use action retry"


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        # servers before 15.9 do not return erased_at, so a job without artifacts counts as erased
        ({"artifacts": []}, "same"),
        ({"artifacts": [LOG]}, "act"),
        ({}, "act"),
    ],
)
def test_erase_on_servers_that_do_not_return_erased_at(fields, verdict):
    record = {"id": 1, "name": "a", "status": "success", "started_at": "2020-01-01T00:00:00.000Z", **fields}
    assert decided("erase", record).verdict == verdict


@pytest.mark.parametrize("status", ["failed", "canceled", "skipped"])
@pytest.mark.parametrize("left_out", [(), ("artifacts",), ("artifacts", "erased_at")])
def test_job_that_never_started_has_nothing_to_erase(status, left_out):
    record = {name: value for name, value in job(42, status, started_at=None).items() if name not in left_out}
    assert decided("erase", record) == Decision("same", "it never ran, so there is nothing to erase")
    assert decided("erase", {**record, "artifacts": [LOG]}).verdict == "act"


def test_reasons_name_the_status():
    assert "waiting_for_resource" in decided("play", job(42, "waiting_for_resource")).reason
    assert "scheduled" in decided("retry", job(42, "scheduled")).reason
    assert "canceled" in decided("play", job(42, "canceled")).reason


def test_extension_can_return_each_decision():
    built_in = Decision("act", "why")
    decisions = Decisions(built_in, wait=True)
    given = {"action": "play", "job": job(), "decisions": decisions}
    assert PluginManager().call("gitlab_decide_job_action", **given) is built_in
    assert decisions.act() == Decision("act")
    assert decisions.same("done") == Decision("same", "done")
    assert decisions.refuse("frozen") == Decision("refuse", "frozen")
    assert decisions.later("on hold") == Decision("later", "on hold")
    assert Decisions(built_in, wait=False).later("on hold") == Decision("refuse", "on hold")
    assert dataclasses.replace(decisions.built_in) == built_in
