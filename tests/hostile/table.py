# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The building blocks of the table of hostile responses."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from .server import LISTS, OBJECTS, ReceivedRequest, Reply

Responder = t.Callable[[ReceivedRequest], Reply]
# the allowed outcomes of a row: one sentence, the same result as from a correct server, or either of these
End = t.Literal["sentence", "right", "either"]


@dataclasses.dataclass(frozen=True)
class Row:
    """One hostile response and its allowed outcome.

    :param concerns: the plugins to test if there is no time for all.
    :param is_slow: whether only a time limit ends it; that limit is shortened.
    :param refuses: whether a write with this response is not executed.
    """

    respond: Responder
    end: End = "sentence"
    concerns: tuple[str, ...] = ("info", "action")
    is_slow: bool = False
    refuses: bool = False


def always(reply: Reply) -> Responder:
    """Send this for every request."""
    return lambda received: reply


def framed(*framing: str, body: bytes | None = None, status: str = "200 OK") -> Responder:
    """Send a valid response with these lines instead of its length."""

    def respond(received: ReceivedRequest) -> bytes:
        answer = dataclasses.replace(received.answer, status=status)
        return answer.head(*framing) + (answer.body if body is None else body)

    return respond


def encoded(change: t.Callable[[bytes], bytes], *framing: str) -> Responder:
    """Send a valid response with a changed body, its new length and these lines."""

    def respond(received: ReceivedRequest) -> bytes:
        body = change(received.answer.body)
        return received.answer.head(*framing, f"Content-Length: {len(body)}") + body

    return respond


def headers(*lines: str) -> Responder:
    """Send a valid response with additional header lines."""
    return lambda received: received.answer.with_headers(*(line.format(url=received.url) for line in lines)).raw


def body(
    content: bytes, media_type: str = "application/json", kinds: t.Sequence[str] = (*OBJECTS, *LISTS)
) -> Responder:
    """Send this instead of a record or a list."""

    def respond(received: ReceivedRequest) -> bytes:
        if received.kind not in kinds:
            return received.answer.raw
        return dataclasses.replace(received.answer, body=content, media_type=media_type).raw

    return respond


def status(
    line: str, content: bytes = b'{"message": "no"}', *lines: str, media_type: str = "application/json"
) -> Responder:
    """Answer every request with this status."""

    def respond(received: ReceivedRequest) -> bytes:
        answer = dataclasses.replace(received.answer, status=line, body=content, media_type=media_type)
        return answer.with_headers(*(each.format(url=received.url) for each in lines)).raw

    return respond


def fields(of: t.Sequence[str] = ("job", "jobs", "bridges"), **changes: t.Any) -> Responder:
    """Send records with changed fields; `...` removes a field."""

    def changed(record: dict[str, t.Any]) -> dict[str, t.Any]:
        return {name: value for name, value in {**record, **changes}.items() if value is not ...}

    def respond(received: ReceivedRequest) -> bytes:
        if received.kind not in of:
            return received.answer.raw
        content = received.answer.content
        changed_content = [changed(record) for record in content] if isinstance(content, list) else changed(content)
        return received.answer.with_content(changed_content).raw

    return respond


def listed(change: t.Callable[[list[t.Any]], t.Any]) -> Responder:
    """Send changed lists."""

    def respond(received: ReceivedRequest) -> bytes:
        if received.kind not in LISTS:
            return received.answer.raw
        return received.answer.with_content(change(received.answer.content)).raw

    return respond


def drip(before: bytes, text: bytes) -> Responder:
    """Send `before` at once, and then `text` slowly, byte by byte."""

    def pieces(is_stopped: threading.Event) -> t.Iterator[bytes]:
        yield before
        for number in range(len(text)):
            if is_stopped.wait(0.02):
                return
            yield text[number : number + 1]

    return always(pieces)


def endless(before: bytes, piece: bytes) -> Responder:
    """Send `before`, and then `piece` again and again, as fast as the client reads."""

    def pieces(is_stopped: threading.Event) -> t.Iterator[bytes]:
        yield before
        while not is_stopped.is_set():
            yield piece

    return always(pieces)


def silence(before: bytes) -> Responder:
    """Send `before`, and then nothing."""

    def pieces(is_stopped: threading.Event) -> t.Iterator[bytes]:
        yield before
        is_stopped.wait(30)

    return always(pieces)
