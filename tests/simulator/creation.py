# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create pipelines and their jobs from the rows of a scenario, at its start and when a bridge starts."""

from __future__ import annotations

import hashlib
import typing as t

from . import deployments, forcing, jobspecs, refs, schema
from .model import Job, JobSpec, Pipeline, Project
from .scenario import World
from .schema import ScenarioError

if t.TYPE_CHECKING:
    from .engine import Engine

_SPARE_SECONDS = 60

JobRow = tuple[JobSpec, dict[str, t.Any], str]


def project_of(world: World, row: dict[str, t.Any], *, place: str) -> Project:
    """Return the project of a pipeline row, which can omit it if there is only one."""
    if row["project"] is not None:
        return world.project(row["project"], place=f"{place}.project")
    if len(world.projects) != 1:
        raise ScenarioError(f"{place}: key 'project' is required unless there is exactly one project")
    return next(iter(world.projects.values()))


def create_pipeline(
    engine: Engine,
    row: dict[str, t.Any],
    project: Project,
    *,
    place: str,
    bridge: Job | None = None,
    is_copy: bool = False,
) -> Pipeline:
    """Add the pipeline of a scenario row, with its jobs, and plan its processing.

    :param bridge: the trigger job that creates it, for a downstream pipeline.
    :param is_copy: whether the row is a template, whose ids cannot be used.
    """
    world = engine.world
    jobs = list(jobspecs.expand_jobs(row["jobs"], place=place))
    # The second downstream pipeline of a retried bridge cannot have the ids the scenario gave to the first.
    renewed = is_copy or (bridge is not None and (bridge.attempt > 1 or bridge.pipeline.is_copy))
    if renewed:
        jobs = [(spec, {**job, "id": None}, name) for spec, job, name in jobs]
    number = world.pipeline_ids.take(None if renewed else row["id"], place=place)
    present = engine.time
    forced = any(job["status"] for _spec, job, _name in jobs)
    user = world.user(row["user"], place=f"{place}.user") or (bridge.user if bridge else world.first_user)
    created_at = present - _age(row, jobs, forced=forced and bridge is None and not is_copy)
    iid, ref = row["merge_request"], refs.short(project, row)
    pipeline = Pipeline(
        id=number,
        iid=max((p.iid for p in project.pipelines), default=0) + 1,
        project=project,
        ref=f"refs/merge-requests/{iid}/head" if iid else ref,
        short_ref=ref,
        tag=row["tag"],
        sha=row["sha"] or _sha(project, ref, row, number, bridge),
        source=row["source"] or _source(row, bridge, project),
        merge_request=iid,
        user=user,
        stages=row["stages"] or list(dict.fromkeys(spec.stage for spec, _job, _name in jobs)),
        created_at=created_at,
        updated_at=created_at,
        name=row["name"],
        own_status="failed" if row["yaml_errors"] else row["status"],
        yaml_errors=row["yaml_errors"],
        variables=[variable(key, value) for key, value in row["variables"].items()],
        is_copy=renewed,
        source_bridge=bridge,
        # Held back until all jobs exist.
        processing_planned=True,
    )
    engine.add_pipeline(pipeline)
    engine.time = created_at
    for job_row in jobs:
        _create_job(engine, pipeline, job_row, present=present, place=place)
    if forced:
        # The scenario's statuses apply at its start; the rest continues from there.
        engine.time = present
        if row["created_ago"] is None:
            _count_expiry_from(present, pipeline)
    pipeline.processing_planned = False
    engine.plan_processing(pipeline)
    engine.time = present
    return pipeline


def variable(key: str, value: t.Any, *, kind: str = "env_var") -> dict[str, t.Any]:
    """Return a variable of a pipeline as the server shows it."""
    return {"variable_type": kind, "key": key, "value": value, "raw": False}


def _sha(project: Project, ref: str, row: dict[str, t.Any], number: int, bridge: Job | None) -> str:
    """Return the commit of a pipeline: in the scenario, each has its own; later, that of its ref."""
    tip = refs.tips(project, tag=row["tag"]).get(ref) if bridge is not None else None
    return tip or hashlib.sha1(f"pipeline {number}".encode()).hexdigest()


def _age(row: dict[str, t.Any], jobs: list[JobRow], *, forced: bool) -> float:
    """Return how long ago the pipeline started: long enough for everything that has happened in the scenario."""
    if row["created_ago"] is not None:
        return float(row["created_ago"])
    if not forced:
        return 0.0
    return _SPARE_SECONDS + max((job["queue"] or 0) + job["duration"] for _spec, job, _name in jobs)


def _count_expiry_from(present: float, pipeline: Pipeline) -> None:
    """Expire artifacts of the past as if they were created now, unless the scenario sets their age."""
    for job in pipeline.jobs:
        if job.artifacts_expire_at is not None and job.spec.artifacts:
            job.artifacts_expire_at = present + job.spec.artifacts["expire_in"]


def check(world: World, row: dict[str, t.Any], *, place: str) -> None:
    """Check a pipeline and its downstream pipelines now, not when a bridge starts during a test.

    :raises ScenarioError: if a user, project, stage or needed job does not exist.
    """
    jobs = list(jobspecs.expand_jobs(row["jobs"], place=place))
    names = {name for _spec, _row, name in jobs}
    if jobs and (row["status"] or row["yaml_errors"]):
        raise ScenarioError(f"{place}: status and yaml_errors are only allowed for a pipeline without jobs")
    _check_statuses(world, row, place=place)
    world.user(row["user"], place=f"{place}.user")
    for spec, job, name in jobs:
        here = f"{place}: job {name!r}"
        if row["stages"] and spec.stage not in row["stages"]:
            raise schema.unknown("stage", spec.stage, row["stages"], place=here)
        world.user(job["user"], place=f"{here}: user")
        for needed in spec.needs or []:
            if needed not in names:
                raise schema.unknown("job", needed, names, place=f"{here}: needs")
        if spec.trigger is not None:
            if spec.trigger["project"] is not None:
                world.project(spec.trigger["project"], place=f"{here}: trigger.project")
            check(world, spec.trigger["pipeline"], place=f"{here}: trigger.pipeline")


def _check_statuses(world: World, row: dict[str, t.Any], *, place: str) -> None:
    rows = [(row["status"], f"{place}.status")]
    for number, job in enumerate(row["jobs"]):
        rows.append((job.get("generate", job).get("status"), f"{place}.jobs[{number}].status"))
    for status, here in rows:
        if status is not None and status not in world.statuses:
            raise schema.unknown("value", status, world.statuses, place=here)


def _create_job(engine: Engine, pipeline: Pipeline, job_row: JobRow, *, present: float, place: str) -> None:
    """Add a job with its earlier attempts from the scenario."""
    spec, row, name = job_row
    world = engine.world
    created_at = engine.time
    here = f"{place}: job {name!r}"
    user = world.user(row["user"], place=here) if row["user"] else pipeline.user
    wanted = None if "count" in row else row["id"]
    for attempt in range(1, row["retried"] + 2):
        is_last = attempt > row["retried"]
        number = None if wanted is None else wanted - row["retried"] + attempt - 1
        job = Job(
            id=world.job_ids.take(number, place=here),
            name=name,
            pipeline=pipeline,
            spec=spec,
            kind=spec.kind,
            user=user,
            when=spec.when,
            allow_failure=spec.allow_failure,
            created_at=created_at,
            attempt=attempt,
            superseded=not is_last,
            archived=row["archived"],
            log_gone=row["log_gone"],
            approval=deployments.first_approval(pipeline.project, spec, row["status"] if is_last else "failed"),
        )
        engine.add(job)
        status = row["status"] if is_last else "failed"
        if status:
            engine.time = present
            end = min(present, created_at + (spec.queue or 0) + job.plan.duration)
            forcing.force(engine, job, status, finished_at=end)
            engine.time = created_at
        if is_last and row["erased"]:
            engine.wipe(job)
            job.erased_at = present


def _source(row: dict[str, t.Any], bridge: Job | None, project: Project) -> str:
    if bridge is not None:
        return "parent_pipeline" if bridge.project is project else "pipeline"
    return "merge_request_event" if row["merge_request"] else "push"
