# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test a server that is down, redirects, uses TLS, or has a wrong clock."""

from __future__ import annotations

import email.utils
import io
import json
import pathlib
import ssl
import time
import typing as t
import zipfile

import pytest
import requests

from tests.simulator.certificates import TLS_KINDS
from tests.simulator.clock import STEPPED_EPOCH
from tests.simulator.fixture import Simulator

from .raw import JOB, JOBS, LONG_TIMEOUT, PLAY, Answer, call, connect, exchange
from .support import Client, scenario


@pytest.fixture(autouse=True)
def world(simulator: Simulator) -> None:
    simulator.load(scenario(*({"name": f"a{number}", "when": "manual"} for number in range(3))))


def wait_until_reachable(simulator: Simulator) -> Answer:
    """Repeat a request until there is a response."""
    end = time.monotonic() + LONG_TIMEOUT
    while time.monotonic() < end:
        answer = call(simulator.url, "GET", JOB)
        if answer.error is None:
            return answer
        assert isinstance(answer.error, ConnectionError)
        time.sleep(0.01)
    raise AssertionError("the server does not come back")


class TestRefusing:
    def test_connections_are_refused_for_some_time(self, simulator: Simulator) -> None:
        url = simulator.url
        simulator.refuse(3600)
        assert isinstance(call(url, "POST", PLAY).error, ConnectionRefusedError)
        begin = time.monotonic()
        simulator.refuse(0.3)
        assert wait_until_reachable(simulator).status == 200
        assert time.monotonic() - begin >= 0.3
        assert (simulator.url, simulator.effects()) == (url, [])

    def test_idle_connection_is_closed(self, simulator: Simulator) -> None:
        connection = connect(simulator.url)
        assert exchange(connection, "GET", JOB).status == 200
        simulator.refuse(0.1)
        assert exchange(connection, "GET", JOB).error is not None
        connection.close()

    def test_active_request_is_still_answered(self, simulator: Simulator) -> None:
        simulator.inject("delay", seconds=0.1)
        connection = connect(simulator.url)
        connection.request("POST", PLAY, headers={"PRIVATE-TOKEN": "mia-token"})
        while not simulator.effects():
            time.sleep(0.005)
        simulator.refuse(60)
        assert connection.getresponse().status == 200
        connection.close()
        assert isinstance(call(simulator.url, "GET", JOB).error, ConnectionRefusedError)

    def test_next_connections_are_refused(self, simulator: Simulator) -> None:
        simulator.refuse_next(2)
        answers = [call(simulator.url, "GET", JOB) for _round in range(3)]
        assert [type(answer.error) for answer in answers] == [ConnectionResetError, ConnectionResetError, type(None)]
        assert len(simulator.requests()) == 1
        assert simulator.faults()["rules"][0]["struck"] == 2

    def test_nth_connection_is_refused(self, simulator: Simulator) -> None:
        simulator.inject(kind="refuse", nth=2)
        assert [call(simulator.url, "GET", JOB).status for _round in range(3)] == [200, None, 200]

    def test_connections_are_refused_after_a_request(self, simulator: Simulator) -> None:
        """The first request is answered. After it, connections are refused, starting with that of the write."""
        simulator.inject("refuse_then", endpoint="get_job", times=1, seconds=60)
        assert call(simulator.url, "GET", JOB).status == 200
        assert isinstance(call(simulator.url, "POST", PLAY).error, ConnectionRefusedError)
        simulator.come_back()
        assert call(simulator.url, "POST", PLAY).status == 200
        assert len(simulator.effects()) == 1

    def test_loading_a_scenario_ends_the_refusal(self, simulator: Simulator) -> None:
        simulator.refuse(60)
        simulator.load(scenario({"name": "a"}))
        assert call(simulator.url, "GET", JOB).status == 200


class TestRestart:
    def test_restart_keeps_the_state(self, simulator: Simulator) -> None:
        url = simulator.url
        assert call(url, "POST", PLAY).status == 200
        idle = connect(url)
        assert exchange(idle, "GET", JOB).status == 200
        simulator.restart(3600)
        assert isinstance(call(url, "GET", JOB).error, ConnectionRefusedError)
        assert isinstance(exchange(idle, "GET", JOB).error, ConnectionResetError)
        simulator.come_back()
        assert json.loads(wait_until_reachable(simulator).body)["status"] == "pending"
        assert (simulator.url, len(simulator.effects())) == (url, 1)
        idle.close()

    def test_restart_loses_the_answer_of_an_active_request(self, simulator: Simulator) -> None:
        simulator.inject("delay", seconds=60)
        connection = connect(simulator.url)
        connection.request("POST", PLAY, headers={"PRIVATE-TOKEN": "mia-token"})
        while not simulator.effects():
            time.sleep(0.005)
        simulator.restart(0.05)
        with pytest.raises(ConnectionResetError):
            connection.getresponse()
        connection.close()
        simulator.clear_faults()
        assert json.loads(wait_until_reachable(simulator).body)["status"] == "pending"

    def test_server_is_reachable_after_two_restarts(self, simulator: Simulator) -> None:
        simulator.restart(0.01)
        simulator.restart(0.05)
        assert wait_until_reachable(simulator).status == 200


class TestSecondOrigin:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "HEAD"])
    def test_redirect_keeps_the_path_and_has_no_effect(self, simulator: Simulator, method: str, status: int) -> None:
        simulator.inject(f"redirect_{status}")
        answer = call(simulator.url, method, f"{JOBS}?page=2")
        assert (answer.status, answer.headers["Location"]) == (status, f"{simulator.second.url}{JOBS}?page=2")
        assert simulator.effects() == simulator.second.requests() == []

    def test_second_origin_records_the_whole_request(self, simulator: Simulator) -> None:
        """The second origin shows that a client forwards its credential."""
        simulator.inject("redirect_307")
        session = Client(simulator).session
        session.post(f"{simulator.url}{PLAY}?x=1", json={"job_variables_attributes": []}, timeout=LONG_TIMEOUT)
        (row,) = simulator.second.requests()
        assert (row["scheme"], row["method"], row["path"], row["query"]) == ("http", "POST", PLAY, "x=1")
        assert row["headers"]["private-token"] == "mia-token"
        assert row["body"] == '{"job_variables_attributes": []}'
        simulator.second.clear()
        assert simulator.second.requests() == []

    def test_second_origin_sends_plausible_answers(self, simulator: Simulator) -> None:
        url = simulator.second.url
        assert json.loads(call(url, "GET", JOB).body)["id"] == 1000
        assert isinstance(json.loads(call(url, "GET", JOBS).body), list)
        assert call(url, "GET", f"{JOB}/trace").headers["Content-Type"] == "text/plain"
        packed = call(url, "GET", f"{JOB}/artifacts").body
        assert zipfile.ZipFile(io.BytesIO(packed)).testzip() is None
        assert len(simulator.second.requests()) == 4

    def test_next_link_can_point_to_the_second_origin(self, simulator: Simulator) -> None:
        simulator.inject("link_host")
        response = Client(simulator).get("jobs?per_page=1")
        foreign = simulator.second.url
        assert response.links["next"]["url"].startswith(f"{foreign}{JOBS}?")
        assert simulator.url not in response.headers["Link"]
        assert len(response.json()) == 1

    @pytest.mark.parametrize(
        ("name", "where"), [("redirect_302", "second"), ("redirect_plain", "self"), ("redirect_loop", "loop")]
    )
    def test_redirects_from_https_have_the_right_target(self, simulator: Simulator, name: str, where: str) -> None:
        simulator.inject(name)
        url = simulator.tls_url()
        targets = {"second": simulator.second.url, "self": simulator.http_url, "loop": url}
        answer = call(url, "GET", JOB, context=ssl.create_default_context(cafile=str(simulator.ca_path)))
        assert answer.headers["Location"] == targets[where] + JOB

    def test_redirect_can_lead_to_https(self, simulator: Simulator) -> None:
        simulator.inject("redirect_tls")
        location = call(simulator.url, "GET", JOB).headers["Location"]
        assert location == simulator.second.tls_url + JOB
        context = ssl.create_default_context(cafile=str(simulator.ca_path))
        assert call(simulator.second.tls_url, "GET", JOB, context=context).status == 200
        assert simulator.second.requests()[0]["scheme"] == "https"


class TestTls:
    def send(self, simulator: Simulator, kind: str, **more: t.Any) -> Answer:
        context = ssl.create_default_context(cafile=str(simulator.ca_path))
        return call(simulator.tls_url(kind), "GET", JOB, context=context, **more)

    def test_valid_certificate_is_trusted_only_with_the_ca(self, simulator: Simulator) -> None:
        answer = self.send(simulator, "valid")
        assert json.loads(answer.body)["web_url"].startswith(simulator.tls_url("valid"))
        session = Client(simulator).session
        session.verify = str(simulator.ca_path)
        assert session.get(simulator.tls_url() + JOB, timeout=LONG_TIMEOUT).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            session.get(simulator.tls_url() + JOB, timeout=LONG_TIMEOUT, verify=True)

    @pytest.mark.parametrize(
        ("kind", "text"),
        [("expired", "expired"), ("wrong_host", "not valid for"), ("self_signed", "self-signed|self signed")],
    )
    def test_invalid_certificates_are_rejected(self, simulator: Simulator, kind: str, text: str) -> None:
        error = self.send(simulator, kind).error
        assert isinstance(error, ssl.SSLCertVerificationError)
        with pytest.raises(ssl.SSLCertVerificationError, match=text):
            raise error
        assert simulator.requests() == []

    @pytest.mark.parametrize("kind", TLS_KINDS)
    def test_any_certificate_works_without_verification(self, simulator: Simulator, kind: str) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        assert call(simulator.tls_url(kind), "GET", JOB, context=context).status == 200

    def test_faults_strike_tls_connections(self, simulator: Simulator) -> None:
        simulator.inject("reset_after", times=1)
        assert isinstance(self.send(simulator, "valid").error, ConnectionResetError)
        simulator.refuse_next()
        assert isinstance(self.send(simulator, "valid").error, ConnectionResetError)
        simulator.refuse(60)
        assert isinstance(self.send(simulator, "valid").error, ConnectionRefusedError)
        simulator.come_back()
        assert self.send(simulator, "valid").status == 200

    def test_simulator_can_serve_only_tls(self) -> None:
        with Simulator(scenario({"name": "a"}), tls="valid") as running:
            ca_path = running.ca_path
            assert running.url == running.tls_url("valid")
            assert self.send(running, "valid").status == 200
        assert not pathlib.Path(ca_path).exists()

    def test_unknown_kind_is_refused(self, simulator: Simulator) -> None:
        with pytest.raises(ValueError, match="not one of valid, expired"):
            simulator.tls_url("broken")


class TestClockJumps:
    def date(self, answer: Answer) -> float:
        return email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp() - STEPPED_EPOCH.timestamp()

    @pytest.mark.parametrize(("jump", "text"), [(3600, "13:00:05"), (-3600, "11:00:05")])
    def test_clock_jump_changes_later_timestamps_and_dates(self, simulator: Simulator, jump: float, text: str) -> None:
        simulator.advance(1)
        before = json.loads(call(simulator.url, "GET", JOB).body)["created_at"]
        simulator.advance(1)
        simulator.jump_clock(jump)
        simulator.advance(3)
        answer = call(simulator.url, "POST", PLAY)
        assert self.date(answer) == 5 + jump
        assert simulator.now == 5
        simulator.advance(1)
        job = json.loads(call(simulator.url, "GET", JOB).body)
        assert job["created_at"] == before
        assert job["status"] == "running"
        # The job was played five seconds after the start, and ran a second later.
        assert job["started_at"] == f"2026-01-05T{text[:-1]}6.000Z"

    def test_clock_jumps_add_up(self, simulator: Simulator) -> None:
        simulator.jump_clock(100)
        simulator.jump_clock(-30.5)
        assert self.date(call(simulator.url, "GET", JOB)) == pytest.approx(70, abs=1)
        simulator.load(scenario({"name": "a"}))
        assert self.date(call(simulator.url, "GET", JOB)) == 0


class TestAdminPath:
    def send(self, simulator: Simulator, method: str, path: str, data: t.Any = None) -> tuple[int | None, t.Any]:
        body = json.dumps(data).encode() if data is not None else None
        answer = call(simulator.url, method, f"/_simulator{path}", body=body)
        return answer.status, json.loads(answer.body) if answer.body else None

    def test_fault_rules_are_added_shown_and_deleted(self, simulator: Simulator) -> None:
        rules = [{"preset": "html_502", "times": 1}, {"kind": "status", "status": 500, "probability": 1}]
        assert self.send(simulator, "POST", "/faults", {"seed": 5, "rules": rules}) == (201, {"rules": 2})
        assert [call(simulator.url, "GET", JOB).status for _round in range(2)] == [502, 500]
        status, shown = self.send(simulator, "GET", "/faults")
        assert (status, shown["seed"]) == (200, 5)
        assert [(row["name"], row["seen"], row["struck"]) for row in shown["rules"]] == [
            ("html_502", 2, 1),
            ("status", 1, 1),
        ]
        assert self.send(simulator, "POST", "/faults", {"seed": 6}) == (201, {"rules": 2})
        assert self.send(simulator, "DELETE", "/faults") == (204, None)
        assert self.send(simulator, "GET", "/faults")[1] == {"seed": 6, "rules": []}
        assert self.send(simulator, "POST", "/faults", {"preset": "nothing"})[0] == 400
        assert "reset_after" in self.send(simulator, "GET", "/faults/presets")[1]

    def test_connections_are_refused_on_request(self, simulator: Simulator) -> None:
        assert self.send(simulator, "POST", "/refuse", {"seconds": 0.3})[0] == 200
        assert isinstance(call(simulator.url, "GET", JOB).error, ConnectionRefusedError)
        assert wait_until_reachable(simulator).status == 200
        assert self.send(simulator, "POST", "/refuse", {"times": 1})[0] == 200
        assert [call(simulator.url, "GET", JOB).status for _round in range(2)] == [None, 200]
        for wrong in ({}, {"seconds": 1, "times": 1}, {"seconds": -1}, {"second": 1}, [], {"seconds": "1"}):
            assert self.send(simulator, "POST", "/refuse", wrong)[0] == 400

    def test_server_is_restarted_on_request(self, simulator: Simulator) -> None:
        assert self.send(simulator, "POST", "/restart", {"down_seconds": 0.3})[0] == 200
        assert isinstance(call(simulator.url, "GET", JOB).error, ConnectionRefusedError)
        assert wait_until_reachable(simulator).status == 200

    def test_second_origin_is_shown_and_cleared(self, simulator: Simulator) -> None:
        status, urls = self.send(simulator, "GET", "/second")
        assert (status, urls) == (200, {"url": simulator.second.url, "tls_url": simulator.second.tls_url})
        call(urls["url"], "GET", "/x")
        _status, rows = self.send(simulator, "GET", "/second/requests")
        assert [(row["path"], row["headers"]["private-token"]) for row in rows] == [("/x", "mia-token")]
        assert self.send(simulator, "DELETE", "/second/requests") == (204, None)
        assert self.send(simulator, "GET", "/second/requests") == (200, [])

    def test_tls_and_clock_jumps_are_started_on_request(self, simulator: Simulator) -> None:
        status, shown = self.send(simulator, "POST", "/tls", {"kind": "expired"})
        assert (status, shown["url"]) == (200, simulator.tls_url("expired"))
        assert pathlib.Path(shown["ca_path"]).exists()
        assert self.send(simulator, "POST", "/tls", {"kind": "broken"})[0] == 400
        moment = STEPPED_EPOCH.timestamp() - 60
        assert self.send(simulator, "POST", "/clock/jump", {"seconds": -60}) == (200, {"unix_time": moment})
