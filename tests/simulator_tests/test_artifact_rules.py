# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test artifacts that expire, are locked, erased, removed in the background or found by ref, in each version."""

from __future__ import annotations

import io
import typing as t
import zipfile

import pytest

from tests.simulator.fixture import Simulator

from .support import Client, scenario

FILES = {"x": "x", "tree": "a file of this name"}
RECENT = "search_recent_successful_pipelines=true"


def built(name: str, text: str = "x", **more: t.Any) -> dict[str, t.Any]:
    return {"name": name, "status": "success", "artifacts": {"files": {"x": text}}, **more}


def has_archive(client: Client, number: int) -> bool:
    return client.get(f"jobs/{number}/artifacts").status_code == 200


class TestExpiry:
    def load(self, simulator: Simulator, *, version: str = "18.10", **artifacts: t.Any) -> Client:
        row = {"files": FILES, "expire_in": 60, **artifacts}
        world = scenario({"name": "build", "status": "success", "artifacts": row})
        simulator.load({**world, "artifacts_cleanup": 100}, version=version)
        return Client(simulator)

    def test_expired_artifacts_are_removed_later(self, simulator: Simulator) -> None:
        client = self.load(simulator)
        simulator.advance(61)
        assert has_archive(client, 1000)
        assert client.get("jobs/1000/artifacts/x").status_code == 404
        assert client.get("jobs/artifacts/main/raw/x?job=build").status_code == 200
        simulator.advance(100)
        for path in ("jobs/1000/artifacts", "jobs/1000/artifacts/x", "jobs/1000/artifacts/tree"):
            assert client.get(path).status_code == 404
        for path in ("jobs/artifacts/main/raw/x?job=build", "jobs/artifacts/main/download?job=build"):
            assert client.get(path).status_code == 404
        # The log remains, and the record still shows when the artifacts expired.
        record = client.get("jobs/1000").json()
        assert [row["file_type"] for row in record["artifacts"]] == ["trace"]
        assert record["artifacts_expire_at"] == "2026-01-05T12:01:00.000Z"

    @pytest.mark.parametrize(("version", "status"), [("18.10", 200), ("13.12", 200), ("11.11", 404)])
    def test_locked_artifacts_stay_after_expiry(self, simulator: Simulator, version: str, status: int) -> None:
        client = self.load(simulator, version=version, locked=True)
        simulator.advance(61)
        assert client.get("jobs/1000/artifacts/x").status_code == status
        assert "artifacts_file" not in client.get("jobs/1000").json()
        simulator.advance(1000)
        assert has_archive(client, 1000) == (status == 200)

    def test_kept_artifacts_do_not_expire(self, simulator: Simulator) -> None:
        client = self.load(simulator)
        for _round in range(2):
            response = client.post("jobs/1000/artifacts/keep")
            assert (response.status_code, response.json()["artifacts_expire_at"]) == (200, None)
        assert [row["action"] for row in simulator.effects()] == ["keep_artifacts"]
        simulator.advance(1000)
        assert has_archive(client, 1000)

    def test_erased_artifacts_are_gone_even_if_locked(self, simulator: Simulator) -> None:
        client = self.load(simulator, locked=True)
        client.post("jobs/1000/erase")
        for path in ("", "/x", "/tree"):
            assert client.get(f"jobs/1000/artifacts{path}").status_code == 404
        assert client.post("jobs/1000/artifacts/keep").status_code == 404
        assert client.delete("jobs/1000/artifacts").status_code == 204

    def test_keeping_and_deleting_require_a_role(self, simulator: Simulator) -> None:
        self.load(simulator)
        table = {"rob": 403, "dev": 200, "mia": 200}
        for who, status in table.items():
            assert Client(simulator, f"{who}-token").post("jobs/1000/artifacts/keep").status_code == status
        for who, status in {"dev": 403, "mia": 204}.items():
            assert Client(simulator, f"{who}-token").delete("jobs/1000/artifacts").status_code == status

    @pytest.mark.parametrize("path", ["jobs/1000/artifacts", "artifacts"])
    def test_deletion_conflicts_with_a_stats_refresh(self, simulator: Simulator, path: str) -> None:
        simulator.load(scenario(built("a"), stats_refresh=True))
        assert Client(simulator).delete(path).status_code == 409


class TestDeleteOfProject:
    def load(self, simulator: Simulator) -> Client:
        below = {"id": 300, "jobs": [built("child", id=3000)]}
        world = scenario(built("old", id=1000), built("locked", id=1001), ref="main")
        world["pipelines"][0]["jobs"][1]["artifacts"]["locked"] = True
        bridge = {"name": "up", "id": 2001, "status": "success", "trigger": {"pipeline": below}}
        world["pipelines"] += [
            {"id": 200, "jobs": [built("new", id=2000), bridge]},
            {"id": 400, "ref": "other", "jobs": [built("last", id=4000)]},
            {"id": 500, "jobs": [{**built("broken", id=5000), "status": "failed"}, built("good", id=5001)]},
        ]
        simulator.load({**world, "artifacts_cleanup": 10})
        return Client(simulator)

    def test_locked_and_newest_artifacts_are_kept(self, simulator: Simulator) -> None:
        client = self.load(simulator)
        assert client.delete("artifacts").status_code == 202
        # They have only expired; the server removes them later.
        assert has_archive(client, 1000)
        assert "artifacts_file" not in client.get("jobs/1000").json()
        simulator.advance(11)
        left = [number for number in (1000, 1001, 2000, 3000, 4000, 5001) if has_archive(client, number)]
        assert left == [1001, 2000, 3000, 4000]
        assert client.get("jobs/1000/trace").text
        assert [row["action"] for row in simulator.effects()] == ["delete_project_artifacts"]

    def test_repeated_deletion_has_one_effect(self, simulator: Simulator) -> None:
        client = self.load(simulator)
        assert [client.delete("artifacts").status_code for _round in range(2)] == [202, 202]
        assert len(simulator.effects()) == 1

    def test_deletion_requires_a_maintainer(self, simulator: Simulator) -> None:
        self.load(simulator)
        assert Client(simulator, "dev-token").delete("artifacts").status_code == 403
        assert Client(simulator, None).delete("artifacts").status_code == 401


class TestByRef:
    def get(self, client: Client, job: str, ref: str = "main", query: str = "") -> str | int:
        """Return the content of file x from both endpoints, or the status."""
        tail = f"job={job}&{query}"
        raw = client.get(f"jobs/artifacts/{ref}/raw/x?{tail}")
        whole = client.get(f"jobs/artifacts/{ref}/download?{tail}")
        assert raw.status_code == whole.status_code
        if raw.status_code != 200:
            return raw.status_code
        with zipfile.ZipFile(io.BytesIO(whole.content)) as packed:
            assert packed.read("x") == raw.content
        return raw.text

    def test_newest_successful_pipeline_of_the_ref_is_used(self, simulator: Simulator) -> None:
        world = scenario(built("a", "old"))
        world["pipelines"] += [
            {"jobs": [built("a", "new")]},
            {"jobs": [built("a", "failed"), {"name": "z", "status": "failed"}]},
            {"jobs": [built("a", "waits"), {"name": "z", "status": "manual", "allow_failure": False}]},
            {"jobs": [built("a", "runs"), {"name": "z", "status": "running", "outcome": "hang"}]},
            {"ref": "other", "jobs": [built("a", "other")]},
        ]
        simulator.load(world)
        client = Client(simulator)
        assert self.get(client, "a") == "new"
        assert self.get(client, "a", "other") == "other"
        assert self.get(client, "z") == 404
        sha = client.get("pipelines/100").json()["sha"]
        assert (self.get(client, "a", sha), self.get(client, "a", "HEAD")) == (404, 404)

    @pytest.mark.parametrize("ref", ["refs/merge-requests/5/head", "refs%2Fmerge-requests%2F5%2Fhead"])
    def test_merge_request_ref_is_found(self, simulator: Simulator, ref: str) -> None:
        simulator.load(scenario(built("a", "merge"), merge_request=5))
        assert self.get(Client(simulator), "a", ref) == "merge"

    @pytest.mark.parametrize("ref", ["a/b/c", "a%2Fb%2Fc", "a%2Fb/c", "a%23b", "a%20b", "1.x"])
    def test_ref_names_may_be_encoded(self, simulator: Simulator, ref: str) -> None:
        simulator.load(scenario(built("a"), ref={"a%23b": "a#b", "a%20b": "a b", "1.x": "1.x"}.get(ref, "a/b/c")))
        assert self.get(Client(simulator), "a", ref) == "x"

    def test_artifacts_of_a_child_job_of_the_same_name_are_found(self, simulator: Simulator) -> None:
        bridge = {"name": "up", "status": "success", "trigger": {"pipeline": {"jobs": [built("a", "child")]}}}
        simulator.load(scenario({"name": "a", "status": "success"}, bridge))
        assert self.get(Client(simulator), "a") == "child"

    def test_only_the_newest_attempt_is_found(self, simulator: Simulator) -> None:
        simulator.load(scenario(built("a", "second", retried=1)))
        assert self.get(Client(simulator), "a") == "second"

    @pytest.mark.parametrize(("count", "status"), [(99, "deep"), (100, 404)])
    def test_search_ends_after_a_hundred_pipelines(self, simulator: Simulator, count: int, status: str | int) -> None:
        world = scenario(built("a", "deep"))
        world["pipelines"] += [{"jobs": [{"name": "b", "status": "success"}]}] * count
        simulator.load(world)
        client = Client(simulator)
        assert self.get(client, "a", query=RECENT) == status
        assert self.get(client, "a") == 404
        if status == 404:
            path = f"jobs/artifacts/main/download?job=a&{RECENT}"
            assert client.get(path).json() == {"message": "404 Job Not Found"}

    @pytest.mark.parametrize(
        ("version", "archive", "raw"), [("18.6", 404, 404), ("18.7", 200, 404), ("18.8", 200, 404), ("18.9", 200, 200)]
    )
    def test_search_of_recent_pipelines_depends_on_the_version(
        self, simulator: Simulator, version: str, archive: int, raw: int
    ) -> None:
        world = scenario(built("a", "deep"))
        world["pipelines"].append({"jobs": [{"name": "b", "status": "success"}]})
        simulator.load(world, version=version)
        client = Client(simulator)
        assert client.get(f"jobs/artifacts/main/download?job=a&{RECENT}").status_code == archive
        assert client.get(f"jobs/artifacts/main/raw/x?job=a&{RECENT}").status_code == raw

    def test_raw_files_do_not_exist_before_11_5(self, simulator: Simulator) -> None:
        simulator.load(scenario(built("a")), version="11.4")
        assert Client(simulator).get("jobs/artifacts/main/raw/x?job=a").json() == {"error": "404 Not Found"}
        assert Client(simulator).get("jobs/artifacts/main/download?job=a").status_code == 200


class TestTree:
    def test_tree_is_a_file_name_before_18_8(self, simulator: Simulator) -> None:
        row = {"name": "a", "status": "success", "artifacts": {"files": FILES}}
        simulator.load(scenario(row), version="18.7")
        assert Client(simulator).get("jobs/1000/artifacts/tree").text == "a file of this name"
        simulator.load(scenario(row), version="18.8")
        assert len(Client(simulator).get("jobs/1000/artifacts/tree").json()) == 2

    def test_tree_requires_metadata(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a", "status": "success", "artifacts": {"files": FILES, "metadata": False}}))
        client = Client(simulator)
        assert client.get("jobs/1000/artifacts/tree").json() == {"message": "404 Artifacts metadata Not Found"}
        assert [row["file_type"] for row in client.get("jobs/1000").json()["artifacts"]] == ["archive", "trace"]

    @pytest.mark.parametrize(
        ("query", "paths"), [("", ["m/", "a", "z"]), ("?recursive=true", ["a", "m/", "m/x", "z"])]
    )  # fmt: skip
    def test_folders_come_first_on_one_level(self, simulator: Simulator, query: str, paths: list[str]) -> None:
        files = {"z": "z", "m/x": "x", "a": "a"}
        simulator.load(scenario({"name": "a", "status": "success", "artifacts": {"files": files}}))
        rows = Client(simulator).get(f"jobs/1000/artifacts/tree{query}").json()
        assert [row["path"] for row in rows] == paths

    def test_tree_is_paginated(self, simulator: Simulator) -> None:
        files = {f"d/{number:03d}": "x" for number in range(45)}
        simulator.load(scenario({"name": "a", "status": "success", "artifacts": {"files": files}}))
        client = Client(simulator)
        found: list[str] = []
        for page in (1, 2, 3):
            response = client.get("jobs/1000/artifacts/tree", params={"path": "d", "page": page})
            assert (response.headers["X-Total"], response.headers["X-Total-Pages"]) == ("45", "3")
            assert ("next" in response.links) == (page < 3)
            found += [row["path"] for row in response.json()]
        assert found == sorted(files)
        assert client.get("jobs/1000/artifacts/tree?recursive=perhaps").status_code == 400

    def test_anonymous_access_depends_on_visibility(self, simulator: Simulator) -> None:
        row = {"name": "a", "status": "success", "artifacts": {"files": FILES}}
        for more, status in (
            ({"visibility": "public"}, 200),
            ({"visibility": "public", "public_builds": False}, 403),
            ({}, 404),
        ):
            simulator.load(scenario(row, **more))
            for path in ("", "/tree", "/x"):
                assert Client(simulator, None).get(f"jobs/1000/artifacts{path}").status_code == status
