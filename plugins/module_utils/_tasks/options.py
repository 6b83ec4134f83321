# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The options that tasks share, and how they become the values that use cases take."""

from __future__ import annotations

import typing as t

from .._api.decoding import Record
from .._api.endpoints import to_text
from .._api.errors import UsageError
from .._app.jobs.query import JobQuery
from .._app.jobs.statuses import STATUSES
from .._app.pipelines.query import PipelineQuery
from .._app.settings import DEFAULT_URL, EXTENSION_VARIABLES, URL_VARIABLES
from .definition import ArgumentSpec, Options

CONNECTION = ArgumentSpec(
    arguments={
        "api_url": {"type": "str", "default": DEFAULT_URL},
        "api_token": {"type": "str", "no_log": True, "aliases": ["private_token", "access_token"]},
        "api_oauth_token": {"type": "str", "no_log": True},
        "api_job_token": {"type": "str", "no_log": True},
        "ca_path": {"type": "path"},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path", "no_log": False},
        "http_headers": {"type": "dict", "no_log": True},
        "validate_certs": {"type": "bool", "default": True},
        "api_timeout": {"type": "float", "default": 30.0},
        "api_retries": {"type": "int", "default": 5},
        "api_concurrency": {"type": "int", "default": 8},
        "extensions": {"type": "list", "elements": "str", "default": []},
    },
    mutually_exclusive=(("api_token", "api_oauth_token", "api_job_token"),),
)

# Options that take their value from the environment when they are not given. Tokens do, too, but a token given as an
# option must win over another kind of token in the environment, which only the settings can tell.
ENVIRONMENT_FALL_BACKS: t.Mapping[str, tuple[str, ...]] = {
    "api_url": URL_VARIABLES,
    "extensions": EXTENSION_VARIABLES,
}

PIPELINE_SELECTION = ArgumentSpec(
    arguments={
        "project": {"type": "str", "required": True},
        "pipeline_id": {"type": "int"},
        "ref": {"type": "str"},
        "sha": {"type": "str"},
        "merge_request": {"type": "int"},
    },
    mutually_exclusive=(
        ("pipeline_id", "ref", "merge_request"),
        ("pipeline_id", "sha", "merge_request"),
    ),
)

# A job's id needs nothing beside it.
JOB_ID_ALONE = tuple(("job_id", name) for name in ("pipeline_id", "ref", "sha", "merge_request", "name"))

JOB_SELECTION = PIPELINE_SELECTION.merged(
    ArgumentSpec(
        arguments={
            "job_id": {"type": "int"},
            "name": {"type": "list", "elements": "str"},
            "stage": {"type": "list", "elements": "str"},
            "scope": {"type": "list", "elements": "str"},
            "include_downstream": {"type": "bool", "default": False},
        },
        mutually_exclusive=(*JOB_ID_ALONE, ("job_id", "stage"), ("job_id", "scope")),
    )
)

WAITING = ArgumentSpec(
    arguments={
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "float", "default": 3600.0},
        "wait_interval": {"type": "float", "default": 10.0, "aliases": ["interval"]},
        "on_timeout": {"type": "str", "choices": ["fail", "continue"], "default": "fail"},
        "fail_on": {"type": "list", "elements": "str", "default": []},
    },
)

# Only where single jobs are waited for.
JOB_WAITING = WAITING.merged(
    ArgumentSpec(
        arguments={
            "pending_timeout": {"type": "float"},
            "ignore_allowed_failures": {"type": "bool", "default": False},
            "log_lines": {"type": "int", "default": 0},
            "log_follow": {"type": "bool", "default": False},
        }
    )
)

WAIT_FOR = ArgumentSpec(arguments={"wait_for": {"type": "list", "elements": "str", "default": ["finished"]}})


def job_query(options: Options, **how: t.Any) -> JobQuery:
    """Return which jobs the options ask for.

    :param how: further fields of the query, by what the task does with the jobs.
    :raises UsageError: for values that cannot be used, or not together.
    """
    query = JobQuery(
        pipeline=PipelineQuery.of(options),
        job_id=options.get("job_id"),
        names=text_list(options, "name"),
        stages=text_list(options, "stage"),
        scope=text_list(options, "scope"),
        include_downstream=bool(options.get("include_downstream")),
        **how,
    )
    check_statuses("scope", query.scope, tuple(STATUSES))
    if query.include_downstream and query.job_id is not None:
        raise UsageError("include_downstream has no meaning with job_id; leave one of them out")
    return query


def text_list(options: Options, name: str) -> tuple[str, ...]:
    """Return a list option without repeats.

    :raises UsageError: when it holds an empty text, which a forgotten variable leaves behind.
    """
    values = tuple(dict.fromkeys(str(value) for value in options.get(name) or ()))
    if any(not value.strip() for value in values):
        raise UsageError(f"{name} holds an empty text; give names, or leave the option out")
    return values


def check_statuses(name: str, values: t.Sequence[str], known: t.Sequence[str]) -> None:
    """Return when all values are known.

    :raises UsageError: naming the first one that is not.
    """
    for value in values:
        if value not in known:
            raise UsageError(f"{name} holds {value!r}, which is none of {', '.join(dict.fromkeys(known))}")


_KINDS: t.Mapping[type, str] = {type(None): "null", list: "a list", dict: "a mapping"}


def job_variables(variables: t.Mapping[str, t.Any]) -> tuple[Record, ...]:
    """Return job variables as GitLab takes them; numbers and booleans become texts.

    :raises UsageError: for a value that is neither text, number nor boolean.
    """
    for key, value in variables.items():
        if not isinstance(value, (str, int, float)):
            kind = _KINDS.get(type(value), f"a value of type {type(value).__name__}")
            raise UsageError(
                f"job_variables: {key} is {kind}, and GitLab takes only text there; give a text, a number or a "
                "boolean, for example with the filter to_json"
            )
    return tuple({"key": str(key), "value": to_text(value)} for key, value in variables.items())
