# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ref, source and user of a new pipeline, and its predefined variables.

Source: https://docs.gitlab.com/ci/variables/predefined_variables/
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

MERGE_REQUEST: t.Final = "merge_request_event"
_LONGEST_SLUG: t.Final = 63


@dataclasses.dataclass(frozen=True)
class Context:
    """A request for a pipeline.

    :ivar ref: the name of the branch or tag; of a merge request, its source branch.
    :ivar merge_request: the number within the project, of the pipeline of a merge request.
    :ivar variables: those of whoever creates the pipeline.
    :ivar inputs: of the pipeline; is_form says that they came as form data.
    :ivar chain: the keys of the pipelines above.
    """

    project: str
    project_id: int
    ref: str
    tag: bool
    source: str
    sha: str
    default_branch: str = "main"
    is_protected: bool = False
    merge_request: int | None = None
    user: str = "somebody"
    server_url: str = "http://127.0.0.1"
    variables: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    inputs: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    is_form: bool = False
    chain: tuple[tuple[str, str, str], ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """The key that must not be repeated in a chain of pipelines that trigger each other."""
        return (self.project, self.ref, self.source)

    @property
    def is_branch(self) -> bool:
        return not self.tag and self.merge_request is None

    @property
    def has_changes(self) -> bool:
        """Whether GitLab knows what changed: after the push of a branch, and in a merge request."""
        return self.merge_request is not None or (self.source == "push" and self.is_branch)


def slug(text: str) -> str:
    """Return a name in lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]", "-", text.lower())[:_LONGEST_SLUG].strip("-")


def predefined(context: Context) -> dict[str, str]:
    """Return the variables that rules can use before jobs exist."""
    group, _slash, name = context.project.rpartition("/")
    host = context.server_url.partition("://")[2]
    found = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_SERVER": "yes",
        "CI_SERVER_NAME": "GitLab",
        "CI_SERVER_URL": context.server_url,
        "CI_SERVER_HOST": host.partition(":")[0],
        "CI_SERVER_FQDN": host,
        "CI_SERVER_PROTOCOL": context.server_url.partition(":")[0],
        "CI_API_V4_URL": f"{context.server_url}/api/v4",
        "CI_CONFIG_PATH": ".gitlab-ci.yml",
        "CI_PROJECT_ID": str(context.project_id),
        "CI_PROJECT_NAME": name,
        "CI_PROJECT_TITLE": name,
        "CI_PROJECT_NAMESPACE": group,
        "CI_PROJECT_ROOT_NAMESPACE": group.partition("/")[0],
        "CI_PROJECT_PATH": context.project,
        "CI_PROJECT_PATH_SLUG": slug(context.project),
        "CI_PROJECT_URL": f"{context.server_url}/{context.project}",
        "CI_DEFAULT_BRANCH": context.default_branch,
        "CI_DEFAULT_BRANCH_SLUG": slug(context.default_branch),
        "CI_PIPELINE_SOURCE": context.source,
        "CI_COMMIT_SHA": context.sha,
        "CI_COMMIT_SHORT_SHA": context.sha[:8],
        "CI_COMMIT_BEFORE_SHA": "0" * 40,
        "CI_COMMIT_REF_NAME": context.ref,
        "CI_COMMIT_REF_SLUG": slug(context.ref),
        "CI_COMMIT_REF_PROTECTED": "true" if context.is_protected else "false",
        "CI_COMMIT_TITLE": "Change the code",
        "CI_COMMIT_MESSAGE": "Change the code\n",
        "GITLAB_USER_LOGIN": context.user,
        "GITLAB_USER_NAME": context.user.capitalize(),
    }
    if context.tag:
        found["CI_COMMIT_TAG"] = context.ref
    elif context.merge_request is None:
        found["CI_COMMIT_BRANCH"] = context.ref
    else:
        found |= _of_merge_request(context)
    if context.source == "trigger":
        found["CI_PIPELINE_TRIGGERED"] = "true"
    return found


def _of_merge_request(context: Context) -> dict[str, str]:
    number = str(context.merge_request)
    url = f"{context.server_url}/{context.project}"
    source = {
        "BRANCH_NAME": context.ref,
        "BRANCH_PROTECTED": "true" if context.is_protected else "false",
        "BRANCH_SHA": "",
        "PROJECT_ID": str(context.project_id),
        "PROJECT_PATH": context.project,
        "PROJECT_URL": url,
    }
    found = {
        "ID": number,
        "IID": number,
        "REF_PATH": f"refs/merge-requests/{number}/head",
        "PROJECT_ID": str(context.project_id),
        "PROJECT_PATH": context.project,
        "PROJECT_URL": url,
        "TITLE": f"Merge request {number}",
        "EVENT_TYPE": "detached",
        "DRAFT": "false",
        "TARGET_BRANCH_NAME": context.default_branch,
        "TARGET_BRANCH_PROTECTED": "true",
        "TARGET_BRANCH_SHA": "",
        **{f"SOURCE_{name}": value for name, value in source.items()},
    }
    return {f"CI_MERGE_REQUEST_{name}": value for name, value in found.items()}


_ANY: t.Final = Context(project="", project_id=0, ref="", tag=True, source="trigger", sha="")
# All predefined variables for any pipeline; some belong to single jobs.
NAMES: t.Final = frozenset(
    {
        "CI_JOB_NAME", "CI_JOB_NAME_SLUG", "CI_JOB_STAGE", "CI_NODE_INDEX", "CI_NODE_TOTAL", "CI_ENVIRONMENT_NAME",
        "CI_COMMIT_BRANCH", *predefined(_ANY), *_of_merge_request(_ANY),
    }
)  # fmt: skip
