# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test reading pipelines: every filter of the list, the latest of a ref, commits, projects, and automatic retries."""

from __future__ import annotations

import typing as t

import pytest

from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError

from .support import Client, scenario

SHA = "abcdef12" + "0" * 32
TWIN = "abcdef13" + "0" * 32
DENIED = {"message": "403 Forbidden"}


def world(**project: t.Any) -> dict[str, t.Any]:
    """Return six pipelines: 100 main, 101 tag v1, 102 branch v1, 103 skipped, 104 broken, 105 scheduled."""
    made = scenario({"name": "a", "status": "success"}, created_ago=100, **project)
    made["pipelines"] += [
        {"ref": "v1", "tag": True, "user": "dev", "created_ago": 90, "jobs": [{"name": "b", "status": "failed"}]},
        {"ref": "v1", "sha": SHA, "created_ago": 80, "jobs": [{"name": "c", "status": "running", "duration": 99}]},
        {"ref": "main", "status": "skipped", "created_ago": 70},
        {"ref": "main", "yaml_errors": "jobs:a config should implement a script", "created_ago": 60},
        {
            "ref": "main",
            "source": "schedule",
            "name": "Nightly",
            "sha": TWIN,
            "created_ago": 50,
            "jobs": [{"name": "d", "queue": None}],
        },
    ]
    return made


@pytest.fixture
def client(simulator: Simulator) -> Client:
    simulator.load(world())
    return Client(simulator)


def ids(client: Client, query: str) -> list[int]:
    response = client.get(f"pipelines?{query}")
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()]


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", [105, 104, 103, 102, 101, 100]),
            ("scope=branches", [105, 102]),
            ("scope=tags", [101]),
            ("scope=finished", [104, 101, 100]),
            ("scope=running", [102]),
            ("status=skipped", [103]),
            ("status=failed", [104, 101]),
            ("source=schedule", [105]),
            ("source=unknown", []),
            ("ref=v1", [102, 101]),
            ("ref=v1&scope=tags", [101]),
            ("ref=refs/tags/v1", []),
            ("ref=nothing", []),
            (f"sha={SHA}", [102]),
            (f"sha={SHA[:8]}", []),
            ("name=Nightly", [105]),
            ("name=nightly", []),
            ("username=dev", [101]),
            ("username=nobody", []),
            ("yaml_errors=true", [104]),
            ("yaml_errors=false&ref=main", [105, 103, 100]),
            ("ref=&sha=&name=&username=", [105, 104, 103, 102, 101, 100]),
            ("ref=%20%20&status=skipped", [103]),
            ("order_by=status&sort=asc", [101, 104, 105, 102, 103, 100]),
            ("order_by=ref&sort=asc", [100, 103, 104, 105, 101, 102]),
            # dev has ID 4, mia has ID 3; the first user started the others.
            ("order_by=user_id&sort=desc", [101, 100, 105, 104, 103, 102]),
            ("sort=asc&per_page=2", [100, 101]),
            # 101 was created at 11:58:30, 102 ten seconds later: the exact time is excluded.
            ("created_after=2026-01-05T11:58:30Z&created_before=2026-01-05T11:58:50Z", [102]),
            ("created_after=2026-01-05T12:58:40%2B01:00&sort=asc", [103, 104, 105]),
            ("updated_before=2026-01-05T11:58:51Z", [103, 101, 100]),
        ],
    )  # fmt: skip
    def test_filters_return_the_matching_pipelines(self, client: Client, query: str, expected: list[int]) -> None:
        assert ids(client, query) == expected

    @pytest.mark.parametrize(
        "query",
        ["scope=x", "status=x", "status=success,failed", "status[]=failed", "source=x", "sort=x", "order_by=x",
         "yaml_errors=x", "created_after=x", "updated_before=yesterday", "ref[]=a", "per_page=0"],
    )  # fmt: skip
    def test_invalid_values_are_refused(self, client: Client, query: str) -> None:
        response = client.get(f"pipelines?{query}")
        assert response.status_code == 400 and list(response.json()) == ["error"]

    @pytest.mark.parametrize("query", ["state=failed", "branch=main", "updated_since=2026-01-05", "ref=main&tag=true"])
    def test_unknown_filters_are_refused(self, client: Client, query: str) -> None:
        assert client.get(f"pipelines?{query}").status_code == 400

    def test_older_servers_ignore_newer_filters(self, simulator: Simulator) -> None:
        simulator.load(world(), version="15.9")
        assert len(ids(Client(simulator), "name=Nightly&created_after=2030-01-01T00:00:00Z")) == 6

    @pytest.mark.parametrize(("version", "count"), [("18.10", 1), ("15.9", 0)])
    def test_child_pipelines_are_listed_only_by_source(self, simulator: Simulator, version: str, count: int) -> None:
        below = {"pipeline": {"jobs": [{"name": "below"}]}}
        simulator.load(scenario({"name": "bridge", "status": "success", "trigger": below}), version=version)
        client = Client(simulator)
        assert ids(client, "ref=main") == [100]
        assert len(ids(client, "source=parent_pipeline")) == count

    def test_deleted_branch_is_not_in_scope_branches(self, simulator: Simulator, client: Client) -> None:
        simulator.set_ref("v1", False)
        assert ids(client, "scope=branches") == [105]
        assert ids(client, "ref=v1") == [102, 101]


class TestRecords:
    def test_broken_and_skipped_pipelines_have_no_jobs(self, client: Client) -> None:
        broken, skipped = client.get("pipelines/104").json(), client.get("pipelines/103").json()
        assert (broken["status"], broken["yaml_errors"]) == ("failed", "jobs:a config should implement a script")
        assert (skipped["status"], skipped["yaml_errors"], skipped["finished_at"]) == ("skipped", None, None)
        assert client.get("pipelines/104/jobs").json() == client.get("pipelines/103/jobs").json() == []

    def test_blocked_pipeline_has_a_duration_but_no_end(self, simulator: Simulator) -> None:
        gate = {"name": "b", "stage": "deploy", "when": "manual", "allow_failure": False}
        simulator.load(scenario({"name": "a", "stage": "test", "queue": 0, "duration": 10}, gate))
        simulator.advance(30)
        record = Client(simulator).get("pipelines/100").json()
        assert (record["status"], record["duration"], record["finished_at"]) == ("manual", 10, None)

    def test_tag_and_branch_of_the_same_name_are_distinguished(self, client: Client) -> None:
        assert [client.get(f"pipelines/{number}").json()["tag"] for number in (101, 102)] == [True, False]

    @pytest.mark.parametrize(("version", "present"), [("18.10", True), ("15.9", False)])
    def test_name_field_depends_on_the_version(self, simulator: Simulator, version: str, present: bool) -> None:
        simulator.load(world(), version=version)
        client = Client(simulator)
        assert (
            ("name" in client.get("pipelines/105").json()) == ("name" in client.get("pipelines").json()[0]) == present
        )
        assert "name" not in client.get("jobs").json()[0]["pipeline"]

    @pytest.mark.parametrize(("number", "status"), [(100, 403), (999, 404)])
    @pytest.mark.parametrize("rest", ["", "/variables", "/test_report", "/test_report_summary"])
    def test_unknown_pipeline_is_reported_before_a_missing_role(
        self, simulator: Simulator, rest: str, number: int, status: int
    ) -> None:
        simulator.load(world(public_builds=False))
        assert Client(simulator, "gus-token").get(f"pipelines/{number}{rest}").status_code == status

    def test_user_record_has_only_basic_fields(self, client: Client) -> None:
        user = client.get("pipelines/101").json()["user"]
        assert set(user) == {"id", "username", "name", "state", "locked", "avatar_url", "web_url"}

    @pytest.mark.parametrize("more", [{"status": "skipped"}, {"yaml_errors": "x"}])
    def test_status_and_yaml_errors_are_refused_with_jobs(self, simulator: Simulator, more: dict[str, str]) -> None:
        made = scenario()
        made["pipelines"].append({"jobs": [{"name": "a"}], **more})
        with pytest.raises(ScenarioError, match="for a pipeline without jobs"):
            simulator.load(made)


class TestLatest:
    @pytest.mark.parametrize(("query", "expected"), [("", 105), ("?ref=main", 105), ("?ref=", 105), ("?ref=v1", 101)])
    def test_newest_pipeline_of_the_ref_is_returned(self, client: Client, query: str, expected: int) -> None:
        # If a tag and a branch have the same name, git prefers the tag.
        response = client.get(f"pipelines/latest{query}")
        assert (response.status_code, response.json()["id"]) == (200, expected)

    @pytest.mark.parametrize("ref", ["nothing", "refs/heads/main", SHA])
    def test_unknown_ref_is_forbidden(self, client: Client, ref: str) -> None:
        response = client.get(f"pipelines/latest?ref={ref}")
        assert (response.status_code, response.json()) == (403, DENIED)

    def test_only_pipelines_of_the_newest_commit_count(self, simulator: Simulator, client: Client) -> None:
        simulator.set_ref("main")
        assert client.get("pipelines/latest").status_code == 403
        simulator.set_ref("main", TWIN)
        assert client.get("pipelines/latest").json()["id"] == 105

    def test_latest_is_not_accepted_as_a_pipeline_id(self, simulator: Simulator, client: Client) -> None:
        assert client.get("pipelines/latest/jobs").json() == {"error": "pipeline_id is invalid"}
        simulator.load(world(), version="11.11")
        assert client.get("pipelines/latest").json() == {"error": "pipeline_id is invalid"}

    def test_child_pipelines_do_not_count(self, simulator: Simulator) -> None:
        below = {"pipeline": {"jobs": [{"name": "below"}]}}
        simulator.load(scenario({"name": "bridge", "status": "success", "trigger": below}))
        assert Client(simulator).get("pipelines/latest").json()["id"] == 100

    def test_default_branch_of_the_project_is_used(self, simulator: Simulator) -> None:
        bridge = {"name": "a", "trigger": {"project": "group/other", "pipeline": {"jobs": [{"name": "b"}]}}}
        world = scenario(bridge)
        world["projects"].append({"path": "group/other", "default_branch": "trunk"})
        simulator.load({**world, "pipelines": [*world["pipelines"], {"project": "group/other", "jobs": []}]})
        simulator.advance(5)
        refs = [simulator.pipeline(number)["ref"] for number in (100, 101, simulator.job("b")["pipeline_id"])]
        assert refs == ["main", "trunk", "trunk"]

    def test_merge_request_ref_is_found(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a"}, merge_request=5))
        assert Client(simulator).get("pipelines/latest?ref=refs/merge-requests/5/head").json()["id"] == 100


class TestCommits:
    @pytest.mark.parametrize(("text", "sha"), [(SHA, SHA), (SHA[:8], SHA), (SHA[:8].upper(), SHA), ("main", TWIN)])
    def test_commit_is_found_by_sha_or_ref(self, client: Client, text: str, sha: str) -> None:
        record = client.get(f"repository/commits/{text}").json()
        assert (record["id"], record["short_id"]) == (sha, sha[:8])
        assert record["last_pipeline"]["id"] == (102 if sha == SHA else 105)

    @pytest.mark.parametrize("text", [SHA[:7], "f" * 40, "abc", "nothing"])
    def test_ambiguous_or_unknown_commit_is_not_found(self, client: Client, text: str) -> None:
        response = client.get(f"repository/commits/{text}")
        assert (response.status_code, response.json()) == (404, {"message": "404 Commit Not Found"})

    def test_commit_without_a_pipeline_is_found(self, simulator: Simulator) -> None:
        simulator.load(world(commits=["9" * 40], branches={"release/1": "8" * 40}))
        client = Client(simulator)
        assert client.get("repository/commits/9999").json()["last_pipeline"] is None
        assert client.get("repository/commits/release%2F1").json()["id"] == "8" * 40

    def test_commit_requires_a_reporter(self, simulator: Simulator, client: Client) -> None:
        assert [Client(simulator, f"{who}-token").get(f"repository/commits/{SHA}").status_code
                for who in ("rob", "gus", "eve")] == [200, 403, 404]  # fmt: skip


class TestProjects:
    @pytest.fixture(autouse=True)
    def three_projects(self, simulator: Simulator) -> None:
        made = scenario({"name": "a"})
        made["projects"] += [
            {"path": "group/public", "id": 8, "visibility": "public"},
            {"path": "other/tool", "id": 9, "members": {"mia": "owner"}, "archived": True},
        ]
        for pipeline in made["pipelines"]:
            pipeline["project"] = "group/app"
        simulator.load(made)

    @pytest.mark.parametrize(
        ("who", "query", "expected"),
        [
            ("mia", "", [9, 8, 7]),
            ("mia", "?membership=true", [9, 7]),
            ("mia", "?owned=true", [9]),
            ("mia", "?min_access_level=40&sort=asc", [7, 9]),
            ("mia", "?archived=false", [8, 7]),
            ("mia", "?visibility=public", [8]),
            ("mia", "?search=APP", [7]),
            ("mia", "?search=group", []),
            ("mia", "?search=group&search_namespaces=true", [8, 7]),
            ("mia", "?per_page=1&page=2", [8]),
            ("mia", "?order_by=path&sort=asc", [7, 8, 9]),
            ("mia", "?pagination=keyset&order_by=id&per_page=1", [9]),
            ("eve", "", [8]),
            (None, "", [8]),
        ],
    )
    def test_list_is_filtered_and_sorted(
        self, simulator: Simulator, who: str | None, query: str, expected: list[int]
    ) -> None:
        rows = Client(simulator, who and f"{who}-token").get(f"/projects{query}").json()
        assert [row["id"] for row in rows] == expected

    @pytest.mark.parametrize("query", ["order_by=x", "visibility=x", "min_access_level=1", "membership=x"])
    def test_invalid_values_are_refused(self, simulator: Simulator, query: str) -> None:
        assert Client(simulator).get(f"/projects?{query}").status_code == 400


class TestAutomaticRetries:
    def run(self, simulator: Simulator, *outcomes: str, retry: int) -> list[tuple[int, str]]:
        attempts = [{"outcome": outcome, "duration": 1} for outcome in outcomes]
        simulator.load(scenario({"name": "a", "retry": retry, "attempts": attempts}))
        simulator.advance(60)
        rows = Client(simulator).get("pipelines/100/jobs?include_retried=true").json()
        return [(row["id"], row["status"]) for row in rows]

    def test_job_is_retried_until_it_succeeds(self, simulator: Simulator) -> None:
        assert self.run(simulator, "failed", "success", retry=2) == [(1001, "success"), (1000, "failed")]
        assert simulator.job("a")["pipeline_status"] == "success"
        # Automatic retries are not effects of a client.
        assert simulator.effects() == []

    def test_job_is_retried_only_up_to_the_limit(self, simulator: Simulator) -> None:
        rows = self.run(simulator, "failed", retry=1)
        assert rows == [(1001, "failed"), (1000, "failed")]
        assert Client(simulator).get("pipelines/100/jobs").json()[0]["id"] == 1001

    def test_job_without_retry_is_not_retried(self, simulator: Simulator) -> None:
        assert len(self.run(simulator, "failed", retry=0)) == 1


class TestRefusals:
    @pytest.mark.parametrize(("preset", "status"), [("refused_401", 401), ("refused_403", 403), ("refused_404", 404)])
    def test_selected_requests_are_refused(
        self, simulator: Simulator, client: Client, preset: str, status: int
    ) -> None:
        simulator.inject(preset, endpoint="get_pipeline", nth=[2, 3], times=2)
        assert [client.get("pipelines/100").status_code for _round in range(4)] == [200, status, status, 200]
        assert client.get("pipelines").status_code == 200

    def test_preset_refuses_one_request(self, simulator: Simulator, client: Client) -> None:
        simulator.inject("refused_401", endpoint="list_pipelines")
        assert [client.get("pipelines").status_code for _round in range(3)] == [401, 200, 200]
