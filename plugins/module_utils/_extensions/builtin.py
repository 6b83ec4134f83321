# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the collection does without extensions, registered through the hooks that extensions use, to be asked last."""

from __future__ import annotations

import typing as t

from .._api import catalogue
from .._api.connection import ConnectionSettings
from .._api.decoding import Record
from .._api.http import Transport
from .._api.wire.requests_transport import RequestsTransport
from .hookspecs import Registry, hookimpl

# Header and form for each kind of token; GitLab takes a job token only in its own header.
_HEADERS = {
    "api_token": ("PRIVATE-TOKEN", "{token}"),
    "api_oauth_token": ("Authorization", "Bearer {token}"),
    "api_job_token": ("JOB-TOKEN", "{token}"),
}


class BuiltinPlugin:
    """The documented endpoints, requests as transport, and a token in a header.

    :param prepare_session: lets extensions prepare the `session` of requests that was made for `settings`.
    """

    def __init__(self, prepare_session: t.Callable[..., t.Any]) -> None:
        self._prepare_session = prepare_session

    @hookimpl(trylast=True)
    def gitlab_register_endpoints(self, registry: Registry) -> None:
        """Add GitLab's documented endpoints."""
        for endpoint in catalogue.CATALOGUE:
            registry.add(endpoint)

    @hookimpl(trylast=True)
    def gitlab_create_transport(self, settings: ConnectionSettings) -> Transport:
        """Return a transport that uses requests, its session prepared by extensions."""
        return RequestsTransport(settings, lambda session: self._prepare_session(session=session, settings=settings))

    @hookimpl(trylast=True)
    def gitlab_authenticate(self, settings: ConnectionSettings) -> dict[str, str]:
        """Return the header for the token of the options; none for anonymous access."""
        if not settings.token:
            return {}
        header, form = _HEADERS[settings.token_kind]
        return {header: form.format(token=settings.token)}

    @hookimpl(trylast=True)
    def gitlab_decide_job_action(self, action: str, job: Record, decisions: t.Any) -> t.Any:
        """Return what the decision table says."""
        return decisions.built_in
