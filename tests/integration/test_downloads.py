# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads of artifacts and logs: the right content, complete or not at all, and no change if it already exists."""

from __future__ import annotations

import gzip
import hashlib
import os
import pathlib
import resource
import shutil
import stat
import tracemalloc
import typing as t
import zipfile
from urllib.parse import parse_qs

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import CHUNK_BYTES
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting import log_tails
from ansible_collections.jobgate.gitlab.plugins.module_utils._extensions.hookspecs import hookimpl

from tests.unit.harness import installed

from .harness import DOWNLOAD, INFO, TOKEN, Result, play, run_task, world

MODULE = "jobgate.gitlab.gitlab_job_download"
FILES = {"dist/app.txt": "the app\n", "dist/sub/deep.bin": "deep", "a b#\u00fc?.txt": "odd"}
LOG = "\x1b[32mone\x1b[0m\ntwo\n"
ARTIFACTS = {"files": FILES, "reports": ["junit", "cobertura"]}
BUILD: dict[str, t.Any] = {"name": "build", "status": "success", "artifacts": ARTIFACTS, "log": LOG}
OLD = b"what was there before"

Options = dict[str, t.Any]
BY_ID: Options = {"job_id": 1000}
BY_PIPELINE: Options = {"pipeline_id": 100, "name": "build"}
BY_REF: Options = {"ref": "main", "name": "build"}
LATEST: Options = {**BY_REF, "latest_success": True}
CONTENTS: dict[str, Options] = {
    "archive": {"content": "archive"},
    "file": {"content": "file", "artifact_path": "dist/app.txt"},
    "log": {"content": "log"},
    "report": {"content": "report", "report_type": "junit"},
}
# Contents that GitLab finds by ref.
BY_A_REF = ("archive", "file")
# Names of the contents for `simulator.sha256`.
STORED = {"file": "dist/app.txt", "report": "report:junit"}
ENDPOINTS = {
    "archive": ("download_artifacts", "artifacts_by_ref"),
    "file": ("artifact_file", "raw_artifact_by_ref"),
    "log": ("get_trace", "get_trace"),
    "report": ("download_artifacts", "download_artifacts"),
}


def load(simulator: t.Any, job: Options | None = None, version: str = "19.4", **more: t.Any) -> None:
    simulator.load({**world({**BUILD, **(job or {})}), **more}, version=version)


def fetch(simulator: t.Any, dest: object, **options: t.Any) -> Result:
    """Return the result of a download, and fail if it leaves a partial file next to the target."""
    result = run_task(simulator, DOWNLOAD, project="group/app", dest=str(dest), **options)
    folder = pathlib.Path(str(dest)) if os.path.isdir(str(dest)) else pathlib.Path(str(dest)).parent
    if folder.is_dir():
        assert not [path.name for path in folder.iterdir() if path.name.endswith(".part")]
    return result


def expected_sha256(simulator: t.Any, content: str, job: object = "build") -> str:
    return str(simulator.sha256(job, STORED.get(content, content)))


def digest(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def endpoints(simulator: t.Any) -> list[str]:
    return [request["endpoint"] for request in simulator.requests()]


def without(options: Options, name: str) -> Options:
    return {key: value for key, value in options.items() if key != name}


def transfers(simulator: t.Any) -> int:
    return sum(request["endpoint"] in sum(ENDPOINTS.values(), ()) for request in simulator.requests())


def assert_sentence(failure: str | None, *words: str) -> None:
    assert failure is not None
    text = failure
    assert "\n" not in text and len(text) < 500, text
    for word in words:
        assert word.lower() in text.lower(), text


# ----- content of downloads -----


@pytest.mark.parametrize("content", sorted(CONTENTS))
@pytest.mark.parametrize("selection", [BY_ID, BY_PIPELINE, BY_REF, LATEST], ids=["id", "pipeline", "ref", "latest"])
def test_download_changes_dest_once_and_check_mode_predicts_it(
    simulator: t.Any, tmp_path: pathlib.Path, content: str, selection: Options
) -> None:
    load(simulator)
    dest = tmp_path / "target"
    options = {**CONTENTS[content], **selection}
    if selection is LATEST and content not in BY_A_REF:
        assert_sentence(
            fetch(simulator, dest, **options).failure, "latest_success can only be used with content: archive and file"
        )
        return
    for check_mode, changed in ((True, True), (False, True), (True, False), (False, False)):
        result = fetch(simulator, dest, check_mode=check_mode, **options)
        assert result.failure is None
        assert (result.changed, result["sha256"]) == (changed, expected_sha256(simulator, content))
        assert (result["dest"], result["entries"] if "entries" in result.values else []) == (str(dest), [])
        assert dest.exists() == (changed is False or not check_mode)
    assert (digest(dest), dest.stat().st_size) == (result["sha256"], result["size"])
    assert [name for name in endpoints(simulator) if name in ENDPOINTS[content]] == [
        ENDPOINTS[content][selection is LATEST]
    ] * 4
    assert (result["job"]["id"], result["pipeline"]["id"]) == (1000, 100)


def test_different_content_is_replaced_and_the_mode_is_kept(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator)
    dest = tmp_path / "app"
    dest.write_bytes(OLD)
    dest.chmod(0o751)
    prediction = fetch(simulator, dest, check_mode=True, **CONTENTS["file"], **BY_ID)
    assert (prediction.changed, dest.read_bytes()) == (True, OLD)
    result = fetch(simulator, dest, **CONTENTS["file"], **BY_ID)
    assert (result.changed, dest.read_bytes()) == (True, b"the app\n")
    assert stat.S_IMODE(dest.stat().st_mode) == 0o751
    old = hashlib.sha256(OLD).hexdigest()
    for shown in (prediction, result):
        assert shown.values.keys() == DOWNLOAD.empty_result.keys()
        assert shown["size"] == 8
    assert old != result["sha256"]


def test_new_file_has_the_default_mode(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator)
    other = tmp_path / "other"
    other.touch()
    fetch(simulator, tmp_path / "app", **CONTENTS["file"], **BY_ID)
    assert (tmp_path / "app").stat().st_mode == other.stat().st_mode


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (CONTENTS["archive"], "artifacts.zip"),
        (CONTENTS["file"], "app.txt"),
        ({"content": "file", "artifact_path": "a b#\u00fc?.txt"}, "a b#\u00fc?.txt"),
        (CONTENTS["log"], "1000.log"),
        (CONTENTS["report"], "junit.xml.gz"),
    ],
)
def test_file_name_is_chosen_if_dest_is_a_folder(
    simulator: t.Any, tmp_path: pathlib.Path, options: Options, name: str
) -> None:
    load(simulator)
    for dest in (str(tmp_path), f"{tmp_path}/"):
        result = fetch(simulator, dest, **options, **BY_ID)
        assert result.failure is None
        assert result["dest"] == str(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert not result.changed


def test_archive_is_a_zip_of_the_artifacts(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator)
    fetch(simulator, tmp_path / "a.zip", **BY_ID)
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        assert {name: packed.read(name).decode() for name in packed.namelist()} == FILES


def test_empty_files_and_logs_are_downloaded(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator, {"artifacts": {"files": {"empty": ""}}, "log": ""})
    for options in ({"content": "file", "artifact_path": "empty"}, {"content": "log"}):
        (tmp_path / "x").unlink(missing_ok=True)
        result = fetch(simulator, tmp_path / "x", **options, **BY_ID)
        assert (result.failure, result.changed, result["size"], (tmp_path / "x").read_bytes()) == (None, True, 0, b"")


@pytest.mark.parametrize("content", ["archive", "file"])
def test_latest_success_selects_the_newest_successful_pipeline(
    simulator: t.Any, tmp_path: pathlib.Path, content: str
) -> None:
    scenario = world({**BUILD, "artifacts": {"files": {"dist/app.txt": "old"}}})
    scenario["pipelines"] += [
        {"id": 101, "ref": "main", "jobs": [{**BUILD, "id": 1100}]},
        # newer pipelines that do not count: a failed one, one of another ref, and one without the job
        {"id": 102, "ref": "main", "jobs": [{**BUILD, "id": 1200}, {"name": "bad", "status": "failed"}]},
        {"id": 103, "ref": "next", "jobs": [{**BUILD, "id": 1300}]},
        {"id": 104, "ref": "main", "jobs": [{"name": "docs", "status": "success"}]},
    ]
    simulator.load(scenario)
    result = fetch(simulator, tmp_path / "x", **CONTENTS[content], **LATEST)
    assert (result.failure, result["sha256"]) == (None, expected_sha256(simulator, content, 1100))
    assert (result["job"]["id"], result["pipeline"]["id"]) == (1100, 101)
    # without latest_success, the newest pipeline counts, as in other tasks
    result = fetch(simulator, tmp_path / "x", **CONTENTS[content], **BY_REF)
    assert_sentence(result.failure, "no job 'build'", "pipeline 104", "there is 'docs'")


@pytest.mark.parametrize("content", ["archive", "file"])
def test_newer_success_during_the_download_is_an_error(simulator: t.Any, tmp_path: pathlib.Path, content: str) -> None:
    scenario = world(BUILD)
    scenario["pipelines"].append({"id": 101, "ref": "main", "jobs": [{**BUILD, "id": 1100, "status": "running"}]})
    simulator.load(scenario)
    dest = tmp_path / "x"
    dest.write_bytes(OLD)

    class Late:
        """Lets the newer job succeed after GitLab has found the older one."""

        is_done = False

        @hookimpl
        def gitlab_request_finished(self, request: t.Any, status: t.Any, seconds: float) -> None:
            if "/jobs/artifacts/" in request.url and not self.is_done:
                self.is_done = True
                simulator.set_job(1100, status="success")

    with installed({"late": Late()}):
        result = fetch(simulator, dest, **CONTENTS[content], **LATEST, extensions=["late"])
    assert_sentence(result.failure, "succeeded in a newer pipeline during the download", "run the task again")
    assert dest.read_bytes() == OLD
    again = fetch(simulator, dest, **CONTENTS[content], **LATEST)
    assert (again.failure, again["job"]["id"]) == (None, 1100)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sha": "f" * 40}, "sha cannot be used with latest_success"),
        ({"ref_type": "tag"}, "a ref of type tag cannot be used with latest_success"),
        ({"ref": "refs/heads/main"}, "a ref of type branch cannot be used with latest_success"),
        ({"pipeline_source": ["push"]}, "pipeline_source cannot be used with latest_success"),
        ({"include_downstream": True}, "include_downstream cannot be used with latest_success"),
        ({"name": "bu*"}, "name 'bu*' has wildcards"),
        ({"ref": None, "pipeline_id": 100}, "latest_success requires ref"),
        ({"ref": None, "name": None, "job_id": 1000}, "latest_success requires ref"),
        ({"content": "list", "dest": None}, "latest_success can only be used with content: archive and file"),
    ],
)
def test_options_that_conflict_with_latest_success_are_refused(
    simulator: t.Any, tmp_path: pathlib.Path, more: Options, words: str
) -> None:
    load(simulator)
    options = {"dest": str(tmp_path / "x"), **LATEST, **more}
    assert_sentence(run_task(simulator, DOWNLOAD, project="group/app", **options).failure, words)
    assert simulator.requests() == []


@pytest.mark.parametrize("content", ["archive", "file"])
def test_latest_success_finds_jobs_of_child_pipelines(simulator: t.Any, tmp_path: pathlib.Path, content: str) -> None:
    child = {"jobs": [BUILD]}
    simulator.load(
        world({"name": "trigger", "status": "success", "trigger": {"strategy": "depend", "pipeline": child}})
    )
    simulator.advance(10)
    result = fetch(simulator, tmp_path / "x", **CONTENTS[content], **LATEST)
    assert (result.failure, result["sha256"]) == (None, expected_sha256(simulator, content))
    assert (result["job"]["name"], result["job"]["pipeline"]) == ("build", result["pipeline"])
    # select the same job by its pipeline and its trigger job
    named = {"pipeline_id": 100, "name": "trigger/build", "include_downstream": True}
    again = fetch(simulator, tmp_path / "x", **CONTENTS[content], **named)
    assert (again.failure, again.changed, again["job"]["name"]) == (None, False, "build")


def test_job_is_found_by_ref_with_slashes_and_sha(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world(BUILD, ref="feature/a#1"))
    selection = {"ref": "feature/a#1", "name": "build"}
    assert fetch(simulator, tmp_path / "x", **CONTENTS["file"], **selection).changed
    sha = (
        simulator.requests()[-1] and run_task(simulator, INFO, project="group/app", pipeline_id=100)["pipeline"]["sha"]
    )
    result = fetch(simulator, tmp_path / "x", **CONTENTS["file"], **selection, sha=sha)
    assert (result.failure, result.changed, result["job"]["id"]) == (None, False, 1000)


def test_name_with_wildcards_must_match_one_job(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world(BUILD, {**BUILD, "name": "build: [2]"}))
    result = fetch(simulator, tmp_path / "x", ref="main", name="build*")
    assert_sentence(result.failure, "2 jobs match", "'build (id 1000)'", "'build: [2] (id 1001)'", "job_id")
    assert fetch(simulator, tmp_path / "x", ref="main", name="*[2]")["job"]["name"] == "build: [2]"
    assert fetch(simulator, tmp_path / "y", ref="main", name="build: [2]").changed


def test_log_of_a_running_job_is_downloaded_as_it_grows(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "build", "queue": 0, "duration": 100, "log": "line\n" * 100}))
    sizes = []
    for _number in range(3):
        simulator.advance(20)
        result = fetch(simulator, tmp_path / "x", content="log", **BY_PIPELINE)
        assert (result.failure, result.changed) == (None, True)
        sizes.append(result["size"])
    assert 0 < sizes[0] < sizes[1] < sizes[2] < 500
    simulator.advance(100)
    assert fetch(simulator, tmp_path / "x", content="log", **BY_PIPELINE)["size"] == 500


# ----- checksums -----


@pytest.mark.parametrize("content", sorted(CONTENTS))
def test_matching_checksum_prevents_the_transfer(simulator: t.Any, tmp_path: pathlib.Path, content: str) -> None:
    load(simulator)
    dest = tmp_path / "x"
    options = {**CONTENTS[content], **BY_ID, "checksum": "sha256:" + expected_sha256(simulator, content).upper()}
    assert fetch(simulator, dest, check_mode=True, **options).changed
    assert fetch(simulator, dest, **options).changed
    seen = transfers(simulator)
    for check_mode in (True, False):
        result = fetch(simulator, dest, check_mode=check_mode, **options)
        assert (result.failure, result.changed, result["sha256"]) == (None, False, digest(dest))
    assert transfers(simulator) == seen
    for number, check_mode in enumerate((True, False), start=1):
        assert not fetch(simulator, dest, check_mode=check_mode, force=True, **options).changed
        assert transfers(simulator) == seen + number
    if content in BY_A_REF:
        fetch(simulator, dest, **{**options, "job_id": None}, **LATEST)
        assert transfers(simulator) == seen + 2


# ----- reports -----


def test_report_is_downloaded_as_gitlab_stores_it(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator, {"tests": [{"name": "adds"}]})
    result = fetch(simulator, tmp_path, **CONTENTS["report"], **BY_PIPELINE)
    assert (result.failure, result["dest"]) == (None, str(tmp_path / "junit.xml.gz"))
    assert b'<testcase name="adds"' in gzip.decompress((tmp_path / "junit.xml.gz").read_bytes())
    other = fetch(simulator, tmp_path, content="report", report_type="cobertura", **BY_PIPELINE)
    assert (other["dest"], other["sha256"]) == (
        str(tmp_path / "cobertura.xml.gz"),
        digest(tmp_path / "cobertura.xml.gz"),
    )
    assert other["sha256"] != result["sha256"]


@pytest.mark.parametrize(
    ("report_type", "words"),
    [
        ("junti", "has no report 'junti': did you mean 'junit'? There is also 'cobertura'"),
        ("JUnit", "has no report 'JUnit': did you mean 'junit'?"),
        ("dotenv", "has no report 'dotenv': there are 'cobertura', 'junit'"),
    ],
)
def test_missing_report_suggests_existing_ones(
    simulator: t.Any, tmp_path: pathlib.Path, report_type: str, words: str
) -> None:
    load(simulator)
    result = fetch(simulator, tmp_path, content="report", report_type=report_type, **BY_ID)
    assert_sentence(result.failure, "job 'build' (id 1000)", words)
    assert (transfers(simulator), list(tmp_path.iterdir())) == (0, [])


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (
            {"status": "running"},
            "has no reports yet: its status is running, and reports are uploaded when the job ends",
        ),
        ({"artifacts": {"files": FILES}}, "has no reports at all: it declares none under artifacts:reports"),
        (
            {"artifacts": {**ARTIFACTS, "expire_in": 5, "locked": False}},
            "the reports of job 'build' (id 1000) have expired",
        ),
        ({"erased": True}, "job 'build' (id 1000) was erased"),
    ],
)
def test_job_without_reports_is_explained(simulator: t.Any, tmp_path: pathlib.Path, job: Options, words: str) -> None:
    scenario = world({**BUILD, **job}, created_ago=100)
    scenario["pipelines"].append({"id": 200, "jobs": [{"name": "other", "status": "success"}]})
    simulator.load(scenario, version="19.4")
    assert_sentence(fetch(simulator, tmp_path / "x", **CONTENTS["report"], **BY_ID).failure, words)
    assert (transfers(simulator), list(tmp_path.iterdir())) == (0, [])


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("files", [FILES, {"big": {"size": 50_000_000}}], ids=["files", "big"])
@pytest.mark.parametrize("version", ["11.11", "18.10", "19.2"])
def test_archive_from_an_older_server_is_not_taken_for_a_report(
    simulator: t.Any, tmp_path: pathlib.Path, version: str, files: Options, check_mode: bool
) -> None:
    load(simulator, {"artifacts": {"files": files, "reports": ["junit"]}}, version=version)
    dest = tmp_path / "x"
    dest.write_bytes(OLD)
    result = fetch(simulator, dest, **CONTENTS["report"], **BY_ID, check_mode=check_mode)
    assert_sentence(
        result.failure, "GitLab sent a zip archive instead of the report 'junit'", "GitLab 19.4", "content: archive"
    )
    assert (result.changed, dest.read_bytes(), transfers(simulator)) == (False, OLD, 1)
    new = fetch(simulator, tmp_path / "new", **CONTENTS["report"], **BY_ID, check_mode=check_mode)
    assert new.failure is not None and not (tmp_path / "new").exists()


def test_report_of_an_older_server_without_an_archive_is_explained(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator, {"artifacts": {"reports": ["junit"]}}, version="19.2")
    result = fetch(simulator, tmp_path / "x", **CONTENTS["report"], **BY_ID)
    assert_sentence(result.failure, "GitLab lists a report 'junit' of job 'build' (id 1000)", "require GitLab 19.4")


def load_public(simulator: t.Any, version: str = "19.4") -> None:
    """Load a job whose artifacts are public, but whose record requires a token."""
    scenario = world(BUILD)
    scenario["projects"][0]["visibility"] = "public"
    simulator.load(scenario, version=version)


def test_public_report_is_downloaded_without_access_to_the_job(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load_public(simulator)
    result = fetch(simulator, tmp_path, **CONTENTS["report"], **BY_ID, token=None)
    assert (result.failure, result["dest"]) == (None, str(tmp_path / "junit"))
    assert digest(tmp_path / "junit") == expected_sha256(simulator, "report")
    assert result["job"] == {"id": 1000}
    missing = fetch(simulator, tmp_path / "x", content="report", report_type="dotenv", **BY_ID, token=None)
    assert_sentence(missing.failure, "job 1000 has no report 'dotenv'", "it created none")
    unknown = fetch(simulator, tmp_path / "x", content="report", report_type="junti", **BY_ID, token=None)
    assert_sentence(unknown.failure, "GitLab has no report of type 'junti', or does not send it separately")
    unsent = fetch(simulator, tmp_path / "x", content="report", report_type="metrics_referee", **BY_ID, token=None)
    assert_sentence(unsent.failure, "GitLab has no report of type 'metrics_referee', or does not send it separately")
    load_public(simulator, version="19.2")
    old = fetch(simulator, tmp_path / "x", **CONTENTS["report"], **BY_ID, token=None)
    assert_sentence(old.failure, "GitLab sent a zip archive instead of the report 'junit' of job 1000")
    assert not (tmp_path / "x").exists()


def test_huge_report_needs_little_memory(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator, {"artifacts": {"reports": ["junit"], "report_size": 50_000_000}})
    tracemalloc.start()
    try:
        result = fetch(simulator, tmp_path / "x", **CONTENTS["report"], **BY_ID)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (result.failure, result["size"]) == (None, 50_000_000)
    assert peak < 5_000_000


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("is_there", [False, True])
def test_wrong_checksum_leaves_dest_unchanged(
    simulator: t.Any, tmp_path: pathlib.Path, is_there: bool, check_mode: bool
) -> None:
    load(simulator)
    dest = tmp_path / "x"
    if is_there:
        dest.write_bytes(OLD)
    result = fetch(simulator, dest, **CONTENTS["file"], **BY_ID, checksum="sha256:" + "0" * 64, check_mode=check_mode)
    assert_sentence(result.failure, expected_sha256(simulator, "file"), "0" * 64, "dest was not changed")
    assert (dest.read_bytes() if is_there else dest.exists()) == (OLD if is_there else False)
    assert (result.changed, list(result.values)) == (False, list(DOWNLOAD.empty_result))


@pytest.mark.parametrize("checksum", ["md5:" + "0" * 32, "0" * 64, "sha256:" + "0" * 63, "sha256:https://x/y"])
def test_malformed_checksum_is_refused(simulator: t.Any, tmp_path: pathlib.Path, checksum: str) -> None:
    load(simulator)
    assert_sentence(fetch(simulator, tmp_path / "x", **BY_ID, checksum=checksum).failure, "sha256:", "64 hexadecimal")
    assert simulator.requests() == []


# ----- faults -----


def load_big(simulator: t.Any, **more: t.Any) -> None:
    """Load a job whose archive, file, log and report each arrive in several chunks."""
    size = 2 * CHUNK_BYTES + 70_000
    left = {"files": {"dist/app.txt": {"size": size}}, "size": size + 100_000}
    left |= {"reports": ["junit"], "report_size": size}
    load(simulator, {"artifacts": left, "log": None, "log_size": size}, **more)


def inject_fault(simulator: t.Any, content: str, preset: str, **rule: t.Any) -> None:
    for endpoint in set(ENDPOINTS[content]):
        simulator.inject(preset, endpoint=endpoint, **rule)


DAMAGE = [("truncate", {"bytes": count}) for count in (0, 1, 1000, 65_536, 199_999, CHUNK_BYTES, 1_100_000)]
DAMAGE += [("reset_at", {"bytes": count}) for count in (0, 1, 70_000, 199_999, 1_100_000)]
DAMAGE += [(preset, {}) for preset in ("reset_before", "reset_after", "close_after", "length_too_long", "error_500")]
DAMAGE += [(preset, {}) for preset in ("html_502", "html_200", "gzip_cut", "bad_gzip", "throttle_seconds", "chunk_cut")]


@pytest.mark.parametrize("content", sorted(CONTENTS))
@pytest.mark.parametrize(("preset", "rule"), DAMAGE, ids=[f"{name}-{rule.get('bytes', '')}" for name, rule in DAMAGE])
def test_download_survives_one_fault(
    simulator: t.Any, tmp_path: pathlib.Path, content: str, preset: str, rule: Options
) -> None:
    load_big(simulator)
    dest = tmp_path / "x"
    dest.write_bytes(OLD)
    inject_fault(simulator, content, preset, times=1, **rule)
    result = fetch(simulator, dest, **CONTENTS[content], **BY_ID)
    assert (result.failure, result.changed, digest(dest)) == (None, True, expected_sha256(simulator, content))


# without the faults of gzip and chunked bodies, which downloads do not use
LASTING = [row for row in DAMAGE if row[0] not in ("gzip_cut", "bad_gzip", "chunk_cut")]


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("content", sorted(CONTENTS))
@pytest.mark.parametrize(("preset", "rule"), LASTING, ids=[f"{name}-{rule.get('bytes', '')}" for name, rule in LASTING])
def test_lasting_fault_leaves_dest_unchanged(
    simulator: t.Any, tmp_path: pathlib.Path, content: str, preset: str, rule: Options, check_mode: bool
) -> None:
    load_big(simulator)
    inject_fault(simulator, content, preset, **rule)
    for is_there in (False, True):
        dest = tmp_path / str(is_there)
        if is_there:
            dest.write_bytes(OLD)
            before = dest.stat()
        result = fetch(simulator, dest, **CONTENTS[content], **BY_ID, api_retries=2, check_mode=check_mode)
        assert result.failure is not None and "(after 3 attempts)" in result.failure
        assert_sentence(result.failure)
        assert not result.changed
        assert dest.exists() == is_there
        if is_there:
            assert (dest.read_bytes(), dest.stat().st_mtime_ns) == (OLD, before.st_mtime_ns)


def test_download_survives_ten_faults_in_a_row(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load_big(simulator)
    for number in range(10):
        preset = ("reset_at", "truncate", "length_too_long", "error_500")[number % 4]
        rule = {"bytes": number * 130_000} if preset in ("reset_at", "truncate") else {}
        simulator.inject(preset, endpoint="download_artifacts", times=1, **rule)
    result = fetch(simulator, tmp_path / "x", **BY_ID, api_retries=10)
    assert (result.failure, digest(tmp_path / "x")) == (None, expected_sha256(simulator, "archive"))
    assert transfers(simulator) == 11


def test_checksum_detects_a_content_length_that_is_too_short(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load_big(simulator)
    dest = tmp_path / "x"
    dest.write_bytes(OLD)
    inject_fault(simulator, "archive", "length_too_short")
    result = fetch(simulator, dest, **BY_ID, checksum="sha256:" + expected_sha256(simulator, "archive"))
    assert_sentence(result.failure, "checksum")
    assert dest.read_bytes() == OLD


@pytest.mark.parametrize("check_mode", [True, False])
def test_empty_archive_is_refused(simulator: t.Any, tmp_path: pathlib.Path, check_mode: bool) -> None:
    load_big(simulator)
    dest = tmp_path / "x"
    dest.write_bytes(OLD)
    inject_fault(simulator, "archive", "empty")
    result = fetch(simulator, dest, **BY_ID, check_mode=check_mode)
    assert_sentence(result.failure, "the answer is empty", "dest was not changed")
    assert not result.changed
    assert dest.read_bytes() == OLD


@pytest.mark.parametrize("content", sorted(CONTENTS))
@pytest.mark.parametrize("preset", ["redirect_301", "redirect_302", "redirect_303", "redirect_307", "redirect_308"])
def test_redirect_target_receives_no_credentials(
    simulator: t.Any, tmp_path: pathlib.Path, content: str, preset: str
) -> None:
    load(simulator)
    dest = tmp_path / "x"
    dest.write_bytes(OLD)
    inject_fault(simulator, content, preset)
    # the target of the redirect sends content with another checksum
    result = fetch(
        simulator, dest, **CONTENTS[content], **BY_ID, checksum="sha256:" + expected_sha256(simulator, content)
    )
    assert_sentence(result.failure, "dest was not changed")
    assert dest.read_bytes() == OLD
    (seen,) = simulator.second.requests()
    assert TOKEN not in str(seen)
    assert not {"private-token", "authorization", "job-token", "cookie"} & set(seen["headers"])


@pytest.mark.parametrize("content", sorted(CONTENTS))
def test_redirect_loop_is_an_error(simulator: t.Any, tmp_path: pathlib.Path, content: str) -> None:
    load(simulator)
    dest = tmp_path / "x"
    dest.write_bytes(OLD)
    inject_fault(simulator, content, "redirect_loop")
    assert_sentence(fetch(simulator, dest, **CONTENTS[content], **BY_ID).failure, "a loop of more than 5 redirects")
    assert dest.read_bytes() == OLD
    assert transfers(simulator) == 6


@pytest.mark.parametrize("selection", [BY_ID, BY_REF, LATEST], ids=["id", "ref", "latest"])
@pytest.mark.parametrize("storage", ["redirect", "proxied"])
def test_archive_is_downloaded_from_each_kind_of_storage(
    simulator: t.Any, tmp_path: pathlib.Path, storage: str, selection: Options
) -> None:
    load(simulator, artifacts_storage=storage)
    result = fetch(simulator, tmp_path / "x", **selection)
    assert (result.failure, result["sha256"]) == (None, expected_sha256(simulator, "archive"))
    seen = simulator.second.requests()
    assert len(seen) == (storage == "redirect")
    for request in seen:
        assert TOKEN not in str(request)
        assert request["query"] not in str(result)
    assert not fetch(simulator, tmp_path / "x", **selection).changed


def test_faults_of_the_object_storage_are_handled(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load_big(simulator, artifacts_storage="redirect")
    dest = tmp_path / "x"
    for rule in ({"kind": "reset_at", "bytes": 100_000}, {"kind": "truncate", "bytes": 7}, {"kind": "status"}):
        simulator.inject(origin="second", times=1, **rule)
    result = fetch(simulator, dest, **BY_ID)
    assert (result.failure, digest(dest)) == (None, expected_sha256(simulator, "archive"))
    dest.write_bytes(OLD)
    simulator.inject(kind="status", status=403, origin="second")
    result = fetch(simulator, dest, **BY_ID)
    assert_sentence(result.failure, "403")
    assert dest.read_bytes() == OLD
    for request in simulator.second.requests():
        assert request["query"] not in str(result)


# ----- missing content -----

_HOUR = 3600.0
MISSING: dict[str, tuple[Options, Options, tuple[str, ...]]] = {
    "expired file": (
        {"artifacts": {"files": FILES, "expire_in": 5, "locked": False}},
        CONTENTS["file"],
        ("the artifacts of job 'build' (id 1000) have expired (", "retry the job"),
    ),
    "erased": (
        {"erased": True},
        CONTENTS["archive"],
        ("job 'build' (id 1000) was erased",),
    ),
    "reports only": (
        {"artifacts": {"reports": ["junit"]}},
        CONTENTS["archive"],
        ("has only reports (junit)", "artifacts:paths"),
    ),
    "no artifacts": ({"artifacts": None}, CONTENTS["archive"], ("job 'build' (id 1000) has no artifacts",)),
    "no such path": (
        {},
        {"content": "file", "artifact_path": "dist/no.txt"},
        ("there is no 'dist/no.txt' in the artifacts of job 'build' (id 1000)",),
    ),
    "a folder": (
        {},
        {"content": "file", "artifact_path": "dist"},
        ("there is no 'dist' in the artifacts",),
    ),
    "absolute path": (
        {},
        {"content": "file", "artifact_path": "/dist/app.txt"},
        ("'/dist/app.txt' is not a valid path inside an archive",),
    ),
    "invalid path": (
        {},
        {"content": "file", "artifact_path": "../etc/passwd"},
        ("'../etc/passwd' is not a valid path inside an archive", "'..'"),
    ),
}


@pytest.mark.parametrize("case", sorted(MISSING))
def test_missing_content_is_explained_in_one_sentence(simulator: t.Any, tmp_path: pathlib.Path, case: str) -> None:
    job, options, words = MISSING[case]
    # a newer successful pipeline, which unlocks the artifacts of the older one
    scenario = world({**BUILD, **job}, created_ago=100)
    scenario["pipelines"].append({"id": 200, "jobs": [{"name": "other", "status": "success"}]})
    simulator.load(scenario)
    simulator.advance(10)
    dest = tmp_path / "x"
    dest.write_bytes(OLD)
    result = fetch(simulator, dest, **options, **BY_ID)
    assert_sentence(result.failure, *words)
    assert (result.changed, dest.read_bytes()) == (False, OLD)


def test_unknown_jobs_refs_and_projects_are_reported(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator)
    dest = tmp_path / "x"
    assert_sentence(fetch(simulator, dest, job_id=4711).failure, "404")
    assert_sentence(fetch(simulator, dest, pipeline_id=100, name="biuld").failure, "did you mean 'build'?")
    assert_sentence(fetch(simulator, dest, pipeline_id=4711, name="build").failure, "404")
    for content in ("archive", "file"):
        for selection in ({"ref": "main", "name": "biuld"}, {"ref": "no", "name": "build"}):
            result = fetch(simulator, dest, **CONTENTS[content], **selection, latest_success=True)
            assert_sentence(
                result.failure, f"job '{selection['name']}' of ref {selection['ref']} has no artifacts", "pipeline_id"
            )
    assert_sentence(fetch(simulator, dest, content="log", ref="no", name="build").failure, "there is no", "no")
    other = run_task(simulator, DOWNLOAD, project="group/none", dest=str(dest), ref="main", name="build")
    assert_sentence(other.failure, "404 Project Not Found")
    assert not dest.exists()


def test_artifacts_above_the_role_of_the_user_are_refused(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator, {"artifacts": {"files": FILES, "access": "maintainer"}})
    result = fetch(simulator, tmp_path / "x", **BY_ID, token="bob-token-0123456789")
    assert_sentence(result.failure, "403")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"content": "archive", "artifact_path": "x", **BY_ID}, ("artifact_path can only be used",)),
        ({"content": "file", "artifact_path": "/", **BY_ID}, ("'/' is not a valid path inside an archive",)),
        ({**CONTENTS["report"], "artifact_path": "x", **BY_ID}, ("artifact_path can only be used",)),
        ({**CONTENTS["report"], **LATEST}, ("latest_success can only be used with content: archive and file",)),
        ({"report_type": "junit", **BY_ID}, ("report_type can only be used with content: report",)),
        ({"content": "report", "report_type": "", **BY_ID}, ("report_type is empty",)),
        ({"content": "report", "report_type": "../x", **BY_ID}, ("report_type is '../x'; set it to one type",)),
        ({"content": "report", "report_type": "archive", **BY_ID}, ("is not a report; use content: archive",)),
        ({"content": "report", "report_type": "trace", **BY_ID}, ("is not a report; use content: log",)),
        (
            {"content": "list", "checksum": "sha256:" + "0" * 64, **BY_ID},
            ("dest can only be used with content: archive",),
        ),
        ({"include_downstream": True, **BY_ID}, ("include_downstream cannot be used with job_id",)),
        ({"ref": "main", "name": " "}, ("name is empty",)),
    ],
)
def test_conflicting_options_are_refused_before_any_request(
    simulator: t.Any, tmp_path: pathlib.Path, options: Options, words: tuple[str, ...]
) -> None:
    load(simulator)
    assert_sentence(fetch(simulator, tmp_path / "x", **options).failure, *words)
    assert simulator.requests() == []


# ----- targets that cannot be written -----


@pytest.mark.parametrize("content", sorted(CONTENTS))
def test_missing_folder_of_dest_is_an_error(simulator: t.Any, tmp_path: pathlib.Path, content: str) -> None:
    load(simulator)
    for dest, word in ((tmp_path / "no" / "x", "folder that does not"), (f"{tmp_path}/no/", "not an existing folder")):
        assert_sentence(fetch(simulator, dest, **CONTENTS[content], **BY_ID).failure, word, "create")
    assert list(tmp_path.iterdir()) == []
    assert transfers(simulator) == 0


def test_dest_must_be_a_regular_file(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator)
    os.mkfifo(tmp_path / "pipe")
    for dest in ("/dev/full", "/dev/null", str(tmp_path / "pipe")):
        result = run_task(simulator, DOWNLOAD, project="group/app", dest=dest, **BY_ID)
        assert_sentence(result.failure, "is not a regular file")
    (tmp_path / "folder" / "app.txt").mkdir(parents=True)
    result = fetch(simulator, tmp_path / "folder", **CONTENTS["file"], **BY_ID)
    assert_sentence(result.failure, "is a folder; use the name of a file")
    assert transfers(simulator) == 0


def test_unwritable_folder_is_an_error(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator)
    # no user, not even root, can create files there
    result = fetch(simulator, "/proc/self/x", **BY_ID)
    assert_sentence(result.failure, "dest '/proc/self/x' cannot be written", "'/proc/self'")
    if os.geteuid() != 0:
        tmp_path.chmod(0o555)
        assert_sentence(fetch(simulator, tmp_path / "x", **BY_ID).failure, "cannot be written: no permission")
    assert transfers(simulator) == 0


def test_full_disk_leaves_dest_unchanged(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load_big(simulator)
    dest = tmp_path / "x"
    dest.write_bytes(OLD)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # writing fails in the middle, as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, limits[1]))
    try:
        result = fetch(simulator, dest, **BY_ID)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_sentence(result.failure, "cannot be written beside dest", "File too large")
    assert dest.read_bytes() == OLD
    assert transfers(simulator) == 1


# ----- lists -----


def list_files(simulator: t.Any, **options: t.Any) -> Result:
    return run_task(simulator, DOWNLOAD, project="group/app", content="list", **{**BY_ID, **options})


@pytest.mark.parametrize("version", ["18.8", "18.10", "19.2"])
def test_list_shows_the_files_of_the_archive(simulator: t.Any, version: str) -> None:
    load(simulator, version=version)

    def paths(**options: t.Any) -> list[str]:
        result = list_files(simulator, **options)
        assert (result.failure, result.changed, result["job"]["id"]) == (None, False, 1000)
        return [entry["path"] for entry in result["entries"]]

    odd = "a b#\u00fc?.txt"
    assert paths() == [odd, "dist/", "dist/app.txt", "dist/sub/", "dist/sub/deep.bin"]
    assert paths(recursive=False) == ["dist/", odd]
    assert paths(artifact_path="dist", recursive=False) == ["dist/sub/", "dist/app.txt"]
    assert paths(artifact_path="dist/sub/") == ["dist/sub/deep.bin"]
    assert paths(check_mode=True) == paths(job_id=None, **BY_PIPELINE) == paths(job_id=None, **BY_REF)
    assert list_files(simulator)["entries"][2] == {
        "name": "app.txt",
        "path": "dist/app.txt",
        "type": "file",
        "size": 8,
        "mode": "100644",
    }
    assert_sentence(
        list_files(simulator, artifact_path="no").failure, "there is no 'no' in the artifacts of job 'build'"
    )


def test_long_list_of_files_is_complete(simulator: t.Any) -> None:
    load(simulator, {"artifacts": {"files": {f"f/{number:04}": "x" for number in range(350)}}})
    assert len(list_files(simulator)["entries"]) == 351


@pytest.mark.parametrize("version", ["11.11", "17.11"])
@pytest.mark.parametrize("artifacts", [{"files": FILES}, None])
def test_older_servers_cannot_list_artifacts(simulator: t.Any, version: str, artifacts: Options | None) -> None:
    load(simulator, {"artifacts": artifacts}, version=version)
    assert_sentence(
        list_files(simulator).failure, "cannot be listed: this requires GitLab 18.8, or the job has no archive"
    )


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ({"artifacts": None}, "has no artifacts"),
        ({"artifacts": {"files": FILES, "metadata": False}}, "GitLab has kept no list of the artifacts of job 'build'"),
        ({"artifacts": {"reports": ["junit"]}}, "has only reports (junit)"),
    ],
)
def test_missing_list_of_artifacts_is_explained(simulator: t.Any, job: Options, words: str) -> None:
    load(simulator, job)
    assert_sentence(list_files(simulator).failure, words)


# ----- without a token -----


def test_public_artifacts_need_no_token(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    scenario = world(BUILD)
    scenario["projects"][0]["visibility"] = "public"
    simulator.load(scenario)
    for content in ("archive", "file"):
        for selection, known in (
            (BY_ID, {"id": 1000}),
            (LATEST, {"name": "build", "ref": "main"}),
            (BY_REF, None),
            (BY_PIPELINE, None),
        ):
            result = fetch(simulator, tmp_path / content, token=None, **CONTENTS[content], **selection)
            assert (result.failure, digest(tmp_path / content)) == (None, expected_sha256(simulator, content))
            if known:
                assert (result["job"], result["pipeline"]) == (known, None)
            else:
                assert (result["job"]["id"], result["pipeline"]["id"]) == (1000, 100)
    assert list_files(simulator, token=None)["job"] == {"id": 1000}
    assert_sentence(fetch(simulator, tmp_path / "x", token=None, content="log", **BY_ID).failure, "401")


# ----- tails -----

LONG_LOG = "".join(f"line {number} {'x' * 90}\n" for number in range(20_000))


@pytest.mark.parametrize("version", ["13.12", "18.10", "19.2"])
def test_only_the_end_of_a_long_log_is_read(simulator: t.Any, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    load(simulator, {"log": LONG_LOG}, version=version)
    received = [0]

    class CountingTail(log_tails.Tail):
        def write(self, chunk: bytes) -> None:
            received[0] += len(chunk)
            super().write(chunk)

    monkeypatch.setattr(log_tails, "Tail", CountingTail)
    result = run_task(simulator, INFO, project="group/app", job_id=1000, log_lines=5)
    assert result.warnings == []
    assert result["job"]["log_tail"] == LONG_LOG.splitlines()[-5:]
    (request,) = [request for request in simulator.requests() if request["endpoint"] == "get_trace"]
    assert int(parse_qs(request["query"])["byte_offset"][0]) == len(LONG_LOG) - log_tails.SHORTEST_WINDOW
    # older servers silently ignore the parameter
    assert received[0] == (log_tails.SHORTEST_WINDOW if version == "19.2" else len(LONG_LOG))


def test_short_log_is_read_whole(simulator: t.Any) -> None:
    load(simulator, version="19.2")
    result = run_task(simulator, INFO, project="group/app", job_id=1000, log_lines=5)
    assert result["job"]["log_tail"] == ["one", "two"]
    (request,) = [request for request in simulator.requests() if request["endpoint"] == "get_trace"]
    assert "byte_offset" not in request["query"]


@pytest.mark.parametrize("version", ["18.10", "19.2"])
def test_tail_of_a_huge_log_needs_little_memory(simulator: t.Any, version: str) -> None:
    load(simulator, {"log": None, "log_size": 50_000_000}, version=version)
    tracemalloc.start()
    try:
        result = run_task(simulator, INFO, project="group/app", job_id=1000, log_lines=100)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(result["job"]["log_tail"]) == 100
    assert peak < 5_000_000


def test_huge_download_needs_little_memory(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load(simulator, {"artifacts": {"size": 50_000_000}})
    tracemalloc.start()
    try:
        result = fetch(simulator, tmp_path / "x", **BY_ID)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (result.failure, result["size"]) == (None, 50_000_000)
    assert peak < 5_000_000


# ----- with Ansible -----


@pytest.mark.parametrize("run_mode", ["in_process", "module"])
def test_playbook_downloads_large_files(
    simulator: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, run_mode: str
) -> None:
    monkeypatch.setenv("JOBGATE_TEST_RUN_MODE", run_mode)
    size = 150 * 1024 * 1024  # more than the limit for content that is read at once
    load(simulator, {"artifacts": {"size": size}})
    task = {"name": "big", MODULE: {"project": "group/app", **BY_ID, "dest": str(tmp_path / "x")}}
    done = play([task], tmp_path, url=simulator.url)
    assert done.returncode == 0, done.output
    assert done.results["big"]["size"] == (tmp_path / "x").stat().st_size == size


@pytest.mark.parametrize("run_mode", ["in_process", "module"])
def test_playbook_downloads_files_and_sets_their_modes(
    simulator: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, run_mode: str
) -> None:
    monkeypatch.setenv("JOBGATE_TEST_RUN_MODE", run_mode)
    load(simulator)
    folder = tmp_path / "files"
    folder.mkdir()
    base = {"project": "group/app", **CONTENTS["file"], **BY_ID, "dest": str(folder / "app")}
    tasks: list[dict[str, t.Any]] = [
        {"name": "predict", MODULE: {**base, "mode": "0640"}, "check_mode": True, "diff": True},
        {"name": "make", MODULE: {**base, "mode": "0640"}, "diff": True},
        {"name": "predict again", MODULE: {**base, "mode": "0640"}, "check_mode": True},
        {"name": "make again", MODULE: {**base, "mode": "0640"}},
        {"name": "predict mode", MODULE: {**base, "mode": "0600"}, "check_mode": True},
        {"name": "mode", MODULE: {**base, "mode": "0600"}},
        {"name": "mode again", MODULE: {**base, "mode": "0600"}},
        {"name": "without mode", MODULE: base},
        {"name": "other content", MODULE: {**base, "artifact_path": "dist/sub/deep.bin"}},
        {"name": "list", MODULE: {"project": "group/app", **BY_ID, "content": "list"}},
        {"name": "folder", MODULE: {**base, "dest": str(folder), "owner": str(os.geteuid())}},
        {"name": "missing", MODULE: {**base, "artifact_path": "no"}, "ignore_errors": True},
        {"name": "nowhere", MODULE: {**base, "dest": str(tmp_path / "no" / "x")}, "ignore_errors": True},
        {"name": "wrong", MODULE: {**base, "checksum": "sha256:" + "0" * 64}, "ignore_errors": True},
    ]
    done = play(tasks, tmp_path, url=simulator.url)
    assert done.returncode == 0, done.output
    changed = {name: result["changed"] for name, result in done.results.items()}
    assert changed == {
        "predict": True,
        "make": True,
        "predict again": False,
        "make again": False,
        "predict mode": True,
        "mode": True,
        "mode again": False,
        "without mode": False,
        "other content": True,
        "list": False,
        "folder": True,
        "missing": False,
        "nowhere": False,
        "wrong": False,
    }
    assert sorted(path.name for path in folder.iterdir()) == ["app", "app.txt"]
    assert (folder / "app").read_text(encoding="utf-8") == "deep"
    assert stat.S_IMODE((folder / "app").stat().st_mode) == 0o600
    assert [done.results[name]["mode"] for name in ("make", "mode again", "other content")] == ["0640", "0600", "0600"]
    made = done.results["make"]
    assert (made["size"], made["sha256"], made["state"], made["uid"]) == (
        8,
        expected_sha256(simulator, "file"),
        "file",
        os.geteuid(),
    )
    for name in ("predict", "make"):
        assert done.results[name]["diff"]["before"] == ""
        assert expected_sha256(simulator, "file") in done.results[name]["diff"]["after"]
    assert "+size: 8" in done.output
    assert len(done.results["list"]["entries"]) == 5
    for result in done.results.values():
        assert set(DOWNLOAD.empty_result) <= set(result)
    assert done.results["missing"]["msg"] == (
        "There is no 'no' in the artifacts of job 'build' (id 1000); gitlab_job_download with content: list shows what "
        "is there."
    )
    assert done.results["nowhere"]["msg"].endswith(f"create '{tmp_path}/no' first.")


def test_playbook_downloads_reports_in_process_and_as_a_module(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    found = []
    for run_mode in ("true", "false"):
        load(simulator)
        folder = tmp_path / "files"
        folder.mkdir()
        base = {"project": "group/app", **BY_PIPELINE, **CONTENTS["report"], "dest": f"{folder}/", "mode": "0640"}
        right = {**base, "checksum": "sha256:" + expected_sha256(simulator, "report")}
        tasks: list[Options] = [
            {"name": "predict", MODULE: base, "check_mode": True},
            {"name": "make", MODULE: base},
            {"name": "predict again", MODULE: base, "check_mode": True},
            {"name": "make again", MODULE: base},
            {"name": "known", MODULE: right},
            {"name": "forced", MODULE: {**right, "force": True}},
            {"name": "mode", MODULE: {**base, "mode": "0600", "owner": str(os.geteuid())}},
            {"name": "close", MODULE: {**base, "report_type": "coverage"}, "ignore_errors": True},
            {"name": "none", MODULE: without(base, "report_type"), "ignore_errors": True},
            {"name": "wrong", MODULE: {**base, "checksum": "sha256:" + "0" * 64}, "ignore_errors": True},
        ]
        done = play(tasks, tmp_path, url=simulator.url, environment={"JOBGATE_IN_PROCESS": run_mode})
        assert done.returncode == 0, done.output
        changed = [name for name, result in done.results.items() if result["changed"]]
        assert changed == ["predict", "make", "mode"]
        # all except the one whose checksum was known and those that failed earlier
        assert transfers(simulator) == 7
        assert [path.name for path in folder.iterdir()] == ["junit.xml.gz"]
        assert digest(folder / "junit.xml.gz") == expected_sha256(simulator, "report")
        load(simulator, version="19.2")
        old = play(
            [{**tasks[1], "ignore_errors": True}],
            tmp_path,
            url=simulator.url,
            environment={"JOBGATE_IN_PROCESS": run_mode},
        )
        assert digest(folder / "junit.xml.gz") == done.results["make"]["sha256"]
        facts = ("msg", "changed", "dest", "size", "sha256", "mode", "uid", "state", "diff", "job", "pipeline")
        results = {**done.results, "old": old.results["make"]}
        found.append({name: {fact: result.get(fact) for fact in facts} for name, result in results.items()})
        shutil.rmtree(folder)
    assert found[0] == found[1]
    messages = {name: result["msg"] for name, result in found[0].items() if result["msg"]}
    assert messages["close"] == ("Job 'build' (id 1000) has no report 'coverage': there are 'cobertura', 'junit'.")
    assert messages["none"] == "report_type is missing; content: report needs it."
    assert messages["old"].startswith("GitLab sent a zip archive instead of the report 'junit' of job 'build'")
    assert sorted(messages) == ["close", "none", "old", "wrong"]


def test_playbook_downloads_from_a_faulty_object_storage(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    load_big(simulator, artifacts_storage="redirect")
    simulator.inject(kind="truncate", bytes=5, origin="second", times=1)
    task = {
        "name": "fetch",
        MODULE: {"project": "group/app", **BY_REF, "dest": str(tmp_path / "x.zip"), "mode": "0644"},
    }
    done = play([task], tmp_path, "-vvvv", url=simulator.url)
    assert done.returncode == 0, done.output
    assert digest(tmp_path / "x.zip") == expected_sha256(simulator, "archive")
    seen = simulator.second.requests()
    assert len(seen) == 2
    for request in seen:
        assert TOKEN not in str(request)
        assert request["query"] not in done.output
        assert "X-Amz-Signature" not in done.output


# ----- both faces -----


GATE = "jobgate.gitlab.gitlab_release_gate"
# existing files: mode, owner, group
EXISTING: dict[str, tuple[int, int, int]] = {
    "own": (0o640, 0, 0),
    "of somebody": (0o664, 1234, 1235),
    "set-id": (0o4755, 1234, 1235),
    "own set-id": (0o4711, 0, 0),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of others")
def test_replaced_files_are_the_same_in_process_and_as_a_module(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    found = []
    for run_mode in ("true", "false"):
        load(simulator)
        folder = tmp_path / "files"
        folder.mkdir()
        tasks: list[Options] = []
        for kind in ("download", "record", "report"):
            for name, (mode, owner, group) in EXISTING.items():
                path = folder / f"{kind} {name}"
                path.write_bytes(OLD)
                os.chown(path, owner, group)
                path.chmod(mode)
            (folder / f"{kind} real").write_bytes(OLD)
            (folder / f"{kind} link").symlink_to(f"{kind} real")
            (folder / f"{kind} dangling").symlink_to("nowhere")
            (folder / f"{kind} folder link").symlink_to(".")
            os.mkfifo(folder / f"{kind} pipe")
            # reports are written in the same way as records
            cases = ("set-id", "link") if kind == "report" else (*EXISTING, "link", "dangling", "new", "pipe", "none/x")
            for name in (*cases, *(["folder link"] if kind == "download" else [])):
                dest = str(folder / f"{kind} {name}")
                if kind == "download":
                    options = {"project": "group/app", **CONTENTS["file"], **BY_ID, "dest": dest}
                    tasks.append({"name": f"{kind} {name}", MODULE: options, "ignore_errors": True})
                else:
                    gates = [{"name": "build", "action": "verify"}]
                    options = {"projects": [{"project": "group/app", "pipeline_id": 100, "gates": gates}], kind: dest}
                    tasks.append({"name": f"{kind} {name}", GATE: options, "ignore_errors": True})
        result = play(tasks, tmp_path, url=simulator.url, environment={"JOBGATE_IN_PROCESS": run_mode})
        assert result.returncode == 0, result.output
        stats = {path.name: path.lstat() for path in folder.iterdir()}
        files = {name: (at.st_uid, at.st_gid, oct(at.st_mode), at.st_nlink) for name, at in stats.items()}
        messages = {name: task.get("msg") for name, task in result.results.items()}
        facts = {
            name: [task.get(fact) for fact in ("mode", "uid", "gid", "owner", "group", "state", "changed")]
            for name, task in result.results.items()
        }
        found.append((files, messages, facts))
        for kind in ("download", "record", "report"):
            assert (folder / f"{kind} real").read_bytes() == OLD
            assert files[f"{kind} set-id"] == (1234, 1235, oct(0o100755), 1)
        for kind in ("download", "record"):
            assert files[f"{kind} of somebody"][:3] == (1234, 1235, oct(0o100664))
            assert files[f"{kind} own set-id"][2] == oct(0o104711)
            assert "is not a regular file" in messages[f"{kind} pipe"]
            assert "does not exist" in messages[f"{kind} none/x"]
        shutil.rmtree(folder)
    for in_process, as_module in zip(*found):
        assert {name: (what, as_module[name]) for name, what in in_process.items() if what != as_module[name]} == {}
