# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Download artifacts and logs to files: stream to a temporary file, verify it, then replace the target."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import os
import re

from ..._api.decoding import Record
from ..._api.errors import BadAnswerError, MissingError, NotFoundError, SelectionError, UsageError
from ..._api.http import CHUNK_BYTES
from ..._api.requester import Sink
from ..fields import artifact_kinds, id_of, int_of, project_id_of, record_in
from ..jobs.find import JobFinder
from ..jobs.index import ANYWHERE
from ..jobs.query import FoundJob, JobQuery, shortened
from ..outcome import Files, SlowWork
from ..pipelines.find import successful_pipelines
from ..pipelines.query import PipelineQuery
from ..session import Session
from .fetch import KINDS, DownloadRequest, check_log, check_request, fetch, known_by_id, known_by_name
from .missing import why_no_artifacts
from .place import NewFile, check_path, check_writable
from .reports import report_name, report_size

# GitLab itself searches this many pipelines.
MAX_PIPELINES = 100
_MIB = 1024 * 1024
_CHECKSUM = re.compile(r"sha256:([0-9a-fA-F]{64})")


@dataclasses.dataclass(frozen=True)
class Content:
    """The size and digest of some content."""

    size: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class DownloadReport:
    """The result of a download.

    :param before: the previous content of the target, None if there was none.
    :param job: the job, with only its id or name if the token may not read it.
    """

    dest: str
    before: Content | None
    after: Content
    job: FoundJob


def sha256_option(checksum: str) -> str:
    """Return the digest of the option `checksum`.

    :raises UsageError: if it is not `sha256:` and 64 hexadecimal digits.
    """
    if not checksum:
        return ""
    found = _CHECKSUM.fullmatch(checksum.strip())
    if not found:
        raise UsageError(f"checksum is {checksum!r}; set it to sha256: and 64 hexadecimal digits")
    return found.group(1).lower()


def download(session: Session, request: DownloadRequest, files: Files) -> DownloadReport:
    """Download content to a file; in check mode, only read and compare it.

    :raises SelectionError: if there is no such job or artifact.
    :raises BadAnswerError: if the content does not match `checksum`.
    """
    check_request(session, request)
    job = _latest(session, request) if request.latest_success else _wanted_job(session, request.query)
    dest = _target(request, job)
    check_writable("dest", dest, unsafe_writes=files.unsafe_writes)
    before = content_of(dest)
    if request.sha256 and before and before.sha256 == request.sha256 and not request.force:
        return DownloadReport(dest, before, before, job)
    with contextlib.nullcontext() if session.check_mode else NewFile("dest", dest, files) as file:
        incoming = _incoming(session, request, job, file)
        fetch(session, request, job, incoming)
        after = incoming.content
        _verify(session, request, job, after)
        if file and before != after:
            file.put_in_place()
    return DownloadReport(dest, before, after, job)


def list_entries(session: Session, query: JobQuery, path: str, *, recursive: bool) -> tuple[FoundJob, list[Record]]:
    """Return a job, with only its id if the token may not read it, and the entries of its archive.

    :raises SelectionError: if the server cannot list them, or there are none.
    """
    job = _wanted_job(session, query)
    try:
        entries = session.client.list_all(
            "list_artifact_tree", project=job.project, job_id=job.id, path=path or None, recursive=recursive
        )
    except NotFoundError as exc:
        text = exc.server_text.lower()
        if "path not found" in text:
            raise SelectionError(f"there is no {path!r} in the artifacts of {job.called}") from exc
        if "artifacts metadata" in text:
            raise SelectionError(f"GitLab has kept no list of the artifacts of {job.called}") from exc
        if "artifacts" in text:
            raise SelectionError(why_no_artifacts(job, session.clock.time())) from exc
        if not isinstance(exc, MissingError):
            raise
        # before 18.8, GitLab takes the URL for that of a file named tree
        raise SelectionError(
            f"the artifacts of {job.called} cannot be listed: this requires GitLab 18.8, or the job has no archive"
        ) from exc
    return job, entries


# ----- steps -----


def _wanted_job(session: Session, query: JobQuery) -> FoundJob:
    """Return the only job of a query, with only its id if the token may not read it."""
    known = known_by_id(session, query)
    if known:
        return known
    finder = JobFinder(session, query)
    selection = finder.find()
    finder.require(selection)
    finder.require_jobs(selection)
    finder.check_readable(selection, warns=True)
    jobs = selection.jobs
    if len(jobs) > 1:
        listed = shortened([f"{job.path} (id {job.id})" for job in jobs])
        raise SelectionError(f"{len(jobs)} jobs match: {listed}. Use the exact name, or job_id")
    return jobs[0]


def _latest(session: Session, request: DownloadRequest) -> FoundJob:
    """Return the job that GitLab will find, with only its name if the token may not read it.

    GitLab's answer does not contain the job, so look for the same one.
    Source: https://docs.gitlab.com/api/job_artifacts/#download-job-artifacts-by-reference-name
    """
    query = request.query
    if not session.limits.may_read:
        return known_by_name(query)
    for pipeline in itertools.islice(successful_pipelines(session, query.pipeline), MAX_PIPELINES):
        project = project_id_of(pipeline, query.pipeline.project)
        of_this = JobQuery(PipelineQuery(project, pipeline_id=id_of(pipeline)), names=query.names)
        anywhere = dataclasses.replace(of_this, names=(ANYWHERE + query.names[0],), include_downstream=True)
        # a job of the pipeline itself comes first, then that of the oldest of its child pipelines
        for wanted in (of_this, anywhere):
            jobs = JobFinder(session, wanted).find().jobs
            found = [job for job in jobs if job.project == project and _has_artifacts(job.record)]
            if found:
                return min(found, key=lambda job: job.pipeline_id)
    return known_by_name(query)


def _has_artifacts(record: Record) -> bool:
    if record.get("artifacts_file") or artifact_kinds(record):
        return True
    # deleted artifacts are not in the list, but the oldest servers have no list
    return "artifacts" not in record and bool(record.get("artifacts_expire_at"))


def _incoming(session: Session, request: DownloadRequest, job: FoundJob, sink: Sink | None) -> Incoming:
    """Return the sink that measures a download, with its name and expected size."""
    if request.content == "report":
        total = report_size(job, request.report_type)
    else:
        total = int_of(record_in(job.record, "artifacts_file"), "size") if request.content == "archive" else 0
    dest = request.dest.rstrip("/") if not os.path.isdir(request.dest) else ""
    name = os.path.basename(dest or request.path) or f"{request.report_type or request.content} of {job.called}"
    return Incoming(session, name, total, sink)


def _target(request: DownloadRequest, job: FoundJob) -> str:
    check_path("dest", request.dest)
    dest = os.path.abspath(request.dest)
    if os.path.isdir(dest):
        of_report = report_name(job, request.report_type) if request.content == "report" else ""
        artifact = of_report or os.path.basename(request.path.rstrip("/"))
        return os.path.join(dest, KINDS[request.content].file_name.format(job_id=job.id, artifact=artifact))
    if request.dest.endswith("/"):
        raise UsageError(f"dest {request.dest!r} is not an existing folder; create it first")
    return dest


def _verify(session: Session, request: DownloadRequest, job: FoundJob, content: Content) -> None:
    check_log(request, job, content.size)
    if request.latest_success and _latest(session, request).id != job.id:
        raise BadAnswerError(
            f"{request.called(job)} succeeded in a newer pipeline during the download, and GitLab does not show which "
            "pipeline the content is from; run the task again. dest was not changed"
        )
    if request.content == "archive" and not content.size:
        raise BadAnswerError("the answer is empty, but archives never are; run the task again. dest was not changed")
    if request.sha256 and content.sha256 != request.sha256:
        raise BadAnswerError(
            f"the content has the checksum sha256:{content.sha256}, not sha256:{request.sha256} as expected; dest was "
            "not changed"
        )


# ----- on the way into a file -----


def content_of(path: str) -> Content | None:
    """Return the content of a file; None if it does not exist, or is a link, which would be replaced.

    :raises UsageError: if it cannot be read.
    """
    if os.path.islink(path) or not os.path.exists(path):
        return None
    digest, size = hashlib.sha256(), 0
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(CHUNK_BYTES), b""):
                digest.update(block)
                size += len(block)
    except OSError as exc:
        raise UsageError(f"dest {path!r} cannot be read: {exc.strerror or exc}") from None
    return Content(size, digest.hexdigest())


class Incoming:
    """A sink that measures content and reports progress: `app.zip: 312 of 1,024 MiB, 30 %, 45 s left`.

    :param name: name of the content in progress lines.
    :param total: expected size in bytes, 0 if unknown.
    :param sink: the sink to pass everything on to, None for none.
    """

    def __init__(self, session: Session, name: str, total: int, sink: Sink | None) -> None:
        self._name = name
        self._total = total
        self._sink = sink
        self._digest = hashlib.sha256()
        self._size = 0
        self._work = SlowWork(session.progress, session.clock)

    def restart(self) -> None:
        self._digest, self._size = hashlib.sha256(), 0
        self._work.restart()
        if self._sink:
            self._sink.restart()

    def write(self, chunk: bytes) -> None:
        if self._sink:
            self._sink.write(chunk)
        self._digest.update(chunk)
        self._size += len(chunk)
        self._work.show(self._line)

    @property
    def content(self) -> Content:
        return Content(self._size, self._digest.hexdigest())

    def _line(self, seconds: float) -> str:
        done = f"{self._size // _MIB:,}"
        if not self._total or self._size > self._total:
            return f"{self._name}: {done} MiB"
        left = seconds * (self._total - self._size) / self._size
        words = f"{left:.0f} s" if left < 120 else f"{left / 60:.0f} min"
        share = 100 * self._size // self._total
        return f"{self._name}: {done} of {-(-self._total // _MIB):,} MiB, {share} %, {words} left"
