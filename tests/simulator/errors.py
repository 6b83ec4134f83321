# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Error answers of the server (topic: errors, shapes)."""

from __future__ import annotations

import typing as t


class ApiError(Exception):
    """An answer other than success; `body` is JSON data, or text when `content_type` says so."""

    def __init__(
        self,
        status: int,
        body: t.Any,
        *,
        headers: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}
        self.content_type = content_type


def message(status: int, text: str) -> ApiError:
    """Return an error of the API's helpers, with the key `message`."""
    return ApiError(status, {"message": text})


def invalid(text: str) -> ApiError:
    """Return an error of the parameter validation, with the key `error`."""
    return ApiError(400, {"error": text})


def unauthorized() -> ApiError:
    return message(401, "401 Unauthorized")


def forbidden(reason: str | None = None) -> ApiError:
    return message(403, f"403 Forbidden - {reason}" if reason else "403 Forbidden")


def bad_request(reason: str) -> ApiError:
    return message(400, f"400 Bad request - {reason}")


def record_not_found() -> ApiError:
    """A record looked up by id is missing: lower-case f, unlike the other 404 messages."""
    return message(404, "404 Not found")


def project_not_found() -> ApiError:
    return message(404, "404 Project Not Found")


def no_route() -> ApiError:
    return ApiError(404, {"error": "404 Not Found"})


def token_problem(error: str, text: str, *, status: int, scope: str | None = None) -> ApiError:
    """Return an OAuth-style error, as for expired tokens and missing scopes."""
    body = {"error": error, "error_description": text}
    if scope is not None:
        body["scope"] = scope
    challenge = f'Bearer realm="Protected by OAuth 2.0", error="{error}", error_description="{text}"'
    return ApiError(status, body, headers={"WWW-Authenticate": challenge})
