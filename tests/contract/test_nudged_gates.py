# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gate with nudges: it polls when there is something to see, otherwise rarely, and has the same outcome."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t
import urllib.request

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app import nudges as reader
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.pauses import LONGEST_REST_SECONDS

from tests.integration.harness import TOKEN, Result, effects, world

from .nudging import HOOK_TOKEN, event_source, nudged, writer
from .test_release_gates import MANUAL, gates_of, release

Row = dict[str, t.Any]

BUILD: Row = {"name": "build", "stage": "build", "duration": 1200}
DEPLOY: Row = {"name": "deploy", "stage": "deploy", "duration": 600, **MANUAL}
GATES = [{"name": "build", "action": "wait"}, {"name": "deploy", "action": "play"}]
# the outcomes, and the effects on the server
PASSED = ({"build": "passed", "deploy": "played"}, [("play", "deploy")])


def play_delay(simulator: t.Any) -> float:
    """Return the seconds between the end of the build and the start of the deployment."""
    played = next(effect["at"] for effect in simulator.effects() if effect["action"] == "play")
    return float(played - simulator.job("build")["finished_at"])


def read_count(simulator: t.Any) -> int:
    return len([request for request in simulator.requests() if request["method"] == "GET"])


def create_pipeline(simulator: t.Any) -> None:
    """Create a pipeline of main with the API."""
    request = urllib.request.Request(
        f"{simulator.url}/api/v4/projects/7/pipeline",
        data=b'{"ref": "main"}',
        headers={"PRIVATE-TOKEN": TOKEN, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201


def run(simulator: t.Any, nudges: pathlib.Path, *gates: Row, **options: t.Any) -> Result:
    return release(simulator, {"gates": list(gates or GATES)}, nudges=str(nudges), **options)


def outcome(simulator: t.Any, result: Result) -> t.Any:
    assert result.failure is None
    return gates_of(result), effects(simulator)


def test_nudged_gate_polls_rarely_and_sees_the_end_at_once(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world(BUILD, DEPLOY))
    assert outcome(simulator, release(simulator, {"gates": GATES})) == PASSED
    without = read_count(simulator)
    simulator.load(world(BUILD, DEPLOY))
    with nudged(simulator, tmp_path / "nudges"):
        result = run(simulator, tmp_path / "nudges")
    assert outcome(simulator, result) == PASSED
    assert result.warnings == []
    assert play_delay(simulator) <= 2.0
    assert read_count(simulator) <= without / 4


@pytest.mark.parametrize(
    "fault", ["twice", {"kind": "late", "seconds": 10}, "out_of_order", "lost", "wrong_token"], ids=str
)
def test_faulty_hooks_only_delay_the_gate(simulator: t.Any, tmp_path: pathlib.Path, fault: str | Row) -> None:
    simulator.load(world(BUILD, DEPLOY))
    with nudged(simulator, tmp_path / "nudges", faults=[fault], auto_disable=False):
        assert outcome(simulator, run(simulator, tmp_path / "nudges")) == PASSED
    assert play_delay(simulator) <= (LONGEST_REST_SECONDS + 2 if fault in ("lost", "wrong_token") else 20.0)


def test_nudges_for_other_pipelines_cause_no_polls(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    """Another pipeline of the same project is very busy."""
    scenario = world(BUILD, DEPLOY)
    other = [{"name": f"job {number}", "duration": 10 + number} for number in range(30)]
    scenario["pipelines"].append({"id": 200, "project": "group/app", "ref": "other", "jobs": other})
    counts = []
    for pipelines in (scenario["pipelines"][:1], scenario["pipelines"]):
        simulator.load({**scenario, "pipelines": pipelines})
        with nudged(simulator, tmp_path / "nudges"):
            assert outcome(simulator, run(simulator, tmp_path / "nudges")) == PASSED
        counts.append(read_count(simulator))
    assert abs(counts[0] - counts[1]) <= 2


class Scribbler:
    """Appends to the file each time the clock advances."""

    def __init__(self, simulator: t.Any, path: pathlib.Path, text: bytes) -> None:
        self._advance, self._path, self._text = simulator.advance, path, text

    def __call__(self, seconds: float) -> None:
        self._advance(seconds)
        with self._path.open("ab") as file:
            file.write(self._text)
        if self._path.stat().st_size > 20_000_000:
            self._path.write_bytes(b"")


@pytest.mark.parametrize(
    "text",
    [b"\x00garbage" * 100, b'{"pipeline_id": 100}\n' * 3, b'{"pipeline_id": 100}\n' * 52_000],
    ids=["garbage", "forged", "huge"],
)
def test_invalid_nudge_file_causes_no_extra_polls(
    simulator: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    simulator.load(world(BUILD, DEPLOY))
    assert outcome(simulator, release(simulator, {"gates": GATES})) == PASSED
    without = read_count(simulator)
    simulator.load(world(BUILD, DEPLOY))
    (tmp_path / "nudges").touch()
    monkeypatch.setattr(simulator, "advance", Scribbler(simulator, tmp_path / "nudges", text))
    assert outcome(simulator, run(simulator, tmp_path / "nudges")) == PASSED
    # pauses have jitter
    assert read_count(simulator) <= without * 1.1 + 2


def test_missing_nudge_file_causes_a_warning_and_normal_polls(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world(BUILD, DEPLOY))
    result = run(simulator, tmp_path / "nudges")
    assert outcome(simulator, result) == PASSED
    assert play_delay(simulator) <= 10.0
    assert len(result.warnings) == 1
    assert result.warnings[0].startswith(f"No event source writes to nudges '{tmp_path}/nudges' yet.")


def test_gate_polls_normally_after_the_event_source_ends(
    simulator: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.load(world(BUILD, DEPLOY))
    stack = contextlib.ExitStack()
    simulator.add_hook(stack.enter_context(event_source(tmp_path / "nudges")), token=HOOK_TOKEN)
    advance = simulator.advance

    def end_after_ten_minutes(seconds: float) -> None:
        advance(seconds)
        if simulator.now > 600:
            stack.close()

    monkeypatch.setattr(simulator, "advance", end_after_ten_minutes)
    assert outcome(simulator, run(simulator, tmp_path / "nudges")) == PASSED
    assert play_delay(simulator) <= 10.0


def test_nudged_failure_is_confirmed_within_seconds(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({**BUILD, "outcome": "failed"}, DEPLOY))
    with nudged(simulator, tmp_path / "nudges"):
        result = run(simulator, tmp_path / "nudges")
    assert gates_of(result) == {"build": "failed", "deploy": "not reached"}
    assert result.seconds <= BUILD["duration"] + 15.0


def test_nudged_gate_keeps_wait_timeout(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world(BUILD, DEPLOY))
    with nudged(simulator, tmp_path / "nudges"):
        result = run(simulator, tmp_path / "nudges", {**GATES[0], "wait_timeout": 100.0})
    assert gates_of(result) == {"build": "timed out"}
    assert result.seconds == pytest.approx(100.0, abs=1.0)


def test_nudged_gate_keeps_pending_timeout(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load({**world({**BUILD, "tags": ["gpu"]}, DEPLOY)})
    with nudged(simulator, tmp_path / "nudges"):
        result = run(simulator, tmp_path / "nudges", {**GATES[0], "pending_timeout": 60.0})
    assert "longer than pending_timeout (" in str(result.failure)
    assert result.seconds <= 75.0


def test_job_of_a_child_pipeline_nudges_the_gate(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    """The gate does not know the child pipeline before it exists."""
    trigger: Row = {
        "name": "infra",
        "stage": "deploy",
        "trigger": {"strategy": "depend", "pipeline": {"jobs": [{"name": "apply", "duration": 600}]}},
    }
    simulator.load(world(BUILD, trigger))
    with nudged(simulator, tmp_path / "nudges"):
        result = run(simulator, tmp_path / "nudges", {"name": "infra/apply", "action": "wait"})
    assert result.failure is None
    assert result.seconds <= 1200 + 600 + 15.0
    assert read_count(simulator) <= 60


def test_new_pipeline_nudges_the_gate(
    simulator: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started after twenty minutes."""
    scenario = world()
    scenario["pipelines"] = []
    scenario["projects"][0]["new_pipelines"] = {"main": {"jobs": [{"name": "build", "duration": 60}]}}
    simulator.load(scenario)
    advance = simulator.advance
    started: list[float] = []

    def start_pipeline(seconds: float) -> None:
        advance(seconds)
        if simulator.now > 1200 and not started:
            started.append(simulator.now)
            create_pipeline(simulator)

    monkeypatch.setattr(simulator, "advance", start_pipeline)
    with nudged(simulator, tmp_path / "nudges"):
        result = run(simulator, tmp_path / "nudges", GATES[0])
    assert result.failure is None
    assert result.seconds <= 1200 + 60 + 15.0


def test_check_mode_reads_no_nudges(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world(BUILD, DEPLOY))
    result = run(simulator, tmp_path / "nudges", check_mode=True)
    assert result.failure is None and result.warnings == []


def test_nudged_gate_follows_a_large_pipeline_without_extra_polls(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    """Its jobs end one after another, each with its own hooks."""
    jobs = [{"name": f"test {number}", "stage": "test", "duration": 60 + 30 * number} for number in range(40)]
    gate: Row = {"stage": "test", "action": "wait", "wait_timeout": 7200.0}
    simulator.load(world(*jobs))
    assert release(simulator, {"gates": [gate]}).failure is None
    without = read_count(simulator)
    simulator.load(world(*jobs))
    with nudged(simulator, tmp_path / "nudges"):
        result = run(simulator, tmp_path / "nudges", gate)
    assert result.failure is None
    assert result.seconds <= 60 + 30 * 39 + 15.0
    assert read_count(simulator) <= without * 1.1


def test_writer_and_reader_use_the_same_limits() -> None:
    """They are shipped separately, so neither can import the other."""
    assert (writer.MAX_BYTES, writer.MAX_LINE_BYTES) == (reader.MAX_BYTES, reader.MAX_LINE_BYTES)
