# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a job leaves behind: its archive, its reports, its log (topics: artifact entry, logs and artifacts)."""

from __future__ import annotations

import functools
import io
import zipfile

from . import predicates
from .engine import Engine
from .model import Job


def archive(job: Job) -> bytes:
    """Return the job's zip file; the same bytes every time."""
    files = job.spec.artifacts["files"] if job.spec.artifacts else {}
    return _zip(tuple(sorted((str(path), str(content)) for path, content in files.items())))


@functools.lru_cache(maxsize=256)
def _zip(files: tuple[tuple[str, str], ...]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, content in files:
            info = zipfile.ZipInfo(path, date_time=(2026, 1, 5, 12, 0, 0))
            info.external_attr = 0o100644 << 16
            packed.writestr(info, content)
    return buffer.getvalue()


def archive_size(job: Job) -> int:
    return len(archive(job))


def entries(engine: Engine, job: Job) -> list[dict[str, object]]:
    """Return the records of a job's artifacts; the log is one of them."""
    rows: list[dict[str, object]] = []
    if predicates.has_artifacts(engine, job):
        size = archive_size(job)
        rows.append({"file_type": "archive", "size": size, "filename": "artifacts.zip", "file_format": "zip"})
        rows.append({"file_type": "metadata", "size": 225, "filename": "metadata.gz", "file_format": "gzip"})
    if job.has_reports and job.spec.artifacts and not predicates.is_expired(engine, job):
        for report in job.spec.artifacts["reports"]:
            rows.append({"file_type": report, "size": 512, "filename": f"{report}.xml.gz", "file_format": "gzip"})
    if job.has_log and job.finished_at is not None:
        size = len(full_log(job))
        rows.append({"file_type": "trace", "size": size, "filename": "job.log", "file_format": "raw"})
    return rows


def full_log(job: Job) -> bytes:
    """Return everything the job will have written at its end."""
    if job.spec.log is not None:
        return job.spec.log.encode()
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


def log(engine: Engine, job: Job) -> bytes:
    """Return what the job has written so far: it grows evenly while the job runs."""
    if not job.has_log or job.started_at is None:
        return b""
    text = full_log(job)
    plan = job.plan
    end = job.finished_at if job.finished_at is not None else engine.time
    if job.status in ("success", "failed") or not plan.duration:
        return text
    share = min(1.0, (end - job.started_at) / plan.duration)
    if plan.outcome == "hang":
        # It never ends, so it never gets to its last words.
        share = min(share, 0.9)
    return text[: int(len(text) * share)]
