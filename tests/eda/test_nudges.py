# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test the nudges file that the event source writes: its content, permissions and size."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pathlib
import stat
import subprocess
import sys
import typing as t

import pytest
from jobgate_gitlab_events import nudges as module
from jobgate_gitlab_events.backlog import Backlog
from jobgate_gitlab_events.nudges import MAX_BYTES, MAX_LINE_BYTES, Nudges
from jobgate_gitlab_events.options import OptionError

from .port import deliver, source
from .support import (
    DEPLOYMENT,
    EDA,
    JOB,
    OTHER_SIGNING,
    PIPELINE,
    PUSH,
    SECRETS,
    Record,
    changed,
    encoded,
    signed,
)


def lines(path: pathlib.Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def nudge(**values: t.Any) -> Record:
    return {"kind": "job", "project": "group/app", "project_id": 380, "pipeline_id": 2366, **values}


def nudges_at(path: pathlib.Path) -> Nudges:
    found = Nudges(str(path))
    found.begin()
    return found


def test_each_genuine_hook_writes_one_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "nudges"
    child = changed(JOB, pipeline_id=2400, source_pipeline={"project": {}, "job_id": 5, "pipeline_id": 2366})

    async def scene() -> None:
        async with source(nudges=str(path), events=["job"], backlog=Backlog(max_events=1)) as (url, _backlog):
            assert lines(path) == []

            async def send(payload: Record, delivery: str, **more: str) -> int:
                body = encoded(payload)
                return await deliver(url, signed(body, delivery, **more), body)

            # the rules want no pipelines or deployments, and have no room for a second job
            for payload, status in ((JOB, 200), (PIPELINE, 200), (DEPLOYMENT, 200), (child, 503)):
                assert await send(payload, payload["object_kind"] + str(status)) == status
            assert await send(JOB, "build200") == 200
            assert await send(PUSH, "push") == 200
            assert await send(JOB, "forged", signing_token=OTHER_SIGNING) == 401
            while len(lines(path)) < 4:
                await asyncio.sleep(0)
            named = {"project": "group/app", "project_id": 380, "source_pipeline_id": None}
            assert lines(path) == [
                {"kind": "job", **named, "pipeline_id": 2366},
                {"kind": "pipeline", **named, "pipeline_id": 31},
                {"kind": "deployment", **named, "pipeline_id": None},
                {"kind": "job", **named, "pipeline_id": 2400, "source_pipeline_id": 2366},
            ]
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            text = path.read_text(encoding="utf-8")
            assert not [secret for secret in SECRETS if secret in text]
        assert not path.exists()

    asyncio.run(scene())


def test_file_stays_below_its_size_limit(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "nudges"
    nudges = nudges_at(path)
    largest, restarts = 0, 0
    for number in range(3 * MAX_BYTES // 900):
        before = path.stat().st_size
        nudges.put(nudge(project="x" * 800, pipeline_id=number))
        largest, restarts = max(largest, path.stat().st_size), restarts + (path.stat().st_size < before)
    assert MAX_BYTES - 1000 < largest <= MAX_BYTES
    assert restarts >= 2
    assert lines(path)[-1]["pipeline_id"] == number


def test_line_that_is_too_long_is_not_written(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "nudges"
    nudges = nudges_at(path)
    nudges.put(nudge(project="x" * MAX_LINE_BYTES))
    nudges.put(nudge())
    assert len(lines(path)) == 1


def test_line_break_in_a_name_starts_no_second_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "nudges"
    nudges_at(path).put(nudge(project='a\n{"pipeline_id": 1}'))
    assert len(lines(path)) == 1


def test_file_of_an_earlier_run_is_continued(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "nudges"
    nudges_at(path).put(nudge())
    path.chmod(0o644)
    nudges_at(path).put(nudge(pipeline_id=7))
    assert [line["pipeline_id"] for line in lines(path)] == [2366, 7]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_deleted_file_is_created_again(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "nudges"
    nudges = nudges_at(path)
    path.unlink()
    nudges.put(nudge())
    assert len(lines(path)) == 1 and stat.S_IMODE(path.stat().st_mode) == 0o600


def is_written(path: pathlib.Path) -> bool:
    """Return whether a gate detects that a source writes the file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_lock_shows_whether_a_source_writes_the_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "nudges"
    first, second = nudges_at(path), nudges_at(path)
    assert is_written(path)
    first.end()
    assert not path.exists()
    second.put(nudge())
    assert is_written(path)
    path.rename(tmp_path / "elsewhere")
    second.put(nudge())
    assert is_written(path) and not is_written(tmp_path / "elsewhere")
    second.end()


def test_killed_source_releases_its_lock(tmp_path: pathlib.Path) -> None:
    """On a signal, the Java virtual machine of ansible-rulebook ends the process without notifying Python."""
    path = tmp_path / "nudges"
    program = (
        "import sys; from jobgate_gitlab_events.nudges import Nudges\n"
        "nudges = Nudges(sys.argv[1]); nudges.begin(); print(); sys.stdout.flush(); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(EDA / "lib")}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()
        assert is_written(path)
        process.kill()
    assert path.exists() and not is_written(path)
    # the next source continues the file
    nudges_at(path).put(nudge())


def create_other(kind: str, path: pathlib.Path) -> pathlib.Path | None:
    """Create something at the path of the file, and return the path that must stay unchanged."""
    precious = path.with_name("precious")
    precious.write_text("precious\n")
    if kind == "link":
        path.symlink_to(precious)
    elif kind == "link to nothing":
        path.symlink_to(path.with_name("nothing"))
    elif kind == "second name":
        path.hardlink_to(precious)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "something else":
        path.write_text("precious\n")
        return path
    return precious


OTHER_KINDS = ["link", "link to nothing", "second name", "fifo", "folder", "something else"]


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_path_of_something_else_is_refused_and_unchanged(tmp_path: pathlib.Path, kind: str) -> None:
    path = tmp_path / "nudges"
    precious = create_other(kind, path)
    with pytest.raises(OptionError, match="nudges .* cannot be used .*: set a path that does not exist yet"):
        nudges_at(path)
    assert precious is not None and precious.read_text() == "precious\n"
    assert not path.with_name("nothing").exists()


def test_missing_folder_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OptionError, match="No such file or directory"):
        nudges_at(tmp_path / "nowhere" / "nudges")


def test_file_of_another_user_is_refused(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nudges").touch()
    mine = os.geteuid()
    monkeypatch.setattr(module.os, "geteuid", lambda: mine + 1)
    with pytest.raises(OptionError, match="it belongs to another user"):
        nudges_at(tmp_path / "nudges")


@pytest.mark.parametrize("kind", [kind for kind in OTHER_KINDS if kind != "something else"])
def test_replaced_file_is_unchanged_and_reported_once(
    tmp_path: pathlib.Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "nudges"
    nudges = nudges_at(path)
    path.unlink()
    precious = create_other(kind, path)
    for _number in range(3):
        nudges.put(nudge())
    nudges.end()
    assert len([record for record in caplog.records if "cannot be written" in record.message]) == 1
    assert precious is not None and precious.read_text() == "precious\n"
    assert path.is_symlink() or path.exists()
    assert not path.with_name("nothing").exists()
