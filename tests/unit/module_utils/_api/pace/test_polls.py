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

    def look(self, since: float | None = NEVER, key: str = "jobs") -> int:
        with polling(since):
            return self.recent.read(key, self.answer)


def test_looks_within_a_moment_share_an_answer():
    server = Server()
    assert [server.look(), server.look(), server.look(key="others")] == [1, 1, 2]
    server.clock.sleep(SHARED_SECONDS)
    assert server.look() == 1
    server.clock.sleep(0.1)
    assert server.look() == 3


def test_what_took_long_to_read_is_shared_as_long_as_all_else():
    server = Server()

    def slow() -> int:
        server.clock.sleep(10 * SHARED_SECONDS)
        return server.answer()

    with polling(NEVER):
        server.recent.read("jobs", slow)
    server.clock.sleep(SHARED_SECONDS)
    assert server.look() == 1
    server.clock.sleep(0.1)
    assert server.look() == 2


def test_a_look_learns_nothing_from_what_the_one_before_has_seen():
    server = Server()
    assert server.look() == 1
    since = server.clock.now
    server.clock.sleep(0.5)
    assert [server.look(since), server.look(NEVER)] == [2, 2]


def test_what_a_look_reads_once_more_it_reads_anew():
    server = Server()
    with polling(NEVER):
        assert [server.recent.read("jobs", server.answer) for _number in range(3)] == [1, 2, 3]
    with polling(NEVER):
        assert [server.recent.read("jobs", server.answer) for _number in range(2)] == [3, 4]


def test_what_is_no_look_reads_for_itself():
    server = Server()
    server.look()
    assert [server.look(None), server.recent.read("jobs", server.answer)] == [2, 3]
    # its answer is not shared either
    assert server.look() == 1


@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_after_a_change_nothing_older_is_shared(seconds):
    server = Server()
    server.look()
    server.clock.sleep(seconds)
    server.recent.forget()
    assert server.look() == 2


def test_an_answer_that_was_on_its_way_during_a_change_is_not_kept():
    server = Server()

    def slow() -> int:
        server.clock.sleep(0.2)
        server.recent.forget()
        return server.answer()

    with polling(NEVER):
        assert server.recent.read("jobs", slow) == 1
    server.clock.sleep(0.1)
    assert server.look() == 2


def test_an_error_is_not_kept():
    server = Server()
    with polling(NEVER), pytest.raises(KeyError):
        server.recent.read("jobs", lambda: {}["no"])
    assert server.look() == 1


def test_a_look_ends_where_it_is_left():
    assert not is_polling()
    with polling(NEVER):
        with polling(None):
            assert not is_polling()
        assert is_polling()
    assert not is_polling()
