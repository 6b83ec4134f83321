# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP server around the receiver, and the way of the events to ansible-rulebook."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import typing as t

from aiohttp import web
from aiohttp.http import HttpProcessingError

from .backlog import Backlog, Event
from .nudges import Nudges
from .options import OptionError, Options
from .receiver import Answer, Receiver

# How long the parts of a request may take: the headers, the body, and then until the sender has read that it was
# refused, and stops sending. GitLab itself waits ten seconds for an answer.
HEADER_SECONDS = 10.0
BODY_SECONDS = 10.0
REST_SECONDS = 2.0
SHUTDOWN_SECONDS = 2.0

logger = logging.getLogger("jobgate.gitlab.job_events")


class Queue(t.Protocol):
    """Where ansible-rulebook takes the events from."""

    async def put(self, event: dict[str, t.Any]) -> None:
        """Add an event."""


def _without_bad_requests(record: logging.LogRecord) -> bool:
    """Keep what is no HTTP out of the log: aiohttp would show the headers, and with them the token."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_http_logger = logger.getChild("http")
_http_logger.addFilter(_without_bad_requests)


class _NoRoom(Exception):
    """There is no room for the rest of a body."""


class _TooLong(Exception):
    """A body is longer than it may be."""


class Server:
    """Answers requests."""

    def __init__(self, options: Options, receiver: Receiver, backlog: Backlog) -> None:
        self._max_body = options.max_body
        self._receiver = receiver
        self._backlog = backlog
        self.nudges = Nudges(options.nudges)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; an event is passed on when the answer is out."""
        refusal = self._receiver.refuse(request.method, request.path, request.headers, request.content_length)
        if refusal is not None:
            return _response(request, refusal)
        body = bytearray()
        answer = Answer(500, "it could not be answered")
        try:
            answer = await self._answer(request, body)
            response = _response(request, answer)
            if answer.event is not None:
                await response.prepare(request)
                await response.write_eof()
            return response
        finally:
            # also when GitLab has gone before it read the answer
            if answer.event is not None:
                self._backlog.put(answer.event)
            else:
                self._backlog.give_bytes(len(body))
            if answer.nudge is not None:
                self.nudges.put(answer.nudge)

    async def _answer(self, request: web.BaseRequest, body: bytearray) -> Answer:
        try:
            await asyncio.wait_for(self._read(request, body), BODY_SECONDS)
        except _TooLong:
            return self._receiver.too_long()
        except _NoRoom:
            return Answer(503, "too much is waiting")
        except asyncio.TimeoutError:
            return Answer(408, "the body took too long")
        except (web.RequestPayloadError, ConnectionError):
            return Answer(400, "the body was cut off")
        return self._receiver.answer(request.headers, bytes(body))

    async def _read(self, request: web.BaseRequest, body: bytearray) -> None:
        """Read into this body, whose bytes are taken from the backlog."""
        async for chunk in request.content.iter_any():
            if len(body) + len(chunk) > self._max_body:
                raise _TooLong
            if not self._backlog.take_bytes(len(chunk)):
                raise _NoRoom
            body += chunk


def _response(request: web.BaseRequest, answer: Answer) -> web.Response:
    if answer.status >= 400:
        logger.warning("refused a delivery from %s with %d: %s", request.remote, answer.status, answer.text)
    else:
        logger.info("a delivery from %s: %s", request.remote, answer.text)
    response = web.Response(status=answer.status, text=answer.text + "\n")
    # a connection serves one delivery: GitLab makes a new one for each, and an idle one would only be there
    response.force_close()
    return response


async def pass_on(backlog: Backlog, queue: Queue) -> None:
    """Hand the events to ansible-rulebook, in their order, for ever."""
    while True:
        event = await backlog.get()
        try:
            await queue.put(event.content)
        except Exception as error:  # pylint: disable=broad-exception-caught
            # a filter of the rulebook, which runs here, does not like this event; the next ones must still come
            _log_failed(event, error)
        finally:
            backlog.done(event)


def _log_failed(event: Event, error: Exception) -> None:
    gitlab = event.content["gitlab"]
    logger.error(
        "%s %s (%s) is lost: a filter of the rulebook failed with %s",
        gitlab["kind"],
        gitlab["id"],
        gitlab["status"],
        type(error).__name__,
    )


@contextlib.asynccontextmanager
async def listening(options: Options, receiver: Receiver, backlog: Backlog) -> t.AsyncIterator[str]:
    """Listen while the context lasts; yields the URL of the hook.

    :raises OptionError: the address cannot be taken, or a file of the options cannot be used.
    """
    tls = options.tls()
    handler = Server(options, receiver, backlog)
    handler.nudges.begin()
    server = web.Server(
        handler.handle,
        access_log=None,
        logger=_http_logger,
        keepalive_timeout=HEADER_SECONDS,
        lingering_time=REST_SECONDS,
        # a signature is that of the bytes as they come, and what is small compressed may be huge
        auto_decompress=False,
    )
    runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, options.host, options.port, ssl_context=tls, backlog=1024).start()
        except OSError as error:
            raise OptionError(
                f"host {options.host!r} and port {options.port} cannot be listened on ({error.strerror or error}): "
                "name an address of this machine and a port that is free"
            ) from None
        host, port = runner.addresses[0][:2]
        shown = f"[{host}]" if ":" in host else host
        yield f"{'https' if tls else 'http'}://{shown}:{port}{options.path}"
    finally:
        handler.nudges.end()
        await runner.cleanup()


async def run(queue: Queue, options: Options) -> None:
    """Listen until cancelled."""
    backlog = Backlog()
    receiver = Receiver(options, backlog)
    async with listening(options, receiver, backlog) as url:
        logger.info("waiting for GitLab's hooks on %s", url)
        if options.insecure:
            logger.warning("insecure: anybody who reaches %s can start the rules", url)
        await pass_on(backlog, queue)
