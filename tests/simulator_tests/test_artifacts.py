# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test artifacts and logs: downloads, trees, expiry, keeping and deleting."""

from __future__ import annotations

import io
import typing as t
import zipfile

import pytest

from tests.simulator.fixture import Simulator

from .support import Client, scenario

FILES = {"a/b/c.txt": "deep", "a/d.json": "{}", "top.bin": "top"}


def load(simulator: Simulator, *more: dict[str, t.Any], version: str = "18.10", **artifacts: t.Any) -> Client:
    job = {"name": "build", "status": "success", "artifacts": {"files": FILES, **artifacts}}
    simulator.load(scenario(job, *more), version=version)
    return Client(simulator)


def test_archive_contains_the_files(simulator: Simulator) -> None:
    client = load(simulator)
    for path in ("jobs/1000/artifacts", "jobs/artifacts/main/download?job=build"):
        response = client.get(path)
        assert (response.status_code, response.headers["Content-Type"]) == (200, "application/octet-stream")
        assert response.headers["Content-Transfer-Encoding"] == "binary"
        assert 'filename="artifacts.zip"' in response.headers["Content-Disposition"]
        with zipfile.ZipFile(io.BytesIO(response.content)) as packed:
            assert packed.testzip() is None
            assert {name: packed.read(name).decode() for name in packed.namelist()} == FILES
    record = client.get("jobs/1000").json()
    assert record["artifacts_file"] == {"filename": "artifacts.zip", "size": len(response.content)}
    assert [row["file_type"] for row in record["artifacts"]] == ["archive", "metadata", "trace"]


@pytest.mark.parametrize("path", ["jobs/1000/artifacts/{}", "jobs/artifacts/main/raw/{}?job=build"])
@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("a/d.json", 200, "application/json"),
        ("a%2Fb%2Fc.txt", 200, "text/plain"),
        ("top.bin", 200, "application/octet-stream"),
        ("a%2F..%2F..%2Fetc", 400, "application/json"),
        ("missing", 404, "text/plain"),
    ],
)
def test_single_files_are_served_with_their_type(
    simulator: Simulator, path: str, name: str, status: int, kind: str
) -> None:
    response = load(simulator).get(path.format(name))
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith(kind)
    if name == "a/d.json":
        assert response.headers["Content-Disposition"] == 'attachment; filename="d.json"'
        assert response.text == "{}"


def test_routes_report_a_missing_archive(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "status": "success", "artifacts": {"reports": ["junit"]}}))
    client = Client(simulator)
    assert "artifacts_file" not in client.get("jobs/1000").json()
    assert client.get("jobs/1000").json()["artifacts"][0]["file_type"] == "junit"
    assert client.get("jobs/1000/artifacts").json() == {"message": "404 Not Found"}
    assert client.get("jobs/1000/artifacts/x").status_code == 404
    assert client.get("jobs/1000/artifacts/tree").json() == {"message": "404 Artifacts Not Found"}
    assert client.post("jobs/1000/artifacts/keep").status_code == 404
    assert client.delete("jobs/1000/artifacts").status_code == 204


def test_tree_lists_files_and_folders(simulator: Simulator) -> None:
    client = load(simulator)
    path = "jobs/1000/artifacts/tree"
    rows = client.get(path).json()
    assert rows == [
        {"name": "a", "path": "a/", "type": "directory", "mode": "040755"},
        {"name": "top.bin", "path": "top.bin", "type": "file", "size": 3, "mode": "100644"},
    ]
    assert [row["path"] for row in client.get(f"{path}?path=a/").json()] == ["a/b/", "a/d.json"]
    everything = client.get(f"{path}?recursive=true&per_page=2")
    assert (len(everything.json()), everything.headers["X-Total"]) == (2, "5")
    assert client.get(f"{path}?path=zzz").json() == {"message": "404 Path Not Found"}
    # Before 18.8, this path is a file named tree.
    assert "json" not in load(simulator, version="17.11").get(path).headers["Content-Type"]


@pytest.mark.parametrize("locked", [False, True])
def test_expired_files_are_served_only_if_locked(simulator: Simulator, locked: bool) -> None:
    client = load(simulator, expire_in=60, locked=locked)
    assert client.get("jobs/1000").json()["artifacts_expire_at"] == "2026-01-05T12:01:00.000Z"
    simulator.advance(61)
    assert "artifacts_file" not in client.get("jobs/1000").json()
    assert "artifacts_file" not in client.get("jobs").json()[0]
    assert client.get("jobs/1000/artifacts").status_code == 200
    assert client.get("jobs/artifacts/main/raw/top.bin?job=build").status_code == 200
    status = 200 if locked else 404
    assert client.get("jobs/1000/artifacts/top.bin").status_code == status
    assert client.get("jobs/1000/artifacts/tree").status_code == status
    assert client.post("jobs/1000/artifacts/keep").status_code == 404


def test_kept_artifacts_do_not_expire(simulator: Simulator) -> None:
    client = load(simulator, expire_in=60)
    assert client.post("jobs/1000/artifacts/keep").status_code == 200
    simulator.advance(61)
    assert "artifacts_file" in client.get("jobs/1000").json()


def test_deleting_artifacts_keeps_the_log(simulator: Simulator) -> None:
    client = load(simulator)
    response = client.delete("jobs/1000/artifacts")
    assert (response.status_code, response.content) == (204, b"")
    assert [row["file_type"] for row in client.get("jobs/1000").json()["artifacts"]] == ["trace"]
    assert client.get("jobs/1000/trace").text


def test_erasing_a_job_removes_artifacts_and_log(simulator: Simulator) -> None:
    record = (client := load(simulator, expire_in=60)).post("jobs/1000/erase").json()
    assert (record["artifacts"], record["artifacts_expire_at"]) == ([], None)
    assert record["erased_at"] == "2026-01-05T12:00:00.000Z"
    assert (client.get("jobs/1000/trace").status_code, client.get("jobs/1000/trace").content) == (200, b"")


def test_deleting_project_artifacts_keeps_the_newest_pipeline(simulator: Simulator) -> None:
    world = scenario({"name": "old", "status": "success", "artifacts": {"files": FILES}})
    row = {"name": "new", "status": "success", "artifacts": {"files": FILES}}
    world["pipelines"].append({"jobs": [row]})
    simulator.load(world)
    client = Client(simulator)
    response = client.delete("artifacts")
    assert (response.status_code, response.json()) == (202, {"message": "202 Accepted"})
    assert "artifacts_file" not in client.get(f"jobs/{simulator.job('old')['id']}").json()
    assert "artifacts_file" in client.get(f"jobs/{simulator.job('new')['id']}").json()


class TestByRef:
    def load(self, simulator: Simulator, version: str = "18.10") -> Client:
        below = {"jobs": [{"name": "both", "status": "success", "artifacts": {"files": {"x": "child"}}}]}
        below["jobs"].append({"name": "only", "status": "success", "artifacts": {"files": {"x": "only"}}})
        jobs = [
            {"name": "both", "status": "success", "artifacts": {"files": {"x": "parent"}}},
            {"name": "up", "status": "success", "trigger": {"pipeline": below}},
            {"name": "old", "status": "success", "artifacts": {"files": {"x": "old"}}},
        ]
        world = scenario(*jobs, ref="feature/x")
        last = {"name": "both", "status": "success"}
        failed = {"ref": "feature/x", "jobs": [{"name": "both", "status": "failed"}]}
        world["pipelines"] += [failed, {"ref": "other", "jobs": [last]}]
        simulator.load(world, version=version)
        return Client(simulator)

    @pytest.mark.parametrize("ref", ["feature/x", "feature%2Fx"])
    def test_parent_pipeline_is_searched_before_its_children(self, simulator: Simulator, ref: str) -> None:
        client = self.load(simulator)
        assert client.get(f"jobs/artifacts/{ref}/raw/x?job=both").text == "parent"
        assert client.get(f"jobs/artifacts/{ref}/raw/x?job=only").text == "only"

    def test_missing_job_or_ref_is_reported(self, simulator: Simulator) -> None:
        client = self.load(simulator)
        assert client.get("jobs/artifacts/feature/x/download").json() == {"error": "job is missing"}
        assert client.get("jobs/artifacts/nowhere/download?job=both").json() == {"message": "404 Not found"}
        assert client.get("jobs/artifacts/feature/x/download?job=nobody").status_code == 404

    @pytest.mark.parametrize(("version", "status"), [("18.10", 200), ("17.11", 404)])
    def test_recent_pipelines_are_searched_on_request(self, simulator: Simulator, version: str, status: int) -> None:
        world = scenario({"name": "old", "status": "success", "artifacts": {"files": {"x": "old"}}})
        world["pipelines"].append({"jobs": [{"name": "new", "status": "success"}]})
        simulator.load(world, version=version)
        client = Client(simulator)
        assert client.get("jobs/artifacts/main/download?job=old").status_code == 404
        path = "jobs/artifacts/main/download?job=old&search_recent_successful_pipelines=true"
        assert client.get(path).status_code == status


@pytest.mark.parametrize(
    ("access", "lowest"), [("all", "gus"), ("developer", "dev"), ("maintainer", "mia"), ("none", "")]
)
def test_artifact_access_depends_on_the_role(simulator: Simulator, access: str, lowest: str) -> None:
    load(simulator, access=access)
    people = ["gus", "rob", "dev", "mia", "olga"]
    allowed = people[people.index(lowest) :] if lowest else []
    for who in people:
        status = Client(simulator, f"{who}-token").get("jobs/1000/artifacts").status_code
        assert status == (200 if who in allowed else 403)


class TestTrace:
    def test_log_grows_while_the_job_runs(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a", "duration": 10, "log": "0123456789" * 10}))
        client = Client(simulator)
        seen = []
        for _round in range(13):
            response = client.get("jobs/1000/trace")
            seen.append(response.text)
            simulator.advance(1)
        assert [len(text) for text in seen] == [0, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 100]
        assert all(seen[-1].startswith(text) for text in seen)
        assert response.headers["Content-Type"].startswith("text/plain")
        assert response.headers["Content-Disposition"] == 'infile; filename="1000.log"'

    def test_default_log_is_realistic(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a", "status": "failed"}))
        text = Client(simulator).get("jobs/1000/trace").text
        assert "section_start:" in text and "\x1b[31;1mERROR" in text

    @pytest.mark.parametrize(
        ("query", "status", "text"),
        [
            ("byte_offset=3", 200, "3456789"),
            ("byte_limit=2", 200, "01"),
            ("byte_offset=3&byte_limit=2", 200, "34"),
            ("byte_offset=99", 200, ""),
            ("byte_offset=-1", 400, None),
            ("byte_limit=0", 400, None),
            ("byte_limit=512001", 400, None),
        ],
    )
    def test_byte_ranges_are_validated_and_served(
        self, simulator: Simulator, query: str, status: int, text: str | None
    ) -> None:
        simulator.load(scenario({"name": "a", "status": "success", "log": "0123456789"}), version="19.2")
        response = Client(simulator).get(f"jobs/1000/trace?{query}")
        assert response.status_code == status
        if text is not None:
            assert response.text == text

    def test_older_servers_ignore_byte_ranges(self, simulator: Simulator) -> None:
        simulator.load(scenario({"name": "a", "status": "success", "log": "0123456789"}))
        assert Client(simulator).get("jobs/1000/trace?byte_offset=3").text == "0123456789"
