# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Play jobs through the release service of a company, at its own address."""

from __future__ import annotations

import pluggy

hookimpl = pluggy.HookimplMarker("jobgate.gitlab")


@hookimpl
def gitlab_register_endpoints(registry):
    """Replace a GitLab address with another one that accepts the same arguments."""
    registry.replace(
        registry.endpoint(
            "play_job",
            "POST",
            "/release-service/projects/{project}/jobs/{job_id}/play",
            body={"job_variables": "job_variables_attributes", "job_inputs": "job_inputs"},
            ok_statuses=(200, 201),
        )
    )
