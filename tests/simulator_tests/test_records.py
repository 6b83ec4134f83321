# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test that every record has exactly the fields of the reference, with their types, in every state and version."""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.simulator import model
from tests.simulator.fixture import Simulator

from .support import VERSIONS, Client, scenario

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
NUMBER = (int, float)
NONE = type(None)

# Field -> (types, first version). The type of a timestamp is "time".
JOB: dict[str, tuple[t.Any, str]] = {
    "id": (int, "11.0"),
    "status": (str, "11.0"),
    "stage": (str, "11.0"),
    "name": (str, "11.0"),
    "ref": (str, "11.0"),
    "tag": (bool, "11.0"),
    "coverage": ((*NUMBER, NONE), "11.0"),
    "allow_failure": (bool, "12.0"),
    "created_at": ("time", "11.0"),
    "started_at": ("time or null", "11.0"),
    "finished_at": ("time or null", "11.0"),
    "erased_at": ("time or null", "15.9"),
    "duration": ((*NUMBER, NONE), "13.0"),
    "queued_duration": ((*NUMBER, NONE), "13.0"),
    "user": (dict, "11.0"),
    "commit": (dict, "11.0"),
    "pipeline": (dict, "11.0"),
    "web_url": (str, "11.0"),
    "project": (dict, "15.0"),
    "artifacts": (list, "11.5"),
    "artifacts_expire_at": ("time or null", "11.0"),
    "runner": ((dict, NONE), "11.0"),
    "runner_manager": ((dict, NONE), "17.0"),
    "archived": (bool, "17.0"),
    "tag_list": (list, "13.0"),
}
NOT_ON_BRIDGES = {"artifacts", "artifacts_expire_at", "runner", "runner_manager", "tag_list", "archived"}
# The required fields of GitLab's own schema for a job.
REQUIRED = {
    "id", "status", "stage", "name", "ref", "tag", "coverage", "created_at", "started_at", "finished_at", "erased_at",
    "duration", "queued_duration", "user", "commit", "pipeline", "web_url", "artifacts", "artifacts_expire_at",
    "tag_list", "runner", "project", "archived",
}  # fmt: skip
USER = {"id", "username", "name", "state", "avatar_url", "web_url"}
COMMIT = {"id", "short_id", "created_at", "title", "message", "author_name", "author_email"}
PIPELINE = {"id", "project_id", "sha", "ref", "status", "source", "created_at", "updated_at", "web_url"}
RUNNER = {"id", "description", "ip_address", "active", "paused", "is_shared", "runner_type", "name", "online", "status"}
MANAGER = {"id", "system_id", "version", "revision", "platform", "architecture", "created_at", "contacted_at", "status"}


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def check_types(record: dict[str, t.Any], names: set[str]) -> None:
    for name in names:
        types, value = JOB[name][0], record[name]
        if isinstance(types, str):
            assert (value is None and types.endswith("null")) or TIME.fullmatch(value), (name, value)
        elif bool in ([types] if isinstance(types, type) else types):
            assert isinstance(value, bool), (name, value)
        else:
            assert isinstance(value, types) and not isinstance(value, bool), (name, value)


def expected(version: str) -> set[str]:
    return {name for name, (_types, since) in JOB.items() if number(since) <= number(version)}


def check_job(record: dict[str, t.Any], version: str) -> None:
    names = expected(version)
    optional = {"artifacts_file"} & record.keys()
    if record["status"] == "failed" and number(version) >= (14, 0):
        optional.add("failure_reason")
    assert set(record) == names | optional
    check_types(record, names)
    assert set(record["user"]) >= USER
    assert set(record["commit"]) >= COMMIT
    assert set(record["pipeline"]) >= {"id", "ref", "sha", "status"}
    if number(version) >= (18, 0):
        assert set(record["pipeline"]) == PIPELINE | {"iid"}
        assert set(record) >= REQUIRED
    if record["runner"]:
        assert set(record["runner"]) >= RUNNER
    if record.get("runner_manager"):
        assert set(record["runner_manager"]) >= MANAGER
    for row in record.get("artifacts", []):
        assert set(row) == {"file_type", "size", "filename", "file_format"}


@pytest.mark.parametrize("version", VERSIONS)
def test_job_records_have_the_expected_fields_in_every_state(simulator: Simulator, version: str) -> None:
    files = {"files": {"x": "y"}, "reports": ["junit"], "expire_in": 100}
    jobs = [{"name": status, "status": status, "artifacts": files, "coverage": 12.5} for status in model.STATUSES]
    simulator.load(scenario(*jobs), version=version)
    client = Client(simulator)
    rows = client.get("jobs?per_page=100").json()
    assert {row["name"] for row in rows} == set(model.STATUSES)
    for row in rows:
        check_job(row, version)
        assert row == client.get(f"jobs/{row['id']}").json()
        is_over = row["status"] in ("success", "failed", "canceled")
        assert (row["finished_at"] is not None) == is_over
        assert (row["started_at"] is not None) == (is_over or row["status"] in ("running", "canceling"))
        assert ("artifacts_file" in row) == (row["status"] == "success")
        if version != "11.11":
            assert (row["duration"] is None) == (row["started_at"] is None)


@pytest.mark.parametrize("version", VERSIONS)
def test_writes_return_job_records_with_the_expected_fields(simulator: Simulator, version: str) -> None:
    jobs: list[dict[str, t.Any]] = [
        {"name": "play", "when": "manual"},
        {"name": "retry", "status": "success"},
        {"name": "cancel", "status": "running"},
        {"name": "erase", "status": "failed"},
        {"name": "artifacts/keep", "status": "success", "artifacts": {"files": {"x": "y"}}},
    ]
    simulator.load(scenario(*jobs), version=version)
    for job in jobs:
        response = Client(simulator).post(f"jobs/{simulator.job(str(job['name']))['id']}/{job['name']}")
        assert response.status_code == (200 if job["name"] in ("play", "artifacts/keep") else 201)
        check_job(response.json(), version)


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_bridge_records_have_the_expected_fields(simulator: Simulator, version: str) -> None:
    trigger = {"pipeline": {"jobs": [{"name": "below"}]}}
    states = ("created", "manual", "running", "success", "skipped")
    jobs = [{"name": state, "status": state, "trigger": trigger} for state in states]
    broken = {"name": "failed", "status": "failed", "trigger": {"creation_fails": "unknown_failure"}}
    simulator.load(scenario(*jobs, broken), version=version)
    rows = Client(simulator).get("pipelines/100/bridges").json()
    assert len(rows) == 6
    for row in rows:
        reason = {"failure_reason"} if row["status"] == "failed" and number(version) >= (14, 0) else set()
        assert set(row) == expected(version) - NOT_ON_BRIDGES | {"downstream_pipeline"} | reason
        check_types(row, expected(version) - NOT_ON_BRIDGES)
        assert (row["downstream_pipeline"] is not None) == (row["status"] in ("running", "success"))


def test_job_canceled_before_it_started_has_no_duration_or_runner(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "queue": None}))
    record = Client(simulator).post("jobs/1000/cancel").json()
    assert (record["started_at"], record["duration"], record["runner"]) == (None, None, None)
    assert record["finished_at"] is not None


def test_durations_grow_over_time(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "queue": 3, "duration": 10}))
    client = Client(simulator)
    seen = []
    for _round in range(5):
        record = client.get("jobs/1000").json()
        seen.append((record["queued_duration"], record["duration"]))
        simulator.advance(2)
    assert seen == [(0, None), (2, None), (3, 1), (3, 3), (3, 5)]


@pytest.mark.parametrize("change", ["retry", "erase", "delete_artifacts"])
def test_cached_records_are_updated_after_changes(simulator: Simulator, change: str) -> None:
    simulator.load(scenario({"name": "a", "status": "success", "artifacts": {"files": {"x": "y"}}}, {"name": "b"}))
    client = Client(simulator)
    before = client.get("jobs").json()
    simulator.act_as_somebody_else(change, "a")
    simulator.advance(50)
    after = client.get("jobs").json()
    assert before != after
    for row in after:
        assert row == client.get(f"jobs/{row['id']}").json()


def test_pipeline_list_is_filtered_and_has_the_expected_fields(simulator: Simulator) -> None:
    world = scenario({"name": "a", "status": "success"})
    world["pipelines"] += [
        {"ref": "v1", "tag": True, "user": "dev", "jobs": [{"name": "b", "status": "failed"}]},
        {"ref": "main", "source": "schedule", "sha": "f" * 40, "jobs": [{"name": "c"}]},
    ]
    simulator.load(world)
    client = Client(simulator)
    for query, ids in {
        "": [102, 101, 100],
        "?sort=asc": [100, 101, 102],
        "?ref=main": [102, 100],
        "?status=failed": [101],
        "?source=schedule": [102],
        f"?sha={'f' * 40}": [102],
        "?username=dev": [101],
        "?scope=finished": [101, 100],
        "?scope=branches": [102],
        "?scope=tags": [101],
        "?per_page=1&page=2": [101],
    }.items():
        response = client.get(f"pipelines{query}")
        assert [row["id"] for row in response.json()] == ids, query
        assert "X-Total" in response.headers
        assert all(set(row) == PIPELINE | {"iid", "name"} for row in response.json())
    assert client.get("pipelines?status=nonsense").status_code == 400
    record = client.get("pipelines/100").json()
    assert set(record) > PIPELINE and record["user"]["username"] == "mia"
