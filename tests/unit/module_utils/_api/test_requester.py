# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests are under way at a time."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import requester
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UnsentError

from ...harness import FakeClock, FunctionTransport, job, new_session


@pytest.mark.parametrize("most", [1, 3])
def test_who_is_one_too_many_waits_for_another_to_end(most):
    are_there, may_end = threading.Barrier(most + 1), threading.Event()
    under_way = []

    def answer(call):
        under_way.append(call.path)
        if len(under_way) <= most:
            are_there.wait(60)
        may_end.wait(60)
        return job()

    client = new_session(FunctionTransport(answer), {"api_concurrency": most}).client
    threads = [
        threading.Thread(target=client.call, args=("get_job",), kwargs={"project": "7", "job_id": 1 + number})
        for number in range(most + 2)
    ]
    for thread in threads:
        thread.start()
    are_there.wait(60)
    assert len(under_way) == most
    may_end.set()
    for thread in threads:
        thread.join(60)
    assert len(under_way) == most + 2


def test_at_the_end_of_the_time_nobody_is_one_too_many(monkeypatch):
    monkeypatch.setattr(requester, "GRACE_SECONDS", 0.05)
    clock = FakeClock()

    def answer(call):
        if call.path.endswith("/jobs/1"):
            clock.now += 60.0
            with pytest.raises(UnsentError, match="api_concurrency is 1 and none"):
                client.call("get_job", project="7", job_id=2)
        return job()

    client = new_session(FunctionTransport(answer), {"wait_timeout": 60.0}, clock=clock).client
    client.call("get_job", project="7", job_id=1)
    client.call("get_job", project="7", job_id=3)
