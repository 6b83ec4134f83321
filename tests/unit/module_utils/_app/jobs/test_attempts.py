# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The newest attempts of jobs that are known: a list without them says nothing, and is not believed at once."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import BadAnswerError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.attempts import newest_attempts
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.query import FoundJob

from ....harness import Exchange, FakeClock, ScriptedTransport, job, new_session

LIST = "GET /projects/7/pipelines/6/jobs"
JOBS = [FoundJob(job(number, name=name), "7", 6) for number, name in ((42, "deploy"), (41, "build"))]


def newest(*exchanges):
    clock = FakeClock()
    transport = ScriptedTransport(*exchanges)
    try:
        found = newest_attempts(new_session(transport, clock=clock), JOBS)
    finally:
        transport.assert_done()
    return [attempt.id for attempt in found], clock


def test_a_list_without_a_job_that_exists_is_read_again():
    whole = [job(44, "running", "build"), job(43, "failed", "deploy"), job(42, "failed", "deploy")]
    found, clock = newest(Exchange(LIST, whole[1:]), Exchange(LIST, whole))
    assert found == [43, 44]
    assert len(clock.sleeps) == 1


def test_a_job_that_never_comes_back_is_named():
    with pytest.raises(BadAnswerError, match="lists pipeline 6 without the job 'build', which it has"):
        newest(*[Exchange(LIST, [job(42)])] * 3)
