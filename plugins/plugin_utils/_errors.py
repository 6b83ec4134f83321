# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this is a private part of the collection: no other collection may import it.

"""Errors of the core as a plugin on the controller reports them."""

from __future__ import annotations

from ansible.errors import AnsibleError

from ..module_utils._api.errors import GitLabError, MissingLibraryError


def plugin_error(plugin_name: str, exc: GitLabError) -> AnsibleError:
    """Return the error that Ansible shows the user, in one sentence."""
    if isinstance(exc, MissingLibraryError):
        return AnsibleError(
            f"{plugin_name} needs the Python library {exc.library} on the controller: install it into the environment "
            "that ansible-playbook runs in"
        )
    return AnsibleError(f"{plugin_name}: {exc}")
