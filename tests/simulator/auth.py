# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the identity behind the credentials of a request (topics: authentication, 401 and 403)."""

from __future__ import annotations

import typing as t

from . import errors, lookup
from .model import Job, Token
from .roles import ANONYMOUS, Identity

if t.TYPE_CHECKING:
    from .call import Call

_EXPIRED = "Token is expired. You can either do re-authorization or token refresh."
_REVOKED = "Token was revoked. You have to re-authorize from the user."
_NO_SCOPE = "The request requires higher privileges than provided by the access token."
JOB_TOKEN_PREFIX = "glcbt-"


def identify(call: Call) -> Identity:
    """Return the identity behind a request; without credentials, it is anonymous.

    :raises ApiError: if the token is unknown, expired or revoked, or lacks the scope.
    """
    endpoint = call.endpoint
    accepts_jobs = endpoint.job_token is not None and call.features.version >= endpoint.job_token
    if accepts_jobs:
        value = call.request.headers.get("job-token") or call.params.get("job_token") or call.params.get("token")
        bearer = _bearer(call)
        if value is None and bearer and _kind(call, bearer) == "job":
            value = bearer
        if value is not None:
            return _identify_job(call, str(value))
    value = call.request.headers.get("private-token") or call.params.get("private_token")
    if value is not None and str(value).startswith(JOB_TOKEN_PREFIX):
        return ANONYMOUS
    value = value or _bearer(call) or call.params.get("access_token")
    if value is None:
        return ANONYMOUS
    identity = _identify_person(call, str(value))
    if endpoint.only_jobs:
        raise errors.message(404, "404 Job Not Found")
    return identity


def _bearer(call: Call) -> str | None:
    scheme, _space, value = call.request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" and value.strip() else None


def _kind(call: Call, value: str) -> str | None:
    token = call.engine.world.tokens.get(value)
    return token.kind if token else None


def _identify_person(call: Call, value: str) -> Identity:
    token = call.engine.world.tokens.get(value)
    if token is None or token.user is None or token.kind in ("job", "deploy"):
        raise errors.unauthorized()
    if token.state == "expired":
        raise errors.token_problem("invalid_token", _EXPIRED, status=401)
    if token.state == "revoked":
        raise errors.token_problem("invalid_token", _REVOKED, status=401)
    if token.permissions is not None and _counts_as_anonymous(call, token.permissions):
        return ANONYMOUS
    _check_scope(call, token)
    if token.user.state == "blocked":
        raise errors.forbidden("Your account has been blocked.")
    return Identity(user=token.user, token=token)


def _check_scope(call: Call, token: Token) -> None:
    endpoint = call.endpoint
    if token.permissions is not None:
        why = _lacking(call, token.permissions)
        if why:
            raise errors.token_problem("insufficient_granular_scope", f"Access denied: {why}", status=403)
        return
    reads = call.request.method in ("GET", "HEAD")
    enough = {"api"} | ({"read_api", *endpoint.extra_scopes} if reads else set())
    if not token.scopes & enough:
        raise errors.token_problem("insufficient_scope", _NO_SCOPE, status=403, scope=" ".join(sorted(enough)))


def _lacking(call: Call, permissions: frozenset[str]) -> str | None:
    """Return the server's error for a fine-grained token without the permission for the endpoint."""
    wanted = call.endpoint.permission
    if not call.features.has("fine_grained_tokens"):
        return "Fine-grained personal access tokens are not yet supported."
    if wanted is None:
        return "This operation doesn't support fine-grained personal access tokens."
    if wanted in permissions:
        return None
    if call.features.has("texts.fine_grained"):
        verb, _line, what = wanted.partition("_")
        words = f"[{what.replace('_', ' ').title()}: {verb.title()}]"
        needs = "a fine-grained personal access token with the following project permissions"
        return f"This operation requires {needs}: {words}."
    target = lookup.named_project(call) if "id" in call.path_params else None
    place = f' for "{target.path}"' if target else ""
    return f"Your Personal Access Token lacks the required permissions: [{wanted}]{place}."


def _counts_as_anonymous(call: Call, permissions: frozenset[str]) -> bool:
    """Return whether a fine-grained token without the permission counts as anonymous, on a public project."""
    endpoint = call.endpoint
    if (
        not call.features.has("fine_grained_public")
        or endpoint.permission in permissions
        or endpoint.permission is None
    ):
        return False
    if endpoint.login or endpoint.granular_gap or endpoint.method != "GET" or "id" not in call.path_params:
        return False
    target = lookup.named_project(call)
    return target is not None and target.visibility == "public"


def _identify_job(call: Call, value: str) -> Identity:
    token = call.engine.world.tokens.get(value)
    job = job_of_token(call, token) if token and token.kind == "job" else None
    if token is None or token.state != "valid" or job is None:
        raise errors.unauthorized()
    alive = job.status in ("running", "canceling") and job.erased_at is None and not job.project.pending_deletion
    if not alive or job.user is None:
        raise errors.unauthorized()
    return Identity(user=job.user, token=token, job=job)


def job_of_token(call: Call, token: Token) -> Job | None:
    """Return the newest attempt of the job that a job token belongs to."""
    jobs = call.engine.world.jobs
    if isinstance(token.job, int):
        return jobs.get(token.job)
    found = [
        job
        for job in jobs.values()
        if job.name == token.job and (token.pipeline is None or job.pipeline.id == token.pipeline)
    ]
    return max(found, key=lambda job: job.id, default=None)
