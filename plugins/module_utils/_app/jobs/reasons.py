# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""GitLab's failure reasons of jobs, to detect misspelled ones. Newer servers may have more."""

from __future__ import annotations

import difflib
import typing as t

# The deployment of the job was rejected. GitLab does not start such a job again.
REJECTED = "deployment_rejected"
# Source: the enumeration of failure reasons in GitLab's source code
FAILURE_REASONS: tuple[str, ...] = (
    "unknown_failure",
    "script_failure",
    "api_failure",
    "stuck_or_timeout_failure",
    "runner_system_failure",
    "missing_dependency_failure",
    "runner_unsupported",
    "stale_schedule",
    "job_execution_timeout",
    "archived_failure",
    "unmet_prerequisites",
    "scheduler_failure",
    "data_integrity_failure",
    "forward_deployment_failure",
    "user_blocked",
    "project_deleted",
    "ci_quota_exceeded",
    "pipeline_loop_detected",
    "no_matching_runner",
    "trace_size_exceeded",
    "builds_disabled",
    "environment_creation_failure",
    REJECTED,
    "failed_outdated_deployment_job",
    "job_execution_server_timeout",
    "stuck_pending_with_matching_runners",
    "stuck_pending_no_matching_runners",
    "no_updates_running",
    "no_updates_canceling",
    "server_timeout_running",
    "server_timeout_canceling",
    "runner_configuration_error",
    "runner_external_dependency_failure",
    "runner_interrupted",
    "protected_environment_failure",
    "insufficient_bridge_permissions",
    "downstream_bridge_project_not_found",
    "invalid_bridge_trigger",
    "upstream_bridge_project_not_found",
    "insufficient_upstream_permissions",
    "bridge_pipeline_is_child_pipeline",
    "downstream_pipeline_creation_failed",
    "secrets_provider_not_found",
    "secrets_manager_access_denied",
    "reached_max_descendant_pipelines_depth",
    "ip_restriction_failure",
    "reached_max_pipeline_hierarchy_size",
    "reached_downstream_pipeline_trigger_rate_limit",
    "duo_workflow_not_allowed",
    "job_router_failure",
    "job_token_expired",
    "id_token_burned_project_path",
    "downstream_project_trigger_resolved_to_empty",
)
# The reasons with which newer servers replaced an older one.
# Source: https://docs.gitlab.com/ci/yaml/#retrywhen
_SUCCESSORS: t.Mapping[str, tuple[str, ...]] = {
    "stuck_or_timeout_failure": (
        "stuck_pending_with_matching_runners",
        "stuck_pending_no_matching_runners",
        "no_updates_running",
        "no_updates_canceling",
    ),
}
# Names this similar are misspellings; less similar ones may be reasons of a newer server.
_MISSPELT = 0.9
_SIMILAR = 0.7


def is_among(reason: str, wanted: t.Sequence[str]) -> bool:
    """Return whether a reason is one of the wanted ones, or a successor of one; an empty list matches any."""
    return not wanted or any(reason in (name, *_SUCCESSORS.get(name, ())) for name in wanted)


def suggested_reason(reason: str) -> str:
    """Return the known reason that is misspelled here, or an empty string."""
    return "" if reason in FAILURE_REASONS else _closest(reason, _MISSPELT)


def unknown_reason(reason: str) -> str:
    """Return a warning about an unknown reason; an empty string if it is known."""
    if reason in FAILURE_REASONS:
        return ""
    close = _closest(reason, _SIMILAR)
    hint = f"Did you mean {close}?" if close else "Jobs are retried for it only if GitLab reports it."
    return f"retry_on contains {reason!r}, which is not a failure reason that this collection knows. {hint}"


def _closest(reason: str, cutoff: float) -> str:
    return next(iter(difflib.get_close_matches(reason, FAILURE_REASONS, n=1, cutoff=cutoff)), "")
