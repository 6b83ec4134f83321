# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployments, their approvals, environments and freeze periods (topics: D1 to D5)."""

from __future__ import annotations

import collections.abc as c
import typing as t

from . import agents, deployments, errors, lookup, pages, params, records, roles, routes_jobs
from .call import Call, Reply, json_reply
from .model import Approval, Deployment, Environment, Project

Record = dict[str, t.Any]

_STATUSES = ("created", "running", "success", "failed", "canceled", "skipped", "blocked")
_ORDERS: dict[str, c.Callable[[Deployment], t.Any]] = {
    "id": lambda one: one.id,
    "iid": lambda one: (one.iid, one.id),
    "created_at": lambda one: (one.created_at, one.id),
    "updated_at": lambda one: (one.updated_at, one.id),
    "ref": lambda one: (one.job.pipeline.ref, one.id),
    "finished_at": lambda one: (one.finished_at or 0.0, one.id),
}
_TIMES = ("updated_after", "updated_before", "finished_after", "finished_before")
_FINISHED = ("success", "failed", "canceled")
_SHORTEST_SEARCH = 3
_NOT_ALLOWED = (
    "You don't have permission to approve this deployment. Contact the project or group owner for help."
)  # fmt: skip
_OWN = (
    "You cannot approve your own deployment. "
    "This configuration can be adjusted in the protected environment settings."
)  # fmt: skip
_NO_SUCH_RULE = (
    "There are no approval rules for the given `represent_as` parameter. Use a valid User/Group/Role name instead."
)  # fmt: skip


def _is_shown_to_jobs(call: Call, project: Project) -> bool:
    """Return whether jobs of any project may read this because the project shows it to everyone."""
    return call.identity.job is not None and project.visibility != "private" and project.public_builds


def _project(call: Call) -> Project:
    """Return the project, if the caller may read its deployments."""
    project = lookup.project(call)
    if not _is_shown_to_jobs(call, project) and not roles.at_least(call.identity.user, project, "reporter"):
        raise errors.forbidden()
    return project


def _deployment(call: Call) -> Deployment:
    project = _project(call)
    found = call.engine.world.deployments.get(int(call.path_params["deployment_id"]))
    if found is None or found.job.project is not project:
        raise errors.record_not_found()
    return found


# -- deployments ---------------------------------------------------------------------------------------------------


def check_list(call: Call) -> None:
    pages.check(call)
    orders = [name for name in _ORDERS if name != "ref" or not call.features.has("deployments.unordered_by_ref")]
    choices: dict[str, c.Collection[str]] = {"status": _STATUSES, "order_by": orders, "sort": ("asc", "desc")}
    for name, allowed in choices.items():
        if name in call.params and str(call.params[name]) not in allowed:
            raise errors.invalid(f"{name} does not have a valid value")
    for name in _times(call):
        params.moment(call.params, name)


def _times(call: Call) -> list[str]:
    """Return the filters by time that the version supports; it ignores the others."""
    return [name for name in _TIMES if name.startswith("updated") or call.features.has("deployments.finished_filters")]


def _check_filters(call: Call) -> None:
    """Refuse filters that cannot be combined."""
    given = {name for name in _times(call) if call.params.get(name)}
    updated, finished = (any(name.startswith(what) for name in given) for what in ("updated", "finished"))
    order, status = call.params.get("order_by"), call.params.get("status")
    strict = call.features.has("deployments.strict_filters")
    by_end = order == "finished_at"
    # Errors, and whether they apply; the first one counts.
    rules = [
        ("Both `updated_at` filter and `finished_at` filter can not be specified", updated and finished),
        ("`updated_at` filter requires `updated_at` sort", strict and updated and order != "updated_at"),
        ("`finished_at` filter requires `finished_at` sort.", strict and finished and not by_end),
        (
            "`finished_at` sort requires `finished_at` filter or a filter with at least one of the finished statuses.",
            strict and by_end and not finished and status not in _FINISHED,
        ),
        ("`finished_at` filter and `finished_at` sorting must be paired", not strict and finished != by_end),
        ("`finished_at` filter must be combined with `success` status filter.", finished and status != "success"),
    ]
    for text, is_wrong in rules:
        if is_wrong:
            raise errors.bad_request(text)


def list_deployments(call: Call) -> Reply:
    """D1: oldest first by default, without approvals."""
    project, given, moment = _project(call), call.params, call.engine.clock.moment
    _check_filters(call)
    rows = [one for one in call.engine.world.deployments.values() if one.job.project is project]
    if given.get("environment"):
        rows = [one for one in rows if one.environment.name == given["environment"]]
    if given.get("status"):
        rows = [one for one in rows if one.status == given["status"]]
    for what in ("updated", "finished"):
        known = {name: given.get(name) for name in _times(call)}
        after, before = (params.moment(known, f"{what}_{side}") for side in ("after", "before"))
        times = {one.id: one.updated_at if what == "updated" else one.finished_at for one in rows}
        if after is not None:
            rows = [one for one in rows if (at := times[one.id]) is not None and moment(at) > after]
        if before is not None:
            rows = [one for one in rows if (at := times[one.id]) is not None and moment(at) < before]
    rows.sort(key=_ORDERS[given.get("order_by") or "id"], reverse=given.get("sort") == "desc")
    part, headers = pages.offset_page(call, rows, totals=True)
    return json_reply([_record(call, one) for one in part], headers=headers)


def check_deployment_id(call: Call) -> None:
    routes_jobs.check_id(call, "deployment_id")


def get_deployment(call: Call) -> Reply:
    """D2: one deployment, on Premium with its approvals."""
    deployment = _deployment(call)
    record = _record(call, deployment)
    if call.engine.world.features.edition != "ce" and call.features.has("deployments.approvals"):
        record.update(_approvals(call, deployment))
    return json_reply(record)


def _record(call: Call, deployment: Deployment) -> Record:
    render = call.simulation.renderer(call.base_url)
    job = deployment.job
    return {
        "id": deployment.id,
        "iid": deployment.iid,
        "ref": job.pipeline.ref,
        "sha": job.pipeline.sha,
        "created_at": render.time(deployment.created_at),
        "updated_at": render.time(deployment.updated_at),
        "user": records.user_basic(render, job.user),
        "environment": _environment_basic(call, deployment.environment),
        "deployable": render.job(job),
        "status": deployment.status,
    }


def _approvals(call: Call, deployment: Deployment) -> Record:
    rows = deployments.rules_of(deployment.job.project, deployment.job.spec)
    render = call.simulation.renderer(call.base_url)
    shown = []
    for number, rule in enumerate(rows):
        if not (rule["user"] or rule["group"] or rule["role"]):
            continue
        user = call.engine.world.users.get(rule["user"] or "")
        level = roles.LEVELS[rule["role"]] if rule["role"] else None
        shown.append(
            {
                "id": number + 1,
                "user_id": user.id if user else None,
                "group_id": 2001 + number if rule["group"] else None,
                "access_level": level,
                "access_level_description": user.name if user else deployments.describe(rule),
                "required_approvals": rule["required"],
                "group_inheritance_type": 0,
                "deployment_approvals": [_approval(render, one) for one in deployment.approvals if number in one.rules],
            }
        )
    return {
        "pending_approval_count": sum(deployments.missing(deployment)) if deployment.job.approval == "waiting" else 0,
        "approvals": [_approval(render, one) for one in deployment.approvals],
        "approval_summary": {"rules": shown},
    }


def _approval(render: t.Any, approval: Approval) -> Record:
    return {
        "user": records.user_basic(render, approval.user),
        "status": approval.status,
        "created_at": render.time(approval.created_at),
        "comment": approval.comment,
    }


# -- approval ------------------------------------------------------------------------------------------------------


def check_approval(call: Call) -> None:
    check_deployment_id(call)
    if "status" not in call.params:
        raise errors.invalid("status is missing, status does not have a valid value")
    if call.params["status"] not in ("approved", "rejected"):
        raise errors.invalid("status does not have a valid value")


def approve(call: Call) -> Reply:
    """D3: approve or reject; each refusal is 400 with its reason."""
    deployment, user = _deployment(call), call.identity.user
    job, verdict = deployment.job, str(call.params["status"])
    row = deployments.protection(job.project, job.spec.environment)
    rules = deployments.rules_of(job.project, job.spec)
    if row is None and not rules:
        raise errors.message(400, "This environment is not protected.")
    own = verdict == "approved" and job.user is user and not (row or {}).get("self_approval")
    if own:
        raise errors.message(
            400, _OWN if call.features.has("texts.own_deployment") else "The same user can not approve"
        )
    if not rules:
        raise errors.message(400, "Deployment approvals is not configured for this environment.")
    if not deployments.is_waiting(job):
        raise errors.message(400, "This deployment is not waiting for approvals.")
    fitting = [number for number, rule in enumerate(rules) if user and deployments.fits(rule, user, deployment)]
    if user is None or not fitting:
        raise errors.message(400, _NOT_ALLOWED)
    wanted = str(call.params.get("represented_as") or "")
    if wanted and (row or {}).get("rules"):
        known = call.engine.world.users
        names = {
            n: known[rules[n]["user"]].name if rules[n]["user"] else deployments.describe(rules[n]) for n in fitting
        }
        fitting = [number for number in fitting if wanted in names[number]]
        if not fitting:
            raise errors.message(400, _NO_SUCH_RULE)
    # an approval counts for one rule, the first that matches
    given = call.simulation.actions.approve(
        deployment, user, verdict, comment=call.params.get("comment"), rules=fitting[:1]
    )
    return json_reply(_approval(call.simulation.renderer(call.base_url), given), status=201)


# -- environments --------------------------------------------------------------------------------------------------


def _environment_basic(call: Call, environment: Environment) -> Record:
    render = call.simulation.renderer(call.base_url)
    return {
        "id": environment.id,
        "name": environment.name,
        "slug": agents.slug(environment.name),
        "external_url": None,
        "created_at": render.time(environment.created_at),
        "updated_at": render.time(environment.created_at),
    }


def _environment(call: Call, environment: Environment) -> Record:
    basic = _environment_basic(call, environment)
    return {**basic, "state": "available", "tier": agents.tier(environment.name)}


def _environments(call: Call) -> list[Environment]:
    project = lookup.project(call)
    shown = project.visibility == "public" or _is_shown_to_jobs(call, project)
    if not shown and not roles.at_least(call.identity.user, project, "reporter"):
        raise errors.forbidden()
    return [one for one in call.engine.world.environments.values() if one.project is project]


def check_environments(call: Call) -> None:
    pages.check(call)
    name, search, states = (call.params.get(key) for key in ("name", "search", "states"))
    if name and search:
        raise errors.invalid("name, search cannot be used together")
    if states and states not in ("available", "stopping", "stopped"):
        raise errors.invalid("states does not have a valid value")


def list_environments(call: Call) -> Reply:
    """D4: by exact name or by a part of it."""
    rows = _environments(call)
    name, search = call.params.get("name"), str(call.params.get("search") or "")
    if search and len(search) < _SHORTEST_SEARCH:
        raise errors.bad_request(f"Search query is less than {_SHORTEST_SEARCH} characters")
    rows = [one for one in rows if (not name or one.name == name) and search in one.name]
    if call.params.get("states", "available") != "available":
        rows = []
    part, headers = pages.offset_page(call, rows, totals=True)
    render = call.simulation.renderer(call.base_url)
    shown = [{**_environment(call, one), "project": render.project(one.project)} for one in part]
    return json_reply(shown, headers=headers)


def check_environment_id(call: Call) -> None:
    routes_jobs.check_id(call, "environment_id")


def get_environment(call: Call) -> Reply:
    """D4: one environment, with its last deployment."""
    found = [one for one in _environments(call) if one.id == int(call.path_params["environment_id"])]
    if not found:
        raise errors.record_not_found()
    done = [
        one for one in call.engine.world.deployments.values() if one.environment is found[0] and one.status == "success"
    ]
    last = max(done, key=lambda one: (one.finished_at or 0.0, one.id), default=None)
    record = _record(call, last) if last else None
    if record is not None:
        del record["environment"]
    return json_reply({**_environment(call, found[0]), "last_deployment": record})


def list_freeze_periods(call: Call) -> Reply:
    """D5: the freeze periods; the server itself does not enforce them."""
    render = call.simulation.renderer(call.base_url)
    made = {"created_at": render.time(0.0), "updated_at": render.time(0.0)}
    rows = [{"id": number + 1, **row, **made} for number, row in enumerate(_project(call).freeze_periods)]
    part, headers = pages.offset_page(call, rows, totals=True)
    return json_reply(list(part), headers=headers)


def check_freeze_period_id(call: Call) -> None:
    routes_jobs.check_id(call, "freeze_period_id")


def get_freeze_period(call: Call) -> Reply:
    render = call.simulation.renderer(call.base_url)
    rows, number = _project(call).freeze_periods, int(call.path_params["freeze_period_id"])
    if not 1 <= number <= len(rows):
        raise errors.message(404, "404 Freeze Period Not Found")
    made = {"created_at": render.time(0.0), "updated_at": render.time(0.0)}
    return json_reply({"id": number, **rows[number - 1], **made})
