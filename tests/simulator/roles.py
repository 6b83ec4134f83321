# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Permissions (topic: roles). An identity is the user or job behind the token of a request."""

from __future__ import annotations

import dataclasses

from .model import Job, Pipeline, Project, Token, User

LEVELS = {"guest": 10, "planner": 15, "reporter": 20, "developer": 30, "maintainer": 40, "owner": 50}
NO_LEVEL = 0
ADMIN_LEVEL = 60

# Lowest role for each action; reading builds has its own rule below.
LOWEST: dict[str, str] = {
    "cancel": "developer",
    "force_cancel": "maintainer",
    "retry": "developer",
    "play": "developer",
    "erase": "maintainer",
    "erase_own": "developer",
    "keep": "developer",
    "delete_artifacts": "maintainer",
    "debug_trace": "developer",
    "create_pipeline": "developer",
    "update_pipeline": "developer",
    "cancel_pipeline": "developer",
    "delete_pipeline": "owner",
    "all_pipeline_variables": "maintainer",
}


@dataclasses.dataclass(slots=True, frozen=True)
class Identity:
    """The caller of a request: anonymous, a user, or a job (then `job` is set and `user` is the job's)."""

    user: User | None = None
    token: Token | None = None
    job: Job | None = None


ANONYMOUS = Identity()


def project_level(user: User | None, project: Project) -> int:
    """Return the level of the user's role in the project, without administrator permissions."""
    return LEVELS[project.members[user.username]] if user and user.username in project.members else NO_LEVEL


def level(user: User | None, project: Project) -> int:
    return ADMIN_LEVEL if user and user.admin else project_level(user, project)


def at_least(user: User | None, project: Project, role: str) -> bool:
    return level(user, project) >= LEVELS[role]


def can_see(user: User | None, project: Project) -> bool:
    """Return whether this user can see the project; None is anonymous."""
    if project.visibility == "public" or level(user, project) > NO_LEVEL:
        return True
    return project.visibility == "internal" and user is not None


def can_read_builds(user: User | None, project: Project) -> bool:
    """Return whether the user can read builds; with public pipelines, everyone who sees the project can."""
    return at_least(user, project, "reporter") or (project.public_builds and can_see(user, project))


def can_read_artifacts(user: User | None, job: Job) -> bool:
    """Apply `artifacts:access` of the job."""
    access = job.spec.artifacts["access"] if job.spec.artifacts else "all"
    if access == "none":
        return False
    return access == "all" or at_least(user, job.project, access)


def may_push(user: User | None, pipeline: Pipeline) -> bool:
    """Return whether the user may push or merge to the pipeline's ref, if it is protected."""
    return may_write_ref(user, pipeline.project, pipeline.ref)


def may_write_ref(user: User | None, project: Project, ref: str) -> bool:
    """Return whether the user may push or merge to a branch, or create a tag, if it is protected."""
    allowed = project.protected_refs.get(ref)
    return allowed is None or (user is not None and (user.admin or user.username in allowed))


def may_write_pipeline(user: User | None, pipeline: Pipeline, action: str) -> bool:
    """Return whether the user may change a pipeline, including the check of its ref."""
    project = pipeline.project
    allowed = not project.archived and at_least(user, project, LOWEST[action])
    return allowed and (action == "delete_pipeline" or may_push(user, pipeline))


def may_write_job(user: User | None, job: Job, action: str) -> bool:
    """Return whether the user may write to this job, with the checks of ref and environment, but not of its state."""
    project = job.project
    if project.archived:
        return False
    protected = project.protected_environments.get(job.spec.environment or "")
    if protected is not None and protected["allowed"] is not None:
        # The permission to deploy overrides role and ref (topic: protected environments).
        admitted = user is not None and (user.admin or user.username in protected["allowed"])
        return admitted and at_least(user, project, "reporter")
    if not may_push(user, job.pipeline):
        return False
    if action == "erase" and job.user is user and user is not None:
        action = "erase_own" if job.pipeline.ref not in project.protected_refs else action
    return at_least(user, project, LOWEST[action])


def may_set_variables(user: User | None, project: Project) -> bool:
    """Apply the project's role for pipeline variables, also to administrators (topic: job variables)."""
    role = project.variables_minimum_override_role
    return role != "no_one_allowed" and project_level(user, project) >= LEVELS[role]
