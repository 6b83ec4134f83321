# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Runs a task as an Ansible module: options in, `exit_json` or `fail_json` out, and never a traceback."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from .._api.errors import GitLabError, MissingLibraryError
from .._app.session import TaskContext
from .._tasks.definition import TaskDefinition
from .._tasks.options import ENVIRONMENT_FALL_BACKS

_HIDDEN = "VALUE_NOT_SHOWN"
_NO_PASSWORDS = ("api_username", "api_password")


class _TaskModule(AnsibleModule):
    """An AnsibleModule whose failures carry the same keys as its successes."""

    def __init__(self, task: TaskDefinition) -> None:
        # before the constructor, which already fails for wrong options
        self._task = task
        super().__init__(**_module_arguments(task))

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        """End with a failure."""
        given = getattr(self, "params", None) or {}
        if any(name in given for name in _NO_PASSWORDS):
            msg = (
                "api_username and api_password do not exist, since GitLab's API takes no password: give a token with "
                "api_token"
            )
        result = {**self._task.empty_result, "changed": False, **self._shown(), **kwargs}
        super().fail_json(msg=_sentence(msg), **result)

    def exit_json(self, **kwargs: t.Any) -> t.NoReturn:
        """End with success."""
        super().exit_json(**self._shown(), **kwargs)

    def _shown(self) -> dict[str, t.Any]:
        """Return the invocation without what was sent to GitLab as variables."""
        given = getattr(self, "params", None) or {}
        hidden = (*self._task.hidden_options, *_NO_PASSWORDS)
        if not any(given.get(name) for name in hidden):
            return {}
        shown = {
            name: value if name not in hidden else dict.fromkeys(value, _HIDDEN) if isinstance(value, dict) else _HIDDEN
            for name, value in given.items()
            if value is not None
        }
        return {"invocation": {"module_args": shown}}


def run_module(task: TaskDefinition) -> None:
    """Run a task as a module."""
    module = _TaskModule(task)
    context = TaskContext(check_mode=module.check_mode, register_secret=module.no_log_values.add)
    try:
        outcome = task.run(module.params, context)
    except MissingLibraryError as exc:
        module.fail_json(msg=missing_required_lib(exc.library))
    except GitLabError as exc:
        module.fail_json(msg=str(exc))
    except Exception as exc:  # a mistake of ours: said in one line, since a traceback could hold secrets
        module.fail_json(msg=f"Unexpected {type(exc).__name__} in {task.name}, please report it: {exc}")
    for warning in outcome.warnings:
        module.warn(warning)
    result = {**task.empty_result, **outcome.values, "changed": outcome.changed}
    if outcome.diff is not None:
        result["diff"] = outcome.diff
    if outcome.failure is not None:
        module.fail_json(msg=outcome.failure, **result)
    module.exit_json(**result)


def _module_arguments(task: TaskDefinition) -> dict[str, t.Any]:
    """Return what AnsibleModule takes, for the options of a task."""
    spec = task.spec
    arguments = {name: dict(option) for name, option in spec.arguments.items()}
    for name, variables in ENVIRONMENT_FALL_BACKS.items():
        if name in arguments:
            arguments[name]["fallback"] = (env_fallback, list(variables))
    return {
        "argument_spec": arguments,
        "mutually_exclusive": [list(rule) for rule in spec.mutually_exclusive],
        "required_one_of": [list(rule) for rule in spec.required_one_of],
        "required_if": [list(rule) for rule in spec.required_if],
        "required_by": {name: list(rule) for name, rule in spec.required_by.items()},
        "supports_check_mode": True,
    }


def _sentence(text: str) -> str:
    """Return the text with a capital at the beginning, unless it begins with the name of an option, and a full stop."""
    text = text.strip()
    if text.split(" ", 1)[0] in _BEGINNINGS:
        text = text[0].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else text + "."


_BEGINNINGS = ("a", "an", "downstream", "extension", "job", "no", "several", "the", "there", "trigger", "unknown")
