# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this is a private part of the collection: no other collection may import it.

"""Options of the lookup, made from its documentation by `make lookup-options`; change that instead."""

from __future__ import annotations

import typing as t

OPTIONS: dict[str, dict[str, t.Any]] = {
    "_terms": {"elements": "str", "required": True, "type": "list"},
    "api_concurrency": {
        "default": 8,
        "ini": [{"key": "api_concurrency", "section": "jobgate_gitlab"}],
        "type": "int",
        "vars": [{"name": "jobgate_gitlab_api_concurrency"}],
    },
    "api_job_token": {
        "ini": [{"key": "api_job_token", "section": "jobgate_gitlab"}],
        "type": "str",
        "vars": [{"name": "jobgate_gitlab_api_job_token"}],
    },
    "api_oauth_token": {
        "env": [{"name": "GITLAB_OAUTH_TOKEN"}],
        "ini": [{"key": "api_oauth_token", "section": "jobgate_gitlab"}],
        "type": "str",
        "vars": [{"name": "jobgate_gitlab_api_oauth_token"}],
    },
    "api_retries": {
        "default": 5,
        "ini": [{"key": "api_retries", "section": "jobgate_gitlab"}],
        "type": "int",
        "vars": [{"name": "jobgate_gitlab_api_retries"}],
    },
    "api_timeout": {
        "default": 30,
        "ini": [{"key": "api_timeout", "section": "jobgate_gitlab"}],
        "type": "float",
        "vars": [{"name": "jobgate_gitlab_api_timeout"}],
    },
    "api_token": {
        "aliases": ["private_token", "access_token"],
        "env": [{"name": "GITLAB_PRIVATE_TOKEN"}, {"name": "GITLAB_TOKEN"}, {"name": "GITLAB_API_TOKEN"}],
        "ini": [{"key": "api_token", "section": "jobgate_gitlab"}],
        "type": "str",
        "vars": [{"name": "jobgate_gitlab_api_token"}],
    },
    "api_url": {
        "default": "https://gitlab.com",
        "env": [
            {"name": "CI_SERVER_URL"},
            {"name": "GITLAB_SERVER_URL"},
            {"name": "GITLAB_URL"},
            {"name": "GITLAB_API_URL"},
        ],
        "ini": [{"key": "api_url", "section": "jobgate_gitlab"}],
        "type": "str",
        "vars": [{"name": "jobgate_gitlab_api_url"}],
    },
    "artifact": {"type": "str"},
    "attribute": {"type": "str"},
    "ca_path": {
        "ini": [{"key": "ca_path", "section": "jobgate_gitlab"}],
        "type": "path",
        "vars": [{"name": "jobgate_gitlab_ca_path"}],
    },
    "cache_seconds": {"default": 2, "type": "float"},
    "default": {"type": "raw"},
    "extensions": {
        "default": [],
        "elements": "str",
        "env": [{"name": "JOBGATE_EXTENSIONS"}],
        "ini": [{"key": "extensions", "section": "jobgate_gitlab"}],
        "type": "list",
        "vars": [{"name": "jobgate_gitlab_extensions"}],
    },
    "fields": {"default": [], "elements": "str", "type": "list"},
    "include_downstream": {"default": False, "type": "bool"},
    "log": {"default": False, "type": "bool"},
    "merge_request": {"type": "int"},
    "parse": {"choices": ["text", "json", "yaml", "dotenv"], "default": "text", "type": "str"},
    "pipeline_id": {"type": "int"},
    "project": {"required": True, "type": "str"},
    "ref": {"type": "str"},
    "sha": {"type": "str"},
    "validate_certs": {
        "default": True,
        "ini": [{"key": "validate_certs", "section": "jobgate_gitlab"}],
        "type": "bool",
        "vars": [{"name": "jobgate_gitlab_validate_certs"}],
    },
}
