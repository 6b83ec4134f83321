# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Explain why GitLab did not create a pipeline, and what to do, by the text of its error.

Source: `Gitlab::Ci::Pipeline::Chain`, whose steps refuse in this order.
"""

from __future__ import annotations

from ..._api.errors import StatusError, capitalized
from ..session import Session
from ..writes.roles import NO_CI, why_forbidden
from .query import RunRequest

_TOO_MANY = "too many pipelines created"
# Advice, and words in lower case from the errors of current or older GitLab releases; the first matching row counts.
_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "This user may not set pipeline variables in the project{without}, or let a maintainer lower the minimum role "
        "to use pipeline variables in the settings of the project",
        ("permissions to set pipeline variables",),
    ),
    (
        "The ref is protected: the user needs the right to push or merge to the branch, or to create the tag",
        ("permission to run a pipeline on", "permissions for protected ref"),
    ),
    (
        "The user of the token, also of trigger_token, needs the Developer role in the project, which must not be "
        "archived",
        ("permissions to create a new pipeline",),
    ),
    ("A branch and a tag have this name: set ref_type to branch or tag", ("ref is ambiguous",)),
    ("{missing_ref}", ("reference not found",)),
    ("The ref has no commit yet: push one", ("commit not found",)),
    (NO_CI, ("pipelines are disabled", "pipeline is disabled")),
    ("Wait until the import of the project is complete", ("project import",)),
    ("Set each variable only once", ("duplicate variable name",)),
    (
        "Add a .gitlab-ci.yml to the ref, or set its path in the settings of the project",
        ("missing ci config file", "missing .gitlab-ci.yml"),
    ),
    (
        "The workflow rules of the project do not allow a pipeline of this source: allow $CI_PIPELINE_SOURCE {source} "
        "there, or set the variables that they check",
        ("workflow",),
    ),
    (
        "The rules of the jobs exclude all of them: allow $CI_PIPELINE_SOURCE {source}, or set the variables that they "
        "check",
        ("have been empty", "prevented any jobs", "no stages / jobs"),
    ),
    ("Wait for pipelines of the project to end, or cancel some", ("jobs in active pipelines",)),
    ("Run the task again in a minute, or raise wait_timeout", (_TOO_MANY,)),
    ("Check inputs against spec:inputs in the CI/CD configuration of the ref", ("input",)),
)
# How to avoid variables, by whether a trigger token is used.
_WITHOUT_VARIABLES = {
    False: ": use inputs",
    True: ", and GitLab adds the variable TRIGGER_PAYLOAD for a trigger token: start it without trigger_token",
}
_OF_CONFIGURATION = "Correct the CI/CD configuration of the ref; the pipeline editor of GitLab shows what is wrong"
_FORBIDDEN = (
    "The usual reasons: the user of the token lacks the Developer role in the project, or CI/CD is disabled there"
)
# The advice by status of the response to a trigger token. GitLab then ignores all other credentials.
_OF_TRIGGER = {
    401: "trigger_token is a CI job token, which works only while its job is running",
    404: "GitLab answers 404 if the project is unknown, or if trigger_token is unknown, expired or of another project: "
    "check project and trigger_token",
}


def is_over_limit(exc: StatusError) -> bool:
    """Return whether too many pipelines were created in the last minute: nothing was created, but can be later."""
    return _TOO_MANY in exc.server_text.lower()


def explain_refusal(session: Session, exc: StatusError, request: RunRequest) -> None:
    """Add advice to the error of a request to create a pipeline."""
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
