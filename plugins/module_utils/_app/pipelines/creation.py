# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Why GitLab has not created a pipeline, and what to do about it. All of it is by GitLab's own words.

Source: `Gitlab::Ci::Pipeline::Chain`, whose steps refuse in this order.
"""

from __future__ import annotations

from ..._api.errors import StatusError, capitalized
from ..session import Session
from ..writes.roles import NO_CI, why_forbidden
from .query import RunRequest

_TOO_MANY = "too many pipelines created"
# What to do, and words of GitLab's text in small letters, of this release or an older one; the first row that fits
# counts.
_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "The project does not let this user set variables of pipelines{without}, or let a maintainer lower the minimum "
        "role to use pipeline variables in the settings of the project",
        ("permissions to set pipeline variables",),
    ),
    (
        "The ref is protected: the user needs the right to push or merge to the branch, or to create the tag",
        ("permission to run a pipeline on", "permissions for protected ref"),
    ),
    (
        "The user of the token, of trigger_token as well, needs the Developer role in the project, which must not be "
        "archived",
        ("permissions to create a new pipeline",),
    ),
    ("A branch and a tag have this name: set ref_type to branch or tag", ("ref is ambiguous",)),
    ("{missing_ref}", ("reference not found",)),
    ("The ref has no commit yet: push one", ("commit not found",)),
    (NO_CI, ("pipelines are disabled", "pipeline is disabled")),
    ("Wait until the import of the project is complete", ("project import",)),
    ("Give each variable once", ("duplicate variable name",)),
    (
        "Add a .gitlab-ci.yml to the ref, or set its path in the settings of the project",
        ("missing ci config file", "missing .gitlab-ci.yml"),
    ),
    (
        "The workflow rules of the project let no pipeline of this source begin: allow $CI_PIPELINE_SOURCE {source} "
        "there, or give the variables that they look for",
        ("workflow",),
    ),
    (
        "The rules of the jobs leave none of them: allow $CI_PIPELINE_SOURCE {source}, or give the variables that they "
        "look for",
        ("have been empty", "prevented any jobs", "no stages / jobs"),
    ),
    ("Wait for pipelines of the project to end, or cancel some", ("jobs in active pipelines",)),
    ("Run the task again in a minute, or give it more time with wait_timeout", (_TOO_MANY,)),
    ("Check inputs against spec:inputs in the CI/CD configuration of the ref", ("input",)),
)
# How to do without variables, by whether a trigger token is used.
_WITHOUT_VARIABLES = {
    False: ": use inputs",
    True: ", and GitLab itself adds TRIGGER_PAYLOAD to what a trigger token starts: start it without trigger_token",
}
_OF_CONFIGURATION = "Correct the CI/CD configuration of the ref; the pipeline editor of GitLab shows what is wrong"
_FORBIDDEN = (
    "The usual reasons: the user of the token has no Developer role in the project, or CI/CD is switched off there"
)
# By the status with which GitLab answers to a trigger token, beside which it looks at no other credential.
_OF_TRIGGER = {
    401: "trigger_token is that of a CI job, which works only while its job is running",
    404: "GitLab answers so to an unknown project and to a trigger_token that is unknown, expired or of another "
    "project: check project and trigger_token",
}


def is_over_limit(exc: StatusError) -> bool:
    """Return whether too many pipelines were created in the last minute: nothing was created, and it will pass."""
    return _TOO_MANY in exc.server_text.lower()


def explain_refusal(session: Session, exc: StatusError, request: RunRequest) -> None:
    """Say in an error of creating a pipeline what to do about it."""
    is_triggered = bool(request.trigger_token)
    text = exc.server_text.lower()
    advice = next((advice for advice, texts in _ROWS if any(words in text for words in texts)), "")
    if advice and exc.status in (400, 422):
        exc.advice = advice.format(
            source=request.sources[0],
            missing_ref=capitalized(request.missing_ref),
            without=_WITHOUT_VARIABLES[is_triggered],
        )
    elif exc.status in (400, 422) and exc.has_reason:
        exc.advice = exc.advice or _OF_CONFIGURATION
    elif is_triggered and exc.status in _OF_TRIGGER:
        exc.advice = _OF_TRIGGER[exc.status]
    elif exc.status == 403 and not exc.has_reason and session.client.settings.token_kind:
        exc.advice = _FORBIDDEN if is_triggered else why_forbidden(session, request.project, ())
