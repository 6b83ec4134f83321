# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared code of the contract tests: the plugins with their documentation, and the validation of options."""

from __future__ import annotations

import functools
import importlib.util
import pathlib
import sys
import typing as t

import pytest
from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring
from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible.arguments import argument_rules
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import (
    gitlab_deployment_approval,
    gitlab_deployment_info,
    gitlab_job_action,
    gitlab_job_download,
    gitlab_job_info,
    gitlab_job_token_info,
    gitlab_pipeline,
    gitlab_pipeline_bridges,
    gitlab_pipeline_info,
    gitlab_release_gate,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.definition import TaskDefinition

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
COLLECTION = "jobgate.gitlab"
EXTENSION_EXAMPLES = ROOT / "docs" / "examples" / "extensions"

# Installs modules, passed as source by name, as a distribution with one entry point for each.
Install = t.Callable[..., None]

# The Python modules that contain the tasks, by the name of the Ansible module.
TASK_MODULES: dict[str, t.Any] = {
    module.TASK.name: module
    for module in (
        gitlab_deployment_approval,
        gitlab_deployment_info,
        gitlab_job_action,
        gitlab_job_download,
        gitlab_job_info,
        gitlab_job_token_info,
        gitlab_pipeline,
        gitlab_pipeline_bridges,
        gitlab_pipeline_info,
        gitlab_release_gate,
    )
}
TASKS: dict[str, TaskDefinition] = {name: module.TASK for name, module in TASK_MODULES.items()}


def file_options(name: str) -> dict[str, t.Any]:
    """Return the options that Ansible adds to modules that create files."""
    task = TASKS.get(name)
    return dict(FILE_COMMON_ARGUMENTS) if task and task.has_file_options else {}


class Documentation(t.NamedTuple):
    """The documentation of a plugin, with its fragments merged in."""

    doc: dict[str, t.Any]
    examples: str
    returns: dict[str, t.Any]


@functools.cache
def documentation(name: str, plugin_type: str = "module") -> Documentation:
    """Return the documentation of a plugin as Ansible loads it."""
    folder = "modules" if plugin_type == "module" else plugin_type
    doc, examples, returns, _metadata = get_docstring(
        str(PLUGINS / folder / f"{name}.py"), fragment_loader, collection_name=COLLECTION, plugin_type=plugin_type
    )
    return Documentation(doc, examples, DataLoader().load(returns) if isinstance(returns, str) else returns)


def validated(task: TaskDefinition, parameters: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the options that the module of a task would pass to it.

    :raises AssertionError: if the module would refuse them.
    """
    rules = argument_rules(task.spec)
    rules["argument_spec"] = {**file_options(task.name), **rules["argument_spec"]}
    result = ArgumentSpecValidator(**rules).validate(dict(parameters))
    if result.error_messages:
        raise AssertionError("; ".join(result.error_messages))
    return t.cast("dict[str, t.Any]", result.validated_parameters)


def load_tool(name: str) -> t.Any:
    """Load a program of the folder `tools` as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look up their module in sys.modules
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    return module
