# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The hooks for extensions of this collection; pluggy's project name is also the group of entry points.

An extension is a module, or any object, with functions of these names, marked with
`pluggy.HookimplMarker("jobgate.gitlab")`. It is published as an entry point of the group `jobgate.gitlab`, and loaded
if the option `extensions` lists it. The built-in behavior is registered through the same hooks and called last.
"""

from __future__ import annotations

import typing as t

from .._api.connection import PROJECT_NAME, ConnectionSettings
from .._api.endpoints import Endpoint
from .._api.http import Request, Transport
from .._api.libraries import HookimplMarker, HookspecMarker

hookspec = HookspecMarker(PROJECT_NAME)
hookimpl = HookimplMarker(PROJECT_NAME)


class Registry:
    """A collection of endpoints, which extensions can add and replace.

    Replacements are applied at the end, so extensions can make them before the catalogue is added.
    """

    # for extensions, to create an endpoint
    endpoint = Endpoint

    def __init__(self) -> None:
        self._added: dict[str, Endpoint] = {}
        self._replaced: dict[str, Endpoint] = {}

    def add(self, endpoint: Endpoint) -> None:
        """Add an endpoint.

        :raises ValueError: if the name is already used.
        """
        if endpoint.name in self._added:
            raise ValueError(f"an endpoint named {endpoint.name} is already registered")
        self._added[endpoint.name] = endpoint

    def replace(self, endpoint: Endpoint) -> None:
        """Replace the endpoint with the same name; if there are several replacements, the first one wins.

        Replacing an unknown endpoint, or one with other arguments, fails the task.
        """
        self._replaced.setdefault(endpoint.name, endpoint)

    def endpoints(self) -> dict[str, Endpoint]:
        """Return the endpoints by name, including replacements.

        :raises ValueError: if a replacement replaces nothing, or does not accept the same arguments.
        """
        for name, endpoint in self._replaced.items():
            if name not in self._added:
                raise ValueError(f"it replaces endpoint {name!r}, which does not exist; use registry.add for a new one")
            known = self._added[name]
            unfit = set(known.arguments).difference(endpoint.arguments)
            unfit |= set(endpoint.in_path).difference(known.in_path)
            if unfit:
                names = ", ".join(sorted(unfit))
                raise ValueError(f"it replaces endpoint {name!r} with one that takes other arguments; check {names}")
        return {**self._added, **self._replaced}


class HookSpecs:
    """The specifications of all hooks: when each is called, its arguments, and the effect of its return value."""

    @hookspec
    def gitlab_register_endpoints(self, registry: Registry) -> None:
        """Add endpoints to the catalogue, or replace them.

        Called once per task, before the first request.

        :param registry: `registry.endpoint(...)` creates an endpoint, `registry.add(endpoint)` adds it, and
            `registry.replace(endpoint)` replaces the one with the same name.
        """

    @hookspec
    def gitlab_prepare_session(self, session: t.Any, settings: ConnectionSettings) -> None:
        """Prepare a session of the built-in transport: mount adapters, add headers or client certificates.

        Called for all extensions, once for each new session, before its first request.

        :param session: the `requests.Session`. It also sends requests that follow a redirect to another server.
        :param settings: the connection, with its credential.
        """

    @hookspec(firstresult=True)
    def gitlab_create_transport(self, settings: ConnectionSettings) -> Transport | None:
        """Return the object that sends requests, or None to leave this to the next extension or to requests.

        Called once per task. The transport must add `settings.credential` to requests to `settings.origin`, and to no
        others. It must not follow redirects or repeat requests.

        :param settings: the connection, with its credential.
        """

    @hookspec(firstresult=True)
    def gitlab_authenticate(self, settings: ConnectionSettings) -> dict[str, str] | None:
        """Return the header names and values for authentication, or None to leave this to the next extension.

        Called once per task, before the transport is created. By default, the token in the options is sent.

        :param settings: the connection as set by the options, with an empty `credential`.
        """

    @hookspec(firstresult=True)
    def gitlab_decide_job_action(self, action: str, job: dict[str, t.Any], decisions: t.Any) -> t.Any:
        """Return the decision about a job, or None to leave it to the next extension or to the decision table.

        Called for each job before the action, in check mode too, and again after each re-read; it must not have side
        effects. It is not called again for retries because of `max_attempts` or cancellations because of `on_timeout`.

        :param action: `play`, `retry`, `cancel`, `erase`, `keep_artifacts` or `delete_artifacts`.
        :param job: a copy of GitLab's record of the newest attempt.
        :param decisions: the possible decisions: `decisions.act(reason)`, `decisions.same(reason)`,
            `decisions.refuse(reason)`, `decisions.later(reason)`, and that of the decision table, `decisions.built_in`.
        """

    @hookspec
    def gitlab_annotate_record(self, kind: str, record: dict[str, t.Any]) -> dict[str, t.Any] | None:
        """Return notes about a record in the result of the task; they are added to it as `annotations`.

        Called once for each returned record, with a copy of it: changes to the copy have no effect.

        :param kind: `job`, `bridge` or `pipeline`.
        :param record: GitLab's record.
        """

    @hookspec
    def gitlab_request_finished(self, request: Request, status: int | None, seconds: float) -> None:
        """Observe a request; called after each one, including redirects and repeated requests.

        :param request: the request, without the credential and without the body.
        :param status: the status of the answer; None if none came.
        :param seconds: the time from sending the request to the end of the answer.
        """
