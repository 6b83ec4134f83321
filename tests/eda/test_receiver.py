# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test the handling of deliveries: answers, events, repetitions, and unwanted hooks."""

from __future__ import annotations

import json
import typing as t

import pytest
from jobgate_gitlab_events.backlog import Backlog, Known
from jobgate_gitlab_events.hooks import gitlab_of

from .support import (
    DEPLOYMENT,
    INSTANCE,
    JOB,
    PIPELINE,
    PUSH,
    SECRETS,
    SIGNING,
    TOKEN,
    Record,
    changed,
    encoded,
    signed,
    with_token,
    world,
)

BODY = encoded(JOB)


@pytest.mark.parametrize("payload", [JOB, PIPELINE, DEPLOYMENT], ids=lambda payload: payload["object_kind"])
def test_delivery_becomes_the_expected_event(payload: Record) -> None:
    body = encoded(payload)
    event = world().send(signed(body), body).event
    assert event is not None and event.size == len(body)
    assert event.content == {
        "gitlab": gitlab_of(payload, INSTANCE),
        "payload": payload,
        "meta": {"uuid": "delivery-1", "instance": INSTANCE, "received_at": "2027-01-15T08:00:00Z"},
    }


def test_event_contains_no_secrets_or_headers() -> None:
    headers = signed(BODY, X_Gitlab_Token=TOKEN, X_Custom="custom-value", Authorization="Bearer custom-value")
    event = world(token=TOKEN, signing_token=SIGNING).send(headers, BODY).event
    assert event is not None
    shown = json.dumps(event.content)
    for text in (*SECRETS, "custom-value", headers["webhook-signature"], "0123456789abcdef"):
        assert text not in shown


def test_event_of_undecodable_headers_is_valid_utf_8() -> None:
    headers = signed(BODY, "d\udcff", X_Gitlab_Instance="https://\udcff")
    event = world().send(headers, BODY).event
    assert event is not None
    assert json.dumps(event.content, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/gitlab", 200), ("POST", "/", 404), ("POST", "/gitlab/", 404), ("GET", "/gitlab", 405)],
)
def test_other_paths_and_methods_are_refused(method: str, path: str, status: int) -> None:
    assert world(path="/gitlab").send(signed(BODY), BODY, method=method, path=path).status == status


NOT_HOOKS: dict[str, bytes] = {
    "an empty body": b"",
    "invalid JSON": b"{",
    "a form": b"object_kind=build",
    "a list": b"[]",
    "a string": b'"build"',
    "a missing kind": encoded({"build_id": 1}),
    "an invalid kind": encoded({"object_kind": 1}),
    "not UTF-8": b'{"object_kind": "build", "ref": "\xff"}',
    "UTF-16": '{"object_kind": "build"}'.encode("utf-16"),
    "half a character": b'{"object_kind": "build", "ref": "\\ud800"}',
    "half a character as a key": b'{"object_kind": "build", "\\ud800": 1}',
    "an empty key": b'{"object_kind": "build", "": 1}',
    "an empty key inside": b'{"object_kind": "build", "x": [{"y": {"": 1}}]}',
    "NaN": b'{"object_kind": "build", "build_duration": NaN}',
    "infinite": b'{"object_kind": "build", "build_duration": 1e999}',
    "too many digits": b'{"object_kind": "build", "build_id": ' + b"9" * 5000 + b"}",
    "too deep for Python": b'{"object_kind": "build", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "too deep for a rulebook": b'{"object_kind": "build", "x": ' + b"[" * 60 + b"]" * 60 + b"}",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}


@pytest.mark.parametrize("body", NOT_HOOKS.values(), ids=NOT_HOOKS)
def test_invalid_body_is_refused_and_not_remembered(body: bytes) -> None:
    source = world()
    assert source.send(signed(body), body).status == 400
    assert source.backlog.events == source.backlog.bytes == 0
    # and it is not remembered: the genuine delivery may still arrive
    assert source.send(signed(BODY), BODY).event


def test_forged_deliveries_are_refused_whatever_their_body() -> None:
    """Without a secret, a client does not even learn whether a body is a hook."""
    for body in (*NOT_HOOKS.values(), BODY, encoded(PUSH)):
        assert world().send(signed(body, signing_token="whsec_" + "A" * 44), body).status == 401


@pytest.mark.parametrize("kind", ["push", "tag_push", "issue", "merge_request", "release", "", "build "])
def test_other_kinds_are_answered_and_ignored(kind: str) -> None:
    body = encoded({"object_kind": kind})
    answer = world().send(signed(body), body)
    assert (answer.status, answer.event) == (200, None)


@pytest.mark.parametrize(("length", "status"), [(1024, 200), (1025, 413)])
def test_body_above_max_body_is_refused(length: int, status: int) -> None:
    body = encoded({"object_kind": "build", "x": ""})
    body = body[:-2] + b"x" * (length - len(body)) + body[-2:]
    assert len(body) == length
    assert world(max_body=1024).send(signed(body), body).status == status


FILTERS: list[tuple[dict[str, t.Any], Record, bool]] = [
    ({"events": "job"}, JOB, True),
    ({"events": ["pipeline", "deployment"]}, JOB, False),
    ({"statuses": ["failed"]}, JOB, True),
    ({"statuses": "success"}, JOB, False),
    ({"statuses": "success"}, PIPELINE, True),
    ({"projects": "group/app"}, JOB, True),
    ({"projects": "/group/app/"}, JOB, True),
    ({"projects": "Group/APP"}, JOB, True),
    ({"projects": [7, 380]}, JOB, True),
    ({"projects": [38]}, JOB, False),
    ({"projects": "group/*"}, DEPLOYMENT, True),
    ({"projects": "group"}, JOB, False),
    ({"names": "deploy:*"}, JOB, True),
    ({"names": ["build", "deploy:pro?"]}, JOB, True),
    ({"names": "deploy"}, JOB, False),
    ({"names": "deploy"}, PIPELINE, True),
    ({"names": "test: [a, b]"}, changed(JOB, build_name="test: [a, b]"), True),
    ({"names": "test: [a*"}, changed(JOB, build_name="test: [a, b]"), True),
    ({"names": "test: [a, b]"}, changed(JOB, build_name="test: a"), False),
    ({"names": "*"}, changed(JOB, build_name=None), True),
    ({"names": "a"}, changed(JOB, build_name=None), False),
]


@pytest.mark.parametrize(("args", "payload", "expected"), FILTERS, ids=[str(number) for number in range(len(FILTERS))])
def test_filters_select_the_events(args: dict[str, t.Any], payload: Record, expected: bool) -> None:
    body = encoded(payload)
    answer = world(**args).send(signed(body), body)
    assert answer.status == 200
    assert (answer.event is not None) is expected


# Repeated deliveries


def test_repeated_delivery_causes_no_second_event() -> None:
    source = world()
    answers = [source.send(signed(BODY, "one"), BODY) for repetition in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [answer.event is not None for answer in answers] == [True, False, False]
    assert source.send(signed(BODY, "two"), BODY).event


def test_repetition_with_a_new_signature_causes_no_second_event() -> None:
    source = world()
    assert source.send(signed(BODY, "one"), BODY).event
    source.now += 3600
    answer = source.send(signed(BODY, "one", at=source.now), BODY)
    assert (answer.status, answer.event) == (200, None)


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-Gitlab-Event-UUID", "X-Gitlab-Webhook-UUID"])
def test_unsigned_headers_cannot_make_a_replay_new(name: str) -> None:
    """These headers are not signed."""
    source = world()
    headers = signed(BODY)
    assert source.send(headers, BODY).event
    headers[name] = "another"
    assert source.send(headers, BODY).event is None


def test_deliveries_with_the_same_event_uuid_are_different() -> None:
    """Hooks that trigger each other share X-Gitlab-Event-UUID."""
    source = world(token=TOKEN)
    assert source.send(with_token("one", X_Gitlab_Event_UUID="same"), BODY).event
    assert source.send(with_token("two", X_Gitlab_Event_UUID="same"), BODY).event


def test_deliveries_without_an_id_are_compared_by_body() -> None:
    source = world(token=TOKEN)
    first, second = (source.send(with_token(None), BODY) for repetition in range(2))
    assert first.event and not second.event
    assert first.event.content["meta"]["uuid"]
    other = encoded(changed(JOB, build_status="running"))
    assert source.send(with_token(None), other).event


def test_remember_limits_the_number_of_known_deliveries() -> None:
    source = world(remember=3)
    for number in range(4):
        assert source.send(signed(BODY, str(number)), BODY).event
    assert [source.send(signed(BODY, str(number)), BODY).event is not None for number in (1, 2, 3, 0)] == [
        False,
        False,
        False,
        True,
    ]


def test_long_ids_need_little_memory() -> None:
    known = Known(2)
    for number in range(10):
        known.add(str(number).encode() * 8000)
    assert len(known) == 2
    assert sum(map(len, known._seen)) == 64


# When ansible-rulebook accepts no events


def test_full_queue_refuses_deliveries_until_there_is_room() -> None:
    source = world(Backlog(max_events=2))
    assert [source.send(signed(BODY, str(number)), BODY).status for number in range(4)] == [200, 200, 503, 503]
    # repetitions and other kinds still get their answer
    assert source.send(signed(BODY, "0"), BODY).status == 200
    assert source.send(signed(encoded(PUSH), "x"), encoded(PUSH)).status == 200
    source.backlog.done(source.backlog._waiting.get_nowait())
    assert source.send(signed(BODY, "3"), BODY).event
    assert source.send(signed(BODY, "2"), BODY).status == 503


def test_queue_is_also_limited_by_bytes() -> None:
    source = world(Backlog(max_bytes=len(BODY) * 2 + 1))
    assert [source.send(signed(BODY, str(number)), BODY).status for number in range(3)] == [200, 200, 503]
