# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find records by the ids in a URL, with the errors in the server's order (topics: project id, order of checks)."""

from __future__ import annotations

import re

from . import errors, roles
from .call import Call
from .model import BUILD, Job, Pipeline, Project


def named_project(call: Call) -> Project | None:
    """Return the project in the request, whoever the caller is; None if there is none."""
    text = call.path_params["id"]
    world = call.engine.world
    found = world.projects.get(int(text)) if re.fullmatch(r"-?[0-9]+", text) else world.paths.get(text.lower())
    return None if found is None or found.pending_deletion else found


def project(call: Call) -> Project:
    """Return the project in the request, if the caller can see it.

    :raises ApiError: 404, or the answer for the path of a moved project.
    """
    text = call.path_params["id"]
    world = call.engine.world
    if re.fullmatch(r"-?[0-9]+", text):
        found = world.projects.get(int(text))
    elif "/" in text:
        found = world.paths.get(text.lower())
        if found is None and text.lower() in world.moved:
            found = world.moved[text.lower()]
            if not found.pending_deletion and roles.can_see(call.identity.user, found):
                _refuse_moved(call, found)
    else:
        found = None
    if found is None or found.pending_deletion:
        raise errors.project_not_found()
    _check_job_token(call, found)
    if not roles.can_see(call.identity.user, found):
        raise errors.project_not_found()
    return found


def _refuse_moved(call: Call, found: Project) -> None:
    if not call.features.has("moved_projects"):
        return
    if call.request.method != "GET":
        raise errors.message(405, "Non GET methods are not allowed for moved projects")
    head, _projects, rest = call.raw_path.partition("/projects/")
    tail = rest.partition("/")[2]
    query = f"?{call.request.query}" if call.request.query else ""
    location = f"{call.base_url}{head}/projects/{found.id}{'/' + tail if tail else ''}{query}"
    text = "This resource has been moved permanently to " + location
    raise errors.ApiError(301, text, headers={"Location": location}, content_type="text/plain")


def entries_for(job: Job, target: Project) -> list[str]:
    """Return the entries of a project's allowlist for the project of a job, or for a group above it."""
    path = job.project.path
    return [name for name in target.job_token_allowlist if path == name or path.startswith(f"{name}/")]


def _check_job_token(call: Call, target: Project) -> None:
    """Check that a job can access another project: its allowlist contains the job's project, or access is public."""
    job, endpoint = call.identity.job, call.endpoint
    if job is None or job.project is target:
        return
    entries = entries_for(job, target)
    is_open = target.visibility != "private"
    if (
        not entries
        and is_open
        and endpoint.is_shared
        and target.public_builds
        and call.features.has("job_token_shared")
    ):
        return
    if not entries or not roles.can_see(call.identity.user, target):
        if not call.features.has("job_token_denied_403"):
            raise errors.project_not_found()
        source, goal = (one.path.rpartition("/")[2] for one in (job.project, target))
        raise errors.forbidden(f"Authentication by CI/CD job token not allowed from {source} to {goal}.")
    # An entry of the project itself comes before those of its groups.
    allowed = target.job_token_allowlist[max(entries, key=len)]
    lacks = allowed is not None and endpoint.policy not in allowed and not (is_open and endpoint.skips_policy)
    if lacks and call.features.has("job_token_policies"):
        text = f"Insufficient permissions to access this resource in project {target.path}. "
        raise errors.forbidden(f"{text}The following token permission is required: {endpoint.policy}.")


def check_reads_builds(call: Call, found: Project) -> None:
    if not roles.can_read_builds(call.identity.user, found):
        raise errors.forbidden()


def pipeline(call: Call, found: Project) -> Pipeline:
    record = call.engine.world.pipelines.get(int(call.path_params["pipeline_id"]))
    if record is None or record.project is not found:
        raise errors.record_not_found()
    return record


def job(call: Call, found: Project, *, bridges: bool = False) -> Job:
    """Return the job of the project; bridges only if the endpoint supports them."""
    record = call.engine.world.jobs.get(int(call.path_params["job_id"]))
    if record is None or record.project is not found or not (bridges or record.kind == BUILD):
        raise errors.record_not_found()
    return record
