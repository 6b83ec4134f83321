# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of a scenario, their defaults, and the validation, which reports the location of errors."""

from __future__ import annotations

import difflib
import math
import typing as t

REQUIRED: t.Final = object()

ROLES: t.Final = ("guest", "planner", "reporter", "developer", "maintainer", "owner")
STORAGES: t.Final = ("local", "redirect", "proxied")
WHENS: t.Final = ("on_success", "on_failure", "always", "manual", "delayed")

# One table per kind of mapping: key -> default.
SCENARIO: dict[str, t.Any] = {
    "version": None,
    "clock": None,
    "external_url": None,
    "users": [],
    "tokens": [],
    "projects": [],
    "runners": None,
    "pipelines": [],
    "limits": {},
    "maintenance_mode": False,
    "artifacts_storage": "local",
    "artifacts_url_seconds": 600,
    "artifacts_cleanup": None,
    "artifacts_etags": "none",
    "time_zone": "UTC",
    "edition": "premium",
    "hooks": [],
}
LIMITS: dict[str, t.Any] = {
    "jobs_list_per_minute": 600,
    "jobs_list_offset": None,
    "throttle_per_minute": None,
    "throttle_per_hour": None,
    "pipelines_per_minute": None,
    "pipelines_of_user_per_minute": None,
}
USER: dict[str, t.Any] = {"username": REQUIRED, "id": None, "name": None, "admin": False, "state": "active"}
TOKEN: dict[str, t.Any] = {
    "token": REQUIRED,
    "user": None,
    "kind": "personal",
    "scopes": ["api"],
    "state": "valid",
    "permissions": None,
    "job": None,
    "pipeline": None,
    "project": None,
}
PROJECT: dict[str, t.Any] = {
    "path": REQUIRED,
    "id": None,
    "visibility": "private",
    "public_builds": True,
    "members": {},
    "moved_from": [],
    "archived": False,
    "pending_deletion": False,
    "variables_minimum_override_role": "developer",
    "protected_refs": {},
    "protected_environments": {},
    "freeze_periods": [],
    "forbid_outdated_deployments": False,
    "stats_refresh": False,
    "job_token_allowlist": [],
    "agents": [],
    "artifacts_storage": None,
    "builds_enabled": True,
    "importing": False,
    "new_pipelines": {},
    "default_branch": "main",
    "branches": {},
    "tags": {},
    "commits": [],
    "ci_file": None,
}
CI_FILE: dict[str, t.Any] = {"path": REQUIRED, "root": None, "files": None, "times": {}, "variables": {}}
# New pipelines, by ref.
TEMPLATE: dict[str, t.Any] = {
    "jobs": [],
    "stages": None,
    "name": None,
    "inputs": {},
    "refused": None,
    "yaml_errors": None,
}
INPUT: dict[str, t.Any] = {"type": "string", "default": None, "options": None, "regex": None, "description": None}
TEST: dict[str, t.Any] = {"name": REQUIRED, "classname": None, "status": "success", "time": 1, "output": None}
# A protected environment; a list instead of the mapping sets `allowed`.
PROTECTED: dict[str, t.Any] = {
    "allowed": None,
    "rules": [],
    "required_approvals": 0,
    "self_approval": False,
    "starts_itself": None,
}
APPROVAL_RULE: dict[str, t.Any] = {"user": None, "group": None, "members": [], "role": None, "required": 1}
FREEZE: dict[str, t.Any] = {"freeze_start": REQUIRED, "freeze_end": REQUIRED, "cron_timezone": "UTC"}
AGENT: dict[str, t.Any] = {"id": REQUIRED, "config_project": None, "environments": None, "configuration": {}}
ALLOWED: dict[str, t.Any] = {"project": REQUIRED, "policies": REQUIRED}
RUNNER: dict[str, t.Any] = {
    "id": None,
    "description": "docker-1",
    "tags": [],
    "graceful_cancel": True,
    "paused": False,
}
PIPELINE: dict[str, t.Any] = {
    "id": None,
    "project": None,
    "ref": None,
    "tag": False,
    "sha": None,
    "source": None,
    "merge_request": None,
    "user": None,
    "stages": None,
    "created_ago": None,
    "name": None,
    "status": None,
    "yaml_errors": None,
    "variables": {},
    "jobs": [],
}
ATTEMPT: dict[str, t.Any] = {"outcome": "success", "failure_reason": "script_failure", "duration": 1}
DEPLOYMENT: dict[str, t.Any] = {"approval": None, "older_than_last": False}
ARTIFACTS: dict[str, t.Any] = {
    "files": {},
    "size": None,
    "metadata": True,
    "when": "on_success",
    "expire_in": None,
    "reports": [],
    "report_size": None,
    "locked": False,
    "access": "all",
}
TRIGGER: dict[str, t.Any] = {"strategy": "none", "project": None, "creation_fails": None, "pipeline": None}
JOB: dict[str, t.Any] = {
    "name": REQUIRED,
    "id": None,
    "stage": "test",
    "when": None,
    "start_in": 60,
    "queue": 1,
    "prepare": 0,
    "duration": 1,
    "cancel_duration": 2,
    "outcome": "success",
    "failure_reason": "script_failure",
    "attempts": None,
    "status": None,
    "retried": 0,
    "allow_failure": None,
    "needs": None,
    "tags": [],
    "environment": None,
    "deployment": {},
    "resource_group": None,
    "inputs": {},
    "coverage": None,
    "log": None,
    "log_size": None,
    "log_timestamps": False,
    "log_gone": False,
    "debug_trace": False,
    "retry": 0,
    "retry_when": [],
    "tests": [],
    "artifacts": None,
    "erased": False,
    "archived": False,
    "user": None,
    "trigger": None,
}
# Generated jobs: the keys of a job and the number of jobs; {n} in the name is replaced by the number of each job.
GENERATE: dict[str, t.Any] = {**JOB, "name": "job {n}", "count": REQUIRED}

CHOICES: dict[str, tuple[t.Any, ...]] = {
    "token.kind": ("personal", "oauth", "project", "group", "job", "deploy", "trigger"),
    "token.state": ("valid", "expired", "revoked"),
    "user.state": ("active", "blocked"),
    "project.visibility": ("private", "internal", "public"),
    "project.variables_minimum_override_role": ("no_one_allowed", "developer", "maintainer", "owner"),
    "job.when": (None, *WHENS),
    "job.retry": (0, 1, 2),
    "input.type": ("string", "number", "boolean", "array"),
    "test.status": ("success", "failed", "skipped", "error"),
    "template.refused": (None, "no_config", "workflow_rules", "too_many_jobs", "no_jobs"),
    "job.outcome": ("success", "failed", "hang"),
    "attempt.outcome": ("success", "failed", "hang"),
    "deployment.approval": (None, "waiting", "rejected"),
    "scenario.artifacts_etags": ("none", "weak", "strong"),
    "scenario.edition": ("premium", "free", "ce"),
    "rule.role": (None, *ROLES),
    "trigger.strategy": ("none", "depend", "mirror"),
    "scenario.artifacts_storage": STORAGES,
    "project.artifacts_storage": (None, *STORAGES),
    "artifacts.access": ("all", "developer", "maintainer", "none"),
}


class ScenarioError(ValueError):
    """Invalid scenario. The message contains the location and how to correct it."""


def unknown(what: str, given: t.Any, known: t.Iterable[t.Any], *, place: str) -> ScenarioError:
    """Return the error for an unknown value, with similar known values."""
    names = [str(name) for name in known if name is not None]
    close = difflib.get_close_matches(str(given), names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"use one of {', '.join(names)}"
    return ScenarioError(f"{place}: unknown {what} {given!r}; {hint}")


# Examples of mappings, for the error about another type.
EXAMPLES: dict[str, str] = {
    "project.members": "{alice: developer}",
    "project.branches": "{release: null}",
    "project.tags": "{v1.2.0: null}",
    "project.protected_refs": "{main: [alice]}",
    "project.protected_environments": "{production: [alice]}",
    "project.new_pipelines": "{main: {jobs: [{name: build}]}}",
}


def is_length(value: t.Any) -> bool:
    """Return whether a value is a finite number that is not negative."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf


def is_count(value: t.Any) -> bool:
    return is_length(value) and isinstance(value, int)


def _is_text(value: t.Any) -> bool:
    return isinstance(value, str)


def _is_name(value: t.Any) -> bool:
    return _is_text(value) or is_count(value)


def _are_texts(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _are_mappings(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


# Types of values by key, or by kind of mapping and key if a kind differs.
TYPES: t.Final[dict[str, tuple[t.Callable[[t.Any], bool], str]]] = {
    **dict.fromkeys(
        (
            "artifacts_etags", "artifacts_storage", "clock", "creation_fails", "cron_timezone", "default_branch",
            "description", "edition", "external_url", "failure_reason", "freeze_end", "freeze_start", "group", "kind",
            "log", "name", "outcome", "path", "ref", "resource_group", "role", "sha", "source", "stage", "state",
            "status", "strategy", "time_zone", "token", "url", "user", "username", "visibility", "when", "yaml_errors",
        ),
        (_is_text, "a string"),
    ),
    **dict.fromkeys(
        (
            "bytes", "count", "id", "log_size", "merge_request", "report_size", "required", "required_approvals",
            "retried", "size",
        ),
        (is_count, "an integer from 0"),
    ),
    **dict.fromkeys(
        (
            "artifacts_cleanup", "artifacts_url_seconds", "cancel_duration", "coverage", "created_ago", "duration",
            "expire_in", "prepare", "queue", "seconds", "start_in", "time", *LIMITS,
        ),
        (is_length, "a number from 0"),
    ),
    **dict.fromkeys(("config_project", "job", "pipeline", "project"), (_is_name, "a string or a number")),
    **dict.fromkeys(
        (
            "allowed", "environments", "events", "members", "moved_from", "needs", "permissions", "policies", "reports",
            "retry_when", "scopes", "stages", "tags",
        ),
        (_are_texts, "a list of strings"),
    ),
    "fault.status": (is_count, "an integer from 0"),
    "trigger.pipeline": (lambda value: isinstance(value, dict), "a mapping"),
    **dict.fromkeys(("options", "runners"), (lambda value: isinstance(value, list), "a list")),
    "attempts": (_are_mappings, "a list of mappings"),
}  # fmt: skip


def _type_of(kind: str, key: str, default: t.Any) -> tuple[t.Callable[[t.Any], bool], str]:
    """Return the check for a value, and the name of its type."""
    if isinstance(default, bool):
        return lambda value: isinstance(value, bool), "true or false"
    anything = (lambda value: True, "")
    return anything if isinstance(default, dict) else TYPES.get(f"{kind}.{key}") or TYPES.get(key, anything)


def fill(given: t.Any, table: dict[str, t.Any], *, kind: str, place: str) -> dict[str, t.Any]:
    """Return `given` with the defaults of `table`.

    :raises ScenarioError: if a key is unknown or missing, or a value is invalid.
    """
    if not isinstance(given, dict):
        raise ScenarioError(f"{place}: must be a mapping, not {type(given).__name__}")
    for key in given:
        if key not in table:
            raise unknown("key", key, table, place=place)
    filled = {**table, **given}
    for key, value in filled.items():
        default = table[key]
        if value is REQUIRED or (value is None and default is REQUIRED):
            raise ScenarioError(f"{place}: key {key!r} is missing")
        if isinstance(default, (list, dict)) and value is None:
            filled[key] = type(default)()
        elif isinstance(default, (list, dict)) and not isinstance(value, type(default)):
            example = f", such as {EXAMPLES[f'{kind}.{key}']}" if f"{kind}.{key}" in EXAMPLES else ""
            needed = "list" if isinstance(default, list) else "mapping"
            raise ScenarioError(f"{place}.{key}: must be a {needed}{example}")
        is_right, needed = _type_of(kind, key, default)
        if value is not None and not is_right(value):
            raise ScenarioError(f"{place}.{key}: must be {needed}, not {value!r}")
        choices = CHOICES.get(f"{kind}.{key}")
        if choices and value not in choices:
            raise unknown("value", value, choices, place=f"{place}.{key}")
    return filled
