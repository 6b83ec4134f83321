# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Threads, which a busy machine may refuse."""

from __future__ import annotations

import threading
import typing as t


def started(work: t.Callable[..., object], *arguments: t.Any) -> threading.Thread | None:
    """Return a new thread that does the work; None if the system allows no more threads.

    The threads are daemons: an Ansible worker would wait for other threads at its end, even after the task timed out.
    """
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread
