# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this is a private part of the collection: no other collection may import it.

"""Options of plugins on the controller as the tasks take them."""

from __future__ import annotations

import typing as t

from ansible.plugins.lookup import LookupBase

from ..module_utils._app.settings import TOKEN_VARIABLES


def plugin_options(
    plugin: LookupBase, variables: dict[str, t.Any] | None, direct: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """Return the options of a lookup plugin by name.

    Ansible hands over the values of variables as they are written, so templates in them are resolved here. A token that
    comes from an environment variable is left out: the settings look there themselves when no token is given, since a
    token of whatever kind that is given beats all of them.

    :param direct: what was written in the expression itself.
    """
    options = dict(plugin.get_options(hostvars=variables))
    for name, definition in plugin.option_definitions.items():
        if any(key in direct for key in (name, *definition.get("aliases", ()))):
            continue
        _value, origin = plugin.get_option_and_origin(name, hostvars=variables)
        if str(origin).startswith("var:") and plugin._templar is not None:
            options[name] = plugin._templar.template(options[name])
        elif str(origin).startswith("env:") and name in TOKEN_VARIABLES:
            options[name] = None
    return options
