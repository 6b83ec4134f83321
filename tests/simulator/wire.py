# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on the connection: what is sent, how fast, and how the connection ends."""

from __future__ import annotations

import asyncio
import fcntl
import http
import struct
import termios
import typing as t

from aiohttp import web

from .call import Reply
from .content import BLOCK, Piece, read
from .faults import Rule
from .listener import reset

_MOMENT = 0.02


def response(reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.content_type is not None:
        headers["Content-Type"] = reply.content_type
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def commit(incoming: web.BaseRequest, reply: Reply, rule: Rule) -> web.StreamResponse:
    """Answer a request according to the fault; `reply` is what the fault leaves of the application's answer."""
    if rule.kind == "hang":
        await _wait(incoming, rule.seconds)
        return closed(incoming, reply)
    if rule.seconds and rule.kind not in ("drip", "refuse"):
        await asyncio.sleep(rule.seconds)
    if rule.kind in ("reset_before", "reset_after") or (rule.kind == "refuse" and rule.is_before):
        reset(incoming.transport)
        return response(reply)
    if rule.kind in ("close_before", "close_after"):
        return closed(incoming, reply)
    if rule.kind == "drip":
        return await _drip(incoming, reply, rule)
    if reply.status != 204 and incoming.method != "HEAD":
        if rule.kind in ("truncate", "reset_at"):
            return await _cut(incoming, reply, rule)
        if rule.kind in ("wrong_length", "chunk_cut"):
            await _send_damaged(incoming, reply, rule)
            return closed(incoming, reply)
    made = await send(incoming, reply)
    if rule.kind == "refuse":
        made.force_close()
    return made


def closed(incoming: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Close the connection normally. The returned answer can no longer be sent."""
    if incoming.transport is not None:
        incoming.transport.close()
    return response(reply)


async def _wait(incoming: web.BaseRequest, seconds: float) -> None:
    """Wait until the time has passed or the client disconnects."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end and incoming.transport is not None and not incoming.transport.is_closing():
        await asyncio.sleep(min(_MOMENT, max(0.0, end - loop.time())))


async def _begin(incoming: web.BaseRequest, reply: Reply, *, size: int) -> web.StreamResponse:
    """Send the head of an answer, which declares this number of bytes."""
    stream = web.StreamResponse(status=reply.status, headers=reply.headers)
    if reply.content_type is not None:
        stream.headers["Content-Type"] = reply.content_type
    stream.content_length = size
    await stream.prepare(incoming)
    return stream


async def send(incoming: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Answer a request; large content is generated while it is sent."""
    if reply.source is None:
        return response(reply)
    stream = await _begin(incoming, reply, size=reply.size)
    for piece in reply.source.blocks():
        await stream.write(piece)
    return stream


async def _drip(incoming: web.BaseRequest, reply: Reply, rule: Rule) -> web.StreamResponse:
    """Send the head immediately, and the body in pieces over the time of the rule."""
    content = reply.content
    slow = await _begin(incoming, reply, size=content.size)
    size = max(rule.bytes, 1)
    begins = range(0, content.size, size)
    for begin in begins:
        await _wait(incoming, rule.seconds / len(begins))
        await slow.write(read(content, begin, min(begin + size, content.size)))
    return slow


async def _cut(incoming: web.BaseRequest, reply: Reply, rule: Rule) -> web.StreamResponse:
    """Send the first bytes of the body, then close the connection normally or reset it."""
    content = reply.content
    # An empty body is also cut: its declared length is one byte.
    declared = max(content.size, 1)
    stream = await _begin(incoming, reply, size=declared)
    for piece in content.blocks(0, min(rule.bytes, declared - 1)):
        await stream.write(piece)
    if rule.kind == "reset_at":
        await _arrived(incoming)
        reset(incoming.transport)
    elif incoming.transport is not None:
        incoming.transport.close()
    return stream


async def _arrived(incoming: web.BaseRequest) -> None:
    """Wait until the client has received everything, because a reset discards data in transit."""
    transport = incoming.transport
    used = None if transport is None else transport.get_extra_info("socket")
    while transport is not None and used is not None and not transport.is_closing():
        waiting = struct.unpack("i", fcntl.ioctl(used.fileno(), termios.TIOCOUTQ, bytes(4)))[0]
        if not waiting and not t.cast(asyncio.WriteTransport, transport).get_write_buffer_size():
            return
        await asyncio.sleep(0.001)


async def _send_damaged(incoming: web.BaseRequest, reply: Reply, rule: Rule) -> None:
    """Write an answer without the HTTP library, which would refuse an invalid one."""
    content, headers = reply.content, dict(reply.headers)
    if reply.content_type is not None:
        headers["Content-Type"] = reply.content_type
    before = after = b""
    end = content.size
    if rule.kind == "wrong_length":
        headers["Content-Length"] = str(max(0, content.size + rule.by))
    else:
        headers["Transfer-Encoding"] = "chunked"
        # One whole chunk, and the beginning of the next.
        end = min(content.size, max(1, content.size // 2))
        before, after = b"%x\r\n" % end, b"\r\n%x\r\n" % max(1, content.size - end)
    lines = [f"HTTP/1.1 {reply.status} {_phrase(reply.status)}", *(f"{name}: {headers[name]}" for name in headers)]
    await _write(incoming, "\r\n".join([*lines, "", ""]).encode() + before)
    for piece in content.blocks(0, end):
        await _write(incoming, piece)
    await _write(incoming, after)


async def _write(incoming: web.BaseRequest, data: Piece) -> None:
    """Write without the HTTP library, but not more than the client accepts."""
    transport = t.cast(asyncio.WriteTransport | None, incoming.transport)
    if transport is None or transport.is_closing():
        return
    transport.write(data)
    while not transport.is_closing() and transport.get_write_buffer_size() > BLOCK:
        await asyncio.sleep(0.001)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
