# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The number of concurrent requests: it falls after complaints of the server, and rises after its answers."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import (
    LostAnswerError,
    NotFoundError,
    ThrottledError,
    UnsentError,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace import traffic as budgets
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.clock import Clock, Deadline
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.traffic import RequestBudget

from ....harness import FakeClock

FAR = Deadline.after(60.0, Clock())


def fail_request(budget, error):
    with pytest.raises(type(error)), budget.request(FAR):
        raise error


def complete_requests(budget, times):
    for _time in range(times):
        with budget.request(FAR):
            pass


@pytest.mark.parametrize("error", [ThrottledError("status 429", status=429), LostAnswerError("no answer")])
def test_complaint_halves_the_budget_down_to_one(error):
    budget = RequestBudget(8)
    allowed = []
    for _time in range(4):
        fail_request(budget, error)
        allowed.append(budget.allowed)
    assert allowed == [4, 2, 1, 1]


def test_other_errors_leave_the_budget_unchanged():
    budget = RequestBudget(8)
    fail_request(budget, NotFoundError("status 404", status=404))
    assert budget.allowed == 8


def test_answers_raise_the_budget_up_to_its_maximum():
    budget = RequestBudget(2)
    fail_request(budget, LostAnswerError("no answer"))
    complete_requests(budget, 7)
    assert budget.allowed == 1
    complete_requests(budget, 1)
    assert budget.allowed == 2
    complete_requests(budget, 100)
    assert budget.allowed == 2


def test_request_above_the_budget_waits():
    budget = RequestBudget(1)
    order = []

    def work():
        with budget.request(FAR):
            order.append("second")

    thread = threading.Thread(target=work)
    with budget.request(FAR):
        thread.start()
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]


def test_request_above_the_budget_is_not_sent_after_the_deadline(monkeypatch):
    monkeypatch.setattr(budgets, "GRACE_SECONDS", 0.05)
    budget = RequestBudget(1)
    passed = Deadline.after(0.0, FakeClock())
    with budget.request(FAR):
        with pytest.raises(UnsentError, match="api_concurrency is 1 and no active"), budget.request(passed):
            raise AssertionError("sent")
    with budget.request(passed):
        pass


def test_request_after_the_deadline_ignores_a_reduced_budget():
    budget = RequestBudget(4)
    fail_request(budget, ThrottledError("status 429", status=429))
    fail_request(budget, ThrottledError("status 429", status=429))
    with budget.request(FAR), budget.request(Deadline.after(0.0, FakeClock())):
        assert budget.allowed == 1
