# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options from all of Ansible's sources: the task or expression, then variables, the environment and ansible.cfg.

The task itself reads the environment, on the host where it runs. Here, the environment only overrides ansible.cfg.
"""

from __future__ import annotations

import datetime
import json
import os
import typing as t

from ansible import constants
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.lookup import LookupBase

from ..module_utils._ansible.arguments import argument_rules
from ..module_utils._api.connection import TOKEN_VARIABLES
from ..module_utils._api.errors import UsageError
from ..module_utils._tasks.options import CONNECTION
from ..module_utils._tasks.values.arguments import Arguments, ArgumentSpec, given_names, without_nulls
from ..module_utils._tasks.values.connection import EXTENSION_VARIABLES, URL_VARIABLES, first_set
from ..module_utils._tasks.values.misread import refuse_misread
from ..module_utils._tasks.values.mistakes import mistake_in
from ..module_utils._tasks.values.prepared import prepared

Variables = t.Mapping[str, t.Any]
Template = t.Callable[[t.Any], t.Any]

_TOKENS: set[str] = set(TOKEN_VARIABLES)
_ENVIRONMENT: t.Mapping[str, t.Sequence[str]] = {
    "api_url": URL_VARIABLES,
    "extensions": EXTENSION_VARIABLES,
    **{str(kind): names for kind, names in TOKEN_VARIABLES.items()},
}
# Ansible does not read documentation of action plugins, so these definitions register their options in ansible.cfg:
# connection options, without the environment, which the task reads where it runs, and without most types, because the
# task converts its options. Only paths have a type, because they are relative to ansible.cfg, which only Ansible knows.
PLUGIN = ("action", "jobgate_gitlab")
DEFINITIONS: t.Mapping[str, t.Mapping[str, t.Any]] = {
    **{
        name: {
            "type": "path" if argument["type"] == "path" else None,
            "ini": [{"section": "jobgate_gitlab", "key": name}],
        }
        for name, argument in CONNECTION.arguments.items()
        if argument["type"] != "dict"
    },
    # an option of Ansible's callbacks: if it is off, only problems are shown
    "display_ok_hosts": {
        "default": True,
        "type": "bool",
        "env": [{"name": "ANSIBLE_DISPLAY_OK_HOSTS"}],
        "ini": [{"section": "defaults", "key": "display_ok_hosts"}],
    },
    **{
        name: {
            "default": True,
            "type": "bool",
            "env": [{"name": f"JOBGATE_{name.upper()}"}],
            "ini": [{"section": "jobgate_gitlab", "key": name}],
            "vars": [{"name": f"jobgate_{name}"}],
        }
        for name in ("in_process", "progress")
    },
}
constants.config.initialize_plugin_configuration_definitions(*PLUGIN, DEFINITIONS)


def given_options(
    arguments: Arguments,
    token_options: t.Collection[str],
    given: Variables,
    variables: Variables,
    environ: t.Mapping[str, str],
    template: Template,
) -> dict[str, t.Any]:
    """Return the options of a task or lookup, and connection options from variables and ansible.cfg.

    :param token_options: the kinds of token that it supports.
    :param environ: the environment that it will run in, if known; it overrides ansible.cfg.
    :raises UsageError: if YAML has read a value as another type, such as a version 1.10 as a number.
    :raises AnsibleError: if a variable cannot be resolved.
    """
    usable = [name for name in CONNECTION.arguments if name not in _TOKENS or name in token_options]
    by_itself = _with_all_tokens({name for name in usable if given_names(name, CONNECTION.arguments[name], given)})
    variable_of = {name: f"jobgate_gitlab_{name}" for name in usable if name not in by_itself}
    # do not expand paths: on the host of the task, they may be different
    values = set_variables(variable_of.values(), variables, template)
    by_variable = {name: values[key] for name, key in variable_of.items() if key in values}
    by_environment = {name for name, names in _ENVIRONMENT.items() if name in usable and first_set(environ, names)}
    above_file = _with_all_tokens({*by_variable, *by_environment})
    by_file = {
        name: constants.config.get_config_value(name, plugin_type=PLUGIN[0], plugin_name=PLUGIN[1])
        for name in variable_of
        if name in DEFINITIONS and name not in above_file
    }
    found = without_nulls(arguments, {**given, **by_file, **by_variable})
    refuse_misread(arguments, found)
    return found


def lookup_options(plugin: LookupBase, given: Variables, variables: Variables) -> dict[str, t.Any]:
    """Return the options of a lookup from all sources, with defaults and converted types, like those of a task.

    :param given: the options in the expression.
    :raises UsageError: if an option is invalid.
    :raises AnsibleError: if a variable cannot be resolved.
    """
    documented = {name: option for name, option in plugin.option_definitions.items() if name != "_terms"}
    # the documentation does not show which options are secret
    arguments = {name: {**option, **CONNECTION.arguments.get(name, {})} for name, option in documented.items()}
    found = given_options(arguments, tuple(_TOKENS), given, variables, os.environ, _template_of(plugin))
    # without `no_log`: since ansible-core 2.22, it would hide even short, ordinary header values in all output
    rules = argument_rules(ArgumentSpec(documented))
    validated = ArgumentSpecValidator(**rules).validate(plain(found))
    if validated.error_messages:
        otherwise = f"its options are {', '.join(sorted(documented))}"
        mistake = mistake_in(arguments, validated.validated_parameters, otherwise)
        raise UsageError(mistake or str(validated.errors.msg))
    return prepared(arguments, validated.validated_parameters, os.environ)


def set_variables(names: t.Iterable[str], variables: Variables, template: Template) -> dict[str, t.Any]:
    """Return the values of variables, without those that are null or `omit`.

    Since ansible-core 2.19, mappings lose `omit`, and by itself it is an error. Before, it is the value of a variable.
    """
    values = template({name: variables[name] for name in names if name in variables})
    return {name: value for name, value in values.items() if value not in (None, variables.get("omit"))}


def is_omit(value: t.Any, plugin: LookupBase, variables: Variables) -> bool:
    """Return whether a value in the expression of a lookup is `omit`, which since ansible-core 2.19 lists lose."""
    if value is None or isinstance(value, (str, int, float, list, tuple, dict)):
        return isinstance(value, str) and value == variables.get("omit")
    return bool(_template_of(plugin)([value]) == [])


def _template_of(plugin: LookupBase) -> Template:
    return plugin._templar.template if plugin._templar else lambda value: value


def plain(value: t.Any) -> t.Any:
    """Return a value as a module would get it: with plain types, decrypted, and without Ansible's tags."""
    if isinstance(value, dict):
        return {_plain_name(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, datetime.date):
        return value.isoformat()
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return str.__str__(value) if isinstance(value, str) else str(value)


def _plain_name(key: t.Any) -> str:
    """Return the key of a mapping in JSON, where all keys are strings."""
    return json.dumps(key) if key is None or isinstance(key, (int, float)) else str(plain(key))


def _with_all_tokens(names: set[str]) -> set[str]:
    """Return these options, and all tokens if one of them is a token, because it overrides tokens of other kinds."""
    return names | _TOKENS if names & _TOKENS else names


def is_on(switch: str, variables: Variables, template: Template) -> bool:
    """Return whether a switch, such as `in_process`, is on."""
    own = set_variables([f"jobgate_{switch}"], variables, template)
    value = constants.config.get_config_value(switch, plugin_type=PLUGIN[0], plugin_name=PLUGIN[1], variables=own)
    return bool(value)
