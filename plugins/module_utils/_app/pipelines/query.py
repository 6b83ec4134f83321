# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Queries for pipelines, requests for new ones, and their descriptions in messages."""

from __future__ import annotations

import dataclasses
import string
import typing as t

from ..._api.decoding import Record
from ..._api.errors import capitalized, with_sentence
from ..fields import id_of

FULL_SHA_LENGTHS = (40, 64)
SHORTEST_SHA = 7
REF_PREFIXES = {"branch": "refs/heads/", "tag": "refs/tags/"}
REUSES = ("never", "active", "success")
# Newer servers may have more, so only a similar name is treated as a mistake.
# Source: `Enums::Ci::Pipeline` of GitLab
SOURCES = (
    "push",
    "web",
    "trigger",
    "schedule",
    "api",
    "external",
    "pipeline",
    "chat",
    "webide",
    "merge_request_event",
    "external_pull_request_event",
    "parent_pipeline",
    "ondemand_dast_scan",
    "ondemand_dast_validation",
    "security_orchestration_policy",
    "container_registry_push",
    "duo_workflow",
    "pipeline_execution_policy_schedule",
)


def is_sha(text: str) -> bool:
    """Return whether a string is the sha of a commit, or its first digits."""
    is_hexadecimal = all(digit in string.hexdigits for digit in text)
    return is_hexadecimal and (SHORTEST_SHA <= len(text) <= FULL_SHA_LENGTHS[0] or len(text) in FULL_SHA_LENGTHS)


@dataclasses.dataclass(frozen=True)
class PipelineQuery:
    """The pipeline to look for, or, without any of the values, the whole project.

    :param sha: the full sha of a commit, or its first digits.
    :param ref_type: `any`, `branch` or `tag`, for a ref that may be both.
    :param sources: only pipelines with one of these sources; empty for any.
    :param project_called: the name of the project in messages, if it is not `project`.
    """

    project: str
    pipeline_id: int | None = None
    ref: str | None = None
    sha: str | None = None
    merge_request: int | None = None
    ref_type: str = "any"
    sources: tuple[str, ...] = ()
    project_called: str = ""

    @property
    def is_given(self) -> bool:
        """Return whether the query is for a pipeline."""
        return any(value is not None for value in (self.pipeline_id, self.ref, self.sha, self.merge_request))

    @property
    def is_overdetermined(self) -> bool:
        """Return whether the query specifies a pipeline in more than one way; ref and sha together are one."""
        selectors = (self.pipeline_id, self.merge_request, self.ref if self.ref is not None else self.sha)
        return sum(selector is not None for selector in selectors) > 1

    def describe(self) -> str:
        """Return what the query is for, as part of a sentence."""
        project = self.project_called or self.project
        if self.pipeline_id is not None:
            return f"pipeline {self.pipeline_id} of project {project}"
        source = f" with source {' or '.join(self.sources)}" if self.sources else ""
        if self.merge_request is not None:
            return f"pipeline of merge request {self.merge_request}{source} in project {project}"
        kind = "ref" if self.ref_type == "any" else self.ref_type
        wanted = [f"{word} {value}" for word, value in ((kind, self.ref), ("commit", self.sha)) if value is not None]
        if not wanted:
            return f"project {project}"
        return f"pipeline of {' and '.join(wanted)}{source} in project {project}"

    @property
    def called(self) -> str:
        """Return what the query is for, with an article if it needs one."""
        has_id = self.pipeline_id is not None or not self.is_given
        return self.describe() if has_id else f"the {self.describe()}"


@dataclasses.dataclass(frozen=True)
class RunRequest:
    """The pipeline to start.

    :param ref: name of a branch or tag, without `refs/heads/` or `refs/tags/`.
    :param sha: the commit that the ref must point to, as a full sha or its first digits; None for any.
    :param trigger_token: starts it as the owner of this token; empty to start it as the user of the session's token.
    :param reuse: which existing pipelines count as the requested one: none (`never`), an active one (`active`), or also
        a successful one (`success`).
    """

    project: str
    ref: str
    ref_type: str = "any"
    sha: str | None = None
    variables: tuple[Record, ...] = ()
    inputs: t.Mapping[str, t.Any] | None = None
    trigger_token: str = ""
    reuse: str = "active"

    @property
    def variables_by_name(self) -> dict[str, str]:
        return {str(variable["key"]): str(variable["value"]) for variable in self.variables}

    def is_like(self, other: RunRequest) -> bool:
        """Return whether another request for a pipeline of the same ref has the same variables and inputs."""
        return self.variables_by_name == other.variables_by_name and (self.inputs or {}) == (other.inputs or {})

    @property
    def full_ref(self) -> str:
        """Return the ref, made unambiguous by a prefix if `ref_type` is set."""
        return REF_PREFIXES.get(self.ref_type, "") + self.ref

    @property
    def missing_ref(self) -> str:
        kind = "branch or tag" if self.ref_type == "any" else self.ref_type
        text = f"there is no {kind} {self.ref!r} in project {self.project}"
        return f"{text}; a commit is not a ref" if is_sha(self.ref) else text

    @property
    def sources(self) -> tuple[str, ...]:
        # with a job token, the source is pipeline
        return ("trigger", "pipeline") if self.trigger_token else ("api",)


def describe(pipeline: Record) -> str:
    """Return a description of a pipeline; its URL is in parentheses, so that no punctuation touches it."""
    address = f" ({pipeline['web_url']})" if pipeline.get("web_url") else ""
    return ", ".join([f"pipeline {id_of(pipeline)}", *facts(pipeline)]) + address


def facts(pipeline: Record) -> list[str]:
    """Return the details of a pipeline in addition to its id and URL."""
    return [f"{name} {pipeline[name]}" for name in ("source", "ref", "status") if pipeline.get(name)]


def with_pipeline(text: str, query: PipelineQuery, pipeline: Record | None) -> str:
    """Return the text of an error, with the pipeline found for a ref, commit or merge request, mentioned once."""
    if not text or not pipeline or not query.is_given or query.pipeline_id is not None or _is_named(pipeline, text):
        return text
    return with_sentence(text, capitalized(describe(pipeline)))


def _is_named(pipeline: Record, text: str) -> bool:
    """Return whether a text describes the pipeline, with more than its id."""
    url = str(pipeline.get("web_url") or "")
    has_url = bool(url) and any(word.strip("(),.;:") == url for word in text.split())
    return has_url or f"pipeline {id_of(pipeline)}," in text


def missing_pipeline(query: PipelineQuery, *, may_wait: bool = False) -> str:
    """Return the message for a missing pipeline.

    :param may_wait: whether the message should suggest `wait`.
    """
    options = {
        "ref": query.ref,
        "sha": query.sha,
        "merge_request": query.merge_request,
        "pipeline_source": query.sources,
    }
    given = " and ".join(name for name, value in options.items() if value)
    begin = f"there is no {query.describe()}; check {given}"
    return f"{begin}, start a pipeline, or use wait to wait for one" if may_wait else f"{begin}, or start a pipeline"
