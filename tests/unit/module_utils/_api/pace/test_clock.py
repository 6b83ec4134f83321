# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads can wait for deadlines that are very far away."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.clock import Clock, Deadline


@pytest.mark.parametrize("seconds", [1e10, float("inf")])
def test_lock_accepts_the_remaining_time_of_any_deadline(seconds):
    left = Deadline.after(seconds, Clock()).remaining()
    assert left > 1e8
    # Python rejects timeouts that are too long, even for an unlocked lock
    assert threading.Lock().acquire(timeout=left + 1.0)
