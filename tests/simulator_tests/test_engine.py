# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test how pipelines continue by themselves: order of jobs, timers, resources, bridges, and the effects of retries."""

from __future__ import annotations

import typing as t

import pytest

from tests.simulator.fixture import Simulator

from .support import Client, scenario


def statuses(simulator: Simulator) -> dict[str, str]:
    rows = Client(simulator).session.get(f"{simulator.url}/_simulator/jobs").json()
    return {row["name"]: row["status"] for row in rows if not row["superseded"]}


def pipeline_status(simulator: Simulator, number: int = 100) -> str:
    return t.cast(str, Client(simulator).get(f"pipelines/{number}").json()["status"])


def test_stages_run_one_after_another(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "stage": "one", "duration": 5}, {"name": "b", "stage": "two", "duration": 5}))
    seen = []
    for _round in range(15):
        seen.append((simulator.job("a")["status"], simulator.job("b")["status"], pipeline_status(simulator)))
        simulator.advance(1)
    assert list(dict.fromkeys(seen)) == [
        ("pending", "created", "pending"),
        ("running", "created", "running"),
        ("success", "pending", "running"),
        ("success", "running", "running"),
        ("success", "success", "success"),
    ]


def test_one_long_step_equals_many_short_ones(simulator: Simulator) -> None:
    jobs = [{"name": f"j{n}", "stage": f"s{n % 4}", "duration": n} for n in range(12)]
    simulator.load(scenario(*jobs))
    simulator.advance(100)
    one = [simulator.job(f"j{n}") for n in range(12)]
    simulator.load(scenario(*jobs))
    for _round in range(1000):
        simulator.advance(0.1)
    for n, row in enumerate(one):
        again = simulator.job(f"j{n}")
        assert row["finished_at"] == pytest.approx(again["finished_at"])


@pytest.mark.parametrize(
    ("outcome", "allow_failure", "when", "status"),
    [
        ("success", False, "on_success", "success"),
        ("success", False, "on_failure", "skipped"),
        ("success", False, "always", "success"),
        ("failed", False, "on_success", "skipped"),
        ("failed", False, "on_failure", "success"),
        ("failed", False, "always", "success"),
        ("failed", False, "manual", "skipped"),
        ("failed", True, "on_success", "success"),
        ("failed", True, "on_failure", "skipped"),
        ("success", False, "manual", "manual"),
    ],
)
@pytest.mark.parametrize("needs", [None, ["first"]])
def test_when_determines_whether_a_job_runs(
    simulator: Simulator, outcome: str, allow_failure: bool, when: str, status: str, needs: list[str] | None
) -> None:
    first = {"name": "first", "stage": "one", "outcome": outcome, "allow_failure": allow_failure}
    simulator.load(scenario(first, {"name": "second", "stage": "two", "when": when, "needs": needs}))
    simulator.advance(100)
    assert simulator.job("second")["status"] == status


def test_job_with_empty_needs_starts_at_once(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "stage": "one"}, {"name": "b", "stage": "two", "needs": []}))
    assert simulator.job("b")["status"] == "pending"


@pytest.mark.parametrize(
    ("allow_failure", "after", "whole"), [(None, "success", "success"), (False, "created", "manual")]
)
def test_manual_job_blocks_only_if_it_may_not_fail(
    simulator: Simulator, allow_failure: bool | None, after: str, whole: str
) -> None:
    gate = {"name": "gate", "stage": "one", "when": "manual", "allow_failure": allow_failure}
    simulator.load(scenario({"name": "a", "stage": "one"}, gate, {"name": "z", "stage": "two"}))
    simulator.advance(50)
    assert simulator.job("z")["status"] == after
    assert pipeline_status(simulator) == whole


def test_delayed_job_starts_after_its_time(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "later", "when": "delayed", "start_in": 30}))
    assert simulator.job("later")["status"] == "scheduled"
    assert pipeline_status(simulator) == "scheduled"
    simulator.advance(29)
    assert simulator.job("later")["status"] == "scheduled"
    simulator.advance(1)
    assert simulator.job("later")["status"] == "pending"


def test_unscheduled_job_becomes_manual(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "later", "when": "delayed"}))
    assert simulator.act_as_somebody_else("unschedule", "later")["status"] == "manual"
    simulator.advance(1000)
    assert simulator.job("later")["status"] == "manual"


def test_resource_group_runs_one_job_at_a_time(simulator: Simulator) -> None:
    simulator.load(scenario(*({"name": f"d{n}", "resource_group": "prod", "duration": 10} for n in range(3))))
    assert list(statuses(simulator).values()) == ["pending", "waiting_for_resource", "waiting_for_resource"]
    Client(simulator).post(f"jobs/{simulator.job('d0')['id']}/cancel")
    assert list(statuses(simulator).values()) == ["canceled", "pending", "waiting_for_resource"]
    simulator.advance(11)
    assert list(statuses(simulator).values()) == ["canceled", "success", "pending"]


def test_job_is_prepared_before_it_is_pending(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "prepare": 3}))
    assert simulator.job("a")["status"] == "preparing"
    simulator.advance(3)
    assert simulator.job("a")["status"] == "pending"


@pytest.mark.parametrize("job", [{"queue": None}, {"tags": ["gpu"]}])
def test_job_without_a_runner_stays_pending(simulator: Simulator, job: dict[str, t.Any]) -> None:
    simulator.load(scenario({"name": "a", **job}))
    simulator.advance(10_000)
    assert simulator.job("a")["status"] == "pending"


def test_job_runs_on_an_active_runner_with_its_tags(simulator: Simulator) -> None:
    runners = [{"id": 3, "tags": ["gpu"], "paused": True}, {"id": 4, "tags": ["gpu", "big"]}]
    simulator.load(scenario({"name": "a", "tags": ["gpu"]}, runners=runners))
    simulator.advance(1)
    assert simulator.job("a")["runner"] == 4


@pytest.mark.parametrize(
    ("version", "graceful", "status"),
    [("18.10", True, "canceling"), ("18.10", False, "canceled"), ("15.9", True, "canceled")],
)
def test_canceling_depends_on_runner_and_version(
    simulator: Simulator, version: str, graceful: bool, status: str
) -> None:
    runners = [{"graceful_cancel": graceful}]
    simulator.load(scenario({"name": "a", "status": "running", "duration": 60}, runners=runners), version=version)
    assert Client(simulator).post(f"jobs/{simulator.job('a')['id']}/cancel").json()["status"] == status
    simulator.advance(2)
    assert simulator.job("a")["status"] == "canceled"
    simulator.advance(100)
    assert simulator.job("a")["finished_at"] <= 2


def test_each_attempt_has_its_outcome_and_reason(simulator: Simulator) -> None:
    attempts = [{"outcome": "failed", "failure_reason": "runner_system_failure", "duration": 3}, {"outcome": "success"}]
    simulator.load(scenario({"name": "a", "attempts": attempts}))
    client = Client(simulator)
    simulator.advance(4)
    record = client.get(f"jobs/{simulator.job('a')['id']}").json()
    assert (record["status"], record["failure_reason"], record["duration"]) == ("failed", "runner_system_failure", 3)
    new = client.post(f"jobs/{record['id']}/retry").json()
    simulator.advance(4)
    record = client.get(f"jobs/{new['id']}").json()
    assert record["status"] == "success" and "failure_reason" not in record


def test_retry_reopens_skipped_jobs(simulator: Simulator) -> None:
    simulator.load(
        scenario(
            {"name": "a", "stage": "one", "attempts": [{"outcome": "failed"}, {"outcome": "success"}]},
            {"name": "b", "stage": "two"},
            {"name": "c", "stage": "three", "needs": ["b"]},
        )
    )
    simulator.advance(10)
    assert statuses(simulator) == {"a": "failed", "b": "skipped", "c": "skipped"}
    assert pipeline_status(simulator) == "failed"
    Client(simulator).post(f"jobs/{simulator.job('a')['id']}/retry")
    assert pipeline_status(simulator) == "pending"
    simulator.advance(1)
    assert pipeline_status(simulator) == "running"
    simulator.advance(10)
    assert statuses(simulator) == {"a": "success", "b": "success", "c": "success"}
    assert pipeline_status(simulator) == "success"


def test_retry_copies_variables(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "when": "manual"}))
    client = Client(simulator)
    rows = {"job_variables_attributes": [{"key": "A", "value": "1"}]}
    client.post(f"jobs/{simulator.job('a')['id']}/play", json=rows)
    simulator.advance(10)
    client.post(f"jobs/{simulator.job('a')['id']}/retry")
    assert simulator.job("a")["variables"] == rows["job_variables_attributes"]
    simulator.advance(10)
    # Playing a finished job retries it, and the variables of the request are lost.
    other = {"job_variables_attributes": [{"key": "B", "value": "2"}]}
    client.post(f"jobs/{simulator.job('a')['id']}/play", json=other)
    assert simulator.job("a")["variables"] == rows["job_variables_attributes"]


class TestBridges:
    def load(self, simulator: Simulator, strategy: str, *below: dict[str, t.Any], **trigger: t.Any) -> None:
        row = {"strategy": strategy, "pipeline": {"jobs": list(below)}, **trigger}
        simulator.load(scenario({"name": "up", "stage": "one", "trigger": row}, {"name": "after", "stage": "two"}))

    def test_bridge_without_strategy_succeeds_at_once(self, simulator: Simulator) -> None:
        self.load(simulator, "none", {"name": "below", "outcome": "failed", "duration": 50})
        assert statuses(simulator) == {"up": "success", "after": "pending", "below": "pending"}

    @pytest.mark.parametrize(
        ("strategy", "below", "status"),
        [
            ("depend", {"outcome": "success"}, "success"),
            ("depend", {"outcome": "failed"}, "failed"),
            ("depend", {"when": "on_failure"}, "failed"),
            ("depend", {"when": "manual", "allow_failure": False}, "running"),
            ("mirror", {"when": "on_failure"}, "skipped"),
            ("mirror", {"when": "manual", "allow_failure": False}, "manual"),
            ("mirror", {"outcome": "success"}, "success"),
        ],
    )
    def test_strategy_determines_the_status(
        self, simulator: Simulator, strategy: str, below: dict[str, t.Any], status: str
    ) -> None:
        self.load(simulator, strategy, {"name": "below", **below})
        simulator.advance(10)
        assert simulator.job("up")["status"] == status

    def test_canceled_child_job_cancels_the_bridge(self, simulator: Simulator) -> None:
        self.load(simulator, "depend", {"name": "below", "queue": None})
        simulator.advance(1)
        Client(simulator).post(f"jobs/{simulator.job('below')['id']}/cancel")
        assert simulator.job("up")["status"] == "canceled"
        assert simulator.job("after")["status"] == "skipped"

    def test_retry_of_a_child_job_reopens_the_bridge(self, simulator: Simulator) -> None:
        attempts = [{"outcome": "failed"}, {"outcome": "success"}]
        self.load(simulator, "depend", {"name": "below", "attempts": attempts})
        simulator.advance(10)
        assert statuses(simulator) == {"up": "failed", "after": "skipped", "below": "failed"}
        Client(simulator).post(f"jobs/{simulator.job('below')['id']}/retry")
        assert simulator.job("up")["status"] == "running"
        simulator.advance(10)
        assert statuses(simulator) == {"up": "success", "after": "success", "below": "success"}

    def test_failed_creation_fails_the_bridge(self, simulator: Simulator) -> None:
        self.load(simulator, "depend", creation_fails="downstream_pipeline_creation_failed")
        simulator.advance(1)
        (record,) = Client(simulator).get("pipelines/100/bridges").json()
        assert record["failure_reason"] == "downstream_pipeline_creation_failed"
        assert record["downstream_pipeline"] is None

    def test_retry_of_a_bridge_creates_another_pipeline(self, simulator: Simulator) -> None:
        self.load(simulator, "none", {"name": "below", "id": 5000})
        simulator.advance(1)
        old = simulator.job("up")
        Client(simulator).post(f"jobs/{old['id']}/retry")
        simulator.advance(1)
        new = simulator.job("up")
        assert new["id"] > old["id"] and new["downstream_pipeline_id"] > old["downstream_pipeline_id"]
        assert simulator.job("below", pipeline_id=new["downstream_pipeline_id"])["id"] > 5000

    def test_bridge_can_start_a_pipeline_of_another_project(self, simulator: Simulator) -> None:
        trigger = {"project": "group/infra", "pipeline": {"jobs": [{"name": "below"}]}}
        world = scenario({"name": "up", "trigger": trigger})
        world["projects"].append({"path": "group/infra", "id": 9})
        simulator.load(world)
        simulator.advance(1)
        client = Client(simulator)
        (record,) = client.get("pipelines/100/bridges").json()
        below = record["downstream_pipeline"]
        assert (below["project_id"], below["source"]) == (9, "pipeline")
        assert client.get(f"/projects/9/pipelines/{below['id']}/jobs").status_code == 404
        assert Client(simulator, "ada-token").get(f"/projects/9/pipelines/{below['id']}/jobs").status_code == 200

    def test_failure_of_a_nested_child_pipeline_reaches_the_top(self, simulator: Simulator) -> None:
        leaf = {"name": "leaf", "outcome": "failed"}
        middle = {"name": "middle", "trigger": {"strategy": "depend", "pipeline": {"jobs": [leaf]}}}
        self.load(simulator, "depend", middle)
        simulator.advance(10)
        assert statuses(simulator) == {"up": "failed", "after": "skipped", "middle": "failed", "leaf": "failed"}


class TestForcedStates:
    def test_later_jobs_continue_from_a_set_status(self, simulator: Simulator) -> None:
        done = {"name": "a", "stage": "one", "status": "success", "retried": 2}
        simulator.load(scenario(done, {"name": "b", "stage": "two"}))
        assert (simulator.job("a")["attempt"], simulator.job("b")["status"]) == (3, "pending")
        rows = Client(simulator).get("pipelines/100/jobs?include_retried=true").json()
        assert [(row["name"], row["status"]) for row in rows] == [
            ("b", "pending"), ("a", "success"), ("a", "failed"), ("a", "failed"),
        ]  # fmt: skip
        first = rows[1]
        assert first["created_at"] < first["started_at"] < first["finished_at"] < "2026-01-05T12"

    def test_job_set_to_running_ends(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a", "duration": 30}))
        simulator.set_job("a", status="running", outcome="failed", failure_reason="stuck_or_timeout_failure")
        simulator.advance(30)
        assert simulator.job("a")["status"] == "failed"

    def test_job_set_to_created_stays_created(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a", "status": "created"}))
        simulator.advance(100)
        assert simulator.job("a")["status"] == "created"

    def test_jobs_of_an_old_pipeline_have_run(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a", "duration": 10}, created_ago=3600))
        assert simulator.job("a")["finished_at"] == -3589

    def test_hanging_job_ends_when_its_outcome_is_changed(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a", "outcome": "hang"}))
        simulator.advance(100)
        assert simulator.job("a")["status"] == "running"
        simulator.set_job("a", outcome="success")
        assert simulator.job("a")["status"] == "success"
