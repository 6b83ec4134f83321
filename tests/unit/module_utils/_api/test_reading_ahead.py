# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading several pages at a time returns the same records in the same order as page by page, and misses none."""

from __future__ import annotations

import dataclasses
import itertools
import threading

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import paging
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import (
    BadAnswerError,
    LostAnswerError,
    RefusedError,
    UnsentError,
)

from ...harness import PageRequester, list_of, reply


class Server:
    """A paginated list of IDs, newest first; `before` is called with the number of each page before it is read."""

    def __init__(self, count, *, has_totals=True, paging_headers=True, before=lambda number: None):
        self.ids = list(range(count, 0, -1))
        self.has_totals = has_totals
        self.paging_headers = paging_headers
        self.before = before
        self.asked = []
        self.max_at_once = 0
        # the records of each time that the list was read
        self.readings = []
        self._now = 0
        self._lock = threading.Lock()

    def ask(self, position):
        number, size = int(position.get("page", 1)), position["per_page"]
        with self._lock:
            self.asked.append((number, size))
            self._now += 1
            self.max_at_once = max(self.max_at_once, self._now)
        self.before(number)
        with self._lock:
            rows = self.ids[(number - 1) * size : number * size]
            is_last = number * size >= len(self.ids)
            headers = {"X-Page": str(number), "X-Next-Page": "" if is_last else str(number + 1)}
            if self.has_totals:
                headers["X-Total"] = str(len(self.ids))
            self._now -= 1
        return reply([{"id": row} for row in rows], headers=headers if self.paging_headers else {})

    def pages(self):
        return sorted(number for number, size in self.asked if size == 100)


def read(server, *, limit=None, at_once=8, needed_records=0, paging="offset", seconds=60.0, requester=PageRequester):
    """Return the records of each time that the list was read: a second time only if the first was not exact.

    :param limit: how many records to take, None for all.
    """

    def make(records):
        server.readings.append([])
        server.readings[-1].extend(record["id"] for record in itertools.islice(records, limit))

    listed = list_of(requester(server.ask, seconds=seconds), paging)
    listed.read_ahead(make, max_at_once=at_once, needed_records=needed_records)
    return server.readings


@pytest.mark.parametrize(
    ("has_totals", "paging_headers"), [(True, True), (False, True), (False, False)], ids=["totals", "headers", "bare"]
)
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 199, 200, 201, 1000, 2345])
def test_all_records_are_returned_in_order(count, has_totals, paging_headers):
    server = Server(count, has_totals=has_totals, paging_headers=paging_headers)
    assert read(server) == [server.ids]
    needed = max(1, -(-count // 100))
    # at most one page beyond the end for each thread, and none if the total is known
    beyond = 0 if has_totals or needed == 1 else 7
    if not paging_headers and count and count % 100 == 0:
        beyond += 8  # a full page may have a successor
    assert needed <= len(server.pages()) <= needed + beyond


def test_all_allowed_threads_are_used_and_no_more():
    gate = threading.Barrier(4, timeout=60)

    def before(number):
        if number in (2, 3, 4, 5):
            gate.wait()  # passes only when four requests are active

    server = Server(2000, before=before)
    assert read(server, at_once=4) == [server.ids]
    assert server.max_at_once == 4


def test_answers_are_decoded_in_the_reading_thread():
    readers = set()

    class RecordingRequester(PageRequester):
        def read(self, endpoint, arguments, answer=None):
            readers.add((threading.current_thread(), answer is not None or arguments.get("page") is None))
            return super().read(endpoint, arguments, answer)

    read(Server(2000), requester=RecordingRequester)
    assert readers == {(threading.current_thread(), True)}


def test_concurrency_of_one_reads_pages_in_sequence():
    server = Server(1000)
    assert read(server, at_once=1) == [server.ids]
    assert server.max_at_once == 1
    assert len(server.asked) == 10  # and no extra request at the beginning


class Cursors(Server):
    """Supports cursors, and page numbers if it heeds them."""

    def __init__(self, count, *, accepts_numbers, **how):
        super().__init__(count, **how)
        self.accepts_numbers = accepts_numbers

    def ask(self, position):
        if "page" in position and self.accepts_numbers:
            return super().ask(position)
        number = int(position.get("cursor", 1))
        answer = super().ask({**position, "page": number})
        link = f'<https://x/?cursor={number + 1}>; rel="next"' if answer.headers["x-next-page"] else ""
        return dataclasses.replace(answer, headers={"link": link})


def test_keyset_list_is_read_ahead_by_page_numbers():
    eight = threading.Barrier(8)

    def wait_for_each_other(number):
        if 2 <= number <= 9:
            eight.wait(60)

    server = Cursors(1000, accepts_numbers=True, before=wait_for_each_other)
    assert read(server, paging="keyset") == [server.ids]
    assert server.max_at_once == 8


def test_keyset_list_is_read_again_if_numbers_are_ignored():
    server = Cursors(1000, accepts_numbers=False)
    assert read(server, paging="keyset") == [server.ids[:100], server.ids]


@pytest.mark.parametrize(("has_totals", "at_once"), [(False, 8), (True, 8), (False, 1)])
def test_very_long_list_is_read_completely(has_totals, at_once):
    server = Server(60_050, has_totals=has_totals)
    assert read(server, at_once=at_once) == [server.ids]


@pytest.mark.parametrize("has_totals", [True, False])
def test_server_that_ignores_the_page_number_is_an_error(has_totals):
    class SamePage(Server):
        def ask(self, position):
            answer = super().ask({**position, "page": 1})
            return answer if self.has_totals else dataclasses.replace(answer, headers={})

    server = SamePage(1000, has_totals=has_totals)
    with pytest.raises(BadAnswerError, match="only records of the pages before it"):
        read(server)
    assert server.readings[0] == server.ids[:100]
    assert len(server.asked) < 30


def test_endless_list_is_an_error(monkeypatch):
    monkeypatch.setattr(paging, "MAX_PAGES", 12)
    server = Server(100_000, has_totals=False)
    with pytest.raises(BadAnswerError, match="does not end within 12 pages"):
        read(server)
    assert list(map(len, server.readings)) == [1200, 1200]


def test_circular_pages_are_an_error():
    class Circle(Server):
        def ask(self, position):
            answer = super().ask(position)
            if position.get("page") == "4":
                answer.headers["x-next-page"] = "2"
            return answer

    server = Circle(1_000_000, has_totals=False)
    with pytest.raises(BadAnswerError, match="returns page 2 as the next page after page 4"):
        read(server)
    assert list(map(len, server.readings)) == [300, 400]
    assert len(server.asked) < 30


def test_unanswered_page_ends_with_the_deadline(monkeypatch):
    for name in ("GRACE_SECONDS", "LAST_LIST_SECONDS"):
        monkeypatch.setattr(paging, name, 0.05)
    never = threading.Event()
    server = Server(1000, before=lambda number: number == 3 and never.wait())
    # without the deadline, this read would wait forever
    with pytest.raises(UnsentError, match="was not read to its end"):
        read(server, at_once=2, seconds=0.1)
    # on a busy machine the deadline may pass before the second page
    assert server.readings[0] in (server.ids[:100], server.ids[:200])
    never.set()


@pytest.mark.parametrize("needed_records", [101, 150, 500])
def test_pages_beyond_the_needed_records_are_not_read(needed_records):
    server = Server(5000, has_totals=False)
    assert read(server, limit=needed_records, needed_records=needed_records) == [server.ids[:needed_records]]
    assert len(server.pages()) == -(-needed_records // 100)


def test_pages_beyond_the_needed_records_are_read_on_demand():
    server = Server(1000, has_totals=False)
    assert read(server, needed_records=150) == [server.ids]


@pytest.mark.parametrize("has_totals", [True, False])
@pytest.mark.parametrize("late", [2, 3, 5, 10])
def test_new_job_that_hides_another_causes_a_second_reading(late, has_totals):
    """One page is read after the job has been created, and all others before it."""
    others, first_time = threading.Semaphore(0), iter([True])

    def before(number):
        if number == late and next(first_time, False):
            for _page in range(9):
                assert others.acquire(timeout=60)
            server.ids.insert(0, 5000)

    class NotifyingServer(Server):
        def ask(self, position):
            answer = super().ask(position)
            others.release()
            return answer

    server = NotifyingServer(1000, has_totals=has_totals, before=before)
    found, again = read(server, at_once=9)
    if late < 10:  # a record that is pushed off the last page appears on the next one
        assert 1000 - 100 * late + 1 not in found
    assert again == server.ids


def test_new_job_at_any_time_leaves_a_complete_list():
    for when in range(1, 12):
        server = Server(1000, has_totals=False)
        count = itertools.count(1)

        def before(number, server=server, count=count, when=when):
            if next(count) == when:
                server.ids.insert(0, 5000)

        server.before = before
        found = read(server)[-1]
        assert found in (server.ids, server.ids[1:])


def test_removed_job_is_noticed_if_there_are_totals():
    gone = iter([900])
    server = Server(1000, before=lambda number: number == 5 and list(map(server.ids.remove, gone)))
    _found, again = read(server)
    assert again == server.ids


def test_unchanged_list_needs_no_extra_request():
    server = Server(1000)
    assert read(server) == [server.ids]
    assert len(server.asked) == 10


def test_error_on_a_later_page_is_raised():
    def before(number):
        if number == 3:
            raise RefusedError("status 405", status=405)

    server = Server(1000, before=before)
    with pytest.raises(RefusedError):
        read(server)
    assert server.readings[0] == server.ids[:200]


def test_error_on_the_first_page_is_raised():
    def before(number):
        raise LostAnswerError("no answer")

    with pytest.raises(LostAnswerError):
        read(Server(10, before=before))


def test_error_beyond_the_last_page_is_ignored():
    gate = threading.Event()

    def before(number):
        if number == 2:
            gate.wait(60)
        if number > 2:
            gate.set()
            raise RefusedError("status 405", status=405)

    server = Server(200, has_totals=False, before=before)
    assert read(server) == [server.ids]


def test_unexpected_exceptions_are_raised():
    def before(number):
        if number == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        read(Server(1000, before=before))


def test_wrong_total_causes_a_second_reading():
    class WrongTotal(Server):
        def ask(self, position):
            answer = super().ask(position)
            return dataclasses.replace(answer, headers={**answer.headers, "x-total": "7"})

    server = WrongTotal(300)
    assert read(server) == [server.ids, server.ids]


def test_threads_end_when_the_reader_stops():
    before = set(threading.enumerate())
    server = Server(100_000, has_totals=False)
    read(server, limit=1)
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()
    assert len(server.pages()) < 30
