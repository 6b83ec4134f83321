# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Artifacts and logs into files: streamed beside the target, verified, and only then put in its place."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ..._api.decoding import Record
from ..._api.errors import BadAnswerError, NotFoundError, RefusedError, SelectionError, UsageError
from ..jobs.find import JobFinder
from ..jobs.query import FoundJob, JobQuery, has_wildcard, shortened
from ..outcome import Files
from ..session import Session
from .place import check_path
from .targets import Content, Measure, Memory, TemporaryTarget, content_of

# The endpoint for each content, with a job and with a ref of which GitLab finds the job.
BY_ID: t.Mapping[str, str] = {
    "archive": "download_artifacts",
    "file": "download_artifact_file",
    "log": "get_job_log",
}
BY_REF: t.Mapping[str, str] = {"archive": "download_artifacts_by_ref", "file": "download_artifact_file_by_ref"}


_CHECKSUM = re.compile(r"sha256:([0-9a-fA-F]{64})")


@dataclasses.dataclass(frozen=True)
class DownloadRequest:
    """What to download, and to where.

    :param content: `archive`, `file` or `log`.
    :param path: of the file inside the archive.
    :param sha256: what the content has to be, in small letters; empty for anything.
    """

    query: JobQuery
    content: str
    path: str = ""
    dest: str = ""
    sha256: str = ""
    force: bool = False

    @property
    def ref_name(self) -> str:
        """Return the ref of which GitLab itself finds the newest successful job; empty when it does not."""
        pipeline, names = self.query.pipeline, self.query.names
        is_plain = pipeline.sha is None and not self.query.include_downstream and not any(map(has_wildcard, names))
        return pipeline.ref or "" if self.content in BY_REF and names and is_plain else ""


@dataclasses.dataclass(frozen=True)
class DownloadReport:
    """What became of a download.

    :param before: the content of the target as it was found, None when there was none.
    :param job: None when it was not read.
    """

    dest: str
    before: Content | None
    after: Content
    job: FoundJob | None = None

    @property
    def has_changed(self) -> bool:
        """Return whether the content of the target is another one."""
        return self.before != self.after


def sha256_option(checksum: str) -> str:
    """Return the digest of the option `checksum`.

    :raises UsageError: when it is not of the form `sha256:` and 64 hexadecimal digits.
    """
    if not checksum:
        return ""
    found = _CHECKSUM.fullmatch(checksum.strip())
    if not found:
        raise UsageError("checksum has to be sha256: and 64 hexadecimal digits")
    return found.group(1).lower()


def download(session: Session, request: DownloadRequest, files: Files) -> DownloadReport:
    """Return what became of a download; in check mode the content is read and compared, and put nowhere.

    :raises SelectionError: when there is no such job, or no such artifact.
    :raises BadAnswerError: when the content is not what `checksum` says.
    """
    job, subject = _source(session, request)
    dest = _target(request, job)
    before = content_of(dest)
    if request.sha256 and before and before.sha256 == request.sha256 and not request.force:
        return DownloadReport(dest, before, before, _as_read(job))
    if session.check_mode:
        measured = Measure()
        _fetch(session, request, job, subject, measured)
        _verify(request, measured.content)
        return DownloadReport(dest, before, measured.content, _as_read(job))
    with TemporaryTarget(dest, files) as target:
        _fetch(session, request, job, subject, target)
        after = target.content
        _verify(request, after)
        if before != after:
            target.put_in_place()
    return DownloadReport(dest, before, after, _as_read(job))


def list_entries(
    session: Session, query: JobQuery, path: str, *, recursive: bool
) -> tuple[FoundJob | None, list[Record]]:
    """Return the job, None when it was not read, and the entries of its archive.

    :raises SelectionError: when the server cannot list them, or there are none.
    """
    job = _wanted_job(session, query)
    try:
        entries = session.client.list_all(
            "list_artifact_tree", project=job.project, job_id=job.id, path=path or None, recursive=recursive
        )
    except NotFoundError as exc:
        text = exc.server_text.lower()
        if "path not found" in text:
            raise SelectionError(f"there is no {path!r} in the artifacts of {_subject(job)}") from exc
        if "artifacts metadata" in text:
            raise SelectionError(f"GitLab has kept no list of the artifacts of {_subject(job)}") from exc
        if "artifacts" in text:
            raise SelectionError(_why_missing(job, _subject(job))) from exc
        if exc.is_no_mere_object:
            raise
        # before 18.8 GitLab takes the address for a file named tree
        raise SelectionError(
            f"the artifacts of {_subject(job)} cannot be listed: that needs GitLab 18.8, or the job has no archive"
        ) from exc
    return _as_read(job), entries


def find_one_job(session: Session, query: JobQuery) -> FoundJob:
    """Return the one job of a query.

    :raises SelectionError: when there is none, or more than one.
    """
    finder = JobFinder(session, query)
    selection = finder.find()
    finder.require_jobs(selection)
    jobs = selection.jobs
    if len(jobs) > 1:
        listed = shortened([f"{job.path} (id {job.id})" for job in jobs])
        raise SelectionError(f"{len(jobs)} jobs match: {listed}. Give the exact name, or job_id")
    return jobs[0]


def fetch_bytes(session: Session, request: DownloadRequest) -> bytes:
    """Return small content as it is.

    :raises SelectionError: when there is no such job, or no such artifact.
    """
    job, subject = _source(session, request)
    memory = Memory()
    _fetch(session, request, job, subject, memory)
    return b"".join(memory.chunks)


# ----- steps -----


def _source(session: Session, request: DownloadRequest) -> tuple[FoundJob | None, str]:
    """Return the job, None when GitLab is to find it, and what to call it in a sentence.

    :raises SelectionError: when there is no such job.
    :raises UsageError: when the token can never read such content, or its path can be in no archive.
    """
    if request.content == "file" and ({"..", "."} & set(request.path.split("/")) or "\0" in request.path):
        raise UsageError(_invalid_path(request.path))
    if request.ref_name:
        return None, f"job {request.query.names[0]!r} of ref {request.ref_name}"
    if request.content == "log" and not session.limits.reads_logs:
        raise UsageError("GitLab lets no job token read a log; give api_token instead of api_job_token")
    job = _wanted_job(session, request.query)
    return job, _subject(job)


def _wanted_job(session: Session, query: JobQuery) -> FoundJob:
    """Return the one job of a query; only with its id where that is known and all that the token may know."""
    if query.job_id is not None and not session.limits.may_read:
        return FoundJob({"id": query.job_id}, query.pipeline.project, 0, "")
    return find_one_job(session, query)


def _as_read(job: FoundJob | None) -> FoundJob | None:
    """Return the job if GitLab has told more of it than there was to know before."""
    return job if job and job.path else None


def _subject(job: FoundJob) -> str:
    return f"job {job.path!r} (id {job.id})" if job.path else f"job {job.id}"


def _fetch(session: Session, request: DownloadRequest, job: FoundJob | None, subject: str, sink: t.Any) -> None:
    """Stream the content into a sink.

    :raises SelectionError: when there is none, with the reason as far as GitLab tells it.
    """
    arguments: dict[str, t.Any] = {}
    if request.content == "file":
        arguments["artifact_path"] = request.path
    if job is None:
        endpoint = BY_REF[request.content]
        arguments.update(
            project=request.query.pipeline.project,
            ref_name=request.ref_name,
            job_name=request.query.names[0],
            # a newer pipeline of the ref may lack the job; servers that do not know this look at one pipeline only
            search_recent_successful_pipelines=True,
        )
    else:
        endpoint = BY_ID[request.content]
        arguments.update(project=job.project, job_id=job.id)
    try:
        session.client.download(endpoint, sink, **arguments)
    except NotFoundError as exc:
        if exc.is_no_mere_object:
            raise
        if request.content == "file" and not exc.is_json:
            raise SelectionError(f"there is no {request.path!r} in the artifacts of {subject}") from exc
        what = _why_missing(job, subject)
        if job is None:
            what += (
                ". GitLab looks for the job in the latest successful pipeline of the branch or tag; give pipeline_id "
                "or job_id for another one"
            )
        raise SelectionError(what) from exc
    except RefusedError as exc:
        if exc.status == 400 and request.content == "file":
            raise SelectionError(_invalid_path(request.path)) from exc
        raise


def _invalid_path(path: str) -> str:
    return (
        f"{path!r} is no valid path inside an archive; give the path as it stands there, without a slash at the "
        "beginning and without .."
    )


def _why_missing(job: FoundJob | None, subject: str) -> str:
    record = job.record if job else {}
    if record.get("erased_at"):
        return f"{subject} was erased, so it has no artifacts any more"
    if record.get("artifacts_expire_at") and not record.get("artifacts_file"):
        when = record["artifacts_expire_at"]
        return f"the artifacts of {subject} have expired ({when}); retry the job to make them anew"
    reports = record.get("artifacts")
    kinds = sorted({str(entry.get("file_type")) for entry in reports or () if isinstance(entry, dict)} - {"trace"})
    if kinds and "archive" not in kinds:
        return f"{subject} has only reports ({', '.join(kinds)}) and no archive; list its files under artifacts:paths"
    return f"{subject} has no artifacts: there is no such job, it made none, or they have expired"


def _target(request: DownloadRequest, job: FoundJob | None) -> str:
    """Return the path of the file to make.

    :raises UsageError: when its folder does not exist.
    """
    check_path("dest", request.dest)
    dest = os.path.abspath(os.path.expanduser(request.dest))
    if os.path.isdir(dest):
        names = {
            "archive": "artifacts.zip",
            "file": os.path.basename(request.path.rstrip("/")),
            "log": f"{job.id if job else 0}.log",
        }
        return os.path.join(dest, names[request.content])
    if request.dest.endswith("/"):
        raise UsageError(f"dest {request.dest!r} is no folder that exists; make it first")
    if not os.path.isdir(os.path.dirname(dest)):
        raise UsageError(f"the folder of dest {request.dest!r} does not exist; make it first")
    return dest


def _verify(request: DownloadRequest, content: Content) -> None:
    if request.sha256 and content.sha256 != request.sha256:
        raise BadAnswerError(
            f"the content has the checksum sha256:{content.sha256}, expected was sha256:{request.sha256}; dest was "
            "left as it was"
        )
