# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The building blocks of the table of hostile responses."""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from .server import LISTS, OBJECTS, Question, Said

Say = t.Callable[[Question], Said]
# the allowed outcomes of a row: one sentence, the same result as from a correct server, or either of these
End = t.Literal["sentence", "right", "either"]


@dataclasses.dataclass(frozen=True)
class Row:
    """One hostile response and its allowed outcome.

    :param concerns: the plugins to test if there is no time for all.
    :param is_slow: whether only a time limit ends it; that limit is shortened.
    :param refuses: whether a write with this response is not executed.
    """

    say: Say
    end: End = "sentence"
    concerns: tuple[str, ...] = ("info", "action")
    is_slow: bool = False
    refuses: bool = False


def always(said: Said) -> Say:
    """Send this for every request."""
    return lambda question: said


def framed(*framing: str, body: bytes | None = None, status: str = "200 OK") -> Say:
    """Send a valid response with these lines instead of its length."""

    def say(question: Question) -> bytes:
        answer = dataclasses.replace(question.answer, status=status)
        return answer.head(*framing) + (answer.body if body is None else body)

    return say


def encoded(change: t.Callable[[bytes], bytes], *framing: str) -> Say:
    """Send a valid response with a changed body, its new length and these lines."""

    def say(question: Question) -> bytes:
        body = change(question.answer.body)
        return question.answer.head(*framing, f"Content-Length: {len(body)}") + body

    return say


def headers(*lines: str) -> Say:
    """Send a valid response with additional header lines."""
    return lambda question: question.answer.with_headers(*(line.format(url=question.url) for line in lines)).raw


def body(content: bytes, media_type: str = "application/json", kinds: t.Sequence[str] = (*OBJECTS, *LISTS)) -> Say:
    """Send this instead of a record or a list."""

    def say(question: Question) -> bytes:
        if question.kind not in kinds:
            return question.answer.raw
        return dataclasses.replace(question.answer, body=content, media_type=media_type).raw

    return say


def status(line: str, content: bytes = b'{"message": "no"}', *lines: str, media_type: str = "application/json") -> Say:
    """Answer every request with this status."""

    def say(question: Question) -> bytes:
        answer = dataclasses.replace(question.answer, status=line, body=content, media_type=media_type)
        return answer.with_headers(*(each.format(url=question.url) for each in lines)).raw

    return say


def fields(of: t.Sequence[str] = ("job", "jobs", "bridges"), **changes: t.Any) -> Say:
    """Send records with changed fields; `...` removes a field."""

    def changed(record: dict[str, t.Any]) -> dict[str, t.Any]:
        return {name: value for name, value in {**record, **changes}.items() if value is not ...}

    def say(question: Question) -> bytes:
        if question.kind not in of:
            return question.answer.raw
        content = question.answer.content
        both = [changed(record) for record in content] if isinstance(content, list) else changed(content)
        return question.answer.with_content(both).raw

    return say


def listed(change: t.Callable[[list[t.Any]], t.Any]) -> Say:
    """Send changed lists."""

    def say(question: Question) -> bytes:
        if question.kind not in LISTS:
            return question.answer.raw
        return question.answer.with_content(change(question.answer.content)).raw

    return say


def drip(before: bytes, text: bytes) -> Say:
    """Send `before` at once, and then `text` slowly, byte by byte."""

    def pieces(is_stopped: threading.Event) -> t.Iterator[bytes]:
        yield before
        for number in range(len(text)):
            if is_stopped.wait(0.02):
                return
            yield text[number : number + 1]

    return always(pieces)


def endless(before: bytes, piece: bytes) -> Say:
    """Send `before`, and then `piece` again and again, as fast as the client reads."""

    def pieces(is_stopped: threading.Event) -> t.Iterator[bytes]:
        yield before
        while not is_stopped.is_set():
            yield piece

    return always(pieces)


def silence(before: bytes) -> Say:
    """Send `before`, and then nothing."""

    def pieces(is_stopped: threading.Event) -> t.Iterator[bytes]:
        yield before
        is_stopped.wait(30)

    return always(pieces)
