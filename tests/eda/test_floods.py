# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test many deliveries by counting, not by time: a thousand per second for ten seconds, and a day."""

from __future__ import annotations

import collections
import gc
import typing as t

from jobgate_gitlab_events.backlog import MAX_BYTES, MAX_EVENTS

from .support import JOB, NOW, OTHER_SIGNING, PUSH, World, changed, encoded, signed, world

MAX_BODY = 65536


def drain(source: World, limit: int | None = None) -> list[dict[str, t.Any]]:
    """Return the events that the rules take now."""
    taken = []
    while not source.backlog._waiting.empty() and (limit is None or len(taken) < limit):
        event = source.backlog._waiting.get_nowait()
        taken.append(event.content)
        source.backlog.done(event)
    return taken


def job(number: int, **values: t.Any) -> bytes:
    return encoded(changed(JOB, build_id=number, **values))


def send_for_one_second(source: World, second: int, answers: collections.Counter[str]) -> None:
    """Send a thousand deliveries, one in ten of them genuine."""
    for number in range(second * 100, second * 100 + 100):
        at = source.now
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
            answers[f"{name} {source.send(headers, body).status}"] += 1


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


def test_only_the_genuine_deliveries_of_a_flood_become_events() -> None:
    source = world(statuses=["failed"], max_body=MAX_BODY, remember=500)
    answers: collections.Counter[str] = collections.Counter()
    ids: list[int] = []
    for second in range(10):
        send_for_one_second(source, second, answers)
        ids += [event["gitlab"]["id"] for event in drain(source)]
        source.now += 1
    assert answers == {f"{name} {status}": 1000 for name, status in STATUS.items()}
    assert ids == list(range(1000))
    assert len(source.receiver._known) == 500
    assert source.backlog.events == source.backlog.bytes == 0


def test_flood_without_room_is_refused_and_uses_no_memory() -> None:
    """Accepted deliveries are kept."""
    source = world(max_body=MAX_BODY)

    def send(first: int, end: int) -> dict[int, int]:
        bodies = ((number, job(number)) for number in range(first, end))
        return collections.Counter(source.send(signed(body, f"{number}"), body).status for number, body in bodies)

    assert send(0, 2000) == {200: MAX_EVENTS, 503: 2000 - MAX_EVENTS}
    taken = source.backlog.bytes
    gc.collect()
    objects = len(gc.get_objects())
    assert send(2000, 10_000) == {503: 8000}
    gc.collect()
    assert len(gc.get_objects()) - objects < 100
    assert source.backlog.bytes == taken <= MAX_BYTES
    assert [event["gitlab"]["id"] for event in drain(source)] == list(range(MAX_EVENTS))
    assert source.backlog.bytes == 0


def test_each_delivery_of_a_day_becomes_one_event() -> None:
    """Deliveries arrive every ten seconds. Some are replayed, GitLab repeats some, and the clock is set twice."""
    source = world(remember=100)
    recorded: list[tuple[t.Any, bytes]] = []
    ids: list[int] = []
    shift = 0.0
    for number in range(8640):
        source.now = NOW + number * 10 + shift
        if number == 3000:
            shift = -120.0  # the clock of this machine is corrected
        if number == 6000:
            shift = +120.0
        body = job(number)
        headers = signed(body, f"delivery-{number}", at=NOW + number * 10)
        assert source.send(headers, body).status == 200, number
        if number % 7 == 0:
            # GitLab repeats it with a new signature
            again = source.send(signed(body, f"delivery-{number}", at=NOW + number * 10 + 1), body)
            assert (again.status, again.event) == (200, None)
        recorded.append((headers, body))
        if number >= 360:
            # an attacker replays deliveries from a minute and an hour ago
            assert source.send(*recorded[number - 6]).event is None
            assert source.send(*recorded[number - 360]).status == 401
        ids += [event["gitlab"]["id"] for event in drain(source)]
    assert ids == list(range(8640))
    assert len(source.receiver._known) == 100
    assert source.backlog.events == source.backlog.bytes == 0
