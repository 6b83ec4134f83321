# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test many deliveries by counting, not by time: a thousand per second for ten seconds, and a day."""

from __future__ import annotations

import collections
import gc
import typing as t

from jobgate_gitlab_events.backlog import MOST_BYTES, MOST_EVENTS

from .support import JOB, NOW, OTHER_SIGNING, PUSH, World, changed, encoded, signed, world

MAX_BODY = 65536


def drain(here: World, most: int | None = None) -> list[dict[str, t.Any]]:
    """Return the events that the rules take now."""
    taken = []
    while not here.backlog._waiting.empty() and (most is None or len(taken) < most):
        event = here.backlog._waiting.get_nowait()
        taken.append(event.content)
        here.backlog.done(event)
    return taken


def job(number: int, **values: t.Any) -> bytes:
    return encoded(changed(JOB, build_id=number, **values))


def a_second(here: World, second: int, answers: collections.Counter[str]) -> None:
    """Send a thousand deliveries, one in ten of them genuine."""
    for number in range(second * 100, second * 100 + 100):
        at = here.now
        honest = job(number)
        unwanted = job(number, build_status="running")
        good = signed(honest, f"good-{number}", at=at)
        bodies = {
            "honest": (good, honest),
            "repeated": (good, honest),
            "forged": (signed(job(number + 10**6), "x", at=at, signing_token=OTHER_SIGNING), job(number + 10**6)),
            "altered": (good, job(number + 10**6)),
            "old": (signed(honest, f"old-{number}", at=at - 600), honest),
            "of the future": (signed(honest, f"new-{number}", at=at + 600), honest),
            "other kind": (signed(encoded(PUSH), f"push-{number}", at=at), encoded(PUSH)),
            "unwanted": (signed(unwanted, f"unwanted-{number}", at=at), unwanted),
            "broken": (signed(honest[:-9], f"cut-{number}", at=at), honest[:-9]),
            "huge": (signed(b"x", f"huge-{number}", at=at), b"x" * (MAX_BODY + 1)),
        }
        for name, (headers, body) in bodies.items():
            answers[f"{name} {here.send(headers, body).status}"] += 1


STATUS = {
    "honest": 200,
    "repeated": 200,
    "forged": 401,
    "altered": 401,
    "old": 401,
    "of the future": 401,
    "other kind": 200,
    "unwanted": 200,
    "broken": 400,
    "huge": 413,
}


def test_ten_thousand_deliveries_start_a_thousand_rules() -> None:
    here = world(statuses=["failed"], max_body=MAX_BODY, remember=500)
    answers: collections.Counter[str] = collections.Counter()
    ids: list[int] = []
    for second in range(10):
        a_second(here, second, answers)
        ids += [event["gitlab"]["id"] for event in drain(here)]
        here.now += 1
    assert answers == {f"{name} {status}": 1000 for name, status in STATUS.items()}
    assert ids == list(range(1000))
    assert len(here.receiver._known) == 500
    assert here.backlog.events == here.backlog.bytes == 0


def test_ten_thousand_deliveries_while_the_rules_take_nothing() -> None:
    """Deliveries without room are refused and leave nothing behind. Accepted ones are kept."""
    here = world(max_body=MAX_BODY)

    def send(first: int, end: int) -> dict[int, int]:
        bodies = ((number, job(number)) for number in range(first, end))
        return collections.Counter(here.send(signed(body, f"{number}"), body).status for number, body in bodies)

    assert send(0, 2000) == {200: MOST_EVENTS, 503: 2000 - MOST_EVENTS}
    taken = here.backlog.bytes
    gc.collect()
    objects = len(gc.get_objects())
    assert send(2000, 10_000) == {503: 8000}
    gc.collect()
    assert len(gc.get_objects()) - objects < 100
    assert here.backlog.bytes == taken <= MOST_BYTES
    assert [event["gitlab"]["id"] for event in drain(here)] == list(range(MOST_EVENTS))
    assert here.backlog.bytes == 0


def test_a_day() -> None:
    """Deliveries arrive every ten seconds. Some are replayed, GitLab repeats some, and the clock is set twice."""
    here = world(remember=100)
    recorded: list[tuple[t.Any, bytes]] = []
    ids: list[int] = []
    shift = 0.0
    for number in range(8640):
        here.now = NOW + number * 10 + shift
        if number == 3000:
            shift = -120.0  # the clock of this machine is corrected
        if number == 6000:
            shift = +120.0
        body = job(number)
        headers = signed(body, f"delivery-{number}", at=NOW + number * 10)
        assert here.send(headers, body).status == 200, number
        if number % 7 == 0:
            # GitLab repeats it with a new signature
            again = here.send(signed(body, f"delivery-{number}", at=NOW + number * 10 + 1), body)
            assert (again.status, again.event) == (200, None)
        recorded.append((headers, body))
        if number >= 360:
            # an attacker replays deliveries from a minute and an hour ago
            assert here.send(*recorded[number - 6]).event is None
            assert here.send(*recorded[number - 360]).status == 401
        ids += [event["gitlab"]["id"] for event in drain(here)]
    assert ids == list(range(8640))
    assert len(here.receiver._known) == 100
    assert here.backlog.events == here.backlog.bytes == 0
