# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test errors: their format, their precedence, project paths, limits, and the log."""

from __future__ import annotations

import json
import typing as t

import pytest
import requests

from tests.simulator.fixture import Simulator

from .support import PROJECT, Client, scenario

UNAUTHORIZED = (401, {"message": "401 Unauthorized"})
NO_PROJECT = (404, {"message": "404 Project Not Found"})
NO_RECORD = (404, {"message": "404 Not found"})
NO_ROUTE = (404, {"error": "404 Not Found"})
DENIED = (403, {"message": "403 Forbidden"})


def outcome(response: requests.Response) -> tuple[int, t.Any]:
    return response.status_code, response.json()


@pytest.fixture
def client(simulator: Simulator) -> Client:
    simulator.load(scenario({"name": "a", "when": "manual"}, visibility="public"))
    return Client(simulator)


class TestShapes:
    @pytest.mark.parametrize(
        ("method", "path", "expected"),
        [
            ("GET", "/nonsense", NO_ROUTE),
            ("GET", "/projects/group/app/jobs", NO_ROUTE),
            ("GET", "jobs/9999", NO_RECORD),
            ("GET", "pipelines/9999/jobs", NO_RECORD),
            ("GET", "jobs/abc", (400, {"error": "job_id is invalid"})),
            ("GET", "jobs/-1", NO_RECORD),
            ("GET", "jobs/²", (400, {"error": "job_id is invalid"})),
            ("GET", "jobs/１０００", (400, {"error": "job_id is invalid"})),
            ("GET", "jobs?per_page=１", (400, {"error": "per_page is invalid"})),
            ("GET", "pipelines/abc/jobs", (400, {"error": "pipeline_id is invalid"})),
            ("POST", "jobs", (405, {"error": "405 Not Allowed"})),
            ("GET", "jobs/1000/play", (405, {"error": "405 Not Allowed"})),
            ("GET", "pipelines/100/trigger_jobs", NO_ROUTE),
            ("POST", "jobs/9999/play", NO_RECORD),
        ],
    )
    def test_errors_have_the_status_and_body_of_gitlab(
        self, client: Client, method: str, path: str, expected: tuple[int, t.Any]
    ) -> None:
        assert outcome(client.call(method, path)) == expected

    def test_every_answer_has_a_request_id(self, client: Client) -> None:
        ids = [client.get(path).headers["X-Request-Id"] for path in ("jobs", "/nonsense", "jobs/9999")]
        assert len(set(ids)) == 3

    def test_invalid_request_bodies_are_refused(self, client: Client) -> None:
        broken = client.post("jobs/1000/play", data="{", headers={"Content-Type": "application/json"})
        assert broken.status_code == 400 and "error" in broken.json()
        unsupported = client.post("jobs/1000/play", data="x", headers={"Content-Type": "text/csv"})
        assert unsupported.status_code == 415

    def test_variables_are_read_from_json_and_forms(self, client: Client, simulator: Simulator) -> None:
        rows = [{"key": "A", "value": "1"}, {"key": "B", "value": "2"}]
        missing = client.post("jobs/1000/play", json={"job_variables_attributes": [rows[0], {"key": "B"}]})
        assert outcome(missing) == (400, {"error": "job_variables_attributes[1][value] is missing"})
        assert simulator.job("a")["status"] == "manual"
        form = [(f"job_variables_attributes[][{name}]", row[name]) for row in rows for name in ("key", "value")]
        assert client.post("jobs/1000/play", data=form).status_code == 200
        assert simulator.job("a")["variables"] == rows

    def test_variables_are_read_from_multipart_forms(self, client: Client, simulator: Simulator) -> None:
        rows = [{"key": "A", "value": "lines\r\nof words \u00e4"}, {"key": "B", "value": ""}]
        form = [(f"job_variables_attributes[][{name}]", (None, row[name])) for row in rows for name in ("key", "value")]
        assert client.post("jobs/1000/play", files=form).status_code == 200
        assert simulator.job("a")["variables"] == rows

    def test_old_servers_ignore_variables(self, client: Client, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a", "when": "manual"}), version="13.12")
        rows = {"job_variables_attributes": [{"key": "A", "value": "1"}]}
        assert client.post("jobs/1000/play", json=rows).status_code == 200
        assert simulator.job("a")["variables"] == []

    def test_very_old_servers_word_unplayable_differently(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a"}), version="11.11")
        text = Client(simulator).post("jobs/1000/play").json()["message"]
        assert text == '400 (Bad request) "Unplayable Job" not given'


class TestOrderOfChecks:
    def test_login_before_parameters(self, simulator: Simulator, client: Client) -> None:
        anonymous = Client(simulator, None)
        assert outcome(anonymous.get("jobs?per_page=0")) == UNAUTHORIZED
        assert anonymous.get("pipelines/100/jobs?per_page=0").status_code == 400

    def test_route_before_login(self, simulator: Simulator, client: Client) -> None:
        assert outcome(Client(simulator, None).get("/nonsense")) == NO_ROUTE

    def test_parameters_before_project(self, client: Client) -> None:
        assert client.get("/projects/99/jobs?scope=x").status_code == 400

    def test_project_before_permission_before_record(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a"}))
        assert outcome(Client(simulator, "eve-token").post("jobs/9999/cancel")) == NO_PROJECT
        assert outcome(Client(simulator, "rob-token").post("jobs/9999/cancel")) == DENIED
        assert outcome(Client(simulator, "dev-token").post("jobs/9999/cancel")) == NO_RECORD

    @pytest.mark.parametrize(("version", "expected"), [("18.10", NO_RECORD), ("15.9", DENIED)])
    @pytest.mark.parametrize("action", ["retry", "erase", "artifacts/keep"])
    def test_record_before_role_from_17_0(
        self, simulator: Simulator, version: str, action: str, expected: tuple[int, t.Any]
    ) -> None:
        simulator.load(scenario({"name": "a"}), version=version)
        assert outcome(Client(simulator, "rob-token").post(f"jobs/9999/{action}")) == expected

    def test_role_before_state(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a"}))
        assert outcome(Client(simulator, "rob-token").post("jobs/1000/play")) == DENIED

    def test_state_before_variables_and_erasable_before_recount(self, simulator: Simulator) -> None:
        project = {"variables_minimum_override_role": "no_one_allowed", "stats_refresh": True}
        simulator.load(scenario({"name": "a", "queue": None}, {"name": "done", "status": "success"}, **project))
        client = Client(simulator)
        rows = {"job_variables_attributes": [{"key": "A", "value": "1"}]}
        assert client.post("jobs/1000/play", json=rows).status_code == 400
        assert client.post("jobs/1000/erase").status_code == 403
        assert client.post("jobs/1001/erase").status_code == 409
        assert client.delete("jobs/1001/artifacts").status_code == 409


class TestProjects:
    @pytest.mark.parametrize(
        ("given", "status", "key"),
        [
            ("7", 200, None),
            ("group%2Fapp", 200, None),
            ("GROUP%2FApp", 200, None),
            ("8", 404, "message"),
            ("-7", 404, "message"),
            ("app", 404, "message"),
            ("group%2Fother", 404, "message"),
            ("group%252Fapp", 404, "message"),
            ("group/app", 404, "error"),
        ],
    )
    def test_project_is_found_by_id_or_path(self, client: Client, given: str, status: int, key: str | None) -> None:
        response = client.get(f"/projects/{given}/jobs")
        assert response.status_code == status
        if key:
            assert list(response.json()) == [key]

    def test_moved_project_redirects_reads_and_refuses_writes(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a", "when": "manual"}, moved_from=["old/app"]))
        client = Client(simulator)
        response = client.get("/projects/old%2Fapp/jobs/1000?x=1")
        assert response.status_code == 301
        assert response.headers["Location"] == f"{simulator.url}/api/v4/projects/7/jobs/1000?x=1"
        assert "moved permanently" in response.text
        refused = client.post("/projects/old%2Fapp/jobs/1000/play")
        assert outcome(refused) == (405, {"message": "Non GET methods are not allowed for moved projects"})
        assert client.call("HEAD", "/projects/old%2Fapp/jobs").status_code == 405
        assert Client(simulator, "eve-token").get("/projects/old%2Fapp/jobs").status_code == 404

    def test_moved_project_is_served_before_16_4(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a"}, moved_from=["old/app"]), version="15.9")
        assert Client(simulator).get("/projects/old%2Fapp/jobs").status_code == 200

    def test_project_pending_deletion_is_not_found(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a"}, pending_deletion=True))
        assert outcome(Client(simulator).get("jobs")) == NO_PROJECT

    def test_job_of_another_project_is_not_found(self, simulator: Simulator) -> None:
        world = scenario({"name": "a"})
        world["projects"].append({"path": "group/b", "id": 8, "members": {"mia": "owner"}})
        simulator.load(world)
        assert outcome(Client(simulator).get("/projects/8/jobs/1000")) == NO_RECORD
        assert outcome(Client(simulator).get("/projects/8/pipelines/100/jobs")) == NO_RECORD


class TestLimits:
    def test_job_list_limit_applies_per_user(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a"}, limits={"jobs_list_per_minute": 2}))
        client = Client(simulator)
        # The request counts even if the project does not exist, but not if a parameter is invalid.
        assert client.get("/projects/99/jobs").status_code == 404
        assert client.get("jobs?per_page=0").status_code == 400
        assert client.get("jobs").status_code == 200
        response = client.get("jobs")
        text = "This endpoint has been requested too many times. Try again later."
        assert outcome(response) == (429, {"message": {"error": text}})
        assert "Retry-After" not in response.headers
        assert Client(simulator, "dev-token").get("jobs").status_code == 200
        simulator.advance(60)
        assert client.get("jobs").status_code == 200

    def test_job_list_has_no_limit_before_16_5(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a"}, limits={"jobs_list_per_minute": 1}), version="15.9")
        assert [Client(simulator).get("jobs").status_code for _round in range(3)] == [200] * 3

    @pytest.mark.parametrize(("version", "always"), [("15.9", False), ("18.10", True)])
    def test_throttled_request_gets_the_limit_headers(self, simulator: Simulator, version: str, always: bool) -> None:
        simulator.load(scenario({"name": "a"}, limits={"throttle_per_minute": 1}), version=version)
        client = Client(simulator)
        assert ("RateLimit-Limit" in client.get("jobs").headers) == always
        response = client.post("jobs/1000/play")
        assert (response.status_code, response.text) == (429, "Retry later\n")
        assert response.headers["Content-Type"].startswith("text/plain")
        assert response.headers["Retry-After"] == "60"
        assert response.headers["RateLimit-Remaining"] == "0"
        assert {"RateLimit-ResetTime", "RateLimit-Reset", "RateLimit-Observed"} <= response.headers.keys()

    def test_maintenance_mode_refuses_writes(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a"}, maintenance_mode=True))
        assert Client(simulator).get("jobs").status_code == 200
        assert Client(simulator).post("jobs/1000/play").status_code == 503


class TestLog:
    def test_request_log_contains_no_credentials(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a"}))
        client = Client(simulator)
        client.get("jobs?private_token=secret-one&access_token=secret-two&page=1")
        client.session.headers["Authorization"] = "Bearer secret-three"
        client.session.headers["JOB-TOKEN"] = "secret-four"
        client.session.headers["Cookie"] = "secret-five"
        client.post("jobs/1000/play", json={"job_token": "secret-six", "token": "secret-seven"})
        text = json.dumps(simulator.requests())
        assert "secret" not in text and "mia-token" not in text
        row = simulator.requests()[0]
        assert row["query"] == "private_token=***&access_token=***&page=1"
        assert row["headers"]["private-token"] == "***"

    def test_request_log_contains_each_api_request(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a", "when": "manual"}))
        client = Client(simulator)
        client.get("jobs?page=1")
        simulator.advance(5)
        client.post("jobs/1000/play")
        client.session.get(f"{simulator.url}/_simulator/jobs")
        rows = [(r["method"], r["path"], r["status"], r["user"], r["endpoint"], r["at"]) for r in simulator.requests()]
        assert rows == [
            ("GET", f"/api/v4/projects/{PROJECT}/jobs", 200, "mia", "list_project_jobs", 0),
            ("POST", f"/api/v4/projects/{PROJECT}/jobs/1000/play", 200, "mia", "play_job", 5),
        ]
        assert [row["endpoint"] for row in simulator.writes()] == ["play_job"]
        simulator.clear_logs()
        assert simulator.requests() == simulator.effects() == []
