# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this is a private part of the collection: no other collection may import it.

"""Options of plugins on the controller as the tasks take them."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible import constants
from ansible.plugins.lookup import LookupBase

from ..module_utils._app.settings import TOKEN_VARIABLES
from ._lookup_options import OPTIONS


class _Sources:
    """What may set each option of a plugin.

    Ansible takes as long to find the options of a plugin as it takes to ask a server, and a template may ask a hundred
    times. So it is asked about what may have changed: options that the expression, a variable or the environment sets.
    About the others it is asked once.
    """

    def __init__(self, definitions: t.Mapping[str, t.Mapping[str, t.Any]]) -> None:
        self.names = tuple(name for name in definitions if name != "_terms")
        self.required = {name for name in self.names if definitions[name].get("required")}
        # an option by each name that an expression, a variable or the environment has for it
        self._direct = {key: name for name in self.names for key in (name, *definitions[name].get("aliases", ()))}
        self._variables = _owners(definitions, "vars")
        self._environ = _owners(definitions, "env")
        # by name, what ansible.cfg says, or the default
        self.constants: dict[str, t.Any] = {}

    def changing(self, variables: t.Mapping[str, t.Any], direct: t.Mapping[str, t.Any]) -> set[str]:
        """Return the options that Ansible has to be asked about."""
        return {
            *self.required,
            *(self._direct[key] for key in direct if key in self._direct),
            *(name for key, name in self._variables.items() if key in variables),
            *(name for key, name in self._environ.items() if key in os.environ),
        }


_SOURCES: dict[str, _Sources] = {}


def define_options(name: str) -> None:
    """Tell Ansible the options of the lookup.

    It would read them out of the documentation, in the worker of each task anew, which takes longer than asking GitLab.

    :param name: of the module that holds the plugin; Ansible knows its options by it.
    """
    # a version of Ansible that does not take them reads the documentation, as ever
    with contextlib.suppress(AttributeError, TypeError):
        constants.config.initialize_plugin_configuration_definitions("lookup", name, OPTIONS)


def plugin_options(
    plugin: LookupBase, variables: dict[str, t.Any] | None, direct: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """Return the options of a lookup plugin by name, but for the terms.

    Ansible hands over the values of variables as they are written, so templates in them are resolved here. A token that
    comes from an environment variable is left out: the settings look there themselves when no token is given, since a
    token of whatever kind that is given beats all of them.

    :param direct: what was written in the expression itself.
    :raises AnsibleError: for an option that is missing, or of the wrong type.
    """
    if plugin._load_name not in _SOURCES:
        _SOURCES[plugin._load_name] = _Sources(plugin.option_definitions)
    sources = _SOURCES[plugin._load_name]
    changing = sources.changing(variables or {}, direct)
    options: dict[str, t.Any] = {}
    for name in sources.names:
        if name not in changing:
            if name not in sources.constants:
                sources.constants[name] = _value(plugin, name, None, {})[0]
            options[name] = sources.constants[name]
            continue
        value, origin = _value(plugin, name, variables, direct)
        if origin.startswith("var:") and plugin._templar is not None:
            value = plugin._templar.template(value)
        elif origin.startswith("env:") and name in TOKEN_VARIABLES:
            value = None
        options[name] = value
    return options


def _owners(definitions: t.Mapping[str, t.Mapping[str, t.Any]], source: str) -> dict[str, str]:
    return {entry["name"]: name for name in definitions for entry in definitions[name].get(source) or ()}


def _value(
    plugin: LookupBase, name: str, variables: dict[str, t.Any] | None, direct: t.Mapping[str, t.Any]
) -> tuple[t.Any, str]:
    value, origin = constants.config.get_config_value_and_origin(
        name, plugin_type="lookup", plugin_name=plugin._load_name, variables=variables, direct=direct
    )
    return value, str(origin)
