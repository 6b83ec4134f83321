# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Tasks as Ansible modules: options in, `exit_json` or `fail_json` out, and never a traceback."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._api.masking import Masker
from .._app.session import TaskContext
from .._tasks.definition import TaskDefinition
from .._tasks.values.hiding import given_secrets, shown_options
from .._tasks.values.mistakes import option_mistake
from .arguments import argument_rules
from .result import failure, result_of


class _TaskModule(AnsibleModule):
    """An AnsibleModule whose failures have the same keys as its successes."""

    def __init__(self, task: TaskDefinition) -> None:
        # set before `super().__init__`, which calls `fail_json` for invalid options
        self._task = task
        self.params: dict[str, t.Any] = {}
        self._has_valid_options = False
        # values that a later failure returns too, because the task has already done the work
        self.known: t.Mapping[str, t.Any] = {}
        rules = argument_rules(task.spec)
        super().__init__(**rules, supports_check_mode=True, add_file_common_args=task.has_file_options)
        self._has_valid_options = True
        self.no_log_values = given_secrets(self.argument_spec, self.params)

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        if not self._has_valid_options:
            self.no_log_values = given_secrets(self.argument_spec, self.params)
            msg = option_mistake(self._task.name, self._task.spec, self.argument_spec, self.params) or msg
        text = Masker(self.no_log_values).line(msg)
        super().fail_json(**{**self._shown(), **failure(self._task, text, {**self.known, **kwargs})})

    def exit_json(self, **kwargs: t.Any) -> t.NoReturn:
        super().exit_json(**self._shown(), **kwargs)

    def add_path_info(self, kwargs: t.Any) -> t.Any:
        """Return a result with Ansible's facts about its file; `size` stays the size of the content."""
        size = kwargs.get("size")
        super().add_path_info(kwargs)
        if size is not None:
            kwargs["size"] = size
        return kwargs

    def _shown(self) -> dict[str, t.Any]:
        return {"invocation": {"module_args": shown_options(self.argument_spec, self.params)}}


def run_module(task: TaskDefinition) -> None:
    module = _TaskModule(task)
    context = TaskContext(check_mode=module.check_mode)
    result = result_of(task, module.params, context, secrets=module.no_log_values)
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**result)
    if task.has_file_options and result.get("dest"):
        # if setting attributes fails, the file exists anyway
        module.known = result
        # `exit_json` adds the resulting attributes
        wanted = module.load_file_common_arguments(module.params, path=result["dest"])
        result["changed"] = module.set_fs_attributes_if_different(wanted, result["changed"])
    module.exit_json(**result)
