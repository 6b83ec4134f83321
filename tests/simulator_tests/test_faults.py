# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test which requests faults strike, and that each fault has the effect that it declares."""

from __future__ import annotations

import time
import typing as t

import pytest

from tests.simulator.fault_presets import AFTER, BEFORE, HARMLESS, PRESETS
from tests.simulator.faults import KINDS
from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError

from .raw import JOB, LONG_TIMEOUT, PLAY, SHORT_TIMEOUT, call
from .support import Client, scenario


@pytest.fixture
def client(simulator: Simulator) -> Client:
    simulator.load(scenario({"name": "a", "when": "manual"}))
    return Client(simulator)


class TestPresets:
    def test_every_kind_has_a_preset(self) -> None:
        assert {row["kind"] for row in PRESETS.values()} == set(KINDS)
        assert {row["effect"] for row in PRESETS.values()} == {BEFORE, AFTER}
        assert HARMLESS < PRESETS.keys()

    @pytest.mark.parametrize("name", PRESETS)
    def test_preset_has_its_declared_effect(self, simulator: Simulator, client: Client, name: str) -> None:
        simulator.inject(name, path="/play$", times=1)

        def arrived() -> None:
            while not simulator.requests():
                time.sleep(0.01)

        timeout = SHORT_TIMEOUT if PRESETS[name].get("seconds", 0) > 5 else LONG_TIMEOUT
        headers = {"Accept-Encoding": "gzip"}
        answer = call(simulator.url, "POST", PLAY, timeout=timeout, headers=headers, sent=arrived)
        simulator.come_back()
        done = PRESETS[name]["effect"] == AFTER
        assert [row["action"] for row in simulator.effects()] == ["play"] * done
        assert simulator.job("a")["status"] == ("pending" if done else "manual")
        (row,) = simulator.requests()
        assert (row["fault"], row["endpoint"]) == (name, "play_job")
        assert (row["user"] == "mia") == done
        if answer.is_complete:
            assert row["status"] == answer.status
        # The next request is not struck, and the server knows its effects.
        assert client.post("jobs/1000/play").status_code == (400 if done else 200)
        assert len(simulator.effects()) == 1

    @pytest.mark.parametrize("name", PRESETS)
    def test_preset_can_be_injected_as_a_rule(self, simulator: Simulator, client: Client, name: str) -> None:
        simulator.inject(**PRESETS[name], path="/nowhere$")
        assert client.get("jobs/1000").status_code == 200
        assert simulator.faults()["rules"][0]["kind"] == PRESETS[name]["kind"]

    def test_preset_can_be_overridden(self, simulator: Simulator, client: Client) -> None:
        simulator.inject("html_502", status=504, name="mine", times=1)
        assert client.get("jobs/1000").status_code == 504
        assert simulator.requests()[0]["fault"] == "mine"


class TestRules:
    def statuses(self, client: Client, count: int) -> list[int]:
        return [client.get("jobs/1000").status_code for _round in range(count)]

    @pytest.mark.parametrize(
        ("rule", "struck"),
        [
            ({"nth": 2}, [2]),
            ({"nth": [1, 3]}, [1, 3]),
            ({"times": 2}, [1, 2]),
            ({"nth": [2, 3, 4], "times": 2}, [2, 3]),
            ({"method": "get", "path": "/jobs/1", "endpoint": "get_job", "nth": 1}, [1]),
            ({"method": "POST"}, []),
            ({"endpoint": "get_trace"}, []),
            ({"probability": 0}, []),
            ({"probability": 1.0}, [1, 2, 3, 4]),
        ],
    )
    def test_rule_strikes_the_matching_requests(
        self, simulator: Simulator, client: Client, rule: dict[str, t.Any], struck: list[int]
    ) -> None:
        simulator.inject(status=500, **rule)
        statuses = self.statuses(client, 4)
        assert [number for number, status in enumerate(statuses, 1) if status == 500] == struck
        assert simulator.faults()["rules"][0].get("struck", 0) == len(struck)

    def test_probability_is_repeatable_with_a_seed(self, simulator: Simulator) -> None:
        def run(seed: int | None) -> list[int]:
            simulator.load(scenario({"name": "a"}))
            simulator.inject(status=500, probability=0.5, seed=seed)
            assert simulator.faults()["seed"] == (seed or 0)
            return self.statuses(Client(simulator), 20)

        first = run(7)
        assert {200, 500} == set(first)
        assert run(7) == first
        assert run(8) != first
        assert run(None) == run(None)

    def test_all_rules_share_one_random_source(self, simulator: Simulator, client: Client) -> None:
        simulator.inject(status=500, probability=0.3, seed=3)
        simulator.inject(status=502, probability=0.3)
        assert set(self.statuses(client, 30)) == {200, 500, 502}

    @pytest.mark.parametrize("kind", [kind for kind, one in KINDS.items() if one.either and kind != "refuse"])
    @pytest.mark.parametrize("effect", [True, False, "after", "before"])
    def test_rule_can_set_the_effect(self, simulator: Simulator, client: Client, kind: str, effect: t.Any) -> None:
        simulator.inject(kind=kind, effect=effect)
        call(simulator.url, "POST", PLAY)
        assert len(simulator.effects()) == (effect in (True, "after"))

    @pytest.mark.parametrize(
        ("rule", "text"),
        [
            ({"kind": "explode"}, "unknown kind"),
            ({"preset": "explode"}, "unknown preset"),
            ({"nht": 1}, "unknown key"),
            ({"nth": 0}, "nth"),
            ({"nth": ["1"]}, "nth"),
            ({"path": "("}, "path"),
            ({"probability": 2}, "probability"),
            ({"seconds": -1}, "seconds: must be a number from 0"),
            ({"effect": "sometimes"}, "effect"),
            ({"kind": "reset_before", "effect": True}, "always strikes before"),
            ({"kind": "truncate", "effect": "before"}, "always strikes after"),
            ({"kind": "refuse", "path": "/play"}, "connections"),
        ],
    )
    def test_invalid_rules_are_refused(self, simulator: Simulator, rule: dict[str, t.Any], text: str) -> None:
        with pytest.raises(ScenarioError, match=text):
            simulator.inject(**rule)
        assert simulator.faults()["rules"] == []

    def test_incomplete_write_request_is_not_executed(self, simulator: Simulator, client: Client) -> None:
        """This needs no rule: the server must not execute a write without its body."""
        answer = call(simulator.url, "POST", PLAY, timeout=0.1, body=b"{}", headers={"Content-Length": "20"})
        assert isinstance(answer.error, TimeoutError)
        assert call(simulator.url, "GET", JOB).status == 200
        assert simulator.effects() == []
