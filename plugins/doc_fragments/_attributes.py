# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the plugins promise about check mode, diff mode, repetition and action groups."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes; a module adds its own level of support."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Runs with C(--check), asks GitLab for the real state, and reports what a real run would change.
  diff_mode:
    description: Shows with C(--diff) what has changed, or in check mode what would change.
  idempotent:
    description: A second run with the same arguments changes nothing, unless somebody or something else did meanwhile.
"""

    # To be used together with the standard block.
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - The module reads. In check mode it does not wait, and returns the present state, which need not be the one that
        is waited for. With C(check_mode=false) on the task it waits, and fails, as in a real run.
  diff_mode:
    support: N/A
    details:
      - The module reads, so there is nothing to compare.
  idempotent:
    support: full
    details:
      - The module reads, and RV(ignore:changed) is always V(false).
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
