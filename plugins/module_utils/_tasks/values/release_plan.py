# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The projects and gates that a task is given, as the plan of a release."""

from __future__ import annotations

import typing as t

from ..._api.errors import UsageError
from ..._app.actions.actions import ACTIONS, ActionRequest, misplaced_among
from ..._app.actions.candidates import REUSES, RunRequest
from ..._app.pipelines.query import PipelineQuery
from ..._app.release.plan import GATE_ACTIONS, REQUIREMENTS, Gate, ProjectPlan, ReleasePlan, make_plan
from ..._app.waiting.options import WaitOptions
from ..definition import Options
from ..options import PIPELINE_SELECTION, job_variables, name_list, pipeline_query, text_list, wait_options
from .pipelines import pipeline_inputs, pipeline_variables

GATE_OPTIONS: t.Mapping[str, t.Mapping[str, t.Any]] = {
    "name": {"type": "list", "elements": "str"},
    "stage": {"type": "list", "elements": "str"},
    "action": {"type": "str", "required": True, "choices": list(GATE_ACTIONS)},
    "require": {"type": "str", "choices": list(REQUIREMENTS), "default": "success"},
    "include_downstream": {"type": "bool"},
    "job_variables": {"type": "raw", "no_log": False},
    "job_inputs": {"type": "dict"},
    "variables": {"type": "dict"},
    "inputs": {"type": "dict"},
    "reuse": {"type": "str", "choices": list(REUSES)},
    "multiple": {"type": "str", "choices": ["error", "latest", "all"]},
    "replay": {"type": "str", "choices": ["never", "failed", "always"]},
    "retry_on": {"type": "list", "elements": "str"},
    "max_attempts": {"type": "int"},
    "wait_for_approval": {"type": "bool", "default": False},
    "wait_timeout": {"type": "float"},
    "wait_interval": {"type": "float"},
    "pending_timeout": {"type": "float"},
    "on_timeout": {"type": "str", "choices": ["fail", "cancel"]},
    "ignore_allowed_failures": {"type": "bool", "default": False},
}
PROJECT_OPTIONS: t.Mapping[str, t.Mapping[str, t.Any]] = {
    "name": {"type": "str"},
    **PIPELINE_SELECTION.arguments,
    "needs": {"type": "list", "elements": "str", "default": []},
    "gates": {"type": "list", "elements": "dict", "required": True, "options": GATE_OPTIONS},
}


def plan_of(options: Options) -> ReleasePlan:
    """Return what is to be done.

    :raises UsageError: when it cannot be done as it is.
    """
    wait_options(options)  # for what it refuses
    return make_plan([_project(project, options) for project in options["projects"]], options["strategy"])


def _project(given: Options, options: Options) -> ProjectPlan:
    query = pipeline_query(given)
    name = str(given.get("name") or query.project)
    gates = tuple(
        _gate(gate, options, query, f"gate {number} of project {name!r}")
        for number, gate in enumerate(given["gates"], 1)
    )
    return ProjectPlan(name=name, pipeline=query, gates=gates, needs=text_list(given, "needs"))


def _gate(given: Options, options: Options, query: PipelineQuery, where: str) -> Gate:
    try:
        _check_action(given)
        _check_names(given)
        return Gate(
            names=name_list(given),
            stages=text_list(given, "stage"),
            action=given["action"],
            require=given.get("require") or "success",
            downstream=given.get("include_downstream"),
            waiting=_waiting(given, options),
            request=_request(given),
            start=_start(given, query) if given["action"] == "run" else None,
        )
    except UsageError as exc:
        raise UsageError(f"{where}: {exc}") from None


def _check_action(given: Options) -> None:
    problem = misplaced_among(GATE_ACTIONS, given["action"], lambda option: bool(given.get(option)))
    if problem:
        raise UsageError(problem)


def _check_names(given: Options) -> None:
    for option in ("name", "stage"):
        if given.get(option) == []:
            raise UsageError(f"{option} is an empty list, which selects no job; give names or leave it out")


def _waiting(given: Options, options: Options) -> WaitOptions:
    """Return how the gate waits: as it says, else as the task does."""
    own = {name: value for name, value in given.items() if value is not None}
    shared = {name: options.get(name) for name in ("wait_timeout", "wait_interval")}
    return wait_options({**shared, **own, "wait": True})


def _start(given: Options, query: PipelineQuery) -> RunRequest:
    """Return which pipeline a gate starts."""
    for option in ("include_downstream", "ignore_allowed_failures"):
        if given.get(option):
            raise UsageError(f"{option} cannot be used with run, which looks at no job")
    return RunRequest(
        project=query.project,
        ref=query.ref or "",
        ref_type=query.ref_type,
        sha=query.sha,
        variables=pipeline_variables(given.get("variables")),
        inputs=pipeline_inputs(given.get("inputs")),
        reuse=str(given.get("reuse") or "active"),
    )


def _request(given: Options) -> ActionRequest | None:
    """Return how the gate acts; None for one that only looks."""
    if given["action"] not in ACTIONS:
        return None
    max_attempts = given.get("max_attempts")
    if max_attempts is not None and max_attempts < 1:
        raise UsageError(f"max_attempts is {max_attempts}; give 1 or more")
    return ActionRequest(
        action=given["action"],
        multiple=given.get("multiple") or "error",
        variables=job_variables(given.get("job_variables")),
        inputs=given.get("job_inputs"),
        replay=given.get("replay") or "never",
        retry_on=tuple(given.get("retry_on") or ()),
        max_attempts=max_attempts,
    )
