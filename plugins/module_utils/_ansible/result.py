# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Results and failures that modules and action plugins share, and Ansible's services for tasks."""

from __future__ import annotations

import dataclasses
import stat
import typing as t

from ansible.module_utils.basic import missing_required_lib

from .._api.decoding import Record
from .._api.errors import GitLabError, MissingLibraryError, capitalized, ended
from .._api.masking import Masker
from .._app.outcome import Files, Outcome
from .._app.session import TaskContext
from .._tasks.definition import TaskDefinition
from .._tasks.values.arguments import Arguments, all_names
from .._tasks.values.hiding import variable_values

# Since 2.22, Ansible hides secrets that are registered here in all its output; before, each module hides its own.
try:
    from ansible.module_utils.secrets import register_secret as REGISTER_SECRET
except ImportError:
    REGISTER_SECRET = None

SELINUX: t.Any
try:
    from ansible.module_utils.compat import selinux as SELINUX
except ImportError:
    SELINUX = None


class AnsibleFiles(Files):
    """Files with the SELinux labels that Ansible's own modules set."""

    def label(self, path: str, dest: str) -> None:
        if SELINUX is None or SELINUX.is_selinux_enabled() != 1:
            return
        found, context = SELINUX.matchpathcon(dest, stat.S_IFREG)
        if found == 0 and context:
            SELINUX.lsetfilecon(path, context)


def result_of(
    task: TaskDefinition, params: t.Mapping[str, t.Any], context: TaskContext, *, secrets: set[str]
) -> Record:
    """Run a task and return its result; if the task fails, the result has `failed` and `msg`.

    :param params: the validated options.
    :param secrets: the secrets that Ansible hides in the output of the task; secrets that the task learns are added.
    """

    def learn(secret: str) -> None:
        secrets.add(secret)
        if REGISTER_SECRET:
            REGISTER_SECRET(secret)

    files = AnsibleFiles(unsafe_writes=bool(params.get("unsafe_writes")))
    context = dataclasses.replace(context, register_secret=learn, files=files)
    try:
        outcome = task.run(params, context)
    except MissingLibraryError as exc:
        return failure(task, missing_required_lib(exc.library))
    except Exception as exc:  # a bug must not crash the worker, and a traceback could contain secrets
        is_ours = not isinstance(exc, GitLabError)
        text = f"Unexpected {type(exc).__name__} in {task.name}, please report it: {exc}" if is_ours else str(exc)
        # the task has not learned secrets from options that it refused
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
    """Return a failed result with the same keys as a successful one."""
    text = sentence(message, _all_names(task.spec.arguments))
    return {**task.empty_result, "changed": False, **(result or {}), "msg": text, "failed": True}


def sentence(text: str, options: t.Container[str]) -> str:
    """Return the text with a capital letter, unless it starts with the name of an option, and with a full stop."""
    text = text.strip()
    first = text.split(" ", 1)[0]
    if first.isalpha() and first not in options:
        text = capitalized(text)
    return ended(text)


def _all_names(arguments: Arguments) -> set[str]:
    """Return the names of all options, including those in lists of mappings."""
    inner = (_all_names(argument["options"]) for argument in arguments.values() if argument.get("options"))
    return all_names(arguments).union(*inner)
