# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vocabulary: every status and its properties."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs import statuses

# status: playable, under way, finished, may have a newer attempt; reached: playable, started, finished, success
TABLE = {
    "created": ("", ""),
    "waiting_for_resource": ("under way", "playable"),
    "preparing": ("under way", "playable"),
    "waiting_for_callback": ("under way", "playable"),
    "pending": ("under way", "playable"),
    "running": ("under way", "playable started"),
    "canceling": ("superseded", "playable started"),
    "success": ("finished superseded", "playable started finished success"),
    "failed": ("finished superseded", "playable started finished"),
    "canceled": ("finished superseded", "finished"),
    "skipped": ("finished superseded", "finished"),
    "manual": ("playable", "playable"),
    "scheduled": ("playable", "playable"),
    "brand_new": ("superseded", ""),
    "": ("superseded", ""),
}


@pytest.mark.parametrize(("status", "row"), TABLE.items())
def test_status_has_its_properties(status, row):
    words, _reached = row
    assert statuses.is_playable(status) == ("playable" in words)
    assert statuses.is_active(status) == ("under way" in words)
    assert statuses.is_finished(status) == ("finished" in words)
    assert statuses.can_be_superseded(status) == ("superseded" in words)
    assert statuses.is_retryable(status) == (status in ("failed", "canceled"))
    assert statuses.is_unsuccessful(status) == (status in ("failed", "canceled", "skipped"))
    assert statuses.is_queued(status) == (status == "pending")
    assert (statuses.phase_of(status) is None) == (status in ("brand_new", ""))


@pytest.mark.parametrize(("status", "row"), TABLE.items())
@pytest.mark.parametrize("target", statuses.WAIT_TARGETS)
def test_status_reaches_its_targets(status, row, target):
    assert statuses.has_reached(status, [target]) == (target in row[1].split())


def test_targets_can_be_several_and_plain_statuses():
    assert statuses.has_reached("manual", ["pending", "manual"])
    assert not statuses.has_reached("running", ["pending", "manual"])
    assert statuses.has_reached("failed", ["success", "failed"])
    assert not statuses.has_reached("failed", [])


def test_every_status_of_gitlab_is_known():
    assert set(statuses.STATUSES) == {status for status in TABLE if status not in ("brand_new", "")}


@pytest.mark.parametrize("record", [{}, {"status": None}, {"status": 3}])
def test_record_without_status_has_an_empty_status(record):
    assert statuses.status_of(record) == ""


def test_newest_attempt_of_each_name_is_returned():
    records = [{"id": 1, "name": "a"}, {"id": 3, "name": "a"}, {"id": 2, "name": "b"}]
    assert statuses.newest_per_name(records) == [{"id": 3, "name": "a"}, {"id": 2, "name": "b"}]
    assert statuses.newest_per_name([]) == []


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"tag_list": ["linux", "gpu"]}, "a runner with the tags linux, gpu"),
        ({"tag_list": ["gpu"]}, "a runner with the tag gpu"),
        ({"tag_list": []}, "a runner that takes untagged jobs"),
        ({}, "a runner that takes untagged jobs"),
    ],
)
def test_needed_runner_is_described(record, words):
    assert statuses.needed_runner(record) == words


def test_id_accepts_subclasses_of_int_and_no_other_type():
    class Tagged(int):
        pass

    assert statuses.id_of({"id": Tagged(6)}) == 6
    assert [statuses.id_of({"id": value}) for value in (True, 0, -6, 6.0, "6", None)] == [0] * 6
