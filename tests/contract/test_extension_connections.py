# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extensions that prepare or replace the connection, observed from the server."""

from __future__ import annotations

import json
import os
import pathlib
import platform
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.options import session_of

from tests.contract.loopback import Server
from tests.contract.support import ROOT, Install

JOB = json.dumps({"id": 42, "name": "build", "status": "success"}).encode()
JOB_PATH = "/api/v4/projects/1/jobs/42"
FILE_PATH = f"{JOB_PATH}/artifacts"
MEGABYTE = 1024 * 1024


def json_answer(body: bytes) -> tuple[int, dict[str, str], tuple[bytes, ...]]:
    return 200, {"Content-Type": "application/json", "Content-Length": str(len(body))}, (body,)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


class Bytes:
    """Receives a download."""

    def __init__(self) -> None:
        self.content = b""

    def restart(self) -> None:
        self.content = b""

    def write(self, chunk: bytes) -> None:
        self.content += chunk


def test_request_source_header_is_sent_to_gitlab_only(install_example: t.Any) -> None:
    install_example("request_source")
    with Server({"/file": (200, {"Content-Length": "7"}, (b"content",))}) as storage:
        moved = 302, {"Location": f"{storage.url}/file", "Content-Length": "0"}, ()
        with Server({JOB_PATH: json_answer(JOB), FILE_PATH: moved}) as gitlab:
            options = {"extensions": ["request_source"], "api_url": gitlab.url, "api_token": "the-token"}
            client = session_of(options, TaskContext(environ={})).client
            assert client.call("get_job", project=1, job_id=42)["name"] == "build"
            sink = Bytes()
            client.download("download_artifacts", sink, project=1, job_id=42)
    assert sink.content == b"content"
    sources = [headers.get("X-Request-Source") for _path, headers in gitlab.seen]
    assert sources == [platform.node()] * 2
    (elsewhere,) = [headers for _path, headers in storage.seen]
    assert "X-Request-Source" not in elsewhere
    assert "the-token" not in str(elsewhere)


def test_every_extension_prepares_a_session_once(install: Install) -> None:
    prepare = (
        "import pluggy\n\n\n@pluggy.HookimplMarker('jobgate.gitlab')\ndef gitlab_prepare_session(session, settings):\n"
        "    session.headers['X-Order'] = session.headers.get('X-Order', '') + settings.api_url[-2:] + '%s'\n"
    )
    install(one=prepare % "1", two=prepare % "2")
    with Server({JOB_PATH: json_answer(JOB)}) as gitlab:
        options = {"extensions": ["one", "two"], "api_url": gitlab.url}
        client = session_of(options, TaskContext(environ={})).client
        for _request in range(2):
            client.call("get_job", project=1, job_id=42)
    assert [headers.get("X-Order") for _path, headers in gitlab.seen] == ["v41v42"] * 2


_DOWNLOAD = """
import json, resource, sys
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_download import TASK

options = {name: option.get("default") for name, option in TASK.spec.arguments.items()}
options.update(api_url=sys.argv[1], api_token="the-token", project="1", job_id=42, extensions=["gateway"])
grown = []
for content, dest in (("log", sys.argv[2]), ("archive", sys.argv[3])):
    outcome = TASK.run({**options, "content": content, "dest": dest}, TaskContext())
    grown.append((outcome.failure, outcome.values["size"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
print(json.dumps(grown))
"""


def test_gateway_extension_streams_large_downloads(install_example: t.Any, tmp_path: pathlib.Path) -> None:
    install_example("gateway")
    size = 300 * MEGABYTE
    small = 200, {"Content-Type": "text/plain", "Content-Length": "3"}, (b"log",)
    piece = b"x" * MEGABYTE
    large = 200, {"Content-Type": "application/zip", "Content-Length": str(size)}, [piece] * 300
    environment = {
        **os.environ,
        "JOBGATE_GATEWAY_PASS": "let-me-in",
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "site-packages"), str(ROOT / ".cache" / "collections")]),
    }
    with Server({JOB_PATH: json_answer(JOB), f"{JOB_PATH}/trace": small, FILE_PATH: large}) as gitlab:
        command = [sys.executable, "-c", _DOWNLOAD, gitlab.url, str(tmp_path / "log"), str(tmp_path / "archive.zip")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before, after = json.loads(done.stdout)
    assert (before[:2], after[:2]) == ([None, 3], [None, size])
    # in KiB; the first download has already loaded all code that downloads need
    assert after[2] - before[2] < 40 * 1024
    assert {headers.get("X-Gateway-Pass") for _path, headers in gitlab.seen} == {"let-me-in"}
