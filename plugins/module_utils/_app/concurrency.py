# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Several independent requests at a time, with results in the order of the arguments."""

from __future__ import annotations

import collections
import contextvars
import threading
import typing as t

_A = t.TypeVar("_A")
_R = t.TypeVar("_R")


def run_all(function: t.Callable[[_A], _R], items: t.Sequence[_A], *, most_at_once: int) -> list[_R]:
    """Return the result of the function for each item, in the order of the items.

    :param most_at_once: how many calls run at a time.
    :raises Exception: what the first failing item, in the order of the items, raised; the others are finished first.
    """
    if len(items) <= 1 or most_at_once <= 1:
        return [function(item) for item in items]
    results: dict[int, _R] = {}
    errors: dict[int, Exception] = {}

    def work(index: int) -> list[int]:
        try:
            results[index] = function(items[index])
        except Exception as exc:  # raised again below, in the order of the items
            errors[index] = exc
        return []

    run_growing(work, range(len(items)), most_at_once=min(most_at_once, len(items)))
    if errors:
        raise errors[min(errors)]
    return [results[index] for index in range(len(items))]


def run_growing(function: t.Callable[[_A], t.Iterable[_A]], items: t.Iterable[_A], *, most_at_once: int) -> None:
    """Call the function for each item, and for each that it returns, as soon as there is a turn for it.

    The threads are daemons, for a worker of Ansible waits at its end for any other kind, whatever time the task has.

    :param function: does the work for an item, and returns further items.
    :param most_at_once: how many calls run at a time.
    :raises Exception: what the first call to fail raised; no further ones are begun then.
    """
    waiting = collections.deque(items)
    # what has nothing beside it needs no other thread
    while waiting and (len(waiting) == 1 or most_at_once <= 1):
        waiting.extend(function(waiting.popleft()))
    if not waiting:
        return
    changed = threading.Condition()
    errors: list[Exception] = []
    at_work = [0]

    def work() -> None:
        while True:
            with changed:
                while not waiting and at_work[0] and not errors:
                    changed.wait()
                if errors or not waiting:
                    changed.notify_all()
                    return
                item = waiting.popleft()
                at_work[0] += 1
            more: t.Iterable[_A] = ()
            try:
                more = function(item)
            except Exception as exc:  # raised again below, in the caller's thread
                errors.append(exc)
            with changed:
                at_work[0] -= 1
                waiting.extend(more)
                changed.notify_all()

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
        for _number in range(most_at_once)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
