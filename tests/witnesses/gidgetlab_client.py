# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make calls with gidgetlab, which accepts any path; witness.py describes input and output."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import typing as t

import aiohttp
import gidgetlab
import gidgetlab.aiohttp

URL, TOKEN, TRIGGER_TOKEN = sys.argv[1:]
SHA: t.Final = "c0ffee" + "0" * 34
_P: t.Final = "/projects/7"
_PATH: t.Final = "/projects/group%2Fapp"
_VARIABLE: t.Final = {"key": "A", "value": "1"}

# Name of the call -> method of the client, path, and parameters or body.
Row = tuple[str, str, t.Any]
CALLS: t.Final[dict[str, Row]] = {
    "current user": ("getitem", "/user", {}),
    "version": ("getitem", "/version", {}),
    "metadata": ("getitem", "/metadata", {}),
    "list projects": ("getiter", "/projects", {"membership": "true"}),
    "project by path": ("getitem", _PATH, {}),
    "project by id": ("getitem", _P, {}),
    "project that is hidden": ("getitem", "/projects/group%2Fsecret", {}),
    "commit of a branch": ("getitem", f"{_P}/repository/commits/release", {}),
    "commit that is not there": ("getitem", f"{_P}/repository/commits/{'f' * 40}", {}),
    "list jobs": ("getiter", f"{_P}/jobs", {}),
    "list jobs in pages of two": ("getiter", f"{_P}/jobs", {"per_page": "2"}),
    "list jobs by keyset": ("getiter", f"{_P}/jobs", {"pagination": "keyset", "per_page": "5"}),
    "list failed and running jobs": ("getiter", f"{_P}/jobs", {"scope[]": ["failed", "running"]}),
    "list jobs of a wrong status": ("getiter", f"{_P}/jobs", {"scope": "nonsense"}),
    "list jobs of a pipeline": ("getiter", f"{_P}/pipelines/100/jobs", {}),
    "list them with retried ones": ("getiter", f"{_P}/pipelines/100/jobs", {"include_retried": "true"}),
    "list jobs of an unknown pipeline": ("getiter", f"{_P}/pipelines/999/jobs", {}),
    "list bridges": ("getiter", f"{_P}/pipelines/100/bridges", {}),
    "list trigger jobs": ("getiter", f"{_P}/pipelines/100/trigger_jobs", {}),
    "get a job": ("getitem", f"{_P}/jobs/1000", {}),
    "get a job that failed": ("getitem", f"{_PATH}/jobs/1001", {}),
    "get a bridge as a job": ("getitem", f"{_P}/jobs/1005", {}),
    "get a log": ("getitem", f"{_P}/jobs/1000/trace", {}),
    "get a log that is empty": ("getitem", f"{_P}/jobs/1003/trace", {}),
    "download an archive": ("getitem", f"{_P}/jobs/1000/artifacts", {}),
    "download a file": ("getitem", f"{_P}/jobs/1000/artifacts/tool.bin", {}),
    "download a text": ("getitem", f"{_P}/jobs/1000/artifacts/notes.txt", {}),
    "get a file with JSON": ("getitem", f"{_P}/jobs/1000/artifacts/sub/data.json", {}),
    "download a file that is not there": ("getitem", f"{_P}/jobs/1000/artifacts/no", {}),
    "download an archive by ref": ("getitem", f"{_P}/jobs/artifacts/stable/download", {"job": "build"}),
    "download a file by ref": ("getitem", f"{_P}/jobs/artifacts/stable/raw/tool.bin", {"job": "build"}),
    "download by a ref without success": ("getitem", f"{_P}/jobs/artifacts/release/download", {"job": "build"}),
    "list artifacts": ("getiter", f"{_P}/jobs/1000/artifacts/tree", {}),
    "keep artifacts": ("post", f"{_P}/jobs/1000/artifacts/keep", b""),
    "delete artifacts": ("delete", f"{_P}/jobs/1000/artifacts", b""),
    "delete artifacts of the project": ("delete", f"{_P}/artifacts", b""),
    "play a job": ("post", f"{_P}/jobs/1003/play", b""),
    "play a job with variables": ("post", f"{_P}/jobs/1003/play", {"job_variables_attributes": [_VARIABLE]}),
    "play a job that cannot be played": ("post", f"{_P}/jobs/1000/play", b""),
    "play a job without approval": ("post", f"{_P}/jobs/1004/play", b""),
    "retry a job": ("post", f"{_P}/jobs/1001/retry", b""),
    "retry a running job": ("post", f"{_P}/jobs/1002/retry", b""),
    "cancel a job": ("post", f"{_P}/jobs/1002/cancel", b""),
    "cancel a finished job": ("post", f"{_P}/jobs/1000/cancel", b""),
    "erase a job": ("post", f"{_P}/jobs/1000/erase", b""),
    "erase a running job": ("post", f"{_P}/jobs/1002/erase", b""),
    "list pipelines": ("getiter", f"{_P}/pipelines", {}),
    "list pipelines of a ref and status": ("getiter", f"{_P}/pipelines", {"ref": "release", "status": "failed"}),
    "list pipelines of a commit": ("getiter", f"{_P}/pipelines", {"sha": SHA}),
    "list pipelines of a user and source": ("getiter", f"{_P}/pipelines", {"username": "olga", "source": "web"}),
    "list finished pipelines, oldest first": ("getiter", f"{_P}/pipelines", {"scope": "finished", "sort": "asc"}),
    "list pipelines changed since": ("getiter", f"{_P}/pipelines", {"updated_after": "2026-01-05T11:30:00Z"}),
    "list child pipelines": ("getiter", f"{_P}/pipelines", {"source": "parent_pipeline"}),
    "list pipelines of a wrong status": ("getiter", f"{_P}/pipelines", {"status": "nonsense"}),
    "list pipelines of a merge request": ("getiter", f"{_P}/merge_requests/5/pipelines", {}),
    "get a pipeline": ("getitem", f"{_P}/pipelines/100", {}),
    "get a pipeline that is not there": ("getitem", f"{_P}/pipelines/999", {}),
    "get the latest pipeline": ("getitem", f"{_P}/pipelines/latest", {}),
    "get the latest pipeline of a ref": ("getitem", f"{_P}/pipelines/latest", {"ref": "release"}),
    "get the latest pipeline of an unknown ref": ("getitem", f"{_P}/pipelines/latest", {"ref": "nothing"}),
    "get variables of a pipeline": ("getitem", f"{_P}/pipelines/100/variables", {}),
    "get a test report": ("getitem", f"{_P}/pipelines/100/test_report", {}),
    "get a summary of tests": ("getitem", f"{_P}/pipelines/100/test_report_summary", {}),
    "create a pipeline": ("post", f"{_P}/pipeline", {"ref": "main"}),
    "create a pipeline with variables": ("post", f"{_P}/pipeline", {"ref": "main", "variables": [_VARIABLE]}),
    "create a pipeline of an unknown ref": ("post", f"{_P}/pipeline", {"ref": "nothing"}),
    "create a pipeline that rules forbid": ("post", f"{_P}/pipeline", {"ref": "release"}),
    "trigger a pipeline": (
        "post", f"{_P}/trigger/pipeline", {"ref": "main", "token": TRIGGER_TOKEN, "variables": {"A": "1"}},
    ),
    "trigger with a wrong token": ("post", f"{_P}/ref/main/trigger/pipeline", {"token": "wrong"}),
    "retry a pipeline": ("post", f"{_P}/pipelines/101/retry", b""),
    "cancel a pipeline": ("post", f"{_P}/pipelines/103/cancel", b""),
    "rename a pipeline": ("put", f"{_P}/pipelines/101/metadata", {"name": "Nightly"}),
    "delete a pipeline": ("delete", f"{_P}/pipelines/101", b""),
    "list blocked deployments": (
        "getiter", f"{_P}/deployments", {"environment": "production", "status": "blocked"},
    ),
    "get a deployment": ("getitem", f"{_P}/deployments/1", {}),
    "approve a deployment": ("post", f"{_P}/deployments/1/approval", {"status": "approved"}),
    "reject a deployment": ("post", f"{_P}/deployments/1/approval", {"status": "rejected", "comment": "not today"}),
    "approve with a wrong word": ("post", f"{_P}/deployments/1/approval", {"status": "maybe"}),
    "list environments": ("getiter", f"{_P}/environments", {}),
    "get an environment": ("getitem", f"{_P}/environments/1", {}),
    "list freeze periods": ("getiter", f"{_P}/freeze_periods", {}),
    "ask for what does not exist": ("getitem", f"{_P}/pipeline_schedules", {}),
}  # fmt: skip


async def result(api: gidgetlab.aiohttp.GitLabAPI, row: Row) -> t.Any:
    """Make a call, and return its result in a form that JSON supports."""
    method, path, given = row
    if method == "getiter":
        return [item async for item in api.getiter(path, given)]
    if method == "getitem":
        found = await api.getitem(path, given)
    else:
        found = await getattr(api, method)(path, data=given)
    return {"base64": base64.b64encode(found).decode()} if isinstance(found, bytes) else found


async def outcome(api: gidgetlab.aiohttp.GitLabAPI, name: str) -> dict[str, t.Any]:
    try:
        return {"result": await result(api, CALLS[name])}
    except gidgetlab.HTTPException as error:
        return {"error": {"status": int(error.status_code), "text": str(error)}}


async def main() -> None:
    print(json.dumps(list(CALLS)), flush=True)
    async with aiohttp.ClientSession() as session:
        api = gidgetlab.aiohttp.GitLabAPI(session, "jobgate", url=URL, access_token=TOKEN)
        for line in sys.stdin:
            print(json.dumps(await outcome(api, line.rstrip("\n"))), flush=True)


asyncio.run(main())
