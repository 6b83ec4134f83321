# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that faults send instead of the application's, or create by changing it."""

from __future__ import annotations

import gzip
import http
import json
import re
import typing as t

from .call import Reply, Request, json_reply
from .faults import Rule

_PAGE = "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>\r\n"
_LINK = re.compile(r"<https?://[^/>]+")


def _words(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _typed(rule: Rule, body: bytes, *, status: int, content_type: str) -> Reply:
    headers = {name: str(value) for name, value in rule.headers.items()}
    return Reply(status, body, headers, headers.pop("Content-Type", content_type))


def make(rule: Rule) -> Reply | None:
    """Return the answer that a rule creates itself; None if it needs the application's answer."""
    maker = _MAKERS.get(rule.kind)
    return maker(rule) if maker else None


def _status(rule: Rule) -> Reply:
    status = rule.status or 500
    body = rule.body if rule.body is not None else {"message": _words(status)}
    if isinstance(body, str):
        return _typed(rule, body.encode(), status=status, content_type="text/plain")
    return _typed(rule, json.dumps(body).encode(), status=status, content_type="application/json")


def _html(rule: Rule) -> Reply:
    status = rule.status or 502
    # With a success status, this is the login page of a proxy.
    page = str(rule.body or _PAGE.format(_words(status) if status >= 400 else "Sign in"))
    return _typed(rule, page.encode(), status=status, content_type="text/html")


def _redirect(rule: Rule) -> Reply:
    reply = _typed(rule, b"", status=rule.status or 302, content_type="text/html")
    reply.headers["Location"] = rule.location or "/"
    return reply


def _invalid_json(rule: Rule) -> Reply:
    text = str(rule.body or '{"id": 1000, "name": "build", "status": "succ')
    return _typed(rule, text.encode(), status=rule.status or 200, content_type="application/json")


def _wrong_json(rule: Rule) -> Reply:
    return _typed(rule, json.dumps(rule.body).encode(), status=rule.status or 200, content_type="application/json")


def _empty(rule: Rule) -> Reply:
    return _typed(rule, b"", status=rule.status or 200, content_type="application/json")


_MAKERS: dict[str, t.Callable[[Rule], Reply]] = {
    "status": _status,
    "html": _html,
    "redirect": _redirect,
    "invalid_json": _invalid_json,
    "wrong_json": _wrong_json,
    "empty": _empty,
}


def change(rule: Rule, reply: Reply, request: Request) -> Reply:
    """Return the application's answer as changed by the rule, as far as an answer can express this."""
    if rule.kind == "link_host" and "Link" in reply.headers:
        reply.headers["Link"] = _LINK.sub("<{second}", reply.headers["Link"])
    if rule.kind in ("gzip", "bad_gzip", "gzip_cut") and reply.body:
        if rule.kind != "bad_gzip":
            # Clients that do not request gzip must not get it: that would be another fault.
            if "gzip" not in request.headers.get("accept-encoding", ""):
                return reply
            reply.body = gzip.compress(reply.body, mtime=0)
        if rule.kind == "gzip_cut":
            reply.body = reply.body[: len(reply.body) // 2]
        reply.headers["Content-Encoding"] = "gzip"
        reply.headers["Vary"] = "Accept-Encoding, Origin"
    return reply


def nothing() -> Reply:
    """Return the placeholder for a missing answer."""
    return json_reply(None, status=500)
