# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What every face of a task has in common: the rules for its options, and how results and failures look."""

from __future__ import annotations

import functools
import os
import typing as t

from ansible.module_utils.basic import env_fallback, missing_required_lib

from .._api.decoding import Record
from .._api.errors import GitLabError, MissingLibraryError, capitalized
from .._api.masking import Masker
from .._app.outcome import Outcome
from .._app.session import TaskContext
from .._tasks.definition import ArgumentSpec, TaskDefinition
from .._tasks.values.connection import environment_extensions, environment_url
from .._tasks.values.hiding import variable_values
from .._tasks.values.prepared import Arguments, all_names


def argument_rules(spec: ArgumentSpec) -> Record:
    """Return options and the rules between them as Ansible's validators take them."""
    arguments = {name: dict(option) for name, option in spec.arguments.items()}
    for name, read in _FROM_ENVIRONMENT.items():
        arguments[name]["fallback"] = (functools.partial(_fall_back, read),)
    return {
        "argument_spec": arguments,
        "mutually_exclusive": [list(rule) for rule in spec.mutually_exclusive],
        "required_one_of": [list(rule) for rule in spec.required_one_of],
        "required_if": [list(rule) for rule in spec.required_if],
    }


def _fall_back(read: t.Callable[[t.Mapping[str, str]], t.Any]) -> t.Any:
    # Ansible's own function, without a name, raises its error for nothing found
    return read(os.environ) or env_fallback()


_FROM_ENVIRONMENT: t.Mapping[str, t.Callable[[t.Mapping[str, str]], t.Any]] = {
    "api_url": environment_url,
    "extensions": environment_extensions,
}


def result_of(
    task: TaskDefinition,
    params: t.Mapping[str, t.Any],
    context: TaskContext,
    *,
    secrets: t.Collection[str],
) -> Record:
    """Return the result of a task that is run; whatever goes wrong is told in it, by `failed` and `msg`.

    :param params: the validated options.
    :param secrets: those that the face knows when the task ends.
    """
    try:
        outcome = task.run(params, context)
    except MissingLibraryError as exc:
        return failure(task, missing_required_lib(exc.library))
    except Exception as exc:  # a mistake of ours must not take the worker with it; a traceback could hold secrets
        is_ours = not isinstance(exc, GitLabError)
        text = f"Unexpected {type(exc).__name__} in {task.name}, please report it: {exc}" if is_ours else str(exc)
        # the task itself has not learnt of secrets that were refused
        clean = Masker((*secrets, *variable_values(task.spec.arguments, params))).line
        warnings = [clean(text) for session in context.opened for text in session.warnings]
        outcome = Outcome(task.cost(context), warnings, failure=clean(text))
    result = {**outcome.values, "changed": outcome.changed}
    if outcome.warnings:
        result["warnings"] = list(outcome.warnings)
    if outcome.diff is not None:
        result["diff"] = outcome.diff
    if outcome.message:
        result["msg"] = outcome.message
    return result if outcome.failure is None else failure(task, outcome.failure, result)


def failure(task: TaskDefinition, message: str, result: t.Mapping[str, t.Any] | None = None) -> Record:
    """Return a failed result, which has the same keys as a successful one.

    :param result: what is known of the result.
    """
    text = sentence(message, _all_names(task.spec.arguments))
    return {**task.empty_result, "changed": False, **(result or {}), "msg": text, "failed": True}


def sentence(text: str, options: t.Container[str]) -> str:
    """Return the text with a capital at the beginning, unless it begins with the name of an option, and a full stop."""
    text = text.strip()
    first = text.split(" ", 1)[0]
    if first.isalpha() and first not in options:
        text = capitalized(text)
    return text if text.endswith(("?", "!")) else text.rstrip(".") + "."


def _all_names(arguments: Arguments) -> set[str]:
    """Return the names of all options, also of those inside of lists of mappings."""
    inner = (_all_names(argument["options"]) for argument in arguments.values() if argument.get("options"))
    return all_names(arguments).union(*inner)
