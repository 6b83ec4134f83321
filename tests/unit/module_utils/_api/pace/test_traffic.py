# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pace of requests: limited by what the server reports as remaining, and by what the user allows."""

from __future__ import annotations

import email.utils

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.traffic import Traffic

from ....harness import FakeClock

LONG = 10_000.0


def limit(clock, remaining, *, allowed=100, seconds=60.0, **more):
    """Return the headers of a server whose window ends after this many seconds."""
    return {
        "ratelimit-limit": str(allowed),
        "ratelimit-observed": str(allowed - remaining),
        "ratelimit-remaining": str(remaining),
        "ratelimit-reset": str(int(clock.time() + seconds)),
        **more,
    }


def gap_after(headers_of, *, per_minute=None):
    """Return how long a poll has to wait after one request with these headers."""
    clock = FakeClock()
    traffic = Traffic(clock, per_minute)
    traffic.turn(LONG)
    traffic.answered(200, headers_of(clock))
    traffic.turn(LONG)
    return traffic.seconds_until_poll()


def test_requests_are_not_delayed_without_limits():
    assert gap_after(lambda clock: {}) == 0.0


def test_polls_are_spread_over_the_window_and_leave_a_tenth_to_others():
    assert gap_after(lambda clock: limit(clock, 100)) == pytest.approx(60 / 89)
    assert gap_after(lambda clock: limit(clock, 40, seconds=30)) == pytest.approx(30 / 29)


@pytest.mark.parametrize("remaining", [0, 5, 10, 11])
def test_polls_wait_for_the_next_window_if_only_a_tenth_remains(remaining):
    assert gap_after(lambda clock: limit(clock, remaining, seconds=42)) == pytest.approx(42.0)


def test_hourly_limit_is_computed_from_observed_requests():
    headers = {"ratelimit-limit": "250", "ratelimit-observed": "1000", "ratelimit-remaining": "14000"}
    gap = gap_after(lambda clock: {**headers, "ratelimit-reset": str(int(clock.time() + 3600))})
    assert gap == pytest.approx(3600 / (14_000 - 1 - 1_500))


def test_window_end_uses_the_clock_of_the_server():
    def headers(clock):
        theirs = clock.time() + 7200
        return {
            **limit(clock, 100),
            "ratelimit-reset": str(int(theirs + 30)),
            "date": email.utils.formatdate(theirs, usegmt=True),
        }

    assert gap_after(headers) == pytest.approx(30 / 89)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ratelimit-remaining": "-1"},
        {"ratelimit-remaining": "many"},
        {"ratelimit-reset": ""},
        {"ratelimit-reset": "9" * 40},
        {"ratelimit-remaining": "٣"},
    ],
    ids=str,
)
def test_invalid_limit_headers_cause_no_extra_delay(wrong):
    gap = gap_after(lambda clock: {**limit(clock, 100), **wrong})
    assert gap <= 60 / 89


def test_window_longer_than_a_day_is_ignored():
    assert gap_after(lambda clock: limit(clock, 0, seconds=86_400.0)) == pytest.approx(86_400.0)
    # from a gateway that counts in milliseconds, for example
    for reset in ("9" * 15, "1700000060000"):
        assert gap_after(lambda clock, reset=reset: {**limit(clock, 0), "ratelimit-reset": reset}) == 0.0


def test_exhausted_window_causes_no_delay_after_its_end():
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.answered(200, limit(clock, 0, seconds=10))
    clock.sleep(11)
    traffic.turn(LONG)
    assert traffic.seconds_until_poll() == 0.0


def test_writes_do_not_delay_polls():
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.answered(200, limit(clock, 50))
    traffic.turn(LONG, is_write=True)
    assert traffic.seconds_until_poll() == 0.0


def test_requests_per_minute_never_exceed_the_user_limit():
    clock = FakeClock()
    traffic = Traffic(clock, 5)
    sent = []
    for _number in range(23):
        clock.sleep(traffic.turn(LONG))
        sent.append(clock.now)
        clock.sleep(1.0)
    assert all(later - earlier >= 60.0 for earlier, later in zip(sent, sent[5:]))
    assert sent[4] - sent[0] == pytest.approx(4.0)


def test_paced_seconds_are_counted_once_for_all_threads():
    clock = FakeClock()
    traffic = Traffic(clock, 2)
    for wanted in (0.0, 0.0, 60.0, 60.0, 120.0):
        assert traffic.turn(LONG) == wanted
    assert traffic.paced_seconds == 120.0
    traffic = Traffic(clock)
    traffic.answered(200, limit(clock, 0, seconds=30))
    assert traffic.turn(LONG) == traffic.turn(LONG) == traffic.paced_seconds == 31.0
    # a pause that a rejection requests is reported as `throttled`
    traffic = Traffic(clock)
    traffic.hold(20)
    assert (traffic.turn(LONG), traffic.paced_seconds) == (20.0, 0.0)


def test_polls_leave_a_tenth_of_the_user_limit():
    assert gap_after(lambda clock: {}, per_minute=100) == pytest.approx(2 * 60 / 90, rel=0.01)


def test_pause_for_the_server_is_limited_by_the_time_of_the_task():
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.answered(200, limit(clock, 0))
    assert traffic.turn(7.0) == 7.0
    traffic.hold(500.0)
    assert traffic.turn(LONG, waits=False) == 120.0


def test_request_is_not_sent_if_the_user_limit_leaves_no_time():
    clock = FakeClock()
    traffic = Traffic(clock, 1)
    assert traffic.turn(LONG) == 0.0
    assert traffic.turn(7.0) is None
    # the same applies to writes and to tasks that do not wait
    assert traffic.turn(59.0, is_write=True, waits=False) is None
    assert traffic.count == 1
    # an unsent request does not use up the limit
    assert traffic.turn(LONG, waits=False) == 60.0
    clock.sleep(117.0)
    assert traffic.turn(3.0) == 3.0


def test_status_429_is_counted_and_holds_every_request():
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.turn(LONG)
    traffic.answered(429, {})
    traffic.hold(5.0)
    assert traffic.turn(LONG, is_write=True) == 5.0
    assert (traffic.count, traffic.throttled) == (2, 1)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"ratelimit-remaining": "1200", "ratelimit-observed": "800"}, "1,200 of 2,000 requests left for 34 s"),
        ({}, ""),
    ],
)
def test_remaining_requests_are_described(headers, expected):
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.answered(200, {**headers, "ratelimit-reset": str(int(clock.time() + 34))})
    assert traffic.describe() == expected


@pytest.mark.parametrize(
    ("left", "expected"),
    [(1900, "api_requests_per_minute is 6"), (205, "204 of 2,000 requests left for 60 s")],
)
def test_description_names_the_limit_that_applies(left, expected):
    clock = FakeClock()
    traffic = Traffic(clock, 6)
    traffic.answered(200, limit(clock, left, allowed=2000))
    traffic.turn(LONG)
    assert traffic.describe() == expected


def test_polls_are_delayed_no_further_than_the_next_window():
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.answered(200, limit(clock, 55, allowed=600, seconds=42))
    for _number in range(30):
        traffic.turn(LONG)
    assert traffic.seconds_until_poll() == pytest.approx(42.0)


def test_task_without_wait_ignores_an_exhausted_server_limit():
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.answered(200, limit(clock, 0))
    assert traffic.turn(LONG, waits=False) == 0.0
    assert traffic.turn(LONG) == pytest.approx(61.0)


def test_remaining_requests_never_become_negative():
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.answered(200, limit(clock, 1))
    for _number in range(3):
        traffic.turn(LONG, waits=False)
    assert traffic.describe() == "0 of 100 requests left for 60 s"
