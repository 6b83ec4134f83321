# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading fields of GitLab's records; values of unexpected types count as missing."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.fields import (
    iso_time,
    record_in,
    records_in,
    seconds_of,
    unix_time_of,
)


@pytest.mark.parametrize("value", [None, "user", 7, ["user"]])
def test_value_that_is_not_a_record_is_an_empty_record(value):
    assert record_in({"user": value}, "user") == {}
    assert record_in({}, "user") == {}
    assert record_in({"user": {"id": 7}}, "user") == {"id": 7}


@pytest.mark.parametrize("value", [None, "rules", {"id": 7}])
def test_value_that_is_not_a_list_has_no_records(value):
    assert records_in({"rules": value}, "rules") == []
    assert records_in({"rules": [{"id": 7}, None, "rule", {"id": 8}]}, "rules") == [{"id": 7}, {"id": 8}]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(0, 0.0), (1.5, 1.5), (-1, None), (True, None), ("1", None), (None, None), (1e9, None), (float("nan"), None)],
)
def test_durations_are_read_or_missing(value, seconds):
    assert seconds_of(value) == seconds


@pytest.mark.parametrize("value", [None, 7, "", "today", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z"])
def test_invalid_timestamp_is_none(value):
    assert unix_time_of(value) is None


def test_timestamps_outside_datetime_are_handled():
    assert unix_time_of("10000-01-01T00:00:00.000Z") == unix_time_of("+292277026596-12-04T15:30:07Z") == float("inf")
    assert unix_time_of("9999-12-31T23:59:59.000Z") == 253402300799.0
    assert unix_time_of("1969-12-31T23:59:59.000Z") == -1.0
    assert unix_time_of("0000-01-01T00:00:00.000Z") is unix_time_of("00001-01-01T00:00:00.000Z") is None


def test_timestamp_is_read_and_written():
    assert unix_time_of("2026-01-01T02:00:00.250+02:00") == 1767225600.25
    assert iso_time(1767225600.25) == "2026-01-01T00:00:00.250Z"
