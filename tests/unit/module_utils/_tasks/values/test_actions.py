# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that only some actions accept."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.actions import ACTIONS
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_action import SPEC
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.actions import refuse_misplaced


def test_option_of_another_action_is_refused():
    supported_options = {row.name: row.supported_options for row in ACTIONS.values()}
    refuse_misplaced(
        supported_options, SPEC.arguments, {"action": "cancel", "force": True, "replay": "never", "retry_on": []}
    )
    with pytest.raises(UsageError, match=r"^force can only be used with retry and cancel$"):
        refuse_misplaced(supported_options, SPEC.arguments, {"action": "play", "force": True})
    with pytest.raises(UsageError, match=r"^job_inputs can only be used with play and retry$"):
        refuse_misplaced(supported_options, SPEC.arguments, {"action": "erase", "job_inputs": {"a": 1}, "name": ["b"]})
