# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that go to a file: the old text or the new one, and a sentence when it cannot be written."""

from __future__ import annotations

import os

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.files.place import check_writable, write_text
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import PlainFiles


def test_a_place_that_cannot_take_a_file_is_told_beforehand(tmp_path, monkeypatch):
    check_writable("record", str(tmp_path / "x"))
    with pytest.raises(
        UsageError, match="record '.*/none/x' is in a folder that does not exist; create '.*/none' first"
    ):
        check_writable("record", str(tmp_path / "none" / "x"))
    with pytest.raises(UsageError, match="report '.*' is a folder; give the name of a file"):
        check_writable("report", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(UsageError, match="record '.*/x' cannot be written: no permission to create files in"):
        check_writable("record", str(tmp_path / "x"))
    assert list(tmp_path.iterdir()) == []


def test_a_text_replaces_the_old_one_and_keeps_its_mode(tmp_path):
    path = tmp_path / "x"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    write_text("record", str(path), "n\u00e4w \ud800", PlainFiles())
    # half a surrogate came from a server, and must not cost the record
    assert path.read_text(encoding="utf-8") == "n\u00e4w \\ud800"
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_fails_at_the_end_leaves_the_old_text_and_nothing_else(tmp_path):
    class Refusing:
        def replace(self, source, dest):
            raise PermissionError(1, "Operation not permitted")

    path = tmp_path / "x"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(UsageError, match="record '.*/x' cannot be written: Operation not permitted"):
        write_text("record", str(path), "new", Refusing())
    assert [(each.name, each.read_text(encoding="utf-8")) for each in tmp_path.iterdir()] == [("x", "old")]
