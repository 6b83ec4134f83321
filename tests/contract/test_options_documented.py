# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options: the tasks, the documentation and the contract define the same options."""

from __future__ import annotations

import re
import typing as t

import pytest
import yaml
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import TOKEN_VARIABLES
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.statuses import STATUSES
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.connection import (
    EXTENSION_VARIABLES,
    URL_VARIABLES,
)

from tests.contract.support import PLUGINS, ROOT, TASKS, documentation, file_options

# Keys of an option that its documentation does not have.
_NOT_DOCUMENTED = ("no_log", "options")
_KEYS = ("type", "elements", "default", "choices", "aliases", "required")

Option = dict[str, t.Any]


def _list(default: list[str] | None = None, **more: t.Any) -> Option:
    return {"type": "list", "elements": "str", **({} if default is None else {"default": default}), **more}


CONNECTION: dict[str, Option] = {
    "api_url": {"type": "str", "default": "https://gitlab.com"},
    "api_token": {"type": "str", "aliases": ["private_token", "access_token"]},
    "api_oauth_token": {"type": "str"},
    "api_job_token": {"type": "str"},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path"},
    "http_headers": {"type": "dict"},
    "validate_certs": {"type": "bool", "default": True},
    "api_timeout": {"type": "float", "default": 30},
    "api_retries": {"type": "int", "default": 5},
    "api_concurrency": {"type": "int", "default": 8},
    "api_requests_per_minute": {"type": "int"},
    "extensions": _list([]),
}
PIPELINE: dict[str, Option] = {
    "project": {"type": "str", "required": True},
    "pipeline_id": {"type": "int"},
    "ref": {"type": "str"},
    "sha": {"type": "str"},
    "merge_request": {"type": "int"},
    "ref_type": {"type": "str", "choices": ["any", "branch", "tag"], "default": "any"},
    "pipeline_source": _list(),
}
JOBS: dict[str, Option] = {
    "job_id": {"type": "int"},
    "name": _list(),
    "stage": _list(),
    "scope": _list(),
    "include_downstream": {"type": "bool", "default": False},
    "allow_empty": {"type": "bool", "default": False},
}
WAITING: dict[str, Option] = {
    "wait": {"type": "bool", "default": False},
    "wait_for": _list(),
    "wait_timeout": {"type": "float", "default": 3600},
    "wait_interval": {"type": "float", "default": 10, "aliases": ["interval"]},
    # a module that only reads must not cancel jobs
    "on_timeout": {"type": "str", "choices": ["fail", "continue"], "default": "fail"},
    "fail_on": _list([]),
}
JOB_WAITING: dict[str, Option] = {
    "pending_timeout": {"type": "float"},
    "ignore_allowed_failures": {"type": "bool", "default": False},
    "log_lines": {"type": "int", "default": 0},
    "log_follow": {"type": "bool", "default": False},
}
CONTRACT: dict[str, dict[str, Option]] = {
    "gitlab_job_info": {
        **CONNECTION,
        **PIPELINE,
        **JOBS,
        **WAITING,
        **JOB_WAITING,
        "include_retried": {"type": "bool", "default": False},
        "limit": {"type": "int", "default": 1000},
        "fields": _list([]),
    },
    "gitlab_job_action": {
        **CONNECTION,
        **PIPELINE,
        **JOBS,
        **WAITING,
        **JOB_WAITING,
        "action": {
            "type": "str",
            "required": True,
            "choices": ["play", "retry", "cancel", "erase", "keep_artifacts", "delete_artifacts"],
        },
        "multiple": {"type": "str", "choices": ["error", "latest", "all"], "default": "error"},
        "job_variables": {"type": "raw"},
        "job_inputs": {"type": "dict"},
        "replay": {"type": "str", "choices": ["never", "failed", "always"], "default": "never"},
        "retry_on": _list([]),
        "max_attempts": {"type": "int"},
        "force": {"type": "bool", "default": False},
        "whole_project": {"type": "bool", "default": False},
        "wait_for_approval": {"type": "bool", "default": False},
        # plain statuses are only for modules that read
        "wait_for": _list(choices=["playable", "started", "finished", "success"]),
        "fields": _list([]),
        "on_timeout": {"type": "str", "choices": ["fail", "cancel", "continue"], "default": "fail"},
        "fail_on": _list(["failed", "canceled", "skipped"]),
        "log_lines": {"type": "int", "default": 20},
    },
    "gitlab_job_download": {
        **CONNECTION,
        **PIPELINE,
        "job_id": {"type": "int"},
        # a single job
        "name": {"type": "str"},
        "include_downstream": {"type": "bool", "default": False},
        "latest_success": {"type": "bool", "default": False},
        "content": {"type": "str", "choices": ["archive", "file", "log", "report", "list"], "default": "archive"},
        "report_type": {"type": "str"},
        "artifact_path": {"type": "str"},
        "recursive": {"type": "bool", "default": True},
        "dest": {"type": "path"},
        "checksum": {"type": "str"},
        "force": {"type": "bool", "default": False},
    },
    "gitlab_job_token_info": {**CONNECTION, "agents": {"type": "bool", "default": False}},
    "gitlab_pipeline_bridges": {
        **CONNECTION,
        **PIPELINE,
        **WAITING,
        "name": _list(),
        "scope": _list(),
        "depth": {"type": "int", "default": 1},
        "include_jobs": {"type": "bool", "default": False},
        "allow_empty": {"type": "bool", "default": False},
    },
}
PIPELINE_WAITING: dict[str, Option] = {
    **WAITING,
    "wait_for": _list(choices=["created", "finished", "success", "manual"]),
    "pending_timeout": {"type": "float"},
    "log_lines": {"type": "int", "default": 20},
}
CONTRACT["gitlab_pipeline"] = {
    **CONNECTION,
    **PIPELINE,
    **PIPELINE_WAITING,
    "action": {"type": "str", "required": True, "choices": ["run", "retry", "cancel"]},
    "variables": {"type": "dict"},
    "inputs": {"type": "dict"},
    "trigger_token": {"type": "str"},
    "reuse": {"type": "str", "choices": ["never", "active", "success"], "default": "active"},
    "on_timeout": {"type": "str", "choices": ["fail", "cancel", "continue"], "default": "fail"},
    "fail_on": _list(["failed", "canceled", "skipped"]),
}
CONTRACT["gitlab_pipeline_info"] = {
    **CONNECTION,
    **PIPELINE,
    **PIPELINE_WAITING,
    "include": _list([], choices=["variables", "test_report", "downstream", "jobs"]),
}
CONTRACT["gitlab_release_gate"] = {
    **CONNECTION,
    "projects": {"type": "list", "elements": "dict", "required": True},
    "title": {"type": "str"},
    "strategy": {"type": "str", "choices": ["fail_fast", "collect"], "default": "fail_fast"},
    "wait_timeout": {"type": "float", "default": 3600},
    "wait_interval": {"type": "float", "default": 10},
    "log_lines": {"type": "int", "default": 20},
    "record": {"type": "path"},
    "report": {"type": "path"},
    "summary": {"type": "path"},
    "junit": {"type": "path"},
    "compare": {"type": "path"},
    "nudges": {"type": "path"},
    "user": {"type": "str"},
}
DEPLOYMENTS: dict[str, Option] = {
    "deployment_id": {"type": "int"},
    "environment": {"type": "str"},
    "status": {
        "type": "str",
        "choices": ["created", "running", "success", "failed", "canceled", "skipped", "blocked"],
    },
}
CONTRACT["gitlab_deployment_info"] = {
    **CONNECTION,
    **PIPELINE,
    **JOBS,
    **DEPLOYMENTS,
    "limit": {"type": "int", "default": 20},
}
CONTRACT["gitlab_deployment_approval"] = {
    **CONNECTION,
    **PIPELINE,
    **JOBS,
    **DEPLOYMENTS,
    "state": {"type": "str", "required": True, "choices": ["approved", "rejected"]},
    "comment": {"type": "str"},
    "represented_as": {"type": "str"},
}
LOOKUP: dict[str, Option] = {
    **CONNECTION,
    **PIPELINE,
    "_terms": _list(),
    "job_name": {"type": "str"},
    "job_id": {"type": "int"},
    "include_downstream": {"type": "bool", "default": False},
    "latest_success": {"type": "bool", "default": False},
    "attribute": {"type": "str"},
    "fields": _list([]),
    "artifact": {"type": "str"},
    "parse": {"type": "str", "choices": ["text", "json", "yaml", "dotenv"], "default": "text"},
    "log": {"type": "bool", "default": False},
    "cache_seconds": {"type": "float", "default": 2},
    "default": {"type": "raw"},
}


def comparable(option: t.Mapping[str, t.Any]) -> Option:
    """Return the keys of an option that matter; missing and null keys are equal."""
    kept: Option = {"type": "str", **{key: option[key] for key in _KEYS if option.get(key) is not None}}
    if not kept.get("required"):
        kept.pop("required", None)
    if "aliases" in kept:
        kept["aliases"] = sorted(kept["aliases"])
    return kept


def comparable_all(options: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, Option]:
    return {name: comparable(option) for name, option in sorted(options.items())}


def test_every_module_has_a_task() -> None:
    modules = {path.stem for path in (PLUGINS / "modules").glob("*.py")}
    assert modules == set(TASKS) == set(CONTRACT)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_documentation_matches_the_options_of_the_task(name: str) -> None:
    documented = comparable_all(documentation(name).doc["options"])
    # Ansible documents the options that it adds
    added = {option: documented.pop(option, None) for option in file_options(name)}
    assert None not in added.values()
    assert documented == comparable_all(TASKS[name].spec.arguments)


def nested(options: t.Mapping[str, t.Any], key: str, path: str = "") -> dict[str, dict[str, Option]]:
    """Return the options inside other options, at any depth, by the path of the outer option."""
    found: dict[str, dict[str, Option]] = {}
    for name, option in options.items():
        if option.get(key):
            found[path + name] = comparable_all(option[key])
            found.update(nested(option[key], key, f"{path}{name}."))
    return found


@pytest.mark.parametrize("name", sorted(TASKS))
def test_documentation_matches_the_suboptions_of_the_task(name: str) -> None:
    assert nested(documentation(name).doc["options"], "suboptions") == nested(TASKS[name].spec.arguments, "options")


def test_role_options_match_its_module() -> None:
    spec = yaml.safe_load((ROOT / "roles" / "release_gate" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    role = spec["argument_specs"]["main"]["options"]
    prefix = "release_gate_"
    assert {name for name in role if not name.startswith(prefix)} == set()
    own = {name[len(prefix) :]: option for name, option in role.items()}
    task = TASKS["gitlab_release_gate"].spec.arguments
    assert nested(own, "options") == nested(task, "options")
    # Ansible would hide even short values of headers in all output; the task hides the long ones
    assert {name: option.get("no_log") for name, option in own.items()} == {
        **{name: option.get("no_log") for name, option in task.items()},
        "http_headers": None,
    }
    taken, offered = comparable_all(task), comparable_all(own)
    for name in CONNECTION:  # the role leaves connection options that are not set to the module
        taken[name].pop("default", None)
        taken[name].pop("aliases", None)
    assert offered == taken


def test_role_defaults_match_its_module() -> None:
    defaults = yaml.safe_load((ROOT / "roles" / "release_gate" / "defaults" / "main.yml").read_text(encoding="utf-8"))
    task = TASKS["gitlab_release_gate"].spec.arguments
    for name in ("strategy", "wait_timeout", "wait_interval", "log_lines"):
        assert defaults[f"release_gate_{name}"] == task[name]["default"]


def test_documented_statuses_match_the_table() -> None:
    scope = documentation("gitlab_job_info").doc["options"]["scope"]
    assert set(re.findall(r"V\((\w+)\)", " ".join(scope["description"]))) == set(STATUSES)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_task_options_match_the_contract(name: str) -> None:
    assert comparable_all(TASKS[name].spec.arguments) == comparable_all(CONTRACT[name])


def test_lookup_options_match_the_contract() -> None:
    assert comparable_all(documentation("gitlab_job", "lookup").doc["options"]) == comparable_all(LOOKUP)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_options_use_only_known_keys(name: str) -> None:
    for option_name, option in TASKS[name].spec.arguments.items():
        assert set(option) <= {*_KEYS, *_NOT_DOCUMENTED}, option_name


@pytest.mark.parametrize("name", sorted(TASKS))
def test_rules_name_existing_options(name: str) -> None:
    spec = TASKS[name].spec
    named = {option for rule in (*spec.mutually_exclusive, *spec.required_one_of) for option in rule}
    named |= {option for rule in spec.required_if for option in (rule[0], *rule[2])}
    assert named <= set(spec.arguments)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_tokens_and_headers_are_hidden(name: str) -> None:
    arguments = TASKS[name].spec.arguments
    hidden = {option for option in arguments if arguments[option].get("no_log")}
    assert hidden == {*TOKEN_VARIABLES, "http_headers", *(("trigger_token",) if name == "gitlab_pipeline" else ())}


VARIABLES = {"api_url": URL_VARIABLES, "extensions": EXTENSION_VARIABLES, **TOKEN_VARIABLES}


@pytest.mark.parametrize("option", sorted(VARIABLES))
def test_environment_variables_are_documented(option: str) -> None:
    text = " ".join(documentation("gitlab_job_info").doc["options"][option]["description"])
    # the first variable that is set wins, so the order matters
    positions = [text.find(f"E({variable})") for variable in VARIABLES[option]]
    assert -1 not in positions
    assert positions == sorted(positions)


@pytest.mark.parametrize("option", sorted(VARIABLES))
def test_lookup_reads_the_same_environment_variables(option: str) -> None:
    documented = documentation("gitlab_job", "lookup").doc["options"][option].get("env", [])
    assert [entry["name"] for entry in documented] == list(VARIABLES[option])
