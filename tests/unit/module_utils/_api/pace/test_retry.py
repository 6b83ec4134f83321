# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a request is retried, and after which pause."""

from __future__ import annotations

import contextlib
import time

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.clock import Deadline
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.polls import polling
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.retry import (
    MOST_PAUSING,
    Retrier,
    retry_after_seconds,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.traffic import Traffic

from ....harness import FakeClock

NOW = 1_700_000_000.0


def status_error(status, wish=None):
    error = errors.status_error_class(status)(f"status {status}", status=status)
    error.retry_after_seconds = wish
    return error


def unknown_host():
    error = errors.ConnectError("the host name is unknown")
    error.is_permanent = True
    return error


class Operation:
    """Raises these errors, one per call, and succeeds afterwards."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


def new_retrier(clock=None, *, seconds=86_400.0, traffic=None, **options):
    clock = clock or FakeClock()
    options = {"retries": 3, "jitter": lambda: 1.0, **options}
    return Retrier(deadline=Deadline.after(seconds, clock), traffic=traffic or Traffic(clock), **options)


# error, whether reads are retried, whether writes are retried
CASES = [
    (errors.ConnectError("refused"), True, True),
    (unknown_host(), False, False),
    (errors.TrustError("TLS"), False, False),
    (errors.LostAnswerError("cut"), True, False),
    (errors.BadAnswerError("HTML"), False, False),
    (status_error(429), True, True),
    (status_error(500), True, False),
    (status_error(502), True, False),
    (status_error(503), True, False),
    (status_error(504), True, False),
    (status_error(400), False, False),
    (status_error(401), False, False),
    (status_error(403), False, False),
    (status_error(404), False, False),
    (status_error(405), False, False),
    (status_error(409), True, False),
    (status_error(408), True, False),
    (status_error(422), False, False),
]


@pytest.mark.parametrize(("error", "read", "write"), CASES, ids=str)
def test_which_errors_repeat(error, read, write):
    for is_repeatable, is_repeated in ((True, read), (False, write)):
        operation = Operation(error)
        if is_repeated:
            assert new_retrier().run(operation, is_repeatable=is_repeatable) == "done"
            assert operation.calls == 2
        else:
            with pytest.raises(type(error)) as caught:
                new_retrier().run(operation, is_repeatable=is_repeatable)
            assert caught.value is error
            assert operation.calls == 1
            assert "attempts" not in error.problem


def test_other_errors_pass_through():
    with pytest.raises(errors.UsageError):
        new_retrier().run(Operation(errors.UsageError("no")), is_repeatable=True)


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_repeats_end(retries):
    operation = Operation(*[errors.LostAnswerError("cut") for _number in range(10)])
    with pytest.raises(errors.LostAnswerError) as caught:
        new_retrier(retries=retries).run(operation, is_repeatable=True)
    assert operation.calls == retries + 1
    assert ("attempts" in str(caught.value)) == (retries > 0)


def test_how_often_it_was_tried_is_said():
    failures = [errors.ConnectError("refused", advice="Check it") for _number in range(9)]
    with pytest.raises(errors.ConnectError) as caught:
        new_retrier(retries=2).run(Operation(*failures), is_repeatable=True)
    assert str(caught.value) == "refused (after 3 attempts). Check it"


def test_pauses_double_up_to_a_ceiling():
    clock = FakeClock()
    failures = [errors.LostAnswerError("cut") for _number in range(8)]
    new_retrier(clock, retries=8).run(Operation(*failures), is_repeatable=True)
    assert clock.sleeps == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_jitter_may_take_all_of_a_pause():
    clock = FakeClock()
    failures = [errors.LostAnswerError("cut"), errors.LostAnswerError("cut")]
    new_retrier(clock, jitter=lambda: 0.0).run(Operation(*failures), is_repeatable=True)
    assert clock.sleeps == [0.0, 0.0]


def test_a_throttled_request_waits_longer():
    clock = FakeClock()
    new_retrier(clock, retries=9).run(Operation(*[status_error(429) for _number in range(5)]), is_repeatable=False)
    assert clock.sleeps == [8.0, 16.0, 32.0, 60.0, 60.0]


def test_the_wish_of_the_server_is_kept():
    clock = FakeClock()
    new_retrier(clock, jitter=lambda: 0.5).run(
        Operation(status_error(429, 7.0), status_error(503, 0.0)), is_repeatable=True
    )
    assert clock.sleeps == [7.5, 0.5]


def test_who_does_not_wait_sleeps_for_no_long_wish():
    clock = FakeClock()
    with pytest.raises(errors.ThrottledError):
        new_retrier(clock).run(Operation(status_error(429, 3600.0)), is_repeatable=True)
    assert clock.sleeps == []


def test_no_pause_outlasts_the_deadline():
    clock = FakeClock()
    retrier = new_retrier(clock, seconds=10.0, retries=9)
    operation = Operation(*[errors.LostAnswerError("cut") for _number in range(9)])
    with pytest.raises(errors.LostAnswerError):
        retrier.run(operation, is_repeatable=True)
    # the fourth pause is cut to use the remaining time
    assert clock.sleeps == [1.0, 2.0, 4.0, 2.0]
    assert operation.calls == 5


def test_a_wish_past_the_deadline_ends_it_at_once():
    clock = FakeClock()
    retrier = new_retrier(clock, seconds=100.0)
    with pytest.raises(errors.ThrottledError):
        retrier.run(Operation(status_error(429, 200.0)), is_repeatable=True)
    assert clock.seconds == 0.0


def test_a_wait_survives_until_the_deadline_once_the_server_has_answered():
    clock = FakeClock()
    retrier = new_retrier(clock, seconds=600.0, retries=1, is_persistent=True)
    assert retrier.run(Operation(), is_repeatable=True) == "done"
    outage = [errors.ConnectError("refused"), status_error(502), errors.BadAnswerError("HTML"), unknown_host()] * 3
    assert retrier.run(Operation(*outage), is_repeatable=True) == "done"
    with pytest.raises(errors.ServerError):
        retrier.run(Operation(*[status_error(502) for _number in range(99)]), is_repeatable=True)
    assert clock.seconds < 600.0


def crowded(traffic, pausing=MOST_PAUSING):
    """Return a context in which this many requests pause before their retries."""
    stack = contextlib.ExitStack()
    for _number in range(pausing):
        stack.enter_context(traffic.repeating)
    return stack


def test_a_look_beside_many_that_pause_is_put_off():
    clock = FakeClock()
    traffic = Traffic(clock)
    retrier = new_retrier(clock, traffic=traffic, seconds=600.0)
    error = errors.LostAnswerError("cut")
    with crowded(traffic), polling(0.0), pytest.raises(errors.LostAnswerError) as caught:
        retrier.run(Operation(error), is_repeatable=True)
    assert caught.value is error and error.is_postponed and not error.is_out_of_time
    assert clock.sleeps == []
    # a pause that the server requests is kept
    assert retrier.seconds_before_next(1, status_error(503, wish=20.0)) == 21.0
    assert retrier.seconds_before_next(3, error) == 4.0


@pytest.mark.parametrize(
    ("pausing", "is_polling", "error"),
    [
        (MOST_PAUSING - 1, True, errors.LostAnswerError("cut")),
        (MOST_PAUSING, False, errors.LostAnswerError("cut")),
        (MOST_PAUSING, True, status_error(429)),
    ],
    ids=["few pause", "it is no look", "429 holds all"],
)
def test_any_other_request_is_repeated(pausing, is_polling, error):
    clock = FakeClock()
    traffic = Traffic(clock)
    with crowded(traffic, pausing), polling(0.0 if is_polling else None):
        assert new_retrier(clock, traffic=traffic).run(Operation(error), is_repeatable=True) == "done"
    assert len(clock.sleeps) == 1


@pytest.mark.parametrize(("status", "held"), [(429, 8.0), (503, 0.0)])
def test_only_too_many_requests_hold_those_of_other_threads(status, held):
    class Shared(FakeClock):
        """A clock on which another thread wants to send a request during a pause."""

        def sleep(self, seconds):
            self.held = traffic.turn(100.0)
            super().sleep(seconds)

    clock = Shared()
    traffic = Traffic(clock)
    new_retrier(clock, traffic=traffic).run(Operation(status_error(status, wish=7.0)), is_repeatable=True)
    assert (clock.held, clock.sleeps) == (held, [8.0])


def test_nothing_is_put_off_when_the_time_is_up():
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.has_answered = True
    retrier = new_retrier(clock, traffic=traffic, seconds=0.0, is_persistent=True)
    with crowded(traffic), polling(0.0), pytest.raises(errors.LostAnswerError) as caught:
        retrier.run(Operation(errors.LostAnswerError("cut")), is_repeatable=True)
    assert caught.value.is_out_of_time and not caught.value.is_postponed


@pytest.mark.parametrize("kind", [errors.BadAnswerError, errors.RedirectError])
def test_what_will_be_the_same_each_time_is_not_asked_for_again(kind):
    retrier = new_retrier()
    retrier.run(Operation(), is_repeatable=True)
    error = kind("as before")
    error.is_permanent = True
    operation = Operation(error)
    with pytest.raises(kind):
        retrier.run(operation, is_repeatable=True)
    assert operation.calls == 1


def test_before_its_first_answer_a_server_is_not_waited_for():
    clock = FakeClock()
    retrier = new_retrier(clock, seconds=600.0, retries=1, is_persistent=True)
    operation = Operation(*[errors.ConnectError("refused") for _number in range(9)])
    with pytest.raises(errors.ConnectError):
        retrier.run(operation, is_repeatable=True)
    assert operation.calls == 2


def test_a_write_is_not_repeated_by_persistence():
    clock = FakeClock()
    retrier = new_retrier(clock, seconds=600.0, is_persistent=True)
    retrier.run(Operation(), is_repeatable=True)
    unsent = (errors.ConnectError("refused"), status_error(429))
    for error in (*unsent, errors.LostAnswerError("cut"), status_error(503), errors.BadAnswerError("HTML")):
        operation = Operation(error)
        with pytest.raises(type(error)):
            retrier.run(operation, is_repeatable=False)
        assert operation.calls == 1


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (429, {"retry-after": "17"}, 17.0),
        (503, {"retry-after": " 5 "}, 5.0),
        (503, {"retry-after": "5, 5"}, 5.0),
        (503, {"retry-after": "5, 6"}, None),
        (429, {"retry-after": "Tue, 14 Nov 2023 22:13:30 GMT"}, 10.0),
        (429, {"retry-after": "Tue, 14 Nov 2023 22:13:10 GMT"}, 0.0),
        (429, {"retry-after": "soon"}, None),
        (429, {"retry-after": "-5"}, None),
        (429, {"retry-after": "1.5"}, None),
        (429, {"retry-after": "²"}, None),
        (429, {"retry-after": "Tue, 99 Nov 9999999 22:13:30 GMT"}, None),
        (429, {}, None),
        (429, {"ratelimit-reset": "1700000042"}, 42.0),
        (429, {"ratelimit-reset": "1700000000"}, 0.0),
        # from gateways, which use the header differently
        (429, {"ratelimit-reset": "1600000000"}, None),
        (429, {"ratelimit-reset": "35"}, None),
        (429, {"ratelimit-reset": "1700000042000"}, None),
        (429, {"ratelimit-reset": "²"}, None),
        (429, {"ratelimit-reset": "Tue, 14 Nov 2023"}, None),
        (429, {"retry-after": "3", "ratelimit-reset": "1700000042"}, 3.0),
        (429, {"retry-after": "soon", "ratelimit-reset": "1700000042"}, 42.0),
        # recent servers send it with every answer
        (503, {"ratelimit-reset": "1700000042"}, None),
        (200, {"ratelimit-reset": "1700000042"}, None),
    ],
)
def test_what_the_server_wishes(status, headers, expected):
    assert retry_after_seconds(status, headers, NOW) == expected


@pytest.fixture(name="tokyo")
def tokyo_fixture(monkeypatch):
    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ["", " GMT", " UTC", " -0000", " +0000", " GMT, Tue, 14 Nov 2023 22:13:30 GMT"])
def test_a_time_without_a_zone_is_not_of_our_own(zone, tokyo):
    assert retry_after_seconds(429, {"retry-after": f"Tue, 14 Nov 2023 22:13:30{zone}"}, NOW) == 10.0


@pytest.mark.parametrize("ours", [NOW, NOW - 7200.0, NOW + 7200.0])
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "Tue, 14 Nov 2023 22:13:30 GMT"}, 10.0),
        ({"ratelimit-reset": "1700000042"}, 42.0),
        ({"retry-after": "17"}, 17.0),
    ],
)
def test_the_clock_of_the_server_counts_not_ours(headers, expected, ours):
    assert retry_after_seconds(429, {**headers, "date": "Tue, 14 Nov 2023 22:13:20 GMT"}, ours) == expected


def test_a_read_in_doubt_is_repeated_after_any_error_and_not_for_ever():
    denied = errors.NotAuthorizedError("status 403", status=403)
    clock = FakeClock()
    assert new_retrier(clock, retries=2, jitter=lambda: 1.0).read_persistently(Operation(denied, denied)) == "done"
    assert clock.sleeps == [1.0, 2.0]
    with pytest.raises(errors.NotAuthorizedError):
        new_retrier(retries=2).read_persistently(Operation(denied, denied, denied))


def test_each_request_of_a_read_in_doubt_is_repeated_as_often():
    jobs, job = (errors.NotAuthorizedError("status 403", status=403) for _request in range(2))
    jobs.url, job.url = "jobs", "jobs/42"
    assert new_retrier(retries=2).read_persistently(Operation(job, jobs, job, jobs)) == "done"
    with pytest.raises(errors.NotAuthorizedError):
        new_retrier(retries=2).read_persistently(Operation(job, jobs, job, job))


def test_the_threads_of_a_task_report_pacing_once_and_each_pause_of_the_server_once():
    clock, told = FakeClock(), []
    traffic = Traffic(clock)
    threads = [
        new_retrier(clock, traffic=traffic, tell=lambda seconds, limit: told.append((seconds, limit)))
        for _number in range(3)
    ]
    for _minute in range(2):
        for thread in threads:
            thread.tell_pause(9.0, "20 a minute")
            thread.tell_pause(40.0, "20 a minute")
            thread.tell_pause(30.0)
        clock.sleep(60.0)
    assert told == [(40.0, "20 a minute"), (30.0, ""), (30.0, "")]
