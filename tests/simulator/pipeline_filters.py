# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters of the list of pipelines (topic of the reference of pipelines: P1 list)."""

from __future__ import annotations

import collections.abc as c
import datetime
import typing as t

from . import errors, model, pages, params, refs
from .call import Call
from .model import Pipeline, Project

Key = c.Callable[[Pipeline], t.Any]

_SCOPES: dict[str, tuple[str, ...]] = {
    "running": ("running",),
    "pending": ("pending",),
    "finished": ("success", "failed", "canceled"),
}
_PER_REF: dict[str, bool] = {"branches": False, "tags": True}
_ORDERS = ("id", "status", "ref", "updated_at", "user_id")
# Filter -> the feature that older servers lack, so that they ignore it; None is in every version.
_FILTERS: dict[str, str | None] = {
    "scope": None,
    "status": None,
    "source": None,
    "ref": None,
    "sha": None,
    "name": "pipelines.name_filter",
    "username": None,
    "yaml_errors": None,
    "updated_after": None,
    "updated_before": None,
    "created_after": "pipelines.created_filters",
    "created_before": "pipelines.created_filters",
    "order_by": None,
    "sort": None,
}
# Other allowed parameters: pagination and credentials.
_OTHERS = frozenset(
    {"id", "page", "per_page", "pagination", "private_token", "access_token", "job_token", "token"}
)  # fmt: skip


def check(call: Call) -> None:
    """Refuse invalid values and unknown filters. GitLab ignores unknown filters, but tests must notice them.

    :raises ApiError: 400.
    """
    pages.check(call)
    strange = sorted(call.params.keys() - _FILTERS.keys() - _OTHERS)
    if strange:
        raise errors.invalid(f"{strange[0]} is no filter of this list; GitLab ignores it, the simulator does not")
    choices: dict[str, c.Collection[str]] = {
        "scope": (*_SCOPES, *_PER_REF),
        "status": call.engine.world.known_statuses(),
        "source": model.SOURCES,
        "order_by": _ORDERS,
        "sort": ("asc", "desc"),
    }
    for name, allowed in choices.items():
        if name in call.params and str(call.params[name]) not in allowed:
            raise errors.invalid(f"{name} does not have a valid value")
    for name in ("ref", "sha", "name", "username"):
        if not isinstance(call.params.get(name, ""), str):
            raise errors.invalid(f"{name} is invalid")
    params.boolean(call.params, "yaml_errors")
    for name in ("updated_after", "updated_before", "created_after", "created_before"):
        params.moment(call.params, name)


def select(call: Call, project: Project) -> list[Pipeline]:
    """Return the pipelines that match all filters, in the requested order."""
    given = {
        name: value
        for name, value in call.params.items()
        if name in _FILTERS and _is_known(call, name) and not (isinstance(value, str) and not value.strip())
    }
    status = call.engine.status
    children = given.get("source") == "parent_pipeline" and call.features.has("pipelines.children_by_source")
    rows = [p for p in project.pipelines if children or p.source != "parent_pipeline"]
    equal: dict[str, Key] = {
        "source": lambda p: p.source,
        "ref": lambda p: p.ref,
        "sha": lambda p: p.sha,
        "name": lambda p: p.name,
        "status": status,
        "username": lambda p: p.user.username if p.user else None,
    }
    for name, value_of in equal.items():
        if name in given:
            rows = [p for p in rows if value_of(p) == given[name]]
    if "yaml_errors" in given:
        wanted = params.boolean(given, "yaml_errors")
        rows = [p for p in rows if bool(p.yaml_errors) is wanted]
    rows = _within(call, given, rows)
    scope = given.get("scope")
    if scope in _SCOPES:
        rows = [p for p in rows if status(p) in _SCOPES[scope]]
    elif scope in _PER_REF:
        newest = newest_per_ref(project, tag=_PER_REF[scope])
        rows = [p for p in rows if p in newest]
    keys: dict[str, Key] = {
        "id": lambda p: p.id,
        "status": lambda p: (status(p), p.id),
        "ref": lambda p: (p.ref, p.id),
        "updated_at": lambda p: (p.updated_at, p.id),
        "user_id": lambda p: (p.user.id if p.user else 0, p.id),
    }
    return sorted(rows, key=keys[given.get("order_by", "id")], reverse=given.get("sort", "desc") != "asc")


def _is_known(call: Call, name: str) -> bool:
    feature = _FILTERS[name]
    return feature is None or call.features.has(feature)


def _within(call: Call, given: dict[str, t.Any], rows: list[Pipeline]) -> list[Pipeline]:
    """Apply the filters by time, which exclude the given time itself."""
    moment = call.engine.clock.moment
    times: dict[str, c.Callable[[Pipeline], datetime.datetime]] = {
        "updated": lambda p: moment(p.updated_at),
        "created": lambda p: moment(p.created_at),
    }
    for what, time_of in times.items():
        after, before = (params.moment(given, f"{what}_{side}") for side in ("after", "before"))
        if after is not None:
            rows = [p for p in rows if time_of(p) > after]
        if before is not None:
            rows = [p for p in rows if time_of(p) < before]
    return rows


def newest_per_ref(project: Project, *, tag: bool) -> list[Pipeline]:
    """Return the newest pipeline of each branch, or of each tag, that still exists."""
    existing = refs.tips(project, tag=tag)
    found = {p.ref: p for p in project.pipelines if p.tag == tag and refs.is_of_ref(p) and p.ref in existing}
    return list(found.values())
