# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The task behind `gitlab_job_download`: its options, and how they become a download."""

from __future__ import annotations

from .._api.decoding import Record
from .._api.errors import UsageError
from .._app.files.download import DownloadRequest, download, list_entries, sha256_option
from .._app.files.targets import Content
from .._app.jobs.query import JobQuery
from .._app.outcome import Outcome
from .._app.session import TaskContext
from .definition import ArgumentSpec, Options, TaskDefinition
from .options import CONNECTION, JOB_ID_ALONE, PIPELINE_SELECTION, pipeline_query, session_of

SPEC = CONNECTION.merged(
    PIPELINE_SELECTION,
    ArgumentSpec(
        arguments={
            "job_id": {"type": "int"},
            "name": {"type": "str"},
            "include_downstream": {"type": "bool", "default": False},
            "content": {"type": "str", "choices": ["archive", "file", "log", "list"], "default": "archive"},
            "artifact_path": {"type": "str"},
            "recursive": {"type": "bool", "default": True},
            "dest": {"type": "path"},
            "checksum": {"type": "str"},
            "force": {"type": "bool", "default": False},
        },
        mutually_exclusive=JOB_ID_ALONE,
        required_one_of=(("job_id", "pipeline_id", "ref", "sha", "merge_request"), ("job_id", "name")),
        required_if=(
            ("content", "archive", ("dest",)),
            ("content", "file", ("dest", "artifact_path")),
            ("content", "log", ("dest",)),
        ),
    ),
)


def run(options: Options, context: TaskContext) -> Outcome:
    """Return what was downloaded, or listed.

    :raises GitLabError: for what the user or the server did wrong.
    """
    request = _request(options)
    session = session_of(options, context)
    if options["content"] == "list":
        job, entries = list_entries(session, request.query, request.path, recursive=bool(options["recursive"]))
        values: Record = {"entries": entries, "job": session.annotated("job", job.record) if job else None}
        before, after, has_changed = None, None, False
    else:
        report = download(session, request, context.files)
        values = {
            "dest": report.dest,
            "size": report.after.size,
            "sha256": report.after.sha256,
            "job": session.annotated("job", report.job.record) if report.job else None,
        }
        before, after, has_changed = report.before, report.after, report.has_changed
    return Outcome(
        changed=has_changed,
        values={**values, "elapsed": session.elapsed()},
        warnings=session.warnings,
        diff={"before": _text(before), "after": _text(after)},
    )


def _request(options: Options) -> DownloadRequest:
    content = options["content"]
    path = options.get("artifact_path") or ""
    if path and content not in ("file", "list"):
        raise UsageError("artifact_path can only be used with content: file and content: list")
    if content == "list":
        for name in ("dest", "checksum"):
            if options.get(name):
                raise UsageError(f"{name} cannot be used with content: list, which makes no file")
    if content == "file" and not path.strip("/"):
        raise UsageError("artifact_path is empty; give the path of a file inside the archive")
    if options.get("include_downstream") and options.get("job_id") is not None:
        raise UsageError("include_downstream cannot be used with job_id")
    name = str(options.get("name") or "")
    return DownloadRequest(
        query=JobQuery(
            pipeline=pipeline_query(options),
            job_id=options.get("job_id"),
            names=(name,) if name else (),
            include_downstream=bool(options.get("include_downstream")),
        ),
        content=content,
        path=path,
        dest=options.get("dest") or "",
        sha256=sha256_option(options.get("checksum") or ""),
        force=bool(options.get("force")),
    )


def _text(content: Content | None) -> str:
    return f"size: {content.size}\nsha256: {content.sha256}\n" if content else ""


TASK = TaskDefinition(
    name="gitlab_job_download",
    spec=SPEC,
    work=run,
    empty_result={
        "dest": None,
        "size": None,
        "sha256": None,
        "job": None,
        "entries": [],
        "elapsed": 0.0,
        "diff": {"before": "", "after": ""},
        "mode": None,
        "owner": None,
        "group": None,
        "uid": None,
        "gid": None,
        "state": None,
        "secontext": None,
    },
    has_file_options=True,
)
