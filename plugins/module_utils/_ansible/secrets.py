# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Ansible's registry of secrets, which ansible-core has since 2.22: what is in it is hidden wherever Ansible shows it.

Before, a module hides its `no_log_values` in its own result.
"""

from __future__ import annotations

__all__ = ["HAS_REGISTRY", "register_secret"]

try:
    from ansible.module_utils.secrets import register_secret

    HAS_REGISTRY = True
except ImportError:
    HAS_REGISTRY = False

    def register_secret(value: str, /) -> str:
        """Return the value."""
        return value
