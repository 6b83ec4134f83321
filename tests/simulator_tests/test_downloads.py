# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test downloads: storages, signed URLs, content of any size, and faults during the transfer."""

from __future__ import annotations

import hashlib
import http.client
import io
import resource
import time
import typing as t
import urllib.parse
import zipfile
import zlib

import pytest
import requests

from tests.simulator import content, zips
from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError

from .raw import Answer, call, connect
from .support import Client, scenario

FILES = {"a/b.txt": "deep", "top.bin": "top"}
ARCHIVE = "/api/v4/projects/7/jobs/1000/artifacts"


def load(simulator: Simulator, version: str = "18.10", **more: t.Any) -> Client:
    artifacts = {"files": FILES, **more.pop("artifacts", {})}
    world = scenario({"name": "build", "status": "success", "artifacts": artifacts, **more.pop("job", {})})
    simulator.load({**world, **more}, version=version)
    return Client(simulator)


def fetch(url: str, **headers: str) -> Answer:
    parts = urllib.parse.urlsplit(url)
    connection = connect(url)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


class TestStorages:
    @pytest.mark.parametrize("path", ["jobs/1000/artifacts", "jobs/artifacts/main/download?job=build"])
    def test_redirect_storage_serves_the_same_archive(self, simulator: Simulator, path: str) -> None:
        local = load(simulator).get(path).content
        client = load(simulator, artifacts_storage="redirect")
        response = client.get(path)
        assert (response.status_code, response.content) == (302, b"")
        url = response.headers["Location"]
        assert url.startswith(simulator.second.url + "/") and "X-Amz-Signature=" in url
        answer = fetch(url, **{"X-Mine": "1"})
        assert (answer.status, answer.body) == (200, local)
        assert hashlib.sha256(answer.body).hexdigest() == simulator.sha256("build")
        assert 'filename="artifacts.zip"' in answer.headers["Content-Disposition"]
        (seen,) = simulator.second.requests()
        assert seen["headers"]["x-mine"] == "1" and "X-Amz-Signature=" in seen["query"]
        assert len(simulator.requests()) == 1
        # With every storage, the front proxy sends single files.
        assert client.get("jobs/1000/artifacts/top.bin").text == "top"

    def test_storage_uses_tls_if_the_server_does(self) -> None:
        with Simulator(tls="valid") as simulator:
            load(simulator, artifacts_storage="redirect")
            session = requests.Session()
            session.trust_env = False
            headers = {"PRIVATE-TOKEN": "mia-token"}
            where = {"verify": str(simulator.ca_path), "headers": headers, "timeout": 10}
            response = session.get(simulator.url + ARCHIVE, allow_redirects=False, **where)  # type: ignore[arg-type]
            assert response.headers["Location"].startswith(simulator.second.tls_url + "/")

    def test_project_setting_overrides_the_storage(self, simulator: Simulator) -> None:
        world = scenario(
            {"name": "build", "status": "success", "artifacts": {"files": FILES}}, artifacts_storage="local"
        )
        simulator.load({**world, "artifacts_storage": "redirect"})
        assert Client(simulator).get("jobs/1000/artifacts").status_code == 200

    def test_signed_urls_expire(self, simulator: Simulator) -> None:
        client = load(simulator, artifacts_storage="redirect", artifacts_url_seconds=5)
        url = client.get("jobs/1000/artifacts").headers["Location"]
        simulator.advance(4.9)
        assert fetch(url).status == 200
        simulator.advance(0.1)
        answer = fetch(url)
        assert (answer.status, answer.headers["Content-Type"]) == (403, "application/xml")
        assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in answer.body
        assert fetch(client.get("jobs/1000/artifacts").headers["Location"]).status == 200

    def test_storage_refuses_invalid_requests(self, simulator: Simulator) -> None:
        client = load(simulator, artifacts_storage="redirect")
        url = client.get("jobs/1000/artifacts").headers["Location"]
        assert b"SignatureDoesNotMatch" in fetch(url + "0").body
        assert fetch(url.partition("?")[0]).status == 403
        # The real storage does the same, which exposes clients that forward a credential.
        assert fetch(url, Authorization="Bearer x").status == 400
        client.delete("jobs/1000/artifacts")
        answer = fetch(url)
        assert (answer.status, b"NoSuchKey" in answer.body) == (404, True)

    @pytest.mark.parametrize("storage", ["redirect", "proxied"])
    def test_storages_serve_byte_ranges(self, simulator: Simulator, storage: str) -> None:
        client = load(simulator, artifacts_storage=storage)
        response = client.get("jobs/1000/artifacts")
        url = response.headers.get("Location", simulator.url + ARCHIVE)
        token = {} if storage == "redirect" else {"PRIVATE-TOKEN": "mia-token"}
        whole = fetch(url, **token)
        size = len(whole.body)
        for requested, begin, end in (("5-9", 5, 10), ("7-", 7, size), ("-4", size - 4, size)):
            part = fetch(url, **token, Range=f"bytes={requested}")
            assert (part.status, part.body) == (206, whole.body[begin:end])
            assert part.headers["Content-Range"] == f"bytes {begin}-{end - 1}/{size}"
        assert fetch(url, **token, Range=f"bytes={size}-").status == 416
        changed = fetch(url, **token, **{"Range": "bytes=5-", "If-Range": '"other"'})
        assert (changed.status, changed.body) == (200, whole.body)

    def test_local_storage_ignores_byte_ranges(self, simulator: Simulator) -> None:
        response = load(simulator).get("jobs/1000/artifacts", headers={"Range": "bytes=1-2"})
        assert (response.status_code, len(response.content) > 2) == (200, True)

    def test_permissions_are_checked_before_the_redirect(self, simulator: Simulator) -> None:
        load(simulator, artifacts_storage="redirect", artifacts={"access": "maintainer"})
        assert Client(simulator, "dev-token").get("jobs/1000/artifacts").status_code == 403


class TestSizes:
    def test_archive_has_the_configured_size(self, simulator: Simulator) -> None:
        client = load(simulator, artifacts={"size": 20_000_003})
        body = client.get("jobs/1000/artifacts").content
        assert (len(body), hashlib.sha256(body).hexdigest()) == (20_000_003, simulator.sha256("build"))
        assert client.get("jobs/1000").json()["artifacts_file"]["size"] == 20_000_003
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            assert packed.testzip() is None
            assert packed.namelist() == ["a/b.txt", "content.bin", "top.bin"]
            assert packed.read("a/b.txt") == b"deep"
        rows = client.get("jobs/1000/artifacts/tree").json()
        assert [row["name"] for row in rows] == ["a", "content.bin", "top.bin"]

    def test_files_and_logs_have_the_configured_size(self, simulator: Simulator) -> None:
        job = {"log_size": 30_000_000}
        client = load(simulator, artifacts={"files": {"x.iso": {"size": 9_999_999}, "y": "y"}}, job=job)
        for path, name in (("artifacts/x.iso", "x.iso"), ("trace", "log"), ("artifacts", "archive")):
            body = client.get(f"jobs/1000/{path}").content
            assert hashlib.sha256(body).hexdigest() == simulator.sha256(1000, name)
        assert client.get("jobs/1000/artifacts/tree").json()[0]["size"] == 9_999_999
        text = client.get("jobs/1000/trace").text
        assert len(text) == 30_000_000 and text.count("\n") > 100_000
        answer = requests.post(
            f"{simulator.url}/_simulator/sha256", json={"job": "build", "content": "x.iso"}, timeout=60
        )
        assert answer.json() == {"sha256": simulator.sha256("build", "x.iso")}
        answer = requests.post(f"{simulator.url}/_simulator/sha256", json={"job": "build", "content": "z"}, timeout=60)
        assert answer.status_code == 404

    def test_gigabyte_is_served_quickly_with_little_memory(self, simulator: Simulator) -> None:
        load(simulator, artifacts={"size": 1 << 30})
        connection = connect(simulator.url, timeout=60)
        connection.request("GET", ARCHIVE, headers={"PRIVATE-TOKEN": "mia-token"})
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        buffer, count, began = bytearray(1 << 20), 0, time.process_time()
        response = connection.getresponse()
        while got := response.readinto(buffer):
            count += got
        connection.close()
        assert count == 1 << 30
        # CPU time of client and server together: less than 1 s is usual; generating single bytes would need 100 s.
        assert time.process_time() - began < 10
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 64 << 10, "of kibibytes"

    def test_disconnected_client_does_not_affect_others(self, simulator: Simulator) -> None:
        client = load(simulator, artifacts={"size": 1 << 30})
        for _round in range(3):
            connection = connect(simulator.url)
            connection.request("GET", ARCHIVE, headers={"PRIVATE-TOKEN": "mia-token"})
            connection.getresponse().read(100)
            connection.close()
        assert client.get("jobs/1000").status_code == 200
        assert client.session.head(simulator.url + ARCHIVE, timeout=60).content == b""

    @pytest.mark.parametrize(
        "artifacts", [{"size": 10}, {"size": "big"}, {"files": {"a": {"bytes": 1}}}, {"files": {"a": {"size": -1}}}]
    )
    def test_invalid_artifacts_are_refused(self, simulator: Simulator, artifacts: dict[str, t.Any]) -> None:
        with pytest.raises(ScenarioError, match="artifacts"):
            load(simulator, artifacts=artifacts)


class TestContent:
    def test_sections_equal_slices_of_the_whole(self) -> None:
        block = content.BLOCK
        whole = content.Joined(
            [content.Plain(b"begin"), content.Generated(3 * block + 7, seed=5), content.Plain(b"end")]
        )
        data = content.read(whole)
        assert len(data) == whole.size
        for begin, end in (
            (0, 3),
            (3, 30),
            (block - 1, block + 30),
            (block + 7, 3 * block + 9),
            (whole.size - 5, None),
        ):
            assert content.read(whole, begin, end) == data[begin:end]
        assert content.read(content.Part(whole, 4, 50), 2, 20) == data[6:24]

    @pytest.mark.parametrize("size", [0, 5, content.BLOCK, 2 * content.BLOCK + 17])
    def test_crc_is_computed_without_the_content(self, size: int) -> None:
        made = content.Generated(size, seed=3)
        assert made.crc() == zlib.crc32(content.read(made))

    def test_generated_blocks_differ(self) -> None:
        data = content.read(content.Generated(3 * content.BLOCK))
        assert len({data[at : at + content.BLOCK] for at in range(0, len(data), content.BLOCK)}) == 3

    def test_archive_larger_than_4_gib_is_readable(self) -> None:
        packed = zips.pack({"a": content.Plain(b"a"), "big": content.Generated(5 << 30), "z": content.Plain(b"z")})
        with zipfile.ZipFile(t.cast(t.IO[bytes], _File(packed))) as archive:
            assert [info.file_size for info in archive.infolist()] == [1, 5 << 30, 1]
            assert archive.read("z") == b"z"


class _File(io.RawIOBase):
    def __init__(self, whole: content.Content) -> None:
        self._whole = whole
        self._at = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._whole.size)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._whole.size if size < 0 else min(self._whole.size, self._at + size)
        data = content.read(self._whole, self._at, end)
        self._at = end
        return data


class TestFaults:
    def test_ten_faults_strike_in_order(self, simulator: Simulator) -> None:
        load(simulator)
        rules: list[dict[str, t.Any]] = [
            {"kind": "truncate", "bytes": 1},
            {"kind": "truncate", "bytes": 100},
            {"kind": "reset_at", "bytes": 0},
            {"kind": "reset_at", "bytes": 77},
            {"kind": "drip", "seconds": 0.01, "bytes": 50},
            {"kind": "chunk_cut"},
            {"kind": "wrong_length", "by": 10},
            {"kind": "html", "status": 502},
            {"kind": "reset_before"},
            {"kind": "close_after"},
        ]
        # Each rule only counts the requests that the rules before it let pass.
        for rule in rules:
            simulator.inject(path="/artifacts$", times=1, **rule)
        answers = [call(simulator.url, "GET", ARCHIVE) for _round in range(11)]
        assert [row["fault"] for row in simulator.requests()] == [*(rule["kind"] for rule in rules), None]
        whole = answers[-1]
        assert whole.is_complete and hashlib.sha256(whole.body).hexdigest() == simulator.sha256("build")
        assert [answer.is_complete for answer in answers] == [n in (4, 7, 10) for n in range(11)]
        assert (answers[0].body, answers[1].body) == (whole.body[:1], whole.body[:100])
        assert answers[4].body == whole.body

    @pytest.mark.parametrize("count", [0, 1, 30_000_000, 39_999_999])
    @pytest.mark.parametrize("kind", ["truncate", "reset_at"])
    def test_transfer_is_cut_at_any_byte(self, simulator: Simulator, kind: str, count: int) -> None:
        load(simulator, artifacts={"size": 40_000_000})
        simulator.inject(kind=kind, bytes=count, nth=[1, 2])
        for _round in range(2):
            connection = connect(simulator.url, timeout=60)
            connection.request("GET", ARCHIVE, headers={"PRIVATE-TOKEN": "mia-token"})
            response = connection.getresponse()
            assert response.headers["Content-Length"] == "40000000"
            got, error = 0, None
            try:
                while piece := response.read1(1 << 20):
                    got += len(piece)
            except (OSError, http.client.HTTPException) as caught:
                error = caught
            connection.close()
            assert got == count
            assert isinstance(error, ConnectionResetError) == (kind == "reset_at")

    @pytest.mark.parametrize("kind", ["wrong_length", "chunk_cut", "gzip", "drip", "delay"])
    def test_faults_damage_large_responses(self, simulator: Simulator, kind: str) -> None:
        load(simulator, artifacts={"size": 20_000_000})
        simulator.inject(kind=kind, bytes=5_000_000)
        answer = call(simulator.url, "GET", ARCHIVE, headers={"Accept-Encoding": "gzip"})
        assert answer.is_complete == (kind not in ("wrong_length", "chunk_cut"))
        if answer.is_complete:
            assert hashlib.sha256(answer.body).hexdigest() == simulator.sha256("build")

    def test_faults_strike_the_storage(self, simulator: Simulator) -> None:
        client = load(simulator, artifacts_storage="redirect")
        simulator.inject(kind="status", status=503, body="SlowDown", origin="second", times=2)
        simulator.inject(kind="truncate", bytes=9, origin="second", times=1)
        url = client.get("jobs/1000/artifacts").headers["Location"]
        assert [fetch(url).status for _round in range(2)] == [503, 503]
        with pytest.raises(http.client.IncompleteRead) as caught:
            fetch(url)
        assert len(caught.value.partial) == 9
        assert fetch(url).status == 200
        with pytest.raises(ScenarioError, match="origin"):
            simulator.inject(kind="refuse", seconds=1, origin="second")


def test_disconnecting_client_is_not_an_error(simulator: Simulator, caplog: pytest.LogCaptureFixture) -> None:
    load(simulator, artifacts={"size": 100_000_000})
    connection = connect(simulator.url)
    connection.request("GET", ARCHIVE, headers={"PRIVATE-TOKEN": "mia-token"})
    answer = connection.getresponse()
    assert answer.status == 200 and answer.read(1000)
    answer.close()
    connection.close()
    # the server must have noticed it
    simulator.restart(0.0)
    assert caplog.records == []
