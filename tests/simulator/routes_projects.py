# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Projects and their commits, as far as clients of jobs and pipelines need them."""

from __future__ import annotations

import collections.abc as c

from . import errors, lookup, pages, params, refs, roles
from .call import Call, Reply, json_reply
from .model import Project

_VISIBILITIES = ("private", "internal", "public")
_ACCESS_LEVELS = frozenset(str(level) for level in roles.LEVELS.values())
_ORDERS: dict[str, c.Callable[[Project], tuple[object, int]]] = {
    # All projects are equally old, and the server sorts equal ones by id.
    "id": lambda project: (0, project.id),
    "created_at": lambda project: (0, project.id),
    "updated_at": lambda project: (0, project.id),
    "last_activity_at": lambda project: (0, project.id),
    "name": lambda project: (project.path.rpartition("/")[2], project.id),
    "path": lambda project: (project.path.rpartition("/")[2], project.id),
}
_SWITCHES = ("membership", "owned", "archived", "simple")


def check_projects(call: Call) -> None:
    pages.check(call)
    for name in _SWITCHES:
        params.boolean(call.params, name)
    choices: dict[str, c.Collection[str]] = {
        "visibility": _VISIBILITIES,
        "order_by": _ORDERS,
        "sort": ("asc", "desc"),
        "min_access_level": _ACCESS_LEVELS,
    }
    for name, allowed in choices.items():
        if name in call.params and str(call.params[name]) not in allowed:
            raise errors.invalid(f"{name} does not have a valid value")


def list_projects(call: Call) -> Reply:
    """GET /projects: what the caller can see, newest first."""
    user, given = call.identity.user, call.params
    rows = [p for p in call.engine.world.projects.values() if not p.pending_deletion and roles.can_see(user, p)]
    lowest = int(given.get("min_access_level") or 0)
    lowest = max(lowest, roles.LEVELS["owner"] if params.boolean(given, "owned") else 0)
    lowest = max(lowest, 1 if params.boolean(given, "membership") else 0)
    if lowest:
        rows = [p for p in rows if roles.project_level(user, p) >= lowest]
    if "archived" in given:
        rows = [p for p in rows if p.archived is params.boolean(given, "archived")]
    if given.get("visibility"):
        rows = [p for p in rows if p.visibility == given["visibility"]]
    words = str(given.get("search") or "").lower()
    # A group in front of the name is searched for only when the caller says so.
    whole = params.boolean(given, "search_namespaces")
    rows = [p for p in rows if words in (p.path if whole else p.path.rpartition("/")[2]).lower()]
    rows.sort(key=_ORDERS[given.get("order_by") or "created_at"], reverse=given.get("sort", "desc") != "asc")
    keyset = given.get("pagination") == "keyset" and given.get("order_by") == "id" and given.get("sort") != "asc"
    part, headers = pages.keyset_page(call, rows) if keyset else pages.offset_page(call, rows, totals=True)
    render = call.simulation.renderer(call.base_url)
    return json_reply([render.project(p) for p in part], headers=headers)


def get_project(call: Call) -> Reply:
    project = lookup.project(call)
    record = call.simulation.renderer(call.base_url).project(project)
    if call.engine.world.features.edition == "premium":
        rows = project.protected_environments.values()
        record["allow_pipeline_trigger_approve_deployment"] = any(row["self_approval"] for row in rows)
    if call.identity.user is not None:
        level = roles.project_level(call.identity.user, project)
        direct = {"access_level": level, "notification_level": 3} if level else None
        record["permissions"] = {"project_access": direct, "group_access": None}
    return json_reply(record)


def get_commit(call: Call) -> Reply:
    """GET repository/commits/:sha: by full or short SHA, branch or tag; an ambiguous short SHA is not found."""
    project = lookup.project(call)
    if project.visibility == "private" and not roles.at_least(call.identity.user, project, "reporter"):
        raise errors.forbidden()
    sha = refs.commit(project, call.path_params["sha"])
    if sha is None:
        raise errors.message(404, "404 Commit Not Found")
    render = call.simulation.renderer(call.base_url)
    last = refs.commits(project)[sha]
    return json_reply(
        {
            **render.commit(project, sha, last),
            "stats": {"additions": 1, "deletions": 0, "total": 1},
            "status": call.engine.status(last) if last else None,
            "project_id": project.id,
            "last_pipeline": render.pipeline_summary(last) if last else None,
        }
    )
