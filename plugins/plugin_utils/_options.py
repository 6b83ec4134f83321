# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this is a private part of the collection: no other collection may import it.

"""Options of plugins on the controller as the tasks take them."""

from __future__ import annotations

import typing as t

from ansible import constants
from ansible.plugins.lookup import LookupBase

from ..module_utils._app.settings import TOKEN_VARIABLES

# Where Ansible looks for an option that the expression does not set.
_SOURCES = ("vars", "env", "ini", "keyword", "cli")

# Defaults of options that nothing but the expression can set, by plugin and name. Ansible takes as long to find the
# options of a plugin as it takes to ask a server, and a template may ask a hundred times.
_DEFAULTS: dict[tuple[str, str], t.Any] = {}


def plugin_options(
    plugin: LookupBase, variables: dict[str, t.Any] | None, direct: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """Return the options of a lookup plugin by name.

    Ansible hands over the values of variables as they are written, so templates in them are resolved here. A token that
    comes from an environment variable is left out: the settings look there themselves when no token is given, since a
    token of whatever kind that is given beats all of them.

    :param direct: what was written in the expression itself.
    :raises AnsibleError: for an option that is missing, or of the wrong type.
    """
    options: dict[str, t.Any] = {}
    for name, definition in plugin.option_definitions.items():
        is_direct = any(key in direct for key in (name, *definition.get("aliases", ())))
        if not is_direct and not definition.get("required") and not any(definition.get(key) for key in _SOURCES):
            place = (plugin._load_name, name)
            if place not in _DEFAULTS:
                _DEFAULTS[place] = _value(plugin, name, None, {})[0]
            options[name] = _DEFAULTS[place]
            continue
        value, origin = _value(plugin, name, variables, direct)
        if not is_direct and origin.startswith("var:") and plugin._templar is not None:
            value = plugin._templar.template(value)
        elif not is_direct and origin.startswith("env:") and name in TOKEN_VARIABLES:
            value = None
        options[name] = value
    return options


def _value(
    plugin: LookupBase, name: str, variables: dict[str, t.Any] | None, direct: t.Mapping[str, t.Any]
) -> tuple[t.Any, str]:
    value, origin = constants.config.get_config_value_and_origin(
        name, plugin_type="lookup", plugin_name=plugin._load_name, variables=variables, direct=direct
    )
    return value, str(origin)
