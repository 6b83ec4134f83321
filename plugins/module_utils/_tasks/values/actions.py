# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is asked of jobs and pipelines: their variables and inputs, and the requests that actions make of options."""

from __future__ import annotations

import json
import math
import re
import typing as t

from ..._api.decoding import Record
from ..._api.endpoints import to_text
from ..._api.errors import UsageError
from ..._app.actions.decisions import ActionRequest
from ..._app.jobs.query import listed
from ..._app.jobs.reasons import meant_reason
from ..._app.pipelines.query import REUSES, PipelineQuery, RunRequest
from ..options import text_list
from .arguments import Arguments, Options
from .connection import Numbers, number_fields
from .hiding import read_json
from .mistakes import kind_of, shown

# Options of actions on jobs, and of starting a pipeline: those of tasks, which gates have as well.
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

# As GitLab has it; what it answers to others differs by what they are for.
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]{1,255}")
_NUMBERS: Numbers = {"max_attempts": ("max_attempts", 1, math.inf)}


def refuse_misplaced(takes: t.Mapping[str, t.Sequence[str]], arguments: Arguments, options: Options) -> None:
    """Return when all options that say something, and not what they say anyway, can be used with the action.

    :param takes: by the name of each action the options that it takes, and that are not for all.
    :raises UsageError: for one that is only for other actions.
    """
    for option in dict.fromkeys(option for taken in takes.values() for option in taken):
        value = options.get(option)
        if value and value != arguments[option].get("default") and option not in takes[options["action"]]:
            users = [user for user, taken in takes.items() if option in taken]
            raise UsageError(f"{option} can only be used with {listed(users, 'and')}")


def action_request(options: Options) -> ActionRequest:
    """Return how to act on jobs, as the options of a task or of a gate say.

    :raises UsageError: for values that cannot be used.
    """
    retry_on = text_list(options, "retry_on")
    for reason in retry_on:
        meant = meant_reason(reason)
        if meant:
            raise UsageError(f"retry_on holds {reason!r}; did you mean {meant}?")
    return ActionRequest(
        action=options["action"],
        multiple=options.get("multiple") or "error",
        variables=_variables(options, "job_variables"),
        inputs=_inputs(options, "job_inputs"),
        replay=options.get("replay") or "never",
        force=bool(options.get("force")),
        retry_on=retry_on,
        **number_fields(_NUMBERS, options),
    )


def run_request(options: Options, query: PipelineQuery) -> RunRequest:
    """Return how to start a pipeline, as the options of a task or of a gate say.

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
    """Return inputs, all of the types that GitLab has for them."""
    given: t.Mapping[str, t.Any] = options.get(name) or {}
    for key, value in given.items():
        if not isinstance(value, (str, int, float, list, tuple)):
            raise UsageError(f"{name}: {key} is {kind_of(value)}; give a text, a number, a boolean or a list")
        try:
            json.dumps(value, allow_nan=False)
        except ValueError:
            raise UsageError(f"{name}: {key} holds a number that JSON does not have; give one with an end") from None
    return given or None


def _variables(options: Options, name: str) -> tuple[Record, ...]:
    """Return variables of jobs, or of a pipeline, as GitLab takes them; numbers and booleans become texts.

    :param name: of the option: a mapping, or a list of mappings with `key` and `value`, as GitLab's API has them.
    :raises UsageError: for anything else, and for a value that is neither text, number nor boolean.
    """
    pairs = _pairs(options.get(name), name)
    for key, value in pairs:
        if not _VARIABLE_NAME.fullmatch(key):
            form = "up to 255 letters, digits and underscores"
            raise UsageError(f"{name}: {shown(key)} is no name of a variable; give {form}")
        if not isinstance(value, (str, int, float)):
            remedy = "leave it out, or give ''" if value is None else "make a text of it, with the filter to_json"
            raise UsageError(f"{name}: {key} is {kind_of(value)}, and GitLab takes only text there; {remedy}")
    names = [key for key, _value in pairs]
    twice = [key for number, key in enumerate(names) if key in names[:number]]
    if twice:
        raise UsageError(f"{name} holds {twice[0]} twice; give each variable once")
    return tuple({"key": key, "value": to_text(value)} for key, value in pairs)


def _pairs(given: t.Any, name: str) -> list[tuple[str, t.Any]]:
    """Return names and values of variables, in their order."""
    given = read_json(given)
    if isinstance(given, t.Mapping):
        return [(str(key), value) for key, value in given.items()]
    if given is None:
        return []
    if not isinstance(given, (list, tuple)):
        kind = "a text" if isinstance(given, str) else repr(given)
        raise UsageError(f"{name} is {kind}; give a mapping of names and values")
    for item in given:
        if not isinstance(item, dict) or set(item) != {"key", "value"}:
            raise UsageError(
                f"{name} holds something without key and value; give a mapping of names and values, or a list of "
                "mappings with key and value"
            )
        if not isinstance(item["key"], (str, int)) or isinstance(item["key"], bool):
            raise UsageError(f"{name} holds a key that is no text; put it in quotes")
    return [(str(item["key"]), item["value"]) for item in given]
