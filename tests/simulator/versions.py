# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes by GitLab version (topic of the reference: versions, matrix).

If the reference contains a range, or an uncertain version, the first version of the range is used.
"""

from __future__ import annotations

import re

Version = tuple[int, int]

DEFAULT_VERSION = "18.10"

SINCE: dict[str, Version] = {
    # endpoints
    "bridges": (12, 0),
    "trigger_jobs": (19, 2),
    "job_by_token": (13, 10),
    "allowed_agents": (13, 11),
    "raw_artifact_by_ref": (11, 5),
    "delete_job_artifacts": (11, 9),
    "delete_project_artifacts": (15, 0),
    "artifacts_tree": (18, 8),
    "metadata": (15, 2),
    # lists
    "jobs_list_checks_builds": (12, 0),
    "child_pipelines_listed": (13, 3),
    "newest_first": (13, 5),
    "include_retried": (13, 9),
    "keyset": (15, 9),
    "jobs_list_without_totals": (16, 0),
    "totals_capped": (14, 9),
    "jobs_list_limiter": (16, 5),
    "jobs_list_ref_filter": (19, 0),
    "pipelines_latest": (12, 3),
    "pipelines.name_filter": (16, 9),
    "pipelines.created_filters": (17, 0),
    "pipelines.children_by_source": (17, 0),
    "pipeline_variables": (11, 11),
    "pipelines.delete": (11, 6),
    "pipelines.test_report": (13, 0),
    "pipelines.test_report_summary": (14, 2),
    "pipelines.metadata": (16, 6),
    "pipelines.inputs": (17, 10),
    "pipelines.trigger_inputs": (17, 11),
    "pipelines.failed_trigger_422": (17, 0),
    "pipelines.retry_canceling": (19, 0),
    "texts.disabled": (17, 0),
    "texts.protected_ref": (16, 0),
    "texts.no_config": (13, 0),
    "texts.no_jobs": (16, 0),
    "texts.newest": (19, 0),
    "deployments.approvals": (14, 8),
    "deployments.finished_filters": (15, 7),
    "deployments.strict_filters": (16, 0),
    "deployments.unordered_by_ref": (16, 3),
    "freeze_periods": (13, 0),
    "texts.own_deployment": (17, 0),
    # actions
    "play_bridge": (12, 0),
    "job_variables": (14, 9),
    "variables_role": (17, 0),
    "retry_bridge": (17, 0),
    "canceling": (17, 0),
    "force_cancel": (17, 11),
    "lookup_before_role": (17, 0),
    "job_inputs": (18, 10),
    "bad_request_with_reason": (12, 0),
    "play_answers_new_job": (18, 10),
    "archived_erasable": (18, 0),
    # artifacts and logs
    "search_recent_by_ref": (18, 7),
    "search_recent_raw": (18, 9),
    "trace_ranges": (19, 2),
    "artifacts_locked": (13, 4),
    "artifacts_file_type": (19, 4),
    # projects, tokens, headers
    "moved_projects": (16, 4),
    "job_token_on_jobs": (18, 5),
    "job_token_on_pipelines": (19, 2),
    "job_token_on_commits": (18, 5),
    "job_token_on_deployments": (16, 6),
    "job_token_on_metadata": (16, 6),
    "job_token_shared": (16, 6),
    "job_token_denied_403": (15, 9),
    "job_token_policies": (18, 3),
    "rate_headers_always": (18, 0),
    "fine_grained_tokens": (18, 10),
    "fine_grained_public": (19, 0),
    "texts.fine_grained": (19, 0),
    "per_page_negative_checked": (18, 0),
    # hooks
    "hooks.event_uuid": (14, 8),
    "hooks.instance": (15, 5),
    "hooks.webhook_uuid": (16, 2),
    "hooks.idempotency_key": (17, 4),
    "hooks.failures": (17, 11),
    "hooks.signature": (19, 0),
    "field.hooks.pipeline_name": (16, 1),
    "field.hooks.retries_count": (16, 2),
    # "newer" in the reference, without a number
    "field.hooks.project": (17, 0),
    "field.hooks.protected_ref": (17, 0),
    # statuses
    "waiting_for_resource": (12, 0),
    "preparing": (12, 0),
    "waiting_for_callback": (16, 0),
    "scheduled": (11, 4),
    # fields of the records
    "field.allow_failure": (12, 0),
    "field.artifacts": (11, 5),
    "field.duration": (13, 0),
    "field.queued_duration": (13, 0),
    "field.tag_list": (13, 0),
    "field.failure_reason": (14, 0),
    "field.project": (15, 0),
    "field.erased_at": (15, 9),
    "field.archived": (17, 0),
    "field.runner_manager": (17, 0),
    "field.pipeline.project_id": (12, 0),
    "field.pipeline.dates": (12, 0),
    "field.pipeline.source": (14, 1),
    "field.pipeline.iid": (14, 6),
    "field.pipeline.name": (16, 3),
    "field.pipeline.archived": (19, 0),
    "field.agents.slim": (15, 0),
    "field.roles.planner": (17, 0),
    "field.runner.without_address": (17, 0),
    "field.runner.job_execution_status": (18, 0),
    "field.user.job_title": (12, 5),
    "field.user.bot": (13, 0),
    "field.user.work_information": (13, 0),
    "field.user.pronouns": (14, 0),
    "field.user.followers": (14, 0),
    "field.user.following": (14, 0),
    "field.user.local_time": (14, 1),
    "field.user.discord": (15, 10),
    "field.user.locked": (16, 0),
    "field.user.github": (18, 3),
    "field.commit.trailers": (14, 0),
    "field.commit.extended_trailers": (16, 0),
}
# The last version that has a field.
UNTIL: dict[str, Version] = {"field.user.skype": (17, 0)}


def parse_version(text: str) -> Version:
    """Return (major, minor) of a string such as 18.10.

    :raises ValueError: if the string is not a version.
    """
    found = re.fullmatch(r"([0-9]{1,3})\.([0-9]{1,3})(\..*)?", str(text))
    if found is None:
        raise ValueError(f"version {text!r} is not MAJOR.MINOR, for example {DEFAULT_VERSION!r} (in quotes)")
    return int(found[1]), int(found[2])


class Features:
    """The features of a server version; `edition` is premium, free (Premium without a licence) or ce."""

    def __init__(self, text: str, *, edition: str = "premium") -> None:
        self.text = str(text)
        self.edition = edition
        self.version = parse_version(text)

    def has(self, name: str) -> bool:
        """Return whether the server supports `name`, a row of SINCE."""
        return self.version >= SINCE[name]
