# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Write files atomically: a reader sees either the whole old content or the whole new content.

Owner, group, permissions and links are handled as in `ansible.builtin.copy`, except for set-id bits, which are removed
if another user than the owner writes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import tempfile
import time

from ..._api.errors import UsageError
from ..._api.http import CHUNK_BYTES
from ..outcome import Files

_PREFIX, _SUFFIX = ".jobgate-", ".part"
# A temporary file this old was left behind: no read from a server takes that long.
_OLD_SECONDS = 3600.0
# The errors for files that cannot be replaced, but may be writable.
_IN_PLACE_ERRORS = (errno.EPERM, errno.EXDEV, errno.EACCES, errno.ETXTBSY, errno.EBUSY)
# The errors for attributes that a file system does not support, or does not let us set.
_NO_ATTRIBUTE = (errno.EPERM, errno.ENOTSUP, errno.ENODATA, errno.EINVAL, errno.EACCES)


def check_path(option: str, path: str) -> None:
    """Check that a string can be a path.

    :raises UsageError: if it contains a character that a path cannot contain.
    """
    try:
        is_path = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        is_path = False
    if not is_path:
        raise UsageError(f"{option} {path!r} contains a character that a path cannot contain; remove it")


def check_writable(option: str, path: str, *, unsafe_writes: bool = False) -> None:
    """Check that a file can be written to a path.

    :param unsafe_writes: see `Files`.
    :raises UsageError: if it cannot, as far as that can be known in advance.
    """
    check_path(option, path)
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise UsageError(f"{option} {path!r} is in a folder that does not exist; create {folder!r} first")
    if os.path.isdir(path) or path.endswith("/"):
        raise UsageError(f"{option} {path!r} is a folder; use the name of a file")
    check_regular(option, path)
    if not unsafe_writes and not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{option} {path!r} cannot be written: no permission to create files in {folder!r}")
    try:
        os.lstat(path)
    except FileNotFoundError:
        pass
    except OSError as exc:  # the name is too long
        raise UsageError(f"{option} {path!r} cannot be written: {exc.strerror}") from None


def check_regular(option: str, path: str) -> None:
    """Check that a path is free or a regular file: a device may be endless, and must not be replaced.

    :raises UsageError: if it is neither.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        raise UsageError(f"{option} {path!r} is not a regular file")


def write_text(option: str, path: str, text: str, files: Files) -> None:
    """Replace the content of a file with a string.

    :raises UsageError: if that fails.
    """
    with NewFile(option, os.path.abspath(path), files) as file:
        # characters that cannot be encoded come from a server; they must not prevent writing the rest
        file.write(text.encode("utf-8", errors="backslashreplace"))
        file.put_in_place()


class NewFile:
    """A temporary file beside its target. It is deleted when the block ends, unless it has replaced the target.

    If the system supports it, the file has no name until then, so that nothing is left behind, whatever happens.

    :param option: the option that sets the target, for messages.
    :param dest: absolute path of the target; its folder exists.
    :raises UsageError: if no file can be created there.
    """

    def __init__(self, option: str, dest: str, files: Files) -> None:
        self._option = option
        self._dest = dest
        self._files = files
        self._name = ""
        self._file = -1
        folder = os.path.dirname(dest)
        try:
            self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as exc:
            raise self._no_file(exc) from None
        try:
            _sweep(folder)
            self._file = self._open_unnamed(folder)
            if self._file < 0:
                self._name = _new_name()
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                self._file = os.open(self._name, flags, 0o600, dir_fd=self._folder)
        except OSError as exc:
            self._name = ""
            if not files.unsafe_writes:
                self._close()
                raise self._no_file(exc) from None
            # the target itself may be writable anyway
            with tempfile.TemporaryFile() as file:
                self._file = os.dup(file.fileno())

    def __enter__(self) -> NewFile:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._name:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._name, dir_fd=self._folder)
        self._close()

    def write(self, chunk: bytes) -> None:
        """Append a chunk.

        :raises UsageError: if it cannot be written, for example because the disk is full.
        """
        view = memoryview(chunk)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as exc:
            raise UsageError(f"the content cannot be written beside {self._option}: {exc.strerror or exc}") from None

    def restart(self) -> None:
        # Some file systems flush a file at close if it was truncated to nothing before, so leave an empty one alone.
        if os.lseek(self._file, 0, os.SEEK_CUR):
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)

    def put_in_place(self) -> None:
        """Replace the target with the file; if the target is a link, replace the link itself.

        :raises UsageError: if that is not allowed.
        """
        try:
            before = _file_at(self._dest)
            _take_attributes(self._file, self._dest, before)
            if not self._name:
                self._give_name()
            if before is None:
                self._files.label(os.path.join(os.path.dirname(self._dest), self._name), self._dest)
            os.rename(self._name, os.path.basename(self._dest), src_dir_fd=self._folder, dst_dir_fd=self._folder)
            self._name = ""
        except OSError as exc:
            if not self._files.unsafe_writes or exc.errno not in _IN_PLACE_ERRORS:
                raise UsageError(f"{self._option} {self._dest!r} cannot be written: {exc.strerror or exc}") from None
            self._write_in_place()

    def _give_name(self) -> None:
        name = _new_name()
        # with a folder descriptor, this system call follows the link to the file in /proc
        os.link(f"/proc/self/fd/{self._file}", name, dst_dir_fd=self._folder, follow_symlinks=True)
        self._name = name

    def _write_in_place(self) -> None:
        """Write to the target in place, which `unsafe_writes` allows if it cannot be replaced."""
        try:
            os.lseek(self._file, 0, os.SEEK_SET)
            with open(self._dest, "wb") as target:
                for block in iter(lambda: os.read(self._file, CHUNK_BYTES), b""):
                    target.write(block)
                found = os.fstat(target.fileno())
                if found.st_uid != os.geteuid() and found.st_mode & (stat.S_ISUID | stat.S_ISGID):
                    os.fchmod(target.fileno(), found.st_mode & 0o777)
        except OSError as exc:
            raise UsageError(f"{self._option} {self._dest!r} cannot be written: {exc.strerror or exc}") from None

    @staticmethod
    def _open_unnamed(folder: str) -> int:
        """Return a file without a name in a folder, -1 if the system does not support such files."""
        if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
            return -1
        try:
            return os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            if exc.errno in (errno.EISDIR, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOENT):
                return -1
            raise

    def _no_file(self, exc: OSError) -> UsageError:
        folder = os.path.dirname(self._dest)
        return UsageError(f"{self._option} cannot be written: no file can be created in {folder!r}: {exc.strerror}")

    def _close(self) -> None:
        for descriptor in (self._file, self._folder):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._folder = -1


def _new_name() -> str:
    return f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"


def _sweep(folder: str) -> None:
    """Remove the files that killed tasks of this collection left behind."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not (entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX)):
                continue
            with contextlib.suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                is_old = time.time() - found.st_mtime > _OLD_SECONDS
                if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and is_old:
                    os.unlink(entry.path)


# ----- attributes -----


def _file_at(path: str) -> os.stat_result | None:
    """Return the status of the file at a path; None if it does not exist, or is a link, which will be replaced."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return None if stat.S_ISLNK(found.st_mode) else found


def _take_attributes(file: int, dest: str, before: os.stat_result | None) -> None:
    """Give a file the attributes of the file that it replaces, or those of a new file."""
    if before is None:
        umask = os.umask(0)
        os.umask(umask)
        os.fchmod(file, 0o666 & ~umask)
        return
    is_ours = before.st_uid == os.geteuid()
    _change_owner(file, before)
    now = os.fstat(file)
    mode = stat.S_IMODE(before.st_mode)
    has_group = now.st_gid == before.st_gid
    if not is_ours or not has_group:
        mode &= 0o777
    if not has_group:
        # another group gets no more permissions than other users
        mode &= ~0o070 | (mode & 0o007) << 3
    if now.st_uid == before.st_uid:
        _copy_extended(file, dest, with_capabilities=is_ours)
    os.fchmod(file, mode)


def _change_owner(file: int, before: os.stat_result) -> None:
    """Give a file the owner and the group of another one, as far as permitted."""
    for owner, group in ((before.st_uid, before.st_gid), (-1, before.st_gid)):
        try:
            os.fchown(file, owner, group)
        except OSError as exc:
            if exc.errno not in (errno.EPERM, errno.EINVAL):
                raise
        else:
            return


def _copy_extended(file: int, dest: str, *, with_capabilities: bool) -> None:
    """Copy ACLs, the SELinux context and other extended attributes. Capabilities are as dangerous as set-id bits."""
    if not hasattr(os, "listxattr"):
        return
    try:
        names = os.listxattr(dest)
    except OSError:
        return
    for name in names:
        if name == "security.capability" and not with_capabilities:
            continue
        try:
            os.setxattr(file, name, os.getxattr(dest, name))
        except OSError as exc:
            if exc.errno not in _NO_ATTRIBUTE:
                raise
