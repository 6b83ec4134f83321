# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a job failed for a requested reason, whatever the server calls it."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.reasons import FAILURE_REASONS, is_among


@pytest.mark.parametrize(
    ("reason", "wanted", "expected"),
    [
        ("script_failure", (), True),
        ("script_failure", ("script_failure",), True),
        ("script_failure", ("api_failure", "runner_system_failure"), False),
        ("stuck_or_timeout_failure", ("stuck_or_timeout_failure",), True),
        ("no_updates_running", ("api_failure", "stuck_or_timeout_failure"), True),
        ("stuck_pending_no_matching_runners", ("stuck_or_timeout_failure",), True),
        # the reverse would match more than was requested
        ("stuck_or_timeout_failure", ("no_updates_running",), False),
        ("server_timeout_running", ("stuck_or_timeout_failure",), False),
        ("reason_of_a_newer_server", ("reason_of_a_newer_server",), True),
    ],
)
def test_failure_reason_matches_the_wanted_reasons(reason, wanted, expected):
    assert is_among(reason, wanted) is expected


def test_failure_reasons_are_unique():
    assert len(set(FAILURE_REASONS)) == len(FAILURE_REASONS)
