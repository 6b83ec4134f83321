# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decoding bytes to records, and finding GitLab's own words in errors of any structure."""

from __future__ import annotations

import types

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import decoding, libraries
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.catalogue import CATALOGUE
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.connection import ConnectionSettings
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.endpoints import Endpoint
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import BadAnswerError
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.http import Response
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.masking import Masker

from ...harness import API, reply

SETTINGS = ConnectionSettings(API)
TOO_MANY = "This endpoint has been requested too many times. Try again later."


def decode_record(response):
    return decoding.decode(Endpoint("get_thing", "GET", "/thing"), response)


def decode_records(response):
    return decoding.decode(Endpoint("list_things", "GET", "/things", answer="records"), response)


def status_error(content, *, status=400, masker=None, headers=None):
    response = reply(content, status=status, headers=headers)
    return decoding.status_error(CATALOGUE[0], {}, response, SETTINGS, masker or Masker())


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"message": "403 Forbidden - Job is not retryable"}, "403 Forbidden - Job is not retryable"),
        ({"message": "404 Not found"}, "404 Not found"),
        ({"error": "scope does not have a valid value"}, "scope does not have a valid value"),
        ({"message": {"error": TOO_MANY}}, TOO_MANY),
        ({"message": {"error": ["a"]}}, '["a"]'),
        ({"message": {"field": ["is too long"]}}, '{"field": ["is too long"]}'),
        ({"error": "invalid_token", "error_description": "Token was revoked."}, "Token was revoked."),
        (
            {"error": "insufficient_scope", "error_description": "Higher privileges.", "scope": "api"},
            "Higher privileges.",
        ),
        ({"error": "insufficient_granular_scope", "error_description": "read_job"}, "read_job"),
        ("Retry later\n", "Retry later"),
        ("<html><body>502 Bad Gateway</body></html>", ""),
        ("  <!DOCTYPE html><title>x</title>", ""),
        (b"", ""),
        (b"\xff\xfe half", "\ufffd\ufffd half"),
        ({}, ""),
        ([], "[]"),
        ({"message": {"name": ["grün"]}}, '{"name": ["grün"]}'),
        ({"message": "a\x1b[31mred\x1b[0m\nline\r\x00\x07 two"}, "ared line two"),
        ({"message": "x" * 1000}, "x" * 299 + "…"),
    ],
)
def test_server_text_is_extracted_from_any_error(content, text):
    assert status_error(content).server_text == text


def test_server_text_contains_no_secret_even_when_cut():
    masker = Masker(["secret-token"])
    text = status_error({"message": "x" * 293 + "secret-token"}, masker=masker).server_text
    assert "secret" not in text
    assert status_error("got secret-token", masker=masker).server_text == "got ********"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"error": "404 Not Found"}, True),
        ({"message": "404 Not found"}, False),
        ({"message": "x", "error": "y"}, False),
        ([], False),
        ("404", False),
        ("<html>", False),
        (b"", False),
    ],
)
def test_missing_route_is_distinguished_from_missing_object(content, expected):
    assert status_error(content, status=404).is_missing_endpoint is expected


@pytest.mark.parametrize("body", [b'{"id": 1', b'{"id": NaN}', b"[" * 100_000])
def test_broken_json_is_not_called_something_else_than_json(body):
    answer = Response(200, {"content-type": "application/json; charset=utf-8"}, body)
    with pytest.raises(BadAnswerError) as caught:
        decoding.decode_json(answer)
    assert caught.value.problem == "the answer (status 200) is invalid JSON"


@pytest.mark.parametrize(
    ("decode", "content", "problem"),
    [
        (decode_record, "<html>Sign in</html>", "the answer (status 200) is an HTML page, not JSON"),
        (decode_records, "<!doctype html>", "the answer (status 200) is an HTML page, not JSON"),
        (decode_record, b"", "the answer (status 200) is empty, not JSON"),
        (decode_record, b" \n", "the answer (status 200) is empty, not JSON"),
        (decode_record, b'{"id": 1', "the answer (status 200) is application/octet-stream, not JSON"),
        (decode_record, "moved", "the answer (status 200) is text/plain, not JSON"),
        (decode_record, b"[" * 100_000, "the answer (status 200) is application/octet-stream, not JSON"),
        (decode_record, b"\xff\xff", "the answer (status 200) is application/octet-stream, not JSON"),
        (decode_record, b'{"id": NaN}', "the answer (status 200) is application/octet-stream, not JSON"),
        (decode_record, b'{"id": -Infinity}', "the answer (status 200) is application/octet-stream, not JSON"),
        (decode_record, b'{"id": 1e999}', "the answer (status 200) is application/octet-stream, not JSON"),
        (decode_record, [], "the answer contains a list instead of an object"),
        (decode_record, None, "the answer contains null instead of an object"),
        (decode_record, True, "the answer contains a boolean instead of an object"),
        (decode_record, "1", "the answer contains a number instead of an object"),
        (decode_records, {"id": 1}, "the answer contains an object instead of a list"),
        (decode_records, [{"id": 1}, "x"], "the answer contains a string instead of an object"),
        (decode_records, [None], "the answer contains null instead of an object"),
        (decode_records, [[]], "the answer contains a list instead of an object"),
    ],
)
def test_invalid_records_are_explained(decode, content, problem):
    with pytest.raises(BadAnswerError) as caught:
        decode(reply(content))
    assert caught.value.problem == problem
    assert "api_url" in caught.value.advice


PIPELINES = next(endpoint for endpoint in CATALOGUE if endpoint.name == "list_pipelines")
WHOLE = {"id": 6, "status": "success", "ref": "main", "sha": "a" * 40, "source": "push"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("id", value) for value in ("6", None, True, 6.0, 0, -6)],
        *[(name, value) for name in ("ref", "sha", "source") for value in (6, ["main"], {}, True)],
        ("ref", None),
        ("sha", None),
    ],
)
def test_field_of_a_wrong_type_is_an_error(name, value):
    assert decoding.decode(PIPELINES, reply([WHOLE])) == [WHOLE]
    with pytest.raises(BadAnswerError, match=f"a record in the answer has no valid '{name}'"):
        decoding.decode(PIPELINES, reply([WHOLE, {**WHOLE, name: value}]))


@pytest.mark.parametrize("name", ["ref", "sha", "source"])
def test_field_that_old_servers_lack_may_be_missing(name):
    record = {key: value for key, value in WHOLE.items() if key != name}
    assert decoding.decode(PIPELINES, reply([record])) == [record]


def test_source_of_a_pipeline_may_be_null():
    record = {**WHOLE, "source": None}
    assert decoding.decode(PIPELINES, reply([record])) == [record]


def test_records_are_returned_unchanged():
    assert decode_record(reply({"id": 1, "new": None})) == {"id": 1, "new": None}
    assert decode_records(reply([{"id": 1}, {}])) == [{"id": 1}, {}]
    assert decode_records(reply([])) == []


def test_consecutive_records_of_a_list_share_equal_users():
    whose = [{"user": {"id": number}, "stage": {"id": number}} for number in (1, 1, 2, 2, 1)]
    records = decode_records(reply([*whose, {"user": None}, {}, {"user": {"id": 1}}]))
    assert records == [*whose, {"user": None}, {}, {"user": {"id": 1}}]
    users = [record.get("user") for record in records]
    assert users[0] is users[1] and users[2] is users[3]
    assert users[0] is not users[4] and records[0]["stage"] is not records[1]["stage"]


def test_text_may_be_cut_within_a_character():
    assert decoding.decode_text(reply("ü".encode()[:1])) == "\ufffd"
    assert decoding.decode_text(reply(b"")) == ""


@pytest.mark.parametrize(("header", "shown"), [("01\x1b[2J" + "A" * 100, "01" + "A" * 62), ("", "")])
def test_request_id_is_short_and_printable(header, shown):
    assert status_error([], headers={"X-Request-Id": header}).request_id == shown


@pytest.mark.parametrize("kind", ["application/json", "application/problem+json; charset=utf-8"])
def test_broken_json_is_not_called_another_type_than_json(kind):
    with pytest.raises(BadAnswerError) as caught:
        decode_record(reply(b'{"id": 1', headers={"Content-Type": kind}))
    assert caught.value.problem == "the answer (status 200) is invalid JSON"


def test_standard_decoder_is_used_if_the_fast_one_fails(monkeypatch):
    def strict(body):
        raise ValueError(body)

    monkeypatch.setattr(libraries, "orjson", types.SimpleNamespace(loads=strict))
    assert decoding.decode_json(reply({"a": 1})) == {"a": 1}
    with pytest.raises(BadAnswerError, match="not JSON"):
        decoding.decode_json(reply("nonsense"))
    monkeypatch.setattr(libraries, "orjson", types.SimpleNamespace(loads=lambda body: [{"a": 2}]))
    assert decode_records(reply([{"a": 1}])) == [{"a": 2}]
