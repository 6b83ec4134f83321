# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The built-in behavior of the collection, registered through the same hooks as extensions and called last."""

from __future__ import annotations

import typing as t

from .._api import catalogue
from .._api.connection import ConnectionSettings
from .._api.decoding import Record
from .._api.http import Transport
from .._api.wire.requests_transport import RequestsTransport
from .hookspecs import Registry, hookimpl

# Header and format for each kind of token; GitLab accepts a job token only in its own header.
_HEADERS = {
    "api_token": ("PRIVATE-TOKEN", "{token}"),
    "api_oauth_token": ("Authorization", "Bearer {token}"),
    "api_job_token": ("JOB-TOKEN", "{token}"),
}


class BuiltinPlugin:
    """The built-in endpoints, transport, authentication and decisions.

    :param prepare_session: calls the hook with which extensions prepare the `session` for `settings`.
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
        """Return a transport that uses requests, with a session that extensions have prepared."""
        return RequestsTransport(settings, lambda session: self._prepare_session(session=session, settings=settings))

    @hookimpl(trylast=True)
    def gitlab_authenticate(self, settings: ConnectionSettings) -> dict[str, str]:
        """Return the header for the token in the options; none for anonymous access."""
        if not settings.token:
            return {}
        header, form = _HEADERS[settings.token_kind]
        return {header: form.format(token=settings.token)}

    @hookimpl(trylast=True)
    def gitlab_decide_job_action(self, action: str, job: Record, decisions: t.Any) -> t.Any:
        """Return the decision of the decision table."""
        return decisions.built_in
