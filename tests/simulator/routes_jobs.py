# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs: lists, single jobs, logs and actions."""

from __future__ import annotations

import collections.abc as c
import json
import typing as t

from . import artifacts, errors, lookup, pages, params, predicates, roles
from .call import Call, Reply, content_reply, json_reply
from .content import Part
from .model import BRIDGE, BUILD, Job, Project

_TRACE_MOST = 512_000


# -- parameters ----------------------------------------------------------------------------------------------------


def check_id(call: Call, name: str) -> None:
    params.integer(call.path_params, name)


def check_job_id(call: Call) -> None:
    check_id(call, "job_id")


def scopes(call: Call, *, hashes: bool) -> frozenset[str] | None:
    """Return the requested statuses; None for all.

    :param hashes: whether to use the values of a hash; otherwise a hash is an error.
    """
    given = call.params.get("scope")
    if given is None:
        return None
    if isinstance(given, dict) and hashes:
        given = list(given.values())
    values = given if isinstance(given, list) else [given]
    known = call.engine.world.known_statuses()
    if not all(isinstance(value, str) and value in known for value in values):
        raise errors.invalid("scope does not have a valid value")
    return frozenset(values)


def check_project_list(call: Call) -> None:
    scopes(call, hashes=True)
    pages.check(call)


def check_pipeline_list(call: Call) -> None:
    check_id(call, "pipeline_id")
    scopes(call, hashes=False)
    if call.features.has("include_retried"):
        params.boolean(call.params, "include_retried")
    pages.check(call)


def check_trace(call: Call) -> None:
    check_job_id(call)
    if call.features.has("trace_ranges"):
        offset = params.integer(call.params, "byte_offset")
        limit = params.integer(call.params, "byte_limit")
        if offset is not None and offset < 0:
            raise errors.invalid("byte_offset does not have a valid value")
        if limit is not None and not 1 <= limit <= _TRACE_MOST:
            raise errors.invalid("byte_limit does not have a valid value")


def check_cancel(call: Call) -> None:
    check_job_id(call)
    if call.features.has("force_cancel"):
        params.boolean(call.params, "force")


def check_inputs(name: str) -> c.Callable[[Call], None]:
    def check(call: Call) -> None:
        check_job_id(call)
        if call.features.has("job_inputs") and not isinstance(call.params.get(name) or {}, dict):
            raise errors.invalid(f"{name} is invalid")

    return check


def check_play(call: Call) -> None:
    check_inputs("job_inputs")(call)
    if not call.features.has("job_variables"):
        return
    rows = call.params.get("job_variables_attributes")
    if rows is not None and not isinstance(rows, list):
        raise errors.invalid("job_variables_attributes is invalid")
    missing = [
        f"job_variables_attributes[{number}][{key}] is missing"
        for number, row in enumerate(rows or [])
        for key in ("key", "value")
        if not isinstance(row, dict) or key not in row
    ]
    if missing:
        raise errors.invalid(", ".join(missing))


# -- reading -------------------------------------------------------------------------------------------------------


def _newest_first(jobs: c.Sequence[Job], wanted: frozenset[str] | None) -> list[Job]:
    if wanted is None:
        return list(reversed(jobs))
    return [job for job in reversed(jobs) if job.status in wanted]


def _job_list(call: Call, jobs: c.Sequence[Job], headers: dict[str, str]) -> Reply:
    render = call.simulation.renderer(call.base_url)
    text = "[" + ",".join(render.job_text(job) for job in jobs) + "]"
    return Reply(200, text.encode(), headers)


def list_project_jobs(call: Call) -> Reply:
    """E1: all attempts of all builds, newest first."""
    project = lookup.project(call)
    if call.features.has("jobs_list_checks_builds"):
        lookup.check_reads_builds(call, project)
    user, is_job = call.identity.user, call.identity.job is not None
    if is_job and roles.level(user, project) == roles.NO_LEVEL:
        # For job tokens, it is not enough that the project is public.
        raise errors.forbidden()
    rows = _newest_first(project.builds, scopes(call, hashes=True))
    ref = str(call.params.get("ref") or "").strip()
    if ref and call.features.has("jobs_list_ref_filter"):
        rows = [job for job in rows if job.pipeline.ref == ref]
    if call.params.get("pagination") == "keyset" and call.features.has("keyset"):
        order = (call.params.get("order_by") or "id", call.params.get("sort") or "desc")
        if order != ("id", "desc"):
            raise errors.ApiError(405, {"error": "Keyset pagination is not yet available for this type of request"})
        return _job_list(call, *pages.keyset_page(call, rows))
    pages.check_offset(call, limit=call.engine.world.limits["jobs_list_offset"])
    totals = not call.features.has("jobs_list_without_totals")
    return _job_list(call, *pages.offset_page(call, rows, totals=totals))


def _pipeline_rows(call: Call, kind: str) -> list[Job]:
    """Return the builds or bridges of a pipeline in the order and selection of the version."""
    project = lookup.project(call)
    lookup.check_reads_builds(call, project)
    pipeline = lookup.pipeline(call, project)
    bridge = pipeline.source_bridge
    if bridge and bridge.project is project and not call.features.has("child_pipelines_listed"):
        raise errors.record_not_found()
    rows = [job for job in pipeline.jobs if job.kind == kind]
    old = kind == BUILD and not call.features.has("newest_first")
    retried = old or (
        kind == BUILD and call.features.has("include_retried") and params.boolean(call.params, "include_retried")
    )
    if not retried:
        rows = [job for job in rows if not job.superseded]
    rows = _newest_first(rows, scopes(call, hashes=False))
    return rows[::-1] if old else rows


def list_pipeline_jobs(call: Call) -> Reply:
    """E2: the builds of a pipeline; before 13.5, oldest first and including retried ones."""
    return _job_list(call, *pages.offset_page(call, _pipeline_rows(call, BUILD), totals=True))


def list_bridges(call: Call) -> Reply:
    """E3 and E3b: the trigger jobs of a pipeline, newest first."""
    rows, headers = pages.offset_page(call, _pipeline_rows(call, BRIDGE), totals=True)
    render = call.simulation.renderer(call.base_url)
    return json_reply([render.bridge(job) for job in rows], headers=headers)


def get_job(call: Call) -> Reply:
    """E6: one build."""
    project = lookup.project(call)
    lookup.check_reads_builds(call, project)
    return answer_job(call, lookup.job(call, project))


def get_trace(call: Call) -> Reply:
    """E7: the raw log so far; empty if there is none."""
    project = lookup.project(call)
    lookup.check_reads_builds(call, project)
    job = lookup.job(call, project)
    if artifacts.is_debug_trace(job) and not roles.at_least(call.identity.user, project, roles.LOWEST["debug_trace"]):
        raise errors.forbidden()
    if job.log_gone:
        raise errors.message(404, "404 Not Found")
    text = artifacts.log(call.engine, job)
    if call.features.has("trace_ranges"):
        offset = params.integer(call.params, "byte_offset") or 0
        limit = params.integer(call.params, "byte_limit")
        text = Part(text, offset, text.size if limit is None else offset + limit)
    headers = {"Content-Disposition": f'infile; filename="{job.id}.log"'}
    return content_reply(text, headers, content_type="text/plain")


# -- writing -------------------------------------------------------------------------------------------------------


def answer_job(call: Call, job: Job, *, status: int = 200) -> Reply:
    """Return the answer with a complete job."""
    return json_reply(call.simulation.renderer(call.base_url).job(job), status=status)


def find_for_write(call: Call, action: str, *, bridges: bool = False, role_first: bool | None = None) -> Job:
    """Return the job for a write, if the caller may run `action` on it.

    :param role_first: whether to check the role in the project before looking up the job; None: by version.
    """
    project = lookup.project(call)
    if role_first is None:
        role_first = not call.features.has("lookup_before_role")
    if role_first:
        _check_project_role(call, project, "erase_own" if action == "erase" else action)
    job = lookup.job(call, project, bridges=bridges)
    check_may_write(call, job, action)
    return job


def _check_project_role(call: Call, project: Project, action: str) -> None:
    if project.archived or not roles.at_least(call.identity.user, project, roles.LOWEST[action]):
        raise errors.forbidden()


def check_may_write(call: Call, job: Job, action: str) -> None:
    """Refuse, without a reason, writes that role, ref, environment, deployment or archiving forbid."""
    lost_by_archiving = {"play", "retry", "keep"}
    if not call.features.has("archived_erasable"):
        lost_by_archiving.add("erase")
    archived = action in lost_by_archiving and job.archived
    if archived or predicates.is_outdated(job) or not roles.may_write_job(call.identity.user, job, action):
        raise errors.forbidden()


def cancel(call: Call) -> Reply:
    """E8: always 201; a job that cannot be canceled is returned unchanged."""
    job = find_for_write(call, "cancel", role_first=True)
    actions = call.simulation.actions
    if call.features.has("force_cancel") and params.boolean(call.params, "force"):
        check_may_write(call, job, "force_cancel")
        return answer_job(call, actions.force_cancel(job, call.identity.user), status=201)
    return answer_job(call, actions.cancel(job, call.identity.user), status=201)


def _inputs(call: Call, name: str) -> dict[str, t.Any]:
    return dict(call.params.get(name) or {}) if call.features.has("job_inputs") else {}


def retry(call: Call) -> Reply:
    """E9: a new job. The documented name `job_inputs` is ignored here, as in the source."""
    job = find_for_write(call, "retry", bridges=call.features.has("retry_bridge"))
    new = call.simulation.actions.retry(job, call.identity.user, inputs=_inputs(call, "inputs"), form=call.is_form)
    return answer_job(call, new, status=201)


def erase(call: Call) -> Reply:
    """E10: the job without log and artifacts."""
    job = find_for_write(call, "erase")
    return answer_job(call, call.simulation.actions.erase(job, call.identity.user), status=201)


def play(call: Call) -> Reply:
    """E11: 200; if a finished job was played, with the old or the new job, depending on the version."""
    project = lookup.project(call)
    lookup.check_reads_builds(call, project)
    job = lookup.job(call, project, bridges=call.features.has("play_bridge"))
    check_may_write(call, job, "play")
    variables: list[dict[str, str]] = []
    if call.features.has("job_variables"):
        rows = call.params.get("job_variables_attributes") or []
        variables = [{"key": str(row["key"]), "value": _text(row["value"])} for row in rows]
    inputs = _inputs(call, "job_inputs")
    started = call.simulation.actions.play(
        job, call.identity.user, variables=variables, inputs=inputs, form=call.is_form
    )
    if job.kind == BRIDGE:
        return json_reply(call.simulation.renderer(call.base_url).bridge(started))
    return answer_job(call, started if call.features.has("play_answers_new_job") else job)


def _text(value: t.Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
