# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The options of actions on jobs and pipelines, with variables and inputs, and the requests made from them."""

from __future__ import annotations

import json
import math
import re
import typing as t

from ..._api.decoding import Record
from ..._api.endpoints import to_text
from ..._api.errors import UsageError
from ..._app.actions.actions import ACTIONS
from ..._app.actions.decisions import ActionRequest
from ..._app.jobs.query import listed
from ..._app.jobs.reasons import suggested_reason
from ..._app.pipelines.query import REUSES, PipelineQuery, RunRequest
from ..options import text_list
from .arguments import Arguments, Options
from .connection import Numbers, number_fields
from .hiding import read_json
from .mistakes import kind_of, shown

# Options for acting on jobs and for starting a pipeline, for tasks and gates.
JOB_ACTION_OPTIONS: Arguments = {
    "multiple": {"type": "str", "choices": ["error", "latest", "all"], "default": "error"},
    "job_variables": {"type": "raw", "no_log": False},
    "job_inputs": {"type": "dict"},
    "replay": {"type": "str", "choices": ["never", "failed", "always"], "default": "never"},
    "retry_on": {"type": "list", "elements": "str", "default": []},
    "max_attempts": {"type": "int"},
}
RUN_OPTIONS: Arguments = {
    "variables": {"type": "dict"},
    "inputs": {"type": "dict"},
    "reuse": {"type": "str", "choices": list(REUSES), "default": "active"},
}

# GitLab's own rule; its error for other names differs between jobs and pipelines.
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]{1,255}")
_NUMBERS: Numbers = {"max_attempts": ("max_attempts", 1, math.inf)}


def refuse_misplaced(supported: t.Mapping[str, t.Sequence[str]], arguments: Arguments, options: Options) -> None:
    """Check that all options with a value other than the default can be used with the action.

    :param supported: for each action, the options that it supports and that not all actions support.
    :raises UsageError: for an option that only other actions support.
    """
    for option in dict.fromkeys(option for names in supported.values() for option in names):
        value = options.get(option)
        if value and value != arguments[option].get("default") and option not in supported[options["action"]]:
            users = [user for user, names in supported.items() if option in names]
            raise UsageError(f"{option} can only be used with {listed(users, 'and')}")


def action_request(options: Options) -> ActionRequest:
    """Return how to act on jobs, from the options of a task or a gate.

    :raises UsageError: for values that cannot be used.
    """
    action = options["action"]
    for name, other in ACTIONS[action].needs.items():
        if options.get(name) and options.get(other) is None:
            raise UsageError(f"{name} needs {other} with action {action}")
    retry_on = text_list(options, "retry_on")
    for reason in retry_on:
        meant = suggested_reason(reason)
        if meant:
            raise UsageError(f"retry_on contains {reason!r}; did you mean {meant}?")
    return ActionRequest(
        action=action,
        multiple=options.get("multiple") or "error",
        variables=_variables(options, "job_variables"),
        inputs=_inputs(options, "job_inputs"),
        replay=options.get("replay") or "never",
        force=bool(options.get("force")),
        retry_on=retry_on,
        **number_fields(_NUMBERS, options),
    )


def run_request(options: Options, query: PipelineQuery) -> RunRequest:
    """Return how to start a pipeline, from the options of a task or a gate.

    :raises UsageError: for values that cannot be used.
    """
    return RunRequest(
        project=query.project,
        ref=query.ref or "",
        ref_type=query.ref_type,
        sha=query.sha,
        variables=_variables(options, "variables"),
        inputs=_inputs(options, "inputs"),
        reuse=options.get("reuse") or "active",
    )


def _inputs(options: Options, name: str) -> t.Mapping[str, t.Any] | None:
    """Return inputs, after checking that GitLab supports their types."""
    given: t.Mapping[str, t.Any] = options.get(name) or {}
    for key, value in given.items():
        if not isinstance(value, (str, int, float, list, tuple)):
            raise UsageError(f"{name}: {key} is {kind_of(value)}; use a string, a number, a boolean or a list")
        try:
            json.dumps(value, allow_nan=False)
        except ValueError:
            raise UsageError(f"{name}: {key} contains NaN or infinity; use numbers that JSON supports") from None
    return given or None


def _variables(options: Options, name: str) -> tuple[Record, ...]:
    """Return variables of jobs or of a pipeline as GitLab expects them; numbers and booleans become strings.

    :param name: of the option: a mapping, or a list of mappings with `key` and `value`, as in GitLab's API.
    :raises UsageError: for anything else, and for values other than strings, numbers and booleans.
    """
    pairs = _pairs(options.get(name), name)
    for key, value in pairs:
        if not _VARIABLE_NAME.fullmatch(key):
            form = "up to 255 letters, digits and underscores"
            raise UsageError(f"{name}: {shown(key)} is not a valid variable name; use {form}")
        if not isinstance(value, (str, int, float)):
            remedy = "omit it, or use ''" if value is None else "convert it with the filter to_json"
            raise UsageError(f"{name}: {key} is {kind_of(value)}, but GitLab accepts only strings; {remedy}")
    names = [key for key, _value in pairs]
    twice = [key for number, key in enumerate(names) if key in names[:number]]
    if twice:
        raise UsageError(f"{name} contains {twice[0]} twice; set each variable once")
    return tuple({"key": key, "value": to_text(value)} for key, value in pairs)


def _pairs(given: t.Any, name: str) -> list[tuple[str, t.Any]]:
    """Return names and values of variables, in the given order."""
    given = read_json(given)
    if isinstance(given, t.Mapping):
        return [(str(key), value) for key, value in given.items()]
    if given is None:
        return []
    if not isinstance(given, (list, tuple)):
        kind = "a string" if isinstance(given, str) else repr(given)
        raise UsageError(f"{name} is {kind}; use a mapping of names and values")
    for item in given:
        if not isinstance(item, dict) or set(item) != {"key", "value"}:
            raise UsageError(
                f"{name} contains an entry that does not consist of key and value; use a mapping of names and values, "
                "or a list of mappings with key and value"
            )
        if not isinstance(item["key"], (str, int)) or isinstance(item["key"], bool):
            raise UsageError(f"{name} contains a key that is not a string; put it in quotes")
    return [(str(item["key"]), item["value"]) for item in given]
