# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes: check mode, diff mode, idempotency and action groups."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes. Each module adds its own level of support."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Runs with C(--check), reads the real state from GitLab, and returns what a real run would change.
  diff_mode:
    description: Shows what changed with C(--diff), or in check mode what would change.
  idempotent:
    description: A second run with the same arguments changes nothing, unless the state was changed in between.
"""

    # Use it together with the standard block.
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - The module only reads. In check mode it does not wait, and returns the current state, which may not be the state
        to wait for. With C(check_mode=false) on the task, it waits and fails as in a real run.
  diff_mode:
    support: N/A
    details:
      - The module only reads, so there is nothing to compare.
  idempotent:
    support: full
    details:
      - The module only reads, and RV(ignore:changed) is always V(false).
"""

    ACTIONGROUP_GITLAB = r"""
options: {}
attributes:
  action_group:
    description:
      - Set options for all modules of the group at once, with C(group/jobgate.gitlab.gitlab) in C(module_defaults).
    support: full
    membership:
      - jobgate.gitlab.gitlab
"""
