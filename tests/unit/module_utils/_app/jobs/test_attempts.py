# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The newest attempts of known jobs: a list without them proves nothing, and does not count at once."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import BadAnswerError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.attempts import AttemptCounts, newest_attempts
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


def test_list_that_lacks_a_known_job_is_read_again():
    whole = [job(44, "running", "build"), job(43, "failed", "deploy"), job(42, "failed", "deploy")]
    found, clock = newest(Exchange(LIST, whole[1:]), Exchange(LIST, whole))
    assert found == [43, 44]
    assert len(clock.sleeps) == 1


def test_list_with_only_older_attempts_is_read_again():
    old = [job(42, "success", "deploy"), job(40, "success", "build")]
    found, clock = newest(Exchange(LIST, old), Exchange(LIST, [*old, job(41, "running", "build")]))
    assert (found, len(clock.sleeps)) == ([42, 41], 1)
    with pytest.raises(BadAnswerError, match=r"lacks its job 'build' \(id 41\)"):
        newest(*[Exchange(LIST, old)] * 3)


def test_job_missing_from_every_list_is_named():
    with pytest.raises(BadAnswerError, match=r"jobs of pipeline 6 lacks its job 'build' \(id 41\)"):
        newest(*[Exchange(LIST, [job(42)])] * 3)


# ----- numbers of attempts -----

ATTEMPTS = LIST + "?include_retried=true"
FAILED = [FoundJob(job(number, "failed", name), "7", 6) for number, name in ((42, "deploy"), (41, "build"))]


def test_attempts_are_counted_with_one_list_per_pipeline():
    listed = [job(42, "failed", "deploy"), job(41, "failed", "build"), job(40, "failed", "deploy")]
    elsewhere = FoundJob(job(52, "failed", "deploy"), "7", 8)
    bridge = FoundJob(job(43, "failed", "start"), "7", 6, is_bridge=True)
    transport = ScriptedTransport(
        Exchange(ATTEMPTS, listed),
        Exchange("GET /projects/7/pipelines/8/jobs?include_retried=true", [elsewhere.record]),
    )
    counts = AttemptCounts(new_session(transport), is_wanted=True)
    for _time in range(2):
        counts.count([*FAILED, bridge, elsewhere])
    assert [counts.of(one) for one in (*FAILED, bridge, elsewhere)] == [2, 1, 1, 1]
    transport.assert_done()


def test_newer_attempt_is_counted_again():
    newer = FAILED[0].with_record(job(44, "failed", "deploy"))
    lists = [[job(42, "failed", "deploy")], [newer.record, job(42, "failed", "deploy")]]
    transport = ScriptedTransport(*(Exchange(ATTEMPTS, listed) for listed in lists))
    counts = AttemptCounts(new_session(transport), is_wanted=True)
    counts.count(FAILED[:1])
    # this task has retried it more often than the server lists
    counts.note(FAILED[0], 3)
    assert counts.of(FAILED[0]) == 3
    counts.count([newer])
    assert counts.of(newer) == 3
    transport.assert_done()


@pytest.mark.parametrize(("status", "is_wanted"), [("failed", False), ("running", True), ("created", True)])
def test_unwanted_or_unfinished_jobs_are_not_counted(status, is_wanted):
    counts = AttemptCounts(new_session(ScriptedTransport()), is_wanted=is_wanted)
    counts.count([FoundJob(job(42, status), "7", 6)])
    assert counts.of(FAILED[0]) == 1
