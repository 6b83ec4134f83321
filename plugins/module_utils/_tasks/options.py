# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The options that tasks share, and their conversion to the values of use cases."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._api.connection import ConnectionSettings
from .._api.errors import UsageError
from .._app.jobs.query import JobQuery
from .._app.jobs.statuses import STATUSES
from .._app.outcome import ProjectProgress
from .._app.pipelines.query import FULL_SHA_LENGTHS, REF_PREFIXES, SHORTEST_SHA, SOURCES, PipelineQuery, is_sha
from .._app.session import Session, TaskContext, open_session
from .._app.settings import DEFAULT_URL
from .values.arguments import ArgumentSpec, Options
from .values.connection import TokenVariables, connection_settings
from .values.mistakes import choice_mistake, close_values

if t.TYPE_CHECKING:
    from .._app.waiting.options import WaitOptions

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
        "api_timeout": {"type": "float", "default": ConnectionSettings.timeout_seconds},
        "api_retries": {"type": "int", "default": ConnectionSettings.retries},
        "api_concurrency": {"type": "int", "default": ConnectionSettings.concurrency},
        "api_requests_per_minute": {"type": "int"},
        "extensions": {"type": "list", "elements": "str", "default": []},
    },
    mutually_exclusive=(("api_token", "api_oauth_token", "api_job_token"),),
)

# The ways to select a pipeline; a task uses one of them.
PIPELINE_SELECTORS = ("pipeline_id", "ref", "sha", "merge_request")

PIPELINE_SELECTION = ArgumentSpec(
    arguments={
        "project": {"type": "str", "required": True},
        "pipeline_id": {"type": "int"},
        "ref": {"type": "str"},
        "sha": {"type": "str"},
        "merge_request": {"type": "int"},
        "ref_type": {"type": "str", "choices": ["any", *REF_PREFIXES], "default": "any"},
        "pipeline_source": {"type": "list", "elements": "str"},
    },
    mutually_exclusive=(
        ("pipeline_id", "ref", "merge_request"),
        ("pipeline_id", "sha", "merge_request"),
    ),
)

# Source: git-check-ref-format
_NO_REF = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[/-]|[/.]\Z|(?:^|/)\.|\.lock(?:/|\Z)|^@\Z|^refs/(?:heads|tags)\Z"
)

JOB_FILTERS = ("name", "stage", "scope")

JOB_SELECTION = PIPELINE_SELECTION.merged(
    arguments={
        "job_id": {"type": "int"},
        "name": {"type": "list", "elements": "str"},
        "stage": {"type": "list", "elements": "str"},
        "scope": {"type": "list", "elements": "str"},
        "include_downstream": {"type": "bool", "default": False},
        "allow_empty": {"type": "bool", "default": False},
    },
    mutually_exclusive=tuple(("job_id", name) for name in (*PIPELINE_SELECTORS, *JOB_FILTERS)),
)


def session_of(
    options: Options,
    context: TaskContext,
    waiting: WaitOptions | None = None,
    *,
    token_variables: TokenVariables | None = None,
) -> Session:
    """Return a session with the connection of the options and the timeout of the task.

    :param waiting: how the task waits, None if it does not.
    :param token_variables: the variables to search if no option sets a token, None for the usual ones.
    """
    settings = connection_settings(options, context.environ, token_variables=token_variables)
    if options.get("project"):
        context = dataclasses.replace(context, progress=ProjectProgress(context.progress, str(options["project"])))
    if waiting is None:
        return open_session(settings, context)
    return open_session(settings, context, timeout_seconds=waiting.timeout_seconds, is_waiting=waiting.is_patient)


def pipeline_query(options: Options) -> PipelineQuery:
    """Return which pipeline the options select.

    :raises UsageError: for values that can never match, or cannot be used together.
    """
    for name in ("job_id", "pipeline_id", "merge_request", "deployment_id"):
        value = options.get(name)
        if value is not None and value <= 0:
            raise UsageError(f"{name} is {value}; ids start at 1")
    ref, ref_type = _ref(options)
    sources = text_list(options, "pipeline_source")
    if options.get("pipeline_source") == []:
        raise UsageError("pipeline_source is an empty list, which matches no pipeline; omit it to allow any source")
    for source in sources:
        meant = close_values(source, SOURCES) if source not in SOURCES else ""
        if meant:
            raise UsageError(f"pipeline_source contains {source!r}; {meant}")
    query = PipelineQuery(
        project=str(options["project"]),
        pipeline_id=options.get("pipeline_id"),
        ref=ref,
        sha=_sha(options),
        merge_request=options.get("merge_request"),
        ref_type=ref_type,
        sources=sources,
    )
    if ref is None and ref_type != "any":
        raise UsageError("ref_type can only be used with ref")
    if sources and (query.pipeline_id is not None or not query.is_given):
        raise UsageError("pipeline_source can only be used with ref, sha and merge_request")
    return query


def _ref(options: Options) -> tuple[str | None, str]:
    """Return the name of the branch or tag, and its type."""
    given, kind = options.get("ref"), options.get("ref_type") or "any"
    if given is None:
        return None, kind
    ref = plain_text("ref", given)
    if ref == "HEAD" or ref.startswith(("origin/", "refs/remotes/")):
        raise UsageError(f"ref {ref!r} is a local Git name; use the name of the branch or tag as GitLab shows it")
    if _NO_REF.search(ref):
        raise UsageError(f"ref {ref!r} is not a name that Git allows for a branch or tag")
    if len(ref) in FULL_SHA_LENGTHS and is_sha(ref):
        raise UsageError(f"ref {ref!r} is a commit id; set sha to it, and ref only to a branch or tag")
    for prefix_type, prefix in REF_PREFIXES.items():
        if ref.startswith(prefix) and len(ref) > len(prefix):
            if kind not in ("any", prefix_type):
                raise UsageError(f"ref {ref!r} is a {prefix_type}, but ref_type is {kind}; remove ref_type")
            return ref[len(prefix) :], prefix_type
    return ref, kind


def _sha(options: Options) -> str | None:
    given = options.get("sha")
    if given is None:
        return None
    sha = plain_text("sha", given)
    if not is_sha(sha):
        raise UsageError(
            f"sha {sha!r} is not a commit id; use all {FULL_SHA_LENGTHS[0]} hexadecimal digits, or at least the first "
            f"{SHORTEST_SHA}"
        )
    return sha.lower()


def plain_text(name: str, value: t.Any) -> str:
    """Return a string that GitLab compares unchanged.

    :raises UsageError: if it has spaces or line breaks around it, which never match.
    """
    text = str(value)
    if text != text.strip():
        raise UsageError(f"{name} is {text!r}; remove the spaces or line breaks around it")
    return text


def job_query(options: Options, **how: t.Any) -> JobQuery:
    """Return which jobs the options select.

    :param how: more fields of the query, which depend on the task.
    :raises UsageError: for values that cannot be used, or cannot be used together.
    """
    query = JobQuery(
        pipeline=pipeline_query(options),
        job_id=options.get("job_id"),
        names=parts_of(options, "name"),
        may_be_split=True,
        may_be_by_id=True,
        stages=text_list(options, "stage"),
        scope=text_list(options, "scope"),
        allow_empty=bool(options.get("allow_empty")),
        is_empty=[] in (options.get("name"), options.get("stage")),
        include_downstream=bool(options.get("include_downstream")),
        **how,
    )
    check_statuses("scope", query.scope, tuple(STATUSES))
    if query.include_downstream and query.job_id is not None:
        raise UsageError("include_downstream cannot be used with job_id")
    return query


def text_list(options: Options, name: str) -> tuple[str, ...]:
    """Return a list option without duplicates, and without the spaces after the commas of a string.

    :raises UsageError: if it contains a string that never matches.
    """
    return tuple(dict.fromkeys(value.lstrip(" ") for value in parts_of(options, name)))


def parts_of(options: Options, name: str) -> tuple[str, ...]:
    """Return a list option with the spaces that a string had before Ansible split it at commas: it may be one name.

    :raises UsageError: as `text_list`.
    """
    values = tuple(str(value) for value in options.get(name) or ())
    for number, value in enumerate(values):
        plain_text(name, value.lstrip(" ") if number else value)
    return values


def check_statuses(name: str, values: t.Sequence[str], known: t.Sequence[str]) -> None:
    """Check that all values are known.

    :raises UsageError: for the first unknown value.
    """
    for value in values:
        problem = choice_mistake(f"{name} contains {value!r}", value, known)
        if problem:
            raise UsageError(problem)
