# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order in which gates start pipelines of the same ref."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import GitLabError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.pipelines.query import RunRequest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.pipelines.run import RunResult
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release import runner
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release.plan import Gate, ReleasePlan
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release.run import GateResult
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import Session, StoppedError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.options import WaitOptions
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.schedule import Steps
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.writes.decision import Result

from tests.unit.harness import FakeClock, ScriptedTransport, new_session, pipeline

MAIN = RunRequest("group/app", "main")


class Release:
    """Two gates of one release; tests set what happens while the first one starts its pipeline."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, other: RunRequest = MAIN) -> None:
        self.clock = FakeClock()
        self.meanwhile: t.Callable[[], object] = lambda: None
        self.started: list[str] = []
        monkeypatch.setattr(runner, "run_pipeline", self._run_pipeline)
        starter = runner.PipelineStarter(ReleasePlan(()))
        self.other_session = self._session(60.0)
        self.first = self._steps(starter, self._session(3600.0), MAIN)
        self.other = self._steps(starter, self.other_session, other)

    def _session(self, seconds: float) -> Session:
        return new_session(ScriptedTransport(), {"wait": True, "wait_timeout": seconds}, clock=self.clock)

    def _steps(self, starter: runner.PipelineStarter, session: Session, request: RunRequest) -> Steps[GateResult]:
        waiting = WaitOptions(wait=True, timeout_seconds=session.deadline.remaining())
        return starter.start(session, Gate((), "run", waiting=waiting, start=request), request)

    def _run_pipeline(self, session: Session, request: RunRequest, known: t.Mapping[int, RunRequest]) -> RunResult:
        self.started.append(request.ref)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return Result("unchanged" if known else "applied", pipeline(101), has_changed=not known)


def ended(steps: Steps[GateResult]) -> GateResult:
    """Return the result of a gate that does not have to wait."""
    with pytest.raises(StopIteration) as caught:
        next(steps)
    return t.cast(GateResult, caught.value.value)


def test_second_gate_waits_and_reuses_the_started_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    release = Release(monkeypatch)
    pauses = []
    release.meanwhile = lambda: pauses.append(next(release.other))
    assert ended(release.first).outcome == "started"
    assert [(pause.seconds, pause.is_urgent) for pause in pauses] == [(runner.TURN_SECONDS, True)]
    assert ended(release.other).outcome == "already done"


def test_gate_of_another_ref_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    release = Release(monkeypatch, dataclasses.replace(MAIN, ref="v1"))
    others = []
    release.meanwhile = lambda: others.append(ended(release.other).outcome)
    assert ended(release.first).outcome == "started"
    assert (others, release.started) == (["started"], ["main", "v1"])


def test_second_gate_times_out_while_it_waits_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    release = Release(monkeypatch)
    results = []

    def meanwhile() -> None:
        next(release.other)
        release.clock.sleep(60.0)
        results.append(ended(release.other))

    release.meanwhile = meanwhile
    assert ended(release.first).outcome == "started"
    assert (results[0].outcome, results[0].has_timed_out) == ("timed out", True)
    assert results[0].reason == "timed out after 60 s (wait_timeout): another gate is still starting a pipeline of main"
    assert release.started == ["main"]


def test_waiting_gate_stops_with_the_release(monkeypatch: pytest.MonkeyPatch) -> None:
    release = Release(monkeypatch)

    def meanwhile() -> None:
        next(release.other)
        release.other_session.stop = lambda: "it has stopped"
        with pytest.raises(StoppedError, match="it has stopped"):
            next(release.other)

    release.meanwhile = meanwhile
    assert ended(release.first).outcome == "started"


def test_error_of_the_first_gate_lets_the_second_start(monkeypatch: pytest.MonkeyPatch) -> None:
    release = Release(monkeypatch)

    def meanwhile() -> None:
        raise GitLabError("GitLab is away")

    release.meanwhile = meanwhile
    with pytest.raises(GitLabError, match="away"):
        next(release.first)
    assert ended(release.other).outcome == "started"
