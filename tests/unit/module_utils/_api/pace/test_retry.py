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
    MAX_PAUSING,
    Retrier,
    retry_after_seconds,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.traffic import Traffic

from ....harness import FakeClock

NOW = 1_700_000_000.0


def status_error(status, retry_after=None):
    error = errors.status_error_class(status)(f"status {status}", status=status)
    error.retry_after_seconds = retry_after
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
def test_error_decides_whether_a_request_is_repeated(error, read, write):
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
def test_repeats_end_after_the_retries(retries):
    operation = Operation(*[errors.LostAnswerError("cut") for _number in range(10)])
    with pytest.raises(errors.LostAnswerError) as caught:
        new_retrier(retries=retries).run(operation, is_repeatable=True)
    assert operation.calls == retries + 1
    assert ("attempts" in str(caught.value)) == (retries > 0)


def test_error_reports_the_number_of_attempts():
    failures = [errors.ConnectError("refused", advice="Check it") for _number in range(9)]
    with pytest.raises(errors.ConnectError) as caught:
        new_retrier(retries=2).run(Operation(*failures), is_repeatable=True)
    assert str(caught.value) == "refused (after 3 attempts). Check it"


def test_pauses_double_up_to_a_ceiling():
    clock = FakeClock()
    failures = [errors.LostAnswerError("cut") for _number in range(8)]
    new_retrier(clock, retries=8).run(Operation(*failures), is_repeatable=True)
    assert clock.sleeps == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_jitter_may_reduce_a_pause_to_zero():
    clock = FakeClock()
    failures = [errors.LostAnswerError("cut"), errors.LostAnswerError("cut")]
    new_retrier(clock, jitter=lambda: 0.0).run(Operation(*failures), is_repeatable=True)
    assert clock.sleeps == [0.0, 0.0]


def test_throttled_request_waits_longer():
    clock = FakeClock()
    new_retrier(clock, retries=9).run(Operation(*[status_error(429) for _number in range(5)]), is_repeatable=False)
    assert clock.sleeps == [8.0, 16.0, 32.0, 60.0, 60.0]


def test_retry_after_of_the_server_is_kept():
    clock = FakeClock()
    new_retrier(clock, jitter=lambda: 0.5).run(
        Operation(status_error(429, 7.0), status_error(503, 0.0)), is_repeatable=True
    )
    assert clock.sleeps == [7.5, 0.5]


def test_long_retry_after_is_an_error_without_wait():
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


def test_retry_after_past_the_deadline_ends_at_once():
    clock = FakeClock()
    retrier = new_retrier(clock, seconds=100.0)
    with pytest.raises(errors.ThrottledError):
        retrier.run(Operation(status_error(429, 200.0)), is_repeatable=True)
    assert clock.seconds == 0.0


def test_wait_survives_an_outage_after_the_first_answer():
    clock = FakeClock()
    retrier = new_retrier(clock, seconds=600.0, retries=1, is_persistent=True)
    assert retrier.run(Operation(), is_repeatable=True) == "done"
    outage = [errors.ConnectError("refused"), status_error(502), errors.BadAnswerError("HTML"), unknown_host()] * 3
    assert retrier.run(Operation(*outage), is_repeatable=True) == "done"
    with pytest.raises(errors.ServerError):
        retrier.run(Operation(*[status_error(502) for _number in range(99)]), is_repeatable=True)
    assert clock.seconds < 600.0


def many_pausing(traffic, pausing=MAX_PAUSING):
    """Return a context in which this many requests pause before their retries."""
    stack = contextlib.ExitStack()
    for _number in range(pausing):
        stack.enter_context(traffic.repeating)
    return stack


def test_failed_poll_is_postponed_while_many_requests_pause():
    clock = FakeClock()
    traffic = Traffic(clock)
    retrier = new_retrier(clock, traffic=traffic, seconds=600.0)
    error = errors.LostAnswerError("cut")
    with many_pausing(traffic), polling(0.0), pytest.raises(errors.LostAnswerError) as caught:
        retrier.run(Operation(error), is_repeatable=True)
    assert caught.value is error and error.is_postponed and not error.is_out_of_time
    assert clock.sleeps == []
    # a pause that the server requests is kept
    assert retrier.seconds_before_next(1, status_error(503, retry_after=20.0)) == 21.0
    assert retrier.seconds_before_next(3, error) == 4.0


@pytest.mark.parametrize(
    ("pausing", "is_polling", "error"),
    [
        (MAX_PAUSING - 1, True, errors.LostAnswerError("cut")),
        (MAX_PAUSING, False, errors.LostAnswerError("cut")),
        (MAX_PAUSING, True, status_error(429)),
    ],
    ids=["few pause", "not a poll", "status 429"],
)
def test_other_failed_requests_are_repeated_in_place(pausing, is_polling, error):
    clock = FakeClock()
    traffic = Traffic(clock)
    with many_pausing(traffic, pausing), polling(0.0 if is_polling else None):
        assert new_retrier(clock, traffic=traffic).run(Operation(error), is_repeatable=True) == "done"
    assert len(clock.sleeps) == 1


@pytest.mark.parametrize(("status", "held"), [(429, 8.0), (503, 0.0)])
def test_only_status_429_holds_requests_of_other_threads(status, held):
    class Shared(FakeClock):
        """A clock on which another thread wants to send a request during a pause."""

        def sleep(self, seconds):
            self.held = traffic.turn(100.0)
            super().sleep(seconds)

    clock = Shared()
    traffic = Traffic(clock)
    new_retrier(clock, traffic=traffic).run(Operation(status_error(status, retry_after=7.0)), is_repeatable=True)
    assert (clock.held, clock.sleeps) == (held, [8.0])


def test_poll_is_not_postponed_after_the_deadline():
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.has_answered = True
    retrier = new_retrier(clock, traffic=traffic, seconds=0.0, is_persistent=True)
    with many_pausing(traffic), polling(0.0), pytest.raises(errors.LostAnswerError) as caught:
        retrier.run(Operation(errors.LostAnswerError("cut")), is_repeatable=True)
    assert caught.value.is_out_of_time and not caught.value.is_postponed


@pytest.mark.parametrize("kind", [errors.BadAnswerError, errors.RedirectError])
def test_permanent_errors_are_not_retried(kind):
    retrier = new_retrier()
    retrier.run(Operation(), is_repeatable=True)
    error = kind("as before")
    error.is_permanent = True
    operation = Operation(error)
    with pytest.raises(kind):
        retrier.run(operation, is_repeatable=True)
    assert operation.calls == 1


def test_server_without_a_first_answer_is_not_waited_for():
    clock = FakeClock()
    retrier = new_retrier(clock, seconds=600.0, retries=1, is_persistent=True)
    operation = Operation(*[errors.ConnectError("refused") for _number in range(9)])
    with pytest.raises(errors.ConnectError):
        retrier.run(operation, is_repeatable=True)
    assert operation.calls == 2


def test_persistence_does_not_repeat_writes():
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
def test_retry_after_and_rate_limit_headers_are_parsed(status, headers, expected):
    assert retry_after_seconds(status, headers, NOW) == expected


@pytest.fixture(name="tokyo")
def tokyo_fixture(monkeypatch):
    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ["", " GMT", " UTC", " -0000", " +0000", " GMT, Tue, 14 Nov 2023 22:13:30 GMT"])
def test_retry_after_without_a_zone_is_utc(zone, tokyo):
    assert retry_after_seconds(429, {"retry-after": f"Tue, 14 Nov 2023 22:13:30{zone}"}, NOW) == 10.0


@pytest.mark.parametrize("local_time", [NOW, NOW - 7200.0, NOW + 7200.0])
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "Tue, 14 Nov 2023 22:13:30 GMT"}, 10.0),
        ({"ratelimit-reset": "1700000042"}, 42.0),
        ({"retry-after": "17"}, 17.0),
    ],
)
def test_retry_after_uses_the_clock_of_the_server(headers, expected, local_time):
    assert retry_after_seconds(429, {**headers, "date": "Tue, 14 Nov 2023 22:13:20 GMT"}, local_time) == expected


def test_persistent_read_is_repeated_after_any_error_up_to_retries():
    denied = errors.NotAuthorizedError("status 403", status=403)
    clock = FakeClock()
    assert new_retrier(clock, retries=2, jitter=lambda: 1.0).read_persistently(Operation(denied, denied)) == "done"
    assert clock.sleeps == [1.0, 2.0]
    with pytest.raises(errors.NotAuthorizedError):
        new_retrier(retries=2).read_persistently(Operation(denied, denied, denied))


def test_persistent_read_counts_retries_per_request():
    jobs, job = (errors.NotAuthorizedError("status 403", status=403) for _request in range(2))
    jobs.url, job.url = "jobs", "jobs/42"
    assert new_retrier(retries=2).read_persistently(Operation(job, jobs, job, jobs)) == "done"
    with pytest.raises(errors.NotAuthorizedError):
        new_retrier(retries=2).read_persistently(Operation(job, jobs, job, job))


def test_pacing_is_reported_once_and_each_server_pause_once():
    clock, told = FakeClock(), []
    traffic = Traffic(clock)
    threads = [
        new_retrier(clock, traffic=traffic, on_pause=lambda seconds, limit: told.append((seconds, limit)))
        for _number in range(3)
    ]
    for _minute in range(2):
        for thread in threads:
            thread.report_pause(9.0, "20 a minute")
            thread.report_pause(40.0, "20 a minute")
            thread.report_pause(30.0)
        clock.sleep(60.0)
    assert told == [(40.0, "20 a minute"), (30.0, ""), (30.0, "")]
