# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test job tokens: their lifetime, the routes and projects that accept them, and the list of allowed agents."""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.simulator import agents
from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError

from .support import Client, scenario

TOKEN = "glcbt-it"


def load(
    simulator: Simulator,
    *,
    version: str = "19.2",
    allow: list[t.Any] | None = None,
    job: dict[str, t.Any] | None = None,
    **project: t.Any,
) -> Client:
    """Return a client with the token of a running job. Project 8 has a finished job 2000 with artifacts."""
    world = scenario({"name": "a", "duration": 100, "environment": "review/one", **(job or {})}, **project)
    world["tokens"].append({"token": TOKEN, "kind": "job", "job": "a"})
    world["projects"].append(
        {"path": "top/sub/other", "id": 8, "members": {"mia": "owner"}, "job_token_allowlist": allow or []}
    )
    built = {"name": "b", "id": 2000, "status": "success", "artifacts": {"files": {"x": "x"}}}
    world["pipelines"].append({"id": 200, "project": "top/sub/other", "jobs": [built]})
    simulator.load(world, version=version)
    simulator.advance(1)
    client = Client(simulator, None)
    client.session.headers["JOB-TOKEN"] = TOKEN
    return client


class TestLifetime:
    @pytest.mark.parametrize(
        ("status", "answer"),
        [("pending", 401), ("running", 200), ("canceling", 200), ("success", 401), ("failed", 401), ("canceled", 401)],
    )
    def test_token_is_valid_only_while_its_job_runs(self, simulator: Simulator, status: str, answer: int) -> None:
        client = load(simulator)
        simulator.set_job("a", status=status)
        assert client.get("/job").status_code == answer
        # An expired token is not treated like a missing one.
        assert client.get("pipelines/100/jobs").status_code == answer

    def test_token_of_an_erased_job_is_refused(self, simulator: Simulator) -> None:
        client = load(simulator)
        simulator.set_job("a", erased_at=0.5)
        assert client.get("/job").status_code == 401

    def test_token_of_a_project_pending_deletion_is_refused(self, simulator: Simulator) -> None:
        assert load(simulator, pending_deletion=True).get("/job").status_code == 401

    def test_token_of_a_job_without_a_user_is_refused(self, simulator: Simulator) -> None:
        client = load(simulator)
        simulator.set_job("a", user=None)
        assert client.get("/job").status_code == 401

    def test_token_belongs_to_the_new_attempt_after_a_retry(self, simulator: Simulator) -> None:
        client = load(simulator)
        simulator.set_job("a", status="failed")
        Client(simulator).post("jobs/1000/retry")
        simulator.advance(1)
        assert client.get("/job").json()["id"] == simulator.job("a")["id"] != 1000


ROUTES = [
    # path, first version that accepts job tokens, status before that: the header is ignored, so requests are anonymous
    ("jobs", "18.5", 401),
    ("pipelines/100/jobs", "18.5", 404),
    ("pipelines/100/bridges", "19.2", 404),
    ("pipelines", "19.2", 404),
    ("pipelines/100", "19.2", 404),
    ("repository/commits/main", "18.5", 404),
    ("/job", "13.10", 404),
    ("/job/allowed_agents", "13.11", 404),
    ("/projects/8/jobs/2000/artifacts", "11.0", None),
    ("/projects/8/jobs/2000/artifacts/x", "11.0", None),
    ("/projects/8/jobs/artifacts/main/download?job=b", "11.0", None),
    ("/projects/8/jobs/artifacts/main/raw/x?job=b", "11.5", 401),
    ("/projects/8/jobs/2000/artifacts/tree", "18.8", None),
]


class TestRoutes:
    @pytest.mark.parametrize("version", ["11.0", "11.11", "13.12", "15.9", "17.11", "18.10", "19.2"])
    @pytest.mark.parametrize(("path", "since", "before"), ROUTES)
    def test_routes_accept_job_tokens_since_their_version(
        self, simulator: Simulator, path: str, since: str, before: int | None, version: str
    ) -> None:
        client = load(simulator, version=version, allow=["group/app"])
        old, new = (tuple(map(int, one.split("."))) for one in (version, since))
        if old >= new:
            assert client.get(path).status_code == 200
        elif before is not None:
            assert client.get(path).status_code in (before, 404)

    def test_trigger_jobs_route_accepts_job_tokens(self, simulator: Simulator) -> None:
        assert load(simulator).get("pipelines/100/trigger_jobs").json() == []

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "jobs/1000"),
            ("GET", "jobs/1000/trace"),
            ("POST", "jobs/1000/cancel"),
            ("POST", "jobs/1000/retry"),
            ("POST", "jobs/1000/erase"),
            ("POST", "jobs/1000/play"),
            ("POST", "jobs/1000/artifacts/keep"),
            ("DELETE", "jobs/1000/artifacts"),
            ("DELETE", "artifacts"),
            ("POST", "pipeline?ref=main"),
            ("POST", "pipelines/100/retry"),
            ("POST", "pipelines/100/cancel"),
        ],
    )
    def test_other_routes_ignore_job_tokens(self, simulator: Simulator, method: str, path: str) -> None:
        client = load(simulator)
        assert client.call(method, path).json() == {"message": "401 Unauthorized"}
        assert simulator.effects() == []

    def test_other_routes_refuse_job_tokens_as_bearer_tokens(self, simulator: Simulator) -> None:
        load(simulator)
        client = Client(simulator, None)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("jobs/1000", headers=headers).status_code == 401
        assert client.get("pipelines/100/jobs", headers=headers).status_code == 200

    @pytest.mark.parametrize("path", ["jobs", "jobs/1000", "/job", "/user"])
    def test_job_token_is_not_accepted_as_private_token(self, simulator: Simulator, path: str) -> None:
        load(simulator)
        assert Client(simulator, TOKEN).get(path).status_code == 401
        # Routes that allow anonymous access ignore the token.
        load(simulator, visibility="public")
        assert Client(simulator, TOKEN).get("pipelines/100/jobs").status_code == 200


class TestAllowLists:
    DENIED = "403 Forbidden - Authentication by CI/CD job token not allowed from app to other."
    LACKING = (
        "403 Forbidden - Insufficient permissions to access this resource in project top/sub/other. "
        "The following token permission is required: read_jobs."
    )

    @pytest.mark.parametrize("path", ["jobs/2000/artifacts", "jobs", "pipelines/200/jobs"])
    @pytest.mark.parametrize("allow", [["group/app"], ["group"], [{"project": "group/app", "policies": ["read_jobs"]}]])
    def test_listed_projects_have_access(self, simulator: Simulator, path: str, allow: list[t.Any]) -> None:
        assert load(simulator, allow=allow).get(f"/projects/8/{path}").status_code == 200

    @pytest.mark.parametrize(
        ("version", "status", "text"),
        [("19.2", 403, DENIED), ("15.9", 403, DENIED), ("13.12", 404, "404 Project Not Found")],
    )
    @pytest.mark.parametrize("allow", [[], ["group/ap"], ["group/app/more"]])
    def test_unlisted_projects_are_denied(
        self, simulator: Simulator, allow: list[t.Any], version: str, status: int, text: str
    ) -> None:
        response = load(simulator, version=version, allow=allow).get("/projects/8/jobs/2000/artifacts")
        assert (response.status_code, response.json()) == (status, {"message": text})

    def test_listed_projects_still_require_membership(self, simulator: Simulator) -> None:
        client = load(simulator, allow=["group/app"], job={"user": "dev"})
        assert client.get("/projects/8/jobs/2000/artifacts").json() == {"message": self.DENIED}
        assert client.get("/projects/99/jobs/2000/artifacts").status_code == 404

    def test_missing_policy_of_a_listed_project_is_reported(self, simulator: Simulator) -> None:
        allow = [{"project": "group/app", "policies": ["read_packages"]}, "group"]
        response = load(simulator, allow=allow).get("/projects/8/jobs/2000/artifacts")
        assert (response.status_code, response.json()) == (403, {"message": self.LACKING})
        assert load(simulator, version="17.11", allow=allow).get("/projects/8/jobs/2000/artifacts").ok


class TestOtherProjects:
    """What a job may read in other projects: through an allowlist entry, or because the project is public."""

    def client(self, simulator: Simulator, allow: list[t.Any], version: str = "19.2", **target: t.Any) -> Client:
        world = scenario({"name": "a", "duration": 100, "user": "rob"})
        world["tokens"].append({"token": TOKEN, "kind": "job", "job": "a"})
        world["projects"].append({"path": "top/other", "id": 8, "job_token_allowlist": allow, **target})
        built = {
            "name": "b",
            "id": 2000,
            "status": "success",
            "artifacts": {"files": {"x": "x"}},
            "environment": "live",
        }
        world["pipelines"].append({"id": 200, "project": "top/other", "jobs": [built]})
        simulator.load(world, version=version)
        simulator.advance(1)
        client = Client(simulator, None)
        client.session.headers["JOB-TOKEN"] = TOKEN
        return client

    @pytest.mark.parametrize("visibility", ["public", "internal"])
    @pytest.mark.parametrize(
        ("path", "status"),
        [("jobs/2000/artifacts", 200), ("jobs/2000/artifacts/x", 200), ("jobs/artifacts/main/download?job=b", 200),
         ("deployments", 200), ("environments", 200), ("repository/commits/main", 200), ("pipelines", 403),
         ("pipelines/200/jobs", 403), ("jobs", 403)],
    )  # fmt: skip
    def test_public_projects_are_partly_readable_without_an_entry(
        self, simulator: Simulator, visibility: str, path: str, status: int
    ) -> None:
        response = self.client(simulator, [], visibility=visibility).get(f"/projects/8/{path}")
        assert response.status_code == status

    @pytest.mark.parametrize(
        ("more", "status"), [({"version": "15.9"}, 403), ({"public_builds": False}, 403), ({}, 200)]
    )
    def test_artifacts_follow_the_visibility_of_pipelines(
        self, simulator: Simulator, more: dict[str, t.Any], status: int
    ) -> None:
        client = self.client(simulator, [], visibility="public", **more)
        assert client.get("/projects/8/jobs/2000/artifacts").status_code == status

    @pytest.mark.parametrize(
        ("path", "policy"),
        [
            ("pipelines", "read_pipelines"),
            ("pipelines/200", "read_pipelines"),
            ("pipelines/200/bridges", "read_pipelines"),
            ("pipelines/200/jobs", "read_jobs"),
            ("jobs/2000/artifacts", "read_jobs"),
            ("deployments", "read_deployments"),
            ("environments", "read_environments"),
            ("repository/commits/main", "read_repositories"),
        ],
    )  # fmt: skip
    def test_each_route_requires_its_policy(self, simulator: Simulator, path: str, policy: str) -> None:
        entry = {"project": "group/app", "policies": ["read_packages"]}
        lacking = self.client(simulator, [entry], members={"rob": "developer"}).get(f"/projects/8/{path}")
        assert lacking.status_code == 403 and f"is required: {policy}." in lacking.json()["message"]
        entry["policies"] = [policy]
        assert self.client(simulator, [entry], members={"rob": "developer"}).get(f"/projects/8/{path}").ok
        # Some routes do not check the policy if the project is public.
        entry["policies"] = []
        public = self.client(simulator, [entry], members={"rob": "developer"}, visibility="public")
        asks = path.startswith("jobs")
        assert public.get(f"/projects/8/{path}").status_code == (403 if asks else 200)

    def test_job_list_requires_membership(self, simulator: Simulator) -> None:
        client = self.client(simulator, ["group/app"], visibility="public")
        assert client.get("/projects/8/jobs").status_code == 403
        client = self.client(simulator, ["group/app"], visibility="public", members={"rob": "guest"})
        assert client.get("/projects/8/jobs").status_code == 200


class TestAgents:
    AGENTS: t.ClassVar[list[dict[str, t.Any]]] = [
        {"id": 1},
        {"id": 2, "environments": ["review/*"], "configuration": {"default_namespace": "x"}},
        {"id": 3, "environments": ["production", "*/two"]},
        {"id": 4, "config_project": "top/sub/other"},
        {"id": 5, "environments": []},
    ]

    @pytest.mark.parametrize(
        ("environment", "ids"),
        [("review/one", [1, 2, 4]), ("review/two", [1, 2, 3, 4]), ("production", [1, 3, 4]), (None, [1, 4]),
         ("xreview/one", [1, 4])],
    )  # fmt: skip
    def test_agents_are_filtered_by_environment(
        self, simulator: Simulator, environment: str | None, ids: list[int]
    ) -> None:
        client = load(simulator, agents=self.AGENTS, job={"environment": environment})
        record = client.get("/job/allowed_agents").json()
        assert [row["id"] for row in record["allowed_agents"]] == ids
        assert ("environment" in record) == (environment is not None)

    def test_response_has_the_expected_fields(self, simulator: Simulator) -> None:
        record = load(simulator, agents=self.AGENTS).get("/job/allowed_agents").json()
        first, second, fourth = record["allowed_agents"]
        assert first["configuration"] == {}
        assert second["configuration"] == {"default_namespace": "x", "environments": ["review/*"]}
        assert fourth["config_project"] == {
            "id": 8,
            "description": None,
            "name": "other",
            "name_with_namespace": "top / sub / other",
            "path": "other",
            "path_with_namespace": "top/sub/other",
            "created_at": "2025-12-06T12:00:00.000Z",
        }
        assert (record["job"], record["pipeline"]) == ({"id": 1000}, {"id": 100})
        assert record["environment"] == {"tier": "development", "slug": agents.slug("review/one")}

    @pytest.mark.parametrize(("path", "count"), [("group/app", 1), ("a/b/c/app", 3), ("mia/app", 0)])
    def test_project_groups_start_with_the_nearest(self, simulator: Simulator, path: str, count: int) -> None:
        world = scenario({"name": "a", "duration": 100})
        world["tokens"].append({"token": TOKEN, "kind": "job", "job": "a"})
        world["projects"][0]["path"] = world["pipelines"][0]["project"] = path
        simulator.load(world)
        simulator.advance(1)
        record = Client(simulator, None).get("/job/allowed_agents", headers={"JOB-TOKEN": TOKEN}).json()
        ids = [row["id"] for row in record["project"]["groups"]]
        # The nearest group comes first: IDs increase from the top-level group down.
        assert (len(ids), ids) == (count, sorted(ids, reverse=True))

    @pytest.mark.parametrize(
        ("user", "version", "roles"),
        [
            ("olga", "19.2", ["guest", "planner", "reporter", "developer", "maintainer", "owner"]),
            ("dev", "17.11", ["guest", "planner", "reporter", "developer"]),
            ("dev", "15.9", ["guest", "reporter", "developer"]),
            ("gus", "19.2", ["guest"]),
        ],
    )
    def test_roles_in_project_depend_on_user_and_version(
        self, simulator: Simulator, user: str, version: str, roles: list[str]
    ) -> None:
        client = load(simulator, version=version, job={"user": user})
        assert client.get("/job/allowed_agents").json()["user"]["roles_in_project"] == roles

    def test_older_servers_return_full_records(self, simulator: Simulator) -> None:
        record = load(simulator, version="14.10").get("/job/allowed_agents").json()
        assert (record["job"]["name"], record["job"]["status"]) == ("a", "running")
        assert record["pipeline"]["ref"] == "main" and record["project"]["web_url"] and record["user"]["name"] == "Mia"
        assert load(simulator, version="13.10").get("/job/allowed_agents").json() == {"error": "404 Not Found"}

    @pytest.mark.parametrize("row", [{}, {"id": 1, "config_project": "no/where"}, {"id": 1, "name": "x"}])
    def test_invalid_agents_are_refused(self, simulator: Simulator, row: dict[str, t.Any]) -> None:
        with pytest.raises(ScenarioError):
            load(simulator, agents=[row])

    @pytest.mark.parametrize(
        ("name", "tier", "slug"),
        [
            ("production", "production", "production"),
            ("staging-2", "staging", "staging-2"),
            ("Review/Some--Thing", "development", r"review-some-thing-[0-9a-z]{6}"),
            ("1-canary-of-a-very-long-name", "other", r"env-1-canary-of-a-[0-9a-z]{6}"),
        ],
    )
    def test_environment_name_determines_tier_and_slug(self, name: str, tier: str, slug: str) -> None:
        assert agents.tier(name) == tier
        assert re.fullmatch(slug, agents.slug(name))
        assert len(agents.slug(name)) <= 24
