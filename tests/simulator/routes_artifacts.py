# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Artifacts: archives, single files, the tree, keeping and deleting (topics: artifacts, artifact downloads)."""

from __future__ import annotations

import collections.abc as c
import mimetypes
import posixpath
import urllib.parse

from . import artifacts, errors, etags, lookup, pages, params, predicates, roles, routes_jobs, storage
from .call import Call, Reply, content_reply, json_reply
from .model import BRIDGE, Job, Pipeline, Project

_RECENT_MOST = 100


def check_by_ref(call: Call) -> None:
    if not call.params.get("job"):
        raise errors.invalid("job is missing")


def check_archive(call: Call) -> None:
    routes_jobs.check_job_id(call)
    kind = call.params.get("file_type")
    if kind and call.features.has("artifacts_file_type") and kind not in artifacts.DOWNLOADABLE:
        raise errors.invalid("file_type does not have a valid value")


def check_tree(call: Call) -> None:
    routes_jobs.check_job_id(call)
    params.boolean(call.params, "recursive")
    pages.check(call)


# -- reading -------------------------------------------------------------------------------------------------------


def _readable_project(call: Call) -> Project:
    project = lookup.project(call)
    lookup.check_reads_builds(call, project)
    return project


def _check_access(call: Call, job: Job) -> None:
    """Check access before the artifacts are looked up, so that 403 does not reveal whether they exist."""
    if not roles.can_read_artifacts(call.identity.user, job):
        raise errors.forbidden()


def _archive_reply(call: Call, job: Job) -> Reply:
    """Return the archive or its address, depending on how the project stores artifacts."""
    if not job.has_archive:
        raise errors.message(404, "404 Not Found")
    headers = {"Content-Disposition": "attachment; filename=\"artifacts.zip\"; filename*=UTF-8''artifacts.zip"}
    if job.project.artifacts_storage == "redirect":
        # With TLS, the storage must use TLS, too: clients must not follow a redirect to plain HTTP.
        origin = "{second_tls}" if call.request.base_url.startswith("https:") else "{second}"
        location = origin + call.simulation.storage.sign(job, headers)
        return Reply(302, b"", {"Location": location, "Cache-Control": "no-cache"}, "text/plain")
    if job.project.artifacts_storage == "proxied":
        return storage.serve(artifacts.archive(job), call.request, headers, etag=storage.etag(job))
    marks = etags.of_archive(call.engine, job)
    if etags.is_known(call.request, marks):
        return Reply(304, b"", marks, None)
    return content_reply(artifacts.archive(job), {**headers, "Content-Transfer-Encoding": "binary", **marks})


def archive_by_job(call: Call) -> Reply:
    """E12: the archive, even if it has expired but still exists."""
    job = lookup.job(call, _readable_project(call))
    _check_access(call, job)
    kind = call.params.get("file_type")
    if kind and kind != artifacts.ARCHIVE and call.features.has("artifacts_file_type"):
        return _report_reply(call, job, str(kind))
    return _archive_reply(call, job)


def _report_reply(call: Call, job: Job, kind: str) -> Reply:
    """Return one report as it is stored."""
    reports = artifacts.reports(call.engine, job)
    if kind not in reports:
        raise errors.message(404, "404 Not Found")
    name = f"{kind}.xml.gz"
    disposition = f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    return content_reply(reports[kind], {"Content-Disposition": disposition, "Content-Transfer-Encoding": "binary"})


def archive_by_ref(call: Call) -> Reply:
    """E13: the archive of a named job of the latest successful pipeline of a ref."""
    job = _job_by_ref(call, _readable_project(call), search=call.features.has("search_recent_by_ref"))
    _check_access(call, job)
    return _archive_reply(call, job)


def file_by_job(call: Call) -> Reply:
    """E14: one file of the archive; not from an expired one, unless it is locked."""
    job = lookup.job(call, _readable_project(call))
    _check_access(call, job)
    if not predicates.has_available_artifacts(call.engine, job):
        raise errors.message(404, "404 Not Found")
    return _file_reply(call, job)


def file_by_ref(call: Call) -> Reply:
    """E15: one file by ref; expiry is not checked."""
    job = _job_by_ref(call, _readable_project(call), search=call.features.has("search_recent_raw"))
    _check_access(call, job)
    if not job.has_archive:
        raise errors.message(404, "404 Not Found")
    return _file_reply(call, job)


def _job_by_ref(call: Call, project: Project, *, search: bool) -> Job:
    ref = call.path_params["ref_name"]
    successful = [
        p
        for p in reversed(project.pipelines)
        if p.ref == ref and p.source != "parent_pipeline" and call.engine.status(p) == "success"
    ]
    several = search and params.boolean(call.params, "search_recent_successful_pipelines")
    for pipeline in successful[: _RECENT_MOST if several else 1]:
        family = sorted(_with_children(pipeline), key=lambda member: member.id)
        for job in (job for member in family for job in member.latest()):
            if job.kind == BRIDGE:
                continue
            # The server also finds jobs that only have reports, because the web page can download reports.
            if job.name == call.params["job"] and (job.has_archive or job.has_reports):
                return job
    raise errors.message(404, "404 Job Not Found") if several else errors.record_not_found()


def _with_children(pipeline: Pipeline) -> c.Iterator[Pipeline]:
    """Yield a pipeline and its child pipelines; if jobs have the same name, that of the oldest pipeline wins."""
    yield pipeline
    for bridge in pipeline.latest():
        if bridge.kind == BRIDGE and bridge.downstream and bridge.downstream.project is pipeline.project:
            yield from _with_children(bridge.downstream)


def _file_reply(call: Call, job: Job) -> Reply:
    path = call.path_params["artifact_path"]
    if path.startswith("/") or ".." in path.split("/"):
        raise errors.message(400, "400 Bad request")
    content = artifacts.files(job).get(path)
    if content is None:
        # The front proxy answers this one itself, in plain text.
        raise errors.ApiError(404, "Not Found\n", content_type="text/plain; charset=utf-8")
    marks = etags.of_file(call.engine, job, path)
    if etags.is_known(call.request, marks):
        return Reply(304, b"", marks, None)
    name = urllib.parse.quote(posixpath.basename(path), safe=" !#$&+-.^_`|~()[]{}@,;='")
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **marks}
    return content_reply(content, headers, content_type=kind)


def tree(call: Call) -> Reply:
    """E16: the content of the archive, one level or all."""
    job = lookup.job(call, _readable_project(call))
    _check_access(call, job)
    if not predicates.has_available_artifacts(call.engine, job):
        raise errors.message(404, "404 Artifacts Not Found")
    if job.spec.artifacts and not job.spec.artifacts["metadata"]:
        raise errors.message(404, "404 Artifacts metadata Not Found")
    top = str(call.params.get("path") or "").strip("/")
    rows = _tree_rows(job, top, recursive=params.boolean(call.params, "recursive"))
    if not rows and top:
        raise errors.message(404, "404 Path Not Found")
    part, headers = pages.offset_page(call, rows, totals=True)
    return json_reply(list(part), headers=headers)


def _tree_rows(job: Job, top: str, *, recursive: bool) -> list[dict[str, object]]:
    prefix = f"{top}/" if top else ""
    found: dict[str, dict[str, object]] = {}
    for name, content in sorted(artifacts.files(job).items()):
        if not name.startswith(prefix):
            continue
        parts = name[len(prefix) :].split("/")
        for depth in range(1, len(parts)):
            path = prefix + "/".join(parts[:depth]) + "/"
            folder: dict[str, object] = {"name": parts[depth - 1], "path": path, "type": "directory"}
            if recursive or depth == 1:
                found.setdefault(path, {**folder, "mode": "040755"})
        if recursive or len(parts) == 1:
            row: dict[str, object] = {"name": parts[-1], "path": name, "type": "file"}
            found[name] = {**row, "size": content.size, "mode": "100644"}
    rows = list(found.values())
    return rows if recursive else sorted(rows, key=lambda row: row["type"] == "file")


# -- writing -------------------------------------------------------------------------------------------------------


def keep(call: Call) -> Reply:
    """E17: artifacts no longer expire."""
    job = routes_jobs.find_for_write(call, "keep")
    kept = call.simulation.actions.keep_artifacts(job, call.identity.user)
    return json_reply(call.simulation.renderer(call.base_url).job(kept))


def _check_may_delete(call: Call, project: Project) -> None:
    if project.archived or not roles.at_least(call.identity.user, project, roles.LOWEST["delete_artifacts"]):
        raise errors.forbidden()


def delete(call: Call) -> Reply:
    """E18: 204, even if there was nothing to delete."""
    project = lookup.project(call)
    _check_may_delete(call, project)
    call.simulation.actions.delete_artifacts(lookup.job(call, project), call.identity.user)
    return Reply(204, content_type=None)


def delete_of_project(call: Call) -> Reply:
    """E19: all artifacts of the project expire now."""
    project = lookup.project(call)
    _check_may_delete(call, project)
    call.simulation.actions.delete_project_artifacts(project, call.identity.user)
    return json_reply({"message": "202 Accepted"}, status=202)
