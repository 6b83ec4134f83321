# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Output of a job: its archive, reports and log (topics: artifact entry, logs and artifacts)."""

from __future__ import annotations

import gzip

from . import predicates, zips
from .content import Content, Generated, Part, Plain
from .engine import Engine
from .model import Job

ARCHIVE = "archive"
LOG = "log"
REPORT = "report:"
# The types that E12 can send as single reports.
DOWNLOADABLE = frozenset(
    {
        "accessibility", "annotations", "api_fuzzing", "archive", "browser_performance", "cobertura", "codequality",
        "container_scanning", "coverage_fuzzing", "coverage_report", "cyclonedx", "dast", "dependency_scanning",
        "dotenv", "junit", "license_scanning", "load_performance", "lsif", "metrics", "network_referee", "performance",
        "repository_xray", "requirements", "sast", "secret_detection", "terraform",
    }
)  # fmt: skip


def archive(job: Job) -> Content:
    """Return the job's zip file; the same bytes every time."""
    return zips.of_row(job.spec.artifacts)[1]


def files(job: Job) -> dict[str, Content]:
    """Return the files of the archive by path."""
    return zips.of_row(job.spec.artifacts)[0]


def archive_size(job: Job) -> int:
    return archive(job).size


def named(engine: Engine, job: Job, name: str) -> Content:
    """Return the archive, the whole log, a report, or a file of the archive.

    :raises KeyError: if there is no such file.
    """
    if name == ARCHIVE:
        return archive(job)
    if name.startswith(REPORT):
        return reports(engine, job)[name.removeprefix(REPORT)]
    return full_log(engine, job) if name == LOG else files(job)[name]


def entries(engine: Engine, job: Job) -> list[dict[str, object]]:
    """Return the records of a job's artifacts; the log is one of them."""
    rows: list[dict[str, object]] = []
    if predicates.has_artifacts(engine, job):
        size = archive_size(job)
        rows.append({"file_type": "archive", "size": size, "filename": "artifacts.zip", "file_format": "zip"})
        if job.spec.artifacts and job.spec.artifacts["metadata"]:
            rows.append({"file_type": "metadata", "size": 225, "filename": "metadata.gz", "file_format": "gzip"})
    for report, content in reports(engine, job).items():
        name = f"{report}.xml.gz"
        rows.append({"file_type": report, "size": content.size, "filename": name, "file_format": "gzip"})
    if job.has_log and job.finished_at is not None:
        size = full_log(engine, job).size
        rows.append({"file_type": "trace", "size": size, "filename": "job.log", "file_format": None})
    return rows


def reports(engine: Engine, job: Job) -> dict[str, Content]:
    """Return the reports of a job by type, each as it is stored."""
    if not job.has_reports or not job.spec.artifacts or predicates.is_expired(engine, job):
        return {}
    size, kinds = job.spec.artifacts["report_size"], job.spec.artifacts["reports"]
    if size is not None:
        return {kind: Generated(size, seed=number) for number, kind in enumerate(kinds)}
    return {kind: Plain(gzip.compress(_report(job, kind), mtime=0)) for kind in kinds}


def _report(job: Job, kind: str) -> bytes:
    cases = "".join(f'<testcase name="{test["name"]}" time="{test["time"]}"/>' for test in job.spec.tests)
    return f'<?xml version="1.0"?>\n<testsuites><testsuite name="{kind}">{cases}</testsuite></testsuites>\n'.encode()


def full_log(engine: Engine, job: Job) -> Content:
    """Return the complete log of the job, as it is at its end."""
    if job.spec.log_size is not None:
        return Generated(job.spec.log_size, kind="text", seed=job.id)
    text = _text(job)
    return Plain(_with_times(engine, job, text) if job.spec.log_timestamps else text)


def _text(job: Job) -> bytes:
    if job.spec.log is not None:
        return job.spec.log if isinstance(job.spec.log, bytes) else job.spec.log.encode()
    when = 1767614400 + int(job.id)
    runner = job.runner.description if job.runner else "docker-1"
    ending = (
        "\x1b[31;1mERROR: Job failed: exit code 1\n\x1b[0;m"
        if job.status == "failed" or job.plan.outcome == "failed"
        else "\x1b[32;1mJob succeeded\n\x1b[0;m"
    )
    return (
        f"\x1b[0KRunning with gitlab-runner on {runner}\n"
        f"section_start:{when}:prepare_executor\r\x1b[0K\x1b[0K\x1b[36;1mPreparing the executor\x1b[0;m\x1b[0;m\n"
        f"section_end:{when + 1}:prepare_executor\r\x1b[0K"
        f"section_start:{when + 1}:step_script\r\x1b[0K\x1b[0K\x1b[36;1mExecuting the script\x1b[0;m\x1b[0;m\n"
        f"\x1b[32;1m$ make {job.name}\x1b[0;m\nWorking on {job.name} ...\nDone with {job.name}.\n"
        f"section_end:{when + 2}:step_script\r\x1b[0K{ending}"
    ).encode()


def _with_times(engine: Engine, job: Job, text: bytes) -> bytes:
    """Return the log with the runner's prefix of 32 characters before each line: time, stream, kind of line."""
    rows = text.split(b"\n")
    lines = [row + b"\n" for row in rows[:-1]] + [row for row in rows[-1:] if row]
    started_at = job.started_at or 0.0
    marked = []
    for number, line in enumerate(lines):
        moment = engine.clock.moment(started_at + job.plan.duration * number / len(lines))
        marked.append(f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z 00O ".encode() + line)
    return b"".join(marked)


def is_debug_trace(job: Job) -> bool:
    """Return whether the log may show secrets, by the scenario or by a variable that the job was played with."""
    switches = ("CI_DEBUG_TRACE", "CI_DEBUG_SERVICES")
    return job.spec.debug_trace or any(row["key"] in switches and row["value"] == "true" for row in job.variables)


def log(engine: Engine, job: Job) -> Content:
    """Return the log so far; it grows evenly while the job runs."""
    if not job.has_log or job.started_at is None:
        return Plain(b"")
    text = full_log(engine, job)
    plan = job.plan
    end = job.finished_at if job.finished_at is not None else engine.time
    if job.status in ("success", "failed") or not plan.duration:
        return text
    share = min(1.0, (end - job.started_at) / plan.duration)
    if plan.outcome == "hang":
        # It never ends, so it never writes its last line.
        share = min(share, 0.9)
    # Rounding errors of times must not cost a byte.
    return Part(text, 0, int(text.size * share + 1e-6))
