# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Runs a task as an Ansible module: options in, `exit_json` or `fail_json` out, and never a traceback."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS, AnsibleModule, env_fallback, missing_required_lib

from .._api.errors import GitLabError, MissingLibraryError
from .._app.session import TaskContext
from .._tasks.definition import TaskDefinition
from .._tasks.mistakes import option_mistake
from .._tasks.result import argument_rules, failure, shown_options, success


class _TaskModule(AnsibleModule):
    """An AnsibleModule whose failures carry the same keys as its successes."""

    def __init__(self, task: TaskDefinition) -> None:
        # before the constructor, which already fails for wrong options
        self._task = task
        self._has_valid_options = False
        rules = argument_rules(task, env_fallback)
        super().__init__(**rules, supports_check_mode=True, add_file_common_args=task.has_file_options)
        self._has_valid_options = True

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        """End with a failure."""
        given = getattr(self, "params", None) or {}
        if not self._has_valid_options:
            further = FILE_COMMON_ARGUMENTS if self._task.has_file_options else ()
            msg = option_mistake(self._task, given, further) or msg
        super().fail_json(**{**self._shown(), **failure(self._task, msg, given, kwargs)})

    def exit_json(self, **kwargs: t.Any) -> t.NoReturn:
        """End with success."""
        super().exit_json(**self._shown(), **kwargs)

    def _shown(self) -> dict[str, t.Any]:
        """Return the invocation as it may be shown."""
        return {"invocation": {"module_args": shown_options(self._task, getattr(self, "params", None) or {})}}


def run_module(task: TaskDefinition) -> None:
    """Run a task as a module."""
    module = _TaskModule(task)
    context = TaskContext(
        check_mode=module.check_mode, register_secret=module.no_log_values.add, files=_ModuleFiles(module)
    )
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
    result = success(task, outcome)
    if outcome.failure is not None:
        module.fail_json(msg=outcome.failure, **result)
    if task.has_file_options and result.get("dest"):
        _set_attributes(module, result)
    module.exit_json(**result)


class _ModuleFiles:
    """Files as Ansible puts them in place: with SELinux contexts, and the permissions of what was there."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module

    def replace(self, source: str, dest: str) -> None:
        """Replace the target with a complete file."""
        self._module.atomic_move(source, dest, unsafe_writes=bool(self._module.params.get("unsafe_writes")))


def _set_attributes(module: AnsibleModule, result: dict[str, t.Any]) -> None:
    """Give the file the attributes of the options, and add to the result which ones it has."""
    wanted = module.load_file_common_arguments(module.params, path=result["dest"])
    result["changed"] = module.set_fs_attributes_if_different(wanted, result["changed"])
    size = result["size"]
    facts = module.add_path_info({"path": result["dest"]})
    result.update({name: facts.get(name) for name in _FILE_FACTS if name in facts})
    result["size"] = size


_FILE_FACTS = ("mode", "owner", "group", "uid", "gid", "state", "secontext")
