# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The task of `gitlab_job_download`: downloads artifacts, reports and logs."""

from __future__ import annotations

import typing as t

from .._api.decoding import Record
from .._api.errors import UsageError
from .._app.files.download import Content, download, list_entries, sha256_option
from .._app.files.fetch import KINDS, DownloadRequest, check_latest_success
from .._app.files.reports import check_report_type
from .._app.jobs.query import FoundJob, JobQuery, listed
from .._app.outcome import Outcome
from .._app.session import Session, TaskContext
from .definition import NO_DIFF, TaskDefinition
from .options import CONNECTION, PIPELINE_SELECTION, PIPELINE_SELECTORS, pipeline_query, plain_text, session_of
from .values.arguments import Options

SPEC = CONNECTION.merged(
    PIPELINE_SELECTION,
    arguments={
        "job_id": {"type": "int"},
        "name": {"type": "str"},
        "include_downstream": {"type": "bool", "default": False},
        "latest_success": {"type": "bool", "default": False},
        "content": {"type": "str", "choices": [*KINDS, "list"], "default": "archive"},
        "report_type": {"type": "str"},
        "artifact_path": {"type": "str"},
        "recursive": {"type": "bool", "default": True},
        "dest": {"type": "path"},
        "checksum": {"type": "str"},
        "force": {"type": "bool", "default": False},
    },
    mutually_exclusive=tuple(("job_id", name) for name in (*PIPELINE_SELECTORS, "name")),
    required_one_of=(("job_id", *PIPELINE_SELECTORS), ("job_id", "name")),
    required_if=tuple(("content", name, ("dest", *kind.needs)) for name, kind in KINDS.items()),
)

_ONLY_WITH: t.Mapping[str, t.Sequence[str]] = {
    "artifact_path": ("file", "list"),
    "report_type": ("report",),
    "dest": tuple(KINDS),
    "checksum": tuple(KINDS),
    "latest_success": tuple(name for name, kind in KINDS.items() if kind.by_ref),
}


def run(options: Options, context: TaskContext) -> Outcome:
    request = _request(options)
    session = session_of(options, context)
    if options["content"] == "list":
        job, entries = list_entries(session, request.query, request.path, recursive=bool(options["recursive"]))
        return Outcome({"entries": entries, **_job_values(session, job)})
    report = download(session, request, context.files)
    return Outcome(
        {
            "dest": report.dest,
            "size": report.after.size,
            "sha256": report.after.sha256,
            **_job_values(session, report.job),
        },
        changed=report.before != report.after,
        diff={"before": _text(report.before), "after": _text(report.after)},
    )


def _job_values(session: Session, job: FoundJob) -> Record:
    """Return the job, and its pipeline as the job shows it; if it does not, only the pipeline's id, None if unknown."""
    pipeline = job.record.get("pipeline")
    if isinstance(pipeline, dict):
        pipeline = session.annotated("pipeline", pipeline)
    else:
        pipeline = {"id": job.pipeline_id} if job.pipeline_id else None
    return {"job": session.annotated("job", job.record), "pipeline": pipeline}


def _request(options: Options) -> DownloadRequest:
    content = options["content"]
    for name, contents in _ONLY_WITH.items():
        if options.get(name) and content not in contents:
            raise UsageError(f"{name} can only be used with content: {listed(contents, 'and')}")
    path, report_type = options.get("artifact_path") or "", options.get("report_type") or ""
    if content == "report":
        check_report_type(report_type)
    if options.get("include_downstream") and options.get("job_id") is not None:
        raise UsageError("include_downstream cannot be used with job_id")
    name = str(options.get("name") or "")
    query = JobQuery(
        pipeline=pipeline_query(options),
        job_id=options.get("job_id"),
        names=(plain_text("name", name),) if name else (),
        include_downstream=bool(options.get("include_downstream")),
    )
    if options.get("latest_success"):
        check_latest_success(query)
    return DownloadRequest(
        query=query,
        content=content,
        path=path,
        report_type=report_type,
        dest=options.get("dest") or "",
        sha256=sha256_option(options.get("checksum") or ""),
        force=bool(options.get("force")),
        latest_success=bool(options.get("latest_success")),
    )


def _text(content: Content | None) -> str:
    return f"size: {content.size}\nsha256: {content.sha256}\n" if content else ""


TASK = TaskDefinition(
    name="gitlab_job_download",
    spec=SPEC,
    work=run,
    empty_result={
        **dict.fromkeys(("dest", "size", "sha256", "job", "pipeline")),
        "entries": [],
        "elapsed": 0.0,
        **NO_DIFF,
        # what Ansible returns about a file
        **dict.fromkeys(("mode", "owner", "group", "uid", "gid", "state", "secontext")),
    },
    has_file_options=True,
)
