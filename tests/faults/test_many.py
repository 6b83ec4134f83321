# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test many jobs that are refused or in doubt at once: each ends as it would alone, and one read serves all."""

from __future__ import annotations

import collections
import re
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.writes import sending

from tests.integration.harness import ACTION, Result, run_task, world

Row = dict[str, t.Any]

# Two batches, each sent before a read, in a pipeline of two pages.
MANY, BATCH, BATCHES, PAGES = 12, 8, 2, 2
SELECTION: Row = {"project": "group/app", "pipeline_id": 100, "name": ["bad *"], "multiple": "all"}
ARTIFACTS: Row = {"files": {"a.txt": "a"}, "when": "always", "expire_in": 360000}
JOBS: dict[str, Row] = {
    "play": {"when": "manual", "duration": 3600},
    "retry": {"status": "failed", "duration": 3600},
    "cancel": {"status": "running", "outcome": "hang"},
    "erase": {"status": "success"},
    "keep_artifacts": {"status": "success", "artifacts": ARTIFACTS},
    "delete_artifacts": {"status": "success", "artifacts": ARTIFACTS},
}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MAX_PER_READ", BATCH)
    # the pauses are random, and the machine may be slow
    monkeypatch.setattr(sending, "LONGEST_ROUND_SECONDS", 600.0)


def refusal(status: int, text: str) -> Row:
    return {"kind": "status", "status": status, "effect": "before", "body": {"message": text}}


# The fault of each job, how often it strikes, and the number of reads per batch.
FAULTS: dict[str, tuple[Row, int, int]] = {
    "nothing": ({}, 0, 0),
    "403": (refusal(403, "403 Forbidden"), 9, 1),
    "403 with a reason": (refusal(403, "403 Forbidden - Job is not retryable"), 9, 1),
    "400": (refusal(400, "400 Bad request"), 9, 1),
    "404": (refusal(404, "404 Not found"), 9, 1),
    "405": (refusal(405, "405 Method Not Allowed"), 9, 0),
    "409": (refusal(409, "409 Conflict: Resource lock"), 1, 1),
    "502 before": ({"kind": "html", "status": 502, "effect": "before"}, 1, 1),
    "502 after": ({"kind": "html", "status": 502, "effect": "after"}, 1, 1),
    "lost after": ({"kind": "close_after"}, 1, 1),
    "502 each time": ({"kind": "html", "status": 502, "effect": "before"}, 9, 3),
}


def run(simulator: t.Any, action: str, fault: str, count: int, **options: t.Any) -> tuple[Result, collections.Counter]:
    """Return the result of an action on this number of jobs with a fault, and the requests by endpoint."""
    rule, times, _reads = FAULTS[fault]
    good = PAGES * 100 - 50 - count
    jobs = [{**JOBS[action], "name": f"bad {number}", "id": 5000 + number} for number in range(count)]
    simulator.load(world({"generate": {"count": good, "name": "good {n}", "status": "success"}}, *jobs))
    for number in range(count if times else 0):
        simulator.inject(**rule, path=f"/jobs/{5000 + number}/", method=_method(action), times=times)
    options = {"api_retries": 2, "log_lines": 0, **SELECTION, **options}
    result = run_task(simulator, ACTION, action=action, **options)
    requests = collections.Counter(request["endpoint"] or request["method"] for request in simulator.requests())
    return result, requests


def _method(action: str) -> str:
    return "DELETE" if action == "delete_artifacts" else "POST"


def comparable(row: Row) -> Row:
    """Return the result of a job without its own IDs and name, and without its progress."""
    text = re.sub(r"job \d+|jobs/\d+|request id \w+", "its own", row["reason"])
    return {"outcome": row["outcome"], "reason": text, "is_new": row["before"]["id"] != row["after"]["id"]}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("action", "concurrency"), [*((action, 8) for action in JOBS), ("retry", 1)])
def test_each_of_many_jobs_ends_as_it_would_alone(simulator: t.Any, action: str, fault: str, concurrency: int) -> None:
    alone, _requests = run(simulator, action, fault, 1)
    single_effects = len(simulator.effects())
    many, requests = run(simulator, action, fault, MANY, api_concurrency=concurrency)

    assert [comparable(row) for row in many["results"]] == [comparable(alone["results"][0])] * MANY
    assert many.changed == alone.changed
    effects = collections.Counter(effect["name"] for effect in simulator.effects())
    assert len(effects) == MANY * single_effects
    assert set(effects.values()) <= {1}

    # the response to this request does not contain the job
    is_seen = action == "delete_artifacts" and fault in ("nothing", "409", "502 before")
    reads = FAULTS[fault][2] + is_seen
    assert requests["list_pipeline_jobs"] == PAGES * (1 + BATCHES * reads)
    assert requests["get_job"] == 0
    assert requests["get_project"] <= concurrency * BATCHES


def test_attempts_of_many_jobs_are_counted_together(simulator: t.Any) -> None:
    jobs = [{"name": f"bad {number}", "status": "failed", "outcome": "failed", "retried": 1} for number in range(MANY)]
    simulator.load(world({"generate": {"count": 90, "name": "good {n}", "status": "success"}}, *jobs))
    result = run_task(
        simulator, ACTION, action="retry", wait=True, wait_timeout=900.0, max_attempts=3, log_lines=0, **SELECTION
    )
    assert len(simulator.effects()) == MANY
    assert {row["reason"].partition("; ")[2] for row in result["results"]} == {
        "this was the last of 3 attempts (max_attempts)"
    }
    counted = [request for request in simulator.requests() if "include_retried" in str(request["query"])]
    # before the retries, and when the jobs have failed again
    assert len(counted) <= 2 * PAGES


def test_deployments_of_many_jobs_are_listed_once(simulator: t.Any) -> None:
    job = {"when": "manual", "allow_failure": False, "environment": "production"}
    scenario = world({"generate": {**job, "count": MANY, "name": "bad {n}"}})
    scenario["projects"][0]["protected_environments"] = {"production": {"rules": [{"user": "bob", "required": 1}]}}
    simulator.load(scenario)
    result = run_task(simulator, ACTION, action="play", api_concurrency=1, **SELECTION)
    assert simulator.effects() == []
    assert all("waits for approvals: 1 of" in row["reason"] for row in result["results"])
    requests = collections.Counter(request["endpoint"] for request in simulator.requests())
    # the list once, and each deployment, because only the deployment itself shows its approvals
    assert (requests["list_deployments"], requests["get_deployment"]) == (1, MANY)
