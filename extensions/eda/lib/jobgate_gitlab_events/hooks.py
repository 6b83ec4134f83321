# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of GitLab's hooks: one row for each kind, and the key `gitlab` that is built from it.

Hooks can have custom templates for their bodies, so every field is checked: a missing field, or one of another type, is
None.
"""

from __future__ import annotations

import typing as t
import urllib.parse

Record = dict[str, t.Any]

# The statuses of jobs, pipelines and deployments.
STATUSES = (
    "created",
    "blocked",
    "manual",
    "scheduled",
    "waiting_for_resource",
    "preparing",
    "waiting_for_callback",
    "pending",
    "running",
    "canceling",
    "success",
    "failed",
    "canceled",
    "skipped",
)


def _at(value: t.Any, *names: str) -> t.Any:
    """Return the value at a path of names, None if there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: t.Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: t.Any) -> int | None:
    """Return a count or an id; None for values that a database cannot hold as one."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value < 2**63 else None


def _flag(value: t.Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _job(payload: Record) -> Record:
    retries = _number(payload.get("retries_count"))
    status = _text(payload.get("build_status"))
    return {
        "id": _number(payload.get("build_id")),
        "name": _text(payload.get("build_name")),
        "stage": _text(payload.get("build_stage")),
        "status": status,
        "attempt": None if retries is None else retries + 1,
        # GitLab also sets it for jobs that have not failed
        "failure_reason": _text(payload.get("build_failure_reason")) if status == "failed" else None,
        "allow_failure": _flag(payload.get("build_allow_failure")),
        "environment": _text(_at(payload, "environment", "name")),
        "pipeline_id": _number(payload.get("pipeline_id")),
        "ref": _text(payload.get("ref")),
        "tag": _flag(payload.get("tag")),
        "sha": _text(payload.get("sha")),
        "project_id": _number(payload.get("project_id")),
    }


def _pipeline(payload: Record) -> Record:
    pipeline = payload.get("object_attributes")
    # the hook of a merge request has the source branch, which may be in a fork and have the name of any branch here
    is_of_branch = payload.get("merge_request") is None and _at(pipeline, "source") != "merge_request_event"
    return {
        "id": _number(_at(pipeline, "id")),
        "name": _text(_at(pipeline, "name")),
        "status": _text(_at(pipeline, "status")),
        "pipeline_id": _number(_at(pipeline, "id")),
        "ref": _text(_at(pipeline, "ref")) if is_of_branch else None,
        "tag": _flag(_at(pipeline, "tag")),
        "sha": _text(_at(pipeline, "sha")),
        "project_id": _number(_at(payload, "project", "id")),
    }


def _deployment(payload: Record) -> Record:
    return {
        "id": _number(payload.get("deployment_id")),
        "status": _text(payload.get("status")),
        "environment": _text(payload.get("environment")),
        "ref": _text(payload.get("ref")),
        "project_id": _number(_at(payload, "project", "id")),
    }


# By `object_kind` of the body: the name in options and events, and the function that builds the fields that differ
# between kinds.
KINDS: dict[str, tuple[str, t.Callable[[Record], Record]]] = {
    "build": ("job", _job),
    "pipeline": ("pipeline", _pipeline),
    "deployment": ("deployment", _deployment),
}
KIND_NAMES = tuple(name for name, _read in KINDS.values())
# The keys of `gitlab` in every event, in this order.
FIELDS = (
    "kind",
    "id",
    "name",
    "stage",
    "status",
    "attempt",
    "failure_reason",
    "allow_failure",
    "environment",
    "pipeline_id",
    "ref",
    "tag",
    "sha",
    "project",
    "project_id",
    "user",
)


def kind_of(payload: Record) -> str | None:
    """Return `object_kind` of the body, None if it has none."""
    return _text(payload.get("object_kind"))


def nudge_of(gitlab: Record, payload: Record) -> Record:
    """Return the ids and the path in a hook, for release gates that may wait for it."""
    named = {name: gitlab[name] for name in ("kind", "project", "project_id", "pipeline_id")}
    # a gate that includes downstream pipelines may not know this one yet
    return named | {"source_pipeline_id": _number(_at(payload, "source_pipeline", "pipeline_id"))}


def gitlab_of(payload: Record, instance: str | None) -> Record | None:
    """Return the key `gitlab` of an event, None if the hook is of another kind.

    :param instance: URL of the server, from the header X-Gitlab-Instance.
    """
    known = KINDS.get(kind_of(payload) or "")
    if known is None:
        return None
    kind, read = known
    found = read(payload) | {
        "kind": kind,
        "project": _project(payload, instance),
        "user": _text(_at(payload, "user", "username")),
    }
    return {name: found.get(name) for name in FIELDS}


def _project(payload: Record, instance: str | None) -> str | None:
    """Return the path of the project. Job hooks of older servers only contain it in a URL."""
    path = _text(_at(payload, "project", "path_with_namespace"))
    url = _text(_at(payload, "repository", "homepage"))
    if path or not url or not instance:
        return path
    base = instance.rstrip("/") + "/"
    return urllib.parse.unquote(url[len(base) :]) if url.startswith(base) else None


def received_elsewhere(event: Record) -> Record:
    """Return an event of another source with the key `gitlab` and without the token."""
    found = {name: value for name, value in event.items() if name != "gitlab"}
    headers = _at(event, "meta", "headers")
    instance = None
    if isinstance(headers, dict):
        plain = {_plain(name): value for name, value in headers.items()}
        instance = _text(plain.get("x-gitlab-instance"))
        kept = {name: value for name, value in headers.items() if _plain(name) != "x-gitlab-token"}
        found["meta"] = event["meta"] | {"headers": kept}
    payload = event.get("payload")
    gitlab = gitlab_of(payload, instance) if isinstance(payload, dict) else None
    return found if gitlab is None else found | {"gitlab": gitlab}


def _plain(header: t.Any) -> str:
    """Return a header name in lower case with dashes, which other filters replace by underscores."""
    return str(header).lower().replace("_", "-")
