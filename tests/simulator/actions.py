# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Actions on jobs, by their state (topic: what each action does, by state).

The endpoints check roles. The functions here check the state, change the job and record the effect.
"""

from __future__ import annotations

import typing as t

from . import deployments, errors, inputs, leftovers, predicates, roles
from .engine import Engine
from .model import BRIDGE, Approval, Deployment, Job, Pipeline, Project, User

Variables = list[dict[str, str]]

# Status of an approval -> its name in the effects.
_VERDICTS = {"approved": "approve", "rejected": "reject"}


class Effects:
    """The changes on the server, in order, for tests."""

    def __init__(self) -> None:
        self.rows: list[dict[str, t.Any]] = []

    def note(self, engine: Engine, action: str, job: Job, user: User | None, *, new: Job | None = None) -> None:
        subject = new or job
        self.rows.append(
            {
                "action": action,
                "project": job.project.path,
                "pipeline_id": job.pipeline.id,
                "job_id": job.id,
                "name": job.name,
                "user": user.username if user else None,
                "new_job_id": new.id if new else None,
                "variables": list(subject.variables),
                "inputs": dict(subject.inputs),
                "at": engine.time,
            }
        )

    def note_pipeline(
        self,
        engine: Engine,
        action: str,
        pipeline: Pipeline,
        user: User | None,
        *,
        variables: Variables | None = None,
        inputs: dict[str, t.Any] | None = None,
    ) -> None:
        row = dict.fromkeys(("job_id", "name", "new_job_id"))
        row.update(action=action, project=pipeline.project.path, user=user.username if user else None)
        given = {"variables": list(variables or []), "inputs": dict(inputs or {})}
        self.rows.append({**row, "pipeline_id": pipeline.id, **given, "at": engine.time})

    def note_project(self, engine: Engine, action: str, project: Project, user: User | None) -> None:
        row = dict.fromkeys(("pipeline_id", "job_id", "name", "new_job_id"))
        row.update(action=action, project=project.path, user=user.username if user else None)
        self.rows.append({**row, "variables": [], "inputs": {}, "at": engine.time})


class Actions:
    """The writes of the API. The admin path also uses them to act as another user."""

    def __init__(self, engine: Engine, effects: Effects) -> None:
        self.engine = engine
        self.effects = effects

    def play(
        self, job: Job, user: User | None, *, variables: Variables, inputs: dict[str, t.Any], form: bool = False
    ) -> Job:
        """Start a waiting job, or a new one in place of a finished manual one; return the job that was started."""
        engine = self.engine
        if not predicates.is_playable(job):
            if not engine.world.features.has("bad_request_with_reason"):
                raise errors.message(400, '400 (Bad request) "Unplayable Job" not given')
            raise errors.bad_request("Unplayable Job")
        role_matters = engine.world.features.has("variables_role") and job.kind != BRIDGE
        if variables and role_matters and not roles.may_set_variables(user, job.project):
            raise errors.forbidden()
        inputs = read_inputs(job, inputs, form=form)
        if job.like not in ("manual", "scheduled"):
            # Works like a retry, which ignores the variables of this call: the new job has those of the old one.
            new = engine.renew(job, user=user)
            self.effects.note(engine, "play", job, user, new=new)
            return new
        job.user = user
        if job.kind != BRIDGE:
            job.variables = list(variables)
            job.inputs = {**job.inputs, **inputs}
        engine.enqueue(job)
        engine.process_again_after(job)
        self.effects.note(engine, "play", job, user)
        return job

    def retry(self, job: Job, user: User | None, *, inputs: dict[str, t.Any], form: bool = False) -> Job:
        engine = self.engine
        if not predicates.is_retryable(job):
            raise errors.forbidden("Job is not retryable")
        inputs = read_inputs(job, inputs, form=form)
        new = engine.renew(job, user=user, inputs=inputs)
        self.effects.note(engine, "retry", job, user, new=new)
        return new

    def cancel(self, job: Job, user: User | None) -> Job:
        """Cancel the job if it can be canceled; otherwise do nothing, without an error."""
        engine = self.engine
        if job.like in predicates.CANCELABLE:
            graceful = job.runner is not None and job.runner.graceful_cancel and engine.world.features.has("canceling")
            engine.move(job, "canceling" if job.status == "running" and graceful else "canceled")
            self.effects.note(engine, "cancel", job, user)
        return job

    def force_cancel(self, job: Job, user: User | None) -> Job:
        """End a job that is being cancelled; it does nothing to a job in another state."""
        if job.status == "canceling":
            self.engine.move(job, "canceled")
            self.effects.note(self.engine, "force_cancel", job, user)
        return job

    def erase(self, job: Job, user: User | None) -> Job:
        if not predicates.is_erasable(self.engine, job):
            raise errors.forbidden("Job is not erasable!")
        check_stats_refresh(job.project)
        self.engine.wipe(job)
        job.erased_at = self.engine.time
        self.effects.note(self.engine, "erase", job, user)
        return job

    def keep_artifacts(self, job: Job, user: User | None) -> Job:
        if not predicates.has_artifacts(self.engine, job):
            # The server prints the record itself, so clients should not match this text.
            raise errors.message(404, f"404 #<Ci::Build id: {job.id}> Not Found")
        if job.artifacts_expire_at is not None:
            job.artifacts_expire_at = None
            self.engine.touch(job)
            self.effects.note(self.engine, "keep_artifacts", job, user)
        return job

    def delete_artifacts(self, job: Job, user: User | None) -> Job:
        """Delete the artifacts, but not the log."""
        check_stats_refresh(job.project)
        if job.has_archive or job.has_reports:
            job.has_archive = job.has_reports = False
            self.engine.touch(job)
            self.effects.note(self.engine, "delete_artifacts", job, user)
        return job

    def approve(
        self, deployment: Deployment, user: User, verdict: str, *, comment: str | None, rules: list[int]
    ) -> Approval:
        """Approve or reject a deployment; the same again changes nothing."""
        given = Approval(user, verdict, self.engine.time, comment, rules)
        changed = deployments.approve(self.engine, deployment, given)
        if changed is not None:
            self.effects.note(self.engine, _VERDICTS[verdict], deployment.job, user)
            return changed
        return next(one for one in deployment.approvals if one.user is user and one.rules == rules)

    def approve_completely(self, job: Job, user: User, *, verdict: str = "approved") -> Job:
        """Give all missing approvals at once, or reject, without a permission check."""
        if job.approval != "waiting":
            return job
        if job.deployment is not None:
            lacking = deployments.missing(job.deployment)
            for _round in range(max(lacking) if verdict == "approved" else 1):
                given = Approval(user, verdict, self.engine.time, None, list(range(len(lacking))))
                job.deployment.approvals.append(given)
        deployments.settle(self.engine, job, rejected=verdict == "rejected")
        return job

    def delete_project_artifacts(self, project: Project, user: User | None) -> None:
        """Expire the artifacts of a project now, except those of each ref's latest successful pipeline."""
        check_stats_refresh(project)
        kept = {
            p.ref: p for p in project.pipelines if p.source != "parent_pipeline" and self.engine.status(p) == "success"
        }
        changed = False
        for job in project.builds:
            if kept.get(job.pipeline.ref) is _root(job.pipeline) or leftovers.is_locked(self.engine.world, job):
                continue
            if not (job.has_archive or job.has_reports):
                continue
            if job.artifacts_expire_at is None or job.artifacts_expire_at > self.engine.time:
                job.artifacts_expire_at = self.engine.time
                self.engine.touch(job)
                changed = True
        if changed:
            self.effects.note_project(self.engine, "delete_project_artifacts", project, user)


def _root(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline that a child pipeline belongs to, at any depth."""
    while pipeline.source == "parent_pipeline" and pipeline.source_bridge is not None:
        pipeline = pipeline.source_bridge.pipeline
    return pipeline


def check_stats_refresh(project: Project) -> None:
    if project.stats_refresh:
        text = "Action temporarily disabled. The project this pipeline belongs to is undergoing stats refresh."
        raise errors.message(409, text)


def read_inputs(job: Job, given: dict[str, t.Any], *, form: bool) -> dict[str, t.Any]:
    """Return the inputs of a job, converted to their types.

    :raises ApiError: 400 for unknown inputs and invalid values.
    """
    try:
        return inputs.read(job.spec.inputs, given, form=form, unknown="Unknown input")
    except inputs.InputError as error:
        raise errors.bad_request(str(error)) from None
