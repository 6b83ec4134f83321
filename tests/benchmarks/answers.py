# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Response heads and pages as GitLab sends them."""

from __future__ import annotations

import base64
import bisect
import json
import typing as t
from urllib.parse import urlencode

from .http_loop import Answer, Body, HttpRequest

Query = dict[str, list[str]]

_REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}
_COMMON = "Vary: Origin\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: 01JBENCHMARK0000000000000A\r\n"
_MAX_PER_PAGE = 100

NO_ROUTE = b'{"error":"404 Not Found"}'
NO_RECORD = b'{"message":"404 Not found"}'


def head(length: int, status: int = 200, kind: str = "application/json", extra: str = "") -> bytes:
    """Return the head of a response."""
    text = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    return (text + _COMMON + extra + "\r\n").encode()


def json_answer(body: bytes, status: int = 200, extra: str = "") -> Answer:
    """Return a JSON response with this body."""
    return (head(len(body), status, extra=extra), body)


def file_answer(body: Body, kind: str) -> Answer:
    """Return a response that contains a file."""
    return (head(len(body), kind=kind), body)


def page(request: HttpRequest, path: str, query: Query, items: t.Sequence[bytes], *, has_totals: bool) -> Answer:
    """Return a page by number, with the headers that GitLab sends for the list."""
    number, size = _number(query, "page", 1), _size(query)
    rows = items[(number - 1) * size : number * size]
    has_next = number * size < len(items)
    pages = max(1, -(-len(items) // size))
    links = {"prev": number - 1 if number > 1 else 0, "next": number + 1 if has_next else 0, "first": 1}
    if has_totals:
        links["last"] = pages
    wanted = [(name, page_number) for name, page_number in links.items() if page_number]
    link = ", ".join(f'<{_link(request, path, query, page=one)}>; rel="{name}"' for name, one in wanted)
    extra = f"Link: {link}\r\nX-Next-Page: {number + 1 if has_next else ''}\r\nX-Page: {number}\r\n"
    extra += f"X-Per-Page: {size}\r\nX-Prev-Page: {number - 1 if number > 1 else ''}\r\n"
    if has_totals:
        extra += f"X-Total: {len(items)}\r\nX-Total-Pages: {pages}\r\n"
    return json_answer(b"[" + b",".join(rows) + b"]", extra=extra)


def keyset_page(
    request: HttpRequest, path: str, query: Query, items: t.Sequence[bytes], ids: t.Sequence[int]
) -> Answer:
    """Return a page by cursor: newest first, with no header except the link to the next page.

    :param ids: IDs of the items, newest first.
    """
    if query.get("order_by", ["id"]) != ["id"] or query.get("sort", ["desc"]) != ["desc"]:
        text = b'{"error":"Keyset pagination is not yet available for this type of request"}'
        return json_answer(text, status=405)
    start = 0
    if "cursor" in query:
        after = int(json.loads(base64.urlsafe_b64decode(query["cursor"][0]))["id"])
        start = bisect.bisect_right(ids, -after, key=lambda one: -one)
    size = _size(query)
    extra = ""
    if start + size < len(ids):
        cursor = base64.urlsafe_b64encode(json.dumps({"id": str(ids[start + size - 1]), "_kd": "n"}).encode()).decode()
        extra = f'Link: <{_link(request, path, query, cursor=cursor)}>; rel="next"\r\n'
    return json_answer(b"[" + b",".join(items[start : start + size]) + b"]", extra=extra)


def _link(request: HttpRequest, path: str, query: Query, **changed: t.Any) -> str:
    values = {**query, "per_page": [str(_size(query))], **{name: [str(value)] for name, value in changed.items()}}
    pairs = sorted((name, value) for name, several in values.items() for value in several)
    return f"{request.base}{path}?{urlencode(pairs)}"


def _number(query: Query, name: str, default: int) -> int:
    return int(query[name][0]) if name in query else default


def _size(query: Query) -> int:
    return min(_number(query, "per_page", 20), _MAX_PER_PAGE)
