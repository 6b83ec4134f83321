# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Polls share recent answers, except ones they have seen and ones from before a change; other reads share none."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.polls import (
    SHARED_SECONDS,
    RecentReads,
    is_polling,
    polling,
)

from ....harness import FakeClock

NEVER = float("-inf")


class Server:
    """Answers each request with a new number."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.recent = RecentReads(self.clock)
        self.asked = 0

    def answer(self) -> int:
        self.asked += 1
        return self.asked

    def poll(self, since: float | None = NEVER, key: str = "jobs") -> int:
        with polling(since):
            return self.recent.read(key, self.answer)


def test_polls_within_a_moment_share_an_answer():
    server = Server()
    assert [server.poll(), server.poll(), server.poll(key="others")] == [1, 1, 2]
    server.clock.sleep(SHARED_SECONDS)
    assert server.poll() == 1
    server.clock.sleep(0.1)
    assert server.poll() == 3


def test_slow_answer_is_shared_for_the_usual_time():
    server = Server()

    def slow() -> int:
        server.clock.sleep(10 * SHARED_SECONDS)
        return server.answer()

    with polling(NEVER):
        server.recent.read("jobs", slow)
    server.clock.sleep(SHARED_SECONDS)
    assert server.poll() == 1
    server.clock.sleep(0.1)
    assert server.poll() == 2


def test_poll_does_not_reuse_an_answer_it_has_seen():
    server = Server()
    assert server.poll() == 1
    since = server.clock.now
    server.clock.sleep(0.5)
    assert [server.poll(since), server.poll(NEVER)] == [2, 2]


def test_second_read_within_a_poll_is_a_new_request():
    server = Server()
    with polling(NEVER):
        assert [server.recent.read("jobs", server.answer) for _number in range(3)] == [1, 2, 3]
    with polling(NEVER):
        assert [server.recent.read("jobs", server.answer) for _number in range(2)] == [3, 4]


def test_reads_outside_polls_share_no_answers():
    server = Server()
    server.poll()
    assert [server.poll(None), server.recent.read("jobs", server.answer)] == [2, 3]
    # its answer is not shared either
    assert server.poll() == 1


@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_answers_before_a_change_are_not_shared(seconds):
    server = Server()
    server.poll()
    server.clock.sleep(seconds)
    server.recent.forget()
    assert server.poll() == 2


def test_answer_requested_before_a_change_is_not_shared():
    server = Server()

    def slow() -> int:
        server.clock.sleep(0.2)
        server.recent.forget()
        return server.answer()

    with polling(NEVER):
        assert server.recent.read("jobs", slow) == 1
    server.clock.sleep(0.1)
    assert server.poll() == 2


def test_errors_are_not_shared():
    server = Server()
    with polling(NEVER), pytest.raises(KeyError):
        server.recent.read("jobs", lambda: {}["no"])
    assert server.poll() == 1


def test_polling_state_ends_with_its_context():
    assert not is_polling()
    with polling(NEVER):
        with polling(None):
            assert not is_polling()
        assert is_polling()
    assert not is_polling()
