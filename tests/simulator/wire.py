# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fault does to the connection: what is sent, how fast, and how it ends."""

from __future__ import annotations

import asyncio
import http

from aiohttp import web

from .call import Reply
from .faults import Rule
from .listener import reset

_MOMENT = 0.02


def response(reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.content_type is not None:
        headers["Content-Type"] = reply.content_type
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def commit(incoming: web.BaseRequest, reply: Reply, rule: Rule) -> web.StreamResponse:
    """Answer a request as the fault wants it; `reply` is what the fault leaves of the application's answer."""
    if rule.kind == "hang":
        await _wait(incoming, rule.seconds)
        return _closed(incoming, reply)
    if rule.seconds and rule.kind not in ("drip", "refuse"):
        await asyncio.sleep(rule.seconds)
    if rule.kind in ("reset_before", "reset_after") or (rule.kind == "refuse" and rule.is_before):
        reset(incoming.transport)
        return response(reply)
    if rule.kind in ("close_before", "close_after"):
        return _closed(incoming, reply)
    if rule.kind == "drip":
        return await _drip(incoming, reply, rule)
    if rule.kind in ("truncate", "wrong_length", "chunk_cut") and reply.status != 204 and incoming.method != "HEAD":
        _send_damaged(incoming, reply, rule)
        return _closed(incoming, reply)
    made = response(reply)
    if rule.kind == "refuse":
        made.force_close()
    return made


def _closed(incoming: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """End the connection in good order. What is returned cannot be sent any more."""
    if incoming.transport is not None:
        incoming.transport.close()
    return response(reply)


async def _wait(incoming: web.BaseRequest, seconds: float) -> None:
    """Wait until the time is up or the client has gone."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end and incoming.transport is not None and not incoming.transport.is_closing():
        await asyncio.sleep(min(_MOMENT, max(0.0, end - loop.time())))


async def _drip(incoming: web.BaseRequest, reply: Reply, rule: Rule) -> web.StreamResponse:
    """Send the head at once, and the body in pieces over the time of the rule."""
    slow = web.StreamResponse(status=reply.status, headers=reply.headers)
    slow.content_type = reply.content_type or "application/octet-stream"
    slow.content_length = len(reply.body)
    await slow.prepare(incoming)
    size = max(rule.bytes, 1)
    pieces = [reply.body[begin : begin + size] for begin in range(0, len(reply.body), size)]
    for piece in pieces:
        await _wait(incoming, rule.seconds / len(pieces))
        await slow.write(piece)
    return slow


def _send_damaged(incoming: web.BaseRequest, reply: Reply, rule: Rule) -> None:
    """Write an answer past the HTTP library, which would not let a wrong one out."""
    body, headers = reply.body, dict(reply.headers)
    if reply.content_type is not None:
        headers["Content-Type"] = reply.content_type
    if rule.kind == "truncate":
        declared = max(len(body), 1)
        headers["Content-Length"] = str(declared)
        body = body[: min(rule.bytes, declared - 1)]
    elif rule.kind == "wrong_length":
        headers["Content-Length"] = str(max(0, len(body) + rule.by))
    else:
        headers["Transfer-Encoding"] = "chunked"
        half = body[: max(1, len(body) // 2)]
        # One whole chunk, and the beginning of the next.
        body = b"%x\r\n%b\r\n" % (len(half), half) + b"%x\r\n" % max(1, len(body) - len(half))
    lines = [f"HTTP/1.1 {reply.status} {_phrase(reply.status)}", *(f"{name}: {headers[name]}" for name in headers)]
    if incoming.transport is not None:
        incoming.transport.write("\r\n".join([*lines, "", ""]).encode() + body)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
