# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module with this name, in Ansible's own process where that does the same."""

from __future__ import annotations

from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_token_info import TASK as _TASK
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    TASK = _TASK
