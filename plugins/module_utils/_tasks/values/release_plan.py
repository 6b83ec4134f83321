# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The options for projects and gates, and their conversion to the plan of a release."""

from __future__ import annotations

from ..._api.errors import UsageError
from ..._app.actions.actions import ACTIONS
from ..._app.pipelines.query import PipelineQuery
from ..._app.release.plan import GATE_ACTIONS, REQUIREMENTS, Gate, ProjectPlan, ReleasePlan, make_plan
from ..._app.waiting.options import WaitOptions
from ..options import PIPELINE_SELECTION, parts_of, pipeline_query, text_list
from .actions import JOB_ACTION_OPTIONS, RUN_OPTIONS, action_request, refuse_misplaced, run_request
from .arguments import Arguments, Options, located
from .waiting import wait_options

GATE_OPTIONS: Arguments = {
    "name": {"type": "list", "elements": "str"},
    "stage": {"type": "list", "elements": "str"},
    "action": {"type": "str", "required": True, "choices": list(GATE_ACTIONS)},
    "require": {"type": "str", "choices": list(REQUIREMENTS), "default": "success"},
    "include_downstream": {"type": "bool"},
    # without defaults, to detect which ones are set
    **{
        name: {key: value for key, value in option.items() if key != "default"}
        for name, option in {**JOB_ACTION_OPTIONS, **RUN_OPTIONS}.items()
    },
    "wait_for_approval": {"type": "bool", "default": False},
    "wait_timeout": {"type": "float"},
    "wait_interval": {"type": "float"},
    "pending_timeout": {"type": "float"},
    "on_timeout": {"type": "str", "choices": ["fail", "cancel"]},
    "ignore_allowed_failures": {"type": "bool", "default": False},
}
PROJECT_OPTIONS: Arguments = {
    "name": {"type": "str"},
    **PIPELINE_SELECTION.arguments,
    "needs": {"type": "list", "elements": "str", "default": []},
    "gates": {"type": "list", "elements": "dict", "required": True, "options": GATE_OPTIONS},
}


def plan_of(options: Options) -> ReleasePlan:
    """Return the plan of the release.

    :raises UsageError: if it cannot be carried out.
    """
    wait_options(options)  # raises for invalid options
    return make_plan([_project(project, options) for project in options["projects"]], options["strategy"])


def _project(given: Options, options: Options) -> ProjectPlan:
    name = str(given.get("name") or given["project"])
    where = f"project {name!r}"
    with located(where):
        query, needs = pipeline_query(given), text_list(given, "needs")
    gates = tuple(
        _gate(gate, options, query, f"gate {number} of {where}") for number, gate in enumerate(given["gates"], 1)
    )
    return ProjectPlan(name=name, pipeline=query, gates=gates, needs=needs)


def _gate(given: Options, options: Options, query: PipelineQuery, where: str) -> Gate:
    with located(where):
        refuse_misplaced(GATE_ACTIONS, GATE_OPTIONS, given)
        for option in ("name", "stage"):
            if given.get(option) == []:
                raise UsageError(f"{option} is an empty list, which selects no jobs; set names or omit it")
        return Gate(
            names=parts_of(given, "name"),
            stages=text_list(given, "stage"),
            action=given["action"],
            require=given["require"],
            downstream=given.get("include_downstream"),
            waiting=_waiting(given, options),
            request=action_request(given) if given["action"] in ACTIONS else None,
            start=run_request(given, query) if given["action"] == "run" else None,
        )


def _waiting(given: Options, options: Options) -> WaitOptions:
    """Return how the gate waits: its own options, else those of the task."""
    own = {name: value for name, value in given.items() if value is not None}
    shared = {name: options.get(name) for name in ("wait_timeout", "wait_interval", "log_lines")}
    return wait_options({**shared, **own, "wait": True})
