# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test logs: their growth, content and permissions."""

from __future__ import annotations

import re

import pytest

from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError

from .support import Client, scenario

LOG = (
    "section_start:1767614400:step\r\x1b[0K\x1b[36;1mStep\x1b[0;m\n"
    "Größe: 1 €, 日本語 \U0001f680\n\x1b[31mred\x1b[0m\r\nsection_end:1767614409:step\r\x1b[0Kno line break at the end"
)
PREFIX = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z 00O ")


def test_log_grows_byte_by_byte(simulator: Simulator) -> None:
    whole = LOG.encode()
    simulator.load(scenario({"name": "a", "queue": 0, "duration": len(whole) / 10, "log": LOG}))
    client = Client(simulator)
    broken = 0
    for count in range(len(whole)):
        body = client.get("jobs/1000/trace").content
        assert body == whole[:count]
        try:
            body.decode()
        except UnicodeDecodeError:
            broken += 1
        simulator.advance(0.1)
    # The log is also cut in the middle of characters.
    assert broken > 10
    simulator.advance(1)
    assert client.get("jobs/1000/trace").content == whole


def test_large_log_grows_over_time(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "queue": 0, "duration": 10, "log_size": 30_000_000}), version="19.2")
    client = Client(simulator)
    simulator.advance(5)
    half = client.get("jobs/1000/trace").content
    assert len(half) == 15_000_000
    simulator.advance(5)
    assert client.get("jobs/1000/trace?byte_offset=14999000&byte_limit=1000").content == half[-1000:]
    assert client.get("jobs/1000").json()["artifacts"][-1]["size"] == 30_000_000


@pytest.mark.parametrize("action", ["cancel", "erase"])
def test_canceled_job_keeps_its_log_and_erased_job_loses_it(simulator: Simulator, action: str) -> None:
    simulator.load(scenario({"name": "a", "queue": 0, "duration": 10, "log": "0123456789"}), version="15.9")
    client = Client(simulator)
    simulator.advance(4 if action == "cancel" else 20)
    assert client.post(f"jobs/1000/{action}").status_code == 201
    simulator.advance(100)
    response = client.get("jobs/1000/trace")
    assert (response.status_code, response.text) == (200, "0123" if action == "cancel" else "")


def test_missing_log_is_empty(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "status": "success", "log": ""}, {"name": "b", "status": "manual"}))
    for number in (1000, 1001):
        response = Client(simulator).get(f"jobs/{number}/trace")
        assert (response.status_code, response.content) == (200, b"")


def test_log_lines_have_timestamps(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "queue": 0, "duration": 8, "log": LOG, "log_timestamps": True}))
    client = Client(simulator)
    simulator.advance(4)
    half = client.get("jobs/1000/trace").content
    simulator.advance(5)
    whole = client.get("jobs/1000/trace").content
    assert whole.startswith(half) and len(half) == len(whole) // 2
    assert whole.startswith(b"2026-01-05T12:00:00.000000Z 00O section_start:")
    lines = whole.split(b"\n")
    assert all(PREFIX.match(line) and len(PREFIX.match(line)[0]) == 32 for line in lines)  # type: ignore[index]
    assert b"\n".join(line[32:] for line in lines) == LOG.encode()
    stamps = [line[:27] for line in lines]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(("version", "length"), [("18.10", 10), ("19.1", 10), ("19.2", 3)])
def test_byte_ranges_depend_on_the_version(simulator: Simulator, version: str, length: int) -> None:
    simulator.load(scenario({"name": "a", "status": "success", "log": "0123456789"}), version=version)
    client = Client(simulator)
    assert len(client.get("jobs/1000/trace?byte_limit=3").content) == length
    assert client.get("jobs/1000/trace?byte_limit=0").status_code == (400 if version == "19.2" else 200)


@pytest.mark.parametrize("by_variable", [False, True])
def test_debug_logs_require_a_developer(simulator: Simulator, by_variable: bool) -> None:
    simulator.load(scenario({"name": "a", "status": "success", "debug_trace": not by_variable}))
    if by_variable:
        simulator.set_job("a", variables=[{"key": "CI_DEBUG_TRACE", "value": "true"}])
    for who, status in {"gus": 403, "rob": 403, "dev": 200, "ada": 200}.items():
        client = Client(simulator, f"{who}-token")
        assert client.get("jobs/1000/trace").status_code == status
        assert client.get("jobs/1000").status_code == 200


@pytest.mark.parametrize(
    "row", [{"log_size": -1}, {"log_size": 5, "log": "x"}, {"log_size": 5, "log_timestamps": True}]
)
def test_invalid_log_size_is_refused(simulator: Simulator, row: dict[str, object]) -> None:
    with pytest.raises(ScenarioError, match="log_size"):
        simulator.load(scenario({"name": "a", **row}))
