# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections to a server: by proxy or direct, in process or as a module, with a client certificate or more headers."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from tests.simulator.certificates import Authority
from tests.unit.harness import job
from tests.unit.module_utils._api.loopback import LoopbackProxy, LoopbackServer, answer_of

from .harness import TOKEN, play, world

PASS = "gateway-pass-0123"
COLLECTION = "jobgate.gitlab"
WAYS = pytest.mark.parametrize("way", ["true", "false"], ids=["in process", "module"])


def test_results_do_not_depend_on_proxy_or_way_of_running(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    jobs = world({"name": "build", "status": "success", "log": "one\ntwo\n", "artifacts": {"files": {"a.txt": "a"}}})
    headers = {"X-Gateway-Pass": PASS}
    by_name = {"project": "group/app", "pipeline_id": 100, "name": "build", "http_headers": headers}
    tasks = [
        {"name": "read", f"{COLLECTION}.gitlab_job_info": {**by_name, "log_lines": 2, "fields": ["name", "log_tail"]}},
        {
            "name": "download",
            f"{COLLECTION}.gitlab_job_download": {**by_name, "content": "log", "dest": str(tmp_path / "log")},
        },
        {"name": "retry", f"{COLLECTION}.gitlab_job_action": {**by_name, "action": "retry", "force": True}},
        {"name": "fail", f"{COLLECTION}.gitlab_job_info": {**by_name, "name": "none"}, "ignore_errors": True},
    ]
    seen: list[t.Any] = []
    with LoopbackProxy() as proxy:
        for way in ("true", "false"):
            for proxies in ({}, {"HTTP_PROXY": proxy.url, "NO_PROXY": "", "no_proxy": ""}):
                simulator.load(jobs)
                (tmp_path / "log").unlink(missing_ok=True)
                done = play(
                    tasks,
                    tmp_path,
                    url=simulator.url,
                    environment={"JOBGATE_IN_PROCESS": way, **proxies},
                    secrets=(TOKEN, PASS),
                )
                assert done.returncode == 0, done.output
                assert bool(proxy.asked) is bool(proxies)
                assert all(f"X-Gateway-Pass: {PASS}" in asked for asked in proxy.asked)
                proxy.asked.clear()
                seen.append({name: _stable_part(result) for name, result in done.results.items()})
    assert seen[0]["read"]["jobs"] and seen[0]["retry"]["changed"] and "none" in seen[0]["fail"]["msg"]
    assert seen[1:] == seen[:1] * 3


def test_short_values_of_headers_do_not_hide_the_output(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "prod", "status": "success"}))
    headers = {"X-Environment": "prod", "X-Team": 7, "X-Gateway-Pass": PASS}
    read = {"project": "group/app", "pipeline_id": 100, "name": "prod", "http_headers": headers, "fields": ["name"]}
    tasks = [
        {"name": "read", f"{COLLECTION}.gitlab_job_info": read},
        {"name": "fail", f"{COLLECTION}.gitlab_job_info": {**read, "name": "none"}, "ignore_errors": True},
    ]
    environment = {"ANSIBLE_INJECT_INVOCATION": "true"}
    done = play(tasks, tmp_path, "-vvv", url=simulator.url, environment=environment, secrets=(TOKEN, PASS))
    assert done.returncode == 0, done.output
    assert '"name": "prod"' in done.output and "there is 'prod'" in done.output
    assert "X-Environment" not in done.output


def _stable_part(value: t.Any) -> t.Any:
    """Return a result without the parts that differ between runs."""
    if isinstance(value, dict):
        volatile = ("elapsed", "queued", "timeline", "mtime", "ctime", "atime", "ansible_facts")
        return {
            key: _stable_part(item)
            for key, item in value.items()
            if key not in volatile and not key.endswith(("_at", "duration"))
        }
    return [_stable_part(item) for item in value] if isinstance(value, list) else value


@WAYS
def test_client_certificate_is_sent_and_a_missing_one_is_reported(tmp_path: pathlib.Path, way: str) -> None:
    authority = Authority()
    certificate, key = map(str, authority.client_files())
    given = {"project": "7", "job_id": 42, "ca_path": str(authority.ca_path), "api_retries": 0}
    info = f"{COLLECTION}.gitlab_job_info"
    with LoopbackServer(answer_of(json.dumps(job()).encode()), context=authority.demanding_context()) as server:
        tasks = [
            {"name": "with", info: {**given, "client_cert": certificate, "client_key": key}},
            {"name": "without", info: given, "ignore_errors": True},
            {"name": "key only", info: {**given, "client_key": key}, "ignore_errors": True},
        ]
        done = play(tasks, tmp_path, url=server.url, environment={"JOBGATE_IN_PROCESS": way})
    assert done.results["with"]["job"]["id"] == 42, done.output
    assert "the server requires a client certificate" in done.results["without"]["msg"]
    assert "client_cert and client_key" in done.results["without"]["msg"]
    assert "client_key is set without client_cert" in done.results["key only"]["msg"]
    assert len(server.received) == 1
    authority.stop()


@WAYS
def test_http_headers_cannot_set_authorization(tmp_path: pathlib.Path, way: str) -> None:
    given = {"project": "7", "job_id": 42, "http_headers": {"Authorization": f"Bearer {PASS}"}}
    task = {"name": "read", f"{COLLECTION}.gitlab_job_info": given, "ignore_errors": True}
    done = play(
        [task], tmp_path, url="http://127.0.0.1:1", environment={"JOBGATE_IN_PROCESS": way}, secrets=(TOKEN, PASS)
    )
    assert "http_headers cannot set Authorization" in done.results["read"]["msg"]
