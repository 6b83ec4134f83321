# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that are started, or refused by the system."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.threads import started


def test_thread_works_and_does_not_delay_the_end_of_the_process() -> None:
    done: list[str] = []
    thread = started(done.append, "work")
    assert thread and thread.daemon
    thread.join(60)
    assert done == ["work"]


def test_refused_thread_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert started(list) is None
