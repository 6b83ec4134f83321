# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test routes and statuses that a test adds."""

from __future__ import annotations

import pytest

from tests.simulator import errors, routes_jobs
from tests.simulator.call import Call, Reply, json_reply
from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError

from .support import Client, scenario

UNSCHEDULE = "/projects/:id/jobs/:job_id/unschedule"


def unschedule(call: Call) -> Reply:
    job = routes_jobs.find_for_write(call, "play")
    if job.status != "scheduled":
        raise errors.bad_request("Job is not scheduled")
    call.engine.move(job, "manual")
    call.note("unschedule", job)
    return routes_jobs.answer_job(call, job)


class TestRoutes:
    def test_added_route_checks_login_permission_and_record(self, simulator: Simulator) -> None:
        simulator.routes.add("POST", UNSCHEDULE, unschedule, name="unschedule_job", permission="play_job")
        simulator.load(scenario({"name": "a", "when": "delayed", "start_in": 100}))
        client = Client(simulator)
        assert Client(simulator, None).post("jobs/1000/unschedule").status_code == 401
        assert Client(simulator, "rob-token").post("jobs/1000/unschedule").status_code == 403
        assert client.post("jobs/9999/unschedule").status_code == 404
        assert simulator.effects() == []
        response = client.post("jobs/1000/unschedule")
        assert (response.status_code, response.json()["status"]) == (200, "manual")
        assert client.post("jobs/1000/unschedule").json() == {"message": "400 Bad request - Job is not scheduled"}
        (effect,) = simulator.effects()
        assert (effect["action"], effect["job_id"], effect["user"]) == ("unschedule", 1000, "mia")
        assert simulator.writes()[-1]["endpoint"] == "unschedule_job"

    def test_faults_strike_an_added_route(self, simulator: Simulator) -> None:
        simulator.routes.add("POST", UNSCHEDULE, unschedule, name="unschedule_job")
        simulator.load(scenario({"name": "a", "when": "delayed"}))
        simulator.inject("error_500", endpoint="unschedule_job", times=1)
        assert [Client(simulator).post("jobs/1000/unschedule").status_code for _round in range(2)] == [500, 200]

    def test_added_route_replaces_a_built_in_one(self, simulator: Simulator) -> None:
        simulator.routes.add("GET", "/version", lambda call: json_reply({"version": "99.0"}), name="get_version")
        assert Client(simulator).get("/version").status_code == 401
        simulator.load(scenario({"name": "a"}))
        assert Client(simulator).get("/version").json() == {"version": "99.0"}

    def test_added_routes_do_not_leak_into_the_next_test(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a"}))
        assert Client(simulator).post("jobs/1000/unschedule").json() == {"error": "404 Not Found"}


class TestStatuses:
    def test_added_status_behaves_like_its_model(self, simulator: Simulator) -> None:
        simulator.statuses.add("paused", like="manual")
        paused = {"name": "a", "stage": "one", "status": "paused", "when": "manual", "allow_failure": False}
        simulator.load(scenario(paused, {"name": "b", "stage": "two"}))
        client = Client(simulator)
        simulator.advance(100)
        assert client.get("jobs/1000").json()["status"] == "paused"
        assert [row["id"] for row in client.get("jobs?scope=paused").json()] == [1000]
        # It blocks its pipeline like a manual job, and can be played like one.
        assert client.get("pipelines/100").json()["status"] == "manual"
        assert client.get("jobs/1001").json()["status"] == "created"
        assert client.post("jobs/1000/play").json()["status"] == "pending"
        simulator.set_job("b", status="paused")
        assert client.post("jobs/1001/cancel").json()["status"] == "canceled"

    def test_status_is_unknown_until_it_is_added(self, simulator: Simulator) -> None:
        with pytest.raises(ScenarioError, match="unknown value 'paused'"):
            simulator.load(scenario({"name": "a", "status": "paused"}))
        with pytest.raises(ScenarioError, match="did you mean manual"):
            simulator.statuses.add("paused", like="manul")
        simulator.load(scenario({"name": "a"}))
        assert Client(simulator).get("jobs?scope=paused").status_code == 400
