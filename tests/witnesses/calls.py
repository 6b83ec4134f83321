# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls, and what clients must make of the answers. Every call starts in a new world."""

from __future__ import annotations

import base64
import dataclasses
import http
import io
import typing as t
import zipfile

from .world import RELEASE_SHA

Check = t.Callable[[t.Any], bool]

_PIPELINE_FIELDS: t.Final = {"id", "sha", "ref", "status", "source", "web_url", "created_at", "updated_at"}


@dataclasses.dataclass(frozen=True)
class Call:
    """A call, which clients select by its name.

    :param check: function that returns whether the result is correct.
    :param status: status of the error that the client must report instead.
    :param words: words in the message of that error.
    :param effects: actions that the server must have executed.
    :param sends_variable: whether the server must have received the variable A with the value 1.
    """

    name: str
    check: Check | None = None
    status: int = 0
    words: str = ""
    effects: tuple[str, ...] = ()
    sends_variable: bool = False

    def problem(self, outcome: dict[str, t.Any]) -> str:
        """Return the problem of an outcome that a client reports, empty if there is none."""
        error = outcome.get("error")
        if self.check is None:
            if error is None:
                return f"no error, but {_short(outcome.get('result'))}"
            # some clients report only the status
            text_fits = self.words in error["text"] or error["text"] == http.HTTPStatus(self.status).phrase
            is_right = error["status"] == self.status and text_fits
            return "" if is_right else f"error {error['status']}: {error['text']}"
        if error is not None:
            return f"error {error['status']}: {error['text']}"
        try:
            is_right = self.check(outcome["result"])
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as problem:
            return f"{type(problem).__name__} {problem} in {_short(outcome['result'])}"
        return "" if is_right else _short(outcome["result"])


def _short(value: t.Any) -> str:
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}..."


def _names(*expected: str) -> Check:
    return lambda rows: [row["name"] for row in rows] == list(expected)


def _ids(*expected: int) -> Check:
    return lambda rows: [row["id"] for row in rows] == list(expected)


def _rows(expected: t.Any, of: t.Callable[[t.Any], t.Any]) -> Check:
    """Return a check of a list with one row."""
    return lambda rows: [of(row) for row in rows] == [expected]


def _has(**expected: t.Any) -> Check:
    return lambda record: all(record[name] == value for name, value in expected.items())


def _bytes(download: t.Any) -> bytes:
    """Return the bytes that a client has downloaded; some clients return text as a string."""
    return download.encode() if isinstance(download, str) else base64.b64decode(download["base64"])


def _is_archive(blob: t.Any) -> bool:
    with zipfile.ZipFile(io.BytesIO(_bytes(blob))) as packed:
        return packed.read("notes.txt") == b"words\n" and packed.testzip() is None


def _is_new_job(name: str, old_id: int) -> Check:
    return lambda job: job["name"] == name and job["id"] > old_id and job["status"] == "pending"


def _is_new_pipeline(source: str) -> Check:
    return lambda record: (
        record["id"] > 200
        and record["source"] == source
        and record["ref"] == "main"
        and record["status"] in ("created", "pending")
    )


def _is_row_of_pipelines(rows: t.Any) -> bool:
    return all(row.keys() == _PIPELINE_FIELDS | {"iid", "project_id", "name"} for row in rows)


# The bytes of tool.bin.
_TOOL: t.Final = b"\x7f\xc3\xa4"
_JOBS: t.Final = (5000, 4000, 3001, 3000, 2000, 1007, 1006, 1004, 1003, 1002, 1001, 1000, 900)

CALLS: t.Final = (
    # server and user
    Call("current user", _has(username="olga", state="active")),
    Call("version", _has(version="19.2.0")),
    Call("metadata", _has(version="19.2.0", enterprise=True)),
    Call("list projects", _rows("group/app", lambda row: row["path_with_namespace"])),
    Call("project by path", _has(id=7, path_with_namespace="group/app", default_branch="main")),
    Call("project by id", _has(path_with_namespace="group/app")),
    Call("project that is hidden", status=404, words="404 Project Not Found"),
    Call("commit of a branch", _has(id=RELEASE_SHA, short_id=RELEASE_SHA[:8])),
    Call("commit that is not there", status=404, words="404 Commit Not Found"),
    # jobs
    Call("list jobs", _ids(*_JOBS)),
    Call("list jobs in pages of two", _ids(*_JOBS)),
    Call("list jobs by keyset", _ids(*_JOBS)),
    Call("list failed and running jobs", _ids(5000, 3001, 1006, 1002, 1001)),
    Call("list jobs of a wrong status", status=400, words="scope does not have a valid value"),
    Call("list jobs of a pipeline", _names("flaky", "live", "ask", "long", "unit", "build")),
    Call("list them with retried ones", _ids(1007, 1006, 1004, 1003, 1002, 1001, 1000)),
    Call("list jobs of an unknown pipeline", status=404, words="404 Not found"),
    Call("list bridges", _rows(("docs", 200), lambda row: (row["name"], row["downstream_pipeline"]["id"]))),
    Call("list trigger jobs", _names("docs")),
    Call("get a job", lambda job: job["pipeline"]["id"] == 100 and job["user"]["username"] == "dan"),
    Call("get a job that failed", _has(status="failed", failure_reason="script_failure")),
    Call("get a bridge as a job", status=404, words="404 Not found"),
    Call("get a log", lambda text: text == "first line\nlast line\n"),
    Call("get a log that is empty", lambda text: not text),
    # artifacts
    Call("download an archive", _is_archive),
    Call("download a file", lambda blob: _bytes(blob) == _TOOL),
    Call("download a text", lambda blob: _bytes(blob) == b"words\n"),
    Call("get a file with JSON", _has(answer=42)),
    Call("download a file that is not there", status=404),
    Call("download an archive by ref", _is_archive),
    Call("download a file by ref", lambda blob: _bytes(blob) == _TOOL),
    Call("download by a ref without success", status=404, words="404 Not found"),
    Call("list artifacts", lambda rows: {row["path"] for row in rows} == {"notes.txt", "tool.bin", "sub/"}),
    Call("keep artifacts", _has(id=1000, artifacts_expire_at=None), effects=("keep_artifacts",)),
    Call("delete artifacts", lambda result: not result, effects=("delete_artifacts",)),
    Call("delete artifacts of the project", lambda result: not result or result["message"] == "202 Accepted",
         effects=("delete_project_artifacts",)),
    # actions on jobs
    Call("play a job", _has(id=1003, status="pending"), effects=("play",)),
    Call("play a job with variables", _has(id=1003, status="pending"), effects=("play",), sends_variable=True),
    Call("play a job that cannot be played", status=400, words="Unplayable Job"),
    Call("play a job without approval", status=400, words="Unplayable Job"),
    Call("retry a job", _is_new_job("unit", 1001), effects=("retry",)),
    Call("retry a running job", status=403, words="403 Forbidden - Job is not retryable"),
    Call("cancel a job", _has(id=1002, status="canceling"), effects=("cancel",)),
    Call("cancel a finished job", _has(id=1000, status="success")),
    Call("erase a job", lambda job: job["id"] == 1000 and job["erased_at"] and job["artifacts"] == [],
         effects=("erase",)),
    Call("erase a running job", status=403, words="403 Forbidden - Job is not erasable!"),
    # pipelines
    Call("list pipelines", lambda rows: _ids(103, 102, 101, 100, 99)(rows) and _is_row_of_pipelines(rows)),
    Call("list pipelines of a ref and status", _ids(101)),
    Call("list pipelines of a commit", _ids(101)),
    Call("list pipelines of a user and source", _ids(101)),
    Call("list finished pipelines, oldest first", _ids(99, 101, 102)),
    Call("list pipelines changed since", _ids(103, 102, 100)),
    Call("list child pipelines", _ids(200)),
    Call("list pipelines of a wrong status", status=400, words="status does not have a valid value"),
    Call("list pipelines of a merge request", _ids(102)),
    Call("get a pipeline", lambda p: (p["ref"], p["tag"], p["detailed_status"]["group"]) == ("main", False, "running")),
    Call("get a pipeline that is not there", status=404, words="404 Not found"),
    Call("get the latest pipeline", _has(id=100)),
    Call("get the latest pipeline of a ref", _has(id=101, sha=RELEASE_SHA)),
    Call("get the latest pipeline of an unknown ref", status=403, words="403 Forbidden"),
    Call("get variables of a pipeline",
         _rows(("COLOR", "blue", "env_var"), lambda row: (row["key"], row["value"], row["variable_type"]))),
    Call("get a test report",
         lambda r: r["failed_count"] == 1 and r["test_suites"][0]["test_cases"][1]["name"] == "two"),
    Call("get a summary of tests", lambda r: r["total"]["count"] == 2 and r["test_suites"][0]["build_ids"] == [1001]),
    Call("create a pipeline", _is_new_pipeline("api"), effects=("create_pipeline",)),
    Call("create a pipeline with variables", _is_new_pipeline("api"), effects=("create_pipeline",),
         sends_variable=True),
    Call("create a pipeline of an unknown ref", status=400, words="Reference not found"),
    Call("create a pipeline that rules forbid", status=400, words="workflow:rules"),
    Call("trigger a pipeline", _is_new_pipeline("trigger"), effects=("trigger_pipeline",), sends_variable=True),
    Call("trigger with a wrong token", status=404, words="404 Not Found"),
    Call("retry a pipeline", _has(id=101), effects=("retry_pipeline",)),
    Call("cancel a pipeline", _has(id=103), effects=("cancel_pipeline",)),
    Call("rename a pipeline", _has(id=101, name="Nightly"), effects=("rename_pipeline",)),
    Call("delete a pipeline", lambda result: not result, effects=("delete_pipeline",)),
    # deployments
    Call("list blocked deployments", _rows(("blocked", 1004), lambda row: (row["status"], row["deployable"]["id"]))),
    Call("get a deployment", _has(id=1, pending_approval_count=1, approvals=[])),
    Call("approve a deployment", lambda record: record["status"] == "approved" and record["user"]["username"] == "olga",
         effects=("approve",)),
    Call("reject a deployment", _has(status="rejected", comment="not today"), effects=("reject",)),
    Call("approve with a wrong word", status=400, words="status does not have a valid value"),
    Call("list environments", _names("production")),
    Call("get an environment", lambda record: record["name"] == "production" and record["state"] == "available"),
    Call("list freeze periods", _rows("0 7 * * 1", lambda row: row["freeze_end"])),
    # errors
    Call("ask for what does not exist", status=404, words="404 Not Found"),
)  # fmt: skip
