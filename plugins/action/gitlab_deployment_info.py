# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin of the module with this name, which runs the task in Ansible's own process if possible."""

from __future__ import annotations

from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_deployment_info import TASK as _TASK
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    TASK = _TASK
