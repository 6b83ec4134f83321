# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Stream artifacts and logs of jobs into a sink, or explain why there are none."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.errors import MissingError, NotFoundError, RefusedError, SelectionError, UsageError
from ..._api.requester import Sink
from ..jobs.query import FoundJob, JobQuery, has_wildcard
from ..session import Session
from .missing import why_no_artifacts, why_no_log
from .reports import ReportSink, check_report, why_not_sent


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of content to download.

    :param by_id: the endpoint for a job by its id.
    :param file_name: template of its file name in a folder, with the id of the job and the name of the artifact.
    :param by_ref: the endpoint for a ref, for which GitLab finds the job; empty if there is none.
    :param needs: required options.
    """

    by_id: str
    file_name: str
    by_ref: str = ""
    needs: tuple[str, ...] = ()


KINDS: t.Mapping[str, Kind] = {
    "archive": Kind("download_artifacts", "artifacts.zip", by_ref="download_artifacts_by_ref"),
    "file": Kind(
        "download_artifact_file", "{artifact}", by_ref="download_artifact_file_by_ref", needs=("artifact_path",)
    ),
    "log": Kind("get_job_log", "{job_id}.log"),
    "report": Kind("download_artifacts", "{artifact}", needs=("report_type",)),
}
# What the URL of the list of artifacts has in place of a file.
_LIST_PATH = "tree"
_BY_REF = ", or set latest_success for those of the newest successful pipeline of the ref"
# A template keeps several copies of a file in memory.
MAX_MIB_IN_MEMORY = 64


@dataclasses.dataclass(frozen=True)
class DownloadRequest:
    """What to download, and where to.

    :param content: one of `KINDS`.
    :param path: path of the file inside the archive.
    :param report_type: type of the report, checked with `check_report_type`.
    :param latest_success: whether GitLab finds the job: that of the newest successful pipeline of the ref. The query
        must be checked with `check_latest_success`.
    :param sha256: the expected digest in lower case; empty for any.
    """

    query: JobQuery
    content: str
    path: str = ""
    report_type: str = ""
    dest: str = ""
    sha256: str = ""
    force: bool = False
    latest_success: bool = False

    def called(self, job: FoundJob) -> str:
        if self.latest_success:
            return f"job {self.query.names[0]!r} of ref {self.query.pipeline.ref}"
        return job.called


def check_latest_success(query: JobQuery) -> None:
    """Check that GitLab can find the newest successful job of a query.

    :raises UsageError: if it cannot, or would ignore part of the query.
    """
    pipeline = query.pipeline
    if pipeline.ref is None:
        raise UsageError("latest_success requires ref, the branch or tag whose newest successful pipeline is used")
    others = {
        "sha": pipeline.sha,
        f"a ref of type {pipeline.ref_type}": pipeline.ref_type != "any",
        "pipeline_source": pipeline.sources,
        "include_downstream": query.include_downstream,
    }
    for name, is_given in others.items():
        if is_given:
            raise UsageError(
                f"{name} cannot be used with latest_success, because GitLab selects by ref only; omit one of them"
            )
    for name in query.names:
        if has_wildcard(name):
            raise UsageError(f"name {name!r} has wildcards, which latest_success does not support; use the exact name")


def check_request(session: Session, request: DownloadRequest) -> None:
    """Check, without a request, that the content may exist and the token may read it.

    :raises UsageError: if it may not.
    """
    if request.content == "log" and not session.limits.reads_logs:
        raise UsageError("job tokens cannot read logs; set api_token instead of api_job_token")
    if request.content != "file":
        return
    if {"..", "."} & set(request.path.split("/")) or not request.path.strip("/") or "\0" in request.path:
        raise UsageError(_invalid_path(request.path))
    if request.path.strip("/") == _LIST_PATH and not request.latest_success:
        raise UsageError(
            f"GitLab 18.8 and later send the list of all artifacts instead of a file {_LIST_PATH!r}; download the "
            "whole archive"
        )


def known_by_id(session: Session, query: JobQuery) -> FoundJob | None:
    """Return a job with only its id if the token may not read it; None if it may, or if the query has no id."""
    if query.job_id is None or session.limits.may_read:
        return None
    return FoundJob({"id": query.job_id}, query.pipeline.project, 0)


def known_by_name(query: JobQuery) -> FoundJob:
    """Return a job with only the name and ref of the query."""
    return FoundJob({"name": query.names[0], "ref": query.pipeline.ref}, query.pipeline.project, 0)


def fetch(session: Session, request: DownloadRequest, job: FoundJob, sink: Sink) -> None:
    """Stream the content into a sink.

    :raises SelectionError: if there is none, with the reason as far as GitLab shows it.
    """
    arguments: dict[str, t.Any] = {}
    report: ReportSink | None = None
    if request.content == "file":
        arguments["artifact_path"] = request.path
    elif request.content == "report":
        check_report(job, request.report_type, session.clock.time())
        arguments["file_type"] = request.report_type
        sink = report = ReportSink(sink, job, request.report_type)
    if request.latest_success:
        endpoint = KINDS[request.content].by_ref
        arguments.update(
            project=request.query.pipeline.project,
            ref_name=request.query.pipeline.ref,
            job=request.query.names[0],
            # the newest successful pipeline may lack the job; servers without this parameter search only that one
            search_recent_successful_pipelines=True,
        )
    else:
        endpoint = KINDS[request.content].by_id
        arguments.update(project=job.project, job_id=job.id)
    try:
        session.client.download(endpoint, sink, any_time=True, **arguments)
    except MissingError as exc:
        raise SelectionError(_why_not_found(request, job, exc, session.clock.time())) from exc
    except RefusedError as exc:
        if exc.status == 400 and request.content == "file":
            raise SelectionError(_invalid_path(request.path)) from exc
        if exc.status == 400 and report and "file_type" in exc.server_text:
            raise SelectionError(
                f"GitLab has no report of type {request.report_type!r}, or does not send it separately: check "
                "report_type, or list the file under artifacts:paths"
            ) from exc
        raise
    if report:
        report.check_length()


class Memory:
    """A sink in memory, for content that is small enough for an expression.

    :param called: what the content is, for messages.
    """

    def __init__(self, called: str = "the content") -> None:
        self.content = bytearray()
        self._called = called

    def restart(self) -> None:
        self.content.clear()

    def write(self, chunk: bytes) -> None:
        """Add the next chunk.

        :raises UsageError: if the content is too large.
        """
        self.content += chunk
        if len(self.content) > MAX_MIB_IN_MEMORY * 1024**2:
            raise UsageError(
                f"{self._called} is larger than {MAX_MIB_IN_MEMORY} MiB, too much for an expression; download it to "
                "a file instead"
            )


def fetch_bytes(session: Session, request: DownloadRequest, job: FoundJob) -> bytes:
    """Return small content of a job.

    :raises SelectionError: if there is none.
    """
    check_request(session, request)
    what = f"artifact {request.path!r}" if request.path else "the log"
    memory = Memory(f"{what} of {request.called(job)}")
    fetch(session, request, job, memory)
    check_log(request, job, len(memory.content))
    return bytes(memory.content)


def check_log(request: DownloadRequest, job: FoundJob, size: int) -> None:
    """Check that a log exists: GitLab sends an empty one if not, but a job that has run may have written nothing.

    :raises SelectionError: if there is none.
    """
    has_run = job.record.get("started_at") and not job.record.get("erased_at")
    if request.content == "log" and not size and not has_run:
        raise SelectionError(why_no_log(job))


def _why_not_found(request: DownloadRequest, job: FoundJob, exc: NotFoundError, now: float) -> str:
    """Return why GitLab does not find the content, at a Unix time."""
    subject = request.called(job)
    if request.content == "file" and not exc.is_json:
        return (
            f"there is no {request.path!r} in the artifacts of {subject}; gitlab_job_download with content: list shows "
            "what is there"
        )
    if request.content == "log":
        return why_no_log(job)
    if request.content == "report":
        return why_not_sent(job, request.report_type, now)
    if request.latest_success:
        return (
            f"{subject} has no artifacts: there is no such job, it created none, or they have expired. GitLab looks "
            "for the job in the latest successful pipeline of the branch or tag; omit latest_success for the newest "
            "pipeline, or set pipeline_id or job_id"
        )
    return why_no_artifacts(job, now, instead=_BY_REF if request.query.pipeline.ref else "")


def _invalid_path(path: str) -> str:
    return (
        f"{path!r} is not a valid path inside an archive; use the path as in the archive, without a leading slash and "
        "without '.' or '..' between slashes"
    )
