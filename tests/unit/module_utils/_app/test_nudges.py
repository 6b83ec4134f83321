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
    MOST_BYTES,
    READ_SECONDS,
    Nudges,
)

from ...harness import FakeClock

LINE = {"kind": "job", "project": "group/app", "project_id": 7, "pipeline_id": 6, "source_pipeline_id": None}


def line(**values: object) -> bytes:
    return json.dumps({**LINE, **values}).encode() + b"\n"


OTHERS = line(pipeline_id=9)


class Place:
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
        self.die()
        self._locked = os.open(self.path, os.O_RDWR)
        fcntl.flock(self._locked, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def die(self) -> None:
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
def place(tmp_path: pathlib.Path) -> Place:
    path = tmp_path / "nudges"
    path.write_bytes(line() * 3)
    return Place(path)


NOBODY, BOTH = (False, False), (True, True)


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
        (line(project="group/app2", project_id=8, pipeline_id=9), NOBODY),
    ],
)
def test_who_is_nudged(place: Place, added: bytes, nudged: tuple[bool, bool]) -> None:
    place.add(added)
    assert place.nudged() == nudged
    assert place.nudged() == NOBODY


def test_a_project_may_be_given_by_its_id(tmp_path: pathlib.Path) -> None:
    place = Place(tmp_path / "nudges", project="7")
    place.add(OTHERS)
    assert place.nudged() == (False, True)


def test_the_file_is_read_once_a_second(place: Place) -> None:
    place.add(line())
    place.clock.sleep(READ_SECONDS / 2)
    assert not place.nudges.update() and not place.known.is_nudged
    place.clock.sleep(READ_SECONDS / 2)
    assert place.nudges.update() and place.known.is_nudged


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
def test_garbage_nudges_nobody_and_hides_nothing(place: Place, garbage: bytes) -> None:
    place.add(garbage)
    assert place.nudged() == NOBODY
    place.add(b"\n", OTHERS)
    assert place.nudged() == (False, True)


def test_half_a_line_is_read_when_the_rest_is_there(place: Place) -> None:
    place.add(line()[:20])
    assert place.nudged() == NOBODY
    place.add(line()[20:])
    assert place.nudged() == BOTH


def test_who_is_behind_looks_once(place: Place) -> None:
    place.add(b"x" * MOST_BYTES, b"\n" + OTHERS)
    assert place.nudged() == BOTH
    assert place.nudged() == NOBODY
    place.add(OTHERS)
    assert place.nudged() == (False, True)


def test_a_file_that_was_begun_anew_has_everybody_look_once(place: Place) -> None:
    place.path.write_bytes(b"")
    assert place.nudged() == BOTH
    place.add(OTHERS)
    assert place.nudged() == (False, True)


def test_another_file_in_its_place_has_everybody_look(place: Place) -> None:
    other = place.path.with_name("other")
    other.write_bytes(OTHERS * 3)
    other.replace(place.path)
    assert place.nudged() == BOTH
    # the content of the new file may be old or new
    assert place.nudged() == (False, True)
    assert place.nudged() == NOBODY


def test_without_a_file_all_is_as_without_nudges(place: Place) -> None:
    assert place.known.nudges.is_written
    place.path.unlink()
    assert place.nudged() == BOTH
    assert not place.known.nudges.is_written
    assert place.nudged() == NOBODY
    place.add(OTHERS)
    assert place.nudged() == (False, True)
    assert place.known.nudges.is_written


def test_a_source_that_has_died_is_none(place: Place) -> None:
    place.die()
    assert place.nudged() == BOTH
    assert not place.nudges.is_written
    assert place.nudged() == NOBODY
    # a new source continues the file
    place.add(OTHERS)
    assert place.nudged() == (False, True)
    assert place.nudges.is_written


def test_a_file_system_that_knows_no_locks_is_believed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    place.die()
    monkeypatch.setattr(fcntl, "flock", fail)
    place.nudged()
    assert place.nudges.is_written


def test_a_file_that_cannot_be_read_counts_as_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> bytes:
        raise OSError("Stale file handle")

    place.add(OTHERS)
    with monkeypatch.context() as broken:
        broken.setattr(os, "pread", fail)
        assert place.nudged() == BOTH
        assert not place.known.nudges.is_written
    # reading starts again at the beginning
    assert place.nudged() == BOTH
    assert place.known.nudges.is_written
    assert place.nudged() == NOBODY


@pytest.mark.parametrize("kind", ["folder", "fifo", "device"])
def test_what_is_no_file_is_not_read(tmp_path: pathlib.Path, kind: str) -> None:
    path = tmp_path / "nudges"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path = pathlib.Path("/dev/zero")
    place = Place(path)
    assert not place.nudges.is_written
    assert place.nudged() == NOBODY
