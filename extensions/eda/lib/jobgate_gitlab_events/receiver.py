# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decisions about deliveries, without network access: from headers and a body to an answer and perhaps an event."""

from __future__ import annotations

import datetime
import itertools
import json
import math
import time
import typing as t
import uuid

from .backlog import Backlog, Event, Known
from .hooks import Record, gitlab_of, kind_of, nudge_of
from .options import Options
from .signatures import Headers, single

# GitLab's bodies are nested less than ten levels deep. ansible-rulebook cannot print events with some hundred levels.
DEEPEST = 50


class Answer(t.NamedTuple):
    """The answer to GitLab.

    :param event: for ansible-rulebook after the answer was sent. Its place in the backlog is reserved.
    :param nudge: for release gates, also if there is no event for the rules.
    """

    status: int
    text: str
    event: Event | None = None
    nudge: Record | None = None


class Receiver:
    """The receiver of deliveries, which decides about one after the other."""

    def __init__(self, options: Options, backlog: Backlog, clock: t.Callable[[], float] = time.time) -> None:
        self._options = options
        self._secrets = options.secrets
        self._clock = clock
        self._backlog = backlog
        self._known = Known(options.remember)

    def refuse(self, method: str, path: str, headers: Headers, length: int | None) -> Answer | None:
        """Return the answer if the request is refused without reading its body, else None.

        :param length: length of the body, None if the request does not declare it.
        """
        if path != self._options.path:
            return Answer(404, "this is not the path of the hook")
        if method != "POST":
            return Answer(405, "hooks are sent by POST")
        wrong = self._secrets.refuse_headers(headers, self._clock())
        if wrong:
            return Answer(401, wrong)
        if length is not None and length > self._options.max_body:
            return self.too_long()
        return None

    def too_long(self) -> Answer:
        """Return the answer to a body that exceeds `max_body`."""
        return Answer(413, f"the body is longer than {self._options.max_body} bytes (max_body)")

    def answer(self, headers: Headers, body: bytes) -> Answer:
        """Return the answer to a delivery whose headers were accepted."""
        wrong = self._secrets.refuse_body(headers, body)
        if wrong:
            return Answer(401, wrong)
        try:
            payload = _parsed(body)
        except (ValueError, RecursionError):
            return Answer(400, "the body is not the JSON of a hook")
        if not isinstance(payload, dict) or kind_of(payload) is None:
            return Answer(400, "the body has no object_kind")
        instance = single(headers, "X-Gitlab-Instance")
        gitlab = gitlab_of(payload, instance)
        if gitlab is None:
            return Answer(200, "ignored: hooks of this kind create no events")
        nudge = nudge_of(gitlab, payload)
        if not self._options.wants(gitlab):
            return Answer(200, "ignored: the options do not select it", nudge=nudge)
        delivery = self._secrets.delivery_id(headers)
        key = body if delivery is None else delivery.encode("utf-8", "surrogateescape")
        if key in self._known:
            return Answer(200, "ignored: it is a repeated delivery")
        if not self._backlog.promise():
            return Answer(503, "too many events are waiting", nudge=nudge)
        self._known.add(key)
        return Answer(200, "accepted", Event(self._event(gitlab, payload, delivery, instance), len(body)), nudge)

    def _event(self, gitlab: Record, payload: Record, delivery: str | None, instance: str | None) -> Record:
        received = datetime.datetime.fromtimestamp(self._clock(), datetime.timezone.utc)
        meta = {
            "uuid": _readable(delivery) if delivery else str(uuid.uuid4()),
            "instance": _readable(instance) if instance else None,
            "received_at": received.isoformat().replace("+00:00", "Z"),
        }
        return {"gitlab": gitlab, "payload": payload, "meta": meta}


def _readable(header: str) -> str:
    """Return a header with invalid UTF-8 replaced, which JSON does not support."""
    return header.encode("utf-8", "replace").decode("utf-8")


def _parsed(body: bytes) -> t.Any:
    """Return the parsed JSON.

    :raises ValueError: if it is invalid, even if Python accepts it, or if ansible-rulebook cannot handle it.
    """
    parsed = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    values, depth = [parsed], 0
    while values:
        if depth > DEEPEST:
            raise ValueError("it is nested too deep")
        for text in values:
            if isinstance(text, str):
                text.encode("utf-8")  # refuses half of a surrogate pair
        values = [part for value in values for part in _parts(value)]
        depth += 1
    return parsed


def _parts(value: t.Any) -> t.Iterable[t.Any]:
    """Return the values inside a value, including the keys of an object.

    :raises ValueError: if a key is empty, after which the rule engine would accept no further event.
    """
    if isinstance(value, dict):
        if "" in value:
            raise ValueError("a key is empty")
        return itertools.chain(value, value.values())
    return value if isinstance(value, list) else ()


def _refuse_constant(name: str) -> t.NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is out of range")
    return number
