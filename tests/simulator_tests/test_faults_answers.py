# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test what a client receives with each kind of fault."""

from __future__ import annotations

import email.utils
import gzip
import http.client
import json
import time
import typing as t

import pytest
import requests

from tests.simulator import wire
from tests.simulator.clock import STEPPED_EPOCH
from tests.simulator.fault_presets import PRESETS
from tests.simulator.fixture import Simulator

from .raw import JOB, JOBS, LONG_TIMEOUT, Answer, call, connect, exchange
from .support import Client, scenario


@pytest.fixture(autouse=True)
def world(simulator: Simulator) -> None:
    simulator.load(scenario(*({"name": f"a{number}"} for number in range(3))))


def get(simulator: Simulator, *, path: str = JOB, timeout: float = LONG_TIMEOUT, **headers: str) -> Answer:
    return call(simulator.url, "GET", path, timeout=timeout, headers=headers)


def undamaged_body(simulator: Simulator, path: str = JOB) -> bytes:
    """Return the body of a response without a fault."""
    simulator.clear_faults()
    return get(simulator, path=path).body


class TestSilence:
    @pytest.mark.parametrize("name", ["reset_before", "reset_after", "refuse"])
    def test_reset_breaks_the_connection(self, simulator: Simulator, name: str) -> None:
        simulator.inject(name)
        assert isinstance(get(simulator).error, ConnectionResetError)

    @pytest.mark.parametrize("name", ["close_before", "close_after"])
    def test_close_ends_the_connection_without_a_response(self, simulator: Simulator, name: str) -> None:
        simulator.inject(name)
        error = get(simulator).error
        assert isinstance(error, http.client.RemoteDisconnected)
        assert "without response" in str(error)

    @pytest.mark.parametrize("name", ["hang_before", "hang_after"])
    def test_hang_sends_nothing(self, simulator: Simulator, name: str) -> None:
        simulator.inject(name)
        assert isinstance(get(simulator, timeout=0.1).error, TimeoutError)

    def test_hang_ends_after_its_time(self, simulator: Simulator) -> None:
        simulator.inject("hang_before", seconds=0.1)
        begin = time.monotonic()
        assert isinstance(get(simulator).error, http.client.RemoteDisconnected)
        assert time.monotonic() - begin >= 0.1


class TestSlow:
    def test_delay_postpones_the_response(self, simulator: Simulator) -> None:
        simulator.inject("delay", seconds=0.1)
        begin = time.monotonic()
        assert get(simulator).status == 200
        assert time.monotonic() - begin >= 0.1

    def test_drip_sends_the_response_slowly(self, simulator: Simulator) -> None:
        simulator.inject("drip", seconds=0.2)
        begin = time.monotonic()
        connection = connect(simulator.url)
        answer = exchange(connection, "GET", JOB)
        assert time.monotonic() - begin >= 0.2
        simulator.clear_faults()
        # The response is correct, and the connection stays open.
        assert exchange(connection, "GET", JOB).body == answer.body
        connection.close()

    def test_drip_keeps_a_client_busy(self, simulator: Simulator) -> None:
        """Single bytes keep arriving, but the response does not end."""
        simulator.inject("drip", seconds=60, bytes=1)
        connection = connect(simulator.url)
        connection.request("GET", JOB, headers={"PRIVATE-TOKEN": "mia-token"})
        response = connection.getresponse()
        # on a busy machine, two bytes may arrive together
        pieces = [response.read1() for _piece in range(5)]
        assert all(pieces) and len(b"".join(pieces)) < int(response.headers["Content-Length"])
        connection.close()

    def test_disconnected_client_is_not_logged_as_an_error(
        self, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def write_to_nobody(*_arguments: t.Any) -> t.NoReturn:
            raise ConnectionResetError("Cannot write to closing transport")

        monkeypatch.setattr(wire, "commit", write_to_nobody)
        simulator.inject("drip", seconds=60)
        assert isinstance(get(simulator).error, http.client.RemoteDisconnected)
        assert caplog.records == []


class TestDamaged:
    @pytest.mark.parametrize(("name", "length"), [("truncate", 20), ("truncate_all", 0)])
    def test_truncated_body_ends_early(self, simulator: Simulator, name: str, length: int) -> None:
        simulator.inject(name)
        answer = get(simulator)
        assert isinstance(answer.error, http.client.IncompleteRead)
        assert len(answer.body) == length
        whole = undamaged_body(simulator)
        assert int(answer.headers["Content-Length"]) == len(whole) and whole.startswith(answer.body)

    def test_short_body_is_truncated(self, simulator: Simulator) -> None:
        simulator.inject("truncate")
        answer = get(simulator, path=f"{JOBS}?scope[]=failed")
        assert (answer.headers["Content-Length"], answer.body) == ("2", b"[")
        assert isinstance(answer.error, http.client.IncompleteRead)

    def test_content_length_is_longer_than_the_body(self, simulator: Simulator) -> None:
        simulator.inject("length_too_long")
        answer = get(simulator)
        assert isinstance(answer.error, http.client.IncompleteRead)
        assert answer.body == undamaged_body(simulator)

    def test_content_length_is_shorter_than_the_body(self, simulator: Simulator) -> None:
        simulator.inject("length_too_short")
        answer = get(simulator)
        assert answer.error is None
        assert answer.body == undamaged_body(simulator)[:-10]

    def test_chunked_body_ends_early(self, simulator: Simulator) -> None:
        simulator.inject("chunk_cut")
        answer = get(simulator)
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert isinstance(answer.error, http.client.IncompleteRead)
        assert undamaged_body(simulator).startswith(answer.body) and answer.body

    def test_gzip_is_sent_only_if_accepted(self, simulator: Simulator) -> None:
        simulator.inject("gzip")
        packed = get(simulator, **{"Accept-Encoding": "gzip, deflate"})
        plain = get(simulator)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert "Content-Encoding" not in plain.headers
        assert Client(simulator).get("jobs/1000").json() == json.loads(plain.body)

    def test_bad_gzip_cannot_be_decoded(self, simulator: Simulator) -> None:
        simulator.inject("bad_gzip")
        assert get(simulator).headers["Content-Encoding"] == "gzip"
        with pytest.raises(requests.exceptions.ContentDecodingError):
            Client(simulator).get("jobs/1000")

    def test_gzip_body_ends_early(self, simulator: Simulator) -> None:
        simulator.inject("gzip_cut")
        answer = get(simulator, **{"Accept-Encoding": "gzip"})
        assert answer.error is None
        with pytest.raises(EOFError):
            gzip.decompress(answer.body)

    @pytest.mark.parametrize("name", ["truncate", "chunk_cut", "bad_gzip", "drip"])
    def test_responses_without_a_body_are_not_damaged(self, simulator: Simulator, name: str) -> None:
        simulator.inject(name)
        assert call(simulator.url, "HEAD", JOB).status == 200
        assert call(simulator.url, "DELETE", f"{JOB}/artifacts").status == 204


class TestOtherContent:
    def test_invalid_json_cannot_be_parsed(self, simulator: Simulator) -> None:
        simulator.inject("invalid_json")
        answer = get(simulator)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
        with pytest.raises(ValueError):
            json.loads(answer.body)

    @pytest.mark.parametrize("name", [name for name, row in PRESETS.items() if row["kind"] == "wrong_json"])
    def test_wrong_json_sends_the_body_of_the_preset(self, simulator: Simulator, name: str) -> None:
        simulator.inject(name)
        answer = get(simulator)
        assert (answer.status, json.loads(answer.body)) == (200, PRESETS[name]["body"])

    def test_empty_sends_no_body(self, simulator: Simulator) -> None:
        simulator.inject("empty")
        answer = get(simulator)
        assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, "0", b"")

    @pytest.mark.parametrize("status", [200, 401, 502, 503])
    def test_html_is_sent_with_its_status(self, simulator: Simulator, status: int) -> None:
        simulator.inject(f"html_{status}")
        answer = get(simulator)
        assert (answer.status, answer.headers["Content-Type"]) == (status, "text/html")
        assert answer.body.startswith(b"<html>")


class TestStatuses:
    def headers(self, simulator: Simulator, name: str) -> tuple[dict[str, str], t.Any]:
        simulator.inject(name)
        answer = get(simulator)
        assert answer.status == 429
        kept = {key: value for key, value in answer.headers.items() if key.startswith(("Retry", "RateLimit"))}
        return kept, answer.body.decode()

    def test_throttle_sends_retry_after_in_seconds(self, simulator: Simulator) -> None:
        assert self.headers(simulator, "throttle_seconds") == ({"Retry-After": "1"}, "Retry later\n")

    def test_throttle_can_send_no_retry_headers(self, simulator: Simulator) -> None:
        assert self.headers(simulator, "throttle_bare") == ({}, "Retry later\n")

    def test_throttle_sends_retry_after_as_a_date(self, simulator: Simulator) -> None:
        kept, _body = self.headers(simulator, "throttle_date")
        moment = email.utils.parsedate_to_datetime(kept["Retry-After"])
        assert moment.timestamp() == STEPPED_EPOCH.timestamp() + 1

    def test_throttle_sends_ratelimit_reset(self, simulator: Simulator) -> None:
        kept, _body = self.headers(simulator, "throttle_reset")
        reset = str(int(STEPPED_EPOCH.timestamp()) + 1)
        assert kept == {"RateLimit-Reset": reset, "RateLimit-Remaining": "0"}

    def test_limiter_sends_a_json_message(self, simulator: Simulator) -> None:
        kept, body = self.headers(simulator, "limiter")
        text = "This endpoint has been requested too many times. Try again later."
        assert (kept, json.loads(body)) == ({}, {"message": {"error": text}})

    @pytest.mark.parametrize(
        ("name", "status", "text"),
        [
            ("lock_409", 409, "409 Conflict: Resource lock"),
            ("maintenance_503", 503, "GitLab Maintenance: system is in maintenance mode"),
            ("error_500", 500, "500 Internal Server Error"),
        ],
    )
    def test_error_statuses_send_a_json_message(self, simulator: Simulator, name: str, status: int, text: str) -> None:
        simulator.inject(name)
        answer = get(simulator)
        assert (answer.status, json.loads(answer.body)) == (status, {"message": text})

    def test_rule_can_set_headers_and_content_type(self, simulator: Simulator) -> None:
        simulator.inject(status=403, body="no", headers={"Content-Type": "text/x-proxy", "Via": "1.1 proxy"})
        answer = get(simulator)
        assert (answer.headers["Content-Type"], answer.headers["Via"]) == ("text/x-proxy", "1.1 proxy")
