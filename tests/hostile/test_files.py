# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test where files are written: the same for downloads, records and reports, on both faces, as root and as nobody."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import resource
import shutil
import socket
import stat
import tempfile
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import requester

from tests.unit.faces import TASKS, Options
from tests.unit.harness import TOKEN
from tests.unit.processes import IS_ROOT, NOBODY, in_child

from .plugins import DOWNLOAD, OF_PIPELINE, Plugin
from .run import FACES
from .server import ARTIFACT, HostileServer
from .test_table import IS_WHOLE

SOMEBODY = 1234
SHARED_MEMORY = "/dev/shm"
_VERIFY = {"projects": [{**OF_PIPELINE, "gates": [{"name": "build", "action": "verify"}]}]}
WRITERS = {
    "dest": Plugin("gitlab_job_download", {**DOWNLOAD, "content": "archive"}),
    "record": Plugin("gitlab_release_gate", _VERIFY),
    "report": Plugin("gitlab_release_gate", _VERIFY),
}


@dataclasses.dataclass(frozen=True)
class Target:
    """Something at the path where a file will be written.

    :param make: creates it and returns the path.
    :param refused: words of the refusal; empty if the file is written.
    :param refused_to_nobody: the same for a user without permissions in the folder.
    :param after: owner, group and mode of a file that root wrote there.
    """

    make: t.Callable[[str], str]
    refused: str = ""
    refused_to_nobody: str | None = None
    after: tuple[int, int, int] | None = None
    max_bytes: int | None = None
    of: tuple[str, ...] = tuple(WRITERS)


def file(mode: int = 0o644, owner: int = 0, group: int = 0) -> t.Callable[[str], str]:
    """Create a file."""

    def make(folder: str) -> str:
        path = os.path.join(folder, "target")
        pathlib.Path(path).write_bytes(b"old")
        if IS_ROOT:
            os.chown(path, owner, group)
        os.chmod(path, mode)
        return path

    return make


def link(goal: str) -> t.Callable[[str], str]:
    """Create a link, and a file next to it."""

    def make(folder: str) -> str:
        pathlib.Path(folder, "real").write_bytes(b"old")
        os.symlink(goal, os.path.join(folder, "target"))
        return os.path.join(folder, "target")

    return make


def path_of(name: str) -> t.Callable[[str], str]:
    """Create nothing, and return a path."""
    return lambda folder: os.path.join(folder, name)


def folder_with(name: str = "target", mode: int = 0o777) -> t.Callable[[str], str]:
    """Create a folder with a file in it, and return the path of a different file."""

    def make(folder: str) -> str:
        inner = os.path.join(folder, "inner")
        os.mkdir(inner)
        pathlib.Path(inner, "old").write_bytes(b"old")
        os.chmod(inner, mode)
        return os.path.join(inner, name)

    return make


def special_file(make_it: t.Callable[[str], t.Any]) -> t.Callable[[str], str]:
    """Create something that is not a regular file."""

    def make(folder: str) -> str:
        path = os.path.join(folder, "target")
        make_it(path)
        return path

    return make


def create_socket(path: str) -> None:
    """Create a socket."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as made:
        made.bind(path)


def other_file_system(folder: str) -> str:
    """Return a path on another file system. The caller removes it."""
    return os.path.join(tempfile.mkdtemp(dir=SHARED_MEMORY), "target")


NO_FILE = "is not a regular file"
TARGETS = {
    "nothing": Target(path_of("target"), after=(0, 0, 0o644)),
    "a file": Target(file(), after=(0, 0, 0o644)),
    "a file that nobody may read": Target(
        file(0o600), refused_to_nobody="cannot be read", after=(0, 0, 0o600), of=("dest",)
    ),
    "a read-only file": Target(file(0o444), after=(0, 0, 0o444)),
    "a file of another user": Target(file(0o664, SOMEBODY, SOMEBODY), after=(SOMEBODY, SOMEBODY, 0o664)),
    "a set-id file": Target(file(0o6755, SOMEBODY, 55), after=(SOMEBODY, 55, 0o755)),
    "a link": Target(link("real"), after=(0, 0, 0o644)),
    "a dangling link": Target(link("nowhere/at/all"), after=(0, 0, 0o644)),
    "a link to a device": Target(link("/dev/full"), NO_FILE),
    "a link to a folder": Target(link("/"), "is a folder", of=("record", "report")),
    "a folder": Target(folder_with(""), "folder", of=("record", "report")),
    "a folder for a download": Target(folder_with(""), of=("dest",)),
    "a pipe": Target(special_file(os.mkfifo), NO_FILE),
    "a socket": Target(special_file(create_socket), NO_FILE),
    "a device": Target(lambda folder: "/dev/full", NO_FILE),
    "a device that discards": Target(lambda folder: "/dev/null", NO_FILE),
    "a folder that accepts no files": Target(lambda folder: "/proc/target", "cannot be written"),
    "a missing folder": Target(path_of("none/target"), "does not exist"),
    "a folder that is a file": Target(lambda folder: file()(folder) + "/target", "does not exist"),
    "a read-only folder": Target(folder_with(mode=0o555), refused_to_nobody="can"),
    "a name that is too long": Target(path_of("x" * 300), "cannot be"),
    "a path that is too long": Target(path_of("x/" * 2100 + "x"), "does not exist"),
    "a name of codes": Target(path_of("a\x1b[2Jb\n\u202ec"), after=(0, 0, 0o644)),
    "a full disk": Target(path_of("target"), "cannot be written", max_bytes=5),
    "a full disk with an existing file": Target(file(), "cannot be written", max_bytes=5),
    "another file system": Target(other_file_system, after=(0, 0, 0o644)),
}
USERS = ["root", "nobody"] if IS_ROOT else ["self"]


def state_of(path: str) -> t.Any:
    """Return type, owner, group and mode at a path, and whether a file is new, for comparisons."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    content = pathlib.Path(path).read_bytes() if stat.S_ISREG(found.st_mode) else None
    kind = "new" if content not in (None, b"old") else content
    return stat.S_IFMT(found.st_mode), found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode), kind


def state_of_everything(folder: str) -> dict[str, t.Any]:
    """Return the state of everything below a folder."""
    paths = sorted(str(path) for path in pathlib.Path(folder).rglob("*"))
    return {path[len(folder) :]: state_of(path) for path in paths}


@contextlib.contextmanager
def shared_folder() -> t.Iterator[str]:
    """Yield a folder that every user can write to. Those of pytest belong to the user who runs it."""
    path = tempfile.mkdtemp()
    os.chmod(path, 0o777)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def write_file(option: str, target: Target, face_name: str, user: str) -> tuple[Options, t.Any, t.Any]:
    """Return the result, the state of the target, and the state of its folder before and afterwards."""
    with shared_folder() as folder, HostileServer() as server:
        path = target.make(folder)
        outside = os.path.dirname(path) if path.startswith(SHARED_MEMORY) else ""
        if outside:
            os.chmod(outside, 0o777)
        before = state_of_everything(folder)

        def run() -> Options:
            if target.max_bytes:
                resource.setrlimit(resource.RLIMIT_FSIZE, (target.max_bytes, target.max_bytes))
            os.chdir("/")
            writer = WRITERS[option]
            return dataclasses.replace(writer, options={**writer.options, option: path}).run(
                FACES[face_name], server.url, folder
            )

        try:
            result = in_child(run, as_nobody=user == "nobody")
            after = state_of_everything(folder)
            place = result.get("dest") or path if isinstance(result, dict) else path
            state = state_of(place)
        finally:
            if outside:
                shutil.rmtree(outside)
    assert isinstance(result, dict), result
    text = str(result.get("msg", "")).replace(folder, "FOLDER").replace(server.url, "URL")
    if outside:
        text = text.replace(outside, "FOLDER")
    return {**result, "msg": text}, state, (before, after)


@pytest.fixture(scope="module", autouse=True)
def _import_everything() -> None:
    """Make both faces import everything they need, because the user nobody cannot read this checkout."""
    for face_name in FACES:
        for option in WRITERS:
            write_file(option, TARGETS["nothing"], face_name, "self")


def cases() -> t.Iterator[tuple[str, str, str]]:
    """Yield option, target and user. Reports are written like records, so a few are enough if time is short."""
    for option in WRITERS:
        for target, row in TARGETS.items():
            exists = target != "another file system" or os.path.isdir(SHARED_MEMORY)
            is_selected = (
                IS_WHOLE or option != "report" or target in ("nothing", "a set-id file", "a link", "a full disk")
            )
            if option in row.of and exists and is_selected:
                yield from ((option, target, user) for user in USERS)


@pytest.mark.parametrize(("option", "target", "user"), list(cases()))
def test_files_are_written_or_refused_alike_in_process_and_as_module(option: str, target: str, user: str) -> None:
    row = TARGETS[target]
    by_face = {face_name: write_file(option, row, face_name, user) for face_name in FACES}
    words = row.refused if user != "nobody" or row.refused_to_nobody is None else row.refused_to_nobody
    for result, state, (before, after) in by_face.values():
        if words:
            assert result["failed"] and words in result["msg"], result["msg"]
            assert result["msg"].isprintable() and "nexpected" not in result["msg"]
            assert before == after
        else:
            assert not result.get("failed"), result["msg"]
            assert state[4] == "new" and stat.S_ISREG(state[0])
            assert not [name for name in after if "jobgate" in name]
            if row.after and user == "root":
                assert state[1:4] == row.after
            elif user == "nobody":
                assert state[1] == NOBODY
    first, *others = [comparable(*each) for each in by_face.values()]
    assert [other for other in others if other != first] == []
    if option == "dest" and not words:
        assert {result["size"] for result, _state, _folders in by_face.values()} == {len(ARTIFACT)}


def comparable(result: Options, state: t.Any, folders: t.Any) -> t.Any:
    """Return the parts that are the same on both faces."""
    facts = ("msg", "changed", "mode", "owner", "group", "uid", "gid", "state", "size", "sha256")
    return {name: result.get(name) for name in facts}, state, folders


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("content", ["archive", "log"])
def test_download_may_exceed_the_size_limit_of_other_answers(
    face: str, content: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer in ("bytes", "text"):
        monkeypatch.setitem(t.cast("dict[str, int]", requester._MAX_BYTES), answer, 5)
    with HostileServer() as server:
        options = {**DOWNLOAD, "content": content, "dest": str(tmp_path / "dest"), "api_token": TOKEN}
        result = FACES[face](TASKS["gitlab_job_download"], {**options, "api_url": server.url})
    assert not result.get("failed"), result["msg"]
    assert result["size"] > 5
