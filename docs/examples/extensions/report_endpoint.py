# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add the test report summary of a pipeline to the endpoints of the client."""

from __future__ import annotations

import pluggy

hookimpl = pluggy.HookimplMarker("jobgate.gitlab")


@hookimpl
def gitlab_register_endpoints(registry):
    """Add a row to the catalogue."""
    registry.add(
        registry.endpoint(
            "get_test_report_summary",
            "GET",
            "/projects/{project}/pipelines/{pipeline_id}/test_report_summary",
            doc_url="https://docs.gitlab.com/api/pipelines/#get-a-pipelines-test-report-summary",
        )
    )
