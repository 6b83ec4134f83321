# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test everything from hook to effect: ansible-rulebook with the collection's rulebooks, against the simulator."""

from __future__ import annotations

import collections
import copy
import pathlib
import shutil
import socket
import time
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.pauses import FIRST_REST_SECONDS

from tests.packaging.support import TOKEN as API_TOKEN

from .rulebook import LISTENING, PATIENCE_SECONDS, install, records, rulebook, send
from .support import DEPLOYMENT, JOB, OTHER_SIGNING, PIPELINE, PUSH, ROOT, SECRETS, SIGNING, TOKEN, Record, changed
from .test_options import RULEBOOKS

pytestmark = pytest.mark.rulebook
CHECKOUT = ROOT / ".cache" / "collections"

if not shutil.which("ansible-rulebook"):
    pytest.skip("ansible-rulebook is not installed: make eda", allow_module_level=True)


def world(*jobs: Record, ref: str = "main", tag: bool = False, **more: t.Any) -> Record:
    return {
        "version": "19.2",
        "users": ["alice"],
        "tokens": [{"token": API_TOKEN, "user": "alice"}],
        "projects": [{"path": "group/app", "id": 380, "members": {"alice": "maintainer"}}],
        "pipelines": [{"project": "group/app", "id": 31, "ref": ref, "tag": tag, "jobs": list(jobs)}],
        **more,
    }


def pipeline_hook(status: str, **attributes: t.Any) -> Record:
    return changed(PIPELINE, object_attributes=PIPELINE["object_attributes"] | {"status": status} | attributes)


def effects(simulator: t.Any) -> list[tuple[str, str]]:
    return [(effect["action"], effect["name"]) for effect in simulator.effects()]


def ruleset(*rules: Record, source: Record | None = None, **options: t.Any) -> list[Record]:
    """Return a rulebook for this event source, which stops at a skipped job."""
    stop = {"name": "stop", "condition": 'event.gitlab.status == "skipped"', "action": {"shutdown": {"delay": 0}}}
    own = {"jobgate.gitlab.job_events": {"port": 0, **options}}
    return [{"name": "t", "hosts": "localhost", "sources": [source or own], "rules": [*rules, stop]}]


def debug_rule(condition: str, text: str) -> Record:
    return {"name": condition, "condition": condition, "action": {"debug": {"msg": text}}}


@pytest.mark.parametrize("kind", ["checkout", "galaxy", "pip"])
def test_source_is_found_in_each_kind_of_installation(kind: str, tmp_path: pathlib.Path) -> None:
    place = install(tmp_path, kind, ROOT)
    rules = ruleset(
        debug_rule('event.gitlab.kind == "job" and event.gitlab.status == "failed"', "a job: {{ event.gitlab.name }}"),
        debug_rule('event.gitlab.kind == "deployment"', "a deployment: {{ event.gitlab.environment }}"),
        path="/gitlab",
        signing_token="{{ GITLAB_SIGNING_TOKEN }}",
    )
    with rulebook(tmp_path, rules, {}, collections=place) as running:
        url = running.wait_for(LISTENING.pattern)[1]
        assert [send(url, JOB, "1"), send(url, DEPLOYMENT, "2"), send(url, PUSH, "3")] == [200, 200, 200]
        assert send(url, changed(JOB, build_status="skipped"), "4") == 200
        assert running.end() == 0
    assert "a job: deploy:prod" in running.output and "a deployment: staging" in running.output


def test_successful_pipeline_plays_the_job_once(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    """The hooks include forged, repeated and unrelated ones. ansible-rulebook prints as much as it can."""
    jobs = (
        {"name": "build", "stage": "build", "status": "success"},
        {"name": "deploy:prod", "stage": "deploy", "when": "manual"},
    )
    simulator.load(world(*jobs), clock="stepped")
    variables = {"deploy_project": "group/app", "deploy_ref": "main", "deploy_job": "deploy:prod"}
    options = ("--print-events", "-vv")
    name = "jobgate.gitlab.play_when_green"
    with rulebook(tmp_path, name, variables, *options, collections=CHECKOUT, gitlab=simulator.url) as running:
        url = running.wait_for(LISTENING.pattern)[1]
        assert send(url, pipeline_hook("success"), "forged", signing_token=OTHER_SIGNING) == 401
        assert send(url, pipeline_hook("running"), "1") == 200
        assert send(url, pipeline_hook("success", ref="other"), "2") == 200
        assert send(url, pipeline_hook("success", id=32, source="parent_pipeline"), "child") == 200
        assert send(url, pipeline_hook("success", id=32, source="merge_request_event"), "merge request") == 200
        assert (
            send(url, changed(pipeline_hook("success"), project={"id": 7, "path_with_namespace": "group/x"}), "3")
            == 200
        )
        assert send(url, pipeline_hook("success"), "4", X_Gitlab_Token=TOKEN) == 200
        assert send(url, pipeline_hook("success"), "4", X_Gitlab_Token=TOKEN) == 200
        running.wait_for("localhost +: ok=2 +changed=1")
        # GitLab sends success again after the job, and nothing is left to do
        assert send(url, pipeline_hook("success", status_again=True), "5") == 200
        running.wait_for("localhost +: ok=2 +changed=0")
    assert effects(simulator) == [("play", "deploy:prod")]
    assert len([row for row in simulator.requests() if row["method"] == "POST"]) == 1
    assert not [row for row in simulator.requests() if "/pipelines/32" in row["path"]]
    assert not [secret for secret in (*SECRETS, API_TOKEN) if secret in running.output]


def test_repeated_and_forged_hooks_of_the_server_have_one_effect(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    """The simulator sends each hook twice, and another sender sends forged hooks for the same events."""
    build: Record = {"name": "build", "stage": "build", "queue": 0, "duration": 20}
    deploy: Record = {"name": "deploy:prod", "stage": "deploy", "when": "manual", "queue": 0, "duration": 20}
    simulator.load(world(build, deploy), clock="stepped")
    variables = {"deploy_project": "group/app", "deploy_ref": "main", "deploy_job": "deploy:prod"}
    name = "jobgate.gitlab.play_when_green"
    with rulebook(tmp_path, name, variables, "-vv", collections=CHECKOUT, gitlab=simulator.url) as running:
        url = running.wait_for(LISTENING.pattern)[1]
        simulator.add_hook(url, signing_token=SIGNING, token=TOKEN, faults=["twice"])
        simulator.add_hook(url, signing_token=OTHER_SIGNING, auto_disable=False)
        simulator.advance(60)
        sent = [(hook["event"], hook["status"], hook["answer"]) for hook in simulator.hooks()]
        assert collections.Counter(sent) == {
            ("job", "success", 200): 2,
            ("job", "success", 401): 1,
            ("pipeline", "success", 200): 2,
            ("pipeline", "success", 401): 1,
        }
        running.wait_for("localhost +: ok=2 +changed=1")
        # the played job made the pipeline succeed again, and nothing is left to do
        simulator.advance(60)
        running.wait_for("localhost +: ok=2 +changed=0")
    assert effects(simulator) == [("play", "deploy:prod")]
    assert not [secret for secret in (*SECRETS, API_TOKEN) if secret in running.output]


def test_job_is_retried_once_if_its_runner_failed(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    failed = {"stage": "test", "status": "failed", "failure_reason": "runner_system_failure"}
    simulator.load(world({"name": "unit", "id": 1, **failed}, {"name": "lint", "id": 2, **failed}), clock="stepped")
    name = "jobgate.gitlab.retry_on_runner_failure"
    with rulebook(tmp_path, name, {}, collections=CHECKOUT, gitlab=simulator.url) as running:
        url = running.wait_for(LISTENING.pattern)[1]

        def job(build_id: int, delivery: str, **values: t.Any) -> int:
            return send(url, changed(JOB, build_id=build_id, **values), delivery)

        assert job(2, "script", build_failure_reason="script_failure") == 200
        assert job(2, "third", retries_count=2) == 200
        assert job(2, "uncounted", retries_count=None) == 200
        assert job(2, "running", build_status="running") == 200
        assert job(1, "unit", retries_count=0) == 200
        running.wait_for("localhost +: ok=2 +changed=1")
    assert effects(simulator) == [("retry", "unit")]


def test_tag_pipeline_starts_its_release(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    jobs = (
        {"name": "build", "stage": "build", "duration": 60},
        {"name": "deploy:prod", "stage": "deploy", "when": "manual", "allow_failure": False, "duration": 60},
    )
    simulator.load(world(*jobs, ref="v1.2.0", tag=True), clock="scaled:60")
    (tmp_path / "releases").mkdir()
    variables = {
        "release_project": "group/app",
        "release_folder": str(tmp_path / "releases"),
        "release_gates": [
            {"name": "build", "action": "wait"},
            {"name": "deploy:prod", "action": "play", "wait_interval": 1},
        ],
    }
    for gate in variables["release_gates"]:
        gate.pop("wait_interval", None)
    name = "jobgate.gitlab.release_on_tag"
    with rulebook(tmp_path, name, variables, collections=CHECKOUT, gitlab=simulator.url) as running:
        url = running.wait_for(LISTENING.pattern)[1]
        tagged: Record = {"ref": "v1.2.0", "tag": True}
        assert send(url, pipeline_hook("running", ref="v1.2.0", tag=False), "branch") == 200
        assert send(url, pipeline_hook("running", ref="latest", tag=True), "other tag") == 200
        assert send(url, pipeline_hook("running", id=32, source="parent_pipeline", **tagged), "child") == 200
        assert send(url, pipeline_hook("pending", **tagged), "pending") == 200
        assert send(url, pipeline_hook("running", **tagged), "running") == 200
        running.wait_for("localhost +: ok=")
    assert effects(simulator) == [("play", "deploy:prod")]
    assert [record["outcome"] for record in records(tmp_path / "releases")] == ["passed"]
    assert (tmp_path / "releases" / "pipeline-31.html").is_file()


def test_release_of_a_tag_is_nudged_by_the_same_source(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    """The server's clock only moves after the gate has polled, so a gate without nudges would see nothing."""
    jobs = (
        {"name": "build", "stage": "build", "queue": 0, "duration": 60},
        {"name": "deploy:prod", "stage": "deploy", "when": "manual", "allow_failure": False, "duration": 60},
    )
    simulator.load(world(*jobs, ref="v1.2.0", tag=True), clock="stepped")
    rules = copy.deepcopy(RULEBOOKS["release_on_tag"])
    nudges = str(tmp_path / "nudges")
    rules[0]["sources"][0]["jobgate.gitlab.job_events"]["nudges"] = nudges
    rules[0]["rules"][0]["action"]["run_playbook"]["extra_vars"]["release_nudges"] = nudges
    variables = {
        "release_project": "group/app",
        "release_folder": str(tmp_path),
        "release_gates": [{"name": "build", "action": "wait"}, {"name": "deploy:prod", "action": "play"}],
    }
    with rulebook(tmp_path, rules, variables, collections=CHECKOUT, gitlab=simulator.url) as running:
        url = running.wait_for(LISTENING.pattern)[1]
        assert send(url, pipeline_hook("running", ref="v1.2.0", tag=True), "running") == 200
        wait_until(lambda: any(row["path"].endswith("/pipelines/31/jobs") for row in simulator.requests()))
        simulator.add_hook(url, signing_token=SIGNING)
        simulator.advance(100)
        wait_until(lambda: effects(simulator) == [("play", "deploy:prod")])
        simulator.advance(100)
        running.wait_for("localhost +: ok=")
    (record,) = records(tmp_path)
    assert (record["outcome"], record["warnings"]) == ("passed", [])
    # two pauses without a nudge would take a minute
    assert record["elapsed"] < 2 * FIRST_REST_SECONDS


def wait_until(has_happened: t.Callable[[], bool]) -> None:
    """Wait until the gate, which is a separate process, has come this far."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not has_happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"signing_token": SIGNING, "tokens": TOKEN}, "job_events has no option 'tokens': did you mean token?"),
        ({"token": ""}, "token is empty: set a value, or omit it"),
        ({}, "token and signing_token are missing: set at least one of them, as it is set in the hook"),
    ],
    ids=["unknown", "empty", "missing"],
)
def test_invalid_options_prevent_the_start(options: Record, sentence: str, tmp_path: pathlib.Path) -> None:
    with rulebook(
        tmp_path, ruleset(debug_rule("event.gitlab.id == 1", "never"), **options), {}, "-v", collections=CHECKOUT
    ) as running:
        assert running.end() == 1
    assert sentence in running.output
    assert not [secret for secret in SECRETS if secret in running.output]


def test_first_rulebook_of_the_guide_works(tmp_path: pathlib.Path) -> None:
    first = copy.deepcopy(RULEBOOKS["See what happens"])
    first[0]["sources"][0]["jobgate.gitlab.job_events"]["port"] = 0
    with rulebook(tmp_path, first, {}, collections=CHECKOUT) as running:
        url = running.wait_for(LISTENING.pattern)[1]
        assert send(url, JOB, "1") == 200
        running.wait_for("deploy:prod of pipeline 2366 is failed")


@pytest.mark.parametrize("name", RULEBOOKS)
def test_ansible_rulebook_accepts_every_rulebook(name: str) -> None:
    """Rulebooks that need a controller also pass ansible-rulebook's own schema and parser."""
    from ansible_rulebook.rules_parser import parse_rule_sets
    from ansible_rulebook.validators import Validate

    Validate.rulebook(RULEBOOKS[name])
    assert len(parse_rule_sets(RULEBOOKS[name], {"deploy_ref": "main"})) == len(RULEBOOKS[name])


def test_filter_works_with_the_webhook_source(tmp_path: pathlib.Path) -> None:
    """The webhook source of ansible-rulebook puts all headers into its events, and does not report its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    source = {
        "eda.builtin.webhook": {"host": "127.0.0.1", "port": port},
        "filters": [{"jobgate.gitlab.gitlab_event": {}}],
    }
    rules = ruleset(debug_rule('event.gitlab.status == "failed"', "a job: {{ event.gitlab.name }}"), source=source)
    with rulebook(tmp_path, rules, {}, "-vv", "--print-events", collections=CHECKOUT) as running:
        running.wait_for("Waiting for events")
        url = f"http://127.0.0.1:{port}/gitlab"
        for payload in (JOB, PUSH, changed(JOB, build_status="skipped")):
            assert send(url, payload, "1", X_Gitlab_Token=TOKEN) == 200
        assert running.end() == 0
    assert "a job: deploy:prod" in running.output
    assert "webhook-signature" in running.output.lower()
    assert TOKEN not in running.output
