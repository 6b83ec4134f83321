# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What GitLab's hooks say: one row for each kind, and the key `gitlab` that is made of it.

A hook may have a template of its own for the body, so nothing is taken for granted: what is not there, or is not of its
type, is None.
"""

from __future__ import annotations

import typing as t
import urllib.parse

Record = dict[str, t.Any]

# The statuses that jobs, pipelines and deployments come to.
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
    """Return what lies under these names, None when it is not there."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: t.Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: t.Any) -> int | None:
    """Return a count or an id; None for what a database cannot hold as one."""
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
        # GitLab fills it in for jobs that have not failed, too
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
    # of a merge request GitLab tells the source branch, which may be one of a fork and have the name of any branch here
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


# By what the body calls them in `object_kind`: what they are called in options and events, and what makes the part of
# the event that differs between them.
KINDS: dict[str, tuple[str, t.Callable[[Record], Record]]] = {
    "build": ("job", _job),
    "pipeline": ("pipeline", _pipeline),
    "deployment": ("deployment", _deployment),
}
KIND_NAMES = tuple(name for name, _read in KINDS.values())
# What an event has under `gitlab`, always and in this order.
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
    """Return what the body says of its kind, None when it says nothing."""
    return _text(payload.get("object_kind"))


def nudge_of(gitlab: Record, payload: Record) -> Record:
    """Return what a hook is about, in ids and a path, for a release gate that may wait for it."""
    named = {name: gitlab[name] for name in ("kind", "project", "project_id", "pipeline_id")}
    # a gate that looks into downstream pipelines may not know this one yet
    return named | {"source_pipeline_id": _number(_at(payload, "source_pipeline", "pipeline_id"))}


def gitlab_of(payload: Record, instance: str | None) -> Record | None:
    """Return the key `gitlab` of an event, None when the hook is of another kind.

    :param instance: URL of the server, as the header X-Gitlab-Instance has it.
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
    """Return the path of the project. Job hooks of older servers have it in a URL only."""
    path = _text(_at(payload, "project", "path_with_namespace"))
    url = _text(_at(payload, "repository", "homepage"))
    if path or not url or not instance:
        return path
    base = instance.rstrip("/") + "/"
    return urllib.parse.unquote(url[len(base) :]) if url.startswith(base) else None


def received_elsewhere(event: Record) -> Record:
    """Return an event that another source has made of a hook, with the key `gitlab` and without the token."""
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
    """Return the name of a header; other filters make underscores of its dashes."""
    return str(header).lower().replace("_", "-")
