# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads: the right content, whole or not at all, and one sentence that explains a failure."""

from __future__ import annotations

import hashlib
import os
import stat

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import WholeBody
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.files.download import download as into_place
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.files.fetch import DownloadRequest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.query import JobQuery
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Files
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.pipelines.query import PipelineQuery
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_download import TASK

from ....harness import (
    NO_ROUTE,
    NOT_FOUND,
    Exchange,
    FunctionTransport,
    ScriptedTransport,
    bridge,
    job,
    new_session,
    pipeline,
    reply,
    run_task,
)

JOB = "GET /projects/7/jobs/42"
LIST = "GET /projects/7/pipelines/6/jobs"
ARTIFACTS = "GET /projects/7/jobs/42/artifacts"
FILE = "GET /projects/7/jobs/42/artifacts/dist/app.txt"
REPORT = "GET /projects/7/jobs/42/artifacts?file_type=junit"
TREE = "GET /projects/7/jobs/42/artifacts/tree"
LOG = "GET /projects/7/jobs/42/trace"
RECENT = "search_recent_successful_pipelines=true"
BY_REF = f"GET /projects/7/jobs/artifacts/main/download?job=build&{RECENT}"
FILE_BY_REF = f"GET /projects/7/jobs/artifacts/main/raw/dist/app.txt?job=build&{RECENT}"
NONE_FOUND = reply(NOT_FOUND, status=404)
NEW = b"the new content"
OLD = b"what was there before"
IN_FILE = {"content": "file", "artifact_path": "dist/app.txt"}
JUNIT = {"content": "report", "report_type": "junit"}
AS_JOB = {"api_token": None, "api_job_token": "glcbt-0123456789"}
ANONYMOUS = {"api_token": None}


LATEST = {"ref": "main", "name": "build", "latest_success": True}
SUCCESSFUL = "GET /projects/7/pipelines?ref=main&order_by=id&sort=desc&per_page=20"
WITH_FILES = job(42, "success", "build", artifacts_file={"filename": "artifacts.zip", "size": 3})
# how to find the job that GitLab takes for a ref
FOUND = [Exchange(SUCCESSFUL, [pipeline(6, "success")]), Exchange(LIST, [WITH_FILES])]


def digest(content):
    return hashlib.sha256(content).hexdigest()


def done(record=None):
    """Return the exchange that reads a job."""
    return Exchange(JOB, record or job(42, "success", "build"))


def with_reports(*kinds, **more):
    """Return the exchange that reads a job with reports; a kind is `junit` or a complete entry."""
    entries = [entry if isinstance(entry, dict) else entry_of(entry) for entry in kinds or ("junit", "cobertura")]
    others = [entry_of(kind) for kind in ("archive", "metadata", "trace")]
    return done(job(42, "success", "build", artifacts=[*others, *entries], **more))


def untold():
    """Return the exchange that reads a job whose record does not list its artifacts."""
    record = job(42, "success", "build")
    del record["artifacts"]
    return done(record)


def entry_of(kind, **more):
    """Return an entry of the list of a job's artifacts."""
    return {"file_type": kind, "size": len(NEW), "filename": f"{kind}.xml.gz", "file_format": "gzip", **more}


def download(dest, *exchanges, check_mode=False, **options):
    """Return the outcome of a download; fail if it leaves anything beside the target."""
    folder = dest if dest.is_dir() else dest.parent
    try:
        return run_task(
            TASK, {"dest": str(dest), **options}, transport=ScriptedTransport(*exchanges), check_mode=check_mode
        )
    finally:
        assert not [path.name for path in folder.glob(".jobgate-*")]


def listing(*exchanges, **options):
    return run_task(TASK, {"content": "list", **options}, transport=ScriptedTransport(*exchanges))


# ----- what is downloaded -----


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ({"job_id": 42}, [done(), Exchange(ARTIFACTS, NEW)]),
        ({"job_id": 42, **IN_FILE}, [done(), Exchange(FILE, NEW)]),
        ({"job_id": 42, "content": "log"}, [done(), Exchange(LOG, NEW)]),
        ({"job_id": 42, **JUNIT}, [with_reports(), Exchange(REPORT, NEW)]),
        ({"pipeline_id": 6, "name": "deploy"}, [Exchange(LIST, [job(42)]), Exchange(ARTIFACTS, NEW)]),
        (LATEST, [*FOUND, Exchange(BY_REF, NEW), *FOUND]),
        ({**LATEST, **IN_FILE}, [*FOUND, Exchange(FILE_BY_REF, NEW), *FOUND]),
    ],
    ids=["archive", "file", "log", "report", "pipeline", "ref", "file of a ref"],
)
def test_check_mode_predicts_what_the_run_then_does_once(tmp_path, options, lines):
    dest = tmp_path / "target"
    for check_mode, changed in ((True, True), (False, True), (True, False), (False, False)):
        outcome = download(dest, *lines, check_mode=check_mode, **options)
        assert (outcome.changed, outcome.failure) == (changed, None)
        assert (outcome.values["dest"], outcome.values["size"]) == (str(dest), len(NEW))
        assert outcome.values["sha256"] == digest(NEW)
        assert dest.exists() == (not (check_mode and changed))
        before = "" if changed else outcome.diff["after"]
        assert outcome.diff == {"before": before, "after": f"size: {len(NEW)}\nsha256: {digest(NEW)}\n"}
    assert dest.read_bytes() == NEW


def test_the_job_is_told_where_it_was_read(tmp_path):
    record = job(42, "success", "build")
    values = download(tmp_path / "x", done(record), Exchange(ARTIFACTS, NEW), job_id=42).values
    assert (values["job"], values["pipeline"]) == (record, record["pipeline"])
    # GitLab finds the job by itself and does not report which
    values = download(tmp_path / "x", *FOUND, Exchange(BY_REF, NEW), *FOUND, **LATEST).values
    assert (values["job"]["id"], values["pipeline"]) == (42, record["pipeline"])
    # the job is unknown if it is found nowhere
    none = Exchange(SUCCESSFUL, [])
    values = download(tmp_path / "x", none, Exchange(BY_REF, NEW), none, **LATEST).values
    assert (values["job"], values["pipeline"]) == ({"name": "build", "ref": "main"}, None)


@pytest.mark.parametrize("name", ["other", "build"])
def test_of_two_child_pipelines_gitlab_takes_the_older_one(tmp_path, name):
    children = {number: pipeline(number, "success") for number in (27, 26)}
    bridges = [bridge(50 + number, name=f"child {number}", downstream=child) for number, child in children.items()]
    answers = {
        "GET /projects/7/pipelines": [pipeline(6, "success")],
        "GET /projects/7/pipelines/6": pipeline(6, "success"),
        LIST: [job(40, "success", name)],
        "GET /projects/7/pipelines/6/trigger_jobs": bridges,
        "GET /projects/7/jobs/artifacts/main/download": NEW,
    }
    for number, child in children.items():
        answers[f"GET /projects/7/pipelines/{number}/jobs"] = [{**WITH_FILES, "id": 2 * number, "pipeline": child}]
        answers[f"GET /projects/7/pipelines/{number}/trigger_jobs"] = []
    options = {"dest": str(tmp_path / "x"), **LATEST}
    values = run_task(TASK, options, transport=FunctionTransport(lambda call: answers[call.line])).values
    assert (values["job"]["id"], values["pipeline"]["id"]) == (52, 26)


@pytest.mark.parametrize("more", [{}, {"artifacts_expire_at": "2126-01-02T00:00:00.000Z"}], ids=["none", "deleted"])
def test_a_job_without_artifacts_and_a_pipeline_that_failed_are_passed_over_as_gitlab_does(tmp_path, more):
    bare = job(62, "success", "build", artifacts=[{"file_type": "trace"}], **more)
    older = pipeline(5, "success")
    lines = [
        Exchange(SUCCESSFUL, [pipeline(9, "failed"), pipeline(6, "success"), older]),
        Exchange(LIST, [bare]),
        Exchange("GET /projects/7/pipelines/6/trigger_jobs", []),
        Exchange(LIST, [bare]),
        Exchange("GET /projects/7/pipelines/5/jobs", [{**WITH_FILES, "id": 52, "pipeline": older}]),
    ]
    values = download(tmp_path / "x", *lines, Exchange(BY_REF, NEW), *lines, **LATEST).values
    assert (values["job"]["id"], values["pipeline"]) == (52, older)


@pytest.mark.parametrize(
    "more", [{}, {"sha": "f" * 40}, {"name": "buil?"}, {"include_downstream": True}, {"content": "log"}], ids=str
)
def test_by_ref_it_is_the_job_of_the_newest_pipeline(tmp_path, more):
    builds = [job(42, "success", "build")]

    def answer(call):
        answers = {
            "GET /projects/7/pipelines": [] if "scope" in call.query else [pipeline()],
            LIST: builds,
            "GET /projects/7/pipelines/6": pipeline(),
            "GET /projects/7/pipelines/6/trigger_jobs": [],
            ARTIFACTS: NEW,
            LOG: NEW,
        }
        return answers[call.line]

    transport = FunctionTransport(answer)
    options = {"dest": str(tmp_path / "x"), "ref": "main", "name": "build", **more}
    assert run_task(TASK, options, transport=transport).values["job"] == builds[0]
    assert transport.lines[-1] in (ARTIFACTS, LOG)


def test_a_job_of_a_downstream_pipeline_is_fetched_from_its_own_project(tmp_path):
    child = pipeline(26, project_id=8)
    answers = {
        "GET /projects/7/pipelines/6": pipeline(),
        LIST: [job(42)],
        "GET /projects/7/pipelines/6/trigger_jobs": [bridge(50, name="infra", downstream=child)],
        "GET /projects/8/pipelines/26/jobs": [job(72, name="build", pipeline=child)],
        "GET /projects/8/pipelines/26/trigger_jobs": [],
        "GET /projects/8/jobs/72/artifacts": NEW,
    }
    options = {"dest": str(tmp_path / "x"), "pipeline_id": 6, "name": "infra/build", "include_downstream": True}
    outcome = run_task(TASK, options, transport=FunctionTransport(lambda call: answers[call.line]))
    assert (outcome.values["job"]["id"], (tmp_path / "x").read_bytes()) == (72, NEW)


def test_a_file_keeps_its_mode_and_a_new_one_gets_that_of_new_files(tmp_path):
    old, new, plain = tmp_path / "old", tmp_path / "new", tmp_path / "plain"
    old.write_bytes(OLD)
    old.chmod(0o751)
    plain.touch()
    for dest in (old, new):
        assert download(dest, done(), Exchange(ARTIFACTS, NEW), job_id=42).changed
    assert stat.S_IMODE(old.stat().st_mode) == 0o751
    assert new.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize(
    ("options", "line", "name"),
    [({}, ARTIFACTS, "artifacts.zip"), (IN_FILE, FILE, "app.txt"), ({"content": "log"}, LOG, "42.log")],
)
def test_a_folder_gets_a_file_named_after_the_content(tmp_path, options, line, name):
    outcome = download(tmp_path, done(), Exchange(line, NEW), job_id=42, **options)
    assert outcome.values["dest"] == str(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


# ----- reports -----

ZIP = b"PK\x03\x04 and so on"
EMPTY_ZIP = b"PK\x05\x06" + b"\0" * 18


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("junit.xml.gz", "junit.xml.gz"),
        (".env.gz", ".env.gz"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\x.gz", "x.gz"),
        ("..", "junit"),
        ("a/..", "junit"),
        (".", "junit"),
        ("a/", "junit"),
        ("", "junit"),
        ("a\0b", "junit"),
        ("a\nb", "junit"),
        ("\ud800", "junit"),
        (None, "junit"),
        (["x"], "junit"),
        ({"x": 1}, "junit"),
    ],
)
def test_a_report_in_a_folder_has_its_name_and_no_other_path(tmp_path, filename, name):
    folder = tmp_path / "inner" / "folder"
    folder.mkdir(parents=True)
    read = with_reports(entry_of("junit", filename=filename))
    outcome = download(folder, read, Exchange(REPORT, NEW), job_id=42, **JUNIT)
    assert outcome.values["dest"] == str(folder / name)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [folder / name]


@pytest.mark.parametrize(
    "read", [untold(), *(done(job(42, "success", "build", artifacts=told)) for told in (None, "none", {}, 7))]
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_job_whose_record_does_not_tell_is_tried(tmp_path, read, check_mode):
    outcome = download(tmp_path, read, Exchange(REPORT, NEW), job_id=42, check_mode=check_mode, **JUNIT)
    assert (outcome.changed, outcome.values["dest"]) == (True, str(tmp_path / "junit"))


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("archive", [ZIP, ZIP[:4], EMPTY_ZIP])
@pytest.mark.parametrize("read", [with_reports(), untold()], ids=["listed", "not told"])
def test_an_archive_is_no_report(tmp_path, read, archive, check_mode):
    dest = tmp_path / "x"
    dest.write_bytes(OLD)
    with pytest.raises(errors.SelectionError) as caught:
        download(dest, read, Exchange(REPORT, archive), job_id=42, check_mode=check_mode, **JUNIT)
    assert "GitLab sent a zip archive instead of the report 'junit' of job 'build' (id 42): servers before" in str(
        caught.value
    )
    assert dest.read_bytes() == OLD


def test_an_archive_is_known_when_its_first_bytes_come_one_by_one(tmp_path):
    class Slow(WholeBody):
        def read(self, size):
            return super().read(1)

    class SlowTransport(ScriptedTransport):
        def stream(self, request, *, timeout_seconds):
            return Slow(self.send(request, timeout_seconds=timeout_seconds))

    for content, is_archive in (
        (ZIP, True),
        (EMPTY_ZIP, True),
        (b"PK\x03", False),
        (b"PKPK\x03\x04", False),
        (b"", False),
    ):
        transport = SlowTransport(with_reports(), Exchange(REPORT, content))
        options = {"dest": str(tmp_path / "x"), "job_id": 42, **JUNIT}
        if is_archive:
            with pytest.raises(errors.SelectionError, match="GitLab sent a zip archive"):
                run_task(TASK, options, transport=transport)
        else:
            run_task(TASK, options, transport=transport)
            assert (tmp_path / "x").read_bytes() == content


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_report_that_is_a_zip_is_told_by_its_length(tmp_path, check_mode):
    line = "GET /projects/7/jobs/42/artifacts?file_type=lsif"
    options = {"job_id": 42, "content": "report", "report_type": "lsif", "check_mode": check_mode}
    read = with_reports(entry_of("lsif", file_format="zip", size=len(ZIP)))
    assert download(tmp_path / "x", read, Exchange(line, ZIP), **options).values["size"] == len(ZIP)
    for size in (len(ZIP) + 1, None):
        other = with_reports(entry_of("lsif", file_format="zip", size=size))
        with pytest.raises(errors.SelectionError, match="GitLab sent a zip archive instead of the report 'lsif'"):
            download(tmp_path / "y", other, Exchange(line, ZIP), **options)
    assert not (tmp_path / "y").exists()


def test_after_a_break_a_report_is_looked_at_anew(tmp_path):
    # data from before the break must not count as the beginning of the new answer
    first = Breaking(with_reports(), *[Exchange(REPORT, ZIP[:2] + b"\n" + NEW)] * 2)
    run_task(TASK, {"dest": str(tmp_path / "x"), "job_id": 42, **JUNIT}, transport=first)
    assert (tmp_path / "x").read_bytes() == ZIP[:2] + b"\n" + NEW
    again = Breaking(with_reports(), Exchange(REPORT, NEW), Exchange(REPORT, ZIP))
    with pytest.raises(errors.SelectionError, match="GitLab sent a zip archive"):
        run_task(TASK, {"dest": str(tmp_path / "x"), "job_id": 42, **JUNIT}, transport=again)


@pytest.mark.parametrize(
    ("kinds", "wanted", "words"),
    [
        (("junit", "sast"), "junti", "has no report 'junti': did you mean 'junit'? There are also 'sast'."),
        (("junit", "jacoco"), "coverage_report", "'coverage_report': there are 'jacoco', 'junit'"),
        (("junit", "codequality"), "code_quality", "did you mean 'codequality'?"),
        (("junit",), "sast", "has no report 'sast': there are 'junit'"),
        ((entry_of("junit", file_type=7), entry_of("sast")), "junit", "there are 'sast'"),
    ],
)
def test_a_report_that_the_job_does_not_have_is_not_asked_for(tmp_path, kinds, wanted, words):
    with pytest.raises(errors.SelectionError) as caught:
        download(tmp_path / "x", with_reports(*kinds), job_id=42, content="report", report_type=wanted)
    assert words in str(caught.value) and "archive" not in str(caught.value)


def test_a_type_that_a_newer_server_has_is_asked_for(tmp_path):
    line = "GET /projects/7/jobs/42/artifacts?file_type=coverage"
    options = {"job_id": 42, "content": "report", "report_type": "coverage"}
    assert download(tmp_path / "x", with_reports("coverage"), Exchange(line, NEW), **options).changed


@pytest.mark.parametrize(
    ("fields", "wanted", "words"),
    [
        ({}, "junit", "has no reports at all: it declares none under artifacts:reports, or created no such file"),
        ({"status": "running"}, "junit", "has no reports yet: its status is running, and reports are uploaded when"),
        ({"status": "manual"}, "junit", "has no reports yet: it has not started (its status is manual); play it"),
        ({"status": "skipped"}, "junit", "was skipped, so it has no reports; choose another job"),
        ({"erased_at": "2026-01-02T00:00:00.000Z"}, "junit", "was erased (2026-01-02T00:00:00.000Z), so it no longer"),
        (
            {"artifacts_expire_at": "2022-01-02T00:00:00.000Z"},
            "junit",
            "have expired (2022-01-02T00:00:00.000Z); retry",
        ),
    ],
)
def test_why_a_job_has_no_reports(tmp_path, fields, wanted, words):
    record = {**job(42, "success", "build", artifacts=[entry_of("trace")]), **fields}
    with pytest.raises(errors.SelectionError) as caught:
        download(tmp_path / "x", done(record), job_id=42, content="report", report_type=wanted)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("read", "status", "answer", "words"),
    [
        (with_reports(), 404, NOT_FOUND, "GitLab lists a report 'junit' of job 'build' (id 42), but does not send it"),
        (
            with_reports(artifacts_expire_at="2022-01-02T00:00:00.000Z"),
            404,
            NOT_FOUND,
            "the reports of job 'build' (id 42) have expired (2022-01-02T00:00:00.000Z); retry",
        ),
        (untold(), 404, NOT_FOUND, "has no report 'junit': there is no such job, it created none, or it has expired"),
        (
            with_reports(),
            400,
            {"error": "file_type does not have a valid value"},
            "GitLab has no report of type 'junit', or",
        ),
    ],
)
def test_a_report_that_does_not_come(tmp_path, read, status, answer, words):
    with pytest.raises(errors.SelectionError) as caught:
        download(tmp_path / "x", read, Exchange(REPORT, reply(answer, status=status)), job_id=42, **JUNIT)
    assert words in str(caught.value)


def test_another_refusal_of_a_report_is_told_in_the_words_of_gitlab(tmp_path):
    refused = Exchange(REPORT, reply({"message": "too many"}, status=400))
    with pytest.raises(errors.RefusedError, match="too many"):
        download(tmp_path / "x", with_reports(), refused, job_id=42, **JUNIT)


# ----- checksums -----


def test_what_has_the_checksum_already_is_not_fetched(tmp_path):
    dest = tmp_path / "x"
    dest.write_bytes(NEW)
    wanted = {"checksum": "sha256:" + digest(NEW).upper(), "job_id": 42}
    outcome = download(dest, done(), **wanted)
    assert (outcome.changed, outcome.values["sha256"]) == (False, digest(NEW))
    # unless forced
    assert not download(dest, done(), Exchange(ARTIFACTS, NEW), force=True, **wanted).changed
    # a file with other content is downloaded, and may then be right
    dest.write_bytes(OLD)
    assert download(dest, done(), Exchange(ARTIFACTS, NEW), **wanted).changed


@pytest.mark.parametrize("check_mode", [False, True])
def test_content_with_another_checksum_is_not_put_in_place(tmp_path, check_mode):
    dest = tmp_path / "x"
    dest.write_bytes(OLD)
    options = {"job_id": 42, "checksum": "sha256:" + "0" * 64, "check_mode": check_mode}
    with pytest.raises(errors.BadAnswerError, match=f"{digest(NEW)}, not sha256:0{{64}} as expected; dest was not"):
        download(dest, done(), Exchange(ARTIFACTS, NEW), **options)
    assert dest.read_bytes() == OLD


# ----- faults -----


class Breaking(ScriptedTransport):
    """Reads bodies until they end; some break off in the middle."""

    def __init__(self, *exchanges, broken=1):
        super().__init__(*exchanges)
        self.left = broken
        self.closed = 0

    def stream(self, request, *, timeout_seconds):
        return BreakingBody(self.send(request, timeout_seconds=timeout_seconds), self)


class BreakingBody(WholeBody):
    def __init__(self, response, transport):
        super().__init__(response)
        self._transport = transport

    def read(self, size):
        if self._transport.left and self._rest.tell():
            self._transport.left -= 1
            raise errors.LostAnswerError("the connection broke before the answer was complete")
        return super().read(5)

    def close(self):
        self._transport.closed += 1


@pytest.mark.parametrize("check_mode", [False, True])
def test_after_a_break_the_content_comes_anew_from_its_beginning(tmp_path, check_mode):
    transport = Breaking(done(), *[Exchange(ARTIFACTS, NEW)] * 3, broken=2)
    options = {"dest": str(tmp_path / "x"), "job_id": 42}
    outcome = run_task(TASK, options, transport=transport, check_mode=check_mode)
    assert (outcome.values["size"], outcome.values["sha256"]) == (len(NEW), digest(NEW))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([] if check_mode else [NEW])
    assert transport.closed == 3


def test_what_was_there_stays_when_the_content_never_comes_whole(tmp_path):
    dest = tmp_path / "x"
    dest.write_bytes(OLD)
    transport = Breaking(done(), *[Exchange(ARTIFACTS, NEW)] * 2, broken=2)
    with pytest.raises(errors.LostAnswerError, match="the connection broke"):
        run_task(TASK, {"dest": str(dest), "job_id": 42, "api_retries": 1}, transport=transport)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x", OLD)]
    assert transport.closed == 2


@pytest.mark.parametrize("kind", ["text/html", "TEXT/HTML; charset=utf-8", "application/XHTML+xml"])
def test_a_web_page_is_no_content(tmp_path, kind):
    page = reply("<html>Sign in</html>", headers={"Content-Type": kind})
    with pytest.raises(errors.BadAnswerError, match="is an HTML page instead of the content"):
        download(tmp_path / "x", done(), Exchange(ARTIFACTS, page), job_id=42, api_retries=0)
    assert list(tmp_path.iterdir()) == []


def test_the_storage_behind_a_redirect_gives_the_content(tmp_path):
    away = reply("", status=302, headers={"Location": "https://storage.example.com/a?signature=s3cret"})
    stored = Exchange("GET https://storage.example.com/a?signature=s3cret", NEW)
    outcome = download(tmp_path / "x", done(), Exchange(ARTIFACTS, away), stored, job_id=42)
    assert outcome.values["sha256"] == digest(NEW)


# ----- why there is nothing -----

EXPIRED = {"artifacts_expire_at": "2022-01-02T00:00:00.000Z"}
LASTING = {"artifacts_expire_at": "2126-01-02T00:00:00.000Z"}
REPORTS = {"artifacts": [{"file_type": kind} for kind in ("trace", "junit", "dotenv")]}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "job 'build' (id 42) has no artifacts: it declares none under artifacts:paths, or no file matched"),
        # by default GitLab uploads artifacts only if a job succeeds
        (
            {"status": "failed"},
            "has no artifacts: it has failed, and artifacts:when is neither always nor on_failure, it declares none",
        ),
        (
            {"status": "running"},
            "has no artifacts yet: its status is running, and artifacts are uploaded when the job ends",
        ),
        (
            {"status": "manual"},
            "has no artifacts yet: it has not started (its status is manual); play it first, or set",
        ),
        (
            {"status": "scheduled"},
            "has not started (its status is scheduled); wait for it, or set ref, name and latest_success",
        ),
        (
            {"status": "skipped"},
            "was skipped, so it has no artifacts; choose another job, or set ref, name and latest_success",
        ),
        (LASTING, "were deleted; retry the job to create them again"),
        ({"erased_at": "2026-01-02T00:00:00.000Z"}, "job 'build' (id 42) was erased"),
        (EXPIRED, "have expired (2022-01-02T00:00:00.000Z); retry the job to create them again"),
        # they expire in the future, and are only unreadable now
        (
            {**LASTING, "artifacts_file": {"filename": "a.zip"}},
            "GitLab lists artifacts of job 'build' (id 42), but does not",
        ),
        (
            {"artifacts_expire_at": "12026-01-02T00:00:00.000Z", "artifacts_file": {"filename": "a.zip"}},
            "GitLab lists artifacts of job 'build' (id 42), but does not",
        ),
        ({"artifacts_expire_at": "1969-12-31T23:59:59.000Z"}, "have expired (1969-12-31T23:59:59.000Z)"),
        # they existed when the job was read
        ({**EXPIRED, "artifacts_file": {"filename": "a.zip"}}, "have expired (2022-01-02T00:00:00.000Z); retry"),
        (REPORTS, "has only reports (dotenv, junit) and no archive; list its files under artifacts:paths"),
        ({"artifacts": [{"file_type": "archive"}, {"file_type": "junit"}]}, "has no artifacts"),
        ({"artifacts": [{"file_type": "trace"}]}, "has no artifacts"),
    ],
)
def test_the_record_of_the_job_tells_why_there_is_no_archive(tmp_path, fields, words):
    with pytest.raises(errors.SelectionError) as caught:
        download(
            tmp_path / "x", done({**job(42, "success", "build"), **fields}), Exchange(ARTIFACTS, NONE_FOUND), job_id=42
        )
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "job 'build' (id 42) has no log; GitLab does not keep one for it"),
        ({"erased_at": "2026-01-02T00:00:00.000Z"}, "was erased (2026-01-02T00:00:00.000Z), and its log with it"),
        ({"status": "manual"}, "has no log yet: it has not started (its status is manual); play it first"),
        ({"status": "running"}, "has no log yet: its status is running, and nothing has been written yet; wait for it"),
        ({"status": "skipped"}, "was skipped, so it has no log; choose another job"),
    ],
)
def test_a_missing_log_is_not_a_missing_artifact(tmp_path, fields, words):
    read = done({**job(42, "success", "build"), **fields})
    with pytest.raises(errors.SelectionError) as caught:
        download(tmp_path / "x", read, Exchange(f"{JOB}/trace", NONE_FOUND), job_id=42, content="log")
    assert words in str(caught.value) and "artifacts" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("archive", "artifacts", "cannot read these artifacts: check artifacts:access in the configuration of the job"),
        ("log", "trace", "cannot read this log: the log of a job in debug mode requires the Developer role"),
    ],
)
def test_what_is_private_is_not_called_missing(tmp_path, content, line, words):
    private = Exchange(f"{JOB}/{line}", reply({"message": "403 Forbidden"}, status=403))
    with pytest.raises(errors.NotAuthorizedError) as caught:
        download(tmp_path / "x", done(), private, job_id=42, content=content)
    assert f"The user of the token {words}" in str(caught.value)
    assert "Reporter" not in str(caught.value)


def test_by_ref_the_sentence_says_where_gitlab_looks(tmp_path):
    with pytest.raises(errors.SelectionError) as caught:
        download(tmp_path / "x", Exchange(SUCCESSFUL, []), Exchange(BY_REF, NONE_FOUND), **LATEST)
    assert "job 'build' of ref main has no artifacts" in str(caught.value)
    assert "latest successful pipeline of the branch or tag; omit latest_success" in str(caught.value)


@pytest.mark.parametrize("status", ["created", "pending", "running"])
def test_a_job_that_has_not_ended_has_nothing_yet(tmp_path, status):
    lines = [done(job(42, status, "build")), Exchange(ARTIFACTS, NONE_FOUND)]
    with pytest.raises(
        errors.SelectionError, match=f"has no artifacts yet: .*status is {status}.*; wait for it, or set"
    ):
        download(tmp_path / "x", *lines, job_id=42)


def test_a_file_that_is_not_in_the_archive(tmp_path):
    # GitLab answers in plain text, or in JSON if there is no archive
    with pytest.raises(errors.SelectionError, match=r"no 'dist/app.txt' in the artifacts of job 'build' \(id 42\)"):
        download(tmp_path / "x", done(), Exchange(FILE, reply("Not Found", status=404)), job_id=42, **IN_FILE)
    with pytest.raises(errors.SelectionError, match="has no artifacts"):
        download(tmp_path / "x", done(), Exchange(FILE, NONE_FOUND), job_id=42, **IN_FILE)


@pytest.mark.parametrize("answer", [{"message": "404 Project Not Found"}, NO_ROUTE])
def test_more_than_the_artifacts_is_missing(tmp_path, answer):
    with pytest.raises(errors.NotFoundError):
        download(tmp_path / "x", *FOUND, Exchange(BY_REF, reply(answer, status=404)), **LATEST)


@pytest.mark.parametrize("path", ["../secret", "./secret", "dist/./app.txt", "dist/.."])
def test_a_path_that_no_archive_has_is_refused_before_any_request(tmp_path, path):
    with pytest.raises(
        errors.UsageError, match="valid path inside an archive; .* without a leading slash .* without '.' or '..'"
    ):
        download(tmp_path / "x", job_id=42, content="file", artifact_path=path)


def test_a_file_that_the_list_of_artifacts_hides_is_not_mistaken_for_it(tmp_path):
    tree = {"content": "file", "artifact_path": "tree"}
    with pytest.raises(errors.UsageError, match="send the list of all artifacts instead of a file 'tree'; down"):
        download(tmp_path / "x", job_id=42, **tree)
    by_ref = Exchange(f"GET /projects/7/jobs/artifacts/main/raw/tree?job=build&{RECENT}", NEW)
    assert download(tmp_path / "x", *FOUND, by_ref, *FOUND, **LATEST, **tree).changed


def test_a_path_that_gitlab_refuses(tmp_path):
    refused = reply({"error": "artifact_path is invalid"}, status=400)
    with pytest.raises(errors.SelectionError, match="'dist/app.txt' is not a valid path inside an archive"):
        download(tmp_path / "x", done(), Exchange(FILE, refused), job_id=42, **IN_FILE)
    # any other refusal is reported in GitLab's words
    with pytest.raises(errors.RefusedError, match="too many"):
        download(tmp_path / "x", done(), Exchange(ARTIFACTS, reply({"message": "too many"}, status=400)), job_id=42)


def test_a_name_has_to_be_that_of_one_job(tmp_path):
    jobs = [job(43, name="deploy: [b]"), job(42, name="deploy: [a]")]
    with pytest.raises(errors.SelectionError) as caught:
        download(tmp_path / "x", Exchange(LIST, jobs), pipeline_id=6, name="deploy*")
    assert "2 jobs match: 'deploy: [b] (id 43)', 'deploy: [a] (id 42)'. Use the exact name" in str(caught.value)


# ----- tokens -----


@pytest.mark.parametrize("token", [AS_JOB, ANONYMOUS], ids=["job token", "none"])
def test_whoever_may_only_download_does_not_read_the_job(tmp_path, token):
    outcome = download(tmp_path / "x", Exchange(ARTIFACTS, NEW), job_id=42, **token)
    assert (outcome.changed, outcome.values["job"], outcome.values["pipeline"]) == (True, {"id": 42}, None)
    outcome = download(tmp_path / "y", Exchange(BY_REF, NEW), **LATEST, **token)
    assert (outcome.changed, outcome.values["job"]) == (True, {"name": "build", "ref": "main"})
    with pytest.raises(errors.SelectionError, match="^job 42 has no artifacts"):
        download(tmp_path / "x", Exchange(ARTIFACTS, NONE_FOUND), job_id=42, **token)


def test_a_job_token_reads_no_log(tmp_path):
    with pytest.raises(errors.UsageError, match="job tokens cannot read logs; set api_token instead"):
        download(tmp_path / "x", job_id=42, content="log", **AS_JOB)


# ----- the target -----


@pytest.mark.parametrize("goal", ["real", "nowhere"])
@pytest.mark.parametrize("content", [OLD, NEW], ids=["other content", "the same content"])
def test_a_link_is_replaced_whatever_it_leads_to(tmp_path, goal, content):
    real, dest = tmp_path / "real", tmp_path / "x"
    real.write_bytes(content)
    dest.symlink_to(goal)
    known = {"job_id": 42, "checksum": "sha256:" + digest(NEW)}
    for check_mode, changed in ((True, True), (False, True), (True, False), (False, False)):
        lines = [done(), Exchange(ARTIFACTS, NEW)] if changed else [done()]
        assert download(dest, *lines, check_mode=check_mode, **known).changed == changed
        assert dest.is_symlink() == (check_mode and changed)
    assert (dest.read_bytes(), real.read_bytes()) == (NEW, content)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_folder_that_cannot_be_written_to_costs_no_download(tmp_path, monkeypatch, check_mode):
    monkeypatch.setattr(os, "access", lambda path, mode: (str(path), mode) != (str(tmp_path), os.W_OK | os.X_OK))
    dest = tmp_path / "x"
    with pytest.raises(errors.UsageError, match="dest '.*/x' cannot be written: no permission to create files in"):
        download(dest, done(), job_id=42, check_mode=check_mode)
    dest.write_bytes(OLD)
    # an existing file can be written in place
    session = new_session(ScriptedTransport(done(), Exchange(ARTIFACTS, NEW)), check_mode=check_mode)
    request = DownloadRequest(JobQuery(PipelineQuery("7"), job_id=42), "archive", dest=str(dest))
    report = into_place(session, request, Files(unsafe_writes=True))
    assert report.before != report.after


@pytest.mark.parametrize(
    ("dest", "words"),
    [
        ("none/", "is not an existing folder; create it first"),
        ("none/x", "dest '.*/none/x' is in a folder that does not exist; create '.*/none' first"),
        ("pipe", "dest '.*/pipe' is not a regular file"),
        ("", "dest '.*/artifacts.zip' is a folder; use the name of a file"),
    ],
)
def test_what_is_no_place_for_a_file_costs_no_download(tmp_path, dest, words):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "artifacts.zip").mkdir()
    with pytest.raises(errors.UsageError, match=words):
        run_task(TASK, {"dest": f"{tmp_path}/{dest}", "job_id": 42}, transport=ScriptedTransport(done()))
    assert len(list(tmp_path.iterdir())) == 2


# ----- options -----


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"artifact_path": "x"}, "artifact_path can only be used with content: file and list"),
        (
            {"content": "log", "artifact_path": "x"},
            "artifact_path can only be used with content: file and list",
        ),
        ({"content": "list", "dest": "x"}, "dest can only be used with content: archive, file, log and report"),
        ({"content": "list", "checksum": "x"}, "checksum can only be used with content: archive, file, log and report"),
        ({"content": "file", "artifact_path": "/"}, "'/' is not a valid path inside an archive"),
        ({"include_downstream": True}, "include_downstream cannot be used with job_id"),
        ({"job_id": None, "pipeline_id": 6, "name": " "}, "name is empty; set a value or omit it"),
        ({"checksum": "md5:" + "0" * 32}, "set it to sha256: and 64 hexadecimal digits"),
        ({"checksum": "sha256:" + "0" * 63}, "set it to sha256: and 64 hexadecimal digits"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_any_request(options, words):
    with pytest.raises(errors.UsageError, match=words):
        run_task(TASK, {"job_id": 42, **options}, transport=ScriptedTransport())


# ----- lists -----

ENTRIES = [{"name": "dist", "path": "dist/", "type": "directory"}, {"name": "app.txt", "path": "dist/app.txt"}]


def test_the_entries_of_an_archive():
    outcome = listing(done(), Exchange(TREE + "?recursive=true", ENTRIES), job_id=42)
    assert (outcome.values["entries"], outcome.values["job"]["id"], outcome.changed) == (ENTRIES, 42, False)
    assert outcome.values["diff"] == {"before": "", "after": ""}
    exchange = Exchange(TREE + "?path=dist&recursive=false", ENTRIES[1:])
    assert listing(exchange, job_id=42, artifact_path="dist", recursive=False, **AS_JOB).values == {
        **TASK.empty_result,
        "entries": ENTRIES[1:],
        "job": {"id": 42},
    }


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"message": "404 Path not found in artifacts Not Found"},
            "there is no 'dist' in the artifacts of job 'build'",
        ),
        ({"message": "404 Artifacts metadata Not Found"}, "GitLab has kept no list of the artifacts of job 'build'"),
        ({"message": "404 Artifacts Not Found"}, r"job 'build' \(id 42\) has no artifacts"),
        (NOT_FOUND, "cannot be listed: this requires GitLab 18.8, or the job has no archive"),
    ],
)
def test_why_there_is_no_list(answer, words):
    exchange = Exchange(TREE + "?path=dist&recursive=true", reply(answer, status=404))
    with pytest.raises(errors.SelectionError, match=words):
        listing(done(), exchange, job_id=42, artifact_path="dist")


def test_a_project_that_is_not_there_has_no_list():
    answer = reply({"message": "404 Project Not Found"}, status=404)
    with pytest.raises(errors.NotFoundError, match="Project Not Found"):
        listing(Exchange(TREE + "?recursive=true", answer), job_id=42, **AS_JOB)
