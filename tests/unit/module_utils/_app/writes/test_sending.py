# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several writes share the reads that they need, and the result of one never affects another."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import (
    BadAnswerError,
    ConnectError,
    GitLabError,
    LostAnswerError,
    ServerError,
    StatusError,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.writes import sending
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.writes.sending import Write

from ....harness import ScriptedTransport, new_session


class Switch(Write[str]):
    """Turns on one of several switches.

    :param answers: answers to its requests: an error to raise, `read` to read its state first, or its result.
    """

    noun = "switch"

    def __init__(self, session, log, name, *answers, place="a", breaks=False):
        super().__init__(session, name)
        self.place = place
        self.name = name
        self.breaks = breaks
        self._log = log
        self._answers = list(answers)

    def _request(self):
        self._log.append(f"send {self.name}")
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _read(self, targets):
        self._log.append(f"read {' '.join(targets)}")
        if self.breaks:
            raise ServerError("the server has a bad moment", status=500)
        return [f"{name} as it is" for name in targets]

    def _resolved(self, exc, latest):
        if self.breaks == "in the decision":
            raise GitLabError("an extension is wrong")
        if isinstance(exc, StatusError) and exc.status == 400:
            return f"{latest}, refused"
        return None if self._answers else f"{latest}, given up"

    def _decide(self, latest):
        raise AssertionError("a switch is settled at once")

    def _result_by_effect(self, exc, latest):
        raise AssertionError("a switch is settled at once")

    def _accepted(self, answer):
        if answer == "read":
            latest = yield from self._read_until(lambda state: "as it is" in state)
            return f"{latest}, seen"
        return answer

    def _explained(self, exc):
        return exc.problem

    def _failed(self, reason):
        return f"{self.name} failed: {reason}"


class GroupedSwitch(Switch):
    """A switch whose reads fail if they include switch 2."""

    def __init__(self, *arguments, problem, **options):
        super().__init__(*arguments, **options)
        self.problem = problem

    def _read(self, targets):
        seen = super()._read(targets)
        if "2" in targets:
            raise self.problem
        return seen


class TolerantSwitch(Switch):
    def _ended_by_error(self, exc):
        return f"{self.name} broke off: {exc}"


class GroupedTolerantSwitch(TolerantSwitch, GroupedSwitch):
    pass


def refusal():
    return StatusError("no", status=400)


@pytest.fixture(name="session")
def session_fixture():
    return new_session(ScriptedTransport(), {"api_retries": 2})


def test_all_writes_are_sent_before_shared_reads(session):
    log = []
    writes = [
        Switch(session, log, "1", "done"),
        Switch(session, log, "2", refusal()),
        Switch(session, log, "3", "read"),
        Switch(session, log, "4", refusal()),
        Switch(session, log, "5", "read"),
    ]
    results = ["done", "2 as it is, refused", "3 as it is, seen", "4 as it is, refused", "5 as it is, seen"]
    assert Switch.send_all(session, writes) == results
    # a failed read must not decide about writes that may have been executed, so these are read separately
    assert log == [*(f"send {number}" for number in range(1, 6)), "read 2 4", "read 3 5"]


def test_lost_writes_are_repeated_after_one_shared_read(session):
    log = []
    writes = [Switch(session, log, name, LostAnswerError("lost"), "done") for name in "123"]
    assert Switch.send_all(session, writes) == ["done"] * 3
    assert log == ["send 1", "send 2", "send 3", "read 1 2 3", "send 1", "send 2", "send 3"]


def test_places_are_read_separately_and_failures_stay_separate(session):
    log = []
    writes = [
        Switch(session, log, "1", refusal(), place="a"),
        Switch(session, log, "2", refusal(), place="b", breaks=True),
        Switch(session, log, "3", refusal(), place="a"),
        Switch(session, log, "4", refusal(), place="b"),
    ]
    assert Switch.send_all(session, writes) == [
        "1 as it is, refused",
        "2 failed: no",
        "3 as it is, refused",
        "4 as it is, refused",
    ]
    assert log[4:] == ["read 1 3", "read 2 4", "read 2", "read 4"]


def test_failed_shared_read_is_followed_by_single_reads(session):
    log = []
    missing = BadAnswerError("it is listed without 2")
    writes = [GroupedSwitch(session, log, name, LostAnswerError("lost"), "done", problem=missing) for name in "123"]
    first, second, third = Switch.send_all(session, writes)
    assert (first, third) == ("done", "done")
    assert "The outcome is unknown" in second
    assert log.count("send 1") == log.count("send 3") == 2
    assert log.count("send 2") == 1


def test_unreachable_server_gets_no_single_reads(session):
    log = []
    away = ConnectError("nobody is there")
    writes = [GroupedSwitch(session, log, name, refusal(), problem=away) for name in "123"]
    assert Switch.send_all(session, writes) == [f"{name} failed: no" for name in "123"]
    assert log[3:] == ["read 1 2 3"]


def test_extension_error_in_a_read_fails_only_the_writes_it_was_for(session):
    wrong = GitLabError("an extension is wrong")
    writes = [GroupedTolerantSwitch(session, [], name, refusal(), problem=wrong) for name in "12"]
    results = TolerantSwitch.send_all(session, [*writes, TolerantSwitch(session, [], "3", "done")])
    assert results == ["1 broke off: an extension is wrong", "2 broke off: an extension is wrong", "done"]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((LostAnswerError("lost"), "done"), "send 1, send 2, read 1 2, send 1, send 2, send 3, read 3, send 3"),
        (("done",), "send 1, send 2, send 3"),
    ],
)
def test_lost_write_is_resolved_before_many_others_are_sent(session, answers, expected):
    log = []

    class Slow(Switch):
        def _request(self):
            session.clock.sleep(sending.LONGEST_ROUND_SECONDS * 0.6)
            return super()._request()

    assert Switch.send_all(session, [Slow(session, log, name, *answers) for name in "123"]) == ["done"] * 3
    assert ", ".join(log) == expected


def test_unreadable_state_after_lost_answers_is_unknown_for_each(session):
    writes = [Switch(session, [], name, LostAnswerError("lost"), breaks=True) for name in "12"]
    for name, result in zip("12", Switch.send_all(session, writes), strict=True):
        assert result.startswith(f"{name} failed: lost")
        assert "The outcome is unknown because reading the switch failed as well" in result


def test_many_writes_are_sent_in_parts_with_their_own_reads(session, monkeypatch):
    monkeypatch.setattr(sending, "MAX_PER_READ", 2)
    log = []
    results = Switch.send_all(session, [Switch(session, log, name, refusal()) for name in "12345"])
    assert results == [f"{name} as it is, refused" for name in "12345"]
    assert log == ["send 1", "send 2", "read 1 2", "send 3", "send 4", "read 3 4", "send 5", "read 5"]


def test_error_of_one_write_is_its_result_if_supported(session):
    writes = [
        TolerantSwitch(session, [], "1", refusal(), breaks="in the decision", place="b"),
        TolerantSwitch(session, [], "2", refusal()),
    ]
    writes[0]._read = lambda targets: targets
    assert TolerantSwitch.send_all(session, writes) == ["1 broke off: an extension is wrong", "2 as it is, refused"]


def test_error_of_one_write_is_raised_if_unsupported(session):
    write = Switch(session, [], "1", refusal(), breaks="in the decision")
    write._read = lambda targets: targets
    with pytest.raises(GitLabError, match="an extension is wrong"):
        Switch.send_all(session, [write])
