# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GET /job/allowed_agents: the Kubernetes agents a job may use, and its identity (topic: /job/allowed_agents)."""

from __future__ import annotations

import hashlib
import re
import typing as t

from . import errors, roles
from .call import Call, Reply, json_reply
from .model import Job, Project

Record = dict[str, t.Any]

_CONFIG_PROJECT = ("id", "description", "name", "name_with_namespace", "path", "path_with_namespace", "created_at")
_TIERS = (
    ("development", "dev|review|trunk"),
    ("testing", "test|tst|int|ac(ce|)pt|qa|qc|control|quality"),
    ("staging", "st(a|)g|mod(e|)l|pre|demo|non"),
    ("production", "pr(o|)d|live"),
)
_SLUG_MOST = 24
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def allowed_agents(call: Call) -> Reply:
    """E5: the agents that the job of the token may use."""
    job = call.identity.job
    if job is None or job.user is None:
        raise errors.unauthorized()
    own_level = roles.project_level(job.user, job.project)
    held = [role for role, level in roles.LEVELS.items() if level <= own_level]
    if not call.features.has("field.roles.planner"):
        held = [role for role in held if role != "planner"]
    record: Record = {
        "allowed_agents": [_agent(call, job, row) for row in job.project.agents if _is_for(job, row)],
        "job": {"id": job.id},
        "pipeline": {"id": job.pipeline.id},
        "project": {"id": job.project.id, "groups": _groups(call, job.project)},
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
        record["environment"] = {"tier": tier(job.spec.environment), "slug": slug(job.spec.environment)}
    return json_reply(record)


def _is_for(job: Job, row: Record) -> bool:
    """Return whether an agent is for the job's environment; one without a restriction is for every job."""
    patterns = row["environments"]
    if patterns is None:
        return True
    name = job.spec.environment
    return name is not None and any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) for pattern in patterns
    )


def _agent(call: Call, job: Job, row: Record) -> Record:
    project = job.project
    if row["config_project"] is not None:
        project = call.engine.world.project(row["config_project"], place="agents")
    whole = call.simulation.renderer(call.base_url).project(project)
    configuration = dict(row["configuration"])
    if row["environments"] is not None:
        configuration["environments"] = row["environments"]
    shown = {name: whole[name] for name in _CONFIG_PROJECT}
    return {"id": row["id"], "config_project": shown, "configuration": configuration}


def _groups(call: Call, project: Project) -> list[Record]:
    """Return the groups above a project, the nearest first; a user's own namespace is not a group."""
    names = project.path.split("/")[:-1]
    if len(names) == 1 and names[0] in call.engine.world.users:
        return []
    paths = ["/".join(names[:depth]) for depth in range(len(names), 0, -1)]
    return [{"id": group_id(call, path)} for path in paths]


def group_id(call: Call, path: str) -> int:
    known: set[str] = set()
    for project in call.engine.world.projects.values():
        names = project.path.split("/")[:-1]
        known.update("/".join(names[:depth]) for depth in range(1, len(names) + 1))
    return 1001 + sorted(known).index(path)


def tier(environment: str) -> str:
    """Return the tier that the server guesses from a name."""
    return next((name for name, words in _TIERS if re.search(words, environment, re.IGNORECASE)), "other")


def slug(environment: str) -> str:
    """Return the name as a part of a host name; a changed or shortened name gets a suffix derived from the original."""
    text = re.sub("[^a-z0-9]", "-", environment.lower())
    text = re.sub("-+", "-", text if re.match("[a-z]", text) else f"env-{text}")
    if text == environment and len(text) <= _SLUG_MOST:
        return text.rstrip("-")
    number = int(hashlib.sha256(environment.encode()).hexdigest(), 16)
    suffix = ""
    while len(suffix) < 6:
        number, digit = divmod(number, 36)
        suffix = _DIGITS[digit] + suffix
    return f"{text[:17].rstrip('-')}-{suffix}"
