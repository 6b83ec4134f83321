# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test hooks: when they are sent, their headers and bodies, and delivery failures."""

from __future__ import annotations

import base64
import collections.abc as c
import hashlib
import hmac
import http.server
import json
import pathlib
import subprocess
import sys
import threading
import time
import typing as t
import uuid

import pytest
import requests
import yaml

from tests.simulator.__main__ import main
from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError

from .support import Client, scenario

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY = bytes(range(32))
SIGNING_TOKEN = "whsec_" + base64.b64encode(KEY).decode()


class Receiver:
    """Receives and stores hooks; `status` is the status of its responses."""

    def __init__(self) -> None:
        self.status = 200
        self.received: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append((dict(self.headers), body))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: t.Any) -> None:
                """Log nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self) -> list[dict[str, t.Any]]:
        return [json.loads(body) for _headers, body in self.received]

    def kinds_and_statuses(self) -> list[tuple[str, str]]:
        """Return (kind, status) of each hook."""
        return [(row["object_kind"], status_of(row)) for row in self.bodies()]


def status_of(body: dict[str, t.Any]) -> str:
    if body["object_kind"] == "pipeline":
        return str(body["object_attributes"]["status"])
    return str(body["build_status" if body["object_kind"] == "build" else "status"])


@pytest.fixture
def receiver() -> c.Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def deploy(**more: t.Any) -> dict[str, t.Any]:
    return {"name": "deploy", "when": "manual", "environment": "production", "duration": 10, **more}


def test_played_deployment_sends_hooks_in_order(simulator: Simulator, receiver: Receiver) -> None:
    simulator.load(scenario(deploy(allow_failure=False), hooks=[{"url": receiver.url}], version="19.2"))
    assert [row["status"] for row in simulator.hooks()] == ["manual"]
    Client(simulator).post("jobs/1000/play")
    simulator.advance(20)
    assert [(row["event"], row["status"], row["answer"]) for row in simulator.hooks()] == [
        ("pipeline", "manual", 200),
        ("job", "pending", 200),
        ("pipeline", "pending", 200),
        ("job", "running", 200),
        ("deployment", "running", 200),
        ("pipeline", "running", 200),
        ("job", "success", 200),
        ("deployment", "success", 200),
        ("pipeline", "success", 200),
    ]
    assert receiver.kinds_and_statuses()[-3:] == [
        ("build", "success"),
        ("deployment", "success"),
        ("pipeline", "success"),
    ]


def test_new_pipeline_and_retry_send_job_hooks(simulator: Simulator, receiver: Receiver) -> None:
    template = {"*": {"jobs": [{"name": "a", "outcome": "failed", "failure_reason": "stuck_or_timeout_failure"}]}}
    simulator.load(scenario({"name": "x", "status": "success"}, new_pipelines=template, version="19.2"))
    simulator.add_hook(receiver.url, events=["job"])
    assert simulator.hooks() == []
    simulator.create_pipeline("main")
    simulator.advance(10)
    assert [row["status"] for row in simulator.hooks()] == ["created", "pending", "running", "failed"]
    assert receiver.bodies()[-1]["build_failure_reason"] == "stuck_or_timeout_failure"
    # set even before the job failed
    assert receiver.bodies()[0]["build_failure_reason"] == "unknown_failure"
    simulator.act_as_somebody_else("retry", "a")
    simulator.advance(10)
    assert [row["status"] for row in simulator.hooks()][4:] == ["created", "pending", "running", "failed"]
    assert [row["retries_count"] for row in receiver.bodies()] == [0] * 4 + [1] * 4


def test_bodies_have_the_expected_fields(simulator: Simulator, receiver: Receiver) -> None:
    simulator.load(scenario(deploy(when="on_success"), hooks=[{"url": receiver.url}], version="19.2"))
    simulator.advance(5)
    simulator.hooks()
    by_kind = {row["object_kind"]: row for row in receiver.bodies()}
    build, pipeline, deployment = by_kind["build"], by_kind["pipeline"], by_kind["deployment"]
    assert (build["build_id"], build["build_name"], build["pipeline_id"]) == (1000, "deploy", 100)
    assert (build["commit"]["id"], build["commit"]["sha"]) == (100, build["sha"])
    assert build["environment"] == {"name": "production", "action": "start"}
    assert (build["project_name"], build["build_created_at"]) == ("group / app", "2026-01-05T12:00:00.000Z")
    assert build["user"]["email"] == "[REDACTED]"
    attributes = pipeline["object_attributes"]
    assert (attributes["id"], attributes["status"], attributes["ref"]) == (100, "running", "main")
    assert (attributes["created_at"], attributes["stages"]) == ("2026-01-05 12:00:00 UTC", ["test"])
    assert pipeline["commit"]["id"] == attributes["sha"]
    (row,) = pipeline["builds"]
    assert (row["id"], row["manual"], row["failure_reason"]) == (1000, False, None)
    assert row["environment"] == {"name": "production", "action": "start", "deployment_tier": "production"}
    assert (deployment["environment"], deployment["deployable_id"], deployment["deployment_id"]) == (
        "production",
        1000,
        1,
    )
    assert "sha" not in deployment and deployment["short_sha"] == attributes["sha"][:8]
    assert pipeline["project"]["path_with_namespace"] == "group/app"
    assert attributes["url"] == f"{simulator.url}/group/app/-/pipelines/100"


@pytest.mark.parametrize(("row", "branch"), [({"ref": "feature"}, "feature"), ({}, "merge-request-7")])
def test_merge_request_pipeline_hook_contains_the_source_branch(
    simulator: Simulator, receiver: Receiver, row: dict[str, str], branch: str
) -> None:
    simulator.load(scenario({"name": "a"}, merge_request=7, hooks=[{"url": receiver.url}], **row))
    simulator.hooks()
    body = json.loads(next(body for headers, body in receiver.received if headers["X-Gitlab-Event"] == "Pipeline Hook"))
    assert body["object_attributes"]["ref"] == body["merge_request"]["source_branch"] == branch


def test_trigger_jobs_send_no_hooks_but_child_jobs_show_their_source(simulator: Simulator, receiver: Receiver) -> None:
    bridge = {"name": "child", "trigger": {"pipeline": {"jobs": [{"name": "inner"}]}}}
    simulator.load(scenario(bridge, hooks=[{"url": receiver.url, "events": ["job"]}]))
    simulator.advance(10)
    assert {row["id"] for row in simulator.hooks()} == {1001}
    source = receiver.bodies()[0]["source_pipeline"]
    assert (source["job_id"], source["pipeline_id"]) == (1000, 100)


def test_events_of_blocked_users_send_no_hooks(simulator: Simulator, receiver: Receiver) -> None:
    world = scenario({"name": "a"}, hooks=[{"url": receiver.url}])
    world["users"] = [{**user, "state": "blocked"} for user in world["users"]]
    simulator.load(world)
    simulator.advance(10)
    assert simulator.hooks() == []


def test_headers_are_complete_and_signed(simulator: Simulator, receiver: Receiver) -> None:
    hook = {"url": receiver.url, "token": "secret-of-the-hook", "signing_token": SIGNING_TOKEN}
    hook["custom_headers"] = {"X-Which": "mine"}
    simulator.load(scenario({"name": "a"}, hooks=[hook], version="19.2"))
    before = int(time.time())
    simulator.advance(1)
    log = simulator.hooks()
    headers, body = receiver.received[0]
    assert headers["X-Gitlab-Event"] == "Job Hook"
    assert headers["X-Gitlab-Token"] == "secret-of-the-hook"
    assert headers["X-Gitlab-Instance"] == simulator.url
    assert headers["User-Agent"] == "GitLab/19.2" and headers["X-Which"] == "mine"
    assert headers["webhook-id"] == headers["Idempotency-Key"]
    for name in ("webhook-id", "X-Gitlab-Event-UUID", "X-Gitlab-Webhook-UUID"):
        uuid.UUID(headers[name])
    assert before <= int(headers["webhook-timestamp"]) <= time.time()
    assert headers["webhook-signature"] == signature(headers, body)
    # all deliveries have different IDs
    assert len({each["webhook-id"] for each, _body in receiver.received}) == len(receiver.received) > 1
    assert log[0]["headers"]["X-Gitlab-Token"] == "***"


def signature(headers: dict[str, str], body: bytes) -> str:
    """Return the signature as Standard Webhooks defines it, independent of the simulator's code."""
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    return "v1," + base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        ("11.11", {"X-Gitlab-Event-UUID", "X-Gitlab-Instance", "X-Gitlab-Webhook-UUID", "Idempotency-Key"}),
        ("15.9", {"X-Gitlab-Webhook-UUID", "Idempotency-Key"}),
        ("18.10", set()),
    ],
)
def test_older_servers_send_fewer_headers(
    simulator: Simulator, receiver: Receiver, version: str, missing: set[str]
) -> None:
    simulator.load(scenario({"name": "a"}, hooks=[{"url": receiver.url}], version=version))
    simulator.hooks()
    known = {"X-Gitlab-Event-UUID", "X-Gitlab-Instance", "X-Gitlab-Webhook-UUID", "Idempotency-Key"}
    headers = receiver.received[0][0]
    assert known - headers.keys() == missing
    assert not {"webhook-id", "webhook-timestamp", "webhook-signature", "X-Gitlab-Token"} & headers.keys()


class TestFaults:
    def play(self, simulator: Simulator, receiver: Receiver, *faults: t.Any, **more: t.Any) -> list[dict[str, t.Any]]:
        row = {"url": receiver.url, "events": ["job"], "faults": list(faults), "signing_token": SIGNING_TOKEN, **more}
        simulator.load(scenario({"name": "a"}, hooks=[row], version="19.2"))
        simulator.advance(10)
        return simulator.hooks()

    def test_hook_is_sent_twice_with_the_same_id(self, simulator: Simulator, receiver: Receiver) -> None:
        self.play(simulator, receiver, {"kind": "twice", "nth": 2})
        assert receiver.kinds_and_statuses() == [
            ("build", status) for status in ("pending", "running", "running", "success")
        ]
        first, again = receiver.received[1], receiver.received[2]
        assert first[0]["webhook-id"] == again[0]["webhook-id"] and first[1] == again[1]
        assert first[0]["X-Gitlab-Webhook-UUID"] != again[0]["X-Gitlab-Webhook-UUID"]

    def test_hook_is_lost(self, simulator: Simulator, receiver: Receiver) -> None:
        log = self.play(simulator, receiver, {"kind": "lost", "status": "running"})
        assert receiver.kinds_and_statuses() == [("build", "pending"), ("build", "success")]
        assert [row["error"] for row in log] == [None, "lost", None]

    def test_hook_is_sent_after_the_next_one(self, simulator: Simulator, receiver: Receiver) -> None:
        self.play(simulator, receiver, {"kind": "out_of_order", "nth": 1})
        assert [status for _kind, status in receiver.kinds_and_statuses()] == ["running", "pending", "success"]

    def test_last_hook_is_sent_even_if_out_of_order(self, simulator: Simulator, receiver: Receiver) -> None:
        self.play(simulator, receiver, {"kind": "out_of_order", "nth": 3})
        assert [status for _kind, status in receiver.kinds_and_statuses()] == ["pending", "running", "success"]

    def test_hook_is_sent_late(self, simulator: Simulator, receiver: Receiver) -> None:
        self.play(simulator, receiver, {"kind": "late", "nth": 1, "seconds": 3600})
        simulator.advance(3589)
        simulator.hooks()
        assert [status for _kind, status in receiver.kinds_and_statuses()] == ["running", "success"]
        simulator.advance(1)
        simulator.hooks()
        assert [status for _kind, status in receiver.kinds_and_statuses()] == ["running", "success", "pending"]

    def test_hook_has_an_old_timestamp_and_a_valid_signature(self, simulator: Simulator, receiver: Receiver) -> None:
        before = int(time.time())
        self.play(simulator, receiver, "old")
        headers, body = receiver.received[0]
        assert before <= int(headers["webhook-timestamp"]) + 3600 <= time.time()
        assert headers["webhook-signature"] == signature(headers, body)

    def test_signature_and_token_can_be_wrong(self, simulator: Simulator, receiver: Receiver) -> None:
        faults = [{"kind": "wrong_signature", "nth": 1}, {"kind": "wrong_token", "nth": 1}]
        self.play(simulator, receiver, *faults, token="good")
        right = [
            (h["webhook-signature"] == signature(h, b), h["X-Gitlab-Token"] == "good") for h, b in receiver.received
        ]
        assert right == [(False, True), (True, False), (True, True)]


class TestFailures:
    def test_failing_hook_is_disabled_for_a_while(self, simulator: Simulator, receiver: Receiver) -> None:
        receiver.status = 500
        jobs = [{"name": f"job {n}"} for n in range(3)]
        simulator.load(scenario(*jobs, hooks=[{"url": receiver.url, "events": ["job"]}]))
        simulator.advance(10)
        assert [row["error"] for row in simulator.hooks()] == [None] * 4 + ["disabled"] * 5
        receiver.status = 200
        simulator.advance(61)
        simulator.act_as_somebody_else("retry", "job 0")
        simulator.advance(10)
        assert [row["answer"] for row in simulator.hooks()[9:]] == [200] * 4

    def test_refused_hook_is_disabled_permanently_before_17_11(self, simulator: Simulator, receiver: Receiver) -> None:
        receiver.status = 401
        world = scenario(*[{"name": f"job {n}"} for n in range(3)], hooks=[{"url": receiver.url}], version="17.10")
        simulator.load(world)
        simulator.advance(10)
        simulator.hooks()
        simulator.advance(100_000)
        simulator.act_as_somebody_else("retry", "job 0")
        assert len(receiver.received) == 4
        assert simulator.hooks()[-1]["error"] == "disabled"

    def test_connection_errors_are_recorded(self, simulator: Simulator, receiver: Receiver) -> None:
        receiver.server.shutdown()
        receiver.server.server_close()
        simulator.load(scenario({"name": "a"}, hooks=[{"url": receiver.url, "auto_disable": False}]))
        simulator.advance(10)
        rows = simulator.hooks()
        assert len(rows) > 4
        assert all(row["answer"] is None and "connect" in row["error"].lower() for row in rows)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({}, "hooks[0]: key 'url' is missing"),
        ({"url": "ftp://x/"}, "hooks[0].url: must be an http or https address"),
        ({"url": "http://x/", "events": ["push"]}, "hooks[0].events: unknown event 'push'"),
        ({"url": "http://x/", "signing_token": "whsec_x"}, "must be whsec_ and 32 bytes in base64"),
        ({"url": "http://x/", "faults": ["never"]}, "hooks[0].faults[0]: unknown fault 'never'"),
        ({"url": "http://x/", "faults": ["wrong_signature"]}, "wrong_signature requires a hook with signing_token"),
        ({"url": "http://x/", "faults": [{"kind": "lost", "nth": 0}]}, "nth: must be a number from 1"),
        ({"url": "http://x/", "project": "group/other"}, "hooks[0].project: unknown project"),
    ],
)
def test_invalid_hooks_are_refused(simulator: Simulator, row: dict[str, t.Any], text: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        simulator.load(scenario(hooks=[row], version="19.2"))
    assert text in str(caught.value)


def test_signing_token_requires_19_0(simulator: Simulator) -> None:
    with pytest.raises(ScenarioError, match="GitLab signs hooks since 19.0, but this server is 18.10"):
        simulator.load(scenario(hooks=[{"url": "http://x/", "signing_token": SIGNING_TOKEN}]))


def test_program_sends_hooks(receiver: Receiver, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "scenario.yml"
    path.write_text(yaml.safe_dump(scenario({"name": "a"}, version="19.2")), encoding="utf-8")
    options = ["--scenario", str(path), "--clock", "scaled:1000", "--hooks", receiver.url, "--hook-token", "t"]
    options += ["--hook-signing-token", SIGNING_TOKEN, "--hook-events", "job", "--hook-faults", "twice:1"]
    command = [sys.executable, "-m", "tests.simulator", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        rows: list[dict[str, t.Any]] = []
        deadline = time.monotonic() + 120
        # these requests change nothing, so only the clock moves the pipeline forward
        while not (rows and rows[-1]["status"] == "success") and time.monotonic() < deadline:
            rows = requests.get(f"{url}/_simulator/hooks", timeout=60).json()
        process.terminate()
    assert [row["status"] for row in rows] == ["pending", "pending", "running", "success"]
    assert [row["fault"] for row in rows] == ["twice", "twice", None, None]
    headers, body = receiver.received[0]
    assert headers["webhook-signature"] == signature(headers, body)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--hook-token", "t"], "require --hooks URL"),
        (["--hooks", "http://127.0.0.1:1/", "--hook-faults", "twice:x"], "'twice:x' is not a fault, such as lost"),
        (["--hooks", "http://127.0.0.1:1/", "--hook-signing-token", SIGNING_TOKEN], "GitLab signs hooks since 19.0"),
    ],
)
def test_invalid_hook_options_are_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], text: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["simulator", *options])
    try:
        status = main()
    except SystemExit as end:
        status = int(str(end.code))
    assert status == 2 and text in capsys.readouterr().err
