# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pipelines: create, trigger, retry, cancel, delete, rename (topics: P7 to P12)."""

from __future__ import annotations

import json
import typing as t

from . import auth, creation, errors, lookup, roles, routes_pipelines
from .call import Call, Reply, json_reply
from .model import Job, Pipeline, Project
from .pipeline_creation import Creator, Wish
from .roles import Identity

_KINDS = ("env_var", "file")
_LONGEST_NAME = 255


def _answer(call: Call, pipeline: Pipeline, *, status: int, shown: str | None = None) -> Reply:
    """Return the answer of a write: the pipeline without its name."""
    record = call.simulation.renderer(call.base_url).pipeline(pipeline, status=shown, named=False)
    return json_reply(record, status=status)


# -- create --------------------------------------------------------------------------------------------------------


def check_create(call: Call) -> None:
    if "ref" not in call.params:
        raise errors.invalid("ref is missing")
    rows = call.params.get("variables")
    if rows not in (None, "") and not isinstance(rows, list):
        raise errors.invalid("variables is invalid")
    for number, row in enumerate(rows or []):
        if not isinstance(row, dict):
            raise errors.invalid("variables is invalid")
        if "key" not in row:
            raise errors.invalid(f"variables[{number}][key] is missing")
        if row.get("variable_type", "env_var") not in _KINDS:
            raise errors.invalid(f"variables[{number}][variable_type] does not have a valid value")
    _check_inputs(call, "pipelines.inputs")


def _check_inputs(call: Call, feature: str) -> None:
    if call.features.has(feature) and not isinstance(call.params.get("inputs") or {}, dict):
        raise errors.invalid("inputs is invalid")


def _inputs(call: Call, feature: str) -> dict[str, t.Any]:
    """Return the inputs; a server that does not support them ignores them."""
    return dict(call.params.get("inputs") or {}) if call.features.has(feature) else {}


def _text(value: t.Any) -> t.Any:
    return value if isinstance(value, str) or value is None else json.dumps(value)


def create(call: Call) -> Reply:
    """P7: a new pipeline of a ref. A refused request leaves nothing behind."""
    project, user = lookup.project(call), call.identity.user
    allowed = project.builds_enabled and not project.archived
    if user is None or not allowed or not roles.at_least(user, project, roles.LOWEST["create_pipeline"]):
        raise errors.forbidden()
    rows = call.params.get("variables") or []
    wish = Wish(
        project=project,
        user=user,
        ref=str(call.params["ref"] or ""),
        source="api",
        variables=[
            creation.variable(str(row["key"]), _text(row.get("value")), kind=row.get("variable_type", "env_var"))
            for row in rows
        ],
        inputs=_inputs(call, "pipelines.inputs"),
        form=call.is_form,
    )
    return _answer(call, Creator(call.simulation).create(wish), status=201)


# -- trigger -------------------------------------------------------------------------------------------------------


def check_trigger(call: Call) -> None:
    for name in ("token", "ref"):
        given = call.path_params.get(name) or call.params.get(name)
        if given is None:
            raise errors.invalid(f"{name} is missing")
        if not str(given).strip():
            raise errors.invalid(f"{name} is empty")
    if not isinstance(call.params.get("variables") or {}, dict):
        raise errors.invalid("variables is invalid")
    _check_inputs(call, "pipelines.trigger_inputs")


def trigger(call: Call) -> Reply:
    """P8: a new pipeline, with a trigger token or the token of a running job; other credentials are ignored."""
    if call.request.headers.get("x-gitlab-event") == "Pipeline Hook":
        raise errors.forbidden()
    variables = call.params.get("variables") or {}
    if not all(isinstance(value, str) for value in variables.values()):
        raise errors.message(400, "variables needs to be a map of key-valued strings")
    project = lookup.named_project(call)
    call.identity = _identify(call, project)
    user = call.identity.user
    if project is None or user is None:
        raise errors.message(404, "404 Not Found")
    payload = {name: value for name, value in call.params.items() if name != "token"}
    rows = [creation.variable(key, value) for key, value in variables.items()]
    rows.append(creation.variable("TRIGGER_PAYLOAD", json.dumps(payload), kind="file"))
    wish = Wish(
        project=project,
        user=user,
        ref=call.path_params.get("ref") or str(call.params["ref"]),
        source="pipeline" if call.identity.job else "trigger",
        variables=rows,
        inputs=_inputs(call, "pipelines.trigger_inputs"),
        form=call.is_form,
        is_kept=True,
    )
    creator = Creator(call.simulation)
    if not project.builds_enabled:
        raise creator.refusal("disabled")
    job = call.identity.job
    has_role = job is None or _is_trusted(job, project)
    if not has_role or project.archived or not roles.at_least(user, project, roles.LOWEST["create_pipeline"]):
        raise creator.refusal("no_right")
    return _answer(call, creator.create(wish), status=201)


def _is_trusted(job: Job, project: Project) -> bool:
    """Return whether the role of a job's user counts in a project: its own, or one whose allowlist grants access."""
    return job.project is project or bool(lookup.entries_for(job, project))


def _identify(call: Call, project: Project | None) -> Identity:
    """Return the identity of the parameter `token`; anonymous if it is not valid for this project."""
    token = call.engine.world.tokens.get(str(call.params["token"]))
    if token is None or project is None:
        return roles.ANONYMOUS
    if token.kind == "trigger":
        good = token.project is project and token.state == "valid"
        return Identity(user=token.user, token=token) if good else roles.ANONYMOUS
    job = auth.job_of_token(call, token) if token.kind == "job" else None
    if job is None:
        return roles.ANONYMOUS
    if job.erased_at is not None:
        raise errors.message(401, "Job has been erased!")
    if job.status not in ("running", "canceling"):
        raise errors.message(401, "Job is not running")
    if job.project.pending_deletion:
        raise errors.message(401, "Project has been deleted!")
    is_seen = roles.can_see(job.user, project) and (project.visibility != "private" or _is_trusted(job, project))
    return Identity(user=job.user, token=token, job=job) if is_seen else roles.ANONYMOUS


# -- to one that is there ------------------------------------------------------------------------------------------


def _find(call: Call, action: str) -> Pipeline:
    pipeline = lookup.pipeline(call, lookup.project(call))
    if not roles.may_write_pipeline(call.identity.user, pipeline, action):
        raise errors.forbidden()
    return pipeline


def retry(call: Call) -> Reply:
    """P9: always 201, with the pipeline as it was before the retry."""
    pipeline = _find(call, "update_pipeline")
    before = call.engine.status(pipeline)
    call.simulation.pipeline_actions.retry(pipeline, call.identity.user)
    return _answer(call, pipeline, status=201, shown=before)


def cancel(call: Call) -> Reply:
    """P10: always 200; the pipeline's own status follows later."""
    pipeline = _find(call, "cancel_pipeline")
    before = call.engine.status(pipeline)
    call.simulation.pipeline_actions.cancel(pipeline, call.identity.user)
    return _answer(call, pipeline, status=200, shown=before)


def delete(call: Call) -> Reply:
    """P11: 204; deletes the pipeline with everything that belongs to it."""
    call.simulation.pipeline_actions.delete(_find(call, "delete_pipeline"), call.identity.user)
    return Reply(204, content_type=None)


def check_metadata(call: Call) -> None:
    routes_pipelines.check_pipeline_id(call)
    if "name" not in call.params:
        raise errors.invalid("name is missing")


def update_metadata(call: Call) -> Reply:
    """P12: a new name."""
    pipeline = _find(call, "update_pipeline")
    name = str(call.params["name"])
    if len(name) > _LONGEST_NAME:
        text = f"Failed to update pipeline - Name is too long (maximum is {_LONGEST_NAME} characters)"
        raise errors.message(400, text)
    call.simulation.pipeline_actions.rename(pipeline, name, call.identity.user)
    return routes_pipelines.one(call, pipeline)
