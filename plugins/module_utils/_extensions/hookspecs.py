# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The hooks by which others extend this collection; pluggy's project name and the entry-point group are the same.

An extension is a module, or any object, with functions of these names, marked by
`pluggy.HookimplMarker("jobgate.gitlab")`, published as an entry point of the group `jobgate.gitlab`, and loaded when
the option `extensions` names it. What the collection does without extensions is registered through the same hooks, and
comes last.
"""

from __future__ import annotations

import typing as t

from .._api.connection import PROJECT_NAME
from .._api.libraries import hookimpl_marker, hookspec_marker

if t.TYPE_CHECKING:
    from .._api.connection import ConnectionSettings
    from .._api.endpoints import EndpointRegistry
    from .._api.http import Request
    from .._api.transport import Transport

hookspec = hookspec_marker(PROJECT_NAME)
hookimpl = hookimpl_marker(PROJECT_NAME)


class HookSpecs:
    """Every hook: when it is called, with what, and what its return value does."""

    @hookspec
    def gitlab_register_endpoints(self, registry: EndpointRegistry) -> None:
        """Add endpoints to the catalogue, once per task, before the first request.

        :param registry: call `registry.add(endpoint)` for each; a taken name is an error.
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
        :param job: GitLab's record of the newest attempt.
        :param decisions: the ways out: `decisions.act(reason)`, `decisions.same(reason)` and
            `decisions.refuse(reason)`; and `decisions.built_in`, which is what the decision table says.
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

        :param request: what was sent, without the credential.
        :param status: of the answer; None when none came.
        :param seconds: from sending to the whole answer.
        """


def coming_last(plugin: object) -> object:
    """Return an object with built-in behaviour, its methods marked as implementations that are asked last.

    They carry no marks by themselves, for without extensions they are called without pluggy.
    """
    for name in vars(HookSpecs):
        function = getattr(type(plugin), name, None) if name.startswith("gitlab_") else None
        if function is not None and not hasattr(function, f"{PROJECT_NAME}_impl"):
            hookimpl(trylast=True)(function)
    return plugin
