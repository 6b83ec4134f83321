# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Defaults of the action group in `module_defaults`, which apply to tasks but not to lookups."""

from __future__ import annotations

import typing as t

from ..module_utils._api.connection import TOKEN_VARIABLES
from ..module_utils._tasks.definition import TaskDefinition
from ..module_utils._tasks.options import CONNECTION, JOB_SELECTION
from ..module_utils._tasks.values.arguments import all_names, given_names
from ..module_utils._tasks.values.waiting import JOB_WAITING
from ._options import Template, Variables

# As defaults of the action group, these options apply only to modules that have them.
_GROUP_OPTIONS = all_names(CONNECTION.merged(JOB_SELECTION, JOB_WAITING).arguments)


def without_group_defaults(
    task: TaskDefinition, given: Variables, module_defaults: t.Iterable[Variables], template: Template
) -> dict[str, t.Any]:
    """Return the options of a task without defaults of its action group that it does not support.

    Ansible passes `module_defaults` of a group to every module in it. This removes options for selecting jobs and for
    waiting from modules without them, and other tokens from modules that need a job token. Options that no module has,
    such as misspelled ones, are kept, so that the task refuses them.

    :param given: the options of the task including all defaults, as Ansible passes them.
    """
    other_tokens = set(TOKEN_VARIABLES).difference(task.token_options)
    own = {name: argument for name, argument in task.spec.arguments.items() if name not in other_tokens}
    useless = _GROUP_OPTIONS - all_names(own)
    named = [given_names(name, argument, given) for name, argument in own.items()]
    doubtful = useless.intersection(given).union(*(keys for keys in named if len(keys) > 1))
    groups = [
        options for defaults in module_defaults for name, options in defaults.items() if name.startswith("group/")
    ]
    # evaluate only what is needed: Ansible has done so before, and a lookup may be slow, or return a token only once
    by_groups: set[str] = set()
    for options in groups if doubtful else ():
        found = template(options) if isinstance(options, str) else options
        # as a mapping, which loses `omit`
        values = template({name: value for name, value in found.items() if name in doubtful})
        by_groups |= {name for name, value in values.items() if given[name] == value}
    dropped = by_groups & useless
    for keys in named:
        # if an option is set by two names, Ansible might prefer the group's value to the task's
        dropped |= by_groups.intersection(keys) if not by_groups.issuperset(keys) else set()
    return {name: value for name, value in given.items() if name not in dropped}
