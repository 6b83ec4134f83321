# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP server around the receiver, which passes events on to ansible-rulebook."""

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

# Time limits for the headers, for the body, and for a refused sender to read the answer and stop sending. GitLab itself
# waits ten seconds for an answer.
HEADER_SECONDS = 10.0
BODY_SECONDS = 10.0
REST_SECONDS = 2.0
SHUTDOWN_SECONDS = 2.0

logger = logging.getLogger("jobgate.gitlab.job_events")


class Queue(t.Protocol):
    """The queue from which ansible-rulebook takes events."""

    async def put(self, event: dict[str, t.Any]) -> None:
        """Add an event."""


def _without_bad_requests(record: logging.LogRecord) -> bool:
    """Return False for errors of invalid HTTP, because aiohttp would log the headers, and with them the token."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_http_logger = logger.getChild("http")
_http_logger.addFilter(_without_bad_requests)


class _NoRoom(Exception):
    """The backlog has no space for the rest of a body."""


class _TooLong(Exception):
    """A body exceeds `max_body`."""


class Server:
    """The HTTP handler of the hook."""

    def __init__(self, options: Options, receiver: Receiver, backlog: Backlog) -> None:
        self._max_body = options.max_body
        self._receiver = receiver
        self._backlog = backlog
        self.nudges = Nudges(options.nudges)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; its event is passed on after the answer was sent."""
        refusal = self._receiver.refuse(request.method, request.path, request.headers, request.content_length)
        if refusal is not None:
            return _response(request, refusal)
        body = bytearray()
        answer = Answer(500, "the delivery could not be processed")
        try:
            answer = await self._answer(request, body)
            response = _response(request, answer)
            if answer.event is not None:
                await response.prepare(request)
                await response.write_eof()
            return response
        finally:
            # even if GitLab closed the connection before it read the answer
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
            return Answer(503, "too much data is waiting")
        except asyncio.TimeoutError:
            return Answer(408, "the body took too long")
        except (web.RequestPayloadError, ConnectionError):
            return Answer(400, "the body was cut off")
        return self._receiver.answer(request.headers, bytes(body))

    async def _read(self, request: web.BaseRequest, body: bytearray) -> None:
        """Read the request into this body, and reserve its bytes in the backlog."""
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
    # GitLab opens a new connection for each delivery, so an idle one is of no use
    response.force_close()
    return response


async def pass_on(backlog: Backlog, queue: Queue) -> None:
    """Pass events on to ansible-rulebook in their order until cancelled."""
    while True:
        event = await backlog.get()
        try:
            await queue.put(event.content)
        except Exception as error:  # pylint: disable=broad-exception-caught
            # a filter of the rulebook, which runs here, failed on this event; the next ones must still be passed on
            _log_failed(event, error)
        finally:
            backlog.done(event)


def _log_failed(event: Event, error: Exception) -> None:
    gitlab = event.content["gitlab"]
    logger.error(
        "%s %s (%s) was lost: a filter of the rulebook failed with %s",
        gitlab["kind"],
        gitlab["id"],
        gitlab["status"],
        type(error).__name__,
    )


@contextlib.asynccontextmanager
async def listening(options: Options, receiver: Receiver, backlog: Backlog) -> t.AsyncIterator[str]:
    """Listen while the context lasts, and yield the URL of the hook.

    :raises OptionError: if the source cannot listen on the address, or cannot use a file of the options.
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
        # the signature is that of the bytes as sent, and a small compressed body may expand to a huge one
        auto_decompress=False,
    )
    runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, options.host, options.port, ssl_context=tls, backlog=1024).start()
        except OSError as error:
            raise OptionError(
                f"cannot listen on host {options.host!r} and port {options.port} ({error.strerror or error}): "
                "set an address of this machine and a free port"
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
            logger.warning("insecure: anyone who can reach %s can trigger the rules", url)
        await pass_on(backlog, queue)
