# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test each action in each state: every cell of the reference's table, for builds and bridges."""

from __future__ import annotations

import typing as t

import pytest

from tests.simulator.fixture import Simulator

from .support import Client, scenario

UNPLAYABLE = (400, "Unplayable Job")
UNRETRYABLE = (403, "403 Forbidden - Job is not retryable")
UNERASABLE = (403, "403 Forbidden - Job is not erasable!")
DENIED = (403, "403 Forbidden")
NEW = "new"
SAME = "same"

Cell = tuple[t.Any, ...]

# State -> the responses to play (of a manual job), retry, cancel and erase. A cell is (status, text of the error) or
# (status, new or same job, its status afterwards).
TABLE: dict[str, dict[str, Cell]] = {
    **{
        state: {
            "play": UNPLAYABLE,
            "retry": UNRETRYABLE,
            "cancel": (201, SAME, "canceled"),
            "erase": UNERASABLE,
        }
        for state in ("created", "waiting_for_resource", "preparing", "pending", "waiting_for_callback")
    },
    "running": {
        "play": UNPLAYABLE,
        "retry": UNRETRYABLE,
        "cancel": (201, SAME, "canceling"),
        "erase": UNERASABLE,
    },
    "canceling": {
        "play": (200, NEW, "pending"),
        "retry": (201, NEW, "pending"),
        "cancel": (201, SAME, "canceling"),
        "erase": UNERASABLE,
    },
    **{
        state: {
            "play": (200, SAME, "pending"),
            "retry": UNRETRYABLE,
            "cancel": (201, SAME, "canceled"),
            "erase": UNERASABLE,
        }
        for state in ("manual", "scheduled")
    },
    **{
        state: {
            "play": (200, NEW, "pending"),
            "retry": (201, NEW, "pending"),
            "cancel": (201, SAME, state),
            "erase": (201, SAME, state),
        }
        for state in ("success", "failed", "canceled")
    },
    "skipped": {
        "play": UNPLAYABLE,
        "retry": UNRETRYABLE,
        "cancel": (201, SAME, "skipped"),
        "erase": UNERASABLE,
    },
}
CELLS = [(state, action, cell) for state, row in TABLE.items() for action, cell in row.items()]


def load_in_state(simulator: Simulator, state: str, *, when: str = "manual", **job: t.Any) -> int:
    simulator.load(scenario({"name": "work", "when": when, "duration": 100, **job}))
    simulator.set_job("work", status=state)
    return t.cast(int, simulator.job("work")["id"])


def check_cell(simulator: Simulator, job_id: int, action: str, cell: Cell) -> None:
    """Do the action and compare the response, state and effects with the cell."""
    before = simulator.job(job_id)
    response = Client(simulator).post(f"jobs/{job_id}/{action}")
    assert response.status_code == cell[0], response.text
    if len(cell) == 2:
        assert cell[1] in response.json()["message"]
        assert simulator.job(job_id) == before
        assert simulator.effects() == []
        return
    record = response.json()
    assert record["status"] == cell[2]
    assert (record["id"] != job_id) == (cell[1] == NEW)
    assert simulator.job(job_id)["superseded"] == (cell[1] == NEW)
    changed = cell[1] == NEW or record["status"] != before["status"] or action == "erase"
    assert [effect["action"] for effect in simulator.effects()] == ([action] if changed else [])
    if cell[1] == NEW:
        assert simulator.effects()[0]["new_job_id"] == record["id"]
        assert record["user"]["username"] == "mia"


@pytest.mark.parametrize(("state", "action", "cell"), CELLS, ids=lambda value: value if isinstance(value, str) else "")
def test_action_on_a_manual_job_follows_the_table(simulator: Simulator, state: str, action: str, cell: Cell) -> None:
    check_cell(simulator, load_in_state(simulator, state), action, cell)


@pytest.mark.parametrize("state", TABLE)
def test_job_that_is_not_manual_is_never_playable(simulator: Simulator, state: str) -> None:
    check_cell(simulator, load_in_state(simulator, state, when="on_success"), "play", UNPLAYABLE)


@pytest.mark.parametrize("state", ["success", "failed", "canceled"])
def test_play_returns_the_old_job_before_18_10(simulator: Simulator, state: str) -> None:
    simulator.load(scenario({"name": "work", "when": "manual", "status": state}), version="18.7")
    old = simulator.job("work")["id"]
    record = Client(simulator).post(f"jobs/{old}/play").json()
    assert (record["id"], record["status"]) == (old, state)
    assert simulator.job("work")["id"] != old


@pytest.mark.parametrize("action", ["play", "retry", "cancel"])
@pytest.mark.parametrize("state", ["success", "failed", "canceled"])
def test_action_on_a_superseded_job_has_no_effect(simulator: Simulator, state: str, action: str) -> None:
    job_id = load_in_state(simulator, state)
    simulator.act_as_somebody_else("retry", job_id)
    simulator.clear_logs()
    cells = {"play": UNPLAYABLE, "retry": UNRETRYABLE, "cancel": (201, SAME, state)}
    response = Client(simulator).post(f"jobs/{job_id}/{action}")
    cell = cells[action]
    assert response.status_code == cell[0]
    assert simulator.effects() == []
    assert simulator.job(job_id)["status"] == state


@pytest.mark.parametrize(
    ("state", "action", "cell"),
    [
        ("manual", "play", DENIED),
        ("success", "play", DENIED),
        ("success", "retry", DENIED),
        ("running", "cancel", (201, SAME, "canceling")),
        ("success", "erase", (201, SAME, "success")),
    ],
)
def test_archived_job_allows_only_cancel_and_erase(simulator: Simulator, state: str, action: str, cell: Cell) -> None:
    check_cell(simulator, load_in_state(simulator, state, archived=True), action, cell)


def test_archived_job_cannot_be_erased_on_older_servers(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "work", "status": "success", "archived": True}), version="15.9")
    check_cell(simulator, simulator.job("work")["id"], "erase", DENIED)


@pytest.mark.parametrize(
    ("action", "cell"),
    [("play", UNPLAYABLE), ("retry", UNRETRYABLE), ("cancel", (201, SAME, "canceled")), ("erase", UNERASABLE)],
)
def test_job_waiting_for_approval_can_only_be_canceled(simulator: Simulator, action: str, cell: Cell) -> None:
    deploy = {"name": "deploy", "when": "manual", "environment": "production", "deployment": {"approval": "waiting"}}
    simulator.load(scenario(deploy))
    assert simulator.job("deploy")["status"] == "manual"
    check_cell(simulator, simulator.job("deploy")["id"], action, cell)


def test_approval_starts_the_deployment_job(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "deploy", "environment": "production", "deployment": {"approval": "waiting"}}))
    assert simulator.act_as_somebody_else("approve", "deploy")["status"] == "pending"


@pytest.mark.parametrize(("action", "cell"), [("play", UNPLAYABLE), ("retry", UNRETRYABLE)])
def test_rejected_deployment_cannot_be_played_or_retried(simulator: Simulator, action: str, cell: Cell) -> None:
    deploy = {"name": "deploy", "when": "manual", "environment": "production", "deployment": {"approval": "waiting"}}
    simulator.load(scenario(deploy))
    simulator.act_as_somebody_else("reject", "deploy")
    check_cell(simulator, simulator.job("deploy")["id"], action, cell)


@pytest.mark.parametrize("action", ["play", "retry", "cancel", "erase", "artifacts/keep"])
def test_outdated_deployment_denies_every_action(simulator: Simulator, action: str) -> None:
    deploy = {"name": "deploy", "when": "manual", "environment": "production", "deployment": {"older_than_last": True}}
    simulator.load(scenario({**deploy, "status": "success"}, forbid_outdated_deployments=True))
    check_cell(simulator, simulator.job("deploy")["id"], action, DENIED)


class TestRepeats:
    def test_second_cancel_has_no_effect(self, simulator: Simulator) -> None:
        job_id = load_in_state(simulator, "running")
        answers = [Client(simulator).post(f"jobs/{job_id}/cancel") for _round in range(2)]
        assert [(a.status_code, a.json()["status"]) for a in answers] == [(201, "canceling")] * 2
        assert len(simulator.effects()) == 1

    def test_second_erase_is_refused(self, simulator: Simulator) -> None:
        job_id = load_in_state(simulator, "success")
        assert Client(simulator).post(f"jobs/{job_id}/erase").json()["erased_at"]
        check = Client(simulator).post(f"jobs/{job_id}/erase")
        assert (check.status_code, check.json()["message"]) == UNERASABLE

    def test_second_play_is_refused_until_the_job_has_finished(self, simulator: Simulator) -> None:
        job_id = load_in_state(simulator, "manual")
        client = Client(simulator)
        assert client.post(f"jobs/{job_id}/play").status_code == 200
        assert client.post(f"jobs/{job_id}/play").status_code == 400
        simulator.advance(1000)
        assert client.post(f"jobs/{job_id}/play").json()["id"] != job_id

    def test_second_retry_is_refused(self, simulator: Simulator) -> None:
        job_id = load_in_state(simulator, "failed")
        assert Client(simulator).post(f"jobs/{job_id}/retry").status_code == 201
        again = Client(simulator).post(f"jobs/{job_id}/retry")
        assert (again.status_code, again.json()["message"]) == UNRETRYABLE

    def test_second_keep_and_delete_have_no_effect(self, simulator: Simulator) -> None:
        files = {"files": {"a.txt": "a"}, "expire_in": 60}
        simulator.load(scenario({"name": "work", "status": "success", "artifacts": files}))
        job_id = simulator.job("work")["id"]
        client = Client(simulator)
        for _round in range(2):
            assert client.post(f"jobs/{job_id}/artifacts/keep").json()["artifacts_expire_at"] is None
        for _round in range(2):
            assert client.delete(f"jobs/{job_id}/artifacts").status_code == 204
        assert [effect["action"] for effect in simulator.effects()] == ["keep_artifacts", "delete_artifacts"]


class TestForceCancel:
    @pytest.mark.parametrize(("state", "after"), [("canceling", "canceled"), ("running", "running")])
    def test_force_ends_only_canceling_jobs(self, simulator: Simulator, state: str, after: str) -> None:
        job_id = load_in_state(simulator, state)
        response = Client(simulator).post(f"jobs/{job_id}/cancel", json={"force": True})
        assert (response.status_code, response.json()["status"]) == (201, after)

    def test_force_requires_a_maintainer(self, simulator: Simulator) -> None:
        job_id = load_in_state(simulator, "canceling")
        response = Client(simulator, "dev-token").post(f"jobs/{job_id}/cancel", json={"force": True})
        assert (response.status_code, response.json()["message"]) == DENIED

    def test_older_servers_ignore_force(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "work", "status": "running", "duration": 9}), version="15.9")
        job_id = simulator.job("work")["id"]
        assert Client(simulator).post(f"jobs/{job_id}/cancel?force=true").json()["status"] == "canceled"


BRIDGE_TABLE: dict[str, dict[str, Cell]] = {
    **{s: {"play": UNPLAYABLE, "retry": UNRETRYABLE} for s in ("created", "pending", "running", "skipped")},
    "manual": {"play": (200, SAME, "pending"), "retry": UNRETRYABLE},
    **{s: {"play": UNPLAYABLE, "retry": (201, NEW, "pending")} for s in ("success", "failed", "canceled")},
}
BRIDGE_CELLS = [(state, action, cell) for state, row in BRIDGE_TABLE.items() for action, cell in row.items()]


class TestBridges:
    def load(self, simulator: Simulator, state: str) -> int:
        trigger = {"strategy": "depend", "pipeline": {"jobs": [{"name": "below", "duration": 50}]}}
        simulator.load(scenario({"name": "work", "when": "manual", "trigger": trigger}))
        simulator.set_job("work", status=state)
        return t.cast(int, simulator.job("work")["id"])

    @pytest.mark.parametrize(
        ("state", "action", "cell"), BRIDGE_CELLS, ids=lambda value: value if isinstance(value, str) else ""
    )
    def test_action_on_a_bridge_follows_the_table(
        self, simulator: Simulator, state: str, action: str, cell: Cell
    ) -> None:
        check_cell(simulator, self.load(simulator, state), action, cell)

    @pytest.mark.parametrize("action", ["cancel", "erase", "artifacts/keep"])
    def test_other_actions_do_not_exist_for_bridges(self, simulator: Simulator, action: str) -> None:
        check_cell(simulator, self.load(simulator, "success"), action, (404, "404 Not found"))

    def test_retry_does_not_exist_before_17_0(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "work", "status": "success", "trigger": {}}), version="16.11")
        check_cell(simulator, simulator.job("work")["id"], "retry", (404, "404 Not found"))

    @pytest.mark.parametrize("reason", ["pipeline_loop_detected", "reached_max_descendant_pipelines_depth"])
    def test_bridge_that_cannot_succeed_is_not_retryable(self, simulator: Simulator, reason: str) -> None:
        simulator.load(scenario({"name": "work", "trigger": {"creation_fails": reason}}))
        simulator.advance(1)
        assert simulator.job("work")["failure_reason"] == reason
        check_cell(simulator, simulator.job("work")["id"], "retry", UNRETRYABLE)

    def test_play_returns_a_bridge_and_ignores_variables(self, simulator: Simulator) -> None:
        job_id = self.load(simulator, "manual")
        rows = {"job_variables_attributes": [{"key": "A", "value": "1"}]}
        record = Client(simulator).post(f"jobs/{job_id}/play", json=rows).json()
        assert "downstream_pipeline" in record and "runner" not in record
        assert simulator.effects()[0]["variables"] == []

    def test_retry_returns_a_job_record(self, simulator: Simulator) -> None:
        record = Client(simulator).post(f"jobs/{self.load(simulator, 'failed')}/retry").json()
        assert "downstream_pipeline" not in record and "tag_list" in record
