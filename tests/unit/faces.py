# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways in which Ansible runs tasks and lookups, without a separate process for each."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import pathlib
import sys
import types
import typing as t
from unittest import mock

from ansible.errors import AnsibleError
from ansible.module_utils import basic
from ansible.module_utils.common.parameters import PASS_VARS
from ansible.module_utils.common.warnings import get_warning_messages
from ansible.plugins.loader import lookup_loader
from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible import module_face
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.definition import TaskDefinition

Options = dict[str, t.Any]

# Modules run with older Pythons than Ansible itself.
IS_CONTROLLER = sys.version_info >= (3, 11)

PACKAGE = "ansible_collections.jobgate.gitlab.plugins.module_utils._tasks"
MODULES = pathlib.Path(__file__).resolve().parents[2] / "plugins" / "modules"
TASKS: dict[str, TaskDefinition] = {
    path.stem: importlib.import_module(f"{PACKAGE}.{path.stem}").TASK for path in sorted(MODULES.glob("gitlab_*.py"))
}


def as_module(task: TaskDefinition, options: Options) -> Options:
    """Return the result that the module of a task prints."""
    arguments = {**options, "_ansible_remote_tmp": "/tmp"}
    if "inject_invocation" in PASS_VARS:
        arguments["_ansible_inject_invocation"] = True
    earlier = list(get_warning_messages())
    printed = io.StringIO()
    with (
        mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()),
        mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy", create=True),
        contextlib.redirect_stdout(printed),
    ):
        try:
            module_face.run_module(task)
        except SystemExit:
            pass
        else:
            raise AssertionError("a module ends by leaving")
    printed.getvalue().encode()
    result = t.cast(Options, json.loads(printed.getvalue()))
    # ansible-core 2.22 and later pass the secrets to the controller in this key, which removes it
    result.pop("_ansible_new_secrets", None)
    # up to 2.18, a module reports all warnings of its process; here, tasks share one process
    if earlier and result.get("warnings", [])[: len(earlier)] == earlier:
        own = result.pop("warnings")[len(earlier) :]
        result.update({"warnings": own} if own else {})
    return result


def in_process(task: TaskDefinition, options: Options) -> Options:
    """Return the result of a task that the action plugin runs in the worker.

    :param options: as a module receives them, including `_ansible_check_mode`.
    """
    # module code runs on older Pythons than this import
    from ansible_collections.jobgate.gitlab.plugins.plugin_utils._in_process import InProcessAction

    action = InProcessAction.__new__(InProcessAction)
    action.TASK = task
    given, is_check = dict(options), bool(options.get("_ansible_check_mode"))
    given.pop("_ansible_check_mode", None)
    name = f"jobgate.gitlab.{task.name}"
    action._task = types.SimpleNamespace(resolved_action=name, action=name, check_mode=is_check, no_log=True)
    action._templar = types.SimpleNamespace(template=lambda value: value)
    with mock.patch.object(InProcessAction, "_shows_invocation", lambda self, variables: True):
        return action._run_here(given, {})


def as_lookup(options: Options) -> Options:
    """Return the values of the lookup, or its error, in the form of a result.

    :param options: with the terms under `terms`.
    """
    lookup = lookup_loader.get("jobgate.gitlab.gitlab_job")
    try:
        return {"values": lookup.run(options["terms"], {}, **{k: v for k, v in options.items() if k != "terms"})}
    except AnsibleError as exc:
        return {"failed": True, "msg": str(exc)}
