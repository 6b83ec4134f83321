# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nudges: which lines concern a wait, and how foreign or broken files are handled."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pathlib

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.nudges import (
    MAX_BYTES,
    READ_SECONDS,
    Nudges,
)

from ...harness import FakeClock

LINE = {"kind": "job", "project": "group/app", "project_id": 7, "pipeline_id": 6, "source_pipeline_id": None}


def line(**values: object) -> bytes:
    return json.dumps({**LINE, **values}).encode() + b"\n"


OTHERS = line(pipeline_id=9)


class NudgedWaits:
    """A file of nudges that a source writes, and two waits: one for pipeline 6, one without a pipeline so far."""

    def __init__(self, path: pathlib.Path, project: str = "group/app") -> None:
        self.path = path
        self._locked: int | None = None
        if path.is_file():
            self.lock()
        self.clock = FakeClock()
        self.nudges = Nudges(str(path), self.clock)
        self.known, self.open = self.nudges.watch(project), self.nudges.watch(project)
        self.known.add_pipeline(6)

    def add(self, *lines: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(b"".join(lines))
        self.lock()

    def lock(self) -> None:
        """Lock the file as the source does."""
        self.end_source()
        self._locked = os.open(self.path, os.O_RDWR)
        fcntl.flock(self._locked, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def end_source(self) -> None:
        """End the source as a signal would."""
        locked, self._locked = self._locked, None
        if locked is not None:
            os.close(locked)

    def nudged(self) -> tuple[bool, bool]:
        """Return which of the two waits were nudged since the last call."""
        self.clock.sleep(READ_SECONDS)
        assert self.nudges.update()
        found = self.known.is_nudged, self.open.is_nudged
        self.known.is_nudged = self.open.is_nudged = False
        return found


@pytest.fixture
def waits(tmp_path: pathlib.Path) -> NudgedWaits:
    path = tmp_path / "nudges"
    path.write_bytes(line() * 3)
    return NudgedWaits(path)


NEITHER, BOTH = (False, False), (True, True)


@pytest.mark.parametrize(
    ("added", "nudged"),
    [
        (line(), BOTH),
        (line(kind="pipeline"), BOTH),
        (line(project=None), (True, False)),
        (line(project="other", project_id=8), (True, False)),
        (OTHERS, (False, True)),
        (line(pipeline_id=9, source_pipeline_id=6), BOTH),
        # deployment hooks do not contain their pipeline
        (line(kind="deployment", pipeline_id=None), BOTH),
        (line(project="GROUP/App", pipeline_id=None), BOTH),
        (line(project="group/app2", project_id=8, pipeline_id=9), NEITHER),
    ],
)
def test_line_nudges_the_waits_it_concerns(waits: NudgedWaits, added: bytes, nudged: tuple[bool, bool]) -> None:
    waits.add(added)
    assert waits.nudged() == nudged
    assert waits.nudged() == NEITHER


def test_project_can_be_given_by_its_id(tmp_path: pathlib.Path) -> None:
    waits = NudgedWaits(tmp_path / "nudges", project="7")
    waits.add(OTHERS)
    assert waits.nudged() == (False, True)


def test_file_is_read_once_a_second(waits: NudgedWaits) -> None:
    waits.add(line())
    waits.clock.sleep(READ_SECONDS / 2)
    assert not waits.nudges.update() and not waits.known.is_nudged
    waits.clock.sleep(READ_SECONDS / 2)
    assert waits.nudges.update() and waits.known.is_nudged


@pytest.mark.parametrize(
    "garbage",
    [
        b"\n\n",
        b"nothing\n",
        b"\xff\xfe\x00\n",
        b"[6]\n",
        b'{"pipeline_id": "6"}\n',
        b'{"pipeline_id": [6], "project": {}}\n',
        b'{"pipeline_id": 6',
        b"[" * 900 + b"\n",
        b"9" * 100_000 + b"\n",
        line(project="x" * 2000, pipeline_id=6),
        b"x" * 5000,
    ],
)
def test_garbage_nudges_no_wait_and_hides_no_line(waits: NudgedWaits, garbage: bytes) -> None:
    waits.add(garbage)
    assert waits.nudged() == NEITHER
    waits.add(b"\n", OTHERS)
    assert waits.nudged() == (False, True)


def test_partial_line_is_read_once_it_is_complete(waits: NudgedWaits) -> None:
    waits.add(line()[:20])
    assert waits.nudged() == NEITHER
    waits.add(line()[20:])
    assert waits.nudged() == BOTH


def test_too_much_unread_data_nudges_all_waits_once(waits: NudgedWaits) -> None:
    waits.add(b"x" * MAX_BYTES, b"\n" + OTHERS)
    assert waits.nudged() == BOTH
    assert waits.nudged() == NEITHER
    waits.add(OTHERS)
    assert waits.nudged() == (False, True)


def test_truncated_file_nudges_all_waits_once(waits: NudgedWaits) -> None:
    waits.path.write_bytes(b"")
    assert waits.nudged() == BOTH
    waits.add(OTHERS)
    assert waits.nudged() == (False, True)


def test_replaced_file_nudges_all_waits(waits: NudgedWaits) -> None:
    other = waits.path.with_name("other")
    other.write_bytes(OTHERS * 3)
    other.replace(waits.path)
    assert waits.nudged() == BOTH
    # the content of the new file may be old or new
    assert waits.nudged() == (False, True)
    assert waits.nudged() == NEITHER


def test_removed_file_nudges_once_and_counts_as_unwritten(waits: NudgedWaits) -> None:
    assert waits.known.nudges.is_written
    waits.path.unlink()
    assert waits.nudged() == BOTH
    assert not waits.known.nudges.is_written
    assert waits.nudged() == NEITHER
    waits.add(OTHERS)
    assert waits.nudged() == (False, True)
    assert waits.known.nudges.is_written


def test_ended_source_nudges_once_and_counts_as_unwritten(waits: NudgedWaits) -> None:
    waits.end_source()
    assert waits.nudged() == BOTH
    assert not waits.nudges.is_written
    assert waits.nudged() == NEITHER
    # a new source continues the file
    waits.add(OTHERS)
    assert waits.nudged() == (False, True)
    assert waits.nudges.is_written


def test_file_system_without_locks_counts_as_written(waits: NudgedWaits, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    waits.end_source()
    monkeypatch.setattr(fcntl, "flock", fail)
    waits.nudged()
    assert waits.nudges.is_written


def test_unreadable_file_counts_as_unwritten(waits: NudgedWaits, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> bytes:
        raise OSError("Stale file handle")

    waits.add(OTHERS)
    with monkeypatch.context() as broken:
        broken.setattr(os, "pread", fail)
        assert waits.nudged() == BOTH
        assert not waits.known.nudges.is_written
    # reading starts again at the beginning
    assert waits.nudged() == BOTH
    assert waits.known.nudges.is_written
    assert waits.nudged() == NEITHER


@pytest.mark.parametrize("kind", ["folder", "fifo", "device"])
def test_path_that_is_not_a_file_is_not_read(tmp_path: pathlib.Path, kind: str) -> None:
    path = tmp_path / "nudges"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path = pathlib.Path("/dev/zero")
    waits = NudgedWaits(path)
    assert not waits.nudges.is_written
    assert waits.nudged() == NEITHER
