# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test details in GitLab's recorded responses, request specs and schemas that a simulator easily gets wrong."""

from __future__ import annotations

import gzip
import hashlib
import typing as t

import pytest

from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError

from .support import PROJECT, Client, scenario

ARTIFACTS = {"files": {"x": "y", "sub/z": "w"}, "reports": ["junit"]}
DONE = {"name": "a", "status": "success", "artifacts": ARTIFACTS, "tests": [{"name": "one"}]}


def load(simulator: Simulator, *jobs: dict[str, t.Any], version: str | None = None, **more: t.Any) -> Client:
    whole = {key: more.pop(key) for key in ("time_zone", "artifacts_etags", "artifacts_storage") if key in more}
    simulator.load({**scenario(*(jobs or (DONE,)), **more), **whole}, version=version)
    return Client(simulator)


class TestRecords:
    def test_job_records_have_no_source(self, simulator: Simulator) -> None:
        trigger = {"pipeline": {"jobs": [{"name": "below"}]}}
        client = load(simulator, DONE, {"name": "b", "status": "success", "trigger": trigger})
        assert all("source" not in row and "source" in row["pipeline"] for row in client.get("jobs").json())
        assert "source" not in client.get("pipelines/100/bridges").json()[0]

    def test_trace_artifact_has_no_file_format(self, simulator: Simulator) -> None:
        rows = load(simulator).get("jobs/1000").json()["artifacts"]
        assert {row["file_type"]: row["file_format"] for row in rows} == {
            "archive": "zip", "metadata": "gzip", "junit": "gzip", "trace": None,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("version", "present", "absent"),
        [
            ("19.2", {"locked", "discord", "pronouns", "work_information", "followers", "github"}, {"skype"}),
            ("17.11", {"locked", "discord"}, {"skype", "github"}),
            ("15.9", {"skype", "pronouns"}, {"github", "discord", "locked"}),
        ],
    )  # fmt: skip
    def test_user_fields_depend_on_the_version(
        self, simulator: Simulator, version: str, present: set[str], absent: set[str]
    ) -> None:
        user = load(simulator, version=version).get("jobs/1000").json()["user"]
        assert present <= user.keys() and not absent & user.keys()
        assert isinstance(user["avatar_url"], str)

    @pytest.mark.parametrize(("version", "address"), [("18.10", None), ("15.9", "192.0.2.1")])
    def test_runner_ip_address_depends_on_the_version(
        self, simulator: Simulator, version: str, address: str | None
    ) -> None:
        runner = load(simulator, version=version).get("jobs/1000").json()["runner"]
        assert runner["ip_address"] == address and "created_by" not in runner

    def test_commits_have_trailers(self, simulator: Simulator) -> None:
        assert {"trailers", "extended_trailers"} <= load(simulator).get("jobs/1000").json()["commit"].keys()

    @pytest.mark.parametrize(
        ("zone", "shown"),
        [("UTC", "2026-01-05T12:00:00.000Z"), ("+02:00", "2026-01-05T14:00:00.000+02:00"),
         ("-05:30", "2026-01-05T06:30:00.000-05:30"), ("Europe/Berlin", "2026-01-05T13:00:00.000+01:00")],
    )  # fmt: skip
    def test_timestamps_use_the_time_zone_of_the_server(self, simulator: Simulator, zone: str, shown: str) -> None:
        client = load(simulator, {"name": "a"}, time_zone=zone)
        assert client.get("jobs/1000").json()["created_at"] == shown
        assert client.get("pipelines/100").json()["created_at"] == shown

    def test_unknown_time_zone_is_refused(self, simulator: Simulator) -> None:
        with pytest.raises(ScenarioError, match="time_zone"):
            load(simulator, time_zone="Mars/Olympus")


class TestListsAndRoutes:
    @pytest.mark.parametrize("ref", ["", "%20", "%20%20"])
    def test_blank_ref_is_ignored(self, simulator: Simulator, ref: str) -> None:
        assert len(load(simulator, version="19.2").get(f"jobs?ref={ref}").json()) == 1

    def test_unknown_pages_are_html_and_unknown_api_routes_json(self, simulator: Simulator) -> None:
        client = load(simulator)
        page = client.session.get(f"{simulator.url}/group/app/-/nothing", timeout=60)
        assert (page.status_code, page.headers["Content-Type"].partition(";")[0]) == (404, "text/html")
        other = client.session.get(f"{simulator.url}/api/v9/projects", timeout=60)
        assert (other.status_code, other.json()) == (404, {"error": "404 Not Found"})

    def test_redirect_to_the_storage_is_plain_text(self, simulator: Simulator) -> None:
        response = load(simulator, artifacts_storage="redirect").get("jobs/1000/artifacts")
        assert (response.status_code, response.headers["Content-Type"].partition(";")[0]) == (302, "text/plain")


class TestLogs:
    def test_log_of_an_initially_running_job_grows(self, simulator: Simulator) -> None:
        log = "0123456789" * 10
        client = load(simulator, {"name": "a", "status": "running", "duration": 100, "log": log}, created_ago=5000)
        seen = []
        for _round in range(4):
            record = client.get("jobs/1000").json()
            seen.append((record["status"], record["duration"], len(client.get("jobs/1000/trace").content)))
            simulator.advance(40)
        assert seen == [("running", 0, 0), ("running", 40, 40), ("running", 80, 80), ("success", 100, 100)]

    def test_deleted_log_is_not_found(self, simulator: Simulator) -> None:
        client = load(simulator, {**DONE, "log_gone": True})
        response = client.get("jobs/1000/trace")
        assert (response.status_code, response.json()) == (404, {"message": "404 Not Found"})
        simulator.set_job("a", log_gone=False)
        assert client.get("jobs/1000/trace").status_code == 200


class TestReports:
    def test_report_is_served_separately(self, simulator: Simulator) -> None:
        client = load(simulator, version="19.4")
        response = client.get("jobs/1000/artifacts?file_type=junit")
        assert response.status_code == 200 and b'<testcase name="one"' in gzip.decompress(response.content)
        sizes = {row["file_type"]: row["size"] for row in client.get("jobs/1000").json()["artifacts"]}
        assert sizes["junit"] == len(response.content)
        assert client.get("jobs/1000/artifacts?file_type=archive").content[:2] == b"PK"

    def test_report_has_the_configured_size(self, simulator: Simulator) -> None:
        left = {"reports": ["junit", "dotenv"], "report_size": 3_000_001}
        client = load(simulator, {**DONE, "artifacts": left}, version="19.4")
        entries = {row["file_type"]: row["size"] for row in client.get("jobs/1000").json()["artifacts"]}
        found = {kind: client.get(f"jobs/1000/artifacts?file_type={kind}").content for kind in left["reports"]}
        assert entries["junit"] == entries["dotenv"] == len(found["junit"]) == len(found["dotenv"]) == 3_000_001
        assert found["junit"] != found["dotenv"]
        for kind, content in found.items():
            assert hashlib.sha256(content).hexdigest() == simulator.sha256(1000, f"report:{kind}")
        with pytest.raises(ScenarioError, match="report_size: must be an integer from 0"):
            load(simulator, {**DONE, "artifacts": {**left, "report_size": "big"}})

    @pytest.mark.parametrize(("kind", "status"), [("dotenv", 404), ("trace", 400), ("nonsense", 400)])
    def test_missing_and_invalid_reports_are_refused(self, simulator: Simulator, kind: str, status: int) -> None:
        assert load(simulator, version="19.4").get(f"jobs/1000/artifacts?file_type={kind}").status_code == status

    def test_older_servers_send_the_archive(self, simulator: Simulator) -> None:
        response = load(simulator, version="19.2").get("jobs/1000/artifacts?file_type=junit")
        assert (response.status_code, response.content[:2]) == (200, b"PK")


class TestEtags:
    PATHS = ("jobs/1000/artifacts", "jobs/artifacts/main/download?job=a", "jobs/1000/artifacts/x",
             "jobs/artifacts/main/raw/sub/z?job=a")  # fmt: skip

    @pytest.mark.parametrize("path", PATHS)
    def test_strong_etag_is_answered_with_not_modified(self, simulator: Simulator, path: str) -> None:
        client = load(simulator, artifacts_etags="strong")
        tag = client.get(path).headers["ETag"]
        same = client.get(path, headers={"If-None-Match": tag})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200

    def test_strong_etag_is_the_checksum_of_the_content(self, simulator: Simulator) -> None:
        client = load(simulator, artifacts_etags="strong")
        tags = [client.get(path).headers["ETag"] for path in self.PATHS]
        assert tags[0] == tags[1] == f'"{simulator.sha256("a")}"' and len(set(tags)) == 3

    def test_large_archive_has_no_etag(self, simulator: Simulator) -> None:
        big = {"name": "a", "status": "success", "artifacts": {"size": 9 << 20}}
        headers = load(simulator, big, artifacts_etags="strong").get("jobs/1000/artifacts").headers
        assert "ETag" not in headers and headers["Last-Modified"] == "0"

    def test_weak_etag_is_always_the_same(self, simulator: Simulator) -> None:
        client = load(simulator, artifacts_etags="weak")
        assert {client.get(path).headers["ETag"] for path in self.PATHS} == {'W/"d41d8cd98f00b204e9800998ecf8427e"'}

    def test_no_etag_is_sent_by_default(self, simulator: Simulator) -> None:
        assert "ETag" not in load(simulator).get("jobs/1000/artifacts").headers


class TestFineGrainedTokens:
    def client(self, simulator: Simulator, version: str, *permissions: str, **project: t.Any) -> Client:
        world = scenario(DONE, **project)
        world["tokens"].append({"token": "fine", "user": "mia", "permissions": list(permissions)})
        simulator.load(world, version=version)
        return Client(simulator, "fine")

    @pytest.mark.parametrize(
        ("version", "path", "text"),
        [
            ("19.2", "pipelines/100", "This operation requires a fine-grained personal access token with the following "
             "project permissions: [Pipeline: Read]."),
            ("18.10", "jobs/1000", "Your Personal Access Token lacks the required permissions: [read_job] "
             'for "group/app".'),
            ("19.2", "/version", "This operation doesn't support fine-grained personal access tokens."),
            ("17.11", "jobs/1000", "Fine-grained personal access tokens are not yet supported."),
        ],
    )  # fmt: skip
    def test_missing_permission_has_the_message_of_gitlab(
        self, simulator: Simulator, version: str, path: str, text: str
    ) -> None:
        response = self.client(simulator, version, "read_user").get(path)
        assert (response.status_code, response.json()) == (
            403, {"error": "insufficient_granular_scope", "error_description": f"Access denied: {text}"},
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("path", "status"),
        [("pipelines", 200), ("pipelines/100", 200), ("pipelines/100/jobs", 403), ("pipelines/100/bridges", 403),
         ("pipelines/100/test_report", 403), ("jobs/1000/artifacts", 200), ("jobs", 403), ("jobs/1000", 403)],
    )  # fmt: skip
    def test_public_projects_are_partly_readable(self, simulator: Simulator, path: str, status: int) -> None:
        assert self.client(simulator, "19.2", "read_user", visibility="public").get(path).status_code == status

    def test_missing_permission_counts_as_anonymous(self, simulator: Simulator) -> None:
        # A member could read this.
        fine = self.client(simulator, "19.2", "read_user", visibility="public", public_builds=False)
        assert (fine.get("pipelines").status_code, Client(simulator).get("pipelines").status_code) == (403, 200)

    def test_sufficient_permissions_are_accepted(self, simulator: Simulator) -> None:
        client = self.client(simulator, "19.2", "read_pipeline", "create_pipeline")
        assert client.get("pipelines").status_code == 200
        # The token is accepted, and the request fails only because the project has no CI file.
        assert "Missing CI config file" in client.post("pipeline", json={"ref": "main"}).text


class TestJobInputs:
    INPUTS: t.ClassVar[dict[str, t.Any]] = {"count": {"type": "number", "default": 1}, "names": {"type": "array"}}

    @pytest.mark.parametrize(
        ("sent", "status"),
        [({"json": {"job_inputs": {"count": 3, "names": ["a"]}}}, 200), ({"json": {"job_inputs": {"count": "3"}}}, 400),
         ({"json": {"job_inputs": {"other": 1}}}, 400), ({"data": {"job_inputs[names]": '["a"]'}}, 200),
         ({"data": {"job_inputs[names]": "a"}}, 400)],
    )  # fmt: skip
    def test_typed_job_inputs_are_validated(self, simulator: Simulator, sent: dict[str, t.Any], status: int) -> None:
        client = load(simulator, {"name": "a", "when": "manual", "inputs": self.INPUTS})
        assert client.post("jobs/1000/play", **sent).status_code == status
        assert len(simulator.effects()) == (status == 200)
        if status == 200:
            assert simulator.job("a")["inputs"]["names"] == ["a"]


class TestLimits:
    def test_no_limit_headers_are_sent_by_default(self, simulator: Simulator) -> None:
        assert not [name for name in load(simulator).get("jobs").headers if name.lower().startswith("ratelimit")]

    def test_limit_per_minute_applies_per_token_and_sends_headers(self, simulator: Simulator) -> None:
        client = load(simulator, limits={"throttle_per_minute": 2})
        first = client.get("jobs").headers
        names = ("Name", "Limit", "Observed", "Remaining", "Reset")
        # The stepped clock starts at 2026-01-05 12:00 UTC.
        shown = [first[f"RateLimit-{name}"] for name in names]
        assert shown == ["throttle_authenticated_api", "2", "1", "1", "1767614460"]
        assert "Retry-After" not in first
        simulator.advance(20.5)
        assert [client.get("jobs").status_code for _round in range(2)] == [200, 429]
        refused = client.get("jobs")
        assert (refused.text, refused.headers["Retry-After"]) == ("Retry later\n", "40")
        # The limit applies to each token.
        assert Client(simulator, "dev-token").get("jobs").status_code == 200
        simulator.advance(40)
        assert client.get("jobs").status_code == 200

    def test_limit_per_hour_is_shown_as_if_per_minute(self, simulator: Simulator) -> None:
        client = load(simulator, limits={"throttle_per_hour": 90, "throttle_per_minute": 100})
        headers = client.get("jobs").headers
        # The hourly limit leaves the smaller share, and is reported as if it were per minute.
        assert [headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining")] == ["2", "89"]
        for _round in range(89):
            assert client.get("jobs").status_code == 200
        assert client.get("jobs").headers["Retry-After"] == "3600"

    def test_throttled_write_has_no_effect(self, simulator: Simulator) -> None:
        client = load(simulator, {"name": "a", "when": "manual"}, limits={"throttle_per_minute": 1})
        client.get("jobs")
        assert client.post("jobs/1000/play").status_code == 429
        assert simulator.effects() == []
        assert simulator.requests()[-1]["path"] == f"/api/v4/projects/{PROJECT}/jobs/1000/play"
