# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds the summary of a pipeline's test reports to the endpoints that the client knows."""

from __future__ import annotations

import pluggy
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.endpoints import Endpoint, Parameter

hookimpl = pluggy.HookimplMarker("jobgate.gitlab")


@hookimpl
def gitlab_register_endpoints(registry):
    """Add a row to the catalogue."""
    registry.add(
        Endpoint(
            name="get_test_report_summary",
            method="GET",
            path="/projects/{project}/pipelines/{pipeline_id}/test_report_summary",
            params=(
                Parameter("project", "segment", is_required=True),
                Parameter("pipeline_id", "segment", is_required=True),
            ),
            doc_url="https://docs.gitlab.com/api/pipelines/#get-a-pipelines-test-report-summary",
        )
    )
