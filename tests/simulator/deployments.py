# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployments of jobs with an environment, and the approvals they wait for (topic: deployments, environments)."""

from __future__ import annotations

import typing as t

from . import roles
from .model import Approval, Deployment, Environment, Job, JobSpec, Project, User

if t.TYPE_CHECKING:
    from .engine import Engine

Rule = dict[str, t.Any]

# Status of a job -> status of its deployment; other statuses change nothing.
_STATUSES: dict[str, str] = {
    "created": "created",
    "pending": "created",
    "preparing": "created",
    # For every manual job, whether or not it requires approvals.
    "manual": "blocked",
    **{status: status for status in ("running", "success", "failed", "canceled", "skipped")},
}


def begin(engine: Engine, job: Job) -> None:
    """Create the deployment of a job with an environment."""
    if job.spec.environment is None:
        return
    world, project = engine.world, job.project
    number = world.deployment_ids.take(None, place="deployment")
    iid = sum(one.job.project is project for one in world.deployments.values()) + 1
    environment = _environment(engine, project, job.spec.environment)
    job.deployment = Deployment(number, iid, job, environment, job.created_at, job.created_at)
    world.deployments[number] = job.deployment


def _environment(engine: Engine, project: Project, name: str) -> Environment:
    known = engine.world.environments
    found = next((one for one in known.values() if one.project is project and one.name == name), None)
    if found is None:
        found = Environment(len(known) + 1, name, project, engine.time)
        known[found.id] = found
    return found


def follow(engine: Engine, job: Job) -> None:
    """Update the deployment to the status of its job."""
    deployment, status = job.deployment, _STATUSES.get(job.like)
    if deployment is None or status is None or deployment.status == status:
        return
    deployment.status = status
    deployment.updated_at = engine.time
    if status in ("success", "failed", "canceled"):
        deployment.finished_at = engine.time


# -- approvals -----------------------------------------------------------------------------------------------------


def protection(project: Project, environment: str | None) -> Rule | None:
    """Return the protection of an environment; None if it is not protected."""
    return project.protected_environments.get(environment or "")


def rules_of(project: Project, spec: JobSpec) -> list[Rule]:
    """Return the approval rules of a job's deployment; the old required count is a rule without a name."""
    row = protection(project, spec.environment)
    if row is not None and row["rules"]:
        return list(row["rules"])
    required = row["required_approvals"] if row is not None else 0
    if not required and spec.approval == "waiting":
        required = 1
    return [{"user": None, "group": None, "members": [], "role": None, "required": required}] if required else []


def first_approval(project: Project, spec: JobSpec, status: str | None) -> str | None:
    """Return what a new job's deployment waits for: one that a scenario lets begin further on has been approved."""
    if spec.approval == "rejected":
        return "rejected"
    is_open = status in (None, "created", "manual", "skipped", "scheduled")
    return "waiting" if is_open and rules_of(project, spec) else None


def fits(rule: Rule, user: User, deployment: Deployment) -> bool:
    """Return whether a rule is for a user."""
    project = deployment.job.project
    if rule["user"] is not None:
        return user.username == rule["user"]
    if rule["group"] is not None:
        return user.username in rule["members"]
    if rule["role"] is not None:
        return roles.level(user, project) >= roles.LEVELS[rule["role"]]
    # The old required count: all users who may deploy.
    return roles.may_write_job(user, deployment.job, "play")


def describe(rule: Rule) -> str:
    """Return the user, group or role of a rule, as the server writes it."""
    return str(rule["user"] or rule["group"] or f"{rule['role']}s".capitalize())


def missing(deployment: Deployment) -> list[int]:
    """Return the number of missing approvals for each rule."""
    given = [one for one in deployment.approvals if one.status == "approved"]
    return [
        max(0, rule["required"] - sum(number in one.rules for one in given))
        for number, rule in enumerate(rules_of(deployment.job.project, deployment.job.spec))
    ]


def is_waiting(job: Job) -> bool:
    return job.approval == "waiting" and job.like == "manual"


def starts_itself(job: Job) -> bool:
    """Return whether the server starts the job after the last approval; with rules, a user has to play it."""
    row = protection(job.project, job.spec.environment)
    if row is None or row["starts_itself"] is None:
        return row is None or len(row["rules"]) == 0
    return bool(row["starts_itself"])


def approve(engine: Engine, deployment: Deployment, approval: Approval) -> Approval | None:
    """Count an approval or a rejection, and update the job; return None if it was already given."""
    job = deployment.job
    same = next(
        (one for one in deployment.approvals if one.user is approval.user and one.rules == approval.rules), None
    )
    if same is not None and same.status == approval.status:
        return None
    if same is not None:
        same.status, same.comment, same.created_at = approval.status, approval.comment, approval.created_at
    else:
        deployment.approvals.append(approval)
    settle(engine, job, rejected=approval.status == "rejected")
    return same or approval


def settle(engine: Engine, job: Job, *, rejected: bool) -> None:
    """Let a job continue or fail if the approvals so far decide this."""
    if job.approval != "waiting":
        return
    if rejected:
        job.approval = "rejected"
        engine.move(job, "failed", reason="deployment_rejected")
    elif job.deployment is None or not any(missing(job.deployment)):
        job.approval = None
        engine.touch(job)
        if job.status == "manual" and starts_itself(job):
            engine.enqueue(job)
