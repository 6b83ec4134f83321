# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Annotate jobs, trigger jobs and pipelines with their cost centre."""

from __future__ import annotations

import pluggy

hookimpl = pluggy.HookimplMarker("jobgate.gitlab")

# by project id
COST_CENTRES = {1: "4711", 2: "0815"}


@hookimpl
def gitlab_annotate_record(kind, record):
    """Return the annotation, or None for projects without a cost centre."""
    pipeline = record if kind == "pipeline" else record.get("pipeline") or {}
    cost_centre = COST_CENTRES.get(pipeline.get("project_id"))
    return {"cost_centre": cost_centre} if cost_centre else None
