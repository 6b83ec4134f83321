# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The defaults of the action group, which are for tasks only: a lookup has none."""

from __future__ import annotations

import typing as t

from ..module_utils._api.connection import TOKEN_VARIABLES
from ..module_utils._tasks.definition import TaskDefinition
from ..module_utils._tasks.options import CONNECTION, JOB_SELECTION
from ..module_utils._tasks.values.arguments import all_names, given_names
from ..module_utils._tasks.values.waiting import JOB_WAITING
from ._options import Template, Variables

# As a default of the action group these mean the modules that have them.
_GROUP_OPTIONS = all_names(CONNECTION.merged(JOB_SELECTION, JOB_WAITING).arguments)


def without_group_defaults(
    task: TaskDefinition, given: Variables, module_defaults: t.Iterable[Variables], template: Template
) -> dict[str, t.Any]:
    """Return the options of a task without those defaults of its action group that are not for it.

    `module_defaults` of a group go to every module of it. One that cannot choose a job or wait has no use for options
    that do, and one that needs a job token has none for other tokens; what no module has, such as a misspelt option, is
    left for the task to refuse.

    :param given: the options of the task with all defaults, as Ansible hands them over.
    """
    other_tokens = set(TOKEN_VARIABLES).difference(task.token_options)
    own = {name: argument for name, argument in task.spec.arguments.items() if name not in other_tokens}
    useless = _GROUP_OPTIONS - all_names(own)
    named = [given_names(name, argument, given) for name, argument in own.items()]
    doubtful = useless.intersection(given).union(*(keys for keys in named if len(keys) > 1))
    groups = [
        options for defaults in module_defaults for name, options in defaults.items() if name.startswith("group/")
    ]
    # only what has to be known is evaluated, once more after Ansible: a lookup may take long, or give a token once
    by_groups = {
        name
        for options in (groups if doubtful else ())
        for name, value in (template(options) if isinstance(options, str) else options).items()
        if name in doubtful and given[name] == template(value)
    }
    dropped = by_groups & useless
    for keys in named:
        # of two names of an option Ansible would take the other one, whoever has given it
        dropped |= by_groups.intersection(keys) if not by_groups.issuperset(keys) else set()
    return {name: value for name, value in given.items() if name not in dropped}
