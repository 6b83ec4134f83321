# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Run independent requests concurrently, with results in the order of the arguments."""

from __future__ import annotations

import contextvars
import threading
import typing as t

from .._api.pace.threads import started

_A = t.TypeVar("_A")
_R = t.TypeVar("_R")


def run_all(function: t.Callable[[_A], _R], items: t.Sequence[_A], *, max_at_once: int) -> list[_R]:
    """Return the result of the function for each item, in the order of the items.

    :param max_at_once: maximum number of simultaneous calls.
    :raises Exception: the error of the first failing item, in the order of the items. No further calls are started, and
        running calls are finished first.
    """
    if len(items) <= 1 or max_at_once <= 1:
        return [function(item) for item in items]
    results: dict[int, _R] = {}
    errors: dict[int, Exception] = {}
    left = iter(range(len(items)))
    turn = threading.Lock()

    def work() -> None:
        while True:
            with turn:
                # in order, so that the first of two failing items is certain to be started
                index = None if errors else next(left, None)
            if index is None:
                return
            try:
                results[index] = function(items[index])
            except Exception as exc:  # raised again below, in the caller's thread
                errors[index] = exc

    threads = [started(contextvars.copy_context().run, work) for _number in range(min(max_at_once, len(items)))]
    if not any(threads):
        work()
    for thread in filter(None, threads):
        thread.join()
    if errors:
        raise errors[min(errors)]
    return [results[index] for index in range(len(items))]
