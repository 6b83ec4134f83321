# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints about the caller, the server and projects."""

from __future__ import annotations

import typing as t

from . import errors, lookup, roles
from .call import Call, Reply, json_reply

_REVISION = "0f67ff19"


def get_user(call: Call) -> Reply:
    """GET /user: who the token belongs to."""
    user = call.identity.user
    record = call.simulation.renderer(call.base_url).user(user) or {}
    return json_reply({**record, "email": f"{user.username if user else 'nobody'}@example.org"})


def get_version(call: Call) -> Reply:
    return json_reply({"version": f"{call.features.text}.0", "revision": _REVISION})


def get_metadata(call: Call) -> Reply:
    kas = {"enabled": False, "externalUrl": None, "version": None}
    return json_reply({"version": f"{call.features.text}.0", "revision": _REVISION, "kas": kas, "enterprise": True})


def get_project(call: Call) -> Reply:
    return json_reply(call.simulation.renderer(call.base_url).project(lookup.project(call)))


def job_by_token(call: Call) -> Reply:
    """E4: the job that the job token belongs to."""
    job = call.identity.job
    if job is None:
        raise errors.unauthorized()
    return json_reply(call.simulation.renderer(call.base_url).job(job))


def allowed_agents(call: Call) -> Reply:
    """E5: the Kubernetes agents the job may use (topic: /job/allowed_agents)."""
    job = call.identity.job
    if job is None or job.user is None:
        raise errors.unauthorized()
    own_level = roles.project_level(job.user, job.project)
    held = [role for role, level in roles.LEVELS.items() if level <= own_level]
    if not call.features.has("field.roles.planner"):
        held = [role for role in held if role != "planner"]
    groups = job.project.path.split("/")[:-1]
    record: dict[str, t.Any] = {
        "allowed_agents": job.project.agents,
        "job": {"id": job.id},
        "pipeline": {"id": job.pipeline.id},
        "project": {"id": job.project.id, "groups": [{"id": 1000 + n} for n in range(len(groups), 0, -1)]},
        "user": {"id": job.user.id, "username": job.user.username, "roles_in_project": held},
    }
    if not call.features.has("field.agents.slim"):
        render = call.simulation.renderer(call.base_url)
        for name, more in (
            ("job", {"name": job.name, "status": job.status, "stage": job.spec.stage}),
            ("pipeline", render.pipeline_summary(job.pipeline)),
            ("project", render.project(job.project)),
            ("user", render.user(job.user) or {}),
        ):
            record[name] = {**more, **record[name]}
    if job.spec.environment:
        record["environment"] = {"tier": job.spec.environment, "slug": job.spec.environment.replace("/", "-")}
    return json_reply(record)
