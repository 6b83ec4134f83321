# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What Ansible wants of the files that a task makes, and what it tells of them in the words of its modules."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import typing as t

from .._app.outcome import Files

SELINUX: t.Any
try:
    from ansible.module_utils.compat import selinux as SELINUX
except ImportError:
    SELINUX = None

# Where the kernel shows SELinux, if it is in use: then files are left to Ansible's module code.
_SELINUX = "/sys/fs/selinux/enforce"


class AnsibleFiles(Files):
    """Files as Ansible's own modules make them."""

    def label(self, path: str, dest: str) -> None:
        if SELINUX is None or SELINUX.is_selinux_enabled() != 1:
            return
        found, context = SELINUX.matchpathcon(dest, stat.S_IFREG)
        if found == 0 and context:
            SELINUX.lsetfilecon(path, context)


def has_selinux() -> bool:
    """Return whether files carry contexts that have to be kept."""
    return os.path.exists(_SELINUX)


def file_facts(path: str) -> dict[str, t.Any]:
    """Return permissions, owner and kind of a file; nothing when it is not there, as in check mode."""
    try:
        # of a link that leads nowhere a module tells nothing
        os.stat(path)
        found = os.lstat(path)
    except OSError:
        return {}
    state = "link" if stat.S_ISLNK(found.st_mode) else "hard" if found.st_nlink > 1 else "file"
    return {
        "mode": f"0{stat.S_IMODE(found.st_mode):03o}",
        "uid": found.st_uid,
        "gid": found.st_gid,
        "owner": _name(pwd.getpwuid, found.st_uid),
        "group": _name(grp.getgrgid, found.st_gid),
        "state": state,
    }


def _name(look_up: t.Callable[[int], t.Any], number: int) -> str:
    """Return the name of a user or group, or its number when it has none."""
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)
