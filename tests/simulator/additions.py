# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes and job statuses that a test adds to the server. Both are kept when a scenario is loaded."""

from __future__ import annotations

import typing as t

from . import errors, model
from .endpoint import Endpoint, Handler
from .endpoints import ENDPOINTS
from .schema import unknown
from .versions import Features


class Routes:
    """The endpoints of the server. Added endpoints come before the built-in ones."""

    def __init__(self) -> None:
        self._added: list[Endpoint] = []

    def add(self, method: str, path: str, handler: Handler, *, name: str, **more: t.Any) -> None:
        """Add a route, or replace the handler of a built-in one.

        :param path: below `/api/v4`; `:job_id` matches one part of the path, `*name` the rest.
        :param handler: returns the reply to a call, or raises an ApiError. It runs under the lock of the simulation.
        :param name: the name of the endpoint in the request log and in fault rules.
        :param more: the other columns of Endpoint, such as `permission`, `login` and `check`.
        """
        self._added.insert(0, Endpoint(name, method.upper(), path, handler, **more))

    def clear(self) -> None:
        """Remove all additions."""
        self._added.clear()

    def find(self, method: str, path: str, features: Features) -> tuple[Endpoint, dict[str, str]]:
        """Return the endpoint for a path below `/api/v4`, and its path parameters as they were sent.

        :raises ApiError: 404 if the path does not exist in this version, 405 if it does not support the method.
        """
        wanted = "GET" if method == "HEAD" else method
        others: list[str] = []
        for endpoint in (*self._added, *ENDPOINTS):
            if not endpoint.is_known(features):
                continue
            match = endpoint.pattern.fullmatch(path)
            if match and endpoint.method == wanted:
                return endpoint, match.groupdict()
            if match:
                others.append(endpoint.method)
        if others:
            allowed = ", ".join(["OPTIONS", *sorted(set(others))])
            raise errors.ApiError(405, {"error": "405 Not Allowed"}, headers={"Allow": allowed})
        raise errors.no_route()


class Statuses:
    """The statuses of jobs, each with the built-in status whose behavior it has."""

    def __init__(self) -> None:
        self.like: dict[str, str] = {}
        self.clear()

    def add(self, name: str, *, like: str) -> None:
        """Add a job status. A job only leaves it by an action.

        :param like: the built-in status that determines the pipeline's status and the possible actions.
        """
        if like not in model.STATUSES:
            raise unknown("status", like, model.STATUSES, place="like")
        self.like[name] = like

    def clear(self) -> None:
        """Remove all additions."""
        self.like = {status: status for status in model.STATUSES}
