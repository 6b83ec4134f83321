# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The hooks by which others extend this collection; pluggy's project name and the entry-point group are the same.

An extension is a module, or any object, with functions of these names, marked by
`pluggy.HookimplMarker("jobgate.gitlab")`, published as an entry point of the group `jobgate.gitlab`, and loaded when
the option `extensions` names it. What the collection does without extensions is registered through the same hooks and
is asked last.
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
    """A place to add and to replace endpoints.

    Replacements count at the end, so they need not wait until the catalogue is there.
    """

    # how extensions make one
    endpoint = Endpoint

    def __init__(self) -> None:
        self._added: dict[str, Endpoint] = {}
        self._replaced: dict[str, Endpoint] = {}

    def add(self, endpoint: Endpoint) -> None:
        """Add an endpoint.

        :raises ValueError: when the name is taken.
        """
        if endpoint.name in self._added:
            raise ValueError(f"an endpoint named {endpoint.name} is registered already")
        self._added[endpoint.name] = endpoint

    def replace(self, endpoint: Endpoint) -> None:
        """Replace the endpoint with this name; of several replacements the first one counts.

        An extension that replaces an unknown endpoint, or one that takes other arguments, fails the task.
        """
        self._replaced.setdefault(endpoint.name, endpoint)

    def endpoints(self) -> dict[str, Endpoint]:
        """Return the endpoints by name, replacements in their places.

        :raises ValueError: when a replacement has nothing to replace, or cannot be called as what it replaces.
        """
        for name, endpoint in self._replaced.items():
            if name not in self._added:
                raise ValueError(f"it replaces endpoint {name!r}, which does not exist; use registry.add for a new one")
            known = self._added[name]
            unfit = set(known.arguments).difference(endpoint.arguments)
            unfit |= set(endpoint.in_path).difference(known.in_path)
            if unfit:
                names = ", ".join(sorted(unfit))
                raise ValueError(f"it replaces endpoint {name!r} by one that takes other arguments; see to {names}")
        return {**self._added, **self._replaced}


class HookSpecs:
    """Every hook: when it is called, with what, and what its return value does."""

    @hookspec
    def gitlab_register_endpoints(self, registry: Registry) -> None:
        """Add endpoints to the catalogue, or replace some, once per task, before the first request.

        :param registry: `registry.endpoint(...)` makes an endpoint, `registry.add(endpoint)` adds it, and
            `registry.replace(endpoint)` replaces the one with its name.
        """

    @hookspec
    def gitlab_prepare_session(self, session: t.Any, settings: ConnectionSettings) -> None:
        """Prepare a session of the built-in transport: mount adapters, add headers or client certificates.

        Called once for each session that is made, before its first request, for all extensions.

        :param session: the `requests.Session`. It also sends the requests that follow a redirect to another server.
        :param settings: the connection, with its credential.
        """

    @hookspec(firstresult=True)
    def gitlab_create_transport(self, settings: ConnectionSettings) -> Transport | None:
        """Return the object that sends requests, or None to leave it to the next extension and to requests.

        Called once per task. The transport has to add `settings.credential` to requests to `settings.origin`, and only
        to these; it follows no redirects and repeats nothing.

        :param settings: the connection, with its credential.
        """

    @hookspec(firstresult=True)
    def gitlab_authenticate(self, settings: ConnectionSettings) -> dict[str, str] | None:
        """Return the header names and values that authenticate, or None to leave it to the next one.

        Called once per task, before the transport is made. The built-in answer sends the token of the options.

        :param settings: the connection as the options say it, its `credential` still empty.
        """

    @hookspec(firstresult=True)
    def gitlab_decide_job_action(self, action: str, job: dict[str, t.Any], decisions: t.Any) -> t.Any:
        """Return what an action is to do with a job, or None to leave it to the next one and to the decision table.

        Called for each job before the action, in check mode too, and again after each re-read; must have no side
        effects. Retries that `max_attempts` adds, and the cancellation of `on_timeout`, belong to what was decided
        before.

        :param action: `play`, `retry`, `cancel`, `erase`, `keep_artifacts` or `delete_artifacts`.
        :param job: a copy of GitLab's record of the newest attempt.
        :param decisions: the ways out: `decisions.act(reason)`, `decisions.same(reason)`, `decisions.refuse(reason)`
            and `decisions.later(reason)`; and `decisions.built_in`, which is what the decision table says.
        """

    @hookspec
    def gitlab_annotate_record(self, kind: str, record: dict[str, t.Any]) -> dict[str, t.Any] | None:
        """Return notes about a record that the task will return; they are put under its key `annotations`.

        Called once for each returned record. The record itself is a copy, changing it has no effect.

        :param kind: `job`, `bridge` or `pipeline`.
        :param record: GitLab's record.
        """

    @hookspec
    def gitlab_request_finished(self, request: Request, status: int | None, seconds: float) -> None:
        """Take note of a request, after each one, redirects and repeats included.

        :param request: what was sent, without the credential and without the body.
        :param status: of the answer; None when none came.
        :param seconds: from sending to the whole answer.
        """
