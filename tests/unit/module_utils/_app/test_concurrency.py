# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Concurrent calls: results in order, errors raised in the caller, and no new calls after an error."""

from __future__ import annotations

import contextvars
import threading

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.concurrency import run_all


def test_results_have_the_order_of_the_items():
    second_done = threading.Event()

    def slow_at_first(item):
        if item == 1:
            assert second_done.wait(60)
        else:
            second_done.set()
        return item * 10

    assert run_all(slow_at_first, [1, 2], max_at_once=2) == [10, 20]


@pytest.mark.parametrize("max_at_once", [1, 4])
def test_error_of_the_first_failing_item_is_raised(max_at_once):
    done = []

    def fail(item):
        done.append(item)
        if item in (1, 3):
            raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 1"):
        run_all(fail, [0, 1, 2, 3], max_at_once=max_at_once)
    # active calls finish first
    assert {0, 1} <= set(done)


def test_no_call_starts_after_an_error():
    both = threading.Barrier(2, timeout=60)
    done = []
    threads = {}

    def work(item):
        done.append(item)
        threads[item] = threading.current_thread()
        both.wait()
        if item == 0:
            raise ValueError("the first one")
        # it ends after the error
        threads[0].join(60)

    with pytest.raises(ValueError, match="the first one"):
        run_all(work, [0, 1, 2, 3], max_at_once=2)
    assert sorted(done) == [0, 1]
    assert not any(thread.is_alive() for thread in threads.values())


def test_context_variables_are_passed_to_the_threads():
    name = contextvars.ContextVar("name", default="")
    name.set("here")
    both = threading.Barrier(2, timeout=60)

    def work(_item):
        both.wait()
        return name.get()

    assert run_all(work, [1, 2], max_at_once=2) == ["here", "here"]
