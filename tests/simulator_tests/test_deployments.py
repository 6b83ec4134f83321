# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test deployments: how they follow their jobs, who may approve, the effects of approvals, and refusals."""

from __future__ import annotations

import typing as t

import pytest
import requests

from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError

from .support import Client, scenario

DEPLOY = {"name": "deploy", "environment": "production", "user": "dev", "duration": 10}
RULES = [{"role": "maintainer", "required": 1}, {"group": "release", "members": ["rob", "gus"], "required": 1}]
KEYS = {"pending_approval_count", "approvals", "approval_summary"}


def load(
    simulator: Simulator,
    *jobs: dict[str, t.Any],
    protected: dict[str, t.Any] | None = None,
    edition: str = "premium",
    version: str | None = None,
    **project: t.Any,
) -> Client:
    """Return mia's client for a world whose production environment is protected by `protected`."""
    if protected is not None:
        project["protected_environments"] = {"production": protected}
    world = scenario(*(jobs or (DEPLOY,)), **project)
    world["edition"] = edition
    simulator.load(world, version=version)
    return Client(simulator)


def approve(simulator: Simulator, who: str | None, status: str = "approved", **more: t.Any) -> requests.Response:
    client = Client(simulator, who and f"{who}-token")
    return client.post("deployments/1/approval", json={"status": status, **more})


def state(simulator: Simulator) -> tuple[str, str, int]:
    """Return the status of the job, the status of its deployment, and the number of missing approvals."""
    record = Client(simulator).get("deployments/1").json()
    assert Client(simulator).get("jobs/1000").json()["status"] == record["deployable"]["status"]
    return record["deployable"]["status"], record["status"], record["pending_approval_count"]


class TestFollowing:
    def test_deployment_follows_its_job(self, simulator: Simulator) -> None:
        client = load(simulator)
        seen = []
        for _round in range(3):
            seen.append(client.get("deployments/1").json()["status"])
            simulator.advance(6)
        assert seen == ["created", "running", "success"]

    @pytest.mark.parametrize(
        ("status", "expected"),
        [("created", "created"), ("pending", "created"), ("manual", "blocked"), ("running", "running"),
         ("success", "success"), ("failed", "failed"), ("canceled", "canceled"), ("skipped", "skipped"),
         ("canceling", "created")],
    )  # fmt: skip
    def test_deployment_status_matches_the_job_status(self, simulator: Simulator, status: str, expected: str) -> None:
        client = load(simulator, {**DEPLOY, "status": status})
        (record,) = client.get("deployments").json()
        assert (record["status"], record["deployable"]["id"], record["environment"]["name"]) == (
            expected, 1000, "production",
        )  # fmt: skip

    def test_retry_creates_another_deployment(self, simulator: Simulator) -> None:
        client = load(simulator, {**DEPLOY, "status": "failed"})
        client.post("jobs/1000/retry")
        rows = client.get("deployments").json()
        assert [(row["id"], row["iid"], row["deployable"]["id"]) for row in rows] == [(1, 1, 1000), (2, 2, 1001)]

    def test_job_without_an_environment_has_no_deployment(self, simulator: Simulator) -> None:
        assert load(simulator, {"name": "a"}).get("deployments").json() == []


class TestList:
    @pytest.fixture
    def client(self, simulator: Simulator) -> Client:
        return load(
            simulator,
            {**DEPLOY, "name": "one", "status": "success"},
            {**DEPLOY, "name": "two", "when": "manual"},
            {**DEPLOY, "name": "three", "environment": "staging", "queue": 100},
        )

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", [1, 2, 3]),
            ("sort=desc&per_page=1", [3]),
            ("environment=production", [1, 2]),
            ("environment=prod", []),
            ("status=blocked", [2]),
            ("environment=production&status=blocked&sort=desc", [2]),
            ("updated_after=2026-01-05T12:00:01Z&order_by=updated_at", []),
            ("status=success&order_by=finished_at&finished_after=2026-01-01T00:00:00Z", [1]),
            ("status=success&order_by=finished_at&sort=desc", [1]),
        ],
    )
    def test_filters_return_the_matching_deployments(self, client: Client, query: str, expected: list[int]) -> None:
        assert [row["id"] for row in client.get(f"deployments?{query}").json()] == expected

    @pytest.mark.parametrize(
        ("query", "text"),
        [
            ("updated_after=2026-01-01&finished_after=2026-01-01",
             "Both `updated_at` filter and `finished_at` filter can not be specified"),
            ("updated_after=2026-01-01", "`updated_at` filter requires `updated_at` sort"),
            ("finished_after=2026-01-01&status=success", "`finished_at` filter requires `finished_at` sort."),
            ("order_by=finished_at&status=running", "`finished_at` sort requires `finished_at` filter or a filter with "
             "at least one of the finished statuses."),
            ("finished_after=2026-01-01&order_by=finished_at",
             "`finished_at` filter must be combined with `success` status filter."),
        ],
    )  # fmt: skip
    def test_conflicting_filters_are_refused(self, client: Client, query: str, text: str) -> None:
        response = client.get(f"deployments?{query}")
        assert (response.status_code, response.json()) == (400, {"message": f"400 Bad request - {text}"})

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("updated_after=2026-01-05T12:00:01Z", []),
            ("updated_before=2026-01-05T12:00:01Z&order_by=ref", [1, 2, 3]),
            ("status=success&order_by=finished_at&finished_after=2026-01-01T00:00:00Z", [1]),
            ("order_by=finished_at", "`finished_at` filter and `finished_at` sorting must be paired"),
            ("finished_after=2026-01-01", "`finished_at` filter and `finished_at` sorting must be paired"),
        ],
    )
    def test_filters_have_other_rules_before_16_0(self, simulator: Simulator, query: str, expected: t.Any) -> None:
        job = {**DEPLOY, "name": "one", "status": "success"}
        client = load(simulator, job, *({**DEPLOY, "name": name, "when": "manual"} for name in "xy"), version="15.9")
        answer = client.get(f"deployments?{query}").json()
        if isinstance(expected, str):
            assert answer == {"message": f"400 Bad request - {expected}"}
        else:
            assert [row["id"] for row in answer] == expected

    def test_older_servers_ignore_finished_after(self, simulator: Simulator) -> None:
        client = load(simulator, {**DEPLOY, "name": "one", "status": "success"}, version="13.12")
        assert len(client.get("deployments?finished_after=2027-01-01").json()) == 1

    @pytest.mark.parametrize("query", ["status=x", "order_by=x", "order_by=ref", "sort=x", "updated_after=x"])
    def test_invalid_values_are_refused(self, client: Client, query: str) -> None:
        assert client.get(f"deployments?{query}").status_code == 400

    @pytest.mark.parametrize("path", ["deployments", "deployments/1"])
    @pytest.mark.parametrize(("who", "status"), [("rob", 200), ("gus", 403), ("eve", 404), (None, 401)])
    def test_reading_deployments_requires_a_reporter(
        self, simulator: Simulator, client: Client, path: str, who: str | None, status: int
    ) -> None:
        assert Client(simulator, who and f"{who}-token").get(path).status_code == status

    def test_list_does_not_contain_approvals(self, client: Client) -> None:
        assert not KEYS & client.get("deployments").json()[0].keys()
        assert client.get("deployments/1").json().keys() >= KEYS


class TestApproval:
    def test_job_is_playable_after_all_rules_are_satisfied(self, simulator: Simulator) -> None:
        client = load(simulator, protected={"rules": RULES})
        assert state(simulator) == ("manual", "blocked", 2)
        refused = client.post("jobs/1000/play")
        assert (refused.status_code, "Unplayable Job" in refused.text) == (400, True)
        assert client.post("jobs/1000/retry").status_code == 403
        response = approve(simulator, "mia", comment="fine")
        assert response.status_code == 201
        assert (response.json()["status"], response.json()["comment"]) == ("approved", "fine")
        assert state(simulator)[2] == 1
        assert approve(simulator, "rob").status_code == 201
        # With rules, the server waits until the job is played.
        assert state(simulator) == ("manual", "blocked", 0)
        assert client.post("jobs/1000/play").json()["status"] == "pending"
        simulator.advance(60)
        assert state(simulator) == ("success", "success", 0)
        assert [(row["action"], row["user"]) for row in simulator.effects()] == [
            ("approve", "mia"), ("approve", "rob"), ("play", "mia"),
        ]  # fmt: skip

    def test_approval_summary_lists_the_rules(self, simulator: Simulator) -> None:
        load(simulator, protected={"rules": [*RULES, {"user": "olga"}]})
        approve(simulator, "mia")
        rules = Client(simulator).get("deployments/1").json()["approval_summary"]["rules"]
        shown = [(r["user_id"], r["group_id"], r["access_level"], r["access_level_description"]) for r in rules]
        assert shown == [(None, None, 40, "Maintainers"), (None, 2002, None, "release"), (2, None, None, "Olga")]
        assert [len(rule["deployment_approvals"]) for rule in rules] == [1, 0, 0]

    @pytest.mark.parametrize(
        ("protected", "started"),
        [
            ({"rules": RULES[:1], "starts_itself": True}, True),
            ({"rules": RULES[:1]}, False),
            ({"required_approvals": 1}, True),
            ({"required_approvals": 1, "starts_itself": False}, False),
        ],
    )
    def test_last_approval_starts_the_job_if_configured(
        self, simulator: Simulator, protected: dict[str, t.Any], started: bool
    ) -> None:
        load(simulator, protected=protected)
        approve(simulator, "mia")
        assert state(simulator) == (("pending", "created", 0) if started else ("manual", "blocked", 0))
        simulator.advance(60)
        assert state(simulator)[0] == ("success" if started else "manual")

    def test_rejection_fails_the_job(self, simulator: Simulator) -> None:
        client = load(simulator, protected={"rules": RULES})
        approve(simulator, "mia")
        assert approve(simulator, "gus", "rejected").status_code == 403
        assert approve(simulator, "rob", "rejected", comment="no").json()["status"] == "rejected"
        record = client.get("jobs/1000").json()
        assert (record["status"], record["failure_reason"]) == ("failed", "deployment_rejected")
        assert client.post("jobs/1000/retry").status_code == 403
        assert [row["action"] for row in simulator.effects()] == ["approve", "reject"]

    def test_second_approval_is_ignored_and_rejection_replaces_it(self, simulator: Simulator) -> None:
        load(simulator, protected={"rules": RULES})
        approve(simulator, "mia", comment="first")
        assert approve(simulator, "mia", comment="second").json()["comment"] == "first"
        assert len(simulator.effects()) == 1
        assert approve(simulator, "mia", "rejected", comment="third").json()["comment"] == "third"
        assert len(Client(simulator).get("deployments/1").json()["approvals"]) == 1

    def test_rule_can_require_several_users(self, simulator: Simulator) -> None:
        load(simulator, protected={"rules": [{"role": "maintainer", "required": 2}]})
        approve(simulator, "mia")
        approve(simulator, "mia")
        assert state(simulator)[2] == 1
        approve(simulator, "olga")
        assert state(simulator)[2] == 0

    @pytest.mark.parametrize(("as_whom", "missing"), [("Maintainer", 1), ("release", 1), (None, 1)])
    def test_approval_counts_for_only_one_rule(self, simulator: Simulator, as_whom: str | None, missing: int) -> None:
        rules = [RULES[0], {"group": "release", "members": ["mia"]}]
        load(simulator, protected={"rules": rules})
        approve(simulator, "mia", **({"represented_as": as_whom} if as_whom else {}))
        assert state(simulator)[2] == missing

    @pytest.mark.parametrize(("version", "status"), [("19.2", 201), ("16.5", 401)])
    def test_job_token_can_approve_on_newer_servers(self, simulator: Simulator, version: str, status: int) -> None:
        world = scenario(
            DEPLOY,
            {"name": "ask", "status": "running", "duration": 99, "user": "mia", "needs": []},
            protected_environments={"production": {"rules": RULES[:1]}},
        )
        world["tokens"].append({"token": "glcbt-ask", "kind": "job", "job": "ask"})
        simulator.load(world, version=version)
        client = Client(simulator, None)
        answer = client.post("deployments/1/approval", json={"status": "approved"}, headers={"JOB-TOKEN": "glcbt-ask"})
        assert answer.status_code == status
        assert [effect["user"] for effect in simulator.effects()] == (["mia"] if status == 201 else [])

    def test_approval_by_another_user_is_not_an_effect(self, simulator: Simulator) -> None:
        load(simulator, protected={"rules": RULES, "starts_itself": True})
        simulator.act_as_somebody_else("approve", "deploy")
        assert state(simulator) == ("pending", "created", 0)
        # Only actions of the tested client count as effects, not those of others.
        assert simulator.effects() == []

    def test_deployment_approval_key_of_a_job_still_works(self, simulator: Simulator) -> None:
        load(simulator, {**DEPLOY, "deployment": {"approval": "waiting"}})
        assert state(simulator) == ("manual", "blocked", 1)
        assert approve(simulator, "mia").status_code == 201
        assert state(simulator) == ("pending", "created", 0)


class TestRefusals:
    def check(self, response: requests.Response, status: int, text: str) -> None:
        assert (response.status_code, response.json()) == (status, {"message": text})

    def test_access_is_checked_before_the_approval(self, simulator: Simulator) -> None:
        load(simulator, protected={"rules": RULES})
        self.check(approve(simulator, None), 401, "401 Unauthorized")
        self.check(approve(simulator, "eve"), 404, "404 Project Not Found")
        self.check(approve(simulator, "gus"), 403, "403 Forbidden")
        assert approve(simulator, "mia", "maybe").json() == {"error": "status does not have a valid value"}
        unknown = Client(simulator).post("deployments/9/approval", json={"status": "approved"})
        self.check(unknown, 404, "404 Not found")
        assert simulator.effects() == []

    @pytest.mark.parametrize(
        ("protected", "who", "more", "text"),
        [
            (None, "mia", {}, "This environment is not protected."),
            ({"rules": RULES}, "dev", {}, "You cannot approve your own deployment. "
             "This configuration can be adjusted in the protected environment settings."),
            ({}, "mia", {}, "Deployment approvals is not configured for this environment."),
            ({"rules": RULES[1:]}, "mia", {}, "You don't have permission to approve this deployment. "
             "Contact the project or group owner for help."),
            ({"rules": RULES}, "mia", {"represented_as": "Owner"}, "There are no approval rules for the given "
             "`represent_as` parameter. Use a valid User/Group/Role name instead."),
        ],
    )  # fmt: skip
    def test_refused_approval_has_the_message_of_gitlab(
        self, simulator: Simulator, protected: dict[str, t.Any] | None, who: str, more: dict[str, str], text: str
    ) -> None:
        load(simulator, protected=protected)
        self.check(approve(simulator, who, **more), 400, text)
        assert simulator.effects() == []

    def test_own_deployment_can_be_rejected_or_self_approved(self, simulator: Simulator) -> None:
        rules = [{"role": "developer"}]
        load(simulator, protected={"rules": rules, "self_approval": True})
        assert approve(simulator, "dev").status_code == 201
        load(simulator, protected={"rules": rules})
        assert approve(simulator, "dev", "rejected").status_code == 201

    def test_deployment_that_does_not_wait_is_refused(self, simulator: Simulator) -> None:
        text = "This deployment is not waiting for approvals."
        load(simulator, {"name": "first", "stage": "one"}, {**DEPLOY, "stage": "two"}, protected={"rules": RULES})
        self.check(approve(simulator, "mia"), 400, text)
        load(simulator, protected={"rules": RULES[:1]})
        approve(simulator, "mia")
        self.check(approve(simulator, "olga"), 400, text)

    def test_free_edition_has_no_approvals(self, simulator: Simulator) -> None:
        client = load(simulator, protected={"rules": RULES}, edition="free")
        self.check(approve(simulator, "mia"), 400, "This environment is not protected.")
        record = client.get("deployments/1").json()
        assert [record[key] for key in sorted(KEYS)] == [{"rules": []}, [], 0]

    @pytest.mark.parametrize(("edition", "version"), [("ce", "18.10"), ("premium", "13.12")])
    def test_approval_route_requires_edition_and_version(
        self, simulator: Simulator, edition: str, version: str
    ) -> None:
        client = load(simulator, protected={"rules": RULES}, edition=edition, version=version)
        for who in ("mia", None):
            assert approve(simulator, who).json() == {"error": "404 Not Found"}
        assert not KEYS & client.get("deployments/1").json().keys()

    @pytest.mark.parametrize(
        "rule", [{}, {"user": "nobody"}, {"user": "mia", "role": "owner"}, {"role": "boss"}, {"required": 1}]
    )
    def test_invalid_approval_rules_are_refused(self, simulator: Simulator, rule: dict[str, t.Any]) -> None:
        with pytest.raises(ScenarioError):
            load(simulator, protected={"rules": [rule]})


class TestEnvironments:
    def test_environments_are_filtered_and_shown(self, simulator: Simulator) -> None:
        client = load(simulator, DEPLOY, {**DEPLOY, "name": "b", "environment": "staging"})
        simulator.advance(60)
        for query, names in {
            "": ["production", "staging"],
            "?name=staging": ["staging"],
            "?search=prod": ["production"],
            "?states=stopped": [],
        }.items():
            assert [row["name"] for row in client.get(f"environments{query}").json()] == names
        short = client.get("environments?search=pr").json()
        assert short == {"message": "400 Bad request - Search query is less than 3 characters"}
        assert client.get("environments?search=prod&name=x").json() == {"error": "name, search cannot be used together"}
        record = client.get("environments/1").json()
        assert (record["tier"], record["last_deployment"]["id"]) == ("production", 1)
        # the list contains the project, the single environment contains the deployment, and neither contains the other
        assert "project" not in record and "environment" not in record["last_deployment"]
        assert all("project" in row and "last_deployment" not in row for row in client.get("environments").json())
        assert client.get("environments/9").status_code == 404

    @pytest.mark.parametrize(("who", "status"), [("rob", 200), ("gus", 403), ("eve", 404), (None, 401)])
    def test_reading_environments_requires_a_reporter(self, simulator: Simulator, who: str | None, status: int) -> None:
        load(simulator)
        assert Client(simulator, who and f"{who}-token").get("environments").status_code == status

    @pytest.mark.parametrize("path", ["environments", "environments/1"])
    def test_public_environments_require_a_token(self, simulator: Simulator, path: str) -> None:
        load(simulator, visibility="public")
        assert Client(simulator, None).get(path).status_code == 401
        assert Client(simulator, "eve-token").get(path).status_code == 200

    def test_freeze_periods_are_listed_and_shown(self, simulator: Simulator) -> None:
        period = {"freeze_start": "0 23 * * 5", "freeze_end": "0 8 * * 1"}
        client = load(simulator, DEPLOY, freeze_periods=[period], edition="ce")
        (row,) = client.get("freeze_periods").json()
        assert (row["id"], row["freeze_start"], row["cron_timezone"]) == (1, "0 23 * * 5", "UTC")
        assert client.get("freeze_periods/1").json() == row
        assert client.get("freeze_periods/2").status_code == 404
