# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pipelines: lists with filters, single ones, those of a merge request."""

from __future__ import annotations

import typing as t

from . import errors, lookup, model, pages, params, routes_jobs
from .call import Call, Reply, json_reply
from .model import Pipeline, Project

_ORDERS = ("id", "status", "ref", "updated_at", "user_id")
_SCOPES: dict[str, tuple[str, ...]] = {
    "running": ("running",),
    "pending": ("pending",),
    "finished": ("success", "failed", "canceled"),
}
_ALL_SCOPES = (*_SCOPES, "branches", "tags")


def check_pipeline_id(call: Call) -> None:
    routes_jobs.check_id(call, "pipeline_id")


def check_merge_request(call: Call) -> None:
    routes_jobs.check_id(call, "merge_request_iid")
    pages.check(call)


def check_list(call: Call) -> None:
    pages.check(call)
    choices: dict[str, tuple[str, ...]] = {
        "scope": _ALL_SCOPES,
        "status": model.STATUSES,
        "order_by": _ORDERS,
        "sort": ("asc", "desc"),
    }
    for name, allowed in choices.items():
        if name in call.params and call.params[name] not in allowed:
            raise errors.invalid(f"{name} does not have a valid value")


def _readable_project(call: Call) -> Project:
    project = lookup.project(call)
    lookup.check_reads_builds(call, project)
    return project


def list_pipelines(call: Call) -> Reply:
    """GET pipelines of a project; child pipelines are shown only when `source` asks for them."""
    project = _readable_project(call)
    engine = call.engine
    given = call.params
    rows: list[Pipeline] = list(project.pipelines)
    if given.get("source"):
        rows = [p for p in rows if p.source == given["source"]]
    else:
        rows = [p for p in rows if p.source != "parent_pipeline"]
    tests: dict[str, t.Callable[[Pipeline], t.Any]] = {
        "ref": lambda p: p.ref,
        "sha": lambda p: p.sha,
        "status": engine.status,
        "username": lambda p: p.user.username if p.user else None,
    }
    for name, value_of in tests.items():
        if given.get(name):
            rows = [p for p in rows if value_of(p) == given[name]]
    scope = given.get("scope")
    if scope in _SCOPES:
        rows = [p for p in rows if engine.status(p) in _SCOPES[scope]]
    elif scope:
        rows = _latest_per_ref([p for p in rows if p.tag == (scope == "tags") and not p.merge_request])
    keys: dict[str, t.Callable[[Pipeline], t.Any]] = {
        "id": lambda p: p.id,
        "status": lambda p: (engine.status(p), p.id),
        "ref": lambda p: (p.ref, p.id),
        "updated_at": lambda p: (p.updated_at, p.id),
        "user_id": lambda p: (p.user.id if p.user else 0, p.id),
    }
    rows.sort(key=keys[given.get("order_by") or "id"], reverse=given.get("sort", "desc") != "asc")
    return _list(call, rows)


def _latest_per_ref(rows: list[Pipeline]) -> list[Pipeline]:
    return list({p.ref: p for p in rows}.values())


def _list(call: Call, rows: list[Pipeline]) -> Reply:
    part, headers = pages.offset_page(call, rows, totals=True)
    render = call.simulation.renderer(call.base_url)
    return json_reply([render.pipeline_summary(p) for p in part], headers=headers)


def get_pipeline(call: Call) -> Reply:
    project = _readable_project(call)
    return json_reply(call.simulation.renderer(call.base_url).pipeline(lookup.pipeline(call, project)))


def list_of_merge_request(call: Call) -> Reply:
    """GET the pipelines of a merge request, newest first; one without any does not exist here."""
    project = _readable_project(call)
    iid = params.integer(call.path_params, "merge_request_iid")
    rows = [p for p in reversed(project.pipelines) if p.merge_request == iid]
    if not rows:
        raise errors.message(404, "404 Not found")
    return _list(call, rows)
