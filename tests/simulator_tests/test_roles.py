# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test permissions: tokens and their scopes, roles, protected refs and environments, restricted variables."""

from __future__ import annotations

import typing as t

import pytest

from tests.simulator.fixture import Simulator

from .support import Client, scenario

RANK = ("eve", "gus", "rob", "dev", "mia", "olga", "ada")
DENIED = {"message": "403 Forbidden"}


def allowed_from(lowest: str, who: str) -> bool:
    return RANK.index(who) >= RANK.index(lowest)


# Action on another user's job -> required status, least privileged person who may do it.
WRITES = {
    "jobs/1000/cancel": ("running", "dev"),
    "jobs/1000/retry": ("success", "dev"),
    "jobs/1000/play": ("manual", "dev"),
    "jobs/1000/erase": ("success", "mia"),
    "jobs/1000/artifacts/keep": ("success", "dev"),
}


@pytest.mark.parametrize("who", RANK)
@pytest.mark.parametrize("path", WRITES)
def test_job_actions_require_a_role(simulator: Simulator, path: str, who: str) -> None:
    state, lowest = WRITES[path]
    job = {"name": "a", "when": "manual", "status": state, "artifacts": {"files": {"x": "y"}}}
    simulator.load(scenario(job, visibility="internal"))
    response = Client(simulator, f"{who}-token").post(path)
    assert (response.status_code < 300) == allowed_from(lowest, who), response.text
    if not allowed_from(lowest, who):
        assert (response.status_code, response.json()) == (403, DENIED)
        assert simulator.effects() == []


@pytest.mark.parametrize("who", RANK)
@pytest.mark.parametrize("path", ["jobs/1000/artifacts", "artifacts"])
def test_deleting_artifacts_requires_a_maintainer(simulator: Simulator, path: str, who: str) -> None:
    simulator.load(scenario({"name": "a", "status": "success"}, visibility="internal"))
    response = Client(simulator, f"{who}-token").delete(path)
    assert response.status_code == ((204 if "jobs" in path else 202) if allowed_from("mia", who) else 403)


READS = ("jobs", "pipelines/100/jobs", "pipelines/100/bridges", "jobs/1000", "jobs/1000/trace", "pipelines")


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize(
    ("visibility", "public_builds", "lowest", "below"),
    [
        ("private", True, "gus", 404),
        ("private", False, "rob", 403),
        ("internal", True, "eve", 404),
        ("public", True, "eve", 404),
        ("public", False, "rob", 403),
    ],
)
def test_reads_depend_on_visibility_and_role(
    simulator: Simulator, path: str, visibility: str, public_builds: bool, lowest: str, below: int
) -> None:
    simulator.load(scenario({"name": "a"}, visibility=visibility, public_builds=public_builds))
    for who in RANK:
        response = Client(simulator, f"{who}-token").get(path)
        if allowed_from(lowest, who):
            assert response.status_code == 200
        else:
            is_hidden = visibility == "private" and who == "eve"
            assert response.status_code == (404 if is_hidden else below)


@pytest.mark.parametrize(
    ("visibility", "public_builds", "status"),
    [("public", True, 200), ("public", False, 403), ("internal", True, 404), ("private", True, 404)],
)
def test_anonymous_reads_depend_on_visibility(
    simulator: Simulator, visibility: str, public_builds: bool, status: int
) -> None:
    simulator.load(scenario({"name": "a"}, visibility=visibility, public_builds=public_builds))
    anonymous = Client(simulator, None)
    for path in ("pipelines/100/jobs", "pipelines/100/bridges"):
        assert anonymous.get(path).status_code == status
    for path in ("jobs", "jobs/1000", "jobs/1000/trace"):
        assert anonymous.get(path).status_code == 401
    assert anonymous.post("jobs/1000/play").status_code == 401
    assert anonymous.delete("artifacts").status_code == 401


def test_developers_can_erase_only_their_own_jobs(simulator: Simulator) -> None:
    jobs = [{"name": "a", "status": "success", "user": "dev"}, {"name": "b", "status": "success", "user": "mia"}]
    simulator.load(scenario(*jobs))
    developer = Client(simulator, "dev-token")
    assert developer.post("jobs/1000/erase").status_code == 201
    assert developer.post("jobs/1001/erase").status_code == 403
    simulator.load(scenario(*jobs, protected_refs={"main": ["dev"]}))
    assert developer.post("jobs/1000/erase").status_code == 403


def test_protected_ref_limits_who_can_play(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "when": "manual"}, protected_refs={"main": ["dev"]}))
    assert Client(simulator, "olga-token").post("jobs/1000/play").status_code == 403
    assert Client(simulator, "dev-token").post("jobs/1000/play").status_code == 200


def test_protected_environment_limits_who_can_play(simulator: Simulator) -> None:
    job = {"name": "a", "when": "manual", "environment": "production"}
    protected = {"protected_environments": {"production": ["rob"]}, "protected_refs": {"main": ["olga"]}}
    simulator.load(scenario(job, **protected))
    assert Client(simulator, "olga-token").post("jobs/1000/play").status_code == 403
    # A reporter with access to the environment may play the job, whatever the ref.
    assert Client(simulator, "rob-token").post("jobs/1000/play").status_code == 200


def test_archived_project_is_read_only(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "when": "manual"}, archived=True))
    client = Client(simulator)
    assert client.get("jobs/1000").status_code == 200
    assert client.post("jobs/1000/play").status_code == 403
    assert client.delete("jobs/1000/artifacts").status_code == 403


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("no_one_allowed", ()),
        ("developer", ("dev", "mia", "olga")),
        ("maintainer", ("mia", "olga")),
        ("owner", ("olga",)),
    ],
)
def test_variables_require_the_minimum_override_role(simulator: Simulator, role: str, allowed: tuple[str, ...]) -> None:
    rows = {"job_variables_attributes": [{"key": "A", "value": "1"}]}
    # For administrators only their role in the project counts, and ada has none.
    for who in ("dev", "mia", "olga", "ada"):
        simulator.load(scenario({"name": "a", "when": "manual"}, variables_minimum_override_role=role))
        client = Client(simulator, f"{who}-token")
        response = client.post("jobs/1000/play", json=rows)
        assert response.status_code == (200 if who in allowed else 403)
        if who not in allowed:
            assert response.json() == DENIED
            assert simulator.job("a")["status"] == "manual"
            assert client.post("jobs/1000/play", json={"job_variables_attributes": []}).status_code == 200


def test_job_inputs_are_validated(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "when": "manual", "inputs": {"version": {"options": ["1", "2"]}}}))
    client = Client(simulator)
    unknown = client.post("jobs/1000/play", json={"job_inputs": {"verson": "1"}})
    assert unknown.status_code == 400 and "Unknown input" in unknown.json()["message"]
    wrong = client.post("jobs/1000/play", json={"job_inputs": {"version": "3"}})
    assert wrong.status_code == 400 and simulator.job("a")["status"] == "manual"
    assert client.post("jobs/1000/play", json={"job_inputs": {"version": "1"}}).status_code == 200
    simulator.advance(10)
    assert client.post("jobs/1000/retry", json={"inputs": {"version": "3"}}).status_code == 400
    assert client.post("jobs/1000/retry", json={"inputs": {"version": "2"}}).status_code == 201
    assert [effect["inputs"] for effect in simulator.effects()] == [{"version": "1"}, {"version": "2"}]


def test_debug_log_requires_a_developer(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "status": "success", "debug_trace": True}))
    assert Client(simulator, "rob-token").get("jobs/1000/trace").status_code == 403
    assert Client(simulator, "dev-token").get("jobs/1000/trace").status_code == 200


class TestTokens:
    def load(self, simulator: Simulator, *, version: str = "18.10", **token: t.Any) -> Client:
        world = scenario({"name": "a", "when": "manual"}, visibility="public")
        world["tokens"] = [{"token": "it", "user": "mia", **token}]
        simulator.load(world, version=version)
        return Client(simulator, "it")

    @pytest.mark.parametrize("form", ["private-token", "bearer", "private_token", "access_token"])
    def test_token_is_accepted_in_each_form(self, simulator: Simulator, form: str) -> None:
        self.load(simulator)
        client = Client(simulator, None)
        headers = {"private-token": {"PRIVATE-TOKEN": "it"}, "bearer": {"Authorization": "Bearer it"}}.get(form, {})
        params = {form: "it"} if "_" in form else {}
        assert client.get("jobs", headers=headers, params=params).status_code == 200

    @pytest.mark.parametrize(
        ("state", "text"),
        [
            ("expired", "Token is expired. You can either do re-authorization or token refresh."),
            ("revoked", "Token was revoked. You have to re-authorize from the user."),
        ],
    )
    def test_expired_and_revoked_tokens_are_refused(self, simulator: Simulator, state: str, text: str) -> None:
        response = self.load(simulator, state=state).get("jobs")
        assert (response.status_code, response.json()) == (401, {"error": "invalid_token", "error_description": text})
        assert "WWW-Authenticate" in response.headers

    def test_unknown_token_is_refused(self, simulator: Simulator) -> None:
        self.load(simulator)
        response = Client(simulator, "other").get("pipelines/100/jobs")
        assert (response.status_code, response.json()) == (401, {"message": "401 Unauthorized"})

    @pytest.mark.parametrize(
        ("scopes", "reads", "writes"),
        [
            (["api"], 200, 200),
            (["read_api"], 200, 403),
            (["ai_workflows"], 200, 403),
            (["read_user"], 403, 403),
        ],
    )
    def test_scopes_limit_reads_and_writes(
        self, simulator: Simulator, scopes: list[str], reads: int, writes: int
    ) -> None:
        client = self.load(simulator, scopes=scopes)
        assert client.get("jobs").status_code == reads
        response = client.post("jobs/1000/play")
        assert response.status_code == writes
        if writes == 403:
            assert response.json()["error"] == "insufficient_scope"
            assert set(response.json()) == {"error", "error_description", "scope"}

    @pytest.mark.parametrize(
        "path",
        ["jobs/1000", "jobs/1000/trace", "pipelines", "pipelines/100", "pipelines/latest", "pipelines/100/jobs",
         "pipelines/100/bridges", "pipelines/100/variables", "pipelines/100/test_report",
         "pipelines/100/test_report_summary"],
    )  # fmt: skip
    def test_ai_workflows_scope_allows_only_some_routes(self, simulator: Simulator, path: str) -> None:
        client = self.load(simulator, scopes=["ai_workflows"])
        assert client.get(path).status_code == 200
        for other in ("deployments", "environments", "jobs/1000/artifacts", "pipelines/100/retry"):
            answer = client.call("POST" if other.endswith("retry") else "GET", other)
            assert answer.json()["error"] == "insufficient_scope"

    def test_fine_grained_permissions_limit_the_token(self, simulator: Simulator) -> None:
        client = self.load(simulator, permissions=["read_job"])
        assert client.get("jobs/1000").status_code == 200
        response = client.post("jobs/1000/play")
        assert (response.status_code, response.json()["error"]) == (403, "insufficient_granular_scope")

    def test_deploy_token_is_refused(self, simulator: Simulator) -> None:
        assert self.load(simulator, kind="deploy").get("jobs").status_code == 401

    def test_blocked_user_is_refused(self, simulator: Simulator) -> None:
        world = scenario({"name": "a"})
        world["users"][2]["state"] = "blocked"
        simulator.load(world)
        assert Client(simulator).get("jobs").status_code == 403


class TestJobTokens:
    def load(self, simulator: Simulator, *, version: str = "19.2", **project: t.Any) -> Client:
        world = scenario({"name": "a", "duration": 10, "environment": "production"}, **project)
        world["tokens"].append({"token": "glcbt-it", "kind": "job", "job": "a"})
        world["projects"].append({"path": "group/other", "id": 8, "members": {"mia": "owner"}})
        simulator.load(world, version=version)
        simulator.advance(1)
        client = Client(simulator, None)
        client.session.headers["JOB-TOKEN"] = "glcbt-it"
        return client

    @pytest.mark.parametrize("form", ["JOB-TOKEN", "Authorization", "job_token", "token"])
    def test_job_is_read_with_each_form_of_its_token(self, simulator: Simulator, form: str) -> None:
        self.load(simulator)
        client = Client(simulator, None)
        headers = {"JOB-TOKEN": "glcbt-it"} if form == "JOB-TOKEN" else {}
        headers = {"Authorization": "Bearer glcbt-it"} if form == "Authorization" else headers
        params = {form: "glcbt-it"} if form in ("job_token", "token") else {}
        response = client.get("/job", headers=headers, params=params)
        assert (response.status_code, response.json()["id"]) == (200, 1000)

    def test_token_expires_with_its_job(self, simulator: Simulator) -> None:
        client = self.load(simulator)
        assert client.get("/job").status_code == 200
        simulator.advance(100)
        assert client.get("/job").status_code == 401

    def test_other_tokens_have_no_job(self, simulator: Simulator) -> None:
        self.load(simulator)
        assert Client(simulator, None).get("/job").status_code == 401
        response = Client(simulator).get("/job")
        assert (response.status_code, response.json()) == (404, {"message": "404 Job Not Found"})

    def test_only_some_routes_accept_job_tokens(self, simulator: Simulator) -> None:
        client = self.load(simulator)
        assert client.get("jobs").status_code == 200
        assert client.get("pipelines/100/jobs").status_code == 200
        # Other routes ignore the header, so these requests are anonymous.
        assert client.get("jobs/1000").status_code == 401
        assert client.post("jobs/1000/play").status_code == 401
        assert self.load(simulator, version="15.9").get("jobs").status_code == 401
        assert Client(simulator, "glcbt-it").get("pipelines/100/jobs").status_code == 404

    @pytest.mark.parametrize(("version", "status"), [("19.2", 403), ("13.12", 404)])
    def test_other_projects_are_denied(self, simulator: Simulator, version: str, status: int) -> None:
        response = self.load(simulator, version=version).get("/projects/8/jobs/1/artifacts")
        assert response.status_code == status
        if status == 403:
            text = "403 Forbidden - Authentication by CI/CD job token not allowed from app to other."
            assert response.json() == {"message": text}

    def test_allowed_agents_have_the_fields_of_the_version(self, simulator: Simulator) -> None:
        record = self.load(simulator).get("/job/allowed_agents").json()
        assert set(record) == {"allowed_agents", "job", "pipeline", "project", "user", "environment"}
        assert record["user"]["roles_in_project"] == ["guest", "planner", "reporter", "developer", "maintainer"]
        old = self.load(simulator, version="14.10").get("/job/allowed_agents").json()
        assert old["job"]["name"] == "a" and "planner" not in old["user"]["roles_in_project"]
