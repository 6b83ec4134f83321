# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Error messages for pipelines that the server does not create, by version (topic: P7 create, errors)."""

from __future__ import annotations

from . import errors
from .errors import ApiError
from .versions import Features

# Reason -> rows of (the version that says so, a row of versions.SINCE or None for all; the text). The first that fits.
_TEXTS: dict[str, list[tuple[str | None, str]]] = {
    "no_right": [(None, "Insufficient permissions to create a new pipeline")],
    "disabled": [("texts.disabled", "Pipelines are disabled!"), (None, "Pipeline is disabled")],
    "importing": [(None, "You cannot run pipelines before project import is complete.")],
    "protected_ref": [
        (
            "texts.protected_ref",
            "You do not have sufficient permission to run a pipeline on '{ref}'. "
            "Please select a different branch or contact your administrator for assistance.",
        ),
        (None, "Insufficient permissions for protected ref '{ref}'"),
    ],
    "ambiguous": [(None, "Ref is ambiguous")],
    "no_ref": [(None, "Reference not found")],
    "no_commit": [(None, "Commit not found")],
    "variables": [(None, "Insufficient permissions to set pipeline variables")],
    "duplicate": [(None, "Duplicate variable name: {names}")],
    "duplicates": [(None, "Duplicate variable names: {names}")],
    "too_many": [(None, "Too many pipelines created in the last minute. Try again later.")],
    "no_config": [("texts.no_config", "Missing CI config file"), (None, "Missing .gitlab-ci.yml file")],
    "workflow_rules": [
        (
            "texts.newest",
            "The pipeline did not run. Review the workflow:rules configuration for the pipeline.",
        ),
        (None, "Pipeline filtered out by workflow rules."),
    ],
    "too_many_jobs": [(None, "Project exceeded the allowed number of jobs in active pipelines. Retry later.")],
    "no_jobs": [
        (
            "texts.newest",
            "The resulting pipeline would have been empty. Review the rules configuration for the relevant jobs.",
        ),
        (
            "texts.no_jobs",
            "Pipeline will not run for the selected trigger. "
            "The rules configuration prevented any jobs from being added to the pipeline.",
        ),
        (None, "No stages / jobs for this pipeline."),
    ],
}


def refusal(features: Features, reason: str, **values: str) -> ApiError:
    """Return the error for a reason, a row of the table above."""
    text = next(text for since, text in _TEXTS[reason] if since is None or features.has(since))
    return not_created(text.format(**values))


def not_created(text: str, *, status: int = 400) -> ApiError:
    """Return the error of a pipeline that was not created, or failed immediately."""
    return errors.ApiError(status, {"message": {"base": [text]}})
