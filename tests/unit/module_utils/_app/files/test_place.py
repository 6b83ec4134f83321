# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing strings to files: the file holds the old or the new content, and failed writes cause a one-sentence error."""

from __future__ import annotations

import errno
import os
import pathlib
import resource
import shutil
import signal
import stat
import tempfile
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.files import place
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.files.place import (
    NewFile,
    check_path,
    check_writable,
    write_text,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Files

from ....processes import IS_ROOT, NOBODY, in_child


def test_unwritable_path_is_reported_before_writing(tmp_path, monkeypatch):
    check_writable("record", str(tmp_path / "x"))
    with pytest.raises(
        UsageError, match="record '.*/none/x' is in a folder that does not exist; create '.*/none' first"
    ):
        check_writable("record", str(tmp_path / "none" / "x"))
    with pytest.raises(UsageError, match="report '.*' is a folder; use the name of a file"):
        check_writable("report", str(tmp_path))
    with pytest.raises(UsageError, match="report '.*/reports/' is a folder; use the name of a file"):
        check_writable("report", f"{tmp_path}/reports/")
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(UsageError, match="record '.*/x' cannot be written: no permission to create files in"):
        check_writable("record", str(tmp_path / "x"))
    monkeypatch.undo()
    with pytest.raises(UsageError, match="record '.*' cannot be written: File name too long"):
        check_writable("record", str(tmp_path / ("x" * 256)))
    assert list(tmp_path.iterdir()) == []


def test_written_text_replaces_the_file_and_keeps_its_mode(tmp_path):
    path = tmp_path / "x"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    write_text("record", str(path), "n\u00e4w \ud800", Files())
    # a lone surrogate from a server must not prevent writing the record
    assert path.read_text(encoding="utf-8") == "n\u00e4w \\ud800"
    assert path.stat().st_mode & 0o777 == 0o640


def test_failed_label_leaves_no_file(tmp_path):
    class Refusing(Files):
        def label(self, path, dest):
            raise PermissionError(1, "Operation not permitted")

    path = tmp_path / "x"
    with pytest.raises(UsageError, match="record '.*/x' cannot be written: Operation not permitted"):
        write_text("record", str(path), "new", Refusing())
    assert list(tmp_path.iterdir()) == []


# ----- the same for every user -----

OTHER_USER = 1234
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can make files of others")


class Folder:
    """A folder that all users can access, with files of different owners."""

    def __init__(self, path: str) -> None:
        self.path = path
        os.chmod(path, 0o777)

    def make(self, name: str, mode: int = 0o644, owner: int = 0, group: int = 0) -> str:
        """Create a file and return its path."""
        path = os.path.join(self.path, name)
        with open(path, "wb") as file:
            file.write(b"old")
        os.chown(path, owner, group)
        os.chmod(path, mode)
        return path

    def put(self, name: str, *, as_nobody: bool = False, unsafe_writes: bool = False) -> t.Any:
        """Write a new file; return the error, or the owner, group, mode and content."""
        path = os.path.join(self.path, name)
        files = Files(unsafe_writes=unsafe_writes)
        problem = in_child(lambda: write_text("record", path, "new", files), as_nobody=as_nobody)
        assert not [name for name in os.listdir(self.path) if name.startswith(".jobgate-")]
        if problem:
            return problem
        found = os.lstat(path)
        with open(path, "rb") as file:
            return found.st_uid, found.st_gid, oct(stat.S_IMODE(found.st_mode)), file.read()


@pytest.fixture
def folder() -> t.Iterator[Folder]:
    # only the user who runs pytest may enter its temporary folders
    path = tempfile.mkdtemp()
    yield Folder(path)
    shutil.rmtree(path)


# mode, owner and group of the existing file; then owner, group and mode after a write by root and by nobody
OWNERSHIP_CASES: dict[str, t.Any] = {
    "no file": (None, (0, 0, "0o644"), (NOBODY, NOBODY, "0o644")),
    "own file of root": ((0o640, 0, 0), (0, 0, "0o640"), (NOBODY, NOBODY, "0o600")),
    "file of another user": (
        (0o664, OTHER_USER, OTHER_USER),
        (OTHER_USER, OTHER_USER, "0o664"),
        (NOBODY, NOBODY, "0o644"),
    ),
    "set-id file of another user": ((0o6755, OTHER_USER, 55), (OTHER_USER, 55, "0o755"), (NOBODY, NOBODY, "0o755")),
    "set-id file of root": ((0o4755, 0, 0), (0, 0, "0o4755"), (NOBODY, NOBODY, "0o755")),
    "own file of nobody": ((0o4710, NOBODY, NOBODY), (NOBODY, NOBODY, "0o710"), (NOBODY, NOBODY, "0o4710")),
    "another group": ((0o660, NOBODY, 55), (NOBODY, 55, "0o660"), (NOBODY, NOBODY, "0o600")),
}


@needs_root
@pytest.mark.parametrize("as_nobody", [False, True], ids=["root", "nobody"])
@pytest.mark.parametrize("case", OWNERSHIP_CASES)
def test_written_file_has_the_right_owner_group_and_mode(folder, case, as_nobody):
    before, *after = OWNERSHIP_CASES[case]
    if before:
        folder.make("file", *before)
    assert folder.put("file", as_nobody=as_nobody) == (*after[as_nobody], b"new")


@needs_root
@pytest.mark.parametrize("as_nobody", [False, True], ids=["root", "nobody"])
def test_link_is_replaced_and_its_target_is_unchanged(folder, as_nobody):
    path = folder.make("real", 0o600, OTHER_USER, OTHER_USER)
    user = NOBODY if as_nobody else 0
    for name, goal in (("link", path), ("dangling", "nowhere"), ("circle", "circle")):
        os.symlink(goal, os.path.join(folder.path, name))
        if name == "circle":
            continue
        assert folder.put(name, as_nobody=as_nobody) == (user, user, "0o644", b"new")
    found = os.stat(path)
    assert (found.st_uid, stat.S_IMODE(found.st_mode), found.st_size) == (OTHER_USER, 0o600, 3)


@needs_root
def test_hard_link_is_broken(folder):
    path = folder.make("one", 0o640)
    os.link(path, os.path.join(folder.path, "two"))
    assert folder.put("two") == (0, 0, "0o640", b"new")
    assert pathlib.Path(path).read_bytes() == b"old"


@needs_root
def test_file_that_user_nobody_cannot_replace_is_reported(folder):
    folder.make("file", 0o666)
    os.chmod(folder.path, 0o755)
    assert "no file can be created in" in folder.put("file", as_nobody=True)
    assert "Permission denied" in folder.put("file", as_nobody=True)
    # like Ansible's own modules, if a file can be written to but not replaced
    assert folder.put("file", as_nobody=True, unsafe_writes=True) == (0, 0, "0o666", b"new")
    os.chmod(folder.path, 0o1777)
    folder.make("file", 0o644)
    assert "record '" in folder.put("file", as_nobody=True)
    assert pathlib.Path(folder.path, "file").read_bytes() == b"old"


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EBUSY], ids=["another file system", "a mounted file"])
def test_target_that_cannot_be_renamed_needs_unsafe_writes(tmp_path, monkeypatch, number):
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def rename(*_names, **_folders):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(UsageError, match=f"record '.*/x' cannot be written: {os.strerror(number)}"):
        write_text("record", str(path), "new", Files())
    assert path.read_bytes() == b"old"
    write_text("record", str(path), "new", Files(unsafe_writes=True))
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("x", b"new")]


@pytest.mark.parametrize(("number", "is_written"), [(errno.EOPNOTSUPP, True), (errno.EISDIR, True), (errno.EIO, False)])
def test_named_temporary_file_is_used_without_support_for_unnamed(tmp_path, monkeypatch, number, is_written):
    really_open = os.open

    def refuse(path, flags, *mode, **folder):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(number, os.strerror(number))
        return really_open(path, flags, *mode, **folder)

    monkeypatch.setattr(os, "open", refuse)
    if is_written:
        write_text("record", str(tmp_path / "x"), "new", Files())
    else:
        with pytest.raises(UsageError, match=f"no file can be created in '.*': {os.strerror(number)}"):
            write_text("record", str(tmp_path / "x"), "new", Files())
    monkeypatch.undo()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x", b"new")] * is_written


@pytest.mark.parametrize(("number", "content"), [(errno.ENOTSUP, b"new"), (errno.EPERM, b"new"), (errno.EIO, b"old")])
def test_unsupported_extended_attributes_are_skipped(tmp_path, monkeypatch, number, content):
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def refuse(*_arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "listxattr", lambda _path: ["user.note"])
    monkeypatch.setattr(os, "getxattr", lambda _path, _name: b"kept")
    monkeypatch.setattr(os, "setxattr", refuse)
    if content == b"new":
        write_text("record", str(path), "new", Files())
    else:
        with pytest.raises(UsageError, match=f"record '.*/x' cannot be written: {os.strerror(number)}"):
            write_text("record", str(path), "new", Files())
    assert path.read_bytes() == content


@needs_root
def test_extended_attributes_are_kept_except_capabilities(folder):
    path = folder.make("file", 0o755, OTHER_USER, OTHER_USER)
    try:
        os.setxattr(path, "user.note", b"kept")
        os.setxattr(path, "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))
    except OSError as exc:
        assert exc.errno in (errno.ENOTSUP, errno.EPERM)
    has = set(os.listxattr(path))
    folder.put("file")
    assert set(os.listxattr(path)) == has - {"security.capability"}


def test_file_size_limit_is_reported_and_leaves_no_file(tmp_path):
    def write() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        write_text("record", str(tmp_path / "x"), "x" * 5000, Files())

    assert in_child(write) == "the content cannot be written beside record: File too large"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["folder", "pipe", "socket", "/dev/null", "none/x", "file/x"])
def test_path_that_cannot_be_a_file_is_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    os.mknod(tmp_path / "socket", stat.S_IFSOCK | 0o600)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(UsageError, match="is a folder|is not a regular file|is in a folder that does not exist"):
        check_writable("record", str(tmp_path / name))
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_path_with_invalid_characters_is_refused(path):
    with pytest.raises(UsageError, match="dest '.*' contains a character that a path cannot contain; remove it"):
        check_path("dest", path)


# ----- leftover files -----


def test_file_has_no_name_until_it_is_complete(tmp_path):
    with NewFile("dest", str(tmp_path / "x"), Files()) as file:
        file.write(b"half")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("has_unnamed", [True, False], ids=["unnamed", "named"])
def test_interrupted_write_leaves_no_file(tmp_path, monkeypatch, has_unnamed):
    if not has_unnamed:
        monkeypatch.setattr(place.NewFile, "_open_unnamed", staticmethod(lambda folder: -1))
    with pytest.raises(KeyboardInterrupt), NewFile("dest", str(tmp_path / "x"), Files()) as file:
        file.write(b"half")
        assert len(list(tmp_path.iterdir())) == (not has_unnamed)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with NewFile("dest", str(tmp_path / "x"), Files()) as file:
        file.write(b"whole")
        file.put_in_place()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x", b"whole")]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_killed_process_leaves_no_file(tmp_path, name):
    def die() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with NewFile("dest", str(tmp_path / "x"), Files()) as file:
            file.write(b"half")
            os.kill(os.getpid(), signal.Signals[name])

    in_child(die)
    assert list(tmp_path.iterdir()) == []


def test_old_leftover_files_are_removed(tmp_path):
    names = [".jobgate-old.part", ".jobgate-new.part", ".jobgate-link.part", "other.part"]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / ".jobgate-link.part").unlink()
    (tmp_path / ".jobgate-link.part").symlink_to("other.part")
    for name in names:
        if "new" not in name:
            os.utime(tmp_path / name, (0, 0))
    write_text("record", str(tmp_path / "x"), "new", Files())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names[1:], "x"])
