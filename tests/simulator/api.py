# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle a request, in the server's order of checks (topic: order of checks)."""

from __future__ import annotations

import json
import typing as t
import urllib.parse

from . import auth, errors, log, params, throttle
from .call import Call, Reply, Request

if t.TYPE_CHECKING:
    from .simulation import Simulation

BASE_PATH = "/api/v4"
_PAGE = "<!DOCTYPE html>\n<html><head><title>Not Found</title></head><body><h1>404: Page not found</h1></body></html>\n"
_TOO_MANY = "This endpoint has been requested too many times. Try again later."


def endpoint_name(simulation: Simulation, request: Request) -> str | None:
    """Return the name of the endpoint that a request is for, None when there is none."""
    try:
        return simulation.routes.find(request.method, _path(request), simulation.engine.world.features)[0].name
    except errors.ApiError:
        return None


def _path(request: Request) -> str:
    if not request.raw_path.startswith("/api/"):
        # Not the API: the pages of the server, which has none here.
        raise errors.ApiError(404, _PAGE, content_type="text/html; charset=utf-8")
    if not request.raw_path.startswith(BASE_PATH + "/"):
        raise errors.no_route()
    return request.raw_path[len(BASE_PATH) :]


def answer(simulation: Simulation, request: Request, entry: dict[str, t.Any]) -> Reply:
    """Return the answer to a request, and complete its log entry."""
    about_limits: dict[str, str] = {}
    try:
        about_limits = throttle.count(simulation, request)
        reply = _answer(simulation, request, entry)
    except errors.ApiError as error:
        plain = isinstance(error.body, str)
        body = error.body if plain else json.dumps(error.body)
        reply = Reply(error.status, body.encode(), dict(error.headers), error.content_type)
    reply.headers.update(about_limits)
    if request.method == "HEAD":
        reply.body, reply.source = b"", None
    reply.headers.setdefault("X-Request-Id", simulation.next_request_id())
    reply.headers.setdefault("X-Runtime", "0.010000")
    reply.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
    reply.headers.setdefault("X-Content-Type-Options", "nosniff")
    reply.headers.setdefault("Vary", "Origin")
    reply.headers.setdefault("Cache-Control", "max-age=0, private, must-revalidate")
    return reply


def _answer(simulation: Simulation, request: Request, entry: dict[str, t.Any]) -> Reply:
    if simulation.engine.world.maintenance_mode and request.method not in ("GET", "HEAD"):
        raise errors.message(503, "GitLab Maintenance: system is in maintenance mode")
    features = simulation.engine.world.features
    endpoint, raw = simulation.routes.find(request.method, _path(request), features)
    entry["endpoint"] = endpoint.name
    given = params.parse_query(request.query)
    if request.method not in ("GET", "HEAD"):
        body = params.parse_body(request.body, request.headers.get("content-type", ""))
        entry["body"] = log.masked_body(body)
        given.update(body)
    path_params = {name: urllib.parse.unquote(value) for name, value in raw.items()}
    call = Call(request, simulation, endpoint, path_params, given)
    if not endpoint.own_login:
        call.identity = auth.identify(call)
    user = call.identity.user
    entry["user"] = user.username if user else None
    if user is None and not endpoint.own_login and (endpoint.login or endpoint.method != "GET"):
        raise errors.unauthorized()
    endpoint.check(call)
    if endpoint.limited and user and features.has("jobs_list_limiter"):
        limit = simulation.engine.world.limits["jobs_list_per_minute"]
        if limit is not None and simulation.limiter.count(f"jobs:{user.username}", simulation.engine.time) > limit:
            # This limit has neither Retry-After nor RateLimit headers (topic: rate limits).
            raise errors.ApiError(429, {"message": {"error": _TOO_MANY}})
    reply = endpoint.handler(call)
    entry["user"] = call.identity.user.username if call.identity.user else None
    return reply
