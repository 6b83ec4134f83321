# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Several independent requests at a time, with results in the order of the arguments."""

from __future__ import annotations

import concurrent.futures
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
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(most_at_once, len(items))) as executor:
        futures = [executor.submit(function, item) for item in items]
    return [future.result() for future in futures]
