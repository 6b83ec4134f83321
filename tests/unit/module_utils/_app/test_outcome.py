# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress messages of long work, and how rarely they appear."""

from __future__ import annotations

import types

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.files.download import Incoming
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import SlowWork
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release import runner
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release.plan import Gate
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release.run import GateResult

from tests.unit.harness import FakeClock, Progress

MIB = 1024 * 1024


class MemorySink:
    def __init__(self):
        self.chunks = []

    def restart(self):
        self.chunks.clear()

    def write(self, chunk):
        self.chunks.append(chunk)


def progress_of_download(total, pieces, seconds=5.0):
    """Return the progress of a download that receives one piece every few seconds."""
    clock, progress, memory = FakeClock(), Progress(is_shown=True), MemorySink()
    sink = Incoming(types.SimpleNamespace(clock=clock, progress=progress), "app.zip", total, memory)
    sink.restart()
    for piece in pieces:
        clock.sleep(seconds)
        sink.write(piece)
    assert memory.chunks == pieces
    return progress.others


def test_download_progress_appears_at_most_every_ten_seconds():
    piece = bytes(156 * MIB)
    lines = progress_of_download(1024 * MIB, [piece] * 5)
    assert lines == [
        "app.zip: 312 of 1,024 MiB, 30 %, 23 s left",
        "app.zip: 624 of 1,024 MiB, 60 %, 13 s left",
    ]


def test_download_of_unknown_length_shows_the_received_size():
    assert progress_of_download(0, [bytes(MIB)] * 2) == ["app.zip: 2 MiB"]
    # a length that is exceeded is ignored
    assert progress_of_download(MIB, [bytes(MIB)] * 2) == ["app.zip: 2 MiB"]
    assert progress_of_download(1000 * MIB, [bytes(MIB)] * 2) == ["app.zip: 2 of 1,000 MiB, 0 %, 83 min left"]


def test_quick_download_shows_no_progress():
    assert progress_of_download(2 * MIB, [bytes(MIB)] * 2, seconds=1.0) == []


def test_list_of_many_pages_shows_progress():
    clock, progress = FakeClock(), Progress(is_shown=True)
    show_page = SlowWork(progress, clock).show_page
    for page in range(1, 8):
        clock.sleep(4)
        show_page("list_pipeline_jobs", page, 1200 if page < 5 else None)
    assert progress.others == ["reading pipeline jobs: page 3 of 1,200", "reading pipeline jobs: page 6"]


def test_gates_are_counted_even_if_one_raises(monkeypatch):
    clock, progress = FakeClock(), Progress(is_shown=True)
    gates = [Gate((f"job-{number}",), "wait") for number in (1, 2, 3)]
    plan = types.SimpleNamespace(
        projects=[types.SimpleNamespace(gates=gates[:2]), types.SimpleNamespace(gates=gates[2:])]
    )

    def pipeline_of(*_given):
        yield from ()
        return {"id": 6}

    def run_gate(session, project, gate, pipeline, seen):
        clock.sleep(12)
        yield from ()
        if gate is gates[1]:
            raise ValueError("broken")
        if gate is gates[0]:
            # another project works in the meantime
            yield from gate_runner(None, gates[2], None)
        return GateResult(gate)

    monkeypatch.setattr(runner, "_pipeline_of", pipeline_of)
    monkeypatch.setattr(runner, "run_gate", run_gate)
    session = types.SimpleNamespace(clock=clock, elapsed=lambda: 0.0, check_mode=True)
    gate_runner = runner.GateRunner(plan, lambda *_given: session, SlowWork(progress, clock))
    with pytest.raises(StopIteration):
        next(gate_runner(None, gates[0], None))
    with pytest.raises(ValueError):
        next(gate_runner(None, gates[1], None))
    assert progress.others == ["1 of 3 gates, 1 waiting", "3 of 3 gates, 0 waiting"]
