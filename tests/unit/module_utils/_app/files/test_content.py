# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets of downloads: only files are replaced, and unwritable targets cause a one-sentence error."""

from __future__ import annotations

import hashlib
import os
import types

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.files.download import Content, Incoming, content_of
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.files.fetch import Memory
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.files.place import NewFile
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Files
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.log_tails import Tail

from ....harness import FakeClock, Progress


def test_content_of_a_file_is_its_size_and_checksum(tmp_path):
    file = tmp_path / "x"
    assert content_of(str(file)) is None
    content = b"x" * (3 * 1024 * 1024 + 1)
    file.write_bytes(content)
    assert content_of(str(file)) == Content(len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("goal", ["x", "nowhere"])
def test_link_counts_as_no_content(tmp_path, goal):
    (tmp_path / "x").touch()
    # like ansible.builtin.copy, which replaces all links
    (tmp_path / "link").symlink_to(goal)
    assert content_of(str(tmp_path / "link")) is None


def test_missing_folder_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="dest cannot be written: no file can be created in '.*/none': No such file"):
        NewFile("dest", str(tmp_path / "none" / "x"), Files())


def test_full_disk_is_reported_and_leaves_no_file(tmp_path, monkeypatch):
    def write(_file, _view):
        raise OSError(28, "No space left on device")

    with NewFile("dest", str(tmp_path / "x"), Files()) as target:
        monkeypatch.setattr(os, "write", write)
        with pytest.raises(UsageError, match="the content cannot be written beside dest: No space left on device"):
            target.write(b"abc")
    assert list(tmp_path.iterdir()) == []


def test_partial_writes_are_continued(tmp_path, monkeypatch):
    really_write = os.write
    with NewFile("dest", str(tmp_path / "x"), Files()) as target:
        monkeypatch.setattr(os, "write", lambda file, view: really_write(file, view[:2]))
        target.write(b"abcde")
        target.put_in_place()
        assert (tmp_path / "x").read_bytes() == b"abcde"


def test_restarted_target_contains_only_the_new_content(tmp_path):
    with NewFile("dest", str(tmp_path / "x"), Files()) as target:
        session = types.SimpleNamespace(clock=FakeClock(), progress=Progress())
        incoming = Incoming(session, "x", 0, target)
        for piece in (b"half of something long", b"the whole"):
            incoming.restart()
            incoming.write(piece)
        target.put_in_place()
        assert (tmp_path / "x").read_bytes() == b"the whole"
        assert incoming.content == Content(9, hashlib.sha256(b"the whole").hexdigest())


def test_empty_target_is_not_truncated(tmp_path, monkeypatch):
    # ext4 would treat it as the replacement of a file, and flush all its data at close
    truncated = []
    monkeypatch.setattr(os, "ftruncate", lambda _file, length: truncated.append(length))
    with NewFile("dest", str(tmp_path / "x"), Files()) as target:
        target.restart()
        target.restart()
        assert truncated == []
        target.write(b"abc")
        target.restart()
        assert truncated == [0]


@pytest.mark.parametrize("sink", [Memory(), Tail(100)], ids=["memory", "tail"])
def test_restarted_sink_contains_only_the_new_content(sink):
    for piece in (b"half of", b"the whole"):
        sink.restart()
        sink.write(piece)
    assert (sink.text if isinstance(sink, Tail) else sink.content.decode()) == "the whole"


def test_tail_contains_the_end_and_reports_whether_it_is_whole():
    tail = Tail(4)
    tail.write(b"0123")
    assert (tail.text, tail.is_whole) == ("0123", True)
    tail.write(b"4567")
    assert (tail.text, tail.is_whole) == ("4567", False)
    tail.write(b"8\xc3\xa4")
    assert (tail.text, tail.is_whole) == ("78\u00e4", False)
    tail.restart()
    assert (tail.text, tail.is_whole) == ("", True)


def test_tail_accepts_half_a_character_at_the_cut():
    tail = Tail(2)
    tail.write("\u00e4b\u00e4".encode()[:-1])
    assert tail.text == "b\ufffd"


def test_content_too_large_for_memory_is_a_usage_error():
    memory = Memory()
    memory.write(b"x" * 64 * 1024**2)
    with pytest.raises(UsageError, match="the content is larger than 64 MiB, too much for an expression; download it"):
        memory.write(b"x")
    memory.restart()
    memory.write(b"x")
