# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The request log, without credentials."""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from .call import Request

MASK = "***"
_HEADERS = frozenset({"private-token", "job-token", "authorization", "cookie", "deploy-token"})
_PARAMETERS = frozenset({"private_token", "access_token", "job_token", "token"})
_IN_QUERY = re.compile(r"(^|&)([^=&]+)=([^&]*)")


def masked_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers with masked credentials; the scheme of Authorization is kept."""
    shown = dict(headers)
    for name in _HEADERS & headers.keys():
        scheme, space, _value = headers[name].partition(" ")
        shown[name] = f"{scheme} {MASK}" if name == "authorization" and space else MASK
    return shown


def masked_query(query: str) -> str:
    def mask(match: re.Match[str]) -> str:
        secret = urllib.parse.unquote_plus(match[2]).lower() in _PARAMETERS
        return f"{match[1]}{match[2]}={MASK if secret else match[3]}"

    return _IN_QUERY.sub(mask, query)


def masked_body(params: dict[str, t.Any]) -> dict[str, t.Any]:
    return {name: MASK if name.lower() in _PARAMETERS else value for name, value in params.items()}


def entry(request: Request, *, at: float) -> dict[str, t.Any]:
    """Return the log entry of a request without an answer so far."""
    return {
        "method": request.method,
        "path": request.raw_path,
        "query": masked_query(request.query),
        "headers": masked_headers(request.headers),
        "body": {},
        "status": None,
        "user": None,
        "endpoint": None,
        "fault": None,
        "at": at,
    }
